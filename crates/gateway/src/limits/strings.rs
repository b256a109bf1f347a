//! Parses string literals as the GraphQL specification (September 2025, 2.9.4) defines, where async-graphql-parser
//! 7.2.1 differs.
//!
//! The parser refuses surrogate pairs (`"\ud83d\ude00"`) and braces (`"\u{1F600}"`), keeps `\"""` in block strings
//! unchanged, and keeps white space on blank lines of block strings. To report at
//! <https://github.com/async-graphql/async-graphql>. Until it is fixed, such a literal is rewritten as a plain one
//! before parsing. Padding with white space preserves the line and column of what follows.

use super::source::{run, string_length};

/// Returns the document with each literal rewritten that the parser would misread; `None` if there is none.
pub(super) fn rewritten(source: &str) -> Option<String> {
    let bytes = source.as_bytes();
    let (mut at, mut copied) = (0, 0);
    let mut out = String::new();
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b'#' => run(&bytes[at..], |b| b != b'\n' && b != b'\r'),
            b'"' => string_length(&bytes[at..]),
            _ => 1,
        };
        // The length may include a character after a backslash at the very end of the document.
        let end = (at + length).min(bytes.len());
        if byte == b'"'
            && let Some(literal) = source.get(at..end)
            && let Some(value) = misread_value(literal)
        {
            out += source.get(copied..at).unwrap_or_default();
            write_literal(&mut out, &value, literal);
            copied = end;
        }
        at = end;
    }
    (copied > 0).then(|| out + source.get(copied..).unwrap_or_default())
}

/// The value of a literal that the parser would misread; `None` where it reads it, or where it is not a literal.
fn misread_value(literal: &str) -> Option<String> {
    if literal.len() >= 6
        && let Some(raw) = literal
            .strip_prefix("\"\"\"")
            .and_then(|rest| rest.strip_suffix("\"\"\""))
    {
        let blank = |line: &str| !line.is_empty() && line.bytes().all(|b| b == b' ' || b == b'\t');
        let misread = raw.contains("\\\"\"\"") || lines(raw).any(|(line, _)| blank(line));
        return misread.then(|| block_value(&raw.replace("\\\"\"\"", "\"\"\"")));
    }
    let raw = literal.strip_prefix('"')?.strip_suffix('"')?;
    raw.contains("\\u").then(|| escapes_read(raw))?
}

/// The value of a plain string that has an escape which the parser does not support. `None` where it has no such
/// escape, or a malformed one.
fn escapes_read(raw: &str) -> Option<String> {
    let (mut value, mut rest, mut unknown) = (String::new(), raw, false);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        value += before;
        let kind = escape.chars().nth(1)?;
        rest = escape.get(1 + kind.len_utf8()..)?;
        value.push(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (character, after, known) = unicode_escape(rest)?;
                unknown |= !known;
                rest = after;
                character
            }
            _ => return None,
        });
    }
    value += rest;
    unknown.then_some(value)
}

/// Returns the character of the escape after `\u`, the rest after it, and whether the parser supports it.
fn unicode_escape(rest: &str) -> Option<(char, &str, bool)> {
    if let Some(braced) = rest.strip_prefix('{') {
        let (digits, after) = braced.split_once('}')?;
        return Some((char::from_u32(hexadecimal(digits)?)?, after, false));
    }
    let first = hexadecimal(rest.get(..4)?)?;
    let after = rest.get(4..)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, after, true));
    }
    let second = after.strip_prefix("\\u")?;
    let low = hexadecimal(second.get(..4)?)?;
    if !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    let scalar = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
    Some((char::from_u32(scalar)?, second.get(4..)?, false))
}

fn hexadecimal(digits: &str) -> Option<u32> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    // A character has at most eight significant digits, but any number of leading zeros.
    let digits = digits.trim_start_matches('0');
    match plain {
        true if digits.is_empty() => Some(0),
        true => u32::from_str_radix(digits, 16).ok(),
        false => None,
    }
}

/// The lines of a text, each with its terminator: `\n`, `\r` or `\r\n`.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some((text, ""));
        };
        let (line, after) = text.split_at(end);
        let (terminator, after) = after.split_at(if after.starts_with("\r\n") { 2 } else { 1 });
        rest = Some(after);
        Some((line, terminator))
    })
}

/// `BlockStringValue` of the specification.
fn block_value(raw: &str) -> String {
    let white = |c: char| c == ' ' || c == '\t';
    let indent_of = |line: &str| line.len() - line.trim_start_matches(white).len();
    let has_content = |line: &&str| indent_of(line) < line.len();
    let lines: Vec<&str> = lines(raw).map(|(line, _)| line).collect();
    let indents = lines
        .iter()
        .skip(1)
        .copied()
        .filter(has_content)
        .map(indent_of);
    let indent = indents.min().unwrap_or(0);
    let begin = lines.iter().position(has_content).unwrap_or(lines.len());
    let end = lines
        .iter()
        .rposition(has_content)
        .map_or(0, |last| last + 1);
    let trimmed = lines
        .iter()
        .enumerate()
        .take(end)
        .skip(begin)
        .map(|(number, line)| {
            let without = line.get(if number == 0 { 0 } else { indent }..);
            without.unwrap_or_default()
        });
    trimmed.collect::<Vec<_>>().join("\n")
}

/// Writes a value as a plain literal. A literal that is not longer than the old one takes as many lines and columns.
fn write_literal(out: &mut String, value: &str, old: &str) {
    let begin = out.len();
    out.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => *out += "\\n",
            '\r' => *out += "\\r",
            other => out.push(other),
        }
    }
    out.push('"');
    let mut columns = out.get(begin..).map_or(0, |new| new.chars().count());
    let mut last = old;
    for (line, terminator) in lines(old) {
        last = line;
        if !terminator.is_empty() {
            *out += terminator;
            columns = 0;
        }
    }
    let padding = last.chars().count().saturating_sub(columns);
    // A format width would not do: it is at most 65,535.
    out.extend(std::iter::repeat_n(' ', padding));
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::Value;
    use async_graphql::parser::{parse_query, types::Selection};

    /// The value that the parser reads from a literal after the rewriting, as an argument of the only field.
    fn value(literal: &str) -> Option<Value> {
        let source = format!("{{ f(a: {literal}) }}");
        let document = parse_query(rewritten(&source).unwrap_or(source)).ok()?;
        let (_, operation) = document.operations.iter().next()?;
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else {
            return None;
        };
        field.node.arguments[0].1.node.clone().into_const()
    }

    #[test]
    fn escapes_are_read_as_specified() {
        for (literal, expected) in [
            (r#""\ud83d\ude00""#, Some("\u{1F600}")),
            (r#""\u{1F600}""#, Some("\u{1F600}")),
            (r#""\u{0000000041}""#, Some("A")),
            (r#""\u{22}\u{5C}\u{A}\u{D}""#, Some("\"\\\n\r")),
            (r#""\\ud83d\\ude00""#, Some(r"\ud83d\ude00")),
            (r#""\ud83d""#, None),
            (r#""\ude00""#, None),
            (r#""\ud83d\u0041""#, None),
            (r#""\u{D83D}""#, None),
            (r#""\u{110000}""#, None),
            (r#""\u{}""#, None),
            (r#""\u{1F600""#, None),
        ] {
            let expected = expected.map(|text| Value::String(text.into()));
            assert_eq!(value(literal), expected, "{literal}");
        }
    }

    #[test]
    fn block_strings_are_read_as_specified() {
        for (literal, expected) in [
            (r#""""a \""" b""""#, "a \"\"\" b"),
            (r#""""\"""""""#, "\"\"\""),
            ("\"\"\"\n    a\n  \n      b\n    \"\"\"", "a\n\n  b"),
            ("\"\"\"\r\n  a \\\"\"\"\r\n  b\r\n\"\"\"", "a \"\"\"\nb"),
            ("\"\"\"\\u{41} \\n\"\"\"", "\\u{41} \\n"),
        ] {
            assert_eq!(
                value(literal),
                Some(Value::String(expected.into())),
                "{literal}"
            );
        }
    }

    #[test]
    fn a_literal_of_any_length_is_rewritten() {
        let zeros = format!("\"\\u{{{}41}}\"", "0".repeat(70_000));
        assert_eq!(value(&zeros), Some(Value::String("A".into())));
        let pairs = format!("\"{}\"", r"\ud83d\ude00".repeat(30_000));
        assert_eq!(
            value(&pairs),
            Some(Value::String("\u{1F600}".repeat(30_000)))
        );
        let blank = format!("\"\"\"\n{}\n  a\"\"\"", " ".repeat(70_000));
        assert_eq!(value(&blank), Some(Value::String("a".into())));
    }

    #[test]
    fn what_follows_keeps_its_line_and_column() {
        for literal in [
            r#""\ud83d\ude00 \u{1F600}""#,
            "\"\"\"\n  a \\\"\"\"\n  b\"\"\"",
            "\"\"\"\r\n  a \\\"\"\"\r\n  b\r\n  \"\"\"",
        ] {
            let source = format!("{{ f(a: {literal}) after }}");
            let new = rewritten(&source).unwrap();
            let place = |text: &str| {
                let (before, _) = text.rsplit_once("after").unwrap();
                (
                    before.matches('\n').count(),
                    before.rsplit('\n').next().unwrap().chars().count(),
                )
            };
            assert_eq!(place(&new), place(&source), "{new}");
        }
    }

    #[test]
    fn comments_and_plain_literals_stay() {
        for source in [
            "{ a # \" \\ud83d\\ude00 \"\n }",
            r#"{ f(a: "\u0041") }"#,
            r#"{ f(a: "") } # """ "#,
            "{ f(a: \"\\",
            "{ f(a: \"\"\"\\\"\"\"",
        ] {
            assert_eq!(rewritten(source), None, "{source}");
        }
        let mixed = "{ # \"\n f(a: \"\\u{41}\") }";
        assert_eq!(rewritten(mixed).unwrap(), "{ # \"\n f(a: \"A\"     ) }");
    }
}
