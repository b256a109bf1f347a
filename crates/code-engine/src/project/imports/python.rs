//! Python: absolute imports from package roots, relative imports, and imported names that are modules.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::SourceFile;
use super::super::manifest::Manifest;
use super::{Tree, Verdict, folder_of, is_below, name_of, nearest, path_join};
use crate::facts::{Import, ImportStyle};
use crate::language::Language;

const MODULE: &[&str] = &[".py", ".pyi"];
const PACKAGE: &[&str] = &["/__init__.py", "/__init__.pyi"];

#[derive(Debug, Default)]
pub(super) struct Resolver<'a> {
    /// For the first part of a module's name, the folders that contain such a package or module, sorted.
    tops: FxHashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(tree: &Tree<'a>, manifests: &'a [Manifest]) -> Self {
        let mut resolver = Self::default();
        let mut roots: FxHashSet<&str> = FxHashSet::from_iter(["", "src", "lib", "python"]);
        let manifests = manifests.iter().filter(|one| {
            matches!(
                name_of(&one.path),
                "pyproject.toml" | "setup.py" | "setup.cfg" | "Pipfile" | "requirements.txt"
            )
        });
        let manifests: Vec<&Manifest> = manifests.collect();
        let told: Vec<String> = manifests.iter().flat_map(|one| roots_told(one)).collect();
        let manifests: Vec<&str> = manifests
            .into_iter()
            .map(|one| folder_of(&one.path))
            .collect();
        roots.extend(&manifests);
        // A namespace package (PEP 420) has no `__init__.py` that would show where it begins.
        for root in &told {
            roots.extend(tree.folders.get(root.as_str()).copied());
        }
        for (_, file) in tree.of_languages(&[Language::Python]) {
            let root = package_root(tree, folder_of(&file.path));
            let in_package = root.len() < folder_of(&file.path).len();
            let is_source_root = name_of(root) == "src" && manifests.contains(&folder_of(root));
            if in_package || is_source_root {
                roots.insert(root);
            }
        }
        for (_, file) in tree.of_languages(&[Language::Python]) {
            // Every folder above a file may be the root that its modules are named from.
            let mut below = file.path.as_str();
            loop {
                let root = folder_of(below);
                if roots.contains(root) {
                    let rest = file.path[root.len()..].trim_start_matches('/');
                    let top = rest.split('/').next().unwrap_or(rest);
                    let top = MODULE
                        .iter()
                        .find_map(|ending| top.strip_suffix(ending))
                        .unwrap_or(top);
                    let places = resolver.tops.entry(top).or_default();
                    if let Err(at) = places.binary_search(&root) {
                        places.insert(at, root);
                    }
                }
                if root.is_empty() {
                    break;
                }
                below = root;
            }
        }
        resolver
    }

    pub(super) fn resolve(
        &self,
        tree: &Tree<'a>,
        file: &SourceFile,
        import: &Import,
        to: &mut Vec<u32>,
    ) -> Verdict {
        let dots = import
            .module
            .bytes()
            .take_while(|byte| *byte == b'.')
            .count();
        let names = || import.names.split(',').filter(|name| !name.is_empty());
        if dots > 0 {
            let mut folder = folder_of(&file.path);
            for _ in 1..dots {
                if folder.is_empty() {
                    return Verdict::Missing;
                }
                folder = folder_of(folder);
            }
            return module_resolve(tree, folder, &import.module[dots..], names(), to);
        }
        let top = import.module.split('.').next().unwrap_or_default();
        // A module next to a script takes precedence over all others.
        let beside = folder_of(&file.path);
        let is_script = !is_package(tree, beside);
        let mut found: Vec<u32> = Vec::new();
        if is_script
            && module_resolve(tree, beside, &import.module, names(), &mut found) == Verdict::Own
        {
            to.append(&mut found);
            return Verdict::Own;
        }
        let Some(roots) = self.tops.get(top) else {
            return Verdict::Elsewhere;
        };
        let own = package_root(tree, beside);
        let own = roots.iter().filter(|root| **root == own);
        let above = roots.iter().rev().filter(|root| is_below(&file.path, root));
        let mut candidates: Vec<u32> = Vec::new();
        for root in own.chain(above).chain(roots) {
            found.clear();
            if module_resolve(tree, root, &import.module, names(), &mut found) == Verdict::Own {
                to.append(&mut found);
                return Verdict::Own;
            }
            candidates.extend(package_file(tree, root, top));
        }
        // A folder of that name without the requested module may belong to another package.
        match nearest(tree, &file.path, &candidates) {
            Some(_) if import.style != ImportStyle::Types => Verdict::Missing,
            _ => Verdict::Elsewhere,
        }
    }
}

/// The folders that contain a project's packages: `src` next to its manifest, and those that the manifest declares.
fn roots_told(manifest: &Manifest) -> Vec<String> {
    let folder = folder_of(&manifest.path);
    let mut told: Vec<String> = vec!["src".to_owned()];
    if let Ok(table) = manifest.text.parse::<toml::Table>() {
        let tool = table.get("tool");
        let at = |path: &[&str]| path.iter().try_fold(tool?, |value, key| value.get(*key));
        let lists = [
            at(&["setuptools", "packages", "find", "where"]),
            at(&["pytest", "ini_options", "pythonpath"]),
            at(&["mypy", "mypy_path"]),
        ];
        for list in lists.into_iter().flatten() {
            let several = list
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(toml::Value::as_str);
            told.extend(several.chain(list.as_str()).map(str::to_owned));
        }
        let packages = at(&["poetry", "packages"]).and_then(toml::Value::as_array);
        let packages = packages.into_iter().flatten();
        told.extend(packages.filter_map(|one| Some(one.get("from")?.as_str()?.to_owned())));
        let built =
            at(&["hatch", "build", "targets", "wheel", "packages"]).and_then(toml::Value::as_array);
        let built = built.into_iter().flatten().filter_map(toml::Value::as_str);
        told.extend(built.map(|one| folder_of(one).to_owned()));
    }
    told.into_iter()
        .filter_map(|one| path_join(folder, &one))
        .collect()
}

/// Resolves a module below a folder, and the imported names that are modules themselves.
fn module_resolve<'n>(
    tree: &Tree<'_>,
    root: &str,
    module: &str,
    names: impl Iterator<Item = &'n str>,
    to: &mut Vec<u32>,
) -> Verdict {
    let mut path = root.to_owned();
    for part in module.split('.').filter(|part| !part.is_empty()) {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    if !path.is_empty()
        && path.len() > root.len()
        && let Some(file) = tree.with_ending(&path, MODULE)
        && tree.with_ending(&path, PACKAGE).is_none()
    {
        to.push(file);
        return Verdict::Own;
    }
    let package = tree.with_ending(&path, PACKAGE);
    if package.is_none() && !path.is_empty() && !tree.folders.contains(path.as_str()) {
        return Verdict::Missing;
    }
    let (mut modules, mut others) = (0, 0);
    for name in names {
        let one = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        match tree
            .with_ending(&one, PACKAGE)
            .or_else(|| tree.with_ending(&one, MODULE))
        {
            Some(file) => {
                modules += 1;
                to.push(file);
            }
            None => others += 1,
        }
    }
    // The package itself is imported if one of the names is defined in it, or if there are no names.
    if modules == 0 || others > 0 {
        match package {
            Some(package) => to.push(package),
            None if modules == 0 => return Verdict::Missing,
            None => {}
        }
    }
    Verdict::Own
}

fn package_file(tree: &Tree<'_>, root: &str, name: &str) -> Option<u32> {
    let path = if root.is_empty() {
        name.to_owned()
    } else {
        format!("{root}/{name}")
    };
    tree.with_ending(&path, PACKAGE)
}

fn is_package(tree: &Tree<'_>, folder: &str) -> bool {
    !folder.is_empty() && tree.with_ending(folder, PACKAGE).is_some()
}

/// The folder around the outermost package that contains the folder; the folder itself, if it is not a package.
fn package_root<'p>(tree: &Tree<'_>, mut folder: &'p str) -> &'p str {
    while is_package(tree, folder) {
        folder = folder_of(folder);
    }
    folder
}
