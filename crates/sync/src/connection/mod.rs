//! GitHub connections: a server with a sealed token, the repositories that the token can access, and their import.
//!
//! A request to GitHub is sent between two transactions and never within one. The first transaction checks the policy
//! and reads what is needed. The second checks the policy again and writes the result.

mod access;
mod error;
mod import;
mod listing;
mod model;
mod service;

pub use access::{ConnectionContext, GithubAccess};
pub use error::ConnectionError;
pub use import::{
    IMPORT_MAX, ImportOutcome, ImportResult, RepositoriesImport, WantedRepository,
    repositories_import,
};
pub use listing::{
    REPOSITORIES_MAX, RemotePage, RemoteQuery, RemoteRepository, connection_branches,
    connection_repositories,
};
pub use model::{
    AddedConnection, ConnectionChanges, GitConnection, GitConnectionId, NewConnection,
};
pub(crate) use service::connection_token;
pub use service::{
    GitConnectionList, GitConnections, connection_add, connection_count, connection_list,
    connection_remove, connection_update,
};
