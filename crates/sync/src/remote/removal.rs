//! Removes the remains of a removed source: its secrets in the database, and its mirrors on the disks of workers.

use nyxcore_projects::SourceId;
use nyxcore_tenancy::secret::secret_remove;
use nyxcore_tenancy::{ReadWrite, Result, Scoped};

use super::{credential, webhook};

/// The topic of the signal that a source is gone: whoever has mirrors looks which of them are still somebody's.
pub const TOPIC_SOURCE_GONE: &str = "source_gone";

/// To be called in the transaction that removes sources, by themselves or with their project: forgets their secrets, and tells every worker
/// to delete their mirrors once it is committed.
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
