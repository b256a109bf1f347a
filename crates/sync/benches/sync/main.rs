//! Compares the cost of a sync with that of git itself, on one repository served by `git http-backend` on loopback. The
//! first sync is compared with a partial clone and the reading of its files, a sync without changes with `git fetch`,
//! and a sync of one changed file with the fetch of it. Run `just bench-sync`, or `just bench-sync <repository>` for a
//! local repository.
//!
//! Every figure is a median within one process. Git and the sync are measured in turn, so that a drift of the machine's
//! speed affects both. Quote the ratios. The sync is the one of a server, without analysis: a run is queued, claimed,
//! reported event by event, and ended. The first sync has two times: until its files are stored, which git does as
//! well, and until a search finds them, which has no counterpart in git.

mod repository;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt;
use nyxcore_projects::{NewProject, NewSource, SourceId, Sources, project_create, source_add};
use nyxcore_runs::{EventBody, RunStatus, Workers, run_follow};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer};
use nyxcore_sync::{Sync, SyncHandler, SyncOptions, SyncTrigger, sync_get, sync_start};
use nyxcore_tenancy::{Env, Registry, Repository, Store, StoreOptions, TenantId, directory};
use nyxcore_tests::TestDatabase;

use repository::{Checked, Remote, git};

type Outcome<T> = Result<T, Box<dyn Error + Send + std::marker::Sync>>;

async fn store_open(url: &str) -> Outcome<Store> {
    let registry = Registry::new([
        nyxcore_runs::registration(),
        nyxcore_projects::registration(),
        nyxcore_sync::registration(),
    ])?;
    let options = StoreOptions::new(url).with_registry(registry);
    Ok(Store::connect(&options, Env::default()).await?)
}

/// How often the first sync and the others are measured: odd numbers, so that the median is one of the measurements.
const FIRSTS: usize = 5;
const OTHERS: usize = 11;
/// The limit of a first sync, as a multiple of the time of the clone and the reading of its files.
const FIRST_MOST: f64 = 1.5;
/// The limit of a sync without changes, as a multiple of the time of a fetch without changes.
const UNCHANGED_MOST: f64 = 1.3;
/// The limit of the additional time of a sync of one changed file.
const ONE_FILE_MORE: Duration = Duration::from_millis(50);
/// The most memory that a worker may use, in MiB.
const MEMORY_MOST: u64 = 300;
/// The largest file that is read, in bytes: the default limit of syncs.
const BLOB_BYTES_MAX: u64 = 1 << 20;
/// Set in the environment of the worker process whose memory is measured.
const WORKER: &str = "NYXCORE_BENCH_WORKER";

#[tokio::main]
async fn main() -> Outcome<()> {
    if let Ok(url) = std::env::var(WORKER) {
        return worker(&url).await;
    }
    let given = std::env::args().skip(1).find(|one| !one.starts_with('-'));
    let root = tempfile::tempdir()?;
    let remote = match given {
        Some(path) => Remote::copy(root.path(), Path::new(&path))?,
        None => Remote::generate(root.path())?,
    };
    let options = GitHttpOptions {
        filter: true,
        ..GitHttpOptions::default()
    };
    let server = GitHttpServer::start(root.path(), options).await;
    let (files, commits) = remote.size()?;
    println!("{files} files, {commits} commits\n");
    println!("| database | what | git | sync | ratio | limit |\n|---|---|---|---|---|---|");
    let mut held = true;
    let mut number = 0;
    for database in [
        TestDatabase::sqlite().await?,
        TestDatabase::postgres().await?,
    ] {
        let bench = Bench {
            store: store_open(database.app_url()).await?,
            url: server.url("atlas.git"),
            name: format!("{:?}", database.backend()),
            folder: database.folder().to_owned(),
        };
        held &= bench.measure(&remote, &mut number).await?;
        held &= bench.memory(database.app_url()).await?;
    }
    if held {
        Ok(())
    } else {
        Err("a limit was not held".into())
    }
}

struct Bench {
    store: Store,
    url: String,
    name: String,
    folder: PathBuf,
}

/// The time of each phase of a sync.
type Phases = Vec<(String, Duration)>;

impl Bench {
    async fn measure(&self, remote: &Remote, number: &mut usize) -> Outcome<bool> {
        let handler = SyncHandler::new(sync_options(&self.folder));
        let workers = Workers::builder(&self.store).handler(handler).start()?;
        let (mut clones, mut firsts, mut phases) = (Vec::new(), Vec::new(), Vec::new());
        let mut moved = Vec::new();
        let mut last = None;
        for round in 0..FIRSTS {
            let clone = self.folder.join(format!("clone-{round}"));
            clones.push(clone_and_read(&self.url, &clone)?);
            let tenant = format!("t{round}");
            let (tenant, source) = self.source(&tenant).await?;
            let files_there = tokio::spawn(files_await(self.store.clone(), tenant, source));
            let (took, sync, split) = self.synced(tenant, source).await?;
            moved.push(files_there.await??);
            firsts.push(took);
            phases.push(split);
            if sync.detail.files_added == 0 {
                return Err("the first sync brought nothing".into());
            }
            last = Some((clone, tenant, source, sync.detail.files_added));
        }
        let (clone, tenant, source, files) = last.ok_or("no round")?;
        let mut held = self.line("first, its files", &clones, &moved, |git| {
            Some(git.mul_f64(FIRST_MOST))
        });
        self.line("first, with its index", &clones, &firsts, |_| None);
        println!("    {}", phases_text(&median_of(&firsts, &phases)));

        let fetch = || {
            timed(|| {
                git(&clone, &["fetch", "--quiet"])
                    .output_checked(&[])
                    .map(drop)
            })
        };
        let (mut fetches, mut syncs, mut splits) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..OTHERS {
            fetches.push(fetch()?);
            let (took, _, split) = self.synced(tenant, source).await?;
            syncs.push(took);
            splits.push(split);
        }
        held &= self.line("unchanged", &fetches, &syncs, |git| {
            Some(git.mul_f64(UNCHANGED_MOST))
        });
        println!("    {}", phases_text(&median_of(&syncs, &splits)));

        let (mut fetches, mut syncs, mut splits) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..OTHERS {
            remote.commit_one(*number)?;
            *number += 1;
            fetches.push(fetch()?);
            let (took, sync, split) = self.synced(tenant, source).await?;
            syncs.push(took);
            splits.push(split);
            let found = &sync.detail;
            let written = found.files_added + found.files_updated + found.files_deleted;
            if written != 1 || found.files_unchanged + 1 < files {
                return Err(format!("one file was changed, and {written} were written").into());
            }
        }
        held &= self.line("one file", &fetches, &syncs, |git| {
            Some(git.mul_f64(UNCHANGED_MOST) + ONE_FILE_MORE)
        });
        println!("    {}", phases_text(&median_of(&syncs, &splits)));
        workers.shutdown().await;
        Ok(held)
    }

    fn line(
        &self,
        what: &str,
        git: &[Duration],
        sync: &[Duration],
        limit: impl Fn(Duration) -> Option<Duration>,
    ) -> bool {
        let (git, sync) = (median(git), median(sync));
        let most = limit(git);
        let ratio = sync.as_secs_f64() / git.as_secs_f64();
        let held = most.is_none_or(|most| sync <= most);
        let verdict = most.map_or_else(String::new, |most| {
            let verdict = if held { "held" } else { "NOT held" };
            format!("{:.1} ms, {verdict}", millis(most))
        });
        println!(
            "| {} | {what} | {:.1} ms | {:.1} ms | {ratio:.2}x | {verdict} |",
            self.name,
            millis(git),
            millis(sync),
        );
        held
    }

    async fn source(&self, slug: &str) -> Outcome<(TenantId, SourceId)> {
        let owner = format!("owner@{slug}.example");
        let (tenant, _) = directory::tenant_create(&self.store, slug, slug, &owner).await?;
        let scoped = self.store.write(tenant.id).await?;
        let project = NewProject {
            name: "Atlas".into(),
            ..NewProject::default()
        };
        let project = project_create(&scoped, project).await?;
        let source = NewSource {
            project_id: project.id,
            url: self.url.clone(),
            branch: None,
            scan_path: String::new(),
        };
        let source = source_add(&scoped, source).await?;
        scoped.commit().await?;
        Ok((tenant.id, source.id))
    }

    /// Measures a sync from the request to the last event.
    async fn synced(
        &self,
        tenant: TenantId,
        source: SourceId,
    ) -> Outcome<(Duration, Sync, Phases)> {
        let begun = Instant::now();
        let scoped = self.store.write(tenant).await?;
        let (start, _) = sync_start(&scoped, source, SyncTrigger::Manual, None).await?;
        scoped.commit().await?;
        let run = start.run().id;
        let mut events = Box::pin(run_follow(&self.store, tenant, run, 0));
        let (mut phases, mut since) = (vec![("start".to_owned(), Duration::ZERO)], None);
        while let Some(event) = events.next().await {
            let event = event?;
            let before = since.replace(event.at).unwrap_or(start.run().created_at);
            if let Some((_, took)) = phases.last_mut() {
                *took += (event.at - before).to_std().unwrap_or_default();
            }
            if let EventBody::PhaseStarted { phase } = event.body {
                phases.push((phase, Duration::ZERO));
            }
        }
        let took = begun.elapsed();
        let scoped = self.store.read(tenant).await?;
        let sync = sync_get(&scoped, run).await?.ok_or("the sync is gone")?;
        if sync.run.status != RunStatus::Succeeded {
            return Err(format!("the sync failed: {:?}", sync.run.error).into());
        }
        Ok((took, sync, phases))
    }

    /// Measures the peak memory of a separate worker process during a first sync.
    async fn memory(&self, database: &str) -> Outcome<bool> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the worker whose memory is measured is a process of its own"
        )]
        let mut worker = Command::new(std::env::current_exe()?)
            .env(WORKER, database)
            .env("NYXCORE_BENCH_FOLDER", self.folder.join("worker"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (tenant, source) = self.source("memory").await?;
        self.synced(tenant, source).await?;
        drop(worker.stdin.take());
        let said = String::from_utf8(worker.wait_with_output()?.stdout)?;
        let peak: u64 = said.trim().parse()?;
        let verdict = if peak <= MEMORY_MOST {
            "held"
        } else {
            "NOT held"
        };
        println!(
            "| {} | memory of the worker | | {peak} MiB | | {MEMORY_MOST} MiB, {verdict} |",
            self.name
        );
        Ok(peak <= MEMORY_MOST)
    }
}

/// The time from now until the source's files are those of a commit.
async fn files_await(store: Store, tenant: TenantId, source: SourceId) -> Outcome<Duration> {
    let begun = Instant::now();
    loop {
        let scoped = store.read(tenant).await?;
        let source = Sources::require(&scoped, source).await?;
        drop(scoped);
        if source.head_commit.is_some() {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Carries out runs until standard input ends, and prints its peak memory, in MiB.
async fn worker(database: &str) -> Outcome<()> {
    let store = store_open(database).await?;
    let folder = PathBuf::from(std::env::var("NYXCORE_BENCH_FOLDER")?);
    let handler = SyncHandler::new(sync_options(&folder));
    let workers = Workers::builder(&store).handler(handler).start()?;
    tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await??;
    workers.shutdown().await;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|line| line.split_whitespace().next())
        .ok_or("the system does not tell")?;
    println!("{}", peak.parse::<u64>()? / 1024);
    Ok(())
}

fn sync_options(folder: &Path) -> SyncOptions {
    let policy = SourcePolicy {
        allow_private: true,
        ..SourcePolicy::default()
    };
    SyncOptions::new(&folder.join("data"), policy, |path| {
        path.ends_with(".rs").then_some("rust")
    })
}

/// Measures git itself: a partial clone, and the reading of all files of its commit through one process.
fn clone_and_read(url: &str, path: &Path) -> Outcome<Duration> {
    let filter = format!("--filter=blob:limit={}", BLOB_BYTES_MAX + 1);
    timed(|| {
        let above = path.parent().ok_or("a folder is in a folder")?;
        git(above, &["clone", "--quiet", "--bare", &filter, url])
            .arg(path)
            .output_checked(&[])?;
        let listed =
            git(path, &["ls-tree", "-r", "--format=%(objectname)", "HEAD"]).output_checked(&[])?;
        git(path, &["--no-lazy-fetch", "cat-file", "--batch"])
            .output_checked(&listed)
            .map(drop)
    })
}

fn timed(work: impl FnOnce() -> Outcome<()>) -> Outcome<Duration> {
    let begun = Instant::now();
    tokio::task::block_in_place(work)?;
    Ok(begun.elapsed())
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// The phases of the round whose time is the median.
fn median_of(times: &[Duration], phases: &[Phases]) -> Phases {
    let median = median(times);
    let at = times.iter().position(|time| *time == median);
    phases[at.unwrap_or_default()].clone()
}

fn phases_text(phases: &Phases) -> String {
    let parts: Vec<String> = phases
        .iter()
        .map(|(phase, took)| format!("{phase} {:.1} ms", millis(*took)))
        .collect();
    format!("of that: {}", parts.join(", "))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
