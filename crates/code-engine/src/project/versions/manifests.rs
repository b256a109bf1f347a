//! Manifests: the required versions of packages and of the language.

use serde_json::Value;

use super::{Reader, VERSION_CAP, toml_string};
use crate::language::Language;
use crate::project::manifest::{Ecosystem, python_name, requirement_split, xml};

impl Reader<'_> {
    pub(super) fn gradle_catalog(&mut self, text: &str) {
        let Ok(table) = text.parse::<toml::Table>() else {
            return;
        };
        let versions = table.get("versions");
        for (_, library) in table
            .get("libraries")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
        {
            let text = |key: &str| library.get(key).and_then(toml::Value::as_str);
            let group = text("group").or_else(|| text("module")?.split(':').next());
            let version = text("version").or_else(|| {
                let named = library.get("version")?.get("ref")?.as_str()?;
                versions?.get(named)?.as_str()
            });
            if let (Some(group), Some(version)) = (group, version) {
                self.ask(Ecosystem::Maven, group, version);
            }
        }
    }

    pub(super) fn cargo(&mut self, text: &str) {
        let Ok(table) = text.parse::<toml::Table>() else {
            return;
        };
        let workspace = table.get("workspace");
        let package = table.get("package");
        let of_workspace = workspace.and_then(|workspace| workspace.get("package"));
        for one in [package, of_workspace].into_iter().flatten() {
            if let Some(version) = one.get("rust-version").and_then(toml::Value::as_str) {
                self.language(Language::Rust, version);
            }
        }
        let lists = ["dependencies", "dev-dependencies"].map(|key| table.get(key));
        let of_workspace = workspace.and_then(|workspace| workspace.get("dependencies"));
        for list in lists.into_iter().chain([of_workspace]).flatten() {
            for (name, value) in list.as_table().into_iter().flatten() {
                let name = value
                    .get("package")
                    .and_then(toml::Value::as_str)
                    .unwrap_or(name);
                let version = value.as_str().or_else(|| value.get("version")?.as_str());
                self.ask(Ecosystem::Cargo, name, version.unwrap_or_default());
            }
        }
    }

    pub(super) fn npm(&mut self, text: &str) {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        for part in ["resolutions", "overrides"] {
            let pinned = value
                .get(part)
                .and_then(Value::as_object)
                .into_iter()
                .flatten();
            for (name, version) in pinned {
                let version = version.as_str().unwrap_or_default();
                let is_exact = version.starts_with(|c: char| c.is_ascii_digit())
                    && !version.contains([' ', ':', '|']);
                if is_exact && !name.trim_start_matches('@').contains('@') {
                    self.lock_root(Ecosystem::Npm, name, version);
                }
            }
        }
        let node = value
            .get("engines")
            .and_then(|engines| engines.get("node")?.as_str());
        self.language(Language::JavaScript, node.unwrap_or_default());
        for part in ["dependencies", "devDependencies", "peerDependencies"] {
            for (name, version) in value
                .get(part)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let version = version.as_str().unwrap_or_default();
                let elsewhere = self.elsewhere;
                if let Some(version) = elsewhere.catalog(version, name) {
                    self.ask(Ecosystem::Npm, name, version);
                } else if let Some((package, version)) = version
                    .strip_prefix("npm:")
                    .and_then(|alias| alias.rsplit_once('@'))
                    .filter(|(package, _)| !package.is_empty())
                {
                    // An alias of another package. A second version under an alias like `react-17` is only for a part
                    // of the project.
                    if package != name && !name.starts_with(package) {
                        self.ask(Ecosystem::Npm, package, version);
                    }
                } else if !version.contains([':', '/']) {
                    // Locations are not versions: `workspace:*`, `file:../a`, an address.
                    self.ask(Ecosystem::Npm, name, version);
                }
            }
        }
    }

    pub(super) fn pyproject(&mut self, text: &str) {
        let Ok(table) = text.parse::<toml::Table>() else {
            return;
        };
        let project = table.get("project");
        let poetry = table.get("tool").and_then(|tool| tool.get("poetry"));
        let python = project.and_then(|project| project.get("requires-python")?.as_str());
        let dependencies = poetry.and_then(|poetry| poetry.get("dependencies")?.as_table());
        let python = python.or_else(|| dependencies?.get("python")?.as_str());
        self.language(Language::Python, python.unwrap_or_default());
        for (name, value) in dependencies.into_iter().flatten() {
            let version = value.as_str().or_else(|| value.get("version")?.as_str());
            self.ask(
                Ecosystem::PyPi,
                &python_name(name),
                version.unwrap_or_default(),
            );
        }
        let listed = project.and_then(|project| project.get("dependencies"));
        let optional = project.and_then(|project| project.get("optional-dependencies")?.as_table());
        let groups = table
            .get("dependency-groups")
            .and_then(toml::Value::as_table);
        let grouped = optional
            .into_iter()
            .chain(groups)
            .flatten()
            .map(|(_, list)| list);
        for one in listed
            .into_iter()
            .chain(grouped)
            .filter_map(toml::Value::as_array)
            .flatten()
        {
            self.requirement(one.as_str().unwrap_or_default());
        }
    }

    /// Reads `Django[argon2]>=4,<5; python_version > "3"`. An exact version counts as locked, any other as required.
    pub(super) fn requirement(&mut self, line: &str) {
        let Some((name, rest)) = requirement_split(line) else {
            return;
        };
        let rest = rest.split([';', '#']).next().unwrap_or(rest);
        // The hashes of a pinned version follow it, on continuation lines.
        let rest = rest.split(" --").next().unwrap_or(rest);
        let rest = rest.trim_end().trim_end_matches('\\');
        let rest = rest
            .rsplit_once(']')
            .map_or(rest, |(_, rest)| rest)
            .trim()
            .trim_matches(['(', ')']);
        match rest
            .strip_prefix("===")
            .or_else(|| rest.strip_prefix("=="))
            .filter(|exact| !exact.contains(['*', ',']))
        {
            Some(exact) => self.lock(Ecosystem::PyPi, &name, exact.trim()),
            None if !rest.contains('@') => self.ask(Ecosystem::PyPi, &name, rest),
            None => {}
        }
    }

    /// Reads `python_requires=">=3.9",` and `python_requires = >=3.9`.
    pub(super) fn setup(&mut self, text: &str) {
        let asked = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("python_requires"));
        let asked = asked.and_then(|rest| rest.trim_start().strip_prefix('='));
        let asked = asked.map_or("", |rest| rest.trim_matches([' ', ',', '"', '\'']));
        self.language(Language::Python, asked);
    }

    pub(super) fn composer(&mut self, text: &str) {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        for part in ["require", "require-dev"] {
            for (name, version) in value
                .get(part)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let version = version.as_str().unwrap_or_default();
                if name == "php" {
                    self.language(Language::Php, version);
                } else {
                    self.ask(Ecosystem::Composer, name, version);
                }
            }
        }
    }

    pub(super) fn go_mod(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split("//").next().unwrap_or(line).trim();
            let mut words = line
                .strip_prefix("require ")
                .unwrap_or(line)
                .split_whitespace();
            match (words.next(), words.next()) {
                (Some("go"), Some(version)) => self.language(Language::Go, version),
                (Some(path), Some(version)) if version.starts_with('v') && path.contains('.') => {
                    self.lock(Ecosystem::Go, path, version);
                }
                _ => {}
            }
        }
    }

    pub(super) fn pom(&mut self, text: &str) {
        let Some(document) = xml::document(text) else {
            return;
        };
        let release = [
            "maven.compiler.release",
            "java.version",
            "maven.compiler.source",
            "release",
        ];
        let release = release.iter().find_map(|tag| xml::value(&document, tag));
        self.language(Language::Java, release.unwrap_or_default());
        for element in xml::elements(&document, &["dependency", "parent", "plugin"]) {
            let group = xml::child_value(element, "groupId");
            let (Some(group), Some(version)) = (group, xml::child_value(element, "version")) else {
                continue;
            };
            let elsewhere = self.elsewhere;
            let property = version.strip_prefix("${").and_then(|name| {
                let name = name.trim_end_matches('}');
                let own = xml::value(&document, name);
                own.or_else(|| elsewhere.properties.get(name).map(String::as_str))
            });
            self.ask(Ecosystem::Maven, group, property.unwrap_or(version));
        }
    }

    pub(super) fn gradle(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            let java = line
                .split_once("JavaLanguageVersion.of(")
                .map(|(_, rest)| rest);
            let java = java.or_else(|| line.split_once("jvmToolchain(").map(|(_, rest)| rest));
            let java = java.or_else(|| {
                line.strip_prefix("sourceCompatibility")?
                    .split_once("VERSION_")
                    .map(|(_, rest)| rest)
            });
            if let Some(java) = java {
                // `VERSION_1_8` is 1.8.
                self.language(
                    Language::Java,
                    &java.trim_end_matches(')').replace('_', "."),
                );
            }
            let Some(quoted) = line.split(['"', '\'']).nth(1) else {
                continue;
            };
            if line.starts_with("kotlin(") || line.contains("org.jetbrains.kotlin") {
                let version = line
                    .split_once(" version ")
                    .map(|(_, rest)| rest.trim_matches(['"', '\'', ' ']));
                self.language(Language::Kotlin, version.unwrap_or_default());
            }
            if let [group, _, version] = quoted.split(':').collect::<Vec<_>>().as_slice() {
                self.ask(Ecosystem::Maven, group, version);
            } else if let Some((_, version)) = line
                .split_once(" version ")
                .filter(|_| line.starts_with("id"))
            {
                self.ask(
                    Ecosystem::Maven,
                    quoted,
                    version.trim_matches(['"', '\'', ' ']),
                );
            }
        }
    }

    pub(super) fn sbt(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
            match quoted.as_slice() {
                [version] if line.contains("scalaVersion") => {
                    self.language(Language::Scala, version)
                }
                [group, _, version, ..] if line.contains('%') => {
                    self.ask(Ecosystem::Maven, group, version)
                }
                _ => {}
            }
        }
    }

    pub(super) fn gemfile(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            let quoted: Vec<&str> = line.split(['"', '\'']).skip(1).step_by(2).collect();
            match quoted.as_slice() {
                [version, ..] if line.starts_with("ruby ") => {
                    self.language(Language::Ruby, version)
                }
                [name, version, ..] if line.starts_with("gem ") => {
                    self.ask(Ecosystem::Gem, name, version)
                }
                _ => {}
            }
        }
    }

    pub(super) fn swift(&mut self, text: &str) {
        let tools = text
            .lines()
            .next()
            .and_then(|line| line.split_once("swift-tools-version"));
        self.language(
            Language::Swift,
            tools.map_or("", |(_, version)| version.trim_matches([':', ' '])),
        );
    }

    pub(super) fn rust_toolchain(&mut self, text: &str) {
        let channel = text
            .lines()
            .find_map(|line| toml_string(line.trim(), "channel"));
        let channel = channel.unwrap_or_else(|| text.trim());
        if channel.len() <= VERSION_CAP && channel.starts_with(|c: char| c.is_ascii_digit()) {
            self.language(Language::Rust, channel);
        }
    }

    pub(super) fn csproj(&mut self, text: &str) {
        let Some(document) = xml::document(text) else {
            return;
        };
        // Only unconditional targets count. A list may begin with a reference to an earlier value.
        let targets = xml::elements(&document, &["TargetFramework", "TargetFrameworks"]);
        let targets = targets
            .into_iter()
            .filter(|one| one.attribute("Condition").is_none());
        let framework = targets
            .filter_map(|one| one.text())
            .next()
            .unwrap_or_default();
        let framework: Vec<&str> = framework
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty() && !part.contains("$("))
            .collect();
        self.language(Language::CSharp, &framework.join(";"));
        for element in xml::elements(&document, &["PackageReference", "PackageVersion"]) {
            let version = element.attribute("Version");
            let version = version.or_else(|| xml::child_value(element, "Version"));
            if let (Some(name), Some(version)) = (element.attribute("Include"), version) {
                self.ask(Ecosystem::NuGet, name, version);
            }
        }
    }
}
