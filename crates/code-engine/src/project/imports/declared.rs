//! The dependencies between a project's own packages that its build files declare, by the folders of the packages.

use std::collections::BTreeMap;

use super::super::manifest::{self, Ecosystem, Manifest, xml};
use super::{folder_of, name_of, path_join};

/// Folders by a name that packages know each other by; `None` if several packages share it.
type NameFolders<K> = BTreeMap<K, Option<String>>;

fn name_add<K: Ord>(names: &mut NameFolders<K>, name: K, folder: &str) {
    names
        .entry(name)
        .and_modify(|known| {
            if known.as_deref() != Some(folder) {
                *known = None;
            }
        })
        .or_insert_with(|| Some(folder.to_owned()));
}

/// Each package's folder with that of a package that it declares as a run-time dependency. The top is no package here:
/// its manifest often lists what the packages below it use.
pub(crate) fn declared_edges(manifests: &[Manifest]) -> Vec<(String, String)> {
    let mut edges = by_names(manifests);
    edges.extend(by_gradle(manifests));
    edges.extend(by_maven(manifests));
    edges.extend(by_dotnet(manifests));
    edges.retain(|(from, to)| from != to && !from.is_empty() && !to.is_empty());
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The packages of Cargo, npm, Composer, Python, Ruby and Go, which depend on each other by their names.
fn by_names(manifests: &[Manifest]) -> Vec<(String, String)> {
    let by_name = |(ecosystem, _): &(Ecosystem, String)| {
        !matches!(ecosystem, Ecosystem::Maven | Ecosystem::NuGet)
    };
    let mut own: NameFolders<(Ecosystem, String)> = BTreeMap::new();
    let mut uses = Vec::new();
    for one in manifests {
        let packages = manifest::read([one]);
        let folder = folder_of(&one.path);
        for name in packages.own.into_iter().filter(by_name) {
            name_add(&mut own, name, folder);
        }
        uses.extend(
            packages
                .dependencies
                .into_iter()
                .filter(by_name)
                .map(|name| (folder, name)),
        );
    }
    let edges = uses.into_iter().filter_map(|(from, name)| {
        let to = own.get(&name)?.as_ref()?;
        Some((from.to_owned(), to.clone()))
    });
    edges.collect()
}

/// A path as a type-safe accessor of Gradle may spell it: `retrofitConverters/moshi` for `retrofit-converters/moshi`.
fn spelled(path: &str) -> String {
    path.replace(['-', '_'], "").to_ascii_lowercase()
}

fn by_gradle(manifests: &[Manifest]) -> Vec<(String, String)> {
    let builds: Vec<&Manifest> = manifests
        .iter()
        .filter(|one| matches!(name_of(&one.path), "build.gradle" | "build.gradle.kts"))
        .collect();
    let mut folders: NameFolders<String> = BTreeMap::new();
    for build in &builds {
        let folder = folder_of(&build.path);
        name_add(&mut folders, spelled(folder), folder);
    }
    let mut edges = Vec::new();
    for build in builds {
        let from = folder_of(&build.path);
        for used in build.text.lines().filter_map(gradle_project) {
            // Paths begin at the folder of the settings, which is one of those around.
            let mut root = from;
            let to = loop {
                let path = match root {
                    "" => used.clone(),
                    root => format!("{root}/{used}"),
                };
                match folders.get(&spelled(&path)).and_then(Option::as_ref) {
                    Some(found) => break Some(found),
                    None if root.is_empty() => break None,
                    None => root = folder_of(root),
                }
            };
            edges.extend(to.map(|to| (from.to_owned(), to.clone())));
        }
    }
    edges
}

/// The path of the project that a line of a Gradle file depends on: `android/app` for
/// `implementation(project(":android:app"))`.
fn gradle_project(line: &str) -> Option<String> {
    let line = line.trim();
    let end = line.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (configuration, rest) = line.split_at(end);
    let configuration = configuration.to_ascii_lowercase();
    let is_use = [
        "api",
        "implementation",
        "compileonly",
        "runtimeonly",
        "compile",
    ]
    .iter()
    .any(|name| configuration.ends_with(name));
    if !is_use || configuration.contains("test") {
        return None;
    }
    let rest = rest.trim_start_matches(['(', ' ']);
    let path = match rest.strip_prefix("projects.") {
        Some(accessor) => {
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
            let end = accessor.find(|c| !is_part(c)).unwrap_or(accessor.len());
            accessor[..end].replace('.', "/")
        }
        None => {
            let path = rest.strip_prefix("project(")?.split(['"', '\'']).nth(1)?;
            path.trim_start_matches(':').replace(':', "/")
        }
    };
    (!path.is_empty()).then_some(path)
}

fn by_maven(manifests: &[Manifest]) -> Vec<(String, String)> {
    let mut own: NameFolders<String> = BTreeMap::new();
    let mut uses = Vec::new();
    for one in manifests
        .iter()
        .filter(|one| name_of(&one.path) == "pom.xml")
    {
        let Some(document) = xml::document(&one.text) else {
            continue;
        };
        let folder = folder_of(&one.path);
        if let Some(name) = xml::child_value(document.root_element(), "artifactId") {
            name_add(&mut own, name.to_owned(), folder);
        }
        for dependency in xml::elements(&document, &["dependency"]) {
            let around = dependency.parent().and_then(|list| list.parent());
            let is_used = around
                .is_some_and(|around| matches!(around.tag_name().name(), "project" | "profile"));
            let is_for_tests = xml::child_value(dependency, "scope") == Some("test");
            if let Some(name) = xml::child_value(dependency, "artifactId")
                && is_used
                && !is_for_tests
            {
                uses.push((folder, name.to_owned()));
            }
        }
    }
    let edges = uses.into_iter().filter_map(|(from, name)| {
        let to = own.get(&name)?.as_ref()?;
        Some((from.to_owned(), to.clone()))
    });
    edges.collect()
}

fn by_dotnet(manifests: &[Manifest]) -> Vec<(String, String)> {
    let mut edges = Vec::new();
    for one in manifests.iter().filter(|one| one.path.ends_with(".csproj")) {
        let Some(document) = xml::document(&one.text) else {
            continue;
        };
        let from = folder_of(&one.path);
        let references = xml::elements(&document, &["ProjectReference"]);
        let paths = references.iter().filter_map(|one| one.attribute("Include"));
        let files = paths.filter_map(|path| path_join(from, &path.replace('\\', "/")));
        edges.extend(files.map(|file| (from.to_owned(), folder_of(&file).to_owned())));
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(manifests: &[(&str, &str)]) -> Vec<String> {
        let manifests: Vec<Manifest> = manifests
            .iter()
            .map(|(path, text)| Manifest {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let edges = declared_edges(&manifests).into_iter();
        edges.map(|(from, to)| format!("{from} > {to}")).collect()
    }

    #[test]
    fn modules_of_gradle_depend_on_each_other_by_paths() {
        let startup = "dependencies {\n    api(project(\":android:base\"))\n    //  api(project(\":core\"))\n    testImplementation(project(\":core\"))\n}\n";
        let files = [
            (
                "projects/android/base/build.gradle.kts",
                "commonMainApi(project(':core'))\n",
            ),
            ("projects/android/startup/build.gradle.kts", startup),
            (
                "projects/core/build.gradle",
                "implementation project(path: ':gone')\n",
            ),
            ("projects/my-mock/build.gradle", "api projects.core\n"),
            (
                "projects/app/build.gradle",
                "implementation(projects.myMock)\n",
            ),
        ];
        assert_eq!(
            edges(&files),
            [
                "projects/android/base > projects/core",
                "projects/android/startup > projects/android/base",
                "projects/app > projects/my-mock",
                "projects/my-mock > projects/core",
            ]
        );
    }

    #[test]
    fn packages_depend_on_each_other_by_names_and_paths() {
        let pom = |name: &str, used: &str, scope: &str| {
            format!(
                "<project><artifactId>{name}</artifactId><dependencies><dependency><artifactId>{used}</artifactId>{scope}</dependency></dependencies></project>"
            )
        };
        let (web, shop) = (
            pom("web", "shop", ""),
            pom("shop", "web", "<scope>test</scope>"),
        );
        let files = [
            (
                "package.json",
                "{\"name\": \"root\", \"dependencies\": {\"a\": \"*\"}}",
            ),
            ("js/a/package.json", "{\"name\": \"a\"}"),
            (
                "js/b/package.json",
                "{\"name\": \"b\", \"peerDependencies\": {\"a\": \"*\"}}",
            ),
            (
                "js/c/package.json",
                "{\"name\": \"c\", \"devDependencies\": {\"a\": \"*\"}}",
            ),
            (
                "rs/d/Cargo.toml",
                "[package]\nname = \"d\"\n[dependencies]\ne = { path = \"../e\" }\n",
            ),
            ("rs/e/Cargo.toml", "[package]\nname = \"e\"\n"),
            ("mvn/web/pom.xml", web.as_str()),
            ("mvn/shop/pom.xml", shop.as_str()),
            (
                "net/F/F.csproj",
                "<Project><ProjectReference Include=\"..\\G\\G.csproj\" /></Project>",
            ),
        ];
        assert_eq!(
            edges(&files),
            [
                "js/b > js/a",
                "mvn/web > mvn/shop",
                "net/F > net/G",
                "rs/d > rs/e"
            ]
        );
    }

    #[test]
    fn a_name_of_two_packages_tells_neither() {
        let files = [
            ("a/package.json", "{\"name\": \"site\"}"),
            ("b/package.json", "{\"name\": \"site\"}"),
            (
                "c/package.json",
                "{\"name\": \"c\", \"dependencies\": {\"site\": \"*\"}}",
            ),
        ];
        assert!(edges(&files).is_empty());
    }
}
