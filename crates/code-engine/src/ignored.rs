//! Decides which files a project ignores: files matched by `.nyxcoreignore` or `.gitignore`, by git's rules
//! (<https://git-scm.com/docs/gitignore>), and hidden files, except those that describe the project. `.nyxcoreignore`
//! takes precedence, and among files of one name the deepest. The result is the same for a folder and for a commit. Git
//! does not ignore a tracked file, whatever `.gitignore` contains: in a commit, only `.nyxcoreignore` counts.

use std::collections::HashMap;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The ignore list for files that git tracks but the analysis should skip.
pub(crate) const OWN_LIST: &str = ".nyxcoreignore";

/// The names of ignore lists, the one with precedence first.
const NAMES: [&str; 2] = [OWN_LIST, ".gitignore"];

/// Hidden folders that are searched for the files of [`is_hidden_file_wanted`].
const HIDDEN_FOLDERS: [&str; 2] = [".github", ".nyxcore"];

/// The ignored files of one tree.
#[derive(Debug, Default)]
pub struct Ignored {
    /// The lists by their folder and, within it, in the order of `NAMES`.
    lists: HashMap<String, [Option<Gitignore>; 2]>,
    /// The decisions for folders, so that parents are not checked again for each file.
    folders: HashMap<String, bool>,
}

/// Whether the file at `path` is an ignore list.
#[must_use]
pub fn is_list(path: &str) -> bool {
    list_number(path).is_some()
}

/// Whether the file at `path` is an ignore list that also applies to files that git tracks.
#[must_use]
pub fn is_own_list(path: &str) -> bool {
    path.rsplit('/').next() == Some(OWN_LIST)
}

fn list_number(path: &str) -> Option<usize> {
    let file = path.rsplit('/').next().unwrap_or(path);
    NAMES.into_iter().position(|name| name == file)
}

/// Whether the file or folder at `path` is hidden, itself or by one of its parents. The exceptions describe the project
/// and are never analysed as code.
pub(crate) fn is_hidden(path: &str, is_folder: bool) -> bool {
    is_dotted(path)
        && if is_folder {
            let (first, rest) = path.split_once('/').unwrap_or((path, ""));
            !HIDDEN_FOLDERS.contains(&first) || is_dotted(rest)
        } else {
            !is_hidden_file_wanted(path)
        }
}

/// Whether some part of the path begins with a dot.
#[must_use]
pub fn is_dotted(path: &str) -> bool {
    path.starts_with('.') || path.contains("/.")
}

fn is_hidden_file_wanted(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    if is_dotted(folders) {
        return !name.starts_with('.')
            && (folders == ".github/workflows"
                || folders == ".nyxcore/rules"
                || folders.starts_with(".nyxcore/rules/"));
    }
    is_list(name)
        || super::attributes::is_attributes(name)
        || super::project::manifest::Manifest::is_manifest(path)
}

impl Ignored {
    /// Reads the lists, each with its path. Invalid lines are ignored.
    pub fn new<'a>(lists: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut ignored = Self::default();
        for (path, text) in lists {
            let Some(number) = list_number(path) else {
                continue;
            };
            let mut builder = GitignoreBuilder::new("");
            for line in text.lines() {
                let _ = builder.add_line(None, line);
            }
            if let Ok(list) = builder.build() {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let lists = ignored.lists.entry(folder.to_owned()).or_default();
                lists[number] = Some(list);
            }
        }
        ignored
    }

    /// Whether the file at `path` is ignored. As in git, a file in an ignored folder cannot be included again.
    pub fn contains(&mut self, path: &str) -> bool {
        is_hidden(path, false) || self.names(path)
    }

    /// Whether the lists ignore the file at `path`, hidden or not.
    pub(crate) fn names(&mut self, path: &str) -> bool {
        if self.lists.is_empty() {
            return false;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.folder_contains(folder) || self.decide(path, false)
    }

    /// Whether a folder is ignored, itself or by one of its parents.
    fn folder_contains(&mut self, folder: &str) -> bool {
        if folder.is_empty() {
            return false;
        }
        if let Some(known) = self.folders.get(folder) {
            return *known;
        }
        // From the top down, without recursion: the depth of folders is unlimited.
        let ends = folder.match_indices('/').map(|(at, _)| at);
        let mut is_out = false;
        for end in ends.chain([folder.len()]) {
            let part = &folder[..end];
            is_out = match self.folders.get(part) {
                Some(known) => *known,
                None => {
                    let decided = is_out || self.decide(part, true);
                    self.folders.insert(part.to_owned(), decided);
                    decided
                }
            };
        }
        is_out
    }

    /// Applies the lists to this path only, not to its folders.
    fn decide(&self, path: &str, is_folder: bool) -> bool {
        let said = |number: usize| {
            let folders = path
                .rmatch_indices('/')
                .map(|(at, _)| (&path[..at], at + 1));
            folders.chain([("", 0)]).find_map(|(folder, inside)| {
                let list = self.lists.get(folder)?[number].as_ref()?;
                match list.matched(&path[inside..], is_folder) {
                    Match::None => None,
                    Match::Ignore(_) => Some(true),
                    Match::Whitelist(_) => Some(false),
                }
            })
        };
        (0..NAMES.len()).find_map(said).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(lists: &[(&str, &str)], path: &str) -> bool {
        Ignored::new(lists.iter().copied()).contains(path)
    }

    #[test]
    fn hidden_files_are_ignored_except_project_files() {
        assert!(ignored(&[], ".eslintrc.js"));
        assert!(ignored(&[], ".github/scripts/a.py"));
        assert!(ignored(&[], "web/.cache/a.py"));
        assert!(!ignored(&[], "src/a.py"));
        assert!(!ignored(&[], ".github/workflows/test.yml"));
        assert!(!ignored(&[], ".nyxcore/rules/no-print.yml"));
        assert!(!ignored(&[], "web/.gitattributes"));
        assert!(is_hidden(".git", true) && is_hidden(".github/.x", true));
        assert!(!is_hidden(".github/workflows", true));
    }

    #[test]
    fn a_list_speaks_for_its_folder_and_what_is_below() {
        let lists = [("web/.nyxcoreignore", "dist/\n/only-here.js\n# a remark\n")];
        assert!(ignored(&lists, "web/app/dist/a.js"));
        assert!(ignored(&lists, "web/only-here.js"));
        assert!(!ignored(&lists, "web/app/only-here.js"));
        assert!(!ignored(&lists, "dist/a.js"));
    }

    #[test]
    fn the_deeper_list_and_our_own_have_the_last_word() {
        let lists = [(".gitignore", "*.js\n"), ("keep/.gitignore", "!*.js\n")];
        assert!(ignored(&lists, "a.js"));
        assert!(!ignored(&lists, "keep/a.js"));
        let lists = [
            (".nyxcoreignore", "!a.js\nb.js\n"),
            ("deep/.gitignore", "a.js\n!b.js\n"),
        ];
        assert!(!ignored(&lists, "deep/a.js"));
        assert!(ignored(&lists, "deep/b.js"));
    }

    #[test]
    fn a_folder_that_is_left_out_gives_no_file_back() {
        let lists = [
            (".gitignore", "build/\n!build/keep.js\n"),
            ("build/.gitignore", "!*.js\n"),
        ];
        assert!(ignored(&lists, "build/keep.js"));
        assert!(ignored(&lists, "build/deep/er/a.js"));
    }
}
