//! Lists the files to analyse: the files of all sources of the project, with the same rules as for a folder on disk.

use std::collections::{HashMap, HashSet};

use nyxcore_code_engine::analysis::{Place, ProjectAnalysis};
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::listing::{self, Attributes, Ignored, SIZE_CAP, Skip, SkipRule};
use nyxcore_code_engine::project::{Change, FileHistory, Manifest};
use nyxcore_code_engine::rules::RuleFile;
use nyxcore_projects::{
    ProjectId, Source, SourceCommit, SourceFile, SourceId, blob_contents, file_all, source_history,
    sources_of,
};
use nyxcore_tenancy::{Access, Result, Scoped};

use crate::entity::code_analysis::Heads;
use crate::start::heads;

/// The files to analyse.
pub(super) struct Scan {
    /// Files whose language is detected by their name.
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
    /// The owner of each file, by its path in this scan.
    owners: HashMap<String, Owner>,
    /// Sources with a path prefix of their own, because another source has files with the same paths.
    apart: Vec<SourceLabel>,
}

/// The source and the repository of a file.
#[derive(Debug, Clone, Copy)]
struct Owner {
    id: SourceId,
    /// The index of the first source with the same repository and branch.
    repository: usize,
}

/// A file to be analysed.
pub(super) struct ScannedFile {
    /// The path in its source. If another source has the same path, it is prefixed by a folder named after the source's
    /// id.
    pub path: String,
    pub blob: String,
    pub language: Language,
    pub size: i64,
    /// Why it is skipped, if that is known without its content.
    pub skip: Option<SkipRule>,
}

struct SourceLabel {
    /// The source's id.
    folder: String,
    /// The name of its repository.
    name: String,
}

/// Lists the files. Everything is read from one snapshot of the database.
pub(super) async fn scan<A: Access>(scoped: &Scoped<A>, project: ProjectId) -> Result<Scan> {
    let sources = sources_of(scoped, &[project]).await?.remove(&project);
    let mut scan = Scan {
        files: Vec::new(),
        manifests: Vec::new(),
        rules: Vec::new(),
        history: Vec::new(),
        changes: Vec::new(),
        heads: heads(scoped, project).await?,
        owners: HashMap::new(),
        apart: Vec::new(),
    };
    let sources = sources.unwrap_or_default();
    let mut listed: Vec<(SourceId, usize, HashSet<String>)> = Vec::new();
    for source in &sources {
        // Two sources may be parts of one repository: a file that both contain is listed once.
        let repository = sources
            .iter()
            .position(|other| (&other.url, &other.branch) == (&source.url, &source.branch))
            .unwrap_or_default();
        let files = file_all(scoped, source.id).await?;
        let (mut ignored, attributes) = lists_read(scoped, &files).await?;
        let mut apart: Option<SourceLabel> = None;
        let mut moved: HashSet<String> = HashSet::new();
        let below = format!("{}/", source.scan_path);
        for file in files {
            // Rules are in a hidden folder, which is ignored otherwise.
            let inside = file.path.strip_prefix(&below).unwrap_or(&file.path);
            let is_rules = RuleFile::is_rule_file(inside) && is_small(file.size);
            if ignored.contains(&file.path) && !is_rules {
                continue;
            }
            let owner = Owner {
                id: source.id,
                repository,
            };
            let path = match scan.owners.get(&file.path) {
                Some(other) if other.repository == repository => continue,
                Some(_) => {
                    let folder = source.id.to_string();
                    let path = format!("{folder}/{}", file.path);
                    moved.insert(file.path.clone());
                    apart.get_or_insert_with(|| SourceLabel {
                        folder,
                        name: repository_name(source),
                    });
                    path
                }
                None => file.path.clone(),
            };
            scan.owners.insert(path.clone(), owner);
            if is_rules {
                scan.rules.push((path, file.blob));
            } else {
                scan.add(file, path, &attributes);
            }
        }
        scan.apart.extend(apart);
        listed.push((source.id, repository, moved));
    }
    // The owner of a path is known only when all sources are listed.
    for (source, repository, moved) in listed {
        for commit in source_history(scoped, source).await? {
            let change = scan.change(&commit, source, repository, &moved);
            scan.changes.push(change);
        }
    }
    Ok(scan)
}

/// Reads the source's own lists: ignored files, and the attributes that mark vendored or generated files. `.gitignore`
/// is not needed: git tracks all files of a commit.
async fn lists_read<A: Access>(
    scoped: &Scoped<A>,
    files: &[SourceFile],
) -> Result<(Ignored, Attributes)> {
    let lists: Vec<&SourceFile> = files
        .iter()
        .filter(|file| listing::is_own_list(&file.path) || listing::is_attributes(&file.path))
        .filter(|file| is_small(file.size))
        .collect();
    let oids: Vec<&str> = lists.iter().map(|file| file.blob.as_str()).collect();
    let texts = blob_contents(scoped, &oids).await?;
    let lists = lists
        .iter()
        .filter_map(|file| Some((file.path.as_str(), texts.get(&file.blob)?.as_str())));
    let (said, lists): (Vec<_>, Vec<_>) = lists.partition(|(path, _)| listing::is_attributes(path));
    let mut ignored = Ignored::new(lists.into_iter());
    // An ignored attributes file has no effect.
    let said: Vec<(&str, &str)> = said
        .into_iter()
        .filter(|(path, _)| !ignored.contains(path))
        .collect();
    let attributes = Attributes::new(said.into_iter());
    let paths = files.iter().map(|file| file.path.as_str());
    Ok((ignored, attributes.with_javadoc(paths)))
}

impl Scan {
    /// Builds the change of a commit, with the paths of this scan. A path that the source no longer has must not be
    /// taken for another source's file.
    fn change(
        &self,
        commit: &SourceCommit,
        source: SourceId,
        repository: usize,
        moved: &HashSet<String>,
    ) -> Change {
        let path = |path: &str| {
            let owner = self.owners.get(path);
            let is_anothers = owner.is_some_and(|owner| owner.repository != repository);
            if is_anothers || moved.contains(path) {
                format!("{source}/{path}")
            } else {
                path.to_owned()
            }
        };
        Change {
            author: commit.author.as_ref().to_owned(),
            paths: commit.paths.iter().map(|one| path(one)).collect(),
            committed_at: commit.committed_at,
        }
    }

    fn add(&mut self, file: SourceFile, path: String, attributes: &Attributes) {
        let by_path = attributes.path_skip(&file.path);
        // Lock files are generated, but they are read for versions.
        let is_own = by_path.is_none_or(|rule| rule.reason != Skip::Vendored);
        if Manifest::is_manifest(&file.path)
            && is_own
            && u64::try_from(file.size).is_ok_and(|size| size <= Manifest::size_cap(&file.path))
        {
            self.manifests.push((path.clone(), file.blob.clone()));
        }
        if listing::is_dotted(&file.path) {
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

    /// Sets the source of each place in the result, and restores the path in that source.
    pub fn localize(&self, found: &mut ProjectAnalysis) {
        let folders = self.folder_sources();
        found.places_visit(|place| match place {
            Place::File { path, source_id } => {
                *source_id = self.owners.get(path).map(|owner| owner.id.to_string());
                self.path_localize(path);
            }
            Place::Folder { path, source_id } => {
                if let Some(source_id) = source_id {
                    let source = folders.get(path.as_str()).copied().flatten();
                    *source_id = source.map(|source| source.to_string());
                }
                self.scope_localize(path);
            }
        });
    }

    /// The source of each folder with files; `None` where they are of several. The empty path is the whole project.
    fn folder_sources(&self) -> HashMap<&str, Option<SourceId>> {
        let mut sources: HashMap<&str, Option<SourceId>> = HashMap::new();
        for (path, owner) in &self.owners {
            let mut folder = path.as_str();
            while !folder.is_empty() {
                folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
                let known = sources.entry(folder).or_insert(Some(owner.id));
                if *known != Some(owner.id) {
                    *known = None;
                }
            }
        }
        sources
    }

    /// The path as it is in its source.
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

    /// Adds the source's name to a folder scope, if the project has several sources.
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
