//! The findings of `nyxcore doctor` in databases that are damaged in different ways.

use std::collections::BTreeSet;

use nyxcore_migrations::ddl::Ddl;
use nyxcore_migrations::grant_app_role;
use nyxcore_migrations::guard::{guard_check, schema_lines};
use nyxcore_migrations::sea_orm_migration::SchemaManager;
use nyxcore_tenancy::{StoreOptions, database_open};
use nyxcore_tests::{
    TestDatabase, nyxcore_command, on_both_databases, run_on_postgres, run_on_sqlite,
};
use sea_orm::{ConnectionTrait, DbBackend, TransactionTrait};

on_both_databases! {
    /// The snapshot with which a live database is compared. Update it with `INSTA_UPDATE=always`, and review the
    /// difference.
    async fn a_new_database_matches_the_snapshot_without_findings(db: TestDatabase) {
        let app = db.app_connection().await.unwrap();
        let name = match db.backend() {
            DbBackend::Postgres => "postgres",
            _ => "sqlite",
        };
        let lines = schema_lines(&app).await.unwrap().join("\n");
        insta::with_settings!({snapshot_path => "../../../migrations/schema", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, lines);
        });
        for check in guard_check(&app).await.unwrap() {
            assert_eq!(check.problems, Vec::<String>::new(), "{}", check.what);
        }
    }

    async fn a_table_of_an_embedder_that_keeps_the_rules_is_no_problem(db: TestDatabase) {
        let owner = database_open(&StoreOptions::new(db.owner_url())).await.unwrap();
        let columns = "id $uuid NOT NULL, word $text NOT NULL, PRIMARY KEY (tenant_id, id)";
        Ddl::new(&SchemaManager::new(&owner)).tenant_table("glossary", columns).await.unwrap();
        grant_app_role(&owner, "nyxcore_test_app").await.unwrap();
        for check in guard_check(&db.app_connection().await.unwrap()).await.unwrap() {
            assert_eq!(check.problems, Vec::<String>::new(), "{}", check.what);
        }
        owner.close().await.unwrap();
    }

    async fn a_table_that_keeps_no_rules_is_told(db: TestDatabase) {
        let superuser = db.superuser_connection().await.unwrap();
        for table in ["notes_copy (n INTEGER)", "old_migrations (version TEXT, applied_at INTEGER, body TEXT)"] {
            let name = table.split(' ').next().unwrap();
            superuser.execute_unprepared(&format!("CREATE TABLE {table}")).await.unwrap();
            let checks = guard_check(&superuser).await.unwrap();
            let told = format!("table {name} is not one of nyxcore's");
            let mut problems = checks.iter().flat_map(|check| &check.problems);
            assert!(problems.any(|problem| problem.starts_with(&told)), "{checks:#?}");
        }
    }
}

/// An embedder's table, and the damages by which it breaks the rules.
const LOOSE: &[&str] = &[
    "ALTER TABLE glossary NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE glossary DISABLE ROW LEVEL SECURITY",
    "DROP POLICY tenant_isolation ON glossary",
    "ALTER POLICY tenant_isolation ON glossary USING (true)",
    "CREATE POLICY everyone ON glossary USING (true)",
    "CREATE POLICY system_access ON glossary USING (true)",
];

#[test]
fn a_table_of_an_embedder_that_is_open_is_told() {
    run_on_postgres(|db| async move {
        let owner = database_open(&StoreOptions::new(db.owner_url()))
            .await
            .unwrap();
        let columns = "id $uuid NOT NULL, PRIMARY KEY (tenant_id, id)";
        let manager = SchemaManager::new(&owner);
        Ddl::new(&manager)
            .tenant_table("glossary", columns)
            .await
            .unwrap();
        for sql in LOOSE {
            let tx = owner.begin().await.unwrap();
            tx.execute_unprepared(sql).await.unwrap();
            let checks = guard_check(&tx).await.unwrap();
            let mut problems = checks.iter().flat_map(|check| &check.problems);
            assert!(
                problems.any(|problem| problem.starts_with("table glossary is not one of")),
                "{sql}: {checks:#?}"
            );
            tx.rollback().await.unwrap();
        }
        owner.close().await.unwrap();
    });
}

/// The damages to the database, the checks that fail then, and a part of the message.
const BREAKS: &[(&str, &[&str], &str)] = &[
    (
        "DROP POLICY tenant_isolation ON notes",
        &["policies", "row security"],
        "policy notes.tenant_isolation is missing",
    ),
    (
        "ALTER POLICY tenant_isolation ON notes USING (true)",
        &["policies"],
        "policy notes.tenant_isolation is `all to public using true",
    ),
    (
        "ALTER POLICY tenant_isolation ON notes WITH CHECK (true)",
        &["policies"],
        "policy notes.tenant_isolation is",
    ),
    (
        "CREATE POLICY everyone ON notes FOR SELECT USING (true)",
        &["policies"],
        "policy notes.everyone is not one of nyxcore's",
    ),
    (
        "CREATE POLICY tenant_isolation ON sessions USING (true)",
        &["policies"],
        "policy sessions.tenant_isolation is not one of nyxcore's",
    ),
    (
        "ALTER POLICY system_access ON users USING (true)",
        &["policies"],
        "policy users.system_access is",
    ),
    (
        "ALTER POLICY search_read ON search_documents TO PUBLIC",
        &["policies"],
        "policy search_documents.search_read is `select to public",
    ),
    (
        "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY",
        &["row security"],
        "security notes is `enabled, not forced`",
    ),
    (
        "ALTER TABLE notes DISABLE ROW LEVEL SECURITY",
        &["row security"],
        "security notes is `not enabled, forced`",
    ),
    (
        "ALTER TABLE passwords DISABLE ROW LEVEL SECURITY",
        &["row security"],
        "security passwords is `not enabled, forced`",
    ),
    (
        "CREATE TABLE loose (tenant_id uuid)",
        &["rights", "row security", "schema objects"],
        "table loose has a tenant and no policy",
    ),
    (
        "CREATE VIEW everybodys AS SELECT * FROM notes",
        &["schema objects"],
        "view everybodys is not one of nyxcore's",
    ),
    (
        "CREATE RULE more AS ON INSERT TO notes DO ALSO NOTHING",
        &["schema objects"],
        "trigger notes.more is not one of nyxcore's",
    ),
    (
        "GRANT UPDATE ON audit_entries TO nyxcore_test_app",
        &["rights"],
        "nyxcore_test_app has UPDATE on audit_entries",
    ),
    (
        "GRANT UPDATE (outcome) ON system_entries TO nyxcore_test_app",
        &["rights"],
        "nyxcore_test_app has UPDATE on system_entries",
    ),
    (
        "GRANT DELETE ON audit_entries TO PUBLIC",
        &["rights"],
        "nyxcore_test_app has DELETE on audit_entries",
    ),
    (
        "GRANT DELETE ON tenants TO nyxcore_test_app",
        &["rights"],
        "nyxcore_test_app has DELETE on tenants",
    ),
    (
        "GRANT TRUNCATE ON notes TO nyxcore_test_app",
        &["rights"],
        "nyxcore_test_app has TRUNCATE on notes",
    ),
    (
        "REVOKE INSERT ON notes FROM nyxcore_test_app",
        &["rights"],
        "nyxcore_test_app lacks INSERT on notes",
    ),
    (
        "ALTER TABLE notes DROP CONSTRAINT notes_tenant_id_project_id_fkey",
        &["foreign keys"],
        "reference notes.notes_tenant_id_project_id_fkey is missing",
    ),
    (
        "ALTER TABLE notes ADD COLUMN token_id uuid REFERENCES api_tokens (id)",
        &["foreign keys"],
        "foreign key notes.notes_token_id_fkey leaves the tenant out",
    ),
    (
        "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM notes'",
        &["functions"],
        "function peek() is not one of nyxcore's",
    ),
    (
        "ALTER FUNCTION nyxcore_audit_expire(timestamptz) RESET search_path",
        &["functions"],
        "no settings",
    ),
    (
        "ALTER FUNCTION nyxcore_search(jsonb, uuid, text[], text[], bigint, jsonb) OWNER TO postgres",
        &["functions"],
        "of postgres",
    ),
    (
        "ALTER TABLE workflow_insights DROP COLUMN embedding",
        &["vectors"],
        "column workflow_insights.embedding is missing",
    ),
    (
        "ALTER TABLE workflow_insights ALTER COLUMN embedding TYPE vector(3)",
        &["vectors"],
        "is `vector(3)` and not `vector(1536)`",
    ),
    (
        "DROP INDEX search_vectors_hnsw_1536",
        &["vectors"],
        "index search_vectors_hnsw_1536 is missing",
    ),
    (
        "ALTER TABLE search_vectors DROP COLUMN embedding",
        &["vectors"],
        "column search_vectors.embedding is missing",
    ),
    (
        "ALTER TABLE notes DROP COLUMN body",
        &["schema objects"],
        "column notes.body is missing",
    ),
    (
        "ALTER TABLE notes ALTER COLUMN body DROP NOT NULL",
        &["schema objects"],
        "column notes.body is `text` and not `text not null`",
    ),
    (
        "DROP INDEX runs_one_active",
        &["schema objects"],
        "index runs_one_active is missing",
    ),
    (
        "DROP TABLE hotspots",
        &["foreign keys", "policies", "row security", "schema objects"],
        "table hotspots is missing",
    ),
    (
        "GRANT nyxcore_test_owner TO nyxcore_test_app",
        &["database role", "rights"],
        "nyxcore_test_app is a member of nyxcore_test_owner, which owns",
    ),
    (
        "GRANT pg_read_all_data TO nyxcore_test_app",
        &["database role"],
        "nyxcore_test_app is a member of pg_read_all_data, which is a predefined role",
    ),
    (
        "CREATE ROLE nyxcore_test_group CREATEROLE; GRANT nyxcore_test_group TO nyxcore_test_app",
        &["database role"],
        "nyxcore_test_app is a member of nyxcore_test_group, which has CREATEROLE",
    ),
    (
        "ALTER ROLE nyxcore_test_app CREATEROLE",
        &["database role"],
        "nyxcore_test_app has CREATEROLE",
    ),
    (
        "ALTER ROLE nyxcore_test_app CREATEDB REPLICATION",
        &["database role"],
        "nyxcore_test_app has CREATEDB, has REPLICATION",
    ),
    (
        "ALTER SCHEMA public OWNER TO nyxcore_test_app",
        &["database role"],
        "nyxcore_test_app owns the schema public",
    ),
    (
        "ALTER FUNCTION nyxcore_audit_expire(timestamptz) OWNER TO nyxcore_test_app",
        &["database role", "functions"],
        "nyxcore_test_app owns the function nyxcore_audit_expire",
    ),
    (
        "ALTER POLICY audit_expire ON audit_entries TO nyxcore_test_app",
        &["policies"],
        "policy audit_entries.audit_expire is `all to nyxcore_test_app",
    ),
    (
        "ALTER TABLE notes OWNER TO nyxcore_test_app",
        &["database role", "rights"],
        "nyxcore_test_app owns the table notes",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO nyxcore_test_app",
        &["database role"],
        "may make tables in the schema public",
    ),
    (
        "ALTER ROLE nyxcore_test_app BYPASSRLS",
        &["database role"],
        "nyxcore_test_app has BYPASSRLS",
    ),
];

#[test]
fn each_thing_that_is_broken_is_told_and_nothing_else() {
    run_on_postgres(|db| async move {
        let superuser = db.superuser_connection().await.unwrap();
        for (sql, whats, said) in BREAKS {
            // Never committed: the next case finds the database undamaged, and roles that other tests use stay
            // unchanged.
            let tx = superuser.begin().await.unwrap();
            tx.execute_unprepared(sql)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            tx.execute_unprepared("SET LOCAL ROLE nyxcore_test_app")
                .await
                .unwrap();
            let mut wrong = guard_check(&tx).await.unwrap();
            wrong.retain(|check| !check.problems.is_empty());
            let failed: BTreeSet<&str> = wrong.iter().map(|check| check.what).collect();
            assert_eq!(failed, whats.iter().copied().collect(), "{sql}: {wrong:#?}");
            let told = wrong
                .iter()
                .flat_map(|check| &check.problems)
                .any(|problem| problem.contains(said));
            assert!(told, "{sql}: {wrong:#?}");
            tx.rollback().await.unwrap();
        }
    });
}

#[test]
fn on_sqlite_a_missing_trigger_and_a_missing_index_are_told() {
    run_on_sqlite(|db| async move {
        let app = db.app_connection().await.unwrap();
        for (sql, said) in [
            (
                "DROP TRIGGER audit_entries_update",
                "trigger audit_entries_update is missing",
            ),
            (
                "DROP INDEX runs_one_active",
                "index runs_one_active is missing",
            ),
            (
                "CREATE TRIGGER copy AFTER INSERT ON notes BEGIN SELECT 1; END",
                "trigger copy is not one of nyxcore's",
            ),
        ] {
            let tx = app.begin().await.unwrap();
            tx.execute_unprepared(sql).await.unwrap();
            let checks = guard_check(&tx).await.unwrap();
            assert!(
                checks[0].problems.len() == 1 && checks[0].problems[0].starts_with(said),
                "{checks:#?}"
            );
            tx.rollback().await.unwrap();
        }
    });
}

/// The command itself: one line per check, the remedies, and the exit status.
#[test]
fn the_doctor_reports_weakened_row_security() {
    run_on_postgres(|db| async move {
        let doctor = || {
            let mut command = nyxcore_command(&db).unwrap();
            let output = command.arg("doctor").output().unwrap();
            (
                output.status.code(),
                String::from_utf8(output.stdout).unwrap(),
            )
        };
        let (code, said) = doctor();
        assert_eq!(code, Some(0), "{said}");
        for what in [
            "database role",
            "row security",
            "policies",
            "rights",
            "foreign keys",
            "functions",
            "vectors",
            "schema objects",
        ] {
            assert!(said.contains(&format!("✓ {what}")), "{said}");
        }
        let superuser = db.superuser_connection().await.unwrap();
        superuser
            .execute_unprepared(
                "DROP POLICY tenant_isolation ON notes; ALTER TABLE runs NO FORCE ROW LEVEL SECURITY;
                 ALTER TABLE workflow_insights DROP COLUMN embedding",
            )
            .await
            .unwrap();
        let (code, said) = doctor();
        assert_eq!(code, Some(1), "{said}");
        let line = |what: &str| {
            let mut lines = said.lines();
            lines
                .find(|line| line.starts_with(&format!("✗ {what}")))
                .unwrap_or_else(|| panic!("{said}"))
        };
        assert!(
            line("policies").contains("notes.tenant_isolation is missing"),
            "{said}"
        );
        assert!(
            line("row security").contains("runs is `enabled, not forced`")
                && line("row security").contains("ALTER TABLE"),
            "{said}"
        );
        assert!(
            line("vectors").contains("embedding is missing")
                && line("vectors").contains("ADD COLUMN"),
            "{said}"
        );
        assert_eq!(
            said.lines().filter(|line| line.starts_with('✗')).count(),
            3,
            "{said}"
        );
    });
}
