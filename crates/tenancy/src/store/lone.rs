//! A read that is expected to need one statement: on PostgreSQL it takes one round trip instead of four.
//!
//! The statement sets the tenant itself, so that row-level security applies without a transaction around it:
//!
//! ```sql
//! SELECT p.* FROM (SELECT set_config('nyxcore.tenant_id', …, true)::uuid AS v) s
//!   CROSS JOIN LATERAL (SELECT q.* FROM (…) q WHERE s.v = … OFFSET 0) p
//! ```
//!
//! The order of evaluation follows from the form and not from costs. A sub-query with `OFFSET` is never merged into its
//! parent, and this one refers to `s`: the only join that can run it is a nested loop that has read `s` before. The
//! policy's own sub-selects belong to `p` and are evaluated when `p` first needs them. `set_config` is unsafe in
//! parallel plans, so there is none. In any other order the policy would find no tenant and return no row. The setting
//! ends with the statement.
//!
//! If a second statement follows, a transaction is opened, and the first statement is read in it again. Only if it has
//! the same rows, the second one runs: all rows of a scope are those of one snapshot, however many statements it takes.

use std::hash::{DefaultHasher, Hash, Hasher};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult, Statement, Values};
use sqlx::Row as _;
use tokio::sync::{Mutex, OnceCell};

use super::gate::{Permits, Purpose};
use super::{Pace, Store};
use crate::error::{Error, Result};
use crate::model::TenantId;

/// The session that runs the statements of a scope.
pub trait Session: Send + Sync + 'static {
    /// The runner of the statements.
    fn runner(&self) -> Runner<'_>;
}

impl Session for DatabaseTransaction {
    fn runner(&self) -> Runner<'_> {
        Runner::Transaction(self)
    }
}

/// The session of a scope that only reads.
pub enum ReadSession {
    /// An open snapshot.
    Transaction(DatabaseTransaction),
    /// No transaction until there is a second statement.
    Lone(Box<LoneRead>),
}

impl Session for ReadSession {
    fn runner(&self) -> Runner<'_> {
        match self {
            Self::Transaction(tx) => Runner::Transaction(tx),
            Self::Lone(lone) => Runner::Lone(lone),
        }
    }
}

/// Runs the reading statements.
#[derive(Clone, Copy)]
pub enum Runner<'s> {
    /// In an open transaction.
    Transaction(&'s DatabaseTransaction),
    /// See [`LoneRead`].
    Lone(&'s LoneRead),
}

impl Runner<'_> {
    /// Which database this is.
    pub(super) fn backend(self) -> DbBackend {
        match self {
            Self::Transaction(tx) => tx.get_database_backend(),
            Self::Lone(lone) => lone.store.backend(),
        }
    }

    /// The rows of a select from the query builder.
    pub(super) async fn select(self, statement: Statement) -> Result<Vec<QueryResult>> {
        match self {
            Self::Transaction(tx) => Ok(tx.query_all_raw(statement).await?),
            Self::Lone(lone) => lone.select(statement).await,
        }
    }

    /// The rows of a hand-written statement. Such a statement always runs in a transaction.
    pub(super) async fn by_hand(self, statement: Statement) -> Result<Vec<QueryResult>> {
        let tx = match self {
            Self::Transaction(tx) => tx,
            Self::Lone(lone) => lone.transaction().await?,
        };
        Ok(tx.query_all_raw(statement).await?)
    }
}

/// A read whose first statement runs without a transaction. See the module.
pub struct LoneRead {
    store: Store,
    tenant: TenantId,
    pace: Pace,
    first: Mutex<First>,
    open: OnceCell<(DatabaseTransaction, Permits)>,
}

/// The state of the first statement of a read.
enum First {
    /// There was no statement yet.
    Unread,
    /// It ran without a transaction.
    Alone { statement: Statement, digest: u64 },
    /// A transaction is open.
    InTransaction,
}

impl LoneRead {
    /// A read of a tenant's rows, on PostgreSQL.
    pub(super) fn new(store: &Store, tenant: TenantId, pace: Pace) -> Self {
        Self {
            store: store.clone(),
            tenant,
            pace,
            first: Mutex::new(First::Unread),
            open: OnceCell::new(),
        }
    }

    async fn select(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        // A statement that arrives during the first one is the second one.
        let mut first = self.first.lock().await;
        if matches!(*first, First::Unread) {
            let rows = self.store.select_alone(self.tenant, self.pace, &statement);
            let rows = rows.await?;
            let digest = rows_digest(&rows);
            *first = First::Alone { statement, digest };
            return Ok(rows);
        }
        drop(first);
        let tx = self.transaction().await?;
        Ok(tx.query_all_raw(statement).await?)
    }

    /// The transaction; it is opened if necessary.
    ///
    /// # Errors
    /// [`Error::Busy`] if its snapshot has other rows than the first statement read; no connection is available.
    async fn transaction(&self) -> Result<&DatabaseTransaction> {
        let open = self.open.get_or_try_init(|| async {
            let mut first = self.first.lock().await;
            let (tx, permits) = self
                .store
                .read_begin(self.tenant, self.pace, Purpose::Read(self.tenant))
                .await?;
            if let First::Alone { statement, digest } = &*first {
                let again = tx.query_all_raw(statement.clone()).await?;
                if rows_digest(&again) != *digest {
                    tracing::info!("rows changed between the first two statements of a read");
                    return Err(Error::Busy);
                }
            }
            *first = First::InTransaction;
            Ok::<_, Error>((tx, permits))
        });
        open.await.map(|(tx, _)| tx)
    }
}

impl Store {
    /// The rows of one select of a tenant, without a transaction.
    async fn select_alone(
        &self,
        tenant: TenantId,
        pace: Pace,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>> {
        let gate = &self.0.gate;
        let permits = gate.pass(Purpose::Read(tenant), pace.patience()).await;
        let _permits = permits.map_err(|error| self.unreachable_or(error))?;
        let mut tries = self.0.connections;
        loop {
            let alone = with_tenant(statement.clone(), tenant);
            match self.0.db.query_all_raw(alone).await {
                Ok(rows) => return Ok(rows),
                Err(error) => self.retry_or(error.into(), &mut tries)?,
            }
        }
    }
}

/// The select as one statement with the settings that a transaction would have: the tenant, and no system scope. Its
/// own text and the numbers of its values stay as they are; the tenant is bound as the last value.
fn with_tenant(statement: Statement, tenant: TenantId) -> Statement {
    let mut values = statement.values.map_or_else(Vec::new, |values| values.0);
    values.push(tenant.0.to_string().into());
    let last = values.len();
    let sql = format!(
        "SELECT p.* FROM (SELECT set_config('nyxcore.tenant_id', set_config('nyxcore.scope', '', true) || ${last}, \
         true)::uuid AS v) s CROSS JOIN LATERAL (SELECT q.* FROM ({}) q WHERE s.v = ${last}::uuid OFFSET 0) p",
        statement.sql
    );
    Statement {
        sql,
        values: Some(Values(values)),
        db_backend: statement.db_backend,
    }
}

/// A digest of the rows, independent of their order.
fn rows_digest(rows: &[QueryResult]) -> u64 {
    let digests = rows.iter().filter_map(QueryResult::try_as_pg_row);
    let digests = digests.map(|row| {
        let mut hasher = DefaultHasher::new();
        for column in 0..row.len() {
            let value = row.try_get_raw(column).ok();
            let bytes = value.and_then(|value| value.as_bytes().ok());
            bytes.hash(&mut hasher);
        }
        hasher.finish()
    });
    digests.fold(rows.len() as u64, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::Value;
    use uuid::Uuid;

    #[test]
    fn a_lone_select_keeps_its_text_and_binds_the_tenant_last() {
        let tenant = TenantId(Uuid::from_u128(7));
        let values: [Value; 2] = [tenant.0.into(), 3_i64.into()];
        let sql = "SELECT a FROM b WHERE tenant_id = $1 LIMIT $2";
        let select = Statement::from_sql_and_values(DbBackend::Postgres, sql, values.clone());
        let alone = with_tenant(select, tenant);
        assert!(
            alone
                .sql
                .contains(&format!("({sql}) q WHERE s.v = $3::uuid OFFSET 0"))
        );
        let last: Value = tenant.0.to_string().into();
        assert_eq!(alone.values.unwrap().0, [&values[..], &[last]].concat());
    }

    #[test]
    fn a_lone_select_without_values_binds_the_tenant() {
        let tenant = TenantId(Uuid::from_u128(7));
        let alone = with_tenant(
            Statement::from_string(DbBackend::Postgres, "SELECT 1"),
            tenant,
        );
        assert!(alone.sql.contains("true) || $1, true)::uuid AS v"));
        let bound: Value = tenant.0.to_string().into();
        assert_eq!(alone.values.unwrap().0, [bound]);
    }
}
