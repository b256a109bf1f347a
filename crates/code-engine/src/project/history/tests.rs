//! What changes together, and who changes it.

use super::*;
use crate::facts::FileFacts;
use crate::language::Language;

fn files(paths: &[&str]) -> Vec<SourceFile> {
    let mut paths: Vec<&str> = paths.to_vec();
    paths.sort_unstable();
    let file = |path: &&str| SourceFile {
        path: (*path).to_owned(),
        blob: String::new(),
        language: Language::detect(path).unwrap(),
        facts: FileFacts::default(),
    };
    paths.iter().map(file).collect()
}

fn change(author: &str, paths: &[&str]) -> Change {
    Change {
        author: author.to_owned(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        committed_at: 0,
    }
}

#[test]
fn co_changes_ignore_commits_that_touch_every_file() {
    let files = files(&[
        "src/a.rs",
        "src/b.rs",
        "src/c.rs",
        "CHANGELOG.md",
        "tests/fixtures/x.rs",
    ]);
    let files: Vec<&SourceFile> = files.iter().collect();
    let mut changes: Vec<Change> = (0..6)
        .map(|_| {
            change(
                "A",
                &[
                    "src/a.rs",
                    "src/b.rs",
                    "CHANGELOG.md",
                    "gone.rs",
                    "tests/fixtures/x.rs",
                ],
            )
        })
        .collect();
    changes.extend((0..4).map(|_| change("A", &["src/a.rs", "src/c.rs"])));
    changes.push(change("A", &["src/b.rs", "src/b.rs"]));
    let many: Vec<String> = (0..40).map(|n| format!("src/f{n}.rs")).collect();
    let many: Vec<&str> = ["src/a.rs", "src/b.rs", "src/c.rs"]
        .into_iter()
        .chain(many.iter().map(String::as_str))
        .collect();
    changes.extend((0..9).map(|_| change("A", &many)));
    let found = co_changes(&files, &changes);
    assert_eq!(
        found.len(),
        1,
        "four times is too few, forty files are too many"
    );
    let pair = &found[0];
    assert_eq!(pair.paths, ["src/a.rs", "src/b.rs"]);
    assert_eq!(
        (pair.together, pair.commits, pair.degree),
        (6, [10, 7], 0.8571)
    );
}

#[test]
fn co_changes_are_ordered_and_need_half_of_the_commits() {
    let files = files(&["a.rs", "b.rs", "c.rs", "d.rs", "e.rs", "f.rs"]);
    let files: Vec<&SourceFile> = files.iter().collect();
    let mut changes = Vec::new();
    let mut add =
        |times: usize, paths: &[&str]| changes.extend((0..times).map(|_| change("A", paths)));
    add(5, &["a.rs", "b.rs"]);
    add(40, &["c.rs", "d.rs"]);
    add(5, &["c.rs"]);
    add(2, &["d.rs"]);
    add(6, &["e.rs", "f.rs"]);
    add(7, &["e.rs"]);
    add(7, &["f.rs"]);
    let found: Vec<String> = co_changes(&files, &changes)
        .into_iter()
        .map(|pair| pair.paths.join(" "))
        .collect();
    assert_eq!(found, ["c.rs d.rs", "a.rs b.rs"]);
}

#[test]
fn a_person_with_two_spellings_is_one() {
    let files = files(&["src/a.rs"]);
    let files: Vec<&SourceFile> = files.iter().collect();
    let mut changes: Vec<Change> = (0..3)
        .map(|_| change("adalovelace", &["src/a.rs"]))
        .collect();
    changes.extend((0..2).map(|_| change("Ada Lovelace", &["src/a.rs"])));
    let told = ownership(&files, &changes);
    assert_eq!((told[0].commits, told[0].authors), (5, 1));
    assert_eq!(told[0].main_author, "Ada Lovelace");
}

#[test]
fn a_folder_belongs_to_who_changes_it_most_and_bots_are_nobody() {
    let files = files(&["src/web/a.rs", "src/web/deep/b.rs", "docs/c.md"]);
    let files: Vec<&SourceFile> = files.iter().collect();
    let mut changes: Vec<Change> = (0..3)
        .map(|_| change("Ann", &["src/web/a.rs", "src/web/deep/b.rs"]))
        .collect();
    changes.extend((0..3).map(|_| change("Bob", &["src/web/a.rs", "gone/x.rs"])));
    changes.extend((0..2).map(|_| change("Bob", &["docs/c.md"])));
    changes.extend((0..9).map(|_| change("dependabot[bot]", &["src/web/a.rs"])));
    let told: Vec<(String, u32, u32, String, f64)> = ownership(&files, &changes)
        .into_iter()
        .map(|one| {
            (
                one.folder,
                one.commits,
                one.authors,
                one.main_author,
                one.main_share,
            )
        })
        .collect();
    let is = |folder: &str, commits, author: &str, share| {
        (folder.to_owned(), commits, 2, author.to_owned(), share)
    };
    assert_eq!(
        told,
        [
            is("", 8, "Bob", 0.625),
            is("src", 6, "Ann", 0.5),
            is("src/web", 6, "Ann", 0.5)
        ]
    );
}

#[test]
fn a_pair_that_has_not_changed_for_half_a_year_has_ended() {
    let files = files(&["src/a.rs", "src/b.rs"]);
    let files: Vec<&SourceFile> = files.iter().collect();
    let days = |days: i64, paths: &[&str]| Change {
        committed_at: (1000 - days) * 24 * 60 * 60,
        ..change("A", paths)
    };
    let pairs = |last: i64| {
        let mut changes: Vec<Change> = (0..6)
            .map(|n| days(last + n, &["src/a.rs", "src/b.rs"]))
            .collect();
        changes.push(days(0, &["README.md"]));
        co_changes(&files, &changes).len()
    };
    assert_eq!((pairs(100), pairs(200)), (1, 0));
}
