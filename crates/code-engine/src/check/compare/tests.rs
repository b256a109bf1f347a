//! What a change adds is found, and what it did not add is not.

use super::*;
use crate::check::CheckReport;

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
fn a_folder_of_exceptions_has_a_way_of_its_own() {
    let paths = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let places = paths.map(|name| pattern(&[(name, 1, 1)]).deviations[0].clone());
    let of = |places: &[CodeLocation]| Pattern {
        deviations: places
            .iter()
            .map(|place| CodeLocation {
                path: format!("locales/{}.ts", place.path),
                ..place.clone()
            })
            .collect(),
        ..pattern(&[])
    };
    let told = |known: &[CodeLocation]| {
        let read = |path: &str| Some(format!("export default {path}\n"));
        let base = |path: &str| read(path).filter(|_| !path.ends_with("/new.ts"));
        let new = pattern(&[("new", 1, 1)]).deviations[0].clone();
        let after: Vec<CodeLocation> = known.iter().cloned().chain([new]).collect();
        deviations_new(&[of(known)], &[of(&after)], base, read).len()
    };
    assert_eq!(told(&places[1..]), 1);
    assert_eq!(told(&places), 0);
}

#[test]
fn a_change_that_gives_up_a_habit_is_not_told() {
    let at: &[At] = &[("a.py", 1, 1), ("b.py", 1, 1), ("c.py", 1, 1)];
    let files: &Files = &[("a.py", "A = 1"), ("b.py", "B = 1"), ("c.py", "C = 1")];
    let told = |support: u32, cases: u32| {
        let after = Pattern {
            support,
            cases,
            ..pattern(at)
        };
        deviations_new(&[pattern(&[])], &[after], text(&[]), text(files)).len()
    };
    assert_eq!((told(40, 43), told(38, 43), told(37, 43)), (3, 3, 0));
    assert_eq!(told(30, 33), 3, "the others were deleted");
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
