//! Writes the pack that replaces the previous one, or the continuation of the previous one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::super::blob::sum;
use super::super::facts::ENGINE_VERSION;
use super::open::MAGIC;
use super::{Cache, CacheRecord, Entry, Index, MORE};

/// A continuation is at most this share of its pack.
const MORE_SHARE: u64 = 8;

impl Cache {
    /// Writes the facts for the next run: only those that are new, as a continuation of the pack, if that `may` be and
    /// pays. Returns the checksum of a new pack's index, or `None` if the pack is the old one. A failure only costs the
    /// next run some time.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn write(&self, keep: &[CacheRecord<'_>], may_continue: bool) -> io::Result<Option<u64>> {
        let more = self.place.with_extension(MORE);
        if let Some(begin) = self.end_of_pack(keep).filter(|_| may_continue)
            && let pack_sum = self.pack.as_ref().map_or(0, |pack| pack.sum)
            && self.write_to(&more, keep, begin, pack_sum).is_ok()
        {
            return Ok(None);
        }
        let pack_sum = self.write_to(&self.place, keep, 0, 0)?;
        // It would be ignored, because it continues the old pack.
        let _ = fs::remove_file(&more);
        Ok(Some(pack_sum))
    }

    /// Writes the facts of which none are before `begin`, and the index of all. Returns the checksum of the index.
    ///
    /// # Errors
    /// The folder is not writable, or a continuation becomes too large.
    fn write_to(
        &self,
        place: &Path,
        keep: &[CacheRecord<'_>],
        begin: u64,
        pack_sum: u64,
    ) -> io::Result<u64> {
        let end_max = match begin {
            0 => u64::MAX,
            begin => begin + begin / MORE_SHARE,
        };
        let mut out = BufWriter::with_capacity(1 << 18, File::create(&self.beside)?);
        let mut at = begin;
        let mut index = Index {
            began: self.began,
            rules: self.rules.clone(),
            entries: Vec::with_capacity(keep.len()),
        };
        let mut rest = keep;
        while let Some(first) = rest.first() {
            if at > end_max {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let mut add = |one: &CacheRecord<'_>, start: u64, length: u32, sum: u64| {
                index.entries.push(Entry {
                    path: one.path.to_owned(),
                    blob: one.blob.to_owned(),
                    language: one.language,
                    stamp: one.stamp,
                    start,
                    length,
                    sum,
                });
            };
            let entry = |one: &CacheRecord<'_>| one.entry.map(|at| &self.index.entries[at]);
            if let Some(entry) = entry(first).filter(|entry| entry.start < begin) {
                add(first, entry.start, entry.length, entry.sum);
                rest = &rest[1..];
                continue;
            }
            // Other old entries are copied unchanged, adjacent ones together.
            let old = rest.iter().map_while(|one| one.entry);
            let old = old.take_while(|at| self.index.entries[*at].start >= begin);
            let old: Vec<usize> = old.take(4096).collect();
            if old.is_empty() {
                let noted = first.kept.ok().map(|facts| facts.noted(first.language));
                let bytes = postcard::to_stdvec(&(first.kept, noted, first.hits));
                let bytes = bytes.map_err(io::Error::other)?;
                out.write_all(&bytes)?;
                let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
                add(first, at, length, sum(&bytes));
                at += u64::from(length);
                rest = &rest[1..];
                continue;
            }
            let (range, count) = self.run(&self.index.entries, &old);
            let bytes = self.bytes(&range).ok_or(io::ErrorKind::UnexpectedEof)?;
            for (number, one) in old[..count].iter().zip(rest) {
                let entry = &self.index.entries[*number];
                let from = usize::try_from(entry.start - range.start).unwrap_or_default();
                let bytes = &bytes[from..from + entry.length as usize];
                out.write_all(bytes)?;
                add(one, at, entry.length, entry.sum);
                at += u64::from(entry.length);
            }
            rest = &rest[count..];
        }
        let bytes = postcard::to_stdvec(&index).map_err(io::Error::other)?;
        out.write_all(&bytes)?;
        out.write_all(MAGIC)?;
        out.write_all(&ENGINE_VERSION.to_le_bytes())?;
        let index_sum = sum(&bytes);
        for number in [at - begin, bytes.len() as u64, index_sum, pack_sum] {
            out.write_all(&number.to_le_bytes())?;
        }
        out.into_inner().map_err(|error| error.into_error())?;
        fs::rename(&self.beside, place)?;
        Ok(index_sum)
    }

    /// Where the facts of the pack end, if at most a quarter of them is unused.
    fn end_of_pack(&self, keep: &[CacheRecord<'_>]) -> Option<u64> {
        let end = self.pack.as_ref()?.end;
        let entries = keep.iter().filter_map(|one| one.entry);
        let entries = entries.map(|at| &self.index.entries[at]);
        let used = entries.filter(|entry| entry.start < end);
        let used: u64 = used.map(|entry| u64::from(entry.length)).sum();
        (end > 0 && used * 4 >= end * 3).then_some(end)
    }
}
