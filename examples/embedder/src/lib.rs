//! A glossary for every tenant, on nyxcore's crates and without a change to them: a table of its own ([`migration`]), a
//! resource with its line of the policy and the verbs on it ([`term`]), and a kind of run ([`review`]).

pub mod migration;
pub mod review;
pub mod row;
pub mod term;

use anyhow::Result;
use nyxcore_migrations::sea_orm_migration::sea_orm::DatabaseConnection;
use nyxcore_migrations::{Migrator, MigratorTrait, grant_app_role};
use nyxcore_runs::RunId;
use nyxcore_tenancy::{Action::*, Env, Registration, Registry, ResourcePolicy, Role::*, TypedId};
use nyxcore_tenancy::{Store, StoreOptions, database_open};

/// What the glossary brings into the registry of the process.
pub fn registration() -> Registration {
    let term = ResourcePolicy::new(term::TERM, &[(Read, Viewer), (Create, Member)]);
    let review = ResourcePolicy::new(review::REVIEW, &[(Read, Viewer), (Start, Member)]);
    Registration::new("glossary")
        .requires("nyxcore-runs")
        .resource(term)
        .resource(review.id_prefix(RunId::PREFIX))
        .run_kind(review::REVIEW_RUN)
}

/// Brings the schema up to date, nyxcore's and then the glossary's. On PostgreSQL it runs as the owner of the tables
/// and grants the role that serves what it needs.
pub async fn migrate(url: &str, app_role: Option<&str>) -> Result<DatabaseConnection> {
    let owner = database_open(&StoreOptions::new(url)).await?;
    Migrator::up(&owner, None).await?;
    migration::GlossaryMigrator::up(&owner, None).await?;
    if let Some(role) = app_role {
        grant_app_role(&owner, role).await?;
    }
    Ok(owner)
}

/// Opens the store with every name that this process uses.
pub async fn store_open(url: &str) -> Result<Store> {
    let registry = Registry::new([nyxcore_runs::registration(), registration()])?;
    let options = StoreOptions::new(url).with_registry(registry);
    Ok(Store::connect(&options, Env::default()).await?)
}
