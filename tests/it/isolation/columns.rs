//! A list whose query selects only small columns does not read its large texts, and returns the same rows.

use std::collections::BTreeSet;

use nyxcore_tenancy::Role;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::cursors::{LISTS, document};
use super::schema::Schema;
use super::server::Server;
use super::team::Team;
use super::world::Objects;

/// A list, the type of its items, and the fields with its large columns.
type WideList = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

#[rustfmt::skip]
const WIDE: [WideList; 7] = [
    ("Query.projects", "Project", &[("description", r#""projects"."description""#)]),
    ("Query.personas", "Persona", &[("description", r#""personas"."description""#), ("systemPrompt", r#""personas"."system_prompt""#)]),
    ("Query.memoryEntries", "MemoryEntry", &[("content", r#""memory_entries"."content""#)]),
    ("Project.notes", "Note", &[("body", r#""notes"."body""#)]),
    ("Project.blogPosts", "BlogPost", &[("body", r#""blog_posts"."body""#)]),
    ("Project.memoryEntries", "MemoryEntry", &[("content", r#""memory_entries"."content""#)]),
    ("Project.insights", "Insight", &[("detail", r#""workflow_insights"."detail""#), ("suggestion", r#""workflow_insights"."suggestion""#)]),
];

on_both_databases! {
    async fn a_list_reads_its_large_texts_only_where_asked(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let world = Objects::make(&server, &acme).await;
        let token = acme.token(Role::Owner);
        let schema = Schema::of(&server, token).await;
        for (name, kind, texts) in WIDE {
            let template = LISTS.iter().find(|(list, _)| *list == name).unwrap().1;
            let paths: Vec<String> = texts.iter().map(|(field, _)| format!("{kind}.{field}")).collect();
            let paths: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
            let all = schema.selection(kind, 0, &BTreeSet::new());
            let narrow = schema.selection(kind, 0, &paths);
            let ask = async |selection: &str| {
                let template = template.replace("edges { cursor }", &format!("edges {{ node {selection} }}"));
                let document = document(&template, &world, "first: 100");
                server.statements();
                let answer = server.ask(Some(token), &document, &json!({})).await;
                assert!(answer.json["errors"].is_null(), "{name}: {}", answer.text);
                (nodes(&answer.json), server.statements())
            };
            let (mut wide_rows, wide) = ask(&all).await;
            let (narrow_rows, narrow) = ask(&narrow).await;
            assert!(!narrow_rows.is_empty(), "{name} has no row");
            for (field, column) in texts {
                let reads = |statements: &[String]| statements.iter().filter(|sql| sql.contains(column)).count();
                assert!(reads(&narrow) < reads(&wide), "{name} reads {column}: {narrow:#?}");
                let remove = |row: &mut Value| row.as_object_mut().unwrap().remove(*field);
                let texts: Vec<Option<Value>> = wide_rows.iter_mut().map(remove).collect();
                assert!(texts.iter().any(|text| *text != Some(json!(""))), "{name}.{field} has no text");
            }
            // The other selected fields do not depend on the texts.
            assert_eq!(narrow_rows, wide_rows, "{name}");
        }
    }

    async fn two_selections_of_a_list_have_their_own_texts(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let world = Objects::make(&server, &acme).await;
        let project = world.id("project");
        let document = format!(
            "{{ project(id: \"{project}\") {{
                narrow: notes {{ nodes {{ id title }} totalCount }}
                wide: notes {{ nodes {{ id ...Text }} }}
                notes {{ nodes {{ title }} }}
                notes {{ nodes {{ body }} }} }} }}
             fragment Text on Note {{ body }}"
        );
        let answer = server.ask(Some(acme.token(Role::Owner)), &document, &json!({})).await;
        let project = &answer.json["data"]["project"];
        let body = &project["wide"]["nodes"][0]["body"];
        assert!(body.as_str().is_some_and(|body| body.contains("acmeonly")), "{}", answer.text);
        assert_eq!(&project["notes"]["nodes"][0]["body"], body, "{}", answer.text);
        assert_eq!(project["narrow"]["nodes"][0]["id"], project["wide"]["nodes"][0]["id"]);
        assert_eq!(project["narrow"]["totalCount"], 1);
    }
}

/// The nodes of the only list in a response, at any depth.
fn nodes(answer: &Value) -> Vec<Value> {
    let Value::Object(fields) = answer else {
        return Vec::new();
    };
    match fields.get("edges").and_then(Value::as_array) {
        Some(edges) => edges.iter().map(|edge| edge["node"].clone()).collect(),
        None => fields.values().flat_map(nodes).collect(),
    }
}
