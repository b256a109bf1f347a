//! The front matter of Markdown files that form a collection: agents, posts, recipes. A case is a Markdown file of a
//! folder.

use std::collections::BTreeMap;

use super::super::language::Language;
use super::super::project::SourceFile;
use super::super::project::role::{self, Role};
use super::question::key;
use super::{Answer, Case, Context, Pattern, Question};

pub(super) const KIND: &str = "front_matter";

/// The minimum number of files of a collection.
const FILES_MIN: usize = 8;

/// The share of files with a key, in percent, from which the key is expected in each.
const KEY_PERCENT: usize = 90;

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut folders: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
    let markdown = context
        .known
        .files
        .iter()
        .copied()
        .filter(|file| file.language == Language::Markdown);
    for file in markdown {
        let top = collection_of(&file.path);
        let is_read_by_tests = matches!(role::of(&file.path), Role::Fixture | Role::Test);
        if !top.is_empty() && !is_read_by_tests && !is_about_the_project(&file.path) {
            folders.entry(top).or_default().push(file);
        }
    }
    folders
        .into_iter()
        .filter_map(|(folder, files)| pattern(folder, &files))
        .collect()
}

/// The top folder of a file; in a folder of packages, the package.
fn collection_of(path: &str) -> &str {
    let mut ends = path.match_indices('/').map(|(at, _)| at);
    let first = ends.next().map_or("", |end| &path[..end]);
    let holds_packages = matches!(first, "apps" | "crates" | "packages" | "sites" | "src");
    match ends.next() {
        Some(end) if holds_packages => &path[..end],
        _ => first,
    }
}

/// Whether the file is a `README.md` or similar, which is not part of the collection in its folder.
fn is_about_the_project(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    stem.bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b'-')
}

fn pattern(folder: &str, files: &[&SourceFile]) -> Option<Pattern> {
    if files.len() < FILES_MIN {
        return None;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in files.iter().flat_map(|file| &file.facts.front_matter) {
        *counts.entry(name).or_default() += 1;
    }
    let mut keys: Vec<&str> = counts
        .into_iter()
        .filter(|(_, count)| count * 100 >= files.len() * KEY_PERCENT)
        .map(|(name, _)| name)
        .collect();
    keys.truncate(8);
    if keys.is_empty() {
        return None;
    }
    let has_all = |file: &SourceFile| {
        keys.iter()
            .all(|name| file.facts.front_matter.iter().any(|one| one == name))
    };
    let cases = files
        .iter()
        .map(|file| Case::line(file, 1, usize::from(!has_all(file))));
    let listed: Vec<String> = keys.iter().map(|name| format!("`{name}`")).collect();
    let listed = listed.join(", ");
    let question = Question {
        subject: "keys".into(),
        stack: Language::Markdown,
        answers: vec![
            Answer::rule(
                keys.join("+"),
                format!("Markdown files in `{folder}/` begin with front matter: {listed}"),
                format!(
                    "Begin a Markdown file in `{folder}/` with front matter that has {listed}."
                ),
            ),
            Answer::other("other"),
        ],
        cases: cases.collect(),
    };
    let mut found = question.decide_whole(KIND)?;
    found.key = key(&format!("{}@{folder}", found.key));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    fn of(with: usize) -> Vec<String> {
        of_folder("agents", with)
    }

    fn of_folder(folder: &str, with: usize) -> Vec<String> {
        let files: Vec<(String, String)> = (0..10)
            .map(|n| {
                let front = if n < with {
                    "---\nname: a\ntools:\n  - b\n---\n"
                } else {
                    ""
                };
                (format!("{folder}/a{n}.md"), format!("{front}# Title\n"))
            })
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        found("front_matter", &files)
    }

    #[test]
    fn the_keys_of_a_collection_are_told() {
        assert_eq!(
            of(10),
            ["front_matter/markdown/keys/name+tools@agents 10/10"]
        );
    }

    #[test]
    fn what_tests_read_is_no_collection() {
        assert!(of_folder("packages/web/__e2e__/fixtures/posts", 10).is_empty());
        assert!(of_folder("tests/posts", 10).is_empty());
    }

    #[test]
    fn files_without_a_common_front_matter_are_none() {
        assert!(of(5).is_empty() && of(0).is_empty());
    }
}
