//! Claiming: the one statement that decides which worker gets a run.

use chrono::TimeDelta;
use nyxcore_tenancy::{Backend, Result, Store, SystemPurpose, TenantId};
use sea_orm::{ActiveEnum, Value};
use uuid::Uuid;

use crate::entity::run;
use crate::model::{Run, RunKind};

/// How long a worker may be silent before its run is another's.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(45);

/// Kinds that fit the statement; as many as there are.
const KINDS: usize = 9;

/// A run in this worker's hands.
pub(super) struct Claimed {
    pub tenant: TenantId,
    pub run: Run,
    pub max_attempts: i64,
}

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "UPDATE runs SET status = 'RUNNING', worker = $1, attempt = attempt + 1, lease_expires_at = $2, progress_at = $3,
                    started_at = coalesce(started_at, $3)
             WHERE status = 'QUEUED' AND (tenant_id, id) IN (
                SELECT tenant_id, id FROM runs
                WHERE status = 'QUEUED' AND available_at <= $3 AND kind IN ($4, $5, $6, $7, $8, $9, $10, $11, $12)
                ORDER BY available_at, id LIMIT 1 ",
            $lock,
            ") RETURNING *"
        )
    };
}

/// Takes the run that has waited longest, of one of these kinds. `None` where none waits.
pub(super) async fn run_claim(
    store: &Store,
    worker: Uuid,
    kinds: &[RunKind],
) -> Result<Option<Claimed>> {
    let now = store.env().now();
    let system = store.system(SystemPurpose::RunClaim).await?;
    // On SQLite the transaction began as the only writer; on PostgreSQL rows that another claims are passed over.
    let sql = match system.backend() {
        Backend::Postgres => claim_sql!("FOR UPDATE SKIP LOCKED"),
        _ => claim_sql!(""),
    };
    let head: [Value; 3] = [worker.into(), (now + LEASE).into(), now.into()];
    let names = (0..KINDS).map(|i| Value::from(kinds.get(i).map(ActiveEnum::to_value)));
    let rows: Vec<run::Model> = system.sql_all(sql, head.into_iter().chain(names)).await?;
    let Some(row) = rows.into_iter().next() else {
        return Ok(None);
    };
    system.commit().await?;
    Ok(Some(Claimed {
        tenant: row.tenant_id,
        max_attempts: row.max_attempts,
        run: row.into(),
    }))
}
