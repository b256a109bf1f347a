//! Versions that are in another file than the dependency: catalogs of pnpm, Bun and Yarn, and properties of Maven.

use roxmltree::Node;
use serde_json::Value;

use super::super::imports::name_of;
use super::super::manifest::{Manifest, xml};
use super::Elsewhere;

impl Elsewhere {
    /// Reads the manifests, which are in the order of their distance from the top.
    pub(super) fn new(manifests: &[&Manifest]) -> Elsewhere {
        let mut elsewhere = Elsewhere::default();
        for manifest in manifests {
            match name_of(&manifest.path) {
                "pnpm-workspace.yaml" | ".yarnrc.yml" => elsewhere.yaml(&manifest.text),
                "package.json" => elsewhere.npm(&manifest.text),
                "pom.xml" => elsewhere.pom(&manifest.text),
                _ => {}
            }
        }
        elsewhere
    }

    /// The version of a package that is required as `catalog:` or `catalog:name`.
    pub(super) fn catalog(&self, asked: &str, package: &str) -> Option<&str> {
        let catalog = asked.strip_prefix("catalog:")?.trim();
        let catalog = if catalog == "default" { "" } else { catalog };
        let key = (catalog.to_owned(), package.to_owned());
        self.catalogs.get(&key).map(String::as_str)
    }

    /// Reads `catalog:` with packages below it, and `catalogs:` with catalogs below it, recognised by their
    /// indentation.
    fn yaml(&mut self, text: &str) {
        let mut section = "";
        let mut catalog = String::new();
        for line in text.lines() {
            let body = line.split(" #").next().unwrap_or(line);
            let indent = body.len() - body.trim_start().len();
            let Some((key, value)) = body
                .trim()
                .split_once(':')
                .filter(|(key, _)| !key.starts_with('#'))
            else {
                continue;
            };
            // A scoped name may hold no colon, so the first one ends the key.
            let plain = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
            match (indent, section, value.trim()) {
                (0, _, _) => {
                    section = match key {
                        "catalog" => "catalog",
                        "catalogs" => "catalogs",
                        _ => "",
                    };
                    catalog.clear();
                }
                (_, "catalogs", "") => catalog = plain(key),
                (_, "catalog" | "catalogs", version) => {
                    self.add(&catalog, &plain(key), &plain(version))
                }
                _ => {}
            }
        }
    }

    /// Reads the catalogs of Bun, which are in the manifest, at the top or below `workspaces`.
    fn npm(&mut self, text: &str) {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        for holder in [Some(&value), value.get("workspaces")]
            .into_iter()
            .flatten()
        {
            let single = holder.get("catalog").map(|one| ("", one)).into_iter();
            let several = holder
                .get("catalogs")
                .and_then(Value::as_object)
                .into_iter()
                .flatten();
            let several = several.map(|(name, one)| (name.as_str(), one));
            for (name, packages) in single.chain(several) {
                for (package, version) in packages.as_object().into_iter().flatten() {
                    self.add(name, package, version.as_str().unwrap_or_default());
                }
            }
        }
    }

    fn pom(&mut self, text: &str) {
        let Some(document) = xml::document(text) else {
            return;
        };
        for block in xml::elements(&document, &["properties"]) {
            for property in block.children().filter(Node::is_element) {
                let name = property.tag_name().name();
                if let Some(value) = xml::child_value(block, name) {
                    let known = self.properties.entry(name.to_owned());
                    known.or_insert_with(|| value.to_owned());
                }
            }
        }
    }

    fn add(&mut self, catalog: &str, package: &str, version: &str) {
        if !version.is_empty() {
            let key = (catalog.to_owned(), package.to_owned());
            self.catalogs
                .entry(key)
                .or_insert_with(|| version.to_owned());
        }
    }
}
