//! The log of system work: how often system scopes were opened, and what they changed.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use super::OUTCOME_OK;
use crate::actor::Origin;
use crate::entity;
use crate::env::Env;
use crate::error::Result;
use crate::registration::purpose::AUDIT_KEEP;
use crate::registry::Registry;
use crate::store::{Store, SystemPurpose};

/// How often system scopes were opened for each purpose since the last flush.
#[derive(Debug)]
pub(crate) struct SystemUses(Vec<(SystemPurpose, AtomicU64)>);

impl SystemUses {
    /// A counter of zero for every registered purpose.
    pub(crate) fn of(registry: &Registry) -> Self {
        let purposes = registry.purposes();
        Self(purposes.map(|one| (one, AtomicU64::new(0))).collect())
    }

    pub(crate) fn add(&self, purpose: SystemPurpose, times: u64) {
        if let Some((_, uses)) = self.0.iter().find(|(listed, _)| *listed == purpose) {
            uses.fetch_add(times, Ordering::Relaxed);
        }
    }

    fn take(&self) -> Vec<(SystemPurpose, u64)> {
        self.0
            .iter()
            .map(|(purpose, uses)| (*purpose, uses.swap(0, Ordering::Relaxed)))
            .filter(|(_, uses)| *uses > 0)
            .collect()
    }
}

/// Stores how often system scopes were opened since the last call, one row per purpose. Called every minute and at the
/// end of the program.
///
/// # Errors
/// The database refuses; the uses are then added to the next flush.
pub async fn system_uses_flush(store: &Store) -> Result<()> {
    let taken = store.uses().take();
    // The flush's own scope is not worth a row: without another use nothing is written.
    if taken.iter().all(|(purpose, _)| *purpose == AUDIT_KEEP) {
        return Ok(());
    }
    let write = async {
        let system = store.system(AUDIT_KEEP).await?;
        for (purpose, uses) in &taken {
            let mut row = system_entry(
                system.env(),
                *purpose,
                OUTCOME_OK,
                None,
                &Origin::default(),
                None,
            );
            row.uses = Set(i64::try_from(*uses).unwrap_or(i64::MAX));
            system.insert(row).await?;
        }
        system.commit().await
    };
    let written = write.await;
    if written.is_err() {
        for (purpose, uses) in taken {
            store.uses().add(purpose, uses);
        }
    }
    written
}

pub(crate) fn system_entry(
    env: &Env,
    purpose: SystemPurpose,
    outcome: &str,
    subject: Option<Uuid>,
    origin: &Origin,
    detail: Option<Value>,
) -> entity::system_entry::ActiveModel {
    entity::system_entry::ActiveModel {
        id: Set(env.id()),
        at: Set(env.now()),
        purpose: Set(purpose.as_str().to_owned()),
        uses: Set(1),
        outcome: Set(outcome.to_owned()),
        subject_id: Set(subject),
        address: Set(origin.address.map(|address| address.to_string())),
        request_id: Set(origin.request_id.clone()),
        detail: Set(detail),
    }
}

/// An entry of the log of system work.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in AuditEntry")]
pub struct SystemEntry {
    pub at: DateTime<Utc>,
    /// The purpose of the system scope.
    pub purpose: String,
    /// The number of scopes since the previous entry for the same purpose.
    pub uses: i64,
    pub outcome: String,
    pub subject_id: Option<Uuid>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub detail: Option<Value>,
}

impl SystemEntry {
    /// The entry as one line of JSON Lines, without a line end.
    pub fn json_line(&self) -> String {
        json!({
            "at": self.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "purpose": self.purpose,
            "uses": self.uses,
            "outcome": self.outcome,
            "subjectId": self.subject_id,
            "address": self.address,
            "requestId": self.request_id,
            "detail": self.detail,
        })
        .to_string()
    }
}

/// The log of system work from a time on, oldest first: for an operator, never for a client.
///
/// # Errors
/// The database fails.
pub async fn system_entry_list(store: &Store, from: DateTime<Utc>) -> Result<Vec<SystemEntry>> {
    let system = store.system(AUDIT_KEEP).await?;
    let mut rows = system
        .find::<entity::system_entry::Entity>(entity::system_entry::Column::At.gte(from))
        .await?;
    rows.sort_by_key(|row| (row.at, row.id));
    Ok(rows
        .into_iter()
        .map(|row| SystemEntry {
            at: row.at,
            purpose: row.purpose,
            uses: row.uses,
            outcome: row.outcome,
            subject_id: row.subject_id,
            address: row.address,
            request_id: row.request_id,
            detail: row.detail,
        })
        .collect())
}
