//! The audit log: every change and refusal has an entry, entries are immutable, and only permitted roles read them.

use chrono::TimeDelta;
use nyxcore_gateway::Limits;
use nyxcore_tenancy::audit::{
    AuditFilter, REFUSAL_WINDOW, REFUSALS_IN_FULL, REFUSALS_IN_FULL_OF_CREDENTIAL, audit_expire,
    audit_failed, audit_list, refusals_flush, system_entry_list, system_uses_flush,
};
use nyxcore_tenancy::directory::{NewApiToken, api_token_create, tenant_by_slug};
use nyxcore_tenancy::{
    Acting, Caller, Credential, Error, Origin, PageRequest, Role, Store, TenantId, purpose,
};
use nyxcore_tests::{TestDatabase, nyxcore_command, on_both_databases};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, TransactionTrait};
use serde_json::{Value, json};

use crate::gateway_transport::client::{Served, serve};
use crate::support::{store_at_rest, tenant};

on_both_databases! {
    async fn actions_are_audited_with_actor_subject_and_outcome(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let viewer = token(&served, Role::Viewer).await;
        let create = "mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }";
        let made = ask(&served, &served.token, create, json!({"input": {"name": "Shop", "slug": "shop"}})).await;
        let project = made["data"]["createProject"]["project"]["id"].clone();
        let refused = ask(&served, &viewer, create, json!({"input": {"name": "Other"}})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let taken = ask(&served, &served.token, create, json!({"input": {"name": "Shop", "slug": "shop"}})).await;
        assert_eq!(taken["errors"][0]["extensions"]["code"], "CONFLICT");
        let delete = "mutation ($input: DeleteProjectInput!) { deleteProject(input: $input) { deletedId } }";
        let malformed = ask(&served, &served.token, delete, json!({"input": {"projectId": "nonsense"}})).await;
        assert_eq!(malformed["errors"][0]["extensions"]["code"], "INVALID_ID");

        let log = "{ auditLog { totalCount nodes { actor action outcome subjectId address requestId user { email } tokenId } } }";
        let answer = ask(&served, &served.token, log, json!({})).await;
        let log = &answer["data"]["auditLog"];
        let nodes = log["nodes"].as_array().unwrap();
        let told: Vec<(&str, &str)> = nodes.iter().map(|n| (n["action"].as_str().unwrap(), n["outcome"].as_str().unwrap())).collect();
        assert_eq!(told, [
            ("deleteProject", "INVALID_ID"),
            ("project.create", "CONFLICT"),
            ("project.create", "FORBIDDEN"),
            ("project.create", "OK"),
            ("tenant.create", "OK"),
        ], "{answer:#}");
        assert_eq!(log["totalCount"], 5);
        let done = &nodes[3];
        assert_eq!((&done["subjectId"], &done["actor"], &done["address"]), (&project, &json!("TOKEN"), &json!("127.0.0.1")));
        assert_eq!(done["user"]["email"], "owner@acme.example");
        assert!(done["requestId"].is_string() && done["tokenId"].is_string(), "{done}");
    }

    async fn only_owners_and_admins_read_it_and_only_their_own_tenants(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let (other, _) = tenant(&served.store, "other").await;
        let own = Served::start(&served.store, "third", Limits::default()).await;
        for (role, may) in [(Role::Owner, true), (Role::Admin, true), (Role::Member, false), (Role::Viewer, false)] {
            let token = token(&served, role).await;
            let answer = ask(&served, &token, "{ auditLog { nodes { action } } }", json!({})).await;
            assert_eq!(answer.get("errors").is_none(), may, "{role:?} {answer}");
            let answer = served.client.get(served.url("/api/v1/audit")).bearer_auth(&token).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), if may { 200 } else { 403 }, "{role:?}");
        }
        let lines = export(&own).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["subjectId"], json!(own.tenant));
        assert_ne!(other.id, own.tenant);
    }

    async fn the_export_has_every_entry_once_as_json_lines(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let create = "mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }";
        // More than two pages of the export. Each refusal uses another token, because refusals of one token are folded
        // into one entry.
        for _ in 0..450 {
            let acting = acting(&served);
            let refused = nyxcore_tenancy::audit::audit_failed(&served.store, &acting, "createProject", "CONFLICT").await;
            refused.unwrap();
        }
        ask(&served, &served.token, create, json!({"input": {"name": "Last"}})).await;
        let lines = export(&served).await;
        let mut ids: Vec<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
        assert_eq!((ids.len(), &lines[0]["action"]), (452, &json!("project.create")));
        ids.dedup();
        assert_eq!(ids.len(), 452);
        let by_operator = nyxcore_command(&db).unwrap().env("NYXCORE_DATABASE_URL", db.app_url()).args(["audit", "export", "--tenant", "acme"]).output().unwrap();
        let by_operator = String::from_utf8(by_operator.stdout).unwrap();
        let by_operator: Vec<Value> = by_operator.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(by_operator, lines);
    }

    async fn repeated_refusals_make_few_entries(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, owner) = tenant(&store, "acme").await;
        let by = |role| Caller { tenant: acme.id, user: owner.id, role, credential: Credential::Token(nyxcore_tenancy::ApiTokenId(store.env().id())) };
        let (noisy, quiet) = (by(Role::Viewer), by(Role::Viewer));
        let refuse = async |caller: Caller, action: &str| audit_failed(&store, &Acting::new(caller, Origin::default()), action, "FORBIDDEN").await.unwrap();
        for _ in 0..200 {
            refuse(noisy, "createNote").await;
        }
        refuse(quiet, "createNote").await;
        let entries = async || {
            let page = audit_list(&store.read(acme.id).await.unwrap(), &AuditFilter { action: Some("createNote".into()), ..AuditFilter::default() }, &PageRequest::first(200)).await;
            page.unwrap().into_items()
        };
        let in_full = usize::try_from(REFUSALS_IN_FULL).unwrap();
        assert_eq!(entries().await.len(), in_full + 1, "another token is counted by itself");
        // The other refusals become one entry with their number, once the window has passed.
        refusals_flush(&store, false).await.unwrap();
        assert_eq!(entries().await.len(), in_full + 1);
        clock.advance(REFUSAL_WINDOW);
        refusals_flush(&store, false).await.unwrap();
        let after = entries().await;
        assert_eq!(after.len(), in_full + 2);
        assert_eq!(after[0].detail.as_ref().unwrap()["refusals"], 200 - REFUSALS_IN_FULL);
        assert_eq!((after[0].token_id.map(Credential::Token), &*after[0].outcome), (Some(noisy.credential), "FORBIDDEN"));
        // The next window starts from zero, and at the end of the program all refusals are written.
        for _ in 0..=REFUSALS_IN_FULL {
            refuse(noisy, "createNote").await;
        }
        refusals_flush(&store, true).await.unwrap();
        refusals_flush(&store, true).await.unwrap();
        assert_eq!(entries().await.len(), after.len() + in_full + 1);
    }

    async fn refusals_of_many_kinds_are_bounded_too(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, owner) = tenant(&store, "acme").await;
        let caller = Caller { tenant: acme.id, user: owner.id, role: Role::Viewer, credential: Credential::Token(nyxcore_tenancy::ApiTokenId(store.env().id())) };
        for n in 0..=REFUSALS_IN_FULL_OF_CREDENTIAL {
            audit_failed(&store, &Acting::new(caller, Origin::default()), &format!("action{n}"), "FORBIDDEN").await.unwrap();
        }
        let count = async || {
            let counted = nyxcore_tenancy::audit::audit_count(&store.read(acme.id).await.unwrap(), &AuditFilter::default()).await;
            // One entry is the tenant's own.
            counted.unwrap() - 1
        };
        assert_eq!(count().await, REFUSALS_IN_FULL_OF_CREDENTIAL);
        clock.advance(REFUSAL_WINDOW);
        refusals_flush(&store, false).await.unwrap();
        assert_eq!(count().await, REFUSALS_IN_FULL_OF_CREDENTIAL + 1);
    }

    async fn a_change_is_written_however_many_there_are(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let acting = acting(&served);
        for n in 0..20 {
            let scoped = served.store.write_as(&acting.fresh()).await.unwrap();
            let new = NewApiToken { name: format!("token {n}"), ..new_token(&served, Role::Member) };
            api_token_create(&scoped, new).await.unwrap();
            scoped.commit().await.unwrap();
        }
        let scoped = served.store.read(served.tenant).await.unwrap();
        let made = actions(&scoped).await.into_iter().filter(|action| action == "own_api_token.create").count();
        assert_eq!(made, 20);
    }

    async fn what_is_not_committed_leaves_no_entry_that_it_was_done(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let acting = acting(&served);
        let scoped = served.store.write_as(&acting).await.unwrap();
        api_token_create(&scoped, new_token(&served, Role::Member)).await.unwrap();
        drop(scoped);
        let scoped = served.store.read(served.tenant).await.unwrap();
        assert_eq!(actions(&scoped).await, ["tenant.create"]);
    }

    async fn an_operators_work_is_written_as_an_operators(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let made = nyxcore_command(&db).unwrap().env("NYXCORE_DATABASE_URL", db.app_url()).args(["token", "create", "--tenant", "acme", "--user", "owner@acme.example"]).output().unwrap();
        assert!(made.status.success());
        let lines = export(&served).await;
        assert_eq!((&lines[0]["action"], &lines[0]["actor"]), (&json!("own_api_token.create"), &json!("OPERATOR")));
        let secret = String::from_utf8(made.stdout).unwrap();
        assert!(!lines[0].to_string().contains(secret.trim()));
    }

    async fn a_service_without_a_policy_check_cannot_write(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let scoped = served.store.write_as(&acting(&served)).await.unwrap();
        let unasked = scoped.sql_execute("DELETE FROM api_tokens WHERE tenant_id = $1", []).await;
        assert!(matches!(unasked, Err(Error::PolicyNotAsked)));
        assert_eq!(unasked.unwrap_err().code(), "INTERNAL");
    }

    async fn every_use_of_a_system_scope_is_counted_by_its_purpose(db: TestDatabase) {
        let (store, _) = store_at_rest(&db).await;
        tenant(&store, "acme").await;
        for _ in 0..3 {
            tenant_by_slug(&store, "acme").await.unwrap();
        }
        system_uses_flush(&store).await.unwrap();
        assert_eq!(uses(&store).await, [("directory_read".to_owned(), 3), ("tenant_create".to_owned(), 1)]);
        // Without new uses nothing is written: only this test's reading of the entries was counted since.
        system_uses_flush(&store).await.unwrap();
        assert_eq!(uses(&store).await.len(), 2);
    }

    async fn cross_tenant_use_by_a_short_command_is_recorded(db: TestDatabase) {
        let made = nyxcore_command(&db).unwrap().env("NYXCORE_DATABASE_URL", db.app_url())
            .args(["tenant", "create", "acme", "--name", "Acme", "--owner", "ada@example.org"]).output().unwrap();
        assert!(made.status.success());
        let told = nyxcore_command(&db).unwrap().env("NYXCORE_DATABASE_URL", db.app_url()).args(["audit", "export"]).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.contains(r#""purpose":"tenant_create""#), "{told}");
    }

    async fn the_serving_role_can_neither_change_nor_delete_an_entry(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        system_uses_flush(&served.store).await.unwrap();
        let app: DatabaseConnection = db.app_connection().await.unwrap();
        for table in ["audit_entries", "system_entries"] {
            for change in ["UPDATE {} SET outcome = 'OK'", "DELETE FROM {}"] {
                let tx = app.begin().await.unwrap();
                if db.backend() == DbBackend::Postgres {
                    let settings = format!("SET LOCAL nyxcore.tenant_id = '{}'; SET LOCAL nyxcore.scope = 'system'", served.tenant.0);
                    tx.execute_unprepared(&settings).await.unwrap();
                }
                let refused = tx.execute_unprepared(&change.replace("{}", table)).await.unwrap_err().to_string();
                assert!(refused.contains("permission denied") || refused.contains("audit log"), "{refused}");
            }
        }
    }

    async fn old_entries_expire_but_never_within_a_week(db: TestDatabase) {
        let (old, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&old, "acme").await;
        // The database checks the last week by its own clock, so the newer entry is created at the machine's time.
        let now = crate::support::store(&db).await;
        let origin = Origin::default();
        let caller = Caller { tenant: acme.id, user: nyxcore_tenancy::UserId(acme.id.0), role: Role::Owner, credential: Credential::Token(nyxcore_tenancy::ApiTokenId(acme.id.0)) };
        nyxcore_tenancy::audit::audit_failed(&now, &Acting::new(caller, origin), "createNote", "INVALID_INPUT").await.unwrap();
        let entries = async || actions(&now.read(acme.id).await.unwrap()).await;
        assert_eq!(entries().await, ["createNote", "tenant.create"]);
        clock.advance(TimeDelta::days(364));
        assert_eq!(audit_expire(&old, TimeDelta::days(365)).await.unwrap(), 0);
        clock.advance(TimeDelta::days(2));
        assert!(audit_expire(&old, TimeDelta::days(365)).await.unwrap() >= 1);
        assert_eq!(entries().await, ["createNote"]);
        clock.advance(TimeDelta::days(36_500));
        // A clock that is a century ahead of the machine's: the service would delete the entry, but the database keeps
        // it.
        match audit_expire(&old, TimeDelta::zero()).await {
            Ok(gone) => assert_eq!((db.backend(), gone), (DbBackend::Postgres, 0)),
            Err(error) => assert_eq!((db.backend(), error.code()), (DbBackend::Sqlite, "INTERNAL")),
        }
        assert_eq!(entries().await, ["createNote"]);
    }
}

async fn actions<A: nyxcore_tenancy::Access>(scoped: &nyxcore_tenancy::Scoped<A>) -> Vec<String> {
    let page = audit_list(scoped, &AuditFilter::default(), &PageRequest::first(100)).await;
    let entries = page.unwrap().into_items().into_iter();
    entries.map(|entry| entry.action).collect()
}

async fn uses(store: &Store) -> Vec<(String, i64)> {
    let entries = system_entry_list(store, chrono::DateTime::UNIX_EPOCH).await;
    let mut uses: Vec<_> = entries
        .unwrap()
        .into_iter()
        .filter(|entry| entry.purpose != purpose::AUDIT_KEEP.as_str())
        .map(|entry| (entry.purpose, entry.uses))
        .collect();
    uses.sort();
    uses
}

fn new_token(served: &Served, role: Role) -> NewApiToken {
    NewApiToken {
        user: served.user,
        name: "for a test".into(),
        role,
        expires_at: None,
    }
}

/// A token of the owner with a lower role.
async fn token(served: &Served, role: Role) -> String {
    let scoped = served.store.write(served.tenant).await.unwrap();
    let (_, token) = api_token_create(&scoped, new_token(served, role))
        .await
        .unwrap();
    scoped.commit().await.unwrap();
    token
}

fn acting(served: &Served) -> Acting {
    let id = served.store.env().id();
    let caller = Caller {
        tenant: TenantId(served.tenant.0),
        user: served.user,
        role: Role::Owner,
        credential: Credential::Token(nyxcore_tenancy::ApiTokenId(id)),
    };
    Acting::new(caller, Origin::default())
}

async fn ask(served: &Served, token: &str, query: &str, variables: Value) -> Value {
    let request = served
        .client
        .post(served.url("/graphql"))
        .bearer_auth(token);
    let request = request.json(&json!({"query": query, "variables": variables}));
    request.send().await.unwrap().json().await.unwrap()
}

async fn export(served: &Served) -> Vec<Value> {
    let request = served.client.get(served.url("/api/v1/audit"));
    let answer = request.bearer_auth(&served.token).send().await.unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "application/jsonl; charset=utf-8"
    );
    let text = answer.text().await.unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
