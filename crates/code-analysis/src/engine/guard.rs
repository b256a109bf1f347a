//! Keeps hostile nesting away from recursive parsers.
//!
//! The parsers of Python and TypeScript recurse; past the end of a stack there is no error to catch, only an abort. Two
//! checks stand before them. The first counts brackets outside strings and comments, and refuses what nests deeper than
//! [`DEPTH_CAP`]: cheap, and right for every honest file, but a file made for it could fool the count. So the second
//! asks no more than how many bytes could open a level at all, each at the greatest price measured, and refuses what
//! could need more than the stack of the threads that parse ([`STACK_BYTES`]). Together: no input overflows.

use std::cell::Cell;
use std::sync::OnceLock;

use super::language::Language;
use super::skip::Skip;

/// The deepest nesting of brackets that is parsed. Hand-written code stays below 100.
pub(crate) const DEPTH_CAP: u32 = 500;

/// The stack of a thread that parses, in bytes. It is address space; a page costs memory only once it was touched.
pub(crate) const STACK_BYTES: usize = 1 << 30;

/// Refuses source that a parser could overflow its stack on.
pub(crate) fn nesting_check(language: Language, text: &str) -> Result<(), Skip> {
    if depth(language, text.as_bytes()) > DEPTH_CAP
        || stack_price(text.as_bytes()) > STACK_BYTES / 2
    {
        return Err(Skip::TooDeep);
    }
    Ok(())
}

thread_local! {
    static IS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Threads with a stack of [`STACK_BYTES`]; as many as there are cores where `threads` is 0. `None` where the system
/// gives no threads.
pub(crate) fn deep_pool(threads: usize) -> Option<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_BYTES)
        .thread_name(|index| format!("analysis-{index}"))
        .start_handler(|_| IS_DEEP.set(true))
        .build()
        .ok()
}

/// Runs `work` on a thread that has a stack of [`STACK_BYTES`]: on this one, if it is such, else on a shared pool.
///
/// Where the system gives no threads at all, the work is refused: on a stack of unknown size no promise can be kept.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Skip> {
    static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    if IS_DEEP.get() {
        return Ok(work());
    }
    match POOL.get_or_init(|| deep_pool(0)) {
        Some(pool) => Ok(pool.install(work)),
        None => Err(Skip::TooDeep),
    }
}

fn depth(language: Language, bytes: &[u8]) -> u32 {
    let mut depth = 0u32;
    let mut deepest = 0u32;
    let mut at = 0usize;
    let python = language == Language::Python;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' if python => at = line_end(bytes, at),
            b'/' if !python && bytes.get(at) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if !python && bytes.get(at) == Some(&b'*') => {
                at = find(bytes, at + 1, b"*/").map_or(bytes.len(), |end| end + 2);
            }
            b'"' | b'\''
                if python && bytes.get(at) == Some(&byte) && bytes.get(at + 1) == Some(&byte) =>
            {
                at = find(bytes, at + 2, &[byte; 3]).map_or(bytes.len(), |end| end + 3);
            }
            b'\'' if language == Language::Rust => {
                // A character literal is skipped; a lifetime is only its quote.
                if bytes.get(at) == Some(&b'\\') {
                    at = string_end(bytes, at, b'\'');
                } else if bytes.get(at + 1) == Some(&b'\'') {
                    at += 2;
                }
            }
            b'"' | b'\'' => at = string_end(bytes, at, byte),
            b'`' if !python => at = find(bytes, at, b"`").map_or(bytes.len(), |end| end + 1),
            _ => {}
        }
    }
    deepest
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    find(bytes, from, b"\n").unwrap_or(bytes.len())
}

/// The end of a string that began before `from`: past its quote, or at the end of its line.
fn string_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(what.len())
        .position(|window| window == what)
        .map(|position| from + position)
}

/// The most stack that parsing, walking or dropping the tree of these bytes could take, in bytes.
fn stack_price(bytes: &[u8]) -> usize {
    let mut price = 0usize;
    let mut in_word = false;
    for &byte in bytes {
        let word = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        price += match byte {
            b'(' | b'[' | b'{' | b'<' | b'`' => PRICE_OPEN,
            b'!' | b'~' | b'-' | b'+' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'=' | b'?'
            | b':' | b'.' | b'@' => PRICE_OPERATOR,
            _ if word && !in_word => PRICE_WORD,
            _ => 0,
        };
        in_word = word;
    }
    price
}

// The prices are the greatest that the tests below measured for one level, doubled.
const PRICE_OPEN: usize = 4096;
const PRICE_OPERATOR: usize = 1024;
const PRICE_WORD: usize = 1024;
