//! Sessions: the credential in a browser's cookie, `nyxs_<id>_<secret>`, stored as SHA-256. Its permissions are those
//! of the user's current membership.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, FromQueryResult};
use uuid::Uuid;

use super::journal::{self, Event};
use super::{Client, NewSession};
use crate::api_token::{use_mark, use_note};
use crate::directory::TOPIC_CREDENTIAL;
use crate::entity::session;
use crate::error::{Error, Result};
use crate::model::{Caller, Credential, Role, Session, SessionId, Tenant, TenantId, User, UserId};
use crate::registration::purpose;
use crate::store::{CredentialKey, CredentialOwner, Store, SystemScope};
use crate::token::{SESSION, token_id, token_matches, token_mint};

/// The maximum age of a session, however much it is used: NIST SP 800-63B (AAL1) requires a new sign-in after 30 days.
pub const SESSION_LIFE: TimeDelta = TimeDelta::days(30);
/// The lifetime of an unused session: long enough for a week's holiday, though others may have access to the machine.
pub const SESSION_IDLE: TimeDelta = TimeDelta::days(7);
/// The number of stored characters of a browser's `User-Agent`.
const USER_AGENT_MAX: usize = 200;

/// A valid session, with its user and the user's tenants.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The user.
    pub user: User,
    /// The tenants to which the user belongs now, by slug, with the role in each.
    pub tenants: Vec<(Tenant, Role)>,
    /// The caller in the requested tenant, or in the first one if none was requested. `None` if the user does not
    /// belong to the requested tenant, or to any tenant.
    pub caller: Option<Caller>,
}

impl SignedIn {
    /// The caller in that tenant; `None` if the user does not belong to it.
    pub fn caller_in(&self, tenant: TenantId) -> Option<Caller> {
        let mut tenants = self.tenants.iter();
        let (tenant, role) = tenants.find(|(listed, _)| listed.id == tenant)?;
        Some(self.caller_as(tenant, *role))
    }

    fn caller_as(&self, tenant: &Tenant, role: Role) -> Caller {
        Caller {
            tenant: tenant.id,
            user: self.user.id,
            role,
            credential: Credential::Session(self.session.id),
        }
    }
}

/// Signs a user in: creates a session, records it, and returns the secret for the cookie, which is not stored.
///
/// `method` is the method of the sign-in: `password`, `oidc:<provider>`, `invitation`. The session is part of a scope
/// for [`purpose::SIGN_IN`] or [`purpose::INVITATION_ACCEPT`], and is committed together with the action that led to
/// it.
///
/// # Errors
/// The database refuses; the random number generator failed.
pub async fn session_create(
    system: &SystemScope,
    user: UserId,
    method: &str,
    client: &Client,
) -> Result<NewSession> {
    let now = system.env().now();
    let id = SessionId(system.env().id());
    let minted = token_mint(SESSION, id.0)?;
    let user_agent = client.user_agent.as_deref();
    let row = system
        .insert(session::ActiveModel {
            id: Set(id),
            user_id: Set(user),
            secret_hash: Set(minted.hash),
            created_at: Set(now),
            last_seen_at: Set(now),
            expires_at: Set(now + SESSION_LIFE),
            revoked_at: Set(None),
            address: Set(client.origin.address.map(|address| address.to_string())),
            user_agent: Set(user_agent.map(|name| name.chars().take(USER_AGENT_MAX).collect())),
        })
        .await?;
    let event = Event {
        method: Some(method.to_owned()),
        ..Event::done("sign_in", user, Some(id))
    };
    journal::add(system, event, &client.origin).await?;
    Ok(NewSession {
        session: row.into(),
        secret: minted.text,
    })
}

/// Whether a text has the form of a session's secret. Needs no statement.
pub fn session_is_well_formed(secret: &str) -> bool {
    token_id(SESSION, secret).is_some()
}

#[derive(FromQueryResult)]
struct SessionRow {
    user_id: Uuid,
    secret_hash: Vec<u8>,
    created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    address: Option<String>,
    user_agent: Option<String>,
    email: String,
    name: String,
    tenant_id: Option<Uuid>,
    slug: Option<String>,
    tenant_name: Option<String>,
    tenant_created_at: Option<DateTime<Utc>>,
    role: Option<Role>,
}

/// Identifies the user of a session, and records its use. `wanted` is the slug of the requested tenant. `None` if the
/// secret is malformed, unknown, expired or revoked.
///
/// # Errors
/// The database fails.
pub async fn session_authenticate(
    store: &Store,
    secret: &str,
    wanted: Option<&str>,
) -> Result<Option<SignedIn>> {
    let Some(mut found) = session_look(store, secret).await? else {
        return Ok(None);
    };
    if let Some(slug) = wanted {
        let tenant = found.tenants.iter().find(|(tenant, _)| tenant.slug == slug);
        found.caller = tenant.map(|(tenant, role)| found.caller_as(tenant, *role));
    }
    let session = Credential::Session(found.session.id);
    let owner = found.caller.unwrap_or(Caller {
        // A user without a tenant uses a session as well; only the session counts.
        tenant: TenantId(Uuid::nil()),
        user: found.user.id,
        role: Role::Viewer,
        credential: session,
    });
    use_note(store, &owner, Some(found.session.last_seen_at));
    Ok(Some(found))
}

/// The user of a session, and the resulting caller.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionOwner {
    /// The user.
    pub user: UserId,
    /// The caller in the requested tenant; see [`SignedIn::caller`].
    pub caller: Option<Caller>,
}

/// As [`session_authenticate`], for callers that need only the caller: a recently verified session for the same tenant
/// needs no statement.
///
/// # Errors
/// The database fails.
pub async fn session_identify(
    store: &Store,
    secret: &str,
    wanted: Option<&str>,
) -> Result<Option<SessionOwner>> {
    if !session_is_well_formed(secret) {
        return Ok(None);
    }
    let (key, now) = (CredentialKey::new(secret, wanted), store.env().now());
    if let Some(owner) = store.credentials().recall(key, now) {
        use_note(store, &owner.caller, owner.used_at);
        return Ok(Some(SessionOwner {
            user: owner.caller.user,
            caller: Some(owner.caller),
        }));
    }
    let ticket = store.credentials().ticket();
    let Some(found) = session_authenticate(store, secret, wanted).await? else {
        return Ok(None);
    };
    if let Some(caller) = found.caller {
        let session = &found.session;
        let mut owner = CredentialOwner {
            caller,
            tenant_slug: wanted.unwrap_or_default().to_owned(),
            expires_at: Some(session.expires_at.min(session.last_seen_at + SESSION_IDLE)),
            used_at: Some(session.last_seen_at),
        };
        use_mark(&mut owner, now);
        store.credentials().remember(ticket, key, owner);
    }
    Ok(Some(SessionOwner {
        user: found.user.id,
        caller: found.caller,
    }))
}

/// Stores when sessions were last used.
pub(crate) async fn sessions_seen(
    store: &Store,
    sessions: Vec<(SessionId, DateTime<Utc>)>,
) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let system = store.system(purpose::SESSION_SEEN).await?;
    for (id, at) in sessions {
        let seen = session::ActiveModel {
            last_seen_at: Set(at),
            ..Default::default()
        };
        system.update(session::Column::Id.eq(id), seen).await?;
    }
    system.commit().await
}

/// As [`session_authenticate`], without storing anything: the check of an open stream is not a use of the session.
///
/// # Errors
/// The database fails.
pub async fn session_look(store: &Store, secret: &str) -> Result<Option<SignedIn>> {
    let Some(id) = token_id(SESSION, secret).map(SessionId) else {
        return Ok(None);
    };
    let rows: Vec<SessionRow> = store
        .system_look(
            purpose::SESSION_AUTHENTICATE,
            "SELECT s.user_id, s.secret_hash, s.created_at, s.last_seen_at, s.expires_at, s.address, s.user_agent, u.email, u.name,
                 t.id AS tenant_id, t.slug, t.name AS tenant_name, t.created_at AS tenant_created_at, m.role
             FROM sessions s
             JOIN users u ON u.id = s.user_id
             LEFT JOIN memberships m ON m.user_id = s.user_id
             LEFT JOIN tenants t ON t.id = m.tenant_id
             WHERE s.id = $1 AND s.revoked_at IS NULL
             ORDER BY t.slug",
            id.0,
        )
        .await?;
    let now = store.env().now();
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    if !token_matches(secret, &first.secret_hash)
        || first.expires_at <= now
        || first.last_seen_at + SESSION_IDLE <= now
    {
        return Ok(None);
    }
    let user = UserId(first.user_id);
    let mut found = SignedIn {
        session: Session {
            id,
            user_id: user,
            created_at: first.created_at,
            last_seen_at: first.last_seen_at,
            expires_at: first.expires_at,
            address: first.address.clone(),
            user_agent: first.user_agent.clone(),
        },
        user: User {
            id: user,
            email: first.email.clone(),
            name: first.name.clone(),
        },
        tenants: rows.into_iter().filter_map(tenant_of).collect(),
        caller: None,
    };
    let first = found.tenants.first();
    found.caller = first.map(|(tenant, role)| found.caller_as(tenant, *role));
    Ok(Some(found))
}

fn tenant_of(row: SessionRow) -> Option<(Tenant, Role)> {
    let tenant = Tenant {
        id: TenantId(row.tenant_id?),
        slug: row.slug?,
        name: row.tenant_name?,
        created_at: row.tenant_created_at?,
    };
    Some((tenant, row.role?))
}

/// The valid sessions of a user, newest first.
///
/// # Errors
/// The database fails.
pub async fn session_list(store: &Store, user: UserId) -> Result<Vec<Session>> {
    let now = store.env().now();
    let system = store.system(purpose::SESSION_AUTHENTICATE).await?;
    let good = Condition::all()
        .add(session::Column::UserId.eq(user))
        .add(session::Column::RevokedAt.is_null())
        .add(session::Column::ExpiresAt.gt(now))
        .add(session::Column::LastSeenAt.gt(now - SESSION_IDLE));
    let mut rows = system.find::<session::Entity>(good).await?;
    rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Ends one of a user's sessions with this commit, also on open streams.
///
/// # Errors
/// [`Error::NotFound`] if it belongs to another user, or has ended already.
pub async fn session_revoke(
    store: &Store,
    user: UserId,
    id: SessionId,
    client: &Client,
) -> Result<()> {
    let system = store.system(purpose::SIGN_IN).await?;
    let which = Condition::all().add(session::Column::Id.eq(id));
    if revoke(&system, user, which).await? == 0 {
        return Err(Error::NotFound("session"));
    }
    system.announce(TOPIC_CREDENTIAL, id.0).await?;
    let event = Event::done("sign_out", user, Some(id));
    journal::add(&system, event, &client.origin).await?;
    system.commit().await
}

/// Ends every session of a user except `except` with this commit, also on open streams, and returns their number.
/// Records nothing: the caller records the reason.
///
/// # Errors
/// The database refuses.
pub async fn sessions_revoke_all(
    system: &SystemScope,
    user: UserId,
    except: Option<SessionId>,
) -> Result<u64> {
    let others = Condition::all().add_option(except.map(|kept| session::Column::Id.ne(kept)));
    let ended = revoke(system, user, others).await?;
    system.announce(TOPIC_CREDENTIAL, user.0).await?;
    Ok(ended)
}

/// Ends all sessions of a user except `except`, and returns their number.
///
/// # Errors
/// The database refuses.
pub async fn sign_out_everywhere(
    store: &Store,
    user: UserId,
    except: Option<SessionId>,
    client: &Client,
) -> Result<u64> {
    let system = store.system(purpose::SIGN_IN).await?;
    let ended = sessions_revoke_all(&system, user, except).await?;
    let event = Event::done("sign_out_everywhere", user, except);
    journal::add(&system, event, &client.origin).await?;
    system.commit().await?;
    Ok(ended)
}

async fn revoke(system: &SystemScope, user: UserId, which: Condition) -> Result<u64> {
    let revoked = session::ActiveModel {
        revoked_at: Set(Some(system.env().now())),
        ..Default::default()
    };
    let which = which
        .add(session::Column::UserId.eq(user))
        .add(session::Column::RevokedAt.is_null());
    system.update(which, revoked).await
}

/// Deletes expired sessions.
pub(super) async fn sweep(system: &SystemScope) -> Result<u64> {
    let now = system.env().now();
    let ended = Condition::any()
        .add(session::Column::ExpiresAt.lte(now))
        .add(session::Column::LastSeenAt.lte(now - SESSION_IDLE));
    system.delete::<session::Entity>(ended).await
}
