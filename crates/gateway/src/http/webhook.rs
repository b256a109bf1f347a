//! GitHub push webhooks: `POST /api/v1/webhooks/github/{tenant}/{source}`. There is no session and no token: the
//! signature over the body authenticates the sender.
//!
//! The cost of unauthenticated requests is limited. An address with many refused requests is blocked for a while. Only
//! the body for an existing webhook is kept; any other body is read, hashed and dropped, so that response and work are
//! the same. A large body waits for one of a few slots, which are shared by source and network address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nyxcore_projects::SourceId;
use nyxcore_sync::{
    WEBHOOK_BODY_MAX, WebhookAddress, WebhookDelivery, WebhookOutcome, WebhookRefusal,
    webhook_receive,
};
use nyxcore_tenancy::{Origin, TypedId};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::{timeout, timeout_at};
use uuid::Uuid;

use super::Server;
use super::body::RequestBody;
use super::network::network_of;
use super::problem::Problem;
use super::slots::{Slot, Slots};

/// The largest body that needs no place. GitHub's pushes are 10 to 100 kB. 512 bodies of this size at once, from one
/// address, are 128 MiB.
const BODY_SMALL: usize = 256 * 1024;
/// Larger bodies in memory at once: at 25 MiB each they are 200 MiB at the most.
const LARGE_MAX: usize = 8;
/// Larger bodies at once for one source, and from one address. So neither takes all the places.
const LARGE_OF_ONE: usize = 2;
/// The minimum rate of a large body in bytes per second, once another one waits for its place. GitHub sends a push of
/// 25 MiB within its 10 s.
const LARGE_RATE: u64 = 1024 * 1024;
/// How long a large body keeps its place in any case.
const LARGE_GRACE: Duration = Duration::from_secs(1);
/// How long a body may take as a whole. GitHub gives up after 10 s.
const BODY_PATIENCE: Duration = Duration::from_secs(20);
/// The number of refusals after which an address is blocked until the window is over.
const REFUSALS_MAX: u32 = 60;
/// The length of the window in which refusals are counted, from the first one on.
const WINDOW: Duration = Duration::from_secs(60);
/// The maximum number of addresses that are remembered. Beyond it all are forgotten, which costs an attacker more than
/// it gains.
const ADDRESSES_MAX: usize = 10_000;

/// Bounds the cost of senders without a valid signature.
#[derive(Default)]
pub(super) struct WebhookGate {
    /// The places that large bodies have taken, per source and per address.
    large: Slots<Share>,
    /// The bodies that wait for such a place.
    waiting: Slots<Share>,
    /// Notifies when a place has become free.
    freed: Arc<Notify>,
    refusals: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

/// The source or the address that a large body is counted for.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Share {
    All,
    Source(Uuid),
    Address(IpAddr),
}

/// The place of one large body.
struct LargePlace {
    slots: Vec<Slot<Share>>,
    waiting: Slots<Share>,
    freed: Arc<Notify>,
    since: Instant,
    bytes: u64,
}

impl LargePlace {
    /// Whether this body must give up its place: it is slow, and another body waits.
    fn is_in_the_way(&self, now: Instant) -> bool {
        let held = now.duration_since(self.since);
        let least = u128::from(LARGE_RATE) * held.as_millis() / 1000;
        held >= LARGE_GRACE
            && u128::from(self.bytes) < least
            && self.slots.iter().any(|slot| self.waiting.any(slot.owner()))
    }

    /// The next chunk of the body that holds this place.
    async fn part(&mut self, body: &mut RequestBody) -> Result<Option<Bytes>, Problem> {
        loop {
            let part = timeout(LARGE_GRACE, body.next()).await;
            if let Ok(Ok(Some(part))) = &part {
                self.bytes += part.len() as u64;
            }
            if self.is_in_the_way(Instant::now()) {
                return Err(Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "BODY_TIMEOUT",
                    "the body was sent too slowly while others wait",
                ));
            }
            if let Ok(part) = part {
                return part;
            }
        }
    }
}

impl Drop for LargePlace {
    fn drop(&mut self) {
        self.slots.clear();
        self.freed.notify_waiters();
    }
}

impl WebhookGate {
    /// Seconds until an address is no longer blocked; `None` if it is not blocked.
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

    /// Waits for the place of a large body.
    async fn large_place(&self, source: Uuid, address: Option<IpAddr>) -> LargePlace {
        let shares = shares(source, address);
        let waiting = shares.map(|(share, _)| self.waiting.take(share, usize::MAX));
        let _waiting: Vec<_> = waiting.collect();
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.large_try(source, address) {
                return place;
            }
            freed.await;
        }
    }

    fn large_try(&self, source: Uuid, address: Option<IpAddr>) -> Option<LargePlace> {
        let slots = shares(source, address).map(|(share, most)| self.large.take(share, most));
        Some(LargePlace {
            slots: slots.collect::<Option<_>>()?,
            waiting: self.waiting.clone(),
            freed: Arc::clone(&self.freed),
            since: Instant::now(),
            bytes: 0,
        })
    }
}

/// The source and the address that a large body counts for, with the maximum of each.
fn shares(source: Uuid, address: Option<IpAddr>) -> impl Iterator<Item = (Share, usize)> {
    let address = address.map(|address| (Share::Address(address), LARGE_OF_ONE));
    let ends = [
        (Share::Source(source), LARGE_OF_ONE),
        (Share::All, LARGE_MAX),
    ];
    ends.into_iter().chain(address)
}

/// Receives a delivery. An unknown address, a source without a webhook and a wrong signature get the same answer.
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
    let delivered = delivery_take(&server, path.ok(), request, &origin).await;
    delivered.map_or_else(
        |failure| {
            let problem = match failure {
                Failure::Refused(problem) => {
                    gate.refused(origin.address, Instant::now());
                    tracing::warn!(
                        address = origin.address.map(tracing::field::display),
                        reason = problem.message(),
                        "a webhook delivery was refused"
                    );
                    problem
                }
                Failure::Failed(problem) => problem,
            };
            problem.plain()
        },
        answer,
    )
}

/// Why a delivery was not accepted.
enum Failure {
    /// Counts as a refusal of the sender's address.
    Refused(Problem),
    /// The sender is not at fault, or has proven its identity.
    Failed(Problem),
}

async fn delivery_take(
    server: &Server,
    path: Option<Path<(String, String)>>,
    request: Request,
    origin: &Origin,
) -> Result<WebhookOutcome, Failure> {
    let (tenant, source) = path.map_or_else(Default::default, |Path(ids)| ids);
    let (tenant, source) = (tenant.parse().ok(), source.parse::<SourceId>().ok());
    let (store, keyring) = (server.gateway.store(), server.gateway.keyring());
    let mut address = WebhookAddress::find(store, keyring, tenant, source)
        .await
        .map_err(|error| Failure::Failed(Problem::store(&error)))?;
    let (parts, body) = request.into_parts();
    let limits = crate::limits::ConnectionLimits {
        body: server.gateway.limits().connection.body.min(BODY_PATIENCE),
        ..server.gateway.limits().connection.clone()
    };
    let mut reader = RequestBody::open(&parts.headers, body, WEBHOOK_BODY_MAX, &limits)
        .map_err(Failure::Refused)?;
    let (mut body, mut large) = (Vec::new(), None);
    loop {
        let part = match &mut large {
            Some(place) => LargePlace::part(place, &mut reader).await,
            None => reader.next().await,
        };
        let Some(part) = part.map_err(Failure::Refused)? else {
            break;
        };
        address.body_read(&part);
        if !address.exists() {
            continue;
        }
        body.extend_from_slice(&part);
        if body.len() > BODY_SMALL && large.is_none() {
            let source = source.map(|source| source.uuid()).unwrap_or_default();
            let place = server
                .webhooks
                .large_place(source, server.bounded_address(origin.address));
            large = Some(
                timeout_at(reader.until(), place)
                    .await
                    .map_err(|_| Failure::Failed(busy()))?,
            );
        }
    }
    let headers = &parts.headers;
    let delivery = WebhookDelivery {
        event: text(headers, "x-github-event"),
        delivery: text(headers, "x-github-delivery"),
        signature: text(headers, "x-hub-signature-256"),
        body: &body,
        origin: origin.clone(),
    };
    let received = webhook_receive(store, address, &delivery).await;
    drop(large);
    received.map_err(|refusal| match refusal {
        WebhookRefusal::Unproven => Failure::Refused(Problem::unauthenticated(
            "no webhook with this address and this signature",
        )),
        WebhookRefusal::Malformed(reason) => Failure::Failed(Problem::bad_request(reason)),
        WebhookRefusal::Store(error) => Failure::Failed(Problem::store(&error)),
    })
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

fn busy() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "BUSY",
        "too many large webhook deliveries at once; try again",
    )
}

/// A header as text; empty where it is missing or not text.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_that_is_refused_often_is_closed() {
        let (gate, began) = (WebhookGate::default(), Instant::now());
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

    #[test]
    fn large_bodies_of_one_source_leave_room_for_others() {
        let gate = WebhookGate::default();
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let places: Vec<_> = (0..3).filter_map(|_| gate.large_try(first, None)).collect();
        assert_eq!(places.len(), LARGE_OF_ONE);
        let other = gate.large_try(second, address("192.0.2.1"));
        assert!(other.is_some());
        drop((places, other));
        let many: Vec<_> = (0..20)
            .filter_map(|n| gate.large_try(Uuid::from_u128(n), None))
            .collect();
        assert_eq!(many.len(), LARGE_MAX);
        drop(many);
        assert!(gate.large_try(first, address("192.0.2.1")).is_some());
    }

    #[test]
    fn a_slow_body_loses_its_place_to_who_waits() {
        let gate = WebhookGate::default();
        let source = Uuid::from_u128(1);
        let mut places: Vec<_> = (0..LARGE_OF_ONE)
            .filter_map(|_| gate.large_try(source, None))
            .collect();
        places[1].bytes = 10 * LARGE_RATE;
        let later = |place: &LargePlace, seconds| place.since + Duration::from_secs(seconds);
        assert!(!places[0].is_in_the_way(later(&places[0], 5)));
        let mut waiting = Box::pin(gate.large_place(source, None));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        assert!(!places[0].is_in_the_way(places[0].since));
        assert!(places[0].is_in_the_way(later(&places[0], 5)));
        assert!(!places[1].is_in_the_way(later(&places[1], 5)));
        drop(waiting);
        assert!(!places[0].is_in_the_way(later(&places[0], 5)));
    }

    #[test]
    fn a_place_that_is_given_back_wakes_who_waits() {
        let gate = WebhookGate::default();
        let source = Uuid::from_u128(1);
        let mut places: Vec<_> = (0..LARGE_OF_ONE)
            .filter_map(|_| gate.large_try(source, None))
            .collect();
        let mut waiting = Box::pin(gate.large_place(source, None));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        places.pop();
        assert!(waiting.as_mut().poll(&mut context).is_ready());
    }
}
