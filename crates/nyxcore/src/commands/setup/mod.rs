//! `setup postgres`: creates the roles, the database and the schema of an installation, as an administrator of the
//! server.
//!
//! It creates two roles: one owns the schema and migrates it, the other serves and owns nothing. The command is
//! idempotent: it creates only what is missing.

mod credentials;
mod plan;
mod scram;
mod server;

use std::path::Path;

use anyhow::bail;
use url::Url;

use crate::cli::SetupPostgresArgs;
use crate::commands::migrate;
use crate::database::{Place, connection_open};
use crate::error::{Error, Result};
use crate::output;
use crate::progress::Screen;
use crate::settings::Settings;
use credentials::{
    APP_FILE, CredentialFiles, OWNER_FILE, RolePassword, admin_url, is_filled, role_url,
};
use plan::{Names, Plan};
use server::Server;

/// Sets PostgreSQL up, and prints or writes the URLs of the two roles.
///
/// # Errors
/// [`Error::SettingInvalid`] for invalid flags or variables; [`Error::SetupRefused`] names the step that failed; the
/// server cannot be reached.
pub async fn postgres(settings: &Settings, args: SetupPostgresArgs, screen: &Screen) -> Result<()> {
    let names = Names::of(&args)?;
    let owner = RolePassword::read(
        "NYXCORE_OWNER_PASSWORD",
        args.owner_password_file.as_deref(),
    )?;
    let app = RolePassword::read("NYXCORE_APP_PASSWORD", args.app_password_file.as_deref())?;
    let admin = match (admin_url(args.admin_url)?, args.dry_run) {
        (Some(admin), _) => admin,
        // For another administrator: all statements, as for a server where nothing exists yet.
        (None, true) => return output::write(&Plan::fresh(&names).text(&names)),
        (None, false) => {
            bail!(Error::SettingInvalid(
                "set the administrator's URL: NYXCORE_ADMIN_URL=postgres://postgres@host/postgres, or --admin-url".into(),
            ));
        }
    };
    let server = connection_open(&Place::Postgres(admin.to_string()), settings).await?;
    let state = Server::look(&server, &names).await;
    let planned =
        state.and_then(|state| Plan::new(&names, &state, [owner, app], args.new_passwords));
    let plan = match planned {
        Ok(plan) if args.dry_run => {
            let _closed = server.close().await;
            return output::write(&plan.text(&names));
        }
        other => other?,
    };
    if let Some(folder) = &args.output {
        let unknown = [
            (OWNER_FILE, &names.owner, plan.owner_password()),
            (APP_FILE, &names.app, plan.app_password()),
        ]
        .into_iter()
        .filter(|(file, _, password)| password.is_none() && !is_filled(&folder.join(file)));
        let unknown: Vec<(&str, &str)> = unknown
            .map(|(file, role, _)| (file, role.as_str()))
            .collect();
        credentials_known(folder, &unknown)?;
    }
    // Opened first: without a file to write to, the new passwords would be lost.
    let files = args.output.map(CredentialFiles::open).transpose()?;
    plan.roles_make(&server).await?;
    credentials_show(&plan, &admin, &names, files.as_ref(), screen)?;
    plan.database_make(&server).await?;
    let _closed = server.close().await;
    schema_make(settings, &admin, &names, &plan).await?;
    if let Some(files) = files {
        let app = files.app_path().display();
        screen.hint(&format!(
            "next: `set -a; . '{app}'; set +a` names the database to `nyxcore tenant create` and `nyxcore serve`"
        ));
    }
    Ok(())
}

/// Refuses to write the URL of a role whose password is unknown. If the file were empty, a process that sources it
/// would silently use SQLite.
fn credentials_known(folder: &Path, unknown: &[(&str, &str)]) -> Result<()> {
    let [first, rest @ ..] = unknown else {
        return Ok(());
    };
    let reason = match rest {
        [] => format!(
            "the role {} exists, and its password, which {} needs, is not known: --new-passwords gives new ones",
            first.1,
            folder.join(first.0).display()
        ),
        [second, ..] => format!(
            "the roles {} and {} exist, and their passwords, which {} and {} need, are not known: --new-passwords gives new ones",
            first.1,
            second.1,
            folder.join(first.0).display(),
            folder.join(second.0).display()
        ),
    };
    Err(Error::SetupRefused {
        step: "nothing was changed".into(),
        reason,
    }
    .into())
}

/// Prints or writes the URLs as soon as the roles exist, even if a later step fails.
fn credentials_show(
    plan: &Plan,
    admin: &Url,
    names: &Names,
    files: Option<&CredentialFiles>,
    screen: &Screen,
) -> Result<()> {
    let mut written = Vec::new();
    for (role, password) in [
        (&names.owner, plan.owner_password()),
        (&names.app, plan.app_password()),
    ] {
        let Some(password) = password else {
            screen.hint(&format!(
                "the role {role} exists and keeps its password; use --new-passwords to change it"
            ));
            continue;
        };
        let is_owner = *role == names.owner;
        let url = role_url(admin, role, password, &names.database)?;
        match files {
            Some(files) => written.push(files.write(is_owner, &url)?.display().to_string()),
            None => {
                let purpose = if is_owner {
                    "migrates: keep it away from the servers"
                } else {
                    "serves"
                };
                output::write(&format!(
                    "# {role} {purpose}\nNYXCORE_DATABASE_URL={}\n",
                    url.as_str()
                ))?;
            }
        }
    }
    if !written.is_empty() {
        screen.hint(&format!("wrote {}", written.join(" and ")));
    }
    Ok(())
}

/// Creates the objects in the database itself: first as the administrator, then as the owner.
async fn schema_make(settings: &Settings, admin: &Url, names: &Names, plan: &Plan) -> Result<()> {
    let mut url = admin.clone();
    url.set_path(&names.database);
    let database = connection_open(&Place::Postgres(url.to_string()), settings).await?;
    let prepared = plan.schema_prepare(&database).await;
    let _closed = database.close().await;
    prepared?;
    // All objects belong to the owner. Setting the role needs no password of the owner.
    url.query_pairs_mut()
        .append_pair("options[role]", &names.owner);
    let database = connection_open(&Place::Postgres(url.to_string()), settings).await?;
    let migrated = migrate::migrate(&database, Some(&names.app)).await;
    let _closed = database.close().await;
    migrated
}
