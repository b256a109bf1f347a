//! The style of imports between modules.
//!
//! Longer than 450 lines: the questions of all languages are one table.

use std::collections::BTreeSet;

use super::super::facts::{Import, ImportStyle, Sign};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "import_style";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    decide(KIND, &questions(context))
}

fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let mut questions = vec![
        rust_paths(context),
        python_paths(context),
        python_annotations(context),
        go_groups(context),
        java_names(context),
    ];
    for stack in [Language::TypeScript, Language::JavaScript] {
        questions.push(script_modules(context, stack));
        questions.push(script_exports(context, stack));
        questions.push(script_paths(context, stack));
    }
    questions
}

/// One case for each import for which `answer` returns an answer. Imports by tests are excluded.
fn imports<'a>(
    file: &'a SourceFile,
    answer: impl Fn(&Import) -> Option<usize>,
) -> impl Iterator<Item = Case<'a>> {
    let outside_tests = file.facts.imports.iter().filter(|import| !import.test);
    outside_tests.filter_map(move |import| Some(Case::line(file, import.line, answer(import)?)))
}

fn rust_paths<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "crate",
            "Modules of the crate are imported by `crate::` paths",
            "Import from the same crate by its full path (`crate::...`), not relative to the module.",
        ),
        Answer::rule(
            "relative",
            "Modules of the crate are imported by relative paths",
            "Import from the same crate relative to the module (`super::...`, `self::...`).",
        ),
    ];
    let cases = context
        .source(Language::Rust)
        .flat_map(|file| {
            imports(file, |import| match import.module.split("::").next() {
                _ if import.style == ImportStyle::ReExport => None,
                Some("crate") => Some(0),
                Some("super" | "self") => Some(1),
                _ => None,
            })
        })
        .collect();
    Question {
        subject: "own-modules".into(),
        stack: Language::Rust,
        answers,
        cases,
    }
}

fn python_paths<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "absolute",
            "Modules of the package are imported by their full names",
            "Import from the same package by its full name (`from package.module import ...`), not by dots.",
        ),
        Answer::rule(
            "relative",
            "Modules of the package are imported relatively",
            "Import from the same package relatively (`from .module import ...`).",
        ),
    ];
    let packages: BTreeSet<(&str, &str)> = context
        .source(Language::Python)
        .filter_map(|file| package_root(&file.path))
        .collect();
    let cases = context
        .source(Language::Python)
        .filter_map(|file| Some((file, package_of(&file.path, &packages)?)))
        .flat_map(|(file, package)| {
            imports(file, move |import| match import.module.split('.').next() {
                // Type-only imports are often written so to avoid an import cycle.
                _ if import.style == ImportStyle::Types => None,
                Some("") => Some(1),
                Some(first) if first == package => Some(0),
                _ => None,
            })
        })
        .collect();
    Question {
        subject: "own-modules".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// The package whose `__init__.py` this is: the folder around it, and its name.
fn package_root(path: &str) -> Option<(&str, &str)> {
    let folder = path.strip_suffix("/__init__.py")?;
    Some(folder.rsplit_once('/').unwrap_or(("", folder)))
}

/// The outermost package that contains a module.
fn package_of<'p>(path: &'p str, packages: &BTreeSet<(&str, &str)>) -> Option<&'p str> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.map(|end| path[..end].rsplit_once('/').unwrap_or(("", &path[..end])))
        .find(|one| packages.contains(one))
        .map(|one| one.1)
}

fn python_annotations<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "future",
            "Modules begin with `from __future__ import annotations`",
            "Begin a module with `from __future__ import annotations`.",
        ),
        Answer::other("none"),
    ];
    let cases = context
        .source(Language::Python)
        // An empty `__init__.py` has nothing to annotate.
        .filter(|file| file.facts.function_count() > 0)
        .map(|file| {
            let import = file
                .facts
                .imports
                .iter()
                .find(|import| import.module == "__future__");
            Case::line(
                file,
                import.map_or(1, |import| import.line),
                usize::from(import.is_none()),
            )
        })
        .collect();
    Question {
        subject: "future-annotations".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

fn go_groups<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "standard-first",
            "Imports of the standard library come first, in a group of their own",
            "Import the standard library first, then a blank line, then everything else.",
        ),
        Answer::other("mixed"),
    ];
    let cases = context
        .source(Language::Go)
        .filter_map(|file| {
            let imports: Vec<&Import> = file
                .facts
                .imports
                .iter()
                .filter(|import| import.module != "C")
                .collect();
            let is_standard =
                |import: &&Import| !import.module.split('/').next().unwrap_or("").contains('.');
            let split = imports
                .iter()
                .position(|import| !is_standard(import))
                .filter(|at| *at > 0);
            let (first, rest) = match split {
                Some(at) => imports.split_at(at),
                // Third-party imports come first, or there is only one kind.
                None if imports.iter().any(is_standard) && !imports.iter().all(is_standard) => {
                    return Some(Case::line(file, imports.first()?.line, 1));
                }
                None => return None,
            };
            let apart =
                rest.first()?.line > first.last()?.line + 1 && !rest.iter().any(is_standard);
            let (start_line, end_line) = (first.first()?.line, rest.last()?.line);
            Some(Case {
                file,
                start_line,
                end_line,
                answer: usize::from(!apart),
            })
        })
        .collect();
    Question {
        subject: "groups".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

fn java_names<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "single",
            "Classes are imported one by one",
            "Import each class by its name, without wildcards.",
        ),
        Answer::rule(
            "wildcard",
            "Packages are imported whole",
            "Import a package's classes with a wildcard (`import a.b.*`).",
        ),
    ];
    let cases = context
        .source(Language::Java)
        .flat_map(|file| {
            imports(file, |import| {
                Some(usize::from(import.style == ImportStyle::Wildcard))
            })
        })
        .collect();
    Question {
        subject: "names".into(),
        stack: Language::Java,
        answers,
        cases,
    }
}

fn script_modules<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "es-modules",
            "Modules use `import`",
            "Write ES modules: `import` and `export`, not `require`.",
        ),
        Answer::rule(
            "commonjs",
            "Modules use `require`",
            "Write CommonJS modules: `require` and `module.exports`.",
        ),
        Answer::other("both"),
    ];
    let cases = context
        .source(stack)
        .filter_map(|file| {
            let required = file
                .facts
                .imports
                .iter()
                .find(|import| import.style == ImportStyle::Require);
            let imported = file.facts.imports.iter().find(|import| {
                !matches!(import.style, ImportStyle::Require | ImportStyle::Dynamic)
            });
            match (imported, required) {
                (Some(import), None) => Some(Case::line(file, import.line, 0)),
                (None, Some(import)) => Some(Case::line(file, import.line, 1)),
                (Some(_), Some(import)) => Some(Case::line(file, import.line, 2)),
                (None, None) => None,
            }
        })
        .collect();
    Question {
        subject: "modules".into(),
        stack,
        answers,
        cases,
    }
}

fn script_exports<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "named",
            "Modules export by name",
            "Export by name; do not use default exports.",
        ),
        Answer::rule(
            "default",
            "Modules have a default export",
            "Give a module one default export.",
        ),
    ];
    // Configuration files have a default export because their tool requires one, and the entry of a bundle because
    // those who load it do.
    let others = |path: &str| {
        path.contains(".config.") || path.contains("-entry.") || path.ends_with(".d.ts")
    };
    let by_hand = |file: &&SourceFile| !others(&file.path);
    let mut cases = Vec::new();
    for file in context.source(stack).filter(by_hand) {
        for (answer, sign) in [Sign::ExportNamed, Sign::ExportDefault]
            .into_iter()
            .enumerate()
        {
            cases.extend(
                file.facts
                    .sign_lines(sign)
                    .iter()
                    .map(|line| Case::line(file, *line, answer)),
            );
        }
    }
    Question {
        subject: "exports".into(),
        stack,
        answers,
        cases,
    }
}

/// Modules that Nuxt generates: they have no path (<https://nuxt.com/docs/guide/concepts/auto-imports>).
const VIRTUAL_MODULES: &[&str] = &["#app", "#build", "#components", "#imports"];

fn script_paths<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "relative",
            "Modules of a package are imported by relative paths",
            "Import modules of the same package by relative paths (`./`, `../`).",
        ),
        Answer::rule(
            "alias",
            "Modules of a package are imported by an alias",
            "Import modules of the same package by the path alias (`@/`, `~/`, `#`), not by relative paths.",
        ),
    ];
    let cases = context
        .source(stack)
        .flat_map(|file| {
            imports(file, |import| {
                let module = import.module.as_str();
                if module.starts_with("./")
                    || module.starts_with("../")
                    || module == "."
                    || module == ".."
                {
                    return Some(0);
                }
                let is_alias = ["@/", "~/", "#"]
                    .iter()
                    .any(|alias| module.starts_with(alias));
                let first = module.split('/').next().unwrap_or_default();
                (is_alias && !VIRTUAL_MODULES.contains(&first)).then_some(1)
            })
        })
        .collect();
    Question {
        subject: "own-modules".into(),
        stack,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    fn keys(sources: &[(&str, &str)]) -> Vec<String> {
        found("import_style", sources)
    }

    #[test]
    fn rust_imports_its_own_modules_by_one_sort_of_path() {
        let full = "use crate::a::B;\nuse crate::{c, d};\nuse crate::e;\nuse crate::f;\nuse crate::g;\nuse crate::h;\nuse crate::j;\nuse std::fs;\npub use self::x::Y;\n";
        let tests = "#[cfg(test)]\nmod tests { use super::*; }\n";
        assert_eq!(
            keys(&[("src/a.rs", &format!("{full}use super::i;\n{tests}"))]),
            ["import_style/rust/own-modules/crate 7/8"]
        );
        let mixed = "use crate::a;\nuse super::b;\nuse crate::c;\nuse super::d;\nuse super::e;\nuse crate::f;\n";
        assert!(keys(&[("src/a.rs", mixed)]).is_empty());
    }

    #[test]
    fn what_python_imports_for_its_types_alone_is_no_case() {
        let mut sources: Vec<(String, String)> =
            vec![("app/__init__.py".to_owned(), String::new())];
        sources.extend((0..5).map(|n| {
            let text = "import typing\n\nif typing.TYPE_CHECKING:\n    import app\n\nfrom .core import run\n";
            (format!("app/m{n}.py"), text.to_owned())
        }));
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let mut keys = found("import_style", &sources);
        keys.retain(|key| key.contains("own-modules"));
        assert_eq!(keys, ["import_style/python/own-modules/relative 5/5"]);
    }

    #[test]
    fn python_packages_import_themselves_by_name_or_by_dots() {
        let relative = "from . import a\nfrom .b import c\nfrom ..d import e\nfrom .f import g\nfrom .h import i\nimport os\n";
        assert_eq!(
            keys(&[("src/app/__init__.py", ""), ("src/app/core/x.py", relative)]),
            ["import_style/python/own-modules/relative 5/5"]
        );
        let absolute = "import app\nfrom app.b import c\nimport app.d\nfrom app import e\nfrom app.f import g\nimport apples\n";
        assert_eq!(
            keys(&[
                ("app/__init__.py", ""),
                ("app/core/__init__.py", ""),
                ("app/core/x.py", absolute)
            ]),
            ["import_style/python/own-modules/absolute 5/5"]
        );
        assert!(
            keys(&[("app/x.py", absolute)]).is_empty(),
            "a folder without __init__.py is not known as a package"
        );
    }

    #[test]
    fn python_modules_that_define_nothing_need_no_annotations() {
        let with = "from __future__ import annotations\ndef f(): pass\n";
        let sources = [
            ("a.py", with),
            ("b.py", with),
            ("c.py", with),
            ("d.py", with),
            ("e.py", with),
            ("f.py", "x = 1\n"),
        ];
        assert_eq!(
            keys(&sources),
            ["import_style/python/future-annotations/future 5/5"]
        );
    }

    #[test]
    fn go_separates_the_standard_library() {
        let grouped = "package a\nimport (\n\t\"fmt\"\n\t\"os\"\n\n\t\"github.com/a/b\"\n)\n";
        let paths = ["a.go", "b.go", "c.go", "d.go", "e.go"];
        let sources = |text: &'static str| paths.map(|path| (path, text));
        assert_eq!(
            keys(&sources(grouped)),
            ["import_style/go/groups/standard-first 5/5"]
        );
        let together = "package a\nimport (\n\t\"fmt\"\n\t\"github.com/a/b\"\n)\n";
        assert!(keys(&sources(together)).is_empty());
        let alone = "package a\nimport \"fmt\"\n";
        assert!(keys(&sources(alone)).is_empty());
    }

    #[test]
    fn java_imports_classes_one_by_one() {
        let source = "import a.B;\nimport a.C;\nimport static a.D.e;\nimport a.F;\nimport a.G;\nimport a.H;\nimport a.I;\nimport b.*;\nclass X {}\n";
        assert_eq!(
            keys(&[("src/X.java", source)]),
            ["import_style/java/names/single 7/8"]
        );
    }

    #[test]
    fn scripts_import_and_export_in_one_way() {
        let source = "import a from './a';\nimport type { B } from '../b';\nimport 'c';\nexport const d = 1;\nexport type T = string;\n";
        let paths = ["src/1.ts", "src/2.ts", "src/3.ts", "src/4.ts", "src/5.ts"];
        assert_eq!(
            keys(&paths.map(|path| (path, source))),
            [
                "import_style/typescript/exports/named 5/5",
                "import_style/typescript/own-modules/relative 10/10",
                "import_style/typescript/modules/es-modules 5/5",
            ]
        );
        let require = "const a = require('a');\nmodule.exports = a;\n";
        assert_eq!(
            keys(&paths.map(|path| (path, require))),
            ["import_style/typescript/modules/commonjs 5/5"]
        );
    }

    #[test]
    fn what_a_framework_asks_for_is_no_case() {
        let usual = "import { a } from './a';\nimport { b } from './b';\nexport const c = a + b;\n";
        let plugin = "import { useState } from '#imports';\nexport default defineNuxtPlugin(() => useState());\n";
        let mut sources: Vec<(String, &str)> =
            (0..5).map(|n| (format!("src/m{n}.ts"), usual)).collect();
        let told = |sources: &[(String, &str)]| {
            let sources: Vec<(&str, &str)> = sources
                .iter()
                .map(|(path, text)| (path.as_str(), *text))
                .collect();
            keys(&sources)
        };
        let before = told(&sources);
        sources.push(("src/plugin.ts".into(), plugin));
        let after = told(&sources);
        let of = |keys: &[String], kind: &str| keys.iter().find(|key| key.contains(kind)).cloned();
        for kind in ["exports/named", "own-modules/relative"] {
            assert_eq!(of(&before, kind), of(&after, kind));
            assert!(of(&after, kind).is_some());
        }
        sources.push((
            "src/b.ts".into(),
            "import { a } from '#own/a';\nexport default a;\n",
        ));
        let after = told(&sources);
        assert_ne!(of(&before, "exports/named"), of(&after, "exports/named"));
    }
}
