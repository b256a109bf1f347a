//! The [Model Context Protocol](https://modelcontextprotocol.io) server for coding agents: tools, documents as
//! resources, personas as prompts.
//!
//! A server answers for one [`Actor`] and knows no transport: the gateway makes one for each request to `/mcp`
//! ([`http_service`]), and `nyxcore mcp` one for its process ([`serve_streams`]). Every answer is cited, stays within a
//! token budget, and says what it left out. The tools are in the folder `tool`, one module each.
//!
//! ```
//! use nyxcore_mcp::{Actor, McpServer};
//! use nyxcore_projects::{NewProject, project_create};
//! use serde_json::json;
//!
//! # nyxcore_tests::example!(|store, tenant| [
//! #     nyxcore_runs::registration(), nyxcore_projects::registration(), nyxcore_knowledge::registration()];
//! let scoped = store.write(tenant.id).await?;
//! project_create(&scoped, NewProject { name: "Atlas".into(), ..NewProject::default() }).await?;
//! scoped.commit().await?;
//!
//! let server = McpServer::new(store, Actor::Operator(tenant.id));
//! let fact = json!({ "title": "Leases", "content": "A lease is renewed every 15 seconds.", "project": "atlas" });
//! server.call("memory_add", fact).await.map_err(|failure| failure.text())?;
//! let answer = server.call("search", json!({ "query": "renewed leases" })).await.map_err(|failure| failure.text())?;
//! assert!(answer.text.contains("A lease is renewed every 15 seconds."));
//!
//! // A failure has a stable code, and says what to do.
//! let failure = server.call("read_code", json!({ "path": "src/lease.rs" })).await.unwrap_err();
//! assert_eq!(failure.code, "NOT_FOUND");
//! # );
//! ```

mod actor;
mod answer;
mod failure;
mod prompt;
mod resource;
mod server;
mod tool;
mod transport;

pub use actor::Actor;
pub use failure::ToolFailure;
pub use server::McpServer;
pub use tool::{CheckRefusal, FolderCheck, ToolAnswer};
pub use transport::{HttpService, http_service, serve_streams};
