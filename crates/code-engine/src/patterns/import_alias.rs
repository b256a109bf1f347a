//! The alias of an imported module. A case is a file that imports the module as a whole; there is a question for each
//! module that several files import with an alias.

use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::{Import, ImportStyle};
use super::super::language::Language;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "import_alias";

/// Languages in which imports contain the local name of a module.
const STACKS: [Language; 4] = [
    Language::Python,
    Language::TypeScript,
    Language::JavaScript,
    Language::Go,
];

/// The maximum number of modules per language, those that most files import.
const MODULES_MAX: usize = 20;

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let questions: Vec<Question<'_>> = STACKS
        .into_iter()
        .flat_map(|stack| questions(context, stack))
        .collect();
    decide(KIND, &questions)
}

fn questions<'a>(context: &Context<'a>, stack: Language) -> Vec<Question<'a>> {
    let mut modules: BTreeMap<&'a str, Vec<(&'a Import, Case<'a>)>> = BTreeMap::new();
    for file in context.source(stack) {
        let mut seen = BTreeSet::new();
        for import in file.facts.imports.iter().filter(|one| is_whole(one)) {
            if seen.insert(import.module.as_str()) {
                let case = Case::line(file, import.line, 0);
                modules
                    .entry(&import.module)
                    .or_default()
                    .push((import, case));
            }
        }
    }
    let mut modules: Vec<_> = modules.into_iter().collect();
    modules.retain(|(_, uses)| uses.iter().any(|(import, _)| !import.alias.is_empty()));
    modules.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(b.0)));
    modules.truncate(MODULES_MAX);
    modules
        .into_iter()
        .map(|(module, uses)| question(stack, module, uses))
        .collect()
}

/// Whether an import binds the module itself and not names out of it.
fn is_whole(import: &Import) -> bool {
    !import.test
        && !import.module.starts_with('.')
        && matches!(import.style, ImportStyle::Module | ImportStyle::Types)
        && !import.module.is_empty()
}

fn question<'a>(
    stack: Language,
    module: &'a str,
    uses: Vec<(&'a Import, Case<'a>)>,
) -> Question<'a> {
    let names: BTreeSet<&str> = uses
        .iter()
        .map(|(import, _)| import.alias.as_str())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let answers = names
        .iter()
        .map(|name| answer(stack, module, name))
        .collect();
    let cases = uses.into_iter().map(|(import, case)| Case {
        answer: names
            .iter()
            .position(|name| import.alias == **name)
            .unwrap_or(0),
        ..case
    });
    Question {
        subject: module.to_owned().into(),
        stack,
        answers,
        cases: cases.collect(),
    }
}

fn answer(stack: Language, module: &str, alias: &str) -> Answer {
    // An import without an alias is normal everywhere, so it is not recommended.
    if alias.is_empty() {
        return Answer::other("own-name");
    }
    let written = match stack {
        Language::Python => format!("import {module} as {alias}"),
        Language::Go => format!("import {alias} \"{module}\""),
        _ => format!("import * as {alias} from \"{module}\""),
    };
    Answer::rule(
        alias.to_owned(),
        format!("`{module}` is imported as `{alias}`"),
        format!("Import `{module}` under the name `{alias}`: `{written}`."),
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    fn of(lines: &[&str]) -> Vec<String> {
        let names: Vec<String> = (0..lines.len()).map(|n| format!("app/m{n}.py")).collect();
        let files: Vec<(&str, &str)> = names
            .iter()
            .map(String::as_str)
            .zip(lines.iter().copied())
            .collect();
        found("import_alias", &files)
    }

    #[test]
    fn the_usual_name_of_a_module_is_told() {
        let line = "import typing as t\n";
        assert_eq!(
            of(&[line, line, line, line, line, line, line, "import typing\n"]),
            ["import_alias/python/typing/t 7/8"]
        );
        let scripts: Vec<(String, &str)> = (0..6)
            .map(|n| {
                (
                    format!("src/a{n}.ts"),
                    "import * as z from 'zod';\nz.a();\n",
                )
            })
            .collect();
        let scripts: Vec<(&str, &str)> = scripts
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        assert_eq!(
            found("import_alias", &scripts),
            ["import_alias/typescript/zod/z 6/6"]
        );
    }

    #[test]
    fn its_own_name_and_a_mixture_are_no_habit() {
        assert!(of(&["import os\n"; 8]).is_empty());
        let (one, other) = ("import typing as t\n", "import typing as tp\n");
        assert!(of(&[one, other, one, other, one, other]).is_empty());
    }
}
