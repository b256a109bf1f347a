//! `analyze`: runs the engine on a folder or a commit, without a database.

pub(super) mod revision;

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use nyxcore_code_engine::project::{Change, FileHistory, HistoryWindow};
use nyxcore_code_engine::render::{
    FindingLevel, Sarif, agents_refresh, agents_section, report_sarif, report_table, unused_table,
};
use nyxcore_code_engine::tree::{
    MapQuery, TreeError, TreeOptions, TreeProgress, TreeReport, files_analyze, tree_analyze,
};
use nyxcore_projects::ScanPath;
use nyxcore_sync::git::{
    DiscoveredRepository, GitError, HistoryQuery, RepositoryReader, repository_discover,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::{AnalyzeArgs, AnalyzeFormat, FailOn};
use crate::error::{Error, Result};
use crate::output;
use crate::private_files::UserMask;
use crate::progress::Screen;
use revision::Revision;

/// How often the progress bar is updated.
const TOLD_EVERY: Duration = Duration::from_millis(60);

/// Analyses the folder and prints the findings.
///
/// # Errors
/// `NOT_A_FOLDER`; with a revision `NOT_A_REPOSITORY`, `REVISION_NOT_FOUND`, `SCAN_PATH_NOT_FOUND`.
pub async fn run(args: AnalyzeArgs, user_mask: UserMask, screen: &Screen) -> Result<()> {
    if args.rev.is_none() && !args.path.is_dir() {
        let path = args.path;
        return Err(TreeError::NotAFolder { path }.into());
    }
    let step = screen.step("analyze");
    step.phase("history");
    let place = place_find(&args.path).await;
    let (place, revision) = match &args.rev {
        Some(name) => {
            let place = place?.ok_or_else(|| Error::NotARepository(args.path.clone()))?;
            let commit = place.reader.commit_resolve(name).await?;
            let git_dir = &place.repository.git_dir;
            let files = Revision::open(&place.reader, git_dir, &commit, &place.below).await?;
            (Ok(Some((place, commit))), Some(files))
        }
        None => {
            let head = |place: Place| Some((place.repository.head_commit.clone()?, place));
            let place = place.map(|place| place.and_then(head));
            (
                place.map(|some| some.map(|(head, place)| (place, head))),
                None,
            )
        }
    };
    let history = match place {
        Ok(Some((place, commit))) if !args.no_history => history(&place, &commit).await,
        Err(error) if !args.no_history => Err(error),
        _ => Ok(Default::default()),
    };
    // Without a history only the hotspots and other history findings are missing.
    let History {
        history,
        changes,
        window,
    } = history.unwrap_or_else(|error| {
        screen.warning(&format!("no hotspots: {error}"));
        Default::default()
    });
    let options = TreeOptions {
        jobs: jobs_bounded(args.jobs, screen),
        cache: args.cache.clone(),
        history,
        changes,
        window,
        files: args.files,
        map: args.map.map(|tokens| MapQuery {
            tokens,
            focus: args.focus.clone(),
        }),
    };
    let (told, mut news) = watch::channel(TreeProgress { done: 0, total: 0 });
    let root = args.path.clone();
    let mut work = tokio::task::spawn_blocking(move || {
        let progress = |progress: TreeProgress| {
            // Several threads report progress, not in order.
            told.send_if_modified(|known| {
                let is_further = progress.done > known.done;
                if is_further {
                    *known = progress;
                }
                is_further
            });
        };
        match revision {
            Some(revision) => files_analyze(&revision, &options, progress),
            None => tree_analyze(&root, &options, progress),
        }
    });
    step.phase("files");
    let report = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            () = tokio::time::sleep(TOLD_EVERY) => {
                let progress = *news.borrow_and_update();
                step.progress(progress.done, Some(progress.total));
            }
        }
    };
    let report = match report {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => {
            step.failed();
            return Err(error.into());
        }
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    let files = report.project.metrics.files;
    step.done(&format!("{files} files of code"));
    let to_terminal = args.output.is_none();
    let mut sarif = report_sarif(&report);
    if let Some(file) = &args.baseline {
        let invalid = |reason: String| Error::FileInvalid {
            path: file.clone(),
            reason,
        };
        let text = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
        let compared = sarif.compare(&text);
        compared.map_err(|error| invalid(format!("not a SARIF report: {error}")))?;
    }
    let failed = args
        .fail_on
        .and_then(|level| findings_failed(&sarif, level, args.baseline.is_some()));
    let text = match &report.map {
        // The repository's file names are untrusted text, and the output may be a terminal.
        Some(map) => map.replace(|letter: char| letter.is_control() && letter != '\n', "?"),
        None if args.format == AnalyzeFormat::Sarif => json(&sarif)?,
        None => written(&report, &args, to_terminal)?,
    };
    match args.output {
        Some(file) => file_write(&file, &text, user_mask).map_err(|error| {
            let reason = error.to_string();
            Error::OutputRefused { path: file, reason }
        })?,
        None => output::write(&text)?,
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// The error of a report with a finding of that level or a more severe one.
fn findings_failed(sarif: &Sarif, level: FailOn, is_compared: bool) -> Option<Error> {
    let (least, name) = match level {
        FailOn::Note => (FindingLevel::Note, "note"),
        FailOn::Warning => (FindingLevel::Warning, "warning"),
        FailOn::Error => (FindingLevel::Error, "error"),
    };
    let count = sarif.count_from(least);
    let new = if is_compared { "new " } else { "" };
    (count > 0).then(|| Error::Findings(format!("{count} {new}findings of level {name} or graver")))
}

/// Limits the threads to the cores. More threads only cost memory: each has its own stack, and none is faster.
pub(super) fn jobs_bounded(asked: usize, screen: &Screen) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if asked > cores {
        screen.hint(&format!(
            "--jobs {asked} is more than the number of cores; {cores} threads are used"
        ));
    }
    asked.min(cores)
}

/// Writes a report. Others may read it: a new file gets the mode that the user's umask gives it.
fn file_write(file: &Path, text: &str, user_mask: UserMask) -> io::Result<()> {
    let is_new = !file.try_exists()?;
    std::fs::write(file, text)?;
    if is_new {
        std::fs::set_permissions(file, Permissions::from_mode(user_mask.file_mode()))?;
    }
    Ok(())
}

/// The report in its format. A file gets neither colours nor a terminal's width.
fn written(report: &TreeReport, args: &AnalyzeArgs, to_terminal: bool) -> Result<String> {
    Ok(match args.format {
        AnalyzeFormat::Table => {
            let coloured = to_terminal && output::is_coloured();
            let width = output::width_of(to_terminal);
            let mut text = report_table(report, width, coloured);
            if args.unused {
                text.push_str(&unused_table(&report.project, width, coloured));
            }
            text
        }
        AnalyzeFormat::Json => json(report)?,
        AnalyzeFormat::Sarif => json(&report_sarif(report))?,
        AnalyzeFormat::Agents => {
            let section = agents_section(report);
            // The text of others in the file is kept.
            let file = args
                .output
                .as_ref()
                .and_then(|file| std::fs::read_to_string(file).ok());
            agents_refresh(file.as_deref().unwrap_or_default(), &section)
        }
    })
}

pub(super) fn json(report: &impl serde::Serialize) -> Result<String> {
    let json = serde_json::to_string_pretty(report).context("writing the report failed")?;
    Ok(format!("{json}\n"))
}

/// A folder's location in a repository.
pub(super) struct Place {
    pub(super) repository: DiscoveredRepository,
    pub(super) reader: RepositoryReader,
    /// The folder's path from the root of the repository, with `/` between its parts.
    pub(super) below: String,
}

/// Finds the repository around a folder. `None` where there is none, or the folder is not part of it.
pub(super) async fn place_find(root: &Path) -> std::result::Result<Option<Place>, GitError> {
    let Some(repository) = repository_discover(root).await? else {
        return Ok(None);
    };
    let below = match &repository.work_dir {
        Some(work_dir) => below(root, work_dir),
        None => Some(String::new()),
    };
    let Some(below) = below else {
        return Ok(None);
    };
    Ok(Some(Place {
        reader: RepositoryReader::repository_open(&repository.git_dir)?,
        repository,
        below,
    }))
}

/// The history of the files below a folder.
#[derive(Default)]
struct History {
    history: Vec<FileHistory>,
    changes: Vec<Change>,
    window: Option<HistoryWindow>,
}

/// Reads how often the files below the folder changed in the year before `commit`, and in which commits. Paths are
/// relative to the folder. The year ends at the commit, so that the same commit has the same history on every day.
async fn history(place: &Place, commit: &str) -> std::result::Result<History, GitError> {
    let below = &place.below;
    let until = place.reader.commit_time(commit).await?;
    let query = HistoryQuery {
        scan_path: ScanPath::parse(below).map_err(GitError::from)?,
        ..HistoryQuery::year_before(until, commit)
    };
    let since = until - chrono::Duration::days(i64::from(query.window_days));
    let window = HistoryWindow {
        commit: commit.to_owned(),
        since: since.format("%Y-%m-%d").to_string(),
        until: until.format("%Y-%m-%d").to_string(),
    };
    let churn = place
        .reader
        .history_churn(&query, &CancellationToken::new())
        .await?;
    let prefix = if below.is_empty() {
        String::new()
    } else {
        format!("{below}/")
    };
    let inside = |path: &str| path.strip_prefix(&prefix).map(str::to_owned);
    let counts = churn.paths.into_iter().filter_map(|one| {
        Some(FileHistory {
            path: inside(&one.path)?,
            commits: one.commits,
        })
    });
    let changes = churn.changes.into_iter().map(|change| Change {
        author: change.author.as_ref().to_owned(),
        paths: change
            .paths
            .iter()
            .filter_map(|path| inside(path))
            .collect(),
        committed_at: change.committed_at,
    });
    Ok(History {
        history: counts.collect(),
        changes: changes.collect(),
        window: Some(window),
    })
}

/// The folder's path from the root of the work tree, with `/` between its parts.
fn below(root: &Path, work_dir: &Path) -> Option<String> {
    let work_dir: PathBuf = work_dir.canonicalize().ok()?;
    let root = root.canonicalize().ok()?;
    let parts: Option<Vec<&str>> = root
        .strip_prefix(work_dir)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    parts.map(|parts| parts.join("/"))
}
