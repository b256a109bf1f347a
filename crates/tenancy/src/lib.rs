//! Multi-tenancy: tenants, users, memberships, API tokens, and the scoped store.
//!
//! Every other crate accesses its tables through a [`Scoped`], which a [`Store`] opens for one tenant. Only this crate
//! uses SeaORM's own finders; a lint bans them in the others.
//!
//! ```
//! use nyxcore_tenancy::{Env, ReadOnly, Result, Scoped, Store, StoreOptions, TenantId, directory};
//!
//! /// The names of a tenant's tokens.
//! async fn token_names(store: &Store, tenant: TenantId) -> Result<Vec<String>> {
//!     use nyxcore_tenancy::{PageRequest, Repository, directory::ApiTokens};
//!     let scoped: Scoped<ReadOnly> = store.read(tenant).await?;
//!     let page = ApiTokens::list(&scoped, sea_orm::Condition::all(), &PageRequest::first(10)).await?;
//!     Ok(page.into_items().into_iter().map(|token| token.name).collect())
//! }
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
pub use repository::{ChildList, Repository, pages_map};
pub use sea_orm::DbBackend as Backend;
#[doc(hidden)]
pub use store::doc_entities::{doc_entity, doc_unscoped};
pub use store::{
    Access, Keyset, ParentKey, ReadOnly, ReadWrite, Scoped, ScopedSelect, ScopedSelectIn, Signal,
    SignalReceiver, Store, StoreOptions, SystemPurpose, SystemScope, SystemScoped, TenantScoped,
    database_open,
};
