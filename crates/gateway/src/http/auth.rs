//! Who asks: the token in the `Authorization` header, or in a WebSocket's first message, and the tenant that the client believes it speaks to.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode, Uri, header};
use nyxcore_tenancy::{Acting, Caller, Credential, Origin, Signal, TypedId, directory};
use serde_json::Value;

use super::problem::Problem;
use crate::context::Gateway;

/// The header by which a client says which tenant it means.
const TENANT: &str = "nyxcore-tenant";
/// Names that a token is often given in an address.
const TOKEN_NAMES: [&str; 7] = [
    "token",
    "access_token",
    "api_token",
    "api_key",
    "apikey",
    "authorization",
    "auth",
];

/// A request before it is known who sends it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'r> {
    pub(super) headers: &'r HeaderMap,
    pub(super) uri: &'r Uri,
    pub(super) extensions: &'r Extensions,
}

impl<'r> Asked<'r> {
    pub(super) fn parts(parts: &'r Parts) -> Self {
        Self {
            headers: &parts.headers,
            uri: &parts.uri,
            extensions: &parts.extensions,
        }
    }

    pub(super) fn request(request: &'r Request) -> Self {
        Self {
            headers: request.headers(),
            uri: request.uri(),
            extensions: request.extensions(),
        }
    }

    /// Where it comes from, as the outermost layer found out.
    pub(super) fn origin(&self) -> Origin {
        self.extensions.get().cloned().unwrap_or_default()
    }
}

/// What a client showed, to be looked at again while a stream is open.
#[derive(Clone)]
enum Proof {
    Token(Arc<str>),
}

/// A caller whose token was good when it was shown.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) acting: Acting,
    proof: Proof,
}

/// Finds out who sends a request.
pub(super) async fn request_authenticate(
    gateway: &Gateway,
    asked: Asked<'_>,
) -> Result<Shown, Problem> {
    address_check(asked.uri)?;
    let token = bearer_read(asked.headers)?.ok_or_else(missing)?;
    let tenant = asked
        .headers
        .get(TENANT)
        .map(|slug| slug.to_str().unwrap_or_default());
    authenticate(gateway, token, tenant, asked.origin()).await
}

/// The same for a WebSocket's handshake, where a browser can send no header: `None` where there is none.
pub(super) async fn upgrade_authenticate(
    gateway: &Gateway,
    asked: Asked<'_>,
) -> Result<Option<Shown>, Problem> {
    if asked.headers.contains_key(header::AUTHORIZATION) {
        return request_authenticate(gateway, asked).await.map(Some);
    }
    address_check(asked.uri)?;
    Ok(None)
}

/// The same for the payload of `connection_init`: `{"Authorization": "Bearer nyx_..."}` or `{"token": "nyx_..."}`, and `Nyxcore-Tenant`.
pub(super) async fn init_authenticate(
    gateway: &Gateway,
    payload: Option<&Value>,
    shown_before: Option<Shown>,
    origin: Origin,
) -> Result<Shown, Problem> {
    let field = |wanted: &str| {
        let fields = payload.and_then(Value::as_object)?;
        let (_, value) = fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        value.as_str()
    };
    let tenant = field(TENANT);
    match (field("authorization"), field("token"), shown_before) {
        (Some(authorization), _, _) => {
            authenticate(gateway, scheme_strip(authorization)?, tenant, origin).await
        }
        (None, Some(token), _) => authenticate(gateway, token, tenant, origin).await,
        (None, None, Some(shown)) => {
            tenant_check(gateway, &shown.acting.caller, tenant).await?;
            Ok(shown)
        }
        (None, None, None) => Err(missing()),
    }
}

/// Resolves when what was shown is good no more, or the caller's role has changed: looked at again at once when somebody changes it on any
/// replica, and every now and then. Where the database does not answer, it is asked again.
pub(super) async fn credential_ended(gateway: Gateway, shown: Shown) {
    let mut signals = gateway.store().signals();
    let caller = shown.acting.caller;
    let about = [
        caller.user.uuid(),
        match caller.credential {
            Credential::Token(token) => token.uuid(),
            Credential::Session(session) => session.uuid(),
        },
    ];
    loop {
        let news = async {
            loop {
                match signals.recv().await {
                    Signal::Changed { topic, subject, .. }
                        if topic != directory::TOPIC_CREDENTIAL || !about.contains(&subject) => {}
                    Signal::Changed { .. } | Signal::Resync => break,
                }
            }
        };
        // Passing without news is fine: an expiry makes none.
        let _ = tokio::time::timeout(gateway.limits().token_recheck, news).await;
        match proof_check(&gateway, &shown.proof).await {
            Ok(Some(now)) if now == caller => {}
            Ok(_) => return,
            Err(error) => tracing::warn!(
                ?error,
                "an open stream's token could not be looked at again"
            ),
        }
    }
}

async fn proof_check(
    gateway: &Gateway,
    proof: &Proof,
) -> Result<Option<Caller>, nyxcore_tenancy::Error> {
    match proof {
        Proof::Token(token) => directory::token_authenticate(gateway.store(), token).await,
    }
}

/// A token in an address ends up in logs and histories: it is refused, so that nobody gets used to it.
pub(super) fn address_check(uri: &Uri) -> Result<(), Problem> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let found = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .any(|(name, value)| {
            TOKEN_NAMES
                .iter()
                .any(|token| name.eq_ignore_ascii_case(token))
                || value.starts_with("nyx_")
        });
    if found {
        return Err(Problem::unauthenticated(
            "a token does not belong in an address, where logs keep it: send it in the header Authorization: Bearer nyx_..., and revoke this one",
        ));
    }
    Ok(())
}

async fn authenticate(
    gateway: &Gateway,
    token: &str,
    tenant: Option<&str>,
    origin: Origin,
) -> Result<Shown, Problem> {
    let caller = directory::token_authenticate(gateway.store(), token)
        .await
        .map_err(|error| Problem::store(&error))?
        .ok_or_else(|| Problem::unauthenticated("the token is unknown, expired or revoked"))?;
    tenant_check(gateway, &caller, tenant).await?;
    Ok(Shown {
        acting: Acting::new(caller, origin),
        proof: Proof::Token(token.into()),
    })
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
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "TENANT_MISMATCH",
        "the token does not belong to the tenant that Nyxcore-Tenant names",
    ))
}

fn missing() -> Problem {
    Problem::unauthenticated("show a token: Authorization: Bearer nyx_...")
}

fn bearer_read(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
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
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme_and_nothing_else_is() {
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

    #[test]
    fn a_token_in_an_address_is_seen_by_its_name_and_by_its_form() {
        let refused = |uri: &'static str| address_check(&Uri::from_static(uri)).is_err();
        for uri in [
            "/graphql?token=x",
            "/graphql?query=%7Ba%7D&Access_Token=x",
            "/graphql?t=nyx_01h_ab",
            "/a?auth",
        ] {
            assert!(refused(uri), "{uri}");
        }
        for uri in ["/graphql", "/graphql?query=%7Btoken%7D", "/graphql?after=3"] {
            assert!(!refused(uri), "{uri}");
        }
    }
}
