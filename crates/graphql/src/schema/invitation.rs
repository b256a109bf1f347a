//! Invitations to a tenant.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_tenancy::Invitation;

use super::ids::global_id;
use super::viewer::{RoleName, UserNode};
use crate::context::operation;

/// The status of an invitation.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvitationStatus {
    /// It can be accepted.
    Open,
    /// It was accepted.
    Accepted,
    /// It was revoked, or replaced by a newer invitation for the same address.
    Revoked,
    /// It has expired.
    Expired,
}

/// An invitation to the tenant. Its secret is not stored.
pub(crate) struct InvitationNode(pub Invitation);

#[Object(name = "Invitation")]
impl InvitationNode {
    /// The id of the invitation.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The email address of the invited person.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// The role that the invited person gets.
    async fn role(&self) -> RoleName {
        self.0.role.into()
    }

    /// The status.
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

    /// The user who created the invitation. Null when the user no longer belongs to the tenant.
    async fn invited_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.invited_by).await
    }

    /// The user who accepted the invitation. Null when the user no longer belongs to the tenant.
    async fn accepted_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.accepted_by).await
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time of expiry.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// The time of acceptance.
    async fn accepted_at(&self) -> Option<DateTime<Utc>> {
        self.0.accepted_at
    }

    /// The time of revocation.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
}
