//! How questions become patterns.

use super::super::evidence::round4;
use super::*;

#[test]
fn the_wilson_bound_agrees_with_published_values() {
    // The smaller root of (share - p)^2 = z^2 p (1 - p) / n, found by bisection.
    for (support, cases, bound) in [
        (5, 5, 0.5655),
        (41, 44, 0.8177),
        (0, 10, 0.0),
        (50, 100, 0.4038),
    ] {
        assert_eq!(
            round4(wilson_lower_bound(support, cases)),
            bound,
            "{support} of {cases}"
        );
    }
    assert_eq!(wilson_lower_bound(0, 0), 0.0);
}

#[test]
fn four_cases_are_no_pattern_and_five_are() {
    let four = "def a_b(): pass\ndef c_d(): pass\ndef e_f(): pass\ndef g_h(): pass\n";
    assert_eq!(
        fixture::found("naming", &[("m.py", four)]),
        Vec::<String>::new()
    );
    let five = format!("{four}def i_j(): pass\n");
    assert_eq!(
        fixture::found("naming", &[("m.py", &five)]),
        ["naming/python/functions/snake_case 5/5"]
    );
}

#[test]
fn a_project_of_two_minds_has_the_habits_of_its_folders() {
    let snake: String = (0..10)
        .map(|n| format!("def snake_{n}(): pass\n"))
        .collect();
    let camel: String = (0..12)
        .map(|n| format!("def camelCase{n}(): pass\n"))
        .collect();
    let of_files = |names: [&str; 4]| {
        let sources = names.map(|name| {
            (
                name,
                if name.starts_with("new") {
                    &*snake
                } else {
                    &*camel
                },
            )
        });
        fixture::found("naming", &sources)
    };
    assert_eq!(
        of_files(["new/a.py", "new/b.py", "old/a.py", "old/b.py"]),
        [
            "naming/python/functions/camelCase@old 24/24",
            "naming/python/functions/snake_case@new 20/20"
        ]
    );
    assert_eq!(
        of_files(["new/a.py", "new/a.py", "old/a.py", "old/b.py"]),
        ["naming/python/functions/camelCase@old 24/24"],
        "one file's way is no folder's"
    );
}

#[test]
fn examples_come_from_different_files_and_name_their_blob() {
    let snake = "def a_b(): pass\ndef c_d(): pass\ndef e_f(): pass\n";
    let sources = [
        ("a.py", snake),
        ("b.py", snake),
        ("c.py", "def e_f(): pass\n"),
        ("d.py", "def camelCase(): pass\n"),
    ];
    let patterns = fixture::patterns("naming", &sources);
    assert_eq!(
        patterns[0]
            .exemplars
            .iter()
            .map(|e| e.path.as_str())
            .collect::<Vec<_>>(),
        ["a.py", "b.py", "c.py"]
    );
    let counter = CodeLocation {
        source_id: None,
        path: "d.py".into(),
        start_line: 1,
        end_line: 1,
        blob: "blob-of-d.py".into(),
    };
    assert_eq!(patterns[0].counter_examples, [counter]);
}

#[test]
fn fixtures_and_examples_show_nothing() {
    let snake: String = (0..9).map(|n| format!("def snake_{n}(): pass\n")).collect();
    assert!(
        fixture::found(
            "naming",
            &[("tests/fixtures/a.py", &snake), ("examples/b.py", &snake)]
        )
        .is_empty()
    );
}

#[test]
fn a_folder_of_scripts_has_no_habits_of_the_project() {
    let snake: String = (0..10)
        .map(|n| format!("def snake_{n}(): pass\n"))
        .collect();
    let camel: String = (0..12)
        .map(|n| format!("def camelCase{n}(): pass\n"))
        .collect();
    let sources = ["scripts/a.py", "scripts/b.py"].map(|path| (path, snake.as_str()));
    let others = ["core/a.py", "core/b.py"].map(|path| (path, camel.as_str()));
    assert_eq!(
        fixture::found("naming", &[sources, others].concat()),
        ["naming/python/functions/camelCase@core 24/24"]
    );
}

#[test]
fn components_named_as_all_files_are_told_once() {
    let paths: Vec<String> = (0..12)
        .flat_map(|n| {
            [
                format!("src/run-state-{n}.ts"),
                format!("src/not-found-{n}.tsx"),
            ]
        })
        .collect();
    let sources: Vec<(&str, &str)> = paths
        .iter()
        .map(|path| (path.as_str(), "export const a = 1;\n"))
        .collect();
    assert_eq!(
        fixture::found("naming", &sources),
        ["naming/typescript/files/kebab-case 12/12"]
    );
}
