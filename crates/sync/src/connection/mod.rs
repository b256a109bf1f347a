//! Connections to GitHub: a server and a token that is kept sealed, what that token can see, and the import of it.
//!
//! Every verb that asks GitHub does so between two transactions and never within one: first the policy is asked and what is needed is read, then GitHub, and what
//! is changed is changed in a scope of its own, in which the policy is asked again.

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
pub use service::{
    GitConnections, connection_add, connection_count, connection_list, connection_remove,
    connection_update,
};
