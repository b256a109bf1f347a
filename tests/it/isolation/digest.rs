//! A digest of each table: if it is the same before and after, nothing was changed.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

/// Computes the digests of every table's rows, of one tenant or of all.
pub struct Digester<'d> {
    db: &'d DatabaseConnection,
    sql: String,
}

impl<'d> Digester<'d> {
    pub async fn new(db: &'d DatabaseConnection, tenant: Option<Uuid>) -> Self {
        let postgres = db.get_database_backend() == DbBackend::Postgres;
        let columns = if postgres {
            "SELECT table_name::text AS one, column_name::text AS two FROM information_schema.columns WHERE table_schema = 'public'"
        } else {
            "SELECT m.name AS one, c.name AS two FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'search_terms%'
               AND m.name NOT IN ('search_postings', 'search_vocabulary')"
        };
        let statement = Statement::from_string(db.get_database_backend(), columns);
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in db.query_all_raw(statement).await.unwrap() {
            let (table, column) = (
                row.try_get("", "one").unwrap(),
                row.try_get("", "two").unwrap(),
            );
            tables.entry(table).or_default().push(column);
        }
        let id = tenant.map(|id| {
            if postgres {
                format!("'{id}'")
            } else {
                format!("x'{}'", id.simple())
            }
        });
        let parts: Vec<String> = tables
            .iter()
            // Work across tenants belongs to no tenant.
            .filter(|(table, _)| id.is_none() || *table != "system_entries")
            .map(|(table, columns)| {
                let owner = if table == "tenants" { "id" } else { "tenant_id" };
                let is_owned = columns.iter().any(|column| column == owner) && (owner == "tenant_id" || table == "tenants");
                let only = match &id {
                    Some(id) if is_owned => format!("WHERE {owner} = {id}"),
                    _ => String::new(),
                };
                if postgres {
                    format!("SELECT '{table}' AS one, coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') AS two FROM {table} t {only}")
                } else {
                    let row: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
                    let row = row.join(" || ',' || ");
                    format!("SELECT '{table}' AS one, coalesce(group_concat(r, char(10)), '') AS two FROM (SELECT {row} AS r FROM {table} {only} ORDER BY 1)")
                }
            })
            .collect();
        Self {
            db,
            sql: parts.join(" UNION ALL "),
        }
    }

    pub async fn take(&self) -> BTreeMap<String, String> {
        let statement = Statement::from_string(self.db.get_database_backend(), &self.sql);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| {
                (
                    row.try_get("", "one").unwrap(),
                    row.try_get("", "two").unwrap(),
                )
            })
            .collect()
    }

    /// The tables that have changed since.
    pub async fn changed(&self, before: &BTreeMap<String, String>) -> Vec<String> {
        let now = self.take().await;
        let differs = |table: &&String| now.get(*table) != before.get(*table);
        before.keys().filter(differs).cloned().collect()
    }
}
