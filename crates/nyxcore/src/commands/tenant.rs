//! `tenant create` and `token create`: what an operator does beside a running server.

use nyxcore_tenancy::directory::{
    NewApiToken, api_token_create, tenant_by_slug, tenant_create, user_by_email,
};
use nyxcore_tenancy::{Error as StoreError, Role, Store, TenantId, UserId};

use crate::cli::{TenantCommand, TokenCommand};
use crate::error::Result;
use crate::output;
use crate::settings::Settings;
use crate::wiring::App;

/// Carries out a command on tenants.
///
/// # Errors
/// `INVALID_INPUT`, `CONFLICT` where the slug is taken; the database cannot be used.
pub async fn tenant(settings: Settings, command: TenantCommand) -> Result<()> {
    let TenantCommand::Create {
        slug,
        name,
        owner,
        print_token,
    } = command;
    App::once(settings, async |app| {
        let (tenant, owner) = tenant_create(&app.store, &slug, &name, &owner).await?;
        anstream::eprintln!("made the tenant {} for {}", tenant.slug, owner.email);
        if print_token {
            let token =
                token_make(&app.store, tenant.id, owner.id, Role::Owner, "command line").await?;
            output::write(&format!("{token}\n"))?;
        }
        Ok(())
    })
    .await
}

/// Carries out a command on tokens.
///
/// # Errors
/// `NOT_FOUND` for the tenant or the member, `FORBIDDEN` for a role above the member's; the database cannot be used.
pub async fn token(settings: Settings, command: TokenCommand) -> Result<()> {
    let TokenCommand::Create {
        tenant,
        user,
        role,
        name,
    } = command;
    App::once(settings, async |app| {
        let tenant = tenant_by_slug(&app.store, &tenant).await?;
        let tenant = tenant.ok_or(StoreError::NotFound("tenant"))?;
        let user = user_by_email(&app.store, &user).await?;
        let user = user.ok_or(StoreError::NotFound("user"))?;
        let token = token_make(&app.store, tenant.id, user.id, role.into(), &name).await?;
        output::write(&format!("{token}\n"))
    })
    .await
}

/// Makes a token that does not expire, and gives its text.
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
