//! `migrate`: migrates the schema as the database owner.

use anyhow::bail;
use nyxcore_migrations::owner::owner_lacks;
use nyxcore_migrations::{SchemaState, grant_app_role, schema_state, vectors};
use sea_orm::DatabaseConnection;

use crate::cli::MigrateArgs;
use crate::data_dir::DataDir;
use crate::database::{Place, connection_open, migration_refused, schema_migrate};
use crate::error::{Error, Result};
use crate::output;
use crate::settings::Settings;

/// Applies the missing migrations and prints their names, one a line.
///
/// # Errors
/// [`Error::DatabaseNewer`]; [`Error::OwnerLacks`]; the database cannot be reached or refuses.
pub async fn run(settings: &Settings, args: MigrateArgs) -> Result<()> {
    let place = match settings.database_url {
        Some(_) => Place::of(settings, &settings.data_dir)?,
        None => {
            let data_dir = DataDir::prepare(&settings.data_dir)?;
            Place::of(settings, data_dir.path())?
        }
    };
    place.check(&settings.data_dir)?;
    let connection = connection_open(&place, settings).await?;
    let migrated = migrate(&connection, args.app_role.as_deref()).await;
    let closed = connection.close().await;
    migrated?;
    Ok(closed.map_err(nyxcore_tenancy::Error::from)?)
}

/// Applies the missing migrations, and grants the serving role its rights. Missing rights of the connected role are
/// reported before any change.
pub(super) async fn migrate(connection: &DatabaseConnection, app_role: Option<&str>) -> Result<()> {
    if schema_state(connection).await.map_err(migration_refused)? == SchemaState::Newer {
        bail!(Error::DatabaseNewer);
    }
    let lacks = owner_lacks(connection, app_role)
        .await
        .map_err(migration_refused)?;
    if !lacks.is_empty() {
        bail!(Error::OwnerLacks(lacks.join("; ")));
    }
    let applied = schema_migrate(connection).await?;
    for name in &applied {
        output::write(&format!("applied {name}\n"))?;
    }
    if applied.is_empty() {
        output::write("the schema is current\n")?;
    }
    // The extension for vectors may have been installed since the last migration.
    vectors::prepare(connection)
        .await
        .map_err(migration_refused)?;
    if let Some(role) = app_role {
        grant_app_role(connection, role)
            .await
            .map_err(migration_refused)?;
        output::write(&format!("granted to {role}\n"))?;
    }
    Ok(())
}
