//! The schema itself, on both databases.

use nyxcore_migrations::{SchemaState, schema_state};
use nyxcore_tests::{TestDatabase, on_both_databases, run_on_postgres};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

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

/// Tables with a `tenant_id` that lack row-level security, FORCE, or the policy for reading and writing.
const UNGUARDED: &str = "
    SELECT c.relname AS name
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p')
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
          SELECT 1 FROM pg_policy p
          WHERE p.polrelid = c.oid AND p.polname = 'tenant_isolation' AND p.polcmd = '*'
            AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL
            AND p.polroles = '{0}'))
    ORDER BY 1";

#[test]
fn every_table_with_a_tenant_is_guarded_by_row_security() {
    run_on_postgres(|db| async move {
        let owner = db.superuser_connection().await.unwrap();
        let guarded = "SELECT c.relname AS name FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' WHERE c.relkind = 'r'";
        assert!(
            !names(&owner, guarded).await.is_empty(),
            "the schema has tables with a tenant"
        );
        assert_eq!(names(&owner, UNGUARDED).await, Vec::<String>::new());
    });
}

#[test]
fn the_check_of_row_security_sees_a_table_that_lacks_any_part_of_it() {
    run_on_postgres(|db| async move {
        let owner = db.superuser_connection().await.unwrap();
        owner
            .execute_unprepared(
                "CREATE TABLE a_bare (tenant_id uuid);
                 CREATE TABLE b_not_forced (tenant_id uuid);
                 ALTER TABLE b_not_forced ENABLE ROW LEVEL SECURITY;
                 CREATE POLICY tenant_isolation ON b_not_forced USING (false) WITH CHECK (false);
                 CREATE TABLE c_reads_only (tenant_id uuid);
                 ALTER TABLE c_reads_only ENABLE ROW LEVEL SECURITY;
                 ALTER TABLE c_reads_only FORCE ROW LEVEL SECURITY;
                 CREATE POLICY tenant_isolation ON c_reads_only FOR SELECT USING (false);",
            )
            .await
            .unwrap();
        assert_eq!(
            names(&owner, UNGUARDED).await,
            ["a_bare", "b_not_forced", "c_reads_only"]
        );
    });
}

/// Foreign keys ignore row-level security, so one that leaves out the tenant would tell of another's rows.
#[test]
fn a_foreign_key_between_tables_with_a_tenant_includes_the_tenant() {
    run_on_postgres(|db| async move {
        let owner = db.superuser_connection().await.unwrap();
        let loose = "
            SELECT k.conname AS name
            FROM pg_constraint k
            JOIN pg_attribute here ON here.attrelid = k.conrelid AND here.attname = 'tenant_id'
            JOIN pg_attribute there ON there.attrelid = k.confrelid AND there.attname = 'tenant_id'
            WHERE k.contype = 'f'
              AND NOT EXISTS (
                  SELECT 1 FROM unnest(k.conkey, k.confkey) AS pair (a, b)
                  WHERE pair.a = here.attnum AND pair.b = there.attnum)
            ORDER BY 1";
        assert_eq!(names(&owner, loose).await, Vec::<String>::new());
        owner
            .execute_unprepared(
                "CREATE TABLE parents (tenant_id uuid, id uuid UNIQUE);
                 CREATE TABLE children (tenant_id uuid, parent_id uuid REFERENCES parents (id));",
            )
            .await
            .unwrap();
        assert_eq!(names(&owner, loose).await, ["children_parent_id_fkey"]);
    });
}

async fn names(db: &DatabaseConnection, query: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), query))
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.try_get("", "name").unwrap())
        .collect()
}
