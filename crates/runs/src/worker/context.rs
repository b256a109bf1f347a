//! What a handler receives: the run, its tenant's rows, shared services, progress reporting, and the stop signal.

use std::any::{TypeId, type_name};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nyxcore_tenancy::{ReadOnly, ReadWrite, Result, Scoped, Store, TenantId};
use sea_orm::{ColumnTrait, Condition, FromQueryResult, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Shared;
use super::claim::{ClaimedRun, LEASE};
use crate::attempt::{RunPhase, phases_write};
use crate::entity::run;
use crate::error::RunFailure;
use crate::events::{RunLease, event_append, event_tell, events_append};
use crate::model::{EventBody, Level, Progress, Run, RunStatus};

/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(15);
/// The least time between two progress events of a phase.
const PROGRESS_EVERY: Duration = Duration::from_millis(300);

macro_rules! held_sql {
    ($column:literal) => {
        concat!(
            "UPDATE runs SET ",
            $column,
            " = $5 WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND attempt = $4 AND status = 'RUNNING' RETURNING cancel_requested"
        )
    };
}

/// Sets the time of the run's last progress, behind the fence.
pub(super) const PROGRESS_AT: &str = held_sql!("progress_at");
/// Sets the end of the lease, behind the fence.
const LEASE_EXPIRES_AT: &str = held_sql!("lease_expires_at");

/// A claimed run, as its handler sees it.
pub struct RunContext {
    pub(super) store: Store,
    pub(super) tenant: TenantId,
    pub(super) run: Run,
    pub(super) tries: i64,
    pub(super) tries_max: i64,
    worker: Uuid,
    shared: Arc<Shared>,
    cancelled: CancellationToken,
    phases: Mutex<Phases>,
}

/// The phases of the attempt so far, and the time of the last report.
struct Phases {
    list: Vec<RunPhase>,
    told: Instant,
}

impl Phases {
    fn going_on(&mut self) -> Option<&mut RunPhase> {
        self.list.iter_mut().rfind(|phase| phase.ended_at.is_none())
    }
}

#[derive(FromQueryResult)]
struct CancelRow {
    cancel_requested: bool,
}

impl RunContext {
    pub(super) fn new(
        shared: &Arc<Shared>,
        claimed: ClaimedRun,
        cancelled: CancellationToken,
    ) -> Self {
        Self {
            store: shared.store.clone(),
            tenant: claimed.tenant,
            run: claimed.run,
            tries: claimed.tries,
            tries_max: claimed.tries_max,
            worker: shared.id,
            shared: Arc::clone(shared),
            cancelled,
            phases: Mutex::new(Phases {
                list: Vec::new(),
                told: Instant::now(),
            }),
        }
    }

    /// The run, as it was when it was claimed.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The tenant that owns the run.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The store, for its clock and ids. Access rows by [`RunContext::read`] and [`RunContext::write`].
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The service of this type that the workers share.
    ///
    /// # Errors
    /// `SERVICE_MISSING` if the program that started the workers shares no such service, which is a bug in its wiring.
    pub fn service<T: Send + Sync + 'static>(&self) -> Result<&T, RunFailure> {
        self.service_optional().ok_or_else(|| {
            tracing::error!(service = type_name::<T>(), "the workers do not share it");
            RunFailure::permanent(
                "SERVICE_MISSING",
                "this server's workers cannot do this work: its operator has to update it",
            )
        })
    }

    /// As [`RunContext::service`], for work that can do without the service.
    pub fn service_optional<T: Send + Sync + 'static>(&self) -> Option<&T> {
        let service = self.shared.services.get(&TypeId::of::<T>())?;
        service.downcast_ref::<T>()
    }

    /// The token that is cancelled when the run is cancelled or the worker shuts down. Pass it to all long work.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Checks whether the run may continue.
    ///
    /// # Errors
    /// [`RunFailure::stopped`] if it must stop: return this error.
    pub fn check(&self) -> Result<(), RunFailure> {
        if self.cancelled.is_cancelled() {
            Err(RunFailure::stopped())
        } else {
            Ok(())
        }
    }

    /// A snapshot of the tenant's rows.
    ///
    /// # Errors
    /// No connection is available.
    pub async fn read(&self) -> Result<Scoped<ReadOnly>, RunFailure> {
        Ok(self.store.read(self.tenant).await?)
    }

    /// A transaction on the tenant's rows that succeeds only while this worker holds the run. The run's row is locked
    /// until the commit, so that a worker that lost its lease cannot write beside its successor. Do not report progress
    /// while it is open.
    ///
    /// # Errors
    /// Another worker holds the lease by now, or no connection is available.
    pub async fn write(&self) -> Result<Scoped<ReadWrite>, RunFailure> {
        let scoped = self.store.write(self.tenant).await?;
        let now = scoped.env().now();
        match self.held_touch(&scoped, PROGRESS_AT, now).await? {
            Some(_) => Ok(scoped),
            None => Err(RunFailure::lease_lost()),
        }
    }

    /// Begins a phase.
    ///
    /// # Errors
    /// The run must stop, another worker holds it, or the database fails.
    pub async fn phase(
        &self,
        name: &str,
        total: Option<i64>,
        unit: Option<&str>,
    ) -> Result<(), RunFailure> {
        self.check()?;
        let progress = Progress {
            phase: name.to_owned(),
            done: 0,
            total,
            unit: unit.map(str::to_owned),
            bytes_done: None,
            bytes_total: None,
        };
        let now = self.store.env().now();
        let phases = {
            let mut phases = self.phases_lock();
            if let Some(before) = phases.going_on() {
                before.ended_at = Some(now);
            }
            phases.list.push(RunPhase::begun(&progress, now));
            phases.told = Instant::now();
            phases.list.clone()
        };
        let body = EventBody::PhaseStarted {
            phase: name.to_owned(),
        };
        self.tell(Some(&progress), &body, Some(phases)).await
    }

    /// Reports that a phase is skipped, and why, in a sentence for the user. The phase before it stays open until
    /// another one begins.
    ///
    /// # Errors
    /// As [`RunContext::phase`].
    pub async fn phase_skipped(
        &self,
        name: &str,
        reason: impl Into<String>,
    ) -> Result<(), RunFailure> {
        let scoped = self.write().await?;
        let skipped = [(name, &*reason.into())];
        self.phases_skipped_in(&scoped, &skipped).await?;
        Ok(scoped.commit().await?)
    }

    /// As [`RunContext::phase_skipped`] for several phases, as part of a transaction from [`RunContext::write`]: the
    /// events are sent with the commit.
    ///
    /// # Errors
    /// The database fails.
    pub async fn phases_skipped_in(
        &self,
        scoped: &Scoped<ReadWrite>,
        skipped: &[(&str, &str)],
    ) -> Result<(), RunFailure> {
        let now = scoped.env().now();
        let phases = {
            let mut phases = self.phases_lock();
            let left_out = skipped.iter().map(|(phase, reason)| {
                RunPhase::skipped((*phase).to_owned(), (*reason).to_owned(), now)
            });
            phases.list.extend(left_out);
            phases.list.clone()
        };
        let bodies: Vec<EventBody> = skipped
            .iter()
            .map(|(phase, reason)| EventBody::PhaseSkipped {
                phase: (*phase).to_owned(),
                reason: (*reason).to_owned(),
            })
            .collect();
        let held = self.held();
        events_append(scoped, held.run, &bodies).await?;
        Ok(phases_write(scoped, held.run, held.attempt, &phases).await?)
    }

    /// As [`RunContext::message`], as part of a transaction from [`RunContext::write`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn message_in(
        &self,
        scoped: &Scoped<ReadWrite>,
        level: Level,
        text: impl Into<String>,
    ) -> Result<(), RunFailure> {
        let text = text.into();
        let body = EventBody::Message { level, text };
        Ok(event_append(scoped, self.run.id, &body).await?)
    }

    /// Reports the progress of the phase. It is cheap to call often: the progress is stored at most a few times a
    /// second.
    ///
    /// # Errors
    /// As [`RunContext::phase`].
    pub async fn progress(&self, done: i64, total: Option<i64>) -> Result<(), RunFailure> {
        self.progress_with_bytes(done, total, None, None).await
    }

    /// As [`RunContext::progress`], with the number of bytes that are done.
    ///
    /// # Errors
    /// As [`RunContext::progress`].
    pub async fn progress_with_bytes(
        &self,
        done: i64,
        total: Option<i64>,
        bytes_done: Option<i64>,
        bytes_total: Option<i64>,
    ) -> Result<(), RunFailure> {
        self.check()?;
        let progress = {
            let mut phases = self.phases_lock();
            let told = phases.told;
            let Some(phase) = phases.going_on() else {
                return Ok(());
            };
            phase.done = done;
            phase.total = total.or(phase.total);
            phase.bytes_done = bytes_done;
            phase.bytes_total = bytes_total.or(phase.bytes_total);
            let complete = phase.total == Some(done);
            if told.elapsed() < PROGRESS_EVERY && !complete {
                return Ok(());
            }
            let progress = Progress {
                phase: phase.name.clone(),
                done,
                total: phase.total,
                unit: phase.unit.clone(),
                bytes_done: phase.bytes_done,
                bytes_total: phase.bytes_total,
            };
            phases.told = Instant::now();
            progress
        };
        let body = EventBody::Progressed {
            progress: progress.clone(),
        };
        self.tell(Some(&progress), &body, None).await?;
        self.check()
    }

    /// Appends a message for the user to the run's log.
    ///
    /// # Errors
    /// The database fails.
    pub async fn message(&self, level: Level, text: impl Into<String>) -> Result<(), RunFailure> {
        let text = text.into();
        self.event(&EventBody::Message { level, text }).await
    }

    /// Appends a piece to the text `stream` of the run. A piece is an event, so pass some hundred characters at once.
    ///
    /// # Errors
    /// The database fails.
    pub async fn text(&self, stream: &str, text: String) -> Result<(), RunFailure> {
        let stream = stream.to_owned();
        self.event(&EventBody::Text { stream, text }).await
    }

    async fn event(&self, body: &EventBody) -> Result<(), RunFailure> {
        self.tell(None, body, None).await
    }

    /// Writes an event behind the fence, with the phases if given, and learns whether the run was cancelled meanwhile.
    async fn tell(
        &self,
        progress: Option<&Progress>,
        body: &EventBody,
        phases: Option<Vec<RunPhase>>,
    ) -> Result<(), RunFailure> {
        let scoped = self.store.write(self.tenant).await?;
        let held = self.held();
        let Some(cancel) = event_tell(&scoped, held, progress, body).await? else {
            return Err(RunFailure::lease_lost());
        };
        if let Some(phases) = phases {
            phases_write(&scoped, held.run, held.attempt, &phases).await?;
        }
        scoped.commit().await?;
        self.cancel_if(cancel);
        Ok(())
    }

    /// Updates the run's row behind the fence, and locks it until the commit. `None` if another worker holds the run;
    /// otherwise whether the run was asked to stop.
    pub(super) async fn held_touch(
        &self,
        scoped: &Scoped<ReadWrite>,
        sql: &'static str,
        value: impl Into<Value>,
    ) -> Result<Option<bool>> {
        let held = self.held();
        let values: [Value; 4] = [
            held.run.0.into(),
            held.worker.into(),
            held.attempt.into(),
            value.into(),
        ];
        let rows: Vec<CancelRow> = scoped.sql_all(sql, values).await?;
        let asked = rows.first().map(|row| row.cancel_requested);
        self.cancel_if(asked == Some(true));
        Ok(asked)
    }

    fn cancel_if(&self, asked: bool) {
        if asked {
            self.cancelled.cancel();
        }
    }

    /// Renews the lease until it is lost; then it returns. A worker that cannot reach the database gives up its run
    /// when the lease expires, because other workers may claim it from then on.
    pub(super) async fn lease_keep(&self) {
        let lease = LEASE.to_std().unwrap_or(RENEW_EVERY);
        let mut held_until = Instant::now() + lease;
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            let begun = Instant::now();
            match tokio::time::timeout_at(held_until, self.lease_renew()).await {
                Ok(Ok(true)) => held_until = begun + lease,
                Ok(Ok(false)) => return,
                Ok(Err(error)) => {
                    tracing::warn!(?error, run = %self.run.id, "a lease could not be renewed");
                }
                Err(_) => {
                    tracing::warn!(run = %self.run.id, "a lease ran out: the database did not answer");
                    return;
                }
            }
        }
    }

    async fn lease_renew(&self) -> Result<bool> {
        let scoped = self.store.write(self.tenant).await?;
        let until = scoped.env().now() + LEASE;
        let held = self.held_touch(&scoped, LEASE_EXPIRES_AT, until).await?;
        scoped.commit().await?;
        Ok(held.is_some())
    }

    pub(super) fn held(&self) -> RunLease {
        RunLease {
            run: self.run.id,
            worker: self.worker,
            attempt: self.run.attempt,
        }
    }

    /// The condition that selects the run while this worker holds it.
    pub(super) fn fence(&self) -> Condition {
        Condition::all()
            .add(run::Column::Id.eq(self.run.id))
            .add(run::Column::Worker.eq(Value::from(self.worker)))
            .add(run::Column::Attempt.eq(self.run.attempt))
            .add(run::Column::Status.eq(RunStatus::Running))
    }

    /// The attempt's phases so far.
    pub(super) fn phases(&self) -> Vec<RunPhase> {
        self.phases_lock().list.clone()
    }

    fn phases_lock(&self) -> std::sync::MutexGuard<'_, Phases> {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for RunContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunContext")
            .field("run", &self.run.id)
            .finish_non_exhaustive()
    }
}
