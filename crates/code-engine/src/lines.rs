//! Finds the start of each line, and classifies lines.

use super::facts::LineCounts;
use super::language::Language;

/// The beginnings of the lines of a text, for turning byte offsets into line numbers.
#[derive(Debug)]
pub(crate) struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    pub(crate) fn new(text: &str) -> LineIndex {
        let mut starts = Vec::with_capacity(text.len() / 32 + 1);
        starts.push(0);
        starts.extend(
            text.bytes()
                .zip(1u32..)
                .filter_map(|(byte, next)| (byte == b'\n').then_some(next)),
        );
        LineIndex { starts }
    }

    /// Where a 1-based line begins.
    pub(crate) fn start(&self, line: u32) -> Option<u32> {
        self.starts.get(line.checked_sub(1)? as usize).copied()
    }

    /// The 1-based line that holds the byte at `offset`.
    pub(crate) fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

/// What a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    Code,
    Comment,
    Blank,
}

/// Sorts every line of `text`, given the byte ranges of its comments in order.
pub(crate) fn line_kinds(text: &str, comments: &[(u32, u32)]) -> Vec<LineKind> {
    let mut kinds = Vec::with_capacity(text.len() / 32 + 1);
    let mut next = 0usize;
    let mut offset = 0u32;
    for line in text.split_inclusive('\n') {
        let (mut code, mut comment) = (false, false);
        for (index, byte) in (offset..).zip(line.bytes()) {
            if byte.is_ascii_whitespace() {
                continue;
            }
            while comments.get(next).is_some_and(|(_, end)| *end <= index) {
                next += 1;
            }
            if comments.get(next).is_some_and(|(start, _)| *start <= index) {
                comment = true;
            } else {
                code = true;
                break;
            }
        }
        kinds.push(match (code, comment) {
            (true, _) => LineKind::Code,
            (false, true) => LineKind::Comment,
            (false, false) => LineKind::Blank,
        });
        offset += u32::try_from(line.len()).unwrap_or(0);
    }
    kinds
}

/// Sums up kinds of lines.
pub(crate) fn line_counts(kinds: &[LineKind]) -> LineCounts {
    let mut counts = LineCounts::default();
    for kind in kinds {
        match kind {
            LineKind::Code => counts.code += 1,
            LineKind::Comment => counts.comment += 1,
            LineKind::Blank => counts.blank += 1,
        }
    }
    counts
}

/// The lines of a file without a parser. A line is a comment if it begins with the comment mark of the language, or is
/// in a block comment that began at a line start; marks inside strings are not recognised.
pub(crate) fn plain_line_kinds(language: Language, text: &str) -> Vec<LineKind> {
    let style = language.comment_style();
    let mut in_block = false;
    text.lines()
        .map(|line| {
            let line = line.trim();
            if line.is_empty() {
                return LineKind::Blank;
            }
            if in_block {
                in_block = !style.block.is_some_and(|(_, end)| line.contains(end));
                return LineKind::Comment;
            }
            if style.line.iter().any(|mark| line.starts_with(mark)) {
                return LineKind::Comment;
            }
            if let Some((start, end)) = style.block
                && let Some(rest) = line.strip_prefix(start)
            {
                match rest.split_once(end) {
                    None => {
                        in_block = true;
                        return LineKind::Comment;
                    }
                    Some((_, after)) if after.trim().is_empty() => return LineKind::Comment,
                    Some(_) => {}
                }
            }
            LineKind::Code
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use LineKind::{Blank, Code, Comment};

    #[test]
    fn an_offset_belongs_to_the_line_it_stands_in() {
        let index = LineIndex::new("ab\n\ncd");
        assert_eq!(
            [0, 2, 3, 4, 5].map(|offset| index.line(offset)),
            [1, 1, 2, 3, 3]
        );
    }

    #[test]
    fn code_wins_over_a_comment_on_the_same_line() {
        let text = "a // x\n// y\n\n/* z\n\n*/ b\n";
        let comments = [(2, 6), (7, 11), (13, 21)];
        assert_eq!(&text[13..21], "/* z\n\n*/");
        assert_eq!(
            line_kinds(text, &comments),
            [Code, Comment, Blank, Comment, Blank, Code]
        );
    }

    #[test]
    fn files_without_a_parser_are_counted_by_their_comment_marks() {
        let sql = "-- a\nselect 1; -- b\n\n/* c\nd */\n";
        assert_eq!(
            plain_line_kinds(Language::Sql, sql),
            [Comment, Code, Blank, Comment, Comment]
        );
        assert_eq!(plain_line_kinds(Language::Markdown, "# title\n"), [Code]);
    }
}
