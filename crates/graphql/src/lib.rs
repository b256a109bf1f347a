//! The GraphQL schema: the queries, mutations and subscriptions, as a thin layer over the domain crates. It knows no
//! transport.
//!
//! A program builds the schema with [`schema_builder`] and an extension, and executes each operation
//! with a [`RequestContext`]: the caller, and the [`Services`] that the fields use. The gateway adds limits and
//! metrics, and serves it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_graphql::Request;
//! use chrono::TimeDelta;
//! use nyxcore_graphql::{Operations, RequestContext, ServerInfo, Services, schema_builder};
//! use nyxcore_model_catalog::{ModelService, ModelServiceOptions};
//! use nyxcore_sync::git::SourcePolicy;
//! use nyxcore_tenancy::{Acting, Origin};
//! use serde_json::json;
//! # use nyxcore_tenancy::directory::{NewApiToken, api_token_create, membership_list, token_authenticate};
//! # use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
//! # use nyxcore_tenancy::{PageRequest, Role};
//!
//! # nyxcore_tests::example!(|store, tenant| [nyxcore_projects::registration(), nyxcore_model_catalog::registration()];
//! # let user = membership_list(&store.read(tenant.id).await?, &PageRequest::first(1)).await?.into_items()[0].user_id;
//! # let scoped = store.write(tenant.id).await?;
//! # let new = NewApiToken { user, name: "example".into(), role: Role::Owner, expires_at: None };
//! # let (_, token) = api_token_create(&scoped, new).await?;
//! # scoped.commit().await?;
//! # let caller = token_authenticate(&store, &token).await?.expect("the token was created just now");
//! # let keyring = Keyring::new(MasterKeys::one(MasterKey::generate()?));
//! let source_policy = SourcePolicy::default();
//! let models = ModelServiceOptions::new(store.clone(), keyring.clone(), source_policy.outbound());
//! let services = Arc::new(Services {
//!     store,
//!     source_policy,
//!     analysis_quiet_period: TimeDelta::minutes(3),
//!     server: ServerInfo::default(),
//!     public_url: "https://nyx.example.org".into(),
//!     keyring,
//!     models: ModelService::start(models)?,
//!     rate: Arc::default(),
//! });
//! let schema = schema_builder().extension(Operations).finish();
//!
//! let caller = RequestContext::new(&services, Acting::new(caller, Origin::default()));
//! let create = Request::new(r#"mutation { createProject(input: { name: "Atlas" }) { project { name } } }"#);
//! assert!(schema.execute(create.data(caller.clone())).await.is_ok());
//! let list = Request::new("{ projects { nodes { slug } } }");
//! let answer = schema.execute(list.data(caller.clone())).await.data.into_json()?;
//! assert_eq!(answer, json!({ "projects": { "nodes": [{ "slug": "atlas" }] } }));
//!
//! // A failure has a stable code.
//! let unknown = Request::new(r#"{ project(id: "nobody") { name } }"#);
//! let errors = schema.execute(unknown.data(caller)).await.errors;
//! assert_eq!(serde_json::to_value(&errors)?[0]["extensions"]["code"], "INVALID_ID");
//! # );
//! ```
//!
//! The schema can be printed in the schema definition language without a database:
//!
//! ```
//! assert!(nyxcore_graphql::schema_sdl().contains("type Project"));
//! ```

mod context;
pub mod error;
mod loaders;
mod loads;
mod one_read;
mod operations;
pub mod rate;
mod registration;
mod schema;

pub use context::{RequestContext, ServerInfo, Services};
pub use one_read::is_connection;
pub use operations::Operations;
pub use registration::registrations;
pub use schema::{Mutation, NyxSchema, Query, Subscription, schema_builder, schema_sdl};
