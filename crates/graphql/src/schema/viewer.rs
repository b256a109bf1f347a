//! The caller, the caller's tenants, and their members.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_tenancy::directory::{self, ApiTokenList, MembershipList};
use nyxcore_tenancy::people::InvitationList;
use nyxcore_tenancy::{ApiToken, Membership, Role, Tenant, User};

use super::connection::{List, PageArgs, root_list};
use super::ids::global_id;
use super::invitation::InvitationNode;
use super::mirror::mirror;
use super::usage::UsageReportNode;
use crate::context::operation;
use crate::error::ApiError;

mirror! {
    /// The role of a member, highest first.
    pub(crate) enum RoleName = "Role" {
        /// Full access, including the tenant itself.
        Owner,
        /// Full access except to the tenant itself.
        Admin,
        /// Can work on projects, notes and personas.
        Member,
        /// Can read everything in the tenant and change nothing.
        Viewer,
    }
}

/// The caller.
pub(crate) struct ViewerNode;

#[Object(name = "Viewer")]
impl ViewerNode {
    /// The user of the token or session.
    async fn user(&self, context: &Context<'_>) -> Result<UserNode> {
        let op = operation(context);
        let user = op.loaders().users().load_one(op.caller().user).await?;
        Ok(UserNode(
            user.ok_or(nyxcore_tenancy::Error::NotFound("user"))?,
        ))
    }

    /// The tenant of the request.
    async fn tenant(&self, context: &Context<'_>) -> Result<TenantNode> {
        let scoped = operation(context).read().await?;
        Ok(TenantNode(directory::tenant_current(&scoped).await?))
    }

    /// The effective role: the lower of the membership's role and the token's role.
    async fn role(&self, context: &Context<'_>) -> RoleName {
        operation(context).caller().role.into()
    }

    /// All memberships of the user.
    async fn memberships(&self, context: &Context<'_>) -> Result<Vec<MembershipNode>> {
        let op = operation(context);
        let memberships = directory::user_memberships(op.store(), op.caller().user).await?;
        Ok(memberships
            .into_iter()
            .map(|(tenant, membership)| MembershipNode {
                membership,
                tenant: Some(tenant),
            })
            .collect())
    }
}

/// A team or company. Its data is isolated from other tenants.
pub(crate) struct TenantNode(pub Tenant);

#[Object(name = "Tenant")]
impl TenantNode {
    /// The id of the tenant.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The short name, used in URLs and headers.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The members of the tenant.
    async fn members(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<MembershipNode>> {
        self.check(context)?;
        let args = PageArgs::new(after, before, first, last);
        let node = |membership| MembershipNode {
            membership,
            tenant: None,
        };
        root_list(context, MembershipList, args, node).await
    }

    /// The invitations including accepted and revoked ones, newest first. For owners and admins.
    async fn invitations(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<InvitationNode>> {
        self.check(context)?;
        let args = PageArgs::new(after, before, first, last);
        root_list(context, InvitationList, args, InvitationNode).await
    }

    /// The usage and cost of model calls over the given days. Defaults to the last thirty days.
    async fn usage(
        &self,
        context: &Context<'_>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<UsageReportNode> {
        self.check(context)?;
        Ok(UsageReportNode::new(context, (from, to), None))
    }

    /// The API tokens, without their secrets. Members see their own tokens, owners and admins all tokens.
    async fn api_tokens(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<ApiTokenNode>> {
        self.check(context)?;
        let args = PageArgs::new(after, before, first, last);
        root_list(context, ApiTokenList, args, ApiTokenNode).await
    }
}

impl TenantNode {
    /// Checks that this is the tenant of the request. For the user's other tenants only the names are available.
    fn check(&self, context: &Context<'_>) -> Result<()> {
        if self.0.id != operation(context).caller().tenant {
            return Err(ApiError::invalid(
                "this field is available only in the tenant of the request: send the request to that tenant",
            )
            .into());
        }
        Ok(())
    }
}

/// A user.
pub(crate) struct UserNode(pub User);

#[Object(name = "User")]
impl UserNode {
    /// The id of the user.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The email address.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// The display name.
    async fn name(&self) -> &str {
        &self.0.name
    }
}

/// The membership of a user in a tenant.
pub(crate) struct MembershipNode {
    pub membership: Membership,
    /// The tenant, if it is not the tenant of the request.
    pub tenant: Option<Tenant>,
}

#[Object(name = "Membership")]
impl MembershipNode {
    /// The user.
    async fn user(&self, context: &Context<'_>) -> Result<UserNode> {
        let op = operation(context);
        let user = op
            .loaders()
            .users()
            .load_one(self.membership.user_id)
            .await?;
        Ok(UserNode(
            user.ok_or(nyxcore_tenancy::Error::NotFound("user"))?,
        ))
    }

    /// The tenant.
    async fn tenant(&self, context: &Context<'_>) -> Result<TenantNode> {
        if let Some(tenant) = &self.tenant {
            return Ok(TenantNode(tenant.clone()));
        }
        let scoped = operation(context).read().await?;
        Ok(TenantNode(directory::tenant_current(&scoped).await?))
    }

    /// The role of the user in the tenant.
    async fn role(&self) -> RoleName {
        self.membership.role.into()
    }

    /// The time when the user joined.
    async fn created_at(&self) -> DateTime<Utc> {
        self.membership.created_at
    }
}

/// An API token. A program authenticates with it on behalf of a user. Its secret is not stored.
pub(crate) struct ApiTokenNode(pub ApiToken);

#[Object(name = "ApiToken")]
impl ApiTokenNode {
    /// The id of the token.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The name given by its owner.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The first characters of the token, for identification.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// The highest role of the token.
    async fn role(&self) -> RoleName {
        self.0.role.into()
    }

    /// The owner of the token.
    async fn user(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        let user = operation(context)
            .loaders()
            .users()
            .load_one(self.0.user_id)
            .await?;
        Ok(user.map(UserNode))
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time of expiry.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// The time of the last use, accurate to the minute.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// The time of revocation.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
}
