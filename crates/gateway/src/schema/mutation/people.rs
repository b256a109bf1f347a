//! The tenant and the people in it.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_tenancy::people::{
    NewInvitation, invitation_accept, invitation_create, invitation_link, invitation_revoke,
    member_leave, member_remove, member_role_set, ownership_transfer,
};
use nyxcore_tenancy::{InvitationId, UserId, directory};

use crate::context::operation;
use crate::schema::ids::{global_id, id_of};
use crate::schema::invitation::InvitationNode;
use crate::schema::viewer::{MembershipNode, RoleName, TenantNode};

#[derive(Default)]
pub(crate) struct PeopleMutation;

#[Object]
impl PeopleMutation {
    /// Changes what is given of the tenant.
    async fn update_tenant(
        &self,
        context: &Context<'_>,
        input: UpdateTenantInput,
    ) -> Result<UpdateTenantPayload> {
        let tenant = operation(context)
            .change(async |scoped| directory::tenant_rename(scoped, &input.name).await)
            .await?;
        Ok(UpdateTenantPayload {
            tenant: TenantNode(tenant),
        })
    }

    /// Invites somebody with a role no higher than the caller's, for seven days and one use. The secret is in this answer and nowhere
    /// else. An open invitation for the same address is replaced.
    async fn invite_member(
        &self,
        context: &Context<'_>,
        input: InviteMemberInput,
    ) -> Result<InviteMemberPayload> {
        let op = operation(context);
        let new = NewInvitation {
            email: input.email,
            role: input.role.into(),
        };
        let (invitation, secret) = op
            .change(async |scoped| invitation_create(scoped, new).await)
            .await?;
        Ok(InviteMemberPayload {
            invitation: InvitationNode(invitation),
            url: invitation_link(op.gateway().public_url(), &secret),
            secret,
        })
    }

    /// Takes an invitation back. Twice is once.
    async fn revoke_invitation(
        &self,
        context: &Context<'_>,
        input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload> {
        let id = id_of::<InvitationId>(&input.invitation_id)?;
        let invitation = operation(context)
            .change(async |scoped| invitation_revoke(scoped, id).await)
            .await?;
        Ok(RevokeInvitationPayload {
            invitation: InvitationNode(invitation),
        })
    }

    /// Accepts an invitation into another tenant, which has to be for the caller's own address. Needs a session: an API
    /// token may not do this. Who belongs to that tenant already keeps the role they have.
    async fn accept_invitation(
        &self,
        context: &Context<'_>,
        input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let op = operation(context);
        let (caller, origin) = (op.caller(), &op.acting().origin);
        let who = (caller.user, caller.credential);
        let joined = invitation_accept(op.store(), &input.secret, who, origin).await?;
        Ok(AcceptInvitationPayload {
            membership: MembershipNode {
                membership: joined.membership,
                tenant: Some(joined.tenant),
            },
        })
    }

    /// Gives a member another role. Nobody gives more than they have or changes somebody above them. The member's open streams end.
    async fn set_member_role(
        &self,
        context: &Context<'_>,
        input: SetMemberRoleInput,
    ) -> Result<SetMemberRolePayload> {
        let user = id_of::<UserId>(&input.user_id)?;
        let membership = operation(context)
            .change(async |scoped| member_role_set(scoped, user, input.role.into()).await)
            .await?;
        Ok(SetMemberRolePayload {
            membership: MembershipNode {
                membership,
                tenant: None,
            },
        })
    }

    /// Takes a member out of the tenant, with the member's API tokens and open streams. What the member made stays.
    async fn remove_member(
        &self,
        context: &Context<'_>,
        input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload> {
        let user = id_of::<UserId>(&input.user_id)?;
        operation(context)
            .change(async |scoped| member_remove(scoped, user).await)
            .await?;
        Ok(RemoveMemberPayload {
            removed_user_id: input.user_id,
        })
    }

    /// Takes the caller out of the tenant. Needs a session: an API token may not do this. The only owner gives the tenant
    /// to somebody else first.
    async fn leave_tenant(&self, context: &Context<'_>) -> Result<LeaveTenantPayload> {
        let op = operation(context);
        op.change(async |scoped| member_leave(scoped).await).await?;
        Ok(LeaveTenantPayload {
            left_tenant_id: global_id(op.caller().tenant),
        })
    }

    /// Makes another member an owner of the tenant, and the caller an admin.
    async fn transfer_ownership(
        &self,
        context: &Context<'_>,
        input: TransferOwnershipInput,
    ) -> Result<TransferOwnershipPayload> {
        let to = id_of::<UserId>(&input.user_id)?;
        let membership = operation(context)
            .change(async |scoped| ownership_transfer(scoped, to).await)
            .await?;
        Ok(TransferOwnershipPayload {
            membership: MembershipNode {
                membership,
                tenant: None,
            },
        })
    }
}

/// What of the tenant is to change.
#[derive(InputObject)]
struct UpdateTenantInput {
    /// The new name: 1 to 200 characters on one line.
    name: String,
}

/// The tenant as it is now.
#[derive(SimpleObject)]
struct UpdateTenantPayload {
    /// The tenant.
    tenant: TenantNode,
}

/// Whom to invite.
#[derive(InputObject)]
struct InviteMemberInput {
    /// The address that the invitation is for.
    email: String,
    /// What whoever accepts it may do; no more than its maker.
    role: RoleName,
}

/// The invitation that was made.
#[derive(SimpleObject)]
struct InviteMemberPayload {
    /// The invitation.
    invitation: InvitationNode,
    /// The secret that accepts it: this once.
    secret: String,
    /// The address to send to whom it is for, with the secret behind the `#`: this once. It begins with `/` where the operator has not set
    /// `public_url`.
    url: String,
}

/// The invitation to take back.
#[derive(InputObject)]
struct RevokeInvitationInput {
    /// Which.
    invitation_id: ID,
}

/// The invitation as it is now.
#[derive(SimpleObject)]
struct RevokeInvitationPayload {
    /// The invitation.
    invitation: InvitationNode,
}

/// The invitation to accept.
#[derive(InputObject)]
struct AcceptInvitationInput {
    /// Its secret: what stands behind the `#` of its address.
    secret: String,
}

/// What came of it.
#[derive(SimpleObject)]
struct AcceptInvitationPayload {
    /// The caller's membership in the other tenant.
    membership: MembershipNode,
}

/// The role to give.
#[derive(InputObject)]
struct SetMemberRoleInput {
    /// To whom.
    user_id: ID,
    /// Which role.
    role: RoleName,
}

/// The membership as it is now.
#[derive(SimpleObject)]
struct SetMemberRolePayload {
    /// The membership.
    membership: MembershipNode,
}

/// The member to remove.
#[derive(InputObject)]
struct RemoveMemberInput {
    /// Who.
    user_id: ID,
}

/// Who was removed.
#[derive(SimpleObject)]
struct RemoveMemberPayload {
    /// The id of the person, who belongs to the tenant no more.
    removed_user_id: ID,
}

/// What was left.
#[derive(SimpleObject)]
struct LeaveTenantPayload {
    /// The tenant that the caller belongs to no more.
    left_tenant_id: ID,
}

/// To whom the tenant is given.
#[derive(InputObject)]
struct TransferOwnershipInput {
    /// Who becomes an owner.
    user_id: ID,
}

/// The new owner.
#[derive(SimpleObject)]
struct TransferOwnershipPayload {
    /// The new owner's membership.
    membership: MembershipNode,
}
