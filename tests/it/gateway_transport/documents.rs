//! Documents are parsed as the GraphQL specification defines, on each transport.

use nyxcore_gateway::Limits;
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::client::{Served, code, serve};

/// The name that the server stored for a project whose name is this literal.
async fn name_of(served: &Served, literal: &str) -> Value {
    let query = format!(
        "mutation {{ createProject(input: {{ name: {literal} }}) {{ project {{ name }} }} }}"
    );
    let answer: Value = served
        .post(&json!({"query": query}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    match code(&answer) {
        "" => answer["data"]["createProject"]["project"]["name"].clone(),
        code => json!(code),
    }
}

on_both_databases! {
    async fn string_literals_are_read_as_specified(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for (literal, expected) in [
            (r#""plain""#, "plain"),
            (r#""\ud83d\ude00""#, "\u{1F600}"),
            (r#""\uD83D\uDE00 a\u00e9""#, "\u{1F600} a\u{e9}"),
            (r#""\u{1F600}\u{41}""#, "\u{1F600}A"),
            (r##""a \"\ud83d\ude00\" # no comment""##, "a \"\u{1F600}\" # no comment"),
            (r#""""say \"""three\""" times""""#, "say \"\"\"three\"\"\" times"),
            (r#""""x \u0041 \n x""""#, r"x \u0041 \n x"),
            ("\"\"\"\r\n    trimmed\r\n  \r\n\"\"\"", "trimmed"),
            (r#""\ud83d""#, "GRAPHQL_PARSE_FAILED"),
            (r#""\ude00\ud83d""#, "GRAPHQL_PARSE_FAILED"),
            (r#""\ud83dx""#, "GRAPHQL_PARSE_FAILED"),
            (r#""\u{D83D}""#, "GRAPHQL_PARSE_FAILED"),
            (r#""\u{110000}""#, "GRAPHQL_PARSE_FAILED"),
            (r#""\u{}""#, "GRAPHQL_PARSE_FAILED"),
            (r#""\x""#, "GRAPHQL_PARSE_FAILED"),
        ] {
            assert_eq!(name_of(&served, literal).await, expected, "{literal}");
        }
    }

    async fn strings_in_every_place_are_read_as_specified(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let smile = r#""\ud83d\ude00""#;
        for query in [
            format!("query ($q: String = {smile}) {{ projects(query: $q) {{ totalCount }} }}"),
            format!("{{ server {{ version }} }} # a \" quote\n# {smile} \u{1F600}\n fragment F on Query {{ __typename }}").replace("fragment F on Query { __typename }", ""),
            format!("{{ # a lone \" in a comment\n projects(query: {smile}) {{ totalCount }} # and \"\"\" another\n }}"),
            format!("{{ specializations(text: {smile}) {{ name }} }}").replace("{ name }", "{ __typename }"),
        ] {
            for (transport, answer) in served.ask_each_way(&query, &json!({})).await {
                assert_eq!(answer.get("errors"), None, "{transport}: {query}: {answer}");
            }
        }
        // Errors after a rewritten string keep their original position.
        let query = format!("{{\n  a: projects(query: {smile}) {{ nothing }} }}");
        let column = query.lines().nth(1).unwrap().find("nothing").unwrap() + 1;
        for (transport, answer) in served.ask_each_way(&query, &json!({})).await {
            assert_eq!(answer["errors"][0]["locations"], json!([{"line": 2, "column": column}]), "{transport}");
        }
    }

    async fn a_nul_character_is_refused_by_the_argument(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let nul = r#""a\u0000b""#;
        for (query, variables, argument) in [
            (format!("{{ project(slug: {nul}) {{ id }} }}"), json!({}), "slug"),
            (r#"{ project(slug: "a\u{0}b") { id } }"#.into(), json!({}), "slug"),
            ("{ project(slug: \"\"\"a\0b\"\"\") { id } }".into(), json!({}), "slug"),
            (format!("{{ projects(query: {nul}) {{ totalCount }} }}"), json!({}), "query"),
            (format!("{{ personas(query: {nul}) {{ totalCount }} }}"), json!({}), "query"),
            (format!("{{ auditLog(action: {nul}) {{ totalCount }} }}"), json!({}), "action"),
            (format!("{{ ...F }} fragment F on Query {{ project(slug: {nul}) {{ id }} }}"), json!({}), "slug"),
            (format!("query ($s: String = {nul}) {{ project(slug: $s) {{ id }} }}"), json!({}), "slug"),
            ("query ($s: String) { project(slug: $s) { id } }".into(), json!({"s": "a\0b"}), "slug"),
            (format!("{{ project(slug: \"a\") {{ codePatterns(kinds: [\"x\", {nul}]) {{ totalCount }} }} }}"), json!({}), "kinds"),
            (format!("{{ project(slug: \"a\") {{ codePatterns(stack: {nul}) {{ totalCount }} }} }}"), json!({}), "stack"),
            (format!("{{ node(id: {nul}) {{ id }} }}"), json!({}), "id"),
        ] {
            for (transport, answer) in served.ask_each_way(&query, &variables).await {
                assert_eq!(code(&answer), "INVALID_INPUT", "{transport}: {query}: {answer}");
                let message = answer["errors"][0]["message"].as_str().unwrap();
                assert!(message.contains(&format!("`{argument}`")), "{message}");
            }
        }
        let create = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { secret } }";
        let variables = json!({"input": {"name": "a\0b", "role": "VIEWER"}});
        let answer = served.ask_by_sse(&json!({"query": create, "variables": variables})).await;
        assert_eq!((code(&answer), answer["errors"][0]["message"].as_str().unwrap().contains("`input.name`")), ("INVALID_INPUT", true), "{answer}");
    }

    async fn a_time_that_a_database_cannot_hold_is_refused(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for (time, expected) in [
            ("-4713-01-01T00:00:00Z", "INVALID_INPUT"),
            ("0000-12-31T23:59:59Z", "INVALID_INPUT"),
            ("0001-01-01T00:00:00+14:00", "INVALID_INPUT"),
            ("9999-12-31T23:59:59-14:00", "INVALID_INPUT"),
            ("+10000-01-01T00:00:00Z", "INVALID_INPUT"),
            ("0001-01-01T00:00:00Z", ""),
            ("9999-12-31T23:59:59Z", ""),
        ] {
            for argument in ["from", "to"] {
                let literal = format!("{{ auditLog({argument}: \"{time}\") {{ totalCount }} }}");
                let variable = format!("query ($t: DateTime) {{ auditLog({argument}: $t) {{ totalCount }} }}");
                for (query, variables) in [(literal, json!({})), (variable, json!({"t": time}))] {
                    for (transport, answer) in served.ask_each_way(&query, &variables).await {
                        assert_eq!(code(&answer), expected, "{transport} {time} {query}: {answer}");
                    }
                }
            }
            let mutation = format!("mutation {{ createApiToken(input: {{name: \"t\", role: VIEWER, expiresAt: \"{time}\"}}) {{ secret }} }}");
            if !expected.is_empty() {
                let answer: Value = served.post(&json!({"query": mutation})).send().await.unwrap().json().await.unwrap();
                assert_eq!(code(&answer), expected, "{time}: {answer}");
            }
            let rest = url::Url::parse_with_params(&served.url("/api/v1/audit"), [("to", time)]).unwrap();
            let status = served.client.get(rest).bearer_auth(&served.token).send().await.unwrap().status().as_u16();
            assert_eq!(status, if expected.is_empty() { 200 } else { 400 }, "{time}");
        }
    }

    async fn a_subscription_has_one_root_field(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        for query in [
            "subscription { a: tenantActivity { seq } b: tenantActivity { seq } }",
            "subscription { tenantActivity { seq } __typename }",
            "subscription { __typename }",
            "subscription { ...F } fragment F on Subscription { tenantActivity { seq } a: tenantActivity { seq } }",
            "subscription { tenantActivity { seq } ... { a: tenantActivity { seq } } }",
            "subscription { tenantActivity { seq } ... on Subscription { ...F } } fragment F on Subscription { b: tenantActivity { seq } }",
            "subscription ($no: Boolean = false) { tenantActivity { seq } a: tenantActivity @include(if: $no) { seq } }",
            "subscription { tenantActivity @skip(if: true) { seq } }",
            "subscription { ...F @include(if: true) } fragment F on Subscription { tenantActivity { seq } }",
            "query A { server { version } } subscription B { a: tenantActivity { seq } b: tenantActivity { seq } }",
        ] {
            let request = json!({"query": query, "operationName": query.contains("query A").then_some("B")});
            for answer in [served.ask_by_sse(&request).await, served.ask_by_socket(&request).await] {
                assert_eq!(code(&answer), "GRAPHQL_VALIDATION_FAILED", "{query}: {answer}");
            }
        }
    }

    async fn a_subscription_field_may_stand_in_a_fragment(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (run, workers, gate) = super::client::run_begin(&served, "a").await;
        gate.add_permits(1);
        for selection in [
            "{ ...F } fragment F on Subscription { runEvents(runId: $run) { seq } }",
            "{ ... on Subscription { runEvents(runId: $run) { seq } } }",
            "{ runEvents(runId: $run) { seq } runEvents(runId: $run) { runId } ...F } fragment F on Subscription { runEvents(runId: $run) { seq } }",
        ] {
            let request = json!({"query": format!("subscription ($run: ID!) {selection}"), "variables": {"run": run.to_string()}});
            let frames = served.stream(served.post(&request).header("accept", "text/event-stream")).await.rest().await;
            let answers = frames.iter().filter(|frame| frame.event.as_deref() == Some("next"));
            let numbers: Vec<i64> = answers.map(|frame| frame.json()["data"]["runEvents"]["seq"].as_i64().unwrap()).collect();
            let expected: Vec<i64> = (1..).take(numbers.len()).collect();
            assert!(!numbers.is_empty() && numbers == expected, "{selection}: {numbers:?}");
        }
        workers.shutdown().await;
    }
}
