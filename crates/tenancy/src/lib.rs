//! Multi-tenancy: tenants, users, memberships, API tokens, and the scoped store.
//!
//! Every other crate accesses its tables through a [`Scoped`], which a [`Store`] opens for one tenant. Only this crate
//! uses SeaORM's own finders; a lint bans them in the others.
//!
//! ```
//! use nyxcore_tenancy::directory::{ApiTokens, NewApiToken, api_token_create, membership_list};
//! use nyxcore_tenancy::{PageRequest, Repository, Role};
//!
//! # nyxcore_tests::example!(|store, tenant| [];
//! # let owner = membership_list(&store.read(tenant.id).await?, &PageRequest::first(1)).await?.into_items()[0].user_id;
//! // A transaction of one tenant. Each operation in it checks the policy.
//! let scoped = store.write(tenant.id).await?;
//! let new = NewApiToken { user: owner, name: "build server".into(), role: Role::Viewer, expires_at: None };
//! let (token, secret) = api_token_create(&scoped, new).await?;
//! scoped.commit().await?;
//! assert!(secret.starts_with("nyx_"));
//!
//! // Another tenant's row is not found, as one that never was.
//! let scoped = store.read(tenant.id).await?;
//! let tokens = ApiTokens::list(&scoped, sea_orm::Condition::all(), &PageRequest::first(10)).await?.into_items();
//! assert_eq!(tokens[0].name, "build server");
//! # drop(scoped);
//! let (other, _) = nyxcore_tenancy::directory::tenant_create(&store, "globex", "Globex", "bo@example.org").await?;
//! let theirs = store.read(other.id).await?;
//! assert_eq!(ApiTokens::require(&theirs, token.id).await.unwrap_err().code(), "NOT_FOUND");
//! # );
//! ```

#[expect(
    clippy::disallowed_methods,
    reason = "this crate is the one that wraps SeaORM's finders and writers in a tenant's scope"
)]
mod store;

mod actor;
mod api_token;
pub mod audit;
pub mod directory;
mod entity;
mod env;
mod error;
mod id;
mod model;
mod page;
pub mod people;
mod policy;
mod registration;
mod registry;
mod repository;
pub mod secret;
pub mod sign_in;
pub mod text;
mod token;

pub use actor::{Acting, Origin, Step};
pub use env::{Clock, CountingIds, Env, IdSource, ManualClock, RandomIds, SystemClock};
pub use error::{Error, Result};
pub use id::{IdError, TypedId, id_format, id_parse};
pub use model::{
    ApiToken, ApiTokenId, AuditEntryId, Caller, Credential, Invitation, InvitationId, Membership,
    Role, Session, SessionId, Tenant, TenantId, User, UserId,
};
pub use page::{Cursor, PAGE_MAX, Page, PageRequest};
pub use policy::{Action, Resource, ResourcePolicy};
pub use registration::{purpose, resource};
pub use registry::{Registration, Registry, RegistryError};
pub use repository::{ChildList, Repository, RootList, pages_map};
pub use sea_orm::DbBackend as Backend;
#[doc(hidden)]
pub use store::doc_entities::{doc_entity, doc_unscoped};
pub use store::{
    Access, Keyset, ParentKey, PoolState, ReadOnly, ReadWrite, Scoped, ScopedSelect,
    ScopedSelectIn, Signal, SignalReceiver, StatementListener, Store, StoreOptions, SystemPurpose,
    SystemScope, SystemScoped, TenantScoped, database_open,
};
