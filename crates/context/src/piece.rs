//! A piece of knowledge that was found, and the section of a context that it belongs to.

use nyxcore_retrieval::{Citation, KnowledgeKind};
use serde::{Deserialize, Serialize};

/// A section of a context. The order is that of reading: first what answers the input, then further knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Lines of source files.
    Code,
    /// README, guides, decisions: prose of a repository.
    Documents,
    /// Insights.
    Insights,
    /// Memory entries.
    Memory,
    /// Patterns that several projects share.
    Consolidations,
    /// Code patterns: how code is written, found by analysis.
    CodePatterns,
}

impl Section {
    /// Every section, in order.
    pub const ALL: [Self; 6] = [
        Self::Code,
        Self::Documents,
        Self::Insights,
        Self::Memory,
        Self::Consolidations,
        Self::CodePatterns,
    ];

    /// The name of its variable in a template.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Documents => "documents",
            Self::Insights => "insights",
            Self::Memory => "memory",
            Self::Consolidations => "consolidations",
            Self::CodePatterns => "code_patterns",
        }
    }

    /// The name of one of its pieces, for people.
    #[must_use]
    pub const fn piece_name(self) -> &'static str {
        match self {
            Self::Code => "Code",
            Self::Documents => "Document",
            Self::Insights => "Insight",
            Self::Memory => "Memory entry",
            Self::Consolidations => "Consolidation",
            Self::CodePatterns => "Code pattern",
        }
    }

    /// The kind under which the search index has its pieces.
    #[must_use]
    pub const fn kind(self) -> KnowledgeKind {
        match self {
            Self::Code => KnowledgeKind::Code,
            Self::Documents => KnowledgeKind::Document,
            Self::Insights => KnowledgeKind::Insight,
            Self::Memory => KnowledgeKind::MemoryEntry,
            Self::Consolidations => KnowledgeKind::Consolidation,
            Self::CodePatterns => KnowledgeKind::CodePattern,
        }
    }

    /// The section of a piece of that kind. `None` for a kind that is no knowledge about a project.
    #[must_use]
    pub const fn of(kind: KnowledgeKind) -> Option<Self> {
        Some(match kind {
            KnowledgeKind::Code => Self::Code,
            KnowledgeKind::Document => Self::Documents,
            KnowledgeKind::Insight => Self::Insights,
            KnowledgeKind::MemoryEntry => Self::Memory,
            KnowledgeKind::Consolidation => Self::Consolidations,
            KnowledgeKind::CodePattern => Self::CodePatterns,
            KnowledgeKind::Note => return None,
        })
    }
}

/// A citation in a generated text, with the section and content that it refers to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The citation.
    pub citation: Citation,
    /// The section of the cited piece.
    pub section: Section,
    /// The id of the content that the lines were read from, where it is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

/// A piece of knowledge that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Its origin; the citation's excerpt is a literal part of the subject.
    pub reference: Reference,
    /// The text that is shown.
    pub text: String,
    /// A short description, such as "pain point, high".
    pub label: Option<String>,
    /// What it suggests to do.
    pub suggestion: Option<String>,
    /// The language of the text, where it is code.
    pub language: Option<String>,
}

impl Piece {
    /// Its untrusted texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let citation = &self.reference.citation;
        let optional = [&self.label, &self.suggestion, &citation.path];
        [self.text.as_str(), citation.title.as_str()]
            .into_iter()
            .chain(optional.into_iter().filter_map(|text| text.as_deref()))
    }

    /// An upper bound of its tokens, with its markers.
    #[must_use]
    pub fn tokens(&self) -> usize {
        /// The markers of a piece with their attributes, without its texts, in bytes.
        const MARKER_BYTES: usize = 120;
        let bytes: usize = self.texts().map(str::len).sum();
        bytes_tokens(bytes + MARKER_BYTES)
    }
}

/// `src/lease.rs:12-30`, `src/lease.rs:12` for one line; `None` where it is not in a file.
#[must_use]
pub fn place(citation: &Citation) -> Option<String> {
    let path = citation.path.as_deref()?;
    Some(match (citation.start_line, citation.end_line) {
        (Some(start), Some(end)) if start < end => format!("{path}:{start}-{end}"),
        (Some(line), _) => format!("{path}:{line}"),
        _ => path.to_owned(),
    })
}

/// The approximate number of tokens of a text: one per four characters, rounded up, which providers recommend for
/// English.
#[must_use]
pub fn tokens_estimate(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// An upper bound of the tokens of a text: one per two and a half bytes, rounded up. The model service refuses a prompt
/// that does not fit by the same bound.
#[must_use]
pub fn tokens_bound(text: &str) -> usize {
    bytes_tokens(text.len())
}

fn bytes_tokens(bytes: usize) -> usize {
    bytes.saturating_mul(2).div_ceil(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_token_counts() {
        let texts = ["", "a", "four", "fünf!"];
        assert_eq!(texts.map(tokens_estimate), [0, 1, 1, 2]);
        assert_eq!(texts.map(tokens_bound), [0, 1, 2, 3]);
    }

    #[test]
    fn a_section_and_its_kind_name_each_other() {
        for section in Section::ALL {
            assert_eq!(Section::of(section.kind()), Some(section));
        }
        assert_eq!(Section::of(KnowledgeKind::Note), None);
    }
}
