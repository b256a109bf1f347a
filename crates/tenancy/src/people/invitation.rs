//! Creates, lists and revokes invitations.

use chrono::TimeDelta;
use sea_orm::sea_query::IntoCondition;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, FromQueryResult, Iterable, NotSet};
use serde_json::json;

use super::member::above_check;
use crate::entity::invitation;
use crate::error::{Error, Result};
use crate::model::{Invitation, InvitationId, Role, UserId};
use crate::page::{Page, PageRequest};
use crate::policy::Action;
use crate::registration::resource;
use crate::repository;
use crate::repository::Repository;
use crate::root_list;
use crate::store::{Access, ReadWrite, Scoped};
use crate::text;
use crate::token::{INVITATION, token_mint};

/// The validity of an invitation.
pub const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// The object that exists once for each address, in the error message.
const OPEN: &str = "an open invitation for this address";

repository! {
    /// Invitations of a tenant.
    pub Invitations: invitation => Invitation, Id = id: InvitationId
}

/// The parameters of a new invitation.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// The address of the invited person.
    pub email: String,
    /// The role of the invited person.
    pub role: Role,
}

/// Invites a person, for [`INVITATION_LIFETIME`] and for one use, and returns the secret, which is not stored. An open
/// invitation for the same address is replaced.
///
/// # Errors
/// [`Error::Forbidden`] for a role above the caller's, also that of the invitation that is replaced; [`Error::Invalid`]
/// for an invalid address; [`Error::Conflict`] if the address is a member's.
pub async fn invitation_create(
    scoped: &Scoped<ReadWrite>,
    new: NewInvitation,
) -> Result<(Invitation, String)> {
    let id = InvitationId(scoped.env().id());
    scoped.permit(Action::Create, resource::INVITATION, id.0)?;
    let email = text::email(&new.email)?;
    scoped.audit_detail(json!({"email": email, "role": new.role}));
    above_check(scoped, new.role)?;
    if is_member(scoped, &email).await? {
        return Err(Error::Conflict("a member with this address"));
    }
    let now = scoped.env().now();
    let replaced = invitation::Column::Email.eq(&email);
    let offers = scoped
        .find::<invitation::Entity>()
        .filter(open(replaced.clone()));
    for offer in offers.all().await? {
        above_check(scoped, offer.role)?;
    }
    revoke(scoped, replaced).await?;
    let minted = token_mint(INVITATION, id.0)?;
    let row = invitation::ActiveModel {
        tenant_id: NotSet,
        id: Set(id),
        email: Set(email),
        role: Set(new.role),
        secret_hash: Set(minted.hash),
        invited_by: Set(scoped.caller().map(|caller| caller.user)),
        created_at: Set(now),
        expires_at: Set(now + INVITATION_LIFETIME),
        accepted_at: Set(None),
        accepted_by: Set(None),
        revoked_at: Set(None),
    };
    let made = Invitations::insert(scoped, row)
        .await
        .map_err(|e| e.conflict_as(OPEN))?;
    Ok((made, minted.text))
}

/// The link for the invited person. The secret is after the `#`, which a browser does not send, so it reaches no
/// server log.
pub fn invitation_link(public_url: &str, secret: &str) -> String {
    format!("{}/invite#{secret}", public_url.trim_end_matches('/'))
}

/// Revokes an invitation. A second call has no effect.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`], also for an invitation to a role above the caller's; [`Error::Invalid`]
/// if it was accepted already.
pub async fn invitation_revoke(scoped: &Scoped<ReadWrite>, id: InvitationId) -> Result<Invitation> {
    scoped.permit(Action::Delete, resource::INVITATION, id.0)?;
    let offered = Invitations::require(scoped, id).await?.role;
    above_check(scoped, offered)?;
    revoke(scoped, invitation::Column::Id.eq(id)).await?;
    let now = Invitations::require(scoped, id).await?;
    if now.accepted_at.is_some() {
        return Err(Error::Invalid(
            "the invitation was already accepted: remove the member instead".into(),
        ));
    }
    Ok(now)
}

/// The invitations of the tenant, as [`invitation_list`] reads them.
#[derive(Debug, Clone, Copy)]
pub struct InvitationList;

root_list! { InvitationList => Invitation: invitation_list, invitation_count }

/// One page of the invitations, newest first, including accepted and revoked ones.
///
/// # Errors
/// [`Error::Forbidden`] for a caller who may not read them.
pub async fn invitation_list<A: Access>(
    scoped: &Scoped<A>,
    page: &PageRequest,
) -> Result<Page<Invitation>> {
    scoped.permit(Action::Read, resource::INVITATION, None)?;
    Invitations::list(scoped, Condition::all(), page).await
}

/// The total number of invitations that [`invitation_list`] lists.
///
/// # Errors
/// As [`invitation_list`].
pub async fn invitation_count<A: Access>(scoped: &Scoped<A>) -> Result<u64> {
    scoped.permit(Action::Read, resource::INVITATION, None)?;
    Invitations::count(scoped, Condition::all()).await
}

/// Revokes the open invitations of a member that the member's remaining role no longer permits, so that nobody returns
/// by a saved link.
pub(super) async fn invitations_of_member_revoke(
    scoped: &Scoped<ReadWrite>,
    member: UserId,
    left: Option<Role>,
) -> Result<()> {
    let policy = scoped.registry();
    let needed = policy.role_needed(resource::INVITATION, Action::Create);
    let left = left.filter(|left| needed.is_some_and(|needed| left.includes(needed)));
    let beyond = Role::iter().filter(|role| !left.is_some_and(|left| left.includes(*role)));
    let which = Condition::all()
        .add(invitation::Column::InvitedBy.eq(member))
        .add(invitation::Column::Role.is_in(beyond));
    revoke(scoped, which).await
}

/// Revokes the open ones of these invitations.
async fn revoke(scoped: &Scoped<ReadWrite>, which: impl IntoCondition) -> Result<()> {
    let which = open(which);
    let revoked = invitation::ActiveModel {
        revoked_at: Set(Some(scoped.env().now())),
        ..Default::default()
    };
    scoped.update(which, revoked).await?;
    Ok(())
}

/// The open ones of these invitations: neither accepted nor revoked.
fn open(which: impl IntoCondition) -> Condition {
    Condition::all()
        .add(which.into_condition())
        .add(invitation::Column::AcceptedAt.is_null())
        .add(invitation::Column::RevokedAt.is_null())
}

async fn is_member(scoped: &Scoped<ReadWrite>, email: &str) -> Result<bool> {
    #[derive(FromQueryResult)]
    struct Member {
        #[expect(dead_code, reason = "that there is one is all that is asked")]
        user_id: UserId,
    }
    let found: Vec<Member> = scoped
        .sql_all(
            "SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1 AND u.email = $2",
            [email.into()],
        )
        .await?;
    Ok(!found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_stands_where_no_server_sees_it() {
        let link = invitation_link("https://nyx.example/", "nyxinv_x_y");
        assert_eq!(link, "https://nyx.example/invite#nyxinv_x_y");
    }
}
