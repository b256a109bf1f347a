//! Modules of the project that stand for one of the language's own: `sphinx.util.logging` for `logging`. A case is an
//! import of the one or the other.

use std::collections::BTreeMap;

use super::super::facts::Import;
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide, stem_of};

pub(super) const KIND: &str = "module_wrapper";

/// Modules of Python's library that projects wrap.
const WRAPPED: &[&str] = &[
    "argparse",
    "asyncio",
    "collections",
    "compat",
    "contextlib",
    "copy",
    "csv",
    "datetime",
    "functools",
    "http",
    "importlib",
    "inspect",
    "io",
    "json",
    "logging",
    "os",
    "path",
    "pickle",
    "platform",
    "random",
    "re",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "typing",
    "urllib",
    "uuid",
    "warnings",
    "zipfile",
];

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut own: BTreeMap<&str, &SourceFile> = BTreeMap::new();
    for file in context.source(Language::Python) {
        let stem = stem_of(&file.path);
        if WRAPPED.contains(&stem) && file.facts.imports.iter().any(|one| one.module == stem) {
            own.entry(stem).or_insert(file);
        }
    }
    let questions: Vec<Question<'_>> = own
        .into_iter()
        .map(|(name, wrapper)| question(context, name, wrapper))
        .collect();
    decide(KIND, &questions)
}

/// The name that the import binds of the wrapper or of what it wraps: `true` for the project's.
fn is_own(import: &Import, name: &str) -> Option<bool> {
    if import.module == name {
        return Some(false);
    }
    let last = import.module.rsplit('.').next().unwrap_or_default();
    let takes = import.names.split(',').any(|one| one == name);
    let is_project = (last == name && import.module.contains('.')) || takes;
    is_project.then_some(true)
}

fn question<'a>(context: &Context<'a>, name: &str, wrapper: &'a SourceFile) -> Question<'a> {
    let path = &wrapper.path;
    let cases = context
        .source(Language::Python)
        .filter(|file| file.path != *path)
        .flat_map(|file| {
            let imports = file.facts.imports.iter().filter(|import| !import.test);
            imports.filter_map(move |import| {
                let own = is_own(import, name)?;
                Some(Case::line(file, import.line, usize::from(!own)))
            })
        });
    Question {
        subject: name.to_owned().into(),
        stack: Language::Python,
        answers: vec![
            Answer::rule(
                "own",
                format!("The project's own `{name}` is imported, not the library's"),
                format!("Import `{name}` from the project (`{path}`), not Python's `{name}`."),
            ),
            Answer::other("library"),
        ],
        cases: cases.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    fn of(own: usize) -> Vec<String> {
        let mut files = vec![(
            "app/util/logging.py".to_owned(),
            "import logging\n\ndef get_logger():\n    return logging\n".to_owned(),
        )];
        files.extend((0..8).map(|n| {
            let import = if n < own {
                "from app.util import logging"
            } else {
                "import logging"
            };
            (
                format!("app/m{n}.py"),
                format!("{import}\n\nlog = logging.getLogger(__name__)\n"),
            )
        }));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        found("module_wrapper", &files)
    }

    #[test]
    fn the_projects_own_module_is_told() {
        assert_eq!(of(8), ["module_wrapper/python/logging/own 8/8"]);
    }

    #[test]
    fn where_the_librarys_is_imported_nothing_is_said() {
        assert!(of(2).is_empty());
    }
}
