//! The scoped store: the only way to the rows of a tenant.
//!
//! [`Store`] opens transactions and nothing else. [`Store::read`] and [`Store::write`] give a [`Scoped`] for one
//! tenant; [`Store::system`] gives a [`SystemScope`] for the registered work that has no tenant. On PostgreSQL each
//! also sets what row-level security compares with, for that transaction alone.

#[doc(hidden)]
pub mod doc_entities;
mod gate;
mod guard;
mod lone;
mod memory;
mod open;
mod pace;
mod pages;
mod scoped;
mod select;
mod select_in;
mod shared;
mod signal;
mod system;
mod times;
mod volume;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tracing::Instrument;

use gate::{Gate, Permits, Purpose};
use lone::{LoneRead, ReadSession};
pub(crate) use memory::{CredentialKey, CredentialMemory, CredentialOwner, is_new_use};
use pace::Pace;

pub use open::{PoolState, StatementListener, StoreOptions, database_open};
pub use scoped::{Access, ReadOnly, ReadWrite, Scoped};
pub use select::{Keyset, ParentKey, ScopedSelect};
pub use select_in::ScopedSelectIn;
pub use signal::{Signal, SignalReceiver};
pub use system::{SystemPurpose, SystemScope, SystemScoped};

use crate::actor::{Acting, Actor, Origin, Trail};
use crate::audit::{Refusals, SystemUses};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::model::TenantId;
use crate::registry::Registry;

/// How long a statement of background work waits for a lock, on PostgreSQL.
pub(crate) const BACKGROUND_LOCK_TIMEOUT: Duration = Duration::from_secs(60);
/// The statement timeout of background work, on PostgreSQL: a sync writes many rows at once.
const BACKGROUND_STATEMENT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// An entity whose rows belong to a tenant. Implemented by [`tenant_scoped!`](crate::tenant_scoped).
pub trait TenantScoped: EntityTrait<Model: Send + Sync> {
    /// The column that holds the tenant.
    fn tenant_column() -> Self::Column;

    /// Columns with texts of up to hundreds of kilobytes: the database limits how much of them a client reads, before
    /// the rows arrive here.
    fn large_columns() -> &'static [Self::Column] {
        &[]
    }
}

/// Declares that the rows of a SeaORM entity belong to a tenant: `tenant_scoped!(Entity);` beside its
/// `Column::TenantId`. `tenant_scoped!(Entity, large: [Body]);` also names the columns that hold large texts.
#[macro_export]
macro_rules! tenant_scoped {
    ($entity:ty $(, large: [$($column:ident),+ $(,)?])?) => {
        impl $crate::TenantScoped for $entity {
            fn tenant_column() -> Self::Column {
                Column::TenantId
            }
            $(
                fn large_columns() -> &'static [Self::Column] {
                    &[$(Column::$column),+]
                }
            )?
        }
    };
}

/// An open database. A clone is a reference to the same one.
#[derive(Clone)]
pub struct Store(Arc<StoreParts>);

struct StoreParts {
    db: DatabaseConnection,
    env: Env,
    registry: Registry,
    signals: signal::Signals,
    /// Uses of system scopes that are not yet in the audit log.
    uses: SystemUses,
    /// Refused calls that are not yet in the audit log.
    refusals: Refusals,
    gate: Gate,
    credentials: Arc<CredentialMemory>,
    shared: shared::SharedValues,
    listener: Option<StatementListener>,
    lock_timeout: Duration,
    statement_timeout: Duration,
    credential_flush: Duration,
    /// The number of connections that may have been cut off while idle: a new transaction is retried as often.
    connections: u32,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a database whose schema is current. Refuses a PostgreSQL role that row-level security would not bind.
    ///
    /// # Errors
    /// The database cannot be reached, or the role is unsafe and `options` does not allow it.
    pub async fn connect(options: &StoreOptions, env: Env) -> Result<Self> {
        let db = open::serving_open(options).await?;
        if !options.allow_privileged_role {
            open::role_check(&db).await?;
        }
        let backend = db.get_database_backend();
        let credentials = Arc::new(CredentialMemory::new(backend, options.credential_recheck));
        let signals = signal::Signals::start(&db, Arc::clone(&credentials)).await?;
        Ok(Self(Arc::new(StoreParts {
            db,
            env,
            registry: options.registry.clone(),
            signals,
            uses: SystemUses::of(&options.registry),
            refusals: Refusals::default(),
            gate: Gate::new(backend, options.max_connections),
            credentials,
            shared: shared::SharedValues::default(),
            listener: options.statement_listener.clone(),
            lock_timeout: options.lock_timeout,
            statement_timeout: options.statement_timeout,
            credential_flush: options.credential_flush,
            connections: options.max_connections,
        })))
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.0.db.get_database_backend()
    }

    /// The clock and ids for written rows.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The names that this process knows: its resources with their policy, its purposes of system work, and its kinds
    /// of runs.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Checks whether the database answers.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.0.db.ping().await?)
    }

    /// A receiver of the signals that are announced with [`Scoped::announce`] from now on, after their transactions are
    /// committed.
    pub fn signals(&self) -> SignalReceiver {
        self.0.signals.subscribe()
    }

    /// A snapshot of a tenant's rows, for the program itself.
    ///
    /// # Errors
    /// No connection is available.
    pub async fn read(&self, tenant: TenantId) -> Result<Scoped<ReadOnly>> {
        let actor = Actor::Program;
        let pace = Pace::of(&actor);
        self.read_for(tenant, actor, pace, Purpose::Read(tenant))
            .await
    }

    /// A snapshot of a tenant's rows for an unauthenticated sender, such as the sender of a webhook, which names the
    /// tenant. All such senders share a few connections, and wait no longer for them than a client does.
    ///
    /// # Errors
    /// As [`Store::read`]; [`Error::Busy`] if too many wait.
    pub async fn read_for_unproven(&self, tenant: TenantId) -> Result<Scoped<ReadOnly>> {
        self.read_for(tenant, Actor::Program, Pace::Client, Purpose::UnprovenRead)
            .await
    }

    /// A snapshot of the rows of a caller's tenant, in which the policy is checked for that caller.
    ///
    /// # Errors
    /// No connection is available.
    pub async fn read_as(&self, acting: &Acting) -> Result<Scoped<ReadOnly>> {
        let actor = Actor::Caller(acting.clone());
        let (tenant, pace) = (acting.caller.tenant, Pace::of(&actor));
        self.read_for(tenant, actor, pace, Purpose::Read(tenant))
            .await
    }

    /// As [`Store::read_as`], for a request that is expected to need one statement. On PostgreSQL that statement is
    /// sent without a transaction: one round trip instead of four. If a second one follows, a transaction is opened,
    /// and the first is read in it again, so that all rows of the scope are still those of one snapshot.
    ///
    /// # Errors
    /// As [`Store::read_as`]. The second statement: [`Error::Busy`] if the rows of the first one changed between the
    /// two.
    pub async fn read_one_as(&self, acting: &Acting) -> Result<Scoped<ReadOnly>> {
        if self.backend() != DbBackend::Postgres {
            return self.read_as(acting).await;
        }
        let actor = Actor::Caller(acting.clone());
        let tenant = acting.caller.tenant;
        let lone = LoneRead::new(self, tenant, Pace::of(&actor));
        let session = ReadSession::Lone(Box::new(lone));
        Ok(Scoped::new(
            session,
            tenant,
            actor,
            self,
            Permits::default(),
        ))
    }

    /// Opens a transaction that may change a tenant's rows, for the program itself: a worker, or an embedding service
    /// with its own policy. Nothing is stored without a commit.
    ///
    /// # Errors
    /// No connection is available, or another writer held the database for too long.
    pub async fn write(&self, tenant: TenantId) -> Result<Scoped<ReadWrite>> {
        self.write_for(tenant, Actor::Program).await
    }

    /// A transaction for a caller: the services check the policy for that caller, and the commit writes their actions
    /// to the audit log.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_as(&self, acting: &Acting) -> Result<Scoped<ReadWrite>> {
        let actor = Actor::Caller(acting.clone());
        self.write_for(acting.caller.tenant, actor).await
    }

    /// A transaction for an operator at the command line: everything is permitted and audited.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_as_operator(&self, tenant: TenantId) -> Result<Scoped<ReadWrite>> {
        self.write_for(tenant, Actor::Operator(Trail::default()))
            .await
    }

    /// Opens a transaction for a remote that authenticated itself to the calling service, for example by a signature.
    /// Its actions are audited as system actions, with the origin of the request.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_as_remote(
        &self,
        tenant: TenantId,
        origin: Origin,
    ) -> Result<Scoped<ReadWrite>> {
        let actor = Actor::Remote(Arc::new(origin), Trail::default());
        self.write_for(tenant, actor).await
    }

    async fn read_for(
        &self,
        tenant: TenantId,
        actor: Actor,
        pace: Pace,
        purpose: Purpose,
    ) -> Result<Scoped<ReadOnly>> {
        let (tx, permits) = self.read_begin(tenant, pace, purpose).await?;
        let session = ReadSession::Transaction(tx);
        Ok(Scoped::new(session, tenant, actor, self, permits))
    }

    /// Begins a transaction that is a snapshot of a tenant's rows.
    async fn read_begin(
        &self,
        tenant: TenantId,
        pace: Pace,
        purpose: Purpose,
    ) -> Result<(DatabaseTransaction, Permits)> {
        let settings = format!(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL nyxcore.scope = ''; \
             SET LOCAL nyxcore.tenant_id = '{}'",
            tenant.0
        );
        self.begin(purpose, pace, settings).await
    }

    async fn write_for(&self, tenant: TenantId, actor: Actor) -> Result<Scoped<ReadWrite>> {
        let settings = format!(
            "SET LOCAL nyxcore.scope = ''; SET LOCAL nyxcore.tenant_id = '{}'",
            tenant.0
        );
        let (tx, permits) = self
            .begin(Purpose::Write(tenant), Pace::of(&actor), settings)
            .await?;
        Ok(Scoped::new(tx, tenant, actor, self, permits))
    }

    /// How long after the first use the uses of credentials are stored.
    pub(crate) fn credential_flush(&self) -> Duration {
        self.0.credential_flush
    }

    /// The cache of verified credentials.
    pub(crate) fn credentials(&self) -> &Arc<CredentialMemory> {
        &self.0.credentials
    }

    /// The counted refusals, for [`crate::audit::refusals_flush`].
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    /// Uses of system scopes since they were last taken, for [`crate::audit::system_uses_flush`].
    pub(crate) fn uses(&self) -> &SystemUses {
        &self.0.uses
    }

    /// Begins a transaction as a separate task, which a disconnecting client does not cancel: a `BEGIN` whose answer
    /// nobody reads would leave the connection inside a transaction. If the caller is gone, the task rolls the
    /// transaction back. No other transaction of the server begins elsewhere, so a connection that returns to the pool
    /// is not checked for an open one: that would be one more round trip for each read.
    async fn begin(
        &self,
        purpose: Purpose,
        pace: Pace,
        settings: String,
    ) -> Result<(DatabaseTransaction, Permits)> {
        let permits = self.0.gate.pass(purpose, pace.patience()).await;
        let permits = permits.map_err(|error| self.unreachable_or(error))?;
        let mode = match purpose {
            Purpose::Read(_) | Purpose::UnprovenRead | Purpose::SystemRead => {
                SqliteTransactionMode::Deferred
            }
            Purpose::Write(_) | Purpose::SystemWrite => SqliteTransactionMode::Immediate,
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(mode),
            ..TransactionOptions::default()
        };
        let settings = match self.backend() {
            DbBackend::Postgres => Some(format!("{settings}; {}", self.timeouts(pace))),
            _ => None,
        };
        let store = self.clone();
        let task = async move {
            let mut tries = store.0.connections;
            loop {
                let begun = async {
                    let tx = store.0.db.begin_with_options(options).await?;
                    // One more round trip than `BEGIN` alone. The text consists of constants and a UUID.
                    if let Some(settings) = &settings {
                        tx.execute_unprepared(settings).await?;
                    }
                    Ok::<_, DbErr>(tx)
                };
                match begun.await {
                    Ok(tx) => return Ok((tx, permits)),
                    Err(error) => store.retry_or(error.into(), &mut tries)?,
                }
            }
        };
        uncancelled(task).await
    }

    /// Commits as a separate task, so that a disconnecting client does not interrupt the steps after the commit.
    async fn commit(
        &self,
        tx: DatabaseTransaction,
        permits: Permits,
        announced: Vec<Signal>,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<()> {
        let store = self.clone();
        uncancelled(async move {
            tx.commit().await?;
            then();
            for signal in announced {
                store.0.signals.committed(signal);
            }
            drop(permits);
            Ok(())
        })
        .await
    }

    /// Allows another try if a connection was cut off before its first use, as after a restart of the database, which
    /// cuts off every idle connection.
    fn retry_or(&self, error: Error, tries: &mut u32) -> Result<()> {
        if matches!(error, Error::Unreachable(_)) && *tries > 0 {
            *tries -= 1;
            return Ok(());
        }
        Err(self.unreachable_or(error))
    }

    /// Turns a timeout of waiting for a connection into [`Error::Unreachable`] if the database is gone.
    fn unreachable_or(&self, error: Error) -> Error {
        match error {
            Error::Busy if !self.0.signals.connected() => {
                Error::Unreachable(DbErr::Custom("no connection in time".into()))
            }
            error => error,
        }
    }

    /// The lock and statement timeouts of a transaction, as SQL.
    fn timeouts(&self, pace: Pace) -> String {
        let (lock, statement) = match pace {
            Pace::Client => (self.0.lock_timeout, self.0.statement_timeout),
            Pace::Background => (BACKGROUND_LOCK_TIMEOUT, BACKGROUND_STATEMENT_TIMEOUT),
        };
        format!(
            "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
            lock.as_millis(),
            statement.as_millis()
        )
    }
}

/// Runs work to its end, even if the caller disconnects.
async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Unreachable(DbErr::Custom("the program ends".into()))),
        },
    }
}
