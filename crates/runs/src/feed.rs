//! One reader of a tenant's events for all of its followers in this process: an event is read once, however many
//! follow.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nyxcore_tenancy::{Error, Result, SignalReceiver, Store, TenantId};
use tokio::sync::{OnceCell, broadcast};
use uuid::Uuid;

use crate::activity::Activity;
use crate::model::{RunEvent, RunKind};

/// The number of events that a follower may fall behind. One that falls behind further reads the database itself.
const BEHIND_MAX: usize = 1024;

/// An event, and what its run is.
#[derive(Debug)]
pub(crate) struct FeedEvent {
    pub kind: RunKind,
    pub project: Option<Uuid>,
    pub event: RunEvent,
}

/// What a follower gets next.
pub(crate) enum FeedItem {
    Event(Arc<FeedEvent>),
    /// Events were lost: the follower reads the database from its own position.
    Gap,
    /// The reader has ended: the follower reads the database, and follows anew.
    End,
}

/// The readers of this process, by tenant.
#[derive(Default)]
struct Feeds(Mutex<HashMap<TenantId, Arc<Reader>>>);

impl Feeds {
    fn readers(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Reader>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reader of a tenant. It runs as long as it has followers.
struct Reader {
    sender: broadcast::Sender<Arc<FeedEvent>>,
    /// Set when its task runs.
    begun: OnceCell<()>,
}

/// A follower's end of a reader.
pub(crate) struct EventFeed {
    receiver: broadcast::Receiver<Arc<FeedEvent>>,
    has_gap: bool,
}

impl EventFeed {
    /// Follows the events of a tenant from now on.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn follow(store: &Store, tenant: TenantId) -> Result<Self> {
        let feeds = store.shared::<Feeds>();
        let (reader, receiver) = {
            let mut readers = feeds.readers();
            let reader = readers.entry(tenant).or_insert_with(|| {
                Arc::new(Reader {
                    sender: broadcast::channel(BEHIND_MAX).0,
                    begun: OnceCell::new(),
                })
            });
            (Arc::clone(reader), reader.sender.subscribe())
        };
        let begun = reader.begun.get_or_try_init(async || {
            // Subscribed before the first read, so that no event is lost between the two.
            let signals = store.signals();
            let activity = Activity::begin(store.clone(), tenant, None, None).await?;
            let task = read(
                Arc::clone(&reader),
                Arc::clone(&feeds),
                tenant,
                activity,
                signals,
            );
            tokio::spawn(task);
            Ok::<(), Error>(())
        });
        begun.await?;
        Ok(Self {
            receiver,
            has_gap: false,
        })
    }

    /// Lets the follower read the database next.
    pub(crate) fn gap(&mut self) {
        self.has_gap = true;
    }

    /// The next event of any run of the tenant.
    pub(crate) async fn next(&mut self) -> FeedItem {
        if std::mem::take(&mut self.has_gap) {
            return FeedItem::Gap;
        }
        match self.receiver.recv().await {
            Ok(event) => FeedItem::Event(event),
            Err(broadcast::error::RecvError::Lagged(_)) => FeedItem::Gap,
            Err(broadcast::error::RecvError::Closed) => FeedItem::End,
        }
    }
}

/// Reads the events of a tenant until nobody follows them, or the database fails: then each follower learns the error
/// by its own read.
async fn read(
    reader: Arc<Reader>,
    feeds: Arc<Feeds>,
    tenant: TenantId,
    mut activity: Activity,
    mut signals: SignalReceiver,
) {
    loop {
        let changed = tokio::select! {
            () = reader.sender.closed() => {
                let mut readers = feeds.readers();
                // Somebody may have followed in the meantime.
                if reader.sender.receiver_count() == 0 {
                    remove(&mut readers, tenant, &reader);
                    return;
                }
                continue;
            }
            changed = activity.changed(&mut signals) => changed,
        };
        if let Err(error) = send(&reader.sender, &mut activity, changed).await {
            tracing::warn!(?error, "the events of a tenant could not be read");
            remove(&mut feeds.readers(), tenant, &reader);
            return;
        }
    }
}

/// Sends the new events of the changed runs, or of all runs.
async fn send(
    sender: &broadcast::Sender<Arc<FeedEvent>>,
    activity: &mut Activity,
    changed: Option<BTreeSet<Uuid>>,
) -> Result<()> {
    loop {
        let batch = activity.read(changed.as_ref()).await?;
        for event in batch.events {
            // Without a follower there is nobody to miss it.
            let _ = sender.send(Arc::new(event));
        }
        if !batch.more {
            break;
        }
    }
    if changed.is_none() {
        activity.looked();
    }
    Ok(())
}

fn remove(readers: &mut HashMap<TenantId, Arc<Reader>>, tenant: TenantId, reader: &Arc<Reader>) {
    if readers
        .get(&tenant)
        .is_some_and(|known| Arc::ptr_eq(known, reader))
    {
        readers.remove(&tenant);
    }
}
