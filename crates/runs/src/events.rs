//! The event log of a run: written in numbered order, read from any number, followed live.
//!
//! Reading changes nothing. A reader that stops costs nothing: a follower holds no transaction while it waits.

use std::collections::HashMap;
use std::time::Duration;

use futures::Stream;
use nyxcore_tenancy::{
    Access, ChildList, Error, Keyset, Page, PageRequest, ReadWrite, Result, Scoped, Store, TenantId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult, NotSet, Value};
use uuid::Uuid;

use crate::entity::{run, run_event};
use crate::feed::{EventFeed, FeedItem};
use crate::model::{EventBody, Progress, RunEvent, RunId};

/// The topic of signals that a run has a new event.
pub(crate) const TOPIC_EVENT: &str = "run_event";
/// The topic of signals that a run is waiting for a worker.
pub(crate) const TOPIC_QUEUED: &str = "run_queued";
/// The topic of signals that a worker must stop a run.
pub(crate) const TOPIC_CANCEL: &str = "run_cancel";

/// The number of events that a follower reads at once.
pub(crate) const BATCH: u64 = 500;
/// How long a follower of a run waits for its next event before it checks the run.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How long a reader waits for a signal before it polls: another process on the same SQLite file sends no signals.
pub(crate) const LOOK_ANYWAY: Duration = Duration::from_secs(2);

/// The lease of a run: the worker that holds it and the number of the attempt, which no two attempts share. The
/// worker's writes succeed only while the lease is valid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunLease {
    pub run: RunId,
    pub worker: Uuid,
    pub attempt: i64,
}

#[derive(FromQueryResult)]
struct RunCounters {
    event_count: i64,
    cancel_requested: bool,
}

/// Appends an event for the worker that holds the run, with the progress if given. Returns `None` and writes nothing if
/// another worker holds the run. Otherwise returns whether the run was asked to stop, which costs no extra statement.
pub(crate) async fn event_tell(
    scoped: &Scoped<ReadWrite>,
    held: RunLease,
    progress: Option<&Progress>,
    body: &EventBody,
) -> Result<Option<bool>> {
    let sql = "UPDATE runs SET event_count = event_count + 1, progress_at = $5, phase = coalesce($6, phase),
                      progress_done = coalesce($7, progress_done),
                      progress_total = CASE WHEN $6 IS NULL THEN progress_total ELSE $8 END,
                      progress_unit = CASE WHEN $6 IS NULL THEN progress_unit ELSE $9 END,
                      progress_bytes_done = CASE WHEN $6 IS NULL THEN progress_bytes_done ELSE $10 END,
                      progress_bytes_total = CASE WHEN $6 IS NULL THEN progress_bytes_total ELSE $11 END
               WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND attempt = $4 AND status = 'RUNNING'
               RETURNING event_count, cancel_requested";
    let values: [Value; 10] = [
        held.run.0.into(),
        held.worker.into(),
        held.attempt.into(),
        scoped.env().now().into(),
        progress.map(|progress| progress.phase.clone()).into(),
        progress.map(|progress| progress.done).into(),
        progress.and_then(|progress| progress.total).into(),
        progress.and_then(|progress| progress.unit.clone()).into(),
        progress.and_then(|progress| progress.bytes_done).into(),
        progress.and_then(|progress| progress.bytes_total).into(),
    ];
    let counted: Vec<RunCounters> = scoped.sql_all(sql, values).await?;
    let Some(counted) = counted.into_iter().next() else {
        return Ok(None);
    };
    events_insert(
        scoped,
        held.run,
        counted.event_count,
        std::slice::from_ref(body),
    )
    .await?;
    Ok(Some(counted.cancel_requested))
}

/// Appends an event to a run whose row the caller has just changed in this transaction. The number comes from that row,
/// so that concurrent writes leave no gap and no duplicate in the log.
pub(crate) async fn event_append(
    scoped: &Scoped<ReadWrite>,
    run: RunId,
    body: &EventBody,
) -> Result<()> {
    events_append(scoped, run, std::slice::from_ref(body)).await
}

/// As [`event_append`] for several events, in the same number of statements as for one.
pub(crate) async fn events_append(
    scoped: &Scoped<ReadWrite>,
    run: RunId,
    bodies: &[EventBody],
) -> Result<()> {
    let sql = "UPDATE runs SET event_count = event_count + $3 WHERE tenant_id = $1 AND id = $2
               RETURNING event_count, cancel_requested";
    let more = i64::try_from(bodies.len()).unwrap_or(i64::MAX);
    let counted: Vec<RunCounters> = scoped.sql_all(sql, [run.0.into(), more.into()]).await?;
    match counted.first() {
        Some(counted) => events_insert(scoped, run, counted.event_count, bodies).await,
        None => Err(Error::NotFound("run")),
    }
}

/// Inserts events with consecutive numbers that end with the given one.
async fn events_insert(
    scoped: &Scoped<ReadWrite>,
    run: RunId,
    last: i64,
    bodies: &[EventBody],
) -> Result<()> {
    let first = last - i64::try_from(bodies.len()).unwrap_or(i64::MAX) + 1;
    let at = scoped.env().now();
    let rows = (first..).zip(bodies).map(|(seq, body)| {
        let payload = serde_json::to_value(body).map_err(|e| Error::Invalid(e.to_string()))?;
        Ok(run_event::ActiveModel {
            run_id: Set(run),
            seq: Set(seq),
            tenant_id: NotSet,
            at: Set(at),
            payload: Set(payload),
        })
    });
    scoped.insert_all(rows.collect::<Result<_>>()?).await?;
    scoped.announce(TOPIC_EVENT, run.0).await
}

/// Reads the events of a run after number `after`, oldest first. An event that this version cannot read is skipped and
/// logged: a newer replica may have written it.
///
/// # Errors
/// The database fails. A run that the tenant does not have has no events.
pub async fn event_list<A: Access>(
    scoped: &Scoped<A>,
    run: RunId,
    after: i64,
    limit: u64,
) -> Result<Vec<RunEvent>> {
    let rows = rows_read(scoped, run, after, limit).await?;
    Ok(rows.into_iter().filter_map(event_read).collect())
}

/// The logs of runs, oldest event first, as [`event_list`] reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunEvents;

impl ChildList for RunEvents {
    type Parent = RunId;
    type Item = RunEvent;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        runs: &[RunId],
        request: &PageRequest,
    ) -> Result<HashMap<RunId, Page<RunEvent>>> {
        use run_event::{Column, Entity};
        let oldest = Keyset::ascending(Column::Seq);
        let events = scoped.find::<Entity>();
        let pages = events
            .pages_by(Column::RunId, runs, oldest, request)
            .await?;
        let pages = pages.into_iter();
        Ok(pages
            .map(|(run, page)| (run, page.filter_map(event_read)))
            .collect())
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        runs: &[RunId],
    ) -> Result<HashMap<RunId, u64>> {
        let events = scoped.find::<run_event::Entity>();
        events.counts_by(run_event::Column::RunId, runs).await
    }
}

async fn rows_read<A: Access>(
    scoped: &Scoped<A>,
    run: RunId,
    after: i64,
    limit: u64,
) -> Result<Vec<run_event::Model>> {
    scoped
        .find::<run_event::Entity>()
        .filter(run_event::Column::RunId.eq(run))
        .filter(run_event::Column::Seq.gt(after))
        .order_by_asc(run_event::Column::Seq)
        .limit(limit)
        .all()
        .await
}

/// Converts a row to an event. `None` for an event that this version cannot read.
pub(crate) fn event_read(row: run_event::Model) -> Option<RunEvent> {
    match serde_json::from_value(row.payload) {
        Ok(body) => Some(RunEvent {
            run_id: row.run_id,
            seq: row.seq,
            at: row.at,
            body,
        }),
        Err(error) => {
            tracing::warn!(%error, run = %row.run_id, seq = row.seq, "an event is in a form that this version cannot read");
            None
        }
    }
}

/// Replays a run's events after number `after`, then follows the run live, and ends when the run ends.
///
/// # Errors
/// The stream's first item is [`Error::NotFound`] where the tenant has no such run.
pub fn run_follow(
    store: &Store,
    tenant: TenantId,
    run: RunId,
    after: i64,
) -> impl Stream<Item = Result<RunEvent>> + Send + use<> {
    let store = store.clone();
    async_stream::try_stream! {
        let mut cursor = after;
        // A log that has ended is read without a feed.
        let mut feed: Option<EventFeed> = None;
        'read: loop {
            // Reads of the database are boxed, so that the stream does not hold the memory for them while it waits.
            let read = Box::pin(async {
                let scoped = store.read(tenant).await?;
                let row = scoped.find::<run::Entity>().filter(run::Column::Id.eq(run)).one().await?;
                let active = row.ok_or(Error::NotFound("run"))?.status.is_active();
                Ok::<_, Error>((active, rows_read(&scoped, run, cursor, BATCH).await?))
            });
            let (active, rows) = read.await?;
            let more = rows.len() as u64 == BATCH;
            for row in rows {
                cursor = row.seq;
                if let Some(event) = event_read(row) {
                    yield event;
                }
            }
            if more {
                continue;
            }
            // The last event of an ended run was committed with the end: nothing is left to wait for.
            if !active {
                break;
            }
            let Some(feed) = &mut feed else {
                // What was committed before this is read once more.
                feed = Some(Box::pin(EventFeed::follow(&store, tenant)).await?);
                continue;
            };
            loop {
                // A timeout is fine: the loop reads again, and finds that the run is gone.
                let Ok(item) = tokio::time::timeout(LOOK_AGAIN, feed.next()).await else {
                    continue 'read;
                };
                let event = match item {
                    FeedItem::Event(event) if event.event.run_id != run => continue,
                    FeedItem::Event(event) if event.event.seq <= cursor => continue,
                    FeedItem::Event(event) if event.event.seq == cursor + 1 => event,
                    FeedItem::Event(_) | FeedItem::Gap => continue 'read,
                    FeedItem::End => {
                        *feed = EventFeed::follow(&store, tenant).await?;
                        continue 'read;
                    }
                };
                cursor = event.event.seq;
                yield event.event.clone();
                if matches!(event.event.body, EventBody::Finished { .. }) {
                    break 'read;
                }
            }
        }
    }
}
