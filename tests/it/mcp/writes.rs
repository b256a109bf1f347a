//! The writing tools: their results, the required roles, and the audit log.

use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::*;

/// The writing tools.
const WRITERS: [&str; 3] = ["memory_add", "insight_add", "note_create"];

/// The newest entries of the audit log: action and outcome.
async fn audited(served: &Served) -> Vec<String> {
    let query = "{ auditLog(first: 3) { nodes { action outcome } } }";
    let answer = served.post(&json!({"query": query})).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let nodes = answer["data"]["auditLog"]["nodes"].as_array();
    let nodes = nodes.unwrap_or_else(|| panic!("{answer}"));
    let line = |node: &Value| {
        let field = |name: &str| node[name].as_str().unwrap_or("-").to_owned();
        format!("{} {}", field("action"), field("outcome"))
    };
    nodes.iter().map(line).collect()
}

on_both_databases! {
    async fn what_is_written_is_found_and_audited(db: TestDatabase) {
        let served = with_atlas(&db).await;
        let agent = served.agent();
        for (tool, arguments, prefix, kind) in [
            ("memory_add", json!({"project": "atlas", "title": "Opening", "content": "open.rs must check zebra stripes first.", "tags": ["io"]}), "memory_", "memory_entry"),
            ("insight_add", json!({"project": "atlas", "type": "pain_point", "severity": "high", "title": "Slow zebra", "detail": "Zebra counting is slow."}), "insight_", "insight"),
            ("note_create", json!({"title": "Zebras", "body": "Who counts the zebra stripes?"}), "note_", "note"),
        ] {
            let result = agent.call(tool, arguments).await;
            let id = result["structuredContent"]["id"].as_str().unwrap_or_else(|| panic!("{result}"));
            assert!(id.starts_with(prefix), "{result}");
            assert_eq!(result["structuredContent"]["project"], "atlas", "{result}");
            let found = agent.text("search", json!({"query": "zebra", "project": "atlas"})).await;
            assert!(found.contains(id), "{tool}: {found}");
            assert_eq!(audited(&served).await[0], format!("{kind}.create OK"));
        }
        // An agent that edits the file gets the new entry.
        let told = agent.text("conventions_for", json!({"path": "src/open.rs"})).await;
        assert!(told.contains("zebra stripes first"), "{told}");
        let again = json!({"project": "atlas", "type": "pain_point", "title": "Slow zebra", "detail": "Zebra counting is slow."});
        agent.failure("insight_add", again, "CONFLICT").await;
    }

    async fn an_entry_may_belong_to_the_whole_tenant(db: TestDatabase) {
        let served = with_atlas(&db).await;
        let result = served.agent().call("memory_add", json!({"title": "Everywhere", "content": "We write UTC."})).await;
        assert_eq!(result["isError"], false, "{result}");
        assert!(result["structuredContent"].get("project").is_none(), "{result}");
    }

    async fn a_viewer_sees_no_tool_that_writes(db: TestDatabase) {
        let served = with_atlas(&db).await;
        let (viewer, _) = served.agent_as(Role::Viewer).await;
        let all = served.agent().tools().await;
        assert!(WRITERS.iter().all(|tool| all.iter().any(|one| one == tool)), "{all:?}");
        let mut expected = all;
        expected.retain(|tool| !WRITERS.contains(&tool.as_str()));
        assert_eq!(viewer.tools().await, expected);
        for (tool, arguments) in [
            ("memory_add", json!({"title": "t", "content": "c"})),
            ("insight_add", json!({"type": "decision", "title": "t", "detail": "d"})),
            ("note_create", json!({"title": "t", "body": "b"})),
        ] {
            viewer.failure(tool, arguments, "FORBIDDEN").await;
            let entry = audited(&served).await.remove(0);
            assert!(entry.ends_with(".create FORBIDDEN"), "{entry}");
        }
        viewer.text("search", json!({"query": "file_open"})).await;
    }

    async fn a_member_writes_in_the_members_name(db: TestDatabase) {
        let served = with_atlas(&db).await;
        let (member, _) = served.agent_as(Role::Member).await;
        let result = member.call("note_create", json!({"title": "t", "body": "b"})).await;
        let id = result["structuredContent"]["id"].clone();
        let query = "query ($id: ID!) { node(id: $id) { ... on Note { title createdBy { id } } } }";
        let answer = served.post(&json!({"query": query, "variables": {"id": id}})).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let by = &answer["data"]["node"]["createdBy"]["id"];
        assert_eq!(by, &json!(served.user.to_string()), "{answer}");
    }
}
