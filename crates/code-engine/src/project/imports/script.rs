//! TypeScript and JavaScript: relative imports with extensions and index files, `paths` of `tsconfig.json`, and
//! workspace packages by name.
//!
//! Longer than 450 lines: the resolver of one language family is one file.

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::super::SourceFile;
use super::super::manifest::{Manifest, json_with_comments};
use super::{Tree, Verdict, folder_of, name_of, path_join};
use crate::facts::Import;

const ENDINGS: &[&str] = &[
    "",
    ".ts",
    ".tsx",
    ".d.ts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".vue",
    ".svelte",
    "/index.ts",
    "/index.tsx",
    "/index.d.ts",
    "/index.js",
    "/index.jsx",
    "/index.mjs",
    "/index.cjs",
    "/index.mts",
];

/// Extensions in imports, which may name the built file, and the extensions of its source.
const BUILT: &[(&str, &[&str])] = &[
    (".js", &[".ts", ".tsx", ".d.ts", ".jsx"]),
    (".jsx", &[".tsx"]),
    (".mjs", &[".mts", ".d.mts"]),
    (".cjs", &[".cts", ".d.cts"]),
];

/// Extensions of code; other imported files (styles, images, data) are not modules.
const CODE: &[&str] = &[
    "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte",
];

/// How many `extends` of a configuration are followed.
const EXTENDS_MAX: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Resolver<'a> {
    /// The configurations by their folders.
    configs: FxHashMap<&'a str, Config>,
    /// The workspace's packages by their names.
    packages: FxHashMap<String, Package<'a>>,
    /// The folders of packages, with the `imports` of each: names that begin with `#`.
    package_folders: FxHashMap<&'a str, Vec<Mapping>>,
}

/// An entry of a package's map, and the files that it maps to.
#[derive(Debug, Clone)]
struct Mapping {
    /// The part before a `*`; the whole name if there is none.
    before: String,
    /// The part after a `*`.
    after: Option<String>,
    /// The targets under each condition, which may contain a `*`.
    targets: Vec<String>,
}

/// The resolution of names that are not relative, from a configuration.
#[derive(Debug, Clone, Default)]
struct Config {
    /// The base folder of such names.
    base: Option<String>,
    /// Each pattern: the parts before and after a `*`, and its target paths from the root, which may contain a `*`.
    paths: Vec<(String, Option<String>, Vec<String>)>,
}

#[derive(Debug)]
struct Package<'a> {
    folder: &'a str,
    /// The entry points that its manifest declares.
    mains: Vec<String>,
    /// Its `exports`.
    exports: Vec<Mapping>,
}

/// Whether an import takes the text of a file: Vite's `?raw`.
pub(super) fn is_text(module: &str) -> bool {
    module
        .split_once('?')
        .is_some_and(|(_, query)| query.split('&').any(|word| word == "raw"))
}

impl<'a> Resolver<'a> {
    pub(super) fn new(tree: &Tree<'a>, manifests: &'a [Manifest]) -> Self {
        let mut resolver = Self::default();
        let texts: FxHashMap<&str, &str> = manifests
            .iter()
            .filter(|one| is_config(name_of(&one.path)))
            .map(|one| (one.path.as_str(), one.text.as_str()))
            .collect();
        let mut sorted: Vec<&Manifest> = manifests.iter().collect();
        sorted.sort_by(|a, b| a.path.cmp(&b.path));
        for manifest in sorted {
            let folder = folder_of(&manifest.path);
            match name_of(&manifest.path) {
                "tsconfig.json" | "jsconfig.json" => {
                    let config = config_read(&manifest.path, &texts, 0);
                    resolver.configs.entry(folder).or_insert(config);
                }
                "package.json" => resolver.package(tree, manifest),
                _ => {}
            }
        }
        resolver
    }

    fn package(&mut self, tree: &Tree<'_>, manifest: &'a Manifest) {
        let Ok(value) = serde_json::from_str::<Value>(&manifest.text) else {
            return;
        };
        let folder = folder_of(&manifest.path);
        let imports = mappings(value.get("imports"), "");
        self.package_folders.insert(folder, imports);
        let Some(name) = value
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
        else {
            return;
        };
        if !folder.is_empty() && !tree.folders.contains(folder) {
            return;
        }
        let fields = ["source", "types", "module", "main"];
        let mains = fields
            .iter()
            .filter_map(|field| value.get(*field)?.as_str().map(str::to_owned));
        let package = Package {
            folder,
            mains: mains.collect(),
            exports: mappings(value.get("exports"), "."),
        };
        self.packages.entry(name.to_owned()).or_insert(package);
    }

    pub(super) fn resolve(
        &self,
        tree: &Tree<'a>,
        file: &SourceFile,
        import: &Import,
        to: &mut Vec<u32>,
    ) -> Verdict {
        // Imports may have a query for the bundler: `./worker?worker`.
        let name = import.module.split(['?', '!']).next().unwrap_or_default();
        if name.is_empty() || name.contains("://") {
            return Verdict::Elsewhere;
        }
        let folder = folder_of(&file.path);
        if name.starts_with("./") || name.starts_with("../") || name == "." || name == ".." {
            let found = path_join(folder, name).and_then(|path| module_file(tree, &path));
            return verdict(found, to, is_code(name));
        }
        if name.starts_with('#') {
            return verdict(self.by_own_map(tree, folder, name), to, is_code(name));
        }
        if let Some(config) = self.config(folder) {
            for (before, after, targets) in &config.paths {
                let Some(middle) = matched(name, before, after.as_deref()) else {
                    continue;
                };
                let found = targets.iter().find_map(|target| {
                    let path = target.replacen('*', middle, 1);
                    module_file(tree, &path_join("", &path)?)
                });
                // A catch-all pattern also matches names that are not modules of the project.
                let is_own = !before.is_empty()
                    && is_code(name)
                    && !targets.iter().all(|target| target.contains("node_modules"));
                if found.is_some() || is_own {
                    return verdict(found, to, is_own);
                }
            }
            let in_base = config
                .base
                .as_deref()
                .and_then(|base| module_file(tree, &path_join(base, name)?));
            if in_base.is_some() {
                return verdict(in_base, to, false);
            }
        }
        let found = self.in_package(tree, name);
        if found.is_some() {
            return verdict(found, to, false);
        }
        // A usual alias for `src` in bundlers.
        let Some(rest) = name.strip_prefix("@/").or_else(|| name.strip_prefix("~/")) else {
            return Verdict::Elsewhere;
        };
        let mut package = folder;
        while !package.is_empty() && !self.package_folders.contains_key(package) {
            package = folder_of(package);
        }
        let below =
            |folder: &str| module_file(tree, &path_join(package, &format!("{folder}{rest}"))?);
        verdict(below("src/").or_else(|| below("")), to, is_code(name))
    }

    fn config(&self, mut folder: &str) -> Option<&Config> {
        loop {
            match self.configs.get(folder) {
                Some(config) => return Some(config),
                None if folder.is_empty() => return None,
                None => folder = folder_of(folder),
            }
        }
    }

    /// Resolves a name by the `imports` of the package around the file.
    fn by_own_map(&self, tree: &Tree<'a>, mut folder: &str, name: &str) -> Option<u32> {
        while !folder.is_empty() && !self.package_folders.contains_key(folder) {
            folder = folder_of(folder);
        }
        mapped(tree, folder, self.package_folders.get(folder)?, name)
    }

    fn in_package(&self, tree: &Tree<'_>, name: &str) -> Option<u32> {
        let parts = if name.starts_with('@') { 2 } else { 1 };
        let ends = name
            .match_indices('/')
            .nth(parts - 1)
            .map_or(name.len(), |(at, _)| at);
        let (own, rest) = (&name[..ends], name[ends..].trim_start_matches('/'));
        let package = self.packages.get(own)?;
        let at = |path: &str| module_file(tree, &path_join(package.folder, path)?);
        let asked = if rest.is_empty() {
            ".".to_owned()
        } else {
            format!("./{rest}")
        };
        if let Some(found) = mapped(tree, package.folder, &package.exports, &asked) {
            return Some(found);
        }
        if rest.is_empty() {
            let mains = package.mains.iter().find_map(|main| at(main));
            return mains
                .or_else(|| at("src/index"))
                .or_else(|| at("src/main"))
                .or_else(|| at("index"));
        }
        at(rest).or_else(|| at(&format!("src/{rest}")))
    }
}

/// The entries of `imports` or `exports`: each name with its targets. A value without names belongs to `root`.
fn mappings(value: Option<&Value>, root: &str) -> Vec<Mapping> {
    let Some(value) = value else {
        return Vec::new();
    };
    let keyed = value
        .as_object()
        .filter(|map| map.keys().all(|key| key.starts_with(['.', '#'])));
    let entries: Vec<(&str, &Value)> = match keyed {
        Some(map) => map
            .iter()
            .map(|(key, target)| (key.as_str(), target))
            .collect(),
        None => vec![(root, value)],
    };
    let mapping = |(key, target): (&str, &Value)| {
        let (before, after) = match key.split_once('*') {
            Some((before, after)) => (before.to_owned(), Some(after.to_owned())),
            None => (key.to_owned(), None),
        };
        let mut targets = Vec::new();
        targets_collect(target, 0, &mut targets);
        Mapping {
            before,
            after,
            targets,
        }
    };
    let mut mappings: Vec<Mapping> = entries.into_iter().map(mapping).collect();
    // The most specific pattern first.
    mappings.sort_by(|a, b| {
        a.after
            .is_some()
            .cmp(&b.after.is_some())
            .then(b.before.len().cmp(&a.before.len()))
    });
    mappings
}

/// The files under all conditions (`import`, `types`, `default`), in their order.
fn targets_collect(value: &Value, depth: u32, targets: &mut Vec<String>) {
    const DEPTH_MAX: u32 = 6;
    match value {
        Value::String(target) => targets.push(target.clone()),
        Value::Array(several) if depth < DEPTH_MAX => {
            several
                .iter()
                .for_each(|one| targets_collect(one, depth + 1, targets));
        }
        Value::Object(conditions) if depth < DEPTH_MAX => {
            conditions
                .values()
                .for_each(|one| targets_collect(one, depth + 1, targets));
        }
        _ => {}
    }
}

/// The file that the map of the package in `folder` has for the name. For a built file, its source is returned.
fn mapped(tree: &Tree<'_>, folder: &str, mappings: &[Mapping], name: &str) -> Option<u32> {
    mappings.iter().find_map(|mapping| {
        let middle = matched(name, &mapping.before, mapping.after.as_deref())?;
        let targets = mapping
            .targets
            .iter()
            .map(|target| target.replace('*', middle));
        let targets: Vec<String> = targets.collect();
        let file = |path: &str| module_file(tree, &path_join(folder, path)?);
        let found = targets.iter().find_map(|target| file(target));
        found.or_else(|| targets.iter().find_map(|target| file(&source_of(target)?)))
    })
}

/// The source of a built file, by the usual folders: `./src/a` for `./dist/esm/a.js`.
fn source_of(target: &str) -> Option<String> {
    let rest = target.trim_start_matches("./");
    let rest = ["dist/", "build/", "lib/", "out/", "es/"]
        .iter()
        .find_map(|built| rest.strip_prefix(built))?;
    let rest = ["esm/", "cjs/", "types/", "es/"]
        .iter()
        .find_map(|kind| rest.strip_prefix(kind))
        .unwrap_or(rest);
    let stem = [".d.ts", ".d.mts", ".d.cts", ".js", ".mjs", ".cjs"]
        .iter()
        .find_map(|ending| rest.strip_suffix(ending));
    Some(format!("src/{}", stem.unwrap_or(rest)))
}

fn verdict(found: Option<u32>, to: &mut Vec<u32>, is_own: bool) -> Verdict {
    match found {
        Some(file) => {
            to.push(file);
            Verdict::Own
        }
        None if is_own => Verdict::Missing,
        None => Verdict::Elsewhere,
    }
}

/// The part of a name that a pattern's `*` matches; the whole name if the pattern has no `*`.
fn matched<'n>(name: &'n str, before: &str, after: Option<&str>) -> Option<&'n str> {
    match after {
        Some(after) => name.strip_prefix(before)?.strip_suffix(after),
        None => (name == before).then_some(""),
    }
}

/// Whether a name may be a module: it has no extension, or one of code. `./a.module` and `./jquery.min` count as names
/// without an extension.
fn is_code(name: &str) -> bool {
    match name_of(name).rsplit_once('.') {
        Some((_, ending)) => {
            CODE.contains(&ending)
                || !ending
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                || ending.len() > 5
        }
        None => true,
    }
}

fn module_file(tree: &Tree<'_>, path: &str) -> Option<u32> {
    if path.is_empty() {
        return tree.with_ending("index", &[".ts", ".tsx", ".js"]);
    }
    tree.with_ending(path, ENDINGS).or_else(|| {
        let built = BUILT
            .iter()
            .filter_map(|(built, written)| Some((path.strip_suffix(built)?, *written)));
        let mut built = built;
        built.find_map(|(stem, written)| tree.with_ending(stem, written))
    })
}

fn is_config(name: &str) -> bool {
    (name.starts_with("tsconfig") || name == "jsconfig.json") && name.ends_with(".json")
}

fn config_read(path: &str, texts: &FxHashMap<&str, &str>, hops: u32) -> Config {
    let Some(value) = texts.get(path).and_then(|text| json_with_comments(text)) else {
        return Config::default();
    };
    let folder = folder_of(path);
    let extended = match value.get("extends") {
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(several)) => several.last().and_then(Value::as_str),
        _ => None,
    };
    let mut config = extended
        .filter(|one| one.starts_with('.') && hops < EXTENDS_MAX)
        .and_then(|one| path_join(folder, one))
        .map(|one| {
            let named = if texts.contains_key(one.as_str()) {
                one
            } else {
                format!("{one}.json")
            };
            config_read(&named, texts, hops + 1)
        })
        .unwrap_or_default();
    let options = value.get("compilerOptions");
    let base = options.and_then(|options| options.get("baseUrl")?.as_str());
    if let Some(base) = base {
        config.base = path_join(folder, base);
    }
    let Some(paths) = options.and_then(|options| options.get("paths")?.as_object()) else {
        return config;
    };
    let from = base
        .and_then(|base| path_join(folder, base))
        .unwrap_or_else(|| folder.to_owned());
    config.paths = paths
        .iter()
        .map(|(pattern, targets)| {
            let (before, after) = match pattern.split_once('*') {
                Some((before, after)) => (before.to_owned(), Some(after.to_owned())),
                None => (pattern.clone(), None),
            };
            let targets = targets
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let targets = targets
                .filter_map(|target| path_join(&from, target))
                .collect();
            (before, after, targets)
        })
        .collect();
    // The most specific pattern first, as in the compiler.
    config.paths.sort_by(|a, b| {
        a.1.is_some()
            .cmp(&b.1.is_some())
            .then(b.0.len().cmp(&a.0.len()))
            .then_with(|| a.0.cmp(&b.0))
    });
    config
}
