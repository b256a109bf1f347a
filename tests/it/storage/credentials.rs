//! Authentication only reads, and a recently verified credential needs no statement until it changes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nyxcore_gateway::Limits;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::directory::{
    ApiTokens, NewApiToken, api_token_create, api_token_revoke, credential_uses_flush,
    token_authenticate,
};
use nyxcore_tenancy::{ApiToken, Env, Repository, Role, Signal, Store, Tenant, User};
use nyxcore_tests::{TestDatabase, on_both_databases, run_on_sqlite};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::gateway_transport::client::Served;
use crate::support::{options, store, store_at_rest, tenant};

const LONG: Duration = Duration::from_secs(3_600);

async fn token(store: &Store, tenant: &Tenant, user: &User) -> (ApiToken, String) {
    let scoped = store.write(tenant.id).await.unwrap();
    let new = NewApiToken {
        user: user.id,
        name: "test".into(),
        role: Role::Member,
        expires_at: None,
    };
    let made = api_token_create(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    made
}

/// A store that caches credentials for a long time, and the statements that it sends.
pub(super) async fn remembering(db: &TestDatabase) -> (Store, Arc<Mutex<Vec<String>>>) {
    let statements: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut options = options(db.app_url());
    let listener = statements.clone();
    options.statement_listener = Some(Arc::new(move |sql: &str, _| {
        listener.lock().unwrap().push(sql.to_owned())
    }));
    options.credential_recheck = Some(LONG);
    options.credential_flush = LONG;
    (
        Store::connect(&options, Env::default()).await.unwrap(),
        statements,
    )
}

on_both_databases! {
    async fn a_remembered_token_costs_no_statement(db: TestDatabase) {
        let (store, statements) = remembering(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (_, secret) = token(&store, &acme, &ada).await;
        statements.lock().unwrap().clear();
        assert!(token_authenticate(&store, &secret).await.unwrap().is_some());
        assert_eq!(statements.lock().unwrap().len(), 1);
        for _ in 0..1_000 {
            assert!(token_authenticate(&store, &secret).await.unwrap().is_some());
        }
        assert_eq!(statements.lock().unwrap().len(), 1);
    }

    async fn a_warm_request_costs_the_statements_of_its_fields(db: TestDatabase) {
        let (store, statements) = remembering(&db).await;
        let served = Served::start_with(&store, "acme", Limits::default(), SourcePolicy::default()).await;
        let ask = async |query: &str| {
            let answer: Value = served.post(&json!({"query": query})).send().await.unwrap().json().await.unwrap();
            assert!(answer["errors"].is_null(), "{answer}");
            answer["data"].clone()
        };
        ask("{ __typename }").await;
        statements.lock().unwrap().clear();
        ask("{ __typename }").await;
        assert_eq!(*statements.lock().unwrap(), [""; 0]);
        ask("{ viewer { role } }").await;
        assert_eq!(statements.lock().unwrap().len(), 0, "{:?}", statements.lock().unwrap());
    }

    async fn a_revocation_ends_a_remembered_token(db: TestDatabase) {
        let (store, _) = remembering(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        for _ in 0..20 {
            let (made, secret) = token(&store, &acme, &ada).await;
            assert!(token_authenticate(&store, &secret).await.unwrap().is_some());
            let scoped = store.write(acme.id).await.unwrap();
            api_token_revoke(&scoped, made.id).await.unwrap();
            scoped.commit().await.unwrap();
            assert_eq!(token_authenticate(&store, &secret).await.unwrap(), None);
        }
    }

    async fn a_revocation_beside_requests_leaves_nothing_remembered(db: TestDatabase) {
        let (store, _) = remembering(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        for _ in 0..20 {
            let (made, secret) = token(&store, &acme, &ada).await;
            let requests: Vec<_> = (0..4)
                .map(|_| {
                    let (store, secret) = (store.clone(), secret.clone());
                    tokio::spawn(async move {
                        while token_authenticate(&store, &secret).await.unwrap().is_some() {
                            // A cached credential needs no waiting: without this the revocation would get no thread.
                            tokio::task::yield_now().await;
                        }
                    })
                })
                .collect();
            let scoped = store.write(acme.id).await.unwrap();
            api_token_revoke(&scoped, made.id).await.unwrap();
            scoped.commit().await.unwrap();
            for request in requests {
                tokio::time::timeout(Duration::from_secs(20), request).await.expect("refused in time").unwrap();
            }
        }
    }

    async fn another_process_revokes_a_remembered_token(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let other = crate::support::second_store(&db, &clock).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (made, secret) = token(&store, &acme, &ada).await;
        assert!(token_authenticate(&store, &secret).await.unwrap().is_some());
        let mut signals = store.signals();
        let scoped = other.write(acme.id).await.unwrap();
        api_token_revoke(&scoped, made.id).await.unwrap();
        scoped.commit().await.unwrap();
        if db.backend() == sea_orm::DbBackend::Postgres {
            assert!(matches!(signals.recv().await, Signal::Changed { .. }));
        } else {
            // No signal comes from another process: the credential is looked up again within a second.
            tokio::time::sleep(Duration::from_millis(1_050)).await;
        }
        assert_eq!(token_authenticate(&store, &secret).await.unwrap(), None);
    }

    async fn the_last_use_is_written_beside_the_request(db: TestDatabase) {
        let (store, _) = remembering(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (made, secret) = token(&store, &acme, &ada).await;
        token_authenticate(&store, &secret).await.unwrap();
        let used_at = async || {
            let scoped = store.read(acme.id).await.unwrap();
            ApiTokens::require(&scoped, made.id).await.unwrap().last_used_at
        };
        assert_eq!(used_at().await, None);
        credential_uses_flush(&store).await.unwrap();
        assert!(used_at().await.is_some());
    }
}

#[test]
fn authentication_waits_for_no_writer() {
    run_on_sqlite(|db| async move {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (_, secret) = token(&store, &acme, &ada).await;
        let other = db.superuser_connection().await.unwrap();
        let writer = other.begin().await.unwrap();
        writer
            .execute_unprepared("UPDATE tenants SET name = 'held'")
            .await
            .unwrap();
        let began = Instant::now();
        assert!(token_authenticate(&store, &secret).await.unwrap().is_some());
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        writer.rollback().await.unwrap();
    });
}
