//! Parses a question: words, identifiers, paths and tracebacks, in one line or a whole page.

use std::collections::{HashMap, HashSet};

use super::fold::{Stems, folded, normalized};
use super::words::{Term, Word, terms_of, words};
use super::{is_common, parts};

/// The most terms of a question for which the index is queried. Those that look rarest are selected from the whole
/// text; the databases then count which are rare.
pub(crate) const ASKED_TERMS_MAX: usize = 256;

/// The most bytes of a question that are read: a page of a log says what matters within that.
const TEXT_BYTES_MAX: usize = 400_000;

/// The numbers of words whose initials are searched for. Two letters mean too much.
const INITIALS: std::ops::RangeInclusive<usize> = 3..=5;
/// The most initials of a question.
const INITIALS_MAX: usize = 8;

/// A term of a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuestionTerm {
    /// The term in the index.
    pub text: String,
    /// Its stress in the question, about 1.
    pub weight: f64,
}

/// A parsed question.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Question {
    /// The terms, those with the highest weights first.
    pub terms: Vec<QuestionTerm>,
    /// Identifiers that are marked as such, folded and without `_`.
    pub identifiers: Vec<String>,
    /// Words that could be the name of a definition, folded.
    pub names: Vec<String>,
    /// Adjacent words, as terms, without the common words between them.
    pub pairs: HashSet<(String, String)>,
    /// Paths in the text, in lower case with `/`.
    pub paths: Vec<String>,
}

/// The occurrences of a term in a question.
#[derive(Debug, Clone, Copy, Default)]
struct Occurrence {
    count: u32,
    first: usize,
    in_title: bool,
    is_whole: bool,
    is_code: bool,
    is_common: bool,
}

impl Question {
    /// Parses a question.
    pub(crate) fn read(text: &str) -> Self {
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        let text = normalized(&text[..end]);
        let mut stems = Stems::new();
        let mut met: HashMap<String, Occurrence> = HashMap::new();
        let mut question = Self::default();
        let first_line_end = text
            .trim_start()
            .find('\n')
            .map_or(text.len(), |at| at + text.len() - text.trim_start().len());
        let mut place = 0;
        let mut found: Vec<Term> = Vec::new();
        let mut before: Option<String> = None;
        for word in words(&text) {
            found.clear();
            terms_of(&word, &mut stems, &mut found);
            let is_code = is_code(&text, word.start, word.text);
            let common = found.len() == 1 && is_common(&word.text.to_lowercase());
            if let [term] = found.as_slice()
                && !common
                && let Some(before) = before.replace(term.text.clone())
                && question.pairs.len() < ASKED_TERMS_MAX
            {
                question.pairs.insert((before, term.text.clone()));
            }
            for term in found.drain(..) {
                place += 1;
                if term.is_whole {
                    push_new(&mut question.identifiers, &term.text);
                }
                let occurrence = met.entry(term.text).or_insert(Occurrence {
                    first: place,
                    is_common: common,
                    ..Occurrence::default()
                });
                occurrence.count += 1;
                occurrence.in_title |= word.start < first_line_end;
                occurrence.is_whole |= term.is_whole;
                occurrence.is_code |= is_code;
            }
            let name = folded(word.text.trim_matches('_'));
            if is_code {
                push_new(&mut question.identifiers, &name.replace('_', ""));
            }
            if !common && name.len() > 2 {
                push_new(&mut question.names, &name.replace('_', ""));
            }
        }
        for initials in initials_of(&text) {
            place += 1;
            let of_phrase = Occurrence {
                first: place,
                count: 1,
                ..Occurrence::default()
            };
            met.entry(initials).or_insert(of_phrase);
        }
        question.paths = named_paths(&text);
        question.terms = chosen(met);
        question
    }
}

fn push_new(list: &mut Vec<String>, text: &str) {
    if list.len() < ASKED_TERMS_MAX && !text.is_empty() && !list.iter().any(|one| one == text) {
        list.push(text.to_owned());
    }
}

impl Question {
    /// The terms' texts, folded and stemmed.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.terms.iter().map(|term| term.text.as_str()).collect()
    }

    /// Whether a name of several words has two of them adjacent in the question, in either order:
    /// `checkOptionalParameter` matches "optional parameters", and `body-limit` matches "limit the body".
    pub(crate) fn has_pair_of(&self, name: &str, stems: &mut Stems) -> bool {
        if self.pairs.is_empty() {
            return false;
        }
        let terms: Vec<String> = name
            .split('-')
            .flat_map(parts)
            .map(|part| stems.stem(&folded(part)))
            .collect();
        terms.windows(2).any(|pair| {
            let [one, other] = pair else { return false };
            let has =
                |one: &String, other: &String| self.pairs.contains(&(one.clone(), other.clone()));
            has(one, other) || has(other, one)
        })
    }
}

/// The initials of phrases of three to five words that are written with a hyphen or in capitals, by which code names
/// them: `sse` for "server-sent events", `cors` for "Cross-Origin Resource Sharing".
fn initials_of(text: &str) -> Vec<String> {
    let words: Vec<_> = words(text).collect();
    let mut initials = Vec::new();
    for size in INITIALS {
        for phrase in words.windows(size) {
            let mut gaps = phrase
                .windows(2)
                .map(|pair| &text[pair[0].start + pair[0].text.len()..pair[1].start]);
            let mut has_hyphen = false;
            let is_joined = gaps.all(|gap| {
                has_hyphen |= gap == "-";
                matches!(gap, " " | "-")
            });
            let firsts = || phrase.iter().filter_map(|word| word.text.chars().next());
            let is_name = has_hyphen || firsts().all(char::is_uppercase);
            let is_common = |word: &Word<'_>| is_common(&word.text.to_lowercase());
            if is_joined
                && is_name
                && initials.len() < INITIALS_MAX
                && !phrase.iter().any(is_common)
            {
                push_new(
                    &mut initials,
                    &firsts().flat_map(char::to_lowercase).collect::<String>(),
                );
            }
        }
    }
    initials
}

/// Whether a word is marked as code: by backticks, an empty argument list behind it, or `::` or `->` beside it.
fn is_code(text: &str, start: usize, word: &str) -> bool {
    let before = text[..start].trim_end_matches('_');
    let after = text[start + word.len()..].trim_start_matches('_');
    let quoted = before.ends_with('`') && after.starts_with(['`', '(', '.', ':']);
    quoted
        || after.starts_with("()")
        || (before.ends_with("::") || before.ends_with("->"))
        || (after.starts_with("::") && word.len() > 1)
}

/// Selects the terms to search for: no common words unless there is nothing else, and the most significant of very
/// many.
fn chosen(met: HashMap<String, Occurrence>) -> Vec<QuestionTerm> {
    let tells = met.values().any(|one| !one.is_common);
    let long = met.len() > 24;
    let mut terms: Vec<(f64, usize, String)> = met
        .into_iter()
        .filter(|(_, one)| !tells || !one.is_common)
        .map(|(text, one)| {
            let mut weight = 1.0 + f64::from(one.count.min(8)).ln() * 0.35;
            if one.is_whole || one.is_code {
                weight *= 1.4;
            }
            // The first line of a long text says what it is about.
            if long && one.in_title {
                weight *= 1.6;
            }
            (weight, one.first, text)
        })
        .collect();
    // Of terms with the same weight, a longer word comes first, because it is rarer; then the one that occurs first.
    terms.sort_by(|a, b| {
        let size = |text: &str| text.chars().count().min(12);
        b.0.total_cmp(&a.0)
            .then_with(|| size(&b.2).cmp(&size(&a.2)))
            .then_with(|| a.1.cmp(&b.1))
    });
    terms.truncate(ASKED_TERMS_MAX);
    terms
        .into_iter()
        .map(|(weight, _, text)| QuestionTerm { text, weight })
        .collect()
}

/// The file paths in a text or a traceback, in lower case with `/`: `src/a.rs:12`, `File "x/y.py", line 3`, `A.java:7`.
///
/// ```
/// # use nyxcore_retrieval::named_paths;
/// assert_eq!(named_paths("It fails in src\\lease.rs:12, see Owner.java."), ["src/lease.rs", "owner.java"]);
/// ```
#[must_use]
pub fn named_paths(text: &str) -> Vec<String> {
    let is_part = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '\\' | '@' | '[' | ']' | '+')
    };
    let mut paths = Vec::new();
    for token in text.split(|c: char| !is_part(c)) {
        let token = token.trim_matches(['.', '/', '\\', '-', '[', ']', '@']);
        let path = token.replace('\\', "/").to_lowercase();
        let name = path.rsplit('/').next().unwrap_or(&path);
        let Some((stem, ending)) = name.rsplit_once('.') else {
            continue;
        };
        let is_file = !stem.is_empty()
            && (1..=6).contains(&ending.len())
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
            && (path.contains('/') || FILE_ENDINGS.binary_search(&ending).is_ok());
        if is_file && !path.contains("//") && !path.starts_with("www.") {
            push_new(&mut paths, &path);
        }
    }
    paths
}

/// File extensions by which a word with a dot is a file and not the end of a sentence, sorted.
const FILE_ENDINGS: [&str; 40] = [
    "bash",
    "c",
    "cc",
    "cfg",
    "cpp",
    "cs",
    "css",
    "go",
    "h",
    "hpp",
    "html",
    "ini",
    "java",
    "js",
    "json",
    "jsx",
    "kt",
    "lock",
    "lua",
    "md",
    "mjs",
    "php",
    "properties",
    "proto",
    "py",
    "rb",
    "rs",
    "rst",
    "scala",
    "scss",
    "sh",
    "sql",
    "svelte",
    "swift",
    "toml",
    "ts",
    "tsx",
    "vue",
    "xml",
    "yaml",
];

/// How many parts of a path, counted from its end, agree with a path of the question; 0 for another file.
pub(crate) fn path_agreement(path: &str, named: &[String]) -> usize {
    let path = path.to_lowercase();
    let agree = |named: &String| {
        let parts = path.rsplit('/').zip(named.rsplit('/'));
        parts.take_while(|(one, other)| one == other).count()
    };
    named.iter().map(agree).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        let mut terms: Vec<String> = Question::read(text)
            .terms
            .into_iter()
            .map(|term| term.text)
            .collect();
        terms.sort();
        terms
    }

    #[test]
    fn a_question_becomes_its_telling_words() {
        assert_eq!(
            terms("How do we handle errors in the parseConfig function? Errors!"),
            [
                "config",
                "error",
                "function",
                "handl",
                "pars",
                "parseconfig"
            ]
        );
        assert_eq!(terms("where is it"), ["is", "it", "where"]);
        assert_eq!(terms("C"), ["c"]);
        assert_eq!(terms("?! ..."), [] as [&str; 0]);
        assert_eq!(terms("\""), [] as [&str; 0]);
    }

    #[test]
    fn the_end_of_a_long_text_is_read() {
        let page: String = (0..300).map(|n| format!("word{n} of it ")).collect();
        let question = Question::read(&format!(
            "Something fails\n{page}\n  File \"src/flask/ctx.py\", line 3, in push_context"
        ));
        assert!(question.terms.len() <= ASKED_TERMS_MAX);
        assert!(question.terms.iter().any(|term| term.text == "pushcontext"));
        assert_eq!(question.paths, ["src/flask/ctx.py"]);
        let huge: String = (0..60_000).map(|n| format!("w{n} ")).collect();
        assert_eq!(Question::read(&huge).terms.len(), ASKED_TERMS_MAX);
    }

    #[test]
    fn identifiers_and_paths_are_told_from_prose() {
        let question = Question::read(
            "`push` in Owner.java:61 and C:\\src\\a.rs, by _find_error_handler(); e.g. this.",
        );
        assert_eq!(question.identifiers, ["push", "finderrorhandler"]);
        assert_eq!(question.paths, ["owner.java", "src/a.rs"]);
        assert_eq!(path_agreement("x/owner/Owner.java", &question.paths), 1);
        assert_eq!(path_agreement("lib/src/a.rs", &question.paths), 2);
        assert_eq!(path_agreement("lib/b.rs", &question.paths), 0);
    }

    #[test]
    fn a_phrase_is_searched_for_by_its_initials_too() {
        assert!(terms("Stream server-sent events").contains(&"sse".to_owned()));
        assert!(terms("Set Cross-Origin Resource Sharing").contains(&"cors".to_owned()));
        assert!(terms("a JSON Web Token expires").contains(&"jwt".to_owned()));
        for text in [
            "the server sent some events",
            "JSON, Web, Token",
            "End of the Day",
        ] {
            assert_eq!(initials_of(text), [] as [&str; 0], "{text}");
        }
        let many: String = (b'a'..=b'z')
            .map(|c| format!("{0}a-{0}b {0}c. ", c as char))
            .collect();
        assert_eq!(initials_of(&many).len(), INITIALS_MAX);
    }

    #[test]
    fn file_endings_are_sorted() {
        assert!(FILE_ENDINGS.is_sorted());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_question(text in proptest::prelude::any::<String>()) {
            let question = Question::read(&text);
            proptest::prop_assert!(question.terms.len() <= ASKED_TERMS_MAX);
            proptest::prop_assert!(question.terms.iter().all(|term| term.weight > 0.0 && !term.text.is_empty()));
        }
    }
}
