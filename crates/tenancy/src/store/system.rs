//! Work that has no tenant: a type of its own, for a listed purpose, that never turns into a tenant's scope.

use std::sync::{Mutex, PoisonError};

use sea_orm::sea_query::IntoCondition;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, EnumIter,
    FromQueryResult, IntoActiveModel, QueryFilter, Value,
};
use uuid::Uuid;

use super::gate::{Permits, Purpose};
use super::select::rows_read;
use super::signal::{CHANNEL, Signal};
use super::{Pace, Store, times};
use crate::actor::Origin;
use crate::audit;
use crate::env::Env;
use crate::error::{Error, Result};

/// An entity that system work may touch: few, and each has the policy `system_access` in the migrations.
pub trait SystemScoped: EntityTrait<Model: Send + Sync> {}

/// Why a transaction looks across tenants. Whoever needs another reason adds it here, where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter)]
pub enum SystemPurpose {
    /// An operator makes a tenant with its owner.
    TenantCreate,
    /// Finding a tenant by its slug, or a person's tenants.
    DirectoryRead,
    /// Finding out whose token this is.
    TokenAuthenticate,
    /// Finding out whose session this is.
    SessionAuthenticate,
    /// A session in use is written down as seen, once a minute.
    SessionSeen,
    /// Somebody signs in or out, changes a password, or makes an account.
    SignIn,
    /// Somebody looks at an invitation.
    InvitationLook,
    /// Somebody accepts an invitation.
    InvitationAccept,
    /// A worker looks for the next run.
    RunClaim,
    /// A worker looks whether one of the runs in its hands is to stop.
    RunCancel,
    /// The sweeper looks for runs whose worker is gone.
    RunSweep,
    /// What system scopes did is written down, and old entries are taken away.
    AuditKeep,
    /// Secrets are sealed anew with another master key.
    SecretRotate,
    /// The scheduler looks for sources whose next sync is due.
    SyncSchedule,
    /// The mirrors on a disk are held against the sources that there are.
    MirrorSweep,
    /// Logs of runs that ended long ago are taken away.
    RunExpire,
    /// A process extends the reservations of the model calls that it makes.
    ModelReservationExtend,
    /// Model calls are looked for whose process is gone.
    ModelReservationSweep,
    /// A secret of the operator's, which is for all tenants, is read.
    OperatorSecretRead,
    /// The operator keeps or forgets a secret.
    OperatorSecretSet,
}

impl SystemPurpose {
    pub(super) fn of_gate(self) -> Purpose {
        if self.writes() {
            Purpose::SystemWrite
        } else {
            Purpose::SystemRead
        }
    }

    /// Whether a client waits for it.
    pub(super) fn pace(self) -> Pace {
        match self {
            Self::TenantCreate
            | Self::DirectoryRead
            | Self::TokenAuthenticate
            | Self::SessionAuthenticate
            | Self::SignIn
            | Self::InvitationLook
            | Self::InvitationAccept => Pace::Client,
            Self::SessionSeen
            | Self::RunClaim
            | Self::RunCancel
            | Self::RunSweep
            | Self::AuditKeep
            | Self::SecretRotate
            | Self::SyncSchedule
            | Self::MirrorSweep
            | Self::RunExpire
            | Self::ModelReservationExtend
            | Self::ModelReservationSweep
            | Self::OperatorSecretRead
            | Self::OperatorSecretSet => Pace::Background,
        }
    }

    fn writes(self) -> bool {
        matches!(
            self,
            Self::TenantCreate
                | Self::SessionSeen
                | Self::SignIn
                | Self::InvitationAccept
                | Self::RunClaim
                | Self::AuditKeep
                | Self::SecretRotate
                | Self::ModelReservationExtend
                | Self::OperatorSecretSet
        )
    }

    /// Its name in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantCreate => "tenant_create",
            Self::DirectoryRead => "directory_read",
            Self::TokenAuthenticate => "token_authenticate",
            Self::SessionAuthenticate => "session_authenticate",
            Self::SessionSeen => "session_seen",
            Self::SignIn => "sign_in",
            Self::InvitationLook => "invitation_look",
            Self::InvitationAccept => "invitation_accept",
            Self::RunClaim => "run_claim",
            Self::RunCancel => "run_cancel",
            Self::RunSweep => "run_sweep",
            Self::AuditKeep => "audit_keep",
            Self::SecretRotate => "secret_rotate",
            Self::SyncSchedule => "sync_schedule",
            Self::MirrorSweep => "mirror_sweep",
            Self::RunExpire => "run_expire",
            Self::ModelReservationExtend => "model_reservation_extend",
            Self::ModelReservationSweep => "model_reservation_sweep",
            Self::OperatorSecretRead => "operator_secret_read",
            Self::OperatorSecretSet => "operator_secret_set",
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
        rows_read(&self.tx, &E::find().filter(which.into_condition())).await
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

    /// Changes rows of a listed entity that meet the condition, of every tenant, and tells how many there were.
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

    /// Deletes rows of a listed entity that meet the condition, of every tenant, and tells how many there were.
    ///
    /// # Errors
    /// A row is still referred to.
    pub async fn delete<E: SystemScoped>(&self, which: impl IntoCondition) -> Result<u64> {
        let change = E::delete_many().filter(which.into_condition());
        let statement = times::built(self.backend(), &change);
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
    }

    /// Writes down what was done, in the transaction that does it: `outcome` is `OK` or an error's code, `detail` never holds a secret.
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

    /// Adds an entry to a tenant's audit log, in the transaction that did what it tells.
    pub(crate) async fn audit(&self, entry: audit::ActiveModel) -> Result<()> {
        audit::Entity::insert(entry)
            .exec_without_returning(&self.tx)
            .await?;
        Ok(())
    }

    /// Tells every listener, on every replica, that something about `subject` changed, once this is committed.
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

    /// Runs a statement written by hand, and tells how many rows it touched. On PostgreSQL row-level security still holds it to the listed tables.
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

    /// Rows of a statement written by hand. On PostgreSQL row-level security still holds it to the listed tables.
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

    /// Keeps what was done, then sends what was announced.
    ///
    /// # Errors
    /// The database refuses; then nothing was kept.
    pub async fn commit(self) -> Result<()> {
        let announced = self.announced.into_inner();
        let announced = announced.unwrap_or_else(PoisonError::into_inner);
        self.store
            .commit(self.tx, self.permits, announced, || {})
            .await
    }
}
