//! The layout of files and folders: the location of a module's own file, the content of `__init__` and `index` files,
//! types per file, and file names that match their type.
//!
//! Longer than 450 lines: the layouts of all languages are one list, with their tests.

use std::collections::{BTreeMap, BTreeSet};

use super::super::facts::{Definition, DefinitionKind, ImportStyle};
use super::super::language::Language;
use super::super::project::SourceFile;
use super::{Answer, Case, Context, Pattern, Question, decide, folder_of, name_of, stem_of};

pub(super) const KIND: &str = "module_layout";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut questions = vec![
        rust_heads(context),
        python_inits(context),
        indexes(context, Language::TypeScript),
        indexes(context, Language::JavaScript),
    ];
    let stacks = [
        Language::TypeScript,
        Language::JavaScript,
        Language::Python,
        Language::CSharp,
        Language::Kotlin,
        Language::Php,
        Language::Ruby,
        Language::Scala,
        Language::Swift,
        Language::Cpp,
    ];
    for stack in stacks {
        questions.push(named_after_type(context, stack));
    }
    let mut found = decide(KIND, &questions);
    for stack in stacks {
        let question = types_a_file(context, stack);
        if is_of_classes(stack) {
            // In languages whose files are modules of functions, few files have a class, so folders are not answered
            // separately.
            let whole = question.decide_whole(KIND);
            found.extend(
                whole.filter(|one| f64::from(one.support) >= CLASS_SHARE * f64::from(one.cases)),
            );
        } else {
            found.extend(question.decide(KIND));
        }
    }
    found
}

/// In languages whose files are modules: the least share of files with one class, among those with any class.
const CLASS_SHARE: f64 = 0.9;

/// Whether files are modules that may contain classes among other things.
const fn is_of_classes(stack: Language) -> bool {
    matches!(
        stack,
        Language::TypeScript | Language::JavaScript | Language::Python
    )
}

/// A module with a folder has its own file in the folder, or next to it. Crate roots and `tests`, `benches` and `bin`
/// have none.
fn rust_heads<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "beside",
            "A module's own file lies beside its folder",
            "Put a module that has a folder `name/` into `name.rs` beside it, not into `name/mod.rs`.",
        ),
        Answer::rule(
            "mod-rs",
            "A module's own file is the `mod.rs` of its folder",
            "Put a module that has a folder into the `mod.rs` of that folder.",
        ),
    ];
    let paths: BTreeMap<&str, &SourceFile> = context
        .source(Language::Rust)
        .map(|file| (file.path.as_str(), file))
        .collect();
    let folders: BTreeSet<&str> = paths.keys().map(|path| folder_of(path)).collect();
    let mut cases = Vec::new();
    for folder in folders {
        let inside = format!("{folder}/mod.rs");
        let beside = format!("{folder}.rs");
        let head = |path: &str| paths.get(path).copied();
        match (head(&beside), head(&inside)) {
            (Some(file), None) => cases.push(Case::line(file, 1, 0)),
            (None, Some(file)) => cases.push(Case::line(file, 1, 1)),
            _ => {}
        }
    }
    Question {
        subject: "heads".into(),
        stack: Language::Rust,
        answers,
        cases,
    }
}

/// What the `__init__.py` of packages with modules contains.
fn python_inits<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "re-exports",
            "A package's `__init__.py` passes on what the package offers",
            "Import what a package offers in its `__init__.py`, so that others import it from the package.",
        ),
        Answer::rule(
            "empty",
            "A package's `__init__.py` is empty",
            "Leave `__init__.py` without code; import from the modules themselves.",
        ),
        Answer::other("code"),
    ];
    let mut modules: BTreeMap<&str, u32> = BTreeMap::new();
    for file in context.source(Language::Python) {
        *modules.entry(folder_of(&file.path)).or_default() += 1;
    }
    let cases = context
        .source(Language::Python)
        .filter(|file| name_of(&file.path) == "__init__.py")
        .filter(|file| {
            modules
                .get(folder_of(&file.path))
                .is_some_and(|count| *count > 1)
        })
        .map(|file| {
            let package = name_of(folder_of(&file.path));
            let passes_on = file.facts.imports.iter().any(|import| {
                let own = import.module.starts_with('.')
                    || import.module.split('.').any(|part| part == package);
                own && !matches!(import.style, ImportStyle::Module)
            });
            let answer = match () {
                () if file.facts.lines.code == 0 => 1,
                () if passes_on => 0,
                () => 2,
            };
            Case::line(file, 1, answer)
        })
        .collect();
    Question {
        subject: "package-inits".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// Folders with several source files: whether one of them is an `index` that re-exports the others. A folder whose
/// `index` contains the code itself is a case too, even if it is the only file: its `index` re-exports nothing.
fn indexes<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "index",
            "A folder's `index` passes on what the folder offers",
            "Give a folder of modules an `index` file that re-exports what others may use.",
        ),
        Answer::other("none"),
    ];
    let mut folders: BTreeMap<&str, Vec<&'a SourceFile>> = BTreeMap::new();
    for file in context.source(stack) {
        folders.entry(folder_of(&file.path)).or_default().push(file);
    }
    let cases = folders
        .into_values()
        .filter_map(|files| {
            let index = files.iter().find(|file| stem_of(&file.path) == "index");
            let has_code = index.is_some_and(|file| {
                let mut own = file.facts.definitions.iter();
                own.any(|one| one.exported && one.parent.is_none() && one.metrics.is_some())
            });
            if files.len() < 2 && !has_code {
                return None;
            }
            let passes_on = index.filter(|file| {
                let mut imports = file.facts.imports.iter();
                imports.any(|import| import.style == ImportStyle::ReExport)
            });
            match passes_on {
                Some(file) => Some(Case::line(file, 1, 0)),
                None => Some(Case::line(files.first()?, 1, 1)),
            }
        })
        .collect();
    Question {
        subject: "indexes".into(),
        stack,
        answers,
        cases,
    }
}

/// The exported types at the top level of a file.
fn types(file: &SourceFile) -> impl Iterator<Item = &Definition> {
    types_at_top(file).filter(|one| one.exported)
}

/// The types at the top level of a file, without those of its tests.
fn types_at_top(file: &SourceFile) -> impl Iterator<Item = &Definition> {
    let definitions = file.facts.definitions.iter();
    definitions.filter(|one| is_type(one) && !one.test && one.parent.is_none())
}

fn is_type(definition: &Definition) -> bool {
    use DefinitionKind::{Class, Enum, Interface, Struct, Trait};
    matches!(definition.kind, Class | Enum | Interface | Struct | Trait)
}

fn types_a_file<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let what = if is_of_classes(stack) {
        "class"
    } else {
        "type"
    };
    let answers = vec![
        Answer::rule(
            "one",
            format!("A file holds one {what}"),
            format!("Put each {what} that others use into a file of its own."),
        ),
        Answer::other("several"),
    ];
    let cases = context
        .source(stack)
        .filter_map(|file| {
            // Interfaces and type aliases of TypeScript are defined next to their uses, so they do not count.
            let mut found =
                types(file).filter(|one| what == "type" || one.kind == DefinitionKind::Class);
            let first = found.next()?;
            let second = found.next();
            let at = second.unwrap_or(first);
            Some(Case {
                file,
                start_line: at.start_line,
                end_line: at.end_line,
                answer: usize::from(second.is_some()),
            })
        })
        .collect();
    Question {
        subject: "types-a-file".into(),
        stack,
        answers,
        cases,
    }
}

fn named_after_type<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "same",
            "A file is named as the type that it holds",
            "Name a file exactly as the type that it holds: `OrderService` in a file `OrderService`.",
        ),
        Answer::rule(
            "snake",
            "A file is named after the type that it holds, in snake_case",
            "Name a file after the type that it holds, in snake_case: `OrderService` in a file `order_service`.",
        ),
        Answer::rule(
            "kebab",
            "A file is named after the type that it holds, in kebab-case",
            "Name a file after the type that it holds, in kebab-case: `OrderService` in a file `order-service`.",
        ),
        Answer::other("otherwise"),
    ];
    let cases = context
        .source(stack)
        .filter_map(|file| {
            // In Swift a type without a mark is for the whole module, as most are.
            let is_for_all = |one: &&Definition| one.exported || stack == Language::Swift;
            let mut found = types_at_top(file).filter(is_for_all);
            let (Some(one), None) = (found.next(), found.next()) else {
                return None;
            };
            // A file with functions of its own next to the type is about more than the type.
            let mut others = file.facts.definitions.iter();
            if others.any(|one| one.kind == DefinitionKind::Function && one.parent.is_none()) {
                return None;
            }
            let stem = stem_of(&file.path);
            // The type that the file is named as may be one that others do not use.
            let mut types = file.facts.definitions.iter();
            let is_named =
                types.any(|one| is_type(one) && one.parent.is_none() && one.name == stem);
            let answer = match () {
                () if is_named && stem.chars().any(char::is_lowercase) => 0,
                // A single word fits both lower-case styles.
                () if !stem.contains(['_', '-']) && stem == one.name.to_ascii_lowercase() => {
                    return None;
                }
                () if stem.contains('_') && stem == words(&one.name, '_') => 1,
                () if stem.contains('-') && stem == words(&one.name, '-') => 2,
                () => 3,
            };
            Some(Case {
                file,
                start_line: one.start_line,
                end_line: one.end_line,
                answer,
            })
        })
        .collect();
    Question {
        subject: "file-names".into(),
        stack,
        answers,
        cases,
    }
}

/// Splits a name into lower-case words: `HTTPClient` is `http_client`.
fn words(name: &str, between: char) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut written = String::with_capacity(name.len() + 4);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let is_start = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase()
                    || letters.get(at + 1).is_some_and(|next| next.is_lowercase())
            });
        if is_start {
            written.push(between);
        }
        written.extend(letter.to_lowercase());
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;
    use super::words;

    fn project<'s>(paths: &[&'s str], source: &'s str) -> Vec<String> {
        let sources: Vec<(&str, &str)> = paths.iter().map(|path| (*path, source)).collect();
        found("module_layout", &sources)
    }

    #[test]
    fn rust_modules_have_their_head_in_the_folder_or_beside_it() {
        let source = "pub fn f() {}\n";
        let inside = ["a", "b", "c", "d", "e"].map(|name| format!("src/{name}/mod.rs"));
        let beside = ["a", "b", "c", "d", "e"]
            .map(|name| [format!("src/{name}.rs"), format!("src/{name}/x.rs")])
            .concat();
        let of = |paths: &[String]| {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            project(&paths, source)
        };
        assert_eq!(of(&inside), ["module_layout/rust/heads/mod-rs 5/5"]);
        assert_eq!(of(&beside), ["module_layout/rust/heads/beside 5/5"]);
        assert!(of(&[&inside[..2], &beside[4..]].concat()).is_empty());
    }

    #[test]
    fn python_packages_pass_on_or_are_empty() {
        let names = ["a", "b", "c", "d", "e"];
        let paths: Vec<(String, String)> = names
            .map(|name| (format!("{name}/__init__.py"), format!("{name}/m.py")))
            .into();
        let of = |init: &'static str| {
            let files = paths.iter().flat_map(|(package, module)| {
                [
                    (package.as_str(), init),
                    (module.as_str(), "def f(): pass\n"),
                ]
            });
            found("module_layout", &files.collect::<Vec<_>>())
        };
        assert_eq!(
            of("from .m import f\n"),
            ["module_layout/python/package-inits/re-exports 5/5"]
        );
        assert_eq!(
            of("# nothing\n"),
            ["module_layout/python/package-inits/empty 5/5"]
        );
        assert!(of("x = 1\n").is_empty());
    }

    #[test]
    fn folders_have_an_index_that_passes_on() {
        let names = ["a", "b", "c", "d", "e"];
        let paths: Vec<(String, String)> = names
            .map(|name| (format!("src/{name}/index.ts"), format!("src/{name}/m.ts")))
            .into();
        let of = |index: &'static str| {
            let files = paths.iter().flat_map(|(folder, module)| {
                [
                    (folder.as_str(), index),
                    (module.as_str(), "export const a = 1;\n"),
                ]
            });
            found("module_layout", &files.collect::<Vec<_>>())
        };
        assert_eq!(
            of("export * from './m';\n"),
            ["module_layout/typescript/indexes/index 5/5"]
        );
        assert!(of("console.log(1);\n").is_empty());
        let mut sources: Vec<(String, &str)> = paths
            .iter()
            .flat_map(|(folder, module)| {
                [
                    (folder.clone(), "export * from './m';\n"),
                    (module.clone(), "export const a = 1;\n"),
                ]
            })
            .collect();
        let code = ["f", "g", "h", "i"]
            .map(|name| (format!("src/{name}/index.ts"), "export function a() {}\n"));
        sources.extend(code);
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        assert!(
            found("module_layout", &sources).is_empty(),
            "an index that is the code"
        );
    }

    #[test]
    fn files_hold_one_class_and_are_named_after_it() {
        let sources: Vec<(String, String)> = [
            "OrderService",
            "UserService",
            "MailSender",
            "JobQueue",
            "HttpClient",
        ]
        .map(|name| {
            (
                format!("src/{}.ts", words(name, '-')),
                format!("export class {name} {{}}\n"),
            )
        })
        .into();
        let of = |sources: &[(String, String)]| {
            let sources: Vec<(&str, &str)> = sources
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect();
            found("module_layout", &sources)
        };
        assert_eq!(
            of(&sources),
            [
                "module_layout/typescript/file-names/kebab 5/5",
                "module_layout/typescript/types-a-file/one 5/5"
            ]
        );
        let mut mixed: Vec<(String, String)> = (0..16)
            .map(|n| {
                (
                    format!("src/part_{n}.ts"),
                    format!("export class A{n} {{}}\n"),
                )
            })
            .collect();
        mixed.extend((16..20).map(|n| {
            (
                format!("src/part_{n}.ts"),
                format!("export class A{n} {{}}\nexport class B{n} {{}}\n"),
            )
        }));
        assert!(
            !of(&mixed).iter().any(|key| key.contains("types-a-file")),
            "four of five is no habit of modules"
        );
        let several: Vec<(String, String)> = (0..6)
            .map(|n| {
                (
                    format!("src/m{n}.ts"),
                    format!("export class A{n} {{}}\nexport class B{n} {{}}\n"),
                )
            })
            .collect();
        assert!(of(&several).is_empty());
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("HTTPClient", '_'), "http_client");
        assert_eq!(words("OrderService2", '-'), "order-service2");
    }

    #[test]
    fn a_file_of_two_types_is_named_after_neither() {
        let mut sources: Vec<(String, String)> = (0..9)
            .map(|n| {
                (
                    format!("Sources/A{n}Part.swift"),
                    format!("public struct A{n}Part {{}}\n"),
                )
            })
            .collect();
        sources.push((
            "Sources/Generator.swift".into(),
            "public struct Shell {}\nstruct Generator {}\n".into(),
        ));
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert!(
            found("module_layout", &sources)
                .contains(&"module_layout/swift/file-names/same 9/9".to_owned())
        );
    }
}
