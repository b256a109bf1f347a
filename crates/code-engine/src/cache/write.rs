//! Writes the pack that replaces the previous one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use super::super::blob::sum;
use super::super::facts::ENGINE_VERSION;
use super::{Cache, CacheRecord, Entry, Index, MAGIC};

impl Cache {
    /// Writes a new pack, and returns the checksum of its index. A failure only costs the next run some time.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn write(&self, keep: &[CacheRecord<'_>]) -> io::Result<u64> {
        let mut file = File::create(&self.beside)?;
        let mut at = 0u64;
        // Usually only a few files changed: then the operating system copies the old pack as a whole.
        let is_copied = self.is_worth_copying(keep);
        if is_copied {
            at = self.copy(&mut file)?;
        }
        let mut out = BufWriter::with_capacity(1 << 18, file);
        let mut index = Index {
            began: self.began,
            rules: self.rules.clone(),
            entries: Vec::with_capacity(keep.len()),
        };
        let mut rest = keep;
        while let Some(first) = rest.first() {
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
            // Old entries are copied unchanged, adjacent ones together.
            let old: Vec<usize> = rest.iter().map_while(|one| one.entry).take(4096).collect();
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
            if is_copied {
                for (number, one) in old.iter().zip(rest) {
                    let entry = &self.index.entries[*number];
                    add(one, entry.start, entry.length, entry.sum);
                }
                rest = &rest[old.len()..];
                continue;
            }
            let (range, count) = self.run(&old);
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
        let pack_sum = sum(&bytes);
        for number in [at, bytes.len() as u64, pack_sum] {
            out.write_all(&number.to_le_bytes())?;
        }
        out.into_inner().map_err(|error| error.into_error())?;
        fs::rename(&self.beside, &self.place)?;
        Ok(pack_sum)
    }

    /// Whether at most a quarter of the pack's facts is unused.
    fn is_worth_copying(&self, keep: &[CacheRecord<'_>]) -> bool {
        let entries = keep.iter().filter_map(|one| one.entry);
        let used: u64 = entries
            .map(|at| u64::from(self.index.entries[at].length))
            .sum();
        self.pack.is_some() && used * 4 >= self.facts_end * 3
    }

    /// Copies the facts of the pack, and returns where they end.
    fn copy(&self, to: &mut File) -> io::Result<u64> {
        let pack = self.pack.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut pack = pack.lock().map_err(|_| io::ErrorKind::Other)?;
        pack.seek(SeekFrom::Start(0))?;
        let copied = io::copy(&mut (&*pack).take(self.facts_end), to)?;
        if copied == self.facts_end {
            Ok(copied)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}
