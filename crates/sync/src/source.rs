//! Adds, changes and removes sources together with their credentials, webhooks and mirrors.
//!
//! `nyxcore_projects` has only the rows. A program that syncs uses the functions of this module, so that no source
//! keeps another's credential, and no credential or mirror remains without its source.

use nyxcore_projects::{
    BranchName, NewSource, ProjectId, ScanPath, Source, SourceChanges, SourceId, Sources,
    sources_of,
};
use nyxcore_tenancy::{Error, ReadWrite, Repository, Scoped};

use crate::git::{GitError, SourcePolicy, SourceUrl};
use crate::remote::{source_forget, source_url_changed};

/// An error of a function about sources.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] Error),
    /// The address, the branch or the scan path is malformed, or the operator does not allow it.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl SourceError {
    /// The stable code that clients may match on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Git(error) => error.code(),
        }
    }
}

/// Adds a source to a project. No network access is made: before every fetch the address is checked again, with the
/// addresses of its host.
///
/// # Errors
/// [`GitError::SourceUrlInvalid`], [`GitError::SourceUrlForbidden`], [`GitError::BranchInvalid`] or
/// [`GitError::ScanPathInvalid`]; `NOT_FOUND` for the project; `CONFLICT` if the project has the same source.
pub async fn source_add(
    scoped: &Scoped<ReadWrite>,
    policy: &SourcePolicy,
    mut new: NewSource,
) -> Result<Source, SourceError> {
    new.url = url_parse(&new.url, policy)?;
    names_check(new.branch.as_deref(), Some(&new.scan_path))?;
    Ok(nyxcore_projects::source_add(scoped, new).await?)
}

/// Changes the address, branch or scan path of a source. If the new address has another scheme, host or port, the
/// source's credential is removed.
///
/// # Errors
/// As [`source_add`]; `NOT_FOUND` for the source.
pub async fn source_update(
    scoped: &Scoped<ReadWrite>,
    policy: &SourcePolicy,
    id: SourceId,
    mut changes: SourceChanges,
) -> Result<Source, SourceError> {
    changes.url = changes.url.map(|url| url_parse(&url, policy)).transpose()?;
    names_check(changes.branch.as_deref(), changes.scan_path.as_deref())?;
    let before = Sources::get(scoped, id).await?;
    let after = nyxcore_projects::source_update(scoped, id, changes).await?;
    if let Some(before) = before {
        source_url_changed(scoped, &before, &after).await?;
    }
    Ok(after)
}

/// Removes a source with its files, its secrets and, once the transaction is committed, its mirrors.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn source_remove(scoped: &Scoped<ReadWrite>, id: SourceId) -> Result<(), Error> {
    nyxcore_projects::source_remove(scoped, id).await?;
    source_forget(scoped, &[id]).await
}

/// Deletes a project with all that belongs to it, its sources as [`source_remove`] does.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn project_delete(scoped: &Scoped<ReadWrite>, id: ProjectId) -> Result<(), Error> {
    let sources = sources_of(scoped, &[id]).await?;
    let sources: Vec<SourceId> = sources.values().flatten().map(|source| source.id).collect();
    nyxcore_projects::project_delete(scoped, id).await?;
    source_forget(scoped, &sources).await
}

fn url_parse(url: &str, policy: &SourcePolicy) -> Result<String, GitError> {
    SourceUrl::parse(url, policy).map(|url| url.as_str().to_owned())
}

fn names_check(branch: Option<&str>, scan_path: Option<&str>) -> Result<(), GitError> {
    BranchName::parse_optional(branch.unwrap_or_default())?;
    ScanPath::parse(scan_path.unwrap_or_default())?;
    Ok(())
}
