//! The first check of a document: counts tokens and brackets without parsing.

use async_graphql::ServerResult;
use nyxcore_graphql::error::error_with_code;

use super::{Limits, within};

/// How deep brackets of any kind may nest in a document: async-graphql's parser goes no deeper than 64 and recurses on
/// the way.
const BRACKETS: usize = 64;

/// Counts the tokens and the nesting of brackets, so that the parser never gets a document that is too long or too deep
/// for it.
pub(super) fn source_check(source: &str, limits: &Limits) -> ServerResult<()> {
    let bytes = source.as_bytes();
    let (mut at, mut tokens, mut open) = (0, 0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let (length, is_token) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => (1, false),
            _ if rest.starts_with(b"\xEF\xBB\xBF") => (3, false),
            b'#' => (run(rest, |b| b != b'\n' && b != b'\r'), false),
            b'"' => (string_length(rest), true),
            b'.' if rest.starts_with(b"...") => (3, true),
            b'-' | b'0'..=b'9' => (run(rest, is_number_part), true),
            _ if is_word(byte) => (run(rest, is_word), true),
            _ => (1, true),
        };
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        within(open, BRACKETS, "QUERY_TOO_DEEP", "nested brackets")?;
        tokens += usize::from(is_token);
        if tokens > limits.tokens {
            return Err(error_with_code(
                "QUERY_TOO_MANY_TOKENS",
                format!("the query has more than {} tokens", limits.tokens),
            ));
        }
        at += length;
    }
    Ok(())
}

pub(super) fn run(rest: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    1 + rest[1..].iter().take_while(|&&b| belongs(b)).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_number_part(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'+' | b'-')
}

/// The length of the string or block string at the beginning of `rest`. An unclosed one reaches to the end: the parser
/// refuses it.
pub(super) fn string_length(rest: &[u8]) -> usize {
    let quotes: &[u8] = if rest.starts_with(b"\"\"\"") {
        b"\"\"\""
    } else {
        b"\""
    };
    let mut at = quotes.len();
    while at < rest.len() {
        if rest[at..].starts_with(quotes) {
            return at + quotes.len();
        }
        if quotes.len() == 1 && rest[at] == b'\n' {
            return at;
        }
        at += match (rest[at], quotes.len()) {
            (b'\\', 1) => 2,
            (b'\\', _) if rest[at + 1..].starts_with(quotes) => 4,
            _ => 1,
        };
    }
    rest.len()
}
