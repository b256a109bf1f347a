//! Signals: "something changed, look again", sent with a commit and heard by every replica.
//!
//! On PostgreSQL they travel by NOTIFY, on SQLite within the process. A signal carries ids and no content: whoever hears it reads the
//! rows again under its own scope. They may be lost when a connection breaks; [`Signal::Resync`] then tells listeners to look at everything
//! they wait for.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend};
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::model::TenantId;

/// The one channel of the database.
pub(super) const CHANNEL: &str = "nyxcore";

/// Stands in a payload where there is no tenant.
const NO_TENANT: &str = "-";

/// What was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Something about `subject` changed.
    Changed {
        /// What kind of news it is; a constant of the crate that sends it.
        topic: String,
        /// Whose it is; `None` for what belongs to no tenant, such as a person's session.
        tenant: Option<TenantId>,
        /// The row it is about.
        subject: Uuid,
    },
    /// Signals may have been missed.
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

/// Hears signals.
pub struct SignalReceiver(broadcast::Receiver<Signal>);

impl SignalReceiver {
    /// The next signal. One who fell behind hears [`Signal::Resync`] instead of what was missed.
    pub async fn recv(&mut self) -> Signal {
        match self.0.recv().await {
            Ok(signal) => signal,
            Err(broadcast::error::RecvError::Lagged(_)) => Signal::Resync,
            // The sender lives as long as the store: only a store that is being dropped gets here.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// The process' end of the channel.
#[derive(Clone)]
pub(super) struct Signals {
    sender: broadcast::Sender<Signal>,
    /// Ends the listening task with the last clone of the store.
    _listener: Option<Arc<AbortOnDrop>>,
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Signals {
    pub(super) async fn start(db: &DatabaseConnection) -> Result<Self> {
        let (sender, _) = broadcast::channel(4096);
        let listener = if db.get_database_backend() == DbBackend::Postgres {
            let pool = db.get_postgres_connection_pool();
            let connect = async {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                Ok::<_, sqlx::Error>(listener)
            };
            let listener = connect.await.map_err(|e| {
                Error::from(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(
                    Arc::new(e),
                )))
            })?;
            let task = tokio::spawn(listen(listener, sender.clone()));
            Some(Arc::new(AbortOnDrop(task)))
        } else {
            None
        };
        Ok(Self {
            sender,
            _listener: listener,
        })
    }

    pub(super) fn subscribe(&self) -> SignalReceiver {
        SignalReceiver(self.sender.subscribe())
    }

    /// Sends within the process; nobody listening is fine.
    pub(super) fn send(&self, signal: Signal) {
        drop(self.sender.send(signal));
    }
}

async fn listen(mut listener: PgListener, sender: broadcast::Sender<Signal>) {
    loop {
        let signal = match listener.try_recv().await {
            Ok(Some(notification)) => Signal::parse(notification.payload()),
            // The connection broke; the listener makes a new one with the next call.
            Ok(None) => Signal::Resync,
            Err(error) => {
                tracing::warn!(%error, "the connection that listens for signals failed");
                tokio::time::sleep(Duration::from_secs(1)).await;
                Signal::Resync
            }
        };
        drop(sender.send(signal));
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
