//! Personas through GraphQL: all fields, null and absent values, invalid input, and permissions.

use nyxcore_gateway::Limits;
use nyxcore_personas::starter_personas;
use nyxcore_tenancy::Role;
use nyxcore_tenancy::directory::{NewApiToken, api_token_create};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::gateway_transport::client::{Served, serve};
use crate::support::store;

const ALL: &str = "id name description systemPrompt traits specializations autoSpecialized category level xp usageCount successRate
    defaultModel { provider model calledModel warning }";

struct Api(Served);

impl Api {
    async fn start(db: &TestDatabase) -> Self {
        Self(serve(db, Limits::default()).await)
    }

    async fn ask(&self, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables });
        let answer = self.0.post(&body).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn data(&self, document: &str, variables: Value) -> Value {
        let answer = self.ask(document, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    async fn create(&self, input: Value) -> Value {
        let document = format!(
            "mutation ($input: CreatePersonaInput!) {{ createPersona(input: $input) {{ persona {{ {ALL} }} }} }}"
        );
        self.data(&document, json!({ "input": input })).await["createPersona"]["persona"].clone()
    }

    async fn update(&self, id: &Value, changes: Value) -> Value {
        let mut input = changes;
        input["personaId"] = id.clone();
        let document = format!(
            "mutation ($input: UpdatePersonaInput!) {{ updatePersona(input: $input) {{ persona {{ {ALL} }} }} }}"
        );
        self.data(&document, json!({ "input": input })).await["updatePersona"]["persona"].clone()
    }

    /// The codes of the errors.
    async fn codes(&self, document: &str, variables: Value) -> Vec<String> {
        let answer = self.ask(document, variables).await;
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| {
                error["extensions"]["code"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    }
}

on_both_databases! {
    async fn every_field_is_created_changed_and_cleared(db: TestDatabase) {
        let api = Api::start(&db).await;
        let made = api.create(json!({
            "name": "Fred", "description": "Knows React.", "systemPrompt": "Be brief.", "traits": ["calm"],
            "specializations": ["security"], "category": "engineering", "defaultModel": { "model": "gpt-4.1-mini" },
        })).await;
        let model = json!({ "provider": "openai", "model": "gpt-4.1-mini", "calledModel": "gpt-4.1-mini", "warning": null });
        let expected = json!({
            "id": made["id"], "name": "Fred", "description": "Knows React.", "systemPrompt": "Be brief.", "traits": ["calm"],
            "specializations": ["security"], "autoSpecialized": false, "category": "engineering", "level": 1, "xp": 0,
            "usageCount": 0, "successRate": null, "defaultModel": model,
        });
        assert_eq!(made, expected);

        let changed = api.update(&made["id"], json!({
            "name": "Freda", "description": "Knows Kotlin.", "systemPrompt": "Be long.", "traits": ["loud", "quick"],
            "category": "mobile", "defaultModel": { "provider": "anthropic", "model": "claude-sonnet-4-6" },
        })).await;
        let mut expected = expected;
        for (field, value) in [
            ("name", json!("Freda")), ("description", json!("Knows Kotlin.")), ("systemPrompt", json!("Be long.")),
            ("traits", json!(["loud", "quick"])), ("category", json!("mobile")),
            ("defaultModel", json!({ "provider": "anthropic", "model": "claude-sonnet-4-6", "calledModel": "claude-sonnet-4-6", "warning": null })),
        ] {
            expected[field] = value;
        }
        assert_eq!(changed, expected);
        // Omitted fields stay unchanged.
        assert_eq!(api.update(&made["id"], json!({})).await, expected);

        let cleared = json!({ "systemPrompt": null, "traits": null, "specializations": null, "category": null, "defaultModel": null });
        let changed = api.update(&made["id"], cleared).await;
        for (field, value) in [
            ("systemPrompt", json!("")), ("traits", json!([])), ("specializations", json!(["mobile"])),
            ("autoSpecialized", json!(true)), ("category", Value::Null), ("defaultModel", Value::Null),
        ] {
            expected[field] = value;
        }
        assert_eq!(changed, expected);
        // From then on automatic specializations follow the description.
        let changed = api.update(&made["id"], json!({ "description": "Knows React." })).await;
        assert_eq!(changed["specializations"], json!(["frontend"]));
    }

    async fn a_deleted_persona_is_gone(db: TestDatabase) {
        let api = Api::start(&db).await;
        let made = api.create(json!({ "name": "Fred", "description": "" })).await;
        let document = "mutation ($id: ID!) { deletePersona(input: { personaId: $id }) { deletedId } }";
        let deleted = api.data(document, json!({ "id": made["id"] })).await;
        assert_eq!(deleted["deletePersona"]["deletedId"], made["id"]);
        assert_eq!(api.codes(document, json!({ "id": made["id"] })).await, ["NOT_FOUND"]);
        assert_eq!(api.data("{ personas { totalCount } }", json!({})).await["personas"]["totalCount"], 0);
    }

    async fn a_model_that_was_shut_down_is_replaced_visibly(db: TestDatabase) {
        let api = Api::start(&db).await;
        let shut_down = "{ modelCatalog { models(includeShutDown: true, capability: \"chat\") { id lifecycle replacement { id } } } }";
        let models = api.data(shut_down, json!({})).await["modelCatalog"]["models"].clone();
        let is_replaced = |model: &&Value| model["lifecycle"] == "SHUT_DOWN" && !model["replacement"].is_null();
        let model = models.as_array().unwrap().iter().find(is_replaced).unwrap();
        let made = api.create(json!({ "name": "Fred", "description": "", "defaultModel": { "model": model["id"] } })).await;
        let chosen = &made["defaultModel"];
        assert_eq!((&chosen["model"], chosen["calledModel"] != model["id"]), (&model["id"], true));
        assert!(chosen["warning"].as_str().unwrap().contains("was shut down"), "{chosen}");

        // A model that is hidden later is not called, and the error says why.
        let made = api.create(json!({ "name": "Ines", "description": "", "defaultModel": { "model": "gpt-4.1-mini" } })).await;
        api.data("mutation { setModelHidden(input: { model: \"gpt-4.1-mini\", hidden: true }) { model { id } } }", json!({})).await;
        let chosen = &api.update(&made["id"], json!({})).await["defaultModel"];
        assert_eq!((&chosen["model"], &chosen["calledModel"]), (&json!("gpt-4.1-mini"), &Value::Null));
        assert!(chosen["warning"].as_str().unwrap().contains("hidden"), "{chosen}");
    }

    async fn bad_input_is_refused_with_a_code(db: TestDatabase) {
        let api = Api::start(&db).await;
        let made = api.create(json!({ "name": "Fred", "description": "" })).await;
        let create = "mutation ($input: CreatePersonaInput!) { createPersona(input: $input) { persona { id } } }";
        let update = "mutation ($input: UpdatePersonaInput!) { updatePersona(input: $input) { persona { id } } }";
        let long = "x".repeat(201);
        for (field, value) in [
            ("name", json!("")), ("name", json!(long)), ("name", json!("a\0b")), ("name", json!("two\nlines")),
            ("description", json!("x".repeat(200_001))), ("description", json!("a\0b")),
            ("systemPrompt", json!("x".repeat(200_001))), ("systemPrompt", json!("a\0b")),
            ("traits", json!([""])), ("traits", json!([long])), ("traits", json!(["a\0b"])), ("traits", json!(vec!["x"; 51])),
            ("specializations", json!(["knitting"])), ("specializations", json!(["a\0b"])), ("specializations", json!(["x".repeat(100_000)])),
            ("category", json!(long)), ("category", json!("a\0b")),
            ("defaultModel", json!({ "model": "" })), ("defaultModel", json!({ "model": "a\0b" })),
        ] {
            let mut input = json!({ "name": "New", "description": "" });
            input[field] = value.clone();
            assert_eq!(api.codes(create, json!({ "input": input })).await, ["INVALID_INPUT"], "create {field}");
            let input = json!({ "personaId": made["id"], field: value });
            assert_eq!(api.codes(update, json!({ "input": input })).await, ["INVALID_INPUT"], "update {field}");
        }
        let unknown = json!({ "input": { "name": "New", "description": "", "defaultModel": { "model": "nothing" } } });
        assert_eq!(api.codes(create, unknown).await, ["MODEL_UNKNOWN"]);
        let matches = "query ($text: String!, $first: Int!) { personaMatches(text: $text, first: $first) { score } }";
        for (text, first) in [("", 5), ("a\0b", 5), ("React", -1)] {
            assert_eq!(api.codes(matches, json!({ "text": text, "first": first })).await, ["INVALID_INPUT"], "{text:?} {first}");
        }
        assert_eq!(api.data("{ personas { totalCount } }", json!({})).await["personas"]["totalCount"], 1);
    }

    async fn matches_tell_their_reasons(db: TestDatabase) {
        let api = Api::start(&db).await;
        api.create(json!({ "name": "Ines", "description": "Tunes PostgreSQL." })).await;
        let document = "{ personaMatches(text: \"Is PostgreSQL slow?\") { score persona { name } reasons { kind text weight } } }";
        let expected = json!([{
            "score": 66, "persona": { "name": "Ines" },
            "reasons": [
                { "kind": "SPECIALIZATION", "text": "Databases: postgresql", "weight": 60 },
                { "kind": "KEYWORD", "text": "postgresql", "weight": 6 },
            ],
        }]);
        assert_eq!(api.data(document, json!({})).await["personaMatches"], expected);
    }

    async fn the_starter_set_is_installed_once(db: TestDatabase) {
        let api = Api::start(&db).await;
        let document = "mutation { installStarterPersonas { installed { name autoSpecialized } skipped } }";
        let first = api.data(document, json!({})).await["installStarterPersonas"].clone();
        let count = starter_personas().len();
        assert_eq!((first["installed"].as_array().unwrap().len(), &first["skipped"]), (count, &json!([])));
        let second = api.data(document, json!({})).await["installStarterPersonas"].clone();
        assert_eq!((&second["installed"], second["skipped"].as_array().unwrap().len()), (&json!([]), count));
        assert_eq!(api.data("{ personas { totalCount } }", json!({})).await["personas"]["totalCount"], count);
    }

    async fn a_viewer_reads_and_matches_and_changes_nothing(db: TestDatabase) {
        let mut api = Api::start(&db).await;
        let made = api.create(json!({ "name": "Ines", "description": "Tunes PostgreSQL." })).await;
        let scoped = api.0.store.write(api.0.tenant).await.unwrap();
        let new = NewApiToken { user: api.0.user, name: "viewer".into(), role: Role::Viewer, expires_at: None };
        let (_, token) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        api.0.token = token;
        let read = api.data("{ personas { totalCount } personaMatches(text: \"PostgreSQL\") { persona { id } } }", json!({})).await;
        assert_eq!((&read["personas"]["totalCount"], &read["personaMatches"][0]["persona"]["id"]), (&json!(1), &made["id"]));
        for (document, variables) in [
            ("mutation { createPersona(input: { name: \"New\", description: \"\" }) { persona { id } } }", json!({})),
            // The policy is checked before the model is looked up.
            ("mutation { createPersona(input: { name: \"New\", description: \"\", defaultModel: { model: \"nothing\" } }) { persona { id } } }", json!({})),
            ("mutation ($id: ID!) { updatePersona(input: { personaId: $id, name: \"New\" }) { persona { id } } }", json!({ "id": made["id"] })),
            ("mutation ($id: ID!) { deletePersona(input: { personaId: $id }) { deletedId } }", json!({ "id": made["id"] })),
            ("mutation { installStarterPersonas { skipped } }", json!({})),
        ] {
            assert_eq!(api.codes(document, variables).await, ["FORBIDDEN"], "{document}");
        }
    }

    async fn another_tenants_persona_is_not_found(db: TestDatabase) {
        let api = Api::start(&db).await;
        let made = api.create(json!({ "name": "Ines", "description": "Tunes PostgreSQL." })).await;
        let other = Api(Served::start(&store(&db).await, "other", Limits::default()).await);
        for document in [
            "mutation ($id: ID!) { updatePersona(input: { personaId: $id, specializations: null }) { persona { id } } }",
            "mutation ($id: ID!) { deletePersona(input: { personaId: $id }) { deletedId } }",
        ] {
            assert_eq!(other.codes(document, json!({ "id": made["id"] })).await, ["NOT_FOUND"]);
        }
        let nothing = other.data("{ personaMatches(text: \"PostgreSQL\") { score } }", json!({})).await;
        assert_eq!(nothing["personaMatches"], json!([]));
    }
}
