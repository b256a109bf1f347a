//! The repeated windows of each file, kept between runs.
//!
//! A window that occurs more than once did so in the earlier run too, or it also occurs in a file that is new or
//! changed. So the candidates are the kept windows, all windows of such files, and those of other files with the same
//! prints. Whether they really occur more than once is decided afterwards, as without anything kept.

use rustc_hash::FxHashMap;

use super::super::words::{self, list_read, list_write, long_read, long_write};
use super::{COMPARED_CAP, Copies, Repeated};
use crate::windows::{Window, Windows};

/// The windows are stored again if more than one file in so many is new or changed.
const CHANGED_SHARE: usize = 16;

/// The bits for each print of a changed file: a print of another file has the same bit once in so many times.
const BITS: usize = 64;

/// The repeated windows of every file, as they are stored.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct KeptRepeats {
    words: Vec<u32>,
}

impl KeptRepeats {
    /// Decodes the result of [`bytes`](Self::bytes).
    pub fn read(bytes: &[u8]) -> Option<KeptRepeats> {
        words::from_bytes(bytes).map(|words| KeptRepeats { words })
    }

    /// Encodes the windows.
    pub fn bytes(&self) -> Vec<u8> {
        words::to_bytes(&self.words)
    }

    /// The repeated windows of a run, in the order of the files.
    pub(super) fn new(copies: &[Copies<'_>], repeated: &[Repeated]) -> KeptRepeats {
        let mut words = Vec::with_capacity(copies.len() * 3 + repeated.len());
        let mut rest = repeated;
        for (at, one) in (0u32..).zip(copies) {
            let count = rest.iter().take_while(|window| window.file == at).count();
            let (own, later) = rest.split_at(count);
            rest = later;
            long_write(one.key(), &mut words);
            list_write(&mut words, |words| {
                words.extend(own.iter().map(|window| window.ordinal));
            });
        }
        KeptRepeats { words }
    }
}

/// The files of an earlier run by their contents: the indexes of the repeated windows of each.
pub(super) struct EarlierRepeats<'k> {
    files: FxHashMap<u64, &'k [u32]>,
    /// The bits of the prints in files that are new or changed.
    changed: Vec<u64>,
    /// Whether so few files changed that what is stored will do.
    pub will_do: bool,
}

impl<'k> EarlierRepeats<'k> {
    /// `None` if the windows are damaged.
    pub fn new(kept: &'k KeptRepeats, copies: &[Copies<'_>]) -> Option<EarlierRepeats<'k>> {
        let mut rest = kept.words.as_slice();
        let mut files = FxHashMap::default();
        while !rest.is_empty() {
            files.insert(long_read(&mut rest)?, list_read(&mut rest)?);
        }
        let changed = copies.iter().filter(|one| !files.contains_key(&one.key()));
        let changed: Vec<&Copies<'_>> = changed.collect();
        let prints = || {
            let windows = changed.iter().filter_map(|one| one.windows());
            windows.flat_map(|windows| windows.iter())
        };
        let bits = (prints().count() * BITS).next_power_of_two().max(1 << 10);
        let mut earlier = EarlierRepeats {
            files,
            changed: vec![0; bits / 64],
            will_do: changed.len() * CHANGED_SHARE <= copies.len(),
        };
        for window in prints() {
            let (word, bit) = earlier.place(window.print);
            earlier.changed[word] |= bit;
        }
        Some(earlier)
    }

    fn place(&self, print: u64) -> (usize, u64) {
        let bit = (print ^ print >> 24) as usize & (self.changed.len() * 64 - 1);
        (bit / 64, 1 << (bit % 64))
    }

    /// The windows of a file that may occur more than once, each with its index.
    pub fn candidates<'w>(
        &'w self,
        one: &'w Copies<'_>,
    ) -> impl Iterator<Item = (u32, Window)> + 'w {
        let kept = self.files.get(&one.key()).copied();
        let mut next = kept.unwrap_or_default();
        let windows = one.windows().into_iter().flat_map(|windows| windows.iter());
        (0u32..).zip(windows).filter(move |(ordinal, window)| {
            let (word, bit) = self.place(window.print);
            let is_kept = next.first() == Some(ordinal);
            next = &next[usize::from(is_kept)..];
            is_kept || kept.is_none() || self.changed[word] & bit != 0
        })
    }
}

/// Whether windows are kept: only of a project that has fewer of them than are compared at most.
pub(super) fn is_kept(copies: &[Copies<'_>]) -> bool {
    let windows = copies.iter().filter_map(Copies::windows);
    windows.map(Windows::count_max).sum::<usize>() < COMPARED_CAP
}
