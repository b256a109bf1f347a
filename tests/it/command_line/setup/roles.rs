//! Roles with too many rights are refused by the server and reported by the doctor. The missing rights of an owner are
//! listed.

use nyxcore_tests::{TestDatabase, nyxcore_command, run_on_sqlite};
use sea_orm::ConnectionTrait;

use super::cluster::{Installation, connect, url_of};
use super::{on_test_database, said, set_up};

/// The error codes and messages of `serve` and `worker` with this URL.
fn served(db: &TestDatabase, url: &str) -> [(String, String); 2] {
    [&["serve", "--listen", "127.0.0.1:0"][..], &["worker"]].map(|arguments| {
        let refused = on_test_database(db, url, arguments);
        (refused.code().to_owned(), refused.err)
    })
}

#[test]
fn a_role_that_can_do_more_than_serve_is_refused() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("more");
        set_up(&db, &installation);
        let name = &installation.name;
        let app = url_of(&db, name, "app.env");
        let group = format!("{name}_group");
        installation
            .run(&format!("CREATE ROLE {group} CREATEDB"))
            .await;
        for (give, take, told) in [
            (
                "ALTER ROLE {app} CREATEROLE",
                "ALTER ROLE {app} NOCREATEROLE",
                "has CREATEROLE",
            ),
            (
                "ALTER ROLE {app} CREATEDB",
                "ALTER ROLE {app} NOCREATEDB",
                "has CREATEDB",
            ),
            (
                "ALTER ROLE {app} REPLICATION",
                "ALTER ROLE {app} NOREPLICATION",
                "has REPLICATION",
            ),
            (
                "ALTER ROLE {app} BYPASSRLS",
                "ALTER ROLE {app} NOBYPASSRLS",
                "has BYPASSRLS",
            ),
            (
                "ALTER ROLE {app} SUPERUSER",
                "ALTER ROLE {app} NOSUPERUSER",
                "is a superuser",
            ),
            (
                "GRANT {owner} TO {app}",
                "REVOKE {owner} FROM {app}",
                "_owner, which owns",
            ),
            (
                "GRANT {group} TO {app}",
                "REVOKE {group} FROM {app}",
                "_group, which has CREATEDB",
            ),
            (
                "GRANT pg_write_all_data TO {app}",
                "REVOKE pg_write_all_data FROM {app}",
                "pg_write_all_data",
            ),
            (
                "ALTER DATABASE {db} OWNER TO {app}",
                // The app role's grants became the owner's, and were removed with the ownership.
                "ALTER DATABASE {db} OWNER TO {owner}; GRANT CONNECT ON DATABASE {db} TO {app}",
                "owns the database",
            ),
            (
                "GRANT CREATE ON DATABASE {db} TO {app}",
                "REVOKE CREATE ON DATABASE {db} FROM {app}",
                "may make schemas",
            ),
        ] {
            let named = |sql: &str| {
                sql.replace("{app}", &format!("{name}_app"))
                    .replace("{owner}", &format!("{name}_owner"))
                    .replace("{group}", &group)
                    .replace("{db}", name)
            };
            installation.run(&named(give)).await;
            for (code, text) in served(&db, &app) {
                assert_eq!(code, "DATABASE_ROLE_UNSAFE", "{give}: {text}");
                assert!(
                    text.contains(told) && text.contains("setup postgres"),
                    "{give}: {text}"
                );
            }
            let ill = on_test_database(&db, &app, &["doctor"]);
            let line = ill
                .out
                .lines()
                .find(|line| line.starts_with("✗ database role"));
            assert!(
                line.is_some_and(|line| line.contains(told)),
                "{give}: {}",
                ill.out
            );
            installation.run(&named(take)).await;
        }
        let well = on_test_database(&db, &app, &["doctor"]);
        assert!(well.status.success(), "{}", well.out);
    });
}

#[test]
fn the_owner_is_refused_as_the_serving_role() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("owner");
        set_up(&db, &installation);
        let owner = url_of(&db, &installation.name, "owner.env");
        for (code, text) in served(&db, &owner) {
            assert_eq!(code, "DATABASE_ROLE_UNSAFE", "{text}");
            assert!(text.contains("owns the database"), "{text}");
        }
        let mut allowed = nyxcore_command(&db).unwrap();
        allowed
            .env("NYXCORE_DATABASE_URL", &owner)
            .env("NYXCORE_ALLOW_PRIVILEGED_ROLE", "true");
        assert!(
            said(allowed.args(["tenant", "list"])).status.success(),
            "unless it is allowed"
        );
    });
}

#[test]
fn migrate_says_what_the_owner_lacks() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("lacks");
        let name = &installation.name;
        let admin = installation.administrator("NOCREATEROLE").await;
        installation.run(&format!("CREATE DATABASE {name}")).await;
        let database = |url: &str| {
            let mut url = url::Url::parse(url).unwrap();
            url.set_path(name);
            url.to_string()
        };
        let url = database(&admin);
        let inside = connect(&database(&installation.admin)).await;
        inside
            .execute_unprepared("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            .await
            .unwrap();
        let refused = on_test_database(
            &db,
            &url,
            &["migrate", "--app-role", &format!("{name}_app")],
        );
        assert_eq!(refused.code(), "DATABASE_RIGHTS_MISSING", "{}", refused.err);
        for told in [
            "nothing was changed",
            &format!("GRANT USAGE, CREATE ON SCHEMA public TO {name}_admin"),
            &format!("CREATE ROLE {name}_app LOGIN"),
        ] {
            assert!(refused.err.contains(told), "{}", refused.err);
        }
        let tables =
            "SELECT count(*) AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace";
        let tables = sea_orm::Statement::from_string(inside.get_database_backend(), tables);
        let row = inside.query_one_raw(tables).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), 0);

        let gift = format!("GRANT USAGE, CREATE ON SCHEMA public TO {name}_admin");
        inside.execute_unprepared(&gift).await.unwrap();
        inside
            .execute_unprepared(&format!("CREATE ROLE {name}_app LOGIN PASSWORD 'pw'"))
            .await
            .unwrap();
        inside.close().await.unwrap();
        let itself = on_test_database(
            &db,
            &url,
            &["migrate", "--app-role", &format!("{name}_admin")],
        );
        assert_eq!(itself.code(), "DATABASE_RIGHTS_MISSING", "{}", itself.err);
        let migrated = on_test_database(
            &db,
            &url,
            &["migrate", "--app-role", &format!("{name}_app")],
        );
        assert!(migrated.status.success(), "{}", migrated.err);
    });
}

#[test]
fn a_server_that_lets_nobody_in_says_why() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("closed");
        set_up(&db, &installation);
        let app = url::Url::parse(&url_of(&db, &installation.name, "app.env")).unwrap();
        let mut wrong = app.clone();
        wrong.set_password(Some("not the password")).unwrap();
        let mut nowhere = app;
        nowhere.set_path("no_such_database");
        for (url, said_of_it) in [(wrong, "password"), (nowhere, "no_such_database")] {
            let refused = on_test_database(&db, url.as_str(), &["tenant", "list"]);
            assert_eq!(refused.code(), "DATABASE_REFUSED", "{}", refused.err);
            assert!(
                refused.err.contains(said_of_it) && !refused.err.contains("at line"),
                "{}",
                refused.err
            );
            assert!(!refused.err.contains("try again"), "{}", refused.err);
        }
    });
}
