//! The events of a run, one type for each kind of event.

use async_graphql::{Context, ID, Interface, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_runs::{EventBody, RunEvent};
use nyxcore_tenancy::Error;

use super::ids::global_id;
use super::run::{RunNode, RunProgressNode};
use crate::context::operation;

/// An event in the log of a run. Events are numbered 1, 2, 3 without gaps.
#[derive(Interface)]
#[graphql(
    name = "RunEvent",
    field(name = "run_id", ty = "ID", desc = "The id of the run."),
    field(
        name = "seq",
        ty = "i64",
        desc = "The number of the event in the log of the run."
    ),
    field(name = "at", ty = "DateTime<Utc>", desc = "The time of the event.")
)]
pub(crate) enum RunEventNode {
    PhaseStarted(RunPhaseStartedNode),
    Progressed(RunProgressedNode),
    Message(RunMessageNode),
    PhaseSkipped(RunPhaseSkippedNode),
    Text(RunTextNode),
    Finished(RunFinishedNode),
}

/// Declares the object of a kind of event: the fields of the interface, and its own fields.
macro_rules! event_object {
    ($(#[$meta:meta])* $node:ident { $($own:tt)* }) => {
        $(#[$meta])*
        impl $node {
            /// The id of the run.
            async fn run_id(&self) -> ID {
                global_id(self.0.run_id)
            }

            /// The number of the event in the log of the run.
            async fn seq(&self) -> i64 {
                self.0.seq
            }

            /// The time of the event.
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
            EventBody::Text { stream, text } => Self::Text(RunTextNode(event, stream, text)),
            EventBody::Finished { .. } => Self::Finished(RunFinishedNode(event)),
        }
    }
}

/// A phase started.
pub(crate) struct RunPhaseStartedNode(RunEvent, String);

event_object! {
    #[Object(name = "RunPhaseStarted")]
    RunPhaseStartedNode {
        /// The name of the phase.
        async fn phase(&self) -> &str {
            &self.1
        }
    }
}

/// A phase made progress.
pub(crate) struct RunProgressedNode(RunEvent, RunProgressNode);

event_object! {
    #[Object(name = "RunProgressed")]
    RunProgressedNode {
        /// The progress.
        async fn progress(&self) -> RunProgressNode {
            self.1.clone()
        }
    }
}

/// A message for the user.
pub(crate) struct RunMessageNode(RunEvent, &'static str, String);

event_object! {
    #[Object(name = "RunMessage")]
    RunMessageNode {
        /// The level: info or warning.
        async fn level(&self) -> &str {
            self.1
        }

        /// The text of the message.
        async fn text(&self) -> &str {
            &self.2
        }
    }
}

/// A phase was skipped.
pub(crate) struct RunPhaseSkippedNode(RunEvent, String, String);

event_object! {
    #[Object(name = "RunPhaseSkipped")]
    RunPhaseSkippedNode {
        /// The name of the phase.
        async fn phase(&self) -> &str {
            &self.1
        }

        /// The reason, in a sentence.
        async fn reason(&self) -> &str {
            &self.2
        }
    }
}

/// A part of the text that a model streams. The text is checked only when it is complete.
pub(crate) struct RunTextNode(RunEvent, String, String);

event_object! {
    #[Object(name = "RunText")]
    RunTextNode {
        /// The name of the text. A run may have several; a text that begins anew has another name.
        async fn stream(&self) -> &str {
            &self.1
        }

        /// The text.
        async fn text(&self) -> &str {
            &self.2
        }
    }
}

/// The run ended. No further event follows.
pub(crate) struct RunFinishedNode(RunEvent);

event_object! {
    #[Object(name = "RunFinished")]
    RunFinishedNode {
        /// The run in its final state.
        async fn run(&self, context: &Context<'_>) -> Result<RunNode> {
            let run = operation(context).loaders().runs().load_one(self.0.run_id).await?;
            Ok(run.and_then(RunNode::new).ok_or(Error::NotFound("run"))?)
        }
    }
}
