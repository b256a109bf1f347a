//! The numbers of waiting and running runs of the whole installation, for the operator.

use chrono::{DateTime, Utc};
use nyxcore_tenancy::{Result, Store};
use sea_orm::FromQueryResult;

use crate::model::{RunKind, RunStatus};
use crate::registration::RUN_CENSUS;

/// The runs of one kind in one state, of all tenants together.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct CensusLine {
    /// The kind.
    pub kind: RunKind,
    /// The state: queued or running.
    pub status: RunStatus,
    /// The number of runs.
    pub runs: i64,
    /// Since when the oldest waiting run could be running. `None` for running runs, and if all runs wait for a later
    /// time.
    pub available_since: Option<DateTime<Utc>>,
}

/// Counts the queued and running runs. The query reads two partial indexes, which contain no ended run.
///
/// # Errors
/// The database fails.
pub async fn run_census(store: &Store) -> Result<Vec<CensusLine>> {
    let now = store.env().now();
    let system = store.system(RUN_CENSUS).await?;
    system
        .sql_all(
            "SELECT kind, status, count(*) AS runs,
                 min(CASE WHEN status = 'QUEUED' AND available_at <= $1 THEN available_at END) AS available_since
             FROM runs WHERE status IN ('QUEUED', 'RUNNING') GROUP BY kind, status ORDER BY kind, status",
            [now.into()],
        )
        .await
}
