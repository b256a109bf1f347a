//! Ruby (`require_relative`, `require` from `lib`), PHP (PSR-4 by `composer.json`, `require` of a path) and shell
//! scripts (`source`).

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::super::SourceFile;
use super::super::manifest::Manifest;
use super::{Tree, Verdict, ends_with_parts, folder_of, name_of, nearest, path_join};
use crate::facts::Import;
use crate::language::Language;

#[derive(Debug, Default)]
pub(super) struct Resolver<'a> {
    /// PHP's namespaces with their folders, longest first.
    namespaces: Vec<(String, String)>,
    /// Files by their names without extensions.
    by_stem: FxHashMap<&'a str, Vec<u32>>,
}

/// The maximum number of candidate files.
const CANDIDATES_MAX: usize = 64;

impl<'a> Resolver<'a> {
    pub(super) fn new(tree: &Tree<'a>, manifests: &'a [Manifest]) -> Self {
        let mut resolver = Self::default();
        for (at, file) in tree.of_languages(&[Language::Ruby, Language::Php]) {
            let name = name_of(&file.path);
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            resolver.by_stem.entry(stem).or_default().push(at);
        }
        for manifest in manifests
            .iter()
            .filter(|one| name_of(&one.path) == "composer.json")
        {
            let Ok(value) = serde_json::from_str::<Value>(&manifest.text) else {
                continue;
            };
            let folder = folder_of(&manifest.path);
            for part in ["autoload", "autoload-dev"] {
                let rules = value
                    .get(part)
                    .and_then(|part| part.get("psr-4")?.as_object());
                for (namespace, folders) in rules.into_iter().flatten() {
                    let folders: Vec<&Value> = match folders {
                        Value::Array(several) => several.iter().collect(),
                        one => vec![one],
                    };
                    let folders = folders.into_iter().filter_map(Value::as_str);
                    for below in folders.filter_map(|below| path_join(folder, below)) {
                        let namespace = namespace.trim_matches('\\').replace('\\', "/");
                        resolver.namespaces.push((namespace, below));
                    }
                }
            }
        }
        resolver
            .namespaces
            .sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        resolver
    }

    pub(super) fn resolve(
        &self,
        tree: &Tree<'a>,
        file: &SourceFile,
        import: &Import,
        to: &mut Vec<u32>,
    ) -> Verdict {
        let written = import.module.trim().trim_matches(['"', '\'']);
        match file.language {
            Language::Ruby => self.ruby(tree, file, written, to),
            Language::Php => self.php(tree, file, written, to),
            _ => {
                beside(tree, file, written, &["", ".sh", ".bash"], to).unwrap_or(Verdict::Elsewhere)
            }
        }
    }

    fn ruby(
        &self,
        tree: &Tree<'_>,
        file: &SourceFile,
        written: &str,
        to: &mut Vec<u32>,
    ) -> Verdict {
        let stem = written.strip_suffix(".rb").unwrap_or(written);
        if stem.starts_with('.') {
            return beside(tree, file, stem, &[".rb", "/init.rb"], to).unwrap_or(Verdict::Missing);
        }
        let in_lib = |one: &u32| {
            let path = tree.path(*one).strip_suffix(".rb").unwrap_or_default();
            path.strip_suffix(stem).is_some_and(|folder| {
                let folder = folder.trim_end_matches('/');
                ends_with_parts(folder, "lib") || folder.is_empty()
            })
        };
        let candidates: Vec<u32> = self.candidates(name_of(stem)).filter(in_lib).collect();
        match nearest(tree, &file.path, &candidates) {
            Some(found) => {
                to.push(found);
                Verdict::Own
            }
            None => Verdict::Elsewhere,
        }
    }

    fn php(&self, tree: &Tree<'_>, file: &SourceFile, written: &str, to: &mut Vec<u32>) -> Verdict {
        if written.ends_with(".php") {
            let path = written.trim_start_matches('/');
            return beside(tree, file, path, &[""], to).unwrap_or(Verdict::Missing);
        }
        let class = written.trim_matches('\\').replace('\\', "/");
        for (namespace, folder) in &self.namespaces {
            let rest = if namespace.is_empty() {
                Some(class.as_str())
            } else {
                class.strip_prefix(namespace.as_str())
            };
            let Some(rest) = rest.filter(|rest| namespace.is_empty() || rest.starts_with('/'))
            else {
                continue;
            };
            let found = path_join(folder, rest).and_then(|path| tree.with_ending(&path, &[".php"]));
            if let Some(found) = found {
                to.push(found);
                return Verdict::Own;
            }
        }
        let below = |one: &u32| {
            let path = tree.path(*one).strip_suffix(".php").unwrap_or_default();
            class.contains('/') && ends_with_parts(path, &class)
        };
        let candidates: Vec<u32> = self.candidates(name_of(&class)).filter(below).collect();
        match nearest(tree, &file.path, &candidates) {
            Some(found) => {
                to.push(found);
                Verdict::Own
            }
            None => Verdict::Elsewhere,
        }
    }

    fn candidates(&self, stem: &str) -> impl Iterator<Item = u32> {
        self.by_stem
            .get(stem)
            .into_iter()
            .flatten()
            .copied()
            .take(CANDIDATES_MAX)
    }
}

/// The file at that path relative to the folder of the file.
fn beside(
    tree: &Tree<'_>,
    file: &SourceFile,
    path: &str,
    endings: &[&str],
    to: &mut Vec<u32>,
) -> Option<Verdict> {
    let path = path_join(folder_of(&file.path), path)?;
    let found = tree.with_ending(&path, endings)?;
    to.push(found);
    Some(Verdict::Own)
}
