//! Database restarts, outages and refused values lead to specific error codes.

use nyxcore_tenancy::directory::{membership_count, tenant_by_slug};
use nyxcore_tenancy::{Env, Error, Store, TenantId};
use nyxcore_tests::{Proxy, TestDatabase, on_both_databases, run_on_postgres};
use sea_orm::{ConnectionTrait, FromQueryResult};
use url::Url;

use crate::support::{options, store, tenant};

const DISCONNECT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename <> current_user";

async fn count(store: &Store, tenant: TenantId) -> Result<u64, Error> {
    membership_count(&store.read(tenant).await?).await
}

#[derive(Debug, FromQueryResult)]
struct Number {
    #[expect(dead_code, reason = "the statement fails before it is read")]
    number: i32,
}

#[test]
fn a_transaction_that_loses_its_database_may_be_retried() {
    run_on_postgres(|db| async move {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let superuser = db.superuser_connection().await.unwrap();
        let scoped = store.read(acme.id).await.unwrap();
        superuser.execute_unprepared(DISCONNECT).await.unwrap();
        let lost = membership_count(&scoped).await.unwrap_err();
        assert_eq!(lost.code(), "DATABASE_UNREACHABLE", "{lost:?}");
    });
}

#[test]
fn a_restarted_database_serves_the_next_transaction() {
    run_on_postgres(|db| async move {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let superuser = db.superuser_connection().await.unwrap();
        for _ in 0..10 {
            // Several idle connections, all of which are then cut off.
            let readers: Vec<_> = (0..4).map(|_| count(&store, acme.id)).collect();
            for read in futures::future::join_all(readers).await {
                assert_eq!(read.unwrap(), 1);
            }
            superuser.execute_unprepared(DISCONNECT).await.unwrap();
            assert_eq!(count(&store, acme.id).await.unwrap(), 1);
        }
    });
}

#[test]
fn an_unreachable_database_has_a_code_of_its_own() {
    run_on_postgres(|db| async move {
        let direct = store(&db).await;
        let (acme, _) = tenant(&direct, "acme").await;
        let mut url: Url = db.app_url().parse().unwrap();
        let proxy = Proxy::start(url.port().unwrap()).await.unwrap();
        url.set_port(Some(proxy.port())).unwrap();
        let store = Store::connect(&options(url.as_str()), Env::default())
            .await
            .unwrap();
        assert_eq!(count(&store, acme.id).await.unwrap(), 1);
        let superuser = db.superuser_connection().await.unwrap();
        drop(proxy);
        superuser.execute_unprepared(DISCONNECT).await.unwrap();
        let lost = count(&store, acme.id).await.unwrap_err();
        assert_eq!(lost.code(), "DATABASE_UNREACHABLE", "{lost:?}");
    });
}

#[test]
fn values_that_postgres_refuses_are_invalid_input() {
    run_on_postgres(|db| async move {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        for sql in [
            "SELECT 1 AS number FROM memberships WHERE tenant_id = $1 AND convert_from('\\xff'::bytea, 'UTF8') = ''",
            "SELECT 1 AS number FROM memberships WHERE tenant_id = $1 AND '\"\\u0000\"'::jsonb ->> 0 = ''",
            "SELECT 1 AS number FROM memberships WHERE tenant_id = $1 AND created_at < timestamptz '300000-01-01'",
            "SELECT 1 AS number FROM memberships WHERE tenant_id = $1 AND (3000000000 + length(role))::int = 1",
        ] {
            let scoped = store.read(acme.id).await.unwrap();
            let refused = scoped.sql_all::<Number>(sql, []).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "{sql}: {refused:?}");
        }
    });
}

on_both_databases! {
    async fn a_text_with_a_nul_is_no_internal_error(db: TestDatabase) {
        let store = store(&db).await;
        let found = tenant_by_slug(&store, "a\u{0}b").await;
        assert!(matches!(found.as_ref().map_err(Error::code), Ok(None) | Err("INVALID_INPUT")), "{found:?}");
    }
}
