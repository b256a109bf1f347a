//! SQL text for two databases: common names of the types, and the row-level security of tenant tables.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};

/// The tenant of the running transaction. It is a sub-select, so that PostgreSQL evaluates it once per statement and
/// not once per row. After a `SET LOCAL` has ended, the setting is `''` and not NULL, hence the `nullif`.
pub const CURRENT_TENANT: &str =
    "(SELECT nullif(current_setting('nyxcore.tenant_id', true), '')::uuid)";

/// True in a transaction that was opened as a system scope.
pub const IS_SYSTEM: &str =
    "(SELECT coalesce(current_setting('nyxcore.scope', true), '') = 'system')";

/// Runs schema statements on the connected database.
pub struct Ddl<'a> {
    db: &'a SchemaManagerConnection<'a>,
}

impl<'a> Ddl<'a> {
    /// A writer on the connection that the migration runs on.
    pub fn new(manager: &'a SchemaManager<'a>) -> Self {
        Self {
            db: manager.get_connection(),
        }
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Postgres
    }

    /// Runs statements written with `$` types (see [`types_spell`]).
    pub async fn run(&self, sql: &str) -> Result<(), DbErr> {
        let sql = types_spell(sql, self.db.get_database_backend());
        self.db.execute_unprepared(&sql).await.map(drop)
    }

    /// Creates a table. On SQLite it is STRICT, so that a column contains only values of its type.
    pub async fn table(&self, name: &str, columns: &str) -> Result<(), DbErr> {
        let strict = if self.is_postgres() { "" } else { " STRICT" };
        self.run(&format!("CREATE TABLE {name} ({columns}){strict}"))
            .await
    }

    /// Creates a table whose rows belong to a tenant. Adds the column `tenant_id`, and on PostgreSQL the policy
    /// `tenant_isolation` for reading and writing, ENABLEd and FORCEd so that it applies to the table's owner as well.
    pub async fn tenant_table(&self, name: &str, columns: &str) -> Result<(), DbErr> {
        let columns = format!(
            "tenant_id $uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE, {columns}"
        );
        self.table(name, &columns).await?;
        self.isolate(name, &format!("tenant_id = {CURRENT_TENANT}"))
            .await
    }

    /// Adds row-level security with the given condition, for the two tables that describe tenants and have no
    /// `tenant_id`.
    pub async fn isolate(&self, name: &str, condition: &str) -> Result<(), DbErr> {
        if !self.is_postgres() {
            return Ok(());
        }
        self.run(&format!(
            "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
             ALTER TABLE {name} FORCE ROW LEVEL SECURITY;
             CREATE POLICY tenant_isolation ON {name} USING ({condition}) WITH CHECK ({condition});"
        ))
        .await
    }

    /// Creates a table without a tenant that only a system scope can access, such as the tables of sign-in and of
    /// system work.
    pub async fn system_table(&self, name: &str, columns: &str) -> Result<(), DbErr> {
        self.table(name, columns).await?;
        if self.is_postgres() {
            self.run(&format!(
                "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
                 ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
            ))
            .await?;
        }
        self.system_access(name).await
    }

    /// Lets a system scope access the table too. Only for the few tables that work across tenants needs.
    pub async fn system_access(&self, name: &str) -> Result<(), DbErr> {
        if !self.is_postgres() {
            return Ok(());
        }
        self.run(&format!(
            "CREATE POLICY system_access ON {name} USING ({IS_SYSTEM}) WITH CHECK ({IS_SYSTEM});"
        ))
        .await
    }
}

/// Replaces `$uuid`, `$time`, `$json`, `$bytes`, `$int`, `$bool`, `$real`, `$text` and `$path` with the types of a
/// database.
///
/// Integers have 64 bits on both. SQLite has no types for ids, times and JSON: they are a blob and text, as the driver
/// reads and writes them. The text form of UTC times sorts like the times.
pub fn types_spell(sql: &str, backend: DbBackend) -> String {
    let postgres = backend == DbBackend::Postgres;
    [
        ("$uuid", "uuid", "BLOB"),
        ("$time", "timestamptz", "TEXT"),
        ("$json", "jsonb", "TEXT"),
        ("$bytes", "bytea", "BLOB"),
        ("$int", "bigint", "INTEGER"),
        ("$bool", "boolean", "INTEGER"),
        ("$real", "double precision", "REAL"),
        ("$text", "text", "TEXT"),
        // Ordered byte by byte, as in SQLite: on both databases everything below a folder is then one range of the
        // index.
        ("$path", "text COLLATE \"C\"", "TEXT"),
    ]
    .iter()
    .fold(sql.to_owned(), |sql, (token, pg, lite)| {
        sql.replace(token, if postgres { pg } else { lite })
    })
}
