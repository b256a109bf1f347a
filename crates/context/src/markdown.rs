//! Escapes untrusted text in generated Markdown, so that it is displayed literally.

/// A text on one line. What stood on lines of its own (list entries, headings, paragraphs) is separated by a `·`.
/// Markup is escaped, except for closed code spans, in which nothing else is markup.
pub fn inline(text: &str) -> String {
    escape(&one_line(text))
}

/// A block of code. The fence is longer than any run of backticks within it.
pub fn fence(text: &str, language: Option<&str>) -> String {
    let text = printable(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '#');
    let language: String = language
        .unwrap_or_default()
        .chars()
        .filter(is_plain)
        .collect();
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

/// A code span, such as for a path.
pub fn code_span(text: &str) -> String {
    let text = printable(text).replace(['\n', '\t'], " ");
    if text.trim().is_empty() {
        return String::new();
    }
    let tick = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{tick}{pad}{text}{pad}{tick}")
}

/// The text without control characters, which could steer a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn one_line(text: &str) -> String {
    let text = printable(text);
    let mut parts: Vec<String> = Vec::new();
    let mut is_new = true;
    for line in text.lines() {
        let line = line.trim();
        let content = content(line);
        if content.is_empty() {
            is_new = true;
            continue;
        }
        let words = content.split_whitespace().collect::<Vec<_>>().join(" ");
        match parts.last_mut() {
            Some(part) if !is_new && content.len() == line.len() => {
                part.push(' ');
                part.push_str(&words);
            }
            _ => parts.push(words),
        }
        // A heading is a part of its own, so the next line starts another.
        is_new = line.starts_with('#') && content.len() < line.len();
    }
    parts.join(" · ")
}

/// A line without its heading, list or quotation marker; empty for a line that is only markup.
fn content(line: &str) -> &str {
    if line.starts_with("```") || line.starts_with("~~~") || is_rule(line) {
        return "";
    }
    let mut rest = line.trim_start_matches(['#', '>']);
    if rest.len() < line.len()
        && !rest.is_empty()
        && !rest.starts_with(' ')
        && line.starts_with('#')
    {
        // `#tag` is no heading.
        return line;
    }
    rest = rest.trim_start();
    for bullet in ["- ", "* ", "+ "] {
        if let Some(entry) = rest.strip_prefix(bullet) {
            return without_box(entry.trim_start());
        }
    }
    let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if number.len() < rest.len()
        && let Some(entry) = number
            .strip_prefix(". ")
            .or_else(|| number.strip_prefix(") "))
    {
        return without_box(entry.trim_start());
    }
    rest
}

fn without_box(entry: &str) -> &str {
    ["[ ] ", "[x] ", "[X] "]
        .iter()
        .find_map(|mark| entry.strip_prefix(mark))
        .unwrap_or(entry)
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3
        && ["-", "*", "_", "="]
            .iter()
            .any(|mark| line.replace(mark, "").is_empty())
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c == '`' {
            let run = rest.len() - rest.trim_start_matches('`').len();
            let length = code_span_length(rest, run).unwrap_or_else(|| {
                escaped.push_str(&"\\`".repeat(run));
                0
            });
            escaped.push_str(&rest[..length]);
            at += length.max(run);
            continue;
        }
        let before = text[..at].chars().next_back();
        let after = rest[c.len_utf8()..].chars().next();
        if is_markup(c, before, after, rest) {
            escaped.push('\\');
        }
        escaped.push(c);
        at += c.len_utf8();
    }
    escaped
}

/// How long the code span is that begins with `run` backticks: up to the next run of as many.
fn code_span_length(text: &str, run: usize) -> Option<usize> {
    let mut at = run;
    loop {
        at += text[at..].find('`')?;
        let closing = text[at..].len() - text[at..].trim_start_matches('`').len();
        at += closing;
        if closing == run {
            return Some(at);
        }
    }
}

fn is_markup(c: char, before: Option<char>, after: Option<char>, rest: &str) -> bool {
    let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match c {
        '*' | '[' | ']' | '<' | '~' => true,
        // An underscore within a word is no markup: `snake_case` stays readable.
        '_' => !(in_word(before) && in_word(after)),
        '\\' => after.is_none_or(|c| c.is_ascii_punctuation()),
        // A character reference such as `&lt;`.
        '&' => {
            let name =
                rest[1..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '#');
            name.starts_with(';') && name.len() < rest.len() - 1
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_of_others_is_shown_as_it_is_written() {
        for (given, shown) in [
            ("plain text", "plain text"),
            ("snake_case and _emphasis_", "snake_case and \\_emphasis\\_"),
            ("**bold** ~gone~", "\\*\\*bold\\*\\* \\~gone\\~"),
            (
                "[here](http://evil.example)",
                "\\[here\\](http://evil.example)",
            ),
            ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
            ("<!-- a comment -->", "\\<!-- a comment -->"),
            ("R&D and &lt;", "R&D and \\&lt;"),
            ("C:\\temp and \\* and \\", "C:\\temp and \\\\\\* and \\\\"),
            ("{{ 7 * 7 }}", "{{ 7 \\* 7 }}"),
            ("\u{1b}[31mred", "\\[31mred"),
        ] {
            assert_eq!(inline(given), shown, "{given:?}");
        }
    }

    #[test]
    fn a_closed_code_span_stays_and_an_open_one_is_escaped() {
        assert_eq!(
            inline("call `a_*b*`, then ``c`d``"),
            "call `a_*b*`, then ``c`d``"
        );
        assert_eq!(inline("an `open *one*"), "an \\`open \\*one\\*");
        assert_eq!(inline("``` ` **x**"), "");
        assert_eq!(inline("x ``` ` **y**"), "x \\`\\`\\` \\` \\*\\*y\\*\\*");
    }

    #[test]
    fn lines_become_one() {
        assert_eq!(
            inline(
                "## Pain Log\nThe worker\nlost its lease.\n\n- first\n* second\n1. third\n- [ ] fourth\n> said\n---\n```rust\nlet x;\n```"
            ),
            "Pain Log · The worker lost its lease. · first · second · third · fourth · said · let x;"
        );
        assert_eq!(inline("#tag stays\n2024 too"), "#tag stays 2024 too");
        assert_eq!(inline(" \n "), "");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(
            fence("let x = 1;\n", Some("rust")),
            "```rust\nlet x = 1;\n```"
        );
        assert_eq!(
            fence("```\n````", Some("c++\n<x>")),
            "`````c++x\n```\n````\n`````"
        );
        assert_eq!(
            fence("  indented\r\n\u{1b}[0m", None),
            "```\n  indented\n[0m\n```"
        );
    }

    #[test]
    fn a_code_span_holds_any_path() {
        assert_eq!(code_span("src/lease.rs:1"), "`src/lease.rs:1`");
        assert_eq!(code_span("a`b"), "``a`b``");
        assert_eq!(code_span("`a"), "`` `a ``");
        assert_eq!(code_span("a\nb"), "`a b`");
        assert_eq!(code_span(" "), "");
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_line_without_raw_html(text in "[`\\\\*_<>&;#a-c \n\\[\\]-]{0,40}|.{0,40}") {
            let shown = inline(&text);
            prop_assert!(!shown.contains('\n'));
            // Outside of code spans nothing opens a tag or a link.
            let mut outside = String::new();
            let mut at = 0;
            while at < shown.len() {
                let rest = &shown[at..];
                if let Some(escaped) = rest.strip_prefix('\\').and_then(|after| after.chars().next()).filter(char::is_ascii_punctuation) {
                    at += 1 + escaped.len_utf8();
                    continue;
                }
                let run = rest.len() - rest.trim_start_matches('`').len();
                if run > 0 {
                    let length = code_span_length(rest, run);
                    prop_assert!(length.is_some(), "{shown:?}");
                    at += length.unwrap_or(run);
                    continue;
                }
                let c = rest.chars().next().unwrap_or_default();
                outside.push(c);
                at += c.len_utf8();
            }
            prop_assert!(!outside.contains(['<', '[', ']', '*']), "{shown:?}");
        }

        #[test]
        fn a_fence_closes_where_it_should(text in "[`a\n]{0,40}") {
            let block = fence(&text, None);
            let mark = block.lines().next().unwrap_or_default();
            let lines: Vec<&str> = block.lines().collect();
            prop_assert_eq!(lines.iter().filter(|line| line.trim_start().starts_with(mark)).count(), 2);
        }
    }
}
