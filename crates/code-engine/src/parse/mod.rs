//! Parses source into facts: one module per parser, and one builder for all of them.
//!
//! Cyclomatic complexity counts what lizard 1.24 counts, but on syntax instead of tokens. So the counts differ where
//! tokens mislead lizard: in Rust a `where` clause, a `?Sized` bound and the `||` of a closure without parameters are
//! not branches here; in TypeScript the branches of a callback belong to the callback, and arrow functions without
//! braces have their own. `docs/agreement.md` lists the differences and their frequency.
//!
//! Cognitive complexity follows the paper that [`FunctionMetrics`](super::facts::FunctionMetrics) cites. Where the
//! paper is silent: Rust's `let ... else` is an `if`; `?`, `??`, `?.` and the guard of a match arm cost nothing, as
//! shorthand; the `else` of a loop in Python is an `else`; conditions among the tokens of a macro cost what they would
//! outside, at the nesting of the macro.

#[cfg(feature = "bash")]
mod bash;
mod builder;
#[cfg(any(feature = "c", feature = "cpp"))]
mod c_family;
#[cfg(feature = "csharp")]
mod csharp;
mod ecma;
mod go;
mod header;
mod java;
#[cfg(feature = "kotlin")]
mod kotlin;
mod mentions;
mod modifiers;
mod opening;
#[cfg(feature = "php")]
mod php;
#[cfg(any(feature = "c", feature = "cpp", feature = "csharp"))]
mod preprocessor;
mod python;
#[cfg(feature = "ruby")]
mod ruby;
mod rust;
#[cfg(feature = "scala")]
mod scala;
#[cfg(feature = "swift")]
mod swift;
mod syntax_tree;
#[cfg(any(
    feature = "bash",
    feature = "c",
    feature = "cpp",
    feature = "csharp",
    feature = "kotlin",
    feature = "php",
    feature = "ruby",
    feature = "scala",
    feature = "swift"
))]
mod table;

pub(crate) use builder::Builder;

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::facts::FileFacts;
use super::guard::{self, NoThreads};
use super::language::Language;
use super::lines::{self, LineIndex};
use super::plain::plain_lines;
use super::references::{ReferenceCollector, ReferenceKind, ReferenceScope, References};
use super::skip::{self, Skip};

/// Analyses one file: its definitions and imports, the complexity of its functions, and the signs of habits.
///
/// `path` (with `/` as the separator, relative to the project) only decides whether the file is skipped; the facts
/// depend only on `language` and `source`. Without a parser for the language, the facts are line counts and to-do
/// comments.
///
/// It may be called from any thread: the work runs on threads whose stack the parsers cannot exhaust.
///
/// Returns the reason why the file is skipped, or that the system cannot create threads. No input causes a panic.
pub fn file_analyze(path: &str, language: Language, source: &[u8]) -> Result<FileFacts, FileError> {
    if let Some(rule) = skip::path_skip(path) {
        return Err(rule.reason.into());
    }
    source_analyze(language, source)
}

/// The reason why a file has no facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file is skipped. The reason depends only on its path and content.
    #[error("the file is skipped: {0}")]
    Skipped(#[from] Skip),
    /// The machine lacks memory now; the same file may have facts a moment later.
    #[error(transparent)]
    NoThreads(#[from] NoThreads),
}

/// Like [`file_analyze`], for a path that was already checked.
///
/// # Errors
/// As [`file_analyze`].
pub fn source_analyze(language: Language, source: &[u8]) -> Result<FileFacts, FileError> {
    let language = language.refined(source);
    let text = skip::content_check(language, source)?;
    // A byte order mark is not code; parsers treat it differently.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = &*lines::ends_normalised(text);
    if matches!(language, Language::Css | Language::JavaScript) && skip::has_source_map(text) {
        return Err(Skip::Generated.into());
    }
    if !language.has_facts() {
        let plain = plain_lines(language, text);
        let index = LineIndex::new(text);
        let todos = plain.comments.iter().flat_map(|(start, end)| {
            let comment = text.get(*start as usize..*end as usize).unwrap_or("");
            let offsets = todo_offsets(comment).into_iter();
            offsets.map(|at| index.line(start + at)).collect::<Vec<_>>()
        });
        return Ok(FileFacts {
            lines: lines::line_counts(&plain.kinds),
            todos: todos.collect(),
            front_matter: if language == Language::Markdown {
                front_matter(text)
            } else {
                Vec::new()
            },
            references: if language.is_template() {
                page_words(text)
            } else {
                References::default()
            },
            ..FileFacts::default()
        });
    }
    guard::depth_check(language, text)?;
    skip::minified_check(text)?;
    guard::price_check(language, text)?;
    let mut facts = guard::on_deep_stack(|| text_parse(language, text))??;
    // Pasted code is nobody's to follow or to name.
    let pasted = skip::pasted_lines(text);
    facts
        .definitions
        .retain(|one| pasted.binary_search(&one.start_line).is_err());
    Ok(FileFacts {
        signs: facts.signs.with(opening::openings(language, text)),
        header: header::header_of(text).into(),
        ..facts
    })
}

/// Parses `text` by its tree-sitter grammar, with the limit that applies to all grammars. `None` if the parser is
/// stopped.
#[cfg(feature = "rules")]
pub(crate) fn tree_parse(grammar: &tree_sitter::Language, text: &str) -> Option<tree_sitter::Tree> {
    syntax_tree::parse(grammar, text).ok()
}

/// Parses a text that passed the guard.
pub(crate) fn text_parse(language: Language, text: &str) -> Result<FileFacts, Skip> {
    match language {
        Language::Python => python::analyze(text),
        Language::Rust => rust::analyze(text),
        Language::Go => go::analyze(text),
        Language::Java => java::analyze(text),
        #[cfg(feature = "c")]
        Language::C => c_family::c_analyze(text),
        #[cfg(feature = "cpp")]
        Language::Cpp => c_family::cpp_analyze(text),
        #[cfg(feature = "csharp")]
        Language::CSharp => csharp::analyze(text),
        #[cfg(feature = "kotlin")]
        Language::Kotlin => kotlin::analyze(text),
        #[cfg(feature = "scala")]
        Language::Scala => scala::analyze(text),
        #[cfg(feature = "bash")]
        Language::Shell => bash::analyze(text),
        #[cfg(feature = "php")]
        Language::Php => php::analyze(text),
        #[cfg(feature = "ruby")]
        Language::Ruby => ruby::analyze(text),
        #[cfg(feature = "swift")]
        Language::Swift => swift::analyze(text),
        _ => ecma::analyze(language, text),
    }
}

/// The keys at the top of a text's front matter: between two lines of `---`, `key: value`.
fn front_matter(text: &str) -> Vec<String> {
    const KEYS_MAX: usize = 40;
    let mut lines = text.lines();
    if lines.next().map(str::trim_end) != Some("---") {
        return Vec::new();
    }
    let mut keys = Vec::new();
    for line in lines {
        if matches!(line.trim_end(), "---" | "...") {
            return keys;
        }
        let is_key = |key: &str| {
            !key.is_empty()
                && key.len() <= 60
                && key
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        };
        if let Some((key, _)) = line.split_once(':')
            && is_key(key)
            && keys.len() < KEYS_MAX
        {
            keys.push(key.to_owned());
        }
    }
    // The front matter has no end: the first line is a horizontal rule.
    Vec::new()
}

/// The words of a page, each once: any of them may be a name of the project in a template's tags.
fn page_words(text: &str) -> References {
    let mut collector = ReferenceCollector::default();
    let mut seen = FxHashSet::default();
    for (line, number) in text.lines().zip(1u32..) {
        let words = line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')));
        for word in words.filter(|word| word.len() >= 3 && !word.starts_with(char::is_numeric)) {
            if seen.insert(word) {
                let scope = ReferenceScope::default();
                collector.add(Cow::Borrowed(word), ReferenceKind::Name, scope, number);
            }
        }
    }
    collector.finish()
}

/// The offsets of the words TODO and FIXME in a comment, in order, where they mark something to do: at the beginning of
/// a line of the comment, or before `:` or `(`. Prose on the words, and code in backticks or quotes, marks nothing.
fn todo_offsets(comment: &str) -> Vec<u32> {
    let mut found: Vec<u32> = ["TODO", "FIXME"]
        .iter()
        .flat_map(|mark| comment.match_indices(mark))
        .filter(|(at, mark)| is_marker(comment, *at, at + mark.len()))
        .filter_map(|(at, _)| u32::try_from(at).ok())
        .collect();
    found.sort_unstable();
    found
}

fn is_marker(comment: &str, start: usize, end: usize) -> bool {
    let before = comment.get(..start).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or(before);
    let after = comment.get(end..).unwrap_or("");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_quoted = line.matches('`').count() % 2 == 1 || line.ends_with(['"', '\'', '`']);
    if line.ends_with(is_word) || after.starts_with(is_word) || is_quoted {
        return false;
    }
    // Marks of comments, of lists, and of tags in documentation: `@todo` and `\todo` are in lower case.
    let begins = line
        .chars()
        .all(|c| c.is_whitespace() || "/*#!-;%<(@\\[".contains(c));
    begins || after.starts_with([':', '('])
}

/// The maximum number of syntax errors from which a parser may recover: with more, the result is unreliable.
fn errors_tolerated(text: &str) -> usize {
    10 + text.len() / 4000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_marks_what_is_to_do_where_it_begins_a_line() {
        for comment in [
            "// TODO",
            "# FIXME later",
            "/**\n * Reads.\n *\n * TODO write too\n */",
            "/// Reads everything. TODO: less",
            "// Once this is out: FIXME(ada)",
            "<!-- TODO -->",
            "-- [TODO] more",
        ] {
            assert_eq!(todo_offsets(comment).len(), 1, "{comment}");
        }
    }

    #[test]
    fn prose_on_the_words_marks_nothing() {
        for comment in [
            "/// The lines of the words TODO and FIXME in comments.",
            "/// The most `TODO` comments of cited code.",
            "// `- [ ] ...` and `TODO: ...` at the beginning of a line.",
            "// Prints \"TODO: more\".",
            "// A TODOLIST, or MY_TODO: one",
        ] {
            assert_eq!(todo_offsets(comment), [0; 0], "{comment}");
        }
    }
}
