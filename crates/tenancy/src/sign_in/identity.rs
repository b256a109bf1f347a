//! Sign-in through an OpenID Connect provider: the login flow of the browser, and the account of the external
//! identity.
//!
//! A flow is started by one browser, is valid for ten minutes and can be completed once. Only SHA-256 hashes of its
//! secrets are stored: of the state in the URL, and of a cookie. Without the cookie nobody can be tricked into
//! completing a flow that somebody else started.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::FromQueryResult;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::account::{
    NewAccount, SignUp, account_address_proven, account_by_email, account_create,
};
use super::journal::{self, Event};
use super::session::session_create;
use super::throttle::address_key;
use super::{Client, NewSession};
use crate::error::{Error, Result};
use crate::model::UserId;
use crate::registration::purpose;
use crate::store::{Store, SystemScope};
use crate::text;

/// The maximum duration of a login flow: enough for a password and a second factor.
pub const FLOW_LIFE: TimeDelta = TimeDelta::minutes(10);
/// The maximum number of open login flows from one network address: an office behind one address may start many at
/// once. A rule of this project.
pub const FLOWS_PER_ADDRESS: i64 = 100;
/// The message if the provider sends no address: it names the missing claim.
const NO_ADDRESS: &str = "the provider did not send an e-mail address (the claim `email`): allow it to share the address and sign in again";
/// The message if the provider has not verified the address. It is sent before any account is looked up.
const UNCONFIRMED: &str = "the provider has not confirmed your e-mail address (the claim `email_verified`): confirm it there and sign in again";
/// The message for a person without an invitation. It is the same whether an account exists or not.
const UNKNOWN: &str = "no account is linked to this identity: ask for an invitation to the e-mail address that the provider has confirmed";

/// The parameters of a new login flow.
#[derive(Clone, Copy)]
pub struct NewFlow<'f> {
    /// The provider, by the operator's name for it.
    pub provider: &'f str,
    /// The state that the provider returns with the browser.
    pub state: &'f str,
    /// The secret that the browser keeps in a cookie.
    pub browser: &'f str,
    /// The value that the provider includes in the signed token.
    pub nonce: &'f str,
    /// The page after the sign-in: a path of this server.
    pub return_to: &'f str,
}

/// A completed login flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The nonce that the provider's signed token must contain.
    pub nonce: String,
    /// The page after the sign-in.
    pub return_to: String,
}

/// Stores a new login flow of a browser.
///
/// # Errors
/// [`Error::Throttled`] if too many flows are open from its network address.
pub async fn flow_begin(store: &Store, new: &NewFlow<'_>, client: &Client) -> Result<()> {
    let system = store.system(purpose::SIGN_IN).await?;
    let now = system.env().now();
    sweep(&system).await?;
    let address = client.origin.address.map(address_key);
    if let Some(address) = &address {
        let under_way: Vec<FlowCount> = system
            .sql_all(
                "SELECT count(*) AS flows FROM sign_in_flows WHERE address = $1",
                [address.clone().into()],
            )
            .await?;
        if under_way.iter().any(|row| row.flows >= FLOWS_PER_ADDRESS) {
            return Err(Error::Throttled(FLOW_LIFE.num_seconds()));
        }
    }
    system
        .sql_execute(
            "INSERT INTO sign_in_flows (state_hash, provider, browser_hash, nonce, return_to, address, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                hash(new.state).into(),
                new.provider.into(),
                hash(new.browser).into(),
                new.nonce.into(),
                new.return_to.into(),
                address.into(),
                now.into(),
                (now + FLOW_LIFE).into(),
            ],
        )
        .await?;
    system.commit().await
}

#[derive(FromQueryResult)]
struct FlowCount {
    flows: i64,
}

#[derive(FromQueryResult)]
struct FlowRow {
    browser_hash: Vec<u8>,
    nonce: String,
    return_to: String,
    expires_at: DateTime<Utc>,
}

/// Ends a login flow in any case: a second call finds none. Also `None` if the flow has expired, belongs to another
/// provider, or was started by another browser.
///
/// # Errors
/// The database refuses.
pub async fn flow_take(
    store: &Store,
    provider: &str,
    state: &str,
    browser: &str,
) -> Result<Option<Flow>> {
    let system = store.system(purpose::SIGN_IN).await?;
    let rows: Vec<FlowRow> = system
        .sql_all(
            "DELETE FROM sign_in_flows WHERE state_hash = $1 AND provider = $2 RETURNING browser_hash, nonce, return_to, expires_at",
            [hash(state).into(), provider.into()],
        )
        .await?;
    let now = system.env().now();
    system.commit().await?;
    let same_browser = |row: &FlowRow| row.browser_hash.ct_eq(&hash(browser)).into();
    let good = rows
        .into_iter()
        .find(|row| row.expires_at > now)
        .filter(same_browser);
    Ok(good.map(|row| Flow {
        nonce: row.nonce,
        return_to: row.return_to,
    }))
}

/// A verified identity at an OpenID Connect provider.
#[derive(Debug, Clone)]
pub struct ExternalIdentity {
    /// The provider, by the operator's name for it.
    pub provider: String,
    /// The provider's own identifier.
    pub issuer: String,
    /// The provider's identifier of the person, which never changes.
    pub subject: String,
    /// The person's e-mail address.
    pub email: Option<String>,
    /// Whether the provider has verified the address.
    pub email_verified: bool,
    /// The person's name.
    pub name: Option<String>,
}

/// Signs in an external identity. At the first sign-in the account is the one with the same e-mail address, if the
/// provider has verified it. Otherwise an account is created, if there is an open invitation for the address or
/// sign-up is open.
///
/// # Errors
/// [`Error::SignInRefused`] otherwise.
pub async fn identity_sign_in(
    store: &Store,
    person: &ExternalIdentity,
    sign_up: SignUp,
    client: &Client,
) -> Result<NewSession> {
    let signed_in = match identity_try(store, person, sign_up, client).await {
        // Two login flows of one person were completed at the same time, and the other one created the account.
        Err(Error::Conflict(_)) => identity_try(store, person, sign_up, client).await,
        other => other,
    };
    if let Err(Error::SignInRefused(_)) = &signed_in {
        outside_refused(store, &person.provider, client).await?;
    }
    signed_in
}

async fn identity_try(
    store: &Store,
    person: &ExternalIdentity,
    sign_up: SignUp,
    client: &Client,
) -> Result<NewSession> {
    let system = store.system(purpose::SIGN_IN).await?;
    let user = match identity_user(&system, person).await? {
        Some(user) => user,
        None => identity_add(&system, person, sign_up, client).await?,
    };
    let session = session_create(&system, user, &method(&person.provider), client).await?;
    system.commit().await?;
    tracing::info!(user = %user, session = %session.session.id, provider = person.provider, "signed in with a provider");
    Ok(session)
}

#[derive(FromQueryResult)]
struct IdentityRow {
    user_id: Uuid,
}

async fn identity_user(system: &SystemScope, person: &ExternalIdentity) -> Result<Option<UserId>> {
    let rows: Vec<IdentityRow> = system
        .sql_all(
            "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2",
            [
                person.issuer.as_str().into(),
                person.subject.as_str().into(),
            ],
        )
        .await?;
    Ok(rows.into_iter().next().map(|row| UserId(row.user_id)))
}

/// Finds or creates the account at the first sign-in, and stores the identity.
async fn identity_add(
    system: &SystemScope,
    person: &ExternalIdentity,
    sign_up: SignUp,
    client: &Client,
) -> Result<UserId> {
    let email = person.email.as_deref();
    let email = email.and_then(|email| text::email(email).ok());
    let email = email.ok_or(Error::SignInRefused(NO_ADDRESS))?;
    // An address that the provider has not verified may belong to anybody.
    if !person.email_verified {
        return Err(Error::SignInRefused(UNCONFIRMED));
    }
    let (user, action) = match account_by_email(system, &email).await? {
        Some(user) => {
            account_address_proven(system, user.id).await?;
            (user.id, "identity_link")
        }
        None if sign_up == SignUp::Open || is_invited(system, &email).await? => {
            let name = person.name.as_deref().and_then(text::name_cleaned);
            let new = NewAccount {
                email,
                name: name.unwrap_or_default(),
                password: None,
                address_proven: true,
            };
            (account_create(system, new).await?.id, "sign_up")
        }
        None => return Err(Error::SignInRefused(UNKNOWN)),
    };
    system
        .sql_execute(
            "INSERT INTO identities (issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4)",
            [
                person.issuer.as_str().into(),
                person.subject.as_str().into(),
                user.0.into(),
                system.env().now().into(),
            ],
        )
        .await?;
    let event = Event {
        method: Some(method(&person.provider)),
        ..Event::done(action, user, None)
    };
    journal::add(system, event, &client.origin).await?;
    Ok(user)
}

#[derive(FromQueryResult)]
struct InvitedRow {
    invitations: i64,
}

async fn is_invited(system: &SystemScope, email: &str) -> Result<bool> {
    let rows: Vec<InvitedRow> = system
        .sql_all(
            "SELECT count(*) AS invitations FROM invitations
             WHERE email = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
            [email.into(), system.env().now().into()],
        )
        .await?;
    Ok(rows.iter().any(|row| row.invitations > 0))
}

/// Records a refused sign-in by a provider.
///
/// # Errors
/// The database refuses.
pub async fn outside_refused(store: &Store, provider: &str, client: &Client) -> Result<()> {
    let system = store.system(purpose::SIGN_IN).await?;
    let event = Event::refused(&method(provider), "SIGN_IN_REFUSED");
    journal::add(&system, event, &client.origin).await?;
    system.commit().await
}

/// Deletes expired login flows.
pub(super) async fn sweep(system: &SystemScope) -> Result<u64> {
    let now = system.env().now();
    system
        .sql_execute(
            "DELETE FROM sign_in_flows WHERE expires_at <= $1",
            [now.into()],
        )
        .await
}

fn method(provider: &str) -> String {
    format!("oidc:{provider}")
}

fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}
