//! Renders notable findings about the structure of the code.

use super::super::project::dead_code::DeadCode;
use super::super::project::duplicates::CloneGroup;
use super::super::project::import_graph::ImportGraph;
use super::super::project::map::RankedDefinition;
use super::super::project::role::{self, Role};
use super::super::report_files::{COGNITIVE_MOST, ComplexFunction};
use super::page::{Page, Paint, counted, padded, path_fit, shown, thousands, widest};

const MAP_SHOWN: usize = 8;
/// The files that use what many lean on.
const USED_IN_MANY: u32 = 3;
const LEVELS_SHOWN: usize = 8;
const CYCLES_SHOWN: usize = 3;
const STEPS_SHOWN: usize = 6;
const DUPLICATES_SHOWN: usize = 4;
const PLACES_SHOWN: usize = 3;
/// Two places that are alike in fewer lines are not worth a look.
const LINES_TOLD: u32 = 10;
const DEAD_SHOWN: usize = 6;
const COMPLEX_SHOWN: usize = 6;

pub(super) fn map(page: &mut Page, map: &[RankedDefinition]) {
    // A type and its alias, or two that differ in their parameters alone, have one name, and a file that has the name
    // is counted for both.
    let mut names: Vec<&str> = Vec::new();
    let mut top: Vec<&RankedDefinition> = Vec::new();
    // What one or two files use has a high rank by who those are; it is told where a project has nothing else.
    let is_leaned_on = |one: &&RankedDefinition| one.used_in >= USED_IN_MANY;
    let least = match map.iter().filter(is_leaned_on).count() {
        many if many >= MAP_SHOWN => USED_IN_MANY,
        _ => 1,
    };
    for one in map.iter().filter(|one| one.used_in >= least) {
        if top.len() < MAP_SHOWN && !names.contains(&one.name.as_str()) {
            names.push(&one.name);
            top.push(one);
        }
    }
    if top.is_empty() {
        return;
    }
    page.heading(
        "Most leaned on",
        "definitions by PageRank over who refers to whom",
    );
    let width = widest(top.iter().map(|one| one.name.as_str()), page.width() / 3);
    for one in top {
        let used = format!("  in {}", counted(one.used_in, "file"));
        let room = page.width().saturating_sub(width + used.len() + 15);
        let at = path_fit(&format!("{}:{}", one.path, one.start_line), room.max(10));
        page.line(&[
            ("  ", Paint::Plain),
            (&padded(one.kind.as_str(), 10), Paint::Faint),
            (&padded(&path_fit(&one.name, width), width), Paint::Strong),
            ("  ", Paint::Plain),
            (&at, Paint::Plain),
            (&used, Paint::Faint),
        ]);
    }
    page.gap();
}

pub(super) fn layers(page: &mut Page, imports: &ImportGraph) {
    if imports.layers.len() < 2 {
        return;
    }
    page.heading("Layers", "each imports only what is below it or beside it");
    // The top first, as one draws it.
    for layer in imports.layers.iter().rev().take(LEVELS_SHOWN) {
        let folders: Vec<&str> = layer
            .folders
            .iter()
            .map(|folder| folder_name(folder))
            .collect();
        page.words(
            &format!("  {:>2}  ", layer.level),
            &folders.join(" · "),
            Paint::Plain,
        );
    }
    let rest = imports.layers.len().saturating_sub(LEVELS_SHOWN);
    if rest > 0 {
        page.line(&[
            ("      ", Paint::Plain),
            (&format!("and {rest} more"), Paint::Faint),
        ]);
    }
    page.gap();
}

/// A folder as it is called; the root has no name.
fn folder_name(folder: &str) -> &str {
    match folder {
        "" | "." => "(root)",
        folder => folder,
    }
}

pub(super) fn cycles(page: &mut Page, imports: &ImportGraph) {
    let all = imports.cycles.len();
    if all == 0 {
        return;
    }
    page.heading("Circles of imports", &shown(all.min(CYCLES_SHOWN), all));
    for cycle in imports.cycles.iter().take(CYCLES_SHOWN) {
        let files = counted(cycle.size, "file");
        let words = match cycle.size as usize == cycle.path.len() {
            true => files,
            false => format!("{files} that reach each other, by this circle and others"),
        };
        page.line(&[("  ", Paint::Plain), (&words, Paint::Hot)]);
        for step in cycle.path.iter().take(STEPS_SHOWN) {
            let at = path_fit(&format!("{}:{}", step.file, step.line), page.width() - 6);
            page.line(&[("    → ", Paint::Faint), (&at, Paint::Plain)]);
        }
        if cycle.path.len() > STEPS_SHOWN {
            let more = format!("and {} more", cycle.path.len() - STEPS_SHOWN);
            page.line(&[("      ", Paint::Plain), (&more, Paint::Faint)]);
        }
    }
    page.gap();
}

pub(super) fn duplicates(page: &mut Page, groups: &[CloneGroup], lines: u32) {
    // Tests, examples and benchmarks repeat themselves by intention: what is alike among them alone is counted and not
    // shown, and so is what is short and occurs twice.
    let is_shown = |group: &&CloneGroup| {
        let is_long = group.lines >= LINES_TOLD || group.count > 2;
        let mut places = group.places.iter();
        is_long && places.any(|place| role::of(&place.path) == Role::Source)
    };
    let all = groups.len();
    let groups: Vec<&CloneGroup> = groups.iter().filter(is_shown).collect();
    if groups.is_empty() {
        return;
    }
    let of_others = match all - groups.len() {
        0 => String::new(),
        more => format!(", {more} more in tests or short"),
    };
    // Names are ignored and tests are in it, so the number is no verdict on the source.
    let remark = format!(
        "{}{of_others}  {} of code and tests alike but for names",
        shown(groups.len().min(DUPLICATES_SHOWN), groups.len()),
        counted(lines, "line")
    );
    page.heading("Duplicates", &remark);
    for group in groups.iter().take(DUPLICATES_SHOWN) {
        let mut lines = format!("{:>5} lines  ", thousands(group.lines));
        for place in group.places.iter().take(PLACES_SHOWN) {
            let place = format!("{}:{}", place.path, place.start_line);
            let at = path_fit(&place, page.width().saturating_sub(15));
            page.line(&[
                ("  ", Paint::Plain),
                (&padded(&lines, 13), Paint::Strong),
                (&at, Paint::Plain),
            ]);
            lines.clear();
        }
        let all = usize::try_from(group.count).unwrap_or(usize::MAX);
        if all > PLACES_SHOWN {
            let more = match all - PLACES_SHOWN {
                1 => "and 1 more place".to_owned(),
                more => format!("and {more} more places"),
            };
            page.line(&[("               ", Paint::Plain), (&more, Paint::Faint)]);
        }
    }
    page.gap();
}

pub(super) fn dead_code(page: &mut Page, dead: &[DeadCode]) {
    if dead.is_empty() {
        return;
    }
    let remark = shown(dead.len().min(DEAD_SHOWN), dead.len());
    page.heading("Perhaps unused", &remark);
    let top: Vec<_> = dead.iter().take(DEAD_SHOWN).collect();
    let width = widest(
        top.iter().map(|one| one.name.as_str()),
        page.width() / 2 - 10,
    );
    for one in top {
        let tests = if one.tests_only { "  but in tests" } else { "" };
        let room = page
            .width()
            .saturating_sub(width + tests.len() + 14)
            .max(10);
        let at = format!("{}:{}", one.location.path, one.location.start_line);
        page.line(&[
            ("  ", Paint::Plain),
            (&padded(one.kind.as_str(), 10), Paint::Faint),
            (&padded(&path_fit(&one.name, width), width), Paint::Strong),
            ("  ", Paint::Plain),
            (&path_fit(&at, room), Paint::Plain),
            (tests, Paint::Faint),
        ]);
        for caveat in one.caveats.iter().filter(|_| !one.tests_only) {
            page.words("            ", caveat, Paint::Faint);
        }
    }
    page.gap();
}

pub(super) fn complex_functions(page: &mut Page, functions: &[ComplexFunction]) {
    if functions.is_empty() {
        return;
    }
    let all = shown(functions.len().min(COMPLEX_SHOWN), functions.len());
    page.heading(
        "Hard to follow",
        &format!("{all}  cognitive complexity over {COGNITIVE_MOST}"),
    );
    let top: Vec<_> = functions.iter().take(COMPLEX_SHOWN).collect();
    let width = widest(
        top.iter().map(|one| one.name.as_str()),
        page.width() / 2 - 6,
    );
    for one in top {
        let at = format!("{}:{}", one.path, one.start_line);
        let room = page.width().saturating_sub(width + 10).max(10);
        page.line(&[
            (&format!("  {:>4}  ", one.cognitive), Paint::Hot),
            (&padded(&path_fit(&one.name, width), width), Paint::Strong),
            ("  ", Paint::Plain),
            (&path_fit(&at, room), Paint::Plain),
        ]);
    }
    page.gap();
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::DefinitionKind;
    use super::*;

    fn ranked(kind: DefinitionKind, name: &str, used_in: u32) -> RankedDefinition {
        RankedDefinition {
            rank: 0.1,
            kind,
            name: name.to_owned(),
            path: format!("src/{}.rs", name.to_lowercase()),
            source_id: None,
            start_line: 1,
            end_line: 9,
            used_in,
        }
    }

    fn table(found: &[RankedDefinition]) -> String {
        let mut page = Page::new(80, false);
        map(&mut page, found);
        page.finish()
    }

    #[test]
    fn a_type_and_its_alias_are_one_row() {
        let found = [
            ranked(DefinitionKind::Type, "State", 9),
            ranked(DefinitionKind::Struct, "State", 2),
        ];
        assert_eq!(table(&found).matches("State").count(), 1);
    }

    #[test]
    fn what_two_files_use_is_told_where_there_is_nothing_else() {
        let few = [ranked(DefinitionKind::Class, "Few", 2)];
        assert!(table(&few).contains("Few"));
        let names = [
            "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight",
        ];
        let many = names.map(|name| ranked(DefinitionKind::Class, name, 5));
        let text = table(&[&few[..], &many].concat());
        assert!(!text.contains("Few") && text.contains("Eight"), "{text}");
    }

    #[test]
    fn what_is_alike_among_tests_alone_is_counted_and_not_shown() {
        let group = |paths: [&str; 2]| CloneGroup {
            tokens: 90,
            lines: 20,
            count: 2,
            places: paths
                .map(|path| super::super::super::evidence::CodeLocation {
                    source_id: None,
                    path: path.to_owned(),
                    start_line: 1,
                    end_line: 20,
                    blob: String::new(),
                })
                .to_vec(),
        };
        let found = [
            group(["tests/a.rs", "benches/b.rs"]),
            group(["src/a.rs", "tests/c.rs"]),
        ];
        let mut page = Page::new(80, false);
        duplicates(&mut page, &found, 40);
        let text = page.finish();
        assert!(text.contains("(1), 1 more in tests or short"), "{text}");
        assert!(!text.contains("benches"), "{text}");
    }
}
