//! The scoped store: the only way to the rows of a tenant.
//!
//! [`Store`] opens transactions and nothing else. [`Store::read`] and [`Store::write`] give a [`Scoped`] for one tenant; [`Store::system`] gives a
//! [`SystemScope`] for the listed work that has no tenant. On PostgreSQL each also sets what row-level security compares with,
//! for that transaction alone.

#[doc(hidden)]
pub mod doc_entities;
mod open;
mod scoped;
mod select;
mod signal;
mod system;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    FromQueryResult, QueryResult, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

pub use open::{StoreOptions, database_open};
pub use scoped::{Access, ReadOnly, ReadWrite, Scoped};
pub use select::{Keyset, ScopedSelect};
pub use signal::{Signal, SignalReceiver};
pub use system::{SystemPurpose, SystemScope, SystemScoped};

use crate::actor::{Acting, Actor, Origin, Trail};
use crate::audit::{Refusals, SystemUses};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::model::TenantId;

/// How long a writer waits for the one before it on SQLite, which has one writer at a time.
const WRITER_PATIENCE: Duration = Duration::from_secs(30);

/// An entity whose rows belong to a tenant. Implemented by [`tenant_scoped!`](crate::tenant_scoped).
pub trait TenantScoped: EntityTrait<Model: Send + Sync> {
    /// The column that holds the tenant.
    fn tenant_column() -> Self::Column;
}

/// Declares that the rows of a SeaORM entity belong to a tenant: `tenant_scoped!(Entity);` beside its `Column::TenantId`.
#[macro_export]
macro_rules! tenant_scoped {
    ($entity:ty) => {
        impl $crate::TenantScoped for $entity {
            fn tenant_column() -> Self::Column {
                Column::TenantId
            }
        }
    };
}

/// The database, opened. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: DatabaseConnection,
    env: Env,
    signals: signal::Signals,
    /// Uses of system scopes that are not yet in the audit log.
    uses: Arc<SystemUses>,
    /// Refused calls that are not yet in the audit log.
    refusals: Arc<Refusals>,
    /// SQLite has one writer at a time: waiting here is fair and quiet, where its own busy handler polls.
    writer: Option<Arc<Semaphore>>,
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
        let db = database_open(options).await?;
        if !options.allow_privileged_role {
            open::role_check(&db).await?;
        }
        let signals = signal::Signals::start(&db).await?;
        let writer =
            (db.get_database_backend() == DbBackend::Sqlite).then(|| Arc::new(Semaphore::new(1)));
        Ok(Self {
            db,
            env,
            signals,
            uses: Arc::default(),
            refusals: Arc::default(),
            writer,
        })
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    /// The clock and ids that rows are written with.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.db.ping().await?)
    }

    /// What others announced with [`Scoped::announce`], from now on, once their transactions are committed.
    pub fn signals(&self) -> SignalReceiver {
        self.signals.subscribe()
    }

    /// A snapshot of a tenant's rows, for the program itself.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read(&self, tenant: TenantId) -> Result<Scoped<ReadOnly>> {
        self.read_for(tenant, Actor::Program).await
    }

    /// A snapshot of the rows of a caller's tenant, in which the policy is asked for that caller.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read_as(&self, acting: &Acting) -> Result<Scoped<ReadOnly>> {
        let actor = Actor::Caller(acting.clone());
        self.read_for(acting.caller.tenant, actor).await
    }

    /// A transaction that may change a tenant's rows, for the program itself: a worker, or a service that embeds these crates and decides
    /// by itself who may do what. Nothing is kept unless it is committed.
    ///
    /// # Errors
    /// No connection could be had, or another writer kept the database for too long.
    pub async fn write(&self, tenant: TenantId) -> Result<Scoped<ReadWrite>> {
        self.write_for(tenant, Actor::Program).await
    }

    /// A transaction for a caller: the services ask the policy for that caller, and what they did is in the audit log with the commit.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_as(&self, acting: &Acting) -> Result<Scoped<ReadWrite>> {
        let actor = Actor::Caller(acting.clone());
        self.write_for(acting.caller.tenant, actor).await
    }

    /// A transaction for an operator at the command line: everything may be done, and it is in the audit log.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_as_operator(&self, tenant: TenantId) -> Result<Scoped<ReadWrite>> {
        self.write_for(tenant, Actor::Operator(Trail::default()))
            .await
    }

    /// A transaction for a remote that has proven itself to the service that opens this, by a signature for instance: what is done is in the
    /// audit log, as done by the system, with where the request came from.
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

    async fn read_for(&self, tenant: TenantId, actor: Actor) -> Result<Scoped<ReadOnly>> {
        let tx = self.begin(SqliteTransactionMode::Deferred).await?;
        self.settings_apply(
            &tx,
            &format!(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL nyxcore.tenant_id = '{}'",
                tenant.0
            ),
        )
        .await?;
        Ok(Scoped::new(tx, tenant, actor, self, None))
    }

    async fn write_for(&self, tenant: TenantId, actor: Actor) -> Result<Scoped<ReadWrite>> {
        let permit = self.writer_permit().await?;
        let tx = self.begin(SqliteTransactionMode::Immediate).await?;
        self.settings_apply(
            &tx,
            &format!("SET LOCAL nyxcore.tenant_id = '{}'", tenant.0),
        )
        .await?;
        Ok(Scoped::new(tx, tenant, actor, self, permit))
    }

    /// A transaction across tenants, for one of the listed purposes.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn system(&self, purpose: SystemPurpose) -> Result<SystemScope> {
        let permit = if purpose.writes() {
            self.writer_permit().await?
        } else {
            None
        };
        let mode = if purpose.writes() {
            SqliteTransactionMode::Immediate
        } else {
            SqliteTransactionMode::Deferred
        };
        tracing::trace!(target: "nyxcore::system", ?purpose, "system scope opened");
        self.uses.add(purpose, 1);
        let tx = self.begin(mode).await?;
        self.settings_apply(&tx, "SET LOCAL nyxcore.scope = 'system'")
            .await?;
        Ok(SystemScope::new(tx, purpose, self, permit))
    }

    /// Rows of one statement across tenants, found by one id: `$1`. On PostgreSQL what lets the system through and the statement go as one
    /// text, which is a transaction by itself: finding out who asks comes before every request, and costs one round trip instead of three.
    ///
    /// # Errors
    /// The database refuses.
    pub(crate) async fn system_look<T: FromQueryResult>(
        &self,
        purpose: SystemPurpose,
        sql: &'static str,
        id: Uuid,
    ) -> Result<Vec<T>> {
        if self.backend() != DbBackend::Postgres {
            return self.system(purpose).await?.sql_all(sql, [id.into()]).await;
        }
        self.uses.add(purpose, 1);
        // Made of a constant and a UUID, nothing else; such a text takes no values.
        let text = format!(
            "SET LOCAL nyxcore.scope = 'system'; {}",
            sql.replace("$1", &format!("'{id}'::uuid"))
        );
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(text))
            .fetch_all(self.db.get_postgres_connection_pool())
            .await
            .map_err(|error| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))?;
        rows.into_iter()
            .map(|row| T::from_query_result(&QueryResult::from(row), "").map_err(Error::from))
            .collect()
    }

    /// Refused calls that are counted, for [`crate::audit::refusals_flush`].
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Uses of system scopes since they were last taken, for [`crate::audit::system_uses_flush`].
    pub(crate) fn uses(&self) -> &SystemUses {
        &self.uses
    }

    async fn begin(&self, mode: SqliteTransactionMode) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(mode),
            ..TransactionOptions::default()
        };
        Ok(self.db.begin_with_options(options).await?)
    }

    /// One round trip more than `BEGIN` itself: the settings go as one text. They are made of constants and a UUID, nothing else.
    async fn settings_apply(&self, tx: &DatabaseTransaction, settings: &str) -> Result<()> {
        if self.backend() == DbBackend::Postgres {
            tx.execute_unprepared(settings).await?;
        }
        Ok(())
    }

    async fn writer_permit(&self) -> Result<Option<OwnedSemaphorePermit>> {
        let Some(writer) = &self.writer else {
            return Ok(None);
        };
        match tokio::time::timeout(WRITER_PATIENCE, Arc::clone(writer).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            _ => Err(Error::Busy),
        }
    }
}
