//! The guarantees of the test harness: each test has its own database, and the serving role is an ordinary one.

use nyxcore_tests::{TestDatabase, on_both_databases, run_on_postgres};
use sea_orm::{ConnectionTrait, Statement};

on_both_databases! {
    async fn two_databases_of_one_run_share_nothing(db: TestDatabase) {
        let other = match db.backend() {
            sea_orm::DbBackend::Sqlite => TestDatabase::sqlite().await.unwrap(),
            _ => TestDatabase::postgres().await.unwrap(),
        };
        let table = "CREATE TABLE only_here (n INTEGER)";
        db.superuser_connection().await.unwrap().execute_unprepared(table).await.unwrap();
        other.superuser_connection().await.unwrap().execute_unprepared(table).await.unwrap();
    }
}

#[test]
fn the_serving_role_has_no_special_privileges() {
    run_on_postgres(|db| async move {
        let app = db.app_connection().await.unwrap();
        let row = app
            .query_one_raw(Statement::from_string(
                app.get_database_backend(),
                "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR EXISTS
                    (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid) AS is_more
                 FROM pg_roles WHERE rolname = current_user",
            ))
            .await
            .unwrap()
            .unwrap();
        assert!(!row.try_get::<bool>("", "is_more").unwrap());
    });
}
