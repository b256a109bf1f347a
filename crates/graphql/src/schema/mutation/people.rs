//! Mutations of the tenant, its members and its invitations.

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
    /// Changes the tenant.
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

    /// Invites a person with a role no higher than the caller's. The invitation is valid for seven days and can be
    /// used once. Its secret is returned only here. It replaces an open invitation for the same address.
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
            url: invitation_link(&op.services().public_url, &secret),
            secret,
        })
    }

    /// Revokes an invitation. Has no effect if it is already revoked.
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

    /// Accepts an invitation to another tenant. The invitation must be for the caller's own address. Requires a
    /// session: API tokens are refused. An existing member keeps the current role.
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

    /// Changes the role of a member. The caller cannot give a role above the caller's own, or change a member with a
    /// higher role. The member's open streams end.
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

    /// Removes a member from the tenant and revokes the member's API tokens. The member's open streams end. Everything
    /// the member created stays.
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

    /// Removes the caller from the tenant. Requires a session: API tokens are refused. The only owner must transfer
    /// the ownership first.
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

/// The changes to the tenant.
#[derive(InputObject)]
struct UpdateTenantInput {
    /// The name: 1 to 200 characters on one line.
    name: String,
}

/// The changed tenant.
#[derive(SimpleObject)]
struct UpdateTenantPayload {
    /// The tenant.
    tenant: TenantNode,
}

/// The person to invite.
#[derive(InputObject)]
struct InviteMemberInput {
    /// The email address of the invited person.
    email: String,
    /// The role that the invited person gets. At most the caller's own role.
    role: RoleName,
}

/// The created invitation.
#[derive(SimpleObject)]
struct InviteMemberPayload {
    /// The invitation.
    invitation: InvitationNode,
    /// The secret of the invitation. It is not shown again.
    secret: String,
    /// The link to send to the invited person. It contains the secret after `#` and is not shown again. It begins with
    /// `/` if the operator has not set `public_url`.
    url: String,
}

/// The invitation to revoke.
#[derive(InputObject)]
struct RevokeInvitationInput {
    /// The id of the invitation.
    invitation_id: ID,
}

/// The revoked invitation.
#[derive(SimpleObject)]
struct RevokeInvitationPayload {
    /// The invitation.
    invitation: InvitationNode,
}

/// The invitation to accept.
#[derive(InputObject)]
struct AcceptInvitationInput {
    /// The secret of the invitation: the part of the link after `#`.
    secret: String,
}

/// The accepted invitation.
#[derive(SimpleObject)]
struct AcceptInvitationPayload {
    /// The caller's membership in the other tenant.
    membership: MembershipNode,
}

/// The role of a member.
#[derive(InputObject)]
struct SetMemberRoleInput {
    /// The id of the user.
    user_id: ID,
    /// The new role.
    role: RoleName,
}

/// The changed membership.
#[derive(SimpleObject)]
struct SetMemberRolePayload {
    /// The membership.
    membership: MembershipNode,
}

/// The member to remove.
#[derive(InputObject)]
struct RemoveMemberInput {
    /// The id of the user.
    user_id: ID,
}

/// The removed member.
#[derive(SimpleObject)]
struct RemoveMemberPayload {
    /// The id of the removed user.
    removed_user_id: ID,
}

/// The tenant that the caller left.
#[derive(SimpleObject)]
struct LeaveTenantPayload {
    /// The id of the tenant.
    left_tenant_id: ID,
}

/// The new owner of the tenant.
#[derive(InputObject)]
struct TransferOwnershipInput {
    /// The id of the user who becomes an owner.
    user_id: ID,
}

/// The new owner.
#[derive(SimpleObject)]
struct TransferOwnershipPayload {
    /// The membership of the new owner.
    membership: MembershipNode,
}
