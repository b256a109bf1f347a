//! Adds, changes and removes sources, and updates their sync state.

use chrono::{DateTime, Utc};
use nyxcore_retrieval::{KnowledgeKind, documents_withdraw};
use nyxcore_tenancy::{Action, ReadWrite, Repository, Result, Scoped, TypedId};
use sea_orm::ActiveValue::Set;

use super::blob::{blobs_collect, blobs_of_sources};
use super::file::{code_subject, files_by_path};
use crate::check;
use crate::entity::source;
use crate::model::{ProjectId, Source, SourceId};
use crate::name::{BranchName, NameError, ScanPath};
use crate::registration::SOURCE;
use crate::repository::{Projects, Sources};

/// The resource that a conflict names: the project already has the source.
const TAKEN: &str = "a source with this URL, branch and scan path";

/// A new source.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// The project it is for.
    pub project_id: ProjectId,
    /// The URL of the repository. The caller has to check before that it may be fetched from.
    pub url: String,
    /// `None` or blank is the repository's default branch.
    pub branch: Option<String>,
    /// The folder to scan; `""` and `/` are the root.
    pub scan_path: String,
}

/// The changes to a source; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in NewSource")]
pub struct SourceChanges {
    pub url: Option<String>,
    /// A blank one is the repository's default branch.
    pub branch: Option<String>,
    pub scan_path: Option<String>,
}

/// Adds a source to a project. Programs that sync use the function of the same name in `nyxcore-sync`, which also
/// checks the address against the operator's policy.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for the project; [`Invalid`](nyxcore_tenancy::Error::Invalid) for an
/// invalid text; [`Conflict`](nyxcore_tenancy::Error::Conflict) if the project has the same source.
pub async fn source_add(scoped: &Scoped<ReadWrite>, new: NewSource) -> Result<Source> {
    let id = SourceId(scoped.env().id());
    scoped.permit(Action::Create, SOURCE, id.uuid())?;
    let now = scoped.env().now();
    let row = source::ActiveModel {
        id: Set(id),
        project_id: Set(new.project_id),
        url: Set(check::url(&new.url)?),
        branch: Set(branch_parse(new.branch.as_deref().unwrap_or_default())?),
        scan_path: Set(scan_path_parse(&new.scan_path)?),
        head_commit: Set(None),
        last_synced_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Projects::require(scoped, new.project_id).await?;
    Sources::insert(scoped, row)
        .await
        .map_err(|e| e.conflict_as(TAKEN))
}

/// Changes the settings of a source. Its files stay until the next sync, which then compares all of them. Programs that
/// sync use the function in `nyxcore-sync`, which also deletes the credential if the address leads elsewhere.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound), and as [`source_add`].
pub async fn source_update(
    scoped: &Scoped<ReadWrite>,
    id: SourceId,
    changes: SourceChanges,
) -> Result<Source> {
    scoped.permit(Action::Update, SOURCE, id.uuid())?;
    let old = Sources::require(scoped, id).await?;
    let url = changes.url.as_deref().map(check::url).transpose()?;
    let branch = changes.branch.as_deref().map(branch_parse).transpose()?;
    let path = changes.scan_path.as_deref().map(scan_path_parse);
    let path = path.transpose()?;
    let (url, branch, scan_path) = (
        url.unwrap_or(old.url.clone()),
        branch.unwrap_or(old.branch.clone()),
        path.unwrap_or(old.scan_path.clone()),
    );
    if (&url, &branch, &scan_path) == (&old.url, &old.branch, &old.scan_path) {
        return Ok(old);
    }
    let row = source::ActiveModel {
        url: Set(url),
        branch: Set(branch),
        scan_path: Set(scan_path),
        // A diff from the old commit would miss files outside the old path, or belong to another history.
        head_commit: Set(None),
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    Sources::update(scoped, id, row)
        .await
        .map_err(|e| e.conflict_as(TAKEN))
}

/// Removes a source with its files, their search documents, and the content that no other file has. Programs that sync
/// use the function in `nyxcore-sync`, which also removes credentials and mirrors.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound).
pub async fn source_remove(scoped: &Scoped<ReadWrite>, id: SourceId) -> Result<()> {
    scoped.permit(Action::Delete, SOURCE, id.uuid())?;
    let blobs = blobs_of_sources(scoped, &[id]).await?;
    let files = files_by_path::<_, String>(scoped, id, None).await?;
    let subjects: Vec<String> = files.keys().map(|path| code_subject(id, path)).collect();
    for kind in [KnowledgeKind::Code, KnowledgeKind::Document] {
        documents_withdraw(scoped, kind, &subjects).await?;
    }
    Sources::delete(scoped, id).await?;
    blobs_collect(scoped, &blobs).await?;
    Ok(())
}

/// Records that the source's files are now those of a commit.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound).
pub async fn source_synced(
    scoped: &Scoped<ReadWrite>,
    id: SourceId,
    head_commit: &str,
    at: DateTime<Utc>,
) -> Result<Source> {
    let row = source::ActiveModel {
        head_commit: Set(Some(head_commit.to_owned())),
        last_synced_at: Set(Some(at)),
        ..Default::default()
    };
    Sources::update(scoped, id, row).await
}

fn branch_parse(text: &str) -> Result<Option<String>, NameError> {
    let branch = BranchName::parse_optional(text)?;
    Ok(branch.map(|branch| branch.as_str().to_owned()))
}

fn scan_path_parse(text: &str) -> Result<String, NameError> {
    ScanPath::parse(text).map(|path| path.as_str().to_owned())
}
