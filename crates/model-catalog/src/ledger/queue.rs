//! The queue of calls that are to be settled. Each call takes its place in the queue before it begins, so that the end
//! of a call never waits and is never lost. Where all places are taken, no further call begins.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nyxcore_tenancy::{Error, Result, Store, TenantId};
use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::observer::CallObserver;
use super::settle::{Settlement, by_tenant, settlements_write};
use crate::error::ModelError;

/// Settlements that are written in one transaction.
const BATCH: usize = 128;
/// How long settlements are gathered after a transaction. So a busy process writes a hundred transactions per second
/// and not a thousand, and calls that are being admitted wait for fewer of them.
const GATHER: Duration = Duration::from_millis(10);
/// How long a call waits for a place in the queue.
const PLACE_PATIENCE: Duration = Duration::from_secs(5);
/// The first wait before a settlement that the database did not take is written again; it doubles each time.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// The longest such wait.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// A place in the queue.
pub(crate) struct SettlementSlot {
    permit: OwnedPermit<Settlement>,
    ended: Arc<AtomicU64>,
    observer: Option<CallObserver>,
}

impl SettlementSlot {
    /// Puts a settlement into the queue. It does not wait.
    pub(crate) fn send(self, settlement: Settlement) {
        // The duration is a field of the span, because the call may have been a stream that others read.
        let _span = tracing::info_span!(
            "model_call",
            provider = %settlement.provider,
            model = %settlement.model,
            outcome = ?settlement.outcome,
            ms = settlement.duration_ms,
        )
        .entered();
        if let Some(observer) = &self.observer {
            observer(&settlement.report());
        }
        // It is counted before it is sent, so that a caller of `settled` waits for this one too.
        self.ended.fetch_add(1, Ordering::SeqCst);
        self.permit.send(settlement);
    }
}

/// The queue and the task that writes.
pub(crate) struct SettlementQueue {
    // `None` once no further call is accepted.
    sender: Mutex<Option<Sender<Settlement>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    places: usize,
    observer: Option<CallObserver>,
    /// How many calls have ended.
    ended: Arc<AtomicU64>,
    /// How many of them are in the ledger.
    written: watch::Receiver<u64>,
}

impl SettlementQueue {
    /// Starts the task that writes.
    pub(crate) fn start(store: &Store, places: usize, observer: Option<CallObserver>) -> Arc<Self> {
        let (sender, receiver) = mpsc::channel(places);
        let (count, written) = watch::channel(0);
        let writer = tokio::spawn(write_all(store.clone(), receiver, count));
        Arc::new(Self {
            sender: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
            places,
            observer,
            ended: Arc::default(),
            written,
        })
    }

    /// Takes a place for a call.
    ///
    /// # Errors
    /// [`ModelError::Closed`] at the end of the program, and where no place is free for too long.
    pub(crate) async fn slot(&self) -> Result<SettlementSlot, ModelError> {
        let sender = lock(&self.sender).clone().ok_or(ModelError::Closed)?;
        let permit = timeout(PLACE_PATIENCE, sender.reserve_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(SettlementSlot {
                permit,
                ended: Arc::clone(&self.ended),
                observer: self.observer.clone(),
            }),
            Ok(Err(_)) | Err(_) => Err(ModelError::Closed),
        }
    }

    /// Waits until every call that has ended so far is in the ledger.
    pub(crate) async fn settled(&self) {
        let ended = self.ended.load(Ordering::SeqCst);
        let mut written = self.written.clone();
        // The writer ends only when all calls are written.
        let _ended = written.wait_for(|count| *count >= ended).await;
    }

    /// How many calls are under way or wait to be written.
    pub(crate) fn pending(&self) -> usize {
        let sender = lock(&self.sender);
        sender
            .as_ref()
            .map_or(0, |sender| self.places - sender.capacity())
    }

    /// Accepts no further call, and waits until every call that is under way has ended and is in the ledger. Returns
    /// whether that was so within `patience`; the sweep settles what is left.
    pub(crate) async fn drain(&self, patience: Duration) -> bool {
        drop(lock(&self.sender).take());
        let Some(mut writer) = lock(&self.writer).take() else {
            return true;
        };
        let ended = timeout(patience, &mut writer).await.is_ok();
        if !ended {
            writer.abort();
        }
        ended
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes settlements until every sender is dropped.
async fn write_all(store: Store, mut receiver: Receiver<Settlement>, count: watch::Sender<u64>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        for (tenant, settlements) in by_tenant(&batch) {
            let mut wait = RETRY_FIRST;
            loop {
                match together(&store, tenant, &settlements).await {
                    Ok(true) => break,
                    Err(error) if is_passing(&error) => {
                        tracing::warn!(?error, "calls could not be settled: it is tried again");
                        tokio::time::sleep(wait).await;
                        wait = (wait * 2).min(RETRY_MAX);
                    }
                    Ok(false) if settlements.len() == 1 => break,
                    Ok(false) => break one_by_one(&store, &settlements).await,
                    Err(error) => {
                        tracing::error!(?error, "calls could not be settled together");
                        break one_by_one(&store, &settlements).await;
                    }
                }
            }
        }
        count.send_modify(|count| *count += batch.len() as u64);
        batch.clear();
        tokio::time::sleep(GATHER).await;
    }
}

/// Writes settlements of one tenant in one transaction. Returns `false`, and writes nothing, where another process has
/// settled one of them.
async fn together(store: &Store, tenant: TenantId, settlements: &[&Settlement]) -> Result<bool> {
    let scoped = store.write(tenant).await?;
    let written = settlements_write(&scoped, settlements).await?;
    if written {
        scoped.commit().await?;
    } else if let [settlement] = settlements {
        tracing::warn!(call = %settlement.id, "a call was settled before it ended");
    }
    Ok(written)
}

/// Writes settlements one by one. One that cannot be written does not keep the others from it. Its reservation stays,
/// and the sweep settles it.
async fn one_by_one(store: &Store, settlements: &[&Settlement]) {
    for settlement in settlements {
        let written = together(store, settlement.context.tenant, &[settlement]).await;
        if let Err(error) = written {
            tracing::error!(?error, call = %settlement.id, "a call could not be settled");
        }
    }
}

/// Whether the same write may succeed a moment later.
fn is_passing(error: &Error) -> bool {
    error.is_passing() || matches!(error, Error::DiskFull | Error::ReadOnly)
}
