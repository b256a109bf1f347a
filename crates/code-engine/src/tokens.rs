//! A language-independent tokenizer for duplicate detection: words as written, all numbers equal, all strings equal,
//! each punctuation mark by itself, without white space and comments.
//!
//! It has no grammar. If it misreads a quote (a lifetime, an apostrophe in markup), it does so for every copy of the
//! code and at most until the end of the line, so equal code stays equal.

/// The maximum number of lines of an import: the lines after them are read as code.
const IMPORT_LINES_CAP: u32 = 400;

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// A hash of its text; equal for any two numbers, and for any two strings.
    pub hash: u64,
    /// As `hash`, but different for different strings.
    pub written: u64,
    /// The 1-based line it begins on.
    pub line: u32,
    /// The line where it ends.
    pub end_line: u32,
    /// Whether it is an identifier or a keyword.
    pub word: bool,
    /// Whether it is a mark of a statement: of a call, an assignment or an end.
    pub statement: bool,
}

impl Token {
    /// Whether it is a string.
    pub fn is_string(&self) -> bool {
        self.hash == STRING
    }
}

/// The start of an import, whose lines do not count as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ImportLine {
    /// Its first line.
    pub line: u32,
    /// Whether the import continues until its brackets are closed.
    pub statement: bool,
}

/// Reads the tokens of `text`. `comments` are byte ranges and `imports` lines, both in order.
pub(crate) fn tokens<'t>(
    text: &'t str,
    comments: &'t [(u32, u32)],
    imports: &'t [ImportLine],
) -> impl Iterator<Item = Token> + 't {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        comments,
    };
    let mut imports = imports.iter().copied().peekable();
    let mut inside: Option<(ImportLine, u32)> = None;
    std::iter::from_fn(move || {
        loop {
            let (token, opens) = reader.token()?;
            while imports.next_if(|next| next.line < token.line).is_some() {}
            if let Some(begun) = imports.next_if(|next| next.line == token.line) {
                let depth = inside.map_or(0, |(_, depth)| depth);
                inside = Some((begun, depth));
            }
            let Some((import, depth)) = inside.as_mut() else {
                return Some(token);
            };
            let goes_on =
                import.statement && *depth > 0 && token.line - import.line < IMPORT_LINES_CAP;
            if token.line != import.line && !goes_on {
                inside = None;
                return Some(token);
            }
            match opens {
                Bracket::Opens => *depth += 1,
                Bracket::Closes => *depth = depth.saturating_sub(1),
                Bracket::None => {}
            }
        }
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    None,
    Opens,
    Closes,
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    line: u32,
    /// The remaining comments.
    comments: &'t [(u32, u32)],
}

const NUMBER: u64 = 0x6e75_6d62_6572_0001;
const STRING: u64 = 0x7374_7269_6e67_0002;

impl Reader<'_> {
    fn token(&mut self) -> Option<(Token, Bracket)> {
        let byte = self.next_significant()?;
        let line = self.line;
        let start = self.at;
        self.at += 1;
        let (hash, word, bracket) = match byte {
            b'0'..=b'9' => {
                self.number();
                (NUMBER, false, Bracket::None)
            }
            b'"' | b'\'' | b'`' if self.string(byte) => (STRING, false, Bracket::None),
            _ if is_word(byte) => {
                while self.bytes.get(self.at).copied().is_some_and(is_word) {
                    self.at += 1;
                }
                let word = self.bytes.get(start..self.at).unwrap_or(&[]);
                (word_hash(word), true, Bracket::None)
            }
            b'(' | b'[' | b'{' => (word_hash(&[byte]), false, Bracket::Opens),
            b')' | b']' | b'}' => (word_hash(&[byte]), false, Bracket::Closes),
            _ => (word_hash(&[byte]), false, Bracket::None),
        };
        let statement = match byte {
            b'(' | b';' => true,
            // `'a' => 'b'` is an entry of a table.
            b'=' => self.bytes.get(self.at) != Some(&b'>'),
            _ => false,
        };
        let written = if hash == STRING {
            word_hash(self.bytes.get(start..self.at).unwrap_or(&[]))
        } else {
            hash
        };
        let token = Token {
            hash,
            written,
            line,
            end_line: self.line,
            word,
            statement,
        };
        Some((token, bracket))
    }

    /// Skips white space and comments.
    fn next_significant(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if byte == b'\n' {
                self.line += 1;
                self.at += 1;
            } else if byte.is_ascii_whitespace() || byte == 0x0b {
                self.at += 1;
            } else {
                match self.comment_next() {
                    Some((start, end)) if start <= self.at => self.advance(end),
                    _ => return Some(byte),
                }
            }
        }
    }

    /// The first comment that ends after this point.
    fn comment_next(&mut self) -> Option<(usize, usize)> {
        while let Some((start, end)) = self.comments.first() {
            if *end as usize > self.at {
                return Some((*start as usize, *end as usize));
            }
            self.comments = self.comments.get(1..).unwrap_or(&[]);
        }
        None
    }

    fn advance(&mut self, end: usize) {
        let passed = self.bytes.get(self.at..end).unwrap_or(&[]);
        let lines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line += u32::try_from(lines).unwrap_or(0);
        self.at = end;
    }

    fn number(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            let goes_on = byte.is_ascii_alphanumeric()
                || byte == b'_'
                || (byte == b'.' && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit));
            if !goes_on {
                break;
            }
            self.at += 1;
        }
    }

    /// Reads to the end of the string that `quote` opened. Returns `false` and reads nothing if the quote opens no
    /// string: if it is not closed on its line (with three quotes or a back quote, not closed at all), or if a comment
    /// begins first.
    fn string(&mut self, quote: u8) -> bool {
        let limit = match self.comment_next() {
            Some((start, _)) => start,
            None => self.bytes.len(),
        };
        let triple = quote != b'`'
            && self.bytes.get(self.at) == Some(&quote)
            && self.bytes.get(self.at + 1) == Some(&quote);
        let mut at = if triple { self.at + 2 } else { self.at };
        while at < limit {
            match self.bytes.get(at) {
                Some(b'\\') => at += 1,
                Some(b'\n') if !triple && quote != b'`' => return false,
                Some(&byte) if byte == quote => {
                    let closes = !triple
                        || (self.bytes.get(at + 1) == Some(&quote)
                            && self.bytes.get(at + 2) == Some(&quote));
                    if closes {
                        self.advance(if triple { at + 3 } else { at + 1 });
                        return true;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        false
    }
}

/// Letters, digits, `_`, `$`, and all bytes outside of ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// A hash that is the same on every machine, of eight bytes at a time.
fn word_hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut eight = [0u8; 8];
        for (to, from) in eight.iter_mut().zip(chunk) {
            *to = *from;
        }
        hash = (hash ^ u64::from_le_bytes(eight)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, comments: &[(u32, u32)], imports: &[ImportLine]) -> Vec<Token> {
        tokens(text, comments, imports).collect()
    }

    fn hashes(text: &str) -> Vec<u64> {
        read(text, &[], &[])
            .iter()
            .map(|token| token.hash)
            .collect()
    }

    #[test]
    fn literals_and_white_space_make_no_difference_and_words_do() {
        assert_eq!(
            hashes("let a = f(1, \"x\");"),
            hashes("let a=f( 0x2f ,\n 'it\\'s' ) ;")
        );
        assert_eq!(hashes("a(\"\"\"x\n\"y\" \"\"\")"), hashes("a(`x\ny`)"));
        assert_ne!(hashes("let a = 1"), hashes("let b = 1"));
        assert_ne!(hashes("a = 1"), hashes("a = \"1\""));
        assert_eq!(hashes("0..9.5").len(), 4, "a range of two numbers");
    }

    #[test]
    fn a_quote_that_nothing_closes_is_a_mark_of_its_own() {
        let lines = |text: &str| -> Vec<u32> {
            read(text, &[], &[])
                .iter()
                .map(|token| token.line)
                .collect()
        };
        assert_eq!(lines("it's so\nb ` c"), [1, 1, 1, 1, 2, 2, 2]);
        assert_eq!(
            read("a ' // it's\nb", &[(4, 11)], &[]).len(),
            3,
            "no string reaches into a comment"
        );
    }

    #[test]
    fn lines_count_through_strings_and_comments() {
        let found = read("a /*\n*/ `\n` b", &[(2, 7)], &[]);
        let lines: Vec<_> = found
            .iter()
            .map(|token| (token.line, token.end_line))
            .collect();
        assert_eq!(lines, [(1, 1), (2, 3), (3, 3)]);
    }

    #[test]
    fn imports_are_left_out_to_the_end_of_their_brackets() {
        let text = "import (\n\t\"a\"\n\t\"b\"\n)\nx\ny = require('z')\nw\n";
        let import = |line, statement| ImportLine { line, statement };
        let imports = [
            import(1, true),
            import(2, true),
            import(3, true),
            import(6, false),
        ];
        let lines: Vec<_> = read(text, &[], &imports)
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [5, 7]);
        let lazy = "f(() => {\n import('a')\n b })";
        assert_eq!(
            read(lazy, &[], &[import(2, false)])
                .iter()
                .map(|token| token.line)
                .collect::<Vec<_>>(),
            [1, 1, 1, 1, 1, 1, 1, 3, 3, 3]
        );
    }
}
