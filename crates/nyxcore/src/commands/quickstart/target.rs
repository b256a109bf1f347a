//! The target of a quickstart. It is validated before anything is created.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nyxcore_projects::BranchName;
use nyxcore_sync::git::{GitError, SourceUrl, repository_discover};
use url::Url;

use crate::cli::QuickstartArgs;
use crate::error::{Error, Result};
use crate::git_tool;
use crate::settings::Settings;

/// A repository.
#[derive(Debug)]
pub enum Target {
    /// A repository on this machine.
    Local {
        /// The root of its work tree, or the folder of a bare repository.
        root: PathBuf,
        /// Whether it has a work tree.
        has_work_tree: bool,
        /// The branch that is checked out.
        branch: Option<String>,
    },
    /// A repository elsewhere, by its normalized URL.
    Remote(String),
}

impl Target {
    /// Parses the repository that the command line names.
    ///
    /// # Errors
    /// `NOT_A_REPOSITORY`, `REPOSITORY_EMPTY`, `PATH_NOT_FOUND`, `BRANCH_INVALID`, `SOURCE_URL_INVALID`,
    /// `SOURCE_URL_FORBIDDEN` ...
    pub async fn recognise(args: &QuickstartArgs, settings: &Settings) -> Result<Self> {
        args.branch
            .as_deref()
            .map(BranchName::parse)
            .transpose()
            .map_err(GitError::from)?;
        let path = PathBuf::from(&args.target);
        if path.exists() {
            return Self::local(&path, args.branch.is_none()).await;
        }
        if let Some(path) = file_url(&args.target) {
            return Self::local(&path, args.branch.is_none()).await;
        }
        if !is_address(&args.target) {
            bail!(Error::NoSuchFolder(path));
        }
        let url = SourceUrl::parse(&args.target, &settings.source_policy())?;
        Ok(Self::Remote(url.as_str().to_owned()))
    }

    async fn local(path: &Path, needs_head: bool) -> Result<Self> {
        if !path.exists() {
            bail!(Error::NoSuchFolder(path.to_owned()));
        }
        let path = path
            .canonicalize()
            .context("looking for the repository failed")?;
        let Some(found) = repository_discover(&path).await? else {
            bail!(Error::NotARepository(path));
        };
        if needs_head && found.head_commit.is_none() {
            return Err(GitError::RepositoryEmpty.into());
        }
        let root = found.work_dir.as_ref().unwrap_or(&found.git_dir);
        let root = root
            .canonicalize()
            .context("looking for the repository failed")?;
        Ok(Self::Local {
            root,
            has_work_tree: found.work_dir.is_some(),
            branch: found.branch,
        })
    }

    /// The URL of the source.
    ///
    /// # Errors
    /// The path is not UTF-8.
    pub fn url(&self) -> Result<&str, GitError> {
        match self {
            Self::Local { root, .. } => root.to_str().ok_or(GitError::SourceUrlInvalid {
                reason: "must be a path in UTF-8",
            }),
            Self::Remote(url) => Ok(url),
        }
    }

    /// The branch that is checked out, where that is known.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Local { branch, .. } => branch.as_deref(),
            Self::Remote(_) => None,
        }
    }

    /// The name for the project: the last part of the path, without `.git`.
    pub fn name(&self) -> String {
        let text = match self {
            Self::Local { root, .. } => root.to_string_lossy().into_owned(),
            Self::Remote(url) => url.clone(),
        };
        let parts = text.rsplit(['/', ':']);
        let mut names = parts.map(|part| part.strip_suffix(".git").unwrap_or(part));
        let name = names.find(|name| !name.is_empty()).unwrap_or("repository");
        name.chars().take(200).collect()
    }

    /// The paths that may be synced because the user named them.
    pub fn local_roots(&self) -> Vec<PathBuf> {
        match self {
            Self::Local { root, .. } => vec![root.clone()],
            Self::Remote(_) => Vec::new(),
        }
    }

    /// Whether there are uncommitted changes, which the sync does not see.
    pub async fn has_changes(&self) -> bool {
        match self {
            Self::Local {
                root,
                has_work_tree: true,
                ..
            } => git_tool::has_changes(root).await,
            _ => false,
        }
    }
}

/// Whether a text that is not a local path can only be meant as a URL, well-formed or not.
fn is_address(text: &str) -> bool {
    let is_scp_like = || {
        text.split_once(':')
            .is_some_and(|(host, _)| host.contains('@') && !host.contains('/'))
    };
    text.contains("://") || text.contains("::") || is_scp_like()
}

fn file_url(text: &str) -> Option<PathBuf> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "file")?;
    url.to_file_path().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_path() {
        for (text, address) in [
            ("https://example.org/a.git", true),
            ("git@example.org:team/a.git", true),
            ("ext::sh -c touch% x", true),
            ("gopher://x", true),
            ("some/folder", false),
            ("./user@host:file", false),
            ("folder", false),
        ] {
            assert_eq!(is_address(text), address, "{text}");
        }
    }

    #[test]
    fn a_project_is_called_as_its_repository_is() {
        let local = |root: &str| Target::Local {
            root: root.into(),
            has_work_tree: true,
            branch: None,
        };
        for (target, name) in [
            (local("/home/a/atlas"), "atlas"),
            (local("/srv/git/atlas.git"), "atlas"),
            (local("/"), "repository"),
            (
                Target::Remote("https://example.org/team/atlas.git".into()),
                "atlas",
            ),
            (
                Target::Remote("ssh://git@example.org/atlas".into()),
                "atlas",
            ),
        ] {
            assert_eq!(target.name(), name);
        }
    }
}
