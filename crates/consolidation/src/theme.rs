//! Themes: what the entries of several projects say alike, found by counting words. Statements are alike where they
//! share most of their rare words; a theme is a statement with those that are like it.

use std::collections::{BTreeMap, HashMap, HashSet};

use nyxcore_knowledge::KeyedPattern;
use nyxcore_projects::ProjectId;

use crate::cluster::Cluster;
use crate::source::Source;
use crate::statement::Statement;

/// The most themes of one consolidation. A rule of this project: nobody reads more.
pub(crate) const THEMES_MAX: usize = 50;
/// The minimum overlap of two statements: the weight of the shared words as a share of the lighter statement's weight.
const OVERLAP_MIN: f64 = 0.4;
/// As [`OVERLAP_MIN`], where both have no more than two words in common.
const OVERLAP_OF_TWO_MIN: f64 = 0.6;
/// A word that more statements have is counted, and not used to find similar statements.
const POSTINGS_MAX: usize = 200;
/// The most statements that are compared. A rule of this project: 500,000 characters have about as many.
const STATEMENTS_MAX: usize = 10_000;

/// The statements that are like one statement.
#[derive(Debug, Default, Clone)]
struct Similarity {
    /// Their indexes, with the weight of the shared words.
    others: Vec<(usize, f64)>,
    /// How many other projects they come from.
    projects: usize,
}

/// The themes of statements, those of the most projects first. The same input gives the same themes.
pub(crate) fn themes(
    statements: &[Statement],
    sources: &[Source],
    names: &BTreeMap<ProjectId, String>,
) -> Vec<KeyedPattern> {
    let statements = &statements[..statements.len().min(STATEMENTS_MAX)];
    let weights = weights(statements);
    let alike = likenesses(statements, sources, &weights);
    let mut seeds: Vec<usize> = (0..statements.len())
        .filter(|seed| alike[*seed].projects > 0)
        .collect();
    let strength = |seed: usize| {
        alike[seed]
            .others
            .iter()
            .map(|(_, weight)| weight)
            .sum::<f64>()
    };
    seeds.sort_by(|a, b| {
        let projects = alike[*b].projects.cmp(&alike[*a].projects);
        let strengths = || strength(*b).total_cmp(&strength(*a));
        projects.then_with(strengths).then_with(|| a.cmp(b))
    });
    let mut taken = HashSet::new();
    let mut keys = HashSet::new();
    let mut themes = Vec::new();
    for seed in seeds {
        if taken.contains(&seed) {
            continue;
        }
        let others = alike[seed].others.iter().map(|(other, _)| *other);
        let others = others.filter(|other| !taken.contains(other));
        let members: Vec<usize> = std::iter::once(seed).chain(others).collect();
        let theme = Cluster {
            statements,
            sources,
            members: &members,
        };
        if theme.sightings().len() < 2 {
            continue;
        }
        if let Some(pattern) = theme.pattern(&weights, names, &mut keys) {
            taken.extend(members);
            themes.push(pattern);
        }
    }
    themes.sort_by(|a, b| {
        let size =
            |theme: &KeyedPattern| (theme.sightings.len(), theme.sightings.values().sum::<i64>());
        size(b).cmp(&size(a)).then_with(|| a.key.cmp(&b.key))
    });
    themes.truncate(THEMES_MAX);
    themes
}

/// The weight of each word: the fewer statements have it, the higher.
fn weights(statements: &[Statement]) -> HashMap<&str, f64> {
    let mut counts: HashMap<&str, f64> = HashMap::new();
    for word in statements.iter().flat_map(|statement| &statement.words) {
        *counts.entry(word.term.as_str()).or_default() += 1.0;
    }
    let all: f64 = statements.iter().map(|_| 1.0).sum();
    counts
        .into_iter()
        .map(|(term, count)| (term, (1.0 + all / count).ln()))
        .collect()
}

fn likenesses(
    statements: &[Statement],
    sources: &[Source],
    weights: &HashMap<&str, f64>,
) -> Vec<Similarity> {
    let weight = |term: &str| weights.get(term).copied().unwrap_or_default();
    let mut postings: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut masses = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        for word in &statement.words {
            postings.entry(word.term.as_str()).or_default().push(at);
        }
        let mass: f64 = statement.words.iter().map(|word| weight(&word.term)).sum();
        masses.push(mass);
    }
    let mut all = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        let mut shared: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        for word in &statement.words {
            let others = postings.get(word.term.as_str());
            for other in others
                .filter(|others| others.len() <= POSTINGS_MAX)
                .into_iter()
                .flatten()
            {
                let (sum, words) = shared.entry(*other).or_default();
                *sum += weight(&word.term);
                *words += 1;
            }
        }
        let mut similarity = Similarity::default();
        let mut projects = HashSet::new();
        for (other, (sum, words)) in shared {
            let overlap = sum / masses[at].min(masses[other]).max(f64::MIN_POSITIVE);
            let is_alike = match words {
                0 | 1 => false,
                2 => overlap >= OVERLAP_OF_TWO_MIN,
                _ => overlap >= OVERLAP_MIN,
            };
            if is_alike && statements[other].source != statement.source {
                similarity.others.push((other, sum));
                projects.insert(sources[statements[other].source].project);
            }
        }
        projects.remove(&sources[statement.source].project);
        similarity.projects = projects.len();
        // The most similar first, for the quotations.
        similarity
            .others
            .sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.push(similarity);
    }
    all
}

#[cfg(test)]
mod tests {
    use nyxcore_knowledge::ConsolidationType;
    use nyxcore_retrieval::KnowledgeKind;
    use uuid::Uuid;

    use super::*;
    use crate::recall::Recall;
    use crate::statement::statements;

    fn source(project: u128, id: &str, text: &str) -> Source {
        Source {
            kind: KnowledgeKind::MemoryEntry,
            subject_id: id.to_owned(),
            project: ProjectId(Uuid::from_u128(project)),
            title: String::new(),
            text: text.to_owned(),
            whole: text.to_owned(),
            says: None,
            severity: None,
        }
    }

    fn found(sources: &[Source]) -> Vec<KeyedPattern> {
        let recall = Recall::default();
        let all: Vec<Statement> = (0..)
            .zip(sources)
            .flat_map(|(at, source)| statements(at, source, &recall))
            .collect();
        let names = [(1, "Atlas"), (2, "Borealis")];
        let names = names.map(|(id, name)| (ProjectId(Uuid::from_u128(id)), name.to_owned()));
        themes(&all, sources, &names.into())
    }

    #[test]
    fn what_two_projects_say_alike_is_a_theme() {
        let sources = [
            source(
                1,
                "a",
                "## Pain\n- The worker lost its lease in a long batch.\n- Fonts were loaded late.\n",
            ),
            source(
                2,
                "b",
                "## Pain\nA lease expired while the worker did a long batch. We drank tea in Oslo.\n",
            ),
            source(
                2,
                "c",
                "## Pain\nThe long batch cost the worker its lease.\n",
            ),
        ];
        let themes = found(&sources);
        assert_eq!(themes.len(), 1, "{themes:?}");
        let theme = &themes[0];
        assert_eq!(theme.pattern_type, ConsolidationType::Pain);
        assert_eq!(
            theme.sightings.values().copied().collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(theme.quotations.len(), 3);
        assert!(
            theme
                .description
                .starts_with("Seen 3 times in 2 projects (Atlas, Borealis), by the words ")
        );
        assert!(theme.key.starts_with("theme/"), "{}", theme.key);
        assert_eq!(found(&sources), themes);
    }

    #[test]
    fn what_one_project_says_twice_is_none() {
        let text = "The worker lost its lease in a long batch.";
        assert_eq!(
            found(&[
                source(1, "a", text),
                source(1, "b", text),
                source(2, "c", "Fonts were loaded too late again.")
            ]),
            []
        );
    }
}
