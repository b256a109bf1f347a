//! The operator's secrets for all tenants. They are encrypted like a tenant's secrets, bound to a tenant id that no
//! tenant has, and accessible in a system scope only.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use super::service::{KeyUse, SECRET_BYTES_MAX, SecretCounts};
use super::{Keyring, Secret};
use crate::actor::Origin;
use crate::audit::OUTCOME_OK;
use crate::entity::operator_secret::{ActiveModel, Column, Entity, Model};
use crate::error::{Error, Result};
use crate::model::TenantId;
use crate::registration::purpose;
use crate::store::Store;

/// The tenant id that these secrets are bound to.
const NOBODYS: TenantId = TenantId(Uuid::nil());

/// Stores a secret under its kind and name, and replaces an existing one.
///
/// # Errors
/// [`Error::Invalid`] for a secret that is too long; [`Error::MasterKey`] if there is no key to encrypt it.
pub async fn operator_secret_put(
    store: &Store,
    keyring: &Keyring,
    kind: &str,
    name: &str,
    value: &Secret,
) -> Result<()> {
    if value.expose().len() > SECRET_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "a secret must have at most {SECRET_BYTES_MAX} bytes"
        )));
    }
    let system = store.system(purpose::OPERATOR_SECRET_SET).await?;
    let (key_id, sealed) = keyring.seal(NOBODYS, kind, name, value.expose())?;
    system.delete::<Entity>(which(kind, name)).await?;
    let row = ActiveModel {
        kind: Set(kind.to_owned()),
        name: Set(name.to_owned()),
        key_id: Set(key_id),
        sealed: Set(sealed),
        updated_at: Set(system.env().now()),
    };
    system.insert(row).await?;
    let detail = serde_json::json!({"kind": kind, "name": name, "set": true});
    system
        .record(OUTCOME_OK, None, &Origin::default(), Some(detail))
        .await?;
    system.commit().await
}

/// Deletes a secret, and returns whether it existed.
///
/// # Errors
/// The database refuses.
pub async fn operator_secret_remove(store: &Store, kind: &str, name: &str) -> Result<bool> {
    let system = store.system(purpose::OPERATOR_SECRET_SET).await?;
    let gone = system.delete::<Entity>(which(kind, name)).await? > 0;
    let detail = serde_json::json!({"kind": kind, "name": name, "set": false});
    system
        .record(OUTCOME_OK, None, &Origin::default(), Some(detail))
        .await?;
    system.commit().await?;
    Ok(gone)
}

/// The decrypted secrets of a kind, by name, each with the time at which it was stored. A secret that no key decrypts
/// is logged and left out.
///
/// # Errors
/// [`Error::MasterKey`]; the database fails.
pub async fn operator_secret_get(
    store: &Store,
    keyring: &Keyring,
    kind: &str,
) -> Result<Vec<(String, DateTime<Utc>, Secret)>> {
    let system = store.system(purpose::OPERATOR_SECRET_READ).await?;
    let mut rows = system.find::<Entity>(Column::Kind.eq(kind)).await?;
    drop(system);
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let mut secrets = Vec::new();
    for row in rows {
        match open(keyring, &row) {
            Ok(secret) => secrets.push((row.name, row.updated_at, secret)),
            Err(Error::SecretUnreadable) => {
                tracing::error!(
                    kind,
                    name = row.name,
                    "no key decrypts a secret of the operator"
                );
            }
            Err(error) => return Err(error),
        }
    }
    Ok(secrets)
}

/// Re-encrypts the operator's secrets with the current key. Returns the number of re-encrypted and of unreadable
/// secrets.
///
/// # Errors
/// [`Error::MasterKey`]; the database refuses.
pub async fn operator_secrets_reseal(store: &Store, keyring: &Keyring) -> Result<(u64, u64)> {
    let system = store.system(purpose::SECRET_ROTATE).await?;
    let current = keyring.keys_fresh()?.current;
    let rows = system
        .find::<Entity>(Column::KeyId.ne(current.id()))
        .await?;
    let (mut moved, mut unreadable) = (0, 0);
    for row in rows {
        let secret = match open(keyring, &row) {
            Ok(secret) => secret,
            Err(Error::SecretUnreadable) => {
                unreadable += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let (key_id, sealed) = keyring.seal(NOBODYS, &row.kind, &row.name, secret.expose())?;
        let changes = ActiveModel {
            key_id: Set(key_id),
            sealed: Set(sealed),
            ..Default::default()
        };
        moved += system.update(which(&row.kind, &row.name), changes).await?;
    }
    system.commit().await?;
    Ok((moved, unreadable))
}

/// The keys that encrypt the operator's secrets, each with the number of secrets.
///
/// # Errors
/// The database fails.
pub async fn operator_secrets_uses(store: &Store) -> Result<Vec<KeyUse>> {
    let system = store.system(purpose::OPERATOR_SECRET_READ).await?;
    let sql =
        "SELECT key_id, count(*) AS secrets FROM operator_secrets GROUP BY key_id ORDER BY key_id";
    system.sql_all(sql, []).await
}

/// Counts the operator's secrets, and those that no key decrypts.
///
/// # Errors
/// [`Error::MasterKey`]; the database fails.
pub async fn operator_secrets_check(store: &Store, keyring: &Keyring) -> Result<SecretCounts> {
    let system = store.system(purpose::OPERATOR_SECRET_READ).await?;
    let mut counts = SecretCounts::default();
    for row in system.find::<Entity>(Condition::all()).await? {
        counts.total += 1;
        match open(keyring, &row) {
            Ok(_) => {}
            Err(Error::SecretUnreadable) => counts.unreadable += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(counts)
}

fn open(keyring: &Keyring, row: &Model) -> Result<Secret> {
    keyring.open(NOBODYS, &row.kind, &row.name, &row.key_id, &row.sealed)
}

fn which(kind: &str, name: &str) -> Condition {
    Condition::all()
        .add(Column::Kind.eq(kind))
        .add(Column::Name.eq(name))
}
