//! `tenant` and `token`: manage tenants and API tokens beside a running server.

use anyhow::bail;
use chrono::{DateTime, SecondsFormat, Utc};
use nyxcore_tenancy::directory::{
    ApiTokens, NewApiToken, api_token_create, api_token_revoke, tenant_by_slug, tenant_create,
    tenant_list, user_by_email, user_memberships, users_by_id,
};
use nyxcore_tenancy::{
    ApiTokenId, Error as StoreError, PAGE_MAX, PageRequest, Repository, Role, Store, Tenant,
    TenantId, TypedId, UserId,
};
use sea_orm::{Condition, DbBackend};

use crate::cli::{TenantCommand, TokenCommand};
use crate::error::{Error, Result};
use crate::output::{self, Table};
use crate::settings::Settings;
use crate::wiring::App;

/// Characters of a token up to the end of its id: `nyx_` and 26 for the id.
const TOKEN_ID_END: usize = 30;

/// Carries out a command on tenants.
///
/// # Errors
/// `INVALID_INPUT`, `CONFLICT` where the slug is taken; the database cannot be used.
pub async fn tenant(settings: Settings, command: TenantCommand) -> Result<()> {
    match command {
        TenantCommand::Create {
            slug,
            name,
            owner,
            print_token,
        } => {
            App::once(settings, async |app| {
                let (tenant, owner) = tenant_create(&app.store, &slug, &name, &owner).await?;
                anstream::eprintln!("created the tenant {} for {}", tenant.slug, owner.email);
                if print_token {
                    let name = "command line";
                    let token =
                        token_make(&app.store, tenant.id, owner.id, Role::Owner, name).await?;
                    output::write(&format!("{token}\n"))?;
                }
                Ok(())
            })
            .await
        }
        TenantCommand::List => {
            App::look(settings, async |app| {
                let mut table = Table::new(["SLUG", "NAME", "ID", "MADE"]);
                for tenant in tenant_list(&app.store).await? {
                    let made = time(tenant.created_at);
                    table.row([tenant.slug, tenant.name, tenant.id.to_string(), made]);
                }
                output::write(&table.text())
            })
            .await
        }
    }
}

/// Carries out a command on tokens.
///
/// # Errors
/// `NOT_FOUND` for the tenant, the member or the token, `FORBIDDEN` for a role above the member's; the database cannot
/// be used.
pub async fn token(settings: Settings, command: TokenCommand) -> Result<()> {
    App::look(settings, async |app| match command {
        TokenCommand::Create {
            tenant,
            user,
            role,
            name,
        } => {
            let tenant = tenant_require(&app.store, &tenant).await?;
            let user = user_by_email(&app.store, &user).await?;
            let user = user.ok_or(StoreError::NotFound("user"))?;
            let memberships = user_memberships(&app.store, user.id).await?;
            let member = memberships.iter().find(|(of, _)| of.id == tenant.id);
            let Some((_, member)) = member else {
                bail!(Error::NotAMember {
                    email: user.email,
                    tenant: tenant.slug,
                });
            };
            let role = role.map_or(member.role, Role::from);
            let token = token_make(&app.store, tenant.id, user.id, role, &name).await?;
            anstream::eprintln!(
                "made a token of the role {} for {}; --role makes one that may do less",
                role.as_str(),
                user.email
            );
            output::write(&format!("{token}\n"))
        }
        TokenCommand::List { tenant } => tokens_print(&app.store, &tenant).await,
        TokenCommand::Revoke { token, tenant } => token_revoke(&app.store, &tenant, &token).await,
    })
    .await
}

/// The tenant with that short name.
///
/// # Errors
/// `NOT_FOUND`; the database cannot be used.
pub(super) async fn tenant_require(store: &Store, slug: &str) -> Result<Tenant> {
    let tenant = tenant_by_slug(store, slug).await?;
    Ok(tenant.ok_or_else(|| tenant_unknown(slug))?)
}

/// The error for a slug that no tenant has.
pub(super) fn tenant_unknown(slug: &str) -> Error {
    Error::NotKnown(format!(
        "there is no tenant {slug:?}: `nyxcore tenant list` prints those that there are"
    ))
}

/// A line for each token of the tenant, newest first.
async fn tokens_print(store: &Store, slug: &str) -> Result<()> {
    let tenant = tenant_require(store, slug).await?;
    let scoped = store.read(tenant.id).await?;
    let mut table = Table::new(["ID", "NAME", "OWNER", "ROLE", "MADE", "USED", "STATE"]);
    let mut page = PageRequest::first(PAGE_MAX);
    loop {
        let found = ApiTokens::list(&scoped, Condition::all(), &page).await?;
        page.after = found.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = found.has_next;
        let tokens = found.into_items();
        let owners: Vec<UserId> = tokens.iter().map(|token| token.user_id).collect();
        let owners = users_by_id(&scoped, &owners).await?;
        for token in tokens {
            let owner = owners.iter().find(|user| user.id == token.user_id);
            let state = match (token.revoked_at, token.expires_at) {
                (Some(at), _) => format!("revoked {}", time(at)),
                (None, Some(at)) if at <= scoped.env().now() => format!("expired {}", time(at)),
                (None, Some(at)) => format!("until {}", time(at)),
                (None, None) => "valid".to_owned(),
            };
            table.row([
                token.id.to_string(),
                token.name,
                owner.map(|user| user.email.clone()).unwrap_or_default(),
                token.role.as_str().to_owned(),
                time(token.created_at),
                token.last_used_at.map(time).unwrap_or_default(),
                state,
            ]);
        }
        if !has_next {
            return output::write(&table.text());
        }
    }
}

async fn token_revoke(store: &Store, slug: &str, text: &str) -> Result<()> {
    let invalid = || {
        StoreError::Invalid("give the id of the token, as printed by `nyxcore token list`".into())
    };
    let id = match text.strip_prefix("nyx_") {
        Some(_) => {
            let public = text.get(4..TOKEN_ID_END).ok_or_else(invalid)?;
            ApiTokenId::parse(&format!("{}_{public}", ApiTokenId::PREFIX))
        }
        None => ApiTokenId::parse(text),
    };
    let id = id.map_err(|_| invalid())?;
    let tenant = tenant_require(store, slug).await?;
    let scoped = store.write_as_operator(tenant.id).await?;
    let token = api_token_revoke(&scoped, id).await?;
    scoped.commit().await?;
    // A SQLite file does not notify other processes, so `StoreOptions::credential_recheck` is the bound.
    let bound = match store.backend() {
        DbBackend::Sqlite => {
            "; a running server on the same SQLite file takes it for at most 1 s more"
        }
        _ => "",
    };
    anstream::eprintln!("revoked the token {}{bound}", token.id);
    Ok(())
}

/// A time in the format of the API, to the second.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Creates a token that does not expire, and returns its text.
async fn token_make(
    store: &Store,
    tenant: TenantId,
    user: UserId,
    role: Role,
    name: &str,
) -> Result<String> {
    let scoped = store.write_as_operator(tenant).await?;
    let new = NewApiToken {
        user,
        name: name.to_owned(),
        role,
        expires_at: None,
    };
    let (_token, text) = api_token_create(&scoped, new).await?;
    scoped.commit().await?;
    Ok(text)
}
