//! Reads one string out of JSON that is still being written, so that a person can watch a model write its answer.

/// Decodes the string value of one key of an object incrementally.
#[derive(Debug)]
pub(crate) struct FieldText {
    /// The key in double quotes.
    key: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Before the string: the last characters, which may be the beginning of the key or stand between key and string.
    Before(String),
    /// Within the string, with the escape that is not complete yet.
    Within(String),
    Done,
}

impl FieldText {
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: format!("\"{key}\""),
            state: State::Before(String::new()),
        }
    }

    /// The part of the string that a further piece of JSON contains.
    pub(crate) fn push(&mut self, json: &str) -> String {
        let mut text = String::new();
        for c in json.chars() {
            match &mut self.state {
                State::Before(seen) => {
                    seen.push(c);
                    if is_opened(seen, &self.key) {
                        self.state = State::Within(String::new());
                    } else if !seen.contains(&self.key) && seen.len() > 4 * self.key.len() {
                        // Only the end of what was seen can be the beginning of the key.
                        let from = seen.len() - self.key.len();
                        let from = (from..)
                            .find(|at| seen.is_char_boundary(*at))
                            .unwrap_or(from);
                        *seen = seen[from..].to_owned();
                    }
                }
                State::Within(escape) if !escape.is_empty() => {
                    escape.push(c);
                    if let Some(decoded) = decoded(escape) {
                        text.extend(decoded.chars().filter(|c| is_shown(*c)));
                        escape.clear();
                    }
                }
                State::Within(escape) => match c {
                    '"' => self.state = State::Done,
                    '\\' => escape.push(c),
                    c if is_shown(c) => text.push(c),
                    _ => {}
                },
                State::Done => break,
            }
        }
        text
    }
}

/// Whether `seen` ends with the key, a colon and an opening quote.
fn is_opened(seen: &str, key: &str) -> bool {
    let Some(before) = seen.strip_suffix('"') else {
        return false;
    };
    let before = before.trim_end().strip_suffix(':').map(str::trim_end);
    before.is_some_and(|before| before.ends_with(key))
}

fn is_shown(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\t')
}

/// The character of an escape; `None` while it is not complete. An invalid escape stands for nothing.
fn decoded(escape: &str) -> Option<String> {
    let is_unicode = escape.starts_with("\\u");
    // A surrogate must be followed by a second one.
    let is_half = escape.get(2..4).is_some_and(|start| {
        matches!(
            start.to_ascii_lowercase().as_str(),
            "d8" | "d9" | "da" | "db"
        )
    });
    let length = match (is_unicode, is_half) {
        (false, _) => 2,
        (true, false) => 6,
        (true, true) => 12,
    };
    if escape.chars().count() < length {
        return None;
    }
    Some(serde_json::from_str(&format!("\"{escape}\"")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str, piece: usize) -> String {
        let mut field = FieldText::new("markdown");
        let letters: Vec<char> = json.chars().collect();
        let pieces = letters.chunks(piece);
        pieces
            .map(|piece| field.push(&piece.iter().collect::<String>()))
            .collect()
    }

    #[test]
    fn the_text_of_the_key_is_read_and_nothing_else() {
        let json = r#"{"title": "a \"markdown\" b", "markdown" : "One\n\"two\" \u00e4 \ud83d\ude42.", "more": "no"}"#;
        for piece in [1, 3, 1_000] {
            assert_eq!(read(json, piece), "One\n\"two\" ä 🙂.");
        }
        assert_eq!(read("Sure! Here it is.", 4), "");
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(text in "[a-z\"\\\\\n\täöü🙂{}:]{0,60}", piece in 1_usize..9) {
            let json = serde_json::json!({ "markdown": text, "zone": 1 }).to_string();
            prop_assert_eq!(read(&json, piece), text);
        }

        #[test]
        fn any_text_can_be_read(json in any::<String>(), piece in 1_usize..9) {
            let shown = read(&json, piece);
            prop_assert!(shown.chars().count() <= json.chars().count());
        }
    }
}
