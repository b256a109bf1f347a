//! Invitations into the tenant.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_tenancy::Invitation;

use super::ids::global_id;
use super::viewer::{RoleName, UserNode};
use crate::context::operation;

/// How an invitation stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvitationStatus {
    /// It can be accepted.
    Open,
    /// Somebody accepted it.
    Accepted,
    /// It was taken back, or replaced by another for the same address.
    Revoked,
    /// Its time is over.
    Expired,
}

/// An invitation into the tenant. Its secret is not kept.
pub(crate) struct InvitationNode(pub Invitation);

#[Object(name = "Invitation")]
impl InvitationNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Whom it is for.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// What whoever accepts it may do.
    async fn role(&self) -> RoleName {
        self.0.role.into()
    }

    /// How it stands.
    async fn status(&self, context: &Context<'_>) -> InvitationStatus {
        let now = operation(context).store().env().now();
        let invitation = &self.0;
        match (invitation.accepted_at, invitation.revoked_at) {
            (Some(_), _) => InvitationStatus::Accepted,
            (None, Some(_)) => InvitationStatus::Revoked,
            (None, None) if invitation.expires_at <= now => InvitationStatus::Expired,
            (None, None) => InvitationStatus::Open,
        }
    }

    /// Who made it, while that person belongs to the tenant.
    async fn invited_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.invited_by).await
    }

    /// Who accepted it, while that person belongs to the tenant.
    async fn accepted_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.accepted_by).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// From when on it is refused.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it was accepted.
    async fn accepted_at(&self) -> Option<DateTime<Utc>> {
        self.0.accepted_at
    }

    /// When it was revoked.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
}
