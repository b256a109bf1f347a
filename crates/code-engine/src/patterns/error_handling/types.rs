//! The definition style of the project's own error types.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::super::facts::DefinitionKind;
use super::super::super::language::Language;
use super::super::super::project::SourceFile;
use super::super::super::references::{Reference, ReferenceKind};
use super::super::naming::exception_classes;
use super::super::{Answer, Case, Context, Question};
use crate::facts::Definition;

pub(super) fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    vec![python_base(context), rust_errors(context)]
}

/// Exceptions derive from one of the project's own, or each from one of Python's. The project's topmost exceptions,
/// from which others derive, are not cases.
fn python_base<'a>(context: &Context<'a>) -> Question<'a> {
    let classes: Vec<(&'a SourceFile, &Definition, &str)> = context
        .source(Language::Python)
        .flat_map(|file| exception_classes(file).map(move |(one, base)| (file, one, base)))
        .collect();
    let own: BTreeSet<&str> = classes
        .iter()
        .map(|(_, one, _)| one.name.as_str())
        .collect();
    let mut derived: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, _, base) in &classes {
        *derived.entry(base).or_default() += 1;
    }
    let most = derived
        .iter()
        .filter(|(base, _)| own.contains(*base))
        .max_by_key(|(base, count)| (**count, std::cmp::Reverse(**base)));
    let example = most.map_or_else(String::new, |(base, _)| format!(", such as `{base}`"));
    let answers = vec![
        Answer::rule(
            "own-base",
            "Exceptions derive from the project's own",
            format!("Derive an exception from one of the project's own{example}."),
        ),
        Answer::other("built-in"),
    ];
    let cases = classes
        .iter()
        .filter(|(_, one, base)| own.contains(base) || !derived.contains_key(one.name.as_str()))
        .map(|(file, one, base)| Case {
            file,
            start_line: one.start_line,
            end_line: one.end_line,
            answer: usize::from(!own.contains(base)),
        })
        .collect();
    Question {
        subject: "exception-base".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

pub(in super::super) fn notes(stack: Language, one: &Reference<'_>) -> bool {
    let derives = ["thiserror.Error", "Error", "Snafu", "snafu.Snafu"];
    stack == Language::Rust && derives.contains(&one.path)
}

/// Types that implement `Error`: whether they derive it. The imports or the path in the derive tell from which library.
/// A type without an implementation in its file is no case, whatever its name.
fn rust_errors<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "thiserror",
            "Error types are derived with `thiserror`",
            "Derive an error type with `thiserror::Error`; say each variant's text in `#[error(...)]`.",
        ),
        Answer::rule(
            "snafu",
            "Error types are derived with `snafu`",
            "Derive an error type with `snafu::Snafu`.",
        ),
        Answer::rule(
            "by-hand",
            "Errors implement `std::error::Error` by hand",
            "Implement `Display` and `std::error::Error` for an error type by hand; no derive makes them.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Rust) {
        let lines = |names: &[&str]| -> BTreeSet<u32> {
            let found = file.noted();
            let found = found.filter(|one| !one.test && names.contains(&one.path));
            found
                .flat_map(|one| one.lines().collect::<Vec<_>>())
                .collect()
        };
        let imports = |name: &str| {
            let mut imports = file.facts.imports.iter();
            imports.any(|import| super::super::is_module(&import.module, name))
        };
        let mut thiserror = lines(&["thiserror.Error"]);
        if imports("thiserror") {
            thiserror.extend(lines(&["Error"]));
        }
        let snafu = lines(&["Snafu", "snafu.Snafu"]);
        let implemented = OnceCell::new();
        let mut before = 0;
        for one in &file.facts.definitions {
            let near = before + 1..=one.start_line;
            before = before.max(one.start_line);
            let is_error = matches!(one.kind, DefinitionKind::Enum | DefinitionKind::Struct)
                && one.name.ends_with("Error")
                && one.exported
                && !one.test;
            if !is_error || near.is_empty() {
                continue;
            }
            let answer = match () {
                () if thiserror.range(near.clone()).next().is_some() => 0,
                () if snafu.range(near).next().is_some() => 1,
                () if implemented
                    .get_or_init(|| implementing(file))
                    .contains(&*one.name) =>
                {
                    2
                }
                () => continue,
            };
            cases.push(Case::line(file, one.start_line, answer));
        }
    }
    Question {
        subject: "error-types".into(),
        stack: Language::Rust,
        answers,
        cases,
    }
}

/// The names that stand on a line with the trait `Error`, as in `impl std::error::Error for Bad {}`.
fn implementing(file: &SourceFile) -> BTreeSet<&str> {
    let is_imported = file.facts.imports.iter().any(|import| {
        matches!(
            import.module.as_str(),
            "std::error::Error" | "core::error::Error"
        ) || (import.module.ends_with("::error") && import.names.split(',').any(|it| it == "Error"))
            || import.names.split(',').any(|name| name == "error::Error")
    });
    let is_trait = |path: &str| match path {
        "error.Error" | "std.error.Error" | "core.error.Error" => true,
        // Without the import, a bare `Error` is a type of the project.
        "Error" => is_imported,
        _ => false,
    };
    let types = || {
        let all = file.facts.references.iter();
        all.filter(|one| one.kind == ReferenceKind::Type && !one.test)
    };
    let lines: BTreeSet<u32> = types()
        .filter(|one| is_trait(one.path))
        .flat_map(|one| one.lines().collect::<Vec<_>>())
        .collect();
    types()
        .filter(|one| one.lines().any(|line| lines.contains(&line)))
        .map(|one| one.name())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::{found, patterns};

    #[test]
    fn python_exceptions_derive_from_the_projects_own() {
        let own: String = (0..6)
            .map(|n| format!("class Bad{n}Error(AppError):\n    pass\n\n"))
            .collect();
        let source = format!("class AppError(Exception):\n    pass\n\n{own}");
        let found = patterns("error_handling", &[("p/errors.py", &source)]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].support, found[0].cases), (6, 6));
        assert_eq!(
            found[0].statement,
            "Derive an exception from one of the project's own, such as `AppError`."
        );
        let built_in = source.replace("(AppError)", "(Exception)");
        assert!(patterns("error_handling", &[("p/errors.py", &built_in)]).is_empty());
    }

    #[test]
    fn rust_errors_are_derived_or_written() {
        let source = |derive: &str, also: &str| -> String {
            let types: String = (0..6)
                .map(|n| {
                    let also = also.replace("NAME", &format!("Bad{n}Error"));
                    format!("{derive}\npub enum Bad{n}Error {{\n    A,\n}}\n{also}\n")
                })
                .collect();
            format!("use std::fmt;\n\n{types}")
        };
        let of = |derive: &str, also: &str| {
            found("error_handling", &[("src/a.rs", &source(derive, also))])
        };
        assert_eq!(
            of("#[derive(Debug, thiserror::Error)]", ""),
            ["error_handling/rust/error-types/thiserror 6/6"]
        );
        assert_eq!(
            of("#[derive(Debug)]", "impl std::error::Error for NAME {}"),
            ["error_handling/rust/error-types/by-hand 6/6"]
        );
    }

    #[test]
    fn what_implements_no_error_is_none() {
        let types: String = (0..6)
            .map(|n| {
                format!("#[derive(Debug)]\npub struct Bad{n}Error {{\n    pub line: u32,\n}}\n")
            })
            .collect();
        assert!(found("error_handling", &[("src/a.rs", &types)]).is_empty());
        let converts: String = (0..6)
            .map(|n| format!("impl From<Bad{n}Error> for Error {{}}\n"))
            .collect();
        let source = format!("{types}pub enum Error {{ A }}\n{converts}");
        assert!(found("error_handling", &[("src/a.rs", &source)]).is_empty());
        let source = format!(
            "use std::error::Error;\n{types}{}",
            converts
                .replace("From<", "Error for ")
                .replace("> for Error", "")
        );
        assert_eq!(
            found("error_handling", &[("src/a.rs", &source)]),
            ["error_handling/rust/error-types/by-hand 6/6"]
        );
    }
}
