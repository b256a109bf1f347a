//! Lock files: the used version of each package. They may be large, so each is read with minimal parsing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Reader, toml_string};
use crate::project::manifest::{Ecosystem, json_with_comments};

impl Reader<'_> {
    /// Reads `[[package]]`, `name = "a"`, `version = "1"`, which three formats share. They are read line by line,
    /// because such files may be large.
    pub(super) fn lock_tables(&mut self, ecosystem: Ecosystem, text: &str) {
        let mut name = "";
        for line in text.lines() {
            if line.starts_with('[') {
                name = "";
            } else if let Some(value) = toml_string(line, "name") {
                name = value;
            } else if let Some(version) = toml_string(line, "version").filter(|_| !name.is_empty())
            {
                self.lock(ecosystem, name, version);
                name = "";
            }
        }
    }

    pub(super) fn npm_lock(&mut self, text: &str) {
        #[derive(Deserialize)]
        struct Lock {
            #[serde(default)]
            packages: BTreeMap<String, Package>,
            #[serde(default)]
            dependencies: BTreeMap<String, Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            version: Option<String>,
        }
        let Ok(lock) = serde_json::from_str::<Lock>(text) else {
            return;
        };
        // Nested packages are the choice of other packages.
        let top = lock.packages.into_iter().filter_map(|(path, package)| {
            let name = path.strip_prefix("node_modules/")?.to_owned();
            (!name.contains("/node_modules/")).then_some((name, package))
        });
        for (name, package) in top.chain(lock.dependencies) {
            self.lock(
                Ecosystem::Npm,
                &name,
                package.version.as_deref().unwrap_or_default(),
            );
        }
    }

    /// Reads both formats: `react@^18.0.0, react@18:` and `"react@npm:^18.0.0":`, each followed by its version.
    pub(super) fn yarn_lock(&mut self, text: &str) {
        let mut name = "";
        for line in text.lines() {
            let is_head = !line.starts_with([' ', '#']);
            if is_head {
                let head = line.trim_start_matches('"');
                let end = head
                    .get(1..)
                    .and_then(|rest| rest.find('@'))
                    .map_or(0, |at| at + 1);
                name = &head[..end];
            } else if let Some(version) = line
                .trim_start()
                .strip_prefix("version")
                .filter(|_| line.starts_with("  version"))
            {
                self.lock(Ecosystem::Npm, name, version.trim_matches([':', ' ', '"']));
            }
        }
    }

    /// Reads the keys below `packages:`: `/react@18.2.0:`, `react@18.2.0(peer):`, and in old files `/react/18.2.0:`.
    pub(super) fn pnpm_lock(&mut self, text: &str) {
        let mut is_inside = false;
        self.pnpm_root(text);
        for line in text.lines() {
            if !line.starts_with(' ') && !line.is_empty() {
                is_inside = line.starts_with("packages:");
                continue;
            }
            let is_key = is_inside && line.starts_with("  ") && !line.starts_with("   ");
            let Some(key) = line.trim().strip_suffix(':').filter(|_| is_key) else {
                continue;
            };
            let key = key.trim_matches(['\'', '"']).trim_start_matches('/');
            let key = key.split('(').next().unwrap_or(key);
            let at = key
                .rfind('@')
                .filter(|at| *at > 0)
                .or_else(|| key.rfind('/'));
            if let Some(at) = at {
                self.lock(Ecosystem::Npm, &key[..at], &key[at + 1..]);
            }
        }
    }

    /// Reads the versions of the importer `.`: `importers:`, `  .:`, `    devDependencies:`, `      react:`,
    /// `        version: 18.2.0`.
    fn pnpm_root(&mut self, text: &str) {
        let (mut importer, mut package) = ("", "");
        let mut is_inside = false;
        for line in text.lines() {
            let body = line.trim();
            let indent = line.len() - line.trim_start().len();
            let key = |text: &'_ str| -> Option<usize> { text.strip_suffix(':').map(str::len) };
            match indent {
                0 if !body.is_empty() => is_inside = body == "importers:",
                2 if is_inside => importer = key(body).map_or("", |end| &body[..end]),
                6 if is_inside => {
                    package = key(body).map_or("", |end| body[..end].trim_matches('\''))
                }
                8 if is_inside && importer == "." => {
                    if let Some(version) = body.strip_prefix("version:") {
                        let version = version.trim().split('(').next().unwrap_or_default();
                        if !version.contains([':', '/']) {
                            self.lock_root(Ecosystem::Npm, package, version);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads Bun's `packages`: `"react": ["react@18.3.1", ...]`. The key of a nested package is a path.
    pub(super) fn bun_lock(&mut self, text: &str) {
        let Some(value) = json_with_comments(text) else {
            return;
        };
        let packages = value
            .get("packages")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        for (key, package) in packages {
            let named = package
                .get(0)
                .and_then(Value::as_str)
                .and_then(|one| one.rsplit_once('@'));
            if let Some((name, version)) = named.filter(|(name, _)| name == key) {
                self.lock(Ecosystem::Npm, name, version);
            }
        }
    }

    pub(super) fn pipfile_lock(&mut self, text: &str) {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        for part in ["default", "develop"] {
            for (name, package) in value
                .get(part)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let version = package
                    .get("version")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                self.lock(Ecosystem::PyPi, name, version.trim_start_matches("=="));
            }
        }
    }

    pub(super) fn composer_lock(&mut self, text: &str) {
        #[derive(Deserialize)]
        struct Lock {
            #[serde(default)]
            packages: Vec<Package>,
            #[serde(default, rename = "packages-dev")]
            tools: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
            version: String,
        }
        if let Ok(lock) = serde_json::from_str::<Lock>(text) {
            for package in lock.packages.iter().chain(&lock.tools) {
                self.lock(
                    Ecosystem::Composer,
                    &package.name,
                    package.version.trim_start_matches('v'),
                );
            }
        }
    }

    /// Reads `    rails (7.1.2)` below `specs:`. Deeper lines are the dependencies of those packages.
    pub(super) fn gemfile_lock(&mut self, text: &str) {
        for line in text.lines() {
            let Some(spec) = line
                .strip_prefix("    ")
                .filter(|spec| !spec.starts_with(' '))
            else {
                continue;
            };
            if let Some((name, version)) = spec.split_once(" (") {
                self.lock(Ecosystem::Gem, name, version.trim_end_matches(')'));
            }
        }
    }

    pub(super) fn nuget_lock(&mut self, text: &str) {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let frameworks = value
            .get("dependencies")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        for (name, package) in frameworks
            .filter_map(|(_, packages)| packages.as_object())
            .flatten()
        {
            let version = package
                .get("resolved")
                .and_then(Value::as_str)
                .unwrap_or_default();
            self.lock(Ecosystem::NuGet, name, version);
        }
    }

    pub(super) fn swift_lock(&mut self, text: &str) {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let pins = value
            .get("pins")
            .or_else(|| value.get("object")?.get("pins"));
        for pin in pins.and_then(Value::as_array).into_iter().flatten() {
            let name = pin
                .get("identity")
                .or_else(|| pin.get("package"))
                .and_then(Value::as_str);
            let version = pin
                .get("state")
                .and_then(|state| state.get("version")?.as_str());
            if let (Some(name), Some(version)) = (name, version) {
                self.lock(Ecosystem::Swift, &name.to_ascii_lowercase(), version);
            }
        }
    }
}
