//! Rows for every table of a PostgreSQL database, generated from its catalog, so that new tables are covered
//! automatically.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

/// The number of a tenant. It is part of every generated value, so that no two rows have a value in common.
#[derive(Clone, Copy)]
pub struct Owner {
    pub number: u8,
    pub id: Uuid,
}

impl Owner {
    pub fn new(number: u8) -> Self {
        Self {
            number,
            id: id(number, 0),
        }
    }
}

fn id(number: u8, serial: u32) -> Uuid {
    Uuid::from_u128((u128::from(number) << 120) | 0x7000_8000_0000_0000_0000 | u128::from(serial))
}

/// A table as described in the catalog.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    pub foreign_keys: Vec<ForeignKey>,
    pub key: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    type_name: String,
    /// The values that a CHECK allows; empty if any value is allowed.
    words: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct ForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub parent: String,
    parent_columns: Vec<String>,
}

impl Table {
    /// Whether its key consists of references: one row per parent.
    fn is_keyed_by_another(&self) -> bool {
        let is_reference = |column: &String| {
            self.foreign_keys
                .iter()
                .any(|key| key.columns.contains(column))
        };
        !self.key.is_empty() && self.key.iter().all(is_reference)
    }

    pub fn has_tenant(&self) -> bool {
        self.columns.iter().any(|column| column.name == "tenant_id")
    }
}

/// A row's columns as SQL literals.
pub type Row = BTreeMap<String, String>;

/// All tables of the database's own schema, without those of extensions.
pub async fn tables(db: &DatabaseConnection) -> Vec<Table> {
    let names = texts(
        db,
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
         ORDER BY 1",
    )
    .await;
    let mut tables = Vec::new();
    for name in names {
        tables.push(table(db, name).await);
    }
    tables
}

async fn table(db: &DatabaseConnection, name: String) -> Table {
    let columns = rows(
        db,
        &format!(
            "SELECT a.attname::text AS one, format_type(a.atttypid, a.atttypmod) AS two,
                coalesce((SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k
                    WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]), '') AS three
             FROM pg_attribute a
             WHERE a.attrelid = '{name}'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             ORDER BY a.attnum"
        ),
    )
    .await;
    let keys = rows(
        db,
        &format!(
            "SELECT k.conname::text AS one, k.confrelid::regclass::text AS two,
                (SELECT string_agg(a.attname || '=' || b.attname, ',' ORDER BY pair.n)
                 FROM unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair (a, b, n)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.a
                 JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.b) AS three
             FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = '{name}'::regclass ORDER BY 1"
        ),
    )
    .await;
    let key = texts(
        db,
        &format!(
            "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
             WHERE i.indrelid = '{name}'::regclass AND i.indisprimary"
        ),
    )
    .await;
    let foreign_key = |[name, parent, pairs]: [String; 3]| {
        let (columns, parent_columns) = pairs
            .split(',')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(here, there)| (here.to_owned(), there.to_owned()))
            .unzip();
        ForeignKey {
            name,
            columns,
            parent,
            parent_columns,
        }
    };
    Table {
        columns: columns
            .into_iter()
            .map(|[name, type_name, checks]| Column {
                name,
                type_name,
                // A CHECK's list of values is printed as `ARRAY['A'::text, 'B'::text]`.
                words: checks
                    .split('\'')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect(),
            })
            .collect(),
        foreign_keys: keys.into_iter().map(foreign_key).collect(),
        name,
        key,
    }
}

/// Generates rows with unique values.
pub struct Maker {
    tables: Vec<Table>,
    /// The first row of each table, by owner and table.
    made: BTreeMap<(u8, String), Row>,
    /// A second row without references to it, for tables with their own key.
    spare: BTreeMap<(u8, String), Row>,
    serial: u32,
}

impl Maker {
    /// Fills every table with a row for each owner, bypassing row-level security.
    pub async fn fill(superuser: &DatabaseConnection, owners: &[Owner]) -> Self {
        let tables = tables(superuser).await;
        let mut maker = Self {
            tables: in_order(tables),
            made: BTreeMap::new(),
            spare: BTreeMap::new(),
            serial: 0,
        };
        for table in maker.tables.clone() {
            for owner in owners {
                if table.name == "seaql_migrations" {
                    continue;
                }
                let place = (owner.number, table.name.clone());
                let row = maker.row(&table, *owner, false);
                put(superuser, &table, &row).await;
                maker.made.insert(place.clone(), row);
                if table.name != "tenants" && !table.is_keyed_by_another() {
                    let row = maker.row(&table, *owner, false);
                    put(superuser, &table, &row).await;
                    maker.spare.insert(place, row);
                }
            }
        }
        maker
    }

    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The row of an owner in a table.
    pub fn made(&self, owner: Owner, table: &str) -> &Row {
        &self.made[&(owner.number, table.to_owned())]
    }

    /// A new valid row, not yet in the database, with references to the owner's own rows.
    pub fn fresh(&mut self, table: &Table, owner: Owner) -> Row {
        self.row(table, owner, true)
    }

    fn row(&mut self, table: &Table, owner: Owner, spare: bool) -> Row {
        self.serial += 1;
        let mut row: Row = table
            .columns
            .iter()
            .map(|column| (column.name.clone(), self.value(table, column, owner)))
            .collect();
        for key in &table.foreign_keys {
            let place = (owner.number, key.parent.clone());
            // If a table's key is its reference, another row needs another parent.
            let spare = self.spare.get(&place).filter(|_| spare);
            match spare.or(self.made.get(&place)) {
                Some(parent) => {
                    for (here, there) in key.columns.iter().zip(&key.parent_columns) {
                        row.insert(here.clone(), parent[there].clone());
                    }
                }
                // A reference to its own table, for the first row.
                None => {
                    for column in key.columns.iter().filter(|column| *column != "tenant_id") {
                        row.insert(column.clone(), "NULL".into());
                    }
                }
            }
        }
        row
    }

    fn value(&self, table: &Table, column: &Column, owner: Owner) -> String {
        if column.name == "tenant_id" || (table.name == "tenants" && column.name == "id") {
            return format!("'{}'", owner.id);
        }
        let serial = self.serial;
        if let Some(word) = column.words.first() {
            return format!("'{word}'");
        }
        match column.type_name.as_str() {
            "uuid" => format!("'{}'", id(owner.number, serial)),
            "text" => format!("'{}-{serial}'", column.name),
            "bigint" => serial.to_string(),
            "boolean" => "false".into(),
            "double precision" => "0.5".into(),
            "jsonb" => "'[]'".into(),
            "bytea" => format!("'\\x{:08x}{:02x}'", serial, owner.number),
            "timestamp with time zone" => "now()".into(),
            vector if vector.starts_with("vector") => "NULL".into(),
            other => panic!(
                "teach the maker of rows the type {other} of {}.{}",
                table.name, column.name
            ),
        }
    }
}

async fn put(superuser: &DatabaseConnection, table: &Table, row: &Row) {
    let put = superuser.execute_unprepared(&insert(table, row)).await;
    put.unwrap_or_else(|error| panic!("teach the maker of rows about {}: {error}", table.name));
}

/// Sorts the tables so that parents come before their children.
fn in_order(tables: Vec<Table>) -> Vec<Table> {
    let mut waiting = tables;
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |table: &Table| {
            table.foreign_keys.iter().all(|key| {
                key.parent == table.name || ordered.iter().any(|done| done.name == key.parent)
            })
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
        assert!(!ready.is_empty(), "foreign keys in a circle: {rest:?}");
        ordered.extend(ready);
        waiting = rest;
    }
    ordered
}

pub fn insert(table: &Table, row: &Row) -> String {
    let columns: Vec<&str> = row.keys().map(String::as_str).collect();
    let values: Vec<&str> = row.values().map(String::as_str).collect();
    format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        columns.join(", "),
        values.join(", ")
    )
}

/// The condition that finds this row.
pub fn is_row(table: &Table, row: &Row) -> String {
    let equal: Vec<String> = table
        .key
        .iter()
        .map(|column| format!("{column} = {}", row[column]))
        .collect();
    if equal.is_empty() {
        format!("id = {}", row["id"])
    } else {
        equal.join(" AND ")
    }
}

pub async fn texts(db: &impl ConnectionTrait, sql: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

async fn rows(db: &impl ConnectionTrait, sql: &str) -> Vec<[String; 3]> {
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap();
    rows.iter()
        .map(|row| ["one", "two", "three"].map(|name| row.try_get("", name).unwrap()))
        .collect()
}
