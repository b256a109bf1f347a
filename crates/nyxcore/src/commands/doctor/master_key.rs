//! Checks the master key: it exists, no other account can read it, and it decrypts the stored secrets.

use anyhow::Context;
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::secret::{KeySource, SecretCounts, operator_secrets_check, secrets_check};
use nyxcore_tenancy::{Env, Store};

use super::Report;
use crate::database::Place;
use crate::error::{Error, Result, message_of};
use crate::master_key::Source;
use crate::settings::Settings;
use crate::wiring::registry;

/// Adds the line on the master key. Without a database, only the key itself is checked.
pub async fn check(settings: &Settings, database: Option<&Place>, report: &mut Report) {
    let what = "master key";
    match line(settings, database).await {
        Ok(text) => report.good(what, text),
        Err(error) => report.bad(what, message_of(&error)),
    }
}

async fn line(settings: &Settings, database: Option<&Place>) -> Result<String> {
    let data_dir =
        std::path::absolute(&settings.data_dir).context("looking for the master key failed")?;
    let source = Source::of(settings, &data_dir)?;
    let (is_there, place) = match &source {
        Source::Variable(_) => (true, "NYXCORE_MASTER_KEY".to_owned()),
        Source::File(file) => (file.load()?.is_some(), file.path().display().to_string()),
    };
    let Some(database) = database else {
        return Ok(match is_there {
            true => format!("{place}, readable by this account only"),
            false => format!("{place} will be created when the first secret is stored"),
        });
    };
    let SecretCounts { total, unreadable } = counts(settings, database, &source).await?;
    match (is_there, unreadable) {
        (false, 0) => Ok(format!(
            "{place} will be created when the first secret is stored"
        )),
        (false, lost) => Err(Error::Unhealthy(format!(
            "{place} is missing, and {lost} secrets are encrypted with it: restore it from a backup"
        ))
        .into()),
        (true, 0) => Ok(format!("{place} decrypts all {total} secrets")),
        (true, _) => Err(Error::SecretsUnreadable(unreadable).into()),
    }
}

/// Counts the secrets of all tenants and of the operator.
async fn counts(settings: &Settings, database: &Place, source: &Source) -> Result<SecretCounts> {
    let mut options = database.options(settings);
    // The database is only read, and the line on the role reports problems of the role.
    options.allow_privileged_role = true;
    let store = Store::connect(&options.with_registry(registry()?), Env::default()).await?;
    let keyring = source.keyring();
    let mut all = operator_secrets_check(&store, &keyring).await?;
    for tenant in tenant_list(&store).await? {
        let scoped = store.read(tenant.id).await?;
        let one = secrets_check(&scoped, &keyring).await?;
        all.total += one.total;
        all.unreadable += one.unreadable;
    }
    Ok(all)
}
