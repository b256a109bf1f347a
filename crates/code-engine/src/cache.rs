//! A cache of facts on disk: one packed file per tree, which can be deleted at any time.
//!
//! A pack contains the facts of all files, then an index by path, then the offset of the index. It is read in parts, so
//! that it is never in memory as a whole. It is written to a temporary file and renamed: a reader sees the old or the
//! new pack, and the last of two writers wins. The facts of a few changed files are written to a second file, a
//! continuation of the pack, until it is an eighth of the pack or a quarter of the pack is unused. A damaged pack, or
//! one of another version, is ignored, and so is the continuation of another pack.
//!
//! A file with the same stamp (size, times, inode) as in the pack is not read again, as in git's index. As in git
//! (<https://git-scm.com/docs/racy-git>), a stamp proves nothing for a file that was written after the pack's run
//! began. Such a file, and a moved file, is read, and its facts are found by its content.
//!
//! Files next to the pack hold sums over its files, see [`sums`], and results of the last run, see [`kept`].

mod kept;
mod open;
mod sums;
mod write;

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::blob::{blob_id, sum};
use super::facts::FileFacts;
use super::language::Language;
use super::noted::NotedReferences;
use super::skip::Skip;
use super::source::{FileStamp, time_written};
use open::Pack;

/// Adjacent entries are read together, up to this many bytes.
const READ_CAP: u64 = 8 << 20;
/// Entries with a larger gap between them, in bytes, are read one by one.
const GAP_CAP: u64 = 16 << 10;
/// When file times have whole seconds only, a stamp is trusted from two seconds on (the resolution of FAT). Otherwise
/// it is trusted from the coarsest tick of a kernel's clock on.
const STEP_COARSE: i64 = 2_000_000_000;
const STEP_FINE: i64 = 20_000_000;
/// The age at which the temporary file of a killed run is removed, in nanoseconds: an hour.
const LEFTOVER_AGE: i64 = 3_600_000_000_000;

/// The ending of the continuation's name.
const MORE: &str = "more";

/// The stored result for a content: its facts, or the reason why it has none.
pub(crate) type StoredFacts = Result<FileFacts, Skip>;

/// The pack's entry of one file: its facts, what is noted of them, and the matches of the project's rules.
type Packed = (StoredFacts, Option<NotedReferences>, Vec<u8>);

/// The index entry of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    path: String,
    blob: String,
    language: Language,
    stamp: Option<FileStamp>,
    /// The offset of its facts.
    start: u64,
    length: u32,
    sum: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    /// When the run that wrote the index began, by the clock of the cache's file system.
    began: i64,
    /// The key of the rules that were matched.
    rules: String,
    /// The entries, in the order of their paths.
    entries: Vec<Entry>,
}

/// The pack of one tree, and the file for its replacement.
#[derive(Debug)]
pub(crate) struct Cache {
    place: PathBuf,
    sums: PathBuf,
    beside: PathBuf,
    began: i64,
    rules: String,
    /// The newest index: that of the continuation, if there is one.
    index: Index,
    /// The pack's own index, if there is a continuation.
    older: Option<Index>,
    pack: Option<Pack>,
    /// The continuation of the pack.
    more: Option<Pack>,
    by_content: OnceLock<FxHashMap<(String, Language), usize>>,
}

/// The result of one file in this run, to be stored for the next run.
#[derive(Debug)]
pub(crate) struct CacheRecord<'k> {
    pub path: &'k str,
    pub blob: &'k str,
    pub language: Language,
    pub stamp: Option<FileStamp>,
    /// The entry that already has its facts; `None` if they are new.
    pub entry: Option<usize>,
    pub kept: Result<&'k FileFacts, Skip>,
    /// The matches of the project's rules, encoded.
    pub hits: &'k [u8],
}

impl Cache {
    /// Opens the pack of the tree with this identity, for a run with these rules. `None` if the folder is not writable.
    pub fn open(folder: &Path, identity: &str, rules: &str) -> Option<Cache> {
        fs::create_dir_all(folder).ok()?;
        let name = blob_id(identity.as_bytes());
        let place = folder.join(format!("{name}.facts"));
        let (beside, began) = beside(folder, &name).ok()?;
        let mut cache = Cache {
            place,
            sums: folder.join(format!("{name}.sums")),
            beside,
            began,
            rules: rules.to_owned(),
            index: Index::default(),
            older: None,
            pack: None,
            more: None,
            by_content: OnceLock::new(),
        };
        if let Ok((pack, index)) = Pack::open(&cache.place, None) {
            let more = Pack::open(&cache.place.with_extension(MORE), Some(&pack));
            (cache.index, cache.older, cache.more) = match more {
                Ok((more, newest)) => (newest, Some(index), Some(more)),
                Err(_) => (index, None, None),
            };
            cache.pack = Some(pack);
        }
        Some(cache)
    }

    /// Whether there is nothing in it yet.
    pub fn is_empty(&self) -> bool {
        self.index.entries.is_empty()
    }

    /// Returns the entry of the file at `path` if the file seems unchanged: by its blob if that is known, else by its
    /// stamp.
    pub fn entry(
        &self,
        path: &str,
        language: Language,
        blob: Option<&str>,
        stamp: Option<FileStamp>,
    ) -> Option<usize> {
        let entries = &self.index.entries;
        let found = entries
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .ok()?;
        let entry = &entries[found];
        let is_same = match blob {
            Some(blob) => entry.blob == blob,
            None => stamp.is_some() && entry.stamp == stamp && !is_racy(stamp?, self.index.began),
        };
        (is_same && language.may_become(entry.language)).then_some(found)
    }

    /// The language of an entry.
    pub fn language(&self, entry: usize) -> Option<Language> {
        self.index.entries.get(entry).map(|entry| entry.language)
    }

    /// Returns an entry of the same content, at any path.
    pub fn entry_of(&self, blob: &str, language: Language) -> Option<usize> {
        let by_content = self.by_content.get_or_init(|| {
            let entries = self.index.entries.iter().enumerate();
            entries
                .map(|(number, entry)| ((entry.blob.clone(), entry.language), number))
                .collect()
        });
        by_content.get(&(blob.to_owned(), language)).copied()
    }

    /// The rules whose matches are in the pack.
    pub fn rules(&self) -> &str {
        &self.index.rules
    }

    /// The blob of an entry.
    pub fn blob(&self, entry: usize) -> &str {
        &self.index.entries[entry].blob
    }

    /// Reads some entries, in ascending order; `None` for a damaged entry.
    pub fn read(&self, wanted: &[usize]) -> Vec<Option<(StoredFacts, Vec<u8>)>> {
        self.read_of(&self.index.entries, wanted)
    }

    fn read_of(&self, entries: &[Entry], wanted: &[usize]) -> Vec<Option<(StoredFacts, Vec<u8>)>> {
        let mut found = Vec::with_capacity(wanted.len());
        let mut rest = wanted;
        while !rest.is_empty() {
            let (range, count) = self.run(entries, rest);
            let (now, later) = rest.split_at(count);
            let bytes = self.bytes(&range);
            found.extend(now.iter().map(|number| {
                let entry = &entries[*number];
                let from = usize::try_from(entry.start - range.start).ok()?;
                let bytes = bytes.as_deref()?.get(from..from + entry.length as usize)?;
                if sum(bytes) != entry.sum {
                    return None;
                }
                let (kept, noted, hits) = postcard::from_bytes::<Packed>(bytes).ok()?;
                if let (Ok(facts), Some(noted)) = (&kept, noted) {
                    facts.noted_set(noted);
                }
                Some((kept, hits))
            }));
            rest = later;
        }
        found
    }

    /// Returns the byte range of the first entry and of as many following entries as are worth reading with it, and
    /// their number.
    fn run(&self, entries: &[Entry], wanted: &[usize]) -> (Range<u64>, usize) {
        let of = |number: usize| {
            let entry = &entries[number];
            entry.start..entry.start + u64::from(entry.length)
        };
        let mut range = of(wanted[0]);
        let mut count = 1;
        for number in &wanted[1..] {
            let next = of(*number);
            let gap = next.start.checked_sub(range.end);
            if self.is_continued(range.start) != self.is_continued(next.start)
                || gap.is_none_or(|gap| gap > GAP_CAP)
                || next.end - range.start > READ_CAP
            {
                break;
            }
            range.end = next.end;
            count += 1;
        }
        (range, count)
    }

    /// Whether an offset lies in the continuation of the pack.
    fn is_continued(&self, start: u64) -> bool {
        self.pack.as_ref().is_some_and(|pack| start >= pack.end)
    }

    fn bytes(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        match self.is_continued(range.start) {
            true => self.more.as_ref()?.bytes(range),
            false => self.pack.as_ref()?.bytes(range),
        }
    }

    /// Whether a new pack is worth writing: there are new facts, or enough files moved, were deleted or were read
    /// although they had not changed.
    pub fn is_stale(&self, keep: &[CacheRecord<'_>]) -> bool {
        let new = keep.iter().any(|one| one.entry.is_none());
        let other = || {
            let same = |one: &&CacheRecord<'_>| {
                let entry = one.entry.map(|number| &self.index.entries[number]);
                entry.is_some_and(|entry| {
                    let racy = one
                        .stamp
                        .is_some_and(|stamp| is_racy(stamp, self.index.began));
                    entry.path == one.path && entry.stamp == one.stamp && !racy
                })
            };
            let same = keep.iter().filter(same).count();
            keep.len().max(self.index.entries.len()) - same
        };
        let is_other = self.pack.is_none() || self.rules != self.index.rules;
        new || is_other || other() * 16 > keep.len()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // After a rename to its final name there is nothing to remove.
        let _ = fs::remove_file(&self.beside);
    }
}

/// Whether a file with this stamp could have been written again, without a new stamp, after a run that began at `began`
/// had read it.
fn is_racy(stamp: FileStamp, began: i64) -> bool {
    let is_coarse = |time: i64| time % 1_000_000_000 == 0;
    let step = if is_coarse(stamp.modified) && is_coarse(stamp.changed) {
        STEP_COARSE
    } else {
        STEP_FINE
    };
    stamp.modified.max(stamp.changed) >= began.saturating_sub(step)
}

/// Creates the file for the new pack, and returns its time. Leftovers of killed runs are removed.
fn beside(folder: &Path, name: &str) -> io::Result<(PathBuf, i64)> {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let beside = folder.join(format!("{name}-{}-{number}.tmp", std::process::id()));
    let began = time_written(&File::create(&beside)?.metadata()?);
    for entry in fs::read_dir(folder)?.flatten() {
        let is_leftover = entry.path().extension().is_some_and(|end| end == "tmp")
            && entry
                .metadata()
                .is_ok_and(|metadata| time_written(&metadata) < began - LEFTOVER_AGE);
        if is_leftover {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok((beside, began))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_the_moment_the_run_began_or_later_proves_nothing() {
        let stamp = |modified, changed| FileStamp {
            size: 1,
            modified,
            changed,
            inode: 1,
        };
        let began = 10_000_000_001;
        assert!(!is_racy(stamp(9_000_000_001, 9_000_000_001), began));
        assert!(is_racy(stamp(10_000_000_001, 10_000_000_001), began));
        assert!(is_racy(stamp(12_000_000_001, 9_000_000_001), began));
        // Setting back the modification time does not hide a change.
        assert!(is_racy(stamp(1, 10_500_000_001), began));
        // Times with whole seconds only: the file system has no finer resolution.
        assert!(is_racy(stamp(9_000_000_000, 9_000_000_000), began));
        assert!(!is_racy(stamp(7_000_000_000, 7_000_000_000), began));
    }
}
