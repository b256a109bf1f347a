//! The stack of a project: languages and frameworks, from manifests and imports.

mod bundlers;
mod modules;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::frameworks::{FRAMEWORKS, Framework};
use super::imports::folder_of;
use super::manifest::{self, Ecosystem, Manifest, Packages};
use super::role::{self, Role};
use super::versions::Versions;
use super::{LanguageShare, SourceFile};
use crate::language::Language;
use modules::Modules;

/// A language or framework of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technology {
    /// Its name: a language's stable name, or the framework's.
    pub name: String,
    /// Whether it is a language or a framework.
    pub kind: TechnologyKind,
    /// The language it is used from; for a language, itself.
    pub language: Language,
    /// Its version, from a lock file, or else as a manifest requires it; `None` if neither has one.
    pub version: Option<String>,
    /// The number of source files in the language, or with imports of the framework; 0 if only a manifest declares it.
    pub files: u32,
}

/// The kind of a [`Technology`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TechnologyKind {
    /// A language.
    Language,
    /// A framework or library that shapes the code that uses it.
    Framework,
}

/// The purpose of a project's command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandPurpose {
    /// Installs the dependencies of the project.
    Install,
    /// Builds it.
    Build,
    /// Tests it.
    Test,
    /// Checks it: lints and types.
    Lint,
    /// Formats it.
    Format,
    /// Starts it.
    Run,
}

/// A command that the project's own files name or imply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectCommand {
    /// Its purpose.
    pub purpose: CommandPurpose,
    /// The command, to be run in the folder of `path`; for a workflow of continuous integration, at the top.
    pub command: String,
    /// The file that contains or implies it.
    pub path: String,
    /// The line that contains it, 1-based; `None` if the presence of the file implies it.
    pub line: Option<u32>,
    /// The source of the file, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}

/// The least share of a language in the lines of source for it to be part of the stack, in percent; with frameworks the
/// lower share suffices. A smaller share is a script at the edge of the project.
const LANGUAGE_PERCENT: u64 = 4;
const WITH_FRAMEWORK_PERCENT: u64 = 1;

/// Finds the stack. A framework is part of it if the project's source imports it, or if a manifest declares it as a
/// run-time dependency. Frameworks that only tests and examples use, or one of many optional modules, and the project's
/// own packages, are not part of it.
pub(crate) fn find(
    files: &[&SourceFile],
    shares: &[LanguageShare],
    manifests: &[Manifest],
) -> Vec<Technology> {
    let own = manifests
        .iter()
        .filter(|manifest| role::of(&manifest.path) == Role::Source);
    let own: Vec<&Manifest> = own.collect();
    let packages = manifest::read(own.iter().copied());
    let mut below: FxHashMap<&str, usize> = FxHashMap::default();
    for file in files
        .iter()
        .filter(|file| role::of(&file.path) == Role::Source)
    {
        let mut folder = folder_of(&file.path);
        while !folder.is_empty() {
            *below.entry(folder).or_default() += 1;
            folder = folder_of(folder);
        }
    }
    let builders = bundlers::builders(&own);
    let versions = Versions::new(own, |folder| below.get(folder).copied().unwrap_or(0));
    let modules = Modules::new(files, manifests);
    let mut frameworks = frameworks_find(files, &modules, &packages, &versions);
    frameworks.retain(|one| bundlers::is_of_stack(one, files, &builders));
    let mut languages: BTreeMap<Language, (u32, u32)> = BTreeMap::new();
    for share in shares {
        let (files, lines) = languages.entry(share.language.stack()).or_default();
        *files += share.files;
        *lines += share.lines_of_code;
    }
    let mut languages: Vec<(Language, u32, u32)> = languages
        .into_iter()
        .map(|(l, (files, lines))| (l, files, lines))
        .collect();
    languages.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    // Tests and documentation may use any language, and build recipes are not part of the product.
    let mut of_source: BTreeMap<Language, u64> = BTreeMap::new();
    let counted = files
        .iter()
        .filter(|file| role::of(&file.path) == Role::Source && !is_recipe(&file.path));
    for file in counted {
        let lines = of_source.entry(file.language.stack()).or_default();
        *lines += u64::from(file.facts.lines.code);
    }
    of_source.retain(|language, _| is_stack(*language));
    let all: u64 = of_source.values().sum();
    let mut stack = Vec::new();
    for (language, files, _) in languages {
        if !is_stack(language) {
            continue;
        }
        let mut of_language: Vec<&Technology> = frameworks
            .iter()
            .filter(|one| one.language == language)
            .collect();
        let lines = of_source.get(&language).copied().unwrap_or(0);
        let least = match of_language.is_empty() {
            true => LANGUAGE_PERCENT,
            false => WITH_FRAMEWORK_PERCENT,
        };
        if all > 0 && lines * 100 < all * least {
            continue;
        }
        stack.push(Technology {
            name: language.as_str().to_owned(),
            kind: TechnologyKind::Language,
            language,
            version: versions.language(language),
            files,
        });
        of_language.sort_by(|a, b| b.files.cmp(&a.files).then_with(|| a.name.cmp(&b.name)));
        stack.extend(of_language.into_iter().cloned());
    }
    stack
}

/// Whether a project can be built on the language. Languages of pages, queries, interfaces and recipes are among the
/// project's languages, but not part of its stack.
fn is_stack(language: Language) -> bool {
    use Language as L;
    !matches!(
        language,
        L::Html
            | L::Css
            | L::Scss
            | L::Sql
            | L::Template
            | L::GraphQl
            | L::Protobuf
            | L::Make
            | L::CMake
            | L::Meson
            | L::Dockerfile
    )
}

/// Folders at the top with scripts for the development of the project.
const SCRIPT_FOLDERS: &[&str] = &[
    "ci", "dev", "hack", "script", "scripts", "support", "tools", "utils",
];

/// Whether a file is a build recipe in the language of a build tool, or a script outside of the project's source.
pub(super) fn is_recipe(path: &str) -> bool {
    let first = path.split_once('/').map_or("", |(first, _)| first);
    if SCRIPT_FOLDERS.contains(&first) {
        return true;
    }
    [
        ".gradle",
        ".gradle.kts",
        ".sbt",
        "Rakefile",
        "Gemfile",
        ".gemspec",
    ]
    .iter()
    .any(|end| path.ends_with(end))
}

fn frameworks_find<'a>(
    files: &[&'a SourceFile],
    modules: &Modules<'a>,
    packages: &Packages,
    versions: &Versions,
) -> Vec<Technology> {
    let sources: Vec<&SourceFile> = files
        .iter()
        .copied()
        .filter(|file| role::of(&file.path) == Role::Source)
        .collect();
    let uses = Uses::new(files, modules);
    let mut found = Vec::new();
    let of_all = FRAMEWORKS.iter().zip(&uses.by_framework).zip(&uses.modules);
    for ((framework, by_language), users) in of_all {
        if framework.is_own(&packages.own) {
            continue;
        }
        // A development tool is imported only by tests, or only declared.
        let is_tool = framework.is_tool();
        // One API shows no platform.
        let is_part = framework.is_platform()
            && !framework.is_named_in(&packages.dependencies)
            && apis(&sources, framework) < 2;
        if is_part || (!is_tool && modules.is_optional(framework.ecosystem, users)) {
            continue;
        }
        // Libraries that a gem uses if they are present (`if defined?(::Rails)`), or that only its sample applications
        // use, are not dependencies.
        let is_for_gem = framework.ecosystem == Ecosystem::Gem && packages.is_gem && !is_tool;
        if is_for_gem && !framework.is_named_in(&packages.dependencies) {
            continue;
        }
        let most = by_language
            .iter()
            .max_by_key(|(language, count)| (**count, std::cmp::Reverse(**language)));
        let (language, files) = match most {
            Some((language, _)) => {
                let imports: u32 = by_language.values().sum();
                let of_ecosystem = uses.files_of(framework);
                // At least two of a hundred files must import it: fewer are not typical of the project.
                let is_asked = is_tool && framework.is_named_in(&packages.tools);
                if !is_asked && u64::from(imports) * 50 < of_ecosystem {
                    continue;
                }
                (*language, imports)
            }
            None if (framework.ecosystem.may_be_used_unimported()
                && framework.is_named_in(&packages.dependencies))
                || (framework.is_built_with() && framework.is_named_in(&packages.dependencies))
                || (is_tool && framework.is_named_in(&packages.tools)) =>
            {
                let Some(language) = main_language(&sources, framework.ecosystem) else {
                    continue;
                };
                (language, 0)
            }
            None => continue,
        };
        found.push(Technology {
            name: framework.name.to_owned(),
            kind: TechnologyKind::Framework,
            language,
            version: versions.package(framework.ecosystem, framework.packages),
            files,
        });
    }
    found
}

/// The number of a platform's APIs that the sources import: of `jakarta.persistence.Id`, `persistence` is one.
fn apis(sources: &[&SourceFile], platform: &Framework) -> usize {
    let imports = sources.iter().flat_map(|file| &file.facts.imports);
    let apis = imports.filter_map(|import| {
        let mut own = platform.modules.iter();
        let rest = own.find_map(|own| import.module.strip_prefix(own))?;
        rest.split('.').next()
    });
    apis.collect::<BTreeSet<&str>>().len()
}

/// Counts the files that import each framework.
#[derive(Debug, Default)]
struct Uses<'a> {
    /// For each framework, in the order of the table, the number of importing files by language.
    by_framework: Vec<BTreeMap<Language, u32>>,
    /// For each framework, the modules of those files.
    modules: Vec<BTreeSet<&'a str>>,
    /// The number of files of each ecosystem: source, and tests.
    files: FxHashMap<Ecosystem, [u64; 2]>,
}

impl<'a> Uses<'a> {
    fn new(files: &[&'a SourceFile], modules: &Modules<'a>) -> Uses<'a> {
        let mut uses = Uses {
            by_framework: vec![BTreeMap::new(); FRAMEWORKS.len()],
            modules: vec![BTreeSet::new(); FRAMEWORKS.len()],
            ..Uses::default()
        };
        // Cached by module, because most files import the same modules.
        let mut known: FxHashMap<(Ecosystem, &str), Vec<usize>> = FxHashMap::default();
        for file in files {
            let is_test = match role::of(&file.path) {
                Role::Source => false,
                Role::Test => true,
                _ => continue,
            };
            let Some(ecosystem) = Ecosystem::of(file.language) else {
                continue;
            };
            uses.files.entry(ecosystem).or_default()[usize::from(is_test)] += 1;
            let mut imported: BTreeSet<usize> = BTreeSet::new();
            for import in &file.facts.imports {
                let key = (ecosystem, import.module.as_str());
                let frameworks = known.entry(key).or_insert_with(|| {
                    let all = FRAMEWORKS.iter().enumerate();
                    all.filter(|(_, one)| {
                        one.ecosystem == ecosystem && one.is_imported_by(&import.module)
                    })
                    .map(|(at, _)| at)
                    .collect()
                });
                let counts = |at: &&usize| FRAMEWORKS[**at].is_tool() || !(is_test || import.test);
                imported.extend(frameworks.iter().filter(counts));
            }
            for at in imported {
                *uses.by_framework[at]
                    .entry(file.language.stack())
                    .or_default() += 1;
                uses.modules[at].insert(modules.of(&file.path));
            }
        }
        uses
    }

    /// The number of files that could import a framework.
    fn files_of(&self, framework: &Framework) -> u64 {
        let [sources, tests] = self
            .files
            .get(&framework.ecosystem)
            .copied()
            .unwrap_or_default();
        if framework.is_tool() {
            sources + tests
        } else {
            sources
        }
    }
}

/// The language of an ecosystem that most of a project's files are in.
fn main_language(files: &[&SourceFile], ecosystem: Ecosystem) -> Option<Language> {
    let mut counts: BTreeMap<Language, u32> = BTreeMap::new();
    for file in files
        .iter()
        .filter(|file| Ecosystem::of(file.language) == Some(ecosystem))
    {
        *counts.entry(file.language.stack()).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(language, count)| (*count, std::cmp::Reverse(*language)))
        .map(|(language, _)| language)
}

#[cfg(test)]
mod tests;
