//! Work that has no tenant: a type of its own, for a listed purpose, that never turns into a tenant's scope.

use sea_orm::sea_query::IntoCondition;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    FromQueryResult, IntoActiveModel, QueryFilter, Statement, Value,
};
use tokio::sync::OwnedSemaphorePermit;

use super::Store;
use crate::env::Env;
use crate::error::{Error, Result};

/// An entity that system work may touch: few, and each has the policy `system_access` in the migrations.
pub trait SystemScoped: EntityTrait<Model: Send + Sync> {}

/// Why a transaction looks across tenants. Whoever needs another reason adds it here, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemPurpose {
    /// An operator makes a tenant with its owner.
    TenantCreate,
    /// Finding a tenant by its slug, or a person's tenants.
    DirectoryRead,
    /// Finding out whose token this is.
    TokenAuthenticate,
    /// A worker looks for the next run.
    RunClaim,
    /// The sweeper looks for runs whose worker is gone.
    RunSweep,
}

impl SystemPurpose {
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::TenantCreate | Self::RunClaim)
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
    store: Store,
    _permit: Option<OwnedSemaphorePermit>,
}

impl SystemScope {
    pub(super) fn new(
        tx: DatabaseTransaction,
        store: &Store,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            tx,
            store: store.clone(),
            _permit: permit,
        }
    }

    /// The clock and ids.
    pub fn env(&self) -> &Env {
        &self.store.env
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
        Ok(E::find()
            .filter(which.into_condition())
            .all(&self.tx)
            .await?)
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

    /// Rows of a statement written by hand. On PostgreSQL row-level security still holds it to the listed tables.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn sql_all<T: FromQueryResult>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        let rows = self.tx.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| T::from_query_result(row, "").map_err(Error::from))
            .collect()
    }

    /// Keeps what was done.
    ///
    /// # Errors
    /// The database refuses; then nothing was kept.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}
