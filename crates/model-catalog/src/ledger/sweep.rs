//! Settles calls whose process is gone: each process extends the reservations of its own calls, and those that nobody
//! extends are settled.

use chrono::{DateTime, Utc};
use nyxcore_llm::{Usage, UsageSource};
use nyxcore_tenancy::{Repository, Result, Store};
use sea_orm::ColumnTrait;
use uuid::Uuid;

use super::settle::{Settlement, settlements_write};
use super::{CallContext, CallOutcome, ModelCalls, RESERVATION_HOLDS};
use crate::budget::{Releases, ReservedBudgets};
use crate::entity::{json_read, reservation};
use crate::money::Nanousd;
use crate::registration::{RESERVATION_EXTEND, RESERVATION_SWEEP};

/// Extends the reservations of a process, and returns their number.
pub(crate) async fn reservations_extend(store: &Store, owner: Uuid) -> Result<u64> {
    let system = store.system(RESERVATION_EXTEND).await?;
    let deadline = system.env().now() + RESERVATION_HOLDS;
    let sql = "UPDATE model_reservations SET deadline_at = $1 WHERE owner = $2";
    let extended = system
        .sql_execute(sql, [deadline.into(), owner.into()])
        .await?;
    system.commit().await?;
    Ok(extended)
}

/// The result of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReservationSweep {
    /// Lost calls that were settled.
    pub settled: u64,
    /// Lost calls that could not be settled: their reservations stay. The log names each of them on every sweep.
    pub failed: u64,
}

/// Settles the calls of all tenants whose process is gone. What such a call cost is not known, so all that was reserved
/// for it is counted.
///
/// # Errors
/// The database fails. A call that cannot be settled is logged and counted, and does not stop the others.
pub async fn reservations_sweep(store: &Store) -> Result<ReservationSweep> {
    let now = store.env().now();
    let system = store.system(RESERVATION_SWEEP).await?;
    let overdue = system
        .find::<reservation::Entity>(reservation::Column::DeadlineAt.lt(now))
        .await?;
    // Rows that were read across tenants are changed in a transaction of their own tenant.
    drop(system);
    let mut swept = ReservationSweep::default();
    for row in overdue {
        let (id, tenant) = (row.id, row.tenant_id);
        match lost_settle(store, row, now).await {
            Ok(done) => swept.settled += u64::from(done),
            Err(error) => {
                swept.failed += 1;
                tracing::error!(?error, call = %id, %tenant, "a lost call could not be settled: its budgets stay reserved");
            }
        }
    }
    Ok(swept)
}

async fn lost_settle(store: &Store, row: reservation::Model, now: DateTime<Utc>) -> Result<bool> {
    let scoped = store.write(row.tenant_id).await?;
    let amount = Nanousd(row.amount_nanousd);
    let reserved: ReservedBudgets = json_read("model_reservations.budgets", row.budgets)?;
    if ModelCalls::get(&scoped, row.id).await?.is_some() {
        // The caller went away, so the call ended before its reservation was written.
        let which = reservation::Column::Id.eq(row.id);
        if scoped.delete::<reservation::Entity>(which).await? == 0 {
            return Ok(false);
        }
        let mut releases = Releases::default();
        releases.add(&reserved, row.run_id, (amount, Nanousd::ZERO));
        releases.write(&scoped).await?;
        scoped.commit().await?;
        return Ok(true);
    }
    // Another process may have extended or settled it meanwhile.
    let current = scoped.find::<reservation::Entity>();
    let current = current.filter(reservation::Column::Id.eq(row.id));
    let current = current.filter(reservation::Column::DeadlineAt.lt(now));
    if current.one().await?.is_none() {
        return Ok(false);
    }
    let settlement = Settlement {
        id: row.id,
        context: CallContext {
            tenant: row.tenant_id,
            user: row.user_id,
            project: row.project_id,
            purpose: row.purpose,
            run: row.run_id,
            step: row.step,
        },
        started_at: row.started_at,
        provider: row.provider,
        model_asked: row.model_asked,
        model: row.model,
        model_answered: None,
        key_source: row.key_source,
        outcome: CallOutcome::Lost,
        finish_reason: None,
        error: Some((
            "CALL_LOST".to_owned(),
            "the process that made the call is gone".to_owned(),
        )),
        note: None,
        attempts: 1,
        usage: Usage {
            source: UsageSource::Estimated,
            ..Usage::default()
        },
        cost: amount,
        reserved: Some((amount, reserved)),
        first_token_ms: None,
        duration_ms: (now - row.started_at).num_milliseconds(),
        health: Vec::new(),
    };
    let done = settlements_write(&scoped, &[&settlement]).await?;
    if done {
        scoped.commit().await?;
    }
    Ok(done)
}
