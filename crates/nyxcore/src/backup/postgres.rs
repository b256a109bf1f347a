//! The backup of a PostgreSQL database: a dump of one snapshot. The rows are counted in the same snapshot.
//!
//! Row-level security hides rows from every ordinary role, even from the owner of the tables. So only a role with
//! BYPASSRLS can make a backup. A restore needs no such role: it fills the tables before it enables row-level security
//! on them. It uses no role of the old server, and connects as the owner of the new database.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, bail};
use nyxcore_migrations::owner::owner_lacks;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbBackend, IsolationLevel, QueryResult,
    Statement, TransactionTrait,
};

use super::manifest::{Manifest, Policy, PolicyRole, PostgresPart};
use super::pg_tools::{Connection, Tool, with_path};
use super::{DATABASE, migrations_read, quoted, rows_check, rows_count, tables, texts};
use crate::error::{Error, Result};
use crate::progress::Step;

/// The factor between a version number and its major version, since PostgreSQL 10.
const MAJOR: u32 = 10_000;

/// The reasons why the connected role does not see every row, a sentence each.
const BLIND: &str = "
    SELECT format('row-level security hides rows from the role %I', rolname) FROM pg_roles
    WHERE rolname = current_user AND NOT rolsuper AND NOT rolbypassrls
    UNION ALL
    SELECT format('the role %I cannot read the table %I', current_user, c.relname) FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'S') AND c.relnamespace = 'public'::regnamespace
      AND NOT has_table_privilege(c.oid, 'SELECT')
    LIMIT 3";

/// The extensions that objects of the schema need, which are those of the columns' types.
const EXTENSIONS: &str = "
    SELECT DISTINCT e.extname::text FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = a.atttypid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
    ORDER BY 1";

const POLICIES: &str = "
    SELECT c.relname::text AS on_table, p.polname::text AS name, p.polpermissive AS permissive,
        CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
        pg_get_expr(p.polqual, p.polrelid) AS using_sql, pg_get_expr(p.polwithcheck, p.polrelid) AS check_sql,
        (SELECT string_agg(CASE WHEN one = 0 THEN 'public' WHEN one = c.relowner THEN 'owner' ELSE 'role ' || pg_get_userbyid(one) END, chr(10))
         FROM unnest(p.polroles) AS one) AS roles
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace = 'public'::regnamespace
    ORDER BY 1, 2";

/// Functions of the schema that run with their owner's rights: everybody may call a new function.
const DEFINERS: &str = "
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND pg_has_role(p.proowner, 'USAGE')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')";

/// Functions of the schema, without those of an extension.
const FUNCTIONS: &str = "
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')";

/// Views, sequences that no table owns, and types of the schema. nyxcore creates none of them.
const OTHERS: &str = "
    SELECT c.relname::text FROM pg_class c
    WHERE c.relkind IN ('v', 'm', 'S', 'f') AND c.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'a', 'i'))";

/// Dumps the database of a connection into a file, and writes its contents into the manifest.
///
/// # Errors
/// [`Error::BackupRights`] for a role that does not see every row; [`Error::ToolMissing`], [`Error::ToolFailed`].
pub async fn dump(
    db: &DatabaseConnection,
    url: &str,
    into: &Path,
    manifest: &mut Manifest,
    step: &Step,
) -> Result<()> {
    let server_version = server_version(db).await?;
    let because = format!("the server is PostgreSQL {}", server_version / MAJOR);
    Tool::Dump.require(server_version / MAJOR, &because).await?;
    let blind = texts(db, BLIND).await?;
    if !blind.is_empty() {
        bail!(Error::BackupRights(blind.join("; ")));
    }
    manifest.migrations = migrations_read(db).await?;
    step.phase("counting the rows");
    let begun = db
        .begin_with_config(
            Some(IsolationLevel::RepeatableRead),
            Some(AccessMode::ReadOnly),
        )
        .await;
    let snapshot = begun.map_err(nyxcore_tenancy::Error::from)?;
    let names = texts(&snapshot, "SELECT pg_export_snapshot()").await?;
    let name = names.first().context("the server exports no snapshot")?;
    manifest.rows = rows_count(&snapshot).await?;
    manifest.postgres = Some(PostgresPart {
        server_version,
        extensions: texts(&snapshot, EXTENSIONS).await?,
        policies: policies_read(&snapshot).await?,
    });
    step.phase("dumping the database");
    let arguments: Vec<OsString> = vec![
        "--format=custom".into(),
        "--no-owner".into(),
        "--no-privileges".into(),
        // All objects of nyxcore are in this schema. An extension is installed by an administrator.
        "--schema=public".into(),
        // A migration that waits for its own locks must not block the dump for ever.
        "--lock-wait-timeout=60s".into(),
        format!("--snapshot={name}").into(),
        with_path("--file", into),
    ];
    Tool::Dump
        .run(&arguments, Some(&Connection::of(url)?))
        .await?;
    // The dump is complete, even if the server has ended the idle session meanwhile.
    let _ended = snapshot.rollback().await;
    Ok(())
}

/// Restores a dump into a database without rows, as the role that will own the tables. After a failure the database is
/// empty.
///
/// # Errors
/// [`Error::RestoreTargetInUse`], [`Error::OwnerLacks`], [`Error::BackupInvalid`], [`Error::ToolMissing`],
/// [`Error::ToolFailed`].
pub async fn restore(
    db: &DatabaseConnection,
    url: &str,
    archive: &Path,
    folder: &Path,
    manifest: &Manifest,
    step: &Step,
) -> Result<()> {
    let Some(part) = &manifest.postgres else {
        bail!(Error::BackupInvalid {
            path: archive.to_owned(),
            reason: "its manifest does not describe a PostgreSQL database".into(),
        });
    };
    target_check(db, part).await?;
    step.phase("emptying the schema");
    schema_drop(db).await?;
    step.phase("restoring the rows");
    let restored = fill(db, url, archive, folder, manifest, part, step).await;
    if restored.is_err() {
        // The database was empty before, and a second attempt needs an empty one.
        let emptied = schema_drop_all(db).await;
        if let Err(error) = emptied {
            tracing::warn!(?error, "what was restored could not be removed again");
        }
    }
    restored
}

/// Refuses a server or a role that cannot take the dump, before anything is changed.
async fn target_check(db: &DatabaseConnection, part: &PostgresPart) -> Result<()> {
    let major = part.server_version / MAJOR;
    let here = server_version(db).await? / MAJOR;
    if here < major {
        bail!(Error::ToolMissing(format!(
            "the backup is of PostgreSQL {major} and this server is PostgreSQL {here}: restore into the same version or \
             a newer one"
        )));
    }
    let because = format!("the backup is of PostgreSQL {major}");
    Tool::Restore.require(major, &because).await?;
    let lacks = owner_lacks(db, None).await;
    let lacks = lacks.map_err(nyxcore_tenancy::Error::from)?;
    if !lacks.is_empty() {
        bail!(Error::OwnerLacks(lacks.join("; ")));
    }
    let installed = texts(db, "SELECT extname::text FROM pg_extension").await?;
    let missing = part
        .extensions
        .iter()
        .find(|extension| !installed.contains(extension));
    if let Some(extension) = missing {
        bail!(Error::OwnerLacks(format!(
            "the database has no extension {extension}: CREATE EXTENSION {}",
            quoted(extension)
        )));
    }
    Ok(())
}

/// Drops the tables of a schema without rows. Row-level security hides rows from the owner of the tables too, so a
/// table counts as empty if its file is empty. A table whose rows were deleted does not count as empty.
async fn schema_drop(db: &DatabaseConnection) -> Result<()> {
    let transaction = db.begin().await.map_err(nyxcore_tenancy::Error::from)?;
    let tables = tables(&transaction).await?;
    let others = texts(&transaction, OTHERS).await?;
    if let Some(other) = others.first() {
        bail!(Error::RestoreTargetInUse(format!(
            "it has {other}, which is not nyxcore's: restore into a database of its own"
        )));
    }
    for table in &tables {
        run(
            &transaction,
            &format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", quoted(table)),
        )
        .await?;
    }
    let filled = "SELECT c.relname::text FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND pg_relation_size(c.oid) > 0
          AND c.relname NOT LIKE '%\\_migrations' ORDER BY 1 LIMIT 1";
    if let Some(table) = texts(&transaction, filled).await?.first() {
        bail!(Error::RestoreTargetInUse(format!(
            "the table {table} has rows, or had some: restore into a new database (`nyxcore setup postgres --database NAME`)"
        )));
    }
    objects_drop(&transaction, &tables).await?;
    let dropped = transaction.commit().await;
    Ok(dropped.map_err(nyxcore_tenancy::Error::from)?)
}

/// Drops every table and function with its content. It is called only for what a restore has created.
async fn schema_drop_all(db: &DatabaseConnection) -> Result<()> {
    let transaction = db.begin().await.map_err(nyxcore_tenancy::Error::from)?;
    let tables = tables(&transaction).await?;
    objects_drop(&transaction, &tables).await?;
    let dropped = transaction.commit().await;
    Ok(dropped.map_err(nyxcore_tenancy::Error::from)?)
}

async fn objects_drop(db: &impl ConnectionTrait, tables: &[String]) -> Result<()> {
    if !tables.is_empty() {
        let names: Vec<String> = tables.iter().map(|table| quoted(table)).collect();
        run(db, &format!("DROP TABLE {} CASCADE", names.join(", "))).await?;
    }
    for function in texts(db, FUNCTIONS).await? {
        run(db, &format!("DROP FUNCTION {function} CASCADE")).await?;
    }
    Ok(())
}

/// Creates and fills the tables, counts the rows, and creates all other objects.
async fn fill(
    db: &DatabaseConnection,
    url: &str,
    archive: &Path,
    folder: &Path,
    manifest: &Manifest,
    part: &PostgresPart,
    step: &Step,
) -> Result<()> {
    let dump = folder.join(DATABASE);
    let place = Connection::of(url)?;
    let common = || -> Vec<OsString> {
        [
            "--no-owner",
            "--no-privileges",
            "--schema=public",
            "--exit-on-error",
            "--single-transaction",
        ]
        .map(OsString::from)
        .into()
    };
    let mut arguments = common();
    arguments.extend(["--section=pre-data", "--section=data"].map(OsString::from));
    arguments.push(dump.clone().into());
    Tool::Restore.run(&arguments, Some(&place)).await?;
    step.phase("counting the rows");
    // Row-level security is not enabled yet: the owner sees every row.
    rows_check(archive, manifest, &rows_count(db).await?)?;
    step.phase("making the indexes and keys");
    let list = Tool::Restore
        .run(
            &[
                "--list".into(),
                "--section=post-data".into(),
                dump.clone().into(),
            ],
            None,
        )
        .await?;
    let list_file = folder.join("post-data.list");
    std::fs::write(&list_file, without_policies(&list))
        .context("writing the list of objects failed")?;
    let mut arguments = common();
    arguments.push(with_path("--use-list", &list_file));
    arguments.push(dump.into());
    Tool::Restore.run(&arguments, Some(&place)).await?;
    step.phase("making the policies");
    let transaction = db.begin().await.map_err(nyxcore_tenancy::Error::from)?;
    for policy in &part.policies {
        run(&transaction, &policy_sql(policy)).await?;
    }
    for function in texts(&transaction, DEFINERS).await? {
        run(
            &transaction,
            &format!("REVOKE ALL ON FUNCTION {function} FROM PUBLIC"),
        )
        .await?;
    }
    let made = transaction.commit().await;
    made.map_err(nyxcore_tenancy::Error::from)?;
    if migrations_read(db).await? != manifest.migrations {
        bail!(Error::BackupInvalid {
            path: archive.to_owned(),
            reason: "its database has other migrations than the manifest says".into(),
        });
    }
    Ok(())
}

/// The list of objects of a dump without the policies, which name the roles of the old server. A line is `number;
/// number number KIND schema name owner`.
fn without_policies(list: &str) -> String {
    let is_policy = |line: &&str| line.split_whitespace().nth(3) == Some("POLICY");
    let kept: Vec<&str> = list.lines().filter(|line| !is_policy(line)).collect();
    kept.join("\n")
}

/// The statement that creates a policy. It applies to the connected role where it applied to the old owner.
fn policy_sql(policy: &Policy) -> String {
    let roles = policy.roles.iter().map(|role| match role {
        PolicyRole::Public => "PUBLIC".to_owned(),
        PolicyRole::Owner => "CURRENT_USER".to_owned(),
        PolicyRole::Named(name) => quoted(name),
    });
    let roles: Vec<String> = roles.collect();
    let mut sql = format!(
        "CREATE POLICY {} ON {} AS {} FOR {} TO {}",
        quoted(&policy.name),
        quoted(&policy.table),
        if policy.permissive {
            "PERMISSIVE"
        } else {
            "RESTRICTIVE"
        },
        match policy.command.as_str() {
            known @ ("SELECT" | "INSERT" | "UPDATE" | "DELETE") => known,
            _ => "ALL",
        },
        roles.join(", ")
    );
    for (word, condition) in [("USING", &policy.using), ("WITH CHECK", &policy.check)] {
        if let Some(condition) = condition {
            sql.push_str(&format!(" {word} ({condition})"));
        }
    }
    sql
}

async fn policies_read(db: &impl ConnectionTrait) -> Result<Vec<Policy>> {
    let statement = Statement::from_string(DbBackend::Postgres, POLICIES);
    let rows = db.query_all_raw(statement).await;
    let rows = rows.map_err(nyxcore_tenancy::Error::from)?;
    let policies: Result<_, sea_orm::DbErr> = rows.iter().map(policy_of).collect();
    Ok(policies.map_err(nyxcore_tenancy::Error::from)?)
}

fn policy_of(row: &QueryResult) -> Result<Policy, sea_orm::DbErr> {
    let roles: String = row.try_get("", "roles")?;
    Ok(Policy {
        table: row.try_get("", "on_table")?,
        name: row.try_get("", "name")?,
        permissive: row.try_get("", "permissive")?,
        command: row.try_get("", "command")?,
        roles: roles
            .lines()
            .map(|role| match role {
                "public" => PolicyRole::Public,
                "owner" => PolicyRole::Owner,
                named => PolicyRole::Named(named.trim_start_matches("role ").to_owned()),
            })
            .collect(),
        using: row.try_get("", "using_sql")?,
        check: row.try_get("", "check_sql")?,
    })
}

/// The number of the server's version: 180006 is 18.6.
async fn server_version(db: &impl ConnectionTrait) -> Result<u32> {
    let version = texts(db, "SELECT current_setting('server_version_num')").await?;
    let version = version.first().and_then(|version| version.parse().ok());
    version.context("the server does not say its version")
}

async fn run(db: &impl ConnectionTrait, sql: &str) -> Result<()> {
    let done = db.execute_unprepared(sql).await;
    done.map_err(nyxcore_tenancy::Error::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_left_out_of_the_list_and_row_security_stays() {
        let list = ";\n; Archive created at 2026-01-01\n\
            3500; 2606 16450 CONSTRAINT public notes notes_pkey nyx_owner\n\
            3600; 3256 16500 POLICY public notes tenant_isolation nyx_owner\n\
            3601; 0 16400 ROW SECURITY public notes nyx_owner\n";
        let kept = without_policies(list);
        assert!(kept.contains("ROW SECURITY") && kept.contains("CONSTRAINT"));
        assert!(!kept.contains("POLICY"));
    }

    #[test]
    fn a_policy_of_the_owner_becomes_one_of_the_new_owner() {
        let policy = Policy {
            table: "audit_entries".into(),
            name: "audit_expire".into(),
            permissive: true,
            command: "ALL".into(),
            roles: vec![PolicyRole::Owner],
            using: Some("true".into()),
            check: None,
        };
        assert_eq!(
            policy_sql(&policy),
            "CREATE POLICY \"audit_expire\" ON \"audit_entries\" AS PERMISSIVE FOR ALL TO CURRENT_USER USING (true)"
        );
    }
}
