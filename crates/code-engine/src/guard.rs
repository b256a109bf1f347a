//! Protects recursive parsers from deeply nested input.
//!
//! The parsers of Python and TypeScript recurse, and a stack overflow aborts the process. Two checks run before them.
//! The first counts brackets outside of strings and comments, and refuses files nested deeper than [`DEPTH_CAP`]. It
//! is cheap and exact for ordinary files, but a crafted file can deceive it. The second check counts the bytes that
//! could open a level, each at the highest measured stack cost, and refuses files that could need more than the stack
//! of the parser threads ([`STACK_BYTES`]). Together they prevent a stack overflow for every input.

use std::cell::Cell;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::language::Language;
use super::skip::Skip;

/// The maximum nesting of brackets that is parsed. Hand-written code stays below 100.
pub(crate) const DEPTH_CAP: u32 = 500;

/// The stack of a thread that parses, in bytes. It is address space; a page uses memory only after its first access.
pub(crate) const STACK_BYTES: usize = 1 << 30;

/// Refuses source whose brackets nest too deeply.
pub(crate) fn depth_check(language: Language, text: &str) -> Result<(), Skip> {
    let bytes = text.as_bytes();
    // If the parser does not recurse, depth costs time and no stack: the cheap count suffices.
    if depth_of_bytes(bytes) > DEPTH_CAP
        || parser_recurses(language) && depth_of_code(language, bytes) > DEPTH_CAP
    {
        Err(Skip::TooDeep)
    } else {
        Ok(())
    }
}

/// Refuses source that could need more stack than exists, whatever its brackets look like.
pub(crate) fn price_check(language: Language, text: &str) -> Result<(), Skip> {
    // An opening bracket has the highest price of all bytes, so most files need not be scanned.
    let may_exceed = text.len() > STACK_BYTES / 2 / PRICE_OPEN;
    if may_exceed && parser_recurses(language) && stack_price(text.as_bytes()) > STACK_BYTES / 2 {
        Err(Skip::TooDeep)
    } else {
        Ok(())
    }
}

thread_local! {
    static IS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Creates a pool of threads with a stack of [`STACK_BYTES`]; 0 threads means one per core. `None` if the system
/// creates no threads.
pub(crate) fn deep_pool(threads: usize) -> Option<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_BYTES)
        .thread_name(|index| format!("analysis-{index}"))
        .start_handler(|_| IS_DEEP.set(true))
        .build()
        .ok()
}

/// The system cannot create threads with the stack that the parsers need. The cause is a lack of memory that may pass,
/// not the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system cannot create threads for the analysis: free memory or raise the address space limit"
)]
pub struct NoThreads;

/// The shared pool, once it was created. A failure is not stored: the next caller tries again.
struct SharedPool {
    pool: OnceLock<rayon::ThreadPool>,
    making: Mutex<()>,
}

impl SharedPool {
    const fn new() -> Self {
        Self {
            pool: OnceLock::new(),
            making: Mutex::new(()),
        }
    }

    fn get(
        &self,
        make: impl FnOnce() -> Option<rayon::ThreadPool>,
    ) -> Result<&rayon::ThreadPool, NoThreads> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        // A lock, so that two pools do not reserve twice the address space.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        match self.pool.get() {
            Some(pool) => Ok(pool),
            None => {
                let made = make().ok_or(NoThreads)?;
                Ok(self.pool.get_or_init(|| made))
            }
        }
    }
}

/// Runs `work` on a thread with a stack that the parsers cannot exhaust: on the current thread, if it has one, or else
/// on a shared pool.
///
/// [`file_analyze`](crate::parse::file_analyze) switches to such a thread for each file. A caller that analyses many
/// files can switch once for all of them, and saves about ten microseconds per file.
///
/// # Errors
/// [`NoThreads`]: the stack size is unknown and no thread can be created. A later call may succeed.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, NoThreads> {
    static POOL: SharedPool = SharedPool::new();
    if IS_DEEP.get() {
        return Ok(work());
    }
    Ok(POOL.get(|| deep_pool(0))?.install(work))
}

/// Whether the parser of a language recurses for every level: ruff's and oxc's do, tree-sitter manages its own stack.
const fn parser_recurses(language: Language) -> bool {
    matches!(
        language,
        Language::Python | Language::TypeScript | Language::Tsx | Language::JavaScript
    )
}

/// The deepest nesting of all brackets, including those in strings, because f-strings and templates nest too.
fn depth_of_bytes(bytes: &[u8]) -> u32 {
    // A table without branches: this runs on every byte of every file.
    const STEPS: [i32; 256] = {
        let mut steps = [0; 256];
        steps[b'(' as usize] = 1;
        steps[b'[' as usize] = 1;
        steps[b'{' as usize] = 1;
        steps[b')' as usize] = -1;
        steps[b']' as usize] = -1;
        steps[b'}' as usize] = -1;
        steps
    };
    let (mut depth, mut deepest) = (0i32, 0i32);
    for byte in bytes {
        depth = (depth + STEPS[usize::from(*byte)]).max(0);
        deepest = deepest.max(depth);
    }
    deepest.unsigned_abs()
}

/// The deepest nesting of brackets outside of strings and comments.
fn depth_of_code(language: Language, bytes: &[u8]) -> u32 {
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

/// The end of a string that began before `from`: after its closing quote, or at the end of its line.
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

/// An upper bound of the stack for parsing, walking and dropping the tree of these bytes, in bytes.
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

// The price of one level, in bytes of stack. Measured by nesting each construct until a thread of 16 MiB overflowed,
// with the parsers in the workspace's development profile, which is their worst case: at most 1,927 per bracket
// (`class{a=class{a=...`), 585 for two words and two operators (`async a=>`), 264 per word and 141 per operator. Ruff
// grows its own stack; only the walk and the drop of its tree remain, at most 356. The prices are at least twice those.
const PRICE_OPEN: usize = 4096;
const PRICE_OPERATOR: usize = 512;
const PRICE_WORD: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::text_parse;

    fn nested(before: &str, open: &str, inside: &str, close: &str, levels: usize) -> String {
        format!(
            "{before}{}{inside}{}",
            open.repeat(levels),
            close.repeat(levels)
        )
    }

    #[test]
    fn a_lack_of_threads_is_not_remembered() {
        let shared = SharedPool::new();
        assert_eq!(shared.get(|| None).err(), Some(NoThreads));
        let depth = shared
            .get(|| deep_pool(1))
            .map(|pool| pool.install(|| IS_DEEP.get()));
        assert_eq!(depth, Ok(true));
        let again = shared
            .get(|| panic!("it is there"))
            .map(rayon::ThreadPool::current_num_threads);
        assert_eq!(again, Ok(1));
    }

    #[test]
    fn a_hundred_thousand_brackets_are_too_deep_in_every_language() {
        for language in Language::ALL.iter().filter(|language| language.has_facts()) {
            let text = nested("x = ", "(", "1", ")", 100_000);
            assert_eq!(
                depth_check(*language, &text),
                Err(Skip::TooDeep),
                "{language}"
            );
            assert_eq!(
                crate::parse::file_analyze("src/x", *language, text.as_bytes()),
                Err(Skip::TooDeep.into()),
                "{language}"
            );
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        let text = "s = ')' # (((\nt = \"\"\"([{\"\"\"\nu = '\\'('\n";
        assert_eq!(depth_of_code(Language::Python, text.as_bytes()), 0);
        let text = "let c = '('; let s: &'a str = \"[[\"; // {{{\n/* ((( */ f(g())";
        assert_eq!(depth_of_code(Language::Rust, text.as_bytes()), 2);
        let text = "a(`${b}((`) // (";
        assert_eq!(depth_of_code(Language::TypeScript, text.as_bytes()), 1);
    }

    #[test]
    fn ordinary_code_of_the_greatest_size_is_within_the_price() {
        let function = "export function handle(request: Request, next: (r: Request) => Response): Response {\n  \
                        if (request.path === '/' && !request.done) {\n    return next({ ...request, done: true });\n  }\n  \
                        return new Response(`not found: ${request.path}`);\n}\n";
        let text = function.repeat(super::super::skip::SIZE_CAP / function.len());
        assert_eq!(
            depth_check(Language::TypeScript, &text)
                .and_then(|()| price_check(Language::TypeScript, &text)),
            Ok(())
        );
    }

    #[test]
    fn accepted_sources_fit_the_stack() {
        for (language, before, open, inside, close) in [
            (Language::TypeScript, "x=", "class{a=", "1", "}"),
            (Language::TypeScript, "x=", "(a=", "1", ")=>1"),
            (Language::TypeScript, "x=", "(", "1", ")"),
            (Language::TypeScript, "x=", "-", "1", ""),
            (Language::TypeScript, "x=", "async a=>", "1", ""),
            (Language::TypeScript, "x=a", ".b", "", ""),
            (Language::TypeScript, "type A=", "[", "B", "]"),
            (Language::TypeScript, "type A=", "keyof ", "B", ""),
            (Language::Tsx, "x=", "<a b={", "c", "}/>"),
            (Language::Python, "x=", "f(", "1", ")"),
            (Language::Python, "x=", "not ", "1", ""),
        ] {
            let one = stack_price(open.as_bytes()) + stack_price(close.as_bytes());
            let levels = (STACK_BYTES / 2 / one)
                .min(super::super::skip::SIZE_CAP / (open.len() + close.len()));
            let text = nested(before, open, inside, close, levels);
            // The result does not matter, only that the call returns.
            let lines = on_deep_stack(|| {
                text_parse(language, &text).map_or(1, |facts| facts.lines.total())
            });
            assert_eq!(lines, Ok(1), "{levels} of {open}");
        }
    }
}
