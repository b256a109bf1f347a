//! Which master keys encrypt the stored secrets, and whether these keys are available.

use std::collections::BTreeMap;

use nyxcore_tenancy::Store;
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::secret::{operator_secrets_uses, secret_key_uses};

use crate::error::{Error, Result};
use crate::master_key::Source;

/// Counts the secrets that each key encrypts, over all tenants and the operator.
///
/// # Errors
/// The database fails.
pub async fn key_uses(store: &Store) -> Result<BTreeMap<String, i64>> {
    let mut uses = BTreeMap::new();
    for key in operator_secrets_uses(store).await? {
        *uses.entry(key.key_id).or_default() += key.secrets;
    }
    for tenant in tenant_list(store).await? {
        let scoped = store.read(tenant.id).await?;
        for key in secret_key_uses(&scoped).await? {
            *uses.entry(key.key_id).or_default() += key.secrets;
        }
    }
    Ok(uses)
}

/// The error for an operator if secrets are encrypted with keys that are not available. If there is no key file at all,
/// no new key is created from then on: other machines could not decrypt its secrets.
///
/// # Errors
/// The key file cannot be read; the database fails.
pub async fn keys_check(store: &Store, keys: &Source) -> Result<Option<anyhow::Error>> {
    let known = keys.load()?;
    let uses = key_uses(store).await?;
    let is_known = |id: &str| known.as_ref().is_some_and(|keys| keys.key(id).is_some());
    let lost = uses.iter().filter(|(id, _)| !is_known(id));
    let lost: i64 = lost.map(|(_, secrets)| *secrets).sum();
    let lost = u64::try_from(lost).unwrap_or_default();
    Ok(match (lost, keys, &known) {
        (0, _, _) => None,
        (_, Source::File(file), None) => {
            file.lost_secrets_record(lost);
            Some(file.missing(lost).into())
        }
        _ => Some(Error::SecretsUnreadable(lost).into()),
    })
}
