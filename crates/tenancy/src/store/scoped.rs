//! A transaction in which only one tenant exists.
//!
//! Longer than 450 lines: every door to a tenant's rows is in one place.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use sea_orm::sea_query::{IntoCondition, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    FromQueryResult, IntoActiveModel, Iterable, QueryFilter, Statement, Value,
};
use uuid::Uuid;

use super::gate::Permits;
use super::select::{ScopedSelect, ScopedSelectIn, conditions_in};
use super::signal::{CHANNEL, Signal};
use super::volume::ReadVolume;
use super::{Pace, Store, TenantScoped, times};
use crate::actor::{Actor, Step};
use crate::audit;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::model::{Caller, TenantId};
use crate::policy::{Action, Resource};
use crate::registry::Registry;

/// Binds per statement that both databases take (SQLite 32,766, PostgreSQL 65,535), with room for a filter.
const MAX_BINDS: usize = 30_000;

/// What a [`Scoped`] may do.
pub trait Access: Send + Sync + 'static {}

/// May read.
#[derive(Debug)]
pub enum ReadOnly {}
/// May read and change.
#[derive(Debug)]
pub enum ReadWrite {}
impl Access for ReadOnly {}
impl Access for ReadWrite {}

/// A transaction and the tenant it is for.
///
/// It is not a SeaORM connection, so that an entity's own finders do not take it:
///
/// ```compile_fail
/// use nyxcore_tenancy::{Scoped, ReadWrite, doc_entity as note};
/// use sea_orm::EntityTrait;
/// async fn all(scoped: &Scoped<ReadWrite>) {
///     note::Entity::find().all(scoped).await.unwrap();
/// }
/// ```
///
/// It finds only entities that have a tenant:
///
/// ```compile_fail
/// use nyxcore_tenancy::{Scoped, ReadOnly, doc_unscoped as ledger};
/// async fn all(scoped: &Scoped<ReadOnly>) {
///     scoped.find::<ledger::Entity>().all().await.unwrap();
/// }
/// ```
///
/// What reads does not write:
///
/// ```compile_fail
/// use nyxcore_tenancy::{Scoped, ReadOnly, doc_entity as note};
/// async fn add(scoped: &Scoped<ReadOnly>, row: note::ActiveModel) {
///     scoped.insert(row).await.unwrap();
/// }
/// ```
///
/// and the transaction inside cannot be taken out:
///
/// ```compile_fail
/// use nyxcore_tenancy::{Scoped, ReadWrite};
/// fn steal(scoped: Scoped<ReadWrite>) -> sea_orm::DatabaseTransaction {
///     scoped.tx
/// }
/// ```
///
/// The same things, written the way they are meant:
///
/// ```
/// use nyxcore_tenancy::{Scoped, ReadWrite, doc_entity as note};
/// async fn all(scoped: &Scoped<ReadWrite>, row: note::ActiveModel) -> nyxcore_tenancy::Result<Vec<note::Model>> {
///     scoped.insert(row).await?;
///     scoped.find::<note::Entity>().all().await
/// }
/// ```
pub struct Scoped<A: Access = ReadWrite> {
    tx: DatabaseTransaction,
    tenant: TenantId,
    store: Store,
    actor: Actor,
    /// Whether the policy has allowed a change in this scope.
    permitted: AtomicBool,
    announced: Mutex<Vec<Signal>>,
    permits: Permits,
    volume: ReadVolume,
    _access: PhantomData<A>,
}

impl<A: Access> std::fmt::Debug for Scoped<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl<A: Access> Scoped<A> {
    pub(super) fn new(
        tx: DatabaseTransaction,
        tenant: TenantId,
        actor: Actor,
        store: &Store,
        permits: Permits,
    ) -> Self {
        Self {
            tx,
            tenant,
            store: store.clone(),
            permitted: AtomicBool::new(!matches!(actor, Actor::Caller(_))),
            volume: ReadVolume::of(Pace::of(&actor)),
            actor,
            announced: Mutex::new(Vec::new()),
            permits,
            _access: PhantomData,
        }
    }

    /// The tenant that this is for.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Checks whether the policy permits the action to the actor of this scope, and notes it for the audit log: the
    /// commit writes the entry.
    ///
    /// A service checks before it changes anything; a caller's scope without a check refuses to change a row. An
    /// operator and the program itself may do everything.
    ///
    /// # Errors
    /// [`Error::Forbidden`], naming the required role; [`Error::Registry`] for an unregistered resource.
    pub fn permit(
        &self,
        action: Action,
        resource: Resource,
        subject: impl Into<Option<Uuid>>,
    ) -> Result<()> {
        self.registry().resource_check(resource)?;
        if let Some(trail) = self.actor.trail()
            && action != Action::Read
        {
            trail.add(Step {
                action,
                resource,
                subject: subject.into(),
                detail: None,
            });
        }
        if let Actor::Caller(acting) = &self.actor {
            self.registry()
                .caller_check(&acting.caller, resource, action)?;
        }
        if action != Action::Read {
            self.permitted.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What the thing is that was last asked for with [`Scoped::permit`], where it was made only then.
    pub fn audit_subject(&self, subject: Uuid) {
        if let Some(trail) = self.actor.trail() {
            trail.change(|step| step.subject = Some(subject));
        }
    }

    /// Details of the last [`Scoped::permit`] for the audit log. Never a secret.
    pub fn audit_detail(&self, detail: serde_json::Value) {
        if let Some(trail) = self.actor.trail() {
            trail.change(|step| step.detail = Some(detail));
        }
    }

    /// The caller this scope acts for; `None` where that is an operator or the program itself.
    pub fn caller(&self) -> Option<&Caller> {
        match &self.actor {
            Actor::Caller(acting) => Some(&acting.caller),
            Actor::Operator(_) | Actor::Remote(..) | Actor::Program => None,
        }
    }

    /// The clock and ids.
    pub fn env(&self) -> &Env {
        &self.store.env
    }

    /// The names that this process knows.
    pub fn registry(&self) -> &Registry {
        &self.store.registry
    }

    /// Which database this is, for the few statements that differ.
    pub fn backend(&self) -> DbBackend {
        self.store.backend()
    }

    /// The tenant's rows of an entity, to be narrowed further.
    pub fn find<E: TenantScoped>(&self) -> ScopedSelect<'_, E> {
        let select = E::find().filter(self.mine::<E>());
        ScopedSelect::new(select, &self.tx, &self.volume)
    }

    /// The tenant's rows of an entity whose column has one of the values, however many these are, to be narrowed
    /// further.
    pub fn find_in<E: TenantScoped, V: Into<Value>>(
        &self,
        column: E::Column,
        values: impl IntoIterator<Item = V>,
    ) -> ScopedSelectIn<'_, E> {
        let conditions = conditions_in(column, values);
        ScopedSelectIn::new(conditions.map(|some| self.find().filter(some)).collect())
    }

    /// Rows of a statement written by hand, which must name the tenant: it is bound to `$1`, and `values` to `$2` and
    /// on.
    ///
    /// # Errors
    /// [`Error::NotBound`] where the text is not bound to the tenant, see [`guard`](super::guard); or the database
    /// refuses it.
    pub async fn sql_all<T: FromQueryResult>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>> {
        let statement = self.statement(sql, values)?;
        let rows = self.tx.query_all_raw(statement).await?;
        self.volume.add(&rows)?;
        rows.iter()
            .map(|row| T::from_query_result(row, "").map_err(Error::from))
            .collect()
    }

    fn statement(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Statement> {
        if !super::guard::is_bound(sql) {
            tracing::error!(sql, "a hand-written statement is not bound to its tenant");
            return Err(Error::NotBound);
        }
        let tenant: Value = self.tenant.0.into();
        let values = std::iter::once(tenant).chain(values);
        Ok(times::statement(self.backend(), sql, values))
    }

    fn mine<E: TenantScoped>(&self) -> sea_orm::Condition {
        E::tenant_column().eq(self.tenant.0).into_condition()
    }
}

impl Scoped<ReadWrite> {
    /// Adds a row, stamped with the tenant whatever it says.
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
            .exec_with_returning(&self.tx)
            .await?)
    }

    /// Adds many rows, in as few statements as the databases' limits allow. All rows must set the same columns.
    ///
    /// # Errors
    /// As [`Scoped::insert`]; the transaction is then of no further use.
    pub async fn insert_all<M>(&self, rows: Vec<M>) -> Result<()>
    where
        M: ActiveModelTrait + Send,
        M::Entity: TenantScoped,
    {
        self.insert_chunks(rows, None).await
    }

    /// Adds rows; where one with the same `key` columns exists, its `changed` columns are overwritten, or it is left
    /// alone if there are none. The tenant is part of the key without being named.
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
            insert.exec_without_returning(&self.tx).await?;
            rows = rest;
        }
        Ok(())
    }

    /// Deletes the tenant's rows whose column has one of the values, in any number, and which meet the condition;
    /// returns their number.
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
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
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
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
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
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
    }

    /// Takes the tenant's advisory lock `what` until the transaction ends. SQLite has one writer, so nothing is done
    /// there.
    ///
    /// # Errors
    /// [`Error::Busy`] where another transaction keeps it for too long; or the database refuses.
    pub(crate) async fn advisory_lock(&self, what: &'static str) -> Result<()> {
        if self.backend() == DbBackend::Postgres {
            let name: Value = format!("{what}:{}", self.tenant.0).into();
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
            self.tx
                .execute_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    sql,
                    [name],
                ))
                .await?;
        }
        Ok(())
    }

    /// Tells every listener, on every replica, that something about `subject` changed, once this is committed.
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
            self.tx
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
                    .exec_without_returning(&self.tx)
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
            .commit(self.tx, self.permits, announced, kept)
            .await
    }

    /// A scope for a caller changes nothing before a service has asked the policy.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::doc_entities::doc_entity as note;
    use sea_orm::QueryTrait;

    /// Whatever is filtered for, the tenant stands in an AND of its own beside it.
    #[test]
    fn a_filter_with_or_does_not_widen_the_tenant() {
        let tenant = Uuid::from_u128(1);
        let wide = sea_orm::Condition::any()
            .add(note::Column::Text.eq("a"))
            .add(note::Column::Text.eq("b"));
        let select = note::Entity::find()
            .filter(note::Column::TenantId.eq(tenant))
            .filter(wide);
        let sql = select.build(DbBackend::Sqlite).sql;
        assert!(
            sql.ends_with(
                r#"WHERE "note"."tenant_id" = ? AND ("note"."text" = ? OR "note"."text" = ?)"#
            ),
            "{sql}"
        );
    }
}
