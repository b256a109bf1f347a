//! One-time links, for a browser on the machine of the server. The program prints them, and they are void when it
//! exits.
//!
//! | address | does |
//! |---|---|
//! | `POST /auth/link` `{secret}` | signs in the person of the link |
//! | `POST /auth/set-up` `{secret, slug, name, email, password}` | creates the first tenant with its owner, and signs in |
//!
//! A link is accepted only by a server that listens on loopback, and only from this machine.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use nyxcore_tenancy::UserId;
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::purpose;
use nyxcore_tenancy::sign_in::{
    FirstOwner, NewSession, Password, first_owner_create, session_create,
};
use serde::Deserialize;

use super::Server;
use super::auth::RequestHead;
use super::problem::Problem;
use super::session::{read, signed_in, tenant_chosen};
use crate::console::{LinkPurpose, OneTimeLink};

/// The addresses below `/auth`.
pub(super) fn routes() -> Router<Server> {
    let only_post = async || Problem::method_not_allowed("POST").plain();
    Router::new()
        .route("/link", post(link).fallback(only_post))
        .route("/set-up", post(set_up).fallback(only_post))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkInput {
    secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstTenant {
    secret: String,
    slug: String,
    name: String,
    email: String,
    password: Password,
}

/// Whether there is no tenant yet. `false` if the database does not answer.
pub(super) async fn set_up_needed(server: &Server) -> bool {
    if server.tenant_seen.load(Ordering::Relaxed) {
        return false;
    }
    match tenant_list(server.gateway.store()).await {
        Ok(all) if all.is_empty() => true,
        Ok(_) => {
            server.tenant_seen.store(true, Ordering::Relaxed);
            false
        }
        Err(error) => {
            tracing::warn!(?error, "whether there is a tenant is not known");
            false
        }
    }
}

async fn link(State(server): State<Server>, request: Request) -> Response {
    let opened = async {
        let (parts, body): (_, LinkInput) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let link = link_here(&server, asked)?;
        let now = server.gateway.store().env().now();
        let is_it = |purpose: &LinkPurpose| matches!(purpose, LinkPurpose::SignIn { .. });
        let purpose = link.take(&body.secret, now, is_it).ok_or_else(invalid)?;
        let LinkPurpose::SignIn { user, tenant } = &purpose else {
            return Err(invalid());
        };
        let opened = async {
            let new = session_new(&server, *user, asked).await?;
            let response = signed_in(&server, asked, StatusCode::OK, &new).await?;
            Ok(tenant_chosen(asked, tenant, response))
        };
        opened.await.inspect_err(|_| link.put_back(purpose.clone()))
    };
    opened.await.unwrap_or_else(Problem::plain)
}

async fn set_up(State(server): State<Server>, request: Request) -> Response {
    let made = async {
        let (parts, body): (_, FirstTenant) = read(&server, request).await?;
        let asked = RequestHead::parts(&parts);
        let link = link_here(&server, asked)?;
        let now = server.gateway.store().env().now();
        let is_it = |purpose: &LinkPurpose| *purpose == LinkPurpose::SetUp;
        let purpose = link.take(&body.secret, now, is_it).ok_or_else(invalid)?;
        let made = async {
            let first = FirstOwner {
                tenant: body.slug,
                name: Some(body.name),
                email: body.email,
                password: body.password,
            };
            let hasher = &server.gateway.sign_in().hasher;
            let made = first_owner_create(server.gateway.store(), hasher, &first).await;
            let made = made.map_err(|error| Problem::service(&error))?;
            let (_, owner) = made.ok_or_else(|| {
                let message = "there is a tenant already: sign in, or ask for an invitation";
                Problem::new(StatusCode::CONFLICT, "CONFLICT", message)
            })?;
            let new = session_new(&server, owner.id, asked).await?;
            signed_in(&server, asked, StatusCode::CREATED, &new).await
        };
        made.await.inspect_err(|_| link.put_back(purpose))
    };
    made.await.unwrap_or_else(Problem::plain)
}

async fn session_new(
    server: &Server,
    user: UserId,
    asked: RequestHead<'_>,
) -> Result<NewSession, Problem> {
    let made = async {
        let system = server.gateway.store().system(purpose::SIGN_IN).await?;
        let new = session_create(&system, user, "link", &asked.client()).await?;
        system.commit().await?;
        Ok(new)
    };
    made.await
        .map_err(|error: nyxcore_tenancy::Error| Problem::store(&error))
}

/// The link of this server, if the request comes from a browser on the server's machine.
fn link_here<'s>(server: &'s Server, asked: RequestHead<'_>) -> Result<&'s OneTimeLink, Problem> {
    let here = asked
        .origin()
        .address
        .is_some_and(|address| IpAddr::to_canonical(&address).is_loopback());
    let link = server.gateway.link().filter(|_| server.loopback && here);
    link.ok_or_else(invalid)
}

fn invalid() -> Problem {
    let message =
        "this link is invalid, was used or has expired; start the command again for a new one";
    Problem::new(StatusCode::FORBIDDEN, "LINK_INVALID", message)
}
