//! A run's events, one type for each thing that may happen.

use async_graphql::{Context, ID, Interface, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_runs::{EventBody, RunEvent};
use nyxcore_tenancy::Error;

use super::ids::global_id;
use super::run::{RunNode, RunProgressNode};
use crate::context::operation;

/// One entry of a run's log. Numbers count 1, 2, 3 without a gap.
#[derive(Interface)]
#[graphql(
    name = "RunEvent",
    field(name = "run_id", ty = "ID", desc = "The run."),
    field(name = "seq", ty = "i64", desc = "Its number in the run's log."),
    field(name = "at", ty = "DateTime<Utc>", desc = "When it happened.")
)]
pub(crate) enum RunEventNode {
    PhaseStarted(RunPhaseStartedNode),
    Progressed(RunProgressedNode),
    Message(RunMessageNode),
    PhaseSkipped(RunPhaseSkippedNode),
    Text(RunTextNode),
    Finished(RunFinishedNode),
}

/// Writes the object of a kind of event: the interface's fields, and its own.
macro_rules! event_object {
    ($(#[$meta:meta])* $node:ident { $($own:tt)* }) => {
        $(#[$meta])*
        impl $node {
            /// The run.
            async fn run_id(&self) -> ID {
                global_id(self.0.run_id)
            }

            /// Its number in the run's log.
            async fn seq(&self) -> i64 {
                self.0.seq
            }

            /// When it happened.
            async fn at(&self) -> DateTime<Utc> {
                self.0.at
            }

            $($own)*
        }
    };
}

impl From<RunEvent> for RunEventNode {
    fn from(event: RunEvent) -> Self {
        match event.body.clone() {
            EventBody::PhaseStarted { phase } => {
                Self::PhaseStarted(RunPhaseStartedNode(event, phase))
            }
            EventBody::Progressed { progress } => {
                Self::Progressed(RunProgressedNode(event, progress.into()))
            }
            EventBody::Message { level, text } => {
                Self::Message(RunMessageNode(event, level.as_str(), text))
            }
            EventBody::PhaseSkipped { phase, reason } => {
                Self::PhaseSkipped(RunPhaseSkippedNode(event, phase, reason))
            }
            EventBody::Text { text } => Self::Text(RunTextNode(event, text)),
            EventBody::Finished { .. } => Self::Finished(RunFinishedNode(event)),
        }
    }
}

/// A phase began.
pub(crate) struct RunPhaseStartedNode(RunEvent, String);

event_object! {
    #[Object(name = "RunPhaseStarted")]
    RunPhaseStartedNode {
        /// Its name.
        async fn phase(&self) -> &str {
            &self.1
        }
    }
}

/// A phase went on.
pub(crate) struct RunProgressedNode(RunEvent, RunProgressNode);

event_object! {
    #[Object(name = "RunProgressed")]
    RunProgressedNode {
        /// How far.
        async fn progress(&self) -> RunProgressNode {
            self.1.clone()
        }
    }
}

/// Something to tell a person.
pub(crate) struct RunMessageNode(RunEvent, &'static str, String);

event_object! {
    #[Object(name = "RunMessage")]
    RunMessageNode {
        /// info or warning.
        async fn level(&self) -> &str {
            self.1
        }

        /// What to tell.
        async fn text(&self) -> &str {
            &self.2
        }
    }
}

/// A phase was left out.
pub(crate) struct RunPhaseSkippedNode(RunEvent, String, String);

event_object! {
    #[Object(name = "RunPhaseSkipped")]
    RunPhaseSkippedNode {
        /// Its name.
        async fn phase(&self) -> &str {
            &self.1
        }

        /// Why, in a sentence.
        async fn reason(&self) -> &str {
            &self.2
        }
    }
}

/// A piece of text that a model streams.
pub(crate) struct RunTextNode(RunEvent, String);

event_object! {
    #[Object(name = "RunText")]
    RunTextNode {
        /// The piece.
        async fn text(&self) -> &str {
            &self.1
        }
    }
}

/// The run ended. No event follows.
pub(crate) struct RunFinishedNode(RunEvent);

event_object! {
    #[Object(name = "RunFinished")]
    RunFinishedNode {
        /// The run, as it ended.
        async fn run(&self, context: &Context<'_>) -> Result<RunNode> {
            let run = operation(context).loaders().runs.load_one(self.0.run_id).await?;
            Ok(run.and_then(RunNode::new).ok_or(Error::NotFound("run"))?)
        }
    }
}
