//! Reads and accepts an invitation by its secret, for a person who is not in the tenant yet.
//!
//! A secret that is forged, expired, revoked, used, or for another address is refused with the same error and the same
//! work, so that an attacker learns nothing.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition};
use serde_json::json;

use crate::actor::{Origin, Step};
use crate::audit;
use crate::entity::{invitation, membership, tenant, user};
use crate::error::{Error, Result};
use crate::model::{Credential, InvitationId, Membership, Role, Tenant, UserId};
use crate::policy::Action;
use crate::registration::{purpose, resource};
use crate::sign_in::{
    Client, NewAccount, NewSession, Password, PasswordHash, PasswordHasher, account_create,
    refusals_count, session_create,
};
use crate::store::{Store, SystemScope};
use crate::text;
use crate::token::{INVITATION, token_id, token_matches};

/// The data of an invitation for the holder of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationView {
    /// The tenant's name.
    pub tenant_name: String,
    /// The address of the invited person.
    pub email: String,
    /// The role of the invited person.
    pub role: Role,
    /// The name of the person who invited; `None` for an operator.
    pub inviter: Option<String>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// The person who accepts an invitation.
enum Invitee {
    /// A person with an account.
    User(UserId),
    /// A person who gets an account with that name.
    New(String, PasswordHash),
}

/// The result of an accepted invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedInvitation {
    /// The tenant.
    pub tenant: Tenant,
    /// The membership there. An existing member keeps the previous role.
    pub membership: Membership,
}

/// Reads an invitation by its secret.
///
/// # Errors
/// [`Error::InvitationInvalid`].
pub async fn invitation_look(store: &Store, secret: &str) -> Result<InvitationView> {
    let id = secret_read(secret)?;
    let system = store.system(purpose::INVITATION_LOOK).await?;
    let row = open_find(&system, id, secret).await?;
    let tenant = tenant_of(&system, &row).await?;
    let inviter = match row.invited_by {
        Some(inviter) => user_find(&system, inviter).await?.map(|user| user.name),
        None => None,
    };
    Ok(InvitationView {
        tenant_name: tenant.name,
        email: row.email,
        role: row.role,
        inviter,
        expires_at: row.expires_at,
    })
}

/// Makes a signed-in user a member, once, by an invitation for the address of their account. Of concurrent attempts
/// one succeeds.
///
/// # Errors
/// [`Error::SessionNeeded`] for an API token; [`Error::InvitationInvalid`], also for another address.
pub async fn invitation_accept(
    store: &Store,
    secret: &str,
    (user, credential): (UserId, Credential),
    origin: &Origin,
) -> Result<AcceptedInvitation> {
    let policy = store.registry();
    policy.credential_check(credential, resource::OWN_MEMBERSHIP, Action::Create)?;
    let id = secret_read(secret)?;
    let accepted = async {
        let system = store.system(purpose::INVITATION_ACCEPT).await?;
        let joined = accept(&system, id, secret, Invitee::User(user), origin).await?;
        system.commit().await?;
        Ok(joined)
    };
    refusal_record(store, id, origin, accepted.await).await
}

/// Creates an account for the holder of the secret, with the address of the invitation, makes them a member, and signs
/// them in, atomically. The address counts as unverified, because anybody could have forwarded the link.
///
/// # Errors
/// [`Error::InvitationInvalid`]; [`Error::Conflict`] if the address has an account, which accepts the invitation by
/// [`invitation_accept`]; [`Error::Invalid`] for the name, and for the password as [`Password::check`].
pub async fn invitation_sign_up(
    store: &Store,
    hasher: &PasswordHasher,
    secret: &str,
    name: &str,
    password: &Password,
    client: &Client,
) -> Result<(AcceptedInvitation, NewSession)> {
    let id = secret_read(secret)?;
    let accepted = async {
        let name = text::name("the name", name)?;
        // Checked before the hash, which takes time, and again within the transaction.
        let email = invitation_look(store, secret).await?.email;
        password.check(&email)?;
        let who = Invitee::New(name, hasher.hash(password).await?);
        let system = store.system(purpose::INVITATION_ACCEPT).await?;
        let joined = accept(&system, id, secret, who, &client.origin).await?;
        let user = joined.membership.user_id;
        let session = session_create(&system, user, "invitation", client).await?;
        system.commit().await?;
        Ok((joined, session))
    };
    refusal_record(store, id, &client.origin, accepted.await).await
}

/// Refused invitations that are recorded from one network address within a window: enough to see an attack. A rule of
/// this project.
const REFUSALS_WRITTEN: i64 = 10;

/// Records that an invitation secret was refused, so that guessing leaves a trace.
async fn refusal_record<T>(
    store: &Store,
    id: InvitationId,
    origin: &Origin,
    accepted: Result<T>,
) -> Result<T> {
    // The holder of an invitation learns that its address has an account, so that is recorded as well.
    if let Err(error @ (Error::InvitationInvalid | Error::Conflict(_))) = &accepted {
        tracing::info!(invitation = %id, code = error.code(), "an invitation was refused");
        let system = store.system(purpose::INVITATION_ACCEPT).await?;
        if refusals_count(&system, origin).await? <= REFUSALS_WRITTEN {
            system
                .record(error.code(), Some(id.0), origin, None)
                .await?;
        }
        system.commit().await?;
    }
    accepted
}

async fn accept(
    system: &SystemScope,
    id: InvitationId,
    secret: &str,
    who: Invitee,
    origin: &Origin,
) -> Result<AcceptedInvitation> {
    let row = open_find(system, id, secret).await?;
    // Of several concurrent attempts one succeeds: the others wait for it and find the invitation used.
    let used = invitation::ActiveModel {
        accepted_at: Set(Some(system.env().now())),
        ..Default::default()
    };
    if system.update(open(id), used).await? == 0 {
        return Err(Error::InvitationInvalid);
    }
    let user = match who {
        Invitee::User(user) => {
            let found = user_find(system, user).await?;
            let addressee = found.filter(|user| user.email == row.email);
            addressee.ok_or(Error::InvitationInvalid)?.id
        }
        Invitee::New(name, password) => {
            let new = NewAccount {
                email: row.email.clone(),
                name,
                password: Some(password),
                address_proven: false,
            };
            account_create(system, new).await?.id
        }
    };
    let by = invitation::ActiveModel {
        accepted_by: Set(Some(user)),
        ..Default::default()
    };
    system.update(invitation::Column::Id.eq(id), by).await?;
    let joined = join(system, &row, user).await?;
    let step = Step {
        action: Action::Create,
        resource: resource::MEMBER,
        subject: Some(user.0),
        detail: Some(json!({"invitation": id, "role": joined.membership.role})),
    };
    let entry = audit::entry_by_system(system.env(), row.tenant_id, Some(user), origin, step);
    system.audit(entry).await?;
    Ok(joined)
}

/// The membership that the invitation grants, unless there is one already.
async fn join(
    system: &SystemScope,
    row: &invitation::Model,
    user: UserId,
) -> Result<AcceptedInvitation> {
    let values = [
        row.tenant_id.into(),
        user.into(),
        row.role.into(),
        system.env().now().into(),
    ];
    let sql =
        "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant_id, user_id) DO NOTHING";
    system.sql_execute(sql, values).await?;
    let which = Condition::all()
        .add(membership::Column::TenantId.eq(row.tenant_id))
        .add(membership::Column::UserId.eq(user));
    let found = system.find::<membership::Entity>(which).await?;
    let membership = found.into_iter().next();
    Ok(AcceptedInvitation {
        tenant: tenant_of(system, row).await?.into(),
        membership: membership.ok_or(Error::NotFound("membership"))?.into(),
    })
}

fn secret_read(secret: &str) -> Result<InvitationId> {
    token_id(INVITATION, secret)
        .map(InvitationId)
        .ok_or(Error::InvitationInvalid)
}

fn open(id: InvitationId) -> Condition {
    Condition::all()
        .add(invitation::Column::Id.eq(id))
        .add(invitation::Column::AcceptedAt.is_null())
        .add(invitation::Column::RevokedAt.is_null())
}

async fn open_find(
    system: &SystemScope,
    id: InvitationId,
    secret: &str,
) -> Result<invitation::Model> {
    let now = system.env().now();
    let found = system.find::<invitation::Entity>(open(id)).await?;
    found
        .into_iter()
        .find(|row| token_matches(secret, &row.secret_hash) && row.expires_at > now)
        .ok_or(Error::InvitationInvalid)
}

async fn user_find(system: &SystemScope, id: UserId) -> Result<Option<user::Model>> {
    let found = system.find::<user::Entity>(user::Column::Id.eq(id)).await?;
    Ok(found.into_iter().next())
}

async fn tenant_of(system: &SystemScope, row: &invitation::Model) -> Result<tenant::Model> {
    let found = system
        .find::<tenant::Entity>(tenant::Column::Id.eq(row.tenant_id))
        .await?;
    found.into_iter().next().ok_or(Error::NotFound("tenant"))
}
