//! The audit logs of tenants and of system work. Rows are added and never changed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Tables to which the serving role may only add rows, and which it may read.
pub const APPEND_ONLY: &[&str] = &["audit_entries", "system_entries"];

/// The signature of the only function that deletes old rows. See [`POSTGRES_EXPIRE`].
pub const FUNCTION: &str = "nyxcore_audit_expire(timestamptz)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        ddl.tenant_table(
            "audit_entries",
            "id $uuid NOT NULL,
             at $time NOT NULL,
             actor $text NOT NULL CHECK (actor IN ('USER', 'TOKEN', 'OPERATOR', 'SYSTEM')),
             user_id $uuid,
             token_id $uuid,
             session_id $uuid,
             action $text NOT NULL,
             subject_kind $text,
             subject_id $uuid,
             outcome $text NOT NULL,
             address $text,
             request_id $text,
             detail $json,
             PRIMARY KEY (tenant_id, id)",
        )
        .await?;
        ddl.run("CREATE INDEX audit_entries_at ON audit_entries (at)")
            .await?;
        // Actions from outside of the tenant, such as accepting an invitation, are recorded by their system scope.
        ddl.system_access("audit_entries").await?;
        ddl.system_table(
            "system_entries",
            "id $uuid PRIMARY KEY,
             at $time NOT NULL,
             purpose $text NOT NULL,
             uses $int NOT NULL,
             outcome $text NOT NULL,
             subject_id $uuid,
             address $text,
             request_id $text,
             detail $json",
        )
        .await?;
        ddl.run("CREATE INDEX system_entries_at ON system_entries (at)")
            .await?;
        if ddl.is_postgres() {
            ddl.run(POSTGRES_EXPIRE).await
        } else {
            for (table, same) in [
                ("audit_entries", "tenant_id = new.tenant_id AND id = new.id"),
                ("system_entries", "id = new.id"),
            ] {
                let triggers = SQLITE_APPEND_ONLY
                    .replace("{table}", table)
                    .replace("{same}", same);
                ddl.run(&triggers).await?;
            }
            Ok(())
        }
    }
}

/// SQLite has no roles: triggers refuse what PostgreSQL does not permit to the serving role. They use the database's
/// clock. An `INSERT OR REPLACE` deletes the old row without firing the delete trigger, so an existing id is refused
/// before.
const SQLITE_APPEND_ONLY: &str = "
    CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN
        SELECT RAISE(ABORT, 'the audit log is not changed');
    END;
    CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} BEGIN
        SELECT RAISE(ABORT, 'the audit log is not changed');
    END;
    CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} WHEN old.at > strftime('%Y-%m-%dT%H:%M:%S', 'now', '-7 days') BEGIN
        SELECT RAISE(ABORT, 'the audit log keeps the last 7 days');
    END;";

/// The serving role may not delete. This function deletes rows older than the operator's retention and returns their
/// number. It runs as the owner of the tables, whom the policy `audit_expire` lets delete. It always keeps the last 7
/// days, whatever its argument.
const POSTGRES_EXPIRE: &str = "
    CREATE FUNCTION nyxcore_audit_expire(before timestamptz) RETURNS bigint
        LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $body$
            WITH entries AS (
                DELETE FROM public.audit_entries WHERE at < least(before, now() - interval '7 days') RETURNING 1
            ), uses AS (
                DELETE FROM public.system_entries WHERE at < least(before, now() - interval '7 days') RETURNING 1
            )
            SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM uses)
        $body$;
    CREATE POLICY audit_expire ON audit_entries TO CURRENT_USER USING (true);
    CREATE POLICY audit_expire ON system_entries TO CURRENT_USER USING (true);
    REVOKE ALL ON FUNCTION nyxcore_audit_expire(timestamptz) FROM PUBLIC;";
