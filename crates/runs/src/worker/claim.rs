//! Claiming: the one statement that decides which worker gets a run.
//!
//! Among tenants with waiting runs, the one with the fewest running runs comes first, then the one that was served
//! longest ago. Within a tenant the highest priority comes first, then the longest waiting run. Waiting runs are
//! searched by lane (tenant, kind and priority), each with one lookup in the index `runs_waiting`. So the cost of a
//! claim depends on the number of lanes, not on the number of waiting runs.

use chrono::TimeDelta;
use nyxcore_tenancy::{Backend, Result, Store, TenantId};
use sea_orm::{ActiveValue::Set, Value};
use uuid::Uuid;

use crate::entity::{run, run_attempt};
use crate::model::{Run, RunKind};
use crate::registration::RUN_CLAIM;

/// How long a lease lasts without renewal before another worker may take the run.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(45);

/// A run that this worker claimed.
pub(super) struct ClaimedRun {
    pub tenant: TenantId,
    pub run: Run,
    /// The number of attempts, without those that were handed back.
    pub tries: i64,
    pub tries_max: i64,
}

macro_rules! claim_sql {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            "UPDATE runs SET status = 'RUNNING', worker = $1, attempt = attempt + 1, lease_expires_at = $2, progress_at = $3, claimed_at = $3,
                    started_at = coalesce(started_at, $3) ",
            $tail
        )
    };
}

/// A run that another worker is about to claim is skipped without waiting, and the next run of its lane is taken. The
/// lanes are joined in order with their lockable runs, and the first result ends the search.
const CLAIM_ON_POSTGRES: &str = claim_sql!(
    "WITH RECURSIVE lanes AS (
        (SELECT tenant_id, kind, priority, available_at, id FROM runs WHERE status = 'QUEUED'
         ORDER BY tenant_id, kind, priority, available_at, id LIMIT 1)
        UNION ALL
        SELECT next.* FROM lanes CROSS JOIN LATERAL (
            SELECT tenant_id, kind, priority, available_at, id FROM runs
            WHERE status = 'QUEUED' AND (tenant_id, kind, priority) > (lanes.tenant_id, lanes.kind, lanes.priority)
            ORDER BY tenant_id, kind, priority, available_at, id LIMIT 1) next
     ), turns AS MATERIALIZED (
        SELECT lanes.tenant_id, lanes.kind, lanes.priority FROM lanes
        CROSS JOIN LATERAL (SELECT count(*) AS runs FROM runs r WHERE r.status = 'RUNNING' AND r.tenant_id = lanes.tenant_id) running
        CROSS JOIN LATERAL (SELECT max(r.claimed_at) AS at FROM runs r WHERE r.claimed_at IS NOT NULL AND r.tenant_id = lanes.tenant_id) served
        WHERE lanes.available_at <= $3 AND lanes.kind IN (SELECT jsonb_array_elements_text($4::text::jsonb))
        ORDER BY running.runs, served.at NULLS FIRST, lanes.tenant_id, lanes.priority DESC, lanes.available_at, lanes.id
     ), pick AS MATERIALIZED (
        SELECT head.tenant_id, head.id FROM turns CROSS JOIN LATERAL (
            SELECT tenant_id, id FROM runs
            WHERE status = 'QUEUED' AND tenant_id = turns.tenant_id AND kind = turns.kind AND priority = turns.priority AND available_at <= $3
            ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) head
        LIMIT 1
     ) ",
    "FROM pick WHERE runs.tenant_id = pick.tenant_id AND runs.id = pick.id RETURNING runs.*"
);

/// The transaction began as the only writer, so nothing has to be locked. SQLite has no lateral joins, and finds the
/// next lane with one index lookup for each of the lane's three columns.
const CLAIM_ON_SQLITE: &str = claim_sql!(
    "",
    "WHERE rowid = (
        WITH RECURSIVE lanes (head) AS (
            SELECT * FROM (SELECT rowid FROM runs WHERE status = 'QUEUED' ORDER BY tenant_id, kind, priority, available_at, id LIMIT 1)
            UNION ALL
            SELECT coalesce(
                (SELECT n.rowid FROM runs n
                 WHERE n.status = 'QUEUED' AND n.tenant_id = l.tenant_id AND n.kind = l.kind AND n.priority > l.priority
                 ORDER BY n.priority, n.available_at, n.id LIMIT 1),
                (SELECT n.rowid FROM runs n WHERE n.status = 'QUEUED' AND n.tenant_id = l.tenant_id AND n.kind > l.kind
                 ORDER BY n.kind, n.priority, n.available_at, n.id LIMIT 1),
                (SELECT n.rowid FROM runs n WHERE n.status = 'QUEUED' AND n.tenant_id > l.tenant_id
                 ORDER BY n.tenant_id, n.kind, n.priority, n.available_at, n.id LIMIT 1))
            FROM lanes JOIN runs l ON l.rowid = lanes.head
        )
        SELECT l.rowid FROM lanes JOIN runs l ON l.rowid = lanes.head
        WHERE l.available_at <= $3 AND l.kind IN (SELECT value FROM json_each($4))
        ORDER BY (SELECT count(*) FROM runs r WHERE r.status = 'RUNNING' AND r.tenant_id = l.tenant_id),
                 (SELECT max(r.claimed_at) FROM runs r WHERE r.claimed_at IS NOT NULL AND r.tenant_id = l.tenant_id) NULLS FIRST,
                 l.tenant_id, l.priority DESC, l.available_at, l.id
        LIMIT 1) RETURNING *"
);

/// Claims the next run of one of these kinds, and begins an attempt at it. `None` if no run waits.
pub(super) async fn run_claim(
    store: &Store,
    worker: Uuid,
    worker_name: &str,
    kinds: &[RunKind],
) -> Result<Option<ClaimedRun>> {
    let now = store.env().now();
    let system = store.system(RUN_CLAIM).await?;
    let sql = match system.backend() {
        Backend::Postgres => CLAIM_ON_POSTGRES,
        _ => CLAIM_ON_SQLITE,
    };
    // The kinds are bound as one JSON list, so that the statement is the same for any number of kinds.
    let names: Vec<&str> = kinds.iter().map(RunKind::as_str).collect();
    let values: [Value; 4] = [
        worker.into(),
        (now + LEASE).into(),
        now.into(),
        serde_json::json!(names).to_string().into(),
    ];
    let rows: Vec<run::Model> = system.sql_all(sql, values).await?;
    let Some(row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let attempt = run_attempt::ActiveModel {
        tenant_id: Set(row.tenant_id),
        run_id: Set(row.id),
        attempt: Set(row.attempt),
        worker: Set(worker),
        worker_name: Set(worker_name.to_owned()),
        started_at: Set(now),
        ended_at: Set(None),
        outcome: Set(None),
        error_code: Set(None),
        error_message: Set(None),
        phases: Set(serde_json::json!([])),
    };
    system.insert(attempt).await?;
    system.commit().await?;
    Ok(Some(ClaimedRun {
        tenant: row.tenant_id,
        tries: row.attempt - row.handed_back,
        tries_max: row.max_attempts,
        run: row.into(),
    }))
}
