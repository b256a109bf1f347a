//! The refusals of `nyxcore backup` and `nyxcore restore`, which change nothing.

use nyxcore_migrations::{Migrator, MigratorTrait};
use nyxcore_tests::{run_on_postgres, run_on_sqlite};
use serde_json::{Value, json};

use super::archive::{forge, members, members_write};
use super::*;

/// A change of a manifest.
type Change = Box<dyn FnOnce(&mut Value) + Send>;

on_both_databases! {
    async fn a_backup_does_not_replace_a_file(db: TestDatabase) {
        drop(World::new(store(&db).await, "acme").await);
        let file = db.folder().join("b.tar");
        fs::write(&file, "mine").unwrap();
        let refused = backup(&db, &file);
        assert_eq!(refused.code(), "FILE_EXISTS", "{}", refused.err);
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        let refused = backup(&db, &db.folder().join("no such folder/b.tar"));
        assert_eq!(refused.code(), "OUTPUT_REFUSED", "{}", refused.err);
    }

    async fn a_restore_does_not_touch_a_filled_database(db: TestDatabase) {
        let world = World::new(store(&db).await, "acme").await;
        let file = db.folder().join("b.tar");
        assert!(backup(&db, &file).status.success());
        let machine = FreshMachine::new(&db, "fresh").await;
        machine.restored(&file);
        let before = rows(&machine.connection().await).await;
        pair_write(&world.store, world.tenant.id, "later").await;
        let later = db.folder().join("later.tar");
        assert!(backup(&db, &later).status.success());
        let refused = machine.restore(&later);
        assert_eq!(refused.code(), "DATABASE_NOT_EMPTY", "{}", refused.err);
        assert_eq!(rows(&machine.connection().await).await, before);
    }

    async fn a_restore_does_not_replace_another_key(db: TestDatabase) {
        drop(World::new(store(&db).await, "acme").await);
        key_put(&db);
        let file = db.folder().join("b.tar");
        assert!(backup(&db, &file).status.success());
        let machine = FreshMachine::new(&db, "fresh").await;
        fs::create_dir(&machine.data_dir).unwrap();
        let key = machine.data_dir.join("master.key");
        fs::write(&key, "another\n").unwrap();
        let refused = machine.restore(&file);
        assert_eq!(refused.code(), "DATABASE_NOT_EMPTY", "{}", refused.err);
        assert_eq!(fs::read_to_string(&key).unwrap(), "another\n");
        assert!(machine.is_empty().await);
    }

    async fn a_lying_manifest_is_refused_and_nothing_stays(db: TestDatabase) {
        let world = World::new(store(&db).await, "acme").await;
        pair_write(&world.store, world.tenant.id, "quince").await;
        drop(world);
        let (file, forged) = (db.folder().join("b.tar"), db.folder().join("forged.tar"));
        assert!(backup(&db, &file).status.success());
        let machine = FreshMachine::new(&db, "fresh").await;
        let other = if db.backend() == DbBackend::Postgres { "sqlite" } else { "postgres" };
        let listed = |manifest: &mut Value| manifest["migrations"].as_array_mut().unwrap().clone();
        let changes: Vec<(&str, Change)> = vec![
            ("BACKUP_INVALID", Box::new(|manifest: &mut Value| manifest["rows"]["notes"] = json!(7))),
            ("BACKUP_INVALID", Box::new(|manifest: &mut Value| manifest["rows"]["more"] = json!(0))),
            ("BACKUP_INVALID", Box::new(move |manifest: &mut Value| {
                let mut migrations = listed(manifest);
                migrations.pop();
                manifest["migrations"] = json!(migrations);
            })),
            ("BACKUP_INVALID", Box::new(move |manifest: &mut Value| manifest["database"] = json!(other))),
            ("BACKUP_INVALID", Box::new(|manifest: &mut Value| manifest["unknown"] = json!(1))),
            ("BACKUP_INVALID", Box::new(|manifest: &mut Value| manifest["members"]["database"]["sha256"] = json!("00"))),
            ("BACKUP_NEWER", Box::new(|manifest: &mut Value| manifest["format"] = json!(2))),
            ("BACKUP_NEWER", Box::new(move |manifest: &mut Value| {
                let mut migrations = listed(manifest);
                migrations.push(json!("m9999_from_the_future"));
                manifest["migrations"] = json!(migrations);
            })),
        ];
        for (number, (code, change)) in changes.into_iter().enumerate() {
            forge(&file, &forged, change);
            let refused = machine.restore(&forged);
            assert_eq!(refused.code(), code, "{number}: {}", refused.err);
            assert!(machine.is_empty().await, "{number}");
        }
        machine.restored(&file);
    }

    async fn a_broken_archive_is_refused_and_nothing_stays(db: TestDatabase) {
        drop(World::new(store(&db).await, "acme").await);
        key_put(&db);
        let (file, broken) = (db.folder().join("b.tar"), db.folder().join("broken.tar"));
        assert!(backup(&db, &file).status.success());
        let whole = fs::read(&file).unwrap();
        let machine = FreshMachine::new(&db, "fresh").await;
        let refused_as_broken = |what: &str| {
            let refused = machine.restore(&broken);
            assert_eq!(refused.code(), "BACKUP_INVALID", "{what}: {}", refused.err);
        };
        for length in [0, 300, 1500, whole.len() / 2] {
            fs::write(&broken, &whole[..length]).unwrap();
            refused_as_broken(&format!("the first {length} bytes"));
        }
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&broken, &flipped).unwrap();
        refused_as_broken("a changed byte");
        let mut without = members(&file);
        without.retain(|(name, _)| name != "database");
        members_write(&broken, &without);
        refused_as_broken("without the database");
        for name in ["database", "more/escaped"] {
            let mut more = members(&file);
            more.push((name.into(), b"other".to_vec()));
            members_write(&broken, &more);
            refused_as_broken(name);
        }
        assert!(machine.is_empty().await);
        machine.restored(&file);
    }

    async fn a_newer_database_is_not_archived(db: TestDatabase) {
        let owner = db.superuser_connection().await.unwrap();
        let unknown = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_the_future', 0)";
        owner.execute_unprepared(unknown).await.unwrap();
        let file = db.folder().join("b.tar");
        let refused = backup(&db, &file);
        assert_eq!(refused.code(), "DATABASE_NEWER", "{}", refused.err);
        assert!(!file.exists());
    }
}

#[test]
fn a_role_that_sees_less_makes_no_backup() {
    run_on_postgres(|db| async move {
        drop(World::new(store(&db).await, "acme").await);
        let file = db.folder().join("b.tar");
        for url in [db.app_url(), db.owner_url()] {
            let refused = on_test_database(&db, url, &["backup", file.to_str().unwrap()]);
            assert_eq!(refused.code(), "DATABASE_RIGHTS_MISSING", "{}", refused.err);
            assert!(
                refused.err.contains("BYPASSRLS") && !file.exists(),
                "{}",
                refused.err
            );
        }
    });
}

#[test]
fn a_role_for_backups_needs_only_what_the_error_says() {
    run_on_postgres(|db| async move {
        drop(World::new(store(&db).await, "acme").await);
        let superuser = db.superuser_connection().await.unwrap();
        let database = texts(&superuser, "SELECT current_database()::text").await;
        let database = &database[0];
        let role = format!("{database}_bk");
        for sql in [
            format!("CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD 'p@ss/w:rd'"),
            format!("GRANT pg_read_all_data TO {role}"),
            format!("GRANT CONNECT ON DATABASE {database} TO {role}"),
        ] {
            superuser.execute_unprepared(&sql).await.unwrap();
        }
        let mut url = url::Url::parse(db.app_url()).unwrap();
        url.set_username(&role).unwrap();
        url.set_password(Some("p@ss/w:rd")).unwrap();
        let file = db.folder().join("b.tar");
        let mut command = nyxcore_command_in(&db, &db.folder().join("data")).unwrap();
        command.env("NYXCORE_BACKUP_URL", url.as_str());
        let made = said(command.args(["backup", file.to_str().unwrap()]));
        let dropped = format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
        superuser.execute_unprepared(&dropped).await.unwrap();
        assert!(made.status.success(), "{}", made.err);
        let machine = FreshMachine::new(&db, "fresh").await;
        machine.restored(&file);
    });
}

#[test]
fn missing_programs_of_postgresql_are_named() {
    run_on_postgres(|db| async move {
        let file = db.folder().join("b.tar");
        let mut command = nyxcore_command_in(&db, &db.folder().join("data")).unwrap();
        command.env("NYXCORE_DATABASE_URL", all_seeing_url(&db));
        command.env("PATH", db.folder());
        let refused = said(command.args(["backup", file.to_str().unwrap()]));
        assert_eq!(refused.code(), "PROGRAM_MISSING", "{}", refused.err);
        assert!(
            refused.err.contains("pg_dump") && !file.exists(),
            "{}",
            refused.err
        );
    });
}

#[test]
fn a_backup_of_an_older_schema_is_migrated_by_the_restore() {
    run_on_sqlite(|db| async move {
        let old = db.folder().join("old.sqlite");
        let connection = connect(&old).await;
        Migrator::up(&connection, Some(15)).await.unwrap();
        connection.close().await.unwrap();
        let file = db.folder().join("b.tar");
        let url = format!("sqlite://{}", old.display());
        let made = on_test_database(&db, &url, &["backup", file.to_str().unwrap()]);
        assert!(made.status.success(), "{}", made.err);
        let connection = connect(&old).await;
        let untouched = number(&connection, "SELECT count(*) FROM seaql_migrations").await;
        assert_eq!(untouched, 15, "a backup migrates nothing");
        let machine = FreshMachine::new(&db, "fresh").await;
        machine.restored(&file);
        let well = machine.nyxcore("", &["doctor"]);
        assert!(well.status.success(), "{}{}", well.out, well.err);
    });
}
