//! The domain model: memory entries, insights, consolidation patterns.

use chrono::{DateTime, Utc};
use nyxcore_projects::ProjectId;
use nyxcore_retrieval::KnowledgeKind;
use nyxcore_tenancy::{UserId, typed_id};
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

typed_id!(
    /// A memory entry.
    MemoryEntryId,
    "memory"
);
typed_id!(
    /// An insight.
    InsightId,
    "insight"
);
typed_id!(
    /// A consolidation pattern.
    ConsolidationPatternId,
    "consolidation"
);

/// Declares an enum whose values have one name each, by which they are stored, shown and sent.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $($(#[$variant_meta])* #[sea_orm(string_value = $text)] #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const fn all() -> &'static [Self] {
                &[$(Self::$variant),+]
            }

            /// The name under which it is stored and sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Parses a name; `None` where no value has it.
            pub fn parse(text: &str) -> Option<Self> {
                Self::all().iter().copied().find(|value| value.as_str() == text)
            }
        }
    };
}

named!(
    /// Where a memory entry comes from.
    MemorySource {
        /// Somebody wrote it here.
        Manual = "MANUAL",
        /// It came with a repository; its `source_ref` is the path of the file, and the entry follows that file.
        Github = "GITHUB",
        /// It was imported from elsewhere.
        Import = "IMPORT",
    }
);

named!(
    /// The type of an insight.
    InsightType {
        /// Something that costs time or is tedious.
        PainPoint = "pain_point",
        /// Something that works well.
        Strength = "strength",
        /// The solution of a pain point.
        Solution = "solution",
        /// Something that recurs.
        Pattern = "pattern",
        /// A decision and its reason.
        Decision = "decision",
    }
);

named!(
    /// How severe an insight is, the most severe first.
    InsightSeverity {
        /// It blocks the work.
        Blocker = "blocker",
        /// It should be solved soon.
        High = "high",
        /// It can be solved later.
        Medium = "medium",
        /// It is only good to know.
        Low = "low",
    }
);

named!(
    /// The type of a pattern that several projects share.
    ConsolidationType {
        /// Something that went well.
        Success = "success",
        /// Something that caused trouble.
        Pain = "pain",
        /// Something that helped.
        Solution = "solution",
        /// Something that recurs.
        Pattern = "pattern",
        /// A tool in use.
        Tool = "tool",
        /// How something is built.
        Architecture = "architecture",
    }
);

named!(
    /// How severe a shared pain is, the least severe first.
    ConsolidationSeverity {
        /// A nuisance.
        Low = "low",
        /// It costs time.
        Medium = "medium",
        /// It costs much time.
        High = "high",
        /// It stops work.
        Critical = "critical",
    }
);

/// Something that was written down to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct MemoryEntry {
    pub id: MemoryEntryId,
    /// The project it is about; without one it is about the whole tenant's work.
    pub project_id: Option<ProjectId>,
    pub title: String,
    /// Markdown.
    pub content: String,
    pub tags: Vec<String>,
    pub source: MemorySource,
    /// Its name at its origin, such as a file's path. Unique within the project.
    pub source_ref: Option<String>,
    /// When it was archived: it is kept, and searches do not find it.
    pub archived_at: Option<DateTime<Utc>>,
    /// The entry that superseded it: then it is kept, and searches do not find it.
    pub superseded_by: Option<MemoryEntryId>,
    /// The commit from which on it is true, in hexadecimal.
    pub valid_from_commit: Option<String>,
    /// How often it was cited.
    pub recalls: i64,
    /// When it was last cited.
    pub recalled_at: Option<DateTime<Utc>>,
    /// Who created it. Written once; no permission depends on it.
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl MemoryEntry {
    /// Whether a search finds it.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.archived_at.is_none() && self.superseded_by.is_none()
    }
}

/// Something that was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct Insight {
    pub id: InsightId,
    /// The project it is about; without one it is about the whole tenant's work.
    pub project_id: Option<ProjectId>,
    pub insight_type: InsightType,
    pub severity: Option<InsightSeverity>,
    pub category: Option<String>,
    pub title: String,
    pub detail: String,
    /// What to do.
    pub suggestion: Option<String>,
    /// The solution of a pain point, or the pain point of a solution: each of the two names the other.
    pub paired_with: Option<InsightId>,
    /// When it was archived: it is kept, and searches do not find it.
    pub archived_at: Option<DateTime<Utc>>,
    /// How often it was cited.
    pub recalls: i64,
    /// When it was last cited.
    pub recalled_at: Option<DateTime<Utc>>,
    /// Who created it. Written once; no permission depends on it.
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
}

/// A pattern that several projects share. [`crate::consolidation_pattern_projects`] returns the projects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct ConsolidationPattern {
    pub id: ConsolidationPatternId,
    pub pattern_type: ConsolidationType,
    pub title: String,
    pub description: String,
    /// One to three quotations.
    pub evidence: Vec<String>,
    /// How often it was seen.
    pub frequency: i64,
    /// How severe it is; only a pain has a severity.
    pub severity: Option<ConsolidationSeverity>,
    /// Two to four.
    pub tags: Vec<String>,
    /// The key by which a run finds it again; unique. `None` where a user wrote it.
    pub key: Option<String>,
    /// The evidence with its sources; empty where a user wrote it.
    pub quotations: Vec<Quotation>,
    /// The model that wrote title and description; `None` where no model did.
    pub written_by: Option<String>,
    /// When it was archived: it is kept, searches do not find it, and no run restores it.
    pub archived_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When a run or a user last changed it.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A part of a source that shows a consolidation pattern. Its words are consecutive in the source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quotation {
    /// The kind of source: a memory entry, an insight or a code pattern.
    pub kind: KnowledgeKind,
    /// The id of the source, in its text form.
    pub subject_id: String,
    /// The project of the source.
    pub project_id: ProjectId,
    /// The words, with single spaces between them.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use sea_orm::ActiveEnum;

    use super::*;

    #[test]
    fn a_value_is_stored_and_read_under_its_name() {
        for value in InsightType::all() {
            assert_eq!(value.to_value(), value.as_str());
            assert_eq!(InsightType::parse(value.as_str()), Some(*value));
        }
        assert_eq!(MemorySource::Github.to_value(), "GITHUB");
        assert_eq!(InsightSeverity::parse("critical"), None);
        assert_eq!(
            ConsolidationSeverity::parse("critical"),
            Some(ConsolidationSeverity::Critical)
        );
    }
}
