//! Authentication of users: accounts and passwords, sessions, and rate limits.
//!
//! A user signs in once and is then identified by a session. The permissions are looked up in each tenant, at each
//! request. All events are recorded in the system log, and in the audit log of each tenant of the user.
//!
//! ```
//! use nyxcore_tenancy::sign_in::{Client, Password, PasswordHasher, password_sign_in, session_authenticate};
//! use nyxcore_tenancy::{Result, Store};
//!
//! async fn whoami(store: &Store, hasher: &PasswordHasher) -> Result<Option<String>> {
//!     let password = Password::new("correct horse battery staple");
//!     let signed_in = password_sign_in(store, hasher, "ada@example.org", &password, &Client::default()).await?;
//!     let known = session_authenticate(store, &signed_in.secret, Some("acme")).await?;
//!     Ok(known.map(|known| known.user.name))
//! }
//! ```

mod account;
mod guessable;
mod identity;
mod journal;
mod password;
mod session;
mod throttle;

use sea_orm::FromQueryResult;
use uuid::Uuid;

pub use account::{
    FirstOwner, NewAccount, SignUp, account_address_proven, account_by_email, account_create,
    account_sign_up, first_owner_create, password_change, password_reset, password_set,
};
pub use identity::{
    ExternalIdentity, FLOW_LIFE, FLOWS_PER_ADDRESS, Flow, NewFlow, flow_begin, flow_take,
    identity_sign_in, outside_refused,
};
pub use password::{PASSWORD_MAX, PASSWORD_MIN, Password, PasswordHash, PasswordHasher};
pub(crate) use session::sessions_seen;
pub use session::{
    SESSION_IDLE, SESSION_LIFE, SessionOwner, SignedIn, session_authenticate, session_create,
    session_identify, session_is_well_formed, session_list, session_look, session_revoke,
    sessions_revoke_all, sign_out_everywhere,
};
pub use throttle::{ACCOUNT_FAILURES, ADDRESS_FAILURES, SIGN_UPS_PER_ADDRESS, WINDOW};

use crate::actor::Origin;
use crate::error::{Error, Result};
use crate::model::{Session, UserId};
use crate::registration::purpose;
use crate::store::{Store, SystemScope};
use crate::text;
use journal::Event;
use password::Verdict;
use throttle::{Attempt, Purpose};

/// The message for a wrong password and for an unknown account.
pub(crate) const WRONG: &str = "wrong e-mail address or password";

/// The client, as far as the network reveals it.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// The origin of the request.
    pub origin: Origin,
    /// The browser's `User-Agent`.
    pub user_agent: Option<String>,
}

/// A new session.
#[derive(Clone)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// The secret for the cookie; it is not stored.
    pub secret: String,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Signs in by e-mail address and password. Unknown accounts, accounts without a password and wrong passwords take the
/// same path: the same statements, and one hash.
///
/// # Errors
/// [`Error::SignInRefused`]; [`Error::Throttled`] after [`ACCOUNT_FAILURES`] or [`ADDRESS_FAILURES`];
/// [`Error::Invalid`] for an invalid address.
pub async fn password_sign_in(
    store: &Store,
    hasher: &PasswordHasher,
    email: &str,
    password: &Password,
    client: &Client,
) -> Result<NewSession> {
    let email = text::email_sought(email)?;
    let attempt = Attempt::begin(store, &email, client, Purpose::SignIn).await?;
    let known = password_of(store, &email).await?;
    let user = known.as_ref().map(|known| UserId(known.user_id));
    let stored = known.and_then(|known| known.hash);
    let verdict = hasher.verify(password, stored).await?;
    let (Verdict::Good | Verdict::GoodButOld, Some(user)) = (verdict, user) else {
        let system = store.system(purpose::SIGN_IN).await?;
        let event = Event {
            user,
            ..Event::refused("password", "SIGN_IN_REFUSED")
        };
        journal::add(&system, event, &client.origin).await?;
        system.commit().await?;
        tracing::info!("a sign-in was refused");
        return Err(Error::SignInRefused(WRONG));
    };
    let rehashed = match verdict {
        Verdict::GoodButOld => Some(hasher.hash(password).await?),
        Verdict::Good | Verdict::Wrong => None,
    };
    let system = store.system(purpose::SIGN_IN).await?;
    if let Some(hash) = rehashed {
        let values = [hash.0.into(), user.0.into()];
        system
            .sql_execute("UPDATE passwords SET hash = $1 WHERE user_id = $2", values)
            .await?;
    }
    attempt.succeed(&system).await?;
    let session = session_create(&system, user, "password", client).await?;
    system.commit().await?;
    tracing::info!(user = %user, session = %session.session.id, "signed in by password");
    Ok(session)
}

/// Counts a refused invitation from a client's network, and returns the number within [`WINDOW`].
pub(crate) async fn refusals_count(system: &SystemScope, origin: &Origin) -> Result<i64> {
    throttle::count_from(system, "invitation", origin).await
}

#[derive(FromQueryResult)]
struct KnownRow {
    user_id: Uuid,
    hash: Option<String>,
    address_proven: bool,
}

async fn password_of(store: &Store, email: &str) -> Result<Option<KnownRow>> {
    let system = store.system(purpose::SIGN_IN).await?;
    let rows: Vec<KnownRow> = system
        .sql_all(
            "SELECT u.id AS user_id, p.hash, coalesce(p.address_proven, $2) AS address_proven
             FROM users u LEFT JOIN passwords p ON p.user_id = u.id WHERE u.email = $1",
            [email.into(), false.into()],
        )
        .await?;
    Ok(rows.into_iter().next())
}

/// Deletes expired failures, sessions and login flows, and returns the number of rows. Called at intervals.
///
/// # Errors
/// The database refuses.
pub async fn sign_in_sweep(store: &Store) -> Result<u64> {
    let system = store.system(purpose::SIGN_IN).await?;
    let gone = throttle::sweep(&system).await?
        + session::sweep(&system).await?
        + identity::sweep(&system).await?;
    system.commit().await?;
    Ok(gone)
}
