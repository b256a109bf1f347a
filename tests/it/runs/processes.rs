//! The real program, several processes on one PostgreSQL: runs are shared, handed back, taken over, and executed once.

use std::future::ready;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nyxcore_note_enrichment::{NewEnrichment, enrichment_start};
use nyxcore_projects::{NewProject, project_create};
use nyxcore_runs::{AttemptOutcome, RunId, RunStatus, run_attempts};
use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer};
use nyxcore_tenancy::Role;
use nyxcore_tenancy::directory::{NewApiToken, api_token_create};
use nyxcore_tests::{Proxy, TestDatabase, TestServer, nyxcore_command_in, run_on_postgres};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::json;

use super::{followed, status};
use crate::end_to_end::api::{Api, seqs};
use crate::note_enrichment::world::note;
use crate::support::{store, tenant};
use crate::sync::world::{SyncWorld, repository};

/// How long a test waits for an expected event.
const PATIENCE: Duration = Duration::from_secs(100);

/// A `nyxcore worker` with its own files, like a separate machine. It is killed on drop.
struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// With `port` it connects to the database through a proxy.
    fn start(db: &TestDatabase, name: &str, workers: usize, port: Option<u16>) -> Self {
        let log = db.folder().join(format!("{name}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let mut command = nyxcore_command_in(db, &db.folder().join(name)).unwrap();
        if let Some(port) = port {
            let mut url = url::Url::parse(db.app_url()).unwrap();
            url.set_host(Some("127.0.0.1")).unwrap();
            url.set_port(Some(port)).unwrap();
            command.env("NYXCORE_DATABASE_URL", url.as_str());
        }
        let workers = workers.to_string();
        command.args([
            "worker",
            "--allow-sources",
            "private",
            "--workers",
            &workers,
        ]);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stops the worker by a signal, and waits for its orderly end.
    async fn end(&mut self) {
        #[expect(
            clippy::disallowed_methods,
            reason = "a signal from outside, as a supervisor sends it"
        )]
        let sent = Command::new("kill")
            .args(["-s", "TERM", &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let child = &mut self.child;
        let gone = || ready(child.try_wait().unwrap().is_some());
        wait_until("it ends", gone).await;
        let ended = self.child.wait();
        assert!(ended.unwrap().success(), "{}", self.log());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already, which is fine.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Polls until the condition is true. Another process changes the state, so there is nothing to await.
pub(super) async fn wait_until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "still waiting until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn number(raw: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = raw.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// A source with one file behind a network that can be interrupted, and the server, which the caller must keep.
pub(super) async fn remote(db: &TestDatabase) -> (GitHttpServer, Proxy, String) {
    let mut repository = repository(db, "atlas");
    repository
        .write("a.rs", "fn a() {}\n")
        .write("b.md", "words\n");
    repository.commit("one");
    let root = db.folder().join("remotes");
    let server = GitHttpServer::start(&root, GitHttpOptions::default()).await;
    let proxy = Proxy::start(server.port()).await.unwrap();
    let url = format!("http://127.0.0.1:{}/atlas/.git", proxy.port());
    (server, proxy, url)
}

/// The traces of a tenant's runs: the number of rows by table, and digests of the tables' contents.
async fn left(raw: &DatabaseConnection, run: RunId) -> Vec<String> {
    let mut left = Vec::new();
    for (table, key) in [
        ("runs", "id"),
        ("run_events", "run_id"),
        ("run_attempts", "run_id"),
        ("syncs", "run_id"),
    ] {
        let sql = format!(
            "SELECT coalesce(string_agg(t::text, '; ' ORDER BY t::text), '') FROM {table} t WHERE {key} = '{}'",
            run.0
        );
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = raw.query_one_raw(statement).await.unwrap().unwrap();
        left.push(row.try_get_by_index(0).unwrap());
    }
    left
}

#[test]
fn two_workers_execute_each_of_a_thousand_runs_once() {
    run_on_postgres(|db: TestDatabase| async move {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewProject {
            name: "Shop".into(),
            ..NewProject::default()
        };
        let project = project_create(&scoped, new).await.unwrap().id;
        let mut watched = None;
        for n in 0..1_000 {
            let note = note(
                &scoped,
                project,
                &format!("Note {n}"),
                "How are orders added up?",
            )
            .await;
            let new = NewEnrichment {
                started_by: Some(ada.id),
                ..NewEnrichment::extractive(note.id)
            };
            let (start, _) = enrichment_start(&scoped, new).await.unwrap();
            watched = Some(start.run().id);
        }
        let new = NewApiToken {
            user: ada.id,
            name: "test".into(),
            role: Role::Member,
            expires_at: None,
        };
        let (_, token) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        let watched = watched.unwrap().to_string();

        // Neither server executes runs: their events come from the workers.
        let one = TestServer::start(&db, &["--workers", "0"]).await.unwrap();
        let two = TestServer::start(&db, &["--workers", "0"]).await.unwrap();
        let (one, two) = (Api::new(&one, &token), Api::new(&two, &token));
        let by_one = one.events_by_websocket(&watched, 0, usize::MAX);
        let by_two = two.events_by_sse(&watched, 0, usize::MAX);
        let working = async {
            let workers =
                [("one", 3), ("two", 3)].map(|(name, n)| Worker::start(&db, name, n, None));
            let raw = db.superuser_connection().await.unwrap();
            let left = "SELECT count(*) FROM runs WHERE status IN ('QUEUED', 'RUNNING')";
            wait_until("all is done", || async { number(&raw, left).await == 0 }).await;
            workers
        };
        let (by_one, by_two, workers) = tokio::join!(by_one, by_two, working);
        assert_eq!(by_one, by_two);
        assert_eq!(seqs(&by_one), (1..=by_one.len() as i64).collect::<Vec<_>>());
        assert_eq!(
            by_one.last().unwrap()["run"]["status"],
            "SUCCEEDED",
            "{by_one:#?}"
        );

        let raw = db.superuser_connection().await.unwrap();
        for (sql, expected) in [
            ("SELECT count(*) FROM runs WHERE status = 'SUCCEEDED' AND attempt = 1 AND handed_back = 0", 1_000),
            ("SELECT count(*) FROM run_attempts WHERE outcome = 'SUCCEEDED'", 1_000),
            ("SELECT count(*) FROM run_events WHERE payload ->> 'type' = 'finished'", 1_000),
            ("SELECT count(*) FROM run_events WHERE payload ->> 'phase' = 'check'", 1_000),
            ("SELECT count(*) FROM note_enrichments WHERE markdown IS NOT NULL", 1_000),
            // No gaps and no duplicates.
            ("SELECT count(*) FROM runs r WHERE event_count <> (SELECT count(*) FROM run_events e WHERE e.run_id = r.id)
                OR event_count <> (SELECT max(seq) FROM run_events e WHERE e.run_id = r.id)", 0),
            ("SELECT count(DISTINCT worker_name) FROM run_attempts", 2),
        ] {
            assert_eq!(number(&raw, sql).await, expected, "{sql}");
        }
        // Each worker had a share; its size depends on the machine.
        let least = "SELECT min(n) FROM (SELECT count(*) AS n FROM run_attempts GROUP BY worker_name) AS shares";
        assert!(number(&raw, least).await >= 100);
        let query = "query($id: ID!) { run(id: $id) { attempts { number worker outcome error { code } phases { name durationMs endedAt skipped } } } }";
        let run = one.ask(query, json!({"id": watched})).await["run"].clone();
        let attempt = &run["attempts"][0];
        let pids = workers
            .each_ref()
            .map(|worker| format!(":{}", worker.child.id()));
        assert!(
            pids.iter()
                .any(|pid| attempt["worker"].as_str().unwrap().ends_with(pid.as_str())),
            "{run:#}"
        );
        assert_eq!(
            (&attempt["outcome"], &attempt["error"]),
            (&json!("SUCCEEDED"), &json!(null))
        );
        let phases: Vec<&str> = attempt["phases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|phase| phase["name"].as_str().unwrap())
            .collect();
        assert_eq!(phases, ["retrieve", "assemble", "write", "check"]);
        assert!(
            attempt["phases"][0]["durationMs"].is_i64()
                && attempt["phases"][3]["endedAt"].is_string(),
            "{run:#}"
        );
    });
}

#[test]
fn a_terminated_worker_hands_its_run_back() {
    run_on_postgres(|db: TestDatabase| async move {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let (_server, network, url) = remote(&db).await;
        let source = world.source_at(&url, None, "").await;
        let run = world.start(source).await;
        network.hold();
        let mut leaving = Worker::start(&db, "leaving", 1, None);
        wait_until("git asks the remote", || ready(network.connections() > 0)).await;
        leaving.end().await;
        assert_eq!(
            status(&world.store, world.tenant.id, run).await,
            RunStatus::Queued
        );

        network.release();
        let mut staying = Worker::start(&db, "staying", 1, None);
        followed(&world.store, world.tenant.id, run, 0).await;
        staying.end().await;
        assert_eq!(world.sync(run).await.run.status, RunStatus::Succeeded);
        assert_eq!(world.paths(source).await, ["a.rs", "b.md"]);
        let scoped = world.read().await;
        let story = run_attempts(&scoped, &[run])
            .await
            .unwrap()
            .remove(&run)
            .unwrap();
        let outcomes: Vec<_> = story.iter().map(|attempt| attempt.outcome).collect();
        assert_eq!(
            outcomes,
            [
                Some(AttemptOutcome::HandedBack),
                Some(AttemptOutcome::Succeeded)
            ]
        );
        let raw = db.superuser_connection().await.unwrap();
        assert_eq!(
            number(
                &raw,
                "SELECT attempt - handed_back FROM runs WHERE kind = 'SYNC'"
            )
            .await,
            1
        );
    });
}

#[test]
fn a_disconnected_worker_loses_its_run() {
    run_on_postgres(|db: TestDatabase| async move {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let (_server, remote, url) = remote(&db).await;
        let source = world.source_at(&url, None, "").await;
        let run = world.start(source).await;
        let database = url::Url::parse(db.app_url())
            .unwrap()
            .port()
            .unwrap_or(5432);
        let database = Proxy::start(database).await.unwrap();

        // Disconnected during a fetch.
        remote.hold();
        let cut_off = Worker::start(&db, "cut-off", 1, Some(database.port()));
        wait_until("git asks the remote", || ready(remote.connections() > 0)).await;
        database.hold();
        let raw = db.superuser_connection().await.unwrap();
        let aged = world.store.env().now() - TimeDelta::minutes(1);
        let age = "UPDATE runs SET lease_expires_at = $1";
        let age = Statement::from_sql_and_values(DbBackend::Postgres, age, [aged.into()]);
        raw.execute_raw(age).await.unwrap();

        remote.hold_only_old();
        let mut other = Worker::start(&db, "other", 1, None);
        followed(&world.store, world.tenant.id, run, 0).await;
        let done = world.sync(run).await;
        assert_eq!(
            (done.run.status, done.run.attempt),
            (RunStatus::Succeeded, 2),
            "{}",
            other.log()
        );
        let (rows, traces) = (world.rows(source).await, left(&raw, run).await);
        other.end().await;

        // Reconnected: its fetch continues, and so does the run that it still considers its own.
        remote.release();
        database.release();
        // It has one slot: claiming another run shows that it has given up the first.
        let next = world.start(source).await;
        followed(&world.store, world.tenant.id, next, 0).await;
        let scoped = world.read().await;
        let stories = run_attempts(&scoped, &[run, next]).await.unwrap();
        let names = |run: &RunId| -> Vec<(&str, Option<AttemptOutcome>)> {
            stories[run]
                .iter()
                .map(|one| (one.worker.as_str(), one.outcome))
                .collect()
        };
        assert_eq!(
            names(&run)[0],
            (names(&next)[0].0, Some(AttemptOutcome::Lost))
        );
        assert_eq!(names(&run)[1].1, Some(AttemptOutcome::Succeeded));
        assert_ne!(names(&run)[0].0, names(&run)[1].0);
        // Its write was tried, and refused.
        assert!(
            cut_off.log().contains("a run was lost"),
            "{}",
            cut_off.log()
        );
        assert_eq!(left(&raw, run).await, traces, "{}", cut_off.log());
        assert_eq!(world.rows(source).await, rows);
    });
}
