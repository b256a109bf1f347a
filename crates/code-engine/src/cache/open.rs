//! Opens a pack, or its continuation.
//!
//! Both have the same form: facts, then an index, then a trailer. The offsets of a continuation go on from where the
//! pack's facts end, and its index lists all files. The pack's own index then tells what the sums next to it are of.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;

use super::super::blob::sum;
use super::super::facts::ENGINE_VERSION;
use super::{Entry, Index};

/// The magic number at the beginning of the trailer. It names the version of the format.
pub(super) const MAGIC: &[u8; 16] = b"nyxcore facts 3\n";
/// The length of the trailer: magic, engine version, start and length of the index, its checksum, and that of the index
/// of the continued pack, or 0.
const TAIL_BYTES: u64 = 16 + 4 + 8 + 8 + 8 + 8;
/// A longer index is treated as damaged: even a hundred bytes per file would be a lot.
const INDEX_CAP: u64 = 1 << 30;

/// An open pack, or the continuation of one.
#[derive(Debug)]
pub(super) struct Pack {
    file: Mutex<File>,
    /// The offset of its first byte: 0, or the end of the continued pack.
    begin: u64,
    /// The end of its facts.
    pub end: u64,
    /// The checksum of its index.
    pub sum: u64,
}

impl Pack {
    /// Opens a pack and reads its index; `continued` is the pack that it must continue.
    pub fn open(place: &Path, continued: Option<&Pack>) -> io::Result<(Pack, Index)> {
        let mut file = File::open(place)?;
        let size = file.seek(SeekFrom::End(0))?;
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        let tail_at = size.checked_sub(TAIL_BYTES).ok_or_else(damaged)?;
        file.seek(SeekFrom::Start(tail_at))?;
        let mut tail = [0; TAIL_BYTES as usize];
        file.read_exact(&mut tail)?;
        let number = |at: usize| {
            let bytes: Option<[u8; 8]> =
                tail.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_le_bytes).ok_or_else(damaged)
        };
        let (start, length, expected) = (number(20)?, number(28)?, number(36)?);
        let begin = continued.map_or(0, |pack| pack.end);
        let is_ours = tail.starts_with(MAGIC)
            && tail[16..20] == ENGINE_VERSION.to_le_bytes()
            && number(44)? == continued.map_or(0, |pack| pack.sum);
        if !is_ours || length > INDEX_CAP || start.checked_add(length) != Some(tail_at) {
            return Err(damaged());
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged())?];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        if sum(&bytes) != expected {
            return Err(damaged());
        }
        let index: Index = postcard::from_bytes(&bytes).map_err(|_| damaged())?;
        let end = begin.checked_add(start).ok_or_else(damaged)?;
        let ends = |entry: &Entry| entry.start.saturating_add(u64::from(entry.length));
        if index.entries.iter().any(|entry| ends(entry) > end) {
            return Err(damaged());
        }
        Ok((
            Pack {
                file: Mutex::new(file),
                begin,
                end,
                sum: expected,
            },
            index,
        ))
    }

    /// Reads a range of its facts.
    pub fn bytes(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        let length = range.end - range.start;
        let mut bytes = Vec::with_capacity(usize::try_from(length).ok()?);
        let mut file = self.file.lock().ok()?;
        file.seek(SeekFrom::Start(range.start.checked_sub(self.begin)?))
            .ok()?;
        let read = (&*file).take(length).read_to_end(&mut bytes).ok()?;
        (read as u64 == length).then_some(bytes)
    }
}
