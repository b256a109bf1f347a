//! The versions of packages, from lock files or else manifests, and the language version that the project declares.

mod elsewhere;
mod locks;
mod manifests;

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::frameworks::is_anothers;
use super::imports::{folder_of, name_of};
use super::manifest::{Ecosystem, Manifest, is_requirements};
use crate::language::Language;

/// The maximum length of a version, in bytes.
const VERSION_CAP: usize = 60;

/// The versions in a project's manifests and lock files.
#[derive(Debug, Default)]
pub(super) struct Versions {
    packages: FxHashMap<(Ecosystem, String), String>,
    languages: BTreeMap<Language, String>,
}

impl Versions {
    /// Reads the manifests and lock files. If they differ, the one nearer to the top takes precedence. At equal depth
    /// it is the one with more of the project's files below it: that of the application, not that of its documentation.
    /// Within one file, the higher version counts.
    pub fn new<'m>(
        manifests: impl IntoIterator<Item = &'m Manifest>,
        files_below: impl Fn(&str) -> usize,
    ) -> Versions {
        let mut manifests: Vec<&Manifest> = manifests.into_iter().collect();
        manifests.sort_by_cached_key(|one| {
            let weight = Reverse(files_below(folder_of(&one.path)));
            (one.path.matches('/').count(), weight, one.path.as_str())
        });
        let elsewhere = Elsewhere::new(&manifests);
        let mut versions = Versions::default();
        // A lock file takes precedence over the manifests in its folder, but not over those above it.
        for of_folder in manifests.chunk_by(|a, b| folder_of(&a.path) == folder_of(&b.path)) {
            let mut reader = Reader {
                elsewhere: &elsewhere,
                ..Reader::default()
            };
            for manifest in of_folder {
                reader.read(manifest);
            }
            // The version that the workspace root uses takes precedence over a version that is pinned in a part of it.
            let known = reader
                .root
                .into_iter()
                .chain(reader.locked)
                .chain(reader.asked);
            for (package, version) in known {
                versions.packages.entry(package).or_insert(version);
            }
            for (language, version) in reader.languages {
                versions.languages.entry(language).or_insert(version);
            }
        }
        versions
    }

    /// The version of the first package with a known one. In Maven, packages are prefixes of groups.
    pub fn package(&self, ecosystem: Ecosystem, packages: &[&str]) -> Option<String> {
        packages.iter().find_map(|package| {
            if ecosystem != Ecosystem::Maven {
                return self
                    .packages
                    .get(&(ecosystem, (*package).to_owned()))
                    .cloned();
            }
            let known = self.packages.iter();
            let of_group = known.filter(|((other, group), _)| {
                *other == ecosystem && group.starts_with(package) && !is_anothers(group, package)
            });
            let first = of_group.min_by_key(|((_, group), _)| group.as_str());
            first.map(|(_, version)| version.clone())
        })
    }

    /// The version of the language that the project requires; for JavaScript it is Node's.
    pub fn language(&self, language: Language) -> Option<String> {
        if language == Language::TypeScript {
            return self.package(Ecosystem::Npm, &["typescript"]);
        }
        self.languages.get(&language).cloned()
    }
}

/// Versions in another manifest than the reference to them: catalogs of workspaces, properties of Maven parents.
#[derive(Debug, Default)]
struct Elsewhere {
    /// By catalog (empty for the default one) and package.
    catalogs: FxHashMap<(String, String), String>,
    /// The properties of Maven, where those nearer to the top take precedence.
    properties: FxHashMap<String, String>,
}

/// The default: no versions elsewhere.
static NOWHERE: LazyLock<Elsewhere> = LazyLock::new(Elsewhere::default);

struct Reader<'e> {
    elsewhere: &'e Elsewhere,
    /// The versions that the workspace root uses, from a lock file.
    root: FxHashMap<(Ecosystem, String), String>,
    locked: FxHashMap<(Ecosystem, String), String>,
    asked: FxHashMap<(Ecosystem, String), String>,
    languages: BTreeMap<Language, String>,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Reader {
            elsewhere: &NOWHERE,
            root: FxHashMap::default(),
            locked: FxHashMap::default(),
            asked: FxHashMap::default(),
            languages: BTreeMap::new(),
        }
    }
}

impl Reader<'_> {
    fn read(&mut self, manifest: &Manifest) {
        let text = manifest.text.as_str();
        let name = name_of(&manifest.path);
        match name {
            "Cargo.lock" => self.lock_tables(Ecosystem::Cargo, text),
            "poetry.lock" | "uv.lock" | "pdm.lock" => self.lock_tables(Ecosystem::PyPi, text),
            "package-lock.json" | "npm-shrinkwrap.json" => self.npm_lock(text),
            "yarn.lock" => self.yarn_lock(text),
            "pnpm-lock.yaml" => self.pnpm_lock(text),
            "bun.lock" => self.bun_lock(text),
            "Pipfile.lock" => self.pipfile_lock(text),
            "composer.lock" => self.composer_lock(text),
            "Gemfile.lock" => self.gemfile_lock(text),
            "packages.lock.json" => self.nuget_lock(text),
            "Package.resolved" => self.swift_lock(text),
            "libs.versions.toml" => self.gradle_catalog(text),
            "Cargo.toml" => self.cargo(text),
            "package.json" => self.npm(text),
            "pyproject.toml" => self.pyproject(text),
            "setup.py" | "setup.cfg" => self.setup(text),
            "composer.json" => self.composer(text),
            "go.mod" => self.go_mod(text),
            "pom.xml" => self.pom(text),
            "build.gradle" | "build.gradle.kts" => self.gradle(text),
            "build.sbt" => self.sbt(text),
            "Gemfile" => self.gemfile(text),
            "Package.swift" => self.swift(text),
            "rust-toolchain" | "rust-toolchain.toml" => self.rust_toolchain(text),
            ".python-version" => {
                self.language(Language::Python, text.lines().next().unwrap_or_default())
            }
            ".ruby-version" => {
                self.language(Language::Ruby, text.trim().trim_start_matches("ruby-"))
            }
            ".nvmrc" | ".node-version" => {
                self.language(Language::JavaScript, text.trim().trim_start_matches('v'))
            }
            _ if name.ends_with(".csproj") || name.ends_with(".props") => self.csproj(text),
            _ if is_requirements(&manifest.path) => {
                for line in text.lines() {
                    self.requirement(line);
                }
            }
            _ => {}
        }
    }

    fn lock(&mut self, ecosystem: Ecosystem, name: &str, version: &str) {
        keep(&mut self.locked, ecosystem, name, version);
    }

    fn lock_root(&mut self, ecosystem: Ecosystem, name: &str, version: &str) {
        keep(&mut self.root, ecosystem, name, version);
    }

    fn ask(&mut self, ecosystem: Ecosystem, name: &str, version: &str) {
        keep(&mut self.asked, ecosystem, name, version);
    }

    fn language(&mut self, language: Language, version: &str) {
        let version = version.trim();
        if version.bytes().any(|byte| byte.is_ascii_digit())
            && version.len() <= VERSION_CAP
            && !version.contains(['$', '\n'])
        {
            self.languages
                .entry(language)
                .or_insert_with(|| version.to_owned());
        }
    }
}

/// Stores a version of a package if it is valid; the higher of two versions.
fn keep(
    into: &mut FxHashMap<(Ecosystem, String), String>,
    ecosystem: Ecosystem,
    name: &str,
    version: &str,
) {
    let version = version.trim();
    let is_version = version.len() <= VERSION_CAP
        && version.bytes().any(|byte| byte.is_ascii_digit())
        && !version.contains(['$', '{', '\\', '\n']);
    if name.is_empty() || !is_version {
        return;
    }
    let known = into.entry((ecosystem, name.to_owned())).or_default();
    if known.is_empty() || version_compare(version, known) == Ordering::Greater {
        version.clone_into(known);
    }
}

/// Compares two versions by their numbers. If one is a prefix of the other, the longer is higher.
fn version_compare(one: &str, other: &str) -> Ordering {
    let numbers = |version: &str| -> Vec<u64> {
        let release = version
            .split(['-', '+'])
            .next()
            .unwrap_or(version)
            .to_owned();
        let parts = release
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty());
        parts.map(|part| part.parse().unwrap_or(u64::MAX)).collect()
    };
    numbers(one).cmp(&numbers(other))
}

/// Returns the value of `key = "value"`.
fn toml_string<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let value = line
        .strip_prefix(key)?
        .trim_start()
        .strip_prefix('=')?
        .trim();
    value.strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests;
