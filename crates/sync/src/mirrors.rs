//! Deletes mirrors without a source on the disk of each worker, whether the source was removed alone, with its project
//! or with its tenant.

use std::collections::{HashMap, HashSet};

use nyxcore_projects::SourceId;
use nyxcore_tenancy::Store;
use uuid::Uuid;

use crate::entity::sync_settings;
use crate::git::GitError;
use crate::options::{SyncOptions, mirror_name};
use crate::registration::MIRROR_SWEEP;

/// Why mirrors could not be deleted.
#[derive(Debug, thiserror::Error)]
pub enum MirrorSweepError {
    /// The folder of the mirrors cannot be read.
    #[error(transparent)]
    Disk(#[from] GitError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] nyxcore_tenancy::Error),
}

/// Deletes the mirrors on this disk whose source no longer exists, and the leftovers of killed processes beside the
/// other mirrors. Returns the number of deleted mirrors. A mirror that is in use stays until the next call. Files that
/// do not have the name of a mirror stay.
///
/// # Errors
/// The folder or the database cannot be read; nothing was deleted then. Mirrors that cannot be deleted are logged.
pub async fn mirrors_sweep(store: &Store, options: &SyncOptions) -> Result<u64, MirrorSweepError> {
    // The disk is read first: the row of a source is always written before its mirror.
    let names = options.mirrors.mirror_ids().await?;
    let sources: HashMap<SourceId, String> = names
        .into_iter()
        .filter_map(|name| {
            let source = SourceId(Uuid::parse_str(&name).ok()?);
            (mirror_name(source) == name).then_some((source, name))
        })
        .collect();
    let ids: Vec<SourceId> = sources.keys().copied().collect();
    let rows = {
        let system = store.system(MIRROR_SWEEP).await?;
        let column = sync_settings::Column::SourceId;
        system
            .find_in::<sync_settings::Entity, _>(column, ids)
            .await?
    };
    let kept: HashSet<SourceId> = rows.into_iter().map(|row| row.source_id).collect();
    let mut deleted = 0;
    for (source, name) in &sources {
        let outcome = if kept.contains(source) {
            options
                .mirrors
                .mirror_tidy_unused(name)
                .await
                .map(|()| false)
        } else {
            options.mirrors.mirror_delete_unused(name).await
        };
        match outcome {
            Ok(gone) => deleted += u64::from(gone),
            Err(error) => {
                tracing::warn!(code = error.code(), detail = error.detail(), %source, "a mirror could not be deleted");
            }
        }
    }
    Ok(deleted)
}
