//! The urgency of a transaction: how long it may wait.

use std::time::Duration;

use crate::actor::Actor;

/// How long a client's request waits for a connection, on PostgreSQL: as long as a user would wait.
const CLIENT_PATIENCE: Duration = Duration::from_secs(5);
/// The same for background work.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(60);

/// The kind of work that waits for a transaction, which decides how long it may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pace {
    Client,
    Background,
}

impl Pace {
    pub(super) fn of(actor: &Actor) -> Self {
        match actor {
            Actor::Caller(_) | Actor::Remote(..) => Self::Client,
            Actor::Operator(_) | Actor::Program => Self::Background,
        }
    }

    pub(super) fn patience(self) -> Duration {
        match self {
            Self::Client => CLIENT_PATIENCE,
            Self::Background => BACKGROUND_PATIENCE,
        }
    }
}
