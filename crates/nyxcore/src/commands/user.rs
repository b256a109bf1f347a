//! `user set-password` and `user list`: manage user accounts.

use std::collections::HashMap;
use std::io::{BufRead, IsTerminal, Read};

use anyhow::Context;
use nyxcore_tenancy::directory::{tenant_list, user_list};
use nyxcore_tenancy::sign_in::{Password, PasswordHasher, password_reset};
use nyxcore_tenancy::{Role, TenantId};

use super::tenant::tenant_unknown;
use crate::cli::UserCommand;
use crate::error::Result;
use crate::output::{self, Table};
use crate::settings::Settings;
use crate::wiring::App;

/// The maximum length of the line: four bytes for each character of the longest password.
const LINE_MAX: u64 = 4 * 1024 + 2;

/// Carries out a command on accounts.
///
/// # Errors
/// `NOT_FOUND` for the person, `INVALID_INPUT` for an invalid password; the database cannot be used.
pub async fn run(settings: Settings, command: UserCommand) -> Result<()> {
    App::look(settings, async |app| match command {
        UserCommand::SetPassword { email } => password_take(app, &email).await,
        UserCommand::List { tenant } => list(app, tenant.as_deref()).await,
    })
    .await
}

/// A line for each account, or for each member of the tenant.
async fn list(app: &App, slug: Option<&str>) -> Result<()> {
    let tenants = tenant_list(&app.store).await?;
    if let Some(slug) = slug
        && !tenants.iter().any(|tenant| tenant.slug == slug)
    {
        return Err(tenant_unknown(slug).into());
    }
    let slugs: HashMap<TenantId, &str> = tenants
        .iter()
        .map(|tenant| (tenant.id, tenant.slug.as_str()))
        .collect();
    let mut table = Table::new(["EMAIL", "NAME", "ID", "TENANTS"]);
    for (user, memberships) in user_list(&app.store).await? {
        let roles: Vec<(&str, Role)> = memberships
            .iter()
            .filter_map(|(tenant, role)| Some((*slugs.get(tenant)?, *role)))
            .filter(|(of_tenant, _)| slug.is_none_or(|slug| slug == *of_tenant))
            .collect();
        if slug.is_some() && roles.is_empty() {
            continue;
        }
        let mut roles: Vec<String> = roles
            .iter()
            .map(|(slug, role)| format!("{slug}={}", role.as_str()))
            .collect();
        roles.sort_unstable();
        table.row([user.email, user.name, user.id.to_string(), roles.join(",")]);
    }
    output::write(&table.text())
}

async fn password_take(app: &App, email: &str) -> Result<()> {
    if std::io::stdin().is_terminal() {
        anstream::eprint!("New password for {email}: ");
    }
    let password = line_read().context("reading the password failed")?;
    let user = password_reset(&app.store, &PasswordHasher::new()?, email, &password).await?;
    anstream::eprintln!("{} has a new password; all sessions ended", user.email);
    Ok(())
}

fn line_read() -> std::io::Result<Password> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(LINE_MAX)
        .read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(Password::new(line))
}
