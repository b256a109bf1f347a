//! Row-level security, tested with raw SQL as the serving role, on every table.

use std::fmt::Write as _;

use nyxcore_tests::{TestDatabase, run_on_postgres, run_on_sqlite};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement,
    TransactionTrait,
};

use super::rows::{Maker, Owner, Table, insert, is_row};

/// The rows that the serving role may see of a table without a tenant. A table that is neither here nor has a tenant
/// fails the test.
const WITHOUT_TENANT: &[(&str, Visibility)] = &[
    ("tenants", Visibility::Itself),
    ("users", Visibility::Members),
    ("passwords", Visibility::Nothing),
    ("identities", Visibility::Nothing),
    ("sessions", Visibility::Nothing),
    ("sign_in_attempts", Visibility::Nothing),
    ("sign_in_flows", Visibility::Nothing),
    ("system_entries", Visibility::Nothing),
    ("operator_secrets", Visibility::Nothing),
    ("seaql_migrations", Visibility::Everything),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Visibility {
    /// Only the row of the tenant itself.
    Itself,
    /// The users who are members of the tenant.
    Members,
    /// No rows, for any tenant.
    Nothing,
    /// All rows: the schema history is not secret, but it cannot be changed.
    Everything,
}

/// Tables to which the serving role may only add rows, and which it may read.
const APPEND_ONLY: [&str; 2] = ["audit_entries", "system_entries"];

/// Tables without a tenant: foreign keys to them do not include the tenant. All other foreign keys do.
const TO_NOBODYS: [&str; 2] = ["tenants", "users"];

struct Proof {
    app: DatabaseConnection,
    superuser: DatabaseConnection,
    maker: Maker,
    acme: Owner,
    other: Owner,
}

impl Proof {
    async fn begin(db: &TestDatabase) -> Self {
        let superuser = db.superuser_connection().await.unwrap();
        let (acme, other) = (Owner::new(1), Owner::new(2));
        Self {
            app: db.app_connection().await.unwrap(),
            maker: Maker::fill(&superuser, &[acme, other]).await,
            superuser,
            acme,
            other,
        }
    }

    /// A transaction of the serving role, with the setting of the tenant if one is given.
    async fn as_app(&self, tenant: Option<Owner>) -> DatabaseTransaction {
        let tx = self.app.begin().await.unwrap();
        if let Some(tenant) = tenant {
            tx.execute_unprepared(&format!("SET LOCAL nyxcore.tenant_id = '{}'", tenant.id))
                .await
                .unwrap();
        }
        tx
    }

    /// Tries a statement: `Ok` with the number of affected rows, or the error's text. Its changes are rolled back.
    async fn tried(&self, tenant: Option<Owner>, sql: &str) -> Result<u64, String> {
        let tx = self.as_app(tenant).await;
        let done = tx.execute_unprepared(sql).await;
        done.map(|done| done.rows_affected())
            .map_err(|error| error.to_string())
    }

    fn tables(&self) -> Vec<Table> {
        self.maker.tables().to_vec()
    }

    fn tenant_tables(&self) -> Vec<Table> {
        let mut tables = self.tables();
        tables.retain(Table::has_tenant);
        assert!(tables.len() > 20, "the schema has tables with a tenant");
        tables
    }
}

#[test]
fn without_a_tenant_no_row_is_seen_and_with_one_only_its_own() {
    run_on_postgres(|db| async move {
        let proof = Proof::begin(&db).await;
        for table in proof.tables() {
            let name = &table.name;
            let all = format!("SELECT count(*) FROM {name}");
            let total = count(&proof.superuser, &all).await;
            let nobody = count(&proof.as_app(None).await, &all).await;
            // An unknown tenant and an empty setting count as no tenant.
            let unknown = count(&proof.as_app(Some(Owner::new(9))).await, &all).await;
            let empty = proof.as_app(None).await;
            empty
                .execute_unprepared("SET LOCAL nyxcore.tenant_id = ''")
                .await
                .unwrap();
            let empty = count(&empty, &all).await;
            if table.has_tenant() {
                assert!(total >= 2, "{name} has rows of both tenants");
                assert_eq!(
                    (nobody, unknown, empty),
                    (0, 0, 0),
                    "{name} without a tenant"
                );
                for tenant in [proof.acme, proof.other] {
                    let theirs = format!("{all} WHERE tenant_id = '{}'", tenant.id);
                    let tx = proof.as_app(Some(tenant)).await;
                    let seen = (count(&tx, &all).await, count(&tx, &theirs).await);
                    let own = count(&proof.superuser, &theirs).await;
                    assert!(own > 0);
                    assert_eq!(seen, (own, own), "{name} with a tenant");
                }
                continue;
            }
            let listed = WITHOUT_TENANT.iter().find(|(listed, _)| listed == name);
            let Some((_, sees)) = listed else {
                panic!(
                    "{name} has no tenant: say in WITHOUT_TENANT what the serving role may see of it"
                );
            };
            let acme = proof.as_app(Some(proof.acme)).await;
            let seen = count(&acme, &all).await;
            match sees {
                Visibility::Everything => assert!(nobody == total && seen == total),
                Visibility::Nothing => {
                    assert!(total >= 2, "{name} has rows");
                    assert_eq!((nobody, unknown, empty, seen), (0, 0, 0, 0), "{name}");
                }
                Visibility::Itself | Visibility::Members => {
                    assert!(total >= 2, "{name} has rows");
                    assert_eq!((nobody, unknown, empty, seen), (0, 0, 0, 1), "{name}");
                    let own = is_row(&table, proof.maker.made(proof.acme, name));
                    assert_eq!(count(&acme, &format!("{all} WHERE {own}")).await, 1);
                }
            }
        }
    });
}

#[test]
fn no_write_reaches_another_tenant() {
    run_on_postgres(|db| async move {
        let mut proof = Proof::begin(&db).await;
        let (acme, other) = (proof.acme, proof.other);
        for table in proof.tenant_tables() {
            let name = &table.name;
            // The same row is accepted in its own tenant, so only the tenant is the reason for the refusal.
            let row = proof.maker.fresh(&table, other);
            let put = insert(&table, &row);
            assert_eq!(proof.tried(Some(other), &put).await, Ok(1), "{put}");
            refused_by_row_security(proof.tried(Some(acme), &put).await, &put);
            refused_by_row_security(proof.tried(None, &put).await, &put);

            let moved = format!("UPDATE {name} SET tenant_id = '{}'", other.id);
            let answer = proof.tried(Some(acme), &moved).await;
            if APPEND_ONLY.contains(&name.as_str()) {
                assert!(answer.unwrap_err().contains("permission denied"), "{moved}");
                continue;
            }
            // If a foreign key also refuses the row, either error may come first.
            let error = answer.unwrap_err();
            assert!(error.contains("row-level security"), "{moved}: {error}");
            for change in [
                format!(
                    "UPDATE {name} SET tenant_id = tenant_id WHERE tenant_id = '{}'",
                    other.id
                ),
                format!("DELETE FROM {name} WHERE tenant_id = '{}'", other.id),
            ] {
                assert_eq!(proof.tried(Some(acme), &change).await, Ok(0), "{change}");
                assert_eq!(proof.tried(None, &change).await, Ok(0), "{change}");
            }
        }
    });
}

#[test]
fn no_row_refers_to_another_tenants() {
    run_on_postgres(|db| async move {
        let mut proof = Proof::begin(&db).await;
        let (acme, other) = (proof.acme, proof.other);
        let (mut tried, mut to_nobodys) = (0, Vec::new());
        for table in proof.tenant_tables() {
            for key in table.foreign_keys.clone() {
                if TO_NOBODYS.contains(&key.parent.as_str()) {
                    if key.parent == "users" {
                        to_nobodys.push(format!("{}.{}", table.name, key.columns.join(",")));
                    }
                    continue;
                }
                assert!(
                    key.columns.contains(&"tenant_id".to_owned()),
                    "{} leaves the tenant out",
                    key.name
                );
                let mut row = proof.maker.fresh(&table, acme);
                let good = insert(&table, &row);
                assert_eq!(proof.tried(Some(acme), &good).await, Ok(1), "{good}");
                let theirs = proof.maker.fresh(&table, other);
                let foreign: Vec<&String> =
                    key.columns.iter().filter(|c| *c != "tenant_id").collect();
                for column in &foreign {
                    row.insert((*column).clone(), theirs[*column].clone());
                }
                let put = insert(&table, &row);
                let error = proof.tried(Some(acme), &put).await.expect_err(&put);
                assert!(
                    error.contains("violates foreign key constraint"),
                    "{put}: {error}"
                );
                if APPEND_ONLY.contains(&table.name.as_str()) {
                    continue;
                }
                let set: Vec<String> = foreign
                    .iter()
                    .map(|c| format!("{c} = {}", row[*c]))
                    .collect();
                let bend = format!("UPDATE {} SET {}", table.name, set.join(", "));
                let error = proof.tried(Some(acme), &bend).await.expect_err(&bend);
                assert!(
                    error.contains("violates foreign key constraint"),
                    "{bend}: {error}"
                );
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried} foreign keys were tried");
        // Users belong to no tenant, so these foreign keys do not include the tenant. A referenced user is visible only
        // to the user's own tenants.
        insta::assert_snapshot!("keys_to_people", to_nobodys.join("\n"));
        let tx = proof.as_app(Some(acme)).await;
        let stranger = &proof.maker.made(other, "users")["id"];
        tx.execute_unprepared(&format!("UPDATE notes SET created_by = {stranger}"))
            .await
            .unwrap();
        let seen = "SELECT count(*) FROM notes n JOIN users u ON u.id = n.created_by";
        assert_eq!(count(&tx, seen).await, 0);
    });
}

/// The rows that the serving role may see in a system scope: those of the tables that work across tenants needs, and no
/// others.
#[test]
fn a_system_scope_reaches_the_listed_tables_and_no_others() {
    run_on_postgres(|db| async move {
        let proof = Proof::begin(&db).await;
        let tx = proof.as_app(None).await;
        tx.execute_unprepared("SET LOCAL nyxcore.scope = 'system'")
            .await
            .unwrap();
        let mut reached = String::new();
        for table in proof.tables() {
            if count(&tx, &format!("SELECT count(*) FROM {}", table.name)).await > 0 {
                writeln!(reached, "{}", table.name).unwrap();
            }
        }
        let mut lines: Vec<&str> = reached.lines().collect();
        lines.sort_unstable();
        insta::assert_snapshot!("reached_by_a_system_scope", lines.join("\n"));
    });
}

#[test]
fn the_serving_role_cannot_change_logs_or_truncate() {
    run_on_postgres(|db| async move {
        let proof = Proof::begin(&db).await;
        for scope in [
            format!("SET LOCAL nyxcore.tenant_id = '{}'", proof.acme.id),
            "SET LOCAL nyxcore.scope = 'system'".to_owned(),
        ] {
            for table in APPEND_ONLY {
                for sql in [
                    format!("UPDATE {table} SET outcome = 'OK'"),
                    format!("DELETE FROM {table}"),
                ] {
                    let tx = proof.as_app(None).await;
                    tx.execute_unprepared(&scope).await.unwrap();
                    let error = tx
                        .execute_unprepared(&sql)
                        .await
                        .expect_err(&sql)
                        .to_string();
                    assert!(error.contains("permission denied"), "{sql}: {error}");
                }
            }
            // Nor can a log be deleted together with its tenant.
            let tx = proof.as_app(None).await;
            tx.execute_unprepared(&scope).await.unwrap();
            let error = tx
                .execute_unprepared("DELETE FROM tenants")
                .await
                .expect_err("the end of a tenant");
            assert!(error.to_string().contains("permission denied"), "{error}");
        }
        for table in proof.tables() {
            let empty = format!("TRUNCATE {} CASCADE", table.name);
            let error = proof.tried(None, &empty).await.expect_err(&empty);
            assert!(error.contains("permission denied"), "{empty}: {error}");
        }
        for sql in [
            "DELETE FROM seaql_migrations",
            "CREATE TABLE mine (n int)",
            "DROP POLICY tenant_isolation ON notes",
        ] {
            assert!(proof.tried(Some(proof.acme), sql).await.is_err(), "{sql}");
        }
    });
}

#[test]
fn the_expiry_function_always_keeps_seven_days() {
    run_on_postgres(|db| async move {
        let proof = Proof::begin(&db).await;
        let aged = "UPDATE audit_entries SET at = now() - interval '8 days' WHERE tenant_id = (SELECT tenant_id FROM audit_entries LIMIT 1)";
        proof.superuser.execute_unprepared(aged).await.unwrap();
        let aged = "UPDATE system_entries SET at = now() - interval '6 days 23 hours'";
        proof.superuser.execute_unprepared(aged).await.unwrap();
        let [entries, uses] = APPEND_ONLY.map(|table| format!("SELECT count(*) FROM {table}"));
        let (entries_before, uses_before) = (
            count(&proof.superuser, &entries).await,
            count(&proof.superuser, &uses).await,
        );
        let mut gone = Vec::new();
        for before in ["'-infinity'", "'infinity'", "NULL", "now()"] {
            let asked = format!("SELECT nyxcore_audit_expire({before})");
            gone.push(count(&proof.app, &asked).await);
        }
        assert_eq!(gone, [0, entries_before / 2, 0, 0]);
        assert_eq!(count(&proof.superuser, &entries).await, entries_before / 2);
        assert_eq!(count(&proof.superuser, &uses).await, uses_before);
    });
}

fn refused_by_row_security(answer: Result<u64, String>, sql: &str) {
    let error = answer.expect_err(sql);
    assert!(error.contains("row-level security"), "{sql}: {error}");
}

async fn count(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// SQLite has no roles: triggers enforce the same.
#[test]
fn sqlite_entries_are_immutable_for_seven_days() {
    run_on_sqlite(|db| async move {
        let db = db.app_connection().await.unwrap();
        db.execute_unprepared(
            "INSERT INTO tenants VALUES (x'0a', 'acme', 'Acme', '2026-01-01T00:00:00+00:00')",
        )
        .await
        .unwrap();
        let at = |days: &str| {
            format!("strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', 'now', '-{days} days')")
        };
        for (id, days) in [("01", "8"), ("02", "6")] {
            for sql in [
                format!(
                    "INSERT INTO audit_entries (tenant_id, id, at, actor, action, outcome) VALUES (x'0a', x'{id}', {}, 'USER', 'x', 'OK')",
                    at(days)
                ),
                format!(
                    "INSERT INTO system_entries (id, at, purpose, uses, outcome) VALUES (x'{id}', {}, 'x', 1, 'OK')",
                    at(days)
                ),
            ] {
                db.execute_unprepared(&sql).await.unwrap();
                let replaced = sql
                    .replace("INSERT", "INSERT OR REPLACE")
                    .replace("'OK'", "'FORBIDDEN'");
                let error = db
                    .execute_unprepared(&replaced)
                    .await
                    .unwrap_err()
                    .to_string();
                assert!(error.contains("the audit log is not changed"), "{error}");
            }
        }
        for table in APPEND_ONLY {
            for (sql, said) in [
                (
                    format!("UPDATE {table} SET outcome = 'FORBIDDEN'"),
                    "the audit log is not changed",
                ),
                (
                    format!("DELETE FROM {table}"),
                    "the audit log keeps the last 7 days",
                ),
                (
                    "DELETE FROM tenants".to_owned(),
                    "the audit log keeps the last 7 days",
                ),
            ] {
                let error = db.execute_unprepared(&sql).await.unwrap_err().to_string();
                assert!(error.contains(said), "{sql}: {error}");
            }
            let old = format!("DELETE FROM {table} WHERE id = x'01'");
            assert_eq!(
                db.execute_unprepared(&old).await.unwrap().rows_affected(),
                1
            );
        }
    });
}
