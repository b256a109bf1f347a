//! Results of one run that the next one can use in part, each in a file next to the pack.
//!
//! The results name the contents that they are of, so they need not be of the same run as the pack. The file ends with
//! a key of the program that wrote it, because another program may compute other results from the same facts, and with
//! a checksum. A damaged file, or one of another program, is ignored.

use std::{env, fs, io};

use super::super::blob::sum;
use super::super::facts::ENGINE_VERSION;
use super::super::source::stamp_of;
use super::Cache;

/// The length of the trailer: the key of the program, and the checksum.
const TAIL_BYTES: usize = 16;

impl Cache {
    /// Reads the results with this name.
    pub fn kept(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.place.with_extension(name)).ok()?;
        let tail = bytes.split_off(bytes.len().checked_sub(TAIL_BYTES)?);
        let number = |at: usize| Some(u64::from_le_bytes(tail.get(at..at + 8)?.try_into().ok()?));
        (number(0)? == program_key()? && number(8)? == sum(&bytes)).then_some(bytes)
    }

    /// Writes the results with this name for the next run. It is not called at the same time as another function that
    /// writes.
    ///
    /// # Errors
    /// The folder is not writable, or the program cannot be told from others.
    pub fn kept_write(&self, name: &str, mut bytes: Vec<u8>) -> io::Result<()> {
        let key = program_key().ok_or(io::ErrorKind::NotFound)?;
        let bytes_sum = sum(&bytes);
        bytes.extend_from_slice(&key.to_le_bytes());
        bytes.extend_from_slice(&bytes_sum.to_le_bytes());
        fs::write(&self.beside, bytes)?;
        fs::rename(&self.beside, self.place.with_extension(name))
    }
}

/// The key of the running program: its version, and the stamp of its file, which changes with each build.
fn program_key() -> Option<u64> {
    let stamp = stamp_of(&env::current_exe().ok()?)?;
    Some(sum(format!("{ENGINE_VERSION} {stamp:?}").as_bytes()))
}
