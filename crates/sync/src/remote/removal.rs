//! Removes the remains of a removed source: its secrets in the database, and its mirrors on the disks of workers.

use nyxcore_projects::SourceId;
use nyxcore_tenancy::secret::secret_remove;
use nyxcore_tenancy::{ReadWrite, Result, Scoped};

use super::{credential, webhook};

/// The topic of the signal that a source was removed: workers then check which of their mirrors still have a source.
pub const TOPIC_SOURCE_GONE: &str = "source_gone";

/// Deletes the secrets of removed sources, and signals every worker to delete their mirrors after the commit. Call it
/// in the transaction that removes sources, alone or with their project.
///
/// # Errors
/// The database refuses.
pub async fn source_forget(scoped: &Scoped<ReadWrite>, sources: &[SourceId]) -> Result<()> {
    for source in sources {
        for kind in [credential::KIND, webhook::KIND] {
            secret_remove(scoped, kind, &source.to_string()).await?;
        }
    }
    if let Some(first) = sources.first() {
        scoped.announce(TOPIC_SOURCE_GONE, first.0).await?;
    }
    Ok(())
}
