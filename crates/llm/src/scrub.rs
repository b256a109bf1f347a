//! Sanitizes text of a vendor for messages and logs: bounded, on one line, and without keys.

use secrecy::{ExposeSecret, SecretString};

/// The maximum number of characters that are kept of a vendor's error text.
pub const VENDOR_WORDS_MAX: usize = 500;
/// The replacement of a key.
const REDACTED: &str = "[redacted]";
/// The prefixes of common vendors' keys. A long enough word with such a prefix is taken for a key.
const KEY_PREFIXES: [&str; 12] = [
    "sk-", "sk_", "pk-", "AIza", "gsk_", "xai-", "hf_", "r8_", "eyJ", "ya29.", "key-", "pplx-",
];
/// The length from which a word with a key's prefix is taken for a key, in bytes.
const KEY_LENGTH_MIN: usize = 12;
/// The length from which a piece of a secret is taken for the secret, in bytes: vendors repeat the beginning and the
/// end of a wrong key.
const PIECE_LENGTH_MIN: usize = 4;

/// Removes the secrets of one endpoint from texts.
#[derive(Clone, Default)]
pub(crate) struct Scrubber(Vec<SecretString>);

impl Scrubber {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
        Self(secrets.map(SecretString::from).collect())
    }

    /// Returns the text on one line, without control characters and secrets, with at most [`VENDOR_WORDS_MAX`]
    /// characters.
    pub(crate) fn clean(&self, text: &str) -> String {
        // Eight times the final bound: a secret that is cut here is not in the part that is kept.
        let bounded: String = text.chars().take(8 * VENDOR_WORDS_MAX).collect();
        let mut whole = bounded;
        for secret in self.secrets() {
            if secret.len() >= PIECE_LENGTH_MIN {
                whole = whole.replace(secret, REDACTED);
            }
        }
        let words = whole
            .split(|letter: char| letter.is_whitespace() || letter.is_control())
            .filter(|word| !word.is_empty())
            .map(|word| self.word(word));
        let line = words.collect::<Vec<_>>().join(" ");
        if line.chars().count() <= VENDOR_WORDS_MAX {
            return line;
        }
        line.chars()
            .take(VENDOR_WORDS_MAX - 1)
            .chain(['…'])
            .collect()
    }

    /// Cleans a word. Its pieces between punctuation are checked one by one.
    fn word(&self, word: &str) -> String {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.*…+/=~".contains(letter);
        let mut out = String::with_capacity(word.len());
        let mut rest = word;
        while !rest.is_empty() {
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            out.push_str(if self.is_secret(piece) {
                REDACTED
            } else {
                piece
            });
            let next = after.find(is_part).unwrap_or(after.len());
            let (between, after) = after.split_at(next);
            out.push_str(between);
            rest = after;
        }
        out
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|secret| secret.expose_secret())
    }

    fn is_secret(&self, piece: &str) -> bool {
        // `a=b`, `Bearer:b`: the text after the separator is checked too.
        piece.split(['=', '/']).any(|part| {
            let part = part.trim_end_matches('.');
            let masked = part.contains(['*', '…']) || part.contains("...");
            let has_prefix = KEY_PREFIXES.iter().any(|prefix| part.starts_with(prefix));
            if has_prefix && (masked || part.len() >= KEY_LENGTH_MIN) {
                return true;
            }
            self.secrets().any(|secret| {
                if masked {
                    let first = part.split(['*', '…', '.']).next().unwrap_or_default();
                    return !first.is_empty() && secret.starts_with(first);
                }
                // A long piece of the secret, or a text that contains one.
                part.len() >= 2 * PIECE_LENGTH_MIN && secret.contains(part)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "zz-0123456789abcdefghijKLMNOP";

    #[test]
    fn no_part_of_a_key_survives() {
        let scrubber = Scrubber::new([KEY]);
        for text in [
            format!("wrong key {KEY}"),
            format!("wrong key: \"{KEY}\", look at https://a.example/keys."),
            format!("Authorization=Bearer:{KEY}"),
            format!("url ?key={KEY}&x=1"),
            "Incorrect API key provided: zz-01234*******************MNOP.".to_owned(),
            "key zz-0… is not known".to_owned(),
            "the key that ends in abcdefghijKLMNOP".to_owned(),
            format!("{}{KEY}", "é".repeat(495)),
        ] {
            let clean = scrubber.clean(&text);
            for piece in ["012345", "abcdefgh", "MNOP", "zz-0"] {
                assert!(!clean.contains(piece), "{text}: {clean}");
            }
        }
    }

    #[test]
    fn a_key_with_punctuation_is_removed_whole() {
        let scrubber = Scrubber::new(["user:p@ss, (w0rd)"]);
        let clean = scrubber.clean("the header \"user:p@ss, (w0rd)\" is wrong");
        assert_eq!(clean, "the header \"[redacted]\" is wrong");
    }

    #[test]
    fn keys_of_others_are_removed_by_their_form() {
        let scrubber = Scrubber::default();
        for key in [
            "sk-test-abcdefghijklmnop",
            "AIzaSyA-1234567890abcdefg",
            "sk-proj-ab***********wxyz",
        ] {
            let clean = scrubber.clean(&format!("no such key ({key})"));
            assert_eq!(clean, "no such key ([redacted])", "{key}");
        }
    }

    #[test]
    fn a_vendors_words_stay_readable_and_bounded() {
        let scrubber = Scrubber::new([KEY]);
        let words = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.";
        assert_eq!(scrubber.clean(words), words);
        assert_eq!(scrubber.clean("one\r\n\u{1b}[31mtwo\u{0}"), "one [31mtwo");
        let long = scrubber.clean(&"wörd ".repeat(10_000));
        assert_eq!(long.chars().count(), VENDOR_WORDS_MAX);
    }
}
