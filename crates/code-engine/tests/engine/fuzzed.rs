//! Checks the fuzzing properties over the corpus and over several thousand fixed mutations of it.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[path = "../../fuzz/src/properties.rs"]
mod properties;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

/// One mutation: the position as a share of the length, the kind, and the amount.
type Change = (u16, u8, u8);

/// Pieces that begin or end a construct in many languages.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "`",
    "/*",
    "*/",
    "//",
    "#",
    "\n",
    "\\",
    "<<",
    ">>",
    "::",
    "?.",
    "=>",
    "&&",
    "if ",
    "\u{feff}",
    "\u{1F600}",
];

fn mutate(seed: &[u8], other: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (at, kind, amount) in changes {
        let place = usize::from(*at) * bytes.len() / (usize::from(u16::MAX) + 1);
        let length = usize::from(*amount).min(bytes.len() - place);
        match kind % 6 {
            0 => drop(bytes.drain(place..place + length)),
            1 => {
                let piece = PIECES[usize::from(*amount) % PIECES.len()];
                bytes.splice(place..place, piece.bytes());
            }
            2 => {
                let copy = bytes[place..place + length].to_vec();
                bytes.splice(place..place, copy);
            }
            3 => bytes.truncate(place),
            4 => {
                let from = usize::from(*at) * other.len() / (usize::from(u16::MAX) + 1);
                let to = (from + usize::from(*amount)).min(other.len());
                bytes.splice(place..place, other[from..to].iter().copied());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = *amount;
                }
            }
        }
    }
    bytes
}

fn holds(target: &str, cases: u32, property: fn(&[u8])) {
    let corpus = corpus(target);
    for bytes in &corpus {
        property(bytes);
    }
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let changes = prop::collection::vec(any::<Change>(), 1..12);
    let strategy = (0..corpus.len(), 0..corpus.len(), changes);
    TestRunner::new_with_rng(config, rng)
        .run(&strategy, |(seed, other, changes)| {
            property(&mutate(&corpus[seed], &corpus[other], &changes));
            Ok(())
        })
        .expect("the property holds");
}

#[test]
fn mutations_of_python_are_analysed_or_refused() {
    holds("python", 600, properties::python);
}

#[test]
fn mutations_of_typescript_are_analysed_or_refused() {
    holds("ecma", 600, properties::ecma);
}

#[cfg(feature = "all-languages")]
#[test]
fn mutations_of_every_other_language_are_analysed_or_refused() {
    holds("syntax_tree", 1200, properties::syntax_tree);
}

#[test]
fn damaged_facts_are_refused_or_read_whole() {
    holds("references", 2000, properties::references);
}

#[test]
fn mutations_of_a_project_are_summed_up_in_any_order() {
    holds("project", 300, properties::project);
}
