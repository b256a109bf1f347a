//! Pushes that GitHub tells of: `POST /api/v1/webhooks/github/{tenant}/{source}`. There is no session here and no token: the signature over
//! the body proves who tells.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nyxcore_sync::{WebhookDelivery, WebhookOutcome, WebhookRefusal, webhook_receive};
use nyxcore_tenancy::Origin;
use serde_json::json;
use tokio::sync::Semaphore;

use super::Server;
use super::problem::Problem;

/// Bodies in memory at once: at 25 MiB each they are 200 MiB at the most.
const BODIES_MAX: usize = 8;
/// How long a body may take to come. GitHub waits 10 s for the answer.
const BODY_PATIENCE: Duration = Duration::from_secs(20);
/// Refusals after which an address is not listened to until the window is over.
const REFUSALS_MAX: u32 = 60;
/// How long refusals count, from the first on.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered; with more of them all are forgotten, which costs an attacker more than it gives.
const ADDRESSES_MAX: usize = 10_000;

/// What keeps those who only try from costing much.
pub(super) struct WebhookGate {
    bodies: Semaphore,
    refusals: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Default for WebhookGate {
    fn default() -> Self {
        Self {
            bodies: Semaphore::new(BODIES_MAX),
            refusals: Mutex::default(),
        }
    }
}

impl WebhookGate {
    /// Seconds until an address is listened to again; `None` where it is now.
    fn closed_for(&self, address: Option<IpAddr>, now: Instant) -> Option<i64> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = refusals.get(&network_of(address?))?;
        let left = WINDOW.checked_sub(now.duration_since(*since))?;
        (*count >= REFUSALS_MAX).then(|| i64::try_from(left.as_secs()).unwrap_or(0) + 1)
    }

    fn refused(&self, address: Option<IpAddr>, now: Instant) {
        let Some(address) = address.map(network_of) else {
            return;
        };
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() >= ADDRESSES_MAX {
            refusals.clear();
        }
        let (since, count) = refusals.entry(address).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

/// Of IPv6 the /64, which is the least that one customer gets.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        address => address,
    }
}

/// Takes a delivery. An address that names nothing, a source without a webhook and a wrong signature get one and the same answer.
pub(super) async fn github(
    State(server): State<Server>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let origin = request.extensions().get::<Origin>().cloned();
    let origin = origin.unwrap_or_default();
    let gate = &server.webhooks;
    if let Some(seconds) = gate.closed_for(origin.address, Instant::now()) {
        return Problem::service(&nyxcore_tenancy::Error::Throttled(seconds)).plain();
    }
    let Ok(_room) = gate.bodies.try_acquire() else {
        return busy();
    };
    let headers = request.headers().clone();
    let (tenant, source) = path.map_or_else(|_| Default::default(), |Path(ids)| ids);
    let body = tokio::time::timeout(BODY_PATIENCE, Bytes::from_request(request, &())).await;
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "BODY_TOO_LARGE",
                "the body is larger than any that GitHub sends",
            )
            .plain();
        }
        _ => return Problem::bad_request("the body did not come as a whole").plain(),
    };
    let delivery = WebhookDelivery {
        tenant: tenant.parse().ok(),
        source: source.parse().ok(),
        event: text(&headers, "x-github-event"),
        delivery: text(&headers, "x-github-delivery"),
        signature: text(&headers, "x-hub-signature-256"),
        body: &body,
        origin: origin.clone(),
    };
    let keyring = server.gateway.keyring();
    match webhook_receive(server.gateway.store(), keyring, &delivery).await {
        Ok(outcome) => answer(outcome),
        Err(WebhookRefusal::Unproven) => {
            gate.refused(origin.address, Instant::now());
            tracing::warn!(
                address = origin.address.map(tracing::field::display),
                "a webhook was refused: its address or its signature is wrong"
            );
            Problem::unauthenticated("no webhook with this address and this signature").plain()
        }
        Err(WebhookRefusal::Malformed(reason)) => Problem::bad_request(reason).plain(),
        Err(WebhookRefusal::Store(error)) => Problem::store(&error).plain(),
    }
}

fn answer(outcome: WebhookOutcome) -> Response {
    let (status, body) = match outcome {
        WebhookOutcome::Pong => (StatusCode::OK, json!({"outcome": "PONG"})),
        WebhookOutcome::Started(id) => (
            StatusCode::ACCEPTED,
            json!({"outcome": "STARTED", "syncId": id}),
        ),
        WebhookOutcome::Waiting(id) => (
            StatusCode::ACCEPTED,
            json!({"outcome": "WAITING", "syncId": id}),
        ),
        WebhookOutcome::Follows(id) => (
            StatusCode::ACCEPTED,
            json!({"outcome": "FOLLOWS", "syncId": id}),
        ),
        WebhookOutcome::Ignored(reason) => (
            StatusCode::ACCEPTED,
            json!({"outcome": "IGNORED", "reason": reason}),
        ),
    };
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, json, body.to_string()).into_response()
}

fn busy() -> Response {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "BUSY",
        "too many webhooks at once: try again",
    )
    .plain()
}

/// A header as text; empty where it is not there or is none.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_only_tries_is_not_listened_to_for_a_while() {
        let (gate, began) = (WebhookGate::default(), Instant::now());
        let address = |text: &str| Some(text.parse().unwrap());
        for n in 1..=REFUSALS_MAX {
            assert_eq!(gate.closed_for(address("2001:db8::1"), began), None);
            gate.refused(address(&format!("2001:db8::{n:x}")), began);
        }
        assert_eq!(gate.closed_for(address("2001:db8::1"), began), Some(61));
        assert_eq!(gate.closed_for(address("2001:db8:0:1::1"), began), None);
        assert_eq!(gate.closed_for(None, began), None);
        let later = began + WINDOW;
        gate.refused(address("2001:db8::1"), later);
        assert_eq!(gate.closed_for(address("2001:db8::1"), later), None);
    }
}
