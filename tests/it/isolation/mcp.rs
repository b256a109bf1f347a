//! The tools, resources and prompts of agents: the results for each role, and for another tenant with ids of this one.
//! As in the matrix of the schema, a tool without a row fails.

use std::collections::BTreeSet;

use nyxcore_tenancy::Role;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::digest::Digester;
use super::server::{Answer, Server};
use super::team::{ROLES, Team};
use super::world::{Objects, nobodys, places};

/// A call: the tool, its arguments with `$name` for an object of the tenant, and the role that it needs.
struct Call(&'static str, &'static str, Role);

/// All tools. Tools without an id in their arguments only concern the caller's own tenant.
const CALLS: &[Call] = &[
    Call("projects", "{}", Role::Viewer),
    Call("search", r#"{"query": "Quince"}"#, Role::Viewer),
    Call(
        "search",
        r#"{"query": "Quince", "project": "$project"}"#,
        Role::Viewer,
    ),
    Call(
        "search",
        r#"{"query": "Quince", "project": "$project_slug"}"#,
        Role::Viewer,
    ),
    Call(
        "project_overview",
        r#"{"project": "$project"}"#,
        Role::Viewer,
    ),
    Call("code_patterns", r#"{"project": "$project"}"#, Role::Viewer),
    Call(
        "conventions_for",
        r#"{"project": "$project", "path": "src/quince.rs"}"#,
        Role::Viewer,
    ),
    Call(
        "read_code",
        r#"{"project": "$project", "path": "src/quince.rs"}"#,
        Role::Viewer,
    ),
    Call(
        "agents_section",
        r#"{"project": "$project_slug"}"#,
        Role::Viewer,
    ),
    Call("run_status", r#"{"run": "$sync"}"#, Role::Viewer),
    Call("run_status", r#"{"project": "$project"}"#, Role::Viewer),
    Call("run_status", "{}", Role::Viewer),
    Call(
        "memory_add",
        r#"{"project": "$project", "title": "t", "content": "c"}"#,
        Role::Member,
    ),
    Call(
        "insight_add",
        r#"{"project": "$project", "type": "decision", "title": "%role%", "detail": "d"}"#,
        Role::Member,
    ),
    Call(
        "note_create",
        r#"{"project": "$project", "title": "t", "body": "b"}"#,
        Role::Member,
    ),
];

/// A tool of a process with a working folder: no server offers it.
const FOLDER_TOOL: &str = "check";

impl Server {
    async fn call(&self, token: &str, tool: &str, arguments: &Value) -> Answer {
        let params = json!({"name": tool, "arguments": arguments});
        self.mcp(Some(token), "tools/call", &params).await
    }
}

/// The code of a failed call; empty if it succeeded.
fn code(answer: &Answer) -> &str {
    let text = answer.json["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_default();
    let code = text
        .strip_prefix("error[")
        .and_then(|rest| rest.split_once(']'));
    code.map_or("", |(code, _)| code)
}

/// Checks that a response to another tenant contains nothing of acme, except for what the request itself named.
fn tells_nothing(acme: &Team, world: &Objects, answer: &Answer, named: &Value) {
    assert!(!answer.text.contains(&acme.mark), "{}", answer.text);
    let named = named.to_string();
    let told = world
        .0
        .values()
        .find(|id| answer.text.contains(*id) && !named.contains(*id));
    assert_eq!(told, None, "{}", answer.text);
}

async fn listed(server: &Server, token: &str) -> BTreeSet<String> {
    let answer = server.mcp(Some(token), "tools/list", &json!({})).await;
    let tools = answer.json["result"]["tools"].as_array().unwrap();
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

on_both_databases! {
    async fn every_tool_follows_the_policy_for_each_role(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let world = Objects::make(&server, &acme).await;
        let rows: BTreeSet<String> = CALLS.iter().map(|call| call.0.to_owned()).collect();
        assert_eq!(listed(&server, acme.token(Role::Owner)).await, rows, "CALLS is not what is listed");
        for role in ROLES {
            let token = acme.token(role);
            let tools = listed(&server, token).await;
            for Call(tool, arguments, needed) in CALLS {
                assert_eq!(tools.contains(*tool), role.includes(*needed), "{tool} as {role:?}");
                let arguments = world.filled(&arguments.replace("%role%", role.as_str()));
                let digester = Digester::new(&server.superuser, None).await;
                let before = digester.take().await;
                let answer = server.call(token, tool, &arguments).await;
                let changed = digester.changed(&before).await;
                if role.includes(*needed) {
                    assert_eq!(answer.json["result"]["isError"], false, "{tool} as {role:?}: {}", answer.text);
                    assert_eq!(changed.is_empty(), *needed == Role::Viewer, "{tool} as {role:?}: {changed:?}");
                } else {
                    assert_eq!(code(&answer), "FORBIDDEN", "{tool} as {role:?}: {}", answer.text);
                    assert_eq!(changed, ["audit_entries"], "{tool} as {role:?}");
                }
            }
            let refused = server.call(token, FOLDER_TOOL, &json!({})).await;
            assert_eq!(code(&refused), "CHECK_NEEDS_FOLDER", "{}", refused.text);
        }
    }

    async fn another_tenants_ids_are_unknown_to_every_tool(db: TestDatabase) {
        let server = Server::start(&db).await;
        let (acme, other) = (Team::make(&server, "acme").await, Team::make(&server, "other").await);
        let (world, _own) = (Objects::make(&server, &acme).await, Objects::make(&server, &other).await);
        let token = other.token(Role::Owner);
        let digester = Digester::new(&server.superuser, Some(acme.tenant.id.0)).await;
        let before = digester.take().await;
        for Call(tool, arguments, _) in CALLS {
            let template: Value = serde_json::from_str(arguments).unwrap();
            let named = world.filled(arguments);
            server.statements();
            let answer = server.call(token, tool, &named).await;
            let statements = server.statements().len();
            tells_nothing(&acme, &world, &answer, &named);
            let places = places(&template);
            if places.is_empty() {
                assert_eq!(code(&answer), "", "{tool}: {}", answer.text);
                continue;
            }
            assert_eq!(code(&answer), "NOT_FOUND", "{tool}: {}", answer.text);
            // An unknown id gets the same response, with the same number of statements.
            let mut nobodys_own = named.clone();
            for (at, _) in places {
                let id = named.pointer(&at).and_then(Value::as_str).unwrap();
                *nobodys_own.pointer_mut(&at).unwrap() = nobodys(id).into();
            }
            server.statements();
            let unknown = server.call(token, tool, &nobodys_own).await;
            assert_eq!(unknown.json["result"], answer.json["result"], "{tool}");
            assert_eq!(server.statements().len(), statements, "{tool}");
        }
        assert_eq!(digester.changed(&before).await, Vec::<String>::new());
    }

    async fn another_tenants_documents_and_personas_are_unknown(db: TestDatabase) {
        let server = Server::start(&db).await;
        let (acme, other) = (Team::make(&server, "acme").await, Team::make(&server, "other").await);
        let (world, own) = (Objects::make(&server, &acme).await, Objects::make(&server, &other).await);
        let token = other.token(Role::Owner);
        for (method, params) in [
            ("resources/read", json!({"uri": format!("nyxcore://document/{}/posts/quince.md", world.id("source"))})),
            ("prompts/get", json!({"name": world.id("persona")})),
        ] {
            let answer = server.mcp(Some(token), method, &params).await;
            assert_eq!(answer.json["error"]["data"]["code"], "NOT_FOUND", "{method}: {}", answer.text);
            tells_nothing(&acme, &world, &answer, &params);
            let granted = server.mcp(Some(acme.token(Role::Viewer)), method, &params).await;
            assert!(granted.text.contains(&acme.mark), "{method}: {}", granted.text);
        }
        for method in ["resources/list", "prompts/list", "resources/templates/list"] {
            let answer = server.mcp(Some(token), method, &json!({})).await;
            assert!(answer.json["result"].is_object(), "{method}: {}", answer.text);
            tells_nothing(&acme, &world, &answer, &json!({}));
        }
        let prompts = server.mcp(Some(token), "prompts/list", &json!({})).await;
        assert!(prompts.text.contains(own.id("persona")), "{}", prompts.text);
    }
}
