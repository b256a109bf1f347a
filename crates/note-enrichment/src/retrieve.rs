//! Retrieves knowledge related to a note, by section, the most relevant first. Each piece is verified to exist.

use std::collections::{BTreeSet, HashMap, HashSet};

use nyxcore_context::{Piece, Reference, Section};
use nyxcore_knowledge::{
    ConsolidationPatternId, ConsolidationPatterns, InsightId, Insights, MemoryEntries,
    MemoryEntryId,
};
use nyxcore_personas::Persona;
use nyxcore_projects::{Note, ProjectId, SourceId, file_languages, sources_of};
use nyxcore_retrieval::{
    Citation, Hit, KnowledgeKind, RankedList, SearchRequest, excerpt, fuse, query_terms, search,
    split_identifiers,
};
use nyxcore_tenancy::{Access, Repository, Result, Scoped, TypedId};

use crate::files::{content, lines};
use crate::tasks::shortened;

/// The number of hits of all kinds together: about ten of each.
const HITS: u64 = 50;

/// How much a persona's specializations weigh beside the note's own words: they reorder what lies close together, and
/// what only they find comes last.
const PERSONA_WEIGHT: f64 = 0.25;

/// Words of the note that a place in a file is shown with.
const WORDS_SHOWN: usize = 4;
/// The most patterns beside places of code: more habits than two are a list of habits.
const PATTERNS_BESIDE_CODE: usize = 2;
/// The most patterns where no place was found.
const PATTERNS_ALONE: usize = 4;

/// The kinds that are searched. No notes: a note is not what is known, and least of all about itself.
const KINDS: [KnowledgeKind; 5] = [
    KnowledgeKind::Code,
    KnowledgeKind::Insight,
    KnowledgeKind::MemoryEntry,
    KnowledgeKind::Consolidation,
    KnowledgeKind::CodePattern,
];

/// How much of each subject is taken.
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

/// What was found, by section.
pub(crate) type FoundPieces = Vec<(Section, Vec<Piece>)>;

/// Finds what has to do with a note of that body, which is the note's without earlier enrichments.
pub(crate) async fn retrieve<A: Access>(
    scoped: &Scoped<A>,
    note: &Note,
    body: &str,
    persona: Option<&Persona>,
    depth: Depth,
) -> Result<FoundPieces> {
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
    let retriever = Retriever {
        terms: query_terms(&text),
        sources,
        depth,
        scoped,
    };
    let mut found: HashMap<Section, Vec<Piece>> = HashMap::new();
    let mut folders: HashSet<String> = HashSet::new();
    let mut patterns = 0;
    for kind in KINDS {
        for hit in ranked(kind, &hits, &further) {
            let Some(section) = Section::of(kind, hit.path.as_deref()) else {
                continue;
            };
            match section {
                Section::Code => folders.extend(hit.path.as_deref().map(folder).map(str::to_owned)),
                // A habit says something only where it is about the places that answer.
                Section::CodePatterns => {
                    let most = match folders.is_empty() {
                        true => PATTERNS_ALONE,
                        false => PATTERNS_BESIDE_CODE,
                    };
                    if patterns == most || !is_near(&hit, &folders) {
                        continue;
                    }
                    patterns += 1;
                }
                _ => {}
            }
            if let Some(piece) = retriever.piece(hit, section).await? {
                found.entry(section).or_default().push(piece);
            }
        }
    }
    let sections = Section::ALL.into_iter();
    Ok(sections
        .filter_map(|section| Some((section, found.remove(&section)?)))
        .collect())
}

/// Whether a pattern's place is in the folder of a place that was found; where none was, every pattern is.
fn is_near(hit: &Hit, folders: &HashSet<String>) -> bool {
    let of_pattern = hit.path.as_deref().map(folder);
    folders.is_empty() || of_pattern.is_some_and(|folder| folders.contains(folder))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
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
        kinds: KINDS.to_vec(),
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
    depth: Depth,
}

impl<A: Access> Retriever<'_, A> {
    /// Reads the subject of a hit. `None` if it does not match the index.
    async fn piece(&self, hit: Hit, section: Section) -> Result<Option<Piece>> {
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

    /// The part of a text that has most to do with the note.
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

    /// A pattern with its first exemplar, where that is still there.
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

    /// A place in a file: whole lines around what was found, or all lines of the chunk.
    async fn file(&self, hit: Hit, section: Section) -> Result<Option<Piece>> {
        // The subject of a file is `source_…:path`.
        let source = hit.subject.split_once(':').map(|(source, _)| source);
        let source = source.and_then(|source| SourceId::parse(source).ok());
        let place = source.zip(hit.path.clone());
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

    /// Why a place is shown: which of the note's words are in it, the first ones.
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
            score: 0.0,
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
