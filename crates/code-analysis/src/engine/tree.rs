//! Analyses a folder: walks it, reads and parses its files on every core, and reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use super::blob::blob_id;
use super::cache::Cache;
use super::facts::ENGINE_VERSION;
use super::guard::deep_pool;
use super::language::Language;
use super::parse::source_analyze;
use super::project::manifest::Manifest;
use super::project::{FileHistory, ProjectAnalysis, ProjectInput, SourceFile, project_summarize};
use super::skip::{SIZE_CAP, Skip, path_skip};

/// The name and version of the report's form.
pub const REPORT_SCHEMA: &str = "nyxcore.analysis/1";

/// The most skipped files that a report names for one reason.
pub const SKIPPED_NAMED: usize = 5;

/// Manifests larger than this are not read, in bytes.
const MANIFEST_CAP: u64 = 1 << 20;

/// How a folder is analysed.
#[derive(Debug, Clone, Default)]
pub struct TreeOptions {
    /// Threads to parse on; 0 for one a core.
    pub jobs: usize,
    /// A folder that keeps facts between runs, made if need be. A cache that cannot be read or written is done without.
    pub cache: Option<PathBuf>,
    /// How often each file was changed. The engine does not ask git; without this there are no hotspots.
    pub history: Vec<FileHistory>,
}

/// How far an analysis has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeProgress {
    /// Files done.
    pub done: u64,
    /// Files in all.
    pub total: u64,
}

/// The analysis of a folder. As JSON: `schema`, `engine_version`, `project` (`stack`, `metrics`, `patterns`, `hotspots`)
/// and `skipped`. The same folder gives the same bytes, with a warm cache or a cold one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeReport {
    /// [`REPORT_SCHEMA`].
    pub schema: String,
    /// [`ENGINE_VERSION`].
    pub engine_version: u32,
    /// What is worth saying of the project.
    pub project: ProjectAnalysis,
    /// What was left out, by reason.
    pub skipped: Vec<SkippedFiles>,
}

/// Files that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFiles {
    /// The reason.
    pub reason: Skip,
    /// How many.
    pub files: u32,
    /// The first of them, at most [`SKIPPED_NAMED`].
    pub paths: Vec<String>,
}

/// What stops the analysis of a folder. Single files never do.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The path is not a folder that can be read.
    #[error("{path}: not a folder that can be read", path = path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The system gave no threads.
    #[error("the system gives no threads to parse on")]
    NoThreads,
}

impl TreeError {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            TreeError::NotAFolder { .. } => "NOT_A_FOLDER",
            TreeError::NoThreads => "NO_THREADS",
        }
    }
}

/// Analyses the folder at `root`.
///
/// `.gitignore` (with or without a repository) and `.nyxcoreignore` are honoured, hidden files too are left out, and
/// links are not followed. `progress` is called from several threads, after every file.
///
/// # Errors
/// [`TreeError`] where there is no folder to read, or no thread to work on.
pub fn tree_analyze(
    root: &Path,
    options: &TreeOptions,
    progress: impl Fn(TreeProgress) + Sync,
) -> Result<TreeReport, TreeError> {
    if !root.is_dir() {
        return Err(TreeError::NotAFolder {
            path: root.to_owned(),
        });
    }
    let pool = deep_pool(options.jobs).ok_or(TreeError::NoThreads)?;
    let Listing { paths, manifests } = list(root);
    let cache = options.cache.as_deref().map(Cache::new);
    let total = paths.len() as u64;
    let done = AtomicU64::new(0);
    let outcomes: Vec<Outcome> = pool.install(|| {
        paths
            .par_iter()
            .map(|path| {
                let outcome = analyze_one(root, path, cache.as_ref());
                progress(TreeProgress {
                    done: done.fetch_add(1, Ordering::Relaxed) + 1,
                    total,
                });
                outcome
            })
            .collect()
    });
    let mut input = ProjectInput {
        manifests,
        history: options.history.clone(),
        ..ProjectInput::default()
    };
    let mut skipped: BTreeMap<Skip, SkippedFiles> = BTreeMap::new();
    for (path, outcome) in paths.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Analysed(file) => input.files.push(*file),
            Outcome::Unnamed => {}
            Outcome::Skipped(reason) => {
                let entry = skipped.entry(reason).or_insert(SkippedFiles {
                    reason,
                    files: 0,
                    paths: Vec::new(),
                });
                entry.files += 1;
                if entry.paths.len() < SKIPPED_NAMED {
                    entry.paths.push(path);
                }
            }
        }
    }
    Ok(TreeReport {
        schema: REPORT_SCHEMA.to_owned(),
        engine_version: ENGINE_VERSION,
        project: project_summarize(&input),
        skipped: skipped.into_values().collect(),
    })
}

enum Outcome {
    Analysed(Box<SourceFile>),
    Skipped(Skip),
    /// No language is known for it.
    Unnamed,
}

fn analyze_one(root: &Path, path: &str, cache: Option<&Cache>) -> Outcome {
    let Some(language) = Language::detect(path) else {
        return Outcome::Unnamed;
    };
    if let Some(reason) = path_skip(path) {
        return Outcome::Skipped(reason);
    }
    let full = root.join(path);
    // The size is asked first: a file of gigabytes is not read to be refused.
    match full.metadata() {
        Ok(metadata) if metadata.len() > SIZE_CAP as u64 => {
            return Outcome::Skipped(Skip::TooLarge);
        }
        Ok(_) => {}
        Err(_) => return Outcome::Skipped(Skip::Unreadable),
    }
    let Ok(content) = std::fs::read(&full) else {
        return Outcome::Skipped(Skip::Unreadable);
    };
    let blob = blob_id(&content);
    let analyse = || source_analyze(language, &content);
    // Without a parser, counting lines costs less than a look into the cache.
    let facts = match cache.filter(|_| language.has_facts()) {
        Some(cache) => cache.get_or(&blob, language, analyse),
        None => analyse(),
    };
    match facts {
        Ok(facts) => Outcome::Analysed(Box::new(SourceFile {
            path: path.to_owned(),
            blob,
            language,
            facts,
        })),
        Err(reason) => Outcome::Skipped(reason),
    }
}

struct Listing {
    /// Paths relative to the root, sorted.
    paths: Vec<String>,
    manifests: Vec<Manifest>,
}

/// Lists the files below `root`. What cannot be listed is as if it were not there; names that are no UTF-8 are left out.
fn list(root: &Path) -> Listing {
    let walk = ignore::WalkBuilder::new(root)
        .follow_links(false)
        .require_git(false)
        .git_global(false)
        .parents(false)
        .add_custom_ignore_filename(".nyxcoreignore")
        .build();
    let mut paths: Vec<String> = walk
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter_map(|entry| relative(root, entry.path()))
        .collect();
    paths.sort_unstable();
    let manifests = paths
        .iter()
        .filter(|path| Manifest::is_manifest(path) && path_skip(path).is_none())
        .filter_map(|path| {
            let full = root.join(path);
            let small = full
                .metadata()
                .is_ok_and(|metadata| metadata.len() <= MANIFEST_CAP);
            let text = small
                .then(|| std::fs::read_to_string(&full).ok())
                .flatten()?;
            Some(Manifest {
                path: path.clone(),
                text,
            })
        })
        .collect();
    Listing { paths, manifests }
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    parts.map(|parts| parts.join("/"))
}
