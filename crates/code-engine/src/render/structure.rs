//! Renders notable findings about the structure of the code.

use super::super::facts::DefinitionKind;
use super::super::project::dead_code::DeadCode;
use super::super::project::import_graph::{Cycle, ImportGraph};
use super::super::project::map::RankedDefinition;
use super::super::report_files::{COGNITIVE_MOST, ComplexFunction};
use super::page::{Page, Paint, counted, padded, path_fit, shown, widest};

const MAP_SHOWN: usize = 4;
/// Below the first [`MAP_MIN`], a definition is shown if at least half as many files name it as name the first: the
/// project does not lean on the others in the same way.
const MAP_PART: u32 = 2;
const MAP_MIN: usize = 3;
/// The least number of files that name a definition for a project to lean on it, unless the project is small.
const MAP_USED: u32 = 5;
const SMALL_FILES: u32 = 30;
/// The number of highest ranked definitions of which the most widely used are shown. A type that a single file mentions
/// on every line has a high rank, but the project does not depend on it.
const MAP_RANKED: usize = 18;
/// The types of Rust's prelude that crates make aliases of.
const PRELUDE: [&str; 2] = ["Option", "Result"];
const LEVELS_SHOWN: usize = 8;
const CYCLES_SHOWN: usize = 3;
const STEPS_SHOWN: usize = 6;
const DEAD_SHOWN: usize = 6;
const COMPLEX_SHOWN: usize = 2;
/// The least cognitive complexity of a function for it to be shown. One that is just over the limit is counted.
const COMPLEX_TOLD: u32 = 40;

pub(super) fn map(page: &mut Page, map: &[RankedDefinition], files: u32) {
    let least = if files <= SMALL_FILES { 1 } else { MAP_USED };
    // A method is resolved by its name only, and several types may have it. References to types are more reliable.
    let used = || map.iter().filter(|one| one.used_in >= least);
    let is_method = |one: &&RankedDefinition| one.kind == DefinitionKind::Method;
    // Files may mean the prelude's type by the name of such an alias.
    let is_prelude =
        |one: &&RankedDefinition| one.path.ends_with(".rs") && PRELUDE.contains(&one.name.as_str());
    let mut top: Vec<&RankedDefinition> = used()
        .filter(|one| !is_method(one) && !is_prelude(one))
        .take(MAP_RANKED)
        .collect();
    if top.len() < MAP_SHOWN {
        top.extend(used().filter(is_method).take(MAP_SHOWN - top.len()));
    }
    if top.is_empty() {
        return;
    }
    page.heading(
        "Most leaned on",
        "by PageRank, and by how many other source files name them",
    );
    top.sort_by_key(|one| std::cmp::Reverse(one.used_in));
    // A type and its alias, a type for each platform, or types that differ only in their parameters: a file with the
    // name counts for each of them, so only one is shown.
    let mut told: Vec<&str> = Vec::new();
    top.retain(|one| {
        let is_new = !told.contains(&one.name.as_str());
        told.push(&one.name);
        is_new
    });
    top.truncate(MAP_SHOWN);
    let least = top
        .first()
        .map_or(0, |first| first.used_in.div_ceil(MAP_PART));
    let wide = top.partition_point(|one| one.used_in >= least);
    top.truncate(wide.max(MAP_MIN));
    let width = widest(top.iter().map(|one| one.name.as_str()), page.width() / 3);
    for one in top {
        // Types that differ only in their parameters: the files name one of them.
        let is_namesake = |other: &&RankedDefinition| {
            (&other.name, &other.path, other.kind) == (&one.name, &one.path, one.kind)
        };
        let namesakes = match map.iter().filter(is_namesake).count() {
            0 | 1 => String::new(),
            2 => " and another of its name".to_owned(),
            all => format!(" and {} others of its name", all - 1),
        };
        let used = format!("{namesakes}  in {}", counted(one.used_in, "file"));
        let room = page.width().saturating_sub(width + used.len() + 15);
        let home = home(map, one);
        let at = path_fit(&format!("{}:{}", home.path, home.start_line), room.max(10));
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

/// Where a class of Ruby is at home: other files may open it again, to add a class to it. That is the file with its
/// name, if there is one.
fn home<'r>(map: &'r [RankedDefinition], one: &'r RankedDefinition) -> &'r RankedDefinition {
    if !one.path.ends_with(".rb") {
        return one;
    }
    let name = one.name.rsplit('.').next().unwrap_or(&one.name);
    let is_home = |other: &&RankedDefinition| {
        let file = other.path.rsplit('/').next().unwrap_or(&other.path);
        let stem = file.trim_end_matches(".rb").replace('_', "");
        (&other.name, other.kind) == (&one.name, one.kind) && stem.eq_ignore_ascii_case(name)
    };
    map.iter().find(is_home).unwrap_or(one)
}

pub(super) fn layers(page: &mut Page, imports: &ImportGraph) {
    if imports.layers.len() < 2 {
        return;
    }
    page.heading("Layers", "nothing but tests imports what is above it");
    // The top layer comes first, as in a diagram.
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

/// The displayed name of a folder; the root has none.
fn folder_name(folder: &str) -> &str {
    match folder {
        "" | "." => "(root)",
        folder => folder,
    }
}

pub(super) fn cycles(page: &mut Page, imports: &ImportGraph) {
    // Cycles between modules of one crate are common in Rust; Cargo rejects cycles between crates.
    let is_of_crate = |cycle: &&Cycle| cycle.path.iter().all(|step| step.file.ends_with(".rs"));
    let found = || imports.cycles.iter().filter(|one| !is_of_crate(one));
    let told: Vec<&Cycle> = found().filter(|one| !is_of_folder(one)).collect();
    if told.is_empty() {
        return;
    }
    // Two files that import each other matter less than a knot of many.
    let knots = told.iter().filter(|one| one.size > 2).count();
    let count = knots.clamp(1, CYCLES_SHOWN);
    page.heading("Circles of imports", &shown(count, found().count()));
    for cycle in told.into_iter().take(count) {
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

/// Whether all files are parts of one folder, one of them right in it: they are read together anyway. The root holds
/// everything, so it only counts for files right in it.
fn is_of_folder(cycle: &Cycle) -> bool {
    let folder = |file: &str| file.rfind('/').map_or(0, |end| end + 1);
    let files = || cycle.path.iter().map(|step| step.file.as_str());
    let outer = files().min_by_key(|file| folder(file)).unwrap_or_default();
    let within = &outer[..folder(outer)];
    let is_whole = cycle.size as usize == cycle.path.len();
    is_whole
        && files().all(|file| file.starts_with(within))
        && (!within.is_empty() || files().all(|file| folder(file) == 0))
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
    let told = functions.iter().filter(|one| one.cognitive >= COMPLEX_TOLD);
    let top: Vec<_> = told.take(COMPLEX_SHOWN).collect();
    if top.is_empty() {
        return;
    }
    let all = shown(top.len(), functions.len());
    page.heading(
        "Hard to follow",
        &format!("{all}  cognitive complexity over {COGNITIVE_MOST}"),
    );
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
    use super::super::super::project::import_graph::CycleStep;
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
        table_of(found, SMALL_FILES)
    }

    fn table_of(found: &[RankedDefinition], files: u32) -> String {
        let mut page = Page::new(80, false);
        map(&mut page, found, files);
        page.finish()
    }

    fn circles(paths: &[&[&str]]) -> String {
        let step = |file: &&str| CycleStep {
            file: (*file).to_owned(),
            line: 1,
            source_id: None,
        };
        let imports = ImportGraph {
            cycles: paths
                .iter()
                .map(|files| Cycle {
                    size: 2,
                    path: files.iter().map(step).collect(),
                })
                .collect(),
            ..ImportGraph::default()
        };
        let mut page = Page::new(80, false);
        cycles(&mut page, &imports);
        page.finish()
    }

    #[test]
    fn a_circle_within_one_folder_is_no_row() {
        let near: &[&str] = &["jsx/base.ts", "jsx/context.ts"];
        assert_eq!(circles(&[near]), "");
        assert_eq!(circles(&[&["core/Koin.kt", "core/ext/Manager.kt"]]), "");
        assert!(circles(&[&["a/x/a.ts", "a/y/b.ts"]]).contains("a/y/b.ts"));
        assert!(circles(&[&["index.ts", "lib/b.ts"]]).contains("lib/b.ts"));
        let text = circles(&[near, &["core/a.ts", "web/b.ts"]]);
        assert!(text.contains("(1 of 2)"), "it is counted: {text}");
        assert!(!text.contains("jsx"), "{text}");
    }

    #[test]
    fn a_function_just_over_the_limit_is_counted_only() {
        let function = |cognitive: u32| ComplexFunction {
            name: format!("f{cognitive}"),
            path: "src/a.rs".to_owned(),
            blob: String::new(),
            start_line: 1,
            end_line: 9,
            cognitive,
            cyclomatic: 9,
        };
        let table = |found: &[ComplexFunction]| {
            let mut page = Page::new(80, false);
            complex_functions(&mut page, found);
            page.finish()
        };
        let text = table(&[function(COMPLEX_TOLD), function(COMPLEX_TOLD - 1)]);
        assert!(text.contains("f40") && !text.contains("f39"), "{text}");
        assert!(text.contains("1 of 2"), "{text}");
        assert_eq!(table(&[function(COMPLEX_TOLD - 1)]), "");
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
    fn a_large_project_leans_on_what_five_files_name() {
        let class = |name: &str, used_in| ranked(DefinitionKind::Class, name, used_in);
        let found = [class("Owner", MAP_USED), class("Pet", MAP_USED - 1)];
        assert!(table(&found).contains("Pet"));
        let text = table_of(&found, SMALL_FILES + 1);
        assert!(text.contains("Owner") && !text.contains("Pet"), "{text}");
    }

    #[test]
    fn a_ruby_class_is_at_home_in_the_file_of_its_name() {
        let class = |path: &str, used_in| RankedDefinition {
            path: path.to_owned(),
            ..ranked(DefinitionKind::Class, "Sidekiq.Web", used_in)
        };
        let found = [class("lib/web/config.rb", 8), class("lib/web.rb", 8)];
        let text = table(&found);
        assert!(text.contains("lib/web.rb:1  in 8"), "{text}");
        assert!(!text.contains("config"), "{text}");
        assert!(table(&found[..1]).contains("lib/web/config.rb:1"));
    }

    #[test]
    fn an_alias_of_a_prelude_type_is_no_row() {
        let kind = DefinitionKind::Type;
        let text = table(&[ranked(kind, "Result", 9), ranked(kind, "Scope", 2)]);
        assert!(text.contains("Scope") && !text.contains("Result"), "{text}");
    }

    #[test]
    fn what_two_files_use_is_told_where_there_is_nothing_else() {
        let few = [ranked(DefinitionKind::Class, "Few", 2)];
        assert!(table(&few).contains("Few"));
        let names = ["One", "Two", "Three", "Four", "Five", "Six"];
        let many = names.map(|name| ranked(DefinitionKind::Class, name, 5));
        let text = table(&[&few[..], &many].concat());
        assert!(!text.contains("Few") && text.contains("Four"), "{text}");
    }

    #[test]
    fn what_far_fewer_files_name_than_the_first_is_left_out() {
        let names = [("One", 20), ("Two", 9), ("Three", 5), ("Four", 4)];
        let found = names.map(|(name, files)| ranked(DefinitionKind::Class, name, files));
        let text = table(&found);
        assert!(text.contains("Three") && !text.contains("Four"), "{text}");
    }
}
