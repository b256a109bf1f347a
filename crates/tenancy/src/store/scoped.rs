//! A transaction in which only one tenant exists.

mod write;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::sea_query::IntoCondition;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbBackend, FromQueryResult, QueryFilter, Statement, Value,
};
use uuid::Uuid;

use super::gate::Permits;
use super::lone::{ReadSession, Session};
use super::select::ScopedSelect;
use super::select_in::{ScopedSelectIn, conditions_in};
use super::signal::Signal;
use super::volume::ReadVolume;
use super::{Pace, Store, TenantScoped, times};
use crate::actor::{Actor, Step};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::model::{Caller, TenantId};
use crate::policy::{Action, Resource};
use crate::registry::Registry;

/// The access of a [`Scoped`].
pub trait Access: Send + Sync + 'static {
    /// The session that runs its statements.
    #[doc(hidden)]
    type Session: Session;
}

/// Read access.
#[derive(Debug)]
pub enum ReadOnly {}
/// Read and write access.
#[derive(Debug)]
pub enum ReadWrite {}
impl Access for ReadOnly {
    type Session = ReadSession;
}
impl Access for ReadWrite {
    type Session = DatabaseTransaction;
}

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
/// A read-only scope does not write:
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
///     scoped.session
/// }
/// ```
///
/// The same operations in their allowed form:
///
/// ```
/// use nyxcore_tenancy::{Scoped, ReadWrite, doc_entity as note};
/// async fn all(scoped: &Scoped<ReadWrite>, row: note::ActiveModel) -> nyxcore_tenancy::Result<Vec<note::Model>> {
///     scoped.insert(row).await?;
///     scoped.find::<note::Entity>().all().await
/// }
/// ```
pub struct Scoped<A: Access = ReadWrite> {
    session: A::Session,
    tenant: TenantId,
    store: Store,
    actor: Actor,
    /// Whether the policy has allowed a change in this scope.
    permitted: AtomicBool,
    announced: Mutex<Vec<Signal>>,
    permits: Permits,
    volume: ReadVolume,
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
        session: A::Session,
        tenant: TenantId,
        actor: Actor,
        store: &Store,
        permits: Permits,
    ) -> Self {
        Self {
            session,
            tenant,
            store: store.clone(),
            permitted: AtomicBool::new(!matches!(actor, Actor::Caller(_))),
            volume: ReadVolume::of(Pace::of(&actor)),
            actor,
            announced: Mutex::new(Vec::new()),
            permits,
        }
    }

    /// The tenant of this scope.
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

    /// Sets the object of the last [`Scoped::permit`], if it was created only afterwards.
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

    /// The caller that this scope acts for; `None` for an operator or the program itself.
    pub fn caller(&self) -> Option<&Caller> {
        match &self.actor {
            Actor::Caller(acting) => Some(&acting.caller),
            Actor::Operator(_) | Actor::Remote(..) | Actor::Program => None,
        }
    }

    /// The clock and ids.
    pub fn env(&self) -> &Env {
        &self.store.0.env
    }

    /// The registry of this process.
    pub fn registry(&self) -> &Registry {
        &self.store.0.registry
    }

    /// The value of this type that all scopes of the store share, see [`Store::shared`]. It belongs to no tenant, so
    /// its contents must be separated by tenant.
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> std::sync::Arc<T> {
        self.store.shared()
    }

    /// Which database this is, for the few statements that differ.
    pub fn backend(&self) -> DbBackend {
        self.store.backend()
    }

    /// A select on the tenant's rows of an entity.
    pub fn find<E: TenantScoped>(&self) -> ScopedSelect<'_, E> {
        let select = E::find().filter(self.mine::<E>());
        ScopedSelect::new(select, self.session.runner(), &self.volume)
    }

    /// A select on the tenant's rows of an entity whose column has one of the values, in any number.
    pub fn find_in<E: TenantScoped, V: Into<Value>>(
        &self,
        column: E::Column,
        values: impl IntoIterator<Item = V>,
    ) -> ScopedSelectIn<'_, E> {
        let conditions = conditions_in(column, values);
        ScopedSelectIn::new(conditions.map(|some| self.find().filter(some)).collect())
    }

    /// The rows of a hand-written statement, which must use the tenant: it is bound to `$1`, and `values` to `$2` and
    /// on.
    ///
    /// # Errors
    /// [`Error::NotBound`] if the text is not bound to the tenant, see [`guard`](super::guard); or the database refuses
    /// it.
    pub async fn sql_all<T: FromQueryResult>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>> {
        let statement = self.statement(sql, values)?;
        let rows = self.session.runner().by_hand(statement).await?;
        self.volume.add(&rows)?;
        rows.iter()
            .map(|row| T::from_query_result(row, "").map_err(Error::from))
            .collect()
    }

    /// As [`Scoped::sql_all`], for one block of a scan. Its rows are dropped before the next block is read, so they do
    /// not count towards the limit of one operation. The statement limits their number.
    ///
    /// # Errors
    /// As [`Scoped::sql_all`].
    pub async fn sql_scan<T: FromQueryResult>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>> {
        let statement = self.statement(sql, values)?;
        let rows = self.session.runner().by_hand(statement).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::doc_entities::doc_entity as note;
    use sea_orm::{EntityTrait, QueryTrait};

    /// Whatever the filter is, the tenant's condition is ANDed to it.
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
