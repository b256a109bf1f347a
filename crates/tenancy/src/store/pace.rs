//! Who waits for a transaction, and how long.

use std::time::Duration;

use crate::actor::Actor;

/// How long a request of a client waits for its turn to use a connection, on PostgreSQL: what a person waits for.
const CLIENT_PATIENCE: Duration = Duration::from_secs(5);
/// The same for background work.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(60);

/// Who waits for a transaction, which decides how long it may wait for others.
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
