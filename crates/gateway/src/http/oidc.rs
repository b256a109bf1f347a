//! Sign-in with an OpenID Connect provider: one endpoint redirects the browser to the provider, the other handles the
//! callback.
//!
//! | address | does |
//! |---|---|
//! | `GET /auth/oidc/{provider}?return_to=/path` | redirects the browser to the provider |
//! | `GET /auth/oidc/{provider}/callback` | handles the callback, signs in, and redirects to the path |
//!
//! A login flow belongs to the browser that started it: the callback requires a cookie of this flow. So nobody can be
//! tricked into signing in as somebody else by following a link.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use nyxcore_tenancy::Error as StoreError;
use nyxcore_tenancy::sign_in::{
    FLOW_LIFE, NewFlow, flow_begin, flow_take, identity_sign_in, outside_refused,
};
use serde::Deserialize;
use url::Url;

use super::auth::RequestHead;
use super::problem::Problem;
use super::{Server, session};
use crate::oidc::{CallbackParameters, OidcClient, OidcError};

/// The name of a login flow's cookie, before the letters that distinguish flows.
const COOKIE: &str = "nyxcore_oidc_";
/// The number of letters of the state that distinguish the cookies of flows.
const COOKIE_LETTERS: usize = 8;
/// The longest path to come back to, in bytes. A rule of this project.
const RETURN_TO_MAX: usize = 1_000;

/// The addresses below `/auth/oidc`.
pub(super) fn routes() -> Router<Server> {
    let only_get = async || Problem::method_not_allowed("GET").plain();
    Router::new()
        .route("/{provider}", get(start).fallback(only_get))
        .route("/{provider}/callback", get(callback).fallback(only_get))
}

#[derive(Deserialize)]
struct Outward {
    return_to: Option<String>,
}

async fn start(
    State(server): State<Server>,
    Path(provider): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    start_answer(&server, &provider, &parts)
        .await
        .unwrap_or_else(Problem::plain)
}

async fn start_answer(server: &Server, provider: &str, parts: &Parts) -> Result<Response, Problem> {
    let client = client(server, provider)?;
    let asked = RequestHead::parts(parts);
    let Query(outward) = Query::<Outward>::try_from_uri(&parts.uri)
        .map_err(|_| Problem::bad_request("the URL is invalid"))?;
    let return_to = outward.return_to.as_deref().unwrap_or("/");
    if !is_local(return_to) {
        return Err(Problem::bad_request(
            "return_to must be a path of this server, such as /projects",
        ));
    }
    let redirect = redirect_url(server, asked, provider)?;
    let departure = client
        .authorization_redirect(server.gateway.store().env(), &redirect)
        .await
        .map_err(|error| problem(provider, &error))?;
    let flow = NewFlow {
        provider,
        state: &departure.state,
        browser: &departure.verifier,
        nonce: &departure.nonce,
        return_to,
    };
    flow_begin(server.gateway.store(), &flow, &asked.client())
        .await
        .map_err(|error| Problem::service(&error))?;
    let cookie = asked.cookies().set(
        &cookie_name(&departure.state),
        &departure.verifier,
        FLOW_LIFE.num_seconds(),
    );
    let mut response = see_other(departure.url.as_str())?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

#[derive(Deserialize)]
struct Inward {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    /// The issuer that sent the browser back, where the provider names it (RFC 9207).
    iss: Option<String>,
}

async fn callback(
    State(server): State<Server>,
    Path(provider): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    callback_answer(&server, &provider, &parts)
        .await
        .unwrap_or_else(Problem::plain)
}

async fn callback_answer(
    server: &Server,
    provider: &str,
    parts: &Parts,
) -> Result<Response, Problem> {
    let client = client(server, provider)?;
    let (asked, store) = (RequestHead::parts(parts), server.gateway.store());
    let Query(inward) = Query::<Inward>::try_from_uri(&parts.uri).map_err(|_| flow_unknown())?;
    let state = inward.state.ok_or_else(flow_unknown)?;
    let name = cookie_name(&state);
    let browser = asked.cookies().read(asked.headers, &name)?;
    let browser = browser.ok_or_else(flow_unknown)?;
    let flow = flow_take(store, provider, &state, &browser)
        .await
        .map_err(|error| Problem::service(&error))?
        .ok_or_else(flow_unknown)?;
    let elsewhere = inward
        .iss
        .is_some_and(|issuer| issuer != client.provider.issuer);
    let code = match (inward.code, inward.error) {
        (Some(code), None) if !elsewhere => code,
        (_, error) => {
            // Only error codes in the form that the specification defines are logged.
            let plain = |error: &String| error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let error = error.filter(plain).unwrap_or_default();
            tracing::info!(
                provider,
                error,
                elsewhere,
                "a provider returned a browser without a code"
            );
            return Err(refused(server, provider, asked).await);
        }
    };
    let redirect = redirect_url(server, asked, provider)?;
    let parameters = CallbackParameters {
        code,
        verifier: browser,
        nonce: flow.nonce,
        redirect: &redirect,
    };
    let person = match client.exchange_code(store.env(), parameters).await {
        Ok(person) => person,
        Err(error @ OidcError::Unreachable(_)) => return Err(problem(provider, &error)),
        Err(error @ OidcError::Refused(_)) => {
            tracing::warn!(provider, %error, "a sign-in by a provider was refused");
            return Err(refused(server, provider, asked).await);
        }
        Err(OidcError::Claim(claim)) => {
            tracing::warn!(provider, error = %claim, "a sign-in by a provider was refused");
            let words = format!("the response of the provider is invalid: {claim}");
            return Err(refused(server, provider, asked).await.with_message(words));
        }
    };
    let sign_up = server.gateway.sign_in().sign_up;
    let new = identity_sign_in(store, &person, sign_up, &asked.client())
        .await
        .map_err(|error| match error {
            StoreError::SignInRefused(message) => {
                Problem::new(StatusCode::FORBIDDEN, "SIGN_IN_REFUSED", message)
            }
            other => Problem::service(&other),
        })?;
    // The cookies are the same as after every sign-in; only the redirect is specific to this one.
    let signed_in = session::signed_in(server, asked, StatusCode::OK, &new).await?;
    let mut response = see_other(&flow.return_to)?;
    for cookie in signed_in.headers().get_all(header::SET_COOKIE) {
        response
            .headers_mut()
            .append(header::SET_COOKIE, cookie.clone());
    }
    let forget = asked.cookies().set(&name, "", 0);
    response.headers_mut().append(header::SET_COOKIE, forget);
    Ok(response)
}

fn client<'s>(server: &'s Server, provider: &str) -> Result<&'s OidcClient, Problem> {
    let mut clients = server.oidc.iter();
    clients
        .find(|client| client.provider.id == provider)
        .ok_or_else(|| Problem::not_found("unknown sign-in provider"))
}

/// The callback URL for a provider. It is below the public URL, where the operator has set one.
fn redirect_url(server: &Server, asked: RequestHead<'_>, provider: &str) -> Result<Url, Problem> {
    let path = format!("/auth/oidc/{provider}/callback");
    let base = match &server.gateway.sign_in().public_url {
        Some(url) => url.clone(),
        None => {
            let host = asked.headers.get(header::HOST);
            let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
            let scheme = if asked.cookies().is_secure() {
                "https"
            } else {
                "http"
            };
            let named = Url::parse(&format!("{scheme}://{host}/")).ok();
            named
                .filter(|url| {
                    url.path() == "/" && url.query().is_none() && url.username().is_empty()
                })
                .ok_or_else(|| Problem::bad_request("the Host header is invalid"))?
        }
    };
    base.join(&path).map_err(|_| Problem::internal())
}

/// Whether a text is a path of this server, however a browser may read it.
fn is_local(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
    let here = Url::parse("http://here.invalid/").ok();
    let there = here.and_then(|here| here.join(path).ok());
    path.len() <= RETURN_TO_MAX
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(plain)
        && there.is_some_and(|url| url.host_str() == Some("here.invalid"))
}

fn cookie_name(state: &str) -> String {
    let letters = state.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters.take(COOKIE_LETTERS).collect();
    format!("{COOKIE}{letters}")
}

fn see_other(address: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(address).map_err(|_| Problem::internal())?;
    let mut response = (StatusCode::SEE_OTHER, Body::empty()).into_response();
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// The state is unknown, was used, is too old, or belongs to another browser. All get the same answer.
fn flow_unknown() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "SIGN_IN_FLOW_INVALID",
        "this sign-in was not started in this browser, took longer than ten minutes, or is complete: start again",
    )
}

/// Refuses an invalid callback without giving a reason.
async fn refused(server: &Server, provider: &str, asked: RequestHead<'_>) -> Problem {
    let written = outside_refused(server.gateway.store(), provider, &asked.client()).await;
    if let Err(error) = written {
        tracing::error!(?error, "the audit log could not be written");
    }
    Problem::new(
        StatusCode::FORBIDDEN,
        "SIGN_IN_REFUSED",
        "the provider denied the sign-in, or its response could not be verified",
    )
}

fn problem(provider: &str, error: &OidcError) -> Problem {
    tracing::error!(provider, %error, "a sign-in provider fails");
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "IDENTITY_PROVIDER_UNREACHABLE",
        "the sign-in provider does not respond correctly: try again later",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_to_come_back_to_is_of_this_server_however_it_is_read() {
        for path in ["/", "/projects", "/a?b=c#d", "/a//b", "/%2F%2Fevil.example"] {
            assert!(is_local(path), "{path}");
        }
        let long = format!("/{}", "a".repeat(RETURN_TO_MAX));
        for path in [
            "",
            "projects",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/a\r\nSet-Cookie: a=b",
            "https://evil.example",
            "javascript:alert(1)",
            "/ä",
            long.as_str(),
        ] {
            assert!(!is_local(path), "{path:?}");
        }
    }

    #[test]
    fn a_cookies_name_is_plain_whatever_the_state() {
        assert_eq!(
            cookie_name("a-b_c=;d e\u{e9}fghijk"),
            "nyxcore_oidc_abcdefgh"
        );
        assert_eq!(cookie_name(""), COOKIE);
    }
}
