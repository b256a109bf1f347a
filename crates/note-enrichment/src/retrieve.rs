//! Retrieves knowledge related to a note: four kinds of knowledge and code, each within a budget. Each item is
//! verified to exist.
//!
//! Longer than 450 lines: one budget is divided over all kinds of knowledge.

use std::collections::{BTreeSet, HashMap};

use nyxcore_knowledge::{
    ConsolidationPatternId, ConsolidationPatterns, InsightId, Insights, MemoryEntries,
    MemoryEntryId,
};
use nyxcore_personas::Persona;
use nyxcore_projects::{
    Note, ProjectId, SourceId, blob_contents, file_languages, files_by_path, sources_of,
};
use nyxcore_retrieval::{
    Citation, Hit, KnowledgeKind, RankedList, SearchRequest, excerpt, fuse, query_terms, search,
};
use nyxcore_tenancy::{Access, Repository, Result, Scoped, TypedId};

use crate::model::{ContextSection, tokens_estimate};
use crate::tasks::shortened;

/// The number of hits of all kinds together: about ten of each.
const HITS: u64 = 50;

/// How much a persona's specializations weigh beside the note's own words: they reorder what lies close together, and
/// what only they find comes last.
const PERSONA_WEIGHT: f64 = 0.25;

/// The most characters of a piece of prose that are shown: two sentences or three.
const EXCERPT_CHARS: usize = 300;

/// The room of a kind of knowledge.
struct Budget {
    kind: KnowledgeKind,
    items: usize,
    tokens: usize,
}

/// The kinds in the order in which they are shown. The numbers are a rule of this project: what a person reads in two
/// minutes, and less than 3,000 tokens for a model.
const BUDGETS: [Budget; 5] = [
    Budget::new(KnowledgeKind::CodePattern, 6, 700),
    Budget::new(KnowledgeKind::Insight, 5, 600),
    Budget::new(KnowledgeKind::MemoryEntry, 4, 500),
    Budget::new(KnowledgeKind::Consolidation, 3, 400),
    Budget::new(KnowledgeKind::Code, 3, 500),
];

impl Budget {
    const fn new(kind: KnowledgeKind, items: usize, tokens: usize) -> Self {
        Self {
            kind,
            items,
            tokens,
        }
    }
}

/// A piece of knowledge that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The citation; its excerpt is a literal part of the subject.
    pub citation: Citation,
    /// The displayed text.
    pub text: String,
    /// What else to know of it at a glance.
    pub label: Option<String>,
    /// What it suggests to do, short enough to be shown.
    pub suggestion: Option<String>,
    /// The language of the text, where it is code.
    pub language: Option<String>,
}

/// The retrieved items, in display order.
#[derive(Debug, Default)]
pub struct RetrievedKnowledge {
    pub pieces: Vec<Piece>,
    pub sections: Vec<ContextSection>,
}

/// Finds what has to do with a note of that body, which is the note's without earlier enrichments.
pub async fn retrieve<A: Access>(
    scoped: &Scoped<A>,
    note: &Note,
    body: &str,
    persona: Option<&Persona>,
) -> Result<RetrievedKnowledge> {
    let sources: Vec<SourceId> = sources_of(scoped, &[note.project_id])
        .await?
        .remove(&note.project_id)
        .unwrap_or_default()
        .iter()
        .map(|source| source.id)
        .collect();
    let stacks = stacks(scoped, &sources).await?;
    let text = format!("{}\n{body}", note.title);
    let hits = hits(scoped, note.project_id, &text, stacks.clone()).await?;
    let further = match persona {
        Some(persona) if !persona.specializations.is_empty() => {
            let text = persona.specializations.join(" ");
            self::hits(scoped, note.project_id, &text, stacks).await?
        }
        _ => Vec::new(),
    };
    let mut shelf = Retriever {
        terms: query_terms(&text),
        sources,
        scoped,
    };
    let mut found = RetrievedKnowledge::default();
    for budget in &BUDGETS {
        let ranked = ranked(budget.kind, &hits, &further);
        let (pieces, section) = shelf.choose(budget, ranked).await?;
        found.pieces.extend(pieces);
        found.sections.push(section);
    }
    found.sections.sort_by_key(|section| section.kind);
    Ok(found)
}

/// The languages that the project's files are written in. Habits of TypeScript hold for TSX too, and are kept under its
/// name.
async fn stacks<A: Access>(scoped: &Scoped<A>, sources: &[SourceId]) -> Result<Vec<String>> {
    let mut languages = BTreeSet::new();
    for &source in sources {
        languages.extend(file_languages(scoped, source).await?);
    }
    if languages.contains("tsx") {
        languages.insert("typescript".to_owned());
    }
    Ok(languages.into_iter().collect())
}

async fn hits<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    text: &str,
    stacks: Vec<String>,
) -> Result<Vec<Hit>> {
    let request = SearchRequest {
        text: text.to_owned(),
        project_id: Some(project.0),
        // No notes: a note is not what is known, and least of all about itself.
        kinds: BUDGETS.iter().map(|budget| budget.kind).collect(),
        stacks: Some(stacks),
        limit: HITS,
    };
    search(scoped, &request).await
}

/// The hits of one kind, with what the persona's words found fused in.
fn ranked(kind: KnowledgeKind, hits: &[Hit], further: &[Hit]) -> Vec<Hit> {
    let of_kind = |hits: &[Hit]| -> Vec<Hit> {
        hits.iter()
            .filter(|hit| hit.kind == kind)
            .cloned()
            .collect()
    };
    let (hits, further) = (of_kind(hits), of_kind(further));
    if further.is_empty() {
        return hits;
    }
    let subjects =
        |hits: &[Hit]| -> Vec<String> { hits.iter().map(|hit| hit.subject.clone()).collect() };
    let (own, weak) = (subjects(&hits), subjects(&further));
    let fused = fuse(&[
        RankedList::new(&own),
        RankedList::new(&weak).weighted(PERSONA_WEIGHT),
    ]);
    // Found by both, a subject shows what the note's own words found.
    let mut by_subject: HashMap<String, Hit> = HashMap::new();
    for hit in further.into_iter().chain(hits) {
        by_subject.insert(hit.subject.clone(), hit);
    }
    fused
        .into_iter()
        .filter_map(|fused| {
            let hit = by_subject.remove(&fused.id)?;
            Some(Hit {
                score: fused.score,
                ..hit
            })
        })
        .collect()
}

/// Where pieces are taken from, and what for.
struct Retriever<'s, A: Access> {
    scoped: &'s Scoped<A>,
    sources: Vec<SourceId>,
    terms: Vec<String>,
}

impl<A: Access> Retriever<'_, A> {
    /// Takes as many as there is room for, best first; one that is too long for the room that is left does not keep out
    /// a shorter one.
    async fn choose(
        &mut self,
        budget: &Budget,
        hits: Vec<Hit>,
    ) -> Result<(Vec<Piece>, ContextSection)> {
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut tokens, mut omitted) = (0, 0);
        for hit in hits {
            if pieces.len() == budget.items {
                omitted += 1;
                continue;
            }
            let Some(piece) = self.piece(hit).await? else {
                continue;
            };
            let size = piece.tokens();
            if tokens + size > budget.tokens {
                omitted += 1;
            } else {
                tokens += size;
                pieces.push(piece);
            }
        }
        let section = ContextSection {
            kind: budget.kind,
            items: count(pieces.len()),
            tokens: count(tokens),
            omitted,
        };
        Ok((pieces, section))
    }

    /// Reads the subject of a hit. `None` if it does not match the index.
    async fn piece(&self, hit: Hit) -> Result<Option<Piece>> {
        match hit.kind {
            KnowledgeKind::Code | KnowledgeKind::Document => self.code(hit).await,
            KnowledgeKind::CodePattern => self.code_pattern(hit).await.map(Some),
            KnowledgeKind::MemoryEntry => self.memory_entry(hit).await,
            KnowledgeKind::Insight => self.insight(hit).await,
            KnowledgeKind::Consolidation => self.consolidation(hit).await,
            KnowledgeKind::Note => Ok(None),
        }
    }

    async fn memory_entry(&self, hit: Hit) -> Result<Option<Piece>> {
        let Some(id) = hit.subject_id.map(MemoryEntryId::from_uuid) else {
            return Ok(None);
        };
        let entry = MemoryEntries::get(self.scoped, id).await?;
        Ok(entry.map(|entry| self.prose(hit, &entry.content)))
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
            ..self.prose(hit, &insight.detail)
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
            ..self.prose(hit, &pattern.description)
        }))
    }

    /// The part of a text that has most to do with the note.
    fn prose(&self, hit: Hit, text: &str) -> Piece {
        let part = excerpt(text, &self.terms, EXCERPT_CHARS);
        let citation = Citation {
            excerpt: part.to_owned(),
            ..hit.into()
        };
        Piece {
            text: with_ellipses(text, part),
            citation,
            label: None,
            suggestion: None,
            language: None,
        }
    }

    /// A pattern with its first exemplar, where that is still there.
    async fn code_pattern(&self, mut hit: Hit) -> Result<Piece> {
        let place = hit.path.clone().zip(hit.start_line.zip(hit.end_line));
        let source = self.source_of(&hit);
        let is_there = match source.zip(place) {
            Some((source, (path, (start, end)))) => {
                let content = self.content(source, &path).await?;
                content.is_some_and(|text| block(&text, start, end).is_some())
            }
            None => false,
        };
        hit.source_id = source.filter(|_| is_there).map(|source| source.0);
        if !is_there {
            hit.path = None;
            hit.start_line = None;
            hit.end_line = None;
        }
        Ok(Piece {
            text: hit.excerpt.clone(),
            citation: hit.into(),
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

    /// A code hit, with the lines of the excerpt instead of the whole chunk.
    async fn code(&self, hit: Hit) -> Result<Option<Piece>> {
        // The subject of code is `source_…:path`.
        let source = hit.subject.split_once(':').map(|(source, _)| source);
        let source = source.and_then(|source| SourceId::parse(source).ok());
        let place = source.zip(hit.path.clone());
        let Some(((source, path), (start, end))) = place.zip(hit.start_line.zip(hit.end_line))
        else {
            return Ok(None);
        };
        let Some(content) = self.content(source, &path).await? else {
            return Ok(None);
        };
        let Some((start, end)) = lines_of(&content, start, end, &hit.excerpt) else {
            return Ok(None);
        };
        let language = hit.stack.clone();
        let citation = Citation {
            source_id: Some(source.0),
            start_line: Some(start),
            end_line: Some(end),
            ..hit.into()
        };
        Ok(Some(Piece {
            text: citation.excerpt.clone(),
            citation,
            label: None,
            suggestion: None,
            language,
        }))
    }

    /// The stored text of a file.
    async fn content(&self, source: SourceId, path: &str) -> Result<Option<String>> {
        let mut files = files_by_path(self.scoped, source, Some(&[path])).await?;
        let Some(file) = files.remove(path) else {
            return Ok(None);
        };
        let mut contents = blob_contents(self.scoped, &[&file.blob]).await?;
        Ok(contents.remove(&file.blob))
    }
}

impl Piece {
    fn tokens(&self) -> usize {
        let suggestion = self.suggestion.as_deref().unwrap_or_default();
        tokens_estimate(&self.citation.title)
            + tokens_estimate(&self.text)
            + tokens_estimate(suggestion)
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

/// Those lines of a text, counted from 1; `None` where it does not have them.
fn block(content: &str, start: i64, end: i64) -> Option<String> {
    let first = usize::try_from(start).ok()?.checked_sub(1)?;
    let last = usize::try_from(end).ok().filter(|last| *last > first)?;
    let lines: Vec<&str> = content.split_inclusive('\n').collect();
    Some(lines.get(first..last)?.concat())
}

/// The lines of an excerpt within those lines; `None` if the text does not contain them.
fn lines_of(content: &str, start: i64, end: i64, part: &str) -> Option<(i64, i64)> {
    let block = block(content, start, end)?;
    let at = block.find(part)?;
    let breaks = |text: &str| count(text.matches('\n').count());
    let first = start + breaks(&block[..at]);
    Some((first, first + breaks(part.trim_end())))
}

#[cfg(test)]
mod tests {
    use nyxcore_retrieval::ScoreExplanation;

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

    fn hit(subject: &str) -> Hit {
        Hit {
            kind: KnowledgeKind::Insight,
            subject: subject.to_owned(),
            subject_id: None,
            title: String::new(),
            excerpt: String::new(),
            path: None,
            source_id: None,
            start_line: None,
            end_line: None,
            stack: None,
            role: None,
            authority: None,
            more: Vec::new(),
            alike: 0,
            score: 0.0,
            explanation: ScoreExplanation::default(),
        }
    }

    fn order(own: &[&str], weak: &[&str]) -> Vec<String> {
        let hits = |subjects: &[&str]| subjects.iter().map(|s| hit(s)).collect::<Vec<_>>();
        let ranked = ranked(KnowledgeKind::Insight, &hits(own), &hits(weak));
        ranked.into_iter().map(|hit| hit.subject).collect()
    }

    #[test]
    fn a_persona_reorders_neighbours_and_adds_at_the_end() {
        assert_eq!(order(&["a", "b", "c"], &[]), ["a", "b", "c"]);
        assert_eq!(order(&["a", "b", "c"], &["b", "x"]), ["b", "a", "c", "x"]);
        let many: Vec<String> = (10..20).map(|n| format!("n{n}")).collect();
        let own: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(order(&own, &["x"]).last().unwrap(), "x");
        assert_eq!(ranked(KnowledgeKind::Code, &[hit("a")], &[hit("b")]), []);
    }
}
