//! A theme as a pattern: its key, its words, and the quotations that show it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use nyxcore_knowledge::{
    ConsolidationSeverity, ConsolidationType, KeyedPattern, QUOTATIONS_MAX, Quotation,
};
use nyxcore_projects::ProjectId;
use nyxcore_tenancy::text;

use crate::source::Source;
use crate::statement::Statement;

/// The most characters of a title.
const TITLE_CHARS: usize = 120;
/// The most characters of a tag.
const TAG_CHARS: usize = 50;
/// The most tags of a pattern, and the most words that its description names.
const TAGS_MAX: usize = 4;
/// The most projects that a description names.
const NAMES_MAX: usize = 5;
/// The longest key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 500;

/// The types of statements. Of types that occur equally often, the first in this order is taken.
const TYPES: [ConsolidationType; 6] = [
    ConsolidationType::Pain,
    ConsolidationType::Solution,
    ConsolidationType::Success,
    ConsolidationType::Architecture,
    ConsolidationType::Tool,
    ConsolidationType::Pattern,
];

/// The statements of a theme. The seed comes first: the statement that the others resemble.
pub(crate) struct Cluster<'a> {
    pub(crate) statements: &'a [Statement],
    pub(crate) sources: &'a [Source],
    pub(crate) members: &'a [usize],
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
    pub(crate) fn sightings(&self) -> BTreeMap<ProjectId, i64> {
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

    pub(crate) fn pattern(
        &self,
        weights: &HashMap<&str, f64>,
        names: &BTreeMap<ProjectId, String>,
        keys: &mut HashSet<String>,
    ) -> Option<KeyedPattern> {
        let words = self.words(weights);
        // Two words form the key; a third one is added where another theme has the same two.
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

    /// The words that statements of two projects share, most frequent first, each with its spelling in a text.
    fn words(&self, weights: &HashMap<&str, f64>) -> Vec<(&'a str, &'a str)> {
        struct SharedWord<'a> {
            word: &'a str,
            statements: usize,
            projects: BTreeSet<ProjectId>,
        }
        let mut shared: BTreeMap<&str, SharedWord<'_>> = BTreeMap::new();
        for (statement, source) in self.statements() {
            for word in &statement.words {
                let of_term = shared.entry(&word.term).or_insert_with(|| SharedWord {
                    word: &word.word,
                    statements: 0,
                    projects: BTreeSet::new(),
                });
                of_term.statements += 1;
                of_term.projects.insert(source.project);
            }
        }
        let weight = |term: &str| weights.get(term).copied().unwrap_or_default();
        let mut words: Vec<(&str, SharedWord<'_>)> = shared
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
        // Of types with the same count, the first is taken.
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

    /// One quotation of each project first, then others; each source once.
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

/// The names of the projects in alphabetical order, at most [`NAMES_MAX`].
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

/// A word as it is shown within a sentence. It is in lower case where only its first letter was a capital.
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

/// The beginning of a text, cut between words where possible.
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
    use super::*;

    #[test]
    fn a_title_is_cut_at_a_word() {
        assert_eq!(cut("one two three", 9), "one two…");
        assert_eq!(cut("short", 9), "short");
    }
}
