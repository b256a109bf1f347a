//! Lines of text within a width, with or without colours.

use std::borrow::Cow;

use owo_colors::{OwoColorize, Style};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthStr;

/// The minimum width of a page.
const NARROWEST: usize = 40;
/// The maximum width of a page, for readability.
const WIDEST: usize = 120;

/// The style of a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Heading,
    Strong,
    Faint,
    Hot,
}

/// The page being written.
pub(super) struct Page {
    width: usize,
    colour: bool,
    text: String,
}

impl Page {
    pub fn new(width: usize, colour: bool) -> Page {
        Page {
            width: width.clamp(NARROWEST, WIDEST),
            colour,
            text: String::new(),
        }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// The text, without an empty line at its end.
    pub fn finish(mut self) -> String {
        while self.text.ends_with("\n\n") {
            self.text.pop();
        }
        self.text
    }

    /// A heading, with a remark after it.
    pub fn heading(&mut self, title: &str, remark: &str) {
        self.line(&[
            (title, Paint::Heading),
            ("  ", Paint::Plain),
            (remark, Paint::Faint),
        ]);
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// One line of parts. A longer line is truncated, with a mark at its end.
    pub fn line(&mut self, parts: &[(&str, Paint)]) {
        let is_empty = |(text, _): &(&str, Paint)| text.trim_end().is_empty();
        let last = parts.iter().rposition(|part| !is_empty(part));
        let parts = &parts[..last.map_or(0, |last| last + 1)];
        let mut room = self.width;
        for (number, (text, paint)) in parts.iter().enumerate() {
            let clean = clean(text);
            let clean = if number + 1 == parts.len() {
                clean.trim_end()
            } else {
                &clean
            };
            let part = cut(clean, room);
            room = room.saturating_sub(columns(&part));
            self.paint(&part, *paint);
            if part.as_ref() != clean {
                break;
            }
        }
        self.text.push('\n');
    }

    /// Writes words after an indent, wrapped at the page's width. Continuation lines are aligned with the first.
    pub fn words(&mut self, indent: &str, words: &str, paint: Paint) {
        let under = " ".repeat(columns(indent));
        let mut first = Some(indent);
        for line in wrap(words, self.width.saturating_sub(columns(indent))) {
            let indent = first.take().unwrap_or(&under);
            self.line(&[(indent, Paint::Plain), (&line, paint)]);
        }
    }

    fn paint(&mut self, text: &str, paint: Paint) {
        let style = match paint {
            Paint::Plain => None,
            Paint::Heading => Some(Style::new().bold().cyan()),
            Paint::Strong => Some(Style::new().bold()),
            Paint::Faint => Some(Style::new().dimmed()),
            Paint::Hot => Some(Style::new().red()),
        };
        match style.filter(|_| self.colour && !text.trim().is_empty()) {
            Some(style) => self.text.push_str(&text.style(style).to_string()),
            None => self.text.push_str(text),
        }
    }
}

/// Text without terminal control: file names come from the author of the repository. Control characters and
/// bidirectional controls are replaced.
fn clean(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(steers) {
        Cow::Owned(text.replace(steers, "?"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The width of text in columns: wide East Asian characters and emoji take two, combining marks none.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Truncates the text to the width, with a mark at the end if anything is missing.
fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if columns(text) <= room {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if columns(&kept) + columns(letter.encode_utf8(&mut [0; 4])) + 1 > room {
            break;
        }
        kept.push(letter);
    }
    if room > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// Fits a path or place into `room` columns. The end of a longer one is kept, because it is most informative.
pub(super) fn path_fit(path: &str, room: usize) -> String {
    let path = clean(path);
    if columns(&path) <= room {
        return path.into_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for letter in path.chars().rev() {
        used += columns(letter.encode_utf8(&mut [0; 4]));
        if used > room {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept.iter().rev().collect()
}

/// Pads the text with spaces to `width` columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(columns(&clean(text)));
    format!("{text}{}", " ".repeat(spaces))
}

/// The width of the widest text, but at most `most`.
pub(super) fn widest<'t>(texts: impl Iterator<Item = &'t str>, most: usize) -> usize {
    texts.map(columns).max().unwrap_or_default().min(most)
}

/// A bar of `width` columns, in steps of an eighth.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few hundred eighths"
)]
pub(super) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    // Any share above zero is visible.
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    let mut text = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        text.push(EIGHTHS[eighths % 8]);
    }
    let columns = eighths.div_ceil(8);
    text.push_str(&" ".repeat(width - columns.min(width)));
    text
}

/// Formats a share as in `87 %`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1"
)]
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 100.0).round() as u32)
}

/// Formats a count as in `12 files`, `1 file`.
pub(super) fn counted(count: u32, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", thousands(count))
}

/// Formats a number as in `1,234,567`.
pub(super) fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats `(5 of 34)`, or only the number if all are shown.
pub(super) fn shown(shown: usize, all: usize) -> String {
    if shown < all {
        format!("({shown} of {all})")
    } else {
        format!("({all})")
    }
}

/// Breaks words into lines of at most `width` columns; a longer word has a line of its own.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.is_empty() {
        return Vec::new();
    }
    let options = Options::new(width)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(&words.join(" "), options)
        .into_iter()
        .map(Cow::into_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_to_the_width_and_steers_nothing() {
        let mut page = Page::new(40, false);
        page.line(&[
            ("a\u{1b}[2J\u{202e}", Paint::Hot),
            (&"x".repeat(99), Paint::Plain),
        ]);
        page.line(&[("漢字".repeat(30).as_str(), Paint::Plain)]);
        page.line(&[("end", Paint::Plain), ("   ", Paint::Plain)]);
        let text = page.finish();
        assert!(text.lines().all(|line| columns(line) <= 40), "{text}");
        assert!(text.starts_with("a?[2J?xxx") && text.contains('…') && text.ends_with("end\n"));
    }

    #[test]
    fn words_are_broken_where_the_width_ends() {
        assert_eq!(wrap("one  two three", 7), ["one two", "three"]);
        assert_eq!(wrap("src/a/long/path.rs a", 6), ["src/a/long/path.rs", "a"]);
        assert_eq!(wrap("漢字 漢字", 8), ["漢字", "漢字"]);
        assert!(wrap(" ", 8).is_empty());
    }

    #[test]
    fn of_a_long_path_its_end_is_shown() {
        assert_eq!(path_fit("src/a.rs:4", 20), "src/a.rs:4");
        assert_eq!(path_fit("some/where/deep/down/a.rs:4", 12), "…down/a.rs:4");
    }
}
