//! The import direction between parts of a project: if one part imports another, the other imports nothing back. A
//! case is an import between files of the two parts. Type-only imports and imports by tests are excluded.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::super::language::Language;
use super::super::project::SourceFile;
use super::super::project::imports::{ImportKind, Parts, parts_find};
use super::super::project::manifest::{self, Manifest};
use super::{Answer, Case, Context, Pattern, Question, folder_of, name_of};

pub(crate) const KIND: &str = "import_direction";

/// The maximum number of reported pairs: those with the most imports. The layers of the project cover all pairs.
const PAIR_CAP: usize = 6;

/// The least share of imports in one direction. If every tenth import goes the other way, there is no direction.
const MIN_ONE_WAY: f64 = 0.95;

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut questions: Vec<Question<'_>> = questions(context);
    questions.sort_by(|a, b| {
        let by_cases = b.cases.len().cmp(&a.cases.len());
        by_cases.then_with(|| a.subject.cmp(&b.subject))
    });
    let decided = questions.iter().filter_map(|one| one.decide_whole(KIND));
    decided
        .filter(|one| f64::from(one.support) >= MIN_ONE_WAY * f64::from(one.cases))
        .take(PAIR_CAP)
        .collect()
}

/// The folders of a pattern of this kind: the one that imports, and the one that does not import back. `None` for other
/// patterns, and where the key was too long to hold them.
pub(crate) fn folders_of(pattern: &Pattern) -> Option<(&str, &str)> {
    let stack = pattern.stack.as_deref()?;
    let rest = pattern.key.strip_prefix(KIND)?.strip_prefix('/')?;
    let pair = rest.strip_prefix(stack)?.strip_prefix('/')?;
    pair.strip_suffix("/one-way")?.split_once('>')
}

/// The imports between two parts: first those by the first part, then those by the second.
type Between<'a> = [Vec<Case<'a>>; 2];

fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let files = context.known.files;
    let Some(index) = context.known.imports else {
        return Vec::new();
    };
    let wanted: Vec<u32> = context
        .source_at()
        .filter(|(_, file)| file.language.has_facts())
        .map(|(at, _)| at)
        .collect();
    let parts = parts_find(files, &wanted, context.known.manifests);
    let mut pairs: BTreeMap<(u32, u32), Between<'a>> = BTreeMap::new();
    for at in &wanted {
        let (Some(file), Some(from)) = (files.get(*at as usize).copied(), parts.of.get(at)) else {
            continue;
        };
        for edge in index.imports(*at) {
            let counts = matches!(
                edge.kind,
                ImportKind::Loaded | ImportKind::PassedOn | ImportKind::Deferred
            );
            let Some(to) = parts.of.get(&edge.to).filter(|to| counts && *to != from) else {
                continue;
            };
            let pair = ((*from).min(*to), (*from).max(*to));
            let side = usize::from(from > to);
            pairs.entry(pair).or_default()[side].push(Case::line(file, edge.line, 0));
        }
    }
    let name = |part: u32| parts.folders.get(part as usize).map_or("", String::as_str);
    let names = Names::read(files, &wanted, &parts);
    pairs.retain(|(first, second), [of_first, of_second]| {
        let (upper, lower) = if of_first.len() >= of_second.len() {
            (*first, *second)
        } else {
            (*second, *first)
        };
        // If the lower part mentions the upper one's name, it may have an unresolved import of the upper one.
        !of_first.is_empty() && !of_second.is_empty() || !names.in_part(lower, upper)
    });
    // Go's compiler rejects import cycles between packages, so a folder of a single package shows no convention. The
    // same holds for the targets of Swift's package manager, which Swift files import.
    pairs.retain(|_, sides| {
        let mut cases = sides.iter().flatten();
        !cases.any(|case| case.file.language == Language::Swift)
    });
    pairs.retain(|(first, second), [of_first, of_second]| {
        let lower = if of_first.len() >= of_second.len() {
            *second
        } else {
            *first
        };
        let packages: BTreeSet<&str> = wanted
            .iter()
            .filter(|at| parts.of.get(*at) == Some(&lower))
            .filter_map(|at| files.get(*at as usize))
            .filter(|file| file.language == Language::Go)
            .map(|file| folder_of(&file.path))
            .collect();
        packages.len() != 1
    });
    // If one package declares the other as a dependency, the tools of most languages reject the other direction.
    let manifests = context.known.manifests;
    pairs.retain(|(first, second), _| {
        !is_declared(manifests, name(*first), name(*second))
            && !is_declared(manifests, name(*second), name(*first))
    });
    // A folder and one inside it have no order: the outer one contains both common code and the code that combines the
    // inner folders.
    pairs.retain(|(first, second), _| {
        let is_in = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            outer == "." || rest.is_some_and(|rest| rest.starts_with('/'))
        };
        !is_in(name(*first), name(*second)) && !is_in(name(*second), name(*first))
    });
    let questions = pairs.into_iter().map(|((first, second), [mut of_first, of_second])| {
        // The upper part is the one that imports more.
        let (upper, lower) = if of_first.len() >= of_second.len() {
            (name(first), name(second))
        } else {
            (name(second), name(first))
        };
        let back = of_first.len().min(of_second.len());
        let is_first = of_first.len() >= of_second.len();
        let mut cases = Vec::with_capacity(of_first.len() + of_second.len());
        for (mut side, is_upper) in [(std::mem::take(&mut of_first), is_first), (of_second, !is_first)] {
            for case in &mut side {
                case.answer = usize::from(!is_upper);
            }
            cases.append(&mut side);
        }
        let title = match back {
            0 => format!("Nothing in `{lower}` imports `{upper}`"),
            _ => format!("`{upper}` imports `{lower}`, and hardly ever the other way round"),
        };
        Question {
            subject: format!("{upper}>{lower}").into(),
            stack: stack_of(&cases),
            answers: vec![
                Answer::rule(
                    "one-way",
                    title,
                    format!(
                        "Code in `{upper}` may import from `{lower}`; do not import from `{upper}` in `{lower}`."
                    ),
                ),
                Answer::other("back"),
            ],
            cases,
        }
    });
    questions.collect()
}

/// Whether the manifests in one folder declare a package of the other folder as a dependency.
fn is_declared(manifests: &[Manifest], user: &str, used: &str) -> bool {
    let of = |folder: &str| {
        let inside = manifests
            .iter()
            .filter(|one| folder_of(&one.path) == folder);
        manifest::read(inside)
    };
    let (user, used) = (of(user), of(used));
    let mut names = used.own.iter().filter(|name| !user.own.contains(name));
    names.any(|name| user.dependencies.contains(name) || user.tools.contains(name))
}

/// The names of parts, where other parts mention them: in imports, or in a path to a name. An import that resolves to
/// no file of the project may still mean one of its parts.
struct Names {
    written: BTreeSet<(u32, u32)>,
}

impl Names {
    fn read(files: &[&SourceFile], wanted: &[u32], parts: &Parts) -> Names {
        let mut named: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        for (part, folder) in (0u32..).zip(&parts.folders) {
            named.entry(word(name_of(folder))).or_default().push(part);
        }
        let mut written = BTreeSet::new();
        let mut common = String::new();
        for at in wanted {
            let (Some(file), Some(from)) = (files.get(*at as usize), parts.of.get(at)) else {
                continue;
            };
            let mut note = |text: &str| {
                for one in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))) {
                    common.clear();
                    word_push(one, &mut common);
                    if let Some(parts) = named.get(&common) {
                        written.extend(parts.iter().map(|to| (*from, *to)));
                    }
                }
            };
            for import in file.facts.imports.iter().filter(|import| !import.test) {
                note(&import.module);
                note(&import.names);
            }
            // In these languages a full path can be used without an import.
            let inline = matches!(
                file.language,
                Language::Rust
                    | Language::Java
                    | Language::Kotlin
                    | Language::Scala
                    | Language::CSharp
                    | Language::Php
                    | Language::Cpp
            );
            if inline {
                for one in file.facts.references.iter().filter(|one| !one.test) {
                    if let Some((before, _)) = one.path.rsplit_once('.') {
                        note(before);
                    }
                }
            }
        }
        Names { written }
    }

    fn in_part(&self, part: u32, named: u32) -> bool {
        self.written.contains(&(part, named))
    }
}

/// The common form of a name of a folder, package or module: `axum-core` is `axum_core`.
fn word(name: &str) -> String {
    let mut word = String::new();
    word_push(name, &mut word);
    word
}

fn word_push(name: &str, word: &mut String) {
    let letters = name.chars();
    word.extend(letters.map(|letter| match letter {
        '-' => '_',
        letter => letter.to_ascii_lowercase(),
    }));
}

/// The language of most cases.
fn stack_of(cases: &[Case<'_>]) -> Language {
    let mut counts: BTreeMap<Language, usize> = BTreeMap::new();
    for case in cases {
        *counts.entry(case.file.language.stack()).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(stack, count)| (*count, std::cmp::Reverse(*stack)));
    most.map_or(Language::Text, |(stack, _)| stack)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, found_with};
    use crate::project::Manifest;

    fn project(back: usize) -> Vec<String> {
        let mut sources: Vec<(String, String)> = Vec::new();
        for n in 0..8 {
            let import =
                format!("import {{ m{n} }} from '../model/m{n}';\nexport const h{n} = m{n};\n");
            sources.push((format!("src/http/h{n}.ts"), import));
            let import = match n < back {
                true => {
                    format!("import {{ h{n} }} from '../http/h{n}';\nexport const m{n} = h{n};\n")
                }
                false => format!("export const m{n} = 1;\n"),
            };
            sources.push((format!("src/model/m{n}.ts"), import));
        }
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        found("import_direction", &sources)
    }

    #[test]
    fn the_part_that_is_imported_imports_nothing_back() {
        assert_eq!(
            project(0),
            ["import_direction/typescript/src/http>src/model/one-way 8/8"]
        );
    }

    #[test]
    fn a_way_back_that_leads_to_no_file_is_a_way_back() {
        let mut sources: Vec<(String, String)> = Vec::new();
        for n in 0..6 {
            let text =
                format!("import {{ m{n} }} from '../model/m{n}';\nexport const h{n} = m{n};\n");
            sources.push((format!("src/http/h{n}.ts"), text));
            let text = format!("import {{ x }} from '@app/http/server';\nexport const m{n} = x;\n");
            sources.push((format!("src/model/m{n}.ts"), text));
        }
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert!(found("import_direction", &sources).is_empty());
    }

    #[test]
    fn what_the_compiler_of_go_dictates_is_no_direction() {
        let of = |lower: [&str; 2]| {
            let mut sources: Vec<(String, String)> = Vec::new();
            for n in 0..8 {
                let text = format!(
                    "package http\n\nimport \"example.org/shop/{}\"\n\nfunc H{n}() {{ model.M() }}\n",
                    lower[n % 2]
                );
                sources.push((format!("http/h{n}/h.go"), text));
            }
            for folder in lower {
                sources.push((
                    format!("{folder}/m.go"),
                    "package model\n\nfunc M() {}\n".to_owned(),
                ));
            }
            let sources: Vec<(&str, &str)> = sources
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect();
            let manifests = [Manifest {
                path: "go.mod".to_owned(),
                text: "module example.org/shop\n".to_owned(),
            }];
            found_with("import_direction", &sources, &manifests)
        };
        assert_eq!(
            of(["model/a", "model/b"]),
            ["import_direction/go/http>model/one-way 8/8"]
        );
        assert!(of(["model", "model"]).is_empty());
    }

    #[test]
    fn between_packages_what_is_declared_is_no_direction() {
        let text = "import { schema } from 'kit';\nexport const a = schema;\n".to_owned();
        let mut sources: Vec<(String, String)> = (0..8)
            .map(|n| (format!("packages/check/src/c{n}.ts"), text.clone()))
            .collect();
        let kit = (0..8).map(|n| {
            (
                format!("packages/kit/src/k{n}.ts"),
                "export const k = 1;\n".to_owned(),
            )
        });
        sources.extend(kit);
        sources.push((
            "packages/kit/src/index.ts".to_owned(),
            "export const schema = 1;\n".to_owned(),
        ));
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let of = |needs: &str| {
            let kit = r#"{"name": "kit", "exports": {".": "./src/index.ts"}}"#;
            let manifests = [("check", needs), ("kit", kit)].map(|(folder, text)| Manifest {
                path: format!("packages/{folder}/package.json"),
                text: text.to_owned(),
            });
            found_with("import_direction", &sources, &manifests)
        };
        assert_eq!(of(r#"{"name": "check"}"#).len(), 1);
        assert!(of(r#"{"name": "check", "dependencies": {"kit": "workspace:*"}}"#).is_empty());
    }

    #[test]
    fn parts_that_import_each_other_have_no_direction() {
        assert!(project(8).is_empty());
        assert!(project(1).is_empty(), "one in nine is no exception");
    }
}
