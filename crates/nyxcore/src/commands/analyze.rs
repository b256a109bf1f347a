//! `analyze`: the engine on a folder, with no database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nyxcore_code_analysis::{
    Change, FileHistory, TreeOptions, TreeProgress, TreeReport, report_table, tree_analyze,
};
use nyxcore_sync::git::{GitError, HistoryQuery, RepositoryReader, ScanPath, repository_discover};
use nyxcore_tenancy::Env;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::{AnalyzeArgs, AnalyzeFormat};
use crate::error::{Error, Result};
use crate::output;
use crate::progress::Screen;
use crate::summary::printable;

/// How often the bar is moved.
const TOLD_EVERY: Duration = Duration::from_millis(60);

/// Analyses the folder and prints what was found.
///
/// # Errors
/// `NOT_A_FOLDER`.
pub async fn run(args: AnalyzeArgs, screen: &Screen) -> Result<()> {
    let step = screen.step("analyze");
    step.phase("history");
    let (history, changes) = if args.no_history {
        Default::default()
    } else {
        match history(&args.path).await {
            Ok(history) => history,
            // Without a history there are no hotspots, and everything else.
            Err(error) => {
                screen.warning(&format!("no hotspots: {error}"));
                Default::default()
            }
        }
    };
    let options = TreeOptions {
        jobs: args.jobs,
        cache: args.cache,
        history,
        changes,
        ..TreeOptions::default()
    };
    let (told, mut news) = watch::channel(TreeProgress { done: 0, total: 0 });
    let root = args.path;
    let mut work = tokio::task::spawn_blocking(move || {
        tree_analyze(&root, &options, |progress| {
            // Several threads tell, and not in order.
            told.send_if_modified(|known| {
                let is_further = progress.done > known.done;
                if is_further {
                    *known = progress;
                }
                is_further
            });
        })
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
    print(report, args.format)
}

fn print(mut report: TreeReport, format: AnalyzeFormat) -> Result<()> {
    let text = match format {
        AnalyzeFormat::Table => {
            report.project = printable(report.project);
            report_table(&report, output::width(), output::is_coloured())
        }
        AnalyzeFormat::Json => {
            let json = serde_json::to_string_pretty(&report);
            let json = json.map_err(|error| Error::Io {
                operation: "writing the report",
                reason: error.to_string(),
            })?;
            format!("{json}\n")
        }
    };
    output::write(&text)
}

/// How often the files below the folder were changed, and by which commits, by their paths in it; nothing where it is in no repository.
async fn history(root: &Path) -> Result<(Vec<FileHistory>, Vec<Change>), GitError> {
    let Some(found) = repository_discover(root).await? else {
        return Ok(Default::default());
    };
    let (Some(head), Some(below)) = (&found.head_commit, below(root, found.work_dir)) else {
        return Ok(Default::default());
    };
    let query = HistoryQuery {
        scan_path: ScanPath::parse(&below)?,
        ..HistoryQuery::year_before(Env::default().now(), head)
    };
    let reader = RepositoryReader::repository_open(&found.git_dir)?;
    let churn = reader
        .history_churn(&query, &CancellationToken::new())
        .await?;
    let prefix = if below.is_empty() {
        below
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
    });
    Ok((counts.collect(), changes.collect()))
}

/// The folder's path from the root of the work tree, with `/` between its parts.
fn below(root: &Path, work_dir: Option<PathBuf>) -> Option<String> {
    let work_dir = work_dir?.canonicalize().ok()?;
    let root = root.canonicalize().ok()?;
    let parts: Option<Vec<&str>> = root
        .strip_prefix(work_dir)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    parts.map(|parts| parts.join("/"))
}
