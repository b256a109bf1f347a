//! Themes: what the entries of several projects say alike, found by counting words. Statements are alike where they
//! share most of what is rare in them; a theme is a statement with those that are like it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use nyxcore_knowledge::{
    ConsolidationSeverity, ConsolidationType, KeyedPattern, QUOTATIONS_MAX, Quotation,
};
use nyxcore_projects::ProjectId;
use nyxcore_tenancy::text;

use crate::source::Source;
use crate::statement::Statement;

/// The most themes of one consolidation. A rule of this project: nobody reads more.
pub(crate) const THEMES_MAX: usize = 50;
/// The least share of the weight of the shorter statement that both have.
const OVERLAP_MIN: f64 = 0.4;
/// As [`OVERLAP_MIN`], where both have no more than two words in common.
const OVERLAP_OF_TWO_MIN: f64 = 0.6;
/// A word of more statements than this finds none: it is counted, and not looked up.
const POSTINGS_MAX: usize = 200;
/// The most statements that are compared. A rule of this project: 500,000 characters have about as many.
const STATEMENTS_MAX: usize = 10_000;
/// The most characters of a title.
const TITLE_CHARS: usize = 120;
/// The most characters of a tag.
const TAG_CHARS: usize = 50;
/// The most tags, and words that a description names.
const TAGS_MAX: usize = 4;
/// The most projects that a description names.
const NAMES_MAX: usize = 5;
/// The longest key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 500;

/// The types in the order in which one is taken where several occur as often.
const TYPES: [ConsolidationType; 6] = [
    ConsolidationType::Pain,
    ConsolidationType::Solution,
    ConsolidationType::Success,
    ConsolidationType::Architecture,
    ConsolidationType::Tool,
    ConsolidationType::Pattern,
];

/// Statements that are like one.
#[derive(Debug, Default, Clone)]
struct Likeness {
    /// With the weight of what they share.
    others: Vec<(usize, f64)>,
    /// Of how many other projects they are.
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

/// How much each word says: the fewer statements have it, the more.
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
) -> Vec<Likeness> {
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
        let mut likeness = Likeness::default();
        let mut projects = HashSet::new();
        for (other, (sum, words)) in shared {
            let overlap = sum / masses[at].min(masses[other]).max(f64::MIN_POSITIVE);
            let is_alike = match words {
                0 | 1 => false,
                2 => overlap >= OVERLAP_OF_TWO_MIN,
                _ => overlap >= OVERLAP_MIN,
            };
            if is_alike && statements[other].source != statement.source {
                likeness.others.push((other, sum));
                projects.insert(sources[statements[other].source].project);
            }
        }
        projects.remove(&sources[statement.source].project);
        likeness.projects = projects.len();
        // The most alike first, for the quotations.
        likeness
            .others
            .sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.push(likeness);
    }
    all
}

/// The statements of a theme, the one that the others are like first.
struct Cluster<'a> {
    statements: &'a [Statement],
    sources: &'a [Source],
    members: &'a [usize],
}

impl<'a> Cluster<'a> {
    fn statements(&self) -> impl Iterator<Item = (&'a Statement, &'a Source)> {
        let (statements, sources) = (self.statements, self.sources);
        self.members.iter().map(move |member| {
            let statement = &statements[*member];
            (statement, &sources[statement.source])
        })
    }

    /// In how many sources of each project it was seen.
    fn sightings(&self) -> BTreeMap<ProjectId, i64> {
        let mut sources: BTreeMap<ProjectId, BTreeSet<&str>> = BTreeMap::new();
        for (_, source) in self.statements() {
            let of_project = sources.entry(source.project).or_default();
            of_project.insert(&source.subject_id);
        }
        let sources = sources.into_iter();
        sources
            .map(|(project, ids)| (project, crate::source::count(ids.len())))
            .collect()
    }

    fn pattern(
        &self,
        weights: &HashMap<&str, f64>,
        names: &BTreeMap<ProjectId, String>,
        keys: &mut HashSet<String>,
    ) -> Option<KeyedPattern> {
        let words = self.words(weights);
        // Two words name it; a third one where another theme has these two.
        let key = (2..=words.len().min(TAGS_MAX)).find_map(|size| {
            let mut terms: Vec<&str> = words[..size].iter().map(|(term, _)| *term).collect();
            terms.sort_unstable();
            let key = format!("theme/{}", terms.join("+"));
            (key.len() <= KEY_BYTES_MAX && !keys.contains(&key)).then_some(key)
        })?;
        let (seed, _) = self.statements().next()?;
        let says = self.says();
        let sightings = self.sightings();
        let shown: Vec<String> = words.iter().map(|(_, word)| shown(word)).collect();
        let title = text::name_cleaned(&cut(&seed.text, TITLE_CHARS))?;
        keys.insert(key.clone());
        Some(KeyedPattern {
            key,
            pattern_type: says,
            title,
            description: description(&sightings, names, &shown),
            quotations: self.quotations(),
            severity: self.severity().filter(|_| says == ConsolidationType::Pain),
            tags: tags(&shown, says),
            sightings,
            written_by: None,
        })
    }

    /// The words that statements of two projects share, those of the most statements first, with how they are written.
    fn words(&self, weights: &HashMap<&str, f64>) -> Vec<(&'a str, &'a str)> {
        struct Shared<'a> {
            word: &'a str,
            statements: usize,
            projects: BTreeSet<ProjectId>,
        }
        let mut shared: BTreeMap<&str, Shared<'_>> = BTreeMap::new();
        for (statement, source) in self.statements() {
            for word in &statement.words {
                let of_term = shared.entry(&word.term).or_insert_with(|| Shared {
                    word: &word.word,
                    statements: 0,
                    projects: BTreeSet::new(),
                });
                of_term.statements += 1;
                of_term.projects.insert(source.project);
            }
        }
        let weight = |term: &str| weights.get(term).copied().unwrap_or_default();
        let mut words: Vec<(&str, Shared<'_>)> = shared
            .into_iter()
            .filter(|(_, one)| one.projects.len() > 1)
            .collect();
        words.sort_by(|(a, one), (b, other)| {
            let counts = other.statements.cmp(&one.statements);
            let weights = || weight(b).total_cmp(&weight(a));
            counts.then_with(weights).then_with(|| a.cmp(b))
        });
        let words = words.into_iter().map(|(term, shared)| (term, shared.word));
        words.take(TAGS_MAX).collect()
    }

    fn says(&self) -> ConsolidationType {
        let count = |says: ConsolidationType| {
            let alike = self.statements().filter(|(one, _)| one.says == says);
            alike.count()
        };
        // Of several with the same count the first.
        let most = TYPES.iter().rev().max_by_key(|says| count(**says));
        most.copied().unwrap_or(ConsolidationType::Pattern)
    }

    fn severity(&self) -> Option<ConsolidationSeverity> {
        let rank = |severity: &ConsolidationSeverity| {
            let all = ConsolidationSeverity::all();
            all.iter().position(|one| one == severity)
        };
        let severities = self.statements().filter_map(|(_, source)| source.severity);
        severities.max_by_key(rank)
    }

    /// One of each project first, then others; each source once.
    fn quotations(&self) -> Vec<Quotation> {
        let mut quotations: Vec<Quotation> = Vec::new();
        for of_new_projects in [true, false] {
            for (statement, source) in self.statements() {
                let is_new = |one: &Quotation| match of_new_projects {
                    true => one.project_id != source.project,
                    false => one.subject_id != source.subject_id && one.text != statement.text,
                };
                if quotations.len() < QUOTATIONS_MAX && quotations.iter().all(is_new) {
                    quotations.push(Quotation {
                        kind: source.kind,
                        subject_id: source.subject_id.clone(),
                        project_id: source.project,
                        text: statement.text.clone(),
                    });
                }
            }
        }
        quotations
    }
}

/// "Seen 3 times in 2 projects (Atlas, Borealis), by the words lease, worker."
fn description(
    sightings: &BTreeMap<ProjectId, i64>,
    names: &BTreeMap<ProjectId, String>,
    words: &[String],
) -> String {
    let times: i64 = sightings.values().sum();
    format!(
        "Seen {times} times in {} projects ({}), by the words {}.",
        sightings.len(),
        names_listed(sightings, names),
        words.join(", ")
    )
}

/// The names of the projects in their order, the first of many.
pub(crate) fn names_listed(
    sightings: &BTreeMap<ProjectId, i64>,
    names: &BTreeMap<ProjectId, String>,
) -> String {
    let mut listed: Vec<&str> = sightings
        .keys()
        .filter_map(|project| names.get(project).map(String::as_str))
        .collect();
    listed.sort_unstable();
    let more = listed.len().saturating_sub(NAMES_MAX);
    listed.truncate(NAMES_MAX);
    match more {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// A word within a sentence: a capital at its beginning alone says nothing.
fn shown(word: &str) -> String {
    if word.chars().skip(1).any(char::is_uppercase) {
        word.to_owned()
    } else {
        word.to_lowercase()
    }
}

/// Two to four tags: the words, and the type where they are too few.
fn tags(words: &[String], says: ConsolidationType) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let more = [says.as_str().to_owned(), "theme".to_owned()];
    for tag in words
        .iter()
        .filter(|word| word.chars().count() <= TAG_CHARS)
    {
        if !tags.contains(tag) && tags.len() < TAGS_MAX {
            tags.push(tag.clone());
        }
    }
    for tag in more {
        if tags.len() < 2 && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// The beginning of a text, in whole words where it can.
pub(crate) fn cut(text: &str, chars: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars) else {
        return text.to_owned();
    };
    let begin = &text[..end];
    let at_word = begin.rfind(' ').filter(|at| *at > end / 2);
    format!("{}…", begin[..at_word.unwrap_or(end)].trim_end())
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_title_is_cut_at_a_word() {
        assert_eq!(cut("one two three", 9), "one two…");
        assert_eq!(cut("short", 9), "short");
    }
}
