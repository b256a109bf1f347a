//! Limits the database connections per tenant, so that blocked statements of one tenant leave connections for the
//! others.
//!
//! Without this limit every statement that waits for a lock holds a connection of the pool, and a hundred of them
//! block the whole server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::DbBackend;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Result};
use crate::model::TenantId;

/// How long a writer waits for the previous one on SQLite, which has one writer at a time.
const WRITER_PATIENCE: Duration = Duration::from_secs(30);

/// Above this number of tenants, tenants without a connection are dropped.
const TENANTS_MAX: usize = 1_024;

/// The purpose of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// A snapshot of a tenant's rows.
    Read(TenantId),
    /// A snapshot of a tenant's rows for an unauthenticated sender, which names the tenant.
    UnprovenRead,
    /// A transaction that changes a tenant's rows.
    Write(TenantId),
    /// A transaction across tenants that only reads.
    SystemRead,
    /// A transaction across tenants that changes rows.
    SystemWrite,
}

/// The permits that a transaction holds until its end.
#[derive(Debug, Default)]
pub(super) struct Permits {
    _held: Vec<OwnedSemaphorePermit>,
}

/// The limits on connections.
pub(super) enum Gate {
    /// SQLite has one writer at a time. Waiting here is fair and needs no polling, unlike SQLite's busy handler.
    /// Readers never wait.
    Sqlite { writer: Arc<Semaphore> },
    /// See [`Shares`].
    Postgres(Box<PostgresGate>),
}

pub(super) struct PostgresGate {
    shares: Shares,
    connections: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    system: Arc<Semaphore>,
    unproven: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, TenantGate>>,
}

#[derive(Clone)]
struct TenantGate {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

/// The shares of the pool's connections. Of the usual 10 connections 8 are shared. Writing transactions have at most 4
/// of them and transactions across tenants at most 2, so that 2 are always left for reading. One tenant has at most 4
/// for reading and 2 for writing. Unauthenticated senders have at most 2 together, whichever tenants they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shares {
    connections: usize,
    writes: usize,
    system: usize,
    unproven: usize,
    tenant_reads: usize,
    tenant_writes: usize,
}

impl Shares {
    /// One connection listens for signals. Of four or more connections, one is kept for health checks.
    fn of(max_connections: u32) -> Self {
        let pool = max_connections as usize;
        let connections = pool.saturating_sub(if pool < 4 { 1 } else { 2 }).max(1);
        let part = |divisor: usize| (connections / divisor).max(1);
        Self {
            connections,
            writes: part(2),
            system: part(4),
            unproven: part(4),
            tenant_reads: part(2),
            tenant_writes: part(4),
        }
    }
}

impl Gate {
    pub(super) fn new(backend: DbBackend, max_connections: u32) -> Self {
        if backend != DbBackend::Postgres {
            return Self::Sqlite {
                writer: Arc::new(Semaphore::new(1)),
            };
        }
        let shares = Shares::of(max_connections);
        Self::Postgres(Box::new(PostgresGate {
            shares,
            connections: Arc::new(Semaphore::new(shares.connections)),
            writes: Arc::new(Semaphore::new(shares.writes)),
            system: Arc::new(Semaphore::new(shares.system)),
            unproven: Arc::new(Semaphore::new(shares.unproven)),
            tenants: Mutex::default(),
        }))
    }

    /// Waits until the limits allow one more such transaction.
    ///
    /// # Errors
    /// [`Error::Busy`] after `patience`; on SQLite after [`WRITER_PATIENCE`].
    pub(super) async fn pass(&self, purpose: Purpose, patience: Duration) -> Result<Permits> {
        let (semaphores, patience) = match self {
            Self::Sqlite { writer } => match purpose {
                Purpose::Read(_) | Purpose::UnprovenRead | Purpose::SystemRead => {
                    return Ok(Permits::default());
                }
                Purpose::Write(_) | Purpose::SystemWrite => {
                    (vec![Arc::clone(writer)], WRITER_PATIENCE)
                }
            },
            Self::Postgres(gate) => (gate.semaphores(purpose), patience),
        };
        let deadline = Instant::now() + patience;
        let mut permits = Permits::default();
        // The narrowest limit first: a request that waits for its own tenant blocks no other tenant.
        for semaphore in semaphores {
            match timeout_at(deadline, semaphore.acquire_owned()).await {
                Ok(Ok(permit)) => permits._held.push(permit),
                _ => return Err(Error::Busy),
            }
        }
        Ok(permits)
    }
}

impl PostgresGate {
    fn semaphores(&self, purpose: Purpose) -> Vec<Arc<Semaphore>> {
        let connections = Arc::clone(&self.connections);
        match purpose {
            Purpose::Read(tenant) => vec![self.tenant(tenant).reads, connections],
            Purpose::UnprovenRead => vec![Arc::clone(&self.unproven), connections],
            Purpose::Write(tenant) => {
                vec![
                    self.tenant(tenant).writes,
                    Arc::clone(&self.writes),
                    connections,
                ]
            }
            Purpose::SystemRead | Purpose::SystemWrite => {
                vec![Arc::clone(&self.system), connections]
            }
        }
    }

    fn tenant(&self, tenant: TenantId) -> TenantGate {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= TENANTS_MAX {
            // A permit and a waiting request keep a clone of the semaphore.
            let in_use = |of: &Arc<Semaphore>| Arc::strong_count(of) > 1;
            tenants.retain(|_, gate| in_use(&gate.reads) || in_use(&gate.writes));
        }
        let gate = tenants.entry(tenant).or_insert_with(|| TenantGate {
            reads: Arc::new(Semaphore::new(self.shares.tenant_reads)),
            writes: Arc::new(Semaphore::new(self.shares.tenant_writes)),
        });
        gate.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const SHORT: Duration = Duration::from_millis(20);

    fn gate() -> Gate {
        Gate::new(DbBackend::Postgres, 10)
    }

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    async fn permits(gate: &Gate, purpose: Purpose) -> Vec<Permits> {
        let mut all = Vec::new();
        while let Ok(permits) = gate.pass(purpose, SHORT).await {
            all.push(permits);
        }
        all
    }

    #[tokio::test]
    async fn one_tenants_writes_leave_room_for_another_tenant() {
        let gate = gate();
        let held = permits(&gate, Purpose::Write(tenant(1))).await;
        assert_eq!(held.len(), 2);
        assert_eq!(permits(&gate, Purpose::Write(tenant(2))).await.len(), 2);
    }

    #[tokio::test]
    async fn writes_of_all_tenants_leave_room_for_reads() {
        let gate = gate();
        let mut held = Vec::new();
        for number in 0..20 {
            held.extend(permits(&gate, Purpose::Write(tenant(number))).await);
        }
        held.extend(permits(&gate, Purpose::SystemWrite).await);
        assert_eq!(held.len(), 6);
        assert_eq!(permits(&gate, Purpose::Read(tenant(1))).await.len(), 2);
    }

    #[tokio::test]
    async fn unproven_senders_leave_room_for_every_tenant() {
        let gate = gate();
        let held = permits(&gate, Purpose::UnprovenRead).await;
        assert_eq!(held.len(), 2);
        assert_eq!(permits(&gate, Purpose::Read(tenant(1))).await.len(), 4);
    }

    #[tokio::test]
    async fn a_permit_comes_back_with_the_end_of_its_transaction() {
        let gate = gate();
        let held = permits(&gate, Purpose::Write(tenant(1))).await;
        let next = gate.pass(Purpose::Write(tenant(1)), Duration::from_secs(20));
        let (next, ()) = tokio::join!(next, async { drop(held) });
        next.unwrap();
    }

    #[tokio::test]
    async fn tenants_that_hold_nothing_are_forgotten() {
        let Gate::Postgres(gate) = gate() else {
            panic!("a gate for PostgreSQL");
        };
        let held = gate.tenant(tenant(0));
        for number in 1..3_000 {
            gate.tenant(tenant(number));
        }
        let tenants = gate.tenants.lock().unwrap();
        assert!(tenants.len() <= TENANTS_MAX && tenants.contains_key(&tenant(0)));
        drop(held);
    }

    #[test]
    fn a_small_pool_serves_one_transaction_at_a_time() {
        let one = Shares {
            connections: 1,
            writes: 1,
            system: 1,
            unproven: 1,
            tenant_reads: 1,
            tenant_writes: 1,
        };
        assert_eq!((Shares::of(1), Shares::of(2)), (one, one));
    }
}
