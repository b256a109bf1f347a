//! Matches deleted files with added files, so that a moved file keeps its identity.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nyxcore_projects::{NewFile, RenamedFile, StoredFile, blob_contents};
use nyxcore_runs::Level;

use super::plan::Plan;
use super::{Failure, Job};
use crate::git::{
    BlobContent, Fingerprint, GitError, RepositoryReader, SIMILARITY_MIN, reading_blocking,
};

/// If more files than this were deleted or added, only files with the same content are matched: as git's
/// `diff.renameLimit`.
const COMPARED_MAX: usize = 1_000;
/// The most bytes of text that are compared, on either side.
const COMPARED_BYTES_MAX: i64 = 16 << 20;

/// A deleted or an added file, with the fingerprint of its text.
struct Side {
    path: String,
    print: Fingerprint,
}

impl Job<'_> {
    /// Turns pairs of a deleted and an added file in the plan into renames: first those with the same content, then
    /// those with similar content. A file without text is compared only by the id of its content.
    pub(super) async fn renames_find(
        &self,
        reader: &RepositoryReader,
        plan: &mut Plan,
        stored: &HashMap<String, StoredFile>,
    ) -> Result<(), Failure> {
        if plan.changes.added.is_empty() || plan.changes.deleted.is_empty() {
            return Ok(());
        }
        let gone: Vec<(String, &StoredFile)> = plan
            .changes
            .deleted
            .iter()
            .filter_map(|path| Some((path.clone(), stored.get(path)?)))
            .collect();
        let mut moved = same_content(&gone, &plan.changes.added);
        let taken: BTreeSet<String> = moved.values().cloned().collect();
        let gone: Vec<_> = gone
            .into_iter()
            .filter(|(path, _)| !taken.contains(path))
            .collect();
        let new: Vec<&NewFile> = plan
            .changes
            .added
            .iter()
            .filter(|file| !moved.contains_key(&file.path))
            .collect();
        moved.extend(self.similar_content(reader, &gone, &new).await?);
        renames_take(plan, &moved, stored);
        Ok(())
    }

    async fn similar_content(
        &self,
        reader: &RepositoryReader,
        gone: &[(String, &StoredFile)],
        new: &[&NewFile],
    ) -> Result<BTreeMap<String, String>, Failure> {
        let nothing = BTreeMap::new();
        let fits = |size: i64| size > 0 && size <= self.limit();
        let gone: Vec<_> = gone.iter().filter(|(_, file)| fits(file.size)).collect();
        let new: Vec<_> = new.iter().filter(|file| fits(file.size)).collect();
        if gone.is_empty() || new.is_empty() {
            return Ok(nothing);
        }
        let gone_bytes: i64 = gone.iter().map(|(_, file)| file.size).sum();
        let new_bytes: i64 = new.iter().map(|file| file.size).sum();
        if gone.len().max(new.len()) > COMPARED_MAX
            || gone_bytes.max(new_bytes) > COMPARED_BYTES_MAX
        {
            let text = "too many files were added and removed to compare them all: only files that moved with the same content keep their ids";
            self.context.message(Level::Info, text).await?;
            return Ok(nothing);
        }
        let blobs: Vec<&str> = gone.iter().map(|(_, file)| file.blob.as_str()).collect();
        let scoped = self.context.read().await?;
        let texts = blob_contents(&scoped, &blobs).await?;
        drop(scoped);
        let gone: Vec<Side> = gone
            .iter()
            .filter_map(|(path, file)| {
                Some(Side {
                    path: path.clone(),
                    print: Fingerprint::of(texts.get(&file.blob)?.as_bytes()),
                })
            })
            .collect();
        drop(texts);
        if gone.is_empty() {
            return Ok(nothing);
        }
        let cancel = self.context.cancelled();
        let ids = new.iter().map(|file| file.blob.clone()).collect();
        let mut contents = reader.blobs_read(ids, self.options.blob_bytes_max, cancel);
        let mut sides = Vec::new();
        for file in new {
            let Some(read) = contents.blob_next().await else {
                break;
            };
            if let (_, BlobContent::Text(text)) = read? {
                sides.push(Side {
                    path: file.path.clone(),
                    print: Fingerprint::of(text.as_bytes()),
                });
            }
        }
        let cancel = cancel.clone();
        let pairs = reading_blocking(move || {
            let is_cancelled = || cancel.is_cancelled();
            pairs_choose(&gone, &sides, &is_cancelled).ok_or(GitError::Cancelled)
        });
        Ok(pairs.await?)
    }
}

/// Pairs files with the same content: first those with the same name, then those whose names differ only in case, then
/// in the order of their paths. Returns the new paths, each with the old one.
fn same_content(gone: &[(String, &StoredFile)], new: &[NewFile]) -> BTreeMap<String, String> {
    let mut by_blob: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for file in new {
        let both = by_blob.entry(file.blob.as_str()).or_default();
        both.1.insert(&file.path);
    }
    for (path, file) in gone {
        if let Some(both) = by_blob.get_mut(file.blob.as_str()) {
            both.0.insert(path);
        }
    }
    let mut moved = BTreeMap::new();
    let lower = |path: &str| name_of(path).to_lowercase();
    let alike: [&dyn Fn(&str) -> String; 3] = [
        &|path| name_of(path).to_owned(),
        &|path| lower(path),
        &|_| String::new(),
    ];
    for (mut old, mut new) in by_blob.into_values() {
        for key in alike {
            let mut by_key: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for &path in old.iter().rev() {
                by_key.entry(key(path)).or_default().push(path);
            }
            for path in new.clone() {
                if let Some(from) = by_key.get_mut(&key(path)).and_then(Vec::pop) {
                    old.remove(from);
                    new.remove(path);
                    moved.insert(path.to_owned(), from.to_owned());
                }
            }
        }
    }
    moved
}

/// Chooses the most similar pairs first, and among equal pairs those with the same name. `None` if cancelled.
fn pairs_choose(
    gone: &[Side],
    new: &[Side],
    is_cancelled: &dyn Fn() -> bool,
) -> Option<BTreeMap<String, String>> {
    let mut pairs = Vec::new();
    for to in new {
        if is_cancelled() {
            return None;
        }
        for from in gone {
            let score = from.print.similarity(&to.print);
            if score >= SIMILARITY_MIN {
                let same_name = name_of(&from.path).eq_ignore_ascii_case(name_of(&to.path));
                pairs.push((score, same_name, from.path.as_str(), to.path.as_str()));
            }
        }
    }
    pairs.sort_by(|a, b| {
        let better = b.0.total_cmp(&a.0).then(b.1.cmp(&a.1));
        better.then((a.2, a.3).cmp(&(b.2, b.3)))
    });
    let (mut used, mut moved) = (BTreeSet::new(), BTreeMap::new());
    for (_, _, from, to) in pairs {
        if !used.contains(from) && !moved.contains_key(to) {
            used.insert(from);
            moved.insert(to.to_owned(), from.to_owned());
        }
    }
    Some(moved)
}

/// Moves those pairs in the plan to the renames.
fn renames_take(
    plan: &mut Plan,
    moved: &BTreeMap<String, String>,
    stored: &HashMap<String, StoredFile>,
) {
    let left: BTreeSet<&String> = moved.values().collect();
    plan.changes.deleted.retain(|path| !left.contains(path));
    for file in std::mem::take(&mut plan.changes.added) {
        let from = moved.get(&file.path);
        match from.and_then(|from| Some((from, stored.get(from)?))) {
            Some((from, old)) => plan.changes.renamed.push(RenamedFile {
                id: old.id,
                from: from.clone(),
                file,
            }),
            None => plan.changes.added.push(file),
        }
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use nyxcore_projects::SourceFileId;

    use super::*;

    fn new(path: &str, blob: &str) -> NewFile {
        NewFile {
            path: path.into(),
            blob: blob.into(),
            language: None,
            size: 1,
        }
    }

    #[test]
    fn of_the_same_content_names_decide_and_each_file_moves_once() {
        let file = |blob: &str| StoredFile {
            id: SourceFileId(uuid_of(blob)),
            blob: blob.into(),
            size: 1,
        };
        let (x, y) = (file("x"), file("y"));
        let gone = [
            ("a/one.rs".to_owned(), &x),
            ("a/two.rs".to_owned(), &x),
            ("a/Readme.md".to_owned(), &x),
            ("other".to_owned(), &y),
        ];
        let added = [
            new("b/two.rs", "x"),
            new("b/README.md", "x"),
            new("b/aaa.rs", "x"),
            new("b/zzz.rs", "x"),
            new("b/new.rs", "z"),
        ];
        let moved: Vec<(String, String)> = same_content(&gone, &added).into_iter().collect();
        let expected = [
            ("b/README.md", "a/Readme.md"),
            ("b/aaa.rs", "a/one.rs"),
            ("b/two.rs", "a/two.rs"),
        ];
        assert_eq!(moved, expected.map(|(to, from)| (to.into(), from.into())));
    }

    #[test]
    fn of_similar_contents_the_most_similar_belong_together() {
        let side = |path: &str, lines: &[&str]| Side {
            path: path.into(),
            print: Fingerprint::of(lines.join("\n").as_bytes()),
        };
        let gone = [
            side("a", &["1", "2", "3", "4", "5", ""]),
            side("b", &["1", "2", "3", "4", "x", ""]),
        ];
        let new = [
            side("c", &["1", "2", "3", "4", "5", ""]),
            side("d", &["1", "2", "3", "y", "z", ""]),
            side("e", &["p", "q", "r", "s", "t", ""]),
        ];
        let moved: Vec<_> = pairs_choose(&gone, &new, &|| false)
            .unwrap()
            .into_iter()
            .collect();
        assert_eq!(
            moved,
            [("c", "a"), ("d", "b")].map(|(to, from)| (to.into(), from.into()))
        );
        assert!(pairs_choose(&gone, &new, &|| true).is_none());
    }

    fn uuid_of(text: &str) -> sea_orm::prelude::Uuid {
        sea_orm::prelude::Uuid::from_u128(u128::from(text.as_bytes()[0]))
    }
}
