//! `nyxcore backup` and `nyxcore restore`: the same rows on a fresh machine, also under load, and the refusals.

mod archive;
mod refusals;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nyxcore_projects::{NewNote, NewProject, note_create, project_create};
use nyxcore_tenancy::{Store, StoreOptions, TenantId, database_open};
use nyxcore_tests::{TestDatabase, nyxcore_command_in, on_both_databases};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::{CommandOutput, on_test_database, said};
use crate::support::{World, store};

/// The serving role of the test databases, as the harness creates it.
const APP_ROLE: &str = "nyxcore_test_app";
/// A key file.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// The test's own database, as a role that sees every row.
fn all_seeing_url(db: &TestDatabase) -> &str {
    db.superuser_url().unwrap_or(db.owner_url())
}

/// `nyxcore backup` of the test's database.
fn backup(db: &TestDatabase, file: &Path) -> CommandOutput {
    let file = file.to_str().unwrap();
    on_test_database(db, all_seeing_url(db), &["backup", file])
}

/// A machine without data: an empty data directory, and on PostgreSQL a separate database.
struct FreshMachine {
    db: TestDatabase,
    data_dir: PathBuf,
}

impl FreshMachine {
    async fn new(db: &TestDatabase, name: &str) -> Self {
        let own = match db.backend() {
            DbBackend::Postgres => TestDatabase::postgres().await.unwrap(),
            _ => db.clone(),
        };
        Self {
            db: own,
            data_dir: db.folder().join(name),
        }
    }

    /// The program on this machine; on PostgreSQL with that URL.
    fn nyxcore(&self, url: &str, arguments: &[&str]) -> CommandOutput {
        let mut command = nyxcore_command_in(&self.db, &self.data_dir).unwrap();
        if self.db.backend() == DbBackend::Postgres {
            command.env("NYXCORE_DATABASE_URL", url);
        }
        said(command.args(arguments))
    }

    fn restore(&self, file: &Path) -> CommandOutput {
        let file = file.to_str().unwrap();
        let arguments = match self.db.backend() {
            DbBackend::Postgres => vec!["restore", file, "--app-role", APP_ROLE],
            _ => vec!["restore", file],
        };
        self.nyxcore(self.db.owner_url(), &arguments)
    }

    fn restored(&self, file: &Path) {
        let done = self.restore(file);
        assert!(done.status.success(), "{}", done.err);
    }

    /// A connection to the restored database that bypasses row-level security.
    async fn connection(&self) -> DatabaseConnection {
        match self.db.backend() {
            DbBackend::Postgres => self.db.superuser_connection().await.unwrap(),
            _ => connect(&self.data_dir.join("nyxcore.sqlite")).await,
        }
    }

    /// Whether the database has no rows, so that a backup can still be restored.
    async fn is_empty(&self) -> bool {
        match self.db.backend() {
            DbBackend::Postgres => {
                let db = self.db.superuser_connection().await.unwrap();
                let sql = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = 'tenants'
                    AND pg_relation_size(oid) > 0";
                number(&db, sql).await == 0
            }
            _ => !self.data_dir.join("nyxcore.sqlite").exists(),
        }
    }
}

async fn connect(file: &Path) -> DatabaseConnection {
    database_open(&StoreOptions::sqlite(file)).await.unwrap()
}

async fn number(db: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

/// Every row of every table as text, sorted.
async fn rows(db: &DatabaseConnection) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    if db.get_database_backend() == DbBackend::Postgres {
        let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        for table in texts(db, tables).await {
            let sql = format!("SELECT t::text FROM \"{table}\" t ORDER BY 1");
            let of_table = texts(db, &sql).await;
            rows.insert(table, of_table);
        }
        return rows;
    }
    let tables = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'";
    for table in texts(db, tables).await {
        let columns =
            format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
        let columns = texts(db, &columns).await.join(" || ',' || ");
        let sql = format!("SELECT {columns} FROM \"{table}\" ORDER BY 1");
        let of_table = texts(db, &sql).await;
        rows.insert(table, of_table);
    }
    rows
}

/// Two projects and a note in one transaction: a snapshot has all three or none.
async fn pair_write(store: &Store, tenant: TenantId, name: &str) {
    let scoped = store.write(tenant).await.unwrap();
    for half in ["a", "b"] {
        let new = NewProject {
            name: format!("{name} {half}"),
            ..NewProject::default()
        };
        let project = project_create(&scoped, new).await.unwrap();
        if half == "a" {
            let new = NewNote {
                project_id: project.id,
                title: format!("About {name}"),
                body: "Ümläute, 'quotes', \\ and a\nline; NULL \\N".into(),
                created_by: None,
            };
            note_create(&scoped, new).await.unwrap();
        }
    }
    scoped.commit().await.unwrap();
}

/// Puts a master key in the data directory of the backups.
fn key_put(db: &TestDatabase) {
    let data_dir = db.folder().join("data");
    fs::create_dir_all(&data_dir).unwrap();
    let file = data_dir.join("master.key");
    fs::write(&file, MASTER_KEY).unwrap();
    for (path, mode) in [(&file, 0o600), (&data_dir, 0o700)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

on_both_databases! {
    async fn a_restore_on_a_fresh_machine_has_every_row(db: TestDatabase) {
        let world = World::new(store(&db).await, "acme").await;
        for number in 0..5 {
            pair_write(&world.store, world.tenant.id, &format!("quince {number}")).await;
        }
        drop(world);
        let file = db.folder().join("b.tar");
        let made = backup(&db, &file);
        assert!(made.status.success(), "{}", made.err);
        assert!(made.err.contains("schema ") && made.out.is_empty(), "{}", made.err);
        let machine = FreshMachine::new(&db, "fresh").await;
        machine.restored(&file);
        let source = db.superuser_connection().await.unwrap();
        let (before, after) = (rows(&source).await, rows(&machine.connection().await).await);
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        for (table, of_table) in &before {
            assert_eq!(&after[table], of_table, "the rows of {table}");
        }
        assert!(before["projects"].len() == 10 && before["notes"].len() == 5);
        let well = machine.nyxcore(machine.db.app_url(), &["doctor"]);
        assert!(well.status.success(), "{}{}", well.out, well.err);
        let tenants = machine.nyxcore(machine.db.app_url(), &["tenant", "list"]);
        assert!(tenants.out.contains("acme"), "{}{}", tenants.out, tenants.err);
    }

    async fn a_backup_under_load_is_one_snapshot(db: TestDatabase) {
        let world = World::new(store(&db).await, "acme").await;
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (store, tenant) = (world.store.clone(), world.tenant.id);
                let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
                tokio::spawn(async move {
                    for number in 0_u64.. {
                        if stop.load(Ordering::SeqCst) {
                            return;
                        }
                        pair_write(&store, tenant, &format!("w{writer} n{number}")).await;
                        written.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let waited = tokio::time::timeout(Duration::from_secs(60), async {
            while written.load(Ordering::SeqCst) < 3 {
                tokio::task::yield_now().await;
            }
        });
        waited.await.expect("the writers write");
        let before = written.load(Ordering::SeqCst);
        let file = db.folder().join("b.tar");
        let made = {
            let (db, file) = (db.clone(), file.clone());
            tokio::task::spawn_blocking(move || backup(&db, &file)).await.unwrap()
        };
        let after = written.load(Ordering::SeqCst);
        stop.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.await.unwrap();
        }
        assert!(made.status.success(), "{}", made.err);
        assert!(after > before, "nobody wrote during the backup");
        let machine = FreshMachine::new(&db, "fresh").await;
        machine.restored(&file);
        let restored = machine.connection().await;
        let projects = number(&restored, "SELECT count(*) FROM projects").await;
        let notes = number(&restored, "SELECT count(*) FROM notes").await;
        assert_eq!(projects, 2 * notes, "half of a transaction was archived");
        assert!(notes >= i64::try_from(before).unwrap(), "{notes} of {before}");
    }

    async fn the_key_is_restored_unless_it_was_left_out(db: TestDatabase) {
        let world = World::new(store(&db).await, "acme").await;
        drop(world);
        key_put(&db);
        let (with, without) = (db.folder().join("with.tar"), db.folder().join("without.tar"));
        let made = backup(&db, &with);
        assert!(made.status.success() && made.err.contains("has the master key in it"), "{}", made.err);
        assert_eq!(fs::metadata(&with).unwrap().mode() & 0o777, 0o600);
        let arguments = ["backup", without.to_str().unwrap(), "--without-key"];
        let made = on_test_database(&db, all_seeing_url(&db), &arguments);
        assert!(made.status.success() && made.err.contains("is not in"), "{}", made.err);
        let bytes = fs::read(&without).unwrap();
        let key = MASTER_KEY.trim().as_bytes();
        assert!(!bytes.windows(key.len()).any(|found| found == key));
        let machine = FreshMachine::new(&db, "with").await;
        machine.restored(&with);
        let restored = machine.data_dir.join("master.key");
        assert_eq!(fs::read_to_string(&restored).unwrap(), MASTER_KEY);
        assert_eq!(fs::metadata(&restored).unwrap().mode() & 0o777, 0o600);
        let machine = FreshMachine::new(&db, "without").await;
        machine.restored(&without);
        assert!(!machine.data_dir.join("master.key").exists());
    }

    async fn a_check_restores_nothing_and_prints_the_manifest(db: TestDatabase) {
        let world = World::new(store(&db).await, "acme").await;
        drop(world);
        let file = db.folder().join("b.tar");
        assert!(backup(&db, &file).status.success());
        let machine = FreshMachine::new(&db, "fresh").await;
        let checked = machine.nyxcore(machine.db.owner_url(), &["restore", file.to_str().unwrap(), "--check"]);
        assert!(checked.status.success(), "{}", checked.err);
        let manifest: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
        assert_eq!(manifest["format"], 1);
        assert_eq!(manifest["rows"]["tenants"], 1);
        assert!(!machine.data_dir.exists() && machine.is_empty().await);
    }
}
