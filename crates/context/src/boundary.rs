//! The marker that separates data from instructions. It occurs in none of the texts that it encloses.

use sha2::{Digest, Sha256};

/// The hexadecimal digits of a marker: 48 bits of a hash.
const DIGITS: usize = 12;

/// A marker for these texts: the same for the same texts, and a part of none of them. It is made of a hash of all
/// texts, so that nobody can write it into one of them beforehand; where a text contains it anyway, another one is
/// made.
#[must_use]
pub fn boundary<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut round: u32 = 0;
    loop {
        let mut hash = Sha256::new();
        hash.update(round.to_be_bytes());
        for text in texts.clone() {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let mut digits = hex::encode(hash.finalize());
        digits.truncate(DIGITS);
        let marker = format!("data-{digits}");
        if !texts.clone().any(|text| text.contains(&marker)) {
            return marker;
        }
        round = round.wrapping_add(1);
    }
}

/// A text between its markers, with attributes that describe it.
#[must_use]
pub fn fenced(boundary: &str, attributes: &[(&str, &str)], text: &str) -> String {
    let mut opening = format!("<{boundary}");
    for (name, value) in attributes {
        opening.push_str(&format!(" {name}=\"{}\"", attribute(value)));
    }
    let text = printable(text);
    format!("{opening}>\n{}\n</{boundary}>", text.trim_end())
}

/// A text on one line, escaped so that it cannot end the quotes around it.
#[must_use]
pub fn attribute(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '"' => escaped.push_str("&quot;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The text without control characters, which have no meaning in a prompt.
fn printable(text: &str) -> String {
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_has_the_marker_gets_another() {
        let first = boundary(["a"].into_iter());
        let second = boundary(["a", first.as_str()].into_iter());
        assert!(!first.contains(&second));
        assert_eq!(first, boundary(["a"].into_iter()));
    }

    #[test]
    fn an_attribute_stays_on_its_line_and_in_its_quotes() {
        assert_eq!(
            attribute("a\"b\n</data>\u{7}& c"),
            "a&quot;b &lt;/data&gt; &amp; c"
        );
    }

    proptest! {
        #[test]
        fn no_text_closes_its_own_fence(text in "(</data-|>|[a-f0-9]{1,12}|\n|[a-z ]){0,30}") {
            let marker = boundary([text.as_str()].into_iter());
            let shown = fenced(&marker, &[("title", &text)], &text);
            prop_assert_eq!(shown.matches(&format!("</{marker}>")).count(), 1);
            let closing = format!("</{marker}>");
            prop_assert!(shown.ends_with(&closing));
        }
    }
}
