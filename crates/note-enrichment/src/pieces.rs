//! Reads the found knowledge: the row of each hit, or the lines of its file.

use std::collections::HashSet;

use nyxcore_context::{Piece, Reference, Section};
use nyxcore_knowledge::{
    ConsolidationPatternId, ConsolidationPatterns, InsightId, Insights, MemoryEntries,
    MemoryEntryId,
};
use nyxcore_projects::{SourceId, code_subject_source};
use nyxcore_retrieval::{Citation, Hit, excerpt, split_identifiers};
use nyxcore_tenancy::{Access, Repository, Result, Scoped, TypedId};

use crate::files::{content, lines};
use crate::tasks::shortened;

/// The most words of the note that are shown with a place in a file.
const WORDS_SHOWN: usize = 4;
/// How much of each subject is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What a person reads: two sentences or three, and some lines of code.
    Excerpt,
    /// What a model reads: paragraphs, and whole chunks of code.
    Passage,
}

impl Depth {
    /// The most characters of a piece of prose.
    fn prose_chars(self) -> usize {
        match self {
            Self::Excerpt => 300,
            Self::Passage => 1_500,
        }
    }

    /// The most characters of a piece of a file.
    fn file_chars(self) -> usize {
        match self {
            Self::Excerpt => 2_000,
            Self::Passage => 6_000,
        }
    }
}

/// Reads the pieces of hits, at a given depth.
pub(crate) struct Retriever<'s, A: Access> {
    pub(crate) scoped: &'s Scoped<A>,
    pub(crate) sources: Vec<SourceId>,
    pub(crate) terms: Vec<String>,
    pub(crate) depth: Depth,
}

impl<A: Access> Retriever<'_, A> {
    /// Reads the subject of a hit. `None` if the subject no longer matches the index.
    pub(crate) async fn piece(&self, hit: Hit, section: Section) -> Result<Option<Piece>> {
        match section {
            Section::Code | Section::Documents => self.file(hit, section).await,
            Section::CodePatterns => self.code_pattern(hit).await.map(Some),
            Section::Memory => self.memory_entry(hit).await,
            Section::Insights => self.insight(hit).await,
            Section::Consolidations => self.consolidation(hit).await,
        }
    }

    async fn memory_entry(&self, hit: Hit) -> Result<Option<Piece>> {
        let Some(id) = hit.subject_id.map(MemoryEntryId::from_uuid) else {
            return Ok(None);
        };
        let entry = MemoryEntries::get(self.scoped, id).await?;
        Ok(entry.map(|entry| self.prose(hit, Section::Memory, &entry.content)))
    }

    async fn insight(&self, hit: Hit) -> Result<Option<Piece>> {
        let Some(id) = hit.subject_id.map(InsightId::from_uuid) else {
            return Ok(None);
        };
        let Some(insight) = Insights::get(self.scoped, id).await? else {
            return Ok(None);
        };
        let kind = insight.insight_type.as_str().replace('_', " ");
        let severity = insight
            .severity
            .map(|severity| severity.as_str().to_owned());
        let label: Vec<String> = std::iter::once(kind).chain(severity).collect();
        Ok(Some(Piece {
            label: Some(label.join(", ")),
            suggestion: insight.suggestion.as_deref().map(shortened),
            ..self.prose(hit, Section::Insights, &insight.detail)
        }))
    }

    async fn consolidation(&self, hit: Hit) -> Result<Option<Piece>> {
        let Some(id) = hit.subject_id.map(ConsolidationPatternId::from_uuid) else {
            return Ok(None);
        };
        let Some(pattern) = ConsolidationPatterns::get(self.scoped, id).await? else {
            return Ok(None);
        };
        let times = match pattern.frequency {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        let label = format!("{}, seen {times}", pattern.pattern_type.as_str());
        Ok(Some(Piece {
            label: Some(label),
            ..self.prose(hit, Section::Consolidations, &pattern.description)
        }))
    }

    /// The part of a text that is most related to the note.
    fn prose(&self, hit: Hit, section: Section, text: &str) -> Piece {
        let part = excerpt(text, &self.terms, self.depth.prose_chars());
        let citation = Citation {
            excerpt: part.to_owned(),
            ..hit.into()
        };
        Piece {
            text: with_ellipses(text, part),
            reference: Reference {
                citation,
                section,
                blob: None,
            },
            label: None,
            suggestion: None,
            language: None,
        }
    }

    /// A pattern with its first exemplar, where that still exists.
    async fn code_pattern(&self, mut hit: Hit) -> Result<Piece> {
        let place = hit.path.clone().zip(hit.start_line.zip(hit.end_line));
        let source = self.source_of(&hit);
        let mut blob = None;
        if let Some((source, (path, (start, end)))) = source.zip(place)
            && let Some((oid, text)) = content(self.scoped, source, &path).await?
            && lines(&text, start, end).is_some()
        {
            hit.source_id = Some(source.0);
            blob = Some(oid);
        }
        if blob.is_none() {
            hit.source_id = None;
            hit.path = None;
            hit.start_line = None;
            hit.end_line = None;
        }
        Ok(Piece {
            text: hit.excerpt.clone(),
            reference: Reference {
                citation: hit.into(),
                section: Section::CodePatterns,
                blob,
            },
            label: None,
            suggestion: None,
            language: None,
        })
    }

    /// The source of a hit's file in the project. Older documents without a source belong to the project's only
    /// source, or to an unknown one.
    fn source_of(&self, hit: &Hit) -> Option<SourceId> {
        match (hit.source_id, self.sources.as_slice()) {
            (Some(id), sources) => sources.iter().copied().find(|source| source.0 == id),
            (None, [only]) => Some(*only),
            (None, _) => None,
        }
    }

    /// A place in a file: whole lines around the match, or all lines of the chunk.
    async fn file(&self, hit: Hit, section: Section) -> Result<Option<Piece>> {
        let place = code_subject_source(&hit.subject).zip(hit.path.clone());
        let Some(((source, path), (first, last))) = place.zip(hit.start_line.zip(hit.end_line))
        else {
            return Ok(None);
        };
        let Some((blob, content)) = content(self.scoped, source, &path).await? else {
            return Ok(None);
        };
        let Some((mut start, mut end)) = lines_of(&content, first, last, &hit.excerpt) else {
            return Ok(None);
        };
        if self.depth == Depth::Passage {
            let whole = lines(&content, first, last);
            if whole.is_some_and(|text| text.chars().count() <= self.depth.file_chars()) {
                (start, end) = (first, last);
            }
        }
        let Some(text) = lines(&content, start, end) else {
            return Ok(None);
        };
        let text: String = text
            .trim_end()
            .chars()
            .take(self.depth.file_chars())
            .collect();
        let language = hit.stack.clone();
        let citation = Citation {
            source_id: Some(source.0),
            start_line: Some(start),
            end_line: Some(end),
            ..hit.into()
        };
        Ok(Some(Piece {
            label: self.words_of(&text),
            text,
            reference: Reference {
                citation,
                section,
                blob: Some(blob),
            },
            suggestion: None,
            language,
        }))
    }

    /// Why a place is shown: the first of the note's words that are in it.
    fn words_of(&self, text: &str) -> Option<String> {
        let words = split_identifiers(text);
        let words: HashSet<&str> = words.split(' ').collect();
        let common = self
            .terms
            .iter()
            .filter(|term| words.contains(term.as_str()));
        let common: Vec<String> = common
            .take(WORDS_SHOWN)
            .map(|term| format!("`{term}`"))
            .collect();
        (!common.is_empty()).then(|| format!("has {}", common.join(", ")))
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn with_ellipses(text: &str, part: &str) -> String {
    let text = text.trim();
    let before = if text.starts_with(part.trim_start()) {
        ""
    } else {
        "… "
    };
    let after = if text.ends_with(part.trim_end()) {
        ""
    } else {
        " …"
    };
    format!("{before}{part}{after}")
}

/// The lines of an excerpt within those lines; `None` if the text does not contain them.
fn lines_of(content: &str, start: i64, end: i64, part: &str) -> Option<(i64, i64)> {
    let block = lines(content, start, end)?;
    let at = block.find(part)?;
    let breaks = |text: &str| count(text.matches('\n').count());
    let first = start + breaks(&block[..at]);
    Some((first, first + breaks(part.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "one\ntwo\nthree\nfour\nfive";

    #[test]
    fn an_excerpt_is_found_on_its_lines() {
        assert_eq!(lines_of(FILE, 2, 5, "three\nfour"), Some((3, 4)));
        assert_eq!(lines_of(FILE, 1, 5, "two\nthree\n"), Some((2, 3)));
        assert_eq!(lines_of(FILE, 5, 5, "five"), Some((5, 5)));
        for (start, end, part) in [
            (1, 2, "three"),
            (4, 6, "four"),
            (0, 1, "one"),
            (3, 2, ""),
            (-1, 2, "one"),
        ] {
            assert_eq!(
                lines_of(FILE, start, end, part),
                None,
                "{start}-{end} {part}"
            );
        }
    }

    #[test]
    fn what_was_cut_off_is_shown() {
        assert_eq!(with_ellipses("all of it\n", "all of it"), "all of it");
        assert_eq!(with_ellipses("first second third", "second"), "… second …");
        assert_eq!(with_ellipses("first second", "first"), "first …");
    }
}
