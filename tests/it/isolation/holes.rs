//! Known vulnerabilities of similar systems, one test each.

use std::time::Duration;

use futures::StreamExt;
use nyxcore_note_enrichment::{EnrichmentHandler, NewEnrichment, enrichment_get, enrichment_start};
use nyxcore_projects::{NewNote, NoteId, ProjectId, note_create};
use nyxcore_runs::{Workers, run_follow};
use nyxcore_tenancy::directory::{NewApiToken, api_token_create, token_authenticate};
use nyxcore_tenancy::people::member_role_set;
use nyxcore_tenancy::{Env, Role, Store, TenantId, TypedId, id_parse, purpose};
use nyxcore_tests::{TestDatabase, on_both_databases, run_on_postgres};
use sea_orm::{FromQueryResult, Value as Sql};
use serde_json::{Value, json};
use uuid::Uuid;

use super::digest::Digester;
use super::server::Server;
use super::team::{Team, execute};
use super::world::Objects;
use crate::support::{options, tenant};

/// How long a stream may stay open after its caller's role has changed: well below the interval of the periodic check.
const AT_ONCE: Duration = Duration::from_secs(5);

const UPDATE: &str =
    "mutation ($input: UpdateNoteInput!) { updateNote(input: $input) { __typename } }";

async fn two(db: &TestDatabase) -> (Server, Team, Objects, Team, Objects) {
    let server = Server::start(db).await;
    let acme = Team::make(&server, "acme").await;
    let other = Team::make(&server, "other").await;
    let (world, own) = (
        Objects::make(&server, &acme).await,
        Objects::make(&server, &other).await,
    );
    (server, acme, world, other, own)
}

fn uuid(id: &str) -> Uuid {
    id_parse(id).unwrap().1
}

on_both_databases! {
    /// Some columns have an id without a foreign key: of the author, of the persona that helped, of a search result. An
    /// id of another tenant in such a column must not resolve.
    async fn an_id_reached_by_a_path_that_skips_the_owner_check(db: TestDatabase) {
        let (server, acme, world, other, own) = two(&db).await;
        for (sql, theirs, of) in [
            ("UPDATE runs SET started_by = $1 WHERE id = $2", "user", "sync"),
            ("UPDATE notes SET created_by = $1 WHERE id = $2", "user", "note"),
            ("UPDATE note_enrichments SET persona_id = $1 WHERE run_id = $2", "persona", "enrichment"),
            ("UPDATE search_documents SET subject_id = $1 WHERE subject_id = $2", "note", "note"),
        ] {
            let values: [Sql; 2] = [uuid(world.id(theirs)).into(), uuid(own.id(of)).into()];
            execute(&server.superuser, sql, values).await;
        }
        let document = "query ($sync: ID!, $note: ID!, $enrichment: ID!) {
            run(id: $sync) { startedBy { email } }
            node(id: $note) { ... on Note { createdBy { email } } }
            enrichment: run(id: $enrichment) { ... on NoteEnrichment { persona { name } } }
            search(query: \"quince note\", kinds: [NOTE]) { title node { id } } }";
        let variables = json!({"sync": own.id("sync"), "note": own.id("note"), "enrichment": own.id("enrichment")});
        let answer = server.ask(Some(other.token(Role::Owner)), document, &variables).await;
        assert!(!answer.text.contains(&acme.mark) && !answer.text.contains("acme"), "{}", answer.text);
        let data = &answer.json["data"];
        assert_eq!(data["run"], json!({"startedBy": null}));
        assert_eq!(data["node"], json!({"createdBy": null}));
        assert_eq!(data["enrichment"], json!({"persona": null}));
        let hits = data["search"].as_array().unwrap();
        assert!(!hits.is_empty() && hits.iter().any(|hit| hit["node"].is_null()), "{}", answer.text);
        // The same columns resolve in the tenant that owns the objects.
        let variables = json!({"sync": world.id("sync"), "note": world.id("note"), "enrichment": world.id("enrichment")});
        let answer = server.ask(Some(acme.token(Role::Viewer)), document, &variables).await;
        let data = &answer.json["data"];
        for found in [&data["run"]["startedBy"], &data["node"]["createdBy"], &data["enrichment"]["persona"], &data["search"][0]["node"]] {
            assert!(found.is_object(), "{}", answer.text);
        }
    }

    /// A note asks, in another tenant's own words, for that tenant's knowledge. The API does not attach the foreign
    /// project, persona and insight, and a worker that retrieves for the note finds nothing of that tenant.
    async fn a_foreign_id_cannot_be_read_back_through_retrieval(db: TestDatabase) {
        let (server, acme, world, other, own) = two(&db).await;
        let token = Some(other.token(Role::Owner));
        for (field, input_type, input) in [
            ("createMemoryEntry", "CreateMemoryEntryInput", json!({"projectId": world.id("project"), "title": "x", "content": "x"})),
            ("createInsight", "CreateInsightInput", json!({"projectId": own.id("project"), "pairedWithId": world.id("insight"), "type": "solution", "title": "x", "detail": "x"})),
            ("enrichNote", "EnrichNoteInput", json!({"noteId": own.id("note"), "personaId": world.id("persona")})),
        ] {
            let document = format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ __typename }} }}");
            let answer = server.ask(token, &document, &json!({"input": input})).await;
            assert_eq!(answer.json["errors"][0]["extensions"]["code"], "NOT_FOUND", "{}", answer.text);
        }
        let question = format!("Quince letter orchard rule pain habit content {}", acme.mark);
        let asks = async |team: &Team, project: &str| {
            let scoped = server.store.write(team.tenant.id).await.unwrap();
            let new = NewNote {
                project_id: ProjectId::parse(project).unwrap(), title: question.clone(), body: question.clone(), created_by: None,
            };
            let note: NoteId = note_create(&scoped, new).await.unwrap().id;
            let new = NewEnrichment::extractive(note);
            let (_, begun) = enrichment_start(&scoped, new).await.unwrap();
            scoped.commit().await.unwrap();
            retrieved(&server.store, team.tenant.id, begun.run_id).await
        };
        let answered = asks(&acme, world.id("project")).await;
        assert!(answered.contains("Quince letter acmeonly"), "{answered}");
        let answered = asks(&other, own.id("project")).await;
        // The note's own text is quoted, because the note itself is found; acme's unique words are not.
        assert!(answered.contains("Quince letter otheronly"), "{answered}");
        for theirs in ["letter", "content", "pain", "habit", "rule", "evidence"] {
            assert!(!answered.contains(&format!("Quince {theirs} {}", acme.mark)), "{answered}");
        }
    }

    /// However a viewer sends it: the service checks the role, and not the page.
    async fn a_role_enforced_only_in_the_page(db: TestDatabase) {
        let (server, acme, world, _, _) = two(&db).await;
        let token = acme.token(Role::Viewer);
        let digester = Digester::new(&server.superuser, None).await;
        let before = digester.take().await;
        let variables = json!({"input": {"noteId": world.id("note"), "title": "mine"}});
        let aliased = "mutation Read ($input: UpdateNoteInput!) { note: updateNote(input: $input) { ...F } } fragment F on UpdateNotePayload { note { id } }";
        let several = format!("query Read {{ viewer {{ role }} }} {}", UPDATE.replacen("mutation", "mutation Write", 1));
        for body in [
            json!({"query": UPDATE, "variables": variables}),
            json!({"query": aliased, "variables": variables}),
            json!({"query": several, "variables": variables, "operationName": "Write"}),
        ] {
            let answer: Value = serde_json::from_str(&server.request(Some(token), "/graphql", Some(&body)).send().await.unwrap().text().await.unwrap()).unwrap();
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
            let told = server.first_by_sse(token, &body).await.unwrap();
            assert!(told.contains("FORBIDDEN"), "{told}");
            let mut socket = server.socket(Some(token)).await.unwrap();
            socket.say(&json!({"type": "subscribe", "id": "1", "payload": body})).await;
            let told = socket.hear().await.unwrap();
            assert_eq!(told["payload"]["errors"][0]["extensions"]["code"], "FORBIDDEN", "{told}");
        }
        assert_eq!(digester.changed(&before).await, ["audit_entries"]);
    }

    /// The socket was opened as a member. It ends when the role changes, and the next one has a viewer's rights.
    async fn a_role_that_stays_alive_on_an_open_socket(db: TestDatabase) {
        let (server, acme, world, _, _) = two(&db).await;
        let token = acme.token(Role::Member);
        let change = json!({"type": "subscribe", "id": "1", "payload": {"query": UPDATE, "variables": {"input": {"noteId": world.id("note"), "title": "Changed"}}}});
        let mut socket = server.socket(Some(token)).await.unwrap();
        socket.say(&change).await;
        assert!(socket.hear().await.unwrap()["payload"]["errors"].is_null());
        assert_eq!(socket.hear().await.unwrap()["type"], "complete");

        let scoped = server.store.write(acme.tenant.id).await.unwrap();
        member_role_set(&scoped, acme.member, Role::Viewer).await.unwrap();
        scoped.commit().await.unwrap();
        let ended = tokio::time::timeout(AT_ONCE, socket.hear()).await;
        assert_eq!(ended.expect("the socket ends at once").unwrap_err(), 4403);

        let mut socket = server.socket(Some(token)).await.unwrap();
        socket.say(&change).await;
        let told = socket.hear().await.unwrap();
        assert_eq!(told["payload"]["errors"][0]["extensions"]["code"], "FORBIDDEN", "{told}");
    }

    /// Without a token nothing is parsed, looked up or written, however invalid or large the request is.
    async fn work_done_before_authentication(db: TestDatabase) {
        let server = Server::start(&db).await;
        let digester = Digester::new(&server.superuser, None).await;
        let before = digester.take().await;
        server.statements();
        let bodies = [
            "{".to_owned(),
            "not json".to_owned(),
            "[]".to_owned(),
            json!({"query": "{ nothing }"}).to_string(),
            json!({"query": "{".repeat(100_000)}).to_string(),
            json!({"query": "mutation { createProject(input: {name: \"x\"}) { __typename } }"}).to_string(),
            "x".repeat(2 * 1024 * 1024),
        ];
        for body in bodies {
            for (content_type, accept) in [("application/json", "application/json"), ("text/plain", "image/png"), ("application/json", "text/event-stream")] {
                for token in [None, Some("nyx_01h455vb4pex5vsknk084sn02q_00"), Some("x")] {
                    let request = server.request(token, "/graphql", Some(&Value::Null));
                    let request = request.header("accept", accept).header("content-type", content_type).body(body.clone());
                    // If the server does not read the body, the connection may end while it is being sent.
                    let Ok(response) = request.send().await else { continue };
                    assert_eq!(response.status(), 401, "{content_type} {accept} {}", &body[..body.len().min(40)]);
                }
            }
        }
        assert_eq!(server.statements(), Vec::<String>::new());
        assert_eq!(digester.changed(&before).await, Vec::<String>::new());
    }
}

/// The stored result of a worker's retrieval for a note.
async fn retrieved(store: &Store, tenant: TenantId, run: nyxcore_runs::RunId) -> String {
    let workers = Workers::builder(store)
        .handler(EnrichmentHandler::new())
        .start()
        .unwrap();
    let events: Vec<_> = run_follow(store, tenant, run, 0).collect().await;
    workers.shutdown().await;
    assert!(!events.is_empty());
    let scoped = store.read(tenant).await.unwrap();
    let done = enrichment_get(&scoped, run).await.unwrap().unwrap();
    format!(
        "{:?} {}",
        done.citations,
        done.markdown.expect("the enrichment has succeeded")
    )
}

/// However a transaction ends, a connection that returns to the pool has neither a tenant nor system rights.
#[test]
fn a_pooled_connection_with_a_leftover_tenant() {
    #[derive(FromQueryResult)]
    struct Setting {
        setting: String,
    }
    const TENANT: &str =
        "SELECT coalesce(current_setting('nyxcore.tenant_id', true), '') AS setting";
    const SCOPE: &str = "SELECT coalesce(current_setting('nyxcore.scope', true), '') AS setting FROM memberships WHERE tenant_id = $1";
    run_on_postgres(|db| async move {
        let mut options = options(db.app_url());
        // One connection for the listener, and one for everything else, so that the same connection is used again.
        options.max_connections = 2;
        let store = Store::connect(&options, Env::default()).await.unwrap();
        let (acme, ada) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewApiToken {
            user: ada.id,
            name: "for a test".into(),
            role: Role::Viewer,
            expires_at: None,
        };
        let (_, token) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        for end in ["dropped", "committed", "failed", "abandoned"] {
            let scoped = store.write(acme.id).await.unwrap();
            // Neither the system scope of the previous round is left, nor the settings of a token look-up, which is one
            // text without BEGIN.
            let seen: Vec<Setting> = scoped.sql_all(SCOPE, []).await.unwrap();
            assert_eq!(seen[0].setting, "");
            match end {
                "committed" => scoped.commit().await.unwrap(),
                "failed" => {
                    let failed = scoped
                        .sql_execute("SELECT 1 / 0 FROM memberships WHERE tenant_id = $1", [])
                        .await;
                    assert!(failed.is_err());
                    drop(scoped);
                }
                "abandoned" => {
                    // A client that disconnects during a statement.
                    let slow = scoped.sql_execute(
                        "SELECT pg_sleep(1) FROM memberships WHERE tenant_id = $1",
                        [],
                    );
                    assert!(
                        tokio::time::timeout(Duration::from_millis(50), slow)
                            .await
                            .is_err()
                    );
                    drop(scoped);
                }
                _ => drop(scoped),
            }
            let system = store.system(purpose::DIRECTORY_READ).await.unwrap();
            let seen: Vec<Setting> = system.sql_all(TENANT, []).await.unwrap();
            assert_eq!(seen[0].setting, "", "{end}");
            drop(system);
            let caller = token_authenticate(&store, &token).await.unwrap();
            assert_eq!(caller.map(|caller| caller.tenant), Some(acme.id), "{end}");
        }
    });
}
