//! Lines and comments of languages that have no parser: a scanner that knows the comments and strings of each.

use super::language::{CommentStyle, Language};
use super::lines::{LineKind, line_kinds};

/// The result of scanning a text.
#[derive(Debug)]
pub(crate) struct PlainLines {
    pub kinds: Vec<LineKind>,
    /// The byte ranges of the comments, in order.
    pub comments: Vec<(u32, u32)>,
}

/// Classifies the lines of a text and finds its comments. A comment mark inside a string does not count.
pub(crate) fn plain_lines(language: Language, text: &str) -> PlainLines {
    let mut scan = Scan {
        text,
        at: 0,
        comments: Vec::new(),
    };
    let style = language.comment_style();
    match language {
        Language::Html | Language::Vue | Language::Svelte => scan.page(style),
        _ => scan.up_to(style, text.len()),
    }
    let comments = scan.comments;
    PlainLines {
        kinds: line_kinds(text, &comments),
        comments,
    }
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    comments: Vec<(u32, u32)>,
}

/// A script or style in a page has its own comment syntax.
const PARTS: [(&str, &str, &CommentStyle); 2] = [
    ("<script", "</script", &CommentStyle::SCRIPT),
    ("<style", "</style", &CommentStyle::STYLE),
];

impl Scan<'_> {
    fn page(&mut self, style: &CommentStyle) {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let next = PARTS
                .iter()
                .filter_map(|part| Some((rest.find(part.0)?, part)));
            // The tag may be inside a comment of the page.
            let Some((start, (_, close, inner))) = next.min_by_key(|(at, _)| *at) else {
                return self.up_to(style, self.text.len());
            };
            let open = self.at + start;
            self.up_to(style, open);
            if self.at > open {
                continue;
            }
            let body = self.text[open..]
                .find('>')
                .map_or(self.text.len(), |at| open + at + 1);
            let end = self.text[body..]
                .find(close)
                .map_or(self.text.len(), |at| body + at);
            self.at = body;
            self.up_to(inner, end);
            self.at = self.at.max(end);
            // Skips the closing tag.
            if self.at < self.text.len() {
                self.at += close.len();
            }
        }
    }

    /// Scans to the offset `end`; a comment or string that is open there is read to its own end.
    fn up_to(&mut self, style: &CommentStyle, end: usize) {
        let bytes = self.text.as_bytes();
        let mut line_start = self.at == 0 || bytes[self.at - 1] == b'\n';
        while self.at < end {
            let rest = &self.text[self.at..];
            let byte = bytes[self.at];
            if let Some(length) = self.comment_length(style, rest, line_start) {
                let start = self.at;
                self.at += length;
                self.comments.push((offset(start), offset(self.at)));
                line_start = false;
                continue;
            }
            if let Some(quotes) = style
                .strings
                .iter()
                .find(|quotes| rest.starts_with(**quotes))
            {
                self.at += string_length(rest, quotes);
                line_start = false;
                continue;
            }
            line_start = byte == b'\n' || (line_start && byte.is_ascii_whitespace());
            self.at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }

    /// The length of the comment at the beginning of `rest`.
    fn comment_length(&self, style: &CommentStyle, rest: &str, line_start: bool) -> Option<usize> {
        for block in style.blocks {
            let begins = rest.starts_with(block.start) && (line_start || !block.at_line_start);
            if begins {
                return Some(block_length(rest, block.start, block.end, block.nests));
            }
        }
        // Lua's `--[==[ ... ]==]`.
        if style.long_brackets
            && let Some(level) = rest.strip_prefix("--[")
        {
            let signs = level.bytes().take_while(|byte| *byte == b'=').count();
            if level.as_bytes().get(signs) == Some(&b'[') {
                let close = format!("]{}]", "=".repeat(signs));
                return Some(rest.find(&close).map_or(rest.len(), |at| at + close.len()));
            }
        }
        let mark = style.line.iter().find(|mark| rest.starts_with(**mark))?;
        // A `#` may also be an operator or part of a word. It begins a comment only where a word may begin.
        let before = self.text.as_bytes().get(self.at.wrapping_sub(1));
        let is_apart =
            before.is_none_or(|byte| byte.is_ascii_whitespace() || b";{}()[],".contains(byte));
        if *mark == "#" && !is_apart {
            return None;
        }
        // `http://` is not a comment.
        if *mark == "//" && before == Some(&b':') {
            return None;
        }
        Some(rest.find('\n').unwrap_or(rest.len()))
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn block_length(rest: &str, start: &str, end: &str, nests: bool) -> usize {
    let mut at = start.len();
    let mut depth = 1u32;
    while let Some(inside) = rest.get(at..) {
        let close = inside.find(end);
        let open = inside.find(start).filter(|_| nests);
        match (open, close) {
            (Some(open), Some(close)) if open < close => {
                depth += 1;
                at += open + start.len();
            }
            (_, Some(close)) => {
                depth -= 1;
                at += close + end.len();
                if depth == 0 {
                    return at;
                }
            }
            _ => return rest.len(),
        }
    }
    rest.len()
}

/// The length of a string. With a one-character delimiter it ends at the end of its line at the latest.
fn string_length(rest: &str, quotes: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = quotes.len();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' if quotes.len() == 1 && quotes != "`" => return at,
            _ if rest.is_char_boundary(at) && rest[at..].starts_with(quotes) => {
                return at + quotes.len();
            }
            _ => at += 1,
        }
    }
    let mut end = at.min(rest.len());
    while !rest.is_char_boundary(end) {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::super::lines::line_counts;
    use super::*;

    fn counts(language: Language, text: &str) -> (u32, u32, u32) {
        let counts = line_counts(&plain_lines(language, text).kinds);
        (counts.code, counts.comment, counts.blank)
    }

    #[test]
    fn each_language_has_its_own_comments() {
        for (language, text, expected) in [
            (
                Language::OCaml,
                "(* outer\n (* inner *)\n let hidden = 1\n*)\nlet shown = 2\n",
                (1, 4, 0),
            ),
            (
                Language::Lua,
                "--[[\n legacy = true\n]]\nreturn 1\n",
                (1, 3, 0),
            ),
            (
                Language::Lua,
                "--[==[\n a ]] b\n]==]\nreturn 1 -- end\n",
                (1, 3, 0),
            ),
            (
                Language::Haskell,
                "{- two\n   lines -}\nmain = print 1\n",
                (1, 2, 0),
            ),
            (
                Language::PowerShell,
                "<#\n why\n#>\nfunction Go { 1 }\n",
                (1, 3, 0),
            ),
            (
                Language::Terraform,
                "// a\n# b\n/* c */\nx = 1\n",
                (1, 3, 0),
            ),
            (
                Language::Vue,
                "<!-- a -->\n<script>\n// b\n/* c\n*/\nlet d = 1\n</script>\n",
                (3, 4, 0),
            ),
            (
                Language::Sql,
                "-- a\nselect '-- b';\n\n/* c\nd */ select 1;\n",
                (2, 2, 1),
            ),
            (Language::Julia, "#= a\n=#\nx = 1\n", (1, 2, 0)),
            (Language::Perl, "=pod\ntext\n=cut\nmy $x = 1;\n", (1, 3, 0)),
            (Language::Clojure, "; a\n(def b \"; no\")\n", (1, 1, 0)),
            (Language::Markdown, "# title\n", (1, 0, 0)),
        ] {
            assert_eq!(counts(language, text), expected, "{language} {text}");
        }
    }

    #[test]
    fn code_behind_a_comments_end_is_code() {
        assert_eq!(
            counts(Language::Css, "/* a */ b { }\n/* c\n*/ d { }\n"),
            (2, 1, 0)
        );
        assert_eq!(
            counts(
                Language::Dart,
                "const a = 'x // y';\nvar b = \"/*\";\nvar c = 1;\n"
            ),
            (3, 0, 0)
        );
        assert_eq!(
            counts(Language::Css, "a { background: url(http://b/c); }\n"),
            (1, 0, 0)
        );
    }

    #[test]
    fn unfinished_text_is_read_to_its_end() {
        for text in ["/* é", "'é", "\"\\", "{- {-", "--[==[ é"] {
            for language in [
                Language::Css,
                Language::Haskell,
                Language::Lua,
                Language::Dart,
            ] {
                assert!(plain_lines(language, text).kinds.len() <= 1);
            }
        }
    }
}
