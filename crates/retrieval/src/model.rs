//! The model of the index: documents, requests, hits and citations.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::role::{Authority, FileRole};

/// The kind of a document. Equally good hits of several kinds are returned in this order.
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
    /// A code pattern: how code is really written, found by analysis.
    CodePattern,
    /// A memory entry.
    MemoryEntry,
    /// A pain, strength, solution, pattern or decision.
    Insight,
    /// A pattern that several projects share.
    Consolidation,
    /// A source file.
    Code,
    /// A section of a document in a repository.
    Document,
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
            Self::Document,
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
            Self::Document => "DOCUMENT",
            Self::Note => "NOTE",
        }
    }
}

/// A part of a document in which a term may occur. Each counts differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Field {
    /// The path of the file.
    Path,
    /// The names of definitions.
    Name,
    /// The title and the headings.
    Heading,
    /// Comments and documentation within code.
    Comment,
    /// All other text.
    Body,
}

impl Field {
    /// Every field, in order.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &[
            Self::Path,
            Self::Name,
            Self::Heading,
            Self::Comment,
            Self::Body,
        ]
    }
}

/// A document of the index. A long subject is published as several documents, each a chunk of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its kind.
    pub kind: KnowledgeKind,
    /// Its subject within the kind: the text form of an id, or `source_…:path` for code.
    pub subject: String,
    /// The UUID of the subject's row, where the subject is a row.
    pub subject_id: Option<Uuid>,
    /// The project it belongs to; without one it belongs to the whole tenant.
    pub project_id: Option<Uuid>,
    /// The title, which a person reads first.
    pub title: String,
    /// The text. A hit shows a part of it.
    pub body: String,
    /// The path of its file, where it is from a file.
    pub path: Option<String>,
    /// The UUID of the source that the file is in, where the subject does not name it.
    pub source_id: Option<Uuid>,
    /// Its first line in that file, from 1.
    pub start_line: Option<i64>,
    /// Its last line, inclusive.
    pub end_line: Option<i64>,
    /// The language or framework that it applies to; without one it applies to all.
    pub stack: Option<String>,
    /// Its role, where the path does not show it.
    pub role: Option<FileRole>,
}

impl Document {
    /// A document of a subject that only has a title and a body.
    #[must_use]
    pub fn new(
        kind: KnowledgeKind,
        subject: impl Into<String>,
        title: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            subject_id: None,
            project_id: None,
            title: title.into(),
            body: body.into(),
            path: None,
            source_id: None,
            start_line: None,
            end_line: None,
            stack: None,
            role: None,
        }
    }

    /// Its role: the given one, or else the one that the file's path shows.
    #[must_use]
    pub fn role_or_path(&self) -> Option<FileRole> {
        let of_path = || match self.kind {
            KnowledgeKind::Code | KnowledgeKind::Document => {
                self.path.as_deref().map(FileRole::of_path)
            }
            _ => None,
        };
        self.role.or_else(of_path)
    }

    /// Its authority, where it is a document of a repository.
    #[must_use]
    pub fn authority(&self) -> Option<Authority> {
        let path = self
            .path
            .as_deref()
            .filter(|_| self.kind == KnowledgeKind::Document)?;
        Authority::of_path(path)
    }
}

/// The result of publishing, in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishReport {
    /// New or changed documents.
    pub written: u64,
    /// Unchanged documents, which were not written.
    pub unchanged: u64,
    /// Deleted chunks that the subjects no longer have.
    pub deleted: u64,
}

/// A search request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// The query, in natural language or in identifiers; it is never parsed as query syntax.
    pub text: String,
    /// Restricts the search to this project's documents and those of the whole tenant; without one, all are searched.
    pub project_id: Option<Uuid>,
    /// Only these kinds; all kinds where it is empty.
    pub kinds: Vec<KnowledgeKind>,
    /// Only documents of these stacks or without a stack.
    pub stacks: Option<Vec<String>>,
    /// The most hits; at most [`SEARCH_LIMIT_MAX`] are returned.
    pub limit: u64,
}

/// The most hits that one search returns.
pub const SEARCH_LIMIT_MAX: u64 = 100;

impl SearchRequest {
    /// Searches all documents of the tenant, for ten hits.
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

/// Lines of a file that answer the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The first line in the file, from 1.
    pub start_line: i64,
    /// The last line, inclusive.
    pub end_line: i64,
    /// The name of the definition there.
    pub name: Option<String>,
    /// The first lines of the place, as whole lines, in a length that is worth showing.
    pub excerpt: String,
}

/// A term of the question that occurs in a hit.
#[derive(Debug, Clone, PartialEq)]
pub struct TermMatch {
    /// The term in the index: folded, and for an English word its stem.
    pub term: String,
    /// The fields in which it occurs.
    pub fields: Vec<Field>,
    /// What it adds to the text score: its rarity times its weight in the document.
    pub weight: f64,
}

/// The explanation of a hit's score and rank.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoreExplanation {
    /// The matched terms, those that add most first.
    pub terms: Vec<TermMatch>,
    /// The score of the matched terms as a share of a perfect document's, from 0 to 1.
    pub text_score: f64,
    /// The factor for the role of the file, or for the authority of the document.
    pub role_weight: f64,
    /// The factor if the question names the path or an identifier that is defined there; 1 if it names neither.
    pub exact_weight: f64,
    /// The rank within its kind by words, from 1. `None` where its words did not match, or where vectors were not used:
    /// then `kind_rank` is the rank by words.
    pub word_rank: Option<u32>,
    /// The similarity of its nearest passage: the cosine of the angle between its vector and the question's. `None`
    /// where vectors were not used, or where 40 documents of its kind are nearer.
    pub similarity: Option<f64>,
    /// The rank within its kind by similarity, from 1. `None` where it is not similar enough.
    pub vector_rank: Option<u32>,
    /// The rank within its kind, from 1; where vectors were used, that of both rankings fused.
    pub kind_rank: u32,
    /// The value by which the hits of all kinds were ordered: see [`crate::fusion`].
    pub fused: f64,
}

/// A subject that was found, with its best place.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its kind.
    pub kind: KnowledgeKind,
    /// Its subject. See [`Document::subject`].
    pub subject: String,
    /// The UUID of the subject's row.
    pub subject_id: Option<Uuid>,
    /// The document's title.
    pub title: String,
    /// The part of the body that answers best. Of a file it is whole lines, beginning at a definition where there is
    /// one.
    pub excerpt: String,
    /// The path of its file.
    pub path: Option<String>,
    /// The UUID of the source that the file is in. See [`Document::source_id`].
    pub source_id: Option<Uuid>,
    /// The first line of the place in that file, from 1.
    pub start_line: Option<i64>,
    /// The last line of the place, inclusive.
    pub end_line: Option<i64>,
    /// The language or framework that it applies to.
    pub stack: Option<String>,
    /// Its role.
    pub role: Option<FileRole>,
    /// Its authority, where it is a document of a repository.
    pub authority: Option<Authority>,
    /// A second place of the same file, where one answers nearly as well.
    pub more: Vec<Place>,
    /// How many hits were left out because they are near copies of this one, such as translations.
    pub alike: u32,
    /// How well it answers, from 0 to 1; the same on both databases.
    pub score: f64,
    /// Why it was found and ranked.
    pub explanation: ScoreExplanation,
}

impl Hit {
    /// The folder of its file.
    #[must_use]
    pub fn folder(&self) -> Option<&str> {
        let path = self.path.as_deref()?;
        Some(path.rsplit_once('/').map_or("", |(folder, _)| folder))
    }
}

/// A hit in the form that is stored with a text that cites it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// The kind of the cited subject.
    pub kind: KnowledgeKind,
    /// The id of the cited subject, in its text form. A file has none: it is cited by path and lines.
    pub subject_id: Option<String>,
    /// Its title.
    pub title: String,
    /// The part that was cited.
    pub excerpt: String,
    /// The path of its file.
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
            subject_id: (!matches!(hit.kind, KnowledgeKind::Code | KnowledgeKind::Document))
                .then_some(hit.subject),
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
