//! The words of a text, as the extractor compares them.

/// A word in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// Whether nothing but white space or one joining character (`-`, `/`, `.`, `_`, `&`) stands before it, so that the
    /// two can be one phrase. "In the front. End of story" is not about a front end.
    pub follows_closely: bool,
}

/// Splits a text into words: runs of letters, digits and combining marks of any script. `+` and `#` at the end of a
/// word belong to it, as in C++ and C#.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    let mut gap_start = text;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let gap = &gap_start[..gap_start.len() - rest.len() + start];
        let from_word = &rest[start..];
        let letters = from_word
            .find(|c| !is_word_char(c))
            .unwrap_or(from_word.len());
        let behind = &from_word[letters..];
        let signs = behind
            .find(|c| c != '+' && c != '#')
            .unwrap_or(behind.len());
        // In "c#sharp" the sign joins two parts and does not end a word.
        let signs = if behind[signs..].starts_with(is_word_char) {
            0
        } else {
            signs
        };
        let (word, after) = from_word.split_at(letters + signs);
        words.push(Word {
            text: word.to_lowercase(),
            follows_closely: !words.is_empty() && is_close(gap),
        });
        rest = after;
        gap_start = after;
    }
    words
}

fn is_word_char(c: char) -> bool {
    // Letters that are written as a base and an accent (U+0300 to U+036F) stay in one piece.
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}')
}

fn is_close(gap: &str) -> bool {
    matches!(gap, "-" | "/" | "." | "_" | "&") || gap.chars().all(char::is_whitespace)
}

/// The English plural of a keyword's last word; `None` for one that already ends like a plural, or is not a word.
pub fn plural(word: &str) -> Option<String> {
    if !is_plain(word) || word.ends_with('s') {
        return None;
    }
    Some(match before_y(word) {
        Some(stem) => format!("{stem}ies"),
        None if word.ends_with(['x', 'z']) || word.ends_with("ch") || word.ends_with("sh") => {
            format!("{word}es")
        }
        None => format!("{word}s"),
    })
}

/// The forms of a regular English verb without the verb itself: "-s", "-ing" and "-ed". A final consonant is not
/// doubled, so that a verb that does so ("plan") is listed with its forms.
pub fn verb_forms(verb: &str) -> Vec<String> {
    if !is_plain(verb) {
        return Vec::new();
    }
    let stem = verb.strip_suffix('e').unwrap_or(verb);
    let past = match before_y(verb) {
        Some(stem) => format!("{stem}ied"),
        None => format!("{stem}ed"),
    };
    let forms = plural(verb).into_iter();
    forms.chain([format!("{stem}ing"), past]).collect()
}

/// Whether English inflects the word: it must have at least three ASCII letters and nothing else.
fn is_plain(word: &str) -> bool {
    word.len() >= 3 && word.chars().all(|c| c.is_ascii_alphabetic())
}

/// The part before a `y` that becomes an `i`: "quer" of "query", and nothing of "gateway".
fn before_y(word: &str) -> Option<&str> {
    let stem = word.strip_suffix('y')?;
    (!stem.ends_with(['a', 'e', 'i', 'o', 'u'])).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_split_in_any_script() {
        assert_eq!(
            texts("C++, C# and CI/CD!"),
            ["c++", "c#", "and", "ci", "cd"]
        );
        assert_eq!(
            texts("Größe  cafe\u{301}s 日本語"),
            ["größe", "cafe\u{301}s", "日本語"]
        );
        assert_eq!(texts("c#q a+b"), ["c", "q", "a", "b"]);
        assert_eq!(texts("+++ # ..."), [] as [&str; 0]);
    }

    #[test]
    fn words_of_two_sentences_do_not_follow_closely() {
        let close = |text: &str| words(text)[1].follows_closely;
        assert!(
            close("front end") && close("front-end") && close("front\n  end") && close("node.js")
        );
        assert!(!close("front. End") && !close("front, end") && !close("front (end"));
    }

    #[test]
    fn plurals_follow_english() {
        assert_eq!(plural("query").as_deref(), Some("queries"));
        assert_eq!(plural("gateway").as_deref(), Some("gateways"));
        assert_eq!(plural("branch").as_deref(), Some("branches"));
        assert_eq!(plural("index").as_deref(), Some("indexes"));
        assert_eq!(plural("css"), None);
        assert_eq!(plural("c++"), None);
    }

    #[test]
    fn verbs_follow_english() {
        assert_eq!(
            verb_forms("optimize"),
            ["optimizes", "optimizing", "optimized"]
        );
        assert_eq!(verb_forms("deploy"), ["deploys", "deploying", "deployed"]);
        assert_eq!(verb_forms("patch"), ["patches", "patching", "patched"]);
        assert_eq!(verb_forms("verify"), ["verifies", "verifying", "verified"]);
        assert_eq!(verb_forms("c++"), [] as [&str; 0]);
    }
}
