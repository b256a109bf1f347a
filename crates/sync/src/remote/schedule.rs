//! The schedule of a source, and the follow-up sync after a push that arrives during a sync.

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_projects::{Source, SourceId, Sources};
use nyxcore_runs::{Run, RunFilter, RunStatus, run_list};
use nyxcore_tenancy::{
    Access, Action, Error, PageRequest, ReadWrite, Repository, Result, Scoped, Store, TypedId,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};
use sha2::{Digest, Sha256};

use super::settings::{SettingsRows, SyncSettings, settings_change};
use crate::entity::sync_settings;
use crate::model::SyncTrigger;
use crate::registration::{SYNC_RUN, SYNC_SCHEDULE};
use crate::repository::Syncs;
use crate::service::{sync_start, sync_subject};
use nyxcore_projects::SOURCE;

/// The least and the greatest time between two syncs of a schedule, in minutes: 5 minutes to 30 days. A rule of this
/// project.
pub const SCHEDULE_MINUTES: RangeInclusive<i64> = 5..=30 * 24 * 60;
/// The longest backoff of a source whose syncs fail, unless its schedule is longer.
const BACKOFF_MAX: TimeDelta = TimeDelta::days(1);
/// The maximum number of failures for the backoff: 5 minutes doubled so often are more than a day.
const FAILURES_MAX: u64 = 9;
/// The delay before a sync that a push requested is tried again while another sync of the source is active.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(15);
/// Error codes of runs that are caused by workers and not by the source.
const NOT_THE_SOURCES: &[&str] = &["RUN_STALLED", "WORKER_LOST"];

/// The schedule of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceSchedule {
    /// Minutes between two syncs. Each time is shifted by up to a tenth, so that not all sources are due at once.
    pub every_minutes: i64,
    /// When the next sync is due.
    pub next_sync_at: Option<DateTime<Utc>>,
}

impl SyncSettings {
    /// The schedule, if there is one.
    #[must_use]
    pub fn schedule(&self) -> Option<SourceSchedule> {
        self.schedule_minutes.map(|every_minutes| SourceSchedule {
            every_minutes,
            next_sync_at: self.next_sync_at,
        })
    }
}

/// Sets or removes the schedule of a source.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] outside of [`SCHEDULE_MINUTES`].
pub async fn source_schedule_set(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    every_minutes: Option<i64>,
) -> Result<Source> {
    scoped.permit(Action::Update, SOURCE, source.uuid())?;
    scoped.audit_detail(serde_json::json!({"everyMinutes": every_minutes}));
    let source = Sources::require(scoped, source).await?;
    if every_minutes.is_some_and(|minutes| !SCHEDULE_MINUTES.contains(&minutes)) {
        return Err(Error::Invalid(
            "the schedule must be between 5 minutes and 30 days (43,200 minutes)".into(),
        ));
    }
    let old = SettingsRows::get(scoped, source.id).await?;
    let pushed = old.is_some_and(|old| old.next_trigger == Some(SyncTrigger::Webhook));
    let mut row = sync_settings::ActiveModel {
        schedule_minutes: Set(every_minutes),
        ..Default::default()
    };
    // A sync that a push requested stays requested.
    if !pushed {
        next_set(&mut row, source.id, every_minutes, 0, scoped.env().now());
    }
    settings_change(scoped, source.id, row).await?;
    Ok(source)
}

/// Starts every due sync of every tenant, each within its own scope and with the same guard as any other; returns the
/// number of started syncs. With concurrent replicas each sync is started once, and after a pause of all replicas each
/// source is synced once.
///
/// # Errors
/// The database fails. A failure of one source is logged and does not affect the others.
pub async fn schedule_tick(store: &Store) -> Result<u64> {
    let now = store.env().now();
    let system = store.system(SYNC_SCHEDULE).await?;
    let due = system
        .find::<sync_settings::Entity>(sync_settings::Column::NextSyncAt.lte(now))
        .await?;
    // The due sources were read across tenants. Each is changed in its own tenant's scope.
    drop(system);
    let mut started = 0;
    for row in due {
        let source = row.source_id;
        match due_start(store, row, now).await {
            Ok(true) => started += 1,
            // Another replica was first, or the source was removed meanwhile.
            Ok(false) | Err(Error::NotFound(_)) => {}
            Err(error) => {
                tracing::warn!(?error, %source, "a sync that is due could not be started")
            }
        }
    }
    Ok(started)
}

async fn due_start(store: &Store, seen: sync_settings::Model, now: DateTime<Utc>) -> Result<bool> {
    let scoped = store.write(seen.tenant_id).await?;
    let (source, trigger) = (seen.source_id, seen.next_trigger);
    let failures = failures_in_a_row(&scoped, source).await?;
    let mut turn = sync_settings::ActiveModel::default();
    next_set(&mut turn, source, seen.schedule_minutes, failures, now);
    // The replica whose update moves the due time starts the sync.
    let still_due = Condition::all()
        .add(sync_settings::Column::SourceId.eq(source))
        .add(sync_settings::Column::NextSyncAt.lte(now))
        .add_option(trigger.map(|trigger| sync_settings::Column::NextTrigger.eq(trigger)));
    if scoped.update(still_due, turn).await? == 0 {
        return Ok(false);
    }
    let trigger = trigger.unwrap_or(SyncTrigger::Schedule);
    let (start, sync) = sync_start(&scoped, source, trigger, None).await?;
    if trigger == SyncTrigger::Webhook && !start.is_started() && another_needed(&sync.run) {
        another_ask(&scoped, source, now + LOOK_AGAIN).await?;
    }
    scoped.commit().await?;
    Ok(start.is_started())
}

/// Whether this active sync may miss a push that arrives now, because it may have fetched already.
pub(super) fn another_needed(run: &Run) -> bool {
    run.status == RunStatus::Running || run.attempt > 0
}

/// Requests one more sync after a push that arrived during a sync. Several requests lead to one sync.
pub(super) async fn another_ask(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    at: DateTime<Utc>,
) -> Result<()> {
    let row = sync_settings::ActiveModel {
        next_sync_at: Set(Some(at)),
        next_trigger: Set(Some(SyncTrigger::Webhook)),
        ..Default::default()
    };
    settings_change(scoped, source, row).await?;
    Ok(())
}

/// The follow-up of a successful sync, in the transaction that ends it. It starts the sync that pushes requested
/// meanwhile, and ends the backoff of earlier failures.
///
/// # Errors
/// The database refuses.
pub async fn sync_again(scoped: &Scoped<ReadWrite>, run: &Run) -> Result<()> {
    let Some(detail) = Syncs::get(scoped, run.id).await? else {
        return Ok(());
    };
    let source = detail.source_id;
    let Some(settings) = SettingsRows::get(scoped, source).await? else {
        return Ok(());
    };
    let now = scoped.env().now();
    let pushed = settings.next_trigger == Some(SyncTrigger::Webhook);
    if !pushed {
        let (Some(minutes), Some(next)) = (settings.schedule_minutes, settings.next_sync_at) else {
            return Ok(());
        };
        // Only if the backoff has moved the time further away than the schedule would.
        if next <= now + TimeDelta::minutes(minutes) * 11 / 10 {
            return Ok(());
        }
    }
    let mut row = sync_settings::ActiveModel::default();
    next_set(&mut row, source, settings.schedule_minutes, 0, now);
    SettingsRows::update(scoped, source, row).await?;
    if pushed {
        sync_start(scoped, source, SyncTrigger::Webhook, None).await?;
    }
    Ok(())
}

/// Sets when the schedule, if there is one, is due next.
fn next_set(
    row: &mut sync_settings::ActiveModel,
    source: SourceId,
    every_minutes: Option<i64>,
    failures: u32,
    now: DateTime<Utc>,
) {
    row.next_sync_at = Set(every_minutes.map(|minutes| now + wait(source, minutes, failures, now)));
    row.next_trigger = Set(every_minutes.map(|_| SyncTrigger::Schedule));
}

/// The delay of the schedule from `now` on. It doubles with every failure in a row up to a day, and is shifted by up to
/// a tenth either way, depending on the source and the time.
fn wait(source: SourceId, every_minutes: i64, failures: u32, now: DateTime<Utc>) -> TimeDelta {
    let every = TimeDelta::minutes(every_minutes);
    let doubled = every * 2_i32.pow(failures.min(16));
    let wait = doubled.min(BACKOFF_MAX.max(every)).num_milliseconds();
    let mut hash = Sha256::new();
    hash.update(source.0.as_bytes());
    hash.update(now.timestamp_micros().to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    // Two bytes of the hash, scaled to -1,000 to 1,000 ten-thousandths.
    let parts = i64::from(u16::from_be_bytes([hash[0], hash[1]])) * 2_000 / 65_535 - 1_000;
    TimeDelta::milliseconds(wait + wait / 10_000 * parts)
}

/// The number of the source's syncs that failed by themselves since the last success. Cancelled syncs are ignored.
async fn failures_in_a_row<A: Access>(scoped: &Scoped<A>, source: SourceId) -> Result<u32> {
    let ended = RunFilter {
        kinds: vec![SYNC_RUN],
        statuses: vec![RunStatus::Succeeded, RunStatus::Failed],
        subject: Some(sync_subject(source)),
        ..RunFilter::default()
    };
    let runs = run_list(scoped, &ended, &PageRequest::first(FAILURES_MAX)).await?;
    let failed = runs.into_items().into_iter();
    let failed = failed
        .take_while(|run| run.status == RunStatus::Failed)
        .filter(|run| {
            let code = run.error.as_ref().map(|error| error.code.as_str());
            !code.is_some_and(|code| NOT_THE_SOURCES.contains(&code))
        });
    Ok(u32::try_from(failed.count()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn waits(minutes: i64, failures: u32) -> Vec<f64> {
        let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let wait = |n: u128| wait(SourceId(Uuid::from_u128(n)), minutes, failures, now);
        (0..1_000)
            .map(|n| wait(n).num_milliseconds() as f64 / 60_000.0)
            .collect()
    }

    #[test]
    fn a_time_is_moved_by_up_to_a_tenth_and_always_the_same() {
        let times = waits(60, 0);
        assert!(times.iter().all(|minutes| (54.0..=66.0).contains(minutes)));
        assert!(times.iter().any(|m| *m < 55.0) && times.iter().any(|m| *m > 65.0));
        assert_eq!(times, waits(60, 0));
        let mean = times.iter().sum::<f64>() / 1_000.0;
        assert!((59.0..61.0).contains(&mean), "{mean}");
    }

    #[test]
    fn failures_double_the_time_up_to_a_day_and_never_shorten_it() {
        for (minutes, failures, least, most) in [
            (60, 1, 108.0, 132.0),
            (60, 3, 432.0, 528.0),
            (60, 9, 1296.0, 1584.0),
            (5, 9, 1296.0, 1584.0),
            (43_200, 0, 38_880.0, 47_520.0),
            (43_200, 9, 38_880.0, 47_520.0),
        ] {
            let times = waits(minutes, failures);
            assert!(
                times.iter().all(|time| (least..=most).contains(time)),
                "{minutes} {failures}"
            );
        }
    }
}
