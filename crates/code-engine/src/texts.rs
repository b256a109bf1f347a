//! The words in the string literals of a file. Code that composes a name at run time (`getattr(self, "visit_" + kind)`,
//! `` loaders[`${name}Loader`] ``) contains only a part of the name, and a registry contains the whole name as text.

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

/// The minimum length of a word, in bytes: shorter words are in too many strings to mean a definition.
const WORD_MIN: usize = 3;
const WORD_MAX: usize = 60;

/// The maximum size of the stored words of one file, in bytes.
const TEXTS_CAP: usize = 1 << 14;

/// A word of a string literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'t> {
    /// The literal is the word: a whole name, or a part that is combined with others.
    Whole(&'t str),
    /// The literal begins with the word, and a value follows: `"visit_{kind}"`.
    Beginning(&'t str),
    /// A value precedes the word that ends the literal: `` `${name}Loader` ``.
    End(&'t str),
}

/// The words in the string literals of a file, each once: one per line, with `*` in place of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    lines: Box<str>,
}

impl Texts {
    /// The words in the literals of `text` outside of the `comments`, which are byte ranges in order. Literals are
    /// recognised only by their quotes, in the same way in every language.
    pub(crate) fn collect(text: &str, comments: &[(u32, u32)]) -> Texts {
        let bytes = text.as_bytes();
        let mut seen: FxHashSet<(u8, &str)> = FxHashSet::default();
        let mut lines = String::new();
        let mut next = 0usize;
        let mut at = 0usize;
        while at < bytes.len() {
            let is_mark = matches!(bytes[at], b'"' | b'\'' | b'`' | b'}' | b'%' | b':');
            at += 1;
            if !is_mark {
                continue;
            }
            let Some((kind, word)) = word_at(text, at - 1) else {
                continue;
            };
            while comments
                .get(next)
                .is_some_and(|(_, end)| (*end as usize) < at)
            {
                next += 1;
            }
            let in_comment = comments
                .get(next)
                .is_some_and(|(start, end)| (*start as usize) < at && at <= *end as usize);
            if in_comment || !seen.insert((kind, word)) {
                continue;
            }
            if lines.len() + word.len() + 2 > TEXTS_CAP {
                break;
            }
            match kind {
                WHOLE => lines.extend([word, "\n"]),
                BEGINNING => lines.extend([word, "*\n"]),
                _ => lines.extend(["*", word, "\n"]),
            }
            at += word.len();
        }
        Texts {
            lines: lines.into_boxed_str(),
        }
    }

    /// The words that are `wanted`, in the same order.
    pub(crate) fn filtered(&self, wanted: impl Fn(Text<'_>) -> bool) -> Texts {
        let mut lines = String::new();
        for line in self.lines.lines().filter(|line| wanted(text(line))) {
            lines.extend([line, "\n"]);
        }
        Texts {
            lines: lines.into_boxed_str(),
        }
    }

    /// The words, in the order of the source.
    pub fn iter(&self) -> impl Iterator<Item = Text<'_>> {
        self.lines.lines().map(text)
    }
}

fn text(line: &str) -> Text<'_> {
    match (line.strip_prefix('*'), line.strip_suffix('*')) {
        (Some(end), _) => Text::End(end),
        (_, Some(beginning)) => Text::Beginning(beginning),
        _ => Text::Whole(line),
    }
}

const WHOLE: u8 = 0;
const BEGINNING: u8 = 1;
const END: u8 = 2;

/// The word after the mark at `at`, and its position in the literal.
fn word_at(text: &str, at: usize) -> Option<(u8, &str)> {
    let bytes = text.as_bytes();
    let mark = bytes[at];
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    // A Ruby symbol has no quote at its end: `:name`, but not `a::b` or `a ? b :c`.
    let is_symbol = mark == b':'
        && at
            .checked_sub(1)
            .is_some_and(|before| b" ([,".contains(&bytes[before]));
    let mut start = at + 1;
    // The letter of a format specifier: `%s`.
    if mark == b'%' {
        start += 1;
    }
    let rest = bytes.get(start..)?;
    let length = rest
        .iter()
        .take(WORD_MAX + 1)
        .take_while(|byte| is_word(byte))
        .count();
    if !(WORD_MIN..=WORD_MAX).contains(&length) || rest[0].is_ascii_digit() {
        return None;
    }
    // `$` begins a value in a template.
    let mut word = text.get(start..start + length)?;
    let mut after = bytes.get(start + length).copied().unwrap_or(b'\n');
    if after == b'{' && word.ends_with('$') {
        word = word.strip_suffix('$')?;
        after = b'$';
    }
    let quoted = matches!(mark, b'"' | b'\'' | b'`');
    let kind = match after {
        b'"' | b'\'' | b'`' if quoted && after == mark => WHOLE,
        b'"' | b'\'' | b'`' if matches!(mark, b'}' | b'%') => END,
        b'{' | b'%' | b'#' | b'$' if quoted => BEGINNING,
        _ if is_symbol && after != b':' => WHOLE,
        _ => return None,
    };
    (word.len() >= WORD_MIN).then_some((kind, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let texts = Texts::collect(source, &[]);
        texts.iter().map(|text| format!("{text:?}")).collect()
    }

    #[test]
    fn words_of_literals_are_whole_or_a_part() {
        assert_eq!(
            texts(
                "f('alpha', \"beta_{x}\", `${n}Gamma`, \"delta_%s\", '%s_epsilon', 'two words', before :zeta)"
            ),
            [
                "Whole(\"alpha\")",
                "Beginning(\"beta_\")",
                "End(\"Gamma\")",
                "Beginning(\"delta_\")",
                "End(\"_epsilon\")",
                "Whole(\"zeta\")"
            ]
        );
    }

    #[test]
    fn comments_lifetimes_and_numbers_are_no_literals() {
        assert_eq!(
            texts("fn a<'text>(x: &'text str) { b::c; '12345' }"),
            Vec::<String>::new()
        );
        let source = "# see `alpha`\nb = 'beta'\n";
        let kept = Texts::collect(source, &[(0, 13)]);
        assert_eq!(kept.iter().collect::<Vec<_>>(), [Text::Whole("beta")]);
    }
}
