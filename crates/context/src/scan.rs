//! Tokenizes a template, to find the line of each name, which the engine's own analysis does not give.

/// A token between the braces of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// The first word of a `{% … %}`.
    Statement(String),
    /// A name with its attributes, as in `project.wisdom`.
    Name(String),
    /// An operator of one character.
    Operator(char),
}

/// The tokens of a template, each with its line from 1. Text outside of braces, comments and strings are skipped.
pub(crate) fn words(template: &str) -> Vec<(usize, Word)> {
    let mut found = Vec::new();
    let mut rest = Cursor {
        text: template,
        line: 1,
    };
    while let Some((is_statement, closing)) = rest.enter() {
        let Some(closing) = closing else {
            rest.skip_past("#}");
            continue;
        };
        let mut is_first = is_statement;
        while !rest.text.is_empty() && !rest.text.starts_with(closing) {
            let line = rest.line;
            let Some(c) = rest.text.chars().next() else {
                break;
            };
            if c == '"' || c == '\'' {
                rest.skip_string(c);
            } else if c.is_alphabetic() || c == '_' {
                let name = rest.take_name();
                let word = if is_first {
                    Word::Statement(name)
                } else {
                    Word::Name(name)
                };
                is_first = false;
                found.push((line, word));
            } else {
                let is_mark = !(c.is_whitespace() || is_first && c == '-');
                if is_mark && !c.is_ascii_digit() {
                    found.push((line, Word::Operator(c)));
                }
                rest.advance(c.len_utf8());
            }
        }
    }
    found
}

struct Cursor<'a> {
    text: &'a str,
    line: usize,
}

impl Cursor<'_> {
    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.text.split_at(bytes.min(self.text.len()));
        self.line += passed.matches('\n').count();
        self.text = rest;
    }

    /// Skips the next opening braces. Returns whether they hold a statement, and what closes them, unless it is a
    /// comment.
    fn enter(&mut self) -> Option<(bool, Option<&'static str>)> {
        let openings = [
            ("{{", false, Some("}}")),
            ("{%", true, Some("%}")),
            ("{#", false, None),
        ];
        let places = openings
            .iter()
            .filter_map(|opening| Some((self.text.find(opening.0)?, opening)));
        let (at, (_, is_statement, closing)) = places.min_by_key(|(at, _)| *at)?;
        self.advance(at + 2);
        Some((*is_statement, *closing))
    }

    fn skip_past(&mut self, closing: &str) {
        let end = self.text.find(closing);
        self.advance(end.map_or(self.text.len(), |at| at + closing.len()));
    }

    fn skip_string(&mut self, quote: char) {
        let mut is_escaped = true;
        let mut end = self.text.len();
        for (at, c) in self.text.char_indices() {
            if c == quote && !is_escaped {
                end = at + 1;
                break;
            }
            // The first quote opens the string.
            is_escaped = c == '\\' && !is_escaped;
        }
        self.advance(end);
    }

    fn take_name(&mut self) -> String {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let end = self.text.find(|c| !is_part(c)).unwrap_or(self.text.len());
        let name = self.text[..end].trim_end_matches('.').to_owned();
        self.advance(end);
        name
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stand_on_their_lines() {
        let template =
            "a {{ b.c }}\n{# d #}\n{%- for e in f -%}\n{{ 'g }}' ~ \"\\\"h\" }}\n{{ i }}";
        let names: Vec<(usize, String)> = words(template)
            .into_iter()
            .map(|(line, word)| match word {
                Word::Statement(name) => (line, format!("%{name}")),
                Word::Name(name) => (line, name),
                Word::Operator(c) => (line, c.to_string()),
            })
            .collect();
        let expected = [
            (1, "b.c"),
            (3, "%for"),
            (3, "e"),
            (3, "in"),
            (3, "f"),
            (3, "-"),
            (4, "~"),
            (5, "i"),
        ];
        assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(text in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|\"|'|\\\\|[a-z. \n~äö]){0,40}") {
            let lines = text.matches('\n').count() + 1;
            prop_assert!(words(&text).iter().all(|(line, _)| (1..=lines).contains(line)));
        }
    }
}
