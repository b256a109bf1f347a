//! The report of a run, kept for a run in which nothing has changed.
//!
//! It is found by a hash of everything that it is computed from: the paths, contents and languages of the files, the
//! files that were skipped, the manifests, the rules and the history. With the same hash no facts are read.

use serde::Serialize;
use sha1::{Digest, Sha1};

use super::cache::Cache;
use super::evidence::CodeLocation;
use super::language::Language;
use super::project::Manifest;
use super::rules::RuleFile;
use super::skip::SkipRule;
use super::tree::{TreeOptions, TreeReport};

/// The name of the file with the report, next to the cache.
const REPORT: &str = "report";

/// The length of the hash at the beginning of the file.
const HASH_BYTES: usize = 20;

/// A hash of the input of a report.
#[derive(Clone)]
pub(crate) struct ReportKey(Sha1);

impl ReportKey {
    /// Begins with what does not belong to a file. `None` if nothing is kept, or if the report contains more than that.
    pub fn new(
        options: &TreeOptions,
        manifests: &[Manifest],
        rules: &[RuleFile],
    ) -> Option<ReportKey> {
        if options.cache.is_none() || options.files || options.map.is_some() {
            return None;
        }
        let mut key = ReportKey(Sha1::new());
        key.value(&(&options.history, &options.changes, &options.window))?;
        key.value(&manifests.len())?;
        for one in manifests {
            key.value(&(&one.path, &one.text))?;
        }
        key.value(&rules.len())?;
        for one in rules {
            key.value(&(&one.path, &one.text))?;
        }
        Some(key)
    }

    /// Adds a file whose content was analysed.
    pub fn known(&mut self, path: &str, blob: &str, language: Language) -> Option<()> {
        self.value(&(0u8, path, blob, language))
    }

    /// Adds a file that was skipped because of its path.
    pub fn skipped(&mut self, path: &str, rule: &SkipRule) -> Option<()> {
        self.value(&(1u8, path, format!("{rule:?}")))
    }

    /// Adds a file of no known language.
    pub fn unnamed(&mut self, path: &str) -> Option<()> {
        self.value(&(2u8, path))
    }

    /// The encoding tells where each value ends, so different values have different bytes.
    fn value(&mut self, value: &impl Serialize) -> Option<()> {
        self.0.update(postcard::to_stdvec(value).ok()?);
        Some(())
    }

    fn hash(self) -> [u8; HASH_BYTES] {
        self.0.finalize().into()
    }
}

/// Reads the kept report, if it is of this input.
pub(crate) fn report_read(cache: &Cache, key: ReportKey) -> Option<TreeReport> {
    let bytes = cache.kept(REPORT)?;
    let (hash, json) = bytes.split_first_chunk::<HASH_BYTES>()?;
    if *hash != key.hash() {
        return None;
    }
    let (mut report, deviations): (TreeReport, Vec<Vec<CodeLocation>>) =
        serde_json::from_slice(json).ok()?;
    if report.project.patterns.len() != deviations.len() {
        return None;
    }
    for (pattern, deviations) in report.project.patterns.iter_mut().zip(deviations) {
        pattern.deviations = deviations;
    }
    Some(report)
}

/// Keeps a report for the next run. A failure only costs that run some time.
pub(crate) fn report_write(cache: &Cache, key: ReportKey, report: &TreeReport) {
    // A step that failed is tried again.
    if !report.project.failed.is_empty() {
        return;
    }
    // The report as JSON does not contain the deviations.
    let patterns = report.project.patterns.iter();
    let deviations: Vec<&[CodeLocation]> = patterns.map(|one| one.deviations.as_slice()).collect();
    let mut bytes = Vec::from(key.hash());
    if serde_json::to_writer(&mut bytes, &(report, deviations)).is_ok() {
        let _ = cache.kept_write(REPORT, bytes);
    }
}
