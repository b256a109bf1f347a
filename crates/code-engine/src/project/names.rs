//! How many files mention each name: the uses in each file, summed over the project and stored between runs.
//!
//! The uses in a file are its mentions, literals and definitions. If a file changes, its old uses are subtracted, so
//! that a run after a change reads only the changed files. Names are distinguished by a hash of 64 bits: the
//! probability that any two of a million names collide is 3 in 10^8.
//!
//! A sum consists of the number of files with a name, and of the exclusive or of their file numbers. For a single file,
//! the latter is the number of that file.

use rustc_hash::FxHashMap;

use super::super::blob::sum;
use super::super::facts::{FileFacts, Text};
use super::dead_code::parts;
use super::role::{self, Role};

/// The files that mention a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Places {
    files: u32,
    /// The exclusive or of their file numbers.
    which: u64,
}

impl Places {
    /// Adds a file.
    pub fn add(&mut self, file: u64) {
        self.files = self.files.wrapping_add(1);
        self.which ^= file;
    }

    fn remove(&mut self, file: u64) {
        self.files = self.files.wrapping_sub(1);
        self.which ^= file;
    }

    /// Whether a file other than this one mentions the name.
    pub fn elsewhere(self, file: u64) -> bool {
        self.files > 1 || (self.files == 1 && self.which != file)
    }
}

/// The files that mention a name, and the counts of its other uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    /// In source.
    pub source: Places,
    /// In tests.
    pub tests: Places,
    /// The number of files in which a string literal is the name.
    pub texts: u32,
    /// The number of definitions with the name.
    pub definitions: u32,
}

impl Uses {
    /// The encoded length: the numbers of files, the counts of texts and definitions, and the exclusive ors.
    const BYTES: usize = 32;

    /// The places in tests, or in source.
    pub fn places_mut(&mut self, test: bool) -> &mut Places {
        if test {
            &mut self.tests
        } else {
            &mut self.source
        }
    }

    fn write(self, bytes: &mut Vec<u8>) {
        for number in [
            self.source.files,
            self.tests.files,
            self.texts,
            self.definitions,
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for which in [self.source.which, self.tests.which] {
            bytes.extend_from_slice(&which.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Option<Uses> {
        let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(Uses {
            source: Places {
                files: number(0)?,
                which: long(bytes, 16)?,
            },
            tests: Places {
                files: number(4)?,
                which: long(bytes, 24)?,
            },
            texts: number(8)?,
            definitions: number(12)?,
        })
    }
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// The number of a file: a hash of its path.
pub(crate) fn file_number(path: &str) -> u64 {
    sum(path.as_bytes())
}

/// The uses of every name of a project.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameUses {
    /// The uses of the previous run, sorted by hash: each hash with its uses.
    kept: Vec<u8>,
    /// The uses that changed since.
    changed: FxHashMap<u64, Uses>,
}

impl NameUses {
    const RECORD: usize = 8 + Uses::BYTES;

    /// Decodes the result of [`bytes`](Self::bytes); `None` if the length is invalid.
    pub fn read(bytes: Vec<u8>) -> Option<NameUses> {
        bytes.len().is_multiple_of(Self::RECORD).then(|| NameUses {
            kept: bytes,
            changed: FxHashMap::default(),
        })
    }

    /// The uses of a name.
    pub fn of(&self, name: &str) -> Uses {
        let hash = sum(name.as_bytes());
        let changed = self.changed.get(&hash).copied();
        changed.unwrap_or_else(|| uses_kept(&self.kept, hash))
    }

    /// Adds the uses in a file.
    pub fn add(&mut self, path: &str, facts: &FileFacts) {
        let file = file_number(path);
        self.change(path, facts, |uses, what| match what {
            Added::Mention { test } => uses.places_mut(test).add(file),
            Added::Text => uses.texts = uses.texts.wrapping_add(1),
            Added::Definition => uses.definitions = uses.definitions.wrapping_add(1),
        });
    }

    /// Subtracts the uses in a file.
    pub fn remove(&mut self, path: &str, facts: &FileFacts) {
        let file = file_number(path);
        self.change(path, facts, |uses, what| match what {
            Added::Mention { test } => uses.places_mut(test).remove(file),
            Added::Text => uses.texts = uses.texts.wrapping_sub(1),
            Added::Definition => uses.definitions = uses.definitions.wrapping_sub(1),
        });
    }

    fn change(&mut self, path: &str, facts: &FileFacts, change: impl Fn(&mut Uses, Added)) {
        let mut to = |hash: u64, what: Added| {
            let kept = &self.kept;
            let uses = self.changed.entry(hash);
            change(uses.or_insert_with(|| uses_kept(kept, hash)), what);
        };
        let in_tests = role::of(path) == Role::Test;
        let mut mentions: Vec<(u64, bool)> = Vec::new();
        for reference in facts.references.iter() {
            let test = in_tests || reference.test;
            mentions.extend(parts(&reference).map(|part| (sum(part.as_bytes()), test)));
        }
        mentions.sort_unstable();
        mentions.dedup();
        for (hash, test) in mentions {
            to(hash, Added::Mention { test });
        }
        for text in facts.texts.iter() {
            if let Text::Whole(word) = text {
                to(sum(word.as_bytes()), Added::Text);
            }
        }
        for definition in &facts.definitions {
            to(sum(definition.name.as_bytes()), Added::Definition);
        }
    }

    /// Encodes the uses: those of the previous run with the changes applied.
    pub fn bytes(&self) -> Vec<u8> {
        let mut changed: Vec<(u64, Uses)> = self
            .changed
            .iter()
            .map(|(hash, uses)| (*hash, *uses))
            .collect();
        changed.sort_unstable_by_key(|(hash, _)| *hash);
        let mut bytes = Vec::with_capacity(self.kept.len() + changed.len() * Self::RECORD);
        let mut write = |hash: u64, uses: Uses| {
            if uses != Uses::default() {
                bytes.extend_from_slice(&hash.to_le_bytes());
                uses.write(&mut bytes);
            }
        };
        let mut changed = changed.into_iter().peekable();
        for record in self.kept.chunks_exact(Self::RECORD) {
            let hash = long(record, 0).unwrap_or_default();
            while let Some((other, uses)) = changed.next_if(|(other, _)| *other < hash) {
                write(other, uses);
            }
            match changed.next_if(|(other, _)| *other == hash) {
                Some((_, uses)) => write(hash, uses),
                None => write(hash, Uses::read(&record[8..]).unwrap_or_default()),
            }
        }
        for (hash, uses) in changed {
            write(hash, uses);
        }
        bytes
    }
}

/// A kind of use of a name in a file.
#[derive(Debug, Clone, Copy)]
enum Added {
    Mention { test: bool },
    Text,
    Definition,
}

/// Returns the stored uses of a name.
fn uses_kept(kept: &[u8], hash: u64) -> Uses {
    let record = |at: usize| {
        let from = at * NameUses::RECORD;
        kept.get(from..from + NameUses::RECORD)
    };
    let (mut low, mut high) = (0, kept.len() / NameUses::RECORD);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = record(middle).and_then(|one| Some((long(one, 0)?, one)));
        match found {
            Some((other, one)) if other == hash => {
                return Uses::read(&one[8..]).unwrap_or_default();
            }
            Some((other, _)) if other < hash => low = middle + 1,
            _ => high = middle,
        }
    }
    Uses::default()
}

#[cfg(test)]
mod tests {
    use super::super::super::language::Language;
    use super::*;
    use crate::parse::file_analyze;

    fn facts(source: &str) -> FileFacts {
        file_analyze("a.py", Language::Python, source.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_file_added_is_subtracted_again() {
        let (one, two) = (
            facts("def one():\n    return other(1)\n"),
            facts("def two():\n    return one() + getattr(a, 'one')\n"),
        );
        let mut uses = NameUses::default();
        uses.add("a.py", &one);
        let alone = uses.bytes();
        uses.add("tests/test_b.py", &two);
        let of = uses.of("one");
        assert_eq!((of.definitions, of.texts, of.source.files), (1, 1, 0));
        assert!(of.tests.elsewhere(file_number("a.py")));
        assert!(!of.tests.elsewhere(file_number("tests/test_b.py")));
        let mut kept = NameUses::read(uses.bytes()).unwrap();
        assert_eq!(kept.of("one"), of);
        assert_eq!(kept.of("never"), Uses::default());
        kept.remove("tests/test_b.py", &two);
        assert_eq!(kept.bytes(), alone);
        kept.remove("a.py", &one);
        assert!(kept.bytes().is_empty());
    }
}
