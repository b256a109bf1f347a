//! The guarantees of nyxcore's crates hold for a table and a kind of run that they do not know.

use std::time::Duration;

use futures::TryStreamExt;
use glossary::review::{REVIEW_RUN, ReviewHandler, review_start};
use glossary::term::{TERM, Terms, term_create, term_list};
use glossary::{migrate, registration, store_open};
use nyxcore_runs::{EventBody, Level, RunStatus, Runs, Workers, run_follow};
use nyxcore_tenancy::{
    Acting, Action, ApiTokenId, Caller, Credential, Origin, PageRequest, Registry,
};
use nyxcore_tenancy::{Repository, Role, Store, TenantId, UserId, directory};
use sea_orm::DatabaseConnection;

struct World {
    store: Store,
    acme: (TenantId, UserId),
    other: (TenantId, UserId),
    /// The database in memory lives as long as somebody is connected.
    _owner: DatabaseConnection,
}

impl World {
    async fn new(name: &str) -> Self {
        let url = format!("sqlite:file:{name}?mode=memory&cache=shared");
        let owner = migrate(&url, None).await.unwrap();
        let store = store_open(&url).await.unwrap();
        let tenant = async |slug| {
            let (tenant, user) = directory::tenant_create(&store, slug, slug, "ada@example.org")
                .await
                .unwrap();
            (tenant.id, user.id)
        };
        let (acme, other) = (tenant("acme").await, tenant("other").await);
        Self {
            store,
            acme,
            other,
            _owner: owner,
        }
    }

    fn acting(&self, role: Role) -> Acting {
        let caller = Caller {
            tenant: self.acme.0,
            user: self.acme.1,
            role,
            credential: Credential::Token(ApiTokenId(self.store.env().id())),
        };
        Acting::new(caller, Origin::default())
    }
}

#[tokio::test]
async fn another_tenants_term_is_not_found() {
    let world = World::new("not_found").await;
    let theirs = world.store.write(world.other.0).await.unwrap();
    let term = term_create(&theirs, "churn", "What changes").await.unwrap();
    theirs.commit().await.unwrap();
    let scoped = world
        .store
        .read_as(&world.acting(Role::Owner))
        .await
        .unwrap();
    assert_eq!(
        Terms::require(&scoped, term.id).await.unwrap_err().code(),
        "NOT_FOUND"
    );
    let all = term_list(&scoped, &PageRequest::first(10)).await.unwrap();
    assert!(all.into_items().is_empty());
}

#[tokio::test]
async fn a_viewer_is_forbidden_to_write() {
    let world = World::new("forbidden").await;
    let viewer = world
        .store
        .write_as(&world.acting(Role::Viewer))
        .await
        .unwrap();
    assert_eq!(
        term_create(&viewer, "churn", "What changes")
            .await
            .unwrap_err()
            .code(),
        "FORBIDDEN"
    );
    assert_eq!(review_start(&viewer).await.unwrap_err().code(), "FORBIDDEN");
    drop(viewer);
    let member = world
        .store
        .write_as(&world.acting(Role::Member))
        .await
        .unwrap();
    term_create(&member, "churn", "What changes").await.unwrap();
    member.commit().await.unwrap();
}

#[tokio::test]
async fn a_review_ends_with_its_events() {
    let world = World::new("review").await;
    let (tenant, _) = world.acme;
    let scoped = world
        .store
        .write_as(&world.acting(Role::Member))
        .await
        .unwrap();
    let term = term_create(&scoped, "hotspot", "Hotspot").await.unwrap();
    let run = review_start(&scoped).await.unwrap().run().clone();
    scoped.commit().await.unwrap();
    assert_eq!(run.kind, REVIEW_RUN);
    let workers = Workers::builder(&world.store)
        .handler(ReviewHandler)
        .start()
        .unwrap();
    let events = run_follow(&world.store, tenant, run.id, 0).map_ok(|event| event.body);
    let events = tokio::time::timeout(Duration::from_secs(30), events.try_collect::<Vec<_>>());
    let events = events.await.unwrap().unwrap();
    workers.shutdown().await;
    let warning = EventBody::Message {
        level: Level::Warning,
        text: "the meaning of \"hotspot\" is the word itself".into(),
    };
    assert!(events.contains(&warning), "{events:?}");
    assert_eq!(
        events.last(),
        Some(&EventBody::Finished {
            status: RunStatus::Succeeded
        })
    );
    let scoped = world.store.read(tenant).await.unwrap();
    assert_eq!(
        Runs::require(&scoped, run.id).await.unwrap().status,
        RunStatus::Succeeded
    );
    assert!(Terms::require(&scoped, term.id).await.unwrap().is_reviewed);
}

#[test]
fn the_registry_needs_the_registration_of_runs() {
    let refused = Registry::new([registration()]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "glossary needs the registration of nyxcore-runs: add it to the registry"
    );
    let registry = Registry::new([nyxcore_runs::registration(), registration()]).unwrap();
    assert_eq!(
        registry.role_needed(TERM, Action::Create),
        Some(Role::Member)
    );
}
