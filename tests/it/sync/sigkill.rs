//! A process is killed by SIGKILL in each phase of a sync. Another one finishes the run, and the result equals that of
//! an undisturbed run.
//!
//! The process is held in the phase by the database, which never finishes a certain insert, and in `prepare` by a git
//! server that does not answer. The program is not changed for this.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use nyxcore_code_analysis::{ProjectAnalyses, analysis_latest};
use nyxcore_knowledge::ProjectMemoryEntries;
use nyxcore_projects::SourceId;
use nyxcore_runs::{EventBody, RunEvent, RunId, RunStatus, Runs, event_list, run_follow};
use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer};
use nyxcore_tenancy::{ChildList, PageRequest, Repository};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::DbBackend;
use tokio::net::{TcpListener, TcpStream};

use super::process::Process;
use super::world::{Rows, SyncWorld, repository};
use crate::support::store;

/// The phases of a sync, in order.
const PHASES: [&str; 7] = [
    "prepare",
    "scan",
    "import",
    "finalize",
    "index",
    "code_analysis",
    "knowledge",
];

/// The places where a process is held: the phase, and the table of the blocked insert, with a condition on the row.
const HOLDS: [(&str, &str, Hold); 8] = [
    ("prepare", "", Hold::Server),
    // The trees are compared, and nothing is written yet.
    ("scan", "run_events", Hold::Event("phase_started", "import")),
    // One batch is stored, the next is not.
    ("import", "run_events", Hold::Event("progressed", "import")),
    (
        "import",
        "run_events",
        Hold::Event("phase_started", "finalize"),
    ),
    // The source is about to be moved to the commit.
    ("finalize", "source_files", Hold::Any),
    // It has been moved, and the search index is not updated yet.
    ("index", "search_documents", Hold::Any),
    ("code_analysis", "code_analyses", Hold::Any),
    ("knowledge", "memory_entries", Hold::Any),
];

#[derive(Clone, Copy)]
enum Hold {
    Server,
    Any,
    Event(&'static str, &'static str),
}

/// A proxy for the git server: while it is closed, connections wait for ever.
struct Door {
    url: String,
    open: Arc<AtomicBool>,
}

impl Door {
    async fn before(server: &GitHttpServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/atlas/.git", listener.local_addr().unwrap());
        let open = Arc::new(AtomicBool::new(true));
        let (is_open, behind) = (Arc::clone(&open), server.port());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let is_open = is_open.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    if !is_open {
                        return std::future::pending().await;
                    }
                    let mut server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
                });
            }
        });
        Self { url, open }
    }
}

/// The condition on an insert to be held.
fn condition(hold: Hold, backend: DbBackend) -> String {
    let Hold::Event(kind, phase) = hold else {
        return "1 = 1".to_owned();
    };
    let at = match (backend, kind) {
        (DbBackend::Postgres, "progressed") => "NEW.payload->'progress'->>'phase'",
        (DbBackend::Postgres, _) => "NEW.payload->>'phase'",
        (_, "progressed") => "json_extract(NEW.payload, '$.progress.phase')",
        (_, _) => "json_extract(NEW.payload, '$.phase')",
    };
    let name = match backend {
        DbBackend::Postgres => "NEW.payload->>'type'",
        _ => "json_extract(NEW.payload, '$.type')",
    };
    format!("{name} = '{kind}' AND {at} = '{phase}'")
}

/// Makes inserts into a table block for ever. On SQLite the inserting process is kept busy; on PostgreSQL it waits for
/// a lock.
async fn hold(world: &SyncWorld, table: &str, hold: Hold) {
    let condition = condition(hold, world.backend());
    if world.backend() == DbBackend::Postgres {
        world
            .execute(
                "CREATE OR REPLACE FUNCTION test_hold() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END'",
            )
            .await;
        let sql = format!(
            "CREATE TRIGGER test_hold BEFORE INSERT ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION test_hold()"
        );
        world.execute(&sql).await;
    } else {
        world
            .execute(
                "CREATE VIEW IF NOT EXISTS test_hold AS
                 WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter) SELECT max(n) AS n FROM counter",
            )
            .await;
        let sql = format!(
            "CREATE TRIGGER test_hold_insert BEFORE INSERT ON {table} WHEN {condition} BEGIN SELECT n FROM test_hold; END"
        );
        world.execute(&sql).await;
    }
}

async fn hold_end(world: &SyncWorld, table: &str) {
    if world.backend() == DbBackend::Postgres {
        world
            .execute(&format!("DROP TRIGGER test_hold ON {table}"))
            .await;
    } else {
        world.execute("DROP TRIGGER test_hold_insert").await;
    }
}

/// All results of a sync, except for ids and times.
#[derive(Debug, PartialEq)]
struct RemainingState {
    rows: Rows,
    counts: Vec<i64>,
    phases_done: Vec<String>,
    letters: Vec<(String, String, Option<String>)>,
    analyses: u64,
    analysed: Vec<i64>,
}

async fn left(world: &SyncWorld, source: SourceId, run: RunId) -> RemainingState {
    let detail = world.sync(run).await.detail;
    let scoped = world.read().await;
    let entries = ProjectMemoryEntries
        .page(&scoped, world.project, &PageRequest::first(50))
        .await;
    let mut letters: Vec<_> = entries
        .unwrap()
        .into_items()
        .into_iter()
        .map(|entry| {
            let name = entry
                .source_ref
                .map(|name| name.replace(&source.to_string(), ""));
            (entry.title, entry.content, name)
        })
        .collect();
    letters.sort();
    let analysis = analysis_latest(&scoped, world.project)
        .await
        .unwrap()
        .unwrap();
    RemainingState {
        rows: world.rows(source).await,
        counts: vec![
            detail.files_added,
            detail.files_updated,
            detail.files_deleted,
            detail.files_renamed,
            detail.files_unchanged,
            detail.files_skipped,
        ],
        phases_done: detail.phases_done,
        letters,
        analyses: ProjectAnalyses.count(&scoped, world.project).await.unwrap(),
        analysed: vec![
            analysis.files_analyzed,
            analysis.files_reused,
            analysis.files_skipped,
            analysis.lines_of_code,
            analysis.patterns_found,
        ],
    }
}

/// Follows the sync and the analysis that it started to their ends.
async fn followed_to_the_end(world: &SyncWorld, run: RunId) -> Vec<RunEvent> {
    let follow = |run| run_follow(&world.store, world.tenant.id, run, 0).map(Result::unwrap);
    let events: Vec<RunEvent> = follow(run).collect().await;
    let scoped = world.read().await;
    let analysis = analysis_latest(&scoped, world.project)
        .await
        .unwrap()
        .unwrap();
    drop(scoped);
    let _: Vec<RunEvent> = follow(analysis.run_id).collect().await;
    let scoped = world.read().await;
    for run in [run, analysis.run_id] {
        let run = Runs::require(&scoped, run).await.unwrap();
        assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    }
    events
}

async fn began(world: &SyncWorld, run: RunId, phase: &str) {
    let mut events = Box::pin(run_follow(&world.store, world.tenant.id, run, 0));
    while let Some(event) = events.next().await {
        if matches!(event.unwrap().body, EventBody::PhaseStarted { phase: begun } if begun == phase)
        {
            return;
        }
    }
    panic!("the run ended before it came to {phase}");
}

/// Checks that event numbers have no gaps or duplicates, and that phases begin in order, in each attempt.
fn is_whole(events: &[RunEvent]) {
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as i64).collect::<Vec<_>>());
    let place = |phase: &str| PHASES.iter().position(|known| *known == phase).unwrap();
    let mut seen = Vec::new();
    for event in events {
        match &event.body {
            EventBody::PhaseStarted { phase } if !seen.contains(&place(phase)) => {
                seen.push(place(phase))
            }
            EventBody::PhaseSkipped { phase, .. } => panic!("{phase} was left out"),
            _ => {}
        }
    }
    assert_eq!(seen, (0..PHASES.len()).collect::<Vec<_>>());
    let ends = events
        .iter()
        .filter(|event| matches!(event.body, EventBody::Finished { .. }));
    assert_eq!(ends.count(), 1);
}

on_both_databases! {
    async fn a_run_of_a_killed_process_is_finished_by_another(db: TestDatabase) {
        let store = store(&db).await;
        let mut repository = repository(&db, "atlas");
        for n in 0..230 {
            repository.write(&format!("src/file_{n:03}.rs"), format!("pub fn function_{n}() -> u32 {{ {n} }}\n"));
        }
        repository
            .write(".memory/letter_1.md", "# Leases\n\n## Done\n- renewed\n")
            .write("docs/.memory/letter_2.md", "## Pain Log\n- none\n")
            .write("picture.png", b"\0");
        repository.commit("one");
        let server = GitHttpServer::start(&db.folder().join("remotes"), GitHttpOptions { filter: true, ..GitHttpOptions::default() }).await;
        let door = Door::before(&server).await;

        let undisturbed = SyncWorld::new(&db, &store, "undisturbed").await;
        let source = undisturbed.source_at(&door.url, None, "").await;
        let run = undisturbed.start(source).await;
        let process = Process::start(&db, "private");
        is_whole(&followed_to_the_end(&undisturbed, run).await);
        drop(process);
        let expected = left(&undisturbed, source, run).await;
        assert_eq!((expected.counts[0], expected.letters.len(), expected.analyses), (233, 2, 1));

        for (number, (phase, table, what)) in HOLDS.into_iter().enumerate() {
            let world = SyncWorld::new(&db, &store, &format!("tenant-{number}")).await;
            let source = world.source_at(&door.url, None, "").await;
            let lock = match what {
                Hold::Server => {
                    door.open.store(false, Ordering::SeqCst);
                    None
                }
                _ => {
                    let lock = world.lock(4711).await;
                    hold(&world, table, what).await;
                    Some(lock)
                }
            };
            let run = world.start(source).await;
            let process = Process::start(&db, "private");
            began(&world, run, phase).await;
            drop(process);
            if let Some(lock) = lock {
                lock.rollback().await.unwrap();
                hold_end(&world, table).await;
            }
            door.open.store(true, Ordering::SeqCst);
            let cut = world.sync(run).await;
            let scoped = world.read().await;
            let last = event_list(&scoped, run, 0, 500).await.unwrap();
            drop(scoped);
            let begun = last.iter().rev().find_map(|event| match &event.body {
                EventBody::PhaseStarted { phase } => Some(phase.as_str()),
                _ => None,
            });
            assert_eq!((cut.run.status, begun), (RunStatus::Running, Some(phase)));

            world.execute("UPDATE runs SET lease_expires_at = created_at WHERE status = 'RUNNING'").await;
            let process = Process::start(&db, "private");
            let events = followed_to_the_end(&world, run).await;
            drop(process);
            is_whole(&events);
            assert_eq!(world.sync(run).await.run.attempt, 2, "{phase} {table}");
            assert_eq!(left(&world, source, run).await, expected, "{phase} {table}");
        }
    }
}
