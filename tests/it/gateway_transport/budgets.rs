//! The limits of one request on each transport: expensive documents, large responses, disconnecting clients.

use nyxcore_gateway::Limits;
use nyxcore_projects::{NewNote, NewProject, note_create, project_create};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::client::{code, serve};

/// `inner` within `levels` of a field's selection.
fn nested(level: &str, levels: usize, inner: &str) -> String {
    (0..levels).fold(inner.to_owned(), |inside, _| level.replace('$', &inside))
}

on_both_databases! {
    async fn lists_within_lists_are_refused_each_way(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let introspection = nested("possibleTypes { interfaces { $ } }", 6, "__typename");
        let models = nested("models { provider { $ } }", 3, "id");
        let sources = nested("sources { project { $ } }", 5, "id");
        let points = nested("actionPoints { note { $ } }", 3, "id");
        let changes = nested("patternChanges(first: 200) { analysis { $ } }", 2, "id");
        for (query, expected) in [
            (format!("{{ __schema {{ types {{ {introspection} }} }} }}"), "INTROSPECTION_TOO_DEEP"),
            (format!("{{ __type(name: \"Run\") {{ {introspection} }} }}"), "INTROSPECTION_TOO_DEEP"),
            ("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".into(), "INTROSPECTION_TOO_DEEP"),
            ("{ __schema { ...A } } fragment A on __Schema { types { ...B } }
              fragment B on __Type { inputFields { type { ...C } } }
              fragment C on __Type { inputFields { type { inputFields { name } } } }".into(), "INTROSPECTION_TOO_DEEP"),
            (format!("{{ modelCatalog {{ {models} }} }}"), "QUERY_TOO_COMPLEX"),
            (format!("{{ project(slug: \"a\") {{ {sources} }} }}"), "QUERY_TOO_COMPLEX"),
            (format!("{{ node(id: \"a\") {{ ... on Note {{ {points} }} }} }}"), "QUERY_TOO_COMPLEX"),
            (format!("{{ node(id: \"a\") {{ ... on CodeAnalysis {{ {changes} }} }} }}"), "QUERY_TOO_COMPLEX"),
            (format!("query {{ project(slug: \"a\") {{ ...P }} }} fragment P on Project {{ {sources} }}"), "QUERY_TOO_COMPLEX"),
            ("query ($n: Int = 200) { projects(last: $n) { edges { node { notes(first: $n) { nodes { id } } } } } }".into(), "QUERY_TOO_COMPLEX"),
        ] {
            for (transport, answer) in served.ask_each_way(&query, &json!({})).await {
                assert_eq!(code(&answer), expected, "{transport}: {query}");
                assert!(answer.get("data").is_none(), "{transport}: {answer}");
            }
        }
    }

    async fn rows_that_are_not_shown_count(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let scoped = served.store.write(served.tenant).await.unwrap();
        let new = NewProject { name: "A".into(), ..NewProject::default() };
        let project_id = project_create(&scoped, new).await.unwrap().id;
        // 0.8 MB each: 32 MiB are 41 of them.
        for number in 0..45 {
            let new = NewNote {
                project_id,
                title: format!("Note {number}"),
                body: "\u{1F600}".repeat(200_000),
                created_by: None,
            };
            note_create(&scoped, new).await.unwrap();
        }
        let new = NewProject { name: "B".into(), ..NewProject::default() };
        let small = project_create(&scoped, new).await.unwrap().id;
        for number in 0..60 {
            let new = NewNote {
                project_id: small,
                title: format!("Note {number}"),
                body: "short".into(),
                created_by: None,
            };
            note_create(&scoped, new).await.unwrap();
        }
        scoped.commit().await.unwrap();
        for (query, is_answered) in [
            ("{ projects(first: 2) { nodes { notes(first: 200) { nodes { # } } } } }", false),
            ("{ project(slug: \"a\") { notes(first: 20) { nodes { # } } } }", true),
            ("{ project(slug: \"a\") { notes(first: 200) { nodes { # } } } }", false),
            ("{ project(slug: \"a\") { a: notes(first: 20) { nodes { # } } b: notes(last: 25) { nodes { # } } } }", false),
            // The large texts are not read if the selection does not need them.
            ("{ project(slug: \"a\") { notes(first: 200) { nodes { id title } } } }", true),
        ] {
            let query = &query.replace('#', "id createdBy { id }");
            for (transport, answer) in served.ask_each_way(query, &json!({})).await {
                let expected = if is_answered { Value::Null } else { json!("ANSWER_TOO_LARGE") };
                assert_eq!(answer["errors"][0]["extensions"]["code"], expected, "{transport}: {query}");
            }
        }
        // A page whose size is measured before it is read keeps its order, and continues after its cursor.
        let query = "query ($after: String) { project(slug: \"b\") { notes(first: 40, after: $after) { nodes { title body } pageInfo { endCursor hasNextPage } } } }";
        let ask = async |after: &Value| -> Value {
            let body = json!({"query": query, "variables": {"after": after}});
            served.post(&body).send().await.unwrap().json().await.unwrap()
        };
        let first = ask(&Value::Null).await;
        let page = &first["data"]["project"]["notes"];
        assert_eq!(page["nodes"][0]["title"], "Note 59");
        assert_eq!(page["nodes"][39]["title"], "Note 20");
        assert_eq!(page["pageInfo"]["hasNextPage"], true);
        let second = ask(&page["pageInfo"]["endCursor"]).await;
        let page = &second["data"]["project"]["notes"];
        assert_eq!(page["nodes"][0]["title"], "Note 19");
        assert_eq!(page["nodes"].as_array().unwrap().len(), 20);
    }

    async fn a_list_of_any_length_is_no_internal_error(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let scoped = served.store.write(served.tenant).await.unwrap();
        let new = NewProject { name: "A".into(), ..NewProject::default() };
        project_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        let ask = async |query: &str, list: Vec<Value>| {
            let body = json!({"query": query, "variables": {"list": list}});
            let answer: Value = served.post(&body).send().await.unwrap().json().await.unwrap();
            answer["errors"][0]["extensions"]["code"].clone()
        };
        let patterns = "query ($list: [String!]) { project(slug: \"a\") { codePatterns(kinds: $list) { totalCount } } }";
        let kinds: Vec<Value> = (0..60_000).map(|number| json!(format!("k{number}"))).collect();
        assert_eq!(ask(patterns, kinds).await, "INVALID_INPUT");
        let runs = "query ($list: [RunStatus!]) { runs(statuses: $list) { totalCount } }";
        assert_eq!(ask(runs, vec![json!("SUCCEEDED"); 70_000]).await, Value::Null);
        let runs = "query ($list: [RunKind!]) { runs(kinds: $list) { totalCount } }";
        assert_eq!(ask(runs, vec![json!("SYNC"); 70_000]).await, Value::Null);
    }

    async fn everyday_queries_are_within_the_budget(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for query in [
            "{ projects(first: 50) { nodes { id name slug description createdAt updatedAt stack sources { id url branch status } } } }",
            "{ runs(first: 100) { nodes { id kind status createdAt startedAt finishedAt attempt error { code message } project { id name } } } }",
            "{ modelCatalog { providers { id name models { id name } } models { id name provider { id } capabilities } } }",
            "{ project(slug: \"a\") { notes(first: 50) { nodes { id title actionPoints { id text status } } totalCount } } }",
        ] {
            for (transport, answer) in served.ask_each_way(query, &json!({})).await {
                assert_eq!(answer.get("errors"), None, "{transport}: {query}");
            }
        }
    }
}

#[test]
fn nested_documents_are_built_inside_out() {
    assert_eq!(nested("a { $ }", 2, "b"), "a { a { b } }");
    assert_eq!(json!({"a": Value::Null})["b"], Value::Null);
}
