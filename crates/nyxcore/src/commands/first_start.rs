//! The first start of a server: creates the first tenant and owner from environment variables, without a browser.

use std::env::{VarError, var};
use std::io::IsTerminal;
use std::net::SocketAddr;

use anyhow::bail;
use nyxcore_gateway::{Gateway, LinkPurpose};
use nyxcore_tenancy::Store;
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::sign_in::{FirstOwner, Password, PasswordHasher, first_owner_create};

use crate::error::{Error, Result};
use crate::output;
use crate::wiring::link_make;

const TENANT: &str = "NYXCORE_INIT_TENANT";
const EMAIL: &str = "NYXCORE_INIT_OWNER_EMAIL";
const PASSWORD: &str = "NYXCORE_INIT_OWNER_PASSWORD";
const PASSWORD_FILE: &str = "NYXCORE_INIT_OWNER_PASSWORD_FILE";

/// Creates the first tenant and its owner if the environment names them and there is no tenant yet.
///
/// # Errors
/// [`Error::SettingInvalid`] where only some of the variables are set; the tenant, the address or the password is
/// invalid.
pub async fn owner_make(store: &Store, hasher: &PasswordHasher) -> Result<()> {
    let Some(first) = first_owner_read()? else {
        return Ok(());
    };
    match first_owner_create(store, hasher, &first).await? {
        Some((tenant, _)) => {
            tracing::info!(tenant = %tenant.slug, "created the first tenant and its owner");
        }
        None => tracing::debug!("a tenant already exists: {TENANT} has no effect"),
    }
    Ok(())
}

/// Says how to create a tenant if there is none: without one a server is of no use. If the server listens on loopback
/// and standard output is a terminal, it prints a link that creates one in the browser. The link is never logged.
///
/// # Errors
/// The database fails; the terminal cannot be written to.
pub async fn set_up_offer(store: &Store, gateway: Gateway, address: SocketAddr) -> Result<Gateway> {
    if !tenant_list(store).await?.is_empty() {
        return Ok(gateway);
    }
    tracing::warn!(
        "there is no tenant yet: create one with `nyxcore tenant create SLUG --name NAME --owner EMAIL --print-token`, or start with {TENANT}, {EMAIL} and {PASSWORD}"
    );
    if !address.ip().to_canonical().is_loopback() || !std::io::stdout().is_terminal() {
        return Ok(gateway);
    }
    let (secret, link) = link_make(store, LinkPurpose::SetUp)?;
    output::write(&format!(
        "Set up this server in a browser, within an hour: http://{address}/set-up#{secret}\n"
    ))?;
    Ok(gateway.with_link(link))
}

fn first_owner_read() -> Result<Option<FirstOwner>> {
    let password = match (variable_read(PASSWORD)?, variable_read(PASSWORD_FILE)?) {
        (Some(_), Some(_)) => {
            bail!(Error::SettingInvalid(format!(
                "set {PASSWORD} or {PASSWORD_FILE}, not both"
            )));
        }
        (Some(password), None) => Some(Password::new(password)),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                Error::SettingInvalid(format!("{PASSWORD_FILE} cannot be read: {error}"))
            })?;
            Some(Password::new(text.trim_end_matches(['\r', '\n'])))
        }
        (None, None) => None,
    };
    match (variable_read(TENANT)?, variable_read(EMAIL)?, password) {
        (None, None, None) => Ok(None),
        (Some(tenant), Some(email), Some(password)) => Ok(Some(FirstOwner {
            tenant,
            name: None,
            email,
            password,
        })),
        _ => Err(Error::SettingInvalid(format!(
            "for the first owner set all of {TENANT}, {EMAIL} and {PASSWORD} (or {PASSWORD_FILE})"
        ))
        .into()),
    }
}

/// The value of a variable; an empty one counts as not set.
pub(super) fn variable_read(name: &'static str) -> Result<Option<String>> {
    match var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Error::SettingInvalid(format!("{name} is not UTF-8")).into())
        }
    }
}
