//! A failed field is null, or makes its parent null if it is non-null (GraphQL 6.4.4), on each transport.

use nyxcore_gateway::Limits;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::client::{Served, serve};

async fn project_make(served: &Served) -> String {
    let query = r#"mutation { createProject(input: {name: "Atlas"}) { project { id } } }"#;
    let answer: Value = served
        .post(&json!({"query": query}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["data"]["createProject"]["project"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

on_both_databases! {
    async fn a_failed_field_is_null_or_makes_its_parent_null(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let project = project_make(&served).await;
        let by_id = format!(r#"{{ node(id: "{project}") {{ ... on Project {{ name notes(first: -1) {{ totalCount }} }} }} server {{ database }} }}"#);
        let database = if db.backend() == sea_orm::DbBackend::Sqlite { "sqlite" } else { "postgresql" };
        for (query, data) in [
            (r#"{ server { version } project(id: "bad") { id } }"#, json!({"server": {"version": "0.0.0"}, "project": null})),
            (r#"{ a: project(id: "bad") { id } b: project(id: "bad") { id } }"#, json!({"a": null, "b": null})),
            ("{ viewer { role tenant { slug apiTokens(first: -1) { totalCount } } } }", Value::Null),
            ("{ viewer { tenant { apiTokens(first: -1) { totalCount } } } server { version } }", Value::Null),
            ("{ projects(first: 1) { nodes { notes(first: -1) { totalCount } } } }", Value::Null),
            ("{ projects(first: 1) { nodes { name notes(first: -1) { totalCount } } } }", Value::Null),
            ("{ projects(first: 1) { edges { node { name ...N } } } } fragment N on Project { notes(first: -1) { totalCount } }", Value::Null),
            (r#"{ project(slug: "atlas") { name notes(first: -1) { totalCount } } }"#, json!({"project": null})),
            (r#"{ project(slug: "atlas") { notes(first: -1) { totalCount } } server { version } }"#, json!({"project": null, "server": {"version": "0.0.0"}})),
            (&by_id, json!({"node": null, "server": {"database": database}})),
            (&format!(r#"{{ nodes(ids: ["{project}", "{project}"]) {{ ... on Project {{ notes(first: -1) {{ totalCount }} }} }} }}"#), json!({"nodes": [null, null]})),
        ] {
            for (transport, answer) in served.ask_each_way(query, &json!({})).await {
                assert!(!answer["errors"].as_array().unwrap().is_empty(), "{transport}: {answer}");
                assert_eq!(answer.get("data"), Some(&data), "{transport}: {query}");
            }
        }
    }

    async fn a_failed_mutation_keeps_its_place_in_the_answer(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let query = r#"mutation { a: createProject(input: {name: "One"}) { project { slug } }
            b: createProject(input: {name: ""}) { project { slug } } }"#;
        let answer: Value = served.post(&json!({"query": query})).send().await.unwrap().json().await.unwrap();
        // The payload is non-null, so the null propagates to the root's data.
        assert_eq!((answer.get("data"), &answer["errors"][0]["path"]), (Some(&Value::Null), &json!(["b"])));
    }

    async fn a_failed_field_of_an_event_makes_its_parents_null(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let project = project_make(&served).await;
        let ask = async |query: String| -> Value {
            served.post(&json!({"query": query})).send().await.unwrap().json().await.unwrap()
        };
        let started = ask(format!(r#"mutation {{ startCodeAnalysis(input: {{projectId: "{project}"}}) {{ codeAnalysis {{ id }} }} }}"#)).await;
        let run = started["data"]["startCodeAnalysis"]["codeAnalysis"]["id"].as_str().unwrap().to_owned();
        ask(format!(r#"mutation {{ cancelRun(input: {{runId: "{run}"}}) {{ run {{ id }} }} }}"#)).await;
        for selection in ["runId run { id events(first: -1) { seq } }", "run { events(first: -1) { seq } }"] {
            let query = format!("subscription {{ runEvents(runId: \"{run}\") {{ ... on RunFinished {{ {selection} }} }} }}");
            let request = json!({"query": query});
            for answer in [served.ask_by_sse(&request).await, served.ask_by_socket(&request).await] {
                assert_eq!(answer["errors"][0]["path"], json!(["runEvents", "run", "events"]), "{answer}");
                assert_eq!(answer.get("data"), Some(&Value::Null), "{answer}");
            }
        }
    }

    async fn an_object_without_a_selected_field_is_empty(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let project = project_make(&served).await;
        for (query, data) in [
            (format!(r#"{{ node(id: "{project}") {{ ... on Note {{ id }} }} }}"#), json!({"node": {}})),
            (format!(r#"{{ nodes(ids: ["{project}"]) {{ ... on Note {{ id }} }} }}"#), json!({"nodes": [{}]})),
            ("{ server { version @skip(if: true) } }".into(), json!({"server": {}})),
            ("{ projects { nodes { ...N @skip(if: true) } } } fragment N on Project { id }".into(), json!({"projects": {"nodes": [{}]}})),
            (r#"{ project(slug: "none") { ... @include(if: false) { id } } }"#.into(), json!({"project": null})),
        ] {
            for (transport, answer) in served.ask_each_way(&query, &json!({})).await {
                assert_eq!(answer, json!({"data": data}), "{transport}: {query}");
            }
        }
    }
}
