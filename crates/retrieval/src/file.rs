//! The search documents of a repository's file.

use crate::model::{Document, KnowledgeKind};
use crate::role::FileRole;
use crate::text::section::document_sections;

/// The documents of a file: a text for people is split into sections, and any other file is one document, because a
/// file is ranked by its whole content. A blank file has none. The caller adds the ids, the project and the stack.
///
/// ```
/// # use nyxcore_retrieval::{KnowledgeKind, file_documents};
/// assert_eq!(file_documents("s:a.rs", "a.rs", "fn a() {}\n")[0].kind, KnowledgeKind::Code);
/// assert_eq!(file_documents("s:README.md", "README.md", "# Use\nAsk it.\n")[0].kind, KnowledgeKind::Document);
/// ```
#[must_use]
pub fn file_documents(subject: &str, path: &str, text: &str) -> Vec<Document> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let line = |n: usize| i64::try_from(n).ok();
    let document = |kind, title: String, body: &str, lines: (usize, usize)| Document {
        path: Some(path.to_owned()),
        start_line: line(lines.0),
        end_line: line(lines.1),
        ..Document::new(kind, subject, title, body)
    };
    if FileRole::of_path(path) != FileRole::Document {
        let lines = (1, text.lines().count().max(1));
        return vec![document(KnowledgeKind::Code, path.to_owned(), text, lines)];
    }
    let sections = document_sections(path, text).into_iter().map(|section| {
        let title = match section.heading {
            Some(heading) => format!("{path}: {heading}"),
            None => path.to_owned(),
        };
        let lines = (section.start_line, section.end_line);
        document(KnowledgeKind::Document, title, section.text, lines)
    });
    sections.collect()
}
