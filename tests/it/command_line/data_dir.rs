//! The data directory: it is private, and a lost database is not replaced by a new one.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use nyxcore_tests::{TestDatabase, nyxcore_command, run_on_sqlite};
use serde_json::{Value, json};

use super::{PATIENCE, Running, repository, said};

/// The program as started by a shell with this umask.
fn with_umask(db: &TestDatabase, mask: &str, arguments: &[&str]) -> Command {
    let inner = nyxcore_command(db).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the mask is the process's, so a shell of its own sets it"
    )]
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("umask {mask}; exec \"$@\""), "sh"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .args(arguments)
        .current_dir(inner.get_current_dir().unwrap());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Every file and folder of a tree, with its mode, by its path.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = vec![(folder.to_owned(), fs::metadata(folder).unwrap().mode())];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // A SQLite log file may be deleted meanwhile.
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            found.push((path, metadata.mode()));
        }
    }
    found
}

fn open_to_others(folder: &Path) -> Vec<String> {
    let open = modes(folder)
        .into_iter()
        .filter(|(_, mode)| mode & 0o077 != 0);
    open.map(|(path, mode)| format!("{:o} {}", mode & 0o7777, path.display()))
        .collect()
}

/// Stores a provider's key, for which the server creates its master key.
async fn secret_keep(address: &str, token: &str) {
    let mutation = "mutation { setProviderKey(input: { provider: \"openai\", apiKey: \"sk-0123456789abcdef\" }) { __typename } }";
    let answer = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap()
        .post(format!("{address}/graphql"))
        .bearer_auth(token)
        .json(&json!({ "query": mutation }))
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["errors"], Value::Null, "{answer}");
}

/// A data directory with a mirror and a master key, and a running server on it.
async fn used_data_dir(db: &TestDatabase, mask: &str) -> Running {
    let repository = repository(db, "atlas");
    let path = repository.path().to_str().unwrap();
    let done = said(&mut with_umask(db, mask, &["quickstart", path, "--exit"]));
    assert!(done.status.success(), "{}", done.err);
    let create = [
        "token",
        "create",
        "--tenant",
        "home",
        "--user",
        "owner@localhost",
        "--role",
        "OWNER",
    ];
    let token = said(&mut with_umask(db, mask, &create)).out;
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let running = Running::start(&mut with_umask(db, mask, &serve), false);
    let address = running.after("nyxcore listens at ");
    let address = address.split_whitespace().next().unwrap();
    secret_keep(address, token.trim()).await;
    running
}

#[test]
fn no_other_account_reads_what_the_server_keeps() {
    run_on_sqlite(|db| async move {
        let _running = used_data_dir(&db, "000").await;
        let data = db.folder().join("data");
        let kept: Vec<String> = modes(&data)
            .iter()
            .map(|(path, _)| path.strip_prefix(&data).unwrap().display().to_string())
            .collect();
        for kind in [
            "nyxcore.sqlite",
            "nyxcore.sqlite-wal",
            "nyxcore.sqlite-shm",
            "master.key",
            "master.key.lock",
            ".gitignore",
        ] {
            assert!(
                kept.iter().any(|path| path == kind),
                "{kind} is in {kept:?}"
            );
        }
        for part in [
            "mirrors/",
            ".pack",
            "config",
            "HEAD",
            ".lock",
            "nyxcore-blob-limit",
        ] {
            let is_kept = |path: &String| path.starts_with("mirrors/") && path.contains(part);
            assert!(kept.iter().any(is_kept), "{part} is in {kept:?}");
        }
        assert_eq!(open_to_others(&data), Vec::<String>::new());
    });
}

#[test]
fn a_cache_is_private_and_a_report_keeps_the_users_mask() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        let path = repository.path().to_str().unwrap();
        for (mask, mode) in [("022", 0o644), ("002", 0o664), ("027", 0o640)] {
            let (cache, report) = (format!("cache-{mask}"), format!("report-{mask}"));
            let analyze = [
                "analyze", path, "--cache", &cache, "--format", "json", "-o", &report,
            ];
            let done = said(&mut with_umask(&db, mask, &analyze));
            assert!(done.status.success(), "{}", done.err);
            let found = fs::metadata(db.folder().join(&report)).unwrap().mode() & 0o777;
            assert_eq!(found, mode, "umask {mask}");
            assert_eq!(
                open_to_others(&db.folder().join(cache)),
                Vec::<String>::new()
            );
        }
        let report = db.folder().join("report-022");
        fs::set_permissions(&report, Permissions::from_mode(0o600)).unwrap();
        let again = ["analyze", path, "-o", "report-022"];
        assert!(said(&mut with_umask(&db, "022", &again)).status.success());
        assert_eq!(
            fs::metadata(&report).unwrap().mode() & 0o777,
            0o600,
            "a file that was there keeps its mode"
        );
    });
}

#[test]
fn a_data_directory_of_an_older_version_is_closed() {
    run_on_sqlite(|db| async move {
        drop(used_data_dir(&db, "022").await);
        let data = db.folder().join("data");
        for (path, mode) in modes(&data) {
            let wide = if mode & 0o170_000 == 0o040_000 {
                0o755
            } else {
                0o644
            };
            if !path.ends_with("master.key") {
                fs::set_permissions(&path, Permissions::from_mode(wide)).unwrap();
            }
        }
        let ill = said(nyxcore_command(&db).unwrap().arg("doctor"));
        assert!(
            ill.out.contains("✗ data privacy") && ill.out.contains("chmod"),
            "{}",
            ill.out
        );
        let mut serve = nyxcore_command(&db).unwrap();
        let running = Running::start(serve.args(["serve", "--listen", "127.0.0.1:0"]), false);
        running.after("removed other accounts' access to the data directory");
        running.after("nyxcore listens at ");
        assert_eq!(open_to_others(&data), Vec::<String>::new());
        let well = said(nyxcore_command(&db).unwrap().arg("doctor"));
        assert!(well.out.contains("✓ data privacy"), "{}", well.out);
    });
}

#[test]
fn looking_where_no_database_is_makes_none() {
    run_on_sqlite(|db| async move {
        for arguments in [
            &["tenant", "list"][..],
            &["user", "list"],
            &["token", "list", "--tenant", "acme"],
            &["audit", "export"],
            &["secrets", "status"],
            &["models", "list", "--tenant", "acme"],
        ] {
            let refused = said(nyxcore_command(&db).unwrap().args(arguments));
            assert_eq!(
                (refused.code(), refused.out.as_str()),
                ("DATABASE_NOT_FOUND", ""),
                "{arguments:?}: {}",
                refused.err
            );
            assert!(
                refused.err.contains("data/nyxcore.sqlite") && refused.err.contains("--data-dir"),
                "{}",
                refused.err
            );
        }
        let models = said(nyxcore_command(&db).unwrap().args(["models", "list"]));
        assert!(models.status.success(), "{}", models.err);
        assert!(!db.folder().join("data").exists());
    });
}

/// The damage to the database's file, and the resulting message.
#[test]
fn a_database_that_was_lost_is_not_made_anew() {
    run_on_sqlite(|db| async move {
        drop(used_data_dir(&db, "077").await);
        let data = db.folder().join("data");
        let database = data.join("nyxcore.sqlite");
        let copy = fs::read(&database).unwrap();
        for log in ["nyxcore.sqlite-wal", "nyxcore.sqlite-shm"] {
            let _gone = fs::remove_file(data.join(log));
        }
        let key = data.join("master.key");
        let key_text = fs::read(&key).unwrap();
        let aside = db.folder().join("mirrors-aside");
        for (content, has_mirrors, has_key) in [
            (Some(""), true, true),
            (Some("x"), true, true),
            (None, true, true),
            (Some(""), false, true),
            (None, false, true),
            (Some(""), true, false),
            (None, true, false),
        ] {
            match content {
                Some(content) => fs::write(&database, content).unwrap(),
                None => fs::remove_file(&database).unwrap(),
            }
            if !has_mirrors {
                fs::rename(data.join("mirrors"), &aside).unwrap();
            }
            if !has_key {
                fs::remove_file(&key).unwrap();
            }
            for arguments in [
                &["serve", "--listen", "127.0.0.1:0"][..],
                &[
                    "tenant",
                    "create",
                    "a",
                    "--name",
                    "A",
                    "--owner",
                    "a@example.org",
                ],
                &["migrate"],
                &["quickstart", "--exit"],
            ] {
                let mut command = nyxcore_command(&db).unwrap();
                let refused = said(
                    command
                        .args(arguments)
                        .current_dir(db.folder().join("atlas")),
                );
                assert_eq!(
                    refused.code(),
                    "DATABASE_MISSING",
                    "{arguments:?}: {}",
                    refused.err
                );
                for said in ["backup", "start over", "NYXCORE_DATABASE_URL"] {
                    assert!(refused.err.contains(said), "{}", refused.err);
                }
            }
            let ill = said(nyxcore_command(&db).unwrap().arg("doctor"));
            assert!(
                ill.out.contains("✗ database ") && ill.out.contains("start over"),
                "{}",
                ill.out
            );
            assert_eq!(database.exists(), content.is_some(), "nothing was made");
            if aside.exists() {
                fs::rename(&aside, data.join("mirrors")).unwrap();
            }
            if !has_key {
                fs::write(&key, &key_text).unwrap();
                fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
            }
        }
        fs::write(&database, copy).unwrap();
        let well = said(nyxcore_command(&db).unwrap().args(["tenant", "list"]));
        assert!(well.out.contains("home"), "{}{}", well.out, well.err);
    });
}

#[test]
fn the_doctor_tells_of_the_master_key() {
    run_on_sqlite(|db| async move {
        let doctor = || said(nyxcore_command(&db).unwrap().arg("doctor")).out;
        let line = |said: &str| {
            let mut lines = said.lines();
            let line = lines.find(|line| line.contains("master key"));
            line.unwrap_or_else(|| panic!("{said}")).to_owned()
        };
        let new = line(&doctor());
        assert!(
            new.starts_with('✓') && new.contains("will be created"),
            "{new}"
        );
        drop(used_data_dir(&db, "077").await);
        let well = line(&doctor());
        assert!(
            well.starts_with('✓') && well.contains("1 secrets"),
            "{well}"
        );
        let key = db.folder().join("data/master.key");
        let text = fs::read_to_string(&key).unwrap();
        let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
        fs::write(&key, other).unwrap();
        let wrong = line(&doctor());
        assert!(
            wrong.starts_with('✗') && wrong.contains("cannot be decrypted"),
            "{wrong}"
        );
        fs::remove_file(&key).unwrap();
        let missing = line(&doctor());
        assert!(
            missing.starts_with('✗') && missing.contains("is missing"),
            "{missing}"
        );
        fs::write(&key, text).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
        let open = line(&doctor());
        assert!(
            open.starts_with('✗') && open.contains("chmod 600"),
            "{open}"
        );
    });
}
