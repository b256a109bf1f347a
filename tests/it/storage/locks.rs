//! A locked table blocks only the requests that need it, and only for a short time.

use std::time::{Duration, Instant};

use nyxcore_projects::{NewProject, SourceId, project_create};
use nyxcore_sync::WebhookAddress;
use nyxcore_tenancy::directory::membership_count;
use nyxcore_tenancy::{
    Acting, Caller, Credential, Error, Origin, Role, Store, Tenant, TenantId, User,
};
use nyxcore_tests::run_on_postgres;
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::support::{keyring, store, tenant};

fn acting(store: &Store, tenant: &Tenant, user: &User) -> Acting {
    let credential = Credential::Token(nyxcore_tenancy::ApiTokenId(store.env().id()));
    let caller = Caller {
        tenant: tenant.id,
        user: user.id,
        role: Role::Owner,
        credential,
    };
    Acting::new(caller, Origin::default())
}

async fn project_add(store: &Store, acting: &Acting, name: String) -> Result<(), Error> {
    let scoped = store.write_as(&acting.fresh()).await?;
    project_create(
        &scoped,
        NewProject {
            name,
            ..NewProject::default()
        },
    )
    .await?;
    scoped.commit().await
}

#[test]
fn writes_behind_a_locked_table_leave_others_reading() {
    run_on_postgres(|db| async move {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (other, bob) = tenant(&store, "other").await;
        let superuser = db.superuser_connection().await.unwrap();
        let lock = superuser.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        let writes: Vec<_> = (0..150)
            .map(|number| {
                let (store, acting) = (store.clone(), acting(&store, &acme, &ada));
                tokio::spawn(async move {
                    let began = Instant::now();
                    let code = project_add(&store, &acting, format!("P {number}"))
                        .await
                        .map_err(|error| error.code());
                    (code, began.elapsed())
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let bob = acting(&store, &other, &bob);
        for _ in 0..20 {
            let began = Instant::now();
            let scoped = store.read_as(&bob).await.unwrap();
            assert_eq!(membership_count(&scoped).await.unwrap(), 1);
            assert!(
                began.elapsed() < Duration::from_secs(1),
                "{:?}",
                began.elapsed()
            );
            drop(scoped);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for write in writes {
            let (code, took) = write.await.unwrap();
            assert_eq!(code, Err("DATABASE_BUSY"));
            assert!(took < Duration::from_secs(12), "{took:?}");
        }
        lock.rollback().await.unwrap();
        project_add(&store, &acting(&store, &acme, &ada), "After".into())
            .await
            .unwrap();
    });
}

#[test]
fn unproven_webhooks_at_a_lock_leave_tenants_reading() {
    run_on_postgres(|db| async move {
        let store = store(&db).await;
        let (other, bob) = tenant(&store, "other").await;
        let superuser = db.superuser_connection().await.unwrap();
        let lock = superuser.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE sealed_secrets IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        let keyring = keyring();
        let deliveries: Vec<_> = (0..30)
            .map(|_| {
                let (store, keyring) = (store.clone(), keyring.clone());
                tokio::spawn(async move {
                    let began = Instant::now();
                    // These do not exist: each delivery names another tenant.
                    let (tenant, source) = (TenantId(store.env().id()), SourceId(store.env().id()));
                    let found = WebhookAddress::find(&store, &keyring, Some(tenant), Some(source));
                    let code = found.await.map(drop).map_err(|error| error.code());
                    (code, began.elapsed())
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let bob = acting(&store, &other, &bob);
        for _ in 0..20 {
            let began = Instant::now();
            let scoped = store.read_as(&bob).await.unwrap();
            assert_eq!(membership_count(&scoped).await.unwrap(), 1);
            let took = began.elapsed();
            assert!(took < Duration::from_secs(1), "{took:?}");
            drop(scoped);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for delivery in deliveries {
            let (code, took) = delivery.await.unwrap();
            assert_eq!(code, Err("DATABASE_BUSY"));
            assert!(took < Duration::from_secs(12), "{took:?}");
        }
        lock.rollback().await.unwrap();
    });
}
