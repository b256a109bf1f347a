//! Sign-in and sign-out for browsers: JSON requests, JSON responses and cookies.
//!
//! | address | does |
//! |---|---|
//! | `GET /auth/methods` | the available sign-in methods, and whether the server has no tenant yet |
//! | `POST /auth/sign-in` `{email, password}` | signs in |
//! | `POST /auth/sign-up` `{email, password, name?}` | creates an account and signs in, if the operator allows sign-up |
//! | `GET /auth/session` | the signed-in user, the user's tenants, and the chosen tenant |
//! | `POST /auth/tenant` `{slug}` | chooses the tenant |
//! | `POST /auth/password` `{current, new}` | changes the password and ends the other sessions |
//! | `GET /auth/sessions` | the sessions of the signed-in user |
//! | `POST /auth/sessions/end` `{id}` | ends one of these sessions |
//! | `POST /auth/sign-out` | ends this session |
//! | `POST /auth/sign-out-everywhere` | ends all sessions |
//!
//! Sessions belong to a user and not to a tenant, so they are here and not in the schema: a token acts for a user in
//! one tenant and cannot see or end sessions. Every POST requires JSON from a page of this server.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, SecondsFormat, Utc};
use nyxcore_tenancy::sign_in::{
    NewSession, Password, SignUp, SignedIn, account_sign_up, password_change, password_sign_in,
    session_list, session_look, session_revoke, sign_out_everywhere,
};
use nyxcore_tenancy::{Session, SessionId, TenantId, TypedId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::auth::{RequestHead, session_required};
use super::body::RequestBody;
use super::graphql::is_json;
use super::link::set_up_needed;
use super::problem::Problem;
use super::{Server, cross_origin};

/// The maximum length of a body. It has room for a password of the maximum length with every character escaped.
const BODY_MAX: usize = 16 * 1024;

/// The addresses below `/auth`.
pub(super) fn routes() -> Router<Server> {
    let only_get = async || Problem::method_not_allowed("GET").plain();
    let only_post = async || Problem::method_not_allowed("POST").plain();
    Router::new()
        .route("/methods", get(methods).fallback(only_get))
        .route("/session", get(session).fallback(only_get))
        .route("/sessions", get(sessions).fallback(only_get))
        .route("/sessions/end", post(session_end).fallback(only_post))
        .route("/sign-in", post(sign_in).fallback(only_post))
        .route("/sign-up", post(sign_up).fallback(only_post))
        .route("/tenant", post(tenant).fallback(only_post))
        .route("/password", post(password).fallback(only_post))
        .route("/sign-out", post(sign_out).fallback(only_post))
        .route("/sign-out-everywhere", post(everywhere).fallback(only_post))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: Password,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    email: String,
    password: Password,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passwords {
    current: Password,
    new: Password,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slug {
    slug: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionInput {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn methods(State(server): State<Server>) -> Response {
    let set_up = set_up_needed(&server).await;
    let sign_up = match server.gateway.sign_in().sign_up {
        SignUp::Closed => "closed",
        SignUp::Open => "open",
    };
    let oidc: Vec<Value> = server
        .oidc
        .iter()
        .map(|client| json!({"id": client.provider.id, "name": client.provider.name}))
        .collect();
    let body = json!({"password": true, "oidc": oidc, "signUp": sign_up, "setUp": set_up});
    answer(StatusCode::OK, &body)
}

async fn sign_in(State(server): State<Server>, request: Request) -> Response {
    let signed_in = async {
        let (parts, body): (_, SignIn) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let hasher = &server.gateway.sign_in().hasher;
        let new = password_sign_in(
            server.gateway.store(),
            hasher,
            &body.email,
            &body.password,
            &asked.client(),
        )
        .await
        .map_err(|error| Problem::service(&error))?;
        signed_in(&server, asked, StatusCode::OK, &new).await
    };
    signed_in.await.unwrap_or_else(Problem::plain)
}

async fn sign_up(State(server): State<Server>, request: Request) -> Response {
    let signed_up = async {
        let (parts, body): (_, NewAccount) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let options = server.gateway.sign_in();
        let (_, new) = account_sign_up(
            server.gateway.store(),
            &options.hasher,
            options.sign_up,
            (&body.email, &body.name),
            &body.password,
            &asked.client(),
        )
        .await
        .map_err(|error| Problem::service(&error))?;
        signed_in(&server, asked, StatusCode::CREATED, &new).await
    };
    signed_up.await.unwrap_or_else(Problem::plain)
}

/// The response after a sign-in by any method: the user, with the session cookie. The browser's previous session ends.
/// The chosen tenant is kept if the user is in it.
pub(super) async fn signed_in(
    server: &Server,
    asked: RequestHead<'_>,
    status: StatusCode,
    new: &NewSession,
) -> Result<Response, Problem> {
    let store = server.gateway.store();
    let cookies = asked.cookies();
    if let Ok(Some(before)) = cookies.session(asked.headers)
        && let Ok(Some(before)) = session_look(store, &before).await
    {
        let ended = session_revoke(store, before.user.id, before.session.id, &asked.client()).await;
        if let Err(error) = ended {
            tracing::warn!(?error, "the session before could not be ended");
        }
    }
    let found = session_look(store, &new.secret).await;
    let mut found = found
        .map_err(|error| Problem::store(&error))?
        .ok_or_else(Problem::internal)?;
    let chosen = cookies.tenant(asked.headers).ok().flatten();
    if let Some(chosen) = chosen {
        let kept = found
            .tenants
            .iter()
            .find(|(tenant, _)| tenant.slug == chosen);
        let kept = kept.map(|(tenant, _)| tenant.id);
        if let Some(kept) = kept {
            found.caller = found.caller_in(kept);
        }
    }
    let mut response = answer(status, &signed_in_json(&found));
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookies.session_set(&new.secret));
    if let Some(slug) = slug_of(&found) {
        headers.append(header::SET_COOKIE, cookies.tenant_set(slug));
    }
    Ok(response)
}

async fn session(State(server): State<Server>, request: Request) -> Response {
    let asked = RequestHead::request(&request);
    let found = async { session_required(&server.gateway, asked).await };
    match found.await {
        Ok(found) => answer(StatusCode::OK, &signed_in_json(&found)),
        Err(problem) => problem.plain(),
    }
}

async fn tenant(State(server): State<Server>, request: Request) -> Response {
    let chosen = async {
        let (parts, body): (_, Slug) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let mut found = session_required(&server.gateway, asked).await?;
        let wanted = found
            .tenants
            .iter()
            .find(|(tenant, _)| tenant.slug == body.slug);
        // A tenant that does not exist and one that the person is not in get the same answer.
        let wanted: TenantId = wanted
            .map(|(tenant, _)| tenant.id)
            .ok_or_else(|| Problem::not_found("no such tenant"))?;
        found.caller = found.caller_in(wanted);
        Ok(chosen_answer(asked, &found))
    };
    chosen.await.unwrap_or_else(Problem::plain)
}

/// Answers who is signed in, as [`session`] does, and sets the chosen tenant in the cookie.
fn chosen_answer(asked: RequestHead<'_>, found: &SignedIn) -> Response {
    let mut response = answer(StatusCode::OK, &signed_in_json(found));
    if let Some(slug) = slug_of(found) {
        let cookie = asked.cookies().tenant_set(slug);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The response for a new member of a tenant, which becomes the chosen tenant.
pub(super) async fn session_found(
    server: &Server,
    asked: RequestHead<'_>,
    chosen: TenantId,
) -> Result<Response, Problem> {
    let mut found = session_required(&server.gateway, asked).await?;
    found.caller = found.caller_in(chosen);
    Ok(chosen_answer(asked, &found))
}

/// Chooses a tenant in a response of [`signed_in`].
pub(super) fn tenant_chosen(
    asked: RequestHead<'_>,
    slug: &str,
    mut response: Response,
) -> Response {
    let cookie = asked.cookies().tenant_set(slug);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

async fn password(State(server): State<Server>, request: Request) -> Response {
    let changed = async {
        let (parts, body): (_, Passwords) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let found = session_required(&server.gateway, asked).await?;
        password_change(
            server.gateway.store(),
            &server.gateway.sign_in().hasher,
            (&found.user, found.session.id),
            &body.current,
            &body.new,
            &asked.client(),
        )
        .await
        .map_err(|error| Problem::service(&error))?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    changed.await.unwrap_or_else(Problem::plain)
}

async fn sessions(State(server): State<Server>, request: Request) -> Response {
    let asked = RequestHead::request(&request);
    let listed = async {
        let found = session_required(&server.gateway, asked).await?;
        let all = session_list(server.gateway.store(), found.user.id).await;
        let all = all.map_err(|error| Problem::store(&error))?;
        let all: Vec<Value> = all
            .iter()
            .map(|session| session_json(session, session.id == found.session.id))
            .collect();
        Ok(answer(StatusCode::OK, &json!({ "sessions": all })))
    };
    listed.await.unwrap_or_else(Problem::plain)
}

async fn session_end(State(server): State<Server>, request: Request) -> Response {
    let ended = async {
        let (parts, body): (_, SessionInput) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let found = session_required(&server.gateway, asked).await?;
        let id = SessionId::parse(&body.id).map_err(|_| Problem::not_found("no such session"))?;
        session_revoke(server.gateway.store(), found.user.id, id, &asked.client())
            .await
            .map_err(|error| Problem::service(&error))?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    ended.await.unwrap_or_else(Problem::plain)
}

async fn sign_out(State(server): State<Server>, request: Request) -> Response {
    let ended = async {
        let (parts, Nothing {}) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        // Without a valid session there is nothing to end, and the cookies are removed all the same.
        if let Ok(Some(secret)) = asked.cookies().session(asked.headers) {
            let store = server.gateway.store();
            let found = session_look(store, &secret).await;
            if let Some(found) = found.map_err(|error| Problem::store(&error))? {
                session_revoke(store, found.user.id, found.session.id, &asked.client())
                    .await
                    .map_err(|error| Problem::service(&error))?;
            }
        }
        Ok(forgotten(asked, StatusCode::NO_CONTENT.into_response()))
    };
    ended.await.unwrap_or_else(Problem::plain)
}

async fn everywhere(State(server): State<Server>, request: Request) -> Response {
    let ended = async {
        let (parts, Nothing {}) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let found = session_required(&server.gateway, asked).await?;
        let store = server.gateway.store();
        let ended = sign_out_everywhere(store, found.user.id, None, &asked.client())
            .await
            .map_err(|error| Problem::service(&error))?;
        let response = answer(StatusCode::OK, &json!({ "ended": ended }));
        Ok(forgotten(asked, response))
    };
    ended.await.unwrap_or_else(Problem::plain)
}

fn forgotten(asked: RequestHead<'_>, mut response: Response) -> Response {
    for cookie in asked.cookies().clear() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Reads a POST of a page of this server. Errors do not quote the body, which may contain a password.
pub(super) async fn read<T: DeserializeOwned>(
    server: &Server,
    request: Request,
) -> Result<(axum::http::request::Parts, T), Problem> {
    let (parts, body) = request.into_parts();
    let public_url = server.gateway.sign_in().public_url.as_ref();
    cross_origin::check(&parts.headers, &parts.uri, public_url)?;
    if !is_json(&parts.headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "send the request as Content-Type: application/json",
        ));
    }
    let limits = &server.gateway.limits().connection;
    let body = RequestBody::open(&parts.headers, body, BODY_MAX, limits)?;
    let body = body.whole().await?;
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let body = serde_json::from_slice(text)
        .map_err(|_| Problem::bad_request("the body is not the expected JSON"))?;
    Ok((parts, body))
}

pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    let json = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    )];
    (status, json, body.to_string()).into_response()
}

fn signed_in_json(found: &SignedIn) -> Value {
    let tenants: Vec<Value> = found
        .tenants
        .iter()
        .map(|(tenant, role)| json!({"id": tenant.id, "slug": tenant.slug, "name": tenant.name, "role": role}))
        .collect();
    json!({
        "user": {"id": found.user.id, "email": found.user.email, "name": found.user.name},
        "session": session_json(&found.session, true),
        "tenants": tenants,
        "tenant": slug_of(found),
    })
}

fn slug_of(found: &SignedIn) -> Option<&str> {
    let meant = found.caller?.tenant;
    let mut tenants = found.tenants.iter();
    let (tenant, _) = tenants.find(|(tenant, _)| tenant.id == meant)?;
    Some(&tenant.slug)
}

fn session_json(session: &Session, current: bool) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({
        "id": session.id,
        "current": current,
        "createdAt": time(session.created_at),
        "lastSeenAt": time(session.last_seen_at),
        "expiresAt": time(session.expires_at),
        "address": session.address,
        "userAgent": session.user_agent,
    })
}
