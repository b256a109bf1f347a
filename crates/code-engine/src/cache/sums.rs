//! The uses of all names, summed over the files of a pack and stored next to it.
//!
//! The file ends with the checksum of its pack, whether the pack is continued or not. A run subtracts the uses in files
//! that were removed or changed, and adds those in new files. If the sums are damaged or belong to another pack, they
//! are computed again.

use std::{fs, io};

use super::super::blob::sum;
use super::super::project::names::NameUses;
use super::{Cache, CacheRecord};

/// The length of the trailer: the checksums of the pack's index and of the sums.
const SUMS_TAIL_BYTES: usize = 16;
/// If more than one in so many files changed, the sums are computed again.
const SUMS_CHANGED_SHARE: usize = 8;

impl Cache {
    /// Returns the uses of all names in these files, which are all files of the project: the stored uses, updated by
    /// the changed files. `None` if none are stored, or if too many files changed for an update to pay.
    pub fn uses(&self, keep: &[CacheRecord<'_>]) -> Option<NameUses> {
        let mut bytes = fs::read(&self.sums).ok()?;
        let head = bytes.split_off(bytes.len().checked_sub(SUMS_TAIL_BYTES)?);
        let number = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
        if number(0)? != self.pack.as_ref()?.sum || number(8)? != sum(&bytes) {
            return None;
        }
        let summed = &self.older.as_ref().unwrap_or(&self.index).entries;
        let mut is_same = vec![false; summed.len()];
        let mut new: Vec<&CacheRecord<'_>> = Vec::new();
        for one in keep {
            let start = one.entry.map(|at| self.index.entries[at].start);
            let at = summed.binary_search_by(|entry| entry.path.as_str().cmp(one.path));
            match at.ok().filter(|at| Some(summed[*at].start) == start) {
                Some(at) => is_same[at] = true,
                None => new.push(one),
            }
        }
        let numbers = 0..is_same.len();
        let gone: Vec<usize> = numbers.filter(|at| !is_same[*at]).collect();
        if (gone.len() + new.len()) * SUMS_CHANGED_SHARE > keep.len() {
            return None;
        }
        let mut uses = NameUses::read(bytes)?;
        for (at, read) in gone.iter().zip(self.read_of(summed, &gone)) {
            if let Ok(facts) = read?.0 {
                uses.remove(&summed[*at].path, &facts);
            }
        }
        for one in new {
            if let Ok(facts) = one.kept {
                uses.add(one.path, facts);
            }
        }
        Some(uses)
    }

    /// Writes the uses of all names in the files of a new pack.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn uses_write(&self, uses: &NameUses, pack_sum: u64) -> io::Result<()> {
        let mut bytes = uses.bytes();
        let bytes_sum = sum(&bytes);
        bytes.extend_from_slice(&pack_sum.to_le_bytes());
        bytes.extend_from_slice(&bytes_sum.to_le_bytes());
        // The new pack was renamed to its final name, so the temporary name is free again.
        fs::write(&self.beside, bytes)?;
        fs::rename(&self.beside, &self.sums)
    }
}
