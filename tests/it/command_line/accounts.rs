//! Accounts from the command line and the environment: the first owner, and password resets.

use std::io::Write;
use std::process::Stdio;

use nyxcore_tenancy::sign_in::ACCOUNT_FAILURES;
use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command, on_both_databases};
use sea_orm::DbBackend;
use serde_json::json;

use super::{CommandOutput, PATIENCE, Running, nyxcore, said};

const PASSWORD: &str = "correct horse battery staple";

/// Signs in at a server: returns the status, and the user's tenant.
async fn sign_in(url: &str, email: &str, password: &str) -> (u16, serde_json::Value) {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let body = json!({"email": email, "password": password});
    let answer = client.post(format!("{url}/auth/sign-in")).json(&body);
    let answer = answer.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: serde_json::Value = answer.json().await.unwrap();
    (status, body["tenant"].clone())
}

/// A server with these variables: returns its address, and its log so far.
fn first_start(db: &TestDatabase, variables: &[(&str, &str)]) -> (Running, String, String) {
    let mut command = nyxcore_command(db).unwrap();
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.envs(variables.iter().copied());
    let running = Running::start(&mut command, false);
    let mut log = String::new();
    loop {
        let line = running.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("it never listened:\n{log}"));
        log.push_str(&line);
        log.push('\n');
        if let Some((_, address)) = line.split_once("listens at ") {
            let address = address.split_whitespace().next().unwrap();
            return (running, address.to_owned(), log);
        }
    }
}

fn password_set(db: &TestDatabase, email: &str, password: &str) -> CommandOutput {
    let mut command = nyxcore_command(db).unwrap();
    command.args(["user", "set-password", email]);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that has refused already does not read its input.
    let _read = writeln!(stdin, "{password}");
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    CommandOutput {
        status: output.status,
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

on_both_databases! {
    async fn the_first_start_makes_the_first_owner_without_a_browser(db: TestDatabase) {
        let variables = [
            ("NYXCORE_INIT_TENANT", "acme"),
            ("NYXCORE_INIT_OWNER_EMAIL", "ada@example.org"),
            ("NYXCORE_INIT_OWNER_PASSWORD", PASSWORD),
            ("NYXCORE_LOG", "trace"),
        ];
        let (running, url, log) = first_start(&db, &variables);
        assert!(log.contains("created the first tenant and its owner"), "{log}");
        assert!(!log.contains(PASSWORD));
        assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await, (200, json!("acme")));
        assert!(running.end("TERM").success());
        // From then on the variables have no effect, also on another replica.
        let file = db.folder().join("password");
        std::fs::write(&file, "another good password\n").unwrap();
        let variables = [
            ("NYXCORE_INIT_TENANT", "other"),
            ("NYXCORE_INIT_OWNER_EMAIL", "eve@example.org"),
            ("NYXCORE_INIT_OWNER_PASSWORD_FILE", file.to_str().unwrap()),
        ];
        let (_running, url, log) = first_start(&db, &variables);
        assert!(!log.contains("created the first tenant"), "{log}");
        assert_eq!(sign_in(&url, "eve@example.org", "another good password").await.0, 401);
        assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await.0, 200);
        if db.backend() == DbBackend::Postgres {
            let (_second, url, _) = first_start(&db, &variables);
            assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await.0, 200);
        }
    }

    async fn the_first_owners_password_may_be_in_a_file(db: TestDatabase) {
        let file = db.folder().join("password");
        std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
        let variables = [
            ("NYXCORE_INIT_TENANT", "acme"),
            ("NYXCORE_INIT_OWNER_EMAIL", "ada@example.org"),
            ("NYXCORE_INIT_OWNER_PASSWORD_FILE", file.to_str().unwrap()),
        ];
        let (_running, url, _) = first_start(&db, &variables);
        assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await, (200, json!("acme")));
    }

    async fn a_first_owner_that_is_half_named_or_weak_is_refused(db: TestDatabase) {
        let all = [
            ("NYXCORE_INIT_TENANT", "acme"),
            ("NYXCORE_INIT_OWNER_EMAIL", "ada@example.org"),
            ("NYXCORE_INIT_OWNER_PASSWORD", PASSWORD),
        ];
        let short = [all[0], all[1], ("NYXCORE_INIT_OWNER_PASSWORD", "pw-secret")];
        let missing = [all[0], all[1], ("NYXCORE_INIT_OWNER_PASSWORD_FILE", "/nowhere/password")];
        let both = [all[0], all[1], all[2], ("NYXCORE_INIT_OWNER_PASSWORD_FILE", "/nowhere/password")];
        let slug = [("NYXCORE_INIT_TENANT", "Not A Slug"), all[1], all[2]];
        for (variables, expected) in [
            (&all[..2], "SETTING_INVALID"),
            (&all[1..], "SETTING_INVALID"),
            (&missing, "SETTING_INVALID"),
            (&both, "SETTING_INVALID"),
            (&short, "INVALID_INPUT"),
            (&slug, "INVALID_INPUT"),
        ] {
            let mut command = nyxcore_command(&db).unwrap();
            command.args(["serve", "--listen", "127.0.0.1:0"]).envs(variables.iter().copied());
            let refused = said(&mut command);
            assert_eq!((refused.status.code(), refused.code()), (Some(1), expected), "{}", refused.err);
            assert!(!refused.err.contains(PASSWORD) && !refused.err.contains("pw-secret"), "{}", refused.err);
        }
    }

    async fn a_new_password_opens_a_throttled_account(db: TestDatabase) {
        let server = TestServer::start(&db, &[]).await.unwrap();
        for (tenant, owner) in [("acme", "ada@example.org"), ("other", "bob@example.org")] {
            let create = ["tenant", "create", tenant, "--name", tenant, "--owner", owner];
            assert!(nyxcore(&db, &create).status.success());
        }
        let url = server.url("");
        for email in ["ada@example.org", "bob@example.org"] {
            for _ in 0..ACCOUNT_FAILURES {
                assert_eq!(sign_in(&url, email, "a wrong password").await.0, 401);
            }
            assert_eq!(sign_in(&url, email, PASSWORD).await.0, 429);
        }
        let set = password_set(&db, "Ada@Example.org", PASSWORD);
        assert!(set.status.success(), "{}", set.err);
        assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await, (200, json!("acme")));
        assert_eq!(sign_in(&url, "bob@example.org", PASSWORD).await.0, 429, "another account stays closed");
    }

    async fn an_operator_gives_a_person_a_password(db: TestDatabase) {
        let server = TestServer::start(&db, &[]).await.unwrap();
        let create = ["tenant", "create", "acme", "--name", "Acme", "--owner", "ada@example.org"];
        assert!(nyxcore(&db, &create).status.success());
        let url = server.url("");
        assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await.0, 401);
        let set = password_set(&db, "Ada@Example.org", PASSWORD);
        assert!(set.status.success() && set.out.is_empty() && !set.err.contains(PASSWORD), "{}", set.err);
        assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await, (200, json!("acme")));
        for (email, password, expected) in [
            ("ada@example.org", "short", "INVALID_INPUT"),
            ("ada@example.org", "", "INVALID_INPUT"),
            ("eve@example.org", PASSWORD, "NOT_FOUND"),
            ("no address", PASSWORD, "INVALID_INPUT"),
        ] {
            let refused = password_set(&db, email, password);
            assert_eq!((refused.status.code(), refused.code()), (Some(1), expected), "{}", refused.err);
        }
        assert_eq!(sign_in(&url, "ada@example.org", PASSWORD).await.0, 200);
    }
}
