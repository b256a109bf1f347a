//! Every list of the schema reads its page by an index under row-level security: the plans of their statements on
//! 500,000 rows.

use nyxcore_tenancy::{Role, id_parse};
use nyxcore_tests::run_on_postgres;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use super::cursors::{ASKS_GITHUB, LISTS, cursors, document};
use super::rows::tables;
use super::server::Server;
use super::team::Team;
use super::world::Objects;

/// The rows of all tables together. Nine of ten belong to the querying tenant.
const ROWS: usize = 500_000;
/// The rows of the queried parent. They are the oldest ones, so that a list that starts with the newest needs an index
/// by parent to find them.
const OF_PARENT: usize = 1_000;
/// The number of rows of a page.
const PAGE: usize = 40;
/// The maximum number of blocks of 8 kB that the statement of a page may read: for each row four blocks of another
/// table's index, and the row. When the planner scanned all newer rows of the tenant, it read 876.
const BLOCKS_MAX: i64 = 250;

/// The id of the row `n`.
const ID: &str = "lpad(to_hex(n), 32, '0')::uuid";

/// A table of a list, the column of its parent with the world's name of that parent, and the columns that differ
/// between copies of a row. `r` is the copied row.
type TableCopy = (
    &'static str,
    Option<(&'static str, &'static str)>,
    &'static [(&'static str, &'static str)],
);

#[rustfmt::skip]
const TABLES: &[TableCopy] = &[
    ("api_tokens", None, &[("id", ID)]),
    ("audit_entries", None, &[("id", ID)]),
    ("blog_posts", Some(("project_id", "project")), &[("id", ID)]),
    ("code_patterns", Some(("project_id", "project")), &[("id", ID), ("key", "r.key || n"), ("position", "n")]),
    ("consolidation_pattern_projects", Some(("project_id", "project")), &[("consolidation_pattern_id", ID)]),
    ("consolidation_patterns", None, &[("id", ID)]),
    ("git_connections", None, &[("id", ID), ("name", "r.name || n")]),
    ("invitations", None, &[("id", ID), ("email", "n || r.email")]),
    ("memberships", None, &[("user_id", ID)]),
    ("memory_entries", Some(("project_id", "project")), &[("id", ID)]),
    ("note_enrichments", Some(("note_id", "done")), &[("run_id", ID)]),
    ("note_versions", Some(("note_id", "note")), &[("id", ID)]),
    ("notes", Some(("project_id", "project")), &[("id", ID)]),
    ("personas", None, &[("id", ID)]),
    ("projects", None, &[("id", ID), ("slug", "r.slug || n")]),
    ("runs", Some(("project_id", "library")), &[("id", ID), ("kind", "'SYNC'"), ("subject", "r.subject || n")]),
    ("source_files", Some(("source_id", "source")), &[("id", ID), ("path", "lpad(n::text, 6, '0') || r.path")]),
    ("syncs", Some(("source_id", "synced_source")), &[("run_id", ID)]),
    ("workflow_insights", Some(("project_id", "project")), &[("id", ID)]),
];

/// Tables with rows that belong to the whole tenant and to no project.
const SHARED: [&str; 2] = ["memory_entries", "workflow_insights"];

#[test]
fn a_page_of_every_list_is_read_by_an_index() {
    run_on_postgres(|db| async move {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let other = Team::make(&server, "other").await;
        let world = Objects::make(&server, &acme).await;
        let tenants = [acme.tenant.id.0, other.tenant.id.0];
        fill(&server.superuser, tenants, &world).await;
        let app = db.app_connection().await.unwrap();
        let token = Some(acme.token(Role::Owner));
        let mut faults = Vec::new();
        for (name, template) in LISTS.iter().filter(|(name, _)| *name != ASKS_GITHUB) {
            let mut pages = vec![format!("first: {PAGE}"), format!("last: {PAGE}")];
            let mut at = 0;
            while at < pages.len() {
                let arguments = pages[at].clone();
                let document = document(template, &world, &arguments);
                server.statements();
                let answer = server.ask(token, &document, &json!({})).await;
                assert!(answer.json["errors"].is_null(), "{name}: {}", answer.text);
                let is_page = |sql: &String| sql.contains("ORDER BY") && sql.contains("LIMIT");
                let statements = server.statements().into_iter().filter(is_page);
                let statements: Vec<String> = statements.collect();
                assert!(!statements.is_empty(), "{name} is read without an order");
                for sql in statements {
                    let sql = with_values(&sql, tenants[0], &world);
                    let plan = plan(&app, tenants[0], &sql).await;
                    let found = faults_of(&plan);
                    if !found.is_empty() {
                        faults.push(format!("{name}({arguments}): {found:?}\n{sql}\n{plan:#}"));
                    }
                }
                if at == 0 {
                    let next = cursors(&answer.json).pop();
                    pages.extend(next.map(|cursor| format!("first: {PAGE}, after: \"{cursor}\"")));
                }
                at += 1;
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    });
}

/// Copies a row of each table, bypassing row-level security.
async fn fill(superuser: &DatabaseConnection, tenants: [Uuid; 2], world: &Objects) {
    let [acme, other] = tenants;
    let rows = ROWS / TABLES.len();
    let all = tables(superuser).await;
    let tx = superuser.begin().await.unwrap();
    // Without triggers: the parents of the copies do not exist.
    let quick = "SET LOCAL session_replication_role = replica";
    tx.execute_unprepared(quick).await.unwrap();
    for (name, parent, changed) in TABLES {
        let table = all.iter().find(|table| table.name == *name).unwrap();
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for column in &table.columns {
            let column = column.name.as_str();
            let change = changed.iter().find(|(of, _)| *of == column);
            let own = format!("r.\"{column}\"");
            let value = match (change, parent) {
                (Some((_, value)), _) => (*value).to_owned(),
                (None, Some((of, _))) if *of == column => {
                    let shared = match SHARED.contains(name) {
                        true => format!("WHEN n <= {} THEN NULL", 2 * OF_PARENT),
                        false => String::new(),
                    };
                    format!(
                        "CASE WHEN n <= {OF_PARENT} THEN {own} {shared} ELSE lpad(to_hex(1 + n % 500), 32, '0')::uuid END"
                    )
                }
                _ if column == "tenant_id" => {
                    format!("CASE WHEN n % 10 = 0 THEN '{other}'::uuid ELSE {own} END")
                }
                _ => own,
            };
            columns.push(format!("\"{column}\""));
            values.push(value);
        }
        let of_parent = parent.map_or_else(String::new, |(column, named)| {
            format!("AND {column} = '{}'", uuid(world, named))
        });
        let (columns, values) = (columns.join(", "), values.join(", "));
        let sql = format!(
            "INSERT INTO {name} ({columns}) SELECT {values}
             FROM (SELECT * FROM {name} WHERE tenant_id = '{acme}' {of_parent} LIMIT 1) r
             CROSS JOIN generate_series(1, {rows}) n"
        );
        let done = tx.execute_unprepared(&sql).await;
        let done = done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(
            done.rows_affected(),
            rows as u64,
            "{name} has a row to copy"
        );
    }
    tx.commit().await.unwrap();
    let names: Vec<&str> = TABLES.iter().map(|(name, ..)| *name).collect();
    let analyze = format!("ANALYZE {}", names.join(", "));
    superuser.execute_unprepared(&analyze).await.unwrap();
}

fn uuid(world: &Objects, name: &str) -> Uuid {
    id_parse(world.id(name)).unwrap().1
}

/// The statement with literals in place of its values. The text before a value shows what the value is.
fn with_values(sql: &str, tenant: Uuid, world: &Objects) -> String {
    let mut parts = sql.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let value = value_after(&filled, tenant, world);
        filled.push_str(&format!("'{value}'{rest}"));
    }
    filled
}

fn value_after(before: &str, tenant: Uuid, world: &Objects) -> String {
    if before.ends_with("LIMIT ") {
        return (PAGE + 1).to_string();
    }
    if before.ends_with("|| ") || before.ends_with("s.v = ") {
        return tenant.to_string();
    }
    // The size of a text if it is null: `COALESCE(octet_length("column"), `.
    if before.ends_with("\"), ") {
        return "0".into();
    }
    // `"table"."column" = `.
    let mut quoted = before.rsplit('"').skip(1);
    let column = quoted.next().unwrap_or_default();
    let table = match quoted.next() {
        Some(".") => quoted.next().unwrap_or_default(),
        _ => "",
    };
    match (table, column) {
        (_, "tenant_id") => tenant.to_string(),
        (_, "project_id") => uuid(world, "project").to_string(),
        ("note_enrichments", "note_id") => uuid(world, "done").to_string(),
        (_, "note_id") => uuid(world, "note").to_string(),
        ("syncs", "source_id") => uuid(world, "synced_source").to_string(),
        (_, "source_id") => uuid(world, "source").to_string(),
        // The position at which a page begins.
        (_, "position") => "500".into(),
        (_, "path") => "000500".into(),
        // The size limit of a page.
        (_, "bytes_in_all") => "1000000000".into(),
        ("runs", "kind") => "SYNC".into(),
        (_, "id" | "run_id" | "user_id" | "consolidation_pattern_id") => {
            Uuid::from_u128(500).to_string()
        }
        _ => panic!("say what the value of {table}.{column} is: {before}"),
    }
}

/// The plan of a statement as the serving role, with the number of blocks that it read.
async fn plan(app: &DatabaseConnection, tenant: Uuid, sql: &str) -> Value {
    let tx = app.begin().await.unwrap();
    let setting = format!("SET LOCAL nyxcore.tenant_id = '{tenant}'");
    tx.execute_unprepared(&setting).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}");
    let statement = Statement::from_string(DbBackend::Postgres, explain);
    let row = tx.query_one_raw(statement).await;
    let row = row.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let plan: Value = row.unwrap().try_get_by_index(0).unwrap();
    plan[0]["Plan"].clone()
}

/// The parts of a plan whose cost grows with the rows of the table or of the parent.
fn faults_of(plan: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let blocks = ["Shared Hit Blocks", "Shared Read Blocks"];
    let blocks: i64 = blocks.iter().filter_map(|kind| plan[*kind].as_i64()).sum();
    if blocks > BLOCKS_MAX {
        faults.push(format!("reads {blocks} blocks"));
    }
    let mut nodes = vec![plan];
    while let Some(node) = nodes.pop() {
        let kind = node["Node Type"].as_str().unwrap_or_default();
        let table = node["Relation Name"].as_str().unwrap_or_default();
        let below = node["Plans"].as_array().map_or(&[][..], Vec::as_slice);
        if kind == "Seq Scan" && TABLES.iter().any(|(name, ..)| *name == table) {
            faults.push(format!("reads all of {table}"));
        }
        if kind.ends_with("Sort") {
            let rows = below.iter().filter_map(|node| node["Actual Rows"].as_f64());
            let rows: f64 = rows.sum();
            if rows > (PAGE + 1) as f64 {
                faults.push(format!("sorts {rows} rows for a page of {PAGE}"));
            }
        }
        nodes.extend(below);
    }
    faults
}

#[test]
fn a_plan_that_reads_too_much_is_a_fault() {
    let scan =
        |kind: &str| json!({"Node Type": kind, "Relation Name": "notes", "Actual Rows": 500});
    let sort = json!({"Node Type": "Sort", "Shared Hit Blocks": 9, "Plans": [scan("Index Scan")]});
    assert_eq!(faults_of(&sort), ["sorts 500 rows for a page of 40"]);
    assert_eq!(faults_of(&scan("Seq Scan")), ["reads all of notes"]);
    assert!(faults_of(&scan("Index Scan")).is_empty());
    let walk = json!({"Node Type": "Index Only Scan", "Shared Hit Blocks": 251});
    assert_eq!(faults_of(&walk), ["reads 251 blocks"]);
}
