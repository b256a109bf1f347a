//! Calls whose process is gone: each process extends the reservations of its own calls, and what nobody extends is settled.

use chrono::{DateTime, Utc};
use nyxcore_llm::{Usage, UsageSource};
use nyxcore_tenancy::{Repository, Result, Store};
use sea_orm::ColumnTrait;
use uuid::Uuid;

use super::settle::{Settlement, settlement_write};
use super::{CallContext, CallOutcome, ModelCalls, RESERVATION_HOLDS};
use crate::budget::amount_release;
use crate::entity::reservation;
use crate::money::Nanousd;
use crate::registration::{RESERVATION_EXTEND, RESERVATION_SWEEP};

/// Extends the reservations of a process, and tells how many there are.
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

/// Settles the calls of all tenants whose process is gone, and tells how many there were. What such a call cost is not
/// known, so all that was reserved for it is counted.
///
/// # Errors
/// The database fails. A call that cannot be settled is logged and keeps no other from its turn.
pub async fn reservations_sweep(store: &Store) -> Result<u64> {
    let now = store.env().now();
    let system = store.system(RESERVATION_SWEEP).await?;
    let overdue = system
        .find::<reservation::Entity>(reservation::Column::DeadlineAt.lt(now))
        .await?;
    // What was seen across tenants is changed within each tenant's own scope.
    drop(system);
    let mut settled = 0;
    for row in overdue {
        let id = row.id;
        match lost_settle(store, row, now).await {
            Ok(done) => settled += u64::from(done),
            Err(error) => tracing::warn!(?error, call = %id, "a lost call could not be settled"),
        }
    }
    Ok(settled)
}

async fn lost_settle(store: &Store, row: reservation::Model, now: DateTime<Utc>) -> Result<bool> {
    let scoped = store.write(row.tenant_id).await?;
    let amount = Nanousd(row.amount_nanousd);
    let reserved = serde_json::from_value(row.budgets).unwrap_or_default();
    if ModelCalls::get(&scoped, row.id).await?.is_some() {
        // It ended before its reservation was there, because whoever asked went away.
        let which = reservation::Column::Id.eq(row.id);
        if scoped.delete::<reservation::Entity>(which).await? == 0 {
            return Ok(false);
        }
        amount_release(&scoped, &reserved, row.run_id, (amount, Nanousd::ZERO)).await?;
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
    let done = settlement_write(&scoped, &settlement).await?;
    scoped.commit().await?;
    Ok(done)
}
