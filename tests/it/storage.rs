//! The schema on both databases.

mod credentials;
mod hang_ups;
mod locks;
mod lone;
mod outages;
mod revocations;
mod times;

use nyxcore_migrations::{SchemaState, schema_state};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;

on_both_databases! {
    async fn a_migrated_database_is_current(db: TestDatabase) {
        let app = db.app_connection().await.unwrap();
        assert_eq!(schema_state(&app).await.unwrap(), SchemaState::Current);
    }

    async fn a_database_with_an_unknown_migration_is_newer(db: TestDatabase) {
        let owner = db.superuser_connection().await.unwrap();
        let unknown = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_the_future', 0)";
        owner.execute_unprepared(unknown).await.unwrap();
        assert_eq!(schema_state(&owner).await.unwrap(), SchemaState::Newer);
    }
}
