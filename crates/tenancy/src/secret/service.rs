//! Stores secrets in the database, and re-encrypts them with another master key.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, FromQueryResult};
use serde_json::json;

use super::{Keyring, Secret};
use crate::actor::Origin;
use crate::audit::OUTCOME_OK;
use crate::entity::sealed_secret::{ActiveModel, Column, Entity};
use crate::error::{Error, Result};
use crate::registration::purpose;
use crate::store::{Access, ReadWrite, Scoped, Store};

/// The longest secret, in bytes: several times the size of a private key or a service account's file.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// The name of the lock that serializes storing and re-encrypting: a secret that is stored after a re-encryption began
/// uses the new key.
const TURN: &str = "sealed_secrets";

/// Stores a secret under its kind and name, and replaces an existing one.
///
/// # Errors
/// [`Error::Invalid`] for a secret that is too long; [`Error::MasterKey`] if there is no key to encrypt it.
pub async fn secret_put(
    scoped: &Scoped<ReadWrite>,
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
    scoped.advisory_lock(TURN).await?;
    let (key_id, sealed) = keyring.seal(scoped.tenant(), kind, name, value.expose())?;
    let row = ActiveModel {
        kind: Set(kind.to_owned()),
        name: Set(name.to_owned()),
        key_id: Set(key_id),
        sealed: Set(sealed),
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    let key = [Column::Kind, Column::Name];
    let changed = [Column::KeyId, Column::Sealed, Column::UpdatedAt];
    scoped.upsert_all(vec![row], &key, &changed).await
}

/// The decrypted secret of that kind and name, if there is one.
///
/// # Errors
/// [`Error::SecretUnreadable`] if no key decrypts it.
pub async fn secret_get<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    kind: &str,
    name: &str,
) -> Result<Option<Secret>> {
    let row = scoped
        .find::<Entity>()
        .filter(Column::Kind.eq(kind))
        .filter(Column::Name.eq(name))
        .one()
        .await?;
    let Some(row) = row else { return Ok(None) };
    keyring
        .open(scoped.tenant(), kind, name, &row.key_id, &row.sealed)
        .map(Some)
}

/// Deletes a secret, and returns whether it existed.
///
/// # Errors
/// The database refuses.
pub async fn secret_remove(scoped: &Scoped<ReadWrite>, kind: &str, name: &str) -> Result<bool> {
    let which = Condition::all()
        .add(Column::Kind.eq(kind))
        .add(Column::Name.eq(name));
    Ok(scoped.delete::<Entity>(which).await? > 0)
}

/// The names of the tenant's secrets of a kind, sorted. Nothing is decrypted.
///
/// # Errors
/// The database fails.
pub async fn secret_names<A: Access>(scoped: &Scoped<A>, kind: &str) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = scoped
        .find::<Entity>()
        .filter(Column::Kind.eq(kind))
        .order_by_asc(Column::Name)
        .columns([Column::Name])
        .await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// The result of one call of [`secrets_reseal`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResealReport {
    /// The number of secrets that this call re-encrypted.
    pub resealed: u64,
    /// The number of the tenant's secrets that are still encrypted with another key.
    pub remaining: u64,
    /// The number of those that this call could not decrypt.
    pub unreadable: u64,
}

/// Re-encrypts up to `batch` of a tenant's secrets with the current key. Call it again until none is left; without a
/// commit nothing is changed. Unreadable secrets are left unchanged.
///
/// # Errors
/// [`Error::MasterKey`]; the database refuses.
pub async fn secrets_reseal(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    batch: u64,
) -> Result<ResealReport> {
    scoped.advisory_lock(TURN).await?;
    // Read after the lock was acquired: transactions that used an older key have been committed.
    let current = keyring.keys_fresh()?.current;
    let others = || Column::KeyId.ne(current.id());
    let mut done = ResealReport::default();
    let mut last: Option<(String, String)> = None;
    while done.resealed < batch {
        let after = last.take().map(|(kind, name)| {
            Condition::any().add(Column::Kind.gt(kind.clone())).add(
                Condition::all()
                    .add(Column::Kind.eq(kind))
                    .add(Column::Name.gt(name)),
            )
        });
        let rows = scoped
            .find::<Entity>()
            .filter(others())
            .filter(Condition::all().add_option(after))
            .order_by_asc(Column::Kind)
            .order_by_asc(Column::Name)
            .limit(batch - done.resealed)
            .all()
            .await?;
        let Some(end) = rows.last() else { break };
        last = Some((end.kind.clone(), end.name.clone()));
        for row in rows {
            let (kind, name) = (row.kind.as_str(), row.name.as_str());
            match keyring.open(scoped.tenant(), kind, name, &row.key_id, &row.sealed) {
                Ok(value) => {
                    secret_put(scoped, keyring, kind, name, &value).await?;
                    done.resealed += 1;
                }
                Err(Error::SecretUnreadable) => done.unreadable += 1,
                Err(error) => return Err(error),
            }
        }
    }
    done.remaining = scoped.find::<Entity>().filter(others()).count().await?;
    Ok(done)
}

/// The number of secrets that a key encrypts.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct KeyUse {
    /// The key's id.
    pub key_id: String,
    /// The number of secrets.
    pub secrets: i64,
}

/// The keys that encrypt a tenant's secrets, each with the number of secrets.
///
/// # Errors
/// The database fails.
pub async fn secret_key_uses<A: Access>(scoped: &Scoped<A>) -> Result<Vec<KeyUse>> {
    scoped
        .sql_all(
            "SELECT key_id, count(*) AS secrets FROM sealed_secrets WHERE tenant_id = $1 GROUP BY key_id ORDER BY key_id",
            [],
        )
        .await
}

/// Counts a tenant's secrets, and those that no key decrypts. Each is decrypted, and the result is dropped at once.
///
/// # Errors
/// [`Error::MasterKey`]; the database fails.
pub async fn secrets_check<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
) -> Result<SecretCounts> {
    let mut counts = SecretCounts::default();
    for row in scoped.find::<Entity>().all().await? {
        counts.total += 1;
        match keyring.open(
            scoped.tenant(),
            &row.kind,
            &row.name,
            &row.key_id,
            &row.sealed,
        ) {
            Ok(_) => {}
            Err(Error::SecretUnreadable) => counts.unreadable += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(counts)
}

/// The result of [`secrets_check`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretCounts {
    /// The number of secrets.
    pub total: u64,
    /// The number of secrets that no key decrypts.
    pub unreadable: u64,
}

/// The result of a rotation, over all tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The id of the new key.
    pub key_id: String,
    /// The number of re-encrypted secrets.
    pub resealed: u64,
    /// The number of secrets that no key decrypted.
    pub unreadable: u64,
}

/// Records a rotation in the log of system work.
///
/// # Errors
/// The database refuses.
pub async fn secrets_rotation_record(store: &Store, rotation: &Rotation) -> Result<()> {
    let system = store.system(purpose::SECRET_ROTATE).await?;
    let outcome = if rotation.unreadable == 0 {
        OUTCOME_OK
    } else {
        Error::SecretUnreadable.code()
    };
    let detail = json!({
        "keyId": rotation.key_id,
        "resealed": rotation.resealed,
        "unreadable": rotation.unreadable,
    });
    let origin = Origin::default();
    system.record(outcome, None, &origin, Some(detail)).await?;
    system.commit().await
}
