//! A tenant with a project, repositories to sync, and access to the rows of a sync.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use nyxcore_projects::{
    NewSource, ProjectId, SourceChanges, SourceFile, SourceId, file_all, source_add, source_update,
};
use nyxcore_retrieval::{SearchRequest, search};
use nyxcore_runs::{
    EventBody, RunEvent, RunFailure, RunHandler, RunId, RunStatus, Workers, run_cancel, run_follow,
};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::git::testing::TestRepository;
use nyxcore_sync::{
    StepContext, StepDone, Sync, SyncHandler, SyncOptions, SyncStep, SyncStepKind, SyncTrigger,
    sync_get, sync_start,
};
use nyxcore_tenancy::Store;
use nyxcore_tests::TestDatabase;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement,
    TransactionTrait, Value,
};

use crate::support::{self, has_world};

/// A tenant, its project, and its sync options.
pub struct SyncWorld {
    world: support::World,
    pub project: ProjectId,
    pub options: SyncOptions,
    /// The step after a sync with changes.
    pub step: RecordingStep,
    raw: DatabaseConnection,
}

has_world!(SyncWorld);

/// A step that only records its calls with their paths, and may be told to fail.
#[derive(Debug, Clone, Default)]
pub struct RecordingStep(Arc<Mutex<TellState>>);

#[derive(Debug, Default)]
struct TellState {
    calls: Vec<Option<Vec<String>>>,
    fail: Option<RunFailure>,
    hang: bool,
}

impl RecordingStep {
    /// The paths of each call since the last call of this function; `None` if all paths are meant.
    pub fn take(&self) -> Vec<Option<Vec<String>>> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// From now on every call ends with this result.
    pub fn fail(&self, with: Option<RunFailure>) {
        self.0.lock().unwrap().fail = with;
    }
}

impl RecordingStep {
    /// From now on every call waits until it is stopped.
    pub fn hang(&self, hang: bool) {
        self.0.lock().unwrap().hang = hang;
    }
}

impl SyncStep for RecordingStep {
    fn kind(&self) -> SyncStepKind {
        SyncStepKind::Knowledge
    }

    fn run<'a>(&'a self, step: StepContext<'a>) -> BoxFuture<'a, Result<StepDone, RunFailure>> {
        async move {
            let paths = step.changed.map(|paths| paths.iter().cloned().collect());
            let (fail, hang) = {
                let mut state = self.0.lock().unwrap();
                state.calls.push(paths);
                (state.fail.clone(), state.hang)
            };
            if hang {
                step.run.cancelled().cancelled().await;
                step.run.check()?;
            }
            match fail {
                Some(failure) => Err(failure),
                None => Ok(StepDone {
                    scoped: step.run.write().await?,
                    told: Some("told".to_owned()),
                }),
            }
        }
        .boxed()
    }
}

/// The rows after a sync, without ids: two sources with the same files are equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub head_commit: Option<String>,
    /// Path, blob, language, size and commits.
    pub files: Vec<(String, String, Option<String>, i64, i64)>,
    /// Path, chunk, body, first line and stack.
    pub documents: Vec<(String, i64, String, i64, Option<String>)>,
    /// The id, size and text of all the tenant's contents.
    pub blobs: Vec<(String, i64, Option<String>)>,
}

impl Rows {
    pub fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = self
            .blobs
            .iter()
            .filter_map(|(_, _, text)| text.as_deref())
            .collect();
        texts.sort_unstable();
        texts
    }
}

fn language_of(path: &str) -> Option<&'static str> {
    path.ends_with(".rs").then_some("rust")
}

/// A repository outside the data directory.
pub fn repository(db: &TestDatabase, name: &str) -> TestRepository {
    TestRepository::create(db.folder().join("remotes").join(name))
}

impl SyncWorld {
    pub async fn new(db: &TestDatabase, store: &Store, slug: &str) -> Self {
        let world = support::World::new(store.clone(), slug).await;
        let project = world.project("Atlas").await;
        let policy = SourcePolicy {
            allow_local: true,
            ..SourcePolicy::default()
        };
        let data_dir: PathBuf = db.folder().join("data");
        Self {
            world,
            project,
            options: SyncOptions::new(&data_dir, policy, language_of),
            step: RecordingStep::default(),
            raw: db.superuser_connection().await.unwrap(),
        }
    }

    pub async fn source(
        &self,
        repository: &TestRepository,
        branch: Option<&str>,
        scan_path: &str,
    ) -> SourceId {
        self.source_at(repository.path().to_str().unwrap(), branch, scan_path)
            .await
    }

    pub async fn source_at(&self, url: &str, branch: Option<&str>, scan_path: &str) -> SourceId {
        let scoped = self.write().await;
        let source = NewSource {
            project_id: self.project,
            url: url.into(),
            branch: branch.map(Into::into),
            scan_path: scan_path.into(),
        };
        let source = source_add(&scoped, source).await.unwrap();
        scoped.commit().await.unwrap();
        source.id
    }

    pub async fn source_change(&self, source: SourceId, changes: SourceChanges) {
        let scoped = self.write().await;
        source_update(&scoped, source, changes).await.unwrap();
        scoped.commit().await.unwrap();
    }

    /// Queues a sync.
    pub async fn start(&self, source: SourceId) -> RunId {
        let scoped = self.write().await;
        let (start, _) = sync_start(&scoped, source, SyncTrigger::Manual, None)
            .await
            .unwrap();
        assert!(start.is_started());
        scoped.commit().await.unwrap();
        start.run().id
    }

    /// Runs a worker with that handler until the run ends or reports a retry.
    pub async fn work(&self, run: RunId, handler: impl RunHandler) -> Sync {
        let before = self.sync(run).await.run.event_count;
        let workers = Workers::builder(&self.store)
            .handler(handler)
            .start()
            .unwrap();
        let mut events = Box::pin(run_follow(&self.store, self.tenant.id, run, before));
        while let Some(event) = events.next().await {
            if matches!(event.unwrap().body, EventBody::Message { text, .. } if text.contains("trying again"))
            {
                break;
            }
        }
        workers.shutdown().await;
        self.sync(run).await
    }

    /// As [`SyncWorld::work`], but cancels the run as soon as that phase has begun.
    pub async fn cancelled_in(&self, run: RunId, phase: &str, handler: impl RunHandler) -> Sync {
        let workers = Workers::builder(&self.store)
            .handler(handler)
            .start()
            .unwrap();
        let mut events = Box::pin(run_follow(&self.store, self.tenant.id, run, 0));
        while let Some(event) = events.next().await {
            if matches!(event.unwrap().body, EventBody::PhaseStarted { phase: begun } if begun == phase)
            {
                let scoped = self.write().await;
                run_cancel(&scoped, run).await.unwrap();
                scoped.commit().await.unwrap();
            }
        }
        workers.shutdown().await;
        self.sync(run).await
    }

    /// A handler with a step that records its calls.
    pub fn handler(&self) -> SyncHandler {
        SyncHandler::new(self.options.clone()).step(self.step.clone())
    }

    /// Starts a sync and executes it.
    pub async fn synced(&self, source: SourceId) -> Sync {
        let run = self.start(source).await;
        self.work(run, self.handler()).await
    }

    /// As [`SyncWorld::synced`], for one that must succeed.
    pub async fn succeeded(&self, source: SourceId) -> Sync {
        let sync = self.synced(source).await;
        assert_eq!(sync.run.status, RunStatus::Succeeded, "{:?}", sync.run);
        sync
    }

    /// The skipped phases of a sync.
    pub async fn skipped(&self, sync: &Sync) -> Vec<String> {
        let events = self.events(sync).await;
        let skipped = events.into_iter().filter_map(|event| match event.body {
            EventBody::PhaseSkipped { phase, .. } if phase != "knowledge" => Some(phase),
            _ => None,
        });
        skipped.collect()
    }

    /// The messages for the user.
    pub async fn messages(&self, sync: &Sync) -> Vec<String> {
        let events = self.events(sync).await;
        let told = events.into_iter().filter_map(|event| match event.body {
            EventBody::Message { text, .. } => Some(text),
            _ => None,
        });
        told.collect()
    }

    pub async fn sync(&self, run: RunId) -> Sync {
        let scoped = self.read().await;
        sync_get(&scoped, run).await.unwrap().unwrap()
    }

    pub async fn events(&self, sync: &Sync) -> Vec<RunEvent> {
        run_follow(&self.store, self.tenant.id, sync.run.id, 0)
            .map(Result::unwrap)
            .collect()
            .await
    }

    pub async fn phases(&self, sync: &Sync) -> Vec<String> {
        let events = self.events(sync).await;
        let started = events.into_iter().filter_map(|event| match event.body {
            EventBody::PhaseStarted { phase } if phase != "knowledge" => Some(phase),
            _ => None,
        });
        started.collect()
    }

    pub async fn has_progress(&self, sync: &Sync, phase: &str) -> bool {
        let events = self.events(sync).await;
        events.iter().any(|event| matches!(&event.body, EventBody::Progressed { progress } if progress.phase == phase))
    }

    pub async fn files(&self, source: SourceId) -> Vec<SourceFile> {
        let scoped = self.read().await;
        file_all(&scoped, source).await.unwrap()
    }

    pub async fn paths(&self, source: SourceId) -> Vec<String> {
        self.files(source)
            .await
            .into_iter()
            .map(|file| file.path)
            .collect()
    }

    /// The files that a search for the words finds.
    pub async fn searched(&self, words: &str) -> Vec<String> {
        let scoped = self.read().await;
        let hits = search(&scoped, &SearchRequest::new(words)).await.unwrap();
        hits.into_iter().filter_map(|hit| hit.path).collect()
    }

    /// The stored rows.
    pub async fn rows(&self, source: SourceId) -> Rows {
        let (tenant, id) = (Value::from(self.tenant.id.0), Value::from(source.0));
        let head = "SELECT head_commit AS a FROM sources WHERE tenant_id = $1 AND id = $2";
        let heads = self.query(head, [tenant.clone(), id.clone()]).await;
        let files =
            "SELECT path AS a, blob AS b, language AS c, size AS d, commits AS e FROM source_files
                     WHERE tenant_id = $1 AND source_id = $2";
        let files = self.query(files, [tenant.clone(), id]).await;
        let documents = "SELECT path AS a, chunk AS b, body AS c, start_line AS d, stack AS e FROM search_documents
                         WHERE tenant_id = $1 AND subject LIKE $2";
        let documents = self
            .query(documents, [tenant.clone(), format!("{source}:%").into()])
            .await;
        let blobs = self
            .query(
                "SELECT oid AS a, size AS b, content AS c FROM blobs WHERE tenant_id = $1",
                [tenant],
            )
            .await;
        let mut rows = Rows {
            head_commit: heads[0].try_get("", "a").unwrap(),
            files: files
                .iter()
                .map(|row| {
                    let text = |name| row.try_get("", name).unwrap();
                    (
                        text("a"),
                        text("b"),
                        row.try_get("", "c").unwrap(),
                        row.try_get("", "d").unwrap(),
                        row.try_get("", "e").unwrap(),
                    )
                })
                .collect(),
            documents: documents
                .iter()
                .map(|row| {
                    let text = |name| row.try_get("", name).unwrap();
                    (
                        text("a"),
                        row.try_get("", "b").unwrap(),
                        text("c"),
                        row.try_get("", "d").unwrap(),
                        row.try_get("", "e").unwrap(),
                    )
                })
                .collect(),
            blobs: blobs
                .iter()
                .map(|row| {
                    (
                        row.try_get("", "a").unwrap(),
                        row.try_get("", "b").unwrap(),
                        row.try_get("", "c").unwrap(),
                    )
                })
                .collect(),
        };
        rows.files.sort();
        rows.documents.sort();
        rows.blobs.sort();
        rows
    }

    /// The kind of the database.
    pub fn backend(&self) -> DbBackend {
        self.raw.get_database_backend()
    }

    /// Executes a statement directly on the database.
    pub async fn execute(&self, sql: &str) {
        self.raw.execute_unprepared(sql).await.unwrap();
    }

    /// Holds a lock until the returned transaction ends; on SQLite there is none.
    pub async fn lock(&self, number: i64) -> DatabaseTransaction {
        let transaction = self.raw.begin().await.unwrap();
        if self.backend() == DbBackend::Postgres {
            let sql = format!("SELECT pg_advisory_xact_lock({number})");
            transaction.execute_unprepared(&sql).await.unwrap();
        }
        transaction
    }

    async fn query(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Vec<sea_orm::QueryResult> {
        let statement =
            Statement::from_sql_and_values(self.raw.get_database_backend(), sql, values);
        self.raw.query_all_raw(statement).await.unwrap()
    }
}
