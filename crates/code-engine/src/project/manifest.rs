//! Reads manifests: the names of the project's packages, and their dependencies.
//!
//! Longer than 450 lines: each ecosystem is a short section of one table.

pub(super) mod xml;

use std::collections::BTreeSet;

/// A manifest's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its path relative to the project, with `/` as the separator.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl Manifest {
    /// Whether the file at `path` is a manifest that the analysis can read.
    #[must_use]
    pub fn is_manifest(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let folder = path.strip_suffix(name).unwrap_or_default();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        MANIFESTS.contains(&name)
            || is_requirements(path)
            || (name.starts_with("tsconfig") && name.ends_with(".json"))
            || ends(&[".csproj", ".sln", ".slnx", ".gemspec"])
            || (folder == ".github/workflows/" && ends(&[".yml", ".yaml"]))
    }

    /// The maximum size of the manifest at that path, in bytes. Lock files grow with the number of dependencies.
    #[must_use]
    pub fn size_cap(path: &str) -> u64 {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_lock =
            name.contains("lock") || matches!(name, "Package.resolved" | "npm-shrinkwrap.json");
        if is_lock { 8 << 20 } else { 1 << 20 }
    }
}

/// The names of manifests, of lock files, and of the settings of tools that check a project.
const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain",
    "rust-toolchain.toml",
    "clippy.toml",
    ".clippy.toml",
    "rustfmt.toml",
    ".rustfmt.toml",
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "pnpm-workspace.yaml",
    ".yarnrc.yml",
    ".nvmrc",
    ".node-version",
    "jsconfig.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "tox.ini",
    "noxfile.py",
    "pytest.ini",
    "ruff.toml",
    ".ruff.toml",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile.lock",
    ".python-version",
    "go.mod",
    ".golangci.yml",
    ".golangci.yaml",
    ".golangci.toml",
    "pom.xml",
    "mvnw",
    "build.gradle",
    "build.gradle.kts",
    "gradlew",
    "libs.versions.toml",
    "build.sbt",
    "Directory.Build.props",
    "Directory.Packages.props",
    "packages.lock.json",
    "Gemfile",
    "Gemfile.lock",
    "Rakefile",
    ".ruby-version",
    ".rspec",
    ".rubocop.yml",
    "composer.json",
    "composer.lock",
    "phpunit.xml",
    "phpunit.xml.dist",
    "Package.swift",
    "Package.resolved",
    "CMakeLists.txt",
    "configure.ac",
    "justfile",
    "Justfile",
    ".justfile",
    "Makefile",
    "makefile",
    "GNUmakefile",
];

/// Whether the file is a list of requirements for pip: `requirements-dev.txt`, `requirements/base.txt`,
/// `constraints.txt`.
pub(super) fn is_requirements(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_list = name.ends_with(".txt") || name.ends_with(".in");
    let in_folder = folders.rsplit('/').next() == Some("requirements");
    is_list && (in_folder || name.starts_with("requirements") || name.starts_with("constraints"))
}

/// The package ecosystem of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ecosystem {
    Cargo,
    Npm,
    PyPi,
    Go,
    /// Maven, also for Gradle and sbt.
    Maven,
    NuGet,
    Gem,
    Composer,
    Swift,
    /// C and C++, by the package names of CMake.
    Native,
}

/// The packages in all manifests.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    /// The project's own packages.
    pub own: BTreeSet<(Ecosystem, String)>,
    /// The run-time dependencies.
    pub dependencies: BTreeSet<(Ecosystem, String)>,
    /// The dependencies for building and testing only.
    pub tools: BTreeSet<(Ecosystem, String)>,
    /// Whether the project is a gem. A gemspec declares all run-time dependencies; the Gemfile is for development.
    pub is_gem: bool,
}

/// Reads every manifest; one that does not parse is ignored.
pub(crate) fn read<'m>(manifests: impl IntoIterator<Item = &'m Manifest>) -> Packages {
    let mut packages = Packages::default();
    for manifest in manifests {
        let name = manifest.path.rsplit('/').next().unwrap_or(&manifest.path);
        match name {
            "Cargo.toml" => cargo(&manifest.text, &mut packages),
            "package.json" => npm(&manifest.text, &mut packages),
            "pyproject.toml" => pyproject(&manifest.text, &mut packages),
            "go.mod" => go_mod(&manifest.text, &mut packages),
            "pom.xml" => xml::pom(&manifest.text, &mut packages),
            "build.gradle" | "build.gradle.kts" => gradle(&manifest.text, &mut packages),
            "composer.json" => composer(&manifest.text, &mut packages),
            "Gemfile" => listed(Ecosystem::Gem, &manifest.text, "gem ", &mut packages),
            "CMakeLists.txt" => cmake(&manifest.text, &mut packages),
            _ if name.ends_with(".gemspec") => gemspec(&manifest.text, &mut packages),
            "Package.swift" => swift(&manifest.text, &mut packages),
            _ if name.ends_with(".csproj") => {
                // A project has the name of its file by default.
                let stem = name.strip_suffix(".csproj").unwrap_or(name);
                packages.own.insert((Ecosystem::NuGet, stem.to_owned()));
                xml::csproj(&manifest.text, &mut packages);
            }
            _ if is_requirements(&manifest.path) => {
                let is_tool = ["dev", "test", "doc", "lint"]
                    .iter()
                    .any(|word| name.contains(word));
                let found = manifest
                    .text
                    .lines()
                    .filter_map(requirement_name)
                    .map(|name| (Ecosystem::PyPi, name));
                if is_tool {
                    packages.tools.extend(found)
                } else {
                    packages.dependencies.extend(found)
                }
            }
            _ => {}
        }
    }
    packages
}

fn cargo(text: &str, packages: &mut Packages) {
    let Ok(table) = text.parse::<toml::Table>() else {
        return;
    };
    if let Some(name) = table
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(toml::Value::as_str)
    {
        packages.own.insert((Ecosystem::Cargo, name.to_owned()));
    }
    let keys = |value: Option<&toml::Value>| -> Vec<(Ecosystem, String)> {
        let names = value.and_then(toml::Value::as_table).into_iter().flatten();
        // A renamed dependency is recorded by the name of its package.
        names
            .map(|(name, value)| {
                value
                    .get("package")
                    .and_then(toml::Value::as_str)
                    .unwrap_or(name)
                    .to_owned()
            })
            .map(|name| (Ecosystem::Cargo, name))
            .collect()
    };
    packages
        .dependencies
        .extend(keys(table.get("dependencies")));
    packages.dependencies.extend(keys(
        table
            .get("workspace")
            .and_then(|workspace| workspace.get("dependencies")),
    ));
    for target in table
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
    {
        packages
            .dependencies
            .extend(keys(target.1.get("dependencies")));
    }
    packages.tools.extend(keys(table.get("dev-dependencies")));
    packages.tools.extend(keys(table.get("build-dependencies")));
}

fn npm(text: &str, packages: &mut Packages) {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return;
    };
    if let Some(name) = value.get("name").and_then(serde_json::Value::as_str) {
        packages.own.insert((Ecosystem::Npm, name.to_owned()));
    }
    let keys = |field: &str| -> Vec<(Ecosystem, String)> {
        let object = value.get(field).and_then(serde_json::Value::as_object);
        object
            .into_iter()
            .flatten()
            .map(|(name, _)| (Ecosystem::Npm, name.clone()))
            .collect()
    };
    packages.dependencies.extend(keys("dependencies"));
    packages.dependencies.extend(keys("peerDependencies"));
    packages.tools.extend(keys("devDependencies"));
}

fn pyproject(text: &str, packages: &mut Packages) {
    let Ok(table) = text.parse::<toml::Table>() else {
        return;
    };
    let project = table.get("project");
    let poetry = table.get("tool").and_then(|tool| tool.get("poetry"));
    for name in [project, poetry]
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("name")?.as_str())
    {
        packages.own.insert((Ecosystem::PyPi, python_name(name)));
    }
    let listed = |value: Option<&toml::Value>| -> Vec<(Ecosystem, String)> {
        let list = value.and_then(toml::Value::as_array).into_iter().flatten();
        list.filter_map(|one| requirement_name(one.as_str()?))
            .map(|name| (Ecosystem::PyPi, name))
            .collect()
    };
    packages.dependencies.extend(listed(
        project.and_then(|project| project.get("dependencies")),
    ));
    let optional = project
        .and_then(|project| project.get("optional-dependencies"))
        .and_then(toml::Value::as_table);
    for (_, list) in optional.into_iter().flatten() {
        packages.tools.extend(listed(Some(list)));
    }
    for (_, list) in table
        .get("dependency-groups")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
    {
        packages.tools.extend(listed(Some(list)));
    }
    let poetry = poetry
        .and_then(|poetry| poetry.get("dependencies"))
        .and_then(toml::Value::as_table);
    packages.dependencies.extend(
        poetry
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "python")
            .map(|(name, _)| (Ecosystem::PyPi, python_name(name))),
    );
}

/// The name at the head of a requirement (PEP 508): `Django` of `Django[argon2]>=4; python_version > "3"`.
fn requirement_name(line: &str) -> Option<String> {
    requirement_split(line).map(|(name, _)| name)
}

/// Like [`requirement_name`], with the text after the name.
pub(super) fn requirement_split(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '-']) {
        return None;
    }
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
    (end > 0).then(|| (python_name(&line[..end]), &line[end..]))
}

/// A distribution's name in its normal form (PEP 503).
pub(super) fn python_name(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

fn go_mod(text: &str, packages: &mut Packages) {
    let mut in_block = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or(line).trim();
        if let Some(module) = line.strip_prefix("module ") {
            packages
                .own
                .insert((Ecosystem::Go, module.trim().to_owned()));
        }
        let required = match line {
            "require (" => {
                in_block = true;
                continue;
            }
            ")" => {
                in_block = false;
                continue;
            }
            _ if in_block => Some(line),
            _ => line.strip_prefix("require "),
        };
        if let Some(path) = required.and_then(|line| line.split_whitespace().next()) {
            packages
                .dependencies
                .insert((Ecosystem::Go, path.to_owned()));
        }
    }
}

fn gradle(text: &str, packages: &mut Packages) {
    for line in text.lines().map(str::trim) {
        let Some(configuration) = line.split([' ', '(']).next() else {
            continue;
        };
        let is_tool = configuration.starts_with("test");
        let known = matches!(
            configuration,
            "implementation" | "api" | "compile" | "runtimeOnly" | "id"
        ) || is_tool;
        let Some(quoted) = line.split(['"', '\'']).nth(1).filter(|_| known) else {
            continue;
        };
        let group = quoted.split(':').next().unwrap_or(quoted).to_owned();
        let set = if is_tool {
            &mut packages.tools
        } else {
            &mut packages.dependencies
        };
        set.insert((Ecosystem::Maven, group));
    }
}

fn composer(text: &str, packages: &mut Packages) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(name) = value.get("name").and_then(serde_json::Value::as_str) {
        packages.own.insert((Ecosystem::Composer, name.to_owned()));
    }
    for (field, set) in [
        ("require", &mut packages.dependencies),
        ("require-dev", &mut packages.tools),
    ] {
        let object = value.get(field).and_then(serde_json::Value::as_object);
        set.extend(
            object
                .into_iter()
                .flatten()
                .map(|(name, _)| (Ecosystem::Composer, name.clone())),
        );
    }
}

/// The first quoted word of each line with the prefix: `gem "rails", "~> 7"`.
fn listed(ecosystem: Ecosystem, text: &str, begins: &str, packages: &mut Packages) {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(begins));
    let names = lines.filter_map(|line| line.split(['"', '\'']).nth(1));
    packages
        .dependencies
        .extend(names.map(|name| (ecosystem, name.to_owned())));
}

fn gemspec(text: &str, packages: &mut Packages) {
    packages.is_gem = true;
    for line in text.lines().map(str::trim) {
        let Some(quoted) = line.split(['"', '\'']).nth(1) else {
            continue;
        };
        let set = match () {
            () if line.contains(".name ") || line.starts_with("Gem::Specification.new") => {
                &mut packages.own
            }
            () if line.contains("add_development_dependency") => &mut packages.tools,
            () if line.contains("dependency") => &mut packages.dependencies,
            () => continue,
        };
        set.insert((Ecosystem::Gem, quoted.to_owned()));
    }
}

/// `let package = Package(name: "Shop", ...)`: packages are known by their names in lower case.
fn swift(text: &str, packages: &mut Packages) {
    let name = text
        .split_once("Package(")
        .and_then(|(_, rest)| rest.split_once("name:"))
        .and_then(|(_, rest)| rest.split('"').nth(1));
    packages
        .own
        .extend(name.map(|name| (Ecosystem::Swift, name.to_lowercase())));
}

fn cmake(text: &str, packages: &mut Packages) {
    let calls = text.split("find_package(").skip(1);
    let names = calls.filter_map(|call| call.split([' ', ')', '\n']).find(|word| !word.is_empty()));
    packages
        .dependencies
        .extend(names.map(|name| (Ecosystem::Native, name.to_ascii_lowercase())));
}

/// Parses JSON with comments and trailing commas, as in `tsconfig.json`. `None` if it is invalid.
pub(crate) fn json_with_comments(text: &str) -> Option<serde_json::Value> {
    let mut plain: Vec<u8> = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = &bytes[at..];
        at += match byte {
            b'"' => {
                let mut end = 1;
                while rest.get(end).is_some_and(|byte| *byte != b'"') {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                let end = (end + 1).min(rest.len());
                plain.extend_from_slice(&rest[..end]);
                end
            }
            b'/' if rest.starts_with(b"//") => rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => {
                let end = rest.windows(2).skip(2).position(|two| two == b"*/");
                end.map_or(rest.len(), |end| end + 4)
            }
            b']' | b'}' => {
                let last = plain.iter().rposition(|byte| !byte.is_ascii_whitespace());
                if let Some(last) = last.filter(|last| plain[*last] == b',') {
                    plain.truncate(last);
                }
                plain.push(byte);
                1
            }
            byte => {
                plain.push(byte);
                1
            }
        };
    }
    serde_json::from_slice(&plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Packages {
        read(&[Manifest {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
    }

    fn names(set: &BTreeSet<(Ecosystem, String)>) -> Vec<&str> {
        set.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn cargo_manifests_give_the_name_and_renamed_packages() {
        let text = "[package]\nname = \"web\"\n[dependencies]\naxum = \"0.8\"\norm = { package = \"sea-orm\", version = \"2\" }\n[dev-dependencies]\ninsta = \"1\"\n";
        let packages = one("Cargo.toml", text);
        assert_eq!(names(&packages.own), ["web"]);
        assert_eq!(names(&packages.dependencies), ["axum", "sea-orm"]);
        assert_eq!(names(&packages.tools), ["insta"]);
    }

    #[test]
    fn python_names_are_in_their_normal_form() {
        assert!(is_requirements("requirements/base.txt") && is_requirements("constraints.txt"));
        assert!(!is_requirements("docs/notes.txt") && !is_requirements("requirements.md"));
        let text = "[project]\nname = \"My_App\"\ndependencies = [\"Django[argon2]>=4; python_version > '3'\"]\n";
        let packages = one("a/pyproject.toml", text);
        assert_eq!(
            (names(&packages.own), names(&packages.dependencies)),
            (vec!["my-app"], vec!["django"])
        );
        let packages = one("requirements-dev.txt", "# c\n-r base.txt\npytest==8\n");
        assert_eq!(names(&packages.tools), ["pytest"]);
    }

    #[test]
    fn go_maven_and_gradle_name_groups_and_paths() {
        let go = one(
            "go.mod",
            "module a.b/c\n\nrequire (\n\tgithub.com/x/y v1 // indirect\n)\nrequire d.e/f v2\n",
        );
        assert_eq!(
            (names(&go.own), names(&go.dependencies)),
            (vec!["a.b/c"], vec!["d.e/f", "github.com/x/y"])
        );
        let pom = one(
            "pom.xml",
            "<project><groupId>own</groupId><dependency><groupId>a.b</groupId></dependency><dependency><groupId>j</groupId><scope>test</scope></dependency></project>",
        );
        assert_eq!(
            (names(&pom.own), names(&pom.dependencies), names(&pom.tools)),
            (vec!["own"], vec!["a.b"], vec!["j"])
        );
        let gradle = one(
            "build.gradle",
            "implementation 'io.ktor:core:1'\ntestImplementation(\"junit:junit:4\")\n",
        );
        assert_eq!(
            (names(&gradle.dependencies), names(&gradle.tools)),
            (vec!["io.ktor"], vec!["junit"])
        );
    }

    #[test]
    fn a_manifest_that_does_not_parse_says_nothing() {
        assert!(one("package.json", "{").dependencies.is_empty());
        assert!(one("Cargo.toml", "[[[").own.is_empty());
    }
}
