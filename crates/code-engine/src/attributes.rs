//! Reads `linguist-vendored` and `linguist-generated` from `.gitattributes`, as defined by GitHub's linguist
//! (<https://github.com/github-linguist/linguist/blob/main/docs/overrides.md>). If set, they skip files. If unset
//! (`-linguist-vendored`, `linguist-vendored=false`), they include files that the path alone would skip.

use std::collections::{HashMap, HashSet};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::skip::{Skip, SkipRule, path_skip};

/// The name of the files.
pub(crate) const NAME: &str = ".gitattributes";

/// Whether the file at `path` is a `.gitattributes` file.
#[must_use]
pub fn is_attributes(path: &str) -> bool {
    path.rsplit('/').next() == Some(NAME)
}

/// The attributes that the `.gitattributes` files of one tree set.
#[derive(Debug, Default)]
pub struct Attributes {
    /// By folder: the vendored and the generated patterns.
    folders: HashMap<String, [Gitignore; 2]>,
    /// The path of the analysed tree in its repository, where the paths of those files begin.
    below: String,
    /// The folders that javadoc wrote.
    javadoc: HashSet<String>,
}

/// The lists of packages or modules that javadoc writes into its folder, for links from other documentation.
const JAVADOC_LISTS: [&str; 2] = ["package-list", "element-list"];

/// A page or a style sheet that stands beside that list.
const JAVADOC_PAGES: [&str; 4] = [
    "allclasses-index.html",
    "allclasses-noframe.html",
    "index-all.html",
    "stylesheet.css",
];

impl Attributes {
    /// Reads the files, each with its path.
    #[must_use]
    pub fn new<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Attributes {
        let mut attributes = Attributes::default();
        for (path, text) in files {
            let of = |name| list(text, name);
            if let (Some(vendored), Some(generated)) =
                (of("linguist-vendored"), of("linguist-generated"))
                && !(vendored.is_empty() && generated.is_empty())
            {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let both = [vendored, generated];
                attributes.folders.insert(folder.to_owned(), both);
            }
        }
        attributes
    }

    /// Finds the folders that javadoc wrote, by the paths of all files: a page looks like any other, but its list of
    /// packages does not.
    #[must_use]
    pub fn with_javadoc<'p>(mut self, paths: impl Iterator<Item = &'p str> + Clone) -> Attributes {
        let named = |names: &'static [&'static str]| {
            let split = paths
                .clone()
                .map(|path| path.rsplit_once('/').unwrap_or(("", path)));
            split.filter(move |(_, name)| names.contains(name))
        };
        let listed: HashSet<&str> = named(&JAVADOC_LISTS).map(|(folder, _)| folder).collect();
        // A list at the top would make the whole tree generated.
        let found = named(&JAVADOC_PAGES).map(|(folder, _)| folder);
        let found = found.filter(|folder| !folder.is_empty() && listed.contains(folder));
        self.javadoc = found.map(str::to_owned).collect();
        self
    }

    /// Whether the file is in a folder that javadoc wrote.
    fn is_of_javadoc(&self, path: &str) -> bool {
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        !self.javadoc.is_empty() && folders.any(|one| self.javadoc.contains(one))
    }

    /// Sets the path of the analysed tree in its repository. The paths passed to the other methods are relative to it.
    pub(crate) fn below(mut self, folder: &str) -> Attributes {
        folder.clone_into(&mut self.below);
        self
    }

    /// Returns the rule by which the file at `path` is skipped, if any. An attribute takes precedence over the path.
    #[must_use]
    pub fn path_skip(&self, path: &str) -> Option<SkipRule> {
        let [vendored, generated] = [0, 1].map(|which| self.says(path, which));
        if vendored == Some(true) {
            return Some(SkipRule::VENDORED_BY_ATTRIBUTE);
        }
        if generated == Some(true) {
            return Some(SkipRule::GENERATED_BY_ATTRIBUTE);
        }
        let by_path = path_skip(path);
        let by_path = by_path.or_else(|| {
            let rule = SkipRule::GENERATED_BY_JAVADOC;
            self.is_of_javadoc(path).then_some(rule)
        });
        by_path.filter(|rule| match rule.reason {
            Skip::Vendored => vendored.is_none(),
            Skip::Generated => generated.is_none(),
            _ => true,
        })
    }

    /// Returns the attribute that the last matching line of the deepest file sets.
    fn says(&self, path: &str, which: usize) -> Option<bool> {
        if self.folders.is_empty() {
            return None;
        }
        let joined;
        let path = match self.below.as_str() {
            "" => path,
            below => {
                joined = format!("{below}/{path}");
                &joined
            }
        };
        let folders = path
            .rmatch_indices('/')
            .map(|(at, _)| (&path[..at], at + 1));
        folders.chain([("", 0)]).find_map(|(folder, inside)| {
            match self.folders.get(folder)?[which].matched(&path[inside..], false) {
                Match::None => None,
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
            }
        })
    }
}

/// The patterns of `.gitattributes` are those of `.gitignore`, but without negation, and a folder pattern does not
/// match its content. So the lines that set the attribute `name` become patterns, and those that unset it become
/// negative patterns.
fn list(text: &str, name: &str) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(pattern) = words.next() else {
            continue;
        };
        if pattern.starts_with(['#', '!', '"', '[']) {
            continue;
        }
        let set = words.rev().find_map(|word| {
            if word.strip_prefix(['-', '!']) == Some(name) {
                return Some(false);
            }
            match word.strip_prefix(name)? {
                "" => Some(true),
                value => value.strip_prefix('=').map(|value| value != "false"),
            }
        });
        let line = match set {
            Some(true) => pattern.to_owned(),
            Some(false) => format!("!{pattern}"),
            None => continue,
        };
        let _ = builder.add_line(None, &line);
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_javadoc_wrote_is_generated() {
        let paths = [
            "site/1.x/app/package-list",
            "site/1.x/app/stylesheet.css",
            "site/1.x/app/org/acme/Shop.html",
            "site/app.css",
            "data/package-list",
            "data/read.js",
        ];
        let attributes = Attributes::default().with_javadoc(paths.into_iter());
        let rule = |path| attributes.path_skip(path).map(|rule| rule.to_string());
        let generated = Some("generated/javadoc".to_owned());
        assert_eq!(rule("site/1.x/app/stylesheet.css"), generated);
        assert_eq!(rule("site/1.x/app/org/acme/Shop.html"), generated);
        assert_eq!(rule("site/app.css"), None);
        assert_eq!(rule("data/read.js"), None);
    }

    #[test]
    fn git_attributes_take_precedence_over_paths() {
        let root = "# a remark\n*.snap linguist-generated\nsdk/** linguist-generated=true -diff\nsdk/core/*.ts linguist-generated=false\n\
                    third_party/own/** -linguist-vendored\nlib/copied.py linguist-vendored\nfolder/ linguist-vendored\n";
        let files = [
            (NAME, root),
            ("web/.gitattributes", "api.ts linguist-generated\n"),
        ];
        let attributes = Attributes::new(files.into_iter());
        let rule = |path| attributes.path_skip(path).map(|rule| rule.to_string());
        for (path, expected) in [
            ("a/b.snap", Some("generated/linguist-generated")),
            ("sdk/deep/a.ts", Some("generated/linguist-generated")),
            ("sdk/core/a.ts", None),
            ("third_party/own/a.c", None),
            ("third_party/x/a.c", Some("vendored/third_party")),
            ("lib/copied.py", Some("vendored/linguist-vendored")),
            ("folder/a.py", None),
            ("web/api.ts", Some("generated/linguist-generated")),
            ("api.ts", None),
        ] {
            assert_eq!(rule(path).as_deref(), expected, "{path}");
        }
    }
}
