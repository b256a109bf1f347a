//! Checks the rights of the migrating role before any change, so that a refusal leaves the database unchanged.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::m0016_function_owner::FORMER_ROLES;

/// The missing rights of the connected role to migrate this database and to grant `app_role` its rights: one sentence
/// each, with the SQL that grants the right. Empty on SQLite, which has no roles.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn owner_lacks(
    db: &impl ConnectionTrait,
    app_role: Option<&str>,
) -> Result<Vec<String>, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let former = FORMER_ROLES.join(", ");
    let values = [former.into(), app_role.unwrap_or_default().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, LACKS, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// `$1` are the former roles, separated by commas; `$2` is the serving role, or empty. Before PostgreSQL 16 CREATEROLE
/// was enough to become a member of another role; since then the ADMIN option on that role is needed.
const LACKS: &str = "
    WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user)
    SELECT format('the role %I may not make tables in the schema public: GRANT USAGE, CREATE ON SCHEMA public TO %1$I', rolname)
    FROM me WHERE NOT has_schema_privilege('public', 'CREATE')
    UNION ALL
    SELECT format('the tables belong to %I and not to %I: migrate as %1$I', pg_get_userbyid(c.relowner), me.rolname)
    FROM me, pg_class c
    WHERE c.oid = to_regclass('public.seaql_migrations') AND NOT pg_has_role(c.relowner, 'USAGE')
    UNION ALL
    SELECT format('the function %s belongs to %I, which %I may not become: GRANT %2$I TO %3$I WITH ADMIN OPTION',
        f.oid::regprocedure, former.rolname, me.rolname)
    FROM me, pg_proc f JOIN pg_roles former ON former.oid = f.proowner
    WHERE f.pronamespace = 'public'::regnamespace AND former.rolname = ANY (string_to_array($1::text, ', ')) AND NOT me.rolsuper
      AND NOT pg_has_role(former.oid, 'MEMBER WITH ADMIN OPTION')
      AND NOT (me.rolcreaterole AND current_setting('server_version_num')::int < 160000)
    UNION ALL
    SELECT format('there is no role %I to serve with: CREATE ROLE %1$I LOGIN, with a password', $2::text)
    WHERE $2::text <> '' AND to_regrole(format('%I', $2::text)) IS NULL
    UNION ALL
    SELECT format('%I owns the tables and cannot be the role that serves: name another one', $2::text)
    FROM me WHERE me.rolname = $2::text";
