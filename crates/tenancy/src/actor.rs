//! The actor of a scope, the origin of the request, and the trail of requested actions.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::model::Caller;
use crate::policy::{Action, Resource};

/// Where a request came from, for the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The request's id, as in the server's log.
    pub request_id: Option<String>,
}

/// An active caller: the caller, the origin, and the requested actions so far. Cheap to clone; clones share one trail.
#[derive(Debug, Clone)]
pub struct Acting {
    /// The caller.
    pub caller: Caller,
    /// The origin of the request.
    pub origin: Arc<Origin>,
    trail: Trail,
}

impl Acting {
    /// A caller with an empty trail.
    pub fn new(caller: Caller, origin: Origin) -> Self {
        Self {
            caller,
            origin: Arc::new(origin),
            trail: Trail::default(),
        }
    }

    /// The same caller with its own empty trail, for another piece of work.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self {
            trail: Trail::default(),
            ..self.clone()
        }
    }

    /// The requested actions that were not committed: the work failed, or was refused.
    pub fn unfinished(&self) -> Vec<Step> {
        self.trail.take()
    }
}

/// The actor of a scope. The policy is checked for a caller; an operator and the program itself may do everything.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    /// A user with a session or a token.
    Caller(Acting),
    /// An operator at the command line, whose work is audited.
    Operator(Trail),
    /// A remote that authenticated itself to a service without a user or a token, such as by a signature. Its actions
    /// are audited.
    Remote(Arc<Origin>, Trail),
    /// The program itself: a worker, or an embedding service with its own policy.
    Program,
}

impl Actor {
    pub(crate) fn trail(&self) -> Option<&Trail> {
        match self {
            Self::Caller(acting) => Some(&acting.trail),
            Self::Operator(trail) | Self::Remote(_, trail) => Some(trail),
            Self::Program => None,
        }
    }
}

/// A requested action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The action.
    pub action: Action,
    /// The kind of the object.
    pub resource: Resource,
    /// The id of the object, if it is known.
    pub subject: Option<Uuid>,
    /// Further details, never a secret.
    pub detail: Option<serde_json::Value>,
}

/// The steps of a piece of work that are not yet in the audit log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail(Arc<Mutex<Vec<Step>>>);

impl Trail {
    pub(crate) fn add(&self, step: Step) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(step);
    }

    /// Changes the last recorded step.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Step)) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = steps.last_mut() {
            change(last);
        }
    }

    pub(crate) fn copy(&self) -> Vec<Step> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn take(&self) -> Vec<Step> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
