//! `nyxcore deploy-check`: the commits that a deployment contains and lacks, and the exit status.

use std::io::{Read, Write};
use std::net::TcpListener;

use nyxcore_sync::git::testing::TestRepository;
use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command, on_both_databases, run_on_sqlite};
use serde_json::{Value, json};

use super::{CommandOutput, said};
use crate::support::tenant_by_command;

/// A fake server that reports the given data about itself, to one client after the other.
fn server_saying(server: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = json!({ "data": { "server": server } }).to_string();
    // The thread ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).unwrap();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

fn at(commit: &str) -> Value {
    json!({ "version": "0.1.0", "commit": commit, "dirty": false })
}

/// A repository whose branch tracks a bare clone of it.
fn pushed(db: &TestDatabase) -> TestRepository {
    let mut repository = TestRepository::create(db.folder().join("work"));
    repository.write("a.txt", "1");
    repository.commit("First");
    let remote = db.folder().join("remote.git");
    repository.git(&["init", "--quiet", "--bare", remote.to_str().unwrap()]);
    repository.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    repository.git(&["push", "--quiet", "--set-upstream", "origin", "HEAD"]);
    repository
}

fn check(db: &TestDatabase, repository: &TestRepository, server: &str) -> CommandOutput {
    let mut command = nyxcore_command(db).unwrap();
    command.env("NYXCORE_TOKEN", "nyx_not_a_real_token");
    let path = repository.path().to_str().unwrap();
    said(command.args(["deploy-check", "--server", server, "--path", path]))
}

#[test]
fn a_server_at_the_pushed_head_is_fine() {
    run_on_sqlite(|db| async move {
        let repository = pushed(&db);
        let head = repository.git(&["rev-parse", "HEAD"]);
        let same = check(&db, &repository, &server_saying(at(&head)));
        assert!(same.status.success(), "{}{}", same.out, same.err);
        assert!(
            same.out.contains("the server runs this head"),
            "{}",
            same.out
        );
    });
}

#[test]
fn what_a_deployment_ships_is_listed() {
    run_on_sqlite(|db| async move {
        let mut repository = pushed(&db);
        let old = repository.git(&["rev-parse", "HEAD"]);
        repository.write("a.txt", "2");
        repository.commit("Second");
        repository.git(&["push", "--quiet"]);
        let ships = check(&db, &repository, &server_saying(at(&old)));
        assert!(ships.status.success(), "{}{}", ships.out, ships.err);
        assert!(
            ships.out.contains("a deployment ships: 1 commit") && ships.out.contains("Second"),
            "{}",
            ships.out
        );
    });
}

#[test]
fn what_would_be_left_behind_fails_the_check() {
    run_on_sqlite(|db| async move {
        let mut repository = pushed(&db);
        let pushed_head = repository.git(&["rev-parse", "HEAD"]);
        repository.write("a.txt", "2");
        let unpushed = repository.commit("Not pushed \u{1b}[2J");
        repository.write("a.txt", "3");
        let refused = check(&db, &repository, &server_saying(at(&pushed_head)));
        assert_eq!(
            (refused.code(), refused.status.code()),
            ("NOT_DEPLOYABLE", Some(1)),
            "{}",
            refused.err
        );
        for words in ["not committed", "not pushed: 1 commit", "Not pushed ?[2J"] {
            assert!(refused.out.contains(words), "{words}: {}", refused.out);
        }
        // The server has a commit from which this branch was reset.
        repository.git(&["checkout", "--quiet", "--force", "."]);
        repository.git(&["reset", "--quiet", "--hard", &pushed_head]);
        let lost = check(&db, &repository, &server_saying(at(&unpushed)));
        assert!(
            lost.out.contains("only on the server") && !lost.status.success(),
            "{}",
            lost.out
        );
        let unknown = check(&db, &repository, &server_saying(at(&"0".repeat(40))));
        assert!(
            unknown.out.contains("not in this repository") && !unknown.status.success(),
            "{}",
            unknown.out
        );
        let option = check(&db, &repository, &server_saying(at("--output=/tmp/x")));
        assert!(
            option.out.contains("does not say its commit") && !option.status.success(),
            "{}",
            option.out
        );
        let dirty = json!({ "version": "0.1.0", "commit": pushed_head, "dirty": true });
        let dirty = check(&db, &repository, &server_saying(dirty));
        assert!(
            dirty.out.contains("no commit has") && !dirty.status.success(),
            "{}",
            dirty.out
        );
    });
}

#[test]
fn a_server_that_cannot_be_asked_is_told() {
    run_on_sqlite(|db| async move {
        let repository = pushed(&db);
        let gone = check(&db, &repository, "http://127.0.0.1:9");
        assert_eq!(gone.code(), "SERVER_UNREACHABLE", "{}", gone.err);
        let other = check(&db, &repository, "ftp://example.org");
        assert_eq!(other.code(), "SETTING_INVALID", "{}", other.err);
    });
}

on_both_databases! {
    async fn a_real_server_says_what_it_was_built_from(db: TestDatabase) {
        let token = tenant_by_command(&db, "acme");
        let server = TestServer::start(&db, &[]).await.unwrap();
        let client = reqwest::Client::builder().timeout(super::PATIENCE).build().unwrap();
        let query = json!({ "query": "{ server { version commit builtAt dirty database } }" });
        let request = client.post(server.url("/graphql")).bearer_auth(&token).json(&query);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let told = &answer["data"]["server"];
        let version = said(nyxcore_command(&db).unwrap().arg("--version"));
        let line = |name: &str| {
            let found = version.out.lines().find_map(|line| line.strip_prefix(name));
            found.map(|rest| rest.split(',').next().unwrap().trim().to_owned())
        };
        assert!(version.out.starts_with(&format!("nyxcore {}", told["version"].as_str().unwrap())), "{}", version.out);
        let commit = told["commit"].as_str().unwrap_or("unknown").to_owned();
        assert_eq!(line("commit:"), Some(commit), "{}", version.out);
        assert!(told["builtAt"].is_string() && line("built:").is_some(), "{answer}");
        assert!(told["dirty"].is_boolean() || told["commit"].is_null(), "{answer}");
        let repository = pushed(&db);
        let mut command = nyxcore_command(&db).unwrap();
        command.env("NYXCORE_TOKEN", &token);
        let url = server.url("");
        let path = repository.path().to_str().unwrap().to_owned();
        let checked = said(command.args(["deploy-check", "--server", &url, "--path", &path]));
        assert_eq!(checked.code(), "NOT_DEPLOYABLE", "{}", checked.err);
    }
}
