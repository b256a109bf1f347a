//! Functions that every file of a folder defines, because something loads them by that name. A case is a file of the
//! folder.

use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::DefinitionKind;
use super::super::language::Language;
use super::super::project::SourceFile;
use super::question::key;
use super::{Answer, Case, Context, MIN_CASES, Pattern, Question, STACKS, folder_of};

pub(super) const KIND: &str = "entry_function";

/// Names that a language dictates, or that are common everywhere.
const EVERYWHERE: &[&str] = &[
    "main",
    "init",
    "new",
    "initialize",
    "constructor",
    "default",
];

/// The maximum number of patterns per language.
const TOLD_MAX: usize = 3;

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    STACKS
        .into_iter()
        // A script is executed as a whole: functions that several scripts define are copies.
        .filter(|stack| *stack != Language::Shell)
        .flat_map(|stack| of_stack(context, stack))
        .collect()
}

fn of_stack(context: &Context<'_>, stack: Language) -> Vec<Pattern> {
    let mut folders: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
    for file in context.source(stack).filter(|file| holds_code(file)) {
        folders.entry(folder_of(&file.path)).or_default().push(file);
    }
    let mut found: Vec<Pattern> = Vec::new();
    for (folder, files) in folders {
        if files.len() < MIN_CASES as usize {
            continue;
        }
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for file in &files {
            for name in entries(file) {
                *names.entry(name).or_default() += 1;
            }
        }
        let most = names
            .into_iter()
            .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
        if let Some((name, _)) = most {
            found.extend(pattern(stack, folder, name, &files));
        }
    }
    found.sort_by(|a, b| b.support.cmp(&a.support).then_with(|| a.key.cmp(&b.key)));
    found.truncate(TOLD_MAX);
    found
}

fn holds_code(file: &SourceFile) -> bool {
    file.facts
        .definitions
        .iter()
        .any(|one| one.metrics.is_some())
        && !file.path.ends_with("/__init__.py")
}

/// The functions of a file outside of types.
fn entries(file: &SourceFile) -> BTreeSet<&str> {
    let functions = file.facts.definitions.iter().filter(|one| {
        one.kind == DefinitionKind::Function
            && one.exported
            && one.parent.is_none()
            && !EVERYWHERE.contains(&one.name.as_str())
    });
    functions.map(|one| one.name.as_str()).collect()
}

fn pattern(stack: Language, folder: &str, name: &str, files: &[&SourceFile]) -> Option<Pattern> {
    let place = if folder.is_empty() { "." } else { folder };
    let cases = files.iter().map(|file| {
        let definition = file.facts.definitions.iter().find(|one| one.name == name);
        let line = definition.map_or(1, |one| one.start_line);
        Case::line(file, line, usize::from(definition.is_none()))
    });
    let question = Question {
        subject: name.to_owned().into(),
        stack,
        answers: vec![
            Answer::rule(
                "each-file",
                format!("Files in `{place}/` define `{name}()`"),
                format!(
                    "Define `{name}()` in a new file in `{place}/`: the others do, and something calls it by that name."
                ),
            ),
            Answer::other("without"),
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

    fn files(with: usize) -> Vec<(String, String)> {
        (0..8)
            .map(|n| {
                let entry = if n < with {
                    "def setup(app):\n    return {}\n\n"
                } else {
                    ""
                };
                (
                    format!("ext/m{n}.py"),
                    format!("{entry}def own_{n}():\n    pass\n"),
                )
            })
            .collect()
    }

    fn of(with: usize) -> Vec<String> {
        let files = files(with);
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        found("entry_function", &files)
    }

    #[test]
    fn copies_in_scripts_are_no_entries() {
        let files: Vec<(String, String)> = (0..8)
            .map(|n| {
                let text = format!(
                    "#!/bin/sh\nlog() {{ echo \"$1\"; }}\nown_{n}() {{ log a; }}\nown_{n}\n"
                );
                (format!("scripts/m{n}.sh"), text)
            })
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert!(found("entry_function", &files).is_empty());
    }

    #[test]
    fn a_function_of_every_file_is_told() {
        assert_eq!(of(8), ["entry_function/python/setup/each-file@ext 8/8"]);
    }

    #[test]
    fn a_function_of_half_the_files_is_not() {
        assert!(of(4).is_empty());
    }
}
