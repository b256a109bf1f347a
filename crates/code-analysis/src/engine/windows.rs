//! Windows of normalised lines, by which duplicated code is found.
//!
//! The significant lines of a file are those with code and more than punctuation, white space collapsed. Each run of
//! [`WINDOW_LINES`] of them is one window, kept as a 48-bit hash. Two files that share a window share those lines.
//! With 10^6 windows the chance that any two of them collide is about 0.2 % (n^2 / 2^49).

use serde::{Deserialize, Serialize};

/// Lines in a window. Six lines of code, alike but for white space, are seldom alike by accident.
pub const WINDOW_LINES: usize = 6;

/// The most windows kept of one file; what follows them is not compared. It bounds the facts of one file to 64 KiB.
const WINDOW_CAP: usize = 4096;

/// The windows of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// The 1-based lines that are significant, as runs of (first, count).
    runs: Vec<(u32, u32)>,
    /// The hash of the window that begins at each significant line.
    hashes: Vec<u64>,
}

impl Windows {
    /// Collects the windows of the significant lines `(line, text)`, in order.
    pub(crate) fn collect<'s>(lines: impl Iterator<Item = (u32, &'s str)>) -> Windows {
        let mut windows = Windows::default();
        let mut recent = [0u64; WINDOW_LINES];
        let mut count = 0usize;
        for (line, text) in lines {
            let Some(hash) = line_hash(text) else {
                continue;
            };
            match windows.runs.last_mut() {
                Some((first, length)) if *first + *length == line => *length += 1,
                _ => windows.runs.push((line, 1)),
            }
            recent[count % WINDOW_LINES] = hash;
            count += 1;
            if count >= WINDOW_LINES {
                let oldest = count % WINDOW_LINES;
                let window = (0..WINDOW_LINES).fold(FNV_OFFSET, |sum, step| {
                    mix(sum, recent[(oldest + step) % WINDOW_LINES])
                });
                windows.hashes.push((window ^ (window >> 48)) & HASH_MASK);
                if windows.hashes.len() == WINDOW_CAP {
                    break;
                }
            }
        }
        if windows.hashes.is_empty() {
            windows.runs.clear();
        }
        windows
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// How many significant lines lie in a window whose hash is `wanted`.
    pub(crate) fn covered_lines(&self, wanted: impl Fn(u64) -> bool) -> u32 {
        let mut covered = 0u32;
        // The first significant line that was not counted yet.
        let mut counted_to = 0usize;
        for (first, hash) in self.hashes.iter().enumerate() {
            if wanted(*hash) {
                let from = first.max(counted_to);
                counted_to = first + WINDOW_LINES;
                covered += u32::try_from(counted_to - from).unwrap_or(0);
            }
        }
        covered
    }

    /// The hash of each window, in the order of the source.
    pub(crate) fn hashes(&self) -> &[u64] {
        &self.hashes
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
const HASH_MASK: u64 = (1 << 48) - 1;

fn mix(sum: u64, value: u64) -> u64 {
    // The finaliser of splitmix64 over an FNV step: cheap, and the same on every machine.
    let mut z = (sum ^ value)
        .wrapping_mul(FNV_PRIME)
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The hash of a line without its white space; `None` where it has no letter or digit.
fn line_hash(text: &str) -> Option<u64> {
    let mut hash = FNV_OFFSET;
    let mut says_something = false;
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        says_something |= byte.is_ascii_alphanumeric() || byte >= 0x80;
        hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
    }
    says_something.then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(text: &str) -> Windows {
        Windows::collect((1u32..).zip(text.lines()))
    }

    #[test]
    fn white_space_and_lone_punctuation_make_no_difference() {
        let a = numbered("a1\nb2\nc3\nd4\ne5\nf6\n");
        let b = numbered("  a1\n\n\tb 2\n{\nc3\n}\nd4\ne5\nf6\n");
        assert_eq!(a.hashes().len(), 1);
        assert_eq!(a.hashes(), b.hashes());
        assert_eq!(b.runs, [(1, 1), (3, 1), (5, 1), (7, 3)]);
        assert_ne!(
            a.hashes(),
            numbered("a1\nb2\nc3\nd4\nf6\ne5\n").hashes(),
            "order matters"
        );
    }

    #[test]
    fn five_lines_are_no_window() {
        assert!(numbered("a\nb\nc\nd\ne\n").is_empty());
    }
}
