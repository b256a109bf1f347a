//! The location of test data.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::language::Language;
use super::super::{Answer, Case, Context, Question, folder_of};

/// The names of the folders with test data, a question for each language.
pub(super) fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    const FOLDERS: [&str; 6] = [
        "testdata",
        "fixtures",
        "__fixtures__",
        "test_data",
        "test-data",
        "__snapshots__",
    ];
    let mut by_stack: BTreeMap<Language, Vec<Case<'a>>> = BTreeMap::new();
    // A single folder is not a habit.
    let mut folders: BTreeMap<Language, BTreeSet<&str>> = BTreeMap::new();
    // A data folder counts for the language of the tests around it: that of most test files next to it or above.
    let mut tests: BTreeMap<&str, BTreeMap<Language, u32>> = BTreeMap::new();
    for file in &context.tests {
        if file.facts.tests.is_empty() {
            continue;
        }
        let mut folder = folder_of(&file.path);
        loop {
            let of_folder = tests.entry(folder).or_default();
            *of_folder.entry(file.language.stack()).or_default() += 1;
            if folder.is_empty() {
                break;
            }
            folder = folder_of(folder);
        }
    }
    for file in &context.fixtures {
        let Some(at) = FOLDERS.iter().position(|name| {
            folder_of(&file.path)
                .split('/')
                .any(|folder| folder == *name)
        }) else {
            continue;
        };
        let around = file
            .path
            .split(FOLDERS[at])
            .next()
            .unwrap_or("")
            .trim_end_matches('/');
        let stacks = tests.get(around).or_else(|| tests.get(folder_of(around)));
        let most = stacks.and_then(|stacks| {
            stacks
                .iter()
                .max_by_key(|(stack, count)| (**count, std::cmp::Reverse(**stack)))
        });
        if let Some((stack, _)) = most {
            folders.entry(*stack).or_default().insert(around);
            by_stack
                .entry(*stack)
                .or_default()
                .push(Case::line(file, 1, at));
        }
    }
    by_stack.retain(|stack, _| folders.get(stack).is_some_and(|all| all.len() > 1));
    let answers: Vec<Answer> = FOLDERS
        .iter()
        .map(|name| {
            Answer::rule(
                *name,
                format!("What tests read lies in `{name}` folders"),
                format!("Put files that tests read into a `{name}` folder beside the tests."),
            )
        })
        .collect();
    let questions = by_stack.into_iter().map(|(stack, cases)| Question {
        subject: "data".into(),
        stack,
        answers: answers.clone(),
        cases,
    });
    questions.collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::found;

    fn of(part: &str, sources: &[(&str, &str)]) -> Vec<String> {
        let mut found = found("test_layout", sources);
        found.retain(|key| key.contains(part));
        found
    }

    #[test]
    fn data_lies_where_the_language_has_it() {
        let mut sources = vec![("a/a_test.go", "package a\nfunc TestA(t *testing.T) {}\n")];
        let data = [
            "a/testdata/1.json",
            "a/testdata/2.json",
            "a/testdata/3.json",
            "a/testdata/4.json",
            "a/testdata/x/5.json",
        ];
        sources.extend(data.map(|path| (path, "{}\n")));
        assert!(of("/data/", &sources).is_empty(), "one folder");
        sources.push(("b/b_test.go", "package b\nfunc TestB(t *testing.T) {}\n"));
        sources.push(("b/testdata/6.json", "{}\n"));
        assert_eq!(of("/data/", &sources), ["test_layout/go/data/testdata 6/6"]);
        sources.retain(|(path, _)| !path.ends_with("_test.go"));
        assert!(
            of("/data/", &sources).is_empty(),
            "without tests nobody reads it"
        );
    }
}
