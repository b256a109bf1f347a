//! Separates thoughts at the beginning of a text, between `<think>` and `</think>`, from the answer. The tags may
//! arrive in pieces.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// The maximum number of bytes that are held back at the beginning. More white space than that belongs to the answer.
const HELD_MAX: usize = 256;

/// The position in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but white space so far.
    Beginning,
    Thoughts,
    /// The white space between the thoughts and the answer.
    AfterThoughts,
    Answer,
}

/// Splits the deltas of one text.
#[derive(Debug)]
pub(crate) struct ThinkSplitter {
    place: Place,
    /// Text that may be the beginning of a tag.
    held: String,
}

/// A piece of the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Thought(String),
    Answer(String),
}

impl ThinkSplitter {
    /// With `enabled` false everything is the answer.
    pub(crate) fn new(enabled: bool) -> Self {
        let place = if enabled {
            Place::Beginning
        } else {
            Place::Answer
        };
        let held = String::new();
        Self { place, held }
    }

    /// Adds more text.
    pub(crate) fn push(&mut self, delta: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.held.push_str(delta);
        loop {
            match self.place {
                Place::Beginning => {
                    let rest = self.held.trim_start();
                    if let Some(rest) = rest.strip_prefix(OPEN) {
                        self.held = rest.to_owned();
                        self.place = Place::Thoughts;
                    } else if OPEN.starts_with(rest) && self.held.len() <= HELD_MAX {
                        return pieces;
                    } else {
                        self.place = Place::Answer;
                    }
                }
                Place::Thoughts => {
                    if let Some((thought, rest)) = self.held.split_once(CLOSE) {
                        pieces.push(Piece::Thought(thought.to_owned()));
                        self.held = rest.to_owned();
                        self.place = Place::AfterThoughts;
                    } else {
                        let keep = held_back(&self.held, CLOSE);
                        let rest = self.held.split_off(self.held.len() - keep);
                        pieces.push(Piece::Thought(std::mem::replace(&mut self.held, rest)));
                        break;
                    }
                }
                Place::AfterThoughts => {
                    self.held = self.held.trim_start().to_owned();
                    if self.held.is_empty() {
                        break;
                    }
                    self.place = Place::Answer;
                }
                Place::Answer => {
                    pieces.push(Piece::Answer(std::mem::take(&mut self.held)));
                    break;
                }
            }
        }
        pieces.retain(
            |piece| !matches!(piece, Piece::Thought(text) | Piece::Answer(text) if text.is_empty()),
        );
        pieces
    }

    /// Returns the text that is still held back at the end.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return None;
        }
        Some(match self.place {
            Place::Thoughts => Piece::Thought(held),
            _ => Piece::Answer(held),
        })
    }
}

/// How many bytes at the end may be the beginning of the tag.
fn held_back(text: &str, tag: &str) -> usize {
    let longest = text.len().min(tag.len() - 1);
    let mut lengths = (1..=longest).rev();
    lengths
        .find(|length| text.ends_with(&tag[..*length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(deltas: &[&str], enabled: bool) -> (String, String) {
        let mut splitter = ThinkSplitter::new(enabled);
        let (mut thoughts, mut answer) = (String::new(), String::new());
        let mut pieces: Vec<Piece> = deltas
            .iter()
            .flat_map(|delta| splitter.push(delta))
            .collect();
        pieces.extend(splitter.finish());
        for piece in pieces {
            match piece {
                Piece::Thought(text) => thoughts.push_str(&text),
                Piece::Answer(text) => answer.push_str(&text),
            }
        }
        (thoughts, answer)
    }

    #[test]
    fn thoughts_are_told_apart_at_any_cut() {
        let whole = "\n<think>a < b </thin é</think>\n\nIt is <think>here</think>.";
        let expected = (
            "a < b </thin é".to_owned(),
            "It is <think>here</think>.".to_owned(),
        );
        for cut in (0..=whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            let (first, second) = whole.split_at(cut);
            assert_eq!(split(&[first, second], true), expected, "{cut}");
        }
        let single: Vec<String> = whole.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert_eq!(split(&single, true), expected);
    }

    #[test]
    fn text_without_thoughts_stays_as_it_is() {
        for text in [
            "",
            " ",
            "<thin",
            "  Hello",
            "a <think>b</think>",
            "<thinking>x",
        ] {
            let whole = (String::new(), text.to_owned());
            assert_eq!(split(&[text], true), whole, "{text}");
        }
        let tagged = "<think>a</think>b";
        assert_eq!(split(&[tagged], false), (String::new(), tagged.to_owned()));
        assert_eq!(split(&["<think>never closed"], true).0, "never closed");
    }
}
