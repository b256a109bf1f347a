//! The outline of a file: its definitions, headings and comments, found by the shape of its lines.
//!
//! It is no parser: it must cost less than writing the index does, and handle every language, also those without a
//! parser. A definition that it misses is ranked lower, but nothing false is shown: a cited definition is lines of the
//! file.

/// A definition or a section: its name and its lines, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Definition<'a> {
    /// The name, without the signs around it.
    pub name: &'a str,
    /// The line that declares it.
    pub start: usize,
    /// Its last line.
    pub end: usize,
}

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Code or prose.
    Body,
    /// A comment, or a documentation string within code.
    Comment,
    /// The heading of a text.
    Heading,
}

/// The outline of a text.
#[derive(Debug, Default)]
pub(crate) struct Outline<'a> {
    /// The definitions in the order of their first lines; a nested one comes after the one that contains it.
    pub definitions: Vec<Definition<'a>>,
    /// A kind for each line.
    pub lines: Vec<LineKind>,
}

/// The syntax of comments and definitions in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// `//` and `/* */`, with braces.
    Braces,
    /// `#`, and strings between three quotes.
    Hash,
    /// Markdown, reStructuredText, AsciiDoc.
    Prose,
    /// A file of values without definitions.
    Data,
}

/// The outline of a file's text. A text without a path is prose.
pub(crate) fn outline<'a>(path: Option<&str>, text: &'a str) -> Outline<'a> {
    let family = path.map_or(Family::Prose, family);
    let lines: Vec<&str> = text.lines().collect();
    let kinds = match family {
        Family::Prose => prose_kinds(&lines),
        Family::Data => data_kinds(&lines),
        Family::Braces | Family::Hash => code_kinds(&lines, family),
    };
    let mut definitions = Vec::new();
    match family {
        Family::Prose => sections(&lines, &kinds, &mut definitions),
        Family::Data => {}
        Family::Braces | Family::Hash => {
            for (at, line) in lines.iter().enumerate() {
                if kinds[at] == LineKind::Body
                    && let Some(name) = definition_name(line)
                {
                    definitions.push(Definition {
                        name,
                        start: at + 1,
                        end: definition_end(&lines, at) + 1,
                    });
                }
            }
        }
    }
    Outline {
        definitions,
        lines: kinds,
    }
}

fn family(path: &str) -> Family {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "md" | "mdx" | "rst" | "adoc" | "txt" | "markdown" | "org" => Family::Prose,
        "py" | "pyi" | "rb" | "sh" | "bash" | "zsh" | "pl" | "pm" | "r" | "ex" | "exs" | "jl"
        | "nim" | "cr" | "rake" | "tcl" | "ps1" | "cmake" | "mk" => Family::Hash,
        "json" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "properties" | "lock"
        | "csv" | "xml" | "po" | "svg" | "env" | "html" | "htm" | "css" | "snap" => Family::Data,
        "" => Family::Hash,
        _ => Family::Braces,
    }
}

fn data_kinds(lines: &[&str]) -> Vec<LineKind> {
    let is_comment = |line: &&str| {
        let line = line.trim_start();
        ["#", "//", "<!--", ";"]
            .iter()
            .any(|mark| line.starts_with(mark))
    };
    let kind = |line| match is_comment(line) {
        true => LineKind::Comment,
        false => LineKind::Body,
    };
    lines.iter().map(kind).collect()
}

fn code_kinds(lines: &[&str], family: Family) -> Vec<LineKind> {
    let mut within: Option<&str> = None;
    let mut kinds = Vec::with_capacity(lines.len());
    for line in lines {
        let text = line.trim();
        if let Some(end) = within {
            kinds.push(LineKind::Comment);
            if text.contains(end) {
                within = None;
            }
            continue;
        }
        let opened = match family {
            Family::Hash => ["\"\"\"", "'''"].into_iter().find(|mark| {
                text.trim_start_matches(['r', 'b', 'f', 'u'])
                    .starts_with(mark)
            }),
            _ if text.starts_with("/*") => Some("*/"),
            _ => None,
        };
        let is_comment = match family {
            Family::Hash => text.starts_with('#'),
            _ => text.starts_with("//") || text.starts_with("--") || text.starts_with("* "),
        };
        if let Some(end) = opened {
            kinds.push(LineKind::Comment);
            let rest = text.trim_start_matches(['r', 'b', 'f', 'u']);
            let rest = rest.get(end.len().max(2)..).unwrap_or_default();
            if !rest.contains(end) {
                within = Some(end);
            }
        } else if is_comment {
            kinds.push(LineKind::Comment);
        } else {
            kinds.push(LineKind::Body);
        }
    }
    kinds
}

fn prose_kinds(lines: &[&str]) -> Vec<LineKind> {
    let mut fenced = false;
    let mut kinds = vec![LineKind::Body; lines.len()];
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim();
        if text.starts_with("```") || text.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced {
            let hashes = line.len() - line.trim_start_matches('#').len();
            let equals = line.len() - line.trim_start_matches('=').len();
            let marked = |count: usize| (1..=6).contains(&count) && line[count..].starts_with(' ');
            if marked(hashes) || (equals > 1 && marked(equals)) {
                kinds[at] = LineKind::Heading;
            } else if at > 0 && is_underline(text) && is_title(lines[at - 1], text) {
                kinds[at - 1] = LineKind::Heading;
            }
        }
    }
    kinds
}

/// Whether a line underlines a heading, as in reStructuredText and Markdown.
fn is_underline(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    text.len() >= 3 && "=-~^\"*+#`".contains(first) && chars.all(|c| c == first)
}

fn is_title(line: &str, underline: &str) -> bool {
    let title = line.trim();
    !title.is_empty()
        && !line.starts_with([' ', '-', '|', '*'])
        && title.chars().any(char::is_alphanumeric)
        && underline.len() + 2 >= title.chars().count().min(20)
}

/// The sections of a text: from a heading to the line before the next.
fn sections<'a>(lines: &[&'a str], kinds: &[LineKind], sections: &mut Vec<Definition<'a>>) {
    let headings: Vec<usize> = (0..lines.len())
        .filter(|&at| kinds[at] == LineKind::Heading)
        .collect();
    for (n, &at) in headings.iter().enumerate() {
        let next = headings.get(n + 1).copied().unwrap_or(lines.len());
        sections.push(Definition {
            name: lines[at].trim_matches(['#', '=', ' ', '\t']),
            start: at + 1,
            end: next.max(at + 1),
        });
    }
}

/// Words that may precede the keyword of a declaration.
const MODIFIERS: [&str; 31] = [
    "abstract",
    "actual",
    "async",
    "companion",
    "const",
    "data",
    "declare",
    "default",
    "export",
    "expect",
    "extern",
    "final",
    "inline",
    "internal",
    "local",
    "native",
    "open",
    "operator",
    "override",
    "partial",
    "private",
    "protected",
    "pub",
    "public",
    "readonly",
    "sealed",
    "static",
    "suspend",
    "synchronized",
    "unsafe",
    "virtual",
];
/// Keywords before the name of a definition.
const KEYWORDS: [&str; 26] = [
    "class",
    "def",
    "defmacro",
    "defmodule",
    "defp",
    "enum",
    "extension",
    "fn",
    "fun",
    "func",
    "function",
    "interface",
    "macro_rules!",
    "mixin",
    "mod",
    "module",
    "namespace",
    "object",
    "proc",
    "protocol",
    "record",
    "struct",
    "sub",
    "trait",
    "type",
    "union",
];
/// Words at the beginning of statements that look like a declaration of a function.
const CONTROL: [&str; 29] = [
    "assert", "await", "break", "case", "catch", "continue", "defer", "delete", "do", "else",
    "elif", "except", "finally", "for", "foreach", "go", "if", "lock", "match", "new", "raise",
    "return", "switch", "throw", "try", "until", "using", "while", "yield",
];

/// The name that a line declares.
fn definition_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    let indented = rest.len() < line.len();
    let is_constant = rest.starts_with("const ") || rest.starts_with("export const ");
    loop {
        let word_end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '!')
            .unwrap_or(rest.len());
        let word = &rest[..word_end];
        if KEYWORDS.binary_search(&word).is_ok() {
            return keyword_name(&rest[word_end..]);
        }
        if !MODIFIERS.contains(&word) {
            break;
        }
        rest = rest[word_end..].trim_start();
        // `pub(crate)`
        if word == "pub" && rest.starts_with('(') {
            rest = rest.split_once(')')?.1.trim_start();
        }
    }
    let first = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
    if first.is_empty() || CONTROL.contains(&first) {
        return None;
    }
    if matches!(first, "let" | "var" | "val") || is_constant {
        let name = rest
            .strip_prefix(first)
            .filter(|_| !is_constant)
            .unwrap_or(rest);
        // In JavaScript a `const` within a function is just a local variable.
        return value_name(name, indented && !(is_constant && is_upper(name)));
    }
    function_name(rest, indented)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Whether a text begins with a name in capitals, such as a constant's.
fn is_upper(text: &str) -> bool {
    let text = text.trim_start();
    let name = &text[..text.find(|c: char| !is_name(c)).unwrap_or(text.len())];
    !name.contains(char::is_lowercase)
}

/// The name behind a keyword such as `func`. A receiver may precede it, `self.` in Ruby, or a `*` in JavaScript.
fn keyword_name(rest: &str) -> Option<&str> {
    if !rest.starts_with([' ', '\t', '*', '(']) {
        return None;
    }
    let mut rest = rest.trim_start_matches([' ', '\t', '*']);
    if rest.starts_with('(') {
        rest = rest.split_once(')')?.1.trim_start();
    }
    let rest = rest.strip_prefix("self.").unwrap_or(rest);
    let end = rest
        .find(|c: char| !is_name(c) && c != '.')
        .unwrap_or(rest.len());
    let name = rest[..end].trim_end_matches('.');
    let name = name.rsplit('.').next().unwrap_or(name);
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        .then_some(name)
}

/// The name of a value that is a function: `const parse = (text) => {`. At the beginning of a line any value counts.
fn value_name(rest: &str, must_be_function: bool) -> Option<&str> {
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() || !after.trim_start().starts_with(['=', ':']) {
        return None;
    }
    let is_function =
        after.contains("=>") || after.contains("function") || after.contains("async ");
    (!must_be_function || is_function).then_some(name)
}

/// The name in `Type name(arguments) {` of C, C++, Java and C#, and in `name(arguments) {` of a JavaScript class.
fn function_name(rest: &str, indented: bool) -> Option<&str> {
    let open = rest.find('(')?;
    let head = rest[..open].trim_end();
    let tail = rest[open..].trim_end();
    let opens = tail.ends_with('{') || tail.ends_with("=>");
    if tail.ends_with(';')
        || tail.ends_with(',')
        || head.contains(['=', '"', '\'', '.', '!', '+', '|', '?'])
    {
        return None;
    }
    let start = head.rfind(|c: char| !is_name(c)).map_or(0, |at| {
        at + head[at..].chars().next().map_or(1, char::len_utf8)
    });
    let name = &head[start..];
    let typed = start > 0 && head[..start].contains(|c: char| c.is_alphanumeric());
    let is_declared = if typed {
        opens || tail.ends_with(')') || tail.contains(") throws") || tail.ends_with("const")
    } else {
        indented && tail.ends_with('{')
    };
    (is_declared
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
        && !CONTROL.contains(&name))
    .then_some(name)
}

/// The last line of the definition that begins at a line, by indentation; both lines are counted from 0.
fn definition_end(lines: &[&str], at: usize) -> usize {
    let depth = indentation(lines[at]);
    let mut last = at;
    for (here, line) in lines.iter().enumerate().skip(at + 1) {
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        if indentation(line) > depth {
            last = here;
            continue;
        }
        // The block around the definition ends.
        if indentation(line) < depth {
            return last;
        }
        // A line that closes the definition or continues its head: `) -> int:`, a brace alone, `}) => {` behind
        // parameters.
        let goes_on = text.ends_with(['{', '(', '[']) || text.ends_with("=>");
        if (text.starts_with(['}', ']']) && !goes_on) || text == "end" {
            return here;
        }
        if text.starts_with(['}', ']']) {
            last = here;
            continue;
        }
        if !text.starts_with(['{', ')']) {
            return last;
        }
        last = here;
    }
    last
}

fn indentation(line: &str) -> usize {
    line.chars()
        .map_while(|c| match c {
            ' ' => Some(1),
            '\t' => Some(4),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests;
