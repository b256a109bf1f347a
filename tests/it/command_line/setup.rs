//! Setup of PostgreSQL: with `nyxcore setup postgres`, as in the README, and with manually created roles.

mod cluster;
mod files;
mod roles;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use nyxcore_tests::{TestDatabase, run_on_postgres, run_on_sqlite};
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::{CommandOutput, Running, on_test_database, said};
use cluster::{Installation, connect, url_of};

/// A given password, which must not appear in the SQL and the output of a set-up.
const PASSWORD: &str = "a password of my own";

/// `setup postgres` with further arguments, its files in the folder `name`.
fn setup(db: &TestDatabase, installation: &Installation, arguments: &[&str]) -> Command {
    let mut command = installation.nyxcore(db);
    command.args(["setup", "postgres", "--database", &installation.name]);
    command.args(arguments);
    command
}

fn set_up(db: &TestDatabase, installation: &Installation) {
    let done = said(&mut setup(
        db,
        installation,
        &["--output", &installation.name],
    ));
    assert!(done.status.success(), "{}", done.err);
}

fn doctor(db: &TestDatabase, url: &str) -> CommandOutput {
    on_test_database(db, url, &["doctor"])
}

#[test]
fn setup_makes_what_the_doctor_is_content_with() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("setup");
        set_up(&db, &installation);
        let app = url_of(&db, &installation.name, "app.env");
        let well = doctor(&db, &app);
        assert!(
            well.status.success() && !well.out.contains('✗'),
            "{}",
            well.out
        );
        let create = [
            "tenant",
            "create",
            "acme",
            "--name",
            "Acme",
            "--owner",
            "ada@example.org",
        ];
        assert!(on_test_database(&db, &app, &create).status.success());
        let migrated = on_test_database(
            &db,
            &url_of(&db, &installation.name, "owner.env"),
            &["migrate"],
        );
        assert_eq!(migrated.out, "the schema is current\n", "{}", migrated.err);
        let mut serve = nyxcore_tests::nyxcore_command(&db).unwrap();
        serve.env("NYXCORE_DATABASE_URL", &app);
        let running = Running::start(serve.args(["serve", "--listen", "127.0.0.1:0"]), false);
        running.after("nyxcore listens at ");
        for file in ["owner.env", "app.env"] {
            let file = db.folder().join(&installation.name).join(file);
            assert_eq!(fs::metadata(file).unwrap().mode() & 0o777, 0o600);
        }
    });
}

#[test]
fn setup_gives_its_roles_no_power_over_the_cluster() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("plain");
        set_up(&db, &installation);
        let more = format!(
            "SELECT count(*) FROM pg_roles WHERE rolname IN ('{0}_owner', '{0}_app')
             AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR NOT rolcanlogin)",
            installation.name
        );
        assert_eq!(installation.number(&more).await, 0);
        let kept = format!(
            "SELECT count(*) FROM pg_authid WHERE rolname LIKE '{}%' AND rolpassword LIKE 'SCRAM-SHA-256$4096:%'",
            installation.name
        );
        assert_eq!(
            installation.number(&kept).await,
            2,
            "the server keeps a verifier of each password"
        );
    });
}

#[test]
fn setup_can_be_run_again() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("again");
        set_up(&db, &installation);
        let app = url_of(&db, &installation.name, "app.env");
        let again = said(&mut setup(
            &db,
            &installation,
            &["--output", &installation.name],
        ));
        assert!(
            again.status.success() && again.err.contains("keeps its password"),
            "{}",
            again.err
        );
        assert_eq!(url_of(&db, &installation.name, "app.env"), app);
        assert!(doctor(&db, &app).status.success());

        let printed = said(&mut setup(&db, &installation, &["--new-passwords"]));
        assert!(printed.status.success(), "{}", printed.err);
        assert_eq!(
            doctor(&db, &app).status.code(),
            Some(1),
            "the old password is refused"
        );
        let urls = printed
            .out
            .lines()
            .filter_map(|line| line.strip_prefix("NYXCORE_DATABASE_URL="));
        let urls: Vec<&str> = urls.collect();
        assert_eq!(urls.len(), 2, "{}", printed.out);
        assert!(doctor(&db, urls[1]).status.success());
    });
}

#[test]
fn setup_takes_passwords_from_the_environment_or_a_file() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("given");
        fs::write(db.folder().join("app-password"), format!("{PASSWORD}\n")).unwrap();
        let arguments = [
            "--app-password-file",
            "app-password",
            "--output",
            &installation.name,
        ];
        let mut command = setup(&db, &installation, &arguments);
        command.env("NYXCORE_OWNER_PASSWORD", PASSWORD.to_uppercase());
        command.env("NYXCORE_LOG", "trace");
        let done = said(&mut command);
        assert!(done.status.success(), "{}", done.err);
        let shown = [done.out, done.err].concat();
        for secret in [PASSWORD, &PASSWORD.to_uppercase(), "SCRAM-SHA-256$"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        let app = url_of(&db, &installation.name, "app.env");
        assert!(app.contains("a%20password%20of%20my%20own") && doctor(&db, &app).status.success());

        for (variable, value) in [
            ("NYXCORE_APP_PASSWORD", PASSWORD),
            ("NYXCORE_OWNER_PASSWORD", "short"),
        ] {
            let mut command = setup(&db, &installation, &arguments);
            let refused = said(command.env(variable, value));
            assert_eq!(refused.code(), "SETTING_INVALID", "{}", refused.err);
        }
    });
}

#[test]
fn a_locked_table_ends_a_migration_in_time() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("locked");
        set_up(&db, &installation);
        let owner = url_of(&db, &installation.name, "owner.env");
        let other = connect(&owner).await;
        let transaction = other.begin().await.unwrap();
        let lock = "LOCK TABLE seaql_migrations IN ACCESS EXCLUSIVE MODE";
        transaction.execute_unprepared(lock).await.unwrap();
        let mut command = nyxcore_tests::nyxcore_command(&db).unwrap();
        command.env("NYXCORE_DATABASE_URL", &owner);
        command.env("NYXCORE_DATABASE_LOCK_TIMEOUT", "1");
        let refused = said(command.arg("migrate"));
        assert_eq!(refused.code(), "DATABASE_BUSY", "{}", refused.err);
        assert!(
            refused.err.contains("nothing was changed"),
            "{}",
            refused.err
        );
        transaction.rollback().await.unwrap();
        let migrated = on_test_database(&db, &owner, &["migrate"]);
        assert_eq!(migrated.out, "the schema is current\n", "{}", migrated.err);
    });
}

#[test]
fn installations_in_one_cluster_share_nothing() {
    run_on_sqlite(|db| async move {
        let (one, two) = (Installation::new("one"), Installation::new("two"));
        for installation in [&one, &two] {
            set_up(&db, installation);
            assert!(
                doctor(&db, &url_of(&db, &installation.name, "app.env"))
                    .status
                    .success()
            );
        }
        for file in ["app.env", "owner.env"] {
            let mut foreign = url::Url::parse(&url_of(&db, &one.name, file)).unwrap();
            foreign.set_path(&two.name);
            let refused = on_test_database(&db, foreign.as_str(), &["tenant", "list"]);
            assert_eq!(refused.code(), "DATABASE_REFUSED", "{}", refused.err);
            assert!(
                refused.err.contains("permission denied for database"),
                "{}",
                refused.err
            );
        }
    });
}

#[test]
fn an_administrator_who_is_no_superuser_is_enough() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("managed");
        let admin = installation.administrator("CREATEROLE CREATEDB").await;
        for _ in 0..2 {
            let arguments = ["--admin-url", &admin, "--output", &installation.name];
            let done = said(&mut setup(&db, &installation, &arguments));
            assert!(done.status.success(), "{}", done.err);
            assert!(
                doctor(&db, &url_of(&db, &installation.name, "app.env"))
                    .status
                    .success()
            );
        }
    });
}

#[test]
fn an_administrator_without_rights_is_told_so() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("weak");
        let admin = installation.administrator("CREATEROLE NOCREATEDB").await;
        let refused = said(&mut setup(&db, &installation, &["--admin-url", &admin]));
        assert_eq!(refused.code(), "SETUP_REFUSED", "{}", refused.err);
        assert!(
            refused.err.contains("nothing was changed") && refused.err.contains("CREATEDB"),
            "{}",
            refused.err
        );
        assert_eq!(installation.roles().await, 1, "the administrator alone");
    });
}

#[test]
fn a_role_that_has_more_is_not_made_one_of_ours() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("taken");
        let name = format!("{}_app", installation.name);
        for (rights, said_of_it) in [
            ("LOGIN CREATEROLE", "CREATEROLE"),
            ("LOGIN SUPERUSER", "SUPERUSER"),
            ("NOLOGIN", "may not log in"),
        ] {
            installation
                .run(&format!("CREATE ROLE {name} {rights}"))
                .await;
            let refused = said(&mut setup(&db, &installation, &[]));
            assert_eq!(refused.code(), "SETUP_REFUSED", "{}", refused.err);
            assert!(
                refused.err.contains(said_of_it) && refused.err.contains("ALTER ROLE"),
                "{}",
                refused.err
            );
            installation.run(&format!("DROP ROLE {name}")).await;
        }
        let arguments = ["--owner", "same", "--app", "same"];
        assert_eq!(
            said(&mut setup(&db, &installation, &arguments)).code(),
            "SETTING_INVALID"
        );
        let hostile = ["--owner", "x\"; DROP ROLE postgres; --"];
        assert_eq!(
            said(&mut setup(&db, &installation, &hostile)).code(),
            "SETTING_INVALID"
        );
    });
}

#[test]
fn a_dry_run_prints_the_sql_and_changes_nothing() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("dry");
        let mut planned = setup(&db, &installation, &["--dry-run"]);
        let planned = said(planned.env("NYXCORE_APP_PASSWORD", PASSWORD));
        assert!(planned.status.success(), "{}", planned.err);
        for statement in [
            "CREATE ROLE",
            "CREATE DATABASE",
            "REVOKE CONNECT",
            "PASSWORD '...'",
            "migrate --app-role",
        ] {
            assert!(planned.out.contains(statement), "{}", planned.out);
        }
        assert!(
            !planned.out.contains(PASSWORD) && !planned.out.contains("SCRAM"),
            "{}",
            planned.out
        );
        assert_eq!(installation.roles().await, 0);

        let mut unknown = setup(&db, &installation, &["--dry-run"]);
        let unknown = said(unknown.env_remove("NYXCORE_ADMIN_URL"));
        assert!(
            unknown.out.contains("CREATE DATABASE"),
            "{}{}",
            unknown.out,
            unknown.err
        );
        set_up(&db, &installation);
        let little = said(&mut setup(&db, &installation, &["--dry-run"])).out;
        assert!(
            !little.contains("CREATE ROLE") && !little.contains("CREATE DATABASE"),
            "{little}"
        );
    });
}

/// Runs the commands of the README unchanged against a real server.
#[test]
fn the_readmes_own_sequence_works() {
    run_on_sqlite(|db| async move {
        let installation = Installation::new("readme");
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
        let readme = fs::read_to_string(readme).unwrap();
        let (_, rest) = readme
            .split_once("PostgreSQL, with row-level security")
            .unwrap();
        let blocks: Vec<&str> = rest.split("```").skip(1).step_by(2).take(2).collect();
        let folder = db.folder().join("etc");
        let script = |block: &str| {
            let replaced = [
                (
                    "postgres://postgres:…@db.example.org/postgres",
                    installation.admin.as_str(),
                ),
                (
                    "setup postgres",
                    &format!("setup postgres --database {}", installation.name),
                ),
                ("nyxcore_app", &format!("{}_app", installation.name)),
                ("/etc/nyxcore", folder.to_str().unwrap()),
                ("nyxcore serve", "exec nyxcore serve --listen 127.0.0.1:0"),
            ];
            let block = block.strip_prefix("sh\n").unwrap().to_owned();
            replaced
                .iter()
                .fold(block, |block, (from, to)| block.replace(from, to))
        };
        let first = script(blocks[0]);
        assert!(
            first.contains("setup postgres") && first.contains("exec nyxcore serve"),
            "{first}"
        );
        let running = Running::start(&mut installation.shell(&db, &first), false);
        running.after("created the tenant acme");
        running.after("nyxcore listens at ");
        let well = doctor(&db, &url_of(&db, "etc", "app.env"));
        assert!(well.status.success(), "{}", well.out);
        let upgrade = script(blocks[1]);
        let upgraded = said(&mut installation.shell(&db, &upgrade));
        assert!(upgraded.status.success(), "{upgrade}: {}", upgraded.err);
        assert!(
            upgraded.out.starts_with("the schema is current\n"),
            "{}",
            upgraded.out
        );
    });
}

/// A database of an older version, whose functions belong to separate roles.
#[test]
fn an_older_database_gets_rid_of_the_helper_roles() {
    run_on_postgres(|db| async move {
        let superuser = db.superuser_connection().await.unwrap();
        superuser.execute_unprepared(OLDER).await.unwrap();
        let role = |url: &str| url::Url::parse(url).unwrap().username().to_owned();
        let (owner, app) = (role(db.owner_url()), role(db.app_url()));
        let refused = on_test_database(&db, db.owner_url(), &["migrate", "--app-role", &app]);
        assert_eq!(refused.code(), "DATABASE_RIGHTS_MISSING", "{}", refused.err);
        assert!(
            refused.err.contains("GRANT nyxcore_search TO")
                && refused.err.contains("WITH ADMIN OPTION"),
            "{}",
            refused.err
        );
        let give = format!("GRANT nyxcore_search, nyxcore_audit TO {owner} WITH ADMIN OPTION");
        superuser.execute_unprepared(&give).await.unwrap();
        let migrated = on_test_database(&db, db.owner_url(), &["migrate", "--app-role", &app]);
        assert!(
            migrated.out.contains("applied m0016_function_owner"),
            "{}{}",
            migrated.out,
            migrated.err
        );
        let well = doctor(&db, db.app_url());
        assert!(well.status.success(), "{}", well.out);
        superuser
            .execute_unprepared("DROP ROLE nyxcore_search, nyxcore_audit")
            .await
            .unwrap();
    });
}

/// The objects that older migrations created, before the roles were removed.
const OLDER: &str = "
    DELETE FROM seaql_migrations WHERE version = 'm0016_function_owner';
    CREATE ROLE nyxcore_search; CREATE ROLE nyxcore_audit;
    GRANT USAGE ON SCHEMA public TO nyxcore_search, nyxcore_audit;
    GRANT SELECT ON search_documents TO nyxcore_search;
    GRANT SELECT, DELETE ON audit_entries, system_entries TO nyxcore_audit;
    ALTER POLICY search_read ON search_documents TO nyxcore_search;
    ALTER POLICY audit_expire ON audit_entries TO nyxcore_audit;
    ALTER POLICY audit_expire ON system_entries TO nyxcore_audit;
    ALTER FUNCTION nyxcore_search(jsonb, uuid, text[], text[], bigint, jsonb) OWNER TO nyxcore_search;
    ALTER FUNCTION nyxcore_audit_expire(timestamptz) OWNER TO nyxcore_audit;";
