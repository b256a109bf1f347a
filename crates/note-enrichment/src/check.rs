//! Checks the text of a model: its citations, the files that it names, and its Markdown. No sentence is removed, but
//! nothing that does not exist is shown as if it did.

use std::collections::HashSet;

use nyxcore_context::sentences::{citation, code_span, sentences};

use crate::mentions::{is_token, text_lines, token};

/// The minimum number of words in a statement.
const STATEMENT_WORDS: usize = 3;
/// A checked text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedText {
    pub(crate) markdown: String,
    /// The model's numbers of the cited pieces, in the order of the new numbers: `[1]` is the first.
    pub(crate) numbers: Vec<usize>,
    /// How many citations did not resolve and were removed.
    pub(crate) dropped: usize,
    /// How many sentences have no citation; each is marked with `[?]`.
    pub(crate) uncited: usize,
}

/// Checks a text. `is_valid` says whether the number of a citation resolves. `unknown` are the names in the text of
/// files that do not exist.
pub(crate) fn text_check(
    text: &str,
    is_valid: impl Fn(usize) -> bool,
    unknown: &HashSet<String>,
) -> CheckedText {
    let mut check = Check {
        is_valid: &is_valid,
        unknown,
        numbers: Vec::new(),
        dropped: 0,
        uncited: 0,
    };
    let mut shown: Vec<String> = Vec::new();
    let mut was_code = false;
    for (line, is_code) in text_lines(text) {
        if was_code && !is_code {
            shown.extend(["*(suggested by the model)*".to_owned(), String::new()]);
        }
        was_code = is_code;
        shown.push(if is_code { line } else { check.line(&line) });
    }
    if was_code {
        shown.push("*(suggested by the model)*".to_owned());
    }
    CheckedText {
        markdown: shown.join("\n").trim().to_owned(),
        numbers: check.numbers,
        dropped: check.dropped,
        uncited: check.uncited,
    }
}

struct Check<'a> {
    is_valid: &'a dyn Fn(usize) -> bool,
    unknown: &'a HashSet<String>,
    numbers: Vec<usize>,
    dropped: usize,
    uncited: usize,
}

impl Check<'_> {
    fn line(&mut self, line: &str) -> String {
        let content = line.trim_start_matches([' ', '\t']);
        let is_heading = content.starts_with('#');
        let marker = marker(content);
        let indent = &line[..line.len() - content.len()];
        let (prefix, rest) = content.split_at(marker);
        let rest = self.inline(rest);
        let is_table = rest.starts_with('|');
        if is_heading || rest.trim().is_empty() {
            return format!("{indent}{prefix}{rest}");
        }
        let mut shown = String::new();
        let mut from = 0;
        for range in sentences(&rest) {
            let sentence = &rest[range.clone()];
            shown.push_str(&rest[from..range.end]);
            from = range.end;
            if is_statement(sentence) {
                self.uncited += 1;
                if !is_table {
                    shown.push_str(" [?]");
                }
            }
        }
        shown.push_str(&rest[from..]);
        format!("{indent}{prefix}{shown}")
    }

    /// Text of one line: citations get their new numbers, files that do not exist are marked, and nothing is an image,
    /// a link or HTML.
    fn inline(&mut self, text: &str) -> String {
        let mut shown = String::new();
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let next = rest[c.len_utf8()..].chars().next();
            if c == '`' {
                let length = code_span(rest);
                let span = &rest[..length];
                let inner = span.trim_matches('`');
                match () {
                    () if inner.is_empty() => shown.push_str(&"\\`".repeat(span.len())),
                    () if self.unknown.contains(inner.trim()) => shown.push_str(&missing(span)),
                    () => shown.push_str(span),
                }
                at += length;
                continue;
            }
            if let Some(length) = citation(rest) {
                self.cite(&rest[..length], &mut shown);
                at += length;
                // `[1](…)` would be a link, and `[1]: …` at the beginning of a line would define one.
                let is_first = at == length;
                if text[at..].starts_with('(') || (is_first && text[at..].starts_with(':')) {
                    shown.push('\\');
                }
                continue;
            }
            if is_token(c) {
                let token = token(rest);
                let name = token.trim_end_matches(['.', ':']);
                if self.unknown.contains(name) {
                    shown.push_str(&missing(name));
                    shown.push_str(&token[name.len()..]);
                } else {
                    shown.push_str(token);
                }
                at += token.len();
                continue;
            }
            match (c, next) {
                // An escaped character stays escaped.
                ('\\', Some(escaped)) if escaped.is_ascii_punctuation() => {
                    shown.extend([c, escaped]);
                    at += c.len_utf8() + escaped.len_utf8();
                    continue;
                }
                ('<', _) => shown.extend(['\\', c]),
                // It must not become an image, and a citation behind an exclamation mark stays one.
                ('!', Some('[')) if citation(&rest[1..]).is_some() => shown.push_str("! "),
                ('!', Some('[')) => {
                    shown.push_str("!\\[");
                    at += 1;
                }
                (']', Some('(')) => shown.extend([c, '\\']),
                (']', Some(':')) if text.starts_with('[') => shown.extend([c, '\\']),
                _ => shown.push(c),
            }
            at += c.len_utf8();
        }
        shown
    }

    fn cite(&mut self, citation: &str, shown: &mut String) {
        let numbers = citation.trim_matches(['[', ']']).split(',');
        let numbers: Vec<usize> = numbers
            .filter_map(|number| number.trim().parse().ok())
            .collect();
        let mut is_cited = false;
        for number in numbers {
            if !(self.is_valid)(number) {
                self.dropped += 1;
                continue;
            }
            let known = self.numbers.iter().position(|one| *one == number);
            let place = known.unwrap_or_else(|| {
                self.numbers.push(number);
                self.numbers.len() - 1
            });
            shown.push_str(&format!("[{}]", place + 1));
            is_cited = true;
        }
        if !is_cited {
            shown.truncate(shown.trim_end().len());
        }
    }
}

/// The length in bytes of the marker of a list, a quotation or a heading.
fn marker(content: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &content[at..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let is_number = (1..=9).contains(&digits)
            && (rest[digits..].starts_with(". ") || rest[digits..].starts_with(") "));
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let length = match () {
            () if ["- ", "* ", "+ ", "> "]
                .iter()
                .any(|mark| rest.starts_with(mark)) =>
            {
                2
            }
            () if is_number => digits + 2,
            () if at == 0 && hashes > 0 => hashes,
            () => return at,
        };
        at += length;
        at += content[at..].len() - content[at..].trim_start_matches(' ').len();
    }
}

fn missing(name: &str) -> String {
    format!("~~{name}~~ (no such place in the project)")
}

/// Whether a sentence states something without a citation. A question and a line that introduces a list are no
/// statements.
fn is_statement(sentence: &str) -> bool {
    let words = sentence
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphabetic));
    let is_long =
        words.count() >= STATEMENT_WORDS || sentence.chars().any(|c| matches!(c, '。' | '！'));
    let end = sentence.trim_end_matches(['*', '_', ' ']);
    let is_cited = sentence
        .match_indices('[')
        .any(|(at, _)| citation(&sentence[at..]).is_some());
    is_long && !is_cited && !end.ends_with([':', '?', '？'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) -> CheckedText {
        let unknown = HashSet::from(["src/made_up.rs".to_owned(), "ghost.rs".to_owned()]);
        text_check(text, |number| number <= 3, &unknown)
    }

    #[test]
    fn citations_are_renumbered_and_invented_ones_go() {
        let checked =
            check("The lease is renewed here [3]. It expires there [1][17]. Nobody knows it [9].");
        assert_eq!(
            checked.markdown,
            "The lease is renewed here [1]. It expires there [2]. Nobody knows it. [?]"
        );
        assert_eq!(
            (checked.numbers, checked.dropped, checked.uncited),
            (vec![3, 1], 2, 1)
        );
    }

    #[test]
    fn an_invented_file_is_not_shown_as_real() {
        let checked = check("See `ghost.rs` and src/made_up.rs and src/lease.rs [1].");
        let said = "(no such place in the project)";
        assert_eq!(
            checked.markdown,
            format!(
                "See ~~`ghost.rs`~~ {said} and ~~src/made_up.rs~~ {said} and src/lease.rs [1]."
            )
        );
    }

    #[test]
    fn statements_without_a_source_are_marked() {
        let checked = check(
            "# A heading without a source\n\nBegin here:\n\n- It is renewed [1]. This is a guess\n- Why is that so?\n\nOk.",
        );
        assert_eq!(
            checked.markdown,
            "# A heading without a source\n\nBegin here:\n\n- It is renewed [1]. This is a guess [?]\n- Why is that so?\n\nOk."
        );
        assert_eq!(checked.uncited, 1);
    }

    #[test]
    fn nothing_is_a_link_an_image_or_html() {
        let checked = check(
            "![x](http://evil.example/?q=1) [see](http://evil.example) <img src=x> [1](http://evil.example)\n[1]: http://evil.example\n<!-- /nyxcore:enrichment -->",
        );
        for active in ["![", "](", "]:"] {
            assert!(!checked.markdown.contains(active), "{}", checked.markdown);
        }
        assert!(
            !checked.markdown.replace("\\<", "").contains('<'),
            "{}",
            checked.markdown
        );
    }

    #[test]
    fn code_of_the_model_says_whose_it_is() {
        let checked = check("Write this [1]:\n```rust onclick=x\nfn ghost() {} // [9]\n");
        assert_eq!(
            checked.markdown,
            "Write this [1]:\n```rust\nfn ghost() {} // [9]\n```\n*(suggested by the model)*"
        );
        assert_eq!(checked.dropped, 0);
    }

    proptest! {
        #[test]
        fn any_text_can_be_checked(text in "([a-z]{1,6}|[.!?] |`{1,4}|\\[[0-9]{0,2}\\]|\\(|\\)|<|!|\n|- |# |\\\\|/|\\.rs|ä|。){0,40}") {
            let checked = check(&text);
            let is_plain = !text.contains("```");
            prop_assert!(!is_plain || !checked.markdown.lines().filter(|line| !line.contains('`')).any(|line| line.replace("\\!", "").contains("![") || line.replace("\\<", "").contains('<')));
            prop_assert!(checked.numbers.iter().all(|number| *number <= 3));
        }
    }
}
