//! Invalid input: a short error with a stable code, a non-zero exit status, and no leftovers.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use nyxcore_projects::project_count;
use nyxcore_tenancy::{Env, Store, StoreOptions, directory::tenant_by_slug};

use super::*;

#[test]
fn what_a_quickstart_cannot_use_is_named_and_nothing_is_left() {
    run_on_sqlite(|db| async move {
        let good = repository(&db, "atlas");
        let good = good.path().to_str().unwrap();
        let _empty = TestRepository::create(db.folder().join("empty"));
        fs::create_dir(db.folder().join("plain")).unwrap();
        let cases: &[(&[&str], &str)] = &[
            (&["plain"], "NOT_A_REPOSITORY"),
            (&["empty"], "REPOSITORY_EMPTY"),
            (&["nowhere"], "PATH_NOT_FOUND"),
            (&["file:///nowhere/at/all"], "PATH_NOT_FOUND"),
            (&[good, "--branch", "gone"], "BRANCH_NOT_FOUND"),
            (&[good, "--branch", "--upload-pack=x"], "BRANCH_INVALID"),
            (&[good, "--scan-path", "../outside"], "SCAN_PATH_INVALID"),
            (&[good, "--scan-path", "gone"], "SCAN_PATH_NOT_FOUND"),
            (&["ext::sh -c touch% made"], "SOURCE_URL_FORBIDDEN"),
            (&["http://example.org/a.git"], "SOURCE_URL_FORBIDDEN"),
            (&["https://127.0.0.1:1/a.git"], "SOURCE_URL_FORBIDDEN"),
            (
                &["https://user:secret@example.org/a.git"],
                "SOURCE_URL_INVALID",
            ),
            (
                &["ssh://-oProxyCommand=touch%20made/a"],
                "SOURCE_URL_INVALID",
            ),
        ];
        for (arguments, code) in cases {
            // A value that looks like an option must be given with `=`.
            let arguments: Vec<String> = match arguments {
                [target, option, value] => vec![(*target).into(), format!("{option}={value}")],
                _ => arguments.iter().map(|text| (*text).into()).collect(),
            };
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let refused = nyxcore(&db, &[&["quickstart", "--exit"], &arguments[..]].concat());
            let last = refused.err.lines().last().unwrap_or_default();
            assert_eq!(
                (refused.status.code(), refused.code()),
                (Some(1), *code),
                "{arguments:?}: {}",
                refused.err
            );
            assert!(last.len() < 250 && !last.contains("secret"), "{last}");
            assert_eq!(refused.out, "", "{arguments:?}");
            for left in ["data", "made", "nyxcore-data"] {
                assert!(
                    !db.folder().join(left).exists(),
                    "{arguments:?} leaves {left}"
                );
            }
        }
        let option = nyxcore(&db, &["quickstart", "--exit", "--upload-pack=touch made"]);
        assert_eq!((option.status.code(), option.out.as_str()), (Some(2), ""));
    });
}

#[test]
fn a_first_sync_that_fails_leaves_the_other_projects_alone() {
    run_on_sqlite(|db| async move {
        let path = repository(&db, "atlas").path().to_str().unwrap().to_owned();
        assert!(
            nyxcore(&db, &["quickstart", &path, "--exit"])
                .status
                .success()
        );
        let refused = nyxcore(&db, &["quickstart", &path, "--exit", "--branch", "gone"]);
        assert_eq!(refused.code(), "BRANCH_NOT_FOUND", "{}", refused.err);

        let data = db.folder().join("data");
        let store = Store::connect(
            &StoreOptions::sqlite(&data.join("nyxcore.sqlite")),
            Env::default(),
        )
        .await
        .unwrap();
        let home = tenant_by_slug(&store, "home").await.unwrap().unwrap();
        let scoped = store.read(home.id).await.unwrap();
        assert_eq!(project_count(&scoped, None).await.unwrap(), 1);
        let mirrors = fs::read_dir(data.join("mirrors"))
            .unwrap()
            .map(Result::unwrap);
        // The empty lock file may remain.
        assert_eq!(mirrors.filter(|entry| entry.path().is_dir()).count(), 1);
    });
}

#[test]
fn an_unusable_data_directory_is_refused_and_unchanged() {
    run_on_sqlite(|db| async move {
        let path = repository(&db, "atlas").path().to_str().unwrap().to_owned();
        let data = db.folder().join("data");
        fs::write(&data, "mine").unwrap();
        for arguments in [
            &["quickstart", &path, "--exit"][..],
            &["serve", "--listen", "127.0.0.1:0"],
        ] {
            let refused = nyxcore(&db, arguments);
            assert_eq!(
                (refused.status.code(), refused.code()),
                (Some(1), "DATA_DIR_INVALID"),
                "{}",
                refused.err
            );
        }
        assert_eq!(fs::read_to_string(&data).unwrap(), "mine");
    });
}

#[test]
fn a_data_directory_that_cannot_be_written_is_refused() {
    run_on_sqlite(|db| async move {
        let path = repository(&db, "atlas").path().to_str().unwrap().to_owned();
        let data = db.folder().join("data");
        for parent in [true, false] {
            let closed = if parent {
                db.folder().to_owned()
            } else {
                data.clone()
            };
            fs::create_dir_all(&closed).unwrap();
            fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
            for arguments in [
                &["quickstart", &path, "--exit"][..],
                &["serve", "--listen", "127.0.0.1:0"],
                &["doctor"],
            ] {
                let refused = said(&mut bound_by_permissions(&db, arguments));
                let code = if arguments == ["doctor"] {
                    "UNHEALTHY"
                } else {
                    "DATA_DIR_READ_ONLY"
                };
                assert_eq!(
                    (refused.status.code(), refused.code()),
                    (Some(1), code),
                    "{}{}",
                    refused.out,
                    refused.err
                );
            }
            fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
            assert!(parent != data.exists(), "only what was there is there");
        }
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
    });
}

/// The command without the capabilities by which root bypasses permission bits. The user name stays root.
fn bound_by_permissions(db: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = nyxcore_command(db).unwrap();
    command.args(arguments);
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return command;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the program under test, as another kind of user"
    )]
    let mut bound = Command::new("setpriv");
    bound
        .args(["--bounding-set=-dac_override,-dac_read_search", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    bound.current_dir(db.folder());
    bound
}

#[test]
fn an_unusable_address_is_reported_before_any_change() {
    run_on_sqlite(|db| async move {
        let path = repository(&db, "atlas").path().to_str().unwrap().to_owned();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken
            .local_addr()
            .map(|address| (taken, address.to_string()))
            .unwrap();
        for (address, code) in [
            (taken.1.as_str(), "ADDRESS_IN_USE"),
            ("somewhere", "ADDRESS_INVALID"),
        ] {
            for arguments in [
                &["quickstart", &path, "--listen", address][..],
                &["serve", "--listen", address],
            ] {
                let refused = nyxcore(&db, arguments);
                assert_eq!(
                    (refused.status.code(), refused.code()),
                    (Some(1), code),
                    "{}",
                    refused.err
                );
                assert!(refused.err.contains("--listen") && !db.folder().join("data").exists());
            }
        }
    });
}

#[test]
fn a_wrong_setting_is_told_by_its_name_wherever_it_stands() {
    run_on_sqlite(|db| async move {
        let file = db.folder().join("nyxcore.toml");
        for (toml, variable, named) in [
            ("listn = 'x'", None, "listn"),
            ("workers = 'secret'", None, "workers"),
            (
                "",
                Some(("NYXCORE_ANALYSIS_QUIET_PERIOD", "secret")),
                "analysis.quiet_period",
            ),
            (
                "",
                Some(("NYXCORE_ALLOW_SOURCES", "anywhere")),
                "allow_sources",
            ),
            (
                "",
                Some(("NYXCORE_DATABASE_URL", "mysql://user:secret@host/db")),
                "database_url",
            ),
        ] {
            fs::write(&file, toml).unwrap();
            let refused = said(
                nyxcore_command(&db)
                    .unwrap()
                    .args(["serve", "--listen", "127.0.0.1:0"])
                    .envs(variable),
            );
            assert_eq!(
                (refused.status.code(), refused.code()),
                (Some(1), "SETTING_INVALID"),
                "{}",
                refused.err
            );
            assert!(
                refused.err.contains(named) && !refused.err.contains("secret"),
                "{}",
                refused.err
            );
        }
        fs::remove_file(&file).unwrap();
        let worker = nyxcore(&db, &["worker"]);
        assert_eq!(worker.code(), "DATABASE_URL_MISSING", "{}", worker.err);
        fs::write(db.folder().join("a-file"), "text").unwrap();
        for path in ["nowhere", "a-file"] {
            let refused = nyxcore(&db, &["analyze", path]);
            assert_eq!(refused.code(), "NOT_A_FOLDER", "{}", refused.err);
            assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
        }
        assert!(!db.folder().join("data").exists());
    });
}
