//! Invitation endpoints for the recipient of a link. The page reads the secret after the `#` and sends it here.
//!
//! | address | does |
//! |---|---|
//! | `POST /auth/invitations/look` `{secret}` | returns the tenant, the address, the role and the inviting user |
//! | `POST /auth/invitations/accept` `{secret}` | accepts it for the signed-in user with the invited address |
//! | `POST /auth/invitations/accept` `{secret, name, password}` | creates the account, accepts the invitation, and signs in |
//!
//! If the address already has an account, the response is `CONFLICT`: sign in and accept. Every other problem with an
//! invitation is `INVITATION_INVALID`.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use chrono::SecondsFormat;
use nyxcore_tenancy::Credential;
use nyxcore_tenancy::people::{invitation_accept, invitation_look, invitation_sign_up};
use nyxcore_tenancy::sign_in::Password;
use serde::Deserialize;
use serde_json::json;

use super::Server;
use super::auth::{RequestHead, session_required};
use super::problem::Problem;
use super::session::{answer, read, session_found, signed_in};

/// The addresses below `/auth`.
pub(super) fn routes() -> Router<Server> {
    let only_post = async || Problem::method_not_allowed("POST").plain();
    Router::new()
        .route("/invitations/look", post(look).fallback(only_post))
        .route("/invitations/accept", post(accept).fallback(only_post))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvitationInput {
    secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    secret: String,
    name: Option<String>,
    password: Option<Password>,
}

async fn look(State(server): State<Server>, request: Request) -> Response {
    let looked = async {
        let (_, body): (_, InvitationInput) = read(&server, request).await?;
        let seen = invitation_look(server.gateway.store(), &body.secret)
            .await
            .map_err(|error| Problem::service(&error))?;
        let body = json!({
            "tenantName": seen.tenant_name,
            "email": seen.email,
            "role": seen.role,
            "inviter": seen.inviter,
            "expiresAt": seen.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        });
        Ok(answer(StatusCode::OK, &body))
    };
    looked.await.unwrap_or_else(Problem::plain)
}

async fn accept(State(server): State<Server>, request: Request) -> Response {
    let accepted = async {
        let (parts, body): (_, Accept) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        match (body.name, body.password) {
            (Some(name), Some(password)) => {
                sign_up(&server, asked, &body.secret, &name, &password).await
            }
            (None, None) => join(&server, asked, &body.secret).await,
            _ => Err(Problem::bad_request(
                "a new account needs a name and a password; if you have an account, sign in and send neither",
            )),
        }
    };
    accepted.await.unwrap_or_else(Problem::plain)
}

async fn sign_up(
    server: &Server,
    asked: RequestHead<'_>,
    secret: &str,
    name: &str,
    password: &Password,
) -> Result<Response, Problem> {
    let (store, hasher) = (server.gateway.store(), &server.gateway.sign_in().hasher);
    let (joined, session) =
        invitation_sign_up(store, hasher, secret, name, password, &asked.client())
            .await
            .map_err(|error| Problem::service(&error))?;
    let mut response = signed_in(server, asked, StatusCode::CREATED, &session).await?;
    let tenant = asked.cookies().tenant_set(&joined.tenant.slug);
    response.headers_mut().append(header::SET_COOKIE, tenant);
    Ok(response)
}

async fn join(server: &Server, asked: RequestHead<'_>, secret: &str) -> Result<Response, Problem> {
    let found = session_required(&server.gateway, asked).await?;
    let who = (found.user.id, Credential::Session(found.session.id));
    let joined = invitation_accept(server.gateway.store(), secret, who, &asked.client().origin)
        .await
        .map_err(|error| Problem::service(&error))?;
    session_found(server, asked, joined.tenant.id).await
}
