//! Changes the roles of members and removes members.
//!
//! Every change locks the memberships that it depends on and decides by their current state. If two owners demote each
//! other at the same time, the changes run one after the other, and the second is refused.

use sea_orm::{ActiveValue::Set, ColumnTrait, DbBackend, Value};
use serde_json::json;

use super::invitation::invitations_of_member_revoke;
use crate::directory::TOPIC_CREDENTIAL;
use crate::entity::membership;
use crate::error::{Error, Result};
use crate::model::{Membership, Role, UserId};
use crate::policy::Action;
use crate::registration::resource;
use crate::store::{ReadWrite, Scoped};

/// Changes the role of a member. Open streams of that person end, and are resumed with the new role.
///
/// # Errors
/// [`Error::NotFound`] for a user who is not a member; [`Error::Forbidden`] for a role above the caller's and for a
/// member above the caller; [`Error::LastOwner`].
pub async fn member_role_set(
    scoped: &Scoped<ReadWrite>,
    user: UserId,
    role: Role,
) -> Result<Membership> {
    scoped.permit(Action::Update, resource::MEMBER, user.0)?;
    let locked = LockedMemberships::take(scoped, user).await?;
    let old = locked.target()?;
    scoped.audit_detail(json!({"from": old.role, "to": role}));
    above_check(scoped, old.role)?;
    above_check(scoped, role)?;
    if role != Role::Owner {
        locked.owner_stays(user)?;
    }
    locked.caller_still_includes(scoped, Action::Update, &[old.role, role])?;
    if old.role == role {
        return Ok(old.into());
    }
    set(scoped, user, role).await?;
    Ok(Membership { role, ..old.into() })
}

/// Removes a member from the tenant, with the member's API tokens. The member's work stays.
///
/// # Errors
/// [`Error::NotFound`] for a user who is not a member; [`Error::Forbidden`] for a member above the caller;
/// [`Error::LastOwner`].
pub async fn member_remove(scoped: &Scoped<ReadWrite>, user: UserId) -> Result<()> {
    scoped.permit(Action::Delete, resource::MEMBER, user.0)?;
    let locked = LockedMemberships::take(scoped, user).await?;
    let old = locked.target()?;
    scoped.audit_detail(json!({"role": old.role}));
    above_check(scoped, old.role)?;
    locked.owner_stays(user)?;
    locked.caller_still_includes(scoped, Action::Delete, &[old.role])?;
    remove(scoped, user).await
}

/// Removes the caller from the tenant, whatever the role.
///
/// # Errors
/// [`Error::LastOwner`]; [`Error::NotFound`] without a caller.
pub async fn member_leave(scoped: &Scoped<ReadWrite>) -> Result<()> {
    let user = scoped.caller().ok_or(Error::NotFound("member"))?.user;
    scoped.permit(Action::Delete, resource::OWN_MEMBERSHIP, user.0)?;
    let locked = LockedMemberships::take(scoped, user).await?;
    locked.target()?;
    locked.owner_stays(user)?;
    remove(scoped, user).await
}

/// Makes another member an owner and the caller, until now an owner, an admin. Returns the new owner's membership.
///
/// # Errors
/// [`Error::Forbidden`] if the caller is not an owner; [`Error::NotFound`] for a user who is not a member;
/// [`Error::Invalid`] for the caller.
pub async fn ownership_transfer(scoped: &Scoped<ReadWrite>, to: UserId) -> Result<Membership> {
    scoped.permit(Action::Transfer, resource::TENANT, scoped.tenant().0)?;
    scoped.audit_detail(json!({"to": to}));
    let giver = scoped.caller().ok_or(Error::NotFound("member"))?.user;
    if giver == to {
        return Err(Error::Invalid(
            "choose another member as the new owner".into(),
        ));
    }
    let locked = LockedMemberships::take(scoped, to).await?;
    let old = locked.target()?;
    locked.caller_still_includes(scoped, Action::Update, &[Role::Owner])?;
    set(scoped, to, Role::Owner).await?;
    set(scoped, giver, Role::Admin).await?;
    Ok(Membership {
        role: Role::Owner,
        ..old.into()
    })
}

/// The memberships that a change depends on, locked until it is done: those of the owners, of the caller, and of the
/// target.
struct LockedMemberships {
    rows: Vec<membership::Model>,
    target: UserId,
}

impl LockedMemberships {
    async fn take(scoped: &Scoped<ReadWrite>, target: UserId) -> Result<Self> {
        let caller = scoped.caller().map_or(target, |caller| caller.user);
        // Locked in a fixed order, so that two changes wait for each other and do not deadlock.
        let sql = match scoped.backend() {
            DbBackend::Postgres => {
                "SELECT tenant_id, user_id, role, created_at FROM memberships
                 WHERE tenant_id = $1 AND (role = 'OWNER' OR user_id IN ($2, $3)) ORDER BY user_id FOR UPDATE"
            }
            // SQLite has one writer at a time.
            _ => {
                "SELECT tenant_id, user_id, role, created_at FROM memberships
                 WHERE tenant_id = $1 AND (role = 'OWNER' OR user_id IN ($2, $3)) ORDER BY user_id"
            }
        };
        let values: [Value; 2] = [target.into(), caller.into()];
        let rows = scoped.sql_all(sql, values).await?;
        Ok(Self { rows, target })
    }

    fn of(&self, user: UserId) -> Option<&membership::Model> {
        self.rows.iter().find(|row| row.user_id == user)
    }

    fn target(&self) -> Result<membership::Model> {
        self.of(self.target).cloned().ok_or(Error::NotFound("user"))
    }

    /// Checks that the caller may still change members with those roles. The caller's current role decides, which may
    /// be lower than at the start of the request.
    fn caller_still_includes(
        &self,
        scoped: &Scoped<ReadWrite>,
        action: Action,
        roles: &[Role],
    ) -> Result<()> {
        let Some(caller) = scoped.caller() else {
            return Ok(());
        };
        let now = self.of(caller.user).map(|row| row.role.min(caller.role));
        let now = now.ok_or(Error::Forbidden("a membership"))?;
        scoped
            .registry()
            .role_check(now, resource::MEMBER, action)?;
        roles.iter().try_for_each(|role| includes_check(now, *role))
    }

    /// Checks that another user is an owner, or that this user is not one.
    fn owner_stays(&self, user: UserId) -> Result<()> {
        let owners = || self.rows.iter().filter(|row| row.role == Role::Owner);
        if owners().any(|row| row.user_id == user) && owners().count() == 1 {
            return Err(Error::LastOwner);
        }
        Ok(())
    }
}

/// Checks that the caller's role at the start of the request includes the given role.
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) fn above_check(scoped: &Scoped<ReadWrite>, role: Role) -> Result<()> {
    scoped
        .caller()
        .map_or(Ok(()), |caller| includes_check(caller.role, role))
}

fn includes_check(own: Role, role: Role) -> Result<()> {
    if own.includes(role) {
        Ok(())
    } else {
        Err(Error::Forbidden(role.as_str()))
    }
}

async fn set(scoped: &Scoped<ReadWrite>, user: UserId, role: Role) -> Result<()> {
    let row = membership::ActiveModel {
        role: Set(role),
        ..Default::default()
    };
    scoped
        .update(membership::Column::UserId.eq(user), row)
        .await?;
    invitations_of_member_revoke(scoped, user, Some(role)).await?;
    scoped.announce(TOPIC_CREDENTIAL, user.0).await
}

async fn remove(scoped: &Scoped<ReadWrite>, user: UserId) -> Result<()> {
    let which = membership::Column::UserId.eq(user);
    scoped.delete::<membership::Entity>(which).await?;
    invitations_of_member_revoke(scoped, user, None).await?;
    scoped.announce(TOPIC_CREDENTIAL, user.0).await
}
