//! The files that a text names, outside of code blocks.

use std::collections::BTreeSet;

use nyxcore_context::sentences::code_span;

/// File extensions by which a name without a folder is taken for a file.
const ENDINGS: [&str; 34] = [
    "rs", "go", "py", "js", "ts", "jsx", "tsx", "mjs", "java", "kt", "rb", "php", "cs", "cpp",
    "cc", "c", "h", "hpp", "swift", "scala", "sh", "sql", "json", "yaml", "yml", "toml", "md",
    "rst", "html", "css", "vue", "xml", "gradle", "proto",
];
/// Names of programs that look like file names.
const NO_FILES: [&str; 7] = [
    "node.js",
    "vue.js",
    "next.js",
    "d3.js",
    "three.js",
    "express.js",
    "nuxt.js",
];

/// A file that a text names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileMention {
    /// The name as it stands in the text.
    pub(crate) token: String,
    /// Its path.
    pub(crate) path: String,
    /// The last line that is named.
    pub(crate) line: Option<i64>,
}

/// The files that a text names outside of code blocks.
pub(crate) fn file_mentions(text: &str) -> BTreeSet<FileMention> {
    let mut found = BTreeSet::new();
    for (line, is_code) in text_lines(text) {
        if is_code {
            continue;
        }
        let mut at = 0;
        while let Some(c) = line[at..].chars().next() {
            let rest = &line[at..];
            if c == '`' {
                let length = code_span(rest);
                found.extend(mention(rest[..length].trim_matches('`').trim(), true));
                at += length;
            } else if is_token(c) {
                let token = token(rest);
                found.extend(mention(token, false));
                at += token.len();
            } else {
                at += c.len_utf8();
            }
        }
    }
    found
}

/// The lines of a text, each with whether it is part of a code block. A block that is left open is closed at the end.
pub(crate) fn text_lines(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let line: String = line
            .chars()
            .filter(|c| !c.is_control() || *c == '\t')
            .collect();
        let trimmed = line.trim();
        let mark = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'));
        let run: String = trimmed.chars().take_while(|c| Some(*c) == mark).collect();
        match &open {
            Some(fence) => {
                if run.len() >= fence.len()
                    && run.starts_with(fence.as_str())
                    && run.len() == trimmed.len()
                {
                    open = None;
                }
                found.push((line, true));
            }
            None if run.len() >= 3 => {
                // The info string of a fence is reduced to the name of a language.
                let language: String = trimmed[run.len()..]
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                found.push((format!("{run}{language}"), true));
                open = Some(run);
            }
            None => found.push((line, false)),
        }
    }
    if let Some(fence) = open {
        found.push((fence, true));
    }
    found
}

pub(crate) fn is_token(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '#' | '@' | '+')
}

pub(crate) fn token(text: &str) -> &str {
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    &text[..end]
}

/// The file that a word names: `src/lease.rs`, `src/lease.rs:12-30`, and in a code span `lease.rs`.
fn mention(word: &str, is_code: bool) -> Option<FileMention> {
    let token = word.trim_end_matches(['.', ':']);
    if token.is_empty() || token.contains("//") || !token.chars().all(is_token) {
        return None;
    }
    let (path, lines) = match token.split_once("#L").or_else(|| token.split_once(':')) {
        Some((path, lines)) => (path, Some(lines)),
        None => (token, None),
    };
    let line = match lines {
        Some(lines) => {
            let last = lines.rsplit('-').next().unwrap_or_default();
            Some(last.trim_start_matches('L').parse().ok()?)
        }
        None => None,
    };
    let path = path.trim_start_matches("./");
    let name = path.rsplit('/').next()?;
    let (stem, ending) = name.rsplit_once('.')?;
    let is_ending = (1..=5).contains(&ending.len())
        && ending.chars().all(|c| c.is_ascii_alphanumeric())
        && ending.chars().any(|c| c.is_ascii_alphabetic());
    let first = path.split('/').next().unwrap_or_default();
    let is_file = match path.contains('/') {
        // A first part with a dot is a host and no folder.
        true => !first.trim_start_matches('.').contains('.'),
        false => {
            is_code
                && ENDINGS.contains(&ending)
                && !NO_FILES.contains(&name.to_lowercase().as_str())
        }
    };
    (!stem.is_empty() && is_ending && is_file).then(|| FileMention {
        token: token.to_owned(),
        path: path.trim_start_matches('/').to_owned(),
        line,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_are_found_in_prose_and_in_code_spans() {
        let text = "In src/a/b.rs:12-30, `lease.rs` and `./docs/x.md#L7`; not Node.js, `node.js`, v1.2.3, and/or, \
                    https://example.org/a.html, example.org/b.html or lease.rs.\n```\nsrc/in_code.rs\n```";
        let found: Vec<(String, Option<i64>)> = file_mentions(text)
            .into_iter()
            .map(|mention| (mention.path, mention.line))
            .collect();
        assert_eq!(
            found,
            [
                ("docs/x.md".to_owned(), Some(7)),
                ("lease.rs".to_owned(), None),
                ("src/a/b.rs".to_owned(), Some(30))
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "([a-z]{1,6}|[.!?] |`{1,4}|~{3}|/|:[0-9]{1,12}|#L|\\.rs|\n|ä){0,40}") {
            drop(file_mentions(&text));
        }
    }
}
