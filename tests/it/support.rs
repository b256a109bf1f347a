//! Shared helpers of the storage tests: a store with a controlled clock and ids, and tenants.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use nyxcore_model_catalog::{ModelService, ModelServiceOptions};
use nyxcore_outbound::OutboundPolicy;
use nyxcore_projects::{NewProject, ProjectId, project_create};
use nyxcore_runs::RunKind;
use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
use nyxcore_tenancy::{
    CountingIds, Env, ManualClock, RandomIds, ReadOnly, ReadWrite, Registration, Registry, Scoped,
    Store, StoreOptions, Tenant, TenantId, User, directory,
};
use nyxcore_tests::{TestDatabase, nyxcore_command};

/// A kind of run that tests execute with their own handlers.
pub const WORK: RunKind = RunKind::new("WORK");
/// Another one.
pub const OTHER_WORK: RunKind = RunKind::new("OTHER_WORK");

/// The registry with the program's names and the tests' own.
pub fn registry() -> Registry {
    let own = Registration::new("tests")
        .run_kind(WORK)
        .run_kind(OTHER_WORK);
    Registry::new(nyxcore_gateway::registrations().into_iter().chain([own])).unwrap()
}

/// The options for opening a database, with all names registered.
pub fn options(url: &str) -> StoreOptions {
    StoreOptions::new(url).with_registry(registry())
}

/// A store on the test's database, with the serving role and the machine's clock.
pub async fn store(db: &TestDatabase) -> Store {
    Store::connect(&options(db.app_url()), Env::default())
        .await
        .unwrap()
}

/// A store with a clock that stands at 2026-01-01 until the test moves it, and with sequential ids.
pub async fn store_at_rest(db: &TestDatabase) -> (Store, Arc<ManualClock>) {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(start));
    let env = Env::new(clock.clone(), Arc::new(CountingIds::default()));
    let store = Store::connect(&options(db.app_url()), env).await.unwrap();
    (store, clock)
}

/// The store of a second process with the same clock: its ids differ.
pub async fn second_store(db: &TestDatabase, clock: &Arc<ManualClock>) -> Store {
    let env = Env::new(clock.clone(), Arc::new(RandomIds::default()));
    Store::connect(&options(db.app_url()), env).await.unwrap()
}

/// A store and a tenant with its owner: the start of most tests. A test area that needs more defines a type with this
/// as a field.
pub struct World {
    pub store: Store,
    pub tenant: Tenant,
    pub owner: User,
}

impl World {
    /// Creates a tenant with that slug.
    pub async fn new(store: Store, slug: &str) -> Self {
        let (tenant, owner) = tenant(&store, slug).await;
        Self {
            store,
            tenant,
            owner,
        }
    }

    /// A transaction that changes the tenant's rows.
    pub async fn write(&self) -> Scoped<ReadWrite> {
        self.store.write(self.tenant.id).await.unwrap()
    }

    /// A transaction that reads them.
    pub async fn read(&self) -> Scoped<ReadOnly> {
        self.store.read(self.tenant.id).await.unwrap()
    }

    /// Adds a project.
    pub async fn project(&self, name: &str) -> ProjectId {
        project(&self.store, self.tenant.id, name).await
    }
}

/// Lets an area's type be used like the [`World`] in its field `world`.
macro_rules! has_world {
    ($area:ty) => {
        impl std::ops::Deref for $area {
            type Target = $crate::support::World;

            fn deref(&self) -> &Self::Target {
                &self.world
            }
        }
    };
}
pub(crate) use has_world;

/// Adds a project to a tenant.
pub async fn project(store: &Store, tenant: TenantId, name: &str) -> ProjectId {
    let scoped = store.write(tenant).await.unwrap();
    let new = NewProject {
        name: name.to_owned(),
        ..NewProject::default()
    };
    let project = project_create(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    project.id
}

/// A tenant with its owner, `owner@<slug>.example`.
pub async fn tenant(store: &Store, slug: &str) -> (Tenant, User) {
    directory::tenant_create(store, slug, slug, &format!("owner@{slug}.example"))
        .await
        .unwrap()
}

/// The model service for a gateway.
pub fn models(store: &Store, keyring: &Keyring, outbound: OutboundPolicy) -> ModelService {
    let options = ModelServiceOptions::new(store.clone(), keyring.clone(), outbound);
    ModelService::start(options).unwrap()
}

/// A keyring with one key, which is in no file.
pub fn keyring() -> Keyring {
    Keyring::new(MasterKeys::one(MasterKey::generate().unwrap()))
}

/// Creates a tenant and its owner by the command line, and returns the token from standard output.
pub fn tenant_by_command(db: &TestDatabase, slug: &str) -> String {
    let output = nyxcore_command(db)
        .unwrap()
        .args([
            "tenant",
            "create",
            slug,
            "--name",
            slug,
            "--owner",
            &format!("owner@{slug}.example"),
            "--print-token",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(token.starts_with("nyx_"), "{token}");
    token
}
