//! People in a tenant: how they are invited and join, what they may do, and how they leave.
//!
//! A tenant always has an owner, nobody gives more than they have, and nobody changes somebody above them.

mod accept;
mod invitation;
mod member;

pub use accept::{InvitationView, AcceptedInvitation, invitation_accept, invitation_look, invitation_sign_up};
pub use invitation::{
    INVITATION_LIFETIME, Invitations, NewInvitation, invitation_count, invitation_create,
    invitation_link, invitation_list, invitation_revoke,
};
pub use member::{member_leave, member_remove, member_role_set, ownership_transfer};
