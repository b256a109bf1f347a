//! The one schema history of both databases, with row-level security on PostgreSQL.
//!
//! Each migration is one file of SQL text. Type names are written as `$uuid`, `$time` and so on, and replaced with the
//! types of the database ([`ddl`]). A table with a tenant is created by [`ddl::Ddl::tenant_table`], which also creates
//! its row-level security. A test reads `pg_class` and checks that no such table was created in another way.

pub mod ddl;
mod embedded;
pub mod guard;
mod m0001_directory;
mod m0002_projects;
mod m0003_runs;
mod m0004_search;
mod m0005_knowledge;
mod m0006_analysis;
mod m0007_people;
mod m0008_sign_in;
mod m0009_audit;
mod m0010_secrets;
mod m0011_posts;
mod m0012_remotes;
mod m0014_texts;
mod m0015_search_tenants;
mod m0016_function_owner;
mod m0017_place_sources;
mod m0018_models;
mod m0019_personas;
mod m0020_context;
mod m0021_search_fields;
mod m0022_knowledge_life;
mod m0023_vectors;
mod m0024_consolidations;
mod m0025_list_indexes;
mod m0026_search_speed;
mod m0027_search_words;
mod m0028_nearest_rows;
pub mod owner;
pub mod vectors;

/// The migration library, for the migrations of an embedding program's own tables.
pub use sea_orm_migration;
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement,
};

/// The schema history, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_directory::Migration),
            Box::new(m0002_projects::Migration),
            Box::new(m0003_runs::Migration),
            Box::new(m0004_search::Migration),
            Box::new(m0005_knowledge::Migration),
            Box::new(m0006_analysis::Migration),
            Box::new(m0007_people::Migration),
            Box::new(m0008_sign_in::Migration),
            Box::new(m0009_audit::Migration),
            Box::new(m0010_secrets::Migration),
            Box::new(m0011_posts::Migration),
            Box::new(m0012_remotes::Migration),
            Box::new(m0014_texts::Migration),
            Box::new(m0015_search_tenants::Migration),
            Box::new(m0016_function_owner::Migration),
            Box::new(m0017_place_sources::Migration),
            Box::new(m0018_models::Migration),
            Box::new(m0019_personas::Migration),
            Box::new(m0020_context::Migration),
            Box::new(m0021_search_fields::Migration),
            Box::new(m0022_knowledge_life::Migration),
            Box::new(m0023_vectors::Migration),
            Box::new(m0024_consolidations::Migration),
            Box::new(m0025_list_indexes::Migration),
            Box::new(m0026_search_speed::Migration),
            Box::new(m0027_search_words::Migration),
            Box::new(m0028_nearest_rows::Migration),
        ]
    }
}

/// The state of a database's schema, by its record of applied migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// All migrations that this program knows have been applied, and no others.
    Current,
    /// Some migrations are not applied yet (in a new database: all of them).
    Behind,
    /// The database has migrations that this program does not know: a newer program has used it.
    Newer,
}

/// Compares the database with this program's migrations, without changing anything.
///
/// # Errors
/// The error of the database, if its record of applied migrations cannot be read.
pub async fn schema_state(db: &DatabaseConnection) -> Result<SchemaState, DbErr> {
    let manager = SchemaManager::new(db);
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|m| m.name().to_owned())
        .collect();
    if !manager.has_table("seaql_migrations").await? {
        return Ok(SchemaState::Behind);
    }
    let applied: Vec<String> = db
        .query_all_raw(Statement::from_string(
            db.get_database_backend(),
            "SELECT version FROM seaql_migrations",
        ))
        .await?
        .into_iter()
        .map(|row| row.try_get("", "version"))
        .collect::<Result<_, _>>()?;
    if applied.iter().any(|name| !known.contains(name)) {
        return Ok(SchemaState::Newer);
    }
    Ok(if applied.len() == known.len() {
        SchemaState::Current
    } else {
        SchemaState::Behind
    })
}

/// Whether a name of a role or a database needs no escaping between quotes in SQL: 1 to 63 ASCII letters, digits and
/// underscores. PostgreSQL truncates longer names to 63 bytes.
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=63).contains(&name.len()) && name.chars().all(is_plain)
}

/// Grants the serving role its rights on every table: to rows, never to the schema. A no-op on SQLite.
///
/// Run it as the owner after each migration; it is idempotent.
///
/// # Errors
/// The role's name is not an identifier, the role does not exist, or the connection may not grant.
pub async fn grant_app_role(db: &impl ConnectionTrait, role: &str) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    if !is_plain_name(role) {
        return Err(DbErr::Custom(format!(
            "a role's name has 1 to 63 letters, digits and underscores: {role:?}"
        )));
    }
    for grant in [
        format!("GRANT USAGE ON SCHEMA public TO \"{role}\""),
        format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\""
        ),
        format!("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON seaql_migrations FROM \"{role}\""),
        // Deleting a tenant would delete its audit log.
        format!("REVOKE DELETE, TRUNCATE ON tenants FROM \"{role}\""),
        format!(
            "REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM \"{role}\"",
            m0009_audit::APPEND_ONLY.join(", ")
        ),
        format!(
            "GRANT EXECUTE ON FUNCTION {} TO \"{role}\"",
            m0027_search_words::COUNTS_FUNCTION
        ),
        format!(
            "GRANT EXECUTE ON FUNCTION {} TO \"{role}\"",
            m0027_search_words::SEARCH_FUNCTION
        ),
        format!(
            "GRANT EXECUTE ON FUNCTION {} TO \"{role}\"",
            m0023_vectors::FUNCTION
        ),
        format!(
            "GRANT EXECUTE ON FUNCTION {} TO \"{role}\"",
            m0009_audit::FUNCTION
        ),
    ] {
        db.execute_unprepared(&grant).await?;
    }
    Ok(())
}
