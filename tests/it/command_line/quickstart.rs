//! `quickstart` on real repositories: its output, its reuse of results, and its end.

use std::fs;

use super::*;

#[test]
fn a_second_quickstart_reuses_the_first() {
    run_on_sqlite(|db| async move {
        let mut repository = repository(&db, "atlas");
        // A file that changes three times is a hotspot.
        for note in ["// Reviewed.\n", "// Reviewed again.\n"] {
            let source = fs::read_to_string(repository.path().join("src/open.rs")).unwrap();
            repository.write("src/open.rs", source + note);
            repository.commit("Review");
        }
        let path = repository.path().to_str().unwrap().to_owned();
        let quickstart = || nyxcore(&db, &["quickstart", &path, "--exit"]);

        let first = quickstart();
        assert!(first.status.success(), "{}", first.err);
        let head = repository.git(&["rev-parse", "--short=10", "HEAD"]);
        for shown in [
            &format!("atlas  main @ {head}"),
            "rust        tokio",
            "12 files · ",
            "Functions and methods are snake_case",
            "3 habits as most projects have them",
            " · Rust ",
            "Note Where should a newcomer start?",
            "Extractive: drawn from what is known, no model was used.",
            "References",
            "[1] Code",
        ] {
            assert!(
                first.out.contains(shown),
                "{shown:?} is not in\n{}",
                first.out
            );
        }
        assert!(
            first.err.contains("13 new") && !first.err.contains("error"),
            "{}",
            first.err
        );

        let second = quickstart();
        assert!(
            second.out.contains("analysis unchanged · note unchanged"),
            "{}",
            second.out
        );
        assert!(second.err.contains("13 unchanged"), "{}", second.err);
        let without_times = |said: &CommandOutput| {
            said.out
                .lines()
                .filter(|line| !line.starts_with("Took"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(without_times(&first), without_times(&second));

        repository.write("src/open.rs", "pub fn openFile() {}\n");
        repository.commit("Change one file");
        let third = quickstart();
        assert!(
            third.err.contains("1 changed, 12 unchanged"),
            "{}",
            third.err
        );
        assert!(
            third.err.contains("1 file parsed, 12 known already"),
            "{}",
            third.err
        );
        assert!(
            third.out.contains("habits as most projects have them")
                && !third.out.contains("unchanged"),
            "{}",
            third.out
        );
    });
}

#[test]
fn quickstart_leaves_its_repository_clean() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        // A configuration file in the repository is ignored.
        repository.write("nyxcore.toml", "listen = 'nowhere'\nworkers = 'none'\n");
        let program = nyxcore_command(&db).unwrap().get_program().to_owned();
        #[expect(
            clippy::disallowed_methods,
            reason = "the program as a person types it, with no option"
        )]
        let mut command = Command::new(program);
        let shown = said(
            command
                .current_dir(repository.path().join("src"))
                .args(["quickstart", "--exit"]),
        );
        assert!(
            shown.status.success() && shown.out.contains("3 habits as most projects have them"),
            "{}{}",
            shown.out,
            shown.err
        );
        assert!(
            repository
                .path()
                .join("src/nyxcore-data/nyxcore.sqlite")
                .is_file()
        );
        assert_eq!(
            repository.git(&["status", "--porcelain"]),
            "?? nyxcore.toml"
        );
    });
}

#[test]
fn what_is_not_committed_is_not_looked_at_and_that_is_said() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        repository.write("src/open.rs", "pub fn openFile() {}\n");
        let shown = nyxcore(
            &db,
            &["quickstart", repository.path().to_str().unwrap(), "--exit"],
        );
        assert!(
            shown.out.contains("3 habits as most projects have them")
                && shown.err.contains("Uncommitted changes"),
            "{}{}",
            shown.out,
            shown.err
        );
    });
}

#[test]
fn a_note_of_ones_own_is_asked_beside_the_others() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        let path = repository.path().to_str().unwrap().to_owned();
        assert!(
            nyxcore(&db, &["quickstart", &path, "--exit"])
                .status
                .success()
        );
        let note = "Seek in a file\nWhat does seek do?";
        let shown = nyxcore(&db, &["quickstart", &path, "--exit", "--note", note]);
        assert!(
            shown.out.contains("Note Seek in a file") && shown.out.contains("src/seek.rs:"),
            "{}",
            shown.out
        );
        assert!(
            shown.out.contains("analysis unchanged · note 0"),
            "{}",
            shown.out
        );
    });
}

#[test]
fn it_serves_with_a_token_that_the_next_one_revokes() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        let path = repository.path().to_str().unwrap().to_owned();
        let start = || {
            let mut command = nyxcore_command(&db).unwrap();
            let running = Running::start(
                command.args(["quickstart", &path, "--listen", "127.0.0.1:0"]),
                true,
            );
            let url = running.after("GraphiQL");
            let token = running.after("Token");
            (running, url, token)
        };
        let (running, url, first) = start();
        let (_, answer) = viewer(&url, &first).await;
        assert_eq!(
            answer["data"]["viewer"]["tenant"]["slug"], "home",
            "{answer}"
        );
        assert_eq!(running.end("INT").code(), Some(0));

        let (running, url, second) = start();
        let (_, answer) = viewer(&url, &second).await;
        assert_eq!(answer["data"]["viewer"]["role"], "OWNER", "{answer}");
        let (status, answer) = viewer(&url, &first).await;
        assert!(
            status == 401 && answer["data"].is_null(),
            "{status} {answer}"
        );
        assert_eq!(running.end("TERM").code(), Some(0));
    });
}
