//! What a consolidation reads: the memory entries, insights and code patterns of its projects, within a budget of
//! characters.

use nyxcore_code_analysis::{CodePattern, ProjectPatterns};
use nyxcore_knowledge::{
    ConsolidationPatterns, ConsolidationSeverity, ConsolidationType, Insight, InsightSeverity,
    InsightType, MemoryEntry, own_insight_count, own_insights, own_memory_entries,
    own_memory_entry_count,
};
use nyxcore_projects::ProjectId;
use nyxcore_retrieval::KnowledgeKind;
use nyxcore_tenancy::{Access, ChildList, PageRequest, Repository, Result, Scoped};
use sea_orm::Condition;

use crate::recall::Recall;

/// The characters of one entry that are read. A product rule.
pub const ENTRY_CHARS_MAX: usize = 15_000;
/// The characters that one consolidation reads. A product rule.
pub const TOTAL_CHARS_MAX: usize = 500_000;
/// Rows that are read per query.
const PAGE: u64 = 50;

/// A text that may be quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// A memory entry, an insight or a code pattern.
    pub(crate) kind: KnowledgeKind,
    /// Its id in text form.
    pub(crate) subject_id: String,
    pub(crate) project: ProjectId,
    pub(crate) title: String,
    /// The text without what it only repeats of earlier runs.
    pub(crate) text: String,
    /// The text with those repetitions; a quotation has to stand in both.
    pub(crate) whole: String,
    /// What type of statement it makes, where that is known.
    pub(crate) says: Option<ConsolidationType>,
    /// How severe it is, where that is known.
    pub(crate) severity: Option<ConsolidationSeverity>,
}

/// The sources of a project, and what was left out of them.
#[derive(Debug, Default)]
pub(crate) struct ProjectSources {
    pub(crate) sources: Vec<Source>,
    pub(crate) habits: Vec<CodePattern>,
    /// The characters that were read.
    pub(crate) chars: usize,
    pub(crate) left_out: i64,
    pub(crate) characters_left_out: i64,
    pub(crate) lines_recalled: i64,
}

impl ProjectSources {
    /// Adds a source if it fits into `room` characters in total, and says whether it does.
    fn take(&mut self, mut source: Source, recall: &Recall, room: usize) -> bool {
        let all = source.whole.chars().count();
        if let Some((end, _)) = source.whole.char_indices().nth(ENTRY_CHARS_MAX) {
            source.whole.truncate(end);
        }
        let (text, recalled) = recall.without(&source.whole);
        let chars = text.chars().count();
        if self.chars + chars > room {
            return false;
        }
        self.chars += chars;
        self.characters_left_out += count(all.saturating_sub(ENTRY_CHARS_MAX));
        self.lines_recalled += recalled;
        if !text.trim().is_empty() {
            self.sources.push(Source { text, ..source });
        }
        true
    }
}

/// The texts that earlier runs wrote in this tenant.
pub(crate) async fn recall_read<A: Access>(scoped: &Scoped<A>) -> Result<Recall> {
    let mut descriptions = Vec::new();
    let mut request = PageRequest::first(PAGE);
    loop {
        let page = ConsolidationPatterns::list(scoped, Condition::all(), &request).await?;
        let has_next = page.has_next;
        request.after = page.items.last().map(|(cursor, _)| cursor.clone());
        let patterns = page.into_items().into_iter();
        descriptions.extend(patterns.map(|pattern| pattern.description));
        if !has_next {
            return Ok(Recall::new(descriptions.iter().map(String::as_str)));
        }
    }
}

/// Reads a project within `room` characters: first its insights, which are short and checked, then its memory entries,
/// the newest first. Also reads its code patterns.
pub(crate) async fn project_read<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    recall: &Recall,
    room: usize,
) -> Result<ProjectSources> {
    let mut read = ProjectSources::default();
    let (mut seen, mut request) = (0, PageRequest::first(PAGE));
    'insights: loop {
        let page = own_insights(scoped, project, &request).await?;
        request.after = page.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = page.has_next;
        for insight in page.into_items() {
            if !read.take(of_insight(insight, project), recall, room) {
                break 'insights;
            }
            seen += 1;
        }
        if !has_next {
            break;
        }
    }
    let insights = own_insight_count(scoped, project).await?;
    read.left_out += count_u64(insights.saturating_sub(seen));
    let (mut seen, mut request) = (0, PageRequest::first(PAGE));
    'entries: loop {
        let page = own_memory_entries(scoped, project, &request).await?;
        request.after = page.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = page.has_next;
        for entry in page.into_items() {
            if !read.take(of_entry(entry, project), recall, room) {
                break 'entries;
            }
            seen += 1;
        }
        if !has_next {
            break;
        }
    }
    let entries = own_memory_entry_count(scoped, project).await?;
    read.left_out += count_u64(entries.saturating_sub(seen));
    let mut request = PageRequest::first(PAGE);
    loop {
        let patterns = ProjectPatterns::default();
        let page = patterns.page(scoped, project, &request).await?;
        request.after = page.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = page.has_next;
        let habits = page.into_items().into_iter();
        read.habits
            .extend(habits.filter(|habit| !habit.goes_without_saying()));
        if !has_next {
            return Ok(read);
        }
    }
}

fn of_insight(insight: Insight, project: ProjectId) -> Source {
    let texts = [
        Some(insight.title.clone()),
        Some(insight.detail),
        insight.suggestion,
    ];
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    Source {
        kind: KnowledgeKind::Insight,
        subject_id: insight.id.to_string(),
        project,
        title: insight.title,
        text: String::new(),
        whole: texts.join("\n\n"),
        says: Some(match insight.insight_type {
            InsightType::PainPoint => ConsolidationType::Pain,
            InsightType::Strength => ConsolidationType::Success,
            InsightType::Solution => ConsolidationType::Solution,
            InsightType::Pattern => ConsolidationType::Pattern,
            InsightType::Decision => ConsolidationType::Architecture,
        }),
        severity: insight.severity.map(|severity| match severity {
            InsightSeverity::Blocker => ConsolidationSeverity::Critical,
            InsightSeverity::High => ConsolidationSeverity::High,
            InsightSeverity::Medium => ConsolidationSeverity::Medium,
            InsightSeverity::Low => ConsolidationSeverity::Low,
        }),
    }
}

fn of_entry(entry: MemoryEntry, project: ProjectId) -> Source {
    Source {
        kind: KnowledgeKind::MemoryEntry,
        subject_id: entry.id.to_string(),
        project,
        title: entry.title,
        text: String::new(),
        whole: entry.content,
        says: None,
        severity: None,
    }
}

/// A code pattern as a source: its rule is the text.
pub(crate) fn of_habit(habit: &CodePattern) -> Source {
    Source {
        kind: KnowledgeKind::CodePattern,
        subject_id: habit.id.to_string(),
        project: habit.project_id,
        title: habit.title.clone(),
        text: habit.statement.clone(),
        whole: habit.statement.clone(),
        says: None,
        severity: None,
    }
}

pub(crate) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count_u64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
