//! The members of a tenant: invitations, roles, and leaving.
//!
//! A tenant always has an owner. A member cannot grant a role above their own, or change a member with a higher role.

mod accept;
mod invitation;
mod member;

pub use accept::{
    AcceptedInvitation, InvitationView, invitation_accept, invitation_look, invitation_sign_up,
};
pub use invitation::{
    INVITATION_LIFETIME, InvitationList, Invitations, NewInvitation, invitation_count,
    invitation_create, invitation_link, invitation_list, invitation_revoke,
};
pub use member::{member_leave, member_remove, member_role_set, ownership_transfer};
