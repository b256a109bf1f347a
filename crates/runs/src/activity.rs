//! The activity of a tenant: streams the events of all runs, starting now.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, Stream};
use nyxcore_tenancy::{Backend, ReadOnly, Result, Scoped, Signal, SignalReceiver, Store, TenantId};
use sea_orm::{ColumnTrait, Condition};
use tokio::time::Instant;
use uuid::Uuid;

use crate::entity::{run, run_event};
use crate::events::{BATCH, LOOK_ANYWAY, TOPIC_EVENT, event_read};
use crate::feed::{EventFeed, FeedEvent, FeedItem};
use crate::model::{RunEvent, RunId, RunKind, RunStatus};

/// The polling interval on PostgreSQL, where every event has a signal and a lost connection triggers a poll.
const LOOK_ON_POSTGRES: Duration = Duration::from_secs(60);
/// How far a poll reaches back before the start of the previous poll: the clocks of replicas differ, and a transaction
/// commits later than the time it writes.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);
/// The number of runs whose position a follower keeps before it drops those that ended, and how often it does so at the
/// most.
const CURSORS_MAX: usize = 1_000;
const CURSORS_REST: Duration = Duration::from_secs(60);
/// The number of runs whose events one statement reads. SQLite refuses an expression that is nested 1,000 deep.
const RUNS_PER_STATEMENT: usize = 100;

/// Streams the events of a tenant's runs of these kinds, or of one project's runs, from now on. The stream never ends
/// by itself.
pub fn activity_follow(
    store: &Store,
    tenant: TenantId,
    project: Option<Uuid>,
    kinds: Vec<RunKind>,
) -> impl Stream<Item = Result<RunEvent>> + Send + use<> {
    let store = store.clone();
    async_stream::try_stream! {
        // Followed before the first read, so that no event is lost between the two.
        // Reads of the database are boxed, so that the stream does not hold the memory for them while it waits.
        let mut feed = Box::pin(EventFeed::follow(&store, tenant)).await?;
        let begun = Box::pin(Activity::begin(store.clone(), tenant, project, Some(kinds)));
        let mut activity = begun.await?;
        loop {
            match feed.next().await {
                FeedItem::Event(event) => {
                    if activity.takes(&event) {
                        yield event.event.clone();
                    }
                    if activity.is_full() {
                        feed.gap();
                    }
                }
                FeedItem::Gap => {
                    activity.look_begin();
                    loop {
                        let batch = Box::pin(activity.read(None)).await?;
                        for event in batch.events {
                            yield event.event;
                        }
                        if !batch.more {
                            break;
                        }
                    }
                    activity.looked();
                }
                FeedItem::End => {
                    feed = Box::pin(EventFeed::follow(&store, tenant)).await?;
                    feed.gap();
                }
            }
        }
    }
}

/// The position of a reader in the events of a tenant.
pub(crate) struct Activity {
    store: Store,
    tenant: TenantId,
    project: Option<Uuid>,
    /// The kinds of runs; `None` for all.
    kinds: Option<Vec<RunKind>>,
    /// The number of the last event that was read, by run. Runs that ended before the horizon are not in it.
    cursors: HashMap<RunId, i64>,
    /// The start of the window of a poll: it reads the active runs and those that moved since this time.
    horizon: DateTime<Utc>,
    /// The start of the last poll of all runs, by the store's clock and by the monotonic clock.
    look: (DateTime<Utc>, Instant),
}

/// The next events of a reader.
pub(crate) struct Batch {
    pub events: Vec<FeedEvent>,
    /// Whether more events are ready to be read.
    pub more: bool,
}

/// A run with the number of its last event.
struct RunHead {
    id: RunId,
    count: i64,
    kind: RunKind,
    project: Option<Uuid>,
}

impl Activity {
    /// Starts after the events that are stored already.
    pub(crate) async fn begin(
        store: Store,
        tenant: TenantId,
        project: Option<Uuid>,
        kinds: Option<Vec<RunKind>>,
    ) -> Result<Self> {
        let now = store.env().now();
        let mut activity = Self {
            store,
            tenant,
            project,
            kinds,
            cursors: HashMap::new(),
            horizon: now - OVERLAP,
            look: (now, Instant::now()),
        };
        let scoped = activity.store.read(tenant).await?;
        let runs = activity.runs(&scoped, None).await?;
        activity.cursors = runs.iter().map(|run| (run.id, run.count)).collect();
        Ok(activity)
    }

    /// Whether an event is of these runs and was not read before. Moves past it.
    fn takes(&mut self, event: &FeedEvent) -> bool {
        let RunEvent { run_id, seq, .. } = event.event;
        let is_asked = self
            .project
            .is_none_or(|project| event.project == Some(project))
            && self
                .kinds
                .as_ref()
                .is_none_or(|kinds| kinds.contains(&event.kind));
        let is_new = is_asked && self.cursor(run_id) < seq;
        if is_new {
            self.cursors.insert(run_id, seq);
        }
        is_new
    }

    /// Waits for changes: the changed runs, or `None` if all runs must be checked. Signals that arrived in the
    /// meantime are handled together.
    pub(crate) async fn changed(&mut self, signals: &mut SignalReceiver) -> Option<BTreeSet<Uuid>> {
        let every = match self.store.backend() {
            Backend::Postgres => LOOK_ON_POSTGRES,
            _ => LOOK_ANYWAY,
        };
        let next_look = self.look.1 + every;
        let mut changed = BTreeSet::new();
        loop {
            let signal = if changed.is_empty() {
                tokio::time::timeout_at(next_look, signals.recv())
                    .await
                    .ok()
            } else {
                match signals.recv().now_or_never() {
                    Some(signal) => Some(signal),
                    None => return Some(changed),
                }
            };
            match signal {
                Some(Signal::Changed {
                    topic,
                    tenant,
                    subject,
                }) => {
                    if topic == TOPIC_EVENT && tenant == Some(self.tenant) {
                        changed.insert(subject);
                    }
                }
                Some(Signal::Resync) | None => {
                    self.look_begin();
                    return None;
                }
            }
        }
    }

    /// Reads the next events of the changed runs, or of all runs.
    pub(crate) async fn read(&mut self, changed: Option<&BTreeSet<Uuid>>) -> Result<Batch> {
        let scoped = self.store.read(self.tenant).await?;
        let runs = self.runs(&scoped, changed).await?;
        if changed.is_none() {
            // Deleted runs and runs that ended before the horizon are dropped: no later poll returns them.
            let met: BTreeSet<Uuid> = runs.iter().map(|run| run.id.0).collect();
            self.cursors.retain(|id, _| met.contains(&id.0));
        }
        let mut behind: Vec<RunHead> = runs
            .into_iter()
            .filter(|run| self.cursor(run.id) < run.count)
            .collect();
        let mut more = behind.len() > RUNS_PER_STATEMENT;
        behind.truncate(RUNS_PER_STATEMENT);
        if behind.is_empty() {
            return Ok(Batch {
                events: Vec::new(),
                more,
            });
        }
        let after = |run: &RunHead| {
            Condition::all()
                .add(run_event::Column::RunId.eq(run.id))
                .add(run_event::Column::Seq.gt(self.cursor(run.id)))
        };
        let which = behind
            .iter()
            .map(after)
            .fold(Condition::any(), Condition::add);
        let rows = scoped
            .find::<run_event::Entity>()
            .filter(which)
            .order_by_asc(run_event::Column::RunId)
            .order_by_asc(run_event::Column::Seq)
            .limit(BATCH)
            .all()
            .await?;
        if rows.len() as u64 == BATCH {
            more = true;
        } else {
            // The cursor also moves past events that were deleted.
            self.cursors
                .extend(behind.iter().map(|run| (run.id, run.count)));
        }
        for row in &rows {
            let cursor = self.cursors.entry(row.run_id).or_default();
            *cursor = row.seq.max(*cursor);
        }
        let of_run: HashMap<RunId, &RunHead> = behind.iter().map(|run| (run.id, run)).collect();
        let events = rows.into_iter().filter_map(event_read).filter_map(|event| {
            let run = of_run.get(&event.run_id)?;
            Some(FeedEvent {
                kind: run.kind.clone(),
                project: run.project,
                event,
            })
        });
        Ok(Batch {
            events: events.collect(),
            more,
        })
    }

    /// The runs with the number of their last event: the changed runs, or those in the window of a poll.
    async fn runs(
        &self,
        scoped: &Scoped<ReadOnly>,
        changed: Option<&BTreeSet<Uuid>>,
    ) -> Result<Vec<RunHead>> {
        use run::Column;
        let mut runs = scoped.find::<run::Entity>();
        if let Some(kinds) = &self.kinds {
            runs = runs.filter(Column::Kind.is_in(kinds.iter().cloned()));
        }
        if let Some(project) = self.project {
            runs = runs.filter(Column::ProjectId.eq(project));
        }
        runs = match changed {
            Some(changed) => runs.filter(Column::Id.is_in(changed.iter().copied())),
            None => runs.filter(
                Condition::any()
                    .add(Column::Status.is_in([RunStatus::Queued, RunStatus::Running]))
                    .add(Column::ProgressAt.gte(self.horizon)),
            ),
        };
        let columns = [
            Column::Id,
            Column::EventCount,
            Column::Kind,
            Column::ProjectId,
        ];
        let rows: Vec<(RunId, i64, RunKind, Option<Uuid>)> = runs.columns(columns).await?;
        let head = |(id, count, kind, project)| RunHead {
            id,
            count,
            kind,
            project,
        };
        Ok(rows.into_iter().map(head).collect())
    }

    fn cursor(&self, run: RunId) -> i64 {
        self.cursors.get(&run).copied().unwrap_or(0)
    }

    /// Begins a poll of all runs.
    fn look_begin(&mut self) {
        self.look = (self.store.env().now(), Instant::now());
    }

    /// Whether a poll should drop the cursors of runs that ended.
    fn is_full(&self) -> bool {
        self.cursors.len() > CURSORS_MAX && self.look.1.elapsed() > CURSORS_REST
    }

    /// Moves the horizon after a poll of all runs: the next poll starts where this one did.
    pub(crate) fn looked(&mut self) {
        self.horizon = self.horizon.max(self.look.0 - OVERLAP);
    }
}
