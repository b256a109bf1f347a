//! Finds the places that a change adds and that do not follow a habit.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::CodeLocation;
use super::super::patterns::Pattern;
use super::super::project::imports::folder_of;
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

/// A folder with this many files that deviate has a convention of its own: the translations of a library all have a
/// default export.
const FOLDER_OWN_WAY: usize = 10;

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
        if !is_turned(held, pattern, new.len()) {
            found.extend(decisions(held, &new));
        }
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

/// Whether the change gives up the habit: as many places that followed it do not any more as there are new deviations.
/// Where there are fewer places than before, those that followed it were deleted.
fn is_turned(held: &Pattern, pattern: &Pattern, new: usize) -> bool {
    new >= OWN_WAY
        && pattern.cases >= held.cases
        && held.support.saturating_sub(pattern.support) as usize >= new
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
    let mut of_folder: BTreeMap<&str, usize> = BTreeMap::new();
    for path in of_file.keys() {
        *of_folder.entry(folder_of(path)).or_default() += 1;
    }
    let has_own_way = |path: &str| {
        let files = of_folder.get(folder_of(path)).copied().unwrap_or(0);
        let places = of_file.get(path).copied().unwrap_or(0);
        places >= OWN_WAY || files >= FOLDER_OWN_WAY
    };
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
mod tests;
