//! The upgrade of an installation of the first schema, with a row in every table of that time.

use std::collections::BTreeMap;

use nyxcore_migrations::{Migrator, MigratorTrait};
use nyxcore_tenancy::{StoreOptions, database_open};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::on_test_database;

/// A row for every table of the first schema.
const FIXTURE: &str = include_str!("upgrade/first_schema.sql");
/// The migrations of the first schema: m0001 to m0006.
const FIRST: u32 = 6;
/// The serving role of the test databases, as the harness creates it.
const APP_ROLE: &str = "nyxcore_test_app";
/// The role that owns the tables.
const OWNER_ROLE: &str = "nyxcore_test_owner";

/// The values that a migration rewrites, as documented in its file: the words of the index, and addresses with an
/// internationalised domain.
const REWRITTEN: [&str; 3] = [
    "search_documents.terms",
    "search_documents.tsv",
    "users.email",
];

/// The fixture in the SQL of a database.
fn fixture(backend: DbBackend) -> String {
    let postgres = backend == DbBackend::Postgres;
    let (time, bytes, terms) = match postgres {
        true => ("'2026-01-01T00:00:00Z'", "'\\x00ff27'", "'''quince'':1'"),
        false => (
            "'2026-01-01T00:00:00.000000+00:00'",
            "x'00ff27'",
            "'quince'",
        ),
    };
    let (yes, no) = if postgres {
        ("true", "false")
    } else {
        ("1", "0")
    };
    let mut sql = FIXTURE.to_owned();
    for (token, text) in [
        ("@time", time),
        ("@bytes", bytes),
        ("@terms", terms),
        ("@true", yes),
        ("@false", no),
    ] {
        sql = sql.replace(token, text);
    }
    for number in 1..=18 {
        let id = match postgres {
            true => format!("'00000000-0000-7000-8000-0000000000{number:02}'"),
            false => format!("x'0000000000007000800000000000{number:04}'"),
        };
        sql = sql.replace(&format!("#{number:02}"), &id);
    }
    sql
}

/// A database of the first schema with the fixture in it, and the URL that migrates it.
async fn first_database(db: &TestDatabase) -> (DatabaseConnection, String) {
    if db.backend() == DbBackend::Postgres {
        let superuser = db.superuser_connection().await.unwrap();
        for sql in [
            "DROP SCHEMA public CASCADE".to_owned(),
            format!("CREATE SCHEMA public AUTHORIZATION {OWNER_ROLE}"),
            "CREATE EXTENSION vector".to_owned(),
        ] {
            superuser.execute_unprepared(&sql).await.unwrap();
        }
        let owner = connect(db.owner_url()).await;
        Migrator::up(&owner, Some(FIRST)).await.unwrap();
        superuser
            .execute_unprepared(&fixture(db.backend()))
            .await
            .unwrap();
        return (superuser, db.owner_url().to_owned());
    }
    let url = format!(
        "sqlite://{}?mode=rwc",
        db.folder().join("first.sqlite").display()
    );
    let connection = connect(&url).await;
    Migrator::up(&connection, Some(FIRST)).await.unwrap();
    connection
        .execute_unprepared(&fixture(db.backend()))
        .await
        .unwrap();
    (connection, url)
}

async fn connect(url: &str) -> DatabaseConnection {
    database_open(&StoreOptions::new(url)).await.unwrap()
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

/// `table.column` of every table with rows.
async fn columns(db: &DatabaseConnection) -> Vec<String> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'"
        }
        _ => {
            "SELECT t.name || '.' || c.name FROM pragma_table_list t, pragma_table_info(t.name) c
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'seaql_migrations'"
        }
    };
    texts(db, sql).await
}

/// The values of columns, each as text and sorted.
async fn values(db: &DatabaseConnection, columns: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::new();
    for column in columns {
        let (table, name) = column.split_once('.').unwrap();
        let text = match db.get_database_backend() {
            DbBackend::Postgres => format!("coalesce(\"{name}\"::text, 'NULL')"),
            _ => format!("quote(\"{name}\")"),
        };
        let sql = format!("SELECT {text} FROM \"{table}\" ORDER BY 1");
        let of_column = texts(db, &sql).await;
        values.insert(column.clone(), of_column);
    }
    values
}

on_both_databases! {
    async fn an_upgrade_from_the_first_schema_keeps_every_row(db: TestDatabase) {
        let (connection, url) = first_database(&db).await;
        let first = columns(&connection).await;
        let before = values(&connection, &first).await;
        for (column, of_column) in &before {
            assert!(!of_column.is_empty(), "the fixture has no row for {column}");
        }
        // A connection that used the old schema has cached its tables.
        connection.close().await.unwrap();
        let migrate: &[&str] = match db.backend() {
            DbBackend::Postgres => &["migrate", "--app-role", APP_ROLE],
            _ => &["migrate"],
        };
        let migrated = on_test_database(&db, &url, migrate);
        assert!(migrated.status.success() && migrated.out.contains("applied m0007"), "{}{}", migrated.out, migrated.err);
        let seeing = db.superuser_url().unwrap_or(&url);
        let connection = connect(seeing).await;
        let now = columns(&connection).await;
        let gone: Vec<_> = first.iter().filter(|column| !now.contains(column)).collect();
        assert_eq!(gone, Vec::<&String>::new(), "columns that are gone");
        let after = values(&connection, &first).await;
        for (column, of_column) in &before {
            if REWRITTEN.contains(&column.as_str()) {
                assert_eq!(after[column].len(), of_column.len(), "{column}");
            } else {
                assert_eq!(&after[column], of_column, "{column}");
            }
        }
        let email = texts(&connection, "SELECT email FROM users").await;
        assert_eq!(email, ["ada@xn--exmple-cua.org"]);
        let terms = texts(&connection, "SELECT terms FROM search_documents").await;
        assert!(terms[0].contains("3k") && terms[0].contains("quince"), "{terms:?}");
        connection.close().await.unwrap();
        let serving = if db.backend() == DbBackend::Postgres { db.app_url() } else { &url };
        let well = on_test_database(&db, serving, &["doctor"]);
        assert!(well.status.success(), "{}{}", well.out, well.err);
        let tenants = on_test_database(&db, serving, &["tenant", "list"]);
        assert!(tenants.status.success() && tenants.out.contains("acme"), "{}", tenants.err);
    }

    async fn a_server_refuses_or_migrates_an_older_schema(db: TestDatabase) {
        let (connection, url) = first_database(&db).await;
        connection.close().await.unwrap();
        let listed = on_test_database(&db, &url, &["tenant", "list"]);
        match db.backend() {
            DbBackend::Postgres => assert_eq!(listed.code(), "SCHEMA_BEHIND", "{}", listed.err),
            _ => assert!(listed.status.success() && listed.out.contains("acme"), "{}", listed.err),
        }
    }
}

#[test]
fn the_fixture_has_no_token_left_when_it_is_written() {
    for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
        let sql = fixture(backend);
        let statements = sql.lines().filter(|line| !line.starts_with("--"));
        for line in statements {
            let is_address = line.contains("'ada@");
            assert!(
                !line.contains('#') && (is_address || !line.contains('@')),
                "{line}"
            );
        }
    }
}
