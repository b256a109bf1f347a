//! Text validation in the services: invalid texts are refused with a message, and both databases behave alike.

use chrono::{DateTime, Utc};
use nyxcore_code_analysis::ProjectPatterns;
use nyxcore_gateway::Limits;
use nyxcore_knowledge::{NewMemoryEntry, memory_entry_create};
use nyxcore_personas::{NewPersona, persona_create, persona_list};
use nyxcore_projects::{
    FileChanges, NewBlob, NewFile, NewProject, NewSource, Source, blobs_insert, files_apply,
    files_named, project_by_slug, project_create, project_list, source_add,
};
use nyxcore_tenancy::audit::{AuditFilter, audit_list};
use nyxcore_tenancy::directory::{
    NewApiToken, api_token_create, tenant_by_slug, tenant_create, tenant_rename, token_authenticate,
};
use nyxcore_tenancy::{ChildList, Error, PageRequest, ReadWrite, Role, Scoped, text};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::json;

use crate::gateway_transport::client::serve;
use crate::support::{store_at_rest, tenant};

/// Invalid names, each for another reason.
fn hostile_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "",
        "  ",
        "a\0b",
        "a\nb",
        "a\rb",
        "a\u{7}b",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{200b}b",
        "a\u{feff}b",
        "a\u{2028}b",
    ]
    .map(str::to_owned)
    .into();
    names.push("a".repeat(text::NAME.max + 1));
    names.push("a".repeat(900_000));
    names
}

fn is_invalid<T>(result: Result<T, Error>) -> bool {
    result.is_err_and(|error| error.code() == "INVALID_INPUT")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn source_with(scoped: &Scoped<ReadWrite>, paths: &[&str]) -> Source {
    let project = project_create(
        scoped,
        NewProject {
            name: "Atlas".into(),
            ..NewProject::default()
        },
    )
    .await
    .unwrap();
    let new = NewSource {
        project_id: project.id,
        url: "https://example.org/a.git".into(),
        branch: None,
        scan_path: String::new(),
    };
    let source = source_add(scoped, new).await.unwrap();
    let blob = NewBlob {
        oid: "a".repeat(40),
        size: 1,
        content: Some("x".into()),
    };
    blobs_insert(scoped, vec![blob]).await.unwrap();
    let added = paths.iter().map(|path| NewFile {
        path: (*path).to_owned(),
        blob: "a".repeat(40),
        size: 1,
        language: None,
    });
    files_apply(
        scoped,
        source.id,
        FileChanges {
            added: added.collect(),
            ..FileChanges::default()
        },
    )
    .await
    .unwrap();
    source
}

on_both_databases! {
    async fn a_hostile_name_is_refused_wherever_one_is_given(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, owner) = tenant(&store, "acme").await;
        for name in hostile_names() {
            let start: String = name.chars().take(9).collect();
            assert!(is_invalid(tenant_create(&store, "other", &name, "a@example.org").await), "tenant {start:?}");
        }
        let scoped = store.write(acme.id).await.unwrap();
        for name in hostile_names() {
            let start: String = name.chars().take(9).collect();
            let new = NewApiToken { user: owner.id, name: name.clone(), role: Role::Viewer, expires_at: None };
            assert!(is_invalid(api_token_create(&scoped, new).await), "token {start:?}");
            assert!(is_invalid(tenant_rename(&scoped, &name).await), "tenant {start:?}");
            let new = NewProject { name: name.clone(), ..NewProject::default() };
            assert!(is_invalid(project_create(&scoped, new).await), "project {start:?}");
            let new = NewPersona { name: name.clone(), description: "x".into(), ..NewPersona::default() };
            let refused = persona_create(&scoped, new).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "persona {start:?}");
            let new = NewMemoryEntry { project_id: None, title: name.clone(), content: "x".into(), tags: vec![], created_by: None };
            assert!(is_invalid(memory_entry_create(&scoped, new).await), "memory entry {start:?}");
        }
    }

    async fn a_text_that_cannot_be_stored_finds_nothing(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let source = source_with(&scoped, &["src/a.rs"]).await;
        let page = PageRequest::first(10);
        assert!(project_by_slug(&scoped, "a\0b").await.unwrap().is_none());
        assert!(tenant_by_slug(&store, "a\0b").await.unwrap().is_none());
        assert!(is_invalid(project_list(&scoped, Some("a\0b"), &page).await));
        assert!(is_invalid(persona_list(&scoped, Some("a\0b"), &page).await));
        assert!(is_invalid(nyxcore_projects::SourceFileList::below(Some("a\0b"))));
        let action = AuditFilter { action: Some("a\0b".into()), ..AuditFilter::default() };
        assert!(is_invalid(audit_list(&scoped, &action, &page).await));
        for filter in [
            ProjectPatterns { kinds: vec!["a\0b".into()], stack: None },
            ProjectPatterns { kinds: vec![], stack: Some("a\0b".into()) },
        ] {
            assert!(is_invalid(filter.page(&scoped, source.project_id, &page).await));
        }
        // The transaction is still usable.
        assert!(project_by_slug(&scoped, "atlas").await.unwrap().is_some());
    }

    async fn a_search_text_is_bounded_and_literal(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        for name in ["100% Atlas", "Under_score", r"Back\slash", "Ärger"] {
            project_create(&scoped, NewProject { name: name.into(), ..NewProject::default() }).await.unwrap();
            persona_create(&scoped, NewPersona { name: name.into(), description: "x".into(), ..NewPersona::default() }).await.unwrap();
        }
        let page = PageRequest::first(10);
        for (query, expected) in [("%", 1), ("_", 1), (r"\", 1), ("0% a", 1), ("ATLAS", 1), ("UNDER_S", 1), ("undersscore", 0), ("ärger", 1), ("ÄRGER", 1), ("%%", 0), ("' OR 1=1 --", 0)] {
            let projects = project_list(&scoped, Some(query), &page).await.unwrap().into_items().len();
            let personas = persona_list(&scoped, Some(query), &page).await.unwrap().into_items().len();
            assert_eq!((projects, personas), (expected, expected), "{query}");
        }
        let longest = "ä".repeat(text::SEARCH.max);
        assert_eq!(project_list(&scoped, Some(&longest), &page).await.unwrap().into_items().len(), 0);
        for long in ["a".repeat(text::SEARCH.max + 1), "%".repeat(60_000)] {
            assert!(is_invalid(project_list(&scoped, Some(&long), &page).await));
            assert!(is_invalid(persona_list(&scoped, Some(&long), &page).await));
        }
    }

    async fn files_are_found_by_a_literal_part_in_any_case(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let source = source_with(&scoped, &[".MEMORY/letter_1.md", "docs/letterX1.md", "a%b.md", r"c\d.md"]).await;
        for (part, expected) in [(".memory/", 1), ("letter_", 1), ("LETTER", 2), ("%", 1), (r"\", 1), ("a%B", 1), ("_%", 0)] {
            let found = files_named(&scoped, source.id, part).await.unwrap();
            assert_eq!(found.len(), expected, "{part}: {found:?}");
        }
    }

    async fn a_time_that_no_database_holds_is_refused(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        let (acme, owner) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = |expires_at| NewApiToken { user: owner.id, name: "a".into(), role: Role::Viewer, expires_at };
        for expiry in ["+10000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "+262142-12-31T23:59:59Z"] {
            assert!(is_invalid(api_token_create(&scoped, new(Some(at(expiry)))).await), "{expiry}");
        }
        let (_, secret) = api_token_create(&scoped, new(Some(at("9999-12-31T23:59:59Z")))).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(token_authenticate(&store, &secret).await.unwrap().is_some());
        let scoped = store.read(acme.id).await.unwrap();
        for time in ["-4713-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"] {
            let (from, to) = (Some(at(time)), Some(at(time)));
            for filter in [AuditFilter { from, ..AuditFilter::default() }, AuditFilter { to, ..AuditFilter::default() }] {
                assert!(is_invalid(audit_list(&scoped, &filter, &PageRequest::first(1)).await), "{time}");
            }
        }
    }

    async fn a_rest_body_that_cannot_be_stored_is_a_bad_request(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let post = async |path: &str, body: serde_json::Value| {
            let request = served.client.post(served.url(path)).header("content-type", "application/json");
            let answer = request.body(body.to_string()).send().await.unwrap();
            answer.status().as_u16()
        };
        let secret = format!("nyxinv_{}\0", "a".repeat(60));
        assert_eq!(post("/auth/sign-in", json!({"email": "a\0@example.org", "password": "x"})).await, 400);
        assert_eq!(post("/auth/invitations/look", json!({"secret": secret})).await, 404);
        assert_eq!(post("/auth/invitations/accept", json!({"secret": secret, "name": "a\0", "password": "correct horse battery staple"})).await, 404);
        let webhook = served.client.post(served.url("/api/v1/webhooks/github/a%00b/source_01h455vb4pex5vsknk084sn02q")).body("{}").send().await.unwrap();
        assert!(webhook.status().is_client_error(), "{}", webhook.status());
    }
}
