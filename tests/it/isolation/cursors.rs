//! A cursor belongs to one list: every other list of the schema refuses it, on both databases.

use std::collections::{BTreeMap, BTreeSet};

use nyxcore_tenancy::Role;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::schema::Schema;
use super::server::Server;
use super::team::Team;
use super::world::Objects;

/// Every list of the schema, and the document that queries it. `$x` stands for the id of the world's x, `#` for the
/// list's arguments.
pub const LISTS: &[(&str, &str)] = &[
    ("Query.auditLog", "{ auditLog(#) { edges { cursor } } }"),
    (
        "Query.gitConnections",
        "{ gitConnections(#) { edges { cursor } } }",
    ),
    ("Query.personas", "{ personas(#) { edges { cursor } } }"),
    ("Query.projects", "{ projects(#) { edges { cursor } } }"),
    ("Query.runs", "{ runs(#) { edges { cursor } } }"),
    (
        "Tenant.apiTokens",
        "{ viewer { tenant { apiTokens(#) { edges { cursor } } } } }",
    ),
    (
        "Tenant.invitations",
        "{ viewer { tenant { invitations(#) { edges { cursor } } } } }",
    ),
    (
        "Tenant.members",
        "{ viewer { tenant { members(#) { edges { cursor } } } } }",
    ),
    (
        "Project.blogPosts",
        "{ project(id: \"$project\") { blogPosts(#) { edges { cursor } } } }",
    ),
    (
        "Project.codePatterns",
        "{ project(id: \"$project\") { codePatterns(#) { edges { cursor } } } }",
    ),
    (
        "Project.consolidationPatterns",
        "{ project(id: \"$project\") { consolidationPatterns(#) { edges { cursor } } } }",
    ),
    (
        "Project.insights",
        "{ project(id: \"$project\") { insights(#) { edges { cursor } } } }",
    ),
    (
        "Project.memoryEntries",
        "{ project(id: \"$project\") { memoryEntries(#) { edges { cursor } } } }",
    ),
    (
        "Project.notes",
        "{ project(id: \"$project\") { notes(#) { edges { cursor } } } }",
    ),
    (
        "Note.enrichments",
        "{ node(id: \"$done\") { ... on Note { enrichments(#) { edges { cursor } } } } }",
    ),
    (
        "Note.versions",
        "{ node(id: \"$note\") { ... on Note { versions(#) { edges { cursor } } } } }",
    ),
    (
        "Query.memoryEntries",
        "{ memoryEntries(#) { edges { cursor } } }",
    ),
    (
        "Source.files",
        "{ node(id: \"$source\") { ... on Source { files(#) { edges { cursor } } } } }",
    ),
    (
        "Source.syncs",
        "{ node(id: \"$synced_source\") { ... on Source { syncs(#) { edges { cursor } } } } }",
    ),
    (
        "GitConnection.repositories",
        "{ node(id: \"$git_connection\") { ... on GitConnection { repositories(#) { edges { cursor } } } } }",
    ),
];

/// Its cursors come from GitHub, which is not called here.
pub const ASKS_GITHUB: &str = "GitConnection.repositories";

/// The document of a list with the world's ids and these arguments.
pub fn document(template: &str, world: &Objects, arguments: &str) -> String {
    let mut document = template.replace('#', arguments);
    for (name, id) in world.0.iter().rev() {
        document = document.replace(&format!("\"${name}\""), &format!("\"{id}\""));
    }
    document
}

/// The cursors in a response, at any depth.
pub fn cursors(answer: &Value) -> Vec<String> {
    match answer {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(cursor) if name == "cursor" => vec![cursor.clone()],
                value => cursors(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(cursors).collect(),
        _ => Vec::new(),
    }
}

on_both_databases! {
    async fn a_cursor_of_another_list_is_refused(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let world = Objects::make(&server, &acme).await;
        let token = Some(acme.token(Role::Owner));
        let schema = Schema::of(&server, acme.token(Role::Owner)).await;
        let listed: BTreeSet<String> = LISTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(schema.lists(), listed, "LISTS is not what the schema has");

        let mut first = BTreeMap::new();
        for (name, template) in LISTS.iter().filter(|(name, _)| *name != ASKS_GITHUB) {
            let answer = server.ask(token, &document(template, &world, "first: 1"), &json!({})).await;
            let cursor = cursors(&answer.json).pop();
            first.insert(*name, cursor.unwrap_or_else(|| panic!("{name} has no row: {}", answer.text)));
        }
        let forged = ["eyJUZXh0IjoiYSJ9", "eyJQb3NpdGlvbiI6MX0", "", "bm9uc2Vuc2U"];
        let unique: BTreeSet<&String> = first.values().collect();
        assert_eq!(unique.len(), first.len(), "two lists share a cursor");
        for (name, template) in LISTS {
            let others = first.iter().map(|(of, cursor)| (*of, cursor.as_str()));
            for (of, cursor) in others.chain(forged.map(|cursor| ("nobody", cursor))) {
                let sides: &[&str] = if *name == ASKS_GITHUB { &["after"] } else { &["after", "before"] };
                for side in sides {
                    let arguments = format!("first: 1, {side}: \"{cursor}\"");
                    let answer = server.ask(token, &document(template, &world, &arguments), &json!({})).await;
                    let expected = if of == *name { "" } else { "INVALID_CURSOR" };
                    let code = answer.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
                    assert_eq!(code, expected, "{name} with {side} of {of}: {}", answer.text);
                }
            }
        }
    }
}
