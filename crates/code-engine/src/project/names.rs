//! Over how many files each name is mentioned: what each file adds, summed over the project and kept between runs.
//!
//! A file adds what it mentions, says in a literal and defines. What it added before is subtracted when it changes,
//! so that a run after a change reads the changed files and not all. Names are told apart by 64 bits of their hash:
//! that any two of a million names share one has a chance of 3 in 10^8.
//!
//! A sum says in how many files a name is, and the combination of their numbers by exclusive or says which file it is
//! where it is one.

use rustc_hash::FxHashMap;

use super::super::blob::sum;
use super::super::facts::{FileFacts, Text};
use super::dead_code::parts;
use super::role::{self, Role};

/// The files that mention a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Places {
    files: u32,
    /// The numbers of all of them, combined.
    which: u64,
}

impl Places {
    /// One file more.
    pub fn add(&mut self, file: u64) {
        self.files = self.files.wrapping_add(1);
        self.which ^= file;
    }

    fn remove(&mut self, file: u64) {
        self.files = self.files.wrapping_sub(1);
        self.which ^= file;
    }

    /// Whether another file mentions it.
    pub fn elsewhere(self, file: u64) -> bool {
        self.files > 1 || (self.files == 1 && self.which != file)
    }
}

/// Where a name is mentioned, and what else is known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    /// By source.
    pub source: Places,
    /// By tests.
    pub tests: Places,
    /// In how many files a string literal is the name.
    pub texts: u32,
    /// How many definitions have the name.
    pub definitions: u32,
}

impl Uses {
    /// Its bytes: the numbers of files, those of texts and definitions, and the combinations.
    const BYTES: usize = 32;

    /// The files of tests, or of source.
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

/// The number of a file, by its path.
pub(crate) fn file_number(path: &str) -> u64 {
    sum(path.as_bytes())
}

/// The uses of every name of a project.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameUses {
    /// Those of the run before, in the order of the hashes: each hash with its uses.
    kept: Vec<u8>,
    /// Those that are others now.
    changed: FxHashMap<u64, Uses>,
}

impl NameUses {
    const RECORD: usize = 8 + Uses::BYTES;

    /// The uses that [`bytes`](Self::bytes) gave; `None` for other bytes.
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

    /// Adds what a file adds.
    pub fn add(&mut self, path: &str, facts: &FileFacts) {
        let file = file_number(path);
        self.change(path, facts, |uses, what| match what {
            Added::Mention { test } => uses.places_mut(test).add(file),
            Added::Text => uses.texts = uses.texts.wrapping_add(1),
            Added::Definition => uses.definitions = uses.definitions.wrapping_add(1),
        });
    }

    /// Subtracts what a file added.
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

    /// The uses as bytes, those of the run before and those that are others now.
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

/// What a file adds to the uses of a name.
#[derive(Debug, Clone, Copy)]
enum Added {
    Mention { test: bool },
    Text,
    Definition,
}

/// The uses that were kept of a name.
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
