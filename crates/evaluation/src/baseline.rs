//! Plain BM25 over the text of whole files, in memory. Words are runs of letters, digits and `_` in lower case; nothing
//! is split, stemmed or weighted. It is what a search engine does that knows nothing of code.

use std::collections::{BTreeMap, HashMap, HashSet};

/// The usual constants of BM25.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// An index of files.
#[derive(Debug, Default)]
pub struct Baseline {
    files: BTreeMap<String, FileWords>,
    documents: HashMap<String, u32>,
    words: u64,
}

#[derive(Debug)]
struct FileWords {
    counts: HashMap<String, u32>,
    words: u32,
}

impl Baseline {
    /// Adds a file, or replaces it. Its path is a part of its text.
    pub fn file_set(&mut self, path: &str, text: &str) {
        self.file_remove(path);
        let mut file = FileWords {
            counts: HashMap::new(),
            words: 0,
        };
        for word in words(path).chain(words(text)) {
            *file.counts.entry(word).or_default() += 1;
            file.words = file.words.saturating_add(1);
        }
        for word in file.counts.keys() {
            *self.documents.entry(word.clone()).or_default() += 1;
        }
        self.words += u64::from(file.words);
        self.files.insert(path.to_owned(), file);
    }

    /// Removes a file. An unknown one is no error.
    pub fn file_remove(&mut self, path: &str) {
        let Some(file) = self.files.remove(path) else {
            return;
        };
        self.words -= u64::from(file.words);
        for word in file.counts.keys() {
            if let Some(count) = self.documents.get_mut(word) {
                *count -= 1;
            }
        }
    }

    /// The paths of the best files for a question, at most `limit`, best first.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn search(&self, question: &str, limit: usize) -> Vec<String> {
        let asked: HashSet<String> = words(question).collect();
        let mut asked: Vec<String> = asked.into_iter().collect();
        asked.sort();
        let count = self.files.len() as f64;
        let mean = self.words as f64 / count.max(1.0);
        let mut scores: Vec<(f64, &String)> = Vec::new();
        for (path, file) in &self.files {
            let norm = K1 * (1.0 - B + B * f64::from(file.words) / mean.max(1.0));
            let score: f64 = asked
                .iter()
                .filter_map(|word| {
                    let times = f64::from(*file.counts.get(word)?);
                    let with = f64::from(*self.documents.get(word)?);
                    let rarity = (1.0 + (count - with + 0.5) / (with + 0.5)).ln();
                    Some(rarity * times * (K1 + 1.0) / (times + norm))
                })
                .sum();
            if score > 0.0 {
                scores.push((score, path));
            }
        }
        scores.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        scores
            .into_iter()
            .take(limit)
            .map(|(_, path)| path.clone())
            .collect()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_with_more_and_rarer_words_is_first() {
        let mut baseline = Baseline::default();
        baseline.file_set("a.rs", "fn lease() worker worker");
        baseline.file_set("b.rs", "fn worker()");
        baseline.file_set("c.rs", "fn other()");
        assert_eq!(baseline.search("lease worker", 10), ["a.rs", "b.rs"]);
        baseline.file_remove("a.rs");
        assert_eq!(baseline.search("lease worker", 10), ["b.rs"]);
        assert_eq!(baseline.search("", 10), [] as [&str; 0]);
    }
}
