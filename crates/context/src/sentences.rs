//! Finds where sentences end, with the citations behind them.

use std::ops::Range;

/// Abbreviations: the dot behind them ends no sentence.
const ABBREVIATIONS: [&str; 7] = ["e.g", "i.e", "etc", "vs", "cf", "resp", "approx"];

/// The sentences of a text of one line, without the space between them. A citation behind the end of a sentence belongs
/// to it: "It is renewed. [1]".
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c == '`' {
            at += code_span(&text[at..]);
            continue;
        }
        let after = at + c.len_utf8();
        at = after;
        if !is_terminator(c) {
            continue;
        }
        let end = after + tail(&text[after..]);
        let rest = &text[end..];
        let is_apart = rest.is_empty() || rest.starts_with(char::is_whitespace) || !c.is_ascii();
        let goes_on = rest.trim_start().starts_with(char::is_lowercase);
        let word = text[start..after - c.len_utf8()]
            .rsplit([' ', '('])
            .next()
            .unwrap_or_default();
        let is_short = c == '.' && ABBREVIATIONS.contains(&word.to_lowercase().as_str());
        if is_apart && !goes_on && !is_short {
            found.push(start..end);
            start = end + rest.len() - rest.trim_start().len();
            at = start;
        }
    }
    if !text[start..].trim().is_empty() {
        found.push(start..text.trim_end().len());
    }
    found
}

fn is_terminator(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '。' | '！' | '？')
}

/// The length in bytes of the code span at the beginning, or of backticks that begin none.
#[must_use]
pub fn code_span(text: &str) -> usize {
    let run = text.len() - text.trim_start_matches('`').len();
    let ticks = &text[..run];
    let mut from = run;
    while let Some(at) = text[from..].find(ticks) {
        let begin = from + at;
        let length = text[begin..].len() - text[begin..].trim_start_matches('`').len();
        if length == run {
            return begin + run;
        }
        from = begin + length;
    }
    run
}

/// The length in bytes of what belongs to a sentence behind its end: quotes, emphasis and citations.
fn tail(text: &str) -> usize {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let closed = rest.trim_start_matches(['"', '\'', ')', '*', '_', '”', '’']);
        let mut next = end + rest.len() - closed.len();
        let spaced = closed.trim_start_matches(' ');
        if let Some(length) = citation(spaced) {
            next = text.len() - spaced.len() + length;
        }
        if next == end {
            return end;
        }
        end = next;
    }
}

/// The length in bytes of a citation at the beginning of a text: `[1]`, `[1, 2]`.
#[must_use]
pub fn citation(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?;
    let close = inner.find(']')?;
    let numbers = &inner[..close];
    let is_number = |part: &str| {
        let part = part.trim();
        (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    numbers.split(',').all(is_number).then_some(close + 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text)
            .into_iter()
            .map(|range| &text[range])
            .collect()
    }

    #[test]
    fn a_citation_belongs_to_the_sentence_before_it() {
        assert_eq!(
            split(
                "It is renewed. [1][2] Begin at `a.b. C` in v1.2, e.g. Here (see it.) [3]. Why? No end"
            ),
            [
                "It is renewed. [1][2]",
                "Begin at `a.b. C` in v1.2, e.g. Here (see it.) [3].",
                "Why?",
                "No end"
            ]
        );
        assert_eq!(
            split("租约到期。它会续约。[1] 好"),
            ["租约到期。", "它会续约。[1]", "好"]
        );
        assert_eq!(split("  "), Vec::<&str>::new());
    }

    #[test]
    fn only_numbers_are_a_citation() {
        for (text, length) in [
            ("[1]", Some(3)),
            ("[1, 22] x", Some(7)),
            ("[a]", None),
            ("[]", None),
            ("[1", None),
        ] {
            assert_eq!(citation(text), length, "{text}");
        }
    }

    proptest! {
        #[test]
        fn sentences_lose_no_word(text in "([a-zA-Z]{1,5}|[.!?] ?|`|\\[1\\]| |。|ä){0,30}") {
            let words = |text: &str| text.split_whitespace().collect::<String>();
            let all: String = split(&text).concat();
            prop_assert_eq!(words(&all), words(&text));
        }
    }
}
