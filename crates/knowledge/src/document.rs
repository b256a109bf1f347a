//! The search documents of knowledge: their fields and texts.

use nyxcore_retrieval::{ChunkLimits, Document, KnowledgeKind, chunk_lines};

use crate::model::{ConsolidationPattern, Insight, MemoryEntry};

/// A memory entry in chunks: a letter may be long, and a hit shows the chunk that matched.
pub fn memory_entry(entry: &MemoryEntry) -> Vec<Document> {
    let text = paragraphs([Some(entry.content.as_str()), tags(&entry.tags).as_deref()]);
    chunk_lines(&text, ChunkLimits::default())
        .into_iter()
        .map(|chunk| Document {
            kind: KnowledgeKind::MemoryEntry,
            subject: entry.id.to_string(),
            subject_id: Some(entry.id.0),
            project_id: entry.project_id.map(|project| project.0),
            title: entry.title.clone(),
            body: chunk.text.to_owned(),
            path: None,
            source_id: None,
            start_line: None,
            end_line: None,
            stack: None,
            role: None,
        })
        .collect()
}

/// An insight with its suggestion.
pub fn insight(insight: &Insight) -> Vec<Document> {
    let category = insight
        .category
        .as_deref()
        .map(|category| format!("Category: {category}"));
    let body = paragraphs([
        Some(insight.detail.as_str()),
        insight.suggestion.as_deref(),
        category.as_deref(),
    ]);
    vec![Document {
        kind: KnowledgeKind::Insight,
        subject: insight.id.to_string(),
        subject_id: Some(insight.id.0),
        project_id: insight.project_id.map(|project| project.0),
        title: insight.title.clone(),
        body,
        path: None,
        source_id: None,
        start_line: None,
        end_line: None,
        stack: None,
        role: None,
    }]
}

/// A pattern with its evidence. It belongs to the whole tenant: other projects may learn from what some projects share.
pub fn consolidation_pattern(pattern: &ConsolidationPattern) -> Vec<Document> {
    let tags = tags(&pattern.tags);
    let texts = std::iter::once(pattern.description.as_str())
        .chain(pattern.evidence.iter().map(String::as_str))
        .chain(tags.as_deref())
        .map(Some);
    vec![Document {
        kind: KnowledgeKind::Consolidation,
        subject: pattern.id.to_string(),
        subject_id: Some(pattern.id.0),
        project_id: None,
        title: pattern.title.clone(),
        body: paragraphs(texts),
        path: None,
        source_id: None,
        start_line: None,
        end_line: None,
        stack: None,
        role: None,
    }]
}

fn tags(tags: &[String]) -> Option<String> {
    (!tags.is_empty()).then(|| format!("Tags: {}", tags.join(", ")))
}

fn paragraphs<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let texts: Vec<&str> = texts.into_iter().flatten().map(str::trim_end).collect();
    texts.join("\n\n")
}
