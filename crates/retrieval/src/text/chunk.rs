//! Splits source text into chunks of a size that can be ranked and read.

/// How large a chunk may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// The most lines; 60 by default, about one function with its comments.
    pub lines: usize,
    /// The most characters; 4,000 by default, some 1,000 tokens, which embedding models accept easily.
    pub chars: usize,
}

impl Default for ChunkLimits {
    fn default() -> Self {
        Self {
            lines: 60,
            chars: 4000,
        }
    }
}

/// A chunk of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The first line, counted from 1.
    pub start_line: usize,
    /// The last line, inclusive.
    pub end_line: usize,
    /// The lines with their endings.
    pub text: &'a str,
}

/// Splits a text into adjacent chunks without a gap or an overlap: joined again, they are the text.
///
/// A chunk ends at its last blank line if that is in its last third, else where a limit is reached. A line that is
/// longer than a whole chunk is split, and its chunks all have its number. The chunks depend on the text and the limits
/// alone: the same content gives the same chunks, so that they can be keyed by it. A limit of 0 counts as 1.
#[must_use]
pub fn chunk_lines(text: &str, limits: ChunkLimits) -> Vec<Chunk<'_>> {
    let limits = ChunkLimits {
        lines: limits.lines.max(1),
        chars: limits.chars.max(1),
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut chunks = Vec::new();
    let mut first = 0;
    let mut offset = 0;
    while first < lines.len() {
        let count = lines_that_fit(&lines[first..], limits);
        if count == 0 {
            for piece in pieces(lines[first], limits.chars) {
                chunks.push(Chunk {
                    start_line: first + 1,
                    end_line: first + 1,
                    text: piece,
                });
            }
            offset += lines[first].len();
            first += 1;
            continue;
        }
        let rest = lines.len() - first;
        let count = if count < rest {
            at_blank_line(&lines[first..first + count])
        } else {
            count
        };
        let bytes: usize = lines[first..first + count]
            .iter()
            .map(|line| line.len())
            .sum();
        chunks.push(Chunk {
            start_line: first + 1,
            end_line: first + count,
            text: &text[offset..offset + bytes],
        });
        offset += bytes;
        first += count;
    }
    chunks
}

/// How many of the lines fit into one chunk; 0 when not even the first does.
fn lines_that_fit(lines: &[&str], limits: ChunkLimits) -> usize {
    let mut chars = 0;
    lines
        .iter()
        .take(limits.lines)
        .take_while(|line| {
            chars += line.chars().count();
            chars <= limits.chars
        })
        .count()
}

/// How many lines to take so that the last one is blank; all of them, where no blank line is near the end.
fn at_blank_line(lines: &[&str]) -> usize {
    let last_third = lines.len() - lines.len() / 3;
    (last_third..=lines.len())
        .rev()
        .find(|&count| count > 0 && lines[count - 1].trim().is_empty())
        .unwrap_or(lines.len())
}

fn pieces(line: &str, chars: usize) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .char_indices()
            .nth(chars)
            .map_or(rest.len(), |(offset, _)| offset);
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(text: &str, lines: usize, chars: usize) -> Vec<(usize, usize)> {
        chunk_lines(text, ChunkLimits { lines, chars })
            .iter()
            .map(|chunk| (chunk.start_line, chunk.end_line))
            .collect()
    }

    #[test]
    fn lines_are_counted_from_one_and_taken_up_to_the_limit() {
        assert_eq!(
            ranges(&"x\n".repeat(130), 60, 4000),
            [(1, 60), (61, 120), (121, 130)]
        );
        assert_eq!(ranges(&"x\n".repeat(60), 60, 4000), [(1, 60)]);
        assert_eq!(ranges("no end of line", 60, 4000), [(1, 1)]);
        assert_eq!(ranges("", 60, 4000), []);
    }

    #[test]
    fn a_chunk_ends_at_a_blank_line_near_its_limit() {
        let text = format!("{}\n{}", "x\n".repeat(7), "y\n".repeat(7));
        assert_eq!(ranges(&text, 9, 4000), [(1, 8), (9, 15)]);
        let far = format!("{}\n{}", "x\n".repeat(3), "y\n".repeat(11));
        assert_eq!(ranges(&far, 9, 4000), [(1, 9), (10, 15)]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_keeps_its_number() {
        assert_eq!(
            ranges("short\näääääääää\nshort\n", 60, 6),
            [(1, 1), (2, 2), (2, 2), (3, 3)]
        );
    }

    #[test]
    fn limits_of_zero_still_come_to_an_end() {
        assert_eq!(ranges("ab\n", 0, 0), [(1, 1), (1, 1), (1, 1)]);
    }

    proptest! {
        #[test]
        fn chunks_put_together_are_the_text(
            text in "([a-zä ]{0,12}\r?\n|\n){0,40}[a-z]{0,5}",
            lines in 1_usize..12,
            chars in 1_usize..60,
        ) {
            let chunks = chunk_lines(&text, ChunkLimits { lines, chars });
            prop_assert_eq!(chunks.iter().map(|chunk| chunk.text).collect::<String>(), text.clone());
            for chunk in &chunks {
                prop_assert!(!chunk.text.is_empty() && chunk.text.chars().count() <= chars);
                prop_assert!(chunk.end_line - chunk.start_line < lines);
                let of_lines: String = text.split_inclusive('\n').skip(chunk.start_line - 1).take(chunk.end_line + 1 - chunk.start_line).collect();
                prop_assert!(of_lines.contains(chunk.text));
            }
            for pair in chunks.windows(2) {
                prop_assert!(pair[1].start_line == pair[0].end_line + 1 || pair[1].start_line == pair[0].end_line);
            }
        }
    }
}
