//! Analyses a tree of files: lists, reads and parses the files on all cores, and creates the report.
//!
//! Longer than 450 lines: the steps from a listing to a report share their state.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;
use serde::{Deserialize, Serialize};

use super::analysis::{
    EarlierResults, ProjectAnalysis, project_summarize_known, project_summarize_released,
};
use super::attributes::{Attributes, is_attributes};
use super::blob::blob_id;
use super::cache::{Cache, CacheRecord, StoredFacts};
use super::declarations::map_text;
use super::facts::ENGINE_VERSION;
use super::guard::deep_pool;
use super::ignored::{self, Ignored};
use super::kept_report::{ReportKey, report_read, report_write};
use super::language::Language;
use super::name::SharedNames;
use super::parse::{FileError, source_analyze};
use super::project::duplicates::KeptRepeats;
use super::project::imports::KeptImports;
use super::project::map::KeptEdges;
use super::project::names::NameUses;
use super::project::{Change, FileHistory, HistoryWindow, Manifest, ProjectInput, SourceFile};
use super::report_files::{complex_functions, file_reports};
use super::rules::{RULE_FOLDER, RuleFile};
use super::skip::{SIZE_CAP, Skip, SkipRule};
use super::skipped::{SkippedByRule, SkippedFiles};
use super::source::Folder;
use super::tree_rules::Rules;

pub use super::declarations::MapQuery;
pub use super::report_files::{
    COGNITIVE_MOST, COMPLEX_CAP, ComplexFunction, FileReport, FunctionReport,
};
pub use super::source::{Around, FileStamp, FileTree, TreeFile};

/// The name and version of the report's format. Its JSON Schema is `docs/schema/analysis-2.schema.json`. An added field
/// does not change the number; a field that is removed or changes its meaning does.
pub const REPORT_SCHEMA: &str = "nyxcore.analysis/2";

/// The maximum size of ignore lists, attributes and rule files, in bytes.
const LIST_CAP: u64 = 1 << 20;

/// The names of the files next to the cache: the edges of the map, the resolved imports, and the repeated windows.
const EDGES: &str = "edges";
const IMPORTS: &str = "imports";
const REPEATS: &str = "repeats";

/// The number of files in one unit of work of a thread.
const CHUNK: usize = 16;

/// In a project with more files, memory matters more than time.
const LARGE_FILES: usize = 16 << 10;

/// The options for analysing a tree.
#[derive(Debug, Clone, Default)]
pub struct TreeOptions {
    /// The number of threads to parse on; 0 means one per core.
    pub jobs: usize,
    /// A folder that stores facts between runs, created if necessary. A cache that cannot be read or written is
    /// ignored.
    pub cache: Option<PathBuf>,
    /// How often each file was changed. The engine does not ask git; without this there are no hotspots.
    pub history: Vec<FileHistory>,
    /// The commits of those counts, newest first. Without them there are no co-changes and no ownership.
    pub changes: Vec<Change>,
    /// The window of the history.
    pub window: Option<HistoryWindow>,
    /// Whether the report lists every analysed file with its functions.
    pub files: bool,
    /// The map to add as text, see [`TreeReport::map`].
    pub map: Option<MapQuery>,
}

/// The progress of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeProgress {
    /// The number of files done.
    pub done: u64,
    /// The number of all files.
    pub total: u64,
}

/// The analysis of a tree. The same files give the same bytes as JSON, with a warm cache or a cold one, from a folder
/// or from a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeReport {
    /// [`REPORT_SCHEMA`].
    pub schema: String,
    /// [`ENGINE_VERSION`].
    pub engine_version: u32,
    /// The analysis of the project.
    pub project: ProjectAnalysis,
    /// The most complex functions.
    pub complex_functions: Vec<ComplexFunction>,
    /// The skipped files, by reason and rule. Files that `.gitignore` and `.nyxcoreignore` ignore, and hidden files,
    /// are not listed.
    pub skipped: Vec<SkippedFiles>,
    /// Every analysed file, by path, if [`TreeOptions::files`] requested them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileReport>>,
    /// The map of declarations, if [`TreeOptions::map`] requested it. Not part of the report's JSON.
    #[serde(skip)]
    pub map: Option<String>,
}

/// An error that stops the analysis of a tree. Single files never do.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The path is not a readable folder.
    #[error("{path}: not a readable folder", path = path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The system could not create threads.
    #[error("the system cannot create threads for parsing")]
    NoThreads,
    /// A [`FileTree`] cannot list its files.
    #[error("the files cannot be listed: {reason}")]
    NotListed {
        /// The reason.
        reason: String,
    },
}

impl TreeError {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            TreeError::NotAFolder { .. } => "NOT_A_FOLDER",
            TreeError::NoThreads => "NO_THREADS",
            TreeError::NotListed { .. } => "NOT_LISTED",
        }
    }
}

/// Analyses the folder at `root`.
///
/// `.gitignore` (with or without a repository) and `.nyxcoreignore` are applied, hidden files are left out too, and
/// links are not followed. As in git, `.gitignore` does not apply to a file that git tracks. `progress` is called from
/// several threads, after every file.
///
/// # Errors
/// [`TreeError`] if the folder cannot be read, or no threads can be created.
pub fn tree_analyze(
    root: &Path,
    options: &TreeOptions,
    progress: impl Fn(TreeProgress) + Sync,
) -> Result<TreeReport, TreeError> {
    files_analyze(&Folder::new(root, options.jobs)?, options, progress)
}

/// Like [`tree_analyze`], with files from `tree`. The same files give the same report.
///
/// # Errors
/// [`TreeError::NoThreads`], and any error of listing the tree.
pub fn files_analyze(
    tree: &dyn FileTree,
    options: &TreeOptions,
    progress: impl Fn(TreeProgress) + Sync,
) -> Result<TreeReport, TreeError> {
    let pool = deep_pool(options.jobs).ok_or(TreeError::NoThreads)?;
    let Listing {
        files,
        manifests,
        rules,
        attributes,
    } = Listing::new(tree)?;
    let mut key = ReportKey::new(options, &manifests, &rules);
    let rules = pool.install(|| Rules::new(&rules));
    let folder = options.cache.as_deref();
    let cache = folder.and_then(|folder| Cache::open(folder, &tree.identity(), rules.key()));
    let work = Work {
        tree,
        attributes: &attributes,
        rules: &rules,
        cache: cache.as_ref(),
        names: (files.len() > LARGE_FILES).then(SharedNames::new),
    };
    let total = files.len() as u64;
    let done = AtomicU64::new(0);
    let told = || {
        progress(TreeProgress {
            done: done.fetch_add(1, Ordering::Relaxed) + 1,
            total,
        });
    };
    let plans = pool.install(|| work.plans(&files));
    if let Some(cache) = &cache
        && let Some(planned) = key.clone().and_then(|key| work.key(key, &files, &plans))
        && let Some(report) = report_read(cache, planned)
    {
        files.iter().for_each(|_| told());
        return Ok(report);
    }
    let outcomes: Vec<Vec<Outcome>> = pool.install(|| {
        let chunks = files.par_chunks(CHUNK).zip(plans);
        let outcomes = chunks.map(|(chunk, plans)| work.chunk(chunk, plans, &told));
        outcomes.collect()
    });
    drop(work);
    let is_known = |outcome: &&Outcome| matches!(outcome, Outcome::Known(_));
    let known = outcomes.iter().flatten().filter(is_known).count();
    let mut found = Findings::new(known, cache.is_some());
    for (file, outcome) in files.into_iter().zip(outcomes.into_iter().flatten()) {
        key = key.and_then(|key| outcome.add_to(key, &file.path));
        found.add(file.path, outcome);
    }
    let hits = found.marks.iter().filter_map(|mark| {
        let number = *mark.kept.as_ref().ok()?;
        Some((&found.files[number], mark.hits.as_slice()))
    });
    let rules = rules.report(hits);
    let (skipped, unread_folders) = found.skipped.finish();
    let mut input = ProjectInput {
        manifests,
        history: options.history.clone(),
        changes: options.changes.clone(),
        window: options.window.clone(),
        files: found.files,
        rules,
        unread_folders,
    };
    let keep: Vec<CacheRecord<'_>> = match &cache {
        Some(_) => found
            .marks
            .iter()
            .map(|mark| mark.keep(&input.files))
            .collect(),
        None => Vec::new(),
    };
    // Sums cover all files, so none are stored if one file is not cached.
    let is_whole = keep.iter().filter(|one| one.kept.is_ok()).count() == input.files.len();
    let whole = cache.as_ref().filter(|_| is_whole);
    let uses = whole.and_then(|cache| cache.uses(&keep));
    let write = || {
        let cache = cache.as_ref()?;
        // A continuation leaves the pack and its sums as they are.
        let may_continue = uses.is_some();
        let write = || cache.write(&keep, may_continue).ok().flatten();
        let pack_sum = cache.is_stale(&keep).then(write)??;
        let write = || cache.uses_write(&uses_of(uses.as_ref(), &keep), pack_sum);
        is_whole.then(write)?.ok()
    };
    // What is kept of each file takes memory.
    let keeps = cache.as_ref().filter(|_| input.files.len() <= LARGE_FILES);
    let edges = keeps.and_then(|cache| KeptEdges::read(&cache.kept(EDGES)?));
    let imports = keeps.and_then(|cache| KeptImports::read(&cache.kept(IMPORTS)?));
    let repeats = keeps.and_then(|cache| KeptRepeats::read(&cache.kept(REPEATS)?));
    let known = EarlierResults {
        uses: uses.as_ref(),
        edges: keeps.map(|_| edges.as_ref()),
        imports: keeps.map(|_| imports.as_ref()),
        repeats: keeps.map(|_| repeats.as_ref()),
    };
    // The cache for the next run is written beside the analysis, or before it if memory matters more. A failure to
    // write it is ignored.
    let (project, results) = if input.files.len() > LARGE_FILES {
        write();
        drop(keep);
        pool.install(|| project_summarize_released(&mut input, known))
    } else {
        std::thread::scope(|scope| {
            scope.spawn(write);
            pool.install(|| project_summarize_known(&input, known))
        })
    };
    if let Some(cache) = &cache {
        if let Some(edges) = results.edges {
            let _ = cache.kept_write(EDGES, edges.bytes());
        }
        if let Some(imports) = results.imports {
            let _ = cache.kept_write(IMPORTS, imports.bytes());
        }
        if let Some(repeats) = results.repeats {
            let _ = cache.kept_write(REPEATS, repeats.bytes());
        }
    }
    let map = options.map.as_ref().map(|query| {
        map_text(&project.map, query, |path| {
            let at = input
                .files
                .binary_search_by(|file| file.path.as_str().cmp(path))
                .ok()?;
            let file = input.files.get(at)?;
            let listed = TreeFile {
                path: file.path.clone(),
                blob: Some(file.blob.clone()),
                is_link: false,
            };
            let content = tree.read(&listed, SIZE_CAP as u64).ok()?;
            Some((file.language, String::from_utf8(content).ok()?))
        })
    });
    let report = TreeReport {
        schema: REPORT_SCHEMA.to_owned(),
        engine_version: ENGINE_VERSION,
        project,
        complex_functions: complex_functions(&input.files),
        skipped,
        files: options.files.then(|| file_reports(&input.files)),
        map,
    };
    if let (Some(cache), Some(key)) = (&cache, key) {
        report_write(cache, key, &report);
    }
    // Deallocating the many small parts of the facts takes time, so it is done in the background.
    pool.spawn(move || drop((input, found.marks)));
    Ok(report)
}

/// The uses of all names in the files: the known ones, or computed from the files.
fn uses_of<'u>(known: Option<&'u NameUses>, keep: &[CacheRecord<'_>]) -> Cow<'u, NameUses> {
    known.map_or_else(
        || {
            let mut uses = NameUses::default();
            for one in keep {
                if let Ok(facts) = one.kept {
                    uses.add(one.path, facts);
                }
            }
            Cow::Owned(uses)
        },
        Cow::Borrowed,
    )
}

/// The files of a tree without ignored ones, and its manifests, rules and attributes.
struct Listing {
    /// By path.
    files: Vec<TreeFile>,
    manifests: Vec<Manifest>,
    rules: Vec<RuleFile>,
    attributes: Attributes,
}

impl Listing {
    fn new(tree: &dyn FileTree) -> Result<Listing, TreeError> {
        let mut files = tree.list()?;
        files.sort_unstable();
        files.dedup_by(|a, b| a.path == b.path);
        let around = tree.around();
        if !tree.leaves_out_ignored() {
            let counts = |path: &str| match tree.is_tracked() {
                true => ignored::is_own_list(path),
                false => ignored::is_list(path),
            };
            let lists = texts(tree, &files, |_| LIST_CAP, counts);
            let lists = lists
                .into_iter()
                .map(|(path, text)| (around.path(&path), text));
            let above = around
                .lists
                .iter()
                .filter(|(path, _)| counts(path))
                .cloned();
            let lists: Vec<(String, String)> = lists.chain(above).collect();
            let lists = lists.iter();
            let mut ignored =
                Ignored::new(lists.map(|(path, text)| (path.as_str(), text.as_str())));
            files.retain(|file| {
                !ignored::is_hidden(&file.path, false) && !ignored.names(&around.path(&file.path))
            });
        }
        let named = |path: &str| is_attributes(path);
        let said = texts(tree, &files, |_| LIST_CAP, named);
        let said = said
            .into_iter()
            .map(|(path, text)| (around.path(&path), text));
        let above = around
            .lists
            .iter()
            .filter(|(path, _)| is_attributes(path))
            .cloned();
        let said: Vec<(String, String)> = said.chain(above).collect();
        let said = said
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()));
        let attributes = Attributes::new(said).below(&around.below);
        let attributes = attributes.with_javadoc(files.iter().map(|file| file.path.as_str()));
        // Lock files are generated, but they are read for versions.
        let own = |path: &str| {
            let rule = attributes.path_skip(path);
            Manifest::is_manifest(path) && rule.is_none_or(|rule| rule.reason != Skip::Vendored)
        };
        let manifests = texts(tree, &files, Manifest::size_cap, own).into_iter();
        let manifests = manifests
            .map(|(path, text)| Manifest { path, text })
            .collect();
        let is_rules = |path: &str| path.starts_with(RULE_FOLDER) && RuleFile::is_rule_file(path);
        let rules = texts(tree, &files, |_| LIST_CAP, is_rules).into_iter();
        let rules = rules.map(|(path, text)| RuleFile { path, text }).collect();
        // The hidden files with a meaning were read above.
        files.retain(|file| !ignored::is_dotted(&file.path));
        Ok(Listing {
            files,
            manifests,
            rules,
            attributes,
        })
    }
}

/// The files whose path is wanted, with their text. Files that cannot be read are left out.
fn texts(
    tree: &dyn FileTree,
    files: &[TreeFile],
    bytes_max: impl Fn(&str) -> u64,
    wanted: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let wanted = files
        .iter()
        .filter(|file| !file.is_link && wanted(&file.path));
    wanted
        .filter_map(|file| {
            let content = tree.read(file, bytes_max(&file.path)).ok()?;
            let text = String::from_utf8(content).ok()?;
            // A byte order mark is not part of the text.
            let text = text
                .strip_prefix('\u{feff}')
                .map(str::to_owned)
                .unwrap_or(text);
            Some((file.path.clone(), text))
        })
        .collect()
}

/// The outcome of one file.
enum Outcome {
    /// Its content was analysed, in this run or an earlier one.
    Known(Box<KnownFile>),
    Skipped(SkipRule),
    /// Its language is unknown.
    Unnamed,
}

impl Outcome {
    /// Adds the file to the key of the report.
    fn add_to(&self, mut key: ReportKey, path: &str) -> Option<ReportKey> {
        match self {
            Outcome::Known(known) => key.known(path, &known.blob, known.language)?,
            Outcome::Skipped(rule) => key.skipped(path, rule)?,
            Outcome::Unnamed => key.unnamed(path)?,
        }
        Some(key)
    }
}

struct KnownFile {
    blob: String,
    language: Language,
    stamp: Option<FileStamp>,
    /// The cache entry with the same result.
    entry: Option<usize>,
    kept: StoredFacts,
    /// The encoded matches of the project's rules; `None` if matching panicked, and then nothing is cached.
    hits: Option<Vec<u8>>,
}

/// The shared input for analysing all files.
struct Work<'w> {
    tree: &'w dyn FileTree,
    attributes: &'w Attributes,
    rules: &'w Rules,
    cache: Option<&'w Cache>,
    /// The names of a large project.
    names: Option<SharedNames>,
}

impl Work<'_> {
    /// The plans of all files, in chunks. Without cached results, each chunk is planned when it is its turn.
    fn plans(&self, files: &[TreeFile]) -> Vec<Plans> {
        let chunks = files.par_chunks(CHUNK);
        if self.cache.is_none_or(Cache::is_empty) {
            return chunks.map(|_| None).collect();
        }
        let plans = chunks.map(|chunk| {
            let plans = chunk.iter().map(|file| {
                let mut plan = self.plan(file);
                if let Ok(plan) = &mut plan {
                    // All files would be in memory at once.
                    plan.content = None;
                }
                plan
            });
            Some(plans.collect())
        });
        plans.collect()
    }

    /// Adds the files to the key of a report, if all of them are as in the cache.
    fn key(&self, mut key: ReportKey, files: &[TreeFile], plans: &[Plans]) -> Option<ReportKey> {
        let cache = self.cache?;
        for (files, plans) in files.chunks(CHUNK).zip(plans) {
            for (file, plan) in files.iter().zip(plans.as_ref()?) {
                match plan {
                    Ok(plan) => {
                        let (at, path) = (plan.entry?, file.path.as_str());
                        key.known(path, cache.blob(at), cache.language(at)?)?;
                    }
                    Err(outcome) => key = outcome.add_to(key, &file.path)?,
                }
            }
        }
        Some(key)
    }

    fn chunk(&self, files: &[TreeFile], plans: Plans, told: &(dyn Fn() + Sync)) -> Vec<Outcome> {
        let plan = || files.iter().map(|file| self.plan(file)).collect();
        let mut plans = plans.unwrap_or_else(plan);
        // The cached results are read at once.
        let entries = plans.iter().filter_map(|plan| plan.as_ref().ok()?.entry);
        let entries: Vec<usize> = entries.collect();
        let read = self.cache.map(|cache| cache.read(&entries));
        let mut read = read.unwrap_or_default().into_iter();
        let outcomes = files.iter().zip(plans.drain(..)).map(|(file, plan)| {
            let outcome = match plan {
                Err(outcome) => outcome,
                Ok(plan) => {
                    let kept = plan.entry.and_then(|_| read.next().flatten());
                    let mut outcome = self.file(file, plan, kept);
                    if let (Some(names), Outcome::Known(known)) = (&self.names, &mut outcome)
                        && let Ok(facts) = &mut known.kept
                    {
                        names.share(facts);
                    }
                    outcome
                }
            };
            told();
            outcome
        });
        outcomes.collect()
    }

    /// Decides about a file by its path, or by its first line if the path does not tell the language.
    fn plan(&self, file: &TreeFile) -> Result<Plan, Outcome> {
        let detected = Language::detect(&file.path);
        if detected.is_none() && !Language::is_told_by_content(&file.path) {
            return Err(Outcome::Unnamed);
        }
        if file.is_link && detected.is_some() {
            return Err(Outcome::Skipped(Skip::Link.into()));
        }
        if let Some(rule) = self.attributes.path_skip(&file.path) {
            return match detected {
                Some(_) => Err(Outcome::Skipped(rule)),
                None => Err(Outcome::Unnamed),
            };
        }
        let mut content = None;
        let language = match detected {
            Some(language) => language,
            // The first line of a script without an extension names its interpreter.
            None if file.is_link => return Err(Outcome::Unnamed),
            None => {
                let read = self.tree.read(file, SIZE_CAP as u64).ok();
                let told = read.as_deref().and_then(Language::of_interpreter);
                content = read;
                told.ok_or(Outcome::Unnamed)?
            }
        };
        let stamp = self.cache.and_then(|_| self.tree.stamp(&file.path));
        let entry = self
            .cache
            .and_then(|cache| cache.entry(&file.path, language, file.blob.as_deref(), stamp))
            .filter(|_| self.knows_hits(language));
        Ok(Plan {
            language,
            stamp,
            entry,
            content,
        })
    }

    /// Whether the cache has the matches of the rules in files of a language.
    fn knows_hits(&self, language: Language) -> bool {
        let is_same = |cache: &Cache| cache.rules() == self.rules.key();
        self.cache.is_some_and(is_same) || !self.rules.wants(language)
    }

    fn file(
        &self,
        file: &TreeFile,
        mut plan: Plan,
        kept: Option<(StoredFacts, Vec<u8>)>,
    ) -> Outcome {
        let stamp = plan.stamp;
        let known = |blob: String,
                     language,
                     entry: Option<usize>,
                     kept: StoredFacts,
                     hits: Option<Vec<u8>>| {
            Outcome::Known(Box::new(KnownFile {
                blob,
                language,
                stamp,
                entry,
                kept,
                hits,
            }))
        };
        if let (Some(cache), Some(entry), Some((kept, hits))) = (self.cache, plan.entry, kept) {
            let language = cache.language(entry).unwrap_or(plan.language);
            return known(
                cache.blob(entry).to_owned(),
                language,
                Some(entry),
                kept,
                Some(hits),
            );
        }
        let read = match plan.content.take() {
            Some(content) => Ok(content),
            None => self.tree.read(file, SIZE_CAP as u64),
        };
        let content = match read {
            Ok(content) => content,
            Err(reason) => return Outcome::Skipped(reason.into()),
        };
        plan.language = plan.language.refined(&content);
        let blob = file.blob.clone().unwrap_or_else(|| blob_id(&content));
        // The file moved, or its stamp was not trusted. An entry that was just found to be damaged is not read again.
        if let Some(cache) = self.cache.filter(|_| plan.entry.is_none())
            && self.knows_hits(plan.language)
            && let Some(entry) = cache.entry_of(&blob, plan.language)
            && let Some((kept, hits)) = cache.read(&[entry]).pop().flatten()
        {
            return known(blob, plan.language, Some(entry), kept, Some(hits));
        }
        let analyse = || source_analyze(plan.language, &content);
        // A file on which a parser panics does not end the analysis of the others. A panic is a defect of the engine
        // and not a fact about the file, so nothing is cached.
        let kept = match std::panic::catch_unwind(AssertUnwindSafe(analyse)) {
            Ok(Ok(facts)) => {
                // Computed here, in parallel, because the pattern search needs it.
                facts.noted(plan.language);
                Ok(facts)
            }
            Ok(Err(FileError::Skipped(reason))) => Err(reason),
            // This runs on a thread of the pool, so threads exist.
            Ok(Err(FileError::NoThreads(_))) | Err(_) => {
                return Outcome::Skipped(Skip::DoesNotParse.into());
            }
        };
        let hits = match kept {
            Ok(_) => self.rules.hits(plan.language, &content),
            Err(_) => Some(Vec::new()),
        };
        known(blob, plan.language, None, kept, hits)
    }
}

/// The plans of a chunk of files, or the outcomes of those that are not read; `None` if they are not made yet.
type Plans = Option<Vec<Result<Plan, Outcome>>>;

struct Plan {
    language: Language,
    stamp: Option<FileStamp>,
    entry: Option<usize>,
    /// The content, if it was read to detect the language.
    content: Option<Vec<u8>>,
}

/// The results of the files, by path.
struct Findings {
    files: Vec<SourceFile>,
    skipped: SkippedByRule,
    /// The results for the cache, and the matches of the project's rules.
    marks: Vec<Mark>,
    has_cache: bool,
}

impl Findings {
    /// Allocates the exact capacity: a list that grows is in memory twice.
    fn new(known: usize, has_cache: bool) -> Findings {
        Findings {
            files: Vec::with_capacity(known),
            skipped: SkippedByRule::default(),
            marks: Vec::with_capacity(if has_cache { known } else { 0 }),
            has_cache,
        }
    }

    fn add(&mut self, path: String, outcome: Outcome) {
        let known = match outcome {
            Outcome::Unnamed => return,
            Outcome::Skipped(rule) => return self.skipped.add(rule, &path, &path),
            Outcome::Known(known) => *known,
        };
        let kept = match known.kept {
            Ok(facts) => {
                self.files.push(SourceFile {
                    path,
                    blob: known.blob,
                    language: known.language,
                    facts,
                });
                Ok(self.files.len() - 1)
            }
            Err(reason) => {
                self.skipped.add(reason.into(), &path, &path);
                Err((path, known.blob, known.language, reason))
            }
        };
        if let Some(hits) = known.hits.filter(|hits| self.has_cache || !hits.is_empty()) {
            self.marks.push(Mark {
                stamp: known.stamp,
                entry: known.entry,
                hits,
                kept,
            });
        }
    }
}

struct Mark {
    stamp: Option<FileStamp>,
    entry: Option<usize>,
    hits: Vec<u8>,
    /// The index of the file, or its path, blob, language and the reason why it was skipped.
    kept: Result<usize, (String, String, Language, Skip)>,
}

impl Mark {
    fn keep<'k>(&'k self, files: &'k [SourceFile]) -> CacheRecord<'k> {
        let (path, blob, language, kept) = match &self.kept {
            Ok(number) => {
                let file = &files[*number];
                (&file.path, &file.blob, file.language, Ok(&file.facts))
            }
            Err((path, blob, language, reason)) => (path, blob, *language, Err(*reason)),
        };
        CacheRecord {
            path,
            blob,
            language,
            stamp: self.stamp,
            entry: self.entry,
            kept,
            hits: &self.hits,
        }
    }
}
