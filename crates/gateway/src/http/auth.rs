//! Authentication: by the token in the `Authorization` header or in the first WebSocket message, or by the session
//! cookie of a browser; and the selection of the tenant.
//!
//! If both a token and a session are present, the token counts, but both must belong to the same user. A page that
//! sends one user's token in another user's browser is refused. A session acts in the tenant of the header
//! `Nyxcore-Tenant`, or else of the cookie, or else in the user's first tenant.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Uri, header};
use nyxcore_tenancy::sign_in::{
    Client, SignedIn, session_authenticate, session_identify, session_look,
};
use nyxcore_tenancy::{
    Acting, Caller, Credential, Origin, Signal, SignalReceiver, TypedId, UserId, directory,
};
use serde_json::{Map, Value};

use super::cookie::Cookies;
use super::cross_origin;
use super::problem::Problem;
use crate::gateway::Gateway;

/// The header with which a client names its tenant.
const TENANT: &str = "nyxcore-tenant";
/// The maximum length of a user agent that is stored.
const USER_AGENT_MAX: usize = 512;

/// The head of a request, before the caller is known.
#[derive(Clone, Copy)]
pub(super) struct RequestHead<'r> {
    pub(super) method: &'r Method,
    pub(super) headers: &'r HeaderMap,
    pub(super) uri: &'r Uri,
    pub(super) extensions: &'r Extensions,
}

impl<'r> RequestHead<'r> {
    pub(super) fn parts(parts: &'r Parts) -> Self {
        Self {
            method: &parts.method,
            headers: &parts.headers,
            uri: &parts.uri,
            extensions: &parts.extensions,
        }
    }

    pub(super) fn request(request: &'r Request) -> Self {
        Self {
            method: request.method(),
            headers: request.headers(),
            uri: request.uri(),
            extensions: request.extensions(),
        }
    }

    /// The client's address and the request's id, as the outermost layer found them.
    pub(super) fn origin(&self) -> Origin {
        self.extensions.get().cloned().unwrap_or_default()
    }

    /// The origin of the request with the browser's user agent.
    pub(super) fn client(&self) -> Client {
        let user_agent = self.headers.get(header::USER_AGENT);
        let user_agent = user_agent.and_then(|name| name.to_str().ok());
        Client {
            origin: self.origin(),
            user_agent: user_agent
                .filter(|name| name.len() <= USER_AGENT_MAX)
                .map(str::to_owned),
        }
    }

    /// How this request's cookies are read and written.
    pub(super) fn cookies(&self) -> Cookies {
        let cookies = self.extensions.get().copied();
        cookies.unwrap_or(Cookies::new(true))
    }

    /// The tenant that the browser names by the header or the cookie.
    ///
    /// # Errors
    /// `TENANT_MISMATCH` where the header and the cookie name different tenants: a page must not act in another tenant
    /// than it shows.
    pub(super) fn tenant(&self) -> Result<Option<String>, Problem> {
        let named = self.tenant_named().map(str::to_owned);
        match (named, self.cookies().tenant(self.headers)?) {
            (Some(header), Some(cookie)) if header != cookie => Err(tenants_differ()),
            (Some(slug), _) | (None, Some(slug)) => Ok(Some(slug)),
            (None, None) => Ok(None),
        }
    }

    pub(super) fn tenant_named(&self) -> Option<&'r str> {
        let slug = self.headers.get(TENANT)?;
        Some(slug.to_str().unwrap_or_default())
    }
}

/// The credential of a client, for rechecks while a stream is open.
#[derive(Clone)]
enum Proof {
    Token(Arc<str>),
    Session {
        secret: Arc<str>,
        /// The tenant that the request named, where it named one.
        tenant: Option<Arc<str>>,
    },
}

/// A caller whose token or session was valid when the caller presented it.
#[derive(Clone)]
pub(super) struct VerifiedCredential {
    pub(super) acting: Acting,
    proof: Proof,
    heard: CredentialSignals,
}

/// The signals since just before a credential was verified, so that a stream that opens later misses no change in
/// between. Only one stream takes them.
#[derive(Clone)]
struct CredentialSignals(Arc<Mutex<Option<SignalReceiver>>>);

impl CredentialSignals {
    fn from_now(gateway: &Gateway) -> Self {
        Self(Arc::new(Mutex::new(Some(gateway.store().signals()))))
    }

    fn take(&self) -> Option<SignalReceiver> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Authenticates the sender of a request.
pub(super) async fn request_authenticate(
    gateway: &Gateway,
    asked: RequestHead<'_>,
) -> Result<VerifiedCredential, Problem> {
    let harmless = asked.method.is_safe();
    let shown = shown_read(gateway, asked, harmless).await?;
    shown.ok_or_else(missing)
}

/// Authenticates the handshake of a WebSocket, where a browser cannot send a header. `None` where it carries no
/// credential.
pub(super) async fn upgrade_authenticate(
    gateway: &Gateway,
    asked: RequestHead<'_>,
) -> Result<Option<VerifiedCredential>, Problem> {
    // A later message may change something, whatever the method of the handshake is.
    shown_read(gateway, asked, false).await
}

async fn shown_read(
    gateway: &Gateway,
    asked: RequestHead<'_>,
    harmless: bool,
) -> Result<Option<VerifiedCredential>, Problem> {
    let token = bearer_read(asked.headers)?;
    let secret = asked.cookies().session(asked.headers)?;
    match (token, secret) {
        (None, None) => Ok(None),
        (Some(token), secret) => {
            let shown = authenticate(gateway, token, asked.tenant_named(), asked.origin()).await?;
            if let Some(secret) = secret {
                let session = session_identify(gateway.store(), &secret, None).await;
                let session = session.map_err(|error| Problem::store(&error))?;
                same_person(&shown, session.map(|session| session.user))?;
            }
            Ok(Some(shown))
        }
        (None, Some(secret)) => {
            if !harmless {
                let public_url = gateway.sign_in().public_url.as_ref();
                cross_origin::check(asked.headers, asked.uri, public_url)?;
            }
            let tenant = asked.tenant()?;
            session_shown(gateway, &secret, tenant.as_deref(), asked.origin())
                .await
                .map(Some)
        }
    }
}

/// The session that a browser presents. It does not depend on the tenants of its person.
///
/// # Errors
/// 401 where there is none or it has ended.
pub(super) async fn session_required(
    gateway: &Gateway,
    asked: RequestHead<'_>,
) -> Result<SignedIn, Problem> {
    let secret = asked.cookies().session(asked.headers)?;
    let secret = secret.ok_or_else(session_ended)?;
    let tenant = asked.tenant()?;
    let signed_in = session_authenticate(gateway.store(), &secret, tenant.as_deref()).await;
    signed_in
        .map_err(|error| Problem::store(&error))?
        .ok_or_else(session_ended)
}

/// Authenticates by the payload of `connection_init`: `{"Authorization": "Bearer nyx_..."}` or `{"token": "nyx_..."}`,
/// and `Nyxcore-Tenant`. Without a token in the payload, the session of the handshake counts.
pub(super) async fn init_authenticate(
    gateway: &Gateway,
    payload: Option<&Map<String, Value>>,
    shown_before: Option<VerifiedCredential>,
    origin: Origin,
) -> Result<VerifiedCredential, Problem> {
    let field = |wanted: &str| {
        let (_, value) = payload?
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        value.as_str()
    };
    let tenant = field(TENANT);
    let token = match (field("authorization"), field("token")) {
        (Some(authorization), _) => Some(scheme_strip(authorization)?),
        (None, token) => token,
    };
    match (token, shown_before) {
        (Some(token), before) => {
            let shown = authenticate(gateway, token, tenant, origin).await?;
            same_person(&shown, before.map(|before| before.acting.caller.user))?;
            Ok(shown)
        }
        (None, Some(shown)) => match (&shown.proof, tenant) {
            (Proof::Session { tenant: before, .. }, Some(tenant))
                if before.as_deref().is_some_and(|before| before != tenant) =>
            {
                Err(tenants_differ())
            }
            (Proof::Session { secret, .. }, Some(tenant)) => {
                session_shown(gateway, secret, Some(tenant), origin).await
            }
            _ => {
                tenant_check(gateway, &shown.acting.caller, tenant).await?;
                Ok(shown)
            }
        },
        (None, None) => Err(missing()),
    }
}

/// Resolves when the credential stops being valid or the caller's role changes. Rechecked on every change signal and
/// at intervals. If the database does not respond, the check is repeated.
pub(super) async fn credential_ended(gateway: Gateway, shown: VerifiedCredential) {
    let heard = shown.heard.take();
    let mut signals = heard.unwrap_or_else(|| gateway.store().signals());
    let caller = shown.acting.caller;
    let about = [
        caller.user.uuid(),
        match caller.credential {
            Credential::Token(token) => token.uuid(),
            Credential::Session(session) => session.uuid(),
        },
    ];
    loop {
        // The first check is needed too: the credential may have ended before the signals were subscribed to. Boxed, so
        // that an open stream does not keep the memory that the database query needs.
        match Box::pin(proof_check(&gateway, &shown)).await {
            Ok(Some(now)) if now == caller => {}
            Ok(_) => return,
            Err(error) => tracing::warn!(
                ?error,
                "an open stream's credential could not be looked at again"
            ),
        }
        let news = async {
            loop {
                match signals.recv().await {
                    Signal::Changed { topic, subject, .. }
                        if topic != directory::TOPIC_CREDENTIAL || !about.contains(&subject) => {}
                    Signal::Changed { .. } | Signal::Resync => break,
                }
            }
        };
        // A time-out without a signal is expected: the expiry of a credential sends no signal.
        let _ = tokio::time::timeout(gateway.limits().token_recheck, news).await;
    }
}

async fn proof_check(
    gateway: &Gateway,
    shown: &VerifiedCredential,
) -> Result<Option<Caller>, nyxcore_tenancy::Error> {
    match &shown.proof {
        Proof::Token(token) => directory::token_look(gateway.store(), token).await,
        Proof::Session { secret, .. } => {
            let session = session_look(gateway.store(), secret).await?;
            Ok(session.and_then(|session| session.caller_in(shown.acting.caller.tenant)))
        }
    }
}

pub(super) async fn authenticate(
    gateway: &Gateway,
    token: &str,
    tenant: Option<&str>,
    origin: Origin,
) -> Result<VerifiedCredential, Problem> {
    let heard = CredentialSignals::from_now(gateway);
    let owner = directory::token_identify(gateway.store(), token)
        .await
        .map_err(|error| Problem::store(&error))?
        .ok_or_else(|| Problem::unauthenticated("the token is unknown, expired or revoked"))?;
    // A tenant that is not the token's and one that does not exist get the same answer.
    if tenant.is_some_and(|named| named != owner.tenant_slug) {
        return Err(tenant_not_the_tokens());
    }
    Ok(VerifiedCredential {
        acting: Acting::new(owner.caller, origin),
        proof: Proof::Token(token.into()),
        heard,
    })
}

async fn session_shown(
    gateway: &Gateway,
    secret: &str,
    tenant: Option<&str>,
    origin: Origin,
) -> Result<VerifiedCredential, Problem> {
    let heard = CredentialSignals::from_now(gateway);
    let session = session_identify(gateway.store(), secret, tenant).await;
    let session = session
        .map_err(|error| Problem::store(&error))?
        .ok_or_else(session_ended)?;
    let caller = session.caller.ok_or_else(|| match tenant {
        Some(_) => Problem::new(
            StatusCode::FORBIDDEN,
            "TENANT_MISMATCH",
            "you are not a member of this tenant: choose one of your tenants with POST /auth/tenant",
        ),
        None => Problem::new(
            StatusCode::FORBIDDEN,
            "NO_TENANT",
            "you are not a member of any tenant yet: accept an invitation",
        ),
    })?;
    Ok(VerifiedCredential {
        acting: Acting::new(caller, origin),
        proof: Proof::Session {
            secret: secret.into(),
            tenant: tenant.map(Into::into),
        },
        heard,
    })
}

/// Passes if the token and the session belong to the same user, or there is no session.
fn same_person(shown: &VerifiedCredential, beside: Option<UserId>) -> Result<(), Problem> {
    match beside {
        Some(user) if user != shown.acting.caller.user => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "CREDENTIALS_AMBIGUOUS",
            "the token and the session belong to different users: send only one of them",
        )),
        _ => Ok(()),
    }
}

fn tenants_differ() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "TENANT_MISMATCH",
        "Nyxcore-Tenant differs from the tenant that was chosen in this browser",
    )
}

fn session_ended() -> Problem {
    Problem::unauthenticated("not signed in, or the session has ended; sign in")
}

/// A tenant that is not the token's and one that does not exist get the same answer.
async fn tenant_check(
    gateway: &Gateway,
    caller: &Caller,
    slug: Option<&str>,
) -> Result<(), Problem> {
    let Some(slug) = slug else { return Ok(()) };
    let tenant = directory::tenant_by_slug(gateway.store(), slug)
        .await
        .map_err(|error| Problem::store(&error))?;
    if tenant.is_some_and(|tenant| tenant.id == caller.tenant) {
        return Ok(());
    }
    Err(tenant_not_the_tokens())
}

fn tenant_not_the_tokens() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "TENANT_MISMATCH",
        "the token does not belong to the tenant that Nyxcore-Tenant names",
    )
}

fn missing() -> Problem {
    Problem::unauthenticated(
        "authentication required: send Authorization: Bearer nyx_..., or sign in",
    )
}

pub(super) fn bearer_read(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => scheme_strip(value.to_str().unwrap_or_default()).map(Some),
        (Some(_), Some(_)) => Err(Problem::unauthenticated("send one Authorization header")),
    }
}

fn scheme_strip(text: &str) -> Result<&str, Problem> {
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_bearer_tokens_are_read_in_any_case_of_the_scheme() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer_read(&headers)
                .map(|token| token.map(str::to_owned))
                .map_err(|_| ())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer nyx_a"]), Ok(Some("nyx_a".into())));
        assert_eq!(read(&["bearer  nyx_a "]), Ok(Some("nyx_a".into())));
        assert_eq!(read(&["Basic bnl4"]), Err(()));
        assert_eq!(read(&["nyx_a"]), Err(()));
        assert_eq!(read(&["Bearer nyx_a", "Bearer nyx_b"]), Err(()));
    }
}
