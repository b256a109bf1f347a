//! Accounts: their creation, their passwords, and the first owner of a new server.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, DbBackend, FromQueryResult};

use super::journal::{self, Event};
use super::password::{Password, PasswordHash, PasswordHasher, Verdict};
use super::session::{session_create, sessions_revoke_all};
use super::throttle::{self, Attempt, Purpose};
use super::{Client, NewSession, WRONG, password_of};
use crate::actor::Origin;
use crate::directory::tenant_insert;
use crate::entity::{password, user};
use crate::error::{Error, Result};
use crate::model::{SessionId, Tenant, User, UserId};
use crate::registration::purpose;
use crate::store::{Store, SystemScope};
use crate::text;

/// Whether people may create accounts themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignUp {
    /// Closed: accounts are created by an operator or an invitation.
    #[default]
    Closed,
    /// Open to everybody. The account belongs to no tenant until it is invited.
    Open,
}

/// The parameters of a new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The e-mail address that identifies the account.
    pub email: String,
    /// The person's name; if it is empty, the part of the address before the `@`.
    pub name: String,
    /// The password, hashed before the transaction begins; `None` for a person who signs in by a provider.
    pub password: Option<PasswordHash>,
    /// Whether the address is verified: by a link that was sent to it, or by a provider.
    pub address_proven: bool,
}

/// Creates an account, within the caller's transaction.
///
/// # Errors
/// [`Error::Conflict`] if the address is taken; [`Error::Invalid`] for an invalid address or name.
pub async fn account_create(system: &SystemScope, new: NewAccount) -> Result<User> {
    let email = text::email(&new.email)?;
    let name = match new.name.trim() {
        "" => email.split('@').next().unwrap_or_default().to_owned(),
        name => text::name("the name", name)?,
    };
    let row = system
        .insert(user::ActiveModel {
            id: Set(UserId(system.env().id())),
            name: Set(name),
            email: Set(email),
            created_at: Set(system.env().now()),
        })
        .await
        .map_err(|error| error.conflict_as("an account with this address"))?;
    if let Some(hash) = new.password {
        password_set(system, row.id, hash, new.address_proven).await?;
    }
    Ok(row.into())
}

/// Creates an account and signs in, if the operator allows sign-up.
///
/// # Errors
/// [`Error::SignUpClosed`]; [`Error::Throttled`], also after [`SIGN_UPS_PER_ADDRESS`](super::SIGN_UPS_PER_ADDRESS)
/// from one network address; as [`Password::check`] and [`account_create`].
pub async fn account_sign_up(
    store: &Store,
    hasher: &PasswordHasher,
    allowed: SignUp,
    (email, name): (&str, &str),
    password: &Password,
    client: &Client,
) -> Result<(User, NewSession)> {
    if allowed == SignUp::Closed {
        return Err(Error::SignUpClosed);
    }
    let email = text::email(email)?;
    let name = text::NAME.check_optional("the name", Some(name))?;
    password.check(&email)?;
    // Sign-up costs a hash and reveals which addresses have an account, so it is limited like sign-in.
    let attempt = Attempt::begin(store, &email, client, Purpose::SignUp).await?;
    let hash = hasher.hash(password).await?;
    let system = store.system(purpose::SIGN_IN).await?;
    let new = NewAccount {
        email,
        name: name.unwrap_or_default(),
        password: Some(hash),
        address_proven: false,
    };
    let user = account_create(&system, new).await?;
    let event = Event::done("sign_up", user.id, None);
    journal::add(&system, event, &client.origin).await?;
    attempt.succeed(&system).await?;
    let session = session_create(&system, user.id, "password", client).await?;
    system.commit().await?;
    Ok((user, session))
}

/// The account with that address, within the caller's scope.
///
/// # Errors
/// [`Error::Invalid`] for an invalid address.
pub async fn account_by_email(system: &SystemScope, email: &str) -> Result<Option<User>> {
    let email = text::email_sought(email)?;
    let found = system
        .find::<user::Entity>(user::Column::Email.eq(&email))
        .await?;
    Ok(found.into_iter().next().map(Into::into))
}

/// Marks the account's address as verified. A password from an unverified sign-up, which somebody may have created
/// under another person's address, is deleted with its sessions. Call it before the account gets more rights because
/// of its address.
///
/// # Errors
/// The database refuses.
pub async fn account_address_proven(system: &SystemScope, user: UserId) -> Result<()> {
    let unproven = sea_orm::Condition::all()
        .add(password::Column::UserId.eq(user))
        .add(password::Column::AddressProven.eq(false));
    if system.delete::<password::Entity>(unproven).await? > 0 {
        sessions_revoke_all(system, user, None).await?;
    }
    Ok(())
}

/// Sets the password of an account, and replaces the previous one.
///
/// # Errors
/// [`Error::NotFound`] if there is no such account.
pub async fn password_set(
    system: &SystemScope,
    user: UserId,
    hash: PasswordHash,
    address_proven: bool,
) -> Result<()> {
    system
        .sql_execute(
            "INSERT INTO passwords (user_id, hash, address_proven, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE SET hash = $2, address_proven = $3, changed_at = $4",
            [
                user.0.into(),
                hash.0.into(),
                address_proven.into(),
                system.env().now().into(),
            ],
        )
        .await
        .map(drop)
}

/// Changes the user's own password, which needs the old one, and ends the user's other sessions.
///
/// # Errors
/// [`Error::SignInRefused`] for a wrong old password, [`Error::Throttled`] for too many of them; as
/// [`Password::check`].
pub async fn password_change(
    store: &Store,
    hasher: &PasswordHasher,
    (user, kept): (&User, SessionId),
    old: &Password,
    new: &Password,
    client: &Client,
) -> Result<()> {
    new.check(&user.email)?;
    let attempt = Attempt::begin(store, &user.email, client, Purpose::SignIn).await?;
    let known = password_of(store, &user.email).await?;
    let proven = known.as_ref().is_some_and(|known| known.address_proven);
    if hasher
        .verify(old, known.and_then(|known| known.hash))
        .await?
        == Verdict::Wrong
    {
        let system = store.system(purpose::SIGN_IN).await?;
        let event = Event {
            outcome: "SIGN_IN_REFUSED",
            ..Event::done("password_change", user.id, Some(kept))
        };
        journal::add(&system, event, &client.origin).await?;
        system.commit().await?;
        return Err(Error::SignInRefused(WRONG));
    }
    let hash = hasher.hash(new).await?;
    let system = store.system(purpose::SIGN_IN).await?;
    password_set(&system, user.id, hash, proven).await?;
    sessions_revoke_all(&system, user.id, Some(kept)).await?;
    attempt.succeed(&system).await?;
    let event = Event::done("password_change", user.id, Some(kept));
    journal::add(&system, event, &client.origin).await?;
    system.commit().await
}

/// Sets the password of the account with that address for an operator, ends its sessions, and resets its failed
/// sign-ins, so that the person can sign in at once.
///
/// # Errors
/// [`Error::NotFound`] if there is no such account; as [`Password::check`].
pub async fn password_reset(
    store: &Store,
    hasher: &PasswordHasher,
    email: &str,
    new: &Password,
) -> Result<User> {
    new.check(email)?;
    let hash = hasher.hash(new).await?;
    let system = store.system(purpose::SIGN_IN).await?;
    let user = account_by_email(&system, email).await?;
    let user = user.ok_or(Error::NotFound("user"))?;
    password_set(&system, user.id, hash, true).await?;
    sessions_revoke_all(&system, user.id, None).await?;
    throttle::forget(&system, &user.email).await?;
    let event = Event::done("password_reset", user.id, None);
    journal::add_by_operator(&system, event).await?;
    system.commit().await?;
    Ok(user)
}

/// The tenant and the first owner of a new server.
#[derive(Debug, Clone)]
pub struct FirstOwner {
    /// The tenant's slug.
    pub tenant: String,
    /// The tenant's name; the slug if it is `None`.
    pub name: Option<String>,
    /// The owner's e-mail address.
    pub email: String,
    /// The owner's password.
    pub password: Password,
}

/// Creates the first tenant with its owner, only if there is no tenant; otherwise returns `None`. Of several replicas
/// that start together one creates it.
///
/// # Errors
/// As [`Password::check`] and [`tenant_create`](crate::directory::tenant_create).
pub async fn first_owner_create(
    store: &Store,
    hasher: &PasswordHasher,
    first: &FirstOwner,
) -> Result<Option<(Tenant, User)>> {
    if tenants_exist(&store.system(purpose::DIRECTORY_READ).await?).await? {
        return Ok(None);
    }
    first.password.check(&first.email)?;
    let hash = hasher.hash(&first.password).await?;
    let system = store.system(purpose::TENANT_CREATE).await?;
    if system.backend() == DbBackend::Postgres {
        // The lock's number is arbitrary and used nowhere else: "nyxfirst" as bytes. SQLite has only one writer.
        system
            .sql_execute("SELECT pg_advisory_xact_lock(7960526197605167988)", [])
            .await?;
    }
    if tenants_exist(&system).await? {
        return Ok(None);
    }
    let name = first.name.as_deref().unwrap_or(&first.tenant);
    let (tenant, owner) = tenant_insert(&system, &first.tenant, name, &first.email).await?;
    password_set(&system, owner.id, hash, true).await?;
    let origin = Origin::default();
    let detail = serde_json::json!({"action": "first_owner_create"});
    system
        .record("OK", Some(tenant.id.0), &origin, Some(detail))
        .await?;
    system.commit().await?;
    Ok(Some((tenant, owner)))
}

async fn tenants_exist(system: &SystemScope) -> Result<bool> {
    #[derive(FromQueryResult)]
    struct ExistenceRow {
        #[expect(dead_code, reason = "that there is a row is the answer")]
        one: i64,
    }
    let rows: Vec<ExistenceRow> = system
        .sql_all("SELECT CAST(1 AS bigint) AS one FROM tenants LIMIT 1", [])
        .await?;
    Ok(!rows.is_empty())
}
