//! Who asks, in which tenant, and who else is there.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_tenancy::{
    ApiToken, Membership, ReadOnly, Role, Scoped, Tenant, User, directory, people,
};

use super::connection::{List, PageArgs, Total, list};
use super::ids::global_id;
use super::invitation::InvitationNode;
use super::usage::UsageReportNode;
use crate::context::operation;
use crate::error::ApiError;

/// What a member may do, the most first.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "Role", remote = "Role")]
pub(crate) enum RoleName {
    /// Everything, including the tenant itself.
    Owner,
    /// Everything but the tenant itself.
    Admin,
    /// Works on projects, notes and personas.
    Member,
    /// Reads everything of the tenant and changes nothing.
    Viewer,
}

/// Who asks.
pub(crate) struct ViewerNode;

#[Object(name = "Viewer")]
impl ViewerNode {
    /// The user whose token or session it is.
    async fn user(&self, context: &Context<'_>) -> Result<UserNode> {
        let op = operation(context);
        let user = op.loaders().users.load_one(op.caller().user).await?;
        Ok(UserNode(
            user.ok_or(nyxcore_tenancy::Error::NotFound("user"))?,
        ))
    }

    /// The tenant whose rows are seen.
    async fn tenant(&self, context: &Context<'_>) -> Result<TenantNode> {
        let scoped = operation(context).read().await?;
        Ok(TenantNode(directory::tenant_current(&scoped).await?))
    }

    /// What the caller may do: the lesser of the membership's role and the token's.
    async fn role(&self, context: &Context<'_>) -> RoleName {
        operation(context).caller().role.into()
    }

    /// Every tenant the user belongs to.
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

/// A team or company whose rows nobody else sees.
pub(crate) struct TenantNode(pub Tenant);

#[Object(name = "Tenant")]
impl TenantNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Its short name in addresses and headers.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Who belongs to it.
    async fn members(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<MembershipNode>> {
        let request = PageArgs::new(after, before, first, last).request(context)?;
        let scoped = self.scope(context).await?;
        let page = directory::membership_list(&scoped, &request).await?;
        let total = Total::new(|scoped| Box::pin(directory::membership_count(scoped)));
        Ok(list(context, page, total, |membership| MembershipNode {
            membership,
            tenant: None,
        }))
    }

    /// The invitations that were made, newest first, those that were accepted or revoked too. For owners and admins.
    async fn invitations(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<InvitationNode>> {
        let request = PageArgs::new(after, before, first, last).request(context)?;
        let scoped = self.scope(context).await?;
        let page = people::invitation_list(&scoped, &request).await?;
        let total = Total::new(|scoped| Box::pin(people::invitation_count(scoped)));
        Ok(list(context, page, total, InvitationNode))
    }

    /// What calls of models used and cost, over the days of these times; the last thirty, where none are given.
    async fn usage(
        &self,
        context: &Context<'_>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<UsageReportNode> {
        self.scope(context).await?;
        Ok(UsageReportNode::new(context, (from, to), None))
    }

    /// The API tokens that were made, without their secrets: one's own, and for owners and admins everybody's.
    async fn api_tokens(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<ApiTokenNode>> {
        let request = PageArgs::new(after, before, first, last).request(context)?;
        let scoped = self.scope(context).await?;
        let page = directory::api_token_list(&scoped, &request).await?;
        let total = Total::new(|scoped| Box::pin(directory::api_token_count(scoped)));
        Ok(list(context, page, total, ApiTokenNode))
    }
}

impl TenantNode {
    /// The operation's scope, where it is this tenant's: a person's other tenants show their names and nothing of what is in them.
    async fn scope(&self, context: &Context<'_>) -> Result<Arc<Scoped<ReadOnly>>> {
        let op = operation(context);
        if self.0.id != op.caller().tenant {
            return Err(ApiError::invalid(
                "this is another tenant of yours: ask as a member of that one",
            )
            .into());
        }
        Ok(op.read().await?)
    }
}

/// A person.
pub(crate) struct UserNode(pub User);

#[Object(name = "User")]
impl UserNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The address that names the person.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// What the person is called.
    async fn name(&self) -> &str {
        &self.0.name
    }
}

/// A person in a tenant.
pub(crate) struct MembershipNode {
    pub membership: Membership,
    /// Where it is not the operation's own.
    pub tenant: Option<Tenant>,
}

#[Object(name = "Membership")]
impl MembershipNode {
    /// The person.
    async fn user(&self, context: &Context<'_>) -> Result<UserNode> {
        let op = operation(context);
        let user = op.loaders().users.load_one(self.membership.user_id).await?;
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

    /// What the person may do there.
    async fn role(&self) -> RoleName {
        self.membership.role.into()
    }

    /// When the person joined.
    async fn created_at(&self) -> DateTime<Utc> {
        self.membership.created_at
    }
}

/// A token that a program shows in place of a person. Its secret is not kept.
pub(crate) struct ApiTokenNode(pub ApiToken);

#[Object(name = "ApiToken")]
impl ApiTokenNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// What its owner calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its first characters, to recognise it by.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// What it may do at the most.
    async fn role(&self) -> RoleName {
        self.0.role.into()
    }

    /// Whose it is.
    async fn user(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        let user = operation(context)
            .loaders()
            .users
            .load_one(self.0.user_id)
            .await?;
        Ok(user.map(UserNode))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// From when on it is refused.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// When it was last used, to the minute.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// When it was revoked.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
}
