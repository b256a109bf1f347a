//! The manifest of a backup.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The format of the archive that this program writes and reads.
pub const FORMAT: u32 = 1;

/// The manifest of a backup, the first member of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The format of the archive.
    pub format: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// The commit of that program, if known.
    pub commit: Option<String>,
    /// When the backup began.
    pub created_at: DateTime<Utc>,
    /// The kind of the database.
    pub database: DatabaseKind,
    /// The number of the newest migration.
    pub schema: u32,
    /// The migrations that the database has, oldest first.
    pub migrations: Vec<String>,
    /// The number of rows of every table.
    pub rows: BTreeMap<String, u64>,
    /// The other members of the archive by their names.
    pub members: BTreeMap<String, Member>,
    /// Facts for restoring a dump of PostgreSQL as another role, which the dump lacks.
    pub postgres: Option<PostgresPart>,
}

/// The kinds of databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseKind {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl DatabaseKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

/// The facts for restoring a dump of PostgreSQL as another role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresPart {
    /// The number of the server's version: 180006 is 18.6.
    pub server_version: u32,
    /// The extensions that the tables need.
    pub extensions: Vec<String>,
    /// The policies of row-level security. A dump names the roles of the old server in them.
    pub policies: Vec<Policy>,
}

/// A policy of row-level security.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// The table.
    pub table: String,
    /// The policy's name.
    pub name: String,
    /// Whether it permits; otherwise it restricts.
    pub permissive: bool,
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// The roles that it applies to.
    pub roles: Vec<PolicyRole>,
    /// The condition for rows that are read, as SQL.
    pub using: Option<String>,
    /// The condition for rows that are written, as SQL.
    pub check: Option<String>,
}

/// A role that a policy applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyRole {
    /// Every role.
    Public,
    /// The owner of the table, whatever its name is.
    Owner,
    /// A role by its name.
    Named(String),
}

/// The number in the name of a migration: 22 for `m0022_knowledge_life`; 0 for a name of another form.
pub fn schema_number(migration: &str) -> u32 {
    let digits = migration.strip_prefix('m').unwrap_or_default();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A manifest of a database with one migration and no members.
    pub fn sample() -> Manifest {
        Manifest {
            format: FORMAT,
            version: "0.1.0".into(),
            commit: None,
            created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            database: DatabaseKind::Sqlite,
            schema: 1,
            migrations: vec!["m0001_directory".into()],
            rows: BTreeMap::new(),
            members: BTreeMap::new(),
            postgres: None,
        }
    }

    #[test]
    fn a_migration_has_the_number_in_its_name() {
        assert_eq!(schema_number("m0022_knowledge_life"), 22);
        assert_eq!(schema_number("later"), 0);
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let mut manifest = sample();
        manifest.postgres = Some(PostgresPart {
            server_version: 180_006,
            extensions: vec!["vector".into()],
            policies: vec![Policy {
                table: "notes".into(),
                name: "tenant_isolation".into(),
                permissive: true,
                command: "ALL".into(),
                roles: vec![
                    PolicyRole::Public,
                    PolicyRole::Owner,
                    PolicyRole::Named("x".into()),
                ],
                using: Some("true".into()),
                check: None,
            }],
        });
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
    }
}
