//! Ends an attempt: the run is finished, queued for a retry, or handed back.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::{ReadWrite, Result, Scoped};
use sea_orm::ActiveValue::Set;

use super::FollowUp;
use super::context::{PROGRESS_AT, RunContext};
use super::follow::{Follow, FollowError};
use super::retry::retry_delay;
use crate::attempt::{AttemptOutcome, attempt_end};
use crate::entity::run;
use crate::error::{RunFailure, is_transient};
use crate::events::{TOPIC_EVENT, TOPIC_QUEUED, event_append};
use crate::model::{EventBody, Level, RunStatus};
use crate::service::{Ending, run_end};

/// The pauses between the tries to write the end of a run: together well below the length of a lease.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

impl RunContext {
    /// Writes how the run ended. The write is fenced: if another worker has the run by now, nothing happens. Transient
    /// errors are retried while the lease lasts. `follow_ups` belong to the result. A run whose follow-up fails for
    /// good still ends, and its log has a warning.
    pub(super) async fn finish(
        &self,
        result: Result<(), RunFailure>,
        leaving: bool,
        follow_ups: &[FollowUp],
    ) -> Result<()> {
        let mut unfollowed = None;
        let mut pauses = PAUSES.into_iter();
        loop {
            let follow = match &unfollowed {
                Some(error) => Follow::Failed(error),
                None => Follow::With(follow_ups),
            };
            let failure = match self.finish_once(result.clone(), leaving, follow).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            let (error, of_follow_up) = failure.into_parts();
            let pause = pauses.next().filter(|_| is_transient(&error));
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None if of_follow_up => unfollowed = Some(error),
                None => return Err(error),
            }
        }
    }

    async fn finish_once(
        &self,
        result: Result<(), RunFailure>,
        leaving: bool,
        follow: Follow<'_>,
    ) -> Result<(), FollowError> {
        let scoped = self.store.write(self.tenant).await?;
        let held = self.held();
        let now = scoped.env().now();
        // From here on the row is locked: a concurrent cancellation sees the run either ended or waiting.
        let Some(asked_to_cancel) = self.held_touch(&scoped, PROGRESS_AT, now).await? else {
            tracing::warn!(run = %held.run, "a run was lost to another worker; the work of this worker since then is discarded");
            return Ok(());
        };
        match result {
            Ok(()) => {
                follow.tell_failure(&scoped, held.run).await?;
                let ended = self.ending(RunStatus::Succeeded, AttemptOutcome::Succeeded);
                if run_end(&scoped, held.run, self.fence(), ended).await? {
                    follow.up(&scoped, held.run).await?;
                }
            }
            Err(_) if asked_to_cancel => {
                let ended = self.ending(RunStatus::Cancelled, AttemptOutcome::Cancelled);
                run_end(&scoped, held.run, self.fence(), ended).await?;
            }
            Err(_) if leaving => self.hand_back(&scoped).await?,
            Err(failure) => match retry_delay(&failure, held.run, self.tries, self.tries_max) {
                Some(delay) => self.retry(&scoped, &failure, delay).await?,
                None => {
                    follow.tell_failure(&scoped, held.run).await?;
                    let ended = Ending {
                        error: Some((failure.code, failure.message)),
                        ..self.ending(RunStatus::Failed, AttemptOutcome::Failed)
                    };
                    if run_end(&scoped, held.run, self.fence(), ended).await? {
                        follow.up(&scoped, held.run).await?;
                    }
                }
            },
        }
        Ok(scoped.commit().await?)
    }

    fn ending(&self, status: RunStatus, outcome: AttemptOutcome) -> Ending {
        Ending {
            outcome: Some(outcome),
            phases: Some(self.phases()),
            ..Ending::of(status)
        }
    }

    /// Returns the run to the queue, available at once. A shutdown does not count as an attempt.
    async fn hand_back(&self, scoped: &Scoped<ReadWrite>) -> Result<()> {
        let more = run::ActiveModel {
            handed_back: Set(self.run.attempt - self.tries + 1),
            ..self.waiting(scoped.env().now())
        };
        scoped.update(self.fence(), more).await?;
        let phases = Some(self.phases());
        attempt_end(
            scoped,
            self.run.id,
            AttemptOutcome::HandedBack,
            None,
            phases,
        )
        .await?;
        self.requeued(scoped).await
    }

    async fn retry(
        &self,
        scoped: &Scoped<ReadWrite>,
        failure: &RunFailure,
        delay: TimeDelta,
    ) -> Result<()> {
        let waiting = self.waiting(scoped.env().now() + delay);
        scoped.update(self.fence(), waiting).await?;
        let error = Some((failure.code, failure.message.as_str()));
        let phases = Some(self.phases());
        attempt_end(scoped, self.run.id, AttemptOutcome::Retried, error, phases).await?;
        // Rounded to whole seconds, half a second up.
        let seconds = (delay.num_milliseconds() + 500) / 1_000;
        let body = EventBody::Message {
            level: Level::Warning,
            text: format!("{}; trying again in {seconds} s", failure.message),
        };
        event_append(scoped, self.run.id, &body).await?;
        self.requeued(scoped).await
    }

    fn waiting(&self, from: DateTime<Utc>) -> run::ActiveModel {
        run::ActiveModel {
            status: Set(RunStatus::Queued),
            worker: Set(None),
            lease_expires_at: Set(None),
            available_at: Set(from),
            ..Default::default()
        }
    }

    async fn requeued(&self, scoped: &Scoped<ReadWrite>) -> Result<()> {
        scoped.announce(TOPIC_QUEUED, self.run.id.0).await?;
        scoped.announce(TOPIC_EVENT, self.run.id.0).await
    }
}
