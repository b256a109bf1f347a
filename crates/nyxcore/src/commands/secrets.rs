//! `secrets rotate` and `secrets status`: manage the master key.

use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::secret::{
    KeySource, Keyring, MasterKey, MasterKeys, ResealReport, Rotation, operator_secrets_reseal,
    secrets_reseal, secrets_rotation_record,
};
use nyxcore_tenancy::{Store, Tenant};

use crate::cli::SecretsCommand;
use crate::error::{Error, Result};
use crate::master_key::{KeyFile, Source};
use crate::output;
use crate::progress::Screen;
use crate::sealed::{key_uses, keys_check};
use crate::settings::Settings;
use crate::wiring::App;

/// The number of secrets that are re-encrypted in one transaction. It is small, so that no other transaction waits
/// long.
const BATCH: u64 = 100;

/// Carries out a command on secrets.
///
/// # Errors
/// As [`rotate`]; the database or the key cannot be used.
pub async fn run(settings: Settings, command: SecretsCommand, screen: &Screen) -> Result<()> {
    App::look(settings, async |app| match command {
        SecretsCommand::Rotate => match &app.keys {
            Source::Variable(keys) => rotate_variable(app, keys, screen).await,
            Source::File(file) => rotate_file(app, file, screen).await,
        },
        SecretsCommand::Status => status(app).await,
    })
    .await
}

/// Creates a new key, re-encrypts every secret with it, and removes the old key. If it is killed, it continues when it
/// is run again: the file has both keys from before the first secret is moved until after the last.
async fn rotate_file(app: &App, file: &KeyFile, screen: &Screen) -> Result<()> {
    let lock = file.lock()?;
    let Some(keys) = file.load()? else {
        if let Some(error) = keys_check(&app.store, &app.keys).await? {
            return Err(error);
        }
        screen.hint("there is no master key yet, because no secret was ever kept: nothing to do");
        return Ok(());
    };
    if keys.previous.is_empty() {
        let keys = MasterKeys {
            current: MasterKey::generate()?,
            previous: vec![keys.current],
        };
        file.replace(&keys, &lock)?;
        screen.hint(&format!("made the key {}", keys.current.id()));
    } else {
        screen.hint(&format!(
            "continuing an earlier rotation to the key {}",
            keys.current.id()
        ));
    }
    let keyring = app.keys.keyring();
    let rotation = reseal_everything(&app.store, &keyring, screen).await?;
    let uses = key_uses(&app.store).await?;
    let mut keys = keyring.keys_fresh()?;
    keys.previous.retain(|key| uses.contains_key(key.id()));
    file.replace(&keys, &lock)?;
    secrets_rotation_record(&app.store, &rotation).await?;
    told(&rotation, screen)?;
    screen.hint(&format!(
        "the old key was removed from {}: back up the new one, separately from the database",
        file.path().display()
    ));
    Ok(())
}

/// Re-encrypts every secret with the key in the environment.
async fn rotate_variable(app: &App, keys: &MasterKeys, screen: &Screen) -> Result<()> {
    let keyring = app.keys.keyring();
    let rotation = reseal_everything(&app.store, &keyring, screen).await?;
    secrets_rotation_record(&app.store, &rotation).await?;
    told(&rotation, screen)?;
    if !keys.previous.is_empty() {
        screen.hint(
            "NYXCORE_MASTER_KEY_PREVIOUS is no longer needed once no server encrypts with that key",
        );
    }
    Ok(())
}

async fn reseal_everything(store: &Store, keyring: &Keyring, screen: &Screen) -> Result<Rotation> {
    let mut rotation = Rotation {
        key_id: keyring.keys_fresh()?.current.id().to_owned(),
        resealed: 0,
        unreadable: 0,
    };
    for tenant in tenant_list(store).await? {
        let (resealed, unreadable) = reseal_tenant(store, keyring, &tenant, screen).await?;
        rotation.resealed += resealed;
        rotation.unreadable += unreadable;
    }
    let (resealed, unreadable) = operator_secrets_reseal(store, keyring).await?;
    rotation.resealed += resealed;
    rotation.unreadable += unreadable;
    Ok(rotation)
}

/// Returns how many secrets of a tenant were re-encrypted, and how many no key could decrypt.
async fn reseal_tenant(
    store: &Store,
    keyring: &Keyring,
    tenant: &Tenant,
    screen: &Screen,
) -> Result<(u64, u64)> {
    let mut resealed = 0;
    loop {
        let scoped = store.write(tenant.id).await?;
        let done: ResealReport = secrets_reseal(&scoped, keyring, BATCH).await?;
        scoped.commit().await?;
        resealed += done.resealed;
        if done.resealed > 0 {
            screen.hint(&format!(
                "{}: {resealed} re-encrypted, {} left",
                tenant.slug, done.remaining
            ));
        }
        if done.resealed < BATCH {
            return Ok((resealed, done.unreadable));
        }
    }
}

fn told(rotation: &Rotation, screen: &Screen) -> Result<()> {
    let Rotation {
        key_id, resealed, ..
    } = rotation;
    screen.hint(&format!("sealed {resealed} secrets with the key {key_id}"));
    match rotation.unreadable {
        0 => Ok(()),
        unreadable => Err(Error::SecretsUnreadable(unreadable).into()),
    }
}

/// Prints a line for each key: its id, its role in this program, and the number of secrets that it encrypts.
async fn status(app: &App) -> Result<()> {
    let keys = app.keys.load()?;
    let mut uses = key_uses(&app.store).await?;
    let mut lines = String::new();
    let known = keys.iter().flat_map(|keys| {
        let previous = keys.previous.iter().map(|key| (key, "previous"));
        std::iter::once((&keys.current, "current")).chain(previous)
    });
    for (key, standing) in known {
        let secrets = uses.remove(key.id()).unwrap_or_default();
        lines.push_str(&line(key.id(), standing, secrets));
    }
    let lost: i64 = uses.values().sum();
    for (id, secrets) in &uses {
        lines.push_str(&line(id, "missing", *secrets));
    }
    if lines.is_empty() {
        lines.push_str("no secret was ever stored, and there is no master key yet\n");
    }
    output::write(&lines)?;
    match u64::try_from(lost) {
        Ok(0) | Err(_) => Ok(()),
        Ok(lost) => Err(Error::SecretsUnreadable(lost).into()),
    }
}

fn line(id: &str, standing: &str, secrets: i64) -> String {
    format!("{id}  {standing:8}  {secrets} secrets\n")
}
