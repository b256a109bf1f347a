//! The model of the directory: tenants, users, memberships, roles, API tokens, and callers.

use chrono::{DateTime, Utc};
use sea_orm::{DeriveActiveEnum, EnumIter};

use crate::entity;
use crate::typed_id;

typed_id!(
    /// A tenant: a team or company whose rows are isolated from others.
    TenantId,
    "tenant"
);
typed_id!(
    /// A person, who may belong to several tenants.
    UserId,
    "user"
);
typed_id!(
    /// An API token.
    ApiTokenId,
    "token"
);

typed_id!(
    /// A session of a signed-in user.
    SessionId,
    "session"
);
typed_id!(
    /// An invitation into a tenant.
    InvitationId,
    "invitation"
);
typed_id!(
    /// An entry of the audit log.
    AuditEntryId,
    "audit"
);

/// The permissions of a member, highest role first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Everything, including the tenant itself.
    Owner,
    /// Everything but the tenant itself.
    Admin,
    /// Works on projects, notes and personas.
    Member,
    /// Reads everything of the tenant and changes nothing.
    Viewer,
}

impl Role {
    /// The rank of the role; a higher rank includes the lower ones.
    fn rank(self) -> u8 {
        match self {
            Self::Owner => 3,
            Self::Admin => 2,
            Self::Member => 1,
            Self::Viewer => 0,
        }
    }

    /// Whether this role includes all permissions of `other`.
    pub fn includes(self, other: Self) -> bool {
        self.rank() >= other.rank()
    }

    /// The lower of two roles: a token's role is limited by its owner's membership.
    pub fn min(self, other: Self) -> Self {
        if self.includes(other) { other } else { self }
    }

    /// The role's name, as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::Member => "MEMBER",
            Self::Viewer => "VIEWER",
        }
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub created_at: DateTime<Utc>,
}

impl From<entity::tenant::Model> for Tenant {
    fn from(row: entity::tenant::Model) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            created_at: row.created_at,
        }
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
}

impl From<entity::user::Model> for User {
    fn from(row: entity::user::Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
        }
    }
}

/// The membership of a person in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Membership {
    pub tenant_id: TenantId,
    pub user_id: UserId,
    pub role: Role,
    /// When the person joined.
    pub created_at: DateTime<Utc>,
}

impl From<entity::membership::Model> for Membership {
    fn from(row: entity::membership::Model) -> Self {
        Self {
            tenant_id: row.tenant_id,
            user_id: row.user_id,
            role: row.role,
            created_at: row.created_at,
        }
    }
}

/// An invitation without its secret, which is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The invitation's id, which is also the public part of its secret.
    pub id: InvitationId,
    /// The address of the invited person.
    pub email: String,
    /// The role of the invited person.
    pub role: Role,
    /// The user who created it, who may have left; `None` for an operator.
    pub invited_by: Option<UserId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Who accepted it.
    pub accepted_by: Option<UserId>,
    /// When it was revoked, or replaced by another one for the same address.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl From<entity::invitation::Model> for Invitation {
    fn from(row: entity::invitation::Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            role: row.role,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            accepted_at: row.accepted_at,
            accepted_by: row.accepted_by,
            revoked_at: row.revoked_at,
        }
    }
}

/// A token without its secret, which is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The token's id, which is also its public part.
    pub id: ApiTokenId,
    /// The user that the token acts for.
    pub user_id: UserId,
    /// The name that its owner gave it.
    pub name: String,
    /// The beginning of the token, to recognise it by.
    pub prefix: String,
    /// The role of the token, at most the user's.
    pub role: Role,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl From<entity::api_token::Model> for ApiToken {
    fn from(row: entity::api_token::Model) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            name: row.name,
            prefix: row.prefix,
            role: row.role,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// The caller of a request: a user in a tenant, with a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The tenant whose rows the caller can access.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The lower of the membership's role and the token's.
    pub role: Role,
    /// The credential of the request.
    pub credential: Credential,
}

/// The credential that identifies a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An API token.
    Token(ApiTokenId),
    /// A session, by its cookie.
    Session(SessionId),
}

/// A session of a signed-in user, without its secret, which is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The user.
    pub user_id: UserId,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it expires, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// The network address that the person signed in from.
    pub address: Option<String>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<String>,
}

impl From<entity::session::Model> for Session {
    fn from(row: entity::session::Model) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}
