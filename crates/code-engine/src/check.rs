//! Holds a change against the project's own habits: the places in the changed tree that do not follow a habit which
//! held before the change.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::evidence::CodeLocation;
use super::patterns::Pattern;

/// The name and version of the report's form.
pub const CHECK_SCHEMA: &str = "nyxcore.check/1";

/// What a change does otherwise than the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// [`CHECK_SCHEMA`].
    pub schema: String,
    /// The commit that the change is held against, in hexadecimal.
    pub base: String,
    /// The deviations, of the surest habits first.
    pub deviations: Vec<Deviation>,
}

/// A place that does not follow a habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// The habit's key, see [`Pattern::key`].
    pub key: String,
    /// The habit in a few words.
    pub title: String,
    /// The habit as a rule.
    pub statement: String,
    /// The places that followed it before the change: the n of "n of m".
    pub support: u32,
    /// All places where the question arose before the change: the m.
    pub cases: u32,
    /// How sure the habit was before the change, see [`Pattern::confidence`].
    pub confidence: f64,
    /// The place.
    pub path: String,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// How many more places of the file do so, where there are too many to be told one by one.
    #[serde(default)]
    pub more: u32,
    /// Places that show the habit.
    pub exemplars: Vec<CodeLocation>,
}

/// The kinds that are about the whole project and not about a place.
const WHOLE_KINDS: &[&str] = &["commands", "companion", "co_change", "entry_function"];

/// The least share of the places that a habit holds in for a change to be held against it. What every tenth place does
/// otherwise is worth reading, and no measure.
const HELD_SHARE: f64 = 0.9;

/// A file that does otherwise at so many places has a way of its own, which one more place follows: methods that are
/// called by a name put together at run time, what a protocol dictates. What a change does so often in one file is one
/// decision, and told once.
const OWN_WAY: usize = 3;

/// Finds what `head` has and `base` had not. `base_line` and `head_line` give the text of a place's first line, which
/// tells a moved place from a new one; a place without text is passed over.
#[must_use]
pub fn deviations_new(
    base: &[Pattern],
    head: &[Pattern],
    base_line: impl Fn(&CodeLocation) -> Option<String>,
    head_line: impl Fn(&CodeLocation) -> Option<String>,
) -> Vec<Deviation> {
    let before: BTreeMap<&str, &Pattern> = base.iter().map(|one| (one.key.as_str(), one)).collect();
    let mut found = Vec::new();
    for pattern in head
        .iter()
        .filter(|one| !WHOLE_KINDS.contains(&one.kind.as_str()))
    {
        let held = before
            .get(pattern.key.as_str())
            .filter(|one| f64::from(one.support) >= HELD_SHARE * f64::from(one.cases));
        let Some(held) = held else {
            continue;
        };
        let mut of_pattern: Vec<Deviation> = Vec::new();
        let mut of_file: BTreeMap<&str, usize> = BTreeMap::new();
        for place in &held.deviations {
            *of_file.entry(place.path.as_str()).or_default() += 1;
        }
        let has_own_way = |path: &str| of_file.get(path).is_some_and(|count| *count >= OWN_WAY);
        let mut known: BTreeMap<String, u32> = BTreeMap::new();
        let mut places: BTreeSet<(String, String)> = BTreeSet::new();
        for place in &held.deviations {
            if let Some(text) = base_line(place).map(code_only) {
                places.insert((place.path.clone(), text.clone()));
                *known.entry(text).or_default() += 1;
            }
        }
        let now = pattern.deviations.iter();
        let mut now: Vec<(&CodeLocation, String)> = now
            .filter_map(|place| Some((place, code_only(head_line(place)?))))
            .collect();
        // What stood in the same file is the same, before something like it elsewhere is.
        now.sort_by_key(|(place, text)| !places.contains(&(place.path.clone(), text.clone())));
        now.retain(
            |(_, text)| match known.get_mut(text).filter(|count| **count > 0) {
                Some(count) => {
                    *count -= 1;
                    false
                }
                None => true,
            },
        );
        // What else of a declaration changed makes it no new one.
        let mut declared: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for (path, text) in &places {
            if known.get(text).is_some_and(|left| *left > 0) {
                *declared
                    .entry((path.as_str(), declared_in(text)))
                    .or_default() += 1;
            }
        }
        for (place, text) in &now {
            let at = (place.path.as_str(), declared_in(text));
            if let Some(count) = declared.get_mut(&at).filter(|count| **count > 0) {
                *count -= 1;
                continue;
            }
            if has_own_way(&place.path) {
                continue;
            }
            of_pattern.push(Deviation {
                key: pattern.key.clone(),
                title: pattern.title.clone(),
                statement: pattern.statement.clone(),
                support: held.support,
                cases: held.cases,
                confidence: held.confidence,
                path: place.path.clone(),
                start_line: place.start_line,
                end_line: place.end_line,
                more: 0,
                exemplars: held.exemplars.clone(),
            });
        }
        found.extend(decisions(of_pattern));
    }
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.key.cmp(&b.key))
            .then_with(|| (&a.path, a.start_line).cmp(&(&b.path, b.start_line)))
    });
    found
}

/// A line up to where its parameters, type or value begin, if that is more than a word: what it declares.
fn declared_in(line: &str) -> &str {
    let head = line
        .split(['(', '<', '=', '{', ':'])
        .next()
        .unwrap_or(line)
        .trim_end();
    if head.contains(' ') { head } else { line }
}

/// The deviations from one habit; those of a file with many of them as one.
fn decisions(mut deviations: Vec<Deviation>) -> Vec<Deviation> {
    deviations.sort_by(|a, b| (&a.path, a.start_line).cmp(&(&b.path, b.start_line)));
    let mut told: Vec<Deviation> = Vec::new();
    for of_file in deviations.chunk_by(|a, b| a.path == b.path) {
        match of_file {
            [first, rest @ ..] if of_file.len() >= OWN_WAY => told.push(Deviation {
                more: u32::try_from(rest.len()).unwrap_or(u32::MAX),
                ..first.clone()
            }),
            few => told.extend_from_slice(few),
        }
    }
    told
}

/// A line without the comment at its end: a place whose remark changed is the same place.
fn code_only(mut line: String) -> String {
    let at = [" #", " //", "\t#", "\t//"]
        .iter()
        .filter_map(|mark| line.find(mark))
        .min();
    line.truncate(at.unwrap_or(line.len()));
    line.truncate(line.trim_end().len());
    line
}

impl Deviation {
    /// Words on the places that are not told one by one; empty where there are none.
    #[must_use]
    pub fn rest(&self) -> String {
        match self.more {
            0 => String::new(),
            more => format!(", and {more} more of this file do not"),
        }
    }
}

impl CheckReport {
    /// The report of these deviations from the habits at `base`.
    #[must_use]
    pub fn new(base: &str, deviations: Vec<Deviation>) -> CheckReport {
        CheckReport {
            schema: CHECK_SCHEMA.to_owned(),
            base: base.to_owned(),
            deviations,
        }
    }

    /// How many deviations are of a habit at least so sure.
    #[must_use]
    pub fn count_from(&self, confidence: f64) -> usize {
        self.deviations
            .iter()
            .filter(|one| one.confidence >= confidence)
            .count()
    }

    /// The report for people. Control characters are replaced: whoever made the change named its files.
    #[must_use]
    pub fn text(&self) -> String {
        if self.deviations.is_empty() {
            return "The change follows the habits of the project.\n".to_owned();
        }
        let mut text = String::new();
        for one in &self.deviations {
            let see = one.exemplars.first().map_or(String::new(), |place| {
                format!("; see {}:{}", place.path, place.start_line)
            });
            text.push_str(&format!(
                "{}:{}{}\n  {}\n  {} of {} places do, confidence {:.2}{see}\n",
                one.path,
                one.start_line,
                one.rest(),
                one.statement,
                one.support,
                one.cases,
                one.confidence
            ));
        }
        text.replace(|letter: char| letter.is_control() && letter != '\n', "?")
    }

    /// The report as workflow commands of GitHub, which annotate the changed lines
    /// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
    #[must_use]
    pub fn github(&self) -> String {
        let lines = self.deviations.iter().map(|one| {
            let message = format!(
                "{} ({} of {} places do{})",
                one.statement,
                one.support,
                one.cases,
                one.rest()
            );
            format!(
                "::warning file={},line={},endLine={},title={}::{}\n",
                property(&one.path),
                one.start_line,
                one.end_line,
                property(&one.title),
                data(&message)
            )
        });
        lines.collect()
    }
}

/// Text behind the `::` of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(places: &[(&str, u32)]) -> Pattern {
        let place = |(path, line): &(&str, u32)| CodeLocation {
            source_id: None,
            path: (*path).to_owned(),
            start_line: *line,
            end_line: *line,
            blob: String::new(),
        };
        Pattern {
            key: "naming/python/functions/snake_case".to_owned(),
            kind: "naming".to_owned(),
            title: "Functions are snake_case".to_owned(),
            statement: "Write names in snake_case.".to_owned(),
            stack: Some("python".to_owned()),
            scope: None,
            support: 40,
            cases: 42,
            confidence: 0.84,
            exemplars: vec![place(&("a.py", 1))],
            counter_examples: Vec::new(),
            deviations: places.iter().map(place).collect(),
        }
    }

    fn text(place: &CodeLocation) -> Option<String> {
        // The file's name stands for the line's text, so that a place that moved is known again.
        Some(place.path.split('/').next_back()?.to_owned())
    }

    fn new(base: &[(&str, u32)], head: &[(&str, u32)]) -> Vec<String> {
        let found = deviations_new(&[pattern(base)], &[pattern(head)], text, text);
        found
            .iter()
            .map(|one| format!("{}:{}", one.path, one.start_line))
            .collect()
    }

    #[test]
    fn only_what_the_change_adds_is_told() {
        assert_eq!(new(&[("a.py", 3)], &[("a.py", 9), ("b.py", 1)]), ["b.py:1"]);
    }

    #[test]
    fn what_moved_is_not_new() {
        assert!(new(&[("old/a.py", 3)], &[("new/a.py", 3)]).is_empty());
        assert_eq!(
            new(&[("a.py", 3)], &[("x/a.py", 1), ("a.py", 5)]),
            ["x/a.py:1"]
        );
    }

    #[test]
    fn a_file_with_a_way_of_its_own_is_followed() {
        let before = [("a.py", 1), ("a.py", 4), ("a.py", 7)];
        let after = [
            ("a.py", 1),
            ("a.py", 4),
            ("a.py", 7),
            ("a.py", 9),
            ("b.py", 1),
        ];
        assert_eq!(new(&before, &after), ["b.py:1"]);
    }

    #[test]
    fn what_a_file_does_often_is_told_once() {
        let head = [
            ("b.py", 8),
            ("b.py", 2),
            ("b.py", 5),
            ("c.py", 1),
            ("c.py", 2),
        ];
        let line = |place: &CodeLocation| Some(format!("{}{}", place.path, place.start_line));
        let found = deviations_new(&[pattern(&[])], &[pattern(&head)], line, line);
        let told: Vec<(String, u32)> = found
            .iter()
            .map(|one| (format!("{}:{}", one.path, one.start_line), one.more))
            .collect();
        let expected = [("b.py:2", 2), ("c.py:1", 0), ("c.py:2", 0)];
        assert_eq!(told, expected.map(|(at, more)| (at.to_owned(), more)));
        let text = CheckReport::new("0", found).text();
        assert!(
            text.starts_with("b.py:2, and 2 more of this file do not\n"),
            "{text}"
        );
    }

    #[test]
    fn a_habit_with_many_exceptions_is_no_measure() {
        let mut often = pattern(&[]);
        (often.support, often.cases) = (37, 42);
        let head = [pattern(&[("a.py", 1)])];
        assert!(deviations_new(&[often], &head, text, text).is_empty());
    }

    #[test]
    fn a_declaration_that_changed_is_the_same() {
        let of = |line: &'static str| move |_: &CodeLocation| Some(line.to_owned());
        let changes = |before: &'static str, after: &'static str| {
            let (base, head) = ([pattern(&[("a.ts", 3)])], [pattern(&[("a.ts", 4)])]);
            deviations_new(&base, &head, of(before), of(after)).len()
        };
        assert_eq!(
            changes(
                "interface i18nOptions<T> {",
                "interface i18nOptions<T extends Z> {"
            ),
            0
        );
        assert_eq!(
            changes("interface i18nOptions<T> {", "interface i18nOutput<T> {"),
            1
        );
        assert_eq!(changes("open(a)", "open(b)"), 1, "a call declares nothing");
    }

    #[test]
    fn a_remark_makes_no_new_place() {
        let of = |line: &'static str| move |_: &CodeLocation| Some(line.to_owned());
        let (before, after) = (of("except:  # noqa: B001"), of("except:"));
        let at = [("a.py", 3)];
        assert!(deviations_new(&[pattern(&at)], &[pattern(&at)], before, after).is_empty());
        assert_eq!(code_only("open(\"a\")\t// why".to_owned()), "open(\"a\")");
        assert_eq!(code_only("# all of it".to_owned()), "# all of it");
    }

    #[test]
    fn a_habit_that_did_not_hold_before_asks_for_nothing() {
        assert!(deviations_new(&[], &[pattern(&[("a.py", 1)])], text, text).is_empty());
    }

    #[test]
    fn commands_of_github_hold_no_others() {
        let mut report = CheckReport::new(
            "0",
            deviations_new(&[pattern(&[])], &[pattern(&[("a,b:c.py", 1)])], text, text),
        );
        report.deviations[0].statement = "one\n::error::two".to_owned();
        assert_eq!(
            report.github(),
            "::warning file=a%2Cb%3Ac.py,line=1,endLine=1,title=Functions are snake_case::one%0A::error::two (40 of 42 places do)\n"
        );
        assert_eq!((report.count_from(0.8), report.count_from(0.9)), (1, 0));
        assert!(report.text().starts_with("a,b:c.py:1\n"));
    }
}
