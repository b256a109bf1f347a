//! The domain model of connections.

use chrono::{DateTime, Utc};
use nyxcore_tenancy::{UserId, typed_id};

typed_id!(
    /// The id of a connection to a server that lists repositories.
    GitConnectionId,
    "git_connection"
);

/// A server that lists repositories, with an encrypted token that is never returned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct GitConnection {
    pub id: GitConnectionId,
    /// Unique within the tenant.
    pub name: String,
    /// The address of the API: `https://api.github.com`, `https://ghe.example/api/v3`.
    pub base_url: String,
    /// The user who created it. Written once and not used for permissions.
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The parameters of a new connection. The token is verified when it is stored.
#[derive(Clone)]
pub struct NewConnection {
    /// 1 to 200 characters, unique within the tenant.
    pub name: String,
    /// `https://github.com` if it is not given; see [`BaseUrl`](nyxcore_github::BaseUrl).
    pub base_url: Option<String>,
    /// A personal access token that may read contents and metadata.
    pub token: String,
}

/// The changes to a connection; `None` leaves a field unchanged.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "as in NewConnection")]
pub struct ConnectionChanges {
    pub name: Option<String>,
    pub token: Option<String>,
}

/// A connection whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedConnection {
    /// The connection.
    pub connection: GitConnection,
    /// The account of the token, if a token was given.
    pub login: Option<String>,
}

impl std::fmt::Debug for NewConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewConnection")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ConnectionChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionChanges")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
