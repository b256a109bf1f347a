//! The model of the index: documents, requests, hits and citations.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a document holds. The order is the one in which equally good hits of several kinds are given.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KnowledgeKind {
    /// How code is really written, found by analysis.
    CodePattern,
    /// A memory entry.
    MemoryEntry,
    /// A pain, strength, solution, pattern or decision.
    Insight,
    /// What several projects share.
    Consolidation,
    /// Lines of a source file.
    Code,
    /// A note.
    Note,
}

impl KnowledgeKind {
    /// Every kind, in order.
    pub const fn all() -> &'static [Self] {
        &[
            Self::CodePattern,
            Self::MemoryEntry,
            Self::Insight,
            Self::Consolidation,
            Self::Code,
            Self::Note,
        ]
    }

    /// The kind's name, as the API and the database write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodePattern => "CODE_PATTERN",
            Self::MemoryEntry => "MEMORY_ENTRY",
            Self::Insight => "INSIGHT",
            Self::Consolidation => "CONSOLIDATION",
            Self::Code => "CODE",
            Self::Note => "NOTE",
        }
    }
}

/// A piece of knowledge to be found. A long subject is published as several, each a chunk of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it holds.
    pub kind: KnowledgeKind,
    /// What it is about, within its kind: the text form of an id, or `source_…:path` for code.
    pub subject: String,
    /// The UUID of the row it is about, where it is about one.
    pub subject_id: Option<Uuid>,
    /// The project it belongs to; without one it belongs to the whole tenant.
    pub project_id: Option<Uuid>,
    /// What a person reads first.
    pub title: String,
    /// What a person reads; a hit shows a part of it.
    pub body: String,
    /// The file it is of.
    pub path: Option<String>,
    /// The UUID of the source that the file is in, where the subject does not name it.
    pub source_id: Option<Uuid>,
    /// Its first line in that file, from 1.
    pub start_line: Option<i64>,
    /// Its last line, inclusive.
    pub end_line: Option<i64>,
    /// The language or framework that it is true for; without one it is true for all.
    pub stack: Option<String>,
}

/// What publishing did, in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishReport {
    /// New, or other than before.
    pub written: u64,
    /// As before: not touched.
    pub unchanged: u64,
    /// Deleted former chunks of the same subjects.
    pub deleted: u64,
}

/// A question to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// The query, in natural language or in identifiers; it is never parsed as query syntax.
    pub text: String,
    /// This project's documents and those of the whole tenant; without one, all of the tenant's.
    pub project_id: Option<Uuid>,
    /// Only these kinds; all of them if there are none.
    pub kinds: Vec<KnowledgeKind>,
    /// Only documents of these stacks or of none.
    pub stacks: Option<Vec<String>>,
    /// How many hits at the most; [`SEARCH_LIMIT_MAX`] is the most that is given.
    pub limit: u64,
}

/// The most hits that one search gives.
pub const SEARCH_LIMIT_MAX: u64 = 100;

impl SearchRequest {
    /// Asks the whole tenant about everything, for ten hits.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            project_id: None,
            kinds: Vec::new(),
            stacks: None,
            limit: 10,
        }
    }
}

/// A subject that was found, by its best chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// What it holds.
    pub kind: KnowledgeKind,
    /// What it is about. See [`Document::subject`].
    pub subject: String,
    /// The UUID of the row it is about.
    pub subject_id: Option<Uuid>,
    /// The document's title.
    pub title: String,
    /// The part of the body with most of the query terms.
    pub excerpt: String,
    /// The file it is of.
    pub path: Option<String>,
    /// The UUID of the source that the file is in. See [`Document::source_id`].
    pub source_id: Option<Uuid>,
    /// The first line of the chunk in that file, from 1.
    pub start_line: Option<i64>,
    /// The last line of the chunk, inclusive.
    pub end_line: Option<i64>,
    /// The language or framework that it is true for.
    pub stack: Option<String>,
    /// `1 / (10 + rank)`, the rank being the one within its kind: comparable between searches on both databases.
    pub score: f64,
}

/// A hit as stored with the text that cites it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// The kind of the cited subject.
    pub kind: KnowledgeKind,
    /// The id of the cited subject, in its text form. Code has none: it is cited by path and lines.
    pub subject_id: Option<String>,
    /// Its title.
    pub title: String,
    /// The part that was cited.
    pub excerpt: String,
    /// The file it is of.
    pub path: Option<String>,
    /// The UUID of the source that contains the file. Unknown in older rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Uuid>,
    /// Its first line in that file, from 1.
    pub start_line: Option<i64>,
    /// Its last line, inclusive.
    pub end_line: Option<i64>,
    /// See [`Hit::score`].
    pub score: f64,
}

impl From<Hit> for Citation {
    fn from(hit: Hit) -> Self {
        Self {
            subject_id: (hit.kind != KnowledgeKind::Code).then_some(hit.subject),
            kind: hit.kind,
            title: hit.title,
            excerpt: hit.excerpt,
            path: hit.path,
            source_id: hit.source_id,
            start_line: hit.start_line,
            end_line: hit.end_line,
            score: hit.score,
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveEnum, Iterable};

    use super::*;

    #[test]
    fn a_kind_has_one_name_everywhere() {
        assert!(KnowledgeKind::iter().eq(KnowledgeKind::all().iter().copied()));
        assert!(KnowledgeKind::all().is_sorted());
        for kind in KnowledgeKind::all() {
            assert_eq!(kind.to_value(), kind.as_str());
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
