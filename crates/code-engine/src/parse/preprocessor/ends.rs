//! Finds the ends of text segments.

/// The end of a line including its continuation lines, before the line break.
pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => at += 2,
            b'\\' if bytes.get(at + 1) == Some(&b'\r') && bytes.get(at + 2) == Some(&b'\n') => {
                at += 3
            }
            // A comment that begins on the line of a directive may end on another.
            b'/' if bytes.get(at + 1) == Some(&b'*') && bytes.get(from) == Some(&b'#') => {
                at += 2;
                while bytes.get(at).is_some() && bytes.get(at..at + 2) != Some(b"*/") {
                    at += 1;
                }
                at += 2;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

pub(super) fn word_end(bytes: &[u8], from: usize) -> usize {
    bytes
        .get(from..)
        .and_then(|rest| {
            rest.iter()
                .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80))
        })
        .map_or(bytes.len(), |length| from + length)
}

/// The end of a string that began before `from`: after its closing quote, or at the end of its line.
pub(super) fn string_end(bytes: &[u8], from: usize, quote: u8) -> usize {
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

/// The end of a verbatim string, in which a doubled quote is not the end.
pub(super) fn verbatim_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            if bytes.get(at + 1) != Some(&b'"') {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// The end of the parentheses that open at `from`, if they close within a limit.
pub(super) fn parentheses_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0u32;
    for (length, byte) in bytes.get(from..)?.iter().take(400).enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(from + length + 1),
            b')' => depth -= 1,
            b'{' | b'}' | b';' => return None,
            _ => {}
        }
    }
    None
}
