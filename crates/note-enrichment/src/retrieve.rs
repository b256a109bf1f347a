//! Retrieves knowledge related to a note, by section, the most relevant first. Each piece is verified to exist.

use std::collections::{BTreeSet, HashMap, HashSet};

use nyxcore_context::{Piece, Section};
use nyxcore_projects::{ProjectId, SourceId, file_languages, sources_of};
use nyxcore_retrieval::{
    Hit, KnowledgeKind, QuestionVector, RankedList, SearchRequest, fuse, query_terms, search_with,
};
use nyxcore_tenancy::{Access, Result, Scoped};

use crate::material::Material;
use crate::pieces::{Depth, Retriever};

/// The number of hits of all kinds together: about ten of each.
const HITS: u64 = 50;

/// The weight of a persona's specializations beside the note's own words: they reorder hits with similar scores, and
/// hits that only they find come last.
const PERSONA_WEIGHT: f64 = 0.25;

/// The most code patterns where places of code were found.
const PATTERNS_BESIDE_CODE: usize = 2;
/// The most code patterns where no place of code was found.
const PATTERNS_ALONE: usize = 4;

/// The kinds that are searched. Notes are not among them: a note is no knowledge, least of all about itself.
const KINDS: [KnowledgeKind; 6] = [
    KnowledgeKind::Code,
    KnowledgeKind::Document,
    KnowledgeKind::Insight,
    KnowledgeKind::MemoryEntry,
    KnowledgeKind::Consolidation,
    KnowledgeKind::CodePattern,
];

/// What was found, by section.
pub(crate) type SectionPieces = Vec<(Section, Vec<Piece>)>;

/// Finds the knowledge that is related to a note, whose earlier enrichments are ignored.
pub(crate) async fn retrieve<A: Access>(
    scoped: &Scoped<A>,
    material: &Material,
    depth: Depth,
) -> Result<SectionPieces> {
    let Material { note, body, .. } = material;
    let sources: Vec<SourceId> = sources_of(scoped, &[note.project_id])
        .await?
        .remove(&note.project_id)
        .unwrap_or_default()
        .iter()
        .map(|source| source.id)
        .collect();
    let stacks = stacks(scoped, &sources).await?;
    let text = format!("{}\n{body}", note.title);
    let vector = material.meaning.vector.as_ref();
    let hits = hits(scoped, note.project_id, &text, stacks.clone(), vector).await?;
    let further = match &material.persona {
        Some(persona) if !persona.specializations.is_empty() => {
            let text = persona.specializations.join(" ");
            self::hits(scoped, note.project_id, &text, stacks, None).await?
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
            let Some(section) = Section::of(kind) else {
                continue;
            };
            match section {
                Section::Code => folders.extend(hit.path.as_deref().map(folder).map(str::to_owned)),
                // A pattern is useful only if it is about the places that were found.
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

/// Whether a pattern's place is in the folder of a place that was found; where none was found, it always is.
fn is_near(hit: &Hit, folders: &HashSet<String>) -> bool {
    let of_pattern = hit.path.as_deref().map(folder);
    folders.is_empty() || of_pattern.is_some_and(|folder| folders.contains(folder))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The languages of the project's files. Patterns of TypeScript also hold for TSX, and are stored under the name of
/// TypeScript.
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
    vector: Option<&QuestionVector>,
) -> Result<Vec<Hit>> {
    let request = SearchRequest {
        text: text.to_owned(),
        project_id: Some(project.0),
        kinds: KINDS.to_vec(),
        stacks: Some(stacks),
        limit: HITS,
    };
    search_with(scoped, &request, vector).await
}

/// The hits of one kind, fused with the hits of the persona's words.
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
    // For a subject that both found, the hit of the note's own words is used.
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

#[cfg(test)]
mod tests {
    use nyxcore_retrieval::ScoreExplanation;

    use super::*;

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
