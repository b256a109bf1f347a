//! Long-running work: queued, claimed, leased, finished once, with an event log to replay.
//!
//! A run is a row. [`run_start`] queues it; a unique index ensures one active run per subject. A worker claims the
//! run, renews its lease, and ends it behind a fence, so that it ends once. All progress is recorded as numbered
//! events, which [`run_follow`] replays and follows.
//!
//! ```
//! use futures::{FutureExt, TryStreamExt, future::BoxFuture};
//! use nyxcore_runs::{
//!     EventBody, NewRun, Priority, RunContext, RunFailure, RunHandler, RunKind, RunStatus, Workers, run_follow,
//!     run_start,
//! };
//! use nyxcore_tenancy::Registration;
//!
//! const GREETING: RunKind = RunKind::new("GREETING");
//! /// In the registry that the store is opened with.
//! fn registration() -> Registration {
//!     Registration::new("greetings").requires("nyxcore-runs").run_kind(GREETING)
//! }
//! struct Greeter;
//! impl RunHandler for Greeter {
//!     fn kind(&self) -> RunKind {
//!         GREETING
//!     }
//!     fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
//!         async { context.phase("greet", Some(1), None).await }.boxed()
//!     }
//! }
//! # nyxcore_tests::example!(|store, tenant| [nyxcore_runs::registration(), registration()];
//! let workers = Workers::builder(&store).handler(Greeter).start()?;
//! let scoped = store.write(tenant.id).await?;
//! let new = NewRun { kind: GREETING, subject: "greeting".into(), input: "Ada".into(), priority: Priority::Interactive,
//!     max_attempts: 3, project_id: None, started_by: None, quiet_period: None, not_before: None };
//! let start = run_start(&scoped, new).await?;
//! scoped.commit().await?;
//! let events: Vec<_> = run_follow(&store, tenant.id, start.run().id, 0).try_collect().await?;
//! assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Succeeded });
//! workers.shutdown().await;
//! # );
//! ```

mod activity;
mod attempt;
mod census;
mod entity;
mod error;
mod events;
mod expire;
mod feed;
mod model;
mod registration;
mod repository;
mod service;
mod worker;

pub use activity::activity_follow;
pub use attempt::{AttemptOutcome, RunAttempt, RunPhase, run_attempts};
pub use census::{CensusLine, run_census};
pub use error::RunFailure;
pub use events::{RunEvents, event_list, run_follow};
pub use expire::run_events_expire;
pub use model::{
    EventBody, Level, NewRun, Priority, Progress, Run, RunError, RunEvent, RunId, RunKind,
    RunStatus, Start,
};
pub use registration::{RUN, registration};
pub use repository::{RunFilter, Runs, run_count, run_latest, run_list};
pub use service::{STALL_AFTER, run_cancel, run_start};
pub use worker::{
    AttemptEnd, FollowUp, RunContext, RunHandler, RunObserver, RunReport, Workers, WorkersBuilder,
    run_sweep,
};
