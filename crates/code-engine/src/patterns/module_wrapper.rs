//! Modules of the project that wrap one of the standard library: `sphinx.util.logging` wraps `logging`. A case is an
//! import of either.

use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::Import;
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide, folder_of, name_of, stem_of};

pub(super) const KIND: &str = "module_wrapper";

/// Modules of Python's standard library that projects often wrap.
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

/// Whether an import is of the wrapper (`true`) or of the wrapped module. Names imported from the wrapper count only if
/// the wrapper uses the same names of the library: its own helpers have no counterpart in the library.
fn is_own(import: &Import, name: &str, wrapper: &Wrapper<'_>) -> Option<bool> {
    if import.module == name {
        return Some(false);
    }
    let (before, last) = import
        .module
        .rsplit_once('.')
        .unwrap_or(("", import.module.as_str()));
    let is_in_folder = |module: &str| {
        module.is_empty()
            || module.starts_with('.')
            || module.rsplit('.').next() == Some(wrapper.folder)
    };
    let mut names = import.names.split(',');
    let takes_module = is_in_folder(&import.module) && names.clone().any(|one| one == name);
    let takes_names = last == name
        && import.module.contains('.')
        && is_in_folder(before)
        && names.any(|one| wrapper.taken.contains(one));
    (takes_module || takes_names).then_some(true)
}

/// The module that wraps the library's.
struct Wrapper<'a> {
    folder: &'a str,
    /// The names that it uses of the library's module.
    taken: BTreeSet<&'a str>,
}

impl<'a> Wrapper<'a> {
    fn new(file: &'a SourceFile, name: &str) -> Wrapper<'a> {
        let references = file.facts.references.iter();
        Wrapper {
            folder: name_of(folder_of(&file.path)),
            taken: references
                .filter_map(|one| one.path.split_once('.'))
                .filter(|(module, _)| *module == name)
                .map(|(_, rest)| rest.split('.').next().unwrap_or(rest))
                .collect(),
        }
    }
}

fn question<'a>(context: &Context<'a>, name: &str, wrapper: &'a SourceFile) -> Question<'a> {
    let path = &wrapper.path;
    let own = Wrapper::new(wrapper, name);
    let own = &own;
    let cases = context
        .source(Language::Python)
        .filter(|file| file.path != *path)
        .flat_map(|file| {
            let imports = file.facts.imports.iter().filter(|import| !import.test);
            imports.filter_map(move |import| {
                let is_own = is_own(import, name, own)?;
                Some(Case::line(file, import.line, usize::from(!is_own)))
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
    fn helpers_beside_a_library_do_not_stand_for_it() {
        let mut files = vec![(
            "app/utils/ssl.py".to_owned(),
            "import ssl\n\ndef log_connection(c):\n    return ssl.create_default_context()\n"
                .to_owned(),
        )];
        files.extend((0..8).map(|n| {
            let text =
                "from twisted.internet import ssl\nfrom app.utils.ssl import log_connection\n";
            (format!("app/m{n}.py"), text.to_owned())
        }));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert!(found("module_wrapper", &files).is_empty());
    }

    #[test]
    fn where_the_librarys_is_imported_nothing_is_said() {
        assert!(of(2).is_empty());
    }
}
