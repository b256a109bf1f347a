//! Which files are analysed: those of all the project's sources, as a look at the same folder would list them.

use std::collections::{HashMap, HashSet};

use nyxcore_projects::{
    ProjectId, Source, SourceCommit, SourceFile, blob_contents, file_all, source_history,
    sources_of,
};
use nyxcore_tenancy::{Access, Result, Scoped};

use crate::engine::attributes::{self, Attributes};
use crate::engine::ignored::{self, Ignored};
use crate::engine::skip::SkipRule;
use crate::service::entity::code_analysis::Heads;
use crate::service::start::heads;
use crate::{
    Change, CodeLocation, FileHistory, Language, Manifest, ProjectAnalysis, RuleFile, SIZE_CAP,
    Skip,
};

/// What is to be analysed.
pub(super) struct Scan {
    /// Files in a language that has a name.
    pub files: Vec<ScannedFile>,
    /// Manifests: their paths and blobs.
    pub manifests: Vec<(String, String)>,
    /// Files of the project's own rules: their paths and blobs.
    pub rules: Vec<(String, String)>,
    /// How often each file was changed.
    pub history: Vec<FileHistory>,
    /// The commits of each source, newest first.
    pub changes: Vec<Change>,
    /// The commits that the files are of.
    pub heads: Heads,
    /// Sources whose files stand under a path of their own, because another source has files of the same paths.
    apart: Vec<Apart>,
}

/// A file to be analysed.
pub(super) struct ScannedFile {
    /// As in its source; where another source has that path, below a folder named by the source's id.
    pub path: String,
    pub blob: String,
    pub language: Language,
    pub size: i64,
    /// Why it is not looked into, where that is known without.
    pub skip: Option<SkipRule>,
}

struct Apart {
    /// The source's id.
    folder: String,
    /// What people call it.
    name: String,
}

/// Lists the files. All that is read here is of one snapshot.
pub(super) async fn scan<A: Access>(scoped: &Scoped<A>, project: ProjectId) -> Result<Scan> {
    let sources = sources_of(scoped, &[project]).await?.remove(&project);
    let mut scan = Scan {
        files: Vec::new(),
        manifests: Vec::new(),
        rules: Vec::new(),
        history: Vec::new(),
        changes: Vec::new(),
        heads: heads(scoped, project).await?,
        apart: Vec::new(),
    };
    let mut taken: HashMap<String, usize> = HashMap::new();
    let sources = sources.unwrap_or_default();
    for source in &sources {
        // Two sources may be parts of one repository: what both have is one file.
        let repository = sources
            .iter()
            .position(|other| (&other.url, &other.branch) == (&source.url, &source.branch))
            .unwrap_or_default();
        let files = file_all(scoped, source.id).await?;
        let (mut ignored, attributes) = lists_read(scoped, &files).await?;
        let mut apart: Option<Apart> = None;
        let mut moved: HashSet<String> = HashSet::new();
        let below = format!("{}/", source.scan_path);
        for file in files {
            // Rules lie in a hidden folder, which is left out otherwise.
            let inside = file.path.strip_prefix(&below).unwrap_or(&file.path);
            let is_rules = RuleFile::is_rule_file(inside) && is_small(file.size);
            if ignored.contains(&file.path) && !is_rules {
                continue;
            }
            let path = match taken.get(&file.path) {
                Some(other) if *other == repository => continue,
                Some(_) => {
                    let folder = source.id.to_string();
                    let path = format!("{folder}/{}", file.path);
                    moved.insert(file.path.clone());
                    apart.get_or_insert_with(|| Apart {
                        folder,
                        name: repository_name(source),
                    });
                    path
                }
                None => {
                    taken.insert(file.path.clone(), repository);
                    file.path.clone()
                }
            };
            if is_rules {
                scan.rules.push((path, file.blob));
            } else {
                scan.add(file, path, &attributes);
            }
        }
        let folder = apart.as_ref().map(|apart| apart.folder.clone());
        for commit in source_history(scoped, source.id).await? {
            scan.changes
                .push(change(&commit, &moved, folder.as_deref()));
        }
        scan.apart.extend(apart);
    }
    Ok(scan)
}

/// What the source's own lists say: which files are left out, and which are vendored or generated.
async fn lists_read<A: Access>(
    scoped: &Scoped<A>,
    files: &[SourceFile],
) -> Result<(Ignored, Attributes)> {
    let is_attributes = |path: &str| path.rsplit('/').next() == Some(attributes::NAME);
    let lists: Vec<&SourceFile> = files
        .iter()
        .filter(|file| ignored::is_list(&file.path) || is_attributes(&file.path))
        .filter(|file| is_small(file.size))
        .collect();
    let oids: Vec<&str> = lists.iter().map(|file| file.blob.as_str()).collect();
    let texts = blob_contents(scoped, &oids).await?;
    let lists = lists
        .iter()
        .filter_map(|file| Some((file.path.as_str(), texts.get(&file.blob)?.as_str())));
    let (said, lists): (Vec<_>, Vec<_>) = lists.partition(|(path, _)| is_attributes(path));
    let mut ignored = Ignored::new(lists.into_iter());
    // One that is left out itself says nothing.
    let said: Vec<(&str, &str)> = said
        .into_iter()
        .filter(|(path, _)| !ignored.contains(path))
        .collect();
    Ok((ignored, Attributes::new(said.into_iter())))
}

/// A commit, with the paths that the files have here.
fn change(commit: &SourceCommit, moved: &HashSet<String>, folder: Option<&str>) -> Change {
    let path = |path: &str| match folder.filter(|_| moved.contains(path)) {
        Some(folder) => format!("{folder}/{path}"),
        None => path.to_owned(),
    };
    Change {
        author: commit.author.as_ref().to_owned(),
        paths: commit.paths.iter().map(|one| path(one)).collect(),
    }
}

impl Scan {
    fn add(&mut self, file: SourceFile, path: String, attributes: &Attributes) {
        let by_path = attributes.path_skip(&file.path);
        // Lock files are generated, and say what is used.
        let is_own = by_path.is_none_or(|rule| rule.reason != Skip::Vendored);
        if Manifest::is_manifest(&file.path)
            && is_own
            && u64::try_from(file.size).is_ok_and(|size| size <= Manifest::size_cap(&file.path))
        {
            self.manifests.push((path.clone(), file.blob.clone()));
        }
        if ignored::is_dotted(&file.path) {
            return;
        }
        let Some(language) = Language::detect(&file.path) else {
            return;
        };
        if file.commits > 0 {
            self.history.push(FileHistory {
                path: path.clone(),
                commits: u32::try_from(file.commits).unwrap_or(u32::MAX),
            });
        }
        let too_large = (!is_small(file.size)).then_some(Skip::TooLarge.into());
        self.files.push(ScannedFile {
            path,
            blob: file.blob,
            language,
            size: file.size,
            skip: by_path.or(too_large),
        });
    }

    /// Gives the places in the result their paths as they are in their source.
    pub fn localize(&self, found: &mut ProjectAnalysis) {
        for pattern in &mut found.patterns {
            let places = pattern.exemplars.iter_mut();
            for CodeLocation { path, .. } in places.chain(&mut pattern.counter_examples) {
                self.path_localize(path);
            }
            if let Some(scope) = &mut pattern.scope {
                self.scope_localize(scope);
            }
        }
        for hotspot in &mut found.hotspots {
            self.path_localize(&mut hotspot.path);
        }
        for command in &mut found.commands {
            self.path_localize(&mut command.path);
        }
        for pair in &mut found.co_changes {
            for path in &mut pair.paths {
                self.path_localize(path);
            }
        }
        for owned in &mut found.ownership {
            self.scope_localize(&mut owned.folder);
        }
        for layer in &mut found.imports.layers {
            for folder in &mut layer.folders {
                self.scope_localize(folder);
            }
        }
        for cycle in &mut found.imports.cycles {
            for step in &mut cycle.path {
                self.path_localize(&mut step.file);
            }
        }
        for clone in &mut found.duplicates {
            for place in &mut clone.places {
                self.path_localize(&mut place.path);
            }
        }
        for unused in &mut found.dead_code {
            self.path_localize(&mut unused.location.path);
        }
        for ranked in &mut found.map {
            self.path_localize(&mut ranked.path);
        }
        for error in &mut found.rules.errors {
            self.path_localize(&mut error.path);
        }
        for rule in &mut found.rules.rules {
            self.path_localize(&mut rule.path);
        }
    }

    /// A path as it is in its source.
    pub fn path_shown<'a>(&self, path: &'a str) -> &'a str {
        match path.split_once('/') {
            Some((first, rest)) if self.apart.iter().any(|apart| apart.folder == first) => rest,
            _ => path,
        }
    }

    fn path_localize(&self, path: &mut String) {
        let shown = self.path_shown(path);
        if shown.len() < path.len() {
            *path = shown.to_owned();
        }
    }

    /// A folder of a source that stands apart is told with the source's name.
    fn scope_localize(&self, scope: &mut String) {
        let first = scope.split('/').next().unwrap_or_default();
        if let Some(apart) = self.apart.iter().find(|apart| apart.folder == first) {
            *scope = scope.replacen(&apart.folder, &apart.name, 1);
        }
    }
}

fn is_small(size: i64) -> bool {
    usize::try_from(size).is_ok_and(|size| size <= SIZE_CAP)
}

/// The last part of the repository's address.
fn repository_name(source: &Source) -> String {
    let url = source.url.trim_end_matches('/');
    let name = url.rsplit(['/', ':']).next().unwrap_or(url);
    name.trim_end_matches(".git").to_owned()
}
