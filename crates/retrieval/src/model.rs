//! The model of the index: documents, requests, hits and citations.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::role::{Authority, FileRole};

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
    /// What it is for, where its path does not say so.
    pub role: Option<FileRole>,
}

impl Document {
    /// A document of a subject, with its title and body and nothing else.
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

    /// What it is for: as it says, or for a file as its path does.
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

    /// How binding it is, where it is a document of a repository.
    #[must_use]
    pub fn authority(&self) -> Option<Authority> {
        let path = self
            .path
            .as_deref()
            .filter(|_| self.kind == KnowledgeKind::Document)?;
        Authority::of_path(path)
    }
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

/// Lines of a file that answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The first line in the file, from 1.
    pub start_line: i64,
    /// The last line, inclusive.
    pub end_line: i64,
    /// The name of what is defined there.
    pub name: Option<String>,
    /// Whole lines from the first on: as many as are worth showing.
    pub excerpt: String,
}

/// A term of the question that a hit has.
#[derive(Debug, Clone, PartialEq)]
pub struct TermMatch {
    /// The term as the index has it: folded, and for an English word without its ending.
    pub term: String,
    /// The fields that have it.
    pub fields: Vec<Field>,
    /// What it adds to the text score: how rare it is, times how much the document says about it.
    pub weight: f64,
}

/// Why a hit stands where it does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoreExplanation {
    /// The matched terms, the one that adds most first.
    pub terms: Vec<TermMatch>,
    /// The matched terms' share of what a perfect document would have, from 0 to 1.
    pub text_score: f64,
    /// What the role of the file, or the authority of the document, makes of that: a factor.
    pub role_weight: f64,
    /// What naming the path or an identifier defined there makes of that: a factor, 1 where neither is named.
    pub exact_weight: f64,
    /// The rank within its kind by its words, from 1. `None` where its words did not find it, or where vectors took no
    /// part: then the rank within its kind is that of its words.
    pub word_rank: Option<u32>,
    /// How near its nearest passage is to the question: the cosine of the angle between their vectors. `None` where
    /// vectors took no part, or where 40 of its kind are nearer.
    pub similarity: Option<f64>,
    /// The rank within its kind by nearness, from 1. `None` where it is not near enough.
    pub vector_rank: Option<u32>,
    /// The rank within its kind, from 1: where vectors took part, that of both rankings fused.
    pub kind_rank: u32,
    /// The value by which the kinds were put into one order: see [`crate::fusion`].
    pub fused: f64,
}

/// A subject that was found, by its best place.
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
    /// The part of the body that answers best: of a file whole lines, from a definition on where it has one.
    pub excerpt: String,
    /// The file it is of.
    pub path: Option<String>,
    /// The UUID of the source that the file is in. See [`Document::source_id`].
    pub source_id: Option<Uuid>,
    /// The first line of the place in that file, from 1.
    pub start_line: Option<i64>,
    /// The last line of the place, inclusive.
    pub end_line: Option<i64>,
    /// The language or framework that it is true for.
    pub stack: Option<String>,
    /// What it is for.
    pub role: Option<FileRole>,
    /// How binding it is, where it is a document of a repository.
    pub authority: Option<Authority>,
    /// A second place of the same file, where one answers nearly as well.
    pub more: Vec<Place>,
    /// How many hits were left out because they are nearly the same: copies, translations.
    pub alike: u32,
    /// How well it answers, from 0 to 1; the same on both databases.
    pub score: f64,
    /// Why.
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

/// A hit as stored with the text that cites it.
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
