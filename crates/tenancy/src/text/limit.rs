//! The table of text limits.

use std::fmt::Write as _;

/// The unit of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Unicode code points.
    Characters,
    /// Bytes of UTF-8: for texts that are part of an index key, a header or a path.
    Bytes,
}

impl Unit {
    /// The unit's name in the plural.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Bytes => "bytes",
        }
    }
}

/// The characters that a text may have. No text has U+0000: PostgreSQL cannot store it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One line for people: no control characters, and no invisible ones such as bidirectional overrides.
    Name,
    /// One line for programs: no control characters.
    Line,
    /// Any number of lines, stored unchanged.
    Text,
}

impl Form {
    fn as_str(self) -> &'static str {
        match self {
            Self::Name => "one line, nothing invisible",
            Self::Line => "one line",
            Self::Text => "any but U+0000",
        }
    }
}

/// A limit on a kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The texts that it limits.
    pub subject: &'static str,
    /// The minimum length, in `unit`.
    pub min: usize,
    /// The maximum length, in `unit`.
    pub max: usize,
    /// The unit of `min` and `max`.
    pub unit: Unit,
    /// The characters that the text may have.
    pub form: Form,
    /// The reason for the limit.
    pub source: &'static str,
}

/// Declares each limit as a constant, and the table of all limits.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $min:literal..=$max:literal $unit:ident, $form:ident, $subject:literal, $source:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: Limit = Limit {
                subject: $subject,
                min: $min,
                max: $max,
                unit: Unit::$unit,
                form: Form::$form,
                source: $source,
            };
        )*

        /// Every limit, in the order of `docs/limits.md`.
        pub const LIMITS: &[Limit] = &[$($name),*];
    };
}

limits! {
    /// Names and titles.
    NAME = 1..=200 Characters, Name,
        "name of a tenant, person, project, persona, API token or connection; title of a note, post, memory entry, insight or consolidation pattern; trait and category of a persona",
        "a rule of this project";
    /// Tags and categories.
    TAG = 1..=50 Characters, Name, "tag; category of an insight", "a rule of this project";
    /// Bodies of text.
    BODY = 0..=200000 Characters, Text,
        "description, body of a note or post, content of a memory entry, detail of an insight, evidence of a consolidation pattern, system prompt",
        "a rule of this project";
    /// Action points.
    ACTION_POINT = 1..=2000 Characters, Text, "action point", "a rule of this project: up to three sentences";
    /// Search texts.
    SEARCH = 1..=1000 Characters, Line, "search text of a list (`projects`, `personas`)",
        "SQLite takes patterns of up to 50,000 bytes (SQLITE_MAX_LIKE_PATTERN_LENGTH)";
    /// Filters.
    FILTER = 1..=2000 Bytes, Line, "filter that is compared with a stored text, such as an action of the audit log", "the longest text that is compared: a file's path";
    /// Slugs.
    SLUG = 1..=63 Bytes, Line, "slug of a tenant or project: lower-case letters, digits and hyphens", "the longest label of a host name (RFC 1035, 2.3.4)";
    /// E-mail addresses.
    EMAIL = 3..=254 Bytes, Line, "e-mail address", "a path of 256 with its angle brackets (RFC 5321, 4.5.3.1.3)";
    /// Passwords, after normalisation.
    PASSWORD = 12..=1024 Characters, Text, "password, after normalisation", "OWASP ASVS 4.0, 2.1.1; the greatest length is a rule of this project";
    /// Keys of model providers.
    API_KEY = 1..=8192 Bytes, Line, "key of a model provider: printable ASCII without spaces", "a rule of this project: providers' own have 100 to 200";
    /// Base URLs of model providers.
    BASE_URL = 1..=2000 Bytes, Line, "base URL of a model provider", "a rule of this project";
    /// Addresses of repositories.
    SOURCE_URL = 1..=1000 Bytes, Line, "address of a repository",
        "with branch and path it makes a unique key, and PostgreSQL takes keys of up to 2,704 bytes";
    /// Branches.
    BRANCH = 1..=255 Bytes, Line, "branch", "a file name's limit on the common file systems, where Git keeps branches";
    /// Scan paths.
    SCAN_PATH = 1..=1000 Bytes, Line, "scan path", "as for the address of a repository";
    /// Paths of files.
    FILE_PATH = 1..=2000 Bytes, Text, "path of a file in a repository", "part of a unique key, as for the address of a repository";
    /// Names of memory entries at their source.
    SOURCE_REF = 1..=2100 Bytes, Text, "name of an imported memory entry at its source", "the path of a file with a source's id before it";
}

/// The table as Markdown, as in `docs/limits.md`.
pub fn limits_text() -> String {
    let mut text = String::from(
        "| text | least | most | unit | characters | where the number comes from |\n|---|---|---|---|---|---|\n",
    );
    for limit in LIMITS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            limit.subject,
            limit.min,
            grouped(limit.max),
            limit.unit.as_str(),
            limit.form.as_str(),
            limit.source
        );
    }
    text
}

/// A number with separators: `200,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_prints_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/limits.md");
        let document = std::fs::read_to_string(path).unwrap();
        assert!(
            document.contains(&limits_text()),
            "docs/limits.md should have this table:\n{}",
            limits_text()
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (1, "1"),
            (200, "200"),
            (2_000, "2,000"),
            (200_000, "200,000"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
