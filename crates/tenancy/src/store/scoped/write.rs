//! The functions of a scope with write access: writes, signals, and the commit with its audit log entries.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use sea_orm::sea_query::{IntoCondition, OnConflict};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Iterable,
    QueryFilter, Statement, Value,
};
use uuid::Uuid;

use super::{ReadWrite, Scoped};
use crate::audit;
use crate::error::{Error, Result};
use crate::store::select_in::conditions_in;
use crate::store::signal::{CHANNEL, Signal};
use crate::store::{TenantScoped, times};

/// The number of binds per statement: below both databases' limits (SQLite 32,766, PostgreSQL 65,535), with room for a
/// filter.
const MAX_BINDS: usize = 30_000;

impl Scoped<ReadWrite> {
    /// Adds a row. Its tenant is overwritten with the scope's.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a taken unique key, [`Error::NotFound`] for a reference to a row that the tenant does
    /// not have.
    pub async fn insert<M>(&self, mut row: M) -> Result<<M::Entity as EntityTrait>::Model>
    where
        M: ActiveModelTrait + Send,
        M::Entity: TenantScoped,
        <M::Entity as EntityTrait>::Model: IntoActiveModel<M>,
    {
        self.permitted()?;
        self.stamp(&mut row);
        Ok(<M::Entity as EntityTrait>::insert(row)
            .exec_with_returning(&self.session)
            .await?)
    }

    /// Adds many rows, in as few statements as the databases' limits allow. All rows must set the same columns.
    ///
    /// # Errors
    /// As [`Scoped::insert`]; the transaction is unusable after an error.
    pub async fn insert_all<M>(&self, rows: Vec<M>) -> Result<()>
    where
        M: ActiveModelTrait + Send,
        M::Entity: TenantScoped,
    {
        self.insert_chunks(rows, None).await
    }

    /// Adds rows. If a row with the same `key` columns exists, its `changed` columns are overwritten; without such
    /// columns it stays unchanged. The tenant is always part of the key.
    ///
    /// # Errors
    /// As [`Scoped::insert`].
    pub async fn upsert_all<M>(
        &self,
        rows: Vec<M>,
        key: &[<M::Entity as EntityTrait>::Column],
        changed: &[<M::Entity as EntityTrait>::Column],
    ) -> Result<()>
    where
        M: ActiveModelTrait + Send,
        M::Entity: TenantScoped,
    {
        let tenant = <M::Entity as TenantScoped>::tenant_column();
        let mut conflict = OnConflict::columns(std::iter::once(tenant).chain(key.iter().copied()));
        if changed.is_empty() {
            conflict.do_nothing();
        } else {
            conflict.update_columns(changed.iter().copied());
        }
        self.insert_chunks(rows, Some(conflict)).await
    }

    async fn insert_chunks<M>(&self, mut rows: Vec<M>, conflict: Option<OnConflict>) -> Result<()>
    where
        M: ActiveModelTrait + Send,
        M::Entity: TenantScoped,
    {
        self.permitted()?;
        let columns = <M::Entity as EntityTrait>::Column::iter().count().max(1);
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(MAX_BINDS / columns));
            for row in &mut rows {
                self.stamp(row);
            }
            let mut insert = <M::Entity as EntityTrait>::insert_many(rows);
            if let Some(conflict) = conflict.clone() {
                insert = insert.on_conflict(conflict);
            }
            insert.exec_without_returning(&self.session).await?;
            rows = rest;
        }
        Ok(())
    }

    /// Deletes the tenant's rows whose column has one of the values, in any number, and which meet the condition.
    /// Returns the number of deleted rows.
    ///
    /// # Errors
    /// A row is still referenced.
    pub async fn delete_in<E: TenantScoped, V: Into<Value>>(
        &self,
        column: E::Column,
        values: impl IntoIterator<Item = V>,
        which: impl IntoCondition,
    ) -> Result<u64> {
        let which = which.into_condition();
        let mut deleted = 0;
        for some in conditions_in(column, values).collect::<Vec<_>>() {
            deleted += self.delete::<E>(some.add(which.clone())).await?;
        }
        Ok(deleted)
    }

    /// Changes the tenant's rows that meet the condition, and returns their number. The tenant of a row cannot be
    /// changed.
    ///
    /// # Errors
    /// As [`Scoped::insert`].
    pub async fn update<M>(&self, which: impl IntoCondition, mut changes: M) -> Result<u64>
    where
        M: ActiveModelTrait + Send,
        M::Entity: TenantScoped,
    {
        self.permitted()?;
        changes.not_set(<M::Entity as TenantScoped>::tenant_column());
        let change = <M::Entity as EntityTrait>::update_many()
            .set(changes)
            .filter(self.mine::<M::Entity>())
            .filter(which.into_condition());
        let statement = times::built(self.backend(), &change);
        Ok(self.session.execute_raw(statement).await?.rows_affected())
    }

    /// Deletes the tenant's rows that meet the condition, and returns their number.
    ///
    /// # Errors
    /// A row is still referenced.
    pub async fn delete<E: TenantScoped>(&self, which: impl IntoCondition) -> Result<u64> {
        self.permitted()?;
        let change = E::delete_many()
            .filter(self.mine::<E>())
            .filter(which.into_condition());
        let statement = times::built(self.backend(), &change);
        Ok(self.session.execute_raw(statement).await?.rows_affected())
    }

    /// Executes a hand-written statement under the rule of [`Scoped::sql_all`], and returns the number of affected
    /// rows.
    ///
    /// # Errors
    /// As [`Scoped::sql_all`].
    pub async fn sql_execute(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64> {
        self.permitted()?;
        let statement = self.statement(sql, values)?;
        Ok(self.session.execute_raw(statement).await?.rows_affected())
    }

    /// Acquires the tenant's advisory lock `what` until the transaction ends. SQLite has one writer, so nothing is done
    /// there.
    ///
    /// # Errors
    /// [`Error::Busy`] if another transaction holds it for too long; or the database refuses.
    pub(crate) async fn advisory_lock(&self, what: &'static str) -> Result<()> {
        if self.backend() == DbBackend::Postgres {
            let name: Value = format!("{what}:{}", self.tenant.0).into();
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
            self.session
                .execute_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    sql,
                    [name],
                ))
                .await?;
        }
        Ok(())
    }

    /// Signals every receiver, on every replica, that something about `subject` changed, after the commit.
    ///
    /// # Errors
    /// The database refuses the notification.
    pub async fn announce(&self, topic: &'static str, subject: Uuid) -> Result<()> {
        let signal = Signal::Changed {
            topic: topic.to_owned(),
            tenant: Some(self.tenant),
            subject,
        };
        if self.backend() == DbBackend::Postgres {
            let values: [Value; 2] = [CHANNEL.into(), signal.payload().into()];
            self.session
                .execute_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    "SELECT pg_notify($1, $2)",
                    values,
                ))
                .await?;
        }
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(signal);
        Ok(())
    }

    /// Commits the changes with their audit log entries, then sends the signals.
    ///
    /// # Errors
    /// The database refuses; then nothing was stored.
    pub async fn commit(self) -> Result<()> {
        if let Some(trail) = self.actor.trail() {
            let steps = trail.copy();
            if !steps.is_empty() {
                let entries = audit::entries_done(self.env(), self.tenant, &self.actor, steps);
                audit::Entity::insert_many(entries)
                    .exec_without_returning(&self.session)
                    .await?;
            }
        }
        let announced = self.announced.into_inner();
        let announced = announced.unwrap_or_else(PoisonError::into_inner);
        let trail = self.actor.trail().cloned();
        let kept = move || {
            if let Some(trail) = trail {
                drop(trail.take());
            }
        };
        self.store
            .commit(self.session, self.permits, announced, kept)
            .await
    }

    /// Refuses changes for a caller before a service has checked the policy.
    fn permitted(&self) -> Result<()> {
        if self.permitted.load(Ordering::Relaxed) {
            Ok(())
        } else {
            tracing::error!("a service changes rows for a caller without checking the policy");
            Err(Error::PolicyNotAsked)
        }
    }

    fn stamp<M>(&self, row: &mut M)
    where
        M: ActiveModelTrait,
        M::Entity: TenantScoped,
    {
        row.set(
            <M::Entity as TenantScoped>::tenant_column(),
            self.tenant.0.into(),
        );
    }
}
