//! Functions that bypass row-level security now belong to the owner of the tables instead of roles of their own.
//!
//! Older versions of the migrations created the roles `nyxcore_search` and `nyxcore_audit`. Roles belong to the whole
//! cluster: the owner needed CREATEROLE, and since PostgreSQL 16 a second installation could not use the roles of the
//! first one. New databases do not have them; this migration brings older databases to the same state.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbErr;

use crate::ddl::Ddl;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// The roles that older databases have. Another installation in the cluster may still use them, so they are not
/// dropped.
pub const FORMER_ROLES: &[&str] = &["nyxcore_search", "nyxcore_audit"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ddl = Ddl::new(manager);
        if ddl.is_postgres() {
            for role in FORMER_ROLES {
                ddl.run(&POSTGRES.replace("{role}", role)).await?;
            }
        }
        Ok(())
    }
}

/// Does nothing if the role owns nothing in this database. Only a member of the role can take a function from it.
const POSTGRES: &str = "
    DO $body$ DECLARE
        former oid := to_regrole('{role}');
        object record;
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_proc WHERE proowner = former AND pronamespace = 'public'::regnamespace)
            AND NOT EXISTS (SELECT 1 FROM pg_policy WHERE former = ANY (polroles)) THEN
            RETURN;
        END IF;
        GRANT {role} TO CURRENT_USER;
        FOR object IN SELECT oid::regprocedure AS name FROM pg_proc
            WHERE proowner = former AND pronamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER FUNCTION %s OWNER TO CURRENT_USER', object.name);
        END LOOP;
        FOR object IN SELECT polname AS name, polrelid::regclass AS relation FROM pg_policy WHERE former = ANY (polroles) LOOP
            EXECUTE format('ALTER POLICY %I ON %s TO CURRENT_USER', object.name, object.relation);
        END LOOP;
        REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
        REVOKE ALL ON SCHEMA public FROM {role};
        REVOKE {role} FROM CURRENT_USER;
    END $body$;";
