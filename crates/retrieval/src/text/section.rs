//! Splits a document of a repository at its headings.

use super::chunk::{ChunkLimits, chunk_lines};
use super::outline::outline;

/// The minimum lines of a section: a shorter one is joined with the next, because a heading alone answers nothing.
const LINES_MIN: usize = 3;

/// A section of a document, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section<'a> {
    /// The heading; `None` before the first one.
    pub heading: Option<&'a str>,
    /// The first line, counted from 1.
    pub start_line: usize,
    /// The last line, inclusive.
    pub end_line: usize,
    /// The lines with their endings.
    pub text: &'a str,
}

/// The sections of a document, in order: together they are the text without blank parts. `path` decides the syntax of
/// headings. A long section is split by [`chunk_lines`], and its parts have its heading.
///
/// ```
/// # use nyxcore_retrieval::document_sections;
/// let text = "Intro\n\n# Install\nGet it.\n\nRun it.\n\n# Use\nAsk it\nand read\nwhat it says.\n";
/// let sections = document_sections("README.md", text);
/// let headings: Vec<_> = sections.iter().map(|section| (section.heading, section.start_line)).collect();
/// assert_eq!(headings, [(None, 1), (Some("Install"), 3), (Some("Use"), 8)]);
/// ```
#[must_use]
pub fn document_sections<'a>(path: &str, text: &'a str) -> Vec<Section<'a>> {
    let headings = outline(Some(path), text).definitions;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut starts: Vec<(usize, Option<&'a str>)> = vec![(1, None)];
    for heading in headings {
        let is_short = |start: usize| heading.start - start < LINES_MIN;
        match starts.last_mut() {
            // There is no text before the first heading.
            Some(last) if heading.start == 1 => last.1 = Some(heading.name),
            Some((start, Some(_))) if is_short(*start) => {}
            _ => starts.push((heading.start, Some(heading.name))),
        }
    }
    let mut sections = Vec::new();
    for (n, &(start, heading)) in starts.iter().enumerate() {
        let end = starts.get(n + 1).map_or(lines.len(), |next| next.0 - 1);
        if start > end {
            continue;
        }
        let offset: usize = lines[..start - 1].iter().map(|line| line.len()).sum();
        let bytes: usize = lines[start - 1..end].iter().map(|line| line.len()).sum();
        let block = &text[offset..offset + bytes];
        for chunk in chunk_lines(block, ChunkLimits::default()) {
            if !chunk.text.trim().is_empty() {
                sections.push(Section {
                    heading,
                    start_line: start + chunk.start_line - 1,
                    end_line: start + chunk.end_line - 1,
                    text: chunk.text,
                });
            }
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_alone_goes_with_the_next_section() {
        let text = "# Title\n\n## First\none\ntwo\nthree\n";
        let sections = document_sections("a.md", text);
        assert_eq!(sections.len(), 1);
        assert_eq!(sections[0].heading, Some("Title"));
    }

    #[test]
    fn a_long_section_keeps_its_heading() {
        let text = format!("# Title\n{}", "line\n".repeat(150));
        let sections = document_sections("a.md", &text);
        assert!(
            sections.len() > 2
                && sections
                    .iter()
                    .all(|section| section.heading == Some("Title"))
        );
        assert_eq!(sections.last().map(|section| section.end_line), Some(151));
    }

    proptest::proptest! {
        #[test]
        fn sections_are_the_text_without_blanks(text in "(# a|===|word|\n|  |ä){0,60}") {
            let joined: String = document_sections("a.md", &text).iter().map(|section| section.text).collect();
            let dense = |text: &str| text.split_whitespace().collect::<String>();
            proptest::prop_assert_eq!(dense(&joined), dense(&text));
        }
    }
}
