//! `models`: lists models, updates the facts about them, installs the local one, and manages the operator's keys.

mod source;

use std::io::{self, BufRead};

use anyhow::Context;
use nyxcore_model_catalog::{
    CatalogUpdate, Lifecycle, Nanousd, Provider, ProviderKey, TenantCatalog, TenantModel, catalog,
    catalog_update, operator_key_remove, operator_key_set,
};
use nyxcore_tenancy::Env;

use super::ask;
use super::tenant::tenant_require;
use crate::cli::{ModelKeyCommand, ModelsCommand};
use crate::error::{Error, Result, message_of};
use crate::local_model;
use crate::model_facts;
use crate::output::{self, Table};
use crate::progress::Screen;
use crate::sealed::keys_check;
use crate::settings::Settings;
use crate::wiring::App;

/// Carries out a command on models.
///
/// # Errors
/// `NOT_FOUND` for the tenant or vendor; the file cannot be read or is refused; the data directory cannot be used.
pub async fn run(settings: Settings, command: ModelsCommand, screen: &Screen) -> Result<()> {
    match command {
        ModelsCommand::List {
            tenant,
            provider,
            all,
        } => {
            let models: Vec<TenantModel> = match tenant {
                // The facts of the program and of the data directory need no database.
                None => {
                    model_facts::install(&settings.data_dir)?;
                    local_model::install(&settings.data_dir);
                    let known = catalog().all().iter().map(TenantModel::from);
                    known.chain(nyxcore_model_catalog::local_model()).collect()
                }
                Some(slug) => App::look(settings, async |app| models_of(app, &slug).await).await?,
            };
            list(&models, provider.as_deref(), all)
        }
        ModelsCommand::Update { from } => {
            let text = source::read(&from).await?;
            App::once(settings, async |app| update(app, &text, screen)).await
        }
        ModelsCommand::Pull {
            from,
            allow_sources: _,
        } => local_model::pull(&settings, from.as_deref(), screen).await,
        ModelsCommand::Embed(args) => ask::embed(settings, args, screen).await,
        ModelsCommand::Key(ModelKeyCommand::Verify {
            provider,
            tenant,
            allow_sources: _,
        }) => ask::verify(settings, &provider, tenant.as_deref(), screen).await,
        ModelsCommand::Key(command) => {
            App::once(settings, async |app| key(app, command, screen).await).await
        }
    }
}

/// The models that a tenant sees.
async fn models_of(app: &App, slug: &str) -> Result<Vec<TenantModel>> {
    let tenant = tenant_require(&app.store, slug).await?;
    let scoped = app.store.read(tenant.id).await?;
    let tenants = TenantCatalog::load(&scoped, Default::default()).await?;
    Ok(tenants.models().to_vec())
}

/// Prints a line for each model: its price for a million tokens, its lifetime, and its replacement.
fn list(models: &[TenantModel], provider: Option<&str>, all: bool) -> Result<()> {
    let today = Env::default().now().date_naive();
    if let Some(id) = provider
        && Provider::parse(id).is_none()
        && !models.iter().any(|model| model.provider == id)
    {
        return Err(provider_unknown(id).into());
    }
    let is_listed = |model: &&TenantModel| {
        provider.is_none_or(|provider| model.provider == provider)
            && (all || (model.lifecycle(today) != Lifecycle::ShutDown && !model.is_hidden))
    };
    let mut table = Table::new([
        "MODEL", "PROVIDER", "INPUT", "OUTPUT", "WINDOW", "STATE", "USE",
    ]);
    for model in models.iter().filter(is_listed) {
        let state = match (model.lifecycle(today), model.shutdown_date) {
            (Lifecycle::Active, _) | (_, None) => "active".to_owned(),
            (Lifecycle::Retiring, Some(date)) => format!("until {date}"),
            (Lifecycle::ShutDown, Some(date)) => format!("shut down {date}"),
        };
        let known = catalog().model(&model.wire_id);
        let replacement = known.and_then(|known| catalog().replacement_for(known, today));
        table.row([
            model.id.clone(),
            model.provider.clone(),
            Nanousd(model.prices.input).to_string(),
            Nanousd(model.prices.output).to_string(),
            model
                .context_window
                .map(|n| n.to_string())
                .unwrap_or_default(),
            if model.is_hidden {
                "hidden".to_owned()
            } else {
                state
            },
            replacement
                .map(|one| one.model.id.clone())
                .unwrap_or_default(),
        ]);
    }
    output::write(&table.text())
}

fn provider_unknown(id: &str) -> Error {
    let known = Provider::ALL.map(Provider::id).join(", ");
    Error::NotKnown(format!(
        "there is no provider {id:?} here: there are {known}"
    ))
}

/// Imports a file of facts, as a whole or not at all.
fn update(app: &App, text: &str, screen: &Screen) -> Result<()> {
    let today = Env::default().now().date_naive();
    let CatalogUpdate {
        json,
        added,
        changed,
    } = catalog_update(catalog(), text, today).map_err(|error| Error::ModelFacts {
        code: error.code(),
        message: error.to_string(),
    })?;
    model_facts::write(app.data_dir.path(), &json)?;
    for (what, ids) in [("new", added), ("changed", changed)] {
        for id in ids {
            output::write(&format!("{what}  {id}\n"))?;
        }
    }
    screen.hint(&format!(
        "saved the facts of {today} in {}; servers read them at start",
        model_facts::path(app.data_dir.path()).display()
    ));
    Ok(())
}

/// Runs a command on the operator's keys, which serve every tenant without a key of its own.
async fn key(app: &App, command: ModelKeyCommand, screen: &Screen) -> Result<()> {
    let vendor_of = |id: &str| Provider::parse(id).ok_or_else(|| provider_unknown(id));
    match command {
        ModelKeyCommand::Set {
            vendor,
            variable,
            base_url,
            allow_sources: _,
        } => {
            let vendor = vendor_of(&vendor)?;
            let text = match variable {
                Some(name) => std::env::var(&name).map_err(|_| {
                    Error::SettingInvalid(format!("the variable {name} is not set"))
                })?,
                None => line()?,
            };
            // Where the key file is missing, encrypting fails below. If secrets use another machine's key, a warning is
            // enough.
            if let Some(error) = keys_check(&app.store, &app.keys).await?
                && app.keys.load()?.is_some()
            {
                screen.warning(&message_of(&error));
            }
            let key = ProviderKey::new(text, base_url);
            let policy = app.policy.outbound();
            operator_key_set(&app.store, &app.keys.keyring(), policy, (vendor, &key)).await?;
            screen.hint(&format!(
                "stored the key for {} encrypted: tenants without their own key use it",
                vendor.name()
            ));
            screen.hint(&format!(
                "it was not tried: `nyxcore models key verify {}` does",
                vendor.id()
            ));
        }
        // Verifying makes a tenant's call through the model service, which another module does.
        ModelKeyCommand::Verify { .. } => {}
        ModelKeyCommand::Remove { vendor } => {
            let vendor = vendor_of(&vendor)?;
            let was_there = operator_key_remove(&app.store, vendor).await?;
            screen.hint(match was_there {
                true => "deleted the key; running servers stop using it within 10 seconds",
                false => "there was no such key",
            });
        }
    }
    Ok(())
}

/// Reads one line of standard input. Other accounts cannot see it, unlike a command line.
fn line() -> Result<String> {
    let mut text = String::new();
    let read = io::stdin().lock().read_line(&mut text);
    read.context("reading the key from standard input failed")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
