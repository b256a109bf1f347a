//! Parses memory entries from Markdown and JSON files that a person imports.

use nyxcore_tenancy::{Error, Result};
use serde::Deserialize;

use crate::service::ImportedMemoryEntry;

/// The most bytes of one file. A rule of this project.
pub const IMPORT_BYTES_MAX: usize = 8 << 20;
/// The most entries of one file. A rule of this project.
pub const IMPORT_ENTRIES_MAX: usize = 2_000;
/// Characters of a title that is taken from a text's first line.
const TITLE_CHARS: usize = 120;

/// An entry in JSON. Field names of other systems are accepted too.
#[derive(Deserialize)]
struct JsonEntry {
    #[serde(default, alias = "name", alias = "subject")]
    title: Option<String>,
    #[serde(alias = "text", alias = "body", alias = "memory")]
    content: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, alias = "id", alias = "sourceRef")]
    source_ref: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JsonFile {
    List(Vec<JsonEntry>),
    Named {
        #[serde(alias = "memories", alias = "memoryEntries", alias = "results")]
        entries: Vec<JsonEntry>,
    },
    One(JsonEntry),
}

/// The entries of a file by its name: `.json` (a list, or an object with `entries`), `.jsonl` and `.ndjson` (one a
/// line), anything else as Markdown. Each is named after the file, so that the same import later updates it in place.
///
/// Markdown with several headings of the first level is one entry for each; its front matter may have `title` and
/// `tags`.
///
/// # Errors
/// [`Error::Invalid`] for JSON that is none of these, with the line; for a file that is too long or has too many
/// entries.
pub fn import_parse(name: &str, text: &str) -> Result<Vec<ImportedMemoryEntry>> {
    if text.len() > IMPORT_BYTES_MAX {
        return Err(invalid(
            name,
            &format!("is longer than {IMPORT_BYTES_MAX} bytes"),
        ));
    }
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    let entries = match ending.as_deref() {
        Some("json") => {
            let file: JsonFile = serde_json::from_str(text).map_err(|error| {
                let place = format!("line {}", error.line());
                invalid(
                    name,
                    &format!("is no list of entries with `title`, `content` and `tags` ({place})"),
                )
            })?;
            let entries = match file {
                JsonFile::List(entries) | JsonFile::Named { entries } => entries,
                JsonFile::One(entry) => vec![entry],
            };
            json_entries(name, entries)
        }
        Some("jsonl" | "ndjson") => {
            let mut entries = Vec::new();
            for (n, line) in (1..)
                .zip(text.lines())
                .filter(|(_, line)| !line.trim().is_empty())
            {
                let entry = serde_json::from_str(line);
                entries.push(entry.map_err(|_| invalid(name, &format!("line {n} is invalid")))?);
            }
            json_entries(name, entries)
        }
        _ => markdown_entries(name, text),
    };
    if entries.len() > IMPORT_ENTRIES_MAX {
        return Err(invalid(
            name,
            &format!("has more than {IMPORT_ENTRIES_MAX} entries"),
        ));
    }
    Ok(entries)
}

fn invalid(name: &str, what: &str) -> Error {
    Error::Invalid(format!("{name} {what}"))
}

fn json_entries(name: &str, entries: Vec<JsonEntry>) -> Vec<ImportedMemoryEntry> {
    let entries = (1..).zip(entries).map(|(n, entry)| {
        let own = entry.source_ref.map(|id| match id {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        });
        ImportedMemoryEntry {
            source_ref: format!("{name}#{}", own.unwrap_or_else(|| n.to_string())),
            title: entry.title.unwrap_or_else(|| first_line(&entry.content)),
            content: entry.content,
            tags: entry.tags,
        }
    });
    entries.collect()
}

fn markdown_entries(name: &str, text: &str) -> Vec<ImportedMemoryEntry> {
    let text = text.trim_start_matches('\u{feff}');
    let (front, body) = front_matter(text);
    let value = |key: &str| {
        let mut lines = front.lines();
        let line = lines.find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(':'))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    let tags: Vec<String> = value("tags")
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .split(',')
        .map(|tag| tag.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|tag| !tag.is_empty())
        .collect();
    let parts = parts_of(body);
    let entry = |source_ref: String, title: Option<String>, content: &str| ImportedMemoryEntry {
        source_ref,
        title: title.unwrap_or_else(|| first_line(content)),
        content: content.trim().to_owned(),
        tags: tags.clone(),
    };
    if parts.len() < 2 {
        return vec![entry(name.to_owned(), value("title"), body)];
    }
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    let named = parts.map(|part| {
        let title = first_line(part);
        entry(format!("{name}#{title}"), None, part)
    });
    named.collect()
}

/// Splits a text into the front matter between lines of `---`, and the text after it.
fn front_matter(text: &str) -> (&str, &str) {
    let Some(rest) = text.strip_prefix("---\n") else {
        return ("", text);
    };
    rest.split_once("\n---\n").unwrap_or(("", text))
}

/// A text split before each heading of the first level, except in code.
fn parts_of(text: &str) -> Vec<&str> {
    let mut starts = Vec::new();
    let (mut at, mut fenced) = (0, false);
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced && line.starts_with("# ") {
            starts.push(at);
        }
        at += line.len();
    }
    if starts.len() < 2 {
        return vec![text];
    }
    let mut parts = vec![&text[..starts[0]]];
    for (n, start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(text.len());
        parts.push(&text[*start..end]);
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The first line that is not empty, without the marks of a heading.
fn first_line(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    line.trim_matches(['#', ' ', '\t', '*', '-'])
        .chars()
        .take(TITLE_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(name: &str, text: &str) -> Vec<(String, String)> {
        let entries = import_parse(name, text).unwrap();
        entries
            .into_iter()
            .map(|entry| (entry.source_ref, entry.title))
            .collect()
    }

    #[test]
    fn markdown_is_one_entry_or_one_a_heading() {
        let own = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            titles("a.md", "# Leases\n\nThey end.\n"),
            [own("a.md", "Leases")]
        );
        assert_eq!(
            titles("a.md", "# One\nx\n\n```\n# no heading\n```\n# Two\ny\n"),
            [own("a.md#One", "One"), own("a.md#Two", "Two")]
        );
        let front = "---\ntitle: \"Leases\"\ntags: [runs, 'git']\n---\nThey end.\n";
        let entry = import_parse("a.md", front).unwrap().remove(0);
        assert_eq!(
            (entry.title.as_str(), entry.content.as_str()),
            ("Leases", "They end.")
        );
        assert_eq!(entry.tags, ["runs", "git"]);
    }

    #[test]
    fn json_is_read_in_its_common_forms() {
        let list = r#"[{"id": 7, "title": "One", "content": "x", "tags": ["a"]}, {"memory": "two\nlines"}]"#;
        let own = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            titles("m.json", list),
            [own("m.json#7", "One"), own("m.json#2", "two")]
        );
        assert_eq!(
            titles("m.json", r#"{"entries": [{"text": "x"}]}"#),
            [own("m.json#1", "x")]
        );
        assert_eq!(
            titles("m.jsonl", "{\"content\": \"x\"}\n\n{\"content\": \"y\"}\n").len(),
            2
        );
    }

    #[test]
    fn what_is_no_entry_is_named() {
        for (name, text) in [
            ("m.json", "{\"a\": 1}"),
            ("m.json", "["),
            ("m.jsonl", "{\"content\": \"x\"}\n7\n"),
        ] {
            assert!(
                import_parse(name, text)
                    .unwrap_err()
                    .to_string()
                    .contains(name),
                "{text}"
            );
        }
    }
}
