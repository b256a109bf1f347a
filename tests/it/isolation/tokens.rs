//! A token with the role VIEWER has the rights of a viewer, also if it belongs to an owner.

use nyxcore_tenancy::people::{NewInvitation, invitation_create};
use nyxcore_tenancy::{Role, directory};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::digest::Digester;
use super::registry::REGISTRY;
use super::schema::Schema;
use super::server::Server;
use super::team::Team;
use super::world::Objects;

/// All REST routes that change or return something, with a body if it is a POST. The routes of streams, webhooks and
/// agents have their own tests.
const ROUTES: &[(&str, Option<&str>)] = &[
    ("/api/v1/audit", None),
    ("/auth/session", None),
    ("/auth/sessions", None),
    (
        "/auth/sessions/end",
        Some(r#"{"id": "session_01h455vb4pex5vsknk084sn02q"}"#),
    ),
    ("/auth/tenant", Some(r#"{"slug": "acme"}"#)),
    (
        "/auth/password",
        Some(r#"{"current": "a", "new": "correct horse battery staple"}"#),
    ),
    ("/auth/sign-out", Some("{}")),
    ("/auth/sign-out-everywhere", Some("{}")),
    ("/auth/invitations/accept", Some(r#"{"secret": "$secret"}"#)),
];

/// A token of the owner with a viewer's rights, used once.
async fn narrow(server: &Server, team: &Team) -> String {
    let token = team.token_make(server, team.owner, Role::Viewer).await;
    server
        .ask(Some(&token), "{ __typename }", &Value::Null)
        .await;
    token
}

/// An invitation for the owner's own address into another tenant, as ADMIN.
async fn invitation(server: &Server) -> String {
    let other = directory::tenant_by_slug(&server.store, "other")
        .await
        .unwrap()
        .unwrap();
    let scoped = server.store.write(other.id).await.unwrap();
    let new = NewInvitation {
        email: "owner@acme.example".into(),
        role: Role::Admin,
    };
    let (_, secret) = invitation_create(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    secret
}

on_both_databases! {
    async fn a_token_creates_none_that_outlives_it(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let scoped = server.store.write(acme.tenant.id).await.unwrap();
        let new = directory::NewApiToken {
            user: acme.owner,
            name: "short".into(),
            role: Role::Member,
            expires_at: Some("2026-02-01T00:00:00Z".parse().unwrap()),
        };
        let (_, short) = directory::api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        let create = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { secret } }";
        for (expiry, created) in [
            (Value::Null, false),
            (json!("2026-02-01T00:00:01Z"), false),
            (json!("2026-02-01T00:00:00Z"), true),
            (json!("2026-01-15T00:00:00Z"), true),
        ] {
            let input = json!({"input": {"name": "next", "role": "VIEWER", "expiresAt": expiry}});
            let answer = server.ask(Some(&short), create, &input).await;
            assert_eq!(answer.json["errors"].is_null(), created, "{expiry}: {}", answer.text);
        }
    }

    async fn a_viewer_token_of_an_owner_mutates_nothing(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        // Another owner, so that the caller is not refused as the last owner.
        acme.member_add(&server, Role::Owner).await;
        Team::make(&server, "other").await;
        let schema = Schema::of(&server, acme.token(Role::Owner)).await;
        let world = Objects::make(&server, &acme).await;
        let mut tried = 0;
        for entry in REGISTRY.iter().filter(|entry| entry.field.starts_with("Mutation.")) {
            let mut variables = world.filled(entry.variables);
            if entry.field == "Mutation.acceptInvitation" {
                variables["input"]["secret"] = invitation(&server).await.into();
            }
            let document = schema.document(entry);
            let (viewer, narrow) = (acme.somebody(&server, Role::Viewer).await, narrow(&server, &acme).await);
            let digester = Digester::new(&server.superuser, None).await;
            let before = digester.take().await;
            let expected = server.ask(Some(&viewer), &document, &variables).await;
            let answer = server.ask(Some(&narrow), &document, &variables).await;
            assert_eq!((answer.status, &answer.json), (expected.status, &expected.json), "{}", entry.field);
            assert_eq!(answer.json["errors"][0]["extensions"]["code"], "FORBIDDEN", "{}: {}", entry.field, answer.text);
            assert_eq!(digester.changed(&before).await, ["audit_entries"], "{}", entry.field);
            tried += 1;
        }
        assert!(tried >= 40, "{tried}");
    }

    async fn a_viewer_token_of_an_owner_reads_as_a_viewer(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        let (viewer, narrow) = (acme.token(Role::Viewer), narrow(&server, &acme).await);
        for question in ["{ auditLog { totalCount } }", "{ viewer { tenant { invitations { totalCount } } } }"] {
            let expected = server.ask(Some(viewer), question, &Value::Null).await;
            let answer = server.ask(Some(&narrow), question, &Value::Null).await;
            assert_eq!(answer.json, expected.json, "{question}");
            assert_eq!(answer.json["errors"][0]["extensions"]["code"], "FORBIDDEN", "{question}");
        }
        // A token reveals of the other tokens of its user only that they exist.
        let tokens = "{ viewer { role tenant { apiTokens { nodes { user { id } } } } } }";
        let answer = server.ask(Some(&narrow), tokens, &Value::Null).await;
        assert_eq!(answer.json["data"]["viewer"]["role"], "VIEWER");
        let owner = json!(acme.owner.to_string());
        let listed = answer.json["data"]["viewer"]["tenant"]["apiTokens"]["nodes"].as_array().unwrap().clone();
        assert!(listed.iter().all(|token| token["user"]["id"] == owner), "{}", answer.text);
    }

    async fn a_viewer_token_of_an_owner_opens_no_rest_route(db: TestDatabase) {
        let server = Server::start(&db).await;
        let acme = Team::make(&server, "acme").await;
        Team::make(&server, "other").await;
        let secret = invitation(&server).await;
        let (viewer, narrow) = (acme.token(Role::Viewer), narrow(&server, &acme).await);
        for (path, body) in ROUTES {
            let body = body.map(|body| serde_json::from_str::<Value>(&body.replace("$secret", &secret)).unwrap());
            let digester = Digester::new(&server.superuser, None).await;
            let before = digester.take().await;
            let mut answers = Vec::new();
            for token in [viewer, &narrow] {
                let answer = server.request(Some(token), path, body.as_ref()).send().await.unwrap();
                answers.push((answer.status().as_u16(), answer.text().await.unwrap()));
            }
            assert_eq!(answers[0], answers[1], "{path}");
            // Signing out without a session succeeds, because there is nothing to end.
            let expected: &[u16] = if *path == "/auth/sign-out" { &[204] } else { &[401, 403] };
            assert!(expected.contains(&answers[1].0), "{path}: {:?}", answers[1]);
            assert_eq!(digester.changed(&before).await, Vec::<String>::new(), "{path}");
        }
    }
}
