//! Clones are found in the right places, and only there.

use proptest::prelude::*;

use super::*;
use crate::analysis::{ProjectAnalysis, project_summarize};
use crate::language::Language;
use crate::parse::file_analyze;
use crate::project::ProjectInput;
use crate::tokens::tokens;

fn file(path: &str, source: &str) -> SourceFile {
    let language = Language::detect(path).unwrap();
    let facts = file_analyze(path, language, source.as_bytes()).unwrap();
    SourceFile {
        path: path.to_owned(),
        blob: String::new(),
        language,
        facts,
    }
}

fn analysed(sources: &[(&str, &str)]) -> ProjectAnalysis {
    project_summarize(&ProjectInput {
        files: sources
            .iter()
            .map(|(path, text)| file(path, text))
            .collect(),
        ..ProjectInput::default()
    })
}

/// The places of each group, as `path:first-last`.
fn groups(analysis: &ProjectAnalysis) -> Vec<Vec<String>> {
    let place = |one: &CodeLocation| format!("{}:{}-{}", one.path, one.start_line, one.end_line);
    analysis
        .duplicates
        .iter()
        .map(|group| group.places.iter().map(place).collect())
        .collect()
}

/// `count` different lines of eight tokens.
fn block(name: &str, count: usize) -> String {
    (0..count)
        .map(|line| format!("{name}{line} = call_{name}_{line}(value, 7)\n"))
        .collect()
}

#[test]
fn a_moved_block_with_new_literals_is_a_duplicate() {
    let first = format!("{}{}", block("a", 40), block("same", 20));
    let changed = block("same", 20)
        .replace(", 7)", ", 'seven'  )")
        .replace(" = ", "=");
    // Strings are one kind and numbers another: 7 became a string, 8 stays a number.
    assert!(
        analysed(&[("a.py", &first), ("b.py", &changed)])
            .duplicates
            .is_empty()
    );
    let changed = block("same", 20).replace(", 7)", ",  8_000.5 )");
    let second = format!("import os\n# remark\n\n{changed}{}", block("b", 30));
    let analysis = analysed(&[("a.py", &first), ("b.py", &second)]);
    let [group] = analysis.duplicates.as_slice() else {
        panic!("{:?}", analysis.duplicates)
    };
    assert!((160 - 28..=160).contains(&group.tokens), "{}", group.tokens);
    assert_eq!((group.count, group.places.len()), (2, 2));
    let (one, other) = (&group.places[0], &group.places[1]);
    assert!(one.start_line >= 41 && one.end_line <= 60, "{one:?}");
    assert_eq!(one.start_line - 40, other.start_line - 3);
    assert_eq!(one.end_line - 40, other.end_line - 3);
    assert_eq!(group.lines, one.end_line - one.start_line + 1);
    assert_eq!(analysis.metrics.duplicated_lines, 2 * group.lines);
}

#[test]
fn files_that_are_alike_are_one_group_from_end_to_end() {
    let text = block("a", 60);
    let analysis = analysed(&[("x/a.py", &text), ("x/b.py", &text), ("x/c.py", &text)]);
    let found = groups(&analysis);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].len(), 3);
    assert!(analysis.duplicates[0].tokens >= 480 - 28);
    assert_eq!(analysis.metrics.duplicated_lines % 3, 0);
    assert!(analysis.metrics.duplicated_lines > 150);
}

#[test]
fn a_shorter_clone_is_reported_in_its_own_place() {
    let long = block("a", 60);
    let part: String = long
        .lines()
        .skip(20)
        .take(20)
        .map(|line| format!("{line}\n"))
        .collect();
    let found = groups(&analysed(&[
        ("a.py", &format!("{}{long}", block("x", 9))),
        ("b.py", &format!("{long}{}", block("y", 9))),
        ("c.py", &format!("{part}{}", block("z", 9))),
    ]));
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn what_repeats_itself_is_cut_into_places_that_do_not_overlap() {
    let text = block("a", 10).repeat(6);
    let analysis = analysed(&[("a.py", &text)]);
    assert!(!analysis.duplicates.is_empty());
    for group in &analysis.duplicates {
        assert!(
            group
                .places
                .windows(2)
                .all(|two| two[0].end_line <= two[1].start_line)
        );
    }
}

#[test]
fn fixtures_tables_imports_and_four_long_lines_are_no_clones() {
    let text = block("a", 30);
    assert_eq!(
        analysed(&[("a.py", &text), ("tests/fixtures/a.py", &text)]).duplicates,
        []
    );
    let table = "t = [\n".to_owned() + &"1, 2, 'x',\n".repeat(200) + "]\n";
    let imports: String = (0..90)
        .map(|n| format!("from package.module_{n} import (\n    first_{n},\n    second_{n},\n)\n"))
        .collect();
    let long: String = (0..4)
        .map(|n| format!("f{n}({})\n", "a1, b2, c3, d4, e5, f6, ".repeat(6)))
        .collect();
    for same in [table, imports, long] {
        let analysis = analysed(&[("a.py", &same), ("b.py", &format!("x = 1\n{same}"))]);
        assert_eq!(groups(&analysis), Vec::<Vec<String>>::new());
        assert_eq!(analysis.metrics.duplicated_lines, 0);
    }
}

#[test]
fn thousands_of_clones_are_one_group_with_the_first_places() {
    let same = block("a", 10);
    let files: Vec<SourceFile> = (0..2000)
        .map(|n| {
            file(
                &format!("f{n:04}.py"),
                &format!(
                    "{}{same}{}",
                    block(&format!("x{n}_"), 2),
                    block(&format!("y{n}_"), 2)
                ),
            )
        })
        .collect();
    let files: Vec<&SourceFile> = files.iter().collect();
    let (found, _) = find(&files, None);
    assert_eq!(found.groups[0].count, 2000);
    assert_eq!(found.groups[0].places.len(), PLACES_CAP);
    assert_eq!(found.groups[0].places[0].path, "f0000.py");
}

fn hashes_of(text: &str, place: &CodeLocation) -> Vec<u64> {
    tokens(text, &[], &[])
        .filter(|token| (place.start_line..=place.end_line).contains(&token.line))
        .map(|token| token.hash)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn planted_clones_are_found_with_equal_tokens(
        around in prop::collection::vec((0usize..40, 0usize..40), 2..5),
        length in 0usize..30,
        few_names in prop::collection::vec(0u8..6, 60..300),
    ) {
        // Lines of eight tokens, enough for a run that is always found regardless of the code around it.
        let planted = block("same", CLONE_TOKENS_FOUND / 8 + 1 + length);
        let texts: Vec<String> = (0..)
            .zip(&around)
            .map(|(n, (before, after))| {
                let noise: String = few_names.iter().skip(n * 7).map(|name| format!("n{name} = n{}(m{})\n", name / 2, name % 3)).collect();
                format!("{}{planted}{}{noise}", block(&format!("b{n}_"), *before), block(&format!("c{n}_"), *after))
            })
            .collect();
        let paths: Vec<String> = (0..texts.len()).map(|n| format!("f{n}.py")).collect();
        let sources: Vec<(&str, &str)> = paths.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
        let analysis = analysed(&sources);
        for (path, (before, _)) in paths.iter().zip(&around) {
            let (from, to) = (*before as u32 + 1, *before as u32 + planted.lines().count() as u32);
            let found = analysis.duplicates.iter().flat_map(|group| &group.places).any(|place| {
                place.path == *path && place.start_line <= to && place.end_line >= from
            });
            prop_assert!(found, "{path}:{from}-{to} in {:?}", groups(&analysis));
        }
        for group in &analysis.duplicates {
            prop_assert!(group.tokens as usize >= WINDOW_TOKENS && group.lines >= LINES_MIN);
            let held: Vec<Vec<u64>> = group.places.iter().map(|place| {
                let (_, text) = sources.iter().find(|(path, _)| *path == place.path).unwrap();
                hashes_of(text, place)
            }).collect();
            let length = group.tokens as usize;
            let common = held[0].windows(length).any(|run| held.iter().all(|other| other.windows(length).any(|one| one == run)));
            prop_assert!(common, "{:?}", group.places);
        }
    }
}
