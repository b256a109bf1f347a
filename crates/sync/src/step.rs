//! The steps after a sync that changed something, as phases of the same run. This crate defines the steps, and the
//! program registers their implementations, because crates of one layer do not depend on each other.

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures::future::BoxFuture;
use nyxcore_projects::Source;
use nyxcore_runs::{RunContext, RunFailure};
use nyxcore_tenancy::{ReadWrite, Scoped};

use crate::model::SyncStepKind;

/// Implements a step. It is called if the sync changed files, or if an earlier sync left the step pending.
///
/// It may be called again after a crash, and then finds its committed work. If it fails, the sync continues with a
/// warning and succeeds, and the next sync calls it again.
pub trait SyncStep: Debug + Send + Sync + 'static {
    /// The kind of the step.
    fn kind(&self) -> SyncStepKind;

    /// Does the work, and returns the transaction with the last part of it. That transaction is committed together with
    /// the record that the step is done.
    ///
    /// # Errors
    /// The failure of the step.
    fn run<'a>(&'a self, step: StepContext<'a>) -> BoxFuture<'a, Result<StepDone, RunFailure>>;
}

/// The input of a step.
#[derive(Debug, Clone, Copy)]
pub struct StepContext<'a> {
    /// The sync's run. Its phase has begun.
    pub run: &'a RunContext,
    /// The source, whose files are already those of its commit.
    pub source: &'a Source,
    /// The paths that this sync added, changed, moved or deleted; `None` if other paths may be pending as well.
    pub changed: Option<&'a BTreeSet<String>>,
}

/// The result of a step.
#[derive(Debug)]
pub struct StepDone {
    /// The transaction with the last part of the work, from [`RunContext::write`], not yet committed.
    pub scoped: Scoped<ReadWrite>,
    /// A message for the user.
    pub told: Option<String>,
}
