//! Signals: change notifications, sent with a commit and received by every replica.
//!
//! They are sent by NOTIFY on PostgreSQL and within the process on SQLite. A signal carries ids but no content: the
//! receiver reads the rows again under its own scope. Signals may be lost when a connection breaks; [`Signal::Resync`]
//! then tells receivers to check everything they wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend};
use sqlx::postgres::PgListener;
use sqlx::{Executor, PgPool};
use tokio::sync::broadcast;
use tokio::time::timeout;
use uuid::Uuid;

use super::memory::CredentialMemory;
use crate::error::{Error, Result};
use crate::model::TenantId;

/// The only notification channel of the database.
pub(super) const CHANNEL: &str = "nyxcore";

/// After this time without a signal the connection is probed.
const SILENCE: Duration = Duration::from_secs(5);
/// How long the probe may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// The placeholder in a payload without a tenant.
const NO_TENANT: &str = "-";

/// A change notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Something about `subject` changed.
    Changed {
        /// The topic; a constant of the crate that sends it.
        topic: String,
        /// The tenant; `None` for a subject without a tenant, such as a user's session.
        tenant: Option<TenantId>,
        /// The row it is about.
        subject: Uuid,
    },
    /// Signals may have been lost.
    Resync,
}

impl Signal {
    pub(super) fn payload(&self) -> String {
        match self {
            Self::Changed {
                topic,
                tenant,
                subject,
            } => {
                let tenant = tenant.map_or_else(|| NO_TENANT.to_owned(), |t| t.0.to_string());
                format!("{topic} {tenant} {subject}")
            }
            Self::Resync => String::new(),
        }
    }

    fn parse(payload: &str) -> Self {
        let mut words = payload.split(' ');
        let mut changed = || {
            Some(Self::Changed {
                topic: words.next()?.to_owned(),
                tenant: match words.next()? {
                    NO_TENANT => None,
                    tenant => Some(TenantId(tenant.parse().ok()?)),
                },
                subject: words.next()?.parse().ok()?,
            })
        };
        changed().unwrap_or(Self::Resync)
    }
}

/// Receives signals.
pub struct SignalReceiver(broadcast::Receiver<Signal>);

impl SignalReceiver {
    /// The next signal. A receiver that fell behind gets [`Signal::Resync`] instead of the missed signals.
    pub async fn recv(&mut self) -> Signal {
        match self.0.recv().await {
            Ok(signal) => signal,
            Err(broadcast::error::RecvError::Lagged(_)) => Signal::Resync,
            // The sender lives as long as the store: this is reached only while the store is being dropped.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// The process's end of the channel.
#[derive(Clone)]
pub(super) struct Signals {
    channel: Arc<Channel>,
    /// Ends the listening task with the last clone of the store.
    _listener: Option<Arc<AbortOnDrop>>,
}

struct Channel {
    sender: broadcast::Sender<Signal>,
    credentials: Arc<CredentialMemory>,
    /// Whether signals of other processes are received, if they send any.
    connected: AtomicBool,
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Signals {
    pub(super) async fn start(
        db: &DatabaseConnection,
        credentials: Arc<CredentialMemory>,
    ) -> Result<Self> {
        let channel = Arc::new(Channel {
            sender: broadcast::channel(4096).0,
            credentials,
            connected: AtomicBool::new(true),
        });
        let listener = if db.get_database_backend() == DbBackend::Postgres {
            let pool = db.get_postgres_connection_pool().clone();
            let listener = connect(&pool).await.map_err(|e| {
                Error::from(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(
                    Arc::new(e),
                )))
            })?;
            let task = tokio::spawn(listen(pool, listener, Arc::clone(&channel)));
            Some(Arc::new(AbortOnDrop(task)))
        } else {
            None
        };
        Ok(Self {
            channel,
            _listener: listener,
        })
    }

    pub(super) fn subscribe(&self) -> SignalReceiver {
        SignalReceiver(self.channel.sender.subscribe())
    }

    /// Whether the database answered the last probe.
    pub(super) fn connected(&self) -> bool {
        self.channel.connected.load(Ordering::SeqCst)
    }

    /// Sends the signals of a committed transaction. On PostgreSQL the database sends them to every process; this
    /// process removes a cached credential at once.
    pub(super) fn committed(&self, signal: Signal) {
        if self._listener.is_some() {
            self.channel.credentials.hear(&signal);
        } else {
            self.channel.deliver(signal);
        }
    }
}

impl Channel {
    /// Delivers a signal; it is fine if there is no receiver.
    fn deliver(&self, signal: Signal) {
        self.credentials.hear(&signal);
        drop(self.sender.send(signal));
    }

    fn connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::SeqCst);
        self.credentials.hears_signals(connected);
    }
}

async fn connect(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // A lost connection is reported at once, so that nothing counts as unchanged meanwhile.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn listen(pool: PgPool, mut listener: PgListener, channel: Arc<Channel>) {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                channel.deliver(Signal::parse(notification.payload()));
                continue;
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the connection that listens for signals failed")
            }
            // A connection whose peer has vanished is as silent as one without signals.
            Err(_) => {
                let probe = (&mut listener).execute("SELECT 1");
                if matches!(timeout(PROBE_PATIENCE, probe).await, Ok(Ok(_))) {
                    continue;
                }
            }
        }
        channel.connected(false);
        listener = loop {
            match connect(&pool).await {
                Ok(listener) => break listener,
                Err(error) => {
                    tracing::warn!(%error, "cannot listen for signals");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        channel.connected(true);
        channel.deliver(Signal::Resync);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_survives_its_payload() {
        for tenant in [None, Some(TenantId(Uuid::from_u128(1)))] {
            let signal = Signal::Changed {
                topic: "run".into(),
                tenant,
                subject: Uuid::from_u128(2),
            };
            assert_eq!(Signal::parse(&signal.payload()), signal);
        }
    }

    #[test]
    fn a_payload_that_is_not_ours_asks_for_a_second_look() {
        assert_eq!(Signal::parse("hello"), Signal::Resync);
    }
}
