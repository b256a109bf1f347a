//! Documents as resources, and personas as prompts.

use nyxcore_personas::{NewPersona, persona_create};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::*;
use crate::support;

/// All items of a list, over all pages.
async fn all(agent: &Agent<'_>, method: &str, name: &str) -> Vec<Value> {
    let (mut items, mut params) = (Vec::new(), json!({}));
    loop {
        let result = agent.ask(method, params).await["result"].clone();
        items.extend(result[name].as_array().unwrap().iter().cloned());
        match &result["nextCursor"] {
            Value::String(cursor) => params = json!({"cursor": cursor}),
            _ => return items,
        }
    }
}

on_both_databases! {
    async fn documents_are_listed_and_read(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let readme = "# Atlas\n\nRead me first.\n";
        served.atlas(&[("README.md", readme), ("docs/a guide.md", "# Guide\n"), ("AGENTS.md", "# Rules\n")]).await;
        for name in ["Borealis", "Cetus"] {
            support::project(&served.store, served.tenant, name).await;
        }
        let agent = served.agent();
        let listed = all(&agent, "resources/list", "resources").await;
        let names: Vec<&str> = listed.iter().map(|one| one["name"].as_str().unwrap()).collect();
        // The most binding documents come first; code is not listed.
        assert_eq!(names, ["AGENTS.md", "README.md", "docs/a guide.md"]);
        for (index, text) in [(1, readme), (2, "# Guide\n")] {
            let uri = listed[index]["uri"].as_str().unwrap();
            let read = agent.ask("resources/read", json!({"uri": uri})).await;
            let contents = &read["result"]["contents"][0];
            assert_eq!((&contents["text"], &contents["mimeType"]), (&json!(text), &json!("text/markdown")), "{read}");
        }
        let source = listed[0]["uri"].as_str().unwrap().trim_end_matches("AGENTS.md").to_owned();
        for (uri, code) in [
            (format!("{source}src/open.rs"), "NOT_FOUND"),
            (format!("{source}NOTHING.md"), "NOT_FOUND"),
            ("nyxcore://document/nonsense/a.md".to_owned(), "INVALID_ID"),
            ("file:///etc/passwd".to_owned(), "INVALID_INPUT"),
        ] {
            let refused = agent.ask("resources/read", json!({"uri": uri})).await;
            assert_eq!(refused["error"]["data"]["code"], code, "{uri}: {refused}");
        }
        let refused = agent.ask("resources/list", json!({"cursor": "forged"})).await;
        assert_eq!(refused["error"]["data"]["code"], "INVALID_CURSOR", "{refused}");
    }

    async fn a_persona_is_a_prompt_with_a_task(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let scoped = served.store.write(served.tenant).await.unwrap();
        let persona = NewPersona {
            name: "Ines".into(),
            description: "Tunes PostgreSQL.".into(),
            system_prompt: Some("Measure before you change.".into()),
            ..NewPersona::default()
        };
        let id = persona_create(&scoped, persona).await.unwrap().id.to_string();
        scoped.commit().await.unwrap();
        let agent = served.agent();
        let listed = all(&agent, "prompts/list", "prompts").await;
        assert_eq!((&listed[0]["name"], &listed[0]["title"]), (&json!(id), &json!("Ines")), "{listed:?}");
        let got = agent.ask("prompts/get", json!({"name": id, "arguments": {"task": "Find the slow query."}})).await;
        let text = got["result"]["messages"][0]["content"]["text"].as_str().unwrap_or_else(|| panic!("{got}"));
        for part in ["You are Ines.", "Tunes PostgreSQL.", "Measure before you change.", "Find the slow query."] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        let refused = agent.ask("prompts/get", json!({"name": "Ines"})).await;
        assert_eq!(refused["error"]["data"]["code"], "INVALID_ID", "{refused}");
    }
}
