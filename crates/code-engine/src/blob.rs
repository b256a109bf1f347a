//! Computes the Git blob id of a content, so that folders and repositories identify equal contents.

use std::hash::Hasher;

use rustc_hash::FxHasher;
use sha1::{Digest, Sha1};

/// The id that git gives a blob of these bytes, in hexadecimal: SHA-1 over `blob <length>\0` and the bytes.
///
/// ```
/// assert_eq!(nyxcore_code_engine::blob_id(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
/// ```
#[must_use]
pub fn blob_id(content: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    let mut text = String::with_capacity(40);
    for byte in hash.finalize() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

/// A hash of bytes that is the same in every run of one program. It detects damage, but is not collision-resistant.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
