//! The similarity of two texts by git's measure: texts are split into chunks at line ends or after 64 bytes, and common
//! chunks count. `git diff -M` would need every content in the mirror, which a partial clone does not have. Here the
//! texts may come from anywhere.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

/// The similarity from which on a deleted and an added file are a moved file: git's 50 %.
pub const SIMILARITY_MIN: f64 = 0.5;

/// The longest chunk of a text, as in git.
const PIECE_BYTES_MAX: usize = 64;

/// The chunks of a text, to be compared with those of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    bytes: u64,
    /// The hashes of the chunks, sorted, each with its number of bytes in the text.
    pieces: Vec<(u64, u64)>,
}

impl Fingerprint {
    /// Splits a text into chunks.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let mut pieces: BTreeMap<u64, u64> = BTreeMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let window = &rest[..rest.len().min(PIECE_BYTES_MAX)];
            let end = window
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(window.len(), |line_end| line_end + 1);
            let (piece, after) = rest.split_at(end);
            let mut hash = DefaultHasher::new();
            // Git ignores the kind of line ends.
            match piece.strip_suffix(b"\r\n") {
                Some(line) => {
                    hash.write(line);
                    hash.write(b"\n");
                }
                None => hash.write(piece),
            }
            *pieces.entry(hash.finish()).or_default() += piece.len() as u64;
            rest = after;
        }
        Self {
            bytes: text.len() as u64,
            pieces: pieces.into_iter().collect(),
        }
    }

    /// The part of the longer text that both have in common: 0 to 1.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        if !sizes_allow(self.bytes, other.bytes) {
            return 0.0;
        }
        let (mut shared, mut at) = (0, 0);
        for (hash, bytes) in &self.pieces {
            while other.pieces.get(at).is_some_and(|(other, _)| other < hash) {
                at += 1;
            }
            if let Some((_, others)) = other.pieces.get(at).filter(|(other, _)| other == hash) {
                shared += bytes.min(others);
            }
        }
        ratio(shared, self.bytes.max(other.bytes))
    }
}

/// Whether the sizes of two texts allow a similarity; otherwise they are not compared.
fn sizes_allow(a: u64, b: u64) -> bool {
    a.max(b) > 0 && ratio(a.min(b), a.max(b)) >= SIMILARITY_MIN
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of files, far below where it matters"
)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::git::testing::TestRepository;

    fn similarity(a: &str, b: &str) -> f64 {
        Fingerprint::of(a.as_bytes()).similarity(&Fingerprint::of(b.as_bytes()))
    }

    #[test]
    fn a_text_is_like_itself_and_unlike_another() {
        let text = "fn one() {}\nfn two() {}\n";
        assert!((similarity(text, text) - 1.0).abs() < f64::EPSILON);
        assert!((similarity(text, &text.replace('\n', "\r\n")) - 1.0).abs() < 0.1);
        assert!(similarity(text, "something\nelse\nentirely\n") < f64::EPSILON);
        assert!(similarity(text, "") < f64::EPSILON && similarity("", "") < f64::EPSILON);
        assert!(similarity("a\n", &"a\n".repeat(9)) < f64::EPSILON);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        /// Replaces some of twenty lines: files are a rename here if git says so.
        #[test]
        fn it_decides_as_git_does(changed in 0_usize..20, seed in 0_u32..1000) {
            let line = |n: usize, mark: u32| format!("line {n} of the text with mark {mark}\n");
            let old: String = (0..20).map(|n| line(n, seed)).collect();
            let new: String = (0..20).map(|n| line(n, if n < changed { seed + 5_000 } else { seed })).collect();
            let folder = tempfile::tempdir().unwrap();
            let mut repository = TestRepository::create(folder.path());
            repository.write("old.txt", &old);
            repository.commit("one");
            repository.remove("old.txt").write("new.txt", &new);
            repository.commit("two");
            let gits = repository.git(&["diff-tree", "-M50%", "--diff-filter=R", "--name-only", "-r", "HEAD~", "HEAD"]);
            let score = similarity(&old, &new);
            // Git's hashes may collide, so values close to the threshold are not compared.
            if (score - SIMILARITY_MIN).abs() > 0.05 {
                prop_assert_eq!(!gits.is_empty(), score >= SIMILARITY_MIN, "{}", score);
            }
        }
    }
}
