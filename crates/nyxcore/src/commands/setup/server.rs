//! The existing state of the server.

use nyxcore_tenancy::Error as StoreError;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, Value};

use super::plan::Names;
use crate::error::Result;

/// The existing state of a PostgreSQL server.
#[derive(Debug, Default)]
pub struct Server {
    /// The connected role.
    pub admin: String,
    /// The rights to create roles and databases that the connected role lacks.
    pub admin_lacks: Vec<String>,
    /// Whether the connected role is a superuser.
    pub is_superuser: bool,
    /// The owner's role, where it exists.
    pub owner: Option<Role>,
    /// The serving role, where it exists.
    pub app: Option<Role>,
    /// The database, where it exists.
    pub database: Option<Database>,
    /// Whether the extension for embeddings can be installed.
    pub has_vector: bool,
}

/// A role that exists.
#[derive(Debug)]
pub struct Role {
    /// Whether it may log in.
    pub may_log_in: bool,
    /// Its attributes beyond logging in, such as `CREATEROLE`.
    pub attributes: Vec<String>,
}

/// A database that exists.
#[derive(Debug)]
pub struct Database {
    /// Its encoding.
    pub encoding: String,
}

impl Server {
    /// Reads the state; changes nothing.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub async fn look(db: &DatabaseConnection, names: &Names) -> Result<Self> {
        let admin = rows(db, ADMIN, []).await?;
        let mut server = Self::default();
        if let Some(row) = admin.first() {
            server.admin = get(row, "name")?;
            server.is_superuser = get(row, "is_superuser")?;
            server.admin_lacks = words(&get::<String>(row, "lacks")?);
        }
        server.owner = role(db, &names.owner).await?;
        server.app = role(db, &names.app).await?;
        let found = rows(db, DATABASE, [names.database.as_str().into()]).await?;
        server.database = match found.first() {
            Some(row) => Some(Database {
                encoding: get(row, "encoding")?,
            }),
            None => None,
        };
        server.has_vector = !rows(db, VECTOR, []).await?.is_empty();
        Ok(server)
    }
}

async fn role(db: &DatabaseConnection, name: &str) -> Result<Option<Role>> {
    let found = rows(db, ROLE, [name.into()]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    Ok(Some(Role {
        may_log_in: get(row, "may_log_in")?,
        attributes: words(&get::<String>(row, "attributes")?),
    }))
}

async fn rows<const N: usize>(
    db: &DatabaseConnection,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(db
        .query_all_raw(statement)
        .await
        .map_err(StoreError::from)?)
}

fn get<T: sea_orm::TryGetable>(row: &QueryResult, column: &str) -> Result<T> {
    Ok(row.try_get("", column).map_err(StoreError::from)?)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

const ADMIN: &str = "
    SELECT rolname::text AS name, rolsuper AS is_superuser,
        CASE WHEN rolsuper OR rolcreaterole THEN '' ELSE 'CREATEROLE ' END
        || CASE WHEN rolsuper OR rolcreatedb THEN '' ELSE 'CREATEDB' END AS lacks
    FROM pg_roles WHERE rolname = current_user";

const ROLE: &str = "
    SELECT rolcanlogin AS may_log_in,
        CASE WHEN rolsuper THEN 'SUPERUSER ' ELSE '' END || CASE WHEN rolbypassrls THEN 'BYPASSRLS ' ELSE '' END
        || CASE WHEN rolcreaterole THEN 'CREATEROLE ' ELSE '' END || CASE WHEN rolcreatedb THEN 'CREATEDB ' ELSE '' END
        || CASE WHEN rolreplication THEN 'REPLICATION' ELSE '' END AS attributes
    FROM pg_roles WHERE rolname = $1";

const DATABASE: &str =
    "SELECT pg_encoding_to_char(encoding)::text AS encoding FROM pg_database WHERE datname = $1";

const VECTOR: &str = "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'";
