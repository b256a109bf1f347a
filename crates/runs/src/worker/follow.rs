//! The follow-ups of an ended run, and the handling of their failures.

use nyxcore_tenancy::{Error, ReadWrite, Repository, Result, Scoped};

use super::FollowUp;
use crate::events::event_append;
use crate::model::{EventBody, Level, RunId};
use crate::repository::Runs;

/// The follow-ups of the runs of one kind, by how they end.
#[derive(Default)]
pub(super) struct FollowUps {
    pub succeeded: Vec<FollowUp>,
    pub failed: Vec<FollowUp>,
}

/// The handling of the follow-ups of an ending run.
#[derive(Clone, Copy)]
pub(super) enum Follow<'a> {
    /// Carry out the follow-ups in the transaction that ends the run.
    With(&'a [FollowUp]),
    /// The follow-ups failed for good in an earlier transaction: the run ends without them, and its log says why.
    Failed(&'a Error),
}

/// Why a run could not be ended.
pub(super) enum FollowError {
    /// A follow-up failed.
    FollowUp(Error),
    /// The run itself could not be written.
    Store(Error),
}

impl From<Error> for FollowError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl FollowError {
    /// The error, and whether it came from a follow-up.
    pub(super) fn into_parts(self) -> (Error, bool) {
        match self {
            Self::FollowUp(error) => (error, true),
            Self::Store(error) => (error, false),
        }
    }
}

impl Follow<'_> {
    /// Logs the failure of the follow-ups, if they failed. It comes before the end, because the end is the last event
    /// of a log.
    pub(super) async fn tell_failure(self, scoped: &Scoped<ReadWrite>, run: RunId) -> Result<()> {
        let Self::Failed(error) = self else {
            return Ok(());
        };
        tracing::error!(?error, %run, "the follow-up of a run failed");
        let body = EventBody::Message {
            level: Level::Warning,
            text: format!("the follow-up of this run failed: {error}"),
        };
        event_append(scoped, run, &body).await
    }

    /// Carries out the follow-ups of a run that has ended in this transaction.
    pub(super) async fn up(
        self,
        scoped: &Scoped<ReadWrite>,
        run: RunId,
    ) -> Result<(), FollowError> {
        let Self::With(follow_ups) = self else {
            return Ok(());
        };
        if follow_ups.is_empty() {
            return Ok(());
        }
        let run = Runs::require(scoped, run).await?;
        if run.status.is_active() {
            return Ok(());
        }
        for follow_up in follow_ups {
            follow_up(scoped, &run)
                .await
                .map_err(FollowError::FollowUp)?;
        }
        Ok(())
    }
}
