//! Renders nyxcore's own Markdown (headings, lists, code, emphasis) for a terminal, wrapped at the page width.
//! Everything else is displayed literally.

use owo_colors::{OwoColorize, Style};

/// Lines of one block of code that are shown.
const CODE_LINES: usize = 12;

/// A text in lines of at most `width` columns, each after `indent` spaces. With `colour`, ANSI escapes are used.
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

/// The backticks that open a block of code, which the same backticks close.
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
            let line: String = line
                .replace('\t', "    ")
                .chars()
                .take(self.width.saturating_sub(2))
                .collect();
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

    /// Words after a mark; further lines stand under the first word.
    fn words(&self, text: &mut String, mark: &str, markdown: &str, base: Style) {
        let hang = mark.chars().count();
        let mut column = 0;
        for (index, word) in words(markdown, base).into_iter().enumerate() {
            let length: usize = word.iter().map(|(part, _)| part.chars().count()).sum();
            if index == 0 {
                text.push_str(&self.indent);
                text.push_str(mark);
                column = hang;
            } else if column + 1 + length > self.width {
                text.push('\n');
                text.push_str(&self.indent);
                text.push_str(&" ".repeat(hang));
                column = hang;
            } else {
                text.push(' ');
                column += 1;
            }
            for (part, style) in word {
                text.push_str(&self.paint(&part, style));
            }
            column += length;
        }
        text.push('\n');
    }
}

/// A word in parts, each with its style.
type Word = Vec<(String, Style)>;

/// Splits at white space, except within code spans; takes off emphasis, the marks of code spans and backslashes before
/// punctuation.
fn words(markdown: &str, base: Style) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut word: Word = Vec::new();
    let mut part = String::new();
    let mut bold = false;
    let style = |bold: bool| if bold { base.bold() } else { base };
    let mut rest = markdown;
    let flush = |part: &mut String, word: &mut Word, style: Style| {
        if !part.is_empty() {
            word.push((std::mem::take(part), style));
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
            word.push((code.to_owned(), style(bold).cyan()));
            rest = more;
        } else if c.is_whitespace() {
            flush(&mut part, &mut word, style(bold));
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            rest = after;
        } else {
            part.push(c);
            rest = after;
        }
    }
    flush(&mut part, &mut word, style(bold));
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The code span at the beginning of a text, and what follows it.
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
