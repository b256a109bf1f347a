//! Windows of normalised tokens, for the detection of duplicated code.
//!
//! Each run of [`WINDOW_TOKENS`] tokens ([`tokens`](super::tokens)) is a window, and its hash is its fingerprint. Of
//! every 15 consecutive windows the one with the smallest fingerprint is selected: S. Schleimer, D. Wilkerson, A.
//! Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003. So one window in eight is selected,
//! and of every run of [`CLONE_TOKENS_FOUND`] tokens that two places share, both select the same window. A window with
//! hardly any words is not selected: tables of numbers are similar without being copies. For the same reason the
//! strings count in a window without a statement: the entries of a table of texts are alike but for what they say.
//!
//! Fingerprints have 48 bits. Among 10^6 windows the probability that any two different ones collide is about 0.2 %
//! (n^2 / 2^49).

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::references::{number_read, number_write};
use super::tokens::{ImportLine, Token, tokens};

/// Tokens in a window: the minimum length of a duplicate, as in jscpd (<https://github.com/kucherenko/jscpd>, 4.0).
pub const WINDOW_TOKENS: usize = 50;

/// Every repeated run of this many tokens is found. Shorter ones, down to [`WINDOW_TOKENS`], are mostly found.
pub const CLONE_TOKENS_FOUND: usize = WINDOW_TOKENS + CHOICE - 1;

/// One of this many consecutive windows is selected.
const CHOICE: usize = 15;

/// The maximum number of stored windows per file; later ones are not compared. It bounds the facts of one file to 96
/// KiB.
const WINDOW_CAP: usize = 8192;

/// The minimum number of words in a window, and of different words.
const WORDS_MIN: u32 = 10;
const DIFFERENT_WORDS_MIN: u32 = 5;

/// The minimum number of strings in a window of a table of texts.
const TABLE_STRINGS_MIN: u32 = 5;

/// The windows of one file.
///
/// They are encoded in one byte string: the length of a bit set, the bit set of lines with tokens (the first line in
/// the lowest bit), and the windows. Each window has its fingerprint in six bytes, and as variable-length integers the
/// tokens and the lines since the previous window, and the lines that it spans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Windows {
    bytes: Box<[u8]>,
}

/// One selected window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The hash of its tokens.
    pub print: u64,
    /// The index of its first token in the file.
    pub token: u32,
    /// The 1-based line of its first token.
    pub first: u32,
    /// The line of its last token.
    pub last: u32,
}

impl Windows {
    /// Collects the windows of a text. `comments` are byte ranges and `imports` lines, both in order.
    pub(crate) fn collect(text: &str, comments: &[(u32, u32)], imports: &[ImportLine]) -> Windows {
        let mut collector = Collector::new(text);
        for token in tokens(text, comments, imports) {
            if !collector.add(token) {
                break;
            }
        }
        collector.finish()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// At most so many windows are in it: each takes its fingerprint and three bytes or more.
    pub(crate) fn count_max(&self) -> usize {
        self.bytes.len() / 9
    }

    /// The windows, in the order of the source.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Window> {
        let mut rest = self.parts().1;
        let (mut token, mut first) = (0u32, 1u32);
        std::iter::from_fn(move || {
            let (print, after) = rest.split_first_chunk::<6>()?;
            let (tokens, after) = number_read(after)?;
            let (lines, after) = number_read(after)?;
            let (span, after) = number_read(after)?;
            rest = after;
            token = token.wrapping_add(tokens);
            first = first.wrapping_add(lines);
            let [a, b, c, d, e, f] = *print;
            Some(Window {
                print: u64::from_le_bytes([a, b, c, d, e, f, 0, 0]),
                token,
                first,
                last: first.wrapping_add(span),
            })
        })
    }

    /// The number of lines from `first` to `last` with tokens that were compared.
    pub(crate) fn lines_with_tokens(&self, first: u32, last: u32) -> u32 {
        let mask = self.parts().0;
        (first..=last.min(u32::try_from(mask.len() * 8).unwrap_or(u32::MAX)))
            .filter(|line| {
                let bit = line.wrapping_sub(1);
                mask.get(bit as usize / 8)
                    .is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
            })
            .count() as u32
    }

    /// The bit set of the lines, and the windows.
    fn parts(&self) -> (&[u8], &[u8]) {
        number_read(&self.bytes)
            .and_then(|(length, rest)| rest.split_at_checked(length as usize))
            .unwrap_or((&[], &[]))
    }
}

impl Serialize for Windows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bytes)
    }
}

impl<'de> Deserialize<'de> for Windows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("windows as bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Vec<u8>, A::Error> {
                let mut all = Vec::new();
                while let Some(byte) = bytes.next_element()? {
                    all.push(byte);
                }
                Ok(all)
            }
        }
        // Damaged bytes only yield fewer or other windows: every read is checked.
        let bytes = deserializer.deserialize_bytes(Bytes)?;
        Ok(Windows {
            bytes: bytes.into_boxed_slice(),
        })
    }
}

/// The number of recent tokens that are kept: those of all windows that may still be selected.
const MEMORY: usize = 64;
const _: () = assert!(MEMORY >= WINDOW_TOKENS + CHOICE - 1);

const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const PRINT_MASK: u64 = (1 << 48) - 1;

#[derive(Clone, Copy, Default)]
struct Candidate {
    print: u64,
    /// The index of its first token.
    token: usize,
}

struct Collector {
    /// The last tokens, by their index modulo [`MEMORY`].
    memory: [Token; MEMORY],
    count: usize,
    /// The rolling hash of the last window, and the weight of its first token.
    rolling: u64,
    leading: u64,
    /// The rolling hash with the text of the strings.
    written: u64,
    /// The strings and the marks of statements in the last window.
    strings: u32,
    statements: u32,
    /// The last windows, by their index modulo [`CHOICE`].
    recent: [Candidate; CHOICE],
    least: Option<Candidate>,
    chosen: Option<usize>,
    kept: usize,
    /// The first token and line of the last selected window.
    before: (u32, u32),
    lines: Vec<u8>,
    bytes: Vec<u8>,
}

impl Collector {
    fn new(text: &str) -> Collector {
        let nothing = Token {
            hash: 0,
            written: 0,
            line: 1,
            end_line: 1,
            word: false,
            statement: false,
        };
        Collector {
            memory: [nothing; MEMORY],
            count: 0,
            rolling: 0,
            leading: (1..WINDOW_TOKENS).fold(1, |power, _| power.wrapping_mul(BASE)),
            written: 0,
            strings: 0,
            statements: 0,
            recent: [Candidate::default(); CHOICE],
            least: None,
            chosen: None,
            kept: 0,
            before: (0, 1),
            lines: Vec::new(),
            bytes: Vec::with_capacity(text.len() / 8),
        }
    }

    fn at(&self, number: usize) -> &Token {
        &self.memory[number % MEMORY]
    }

    /// Adds the next token. Returns `false` if no more windows can be stored.
    fn add(&mut self, token: Token) -> bool {
        self.lines_mark(&token);
        if self.count >= WINDOW_TOKENS {
            let gone = *self.at(self.count - WINDOW_TOKENS);
            let without = |sum: u64, hash: u64| sum.wrapping_sub(hash.wrapping_mul(self.leading));
            self.rolling = without(self.rolling, gone.hash);
            self.written = without(self.written, gone.written);
            self.strings -= u32::from(gone.is_string());
            self.statements -= u32::from(gone.statement);
        }
        let with = |sum: u64, hash: u64| sum.wrapping_mul(BASE).wrapping_add(hash);
        self.rolling = with(self.rolling, token.hash);
        self.written = with(self.written, token.written);
        self.strings += u32::from(token.is_string());
        self.statements += u32::from(token.statement);
        self.memory[self.count % MEMORY] = token;
        self.count += 1;
        let Some(first) = self.count.checked_sub(WINDOW_TOKENS) else {
            return true;
        };
        let is_table = self.statements == 0 && self.strings >= TABLE_STRINGS_MIN;
        let print = if is_table { self.written } else { self.rolling };
        let candidate = Candidate {
            print: mix(print) & PRINT_MASK,
            token: first,
        };
        self.recent[first % CHOICE] = candidate;
        // Of equal windows the last is selected, so that the same sequence of windows gives the same selection
        // everywhere.
        let least = match self.least {
            Some(least) if least.print < candidate.print && least.token + CHOICE > first => least,
            Some(least) if least.print < candidate.print => self.least_of_recent(first),
            _ => candidate,
        };
        self.least = Some(least);
        if first + 1 >= CHOICE {
            self.choose(least);
        }
        self.kept < WINDOW_CAP
    }

    fn least_of_recent(&self, newest: usize) -> Candidate {
        let oldest = newest + 1 - CHOICE;
        (oldest..=newest)
            .map(|number| self.recent[number % CHOICE])
            .reduce(|least, next| {
                if next.print <= least.print {
                    next
                } else {
                    least
                }
            })
            .unwrap_or_default()
    }

    fn choose(&mut self, window: Candidate) {
        if self.chosen == Some(window.token) {
            return;
        }
        self.chosen = Some(window.token);
        if !self.says_something(window) {
            return;
        }
        let token = u32::try_from(window.token).unwrap_or(u32::MAX);
        let first = self.at(window.token).line;
        let last = self.at(window.token + WINDOW_TOKENS - 1).end_line;
        self.bytes
            .extend_from_slice(&window.print.to_le_bytes()[..6]);
        number_write(token - self.before.0, &mut self.bytes);
        number_write(first - self.before.1, &mut self.bytes);
        number_write(last - first, &mut self.bytes);
        self.before = (token, first);
        self.kept += 1;
    }

    fn says_something(&self, window: Candidate) -> bool {
        let (mut words, mut different) = (0u32, 0u64);
        for number in window.token..window.token + WINDOW_TOKENS {
            let token = self.at(number);
            if token.word {
                words += 1;
                // One of 64 bits per word: two different words rarely share a bit, and then the count is only too low.
                different |= 1 << (mix(token.hash) & 63);
            }
        }
        words >= WORDS_MIN && different.count_ones() >= DIFFERENT_WORDS_MIN
    }

    fn lines_mark(&mut self, token: &Token) {
        for line in token.line..=token.end_line {
            let bit = line.wrapping_sub(1);
            let place = bit as usize / 8;
            if place >= self.lines.len() {
                self.lines.resize(place + 1, 0);
            }
            self.lines[place] |= 1 << (bit % 8);
        }
    }

    fn finish(mut self) -> Windows {
        // A file that is too short for a selection keeps its smallest window.
        if let (None, Some(least)) = (self.chosen, self.least) {
            self.choose(least);
        }
        if self.kept == 0 {
            return Windows::default();
        }
        let mut bytes = Vec::with_capacity(self.lines.len() + self.bytes.len() + 5);
        number_write(u32::try_from(self.lines.len()).unwrap_or(0), &mut bytes);
        bytes.extend_from_slice(&self.lines);
        bytes.extend_from_slice(&self.bytes);
        Windows {
            bytes: bytes.into_boxed_slice(),
        }
    }
}

/// The finaliser of splitmix64: cheap, and the same on every machine.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(names: impl Iterator<Item = u32>) -> String {
        names.map(|name| format!("w{name} ")).collect()
    }

    fn prints(text: &str) -> Vec<u64> {
        Windows::collect(text, &[], &[])
            .iter()
            .map(|window| window.print)
            .collect()
    }

    #[test]
    fn one_window_in_eight_is_kept_with_its_lines() {
        let text: String = (0..4000).map(|line| format!("a{line} = f(b)\n")).collect();
        let windows = Windows::collect(&text, &[], &[]);
        let kept: Vec<Window> = windows.iter().collect();
        let share = kept.len() as f64 / (4000.0 * 6.0);
        assert!((0.11..0.14).contains(&share), "{share}");
        for window in &kept {
            assert_eq!(window.first, window.token / 6 + 1);
            assert_eq!(window.last, (window.token + 49) / 6 + 1);
        }
        assert!(kept.windows(2).all(|two| two[1].token - two[0].token <= 15));
        assert_eq!(windows.lines_with_tokens(1, 4000), 4000);
        assert_eq!(windows.lines_with_tokens(3999, 9000), 2);
    }

    #[test]
    fn equal_runs_of_64_tokens_share_a_window() {
        assert_eq!(CLONE_TOKENS_FOUND, 64);
        for start in 0..200u32 {
            let run = words(start * 100..start * 100 + 64);
            let one = format!(
                "{}{run}{}",
                words(50_000..50_000 + start),
                words(60_000..60_100)
            );
            let other = format!("{}{run}", words(70_000..70_077));
            let (one, other) = (prints(&one), prints(&other));
            assert!(one.iter().any(|print| other.contains(print)), "{start}");
        }
    }

    #[test]
    fn what_is_shorter_than_a_window_or_has_no_words_keeps_none() {
        assert!(Windows::collect(&words(0..49), &[], &[]).is_empty());
        assert_eq!(prints(&words(0..50)).len(), 1);
        assert!(prints(&"1, 2, ".repeat(200)).is_empty());
        assert!(prints(&"a(b); ".repeat(200)).is_empty());
    }

    #[test]
    fn entries_of_a_table_differ_by_their_texts() {
        let table = |from: u32| -> String {
            (from..from + 20)
                .map(|n| format!("Field {{ name: \"n{n}\", label: \"l{n}\", hint: \"h{n}\", kind: Kind::Text }},\n"))
                .collect()
        };
        let (one, other) = (prints(&table(0)), prints(&table(100)));
        assert!(!one.is_empty() && one.iter().all(|print| !other.contains(print)));
        assert_eq!(prints(&table(0)), one, "a copy is one");
        let calls = |from: u32| table(from).replace("Field {", "add(Field {");
        assert_eq!(
            prints(&calls(0)),
            prints(&calls(100)),
            "but statements are alike"
        );
    }

    #[test]
    fn they_read_back_and_damaged_bytes_do_no_harm() {
        let windows = Windows::collect(&words(0..500), &[], &[]);
        let bytes = postcard::to_stdvec(&windows).unwrap();
        assert_eq!(postcard::from_bytes::<Windows>(&bytes).unwrap(), windows);
        let text = serde_json::to_string(&windows).unwrap();
        assert_eq!(serde_json::from_str::<Windows>(&text).unwrap(), windows);
        for cut in 0..windows.bytes.len() {
            let damaged = Windows {
                bytes: windows.bytes[cut..].into(),
            };
            assert!(damaged.iter().count() <= windows.bytes.len());
            damaged.lines_with_tokens(1, u32::MAX);
        }
    }
}
