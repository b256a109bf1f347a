//! Renders nyxcore's own Markdown (headings, lists, code, emphasis) for a terminal, wrapped at the page width.
//! Everything else is displayed literally.

use owo_colors::{OwoColorize, Style};
use textwrap::core::Fragment;
use textwrap::wrap_algorithms::wrap_first_fit;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The maximum number of lines that are shown of a code block.
const CODE_LINES: usize = 12;

/// Renders a text in lines of at most `width` columns, each after `indent` spaces. With `colour`, ANSI escapes are
/// used.
pub fn markdown_render(markdown: &str, width: usize, indent: usize, colour: bool) -> String {
    let page = Page {
        width: width.saturating_sub(indent).max(20),
        indent: " ".repeat(indent),
        colour,
    };
    let mut text = String::new();
    let mut blank = true;
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(fence) = fence_of(line) {
            let code = lines.by_ref().take_while(|line| line.trim() != fence);
            page.code(&mut text, &code.collect::<Vec<_>>());
            blank = false;
            continue;
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with("<!--") {
            if !blank {
                text.push('\n');
            }
            blank = true;
            continue;
        }
        blank = false;
        if line.starts_with('#') {
            let title = line.trim_start_matches('#').trim();
            page.words(&mut text, "", title, Style::new().bold());
        } else if let Some(entry) = line.strip_prefix("- ") {
            page.words(&mut text, "• ", entry, Style::new());
        } else {
            page.words(&mut text, "", line, Style::new());
        }
    }
    let end = text.trim_end().len();
    text.truncate(end);
    text.push('\n');
    text
}

/// The backticks that open a code block; the same backticks close it.
fn fence_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let ticks = line.len() - line.trim_start_matches('`').len();
    (ticks >= 3).then(|| &line[..ticks])
}

struct Page {
    width: usize,
    indent: String,
    colour: bool,
}

impl Page {
    fn paint(&self, text: &str, style: Style) -> String {
        if self.colour {
            text.style(style).to_string()
        } else {
            text.to_owned()
        }
    }

    fn code(&self, text: &mut String, lines: &[&str]) {
        let faint = Style::new().dimmed();
        for line in lines.iter().take(CODE_LINES) {
            let line = line.replace('\t', "    ");
            let line = beginning(&line, self.width.saturating_sub(2));
            let bar = format!("{}│ {}", self.indent, line);
            text.push_str(&self.paint(bar.trim_end(), faint));
            text.push('\n');
        }
        if lines.len() > CODE_LINES {
            let rest = format!("{}│ … {} more lines", self.indent, lines.len() - CODE_LINES);
            text.push_str(&self.paint(&rest, faint));
            text.push('\n');
        }
    }

    /// Writes words after a list mark. Further lines are indented to the first word.
    fn words(&self, text: &mut String, mark: &str, markdown: &str, base: Style) {
        let hang = mark.width();
        let words = words(markdown, base);
        let room = self.width.saturating_sub(hang);
        for (number, line) in wrap_first_fit(&words, &[columns_float(room)])
            .iter()
            .enumerate()
        {
            text.push_str(&self.indent);
            match number {
                0 => text.push_str(mark),
                _ => text.push_str(&" ".repeat(hang)),
            }
            for (number, Word(parts)) in line.iter().enumerate() {
                if number > 0 {
                    text.push(' ');
                }
                for (part, style) in parts {
                    text.push_str(&self.paint(part, *style));
                }
            }
            text.push('\n');
        }
    }
}

/// The longest beginning of a text that fits into this number of columns.
fn beginning(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, letter)| {
        used += letter.width().unwrap_or_default();
        used > columns
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// Converts a number of columns for `textwrap`.
#[expect(
    clippy::cast_precision_loss,
    reason = "a line has far less than 2^52 columns"
)]
fn columns_float(columns: usize) -> f64 {
    columns as f64
}

/// A word in parts, each with its style.
#[derive(Debug, Default)]
struct Word(Vec<(String, Style)>);

impl Fragment for Word {
    fn width(&self) -> f64 {
        columns_float(self.0.iter().map(|(part, _)| part.width()).sum())
    }

    fn whitespace_width(&self) -> f64 {
        1.0
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

/// Splits at white space, except within code spans. Removes emphasis, the backticks of code spans, and backslashes
/// before punctuation.
fn words(markdown: &str, base: Style) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut word = Word::default();
    let mut part = String::new();
    let mut bold = false;
    let style = |bold: bool| if bold { base.bold() } else { base };
    let mut rest = markdown;
    let flush = |part: &mut String, word: &mut Word, style: Style| {
        if !part.is_empty() {
            word.0.push((std::mem::take(part), style));
        }
    };
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c == '\\' && after.starts_with(|next: char| next.is_ascii_punctuation()) {
            part.extend(after.chars().next());
            rest = &after[1..];
        } else if let Some(more) = rest.strip_prefix("**") {
            flush(&mut part, &mut word, style(bold));
            bold = !bold;
            rest = more;
        } else if let Some((code, more)) = code_span(rest) {
            flush(&mut part, &mut word, style(bold));
            word.0.push((code.to_owned(), style(bold).cyan()));
            rest = more;
        } else if c.is_whitespace() {
            flush(&mut part, &mut word, style(bold));
            if !word.0.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            rest = after;
        } else {
            part.push(c);
            rest = after;
        }
    }
    flush(&mut part, &mut word, style(bold));
    if !word.0.is_empty() {
        words.push(word);
    }
    words
}

/// Splits a text after the code span at its beginning.
fn code_span(text: &str) -> Option<(&str, &str)> {
    let ticks = text.len() - text.trim_start_matches('`').len();
    if ticks == 0 {
        return None;
    }
    let (fence, inside) = text.split_at(ticks);
    let mut from = 0;
    loop {
        let at = from + inside[from..].find(fence)?;
        let run = inside[at..].len() - inside[at..].trim_start_matches('`').len();
        if run == ticks {
            return Some((inside[..at].trim(), &inside[at + ticks..]));
        }
        from = at + run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_lists_and_code_are_rendered_without_markup() {
        let markdown = "Extractive.\n\n\n### How\n\n- **Functions** (`a b`): are snake\\_case, \\*always\\* [1]\n\n```rust\nfn main() {}\n```\n";
        let text = markdown_render(markdown, 30, 2, false);
        let shown = "  Extractive.\n\n  How\n\n  • Functions (a b): are\n    snake_case, *always* [1]\n\n  │ fn main() {}\n";
        assert_eq!(text, shown);
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let text = markdown_render("漢字漢字漢 漢字漢字漢 a", 20, 0, false);
        assert_eq!(text, "漢字漢字漢\n漢字漢字漢 a\n");
        let text = markdown_render("```\n漢字漢字漢字漢字漢字\n```", 20, 0, false);
        assert_eq!(text, "│ 漢字漢字漢字漢字漢\n");
    }

    #[test]
    fn a_mark_on_a_letter_takes_no_column() {
        let word = "e\u{301}".repeat(9);
        let text = markdown_render(&format!("{word} {word}"), 20, 0, false);
        assert_eq!(text, format!("{word} {word}\n"));
    }

    #[test]
    fn a_longer_fence_holds_a_shorter_one() {
        let text = markdown_render("````\n```\nx\n```\n````\nend", 40, 0, false);
        assert_eq!(text, "│ ```\n│ x\n│ ```\nend\n");
    }

    #[test]
    fn a_long_block_of_code_is_cut_and_says_so() {
        let block = format!("```\n{}```", "line\n".repeat(CODE_LINES + 3));
        let text = markdown_render(&block, 40, 0, false);
        assert!(text.ends_with("│ … 3 more lines\n"), "{text}");
    }

    #[test]
    fn an_open_code_span_is_text() {
        assert_eq!(markdown_render("a `b and c", 40, 0, false), "a `b and c\n");
    }
}
