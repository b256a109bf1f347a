//! Finds the places that a change adds and that do not follow a habit.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::CodeLocation;
use super::super::patterns::Pattern;
use super::Deviation;
use super::texts::Texts;

/// The kinds that are about the whole project and not about a place.
const WHOLE_KINDS: &[&str] = &["commands", "companion", "co_change", "entry_function"];

/// Habits that describe a project but are no rule for one more place, by kind and subject of their key. In these the
/// task decides: what a module imports for asynchronous work, whether a test is written from the view of a user of the
/// package, what a file contains beside its type.
const NO_MEASURE: &[(&str, &str)] = &[
    ("async_style", "goroutines"),
    ("async_style", "library"),
    ("async_style", "spawn"),
    ("async_style", "threads"),
    ("dependency_wiring", "constructors"),
    ("module_layout", "indexes"),
    ("module_layout", "package-inits"),
    ("module_layout", "types-a-file"),
    ("test_layout", "data"),
    ("test_layout", "fixtures"),
    ("test_layout", "groups"),
    ("test_layout", "package"),
    ("test_layout", "runner"),
    ("test_layout", "set-up"),
    ("validation", "models"),
];

/// The least share of places that follow a habit for a change to be checked against it. A habit with an exception in
/// every tenth place is worth reading, but is no rule.
const HELD_SHARE: f64 = 0.9;

/// The least confidence of a habit for a change to be checked against it: 12 places of 12, or 19 of 20.
const MEASURE_CONFIDENCE: f64 = 0.75;

/// A file with this many deviations has a convention of its own, which one more place follows: methods whose names are
/// composed at run time, names that a protocol dictates. This many new deviations in one file are one decision, and are
/// reported once.
const OWN_WAY: usize = 3;

/// Finds the deviations that `head` has and `base` had not. `base_text` and `head_text` return the content of a file by
/// its path. Places in a file without text are ignored.
#[must_use]
pub fn deviations_new(
    base: &[Pattern],
    head: &[Pattern],
    base_text: impl Fn(&str) -> Option<String>,
    head_text: impl Fn(&str) -> Option<String>,
) -> Vec<Deviation> {
    let before: BTreeMap<&str, &Pattern> = base.iter().map(|one| (one.key.as_str(), one)).collect();
    let (base_texts, head_texts) = (Texts::new(base_text), Texts::new(head_text));
    let mut found = Vec::new();
    for pattern in head {
        let held = before.get(pattern.key.as_str());
        let Some(held) = held.filter(|one| is_measure(one)) else {
            continue;
        };
        let new = places_new(held, pattern, &base_texts, &head_texts);
        found.extend(decisions(held, &new));
    }
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.key.cmp(&b.key))
            .then_with(|| (&a.path, a.start_line).cmp(&(&b.path, b.start_line)))
    });
    found
}

/// Whether a change is checked against the habit. If the habit has too many exceptions to list them, new ones cannot be
/// told apart. A rule that the project wrote down itself needs no minimum of cases.
fn is_measure(habit: &Pattern) -> bool {
    let exceptions = habit.cases.saturating_sub(habit.support) as usize;
    let is_sure = f64::from(habit.support) >= HELD_SHARE * f64::from(habit.cases)
        && habit.confidence >= MEASURE_CONFIDENCE;
    let subject = habit.key.split('/').nth(2).unwrap_or_default();
    // `TestStore_Get` is as usual in Go as `TestGet`.
    let is_go_test =
        habit.stack.as_deref() == Some("go") && (&*habit.kind, subject) == ("naming", "tests");
    !WHOLE_KINDS.contains(&habit.kind.as_str())
        && !is_go_test
        && !NO_MEASURE.contains(&(habit.kind.as_str(), subject))
        && habit.deviations.len() >= exceptions
        && (is_sure || habit.kind == "rule")
}

/// Returns the deviations that the change adds, by path and line.
fn places_new<'p, B, H>(
    held: &Pattern,
    pattern: &'p Pattern,
    base: &Texts<B>,
    head: &Texts<H>,
) -> Vec<&'p CodeLocation>
where
    B: Fn(&str) -> Option<String>,
    H: Fn(&str) -> Option<String>,
{
    let mut of_file: BTreeMap<&str, usize> = BTreeMap::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut places: BTreeSet<(&str, String)> = BTreeSet::new();
    for place in &held.deviations {
        *of_file.entry(&place.path).or_default() += 1;
        if let Some(text) = base.line(place) {
            places.insert((&place.path, text.clone()));
            *known.entry(text).or_default() += 1;
        }
    }
    let mut grown: BTreeMap<&str, usize> = BTreeMap::new();
    let has_own_way = |path: &str| of_file.get(path).is_some_and(|count| *count >= OWN_WAY);
    let now = pattern.deviations.iter();
    let mut now: Vec<(&CodeLocation, String)> = now
        .filter_map(|place| Some((place, head.line(place)?)))
        .collect();
    // A text in the same file is matched before an equal text in another file.
    now.sort_by_key(|(place, text)| !places.contains(&(place.path.as_str(), text.clone())));
    now.retain(|(_, text)| !take(&mut known, text.as_str()));
    // A known declaration whose line changed elsewhere, as in its type, is not a new place.
    let declaration = |path: &str, text: &str| format!("{path}\n{}", declared_in(text));
    let mut declared: BTreeMap<String, usize> = BTreeMap::new();
    for (path, text) in &places {
        if known.get(text).is_some_and(|left| *left > 0) {
            *declared.entry(declaration(path, text)).or_default() += 1;
        }
    }
    now.retain(|(place, text)| !take(&mut declared, declaration(&place.path, text).as_str()));
    let mut new: Vec<&CodeLocation> = now
        .into_iter()
        .map(|(place, _)| place)
        .filter(|place| {
            !has_own_way(&place.path)
                && !head.is_excused(place, &held.kind)
                && is_of_change(place, base, head)
        })
        .collect();
    new.sort_by(|a, b| (&a.path, a.start_line).cmp(&(&b.path, b.start_line)));
    // If a file has no more deviations than before, its new places replace others and are not reported.
    for place in &pattern.deviations {
        *grown.entry(&place.path).or_default() += 1;
    }
    for (path, before) in &of_file {
        let now = grown.entry(path).or_default();
        *now = now.saturating_sub(*before);
    }
    new.retain(|place| take(&mut grown, place.path.as_str()));
    new
}

/// Decrements the count of the key. Returns whether it was above zero.
fn take<K, Q>(counts: &mut BTreeMap<K, usize>, key: &Q) -> bool
where
    K: Ord + Borrow<Q>,
    Q: Ord + ?Sized,
{
    match counts.get_mut(key).filter(|count| **count > 0) {
        Some(count) => {
            *count -= 1;
            true
        }
        None => false,
    }
}

/// Whether the change wrote the place. An unchanged text may be counted because of a change elsewhere: the habit's
/// wording depends on other files, or a class lost its base.
fn is_of_change<B, H>(place: &CodeLocation, base: &Texts<B>, head: &Texts<H>) -> bool
where
    B: Fn(&str) -> Option<String>,
    H: Fn(&str) -> Option<String>,
{
    let written = head.lines(place);
    base.times(&place.path, &written) < head.times(&place.path, &written)
}

/// The part of a line before its parameters, type or value, if that is more than a word: the declaration.
fn declared_in(line: &str) -> &str {
    let head = line
        .split(['(', '<', '=', '{', ':'])
        .next()
        .unwrap_or(line)
        .trim_end();
    if head.contains(' ') { head } else { line }
}

/// Converts the places to deviations from the habit. Many places in one file become one deviation.
fn decisions(held: &Pattern, places: &[&CodeLocation]) -> Vec<Deviation> {
    let mut told = Vec::new();
    for of_file in places.chunk_by(|a, b| a.path == b.path) {
        match of_file {
            [first, rest @ ..] if of_file.len() >= OWN_WAY => {
                told.push(deviation(held, first, rest.len()));
            }
            few => told.extend(few.iter().map(|place| deviation(held, place, 0))),
        }
    }
    told
}

fn deviation(held: &Pattern, place: &CodeLocation, more: usize) -> Deviation {
    Deviation {
        key: held.key.clone(),
        title: held.title.clone(),
        statement: held.statement.clone(),
        support: held.support,
        cases: held.cases,
        confidence: held.confidence,
        path: place.path.clone(),
        start_line: place.start_line,
        end_line: place.end_line,
        more: u32::try_from(more).unwrap_or(u32::MAX),
        exemplars: held.exemplars.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckReport;
    use super::*;

    /// The path, the first line and the last line of a place.
    type At = (&'static str, u32, u32);
    /// The path and the content of each file.
    type Files = [(&'static str, &'static str)];

    fn pattern(places: &[At]) -> Pattern {
        let place = |(path, start_line, end_line): &At| CodeLocation {
            source_id: None,
            path: (*path).to_owned(),
            start_line: *start_line,
            end_line: *end_line,
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
            cases: 40 + u32::try_from(places.len()).unwrap(),
            confidence: 0.84,
            exemplars: vec![place(&("a.py", 1, 1))],
            counter_examples: Vec::new(),
            deviations: places.iter().map(place).collect(),
        }
    }

    fn text(files: &Files) -> impl Fn(&str) -> Option<String> {
        |path| {
            let found = files.iter().find(|(name, _)| *name == path)?;
            Some(found.1.to_owned())
        }
    }

    fn found(base: (&[At], &Files), head: (&[At], &Files)) -> Vec<Deviation> {
        let (before, after) = ([pattern(base.0)], [pattern(head.0)]);
        deviations_new(&before, &after, text(base.1), text(head.1))
    }

    fn new(base: (&[At], &Files), head: (&[At], &Files)) -> Vec<String> {
        let at = |one: &Deviation| format!("{}:{}", one.path, one.start_line);
        found(base, head).iter().map(at).collect()
    }

    const A: At = ("a.py", 2, 2);
    const B: At = ("b.py", 1, 1);

    #[test]
    fn only_what_the_change_adds_is_told() {
        let base: (&[At], &Files) = (&[A], &[("a.py", "\nopen()\n")]);
        let after = [("a.py", 4, 4), B];
        let files = [("a.py", "\n\n\nopen()\n"), ("b.py", "close()\n")];
        assert_eq!(new(base, (&after, &files)), ["b.py:1"]);
    }

    #[test]
    fn what_moved_is_not_new() {
        let base: (&[At], &Files) = (&[A], &[("a.py", "\nopen()\n")]);
        assert!(new(base, (&[("x/a.py", 1, 1)], &[("x/a.py", "open()")])).is_empty());
        let files = [("a.py", "\nopen()\n"), ("x/a.py", "open()\n")];
        assert_eq!(new(base, (&[("x/a.py", 1, 1), A], &files)), ["x/a.py:1"]);
    }

    #[test]
    fn a_file_with_a_way_of_its_own_is_followed() {
        let text = "one()\ntwo()\nthree()\nfour()\n";
        let before = [("a.py", 1, 1), ("a.py", 2, 2), ("a.py", 3, 3)];
        let after = [before[0], before[1], before[2], ("a.py", 4, 4), B];
        let base: (&[At], &Files) = (&before, &[("a.py", "one()\ntwo()\nthree()\n")]);
        let files = [("a.py", text), ("b.py", "five()\n")];
        assert_eq!(new(base, (&after, &files)), ["b.py:1"]);
    }

    #[test]
    fn what_a_file_does_often_is_told_once() {
        let after = [
            ("b.py", 3, 3),
            ("b.py", 1, 1),
            ("b.py", 2, 2),
            ("c.py", 1, 1),
            ("c.py", 2, 2),
        ];
        let files = [("b.py", "b1\nb2\nb3\n"), ("c.py", "c1\nc2\n")];
        let told = found((&[], &[]), (&after, &files));
        let at: Vec<(&str, u32, u32)> = told
            .iter()
            .map(|one| (one.path.as_str(), one.start_line, one.more))
            .collect();
        assert_eq!(at, [("b.py", 1, 2), ("c.py", 1, 0), ("c.py", 2, 0)]);
        let text = CheckReport::new("0", told).text();
        assert!(
            text.starts_with("b.py:1, and 2 more of this file do not\n"),
            "{text}"
        );
    }

    #[test]
    fn an_unsure_habit_is_no_measure() {
        let files: &Files = &[("b.py", "open()\n")];
        let told = |habit: Pattern| {
            let after = Pattern {
                deviations: pattern(&[B]).deviations,
                ..habit.clone()
            };
            !deviations_new(&[habit], &[after], text(&[]), text(files)).is_empty()
        };
        let of = |support: u32, cases: u32, confidence: f64| Pattern {
            support,
            cases,
            confidence,
            deviations: vec![pattern(&[A]).deviations[0].clone(); (cases - support) as usize],
            ..pattern(&[])
        };
        assert!(told(of(40, 42, 0.84)));
        assert!(!told(of(370, 420, 0.84)), "many exceptions");
        assert!(!told(of(11, 11, 0.74)), "few cases");
        let unlisted = Pattern {
            deviations: Vec::new(),
            ..of(40, 42, 0.84)
        };
        assert!(!told(unlisted), "exceptions that are not listed");
        let rule = |habit: Pattern| Pattern {
            kind: "rule".to_owned(),
            ..habit
        };
        assert!(told(rule(of(1, 2, 0.1))), "a rule that is written down");
        let library = Pattern {
            key: "async_style/python/library/asyncio".to_owned(),
            kind: "async_style".to_owned(),
            ..of(40, 42, 0.84)
        };
        assert!(!told(library), "what is to be done decides");
    }

    #[test]
    fn a_declaration_that_changed_is_the_same() {
        let changes = |before: &'static str, after: &'static str| {
            let base: (&[At], &Files) = (&[B], &[("b.py", before)]);
            new(base, (&[B, ("b.py", 2, 2)], &[("b.py", after)])).len()
        };
        let before = "interface i18nOptions<T> {";
        let after = "interface i18nOptions<T extends Z> {\ninterface i18nOutput<T> {";
        assert_eq!(changes(before, after), 1);
        assert_eq!(changes("open(a)", "open(a)\nopen(b)"), 1);
    }

    #[test]
    fn a_place_that_is_written_anew_is_not_new() {
        let base: (&[At], &Files) = (&[B], &[("b.py", "open(a)\n")]);
        assert!(new(base, (&[B], &[("b.py", "open(b)\n")])).is_empty());
    }

    #[test]
    fn what_the_change_did_not_write_is_not_told() {
        let before: &Files = &[("b.py", "def f():\n    pass\n")];
        let after: &Files = &[("b.py", "x = 1\ndef f():\n    pass\n")];
        assert!(new((&[], before), (&[("b.py", 2, 3)], after)).is_empty());
        let after: &Files = &[("b.py", "def f():\n    return 1\n")];
        assert_eq!(new((&[], before), (&[("b.py", 1, 2)], after)), ["b.py:1"]);
    }

    #[test]
    fn what_a_linter_is_told_to_leave_is_left() {
        let after: &Files = &[("b.py", "except Exception:  # noqa: BLE001\n")];
        assert!(new((&[], &[]), (&[B], after)).is_empty());
        let after: &Files = &[("b.py", "// eslint-disable-next-line\nvar f_g\n")];
        assert!(new((&[], &[]), (&[("b.py", 2, 2)], after)).is_empty());
    }

    #[test]
    fn a_remark_makes_no_new_place() {
        let before: &Files = &[("b.py", "except:  # why not\n")];
        assert!(new((&[B], before), (&[B], &[("b.py", "except:\n")])).is_empty());
    }

    #[test]
    fn a_habit_that_did_not_hold_before_asks_for_nothing() {
        let files: &Files = &[("b.py", "open()\n")];
        assert!(deviations_new(&[], &[pattern(&[B])], text(&[]), text(files)).is_empty());
    }
}
