//! The environment of the examples in the crates' documentation: a store with one tenant, in memory.

use std::error::Error;
use std::future::Future;

use nyxcore_migrations::{Migrator, MigratorTrait};

use crate::database::connect;

/// A database without a file that all connections of this process share, and that is removed with the last connection.
/// It is locked like a file, unlike SQLite's shared cache, in which a reader and a writer can deadlock. A commit waits
/// until nobody reads: an example must end its read scopes before it writes.
const IN_MEMORY: &str = "sqlite:///example?vfs=memdb&mode=rwc";

/// Runs an example with the URL of a migrated SQLite database in memory. [`example!`](macro@crate::example) calls it.
///
/// # Panics
/// If the example fails, or the database cannot be created.
pub fn example_run<F: Future<Output = Result<(), Box<dyn Error>>>>(
    example: impl FnOnce(&'static str) -> F,
) {
    // The program does the same at its start: the HTTP client needs a crypto provider for TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("an example needs a runtime");
    runtime.block_on(async {
        let owner = connect(IN_MEMORY).await.expect("SQLite has memory");
        Migrator::up(&owner, None)
            .await
            .expect("the schema can be made");
        example(IN_MEMORY).await.expect("the example succeeds");
    });
}

/// The hidden frame of a documentation example. The statements after the semicolon may use `?`, and the names `store`
/// (a `nyxcore_tenancy::Store` on SQLite in memory, with the registrations in brackets) and `tenant` (its only tenant).
/// The using crate must depend on `nyxcore_tenancy`.
///
/// ```text
/// //! # nyxcore_tests::example!(|store, tenant| [nyxcore_runs::registration()];
/// //! let scoped = store.read(tenant.id).await?;
/// //! # );
/// ```
#[macro_export]
macro_rules! example {
    (|$store:ident, $tenant:ident| [$($registration:expr),* $(,)?]; $($body:tt)*) => {
        $crate::example_run(|url| async move {
            let registry = ::nyxcore_tenancy::Registry::new([$($registration),*])?;
            let options = ::nyxcore_tenancy::StoreOptions::new(url).with_registry(registry);
            let env = ::nyxcore_tenancy::Env::default();
            let $store = ::nyxcore_tenancy::Store::connect(&options, env).await?;
            let ($tenant, _) =
                ::nyxcore_tenancy::directory::tenant_create(&$store, "acme", "Acme", "ada@example.org").await?;
            $($body)*
            Ok::<(), ::std::boxed::Box<dyn ::std::error::Error>>(())
        })
    };
}
