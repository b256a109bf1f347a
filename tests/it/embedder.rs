//! The example program that embeds these crates: a separate workspace in `examples/embedder`, built and run as its
//! author would. It adds a table and a kind of run, without any change to these crates.

use std::path::{Path, PathBuf};
use std::process::Output;

use nyxcore_migrations::guard::guard_check;
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/embedder")
}

/// The target directory of this test's build.
fn target_dir() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs cargo as the example's author does"
)]
fn cargo(verb: &str, variables: &[(&str, &str)]) -> Output {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    // The test runner's variables are removed: build scripts that read them (such as ring's) would run again, and their
    // dependents would be compiled again, here and in the next build.
    for (name, _) in std::env::vars_os() {
        let is_of_this_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if is_of_this_package {
            command.env_remove(name);
        }
    }
    command
        .current_dir(example())
        .args([verb, "--locked", "--offline", "--quiet"])
        // Reuses the workspace's build.
        .args(["--features", "shared-build", "--target-dir"])
        .arg(target_dir())
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn passed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out
}

#[test]
fn the_examples_own_tests_pass() {
    let told = passed(&cargo("test", &[]));
    assert!(told.contains("test result: ok. 4 passed"), "{told}");
}

on_both_databases! {
    async fn the_example_reviews_its_glossary(db: TestDatabase) {
        let variables = [
            ("GLOSSARY_OWNER_URL", db.owner_url().to_owned()),
            ("GLOSSARY_APP_URL", db.app_url().to_owned()),
            ("GLOSSARY_APP_ROLE", "nyxcore_test_app".to_owned()),
        ];
        let printed = tokio::task::spawn_blocking(move || {
            let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            passed(&cargo("run", &variables))
        });
        let printed = printed.await.unwrap();
        for line in [
            "Acme has a glossary of 2 terms; run_",
            "PhaseStarted { phase: \"review\" }",
            "the meaning of \\\"hotspot\\\" is the word itself",
            "Finished { status: Succeeded }",
            "GLOSSARY_REVIEW ended as Succeeded",
            "churn: Lines that changed within a month (reviewed: true)",
        ] {
            assert!(printed.contains(line), "{line}\n{printed}");
        }
        let app = db.app_connection().await.unwrap();
        for check in guard_check(&app).await.unwrap() {
            assert_eq!(check.problems, Vec::<String>::new(), "{}", check.what);
        }
        // Without a tenant the serving role sees none of the rows.
        let count = Statement::from_string(db.backend(), "SELECT count(*) FROM glossary_terms");
        let rows: i64 = app.query_one_raw(count).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        assert_eq!(rows, if db.backend() == DbBackend::Postgres { 0 } else { 2 });
    }
}

/// The author's first run, without any setting: everything is in memory.
#[test]
fn the_example_needs_no_database() {
    let printed = passed(&cargo("run", &[]));
    assert!(
        printed.contains("GLOSSARY_REVIEW ended as Succeeded"),
        "{printed}"
    );
}
