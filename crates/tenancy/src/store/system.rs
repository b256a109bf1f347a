//! System scopes: a separate type for registered work without a tenant. It never becomes a tenant's scope.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sea_orm::sea_query::IntoCondition;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    FromQueryResult, IntoActiveModel, QueryFilter, QueryResult, RuntimeErr, Value,
};
use uuid::Uuid;

use super::gate::{Permits, Purpose};
use super::lone::Runner;
use super::select::rows_read;
use super::select_in::conditions_in;
use super::signal::{CHANNEL, Signal};
use super::{Pace, Store, times};
use crate::actor::Origin;
use crate::audit;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::registry::is_name;

/// An entity that system work may access: there are few, and each has the policy `system_access` in the migrations.
pub trait SystemScoped: EntityTrait<Model: Send + Sync> {}

/// The purpose of a transaction across tenants. The crate that needs it declares it and lists it in its
/// [`Registration`](crate::Registration). The store opens no scope for an unregistered purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemPurpose {
    name: &'static str,
    writes: bool,
    pace: Pace,
}

impl SystemPurpose {
    /// A purpose that only reads rows. On SQLite its scopes do not wait for the one writer.
    ///
    /// # Panics
    /// If the name is not 1 to 63 lower-case letters, digits and underscores that begin with a letter. A constant
    /// panics at compile time.
    #[must_use]
    pub const fn reads(name: &'static str) -> Self {
        assert!(is_name(name), "a purpose's name is in snake_case");
        Self {
            name,
            writes: false,
            pace: Pace::Background,
        }
    }

    /// A purpose that changes rows.
    ///
    /// # Panics
    /// As [`SystemPurpose::reads`].
    #[must_use]
    pub const fn writes(name: &'static str) -> Self {
        Self {
            writes: true,
            ..Self::reads(name)
        }
    }

    /// Marks that a client waits, so that the statements get timeouts of seconds instead of minutes.
    #[must_use]
    pub const fn for_client(self) -> Self {
        Self {
            pace: Pace::Client,
            ..self
        }
    }

    /// The name in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.name
    }

    pub(super) fn of_gate(self) -> Purpose {
        if self.writes {
            Purpose::SystemWrite
        } else {
            Purpose::SystemRead
        }
    }

    pub(super) fn pace(self) -> Pace {
        self.pace
    }
}

impl Store {
    /// A transaction across tenants, for one of the registered purposes.
    ///
    /// # Errors
    /// [`Error::Registry`] for an unregistered purpose; no connection is available.
    pub async fn system(&self, purpose: SystemPurpose) -> Result<SystemScope> {
        self.0.registry.purpose_check(purpose)?;
        let (of_gate, pace) = (purpose.of_gate(), purpose.pace());
        tracing::trace!(target: "nyxcore::system", ?purpose, "system scope opened");
        self.0.uses.add(purpose, 1);
        let settings = "SET LOCAL nyxcore.tenant_id = ''; SET LOCAL nyxcore.scope = 'system'";
        let (tx, permits) = self.begin(of_gate, pace, settings.to_owned()).await?;
        Ok(SystemScope::new(tx, purpose, self, permits))
    }

    /// Reads rows across tenants with one statement and one id: `$1`. On PostgreSQL the `SET LOCAL` and the query are
    /// sent as one implicit transaction: one round trip, not three. The text also resets the system rights, so that
    /// they end with it.
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
        self.0.registry.purpose_check(purpose)?;
        self.0.uses.add(purpose, 1);
        let _permits = self
            .0
            .gate
            .pass(purpose.of_gate(), purpose.pace().patience())
            .await
            .map_err(|error| self.unreachable_or(error))?;
        // The text consists of constants and a UUID; a text of several statements takes no values.
        let text = format!(
            "SET LOCAL nyxcore.scope = 'system'; {}; {}; SET LOCAL nyxcore.scope = ''",
            self.timeouts(purpose.pace()),
            sql.replace("$1", &format!("'{id}'::uuid"))
        );
        let mut tries = self.0.connections;
        loop {
            let text = sqlx::AssertSqlSafe(text.clone());
            let began = Instant::now();
            let rows = sqlx::raw_sql(text)
                .fetch_all(self.0.db.get_postgres_connection_pool())
                .await
                .map_err(|error| Error::from(DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))));
            if let Some(listener) = &self.0.listener {
                listener(sql, began.elapsed());
            }
            match rows {
                Ok(rows) => {
                    let rows = rows.into_iter().map(QueryResult::from);
                    return rows
                        .map(|row| T::from_query_result(&row, "").map_err(Error::from))
                        .collect();
                }
                Err(error) => self.retry_or(error, &mut tries)?,
            }
        }
    }
}

/// A transaction across tenants.
///
/// It does not become a tenant's scope, nor the other way round:
///
/// ```compile_fail
/// use nyxcore_tenancy::{ReadWrite, Scoped, SystemScope};
/// fn convert(system: SystemScope) -> Scoped<ReadWrite> {
///     system.into()
/// }
/// ```
///
/// and it reaches only the entities that are listed for it:
///
/// ```compile_fail
/// use nyxcore_tenancy::{SystemScope, doc_entity as note};
/// async fn everyones_notes(system: &SystemScope) {
///     system.find::<note::Entity>(sea_orm::Condition::all()).await.unwrap();
/// }
/// ```
pub struct SystemScope {
    tx: DatabaseTransaction,
    purpose: SystemPurpose,
    store: Store,
    announced: Mutex<Vec<Signal>>,
    permits: Permits,
}

impl SystemScope {
    pub(super) fn new(
        tx: DatabaseTransaction,
        purpose: SystemPurpose,
        store: &Store,
        permits: Permits,
    ) -> Self {
        Self {
            tx,
            purpose,
            store: store.clone(),
            announced: Mutex::new(Vec::new()),
            permits,
        }
    }

    /// The clock and ids.
    pub fn env(&self) -> &Env {
        &self.store.0.env
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.store.backend()
    }

    /// Rows of a listed entity that meet the condition, of every tenant.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn find<E>(&self, which: impl IntoCondition) -> Result<Vec<E::Model>>
    where
        E: SystemScoped,
        E::Model: Send + Sync,
    {
        let select = E::find().filter(which.into_condition());
        rows_read(Runner::Transaction(&self.tx), &select, None).await
    }

    /// Rows of a listed entity whose column has one of the values, in any number, of every tenant.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn find_in<E: SystemScoped, V: Into<Value>>(
        &self,
        column: E::Column,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Vec<E::Model>> {
        let mut rows = Vec::new();
        for some in conditions_in(column, values).collect::<Vec<_>>() {
            rows.append(&mut self.find::<E>(some).await?);
        }
        Ok(rows)
    }

    /// Adds a row of a listed entity.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a taken unique key.
    pub async fn insert<M>(&self, row: M) -> Result<<M::Entity as EntityTrait>::Model>
    where
        M: ActiveModelTrait + Send,
        M::Entity: SystemScoped,
        <M::Entity as EntityTrait>::Model: IntoActiveModel<M>,
    {
        Ok(<M::Entity as EntityTrait>::insert(row)
            .exec_with_returning(&self.tx)
            .await?)
    }

    /// Changes rows of a listed entity that meet the condition, of every tenant, and returns their number.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a taken unique key.
    pub async fn update<M>(&self, which: impl IntoCondition, changes: M) -> Result<u64>
    where
        M: ActiveModelTrait + Send,
        M::Entity: SystemScoped,
    {
        let change = <M::Entity as EntityTrait>::update_many()
            .set(changes)
            .filter(which.into_condition());
        let statement = times::built(self.backend(), &change);
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
    }

    /// Deletes rows of a listed entity that meet the condition, of every tenant, and returns their number.
    ///
    /// # Errors
    /// A row is still referenced.
    pub async fn delete<E: SystemScoped>(&self, which: impl IntoCondition) -> Result<u64> {
        let change = E::delete_many().filter(which.into_condition());
        let statement = times::built(self.backend(), &change);
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
    }

    /// Records the action in its own transaction: `outcome` is `OK` or an error code, `detail` never contains a
    /// secret.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn record(
        &self,
        outcome: &str,
        subject: Option<Uuid>,
        origin: &Origin,
        detail: Option<serde_json::Value>,
    ) -> Result<()> {
        let entry = audit::system_entry(self.env(), self.purpose, outcome, subject, origin, detail);
        self.insert(entry).await.map(drop)
    }

    /// Adds an entry to a tenant's audit log, in the transaction of the action.
    pub(crate) async fn audit(&self, entry: audit::ActiveModel) -> Result<()> {
        audit::Entity::insert(entry)
            .exec_without_returning(&self.tx)
            .await?;
        Ok(())
    }

    /// Signals every receiver, on every replica, that something about `subject` changed, after the commit.
    ///
    /// # Errors
    /// The database refuses the notification.
    pub async fn announce(&self, topic: &'static str, subject: Uuid) -> Result<()> {
        let signal = Signal::Changed {
            topic: topic.to_owned(),
            tenant: None,
            subject,
        };
        if self.backend() == DbBackend::Postgres {
            let values: [Value; 2] = [CHANNEL.into(), signal.payload().into()];
            self.sql_execute("SELECT pg_notify($1, $2)", values).await?;
        }
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(signal);
        Ok(())
    }

    /// Executes a hand-written statement, and returns the number of affected rows. On PostgreSQL row-level security
    /// still limits it to the listed tables.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn sql_execute(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64> {
        let statement = times::statement(self.backend(), sql, values);
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
    }

    /// The rows of a hand-written statement. On PostgreSQL row-level security still limits it to the listed tables.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn sql_all<T: FromQueryResult>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>> {
        let statement = times::statement(self.backend(), sql, values);
        let rows = self.tx.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| T::from_query_result(row, "").map_err(Error::from))
            .collect()
    }

    /// Commits the changes, then sends the signals.
    ///
    /// # Errors
    /// The database refuses; then nothing was stored.
    pub async fn commit(self) -> Result<()> {
        let announced = self.announced.into_inner();
        let announced = announced.unwrap_or_else(PoisonError::into_inner);
        self.store
            .commit(self.tx, self.permits, announced, || {})
            .await
    }
}
