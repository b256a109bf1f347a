//! The command line, tested with the real program on real repositories.

mod accounts;
mod analyze;
mod backup;
mod bad_input;
mod data_dir;
mod deploy_check;
mod deploy_files;
mod listings;
mod local_model;
mod master_key;
mod mcp;
mod metrics;
mod quickstart;
mod readme;
mod setup;
mod spans;
mod tokens;
mod upgrade;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use nyxcore_sync::git::testing::TestRepository;
use nyxcore_tests::{
    TestDatabase, TestServer, nyxcore_command, on_both_databases, run_on_postgres, run_on_sqlite,
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

/// How long a program may take to print the expected text.
const PATIENCE: Duration = Duration::from_secs(60);

/// The output of a command.
struct CommandOutput {
    status: ExitStatus,
    out: String,
    err: String,
}

impl CommandOutput {
    /// The code in the error line, which is the last line of standard error.
    fn code(&self) -> &str {
        let last = self.err.lines().last().unwrap_or_default();
        let code = last
            .strip_prefix("error[")
            .and_then(|rest| rest.split_once("]: "));
        code.map_or("", |(code, _)| code)
    }
}

fn nyxcore(db: &TestDatabase, arguments: &[&str]) -> CommandOutput {
    said(nyxcore_command(db).unwrap().args(arguments))
}

fn said(command: &mut Command) -> CommandOutput {
    let Output {
        status,
        stdout,
        stderr,
    } = command.stdin(Stdio::null()).output().unwrap();
    CommandOutput {
        status,
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// The program on the test's own database, which on SQLite is another file than the one in the data directory.
fn on_test_database(db: &TestDatabase, url: &str, arguments: &[&str]) -> CommandOutput {
    said(
        nyxcore_command(db)
            .unwrap()
            .env("NYXCORE_DATABASE_URL", url)
            .args(arguments),
    )
}

/// A running program. It is killed on drop.
struct Running {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Running {
    /// Starts the program, and reads one of its outputs.
    fn start(command: &mut Command, reads_stdout: bool) -> Self {
        let (out, err) = if reads_stdout {
            (Stdio::piped(), Stdio::null())
        } else {
            (Stdio::null(), Stdio::piped())
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap();
        let output: Box<dyn std::io::Read + Send> = match child.stdout.take() {
            Some(stdout) => Box::new(stdout),
            None => Box::new(child.stderr.take().unwrap()),
        };
        let (sender, lines) = std::sync::mpsc::channel();
        // Read to the end, so that the program never blocks on a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _nobody_waits = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// The rest of the next line that contains the word.
    fn after(&self, word: &str) -> String {
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("it never said {word:?}"));
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }

    fn end(mut self, signal: &str) -> ExitStatus {
        #[expect(
            clippy::disallowed_methods,
            reason = "a signal from outside, as an operator or a supervisor sends it"
        )]
        let sent = Command::new("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is fine.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Asks a server for the viewer of a token: returns the status and the response.
async fn viewer(url: &str, token: &str) -> (u16, Value) {
    let query = json!({ "query": "{ viewer { role tenant { slug } user { email } } }" });
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let answer = client
        .post(url)
        .bearer_auth(token)
        .json(&query)
        .send()
        .await
        .unwrap();
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or(Value::Null),
    )
}

/// A repository with enough code for a pattern to be found.
fn repository(db: &TestDatabase, name: &str) -> TestRepository {
    let mut repository = TestRepository::create(db.folder().join(name));
    repository.write(
        "Cargo.toml",
        "[package]\nname = \"atlas\"\n[dependencies]\ntokio = \"1\"\n",
    );
    for name in [
        "open", "close", "read", "write", "seek", "flush", "lock", "trim", "copy", "move", "list",
        "find",
    ] {
        let source = format!(
            "//! About {name}.\n\n/// Does {name}, and tells whether errors came.\npub fn file_{name}(path: &str) -> Result<bool, Error> {{\n    let found = look_at(path)?;\n    if found {{ Ok(true) }} else {{ Ok(false) }}\n}}\n"
        );
        repository.write(&format!("src/{name}.rs"), source);
    }
    repository.commit("Begin");
    repository
}

on_both_databases! {
    async fn a_tenant_is_made_beside_a_running_server(db: TestDatabase) {
        let server = TestServer::start(&db, &[]).await.unwrap();
        let create = ["tenant", "create", "acme", "--name", "Acme", "--owner", "Ada@Example.org", "--print-token"];
        let made = nyxcore(&db, &create);
        assert!(made.status.success(), "{}", made.err);
        let token = made.out.strip_suffix('\n').unwrap();
        assert!(token.starts_with("nyx_") && !token.contains(char::is_whitespace), "{token:?}");

        let (_, answer) = viewer(&server.url("/graphql"), token).await;
        let owner = json!({ "role": "OWNER", "tenant": { "slug": "acme" }, "user": { "email": "ada@example.org" } });
        assert_eq!(answer["data"]["viewer"], owner, "{answer}");

        let again = nyxcore(&db, &create);
        assert_eq!((again.status.code(), again.code(), again.out.as_str()), (Some(1), "CONFLICT", ""));
    }

    async fn a_token_is_made_for_a_member_and_for_nobody_else(db: TestDatabase) {
        let server = TestServer::start(&db, &[]).await.unwrap();
        assert!(nyxcore(&db, &["tenant", "create", "acme", "--name", "Acme", "--owner", "ada@example.org"]).status.success());
        let elsewhere = ["tenant", "create", "other", "--name", "Other", "--owner", "bob@example.org"];
        assert!(nyxcore(&db, &elsewhere).status.success());
        let create = |tenant, user, role| nyxcore(&db, &["token", "create", "--tenant", tenant, "--user", user, "--role", role]);

        let made = create("acme", "ada@example.org", "viewer");
        let (_, answer) = viewer(&server.url("/graphql"), made.out.trim()).await;
        assert_eq!(answer["data"]["viewer"]["role"], "VIEWER", "{answer} {}", made.err);
        for (tenant, user) in [("acme", "bob@example.org"), ("acme", "eve@example.org"), ("nowhere", "ada@example.org")] {
            let refused = create(tenant, user, "MEMBER");
            assert_eq!((refused.code(), refused.out.as_str()), ("NOT_FOUND", ""), "{tenant} {user}: {}", refused.err);
        }
    }

    async fn a_database_that_a_newer_program_used_is_left_alone(db: TestDatabase) {
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_tomorrow', 0)";
        db.superuser_connection().await.unwrap().execute_unprepared(newer).await.unwrap();
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["tenant", "create", "a", "--name", "A", "--owner", "a@b"]] {
            let refused = on_test_database(&db, db.owner_url(), arguments);
            assert_eq!((refused.status.code(), refused.code()), (Some(1), "DATABASE_NEWER"), "{arguments:?}: {}", refused.err);
        }
    }

    async fn migrating_again_changes_nothing(db: TestDatabase) {
        let said = on_test_database(&db, db.owner_url(), &["migrate"]);
        assert_eq!(said.out, "the schema is current\n", "{}", said.err);
    }

    async fn the_doctor_finds_nothing_wrong_with_a_good_set_up(db: TestDatabase) {
        let said = on_test_database(&db, db.app_url(), &["doctor"]);
        assert!(said.status.success() && !said.out.contains('✗'), "{}{}", said.out, said.err);
        assert!(said.out.contains("current"), "{}", said.out);
        assert!(!db.folder().join("data").exists(), "looking has made the data directory");
    }

    async fn a_server_that_is_told_to_end_ends_well(db: TestDatabase) {
        for signal in ["TERM", "INT"] {
            let mut command = nyxcore_command(&db).unwrap();
            let running = Running::start(command.args(["serve", "--listen", "127.0.0.1:0"]), false);
            running.after("nyxcore listens at ");
            assert_eq!(running.end(signal).code(), Some(0), "SIG{signal}");
        }
    }
}

#[test]
fn the_owner_migrates_and_a_plain_role_serves() {
    run_on_postgres(|db| async move {
        let role = |url: &str| url::Url::parse(url).unwrap().username().to_owned();
        let (owner, app) = (role(db.owner_url()), role(db.app_url()));
        let wipe =
            format!("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION \"{owner}\"");
        db.superuser_connection()
            .await
            .unwrap()
            .execute_unprepared(&wipe)
            .await
            .unwrap();

        let early = nyxcore(&db, &["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(early.code(), "SCHEMA_BEHIND", "{}", early.err);
        let migrated = on_test_database(&db, db.owner_url(), &["migrate", "--app-role", &app]);
        assert!(migrated.status.success(), "{}", migrated.err);
        assert!(
            migrated.out.starts_with("applied m0001_directory\n"),
            "{}",
            migrated.out
        );
        assert!(
            migrated.out.ends_with(&format!("granted to {app}\n")),
            "{}",
            migrated.out
        );
        let _ready = TestServer::start(&db, &[]).await.unwrap();
    });
}

#[test]
fn a_role_that_bypasses_row_security_is_refused() {
    run_on_postgres(|db| async move {
        let url = db.superuser_url().unwrap();
        let refused = on_test_database(&db, url, &["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(refused.code(), "DATABASE_ROLE_UNSAFE", "{}", refused.err);
        let ill = on_test_database(&db, url, &["doctor"]);
        assert_eq!((ill.status.code(), ill.code()), (Some(1), "UNHEALTHY"));
        assert!(ill.out.contains("✗ database role"), "{}", ill.out);

        let opened = "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY";
        db.superuser_connection()
            .await
            .unwrap()
            .execute_unprepared(opened)
            .await
            .unwrap();
        let ill = nyxcore(&db, &["doctor"]);
        assert!(
            ill.out.contains("✗ row security") && ill.out.contains("notes"),
            "{}",
            ill.out
        );
    });
}

#[test]
fn an_analysis_is_the_same_with_a_cold_and_a_warm_cache() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        let path = repository.path().to_str().unwrap();
        let json = || {
            nyxcore(
                &db,
                &["analyze", path, "--format", "json", "--cache", "facts"],
            )
        };
        let (cold, warm) = (json(), json());
        assert!(cold.status.success(), "{}", cold.err);
        assert_eq!(cold.out, warm.out);
        let report: Value = serde_json::from_str(&cold.out).unwrap();
        assert_eq!(report["project"]["metrics"]["functions"], 12);
        assert_eq!(
            report["project"]["hotspots"][0]["commits"], 1,
            "the history of the repository is looked at"
        );
        assert!(db.folder().join("facts").is_dir() && !db.folder().join("data").exists());

        let inside = nyxcore(
            &db,
            &["analyze", &format!("{path}/src"), "--format", "json"],
        );
        let report: Value = serde_json::from_str(&inside.out).unwrap();
        assert_eq!(
            report["project"]["hotspots"].as_array().unwrap().len(),
            12,
            "paths are those of the folder"
        );
        let table = nyxcore(&db, &["analyze", path, "--no-history"]);
        assert!(
            table.out.contains("3 habits as most projects have them"),
            "{}",
            table.out
        );
        let alone = nyxcore(&db, &["analyze", path, "--no-history", "--format", "json"]);
        let report: Value = serde_json::from_str(&alone.out).unwrap();
        assert_eq!(report["project"]["hotspots"], serde_json::json!([]));
    });
}

#[test]
fn the_schema_that_is_served_is_the_one_that_is_kept() {
    run_on_sqlite(|db| async move {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
        let kept = std::fs::read_to_string(kept)
            .expect("schema.graphql is at the root: run `just schema`");
        let served = nyxcore(&db, &["schema"]).out;
        let changed = kept
            .lines()
            .zip(served.lines())
            .find(|(kept, served)| kept != served);
        assert!(
            kept == served,
            "run `just schema`; the first line that differs: {changed:?}"
        );
    });
}
