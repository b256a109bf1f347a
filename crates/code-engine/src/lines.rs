//! Finds the start of each line, and classifies lines.

use std::borrow::Cow;

use super::facts::LineCounts;

/// The start offsets of the lines of a text, for turning byte offsets into line numbers.
#[derive(Debug)]
pub(crate) struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    pub(crate) fn new(text: &str) -> LineIndex {
        let mut starts = Vec::with_capacity(text.len() / 32 + 1);
        starts.push(0);
        // A line feed at the end begins no line: a parser that recovers from an error may put a name there.
        let before_end = text.strip_suffix('\n').unwrap_or(text);
        starts.extend(
            before_end
                .bytes()
                .zip(1u32..)
                .filter_map(|(byte, next)| (byte == b'\n').then_some(next)),
        );
        LineIndex { starts }
    }

    /// The offset of a 1-based line.
    pub(crate) fn start(&self, line: u32) -> Option<u32> {
        self.starts.get(line.checked_sub(1)? as usize).copied()
    }

    /// The 1-based line that holds the byte at `offset`.
    pub(crate) fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

/// Replaces lone carriage returns by line feeds, at the same offsets, if they end the lines of the text. Old Macintosh
/// programs wrote such texts, which neither parsers nor counters support.
pub(crate) fn ends_normalised(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'\r') {
        return Cow::Borrowed(text);
    }
    let is_alone = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    let returns = (0..bytes.len()).filter(|at| is_alone(*at)).count();
    if returns == 0 || returns < feeds {
        return Cow::Borrowed(text);
    }
    let letters = text.char_indices();
    let normalised = letters.map(|(at, letter)| match letter {
        '\r' if is_alone(at) => '\n',
        other => other,
    });
    Cow::Owned(normalised.collect())
}

/// The content of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    Code,
    Comment,
    Blank,
}

/// Classifies every line of `text`, given the byte ranges of its comments in order.
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

/// Counts the lines of each kind.
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

#[cfg(test)]
mod tests {
    use super::*;
    use LineKind::{Blank, Code, Comment};

    #[test]
    fn a_carriage_return_alone_ends_a_line() {
        assert_eq!(ends_normalised("a\rb\r"), "a\nb\n");
        assert_eq!(ends_normalised("a\r\nb\r\n"), "a\r\nb\r\n");
        assert_eq!(ends_normalised("a\nb\nc = '\r'\n"), "a\nb\nc = '\r'\n");
    }

    #[test]
    fn an_offset_belongs_to_the_line_it_stands_in() {
        let index = LineIndex::new("ab\n\ncd");
        assert_eq!(
            [0, 2, 3, 4, 5].map(|offset| index.line(offset)),
            [1, 1, 2, 3, 3]
        );
        let ended = LineIndex::new("ab\n\ncd\n");
        assert_eq!([6, 7].map(|offset| ended.line(offset)), [3, 3]);
        assert_eq!(LineIndex::new("").line(0), 1);
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
}
