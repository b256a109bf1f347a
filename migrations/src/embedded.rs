//! Tables of a program that embeds nyxcore's crates.

use std::collections::BTreeMap;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// A table of an embedding program, with its objects.
pub(super) struct EmbeddedTable {
    name: String,
    /// The names of its triggers, on SQLite only: there a trigger's line does not begin with its table.
    triggers: Vec<String>,
}

impl EmbeddedTable {
    /// Whether a line of [`schema_lines`](crate::guard::schema_lines) is about this table: `kind table: ...` or `kind
    /// table.part: ...`.
    pub(super) fn has(&self, line: &str) -> bool {
        let Some((kind, object)) = line
            .split_once(": ")
            .and_then(|(object, _)| object.split_once(' '))
        else {
            return false;
        };
        let part = object.strip_prefix(self.name.as_str());
        match kind {
            "table" | "security" => part == Some(""),
            "column" | "constraint" | "policy" | "reference" => {
                part.is_some_and(|part| part.starts_with('.'))
            }
            "trigger" => {
                part.is_some_and(|part| part.starts_with('.'))
                    || self.triggers.iter().any(|trigger| trigger == object)
            }
            _ => false,
        }
    }
}

/// The tables of an embedding program that follow nyxcore's rules: they have the same row-level security as nyxcore's
/// own tables, or they record applied migrations.
pub(super) async fn tables(
    db: &impl ConnectionTrait,
    expected: &BTreeMap<&str, &str>,
    found: &[String],
) -> Result<Vec<EmbeddedTable>, DbErr> {
    let postgres = db.get_database_backend() == DbBackend::Postgres;
    let mut tables = Vec::new();
    for line in found {
        let Some((object, definition)) = line.split_once(": ") else {
            continue;
        };
        let Some(name) = object.strip_prefix("table ") else {
            continue;
        };
        if expected.contains_key(object) {
            continue;
        }
        let keeps_rules = match postgres {
            true => is_isolated(name, expected, found) || is_migration_record(name, found),
            false => is_isolated_on_sqlite(definition) || is_record_on_sqlite(definition),
        };
        if keeps_rules {
            let triggers = match postgres {
                true => Vec::new(),
                false => triggers_on_sqlite(db, name).await?,
            };
            tables.push(EmbeddedTable {
                name: name.to_owned(),
                triggers,
            });
        }
    }
    Ok(tables)
}

/// Whether a table has a tenant, and only the policies that [`crate::ddl`] creates for such tables.
fn is_isolated(name: &str, expected: &BTreeMap<&str, &str>, found: &[String]) -> bool {
    let has = |line: String| found.contains(&line);
    // Two tables of nyxcore show the form in which PostgreSQL prints the policies.
    let isolation = expected.get("policy notes.tenant_isolation");
    let system = expected.get("policy runs.system_access");
    let policies = found.iter().filter_map(|line| {
        let (policy, definition) = line.strip_prefix("policy ")?.split_once(": ")?;
        Some((policy.strip_prefix(name)?.strip_prefix('.')?, definition))
    });
    let mut is_isolated = false;
    for (policy, definition) in policies {
        match policy {
            "tenant_isolation" if isolation == Some(&definition) => is_isolated = true,
            "system_access" if system == Some(&definition) => {}
            _ => return false,
        }
    }
    is_isolated
        && has(format!("table {name}: ordinary"))
        && has(format!("column {name}.tenant_id: uuid not null"))
        && has(format!("security {name}: enabled, forced"))
}

/// Whether a table has exactly the form of SeaORM's record of applied migrations.
fn is_migration_record(name: &str, found: &[String]) -> bool {
    let prefix = format!("column {name}.");
    let columns = found.iter().filter_map(|line| line.strip_prefix(&prefix));
    let columns: Vec<&str> = columns.collect();
    name.ends_with("_migrations")
        && columns
            == [
                "applied_at: bigint not null",
                "version: character varying not null",
            ]
}

fn is_isolated_on_sqlite(definition: &str) -> bool {
    let tenant = "(tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,";
    definition.contains(tenant)
}

fn is_record_on_sqlite(definition: &str) -> bool {
    let columns = "_migrations\" ( \"version\" varchar NOT NULL PRIMARY KEY, \"applied_at\" integer NOT NULL )";
    definition.ends_with(columns)
}

async fn triggers_on_sqlite(db: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [table.into()]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
