//! The real server with a private repository: while git runs, no secret is in a process list, a file, the log or the
//! database. A mirror is deleted with its source.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer};
use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command, on_both_databases};
use serde_json::{Value, json};

use crate::gateway_transport::client::PATIENCE;
use crate::secrets::leaks::{Needle, dump, leaks};
use crate::sync::world::repository;

/// A token that no other test uses, because process lists include all tests.
fn token(db: &TestDatabase) -> String {
    let folder = db.folder().file_name().unwrap().to_string_lossy();
    let digits: String = folder.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("ghp_{digits}")
}

struct Client {
    server: TestServer,
    token: String,
    http: reqwest::Client,
}

impl Client {
    async fn start(db: &TestDatabase) -> Self {
        let arguments = ["--allow-sources", "private", "--log", "trace"];
        let server = TestServer::start(db, &arguments).await.unwrap();
        let mut command = nyxcore_command(db).unwrap();
        let output = command
            .args(["tenant", "create", "acme", "--name", "Acme"])
            .args(["--owner", "owner@acme.example", "--print-token"])
            .output()
            .unwrap();
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        Self {
            server,
            token,
            http: reqwest::Client::builder()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
        }
    }

    async fn ask(&self, query: &str, input: Value) -> Value {
        let body = json!({"query": query, "variables": {"input": input}}).to_string();
        let request = self.http.post(self.server.url("/graphql"));
        let request = request
            .bearer_auth(&self.token)
            .header("content-type", "application/json");
        let answer = request
            .body(body)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    async fn source(&self, url: &str) -> Value {
        let project = self
            .ask("mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }", json!({"name": "Atlas"}))
            .await["createProject"]["project"]["id"]
            .clone();
        let added = self
            .ask(
                "mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id } } }",
                json!({"projectId": project, "url": url}),
            )
            .await;
        added["addSource"]["source"]["id"].clone()
    }

    async fn sync_start(&self, source: &Value) {
        self.ask(
            "mutation ($input: StartSyncInput!) { startSync(input: $input) { outcome } }",
            json!({"sourceId": source}),
        )
        .await;
    }
}

async fn until(mut what: impl FnMut() -> bool) {
    let wait = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// The command lines of all processes.
fn processes() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            Some((
                format!("process {}", entry.file_name().to_string_lossy()),
                line,
            ))
        })
        .collect()
}

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((
                path.display().to_string(),
                fs::read(&path).unwrap_or_default(),
            ));
        }
    }
}

on_both_databases! {
    async fn while_git_runs_no_secret_is_where_others_could_see_it(db: TestDatabase) {
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let token = token(&db);
        let options = GitHttpOptions {
            filter: true,
            credentials: Some(("ada".into(), token.clone())),
            endless: true,
            ..GitHttpOptions::default()
        };
        let remote = GitHttpServer::start(&db.folder().join("remotes"), options).await;
        let client = Client::start(&db).await;
        let source = client.source(&remote.url("atlas/.git")).await;
        client
            .ask(
                "mutation ($input: SetSourceCredentialInput!) { setSourceCredential(input: $input) { source { credential } } }",
                json!({"sourceId": source, "token": {"username": "ada", "token": token}}),
            )
            .await;
        let webhook = client
            .ask("mutation ($input: EnableSourceWebhookInput!) { enableSourceWebhook(input: $input) { secret } }", json!({"sourceId": source}))
            .await["enableSourceWebhook"]["secret"].as_str().unwrap().to_owned();
        client.sync_start(&source).await;
        // The fourth request is the fetch that never ends: git is running, with the credential.
        until(|| remote.requests().len() >= 4).await;
        let running = processes();
        let url = remote.url("atlas/.git").into_bytes();
        let fetching = running.iter().filter(|(_, line)| line.windows(url.len()).any(|part| part == url));
        assert!(fetching.count() >= 1, "git is not at work");
        let needles = [Needle::new("the token", &token), Needle::new("the webhook's secret", &webhook)];
        assert_eq!(leaks(&needles, &running), Vec::<String>::new());
        let mut places = Vec::new();
        files(&db.folder().join("data"), &mut places);
        assert!(places.iter().any(|(path, _)| path.contains("/mirrors/")));
        places.push(("the log".into(), client.server.log().into_bytes()));
        // The log has the most verbose level, and contains the sync.
        assert!(client.server.log().contains("TRACE") && client.server.log().contains("/graphql"));
        places.extend(dump(&db).await);
        assert_eq!(leaks(&needles, &places), Vec::<String>::new());
    }

    async fn a_removed_sources_mirror_is_soon_gone_from_the_disk(db: TestDatabase) {
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let options = GitHttpOptions { filter: true, ..GitHttpOptions::default() };
        let remote = GitHttpServer::start(&db.folder().join("remotes"), options).await;
        let client = Client::start(&db).await;
        let source = client.source(&remote.url("atlas/.git")).await;
        client.sync_start(&source).await;
        let mirrors = db.folder().join("data/mirrors");
        let heads = || {
            let entries = fs::read_dir(&mirrors).into_iter().flatten().flatten();
            entries.filter(|entry| entry.path().join("refs/nyxcore/head").exists()).count()
        };
        until(|| heads() == 1).await;
        client
            .ask("mutation ($input: RemoveSourceInput!) { removeSource(input: $input) { deletedId } }", json!({"sourceId": source}))
            .await;
        until(|| fs::read_dir(&mirrors).unwrap().count() == 0).await;
    }
}
