//! What a handler gets: the run, its tenant's rows, a way to tell how far it is, and the word to stop.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use chrono::TimeDelta;
use nyxcore_tenancy::{ReadOnly, ReadWrite, Repository, Result, Scoped, Store, TenantId};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::FollowUp;
use super::claim::{Claimed, LEASE};
use crate::entity::run;
use crate::error::RunFailure;
use crate::events::{Fence, TOPIC_EVENT, TOPIC_QUEUED, event_append, events_append};
use crate::model::{EventBody, Level, Progress, Run, RunStatus};
use crate::repository::Runs;
use crate::service::run_end;

/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(15);
/// The least time between two progress events of a phase.
const PROGRESS_EVERY: Duration = Duration::from_millis(300);
/// The first retry comes after this, each further one after twice as long.
const BACKOFF: TimeDelta = TimeDelta::seconds(2);

/// A run in hand.
pub struct RunContext {
    store: Store,
    tenant: TenantId,
    run: Run,
    max_attempts: i64,
    worker: Uuid,
    cancelled: CancellationToken,
    phase: Mutex<Option<Phase>>,
}

struct Phase {
    progress: Progress,
    told: Instant,
}

impl RunContext {
    pub(super) fn new(
        store: &Store,
        claimed: Claimed,
        worker: Uuid,
        cancelled: CancellationToken,
    ) -> Self {
        Self {
            store: store.clone(),
            tenant: claimed.tenant,
            run: claimed.run,
            max_attempts: claimed.max_attempts,
            worker,
            cancelled,
            phase: Mutex::new(None),
        }
    }

    /// The run, as it was when it was claimed.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Whose run it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The store, for its clock and ids; rows are reached through [`RunContext::read`] and [`RunContext::write`].
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Says when to stop: the run was cancelled or the worker is told to leave. Give it to whatever takes long.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Passes while the run may go on.
    ///
    /// # Errors
    /// [`RunFailure::stopped`] where it was told to stop: return it.
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
    /// No connection could be had.
    pub async fn read(&self) -> Result<Scoped<ReadOnly>, RunFailure> {
        Ok(self.store.read(self.tenant).await?)
    }

    /// A transaction on the tenant's rows that passes only while this worker holds the run: its row is locked until the commit, so
    /// that a worker that was given up cannot write beside its successor. Do not report progress while it is open.
    ///
    /// # Errors
    /// The lease is another's by now, or no connection could be had.
    pub async fn write(&self) -> Result<Scoped<ReadWrite>, RunFailure> {
        let scoped = self.store.write(self.tenant).await?;
        let touched = run::ActiveModel {
            progress_at: Set(scoped.env().now()),
            ..Default::default()
        };
        if scoped.update(self.held(), touched).await? == 0 {
            return Err(RunFailure::permanent(
                "LEASE_LOST",
                "another worker has taken this run",
            ));
        }
        Ok(scoped)
    }

    /// Begins a phase.
    ///
    /// # Errors
    /// The database fails.
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
        let scoped = self.store.write(self.tenant).await?;
        self.progress_write(&scoped, &progress).await?;
        let body = EventBody::PhaseStarted {
            phase: name.to_owned(),
        };
        event_append(&scoped, self.run.id, self.fence(), &body).await?;
        scoped.commit().await?;
        *self.phase_lock() = Some(Phase {
            progress,
            told: Instant::now(),
        });
        Ok(())
    }

    /// Tells that a phase is left out, and why, in a sentence for a person.
    ///
    /// # Errors
    /// The database fails.
    pub async fn phase_skipped(
        &self,
        name: &str,
        reason: impl Into<String>,
    ) -> Result<(), RunFailure> {
        let phase = name.to_owned();
        let reason = reason.into();
        self.event(&EventBody::PhaseSkipped { phase, reason }).await
    }

    /// As [`RunContext::phase_skipped`] for several phases, as part of a transaction from [`RunContext::write`]: they are told when it
    /// is committed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn phases_skipped_in(
        &self,
        scoped: &Scoped<ReadWrite>,
        skipped: &[(&str, &str)],
    ) -> Result<(), RunFailure> {
        let bodies: Vec<EventBody> = skipped
            .iter()
            .map(|(phase, reason)| EventBody::PhaseSkipped {
                phase: (*phase).to_owned(),
                reason: (*reason).to_owned(),
            })
            .collect();
        events_append(scoped, self.run.id, self.fence(), &bodies).await?;
        Ok(())
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
        event_append(scoped, self.run.id, self.fence(), &body).await?;
        Ok(())
    }

    /// Tells how far the phase is. Cheap to call often: a few times a second at most it is written down.
    ///
    /// # Errors
    /// The run was told to stop, or the database fails.
    pub async fn progress(&self, done: i64, total: Option<i64>) -> Result<(), RunFailure> {
        self.progress_with_bytes(done, total, None, None).await
    }

    /// As [`RunContext::progress`], with how many bytes that is.
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
            let mut phase = self.phase_lock();
            let Some(phase) = phase.as_mut() else {
                return Ok(());
            };
            phase.progress.done = done;
            phase.progress.total = total.or(phase.progress.total);
            phase.progress.bytes_done = bytes_done;
            phase.progress.bytes_total = bytes_total.or(phase.progress.bytes_total);
            let complete = phase.progress.total == Some(done);
            if phase.told.elapsed() < PROGRESS_EVERY && !complete {
                return Ok(());
            }
            phase.told = Instant::now();
            phase.progress.clone()
        };
        let scoped = self.store.write(self.tenant).await?;
        self.progress_write(&scoped, &progress).await?;
        let body = EventBody::Progressed { progress };
        event_append(&scoped, self.run.id, self.fence(), &body).await?;
        Ok(scoped.commit().await?)
    }

    /// Tells a person something.
    ///
    /// # Errors
    /// The database fails.
    pub async fn message(&self, level: Level, text: impl Into<String>) -> Result<(), RunFailure> {
        let text = text.into();
        self.event(&EventBody::Message { level, text }).await
    }

    /// Passes on a piece of text that a model streams.
    ///
    /// # Errors
    /// The database fails.
    pub async fn text(&self, text: impl Into<String>) -> Result<(), RunFailure> {
        self.event(&EventBody::Text { text: text.into() }).await
    }

    async fn event(&self, body: &EventBody) -> Result<(), RunFailure> {
        let scoped = self.store.write(self.tenant).await?;
        event_append(&scoped, self.run.id, self.fence(), body).await?;
        Ok(scoped.commit().await?)
    }

    async fn progress_write(&self, scoped: &Scoped<ReadWrite>, progress: &Progress) -> Result<()> {
        let changes = run::ActiveModel {
            phase: Set(Some(progress.phase.clone())),
            progress_done: Set(progress.done),
            progress_total: Set(progress.total),
            progress_unit: Set(progress.unit.clone()),
            progress_bytes_done: Set(progress.bytes_done),
            progress_bytes_total: Set(progress.bytes_total),
            progress_at: Set(scoped.env().now()),
            ..Default::default()
        };
        scoped.update(self.held(), changes).await.map(drop)
    }

    /// Renews the lease until it is lost; then it returns. Hears a cancellation that no signal brought, too.
    pub(super) async fn lease_keep(&self) {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            match self.lease_renew().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(?error, run = %self.run.id, "a lease could not be renewed")
                }
            }
        }
    }

    async fn lease_renew(&self) -> Result<bool> {
        let scoped = self.store.write(self.tenant).await?;
        let renewed = run::ActiveModel {
            lease_expires_at: Set(Some(scoped.env().now() + LEASE)),
            ..Default::default()
        };
        let held = scoped.update(self.held(), renewed).await? > 0;
        let cancel = scoped
            .find::<run::Entity>()
            .filter(self.held())
            .filter(run::Column::CancelRequested.eq(true))
            .count()
            .await?
            > 0;
        scoped.commit().await?;
        if cancel {
            self.cancelled.cancel();
        }
        Ok(held)
    }

    /// Writes how the run ended. Fenced: where another worker has it by now, nothing happens.
    pub(super) async fn finish(
        &self,
        result: Result<(), RunFailure>,
        leaving: bool,
        follow_ups: &[FollowUp],
    ) -> Result<()> {
        let scoped = self.store.write(self.tenant).await?;
        let id = self.run.id;
        let asked_to_cancel = scoped
            .find::<run::Entity>()
            .filter(self.held())
            .filter(run::Column::CancelRequested.eq(true))
            .count()
            .await?
            > 0;
        match result {
            Ok(()) => {
                if run_end(&scoped, id, self.held(), RunStatus::Succeeded, None).await? {
                    let run = Runs::require(&scoped, id).await?;
                    for follow_up in follow_ups {
                        follow_up(&scoped, &run).await?;
                    }
                }
            }
            Err(_) if asked_to_cancel => {
                run_end(&scoped, id, self.held(), RunStatus::Cancelled, None).await?;
            }
            Err(_) if leaving => {
                // Handed back: being told to leave is no attempt.
                self.requeue(&scoped, TimeDelta::zero(), self.run.attempt - 1)
                    .await?;
            }
            Err(failure) if failure.transient && self.run.attempt < self.max_attempts => {
                let doublings = u32::try_from(self.run.attempt - 1).unwrap_or(0).min(8);
                let delay = BACKOFF * 2_i32.pow(doublings);
                let body = EventBody::Message {
                    level: Level::Warning,
                    text: format!(
                        "{}; trying again in {} s",
                        failure.message,
                        delay.num_seconds()
                    ),
                };
                event_append(&scoped, id, self.fence(), &body).await?;
                self.requeue(&scoped, delay, self.run.attempt).await?;
            }
            Err(failure) => {
                let error = Some((failure.code, failure.message));
                run_end(&scoped, id, self.held(), RunStatus::Failed, error).await?;
            }
        }
        scoped.commit().await
    }

    async fn requeue(
        &self,
        scoped: &Scoped<ReadWrite>,
        delay: TimeDelta,
        attempt: i64,
    ) -> Result<()> {
        let waiting = run::ActiveModel {
            status: Set(RunStatus::Queued),
            worker: Set(None),
            lease_expires_at: Set(None),
            attempt: Set(attempt),
            available_at: Set(scoped.env().now() + delay),
            ..Default::default()
        };
        scoped.update(self.held(), waiting).await?;
        scoped.announce(TOPIC_QUEUED, self.run.id.0).await?;
        scoped.announce(TOPIC_EVENT, self.run.id.0).await
    }

    fn held(&self) -> Condition {
        Condition::all()
            .add(run::Column::Id.eq(self.run.id))
            .add(run::Column::Worker.eq(Value::from(self.worker)))
            .add(run::Column::Attempt.eq(self.run.attempt))
            .add(run::Column::Status.eq(RunStatus::Running))
    }

    fn fence(&self) -> Fence {
        Fence::Held {
            worker: self.worker,
            attempt: self.run.attempt,
        }
    }

    fn phase_lock(&self) -> std::sync::MutexGuard<'_, Option<Phase>> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for RunContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunContext")
            .field("run", &self.run.id)
            .finish_non_exhaustive()
    }
}
