//! The test harness: a separate database for each test, on SQLite and on PostgreSQL, and the real server with real
//! sockets.
//!
//! A storage test is written once and runs on both databases, as two tests:
//!
//! ```text
//! use nyxcore_tests::{TestDatabase, on_both_databases};
//!
//! on_both_databases! {
//!     async fn a_tenant_does_not_see_anothers_rows(db: TestDatabase) {
//!         let store = Store::connect(db.app_url()).await.unwrap();
//!         // ...
//!     }
//! }
//! ```
//!
//! The PostgreSQL half needs the server that `just test` starts; without it the test fails and says so.

pub mod bench;
mod database;
mod example;
mod oidc;
mod postgres;
mod proxy;
mod server;

pub use database::{TestDatabase, run_on_postgres, run_on_sqlite};
pub use example::example_run;
pub use oidc::{OidcProcess, OidcSetup};
pub use postgres::postgres_superuser_url;
pub use proxy::Proxy;
pub use server::{TestServer, nyxcore_command, nyxcore_command_in};

/// Turns each function into two tests: `on_sqlite::name` and `on_postgres::name`. At most once per module.
///
/// The function takes a [`TestDatabase`], new and migrated, and may return a `Result`.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($db:ident: $database:ty) $(-> $result:ty)? $body:block)+) => {
        $($(#[$attribute])* async fn $name($db: $database) $(-> $result)? $body)+

        mod on_sqlite {
            $(#[test] fn $name() $(-> $result)? { $crate::run_on_sqlite(super::$name) })+
        }

        mod on_postgres {
            $(#[test] fn $name() $(-> $result)? { $crate::run_on_postgres(super::$name) })+
        }
    };
}
