//! Files that the repository itself wants left out, told from what is stored of it, by the rules of a look at its folder:
//! hidden files, and what a `.nyxcoreignore` or `.gitignore` names. The former has the last word, and among files of one name the
//! deepest.

use std::collections::HashMap;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The names, the one with the last word first.
const NAMES: [&str; 2] = [".nyxcoreignore", ".gitignore"];

/// What is left out of one source.
#[derive(Default)]
pub(super) struct Ignored {
    /// By the folder that the list lies in and the list's name.
    lists: HashMap<(String, &'static str), Gitignore>,
}

/// Whether the file at `path` says what is left out.
pub(super) fn is_list(path: &str) -> bool {
    name_of(path).is_some()
}

fn name_of(path: &str) -> Option<&'static str> {
    let file = path.rsplit('/').next().unwrap_or(path);
    NAMES.into_iter().find(|name| *name == file)
}

impl Ignored {
    /// Reads the lists, each with its path. A line that is no pattern is passed over.
    pub fn new<'a>(lists: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut ignored = Self::default();
        for (path, text) in lists {
            let Some(name) = name_of(path) else { continue };
            let mut builder = GitignoreBuilder::new("");
            for line in text.lines() {
                let _ = builder.add_line(None, line);
            }
            if let Ok(list) = builder.build() {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                ignored.lists.insert((folder.to_owned(), name), list);
            }
        }
        ignored
    }

    /// Whether the file at `path` is left out.
    pub fn contains(&self, path: &str) -> bool {
        if path.split('/').any(|part| part.starts_with('.')) {
            return true;
        }
        NAMES
            .into_iter()
            .find_map(|name| self.decide(path, name))
            .unwrap_or(false)
    }

    fn decide(&self, path: &str, name: &'static str) -> Option<bool> {
        if self.lists.is_empty() {
            return None;
        }
        let folders = path
            .rmatch_indices('/')
            .map(|(at, _)| (&path[..at], at + 1));
        folders.chain([("", 0)]).find_map(|(folder, inside)| {
            let list = self.lists.get(&(folder.to_owned(), name))?;
            match list.matched_path_or_any_parents(&path[inside..], false) {
                Match::None => None,
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(lists: &[(&str, &str)], path: &str) -> bool {
        Ignored::new(lists.iter().copied()).contains(path)
    }

    #[test]
    fn hidden_files_and_folders_are_left_out() {
        assert!(ignored(&[], ".eslintrc.js"));
        assert!(ignored(&[], ".github/scripts/a.py"));
        assert!(!ignored(&[], "src/a.py"));
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
}
