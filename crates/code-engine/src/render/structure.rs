//! Renders notable findings about the structure of the code.

use super::super::facts::DefinitionKind;
use super::super::project::dead_code::DeadCode;
use super::super::project::duplicates::CloneGroup;
use super::super::project::import_graph::{Cycle, ImportGraph};
use super::super::project::map::RankedDefinition;
use super::super::project::role::{self, Role};
use super::super::report_files::{COGNITIVE_MOST, ComplexFunction};
use super::page::{Page, Paint, counted, padded, path_fit, shown, thousands, widest};

const MAP_SHOWN: usize = 6;
/// Below the first [`MAP_MIN`], a definition is shown if at least a quarter as many files name it as name the first:
/// the project does not lean on the others in the same way.
const MAP_PART: u32 = 4;
const MAP_MIN: usize = 3;
/// The number of highest ranked definitions of which the most widely used are shown. A type that a single file mentions
/// on every line has a high rank, but the project does not depend on it.
const MAP_RANKED: usize = 3 * MAP_SHOWN;
const LEVELS_SHOWN: usize = 8;
const CYCLES_SHOWN: usize = 3;
const STEPS_SHOWN: usize = 6;
const DUPLICATES_SHOWN: usize = 4;
const PLACES_SHOWN: usize = 3;
/// The least lines of a duplicate with two places for it to be shown.
const LINES_TOLD: u32 = 15;
/// The least lines of a duplicate in tests and benchmarks: shorter copies are normal there, and all are less important
/// than one in the source.
const TEST_LINES_MIN: u32 = 30;
const DEAD_SHOWN: usize = 6;
const COMPLEX_SHOWN: usize = 4;

pub(super) fn map(page: &mut Page, map: &[RankedDefinition]) {
    // A method is resolved by its name only, and several types may have it. References to types are more reliable.
    let used = || map.iter().filter(|one| one.used_in > 0);
    let is_method = |one: &&RankedDefinition| one.kind == DefinitionKind::Method;
    let mut top: Vec<&RankedDefinition> = used()
        .filter(|one| !is_method(one))
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
    let told: Vec<&Cycle> = imports
        .cycles
        .iter()
        .filter(|one| !is_of_crate(one))
        .collect();
    let all = told.len();
    if all == 0 {
        return;
    }
    page.heading("Circles of imports", &shown(all.min(CYCLES_SHOWN), all));
    for cycle in told.into_iter().take(CYCLES_SHOWN) {
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
    // Tests, examples and benchmarks repeat code on purpose, and a short duplicate with two places is minor. Both are
    // counted. They are shown only if they are long and the source has no duplicates.
    let is_source = |group: &&CloneGroup| {
        let mut places = group.places.iter();
        !group.tests
            && places.any(|place| role::of(&place.path) == Role::Source)
            && (group.lines >= LINES_TOLD || group.count > 2)
    };
    let told = groups.iter().filter(|group| !is_of_locales(group));
    let (source, others): (Vec<&CloneGroup>, Vec<&CloneGroup>) = told.partition(is_source);
    let all = source.len() + others.len();
    let groups = if source.is_empty() {
        let long = others.into_iter();
        long.filter(|group| group.lines >= TEST_LINES_MIN).collect()
    } else {
        source
    };
    if groups.is_empty() {
        return;
    }
    let of_others = match all - groups.len() {
        0 => String::new(),
        more => format!(", {more} more in tests or short"),
    };
    // Names and literals are ignored and tests are included, so the number does not rate the source.
    let remark = format!(
        "{}{of_others}  {} alike but for names and literals, tests too",
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

/// Whether the places are translations of one text: their paths differ only in language codes.
fn is_of_locales(group: &CloneGroup) -> bool {
    let mut places = group.places.iter().map(|place| place.path.as_str());
    let first = places.next().unwrap_or_default();
    let mut others = places.peekable();
    others.peek().is_some() && others.all(|path| is_translation(first, path))
}

/// The codes of ISO 639-1.
const LANGUAGE_CODES: &str = "\
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es \
    et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki \
    kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no \
    nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te \
    tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Folders of translations, in which a code may have three letters.
const LOCALE_FOLDERS: &[&str] = &[
    "i18n",
    "l10n",
    "lang",
    "langs",
    "locale",
    "locales",
    "translations",
];

fn is_translation(one: &str, other: &str) -> bool {
    let is_beside = one.split('/').any(|part| LOCALE_FOLDERS.contains(&part));
    let parts = |path: &str| -> Vec<String> { path.split(['/', '.']).map(str::to_owned).collect() };
    let (one, other) = (parts(one), parts(other));
    let mut pairs = one.iter().zip(&other).filter(|(a, b)| a != b).peekable();
    one.len() == other.len()
        && pairs.peek().is_some()
        && pairs.all(|(a, b)| is_language_code(a, is_beside) && is_language_code(b, is_beside))
}

/// Whether a word is a language code: `de`, `pt-BR`, `zh_Hant`; in a folder of translations also `ota`.
fn is_language_code(word: &str, in_locales: bool) -> bool {
    let (language, region) = word.split_once(['-', '_']).unwrap_or((word, "BR"));
    let is_language = if in_locales {
        (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase())
    } else {
        LANGUAGE_CODES.split(' ').any(|code| code == language)
    };
    is_language
        && (2..=4).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
        let names = ["One", "Two", "Three", "Four", "Five", "Six"];
        let many = names.map(|name| ranked(DefinitionKind::Class, name, 5));
        let text = table(&[&few[..], &many].concat());
        assert!(!text.contains("Few") && text.contains("Six"), "{text}");
    }

    #[test]
    fn what_far_fewer_files_name_than_the_first_is_left_out() {
        let names = [("One", 20), ("Two", 9), ("Three", 5), ("Four", 4)];
        let found = names.map(|(name, files)| ranked(DefinitionKind::Class, name, files));
        let text = table(&found);
        assert!(text.contains("Three") && !text.contains("Four"), "{text}");
    }

    #[test]
    fn what_is_alike_among_tests_alone_is_counted_and_not_shown() {
        let group = |paths: [&str; 2]| CloneGroup {
            tokens: 90,
            lines: 20,
            count: 2,
            tests: false,
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

    #[test]
    fn translations_differ_in_the_codes_of_languages() {
        assert!(is_translation("text/de/a.ts", "text/en/a.ts"));
        assert!(is_translation("locales/pt-BR.ts", "locales/en.ts"));
        assert!(!is_translation("text/de/a.ts", "text/de/a.ts"));
        assert!(!is_translation("text/de/a.ts", "text/en/b.ts"));
        assert!(is_translation("v4/locales/eo.ts", "v4/locales/ota.ts"));
        assert!(!is_translation("src/app.py", "src/cli.py"));
        assert!(!is_translation("src/js/a.ts", "src/go/a.ts"));
    }
}
