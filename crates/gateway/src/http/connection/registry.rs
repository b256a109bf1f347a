//! The open connections: their maximum number, and which one is closed to make room for another.
//!
//! A connection is idle until the headers of a request were read, and again after the response was sent. Only idle
//! connections are closed, the longest idle first. So silent clients cannot keep others out, and no request is cut
//! off.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The service that a new connection gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Service {
    /// Everything.
    Full,
    /// Health checks only: the server has no room for more.
    HealthOnly,
}

/// The bounds of a [`Registry`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) connections: usize,
    pub(super) per_address: usize,
    pub(super) reserve: usize,
}

/// All open connections.
#[derive(Clone)]
pub(super) struct Registry(Arc<Mutex<State>>);

struct State {
    bounds: Bounds,
    /// The number of the next connection.
    next: u64,
    open: HashMap<u64, Arc<Entry>>,
}

struct Entry {
    /// The address whose connection count this connection adds to; `None` where it adds to none.
    address: Option<IpAddr>,
    service: Service,
    activity: Mutex<Activity>,
    evicted: CancellationToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Activity {
    /// Requests and streams in progress.
    busy: usize,
    /// Requests so far.
    requests: u64,
    /// When it became idle, as a number that grows with each such event in the registry.
    idle_since: u64,
    evicted: bool,
}

impl Registry {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Mutex::new(State {
            bounds,
            next: 0,
            open: HashMap::new(),
        })))
    }

    /// Registers a new connection, and closes an idle one where there is no room. `None` where no connection is idle.
    pub(super) fn admit(&self, address: Option<IpAddr>) -> Option<Lease> {
        let mut state = self.state();
        let Bounds {
            connections,
            per_address,
            reserve,
        } = state.bounds;
        if let Some(address) = address {
            let same = |entry: &Entry| entry.address == Some(address);
            if state.count(same) >= per_address && !state.evict(same) {
                return None;
            }
        }
        let full = |entry: &Entry| entry.service == Service::Full;
        let health = |entry: &Entry| entry.service == Service::HealthOnly;
        let service = if state.count(full) < connections || state.evict(full) {
            Service::Full
        } else if state.count(health) < reserve || state.evict(health) {
            Service::HealthOnly
        } else {
            return None;
        };
        let id = state.next;
        state.next += 1;
        let entry = Arc::new(Entry {
            address,
            service,
            activity: Mutex::new(Activity {
                busy: 0,
                requests: 0,
                idle_since: id,
                evicted: false,
            }),
            evicted: CancellationToken::new(),
        });
        state.open.insert(id, Arc::clone(&entry));
        drop(state);
        Some(Lease(Arc::new(Place {
            id,
            entry,
            registry: self.clone(),
        })))
    }

    /// Closes the connection that is idle for the longest time. `false` where none is idle.
    pub(super) fn evict_one(&self) -> bool {
        self.state().evict(|_| true)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&self, counts: impl Fn(&Entry) -> bool) -> usize {
        self.open.values().filter(|entry| counts(entry)).count()
    }

    fn evict(&mut self, among: impl Fn(&Entry) -> bool) -> bool {
        let idle = self.open.iter().filter(|(_, entry)| among(entry));
        let idle = idle.filter_map(|(id, entry)| Some((entry.activity().idle()?, *id)));
        let Some((_, id)) = idle.min() else {
            return false;
        };
        // A request may have begun on this connection since then. The next new connection tries again.
        let evicted = self.open.get(&id).is_some_and(|entry| entry.evict());
        if evicted {
            self.open.remove(&id);
        }
        evicted
    }
}

impl Entry {
    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn evict(&self) -> bool {
        let mut activity = self.activity();
        let idle = activity.idle().is_some();
        if idle {
            activity.evicted = true;
            self.evicted.cancel();
        }
        idle
    }
}

impl Activity {
    fn idle(self) -> Option<u64> {
        (self.busy == 0 && !self.evicted).then_some(self.idle_since)
    }
}

/// A connection's place in the registry. It is free again when the last clone is dropped.
#[derive(Clone)]
pub(in crate::http) struct Lease(Arc<Place>);

struct Place {
    id: u64,
    entry: Arc<Entry>,
    registry: Registry,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.state().open.remove(&self.id);
    }
}

impl Lease {
    /// The service that the connection gets.
    pub(in crate::http) fn service(&self) -> Service {
        self.0.entry.service
    }

    /// Marks the begin of a request or a stream: the connection is not idle while the guard lives. `None` where the
    /// connection has been closed to make room for another.
    pub(in crate::http) fn begin(&self) -> Option<RequestGuard> {
        let mut activity = self.0.entry.activity();
        if activity.evicted {
            return None;
        }
        activity.busy += 1;
        activity.requests += 1;
        drop(activity);
        Some(RequestGuard(self.clone()))
    }

    /// How many requests have begun, and whether one is in progress.
    pub(super) fn requests(&self) -> (u64, bool) {
        let activity = *self.0.entry.activity();
        (activity.requests, activity.busy > 0)
    }

    /// Closes the connection if it is idle, and returns whether it was.
    pub(super) fn evict(&self) -> bool {
        self.0.entry.evict()
    }

    /// Resolves when the connection has to make room for another.
    pub(in crate::http) async fn evicted(&self) {
        self.0.entry.evicted.cancelled().await;
    }
}

/// A request or a stream in progress.
pub(in crate::http) struct RequestGuard(Lease);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let place = &self.0.0;
        let mut state = place.registry.state();
        let now = state.next;
        state.next += 1;
        drop(state);
        let mut activity = place.entry.activity();
        activity.busy -= 1;
        activity.idle_since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(connections: usize, per_address: usize, reserve: usize) -> Registry {
        Registry::new(Bounds {
            connections,
            per_address,
            reserve,
        })
    }

    fn address(n: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, n]))
    }

    fn is_evicted(lease: &Lease) -> bool {
        lease.0.entry.activity().evicted
    }

    #[test]
    fn an_address_at_its_bound_loses_its_oldest_idle_connection() {
        let registry = registry(100, 2, 0);
        let other = registry.admit(address(9)).unwrap();
        let (first, second) = (
            registry.admit(address(1)).unwrap(),
            registry.admit(address(1)).unwrap(),
        );
        drop(first.begin());
        let third = registry.admit(address(1)).unwrap();
        assert_eq!(
            [&other, &first, &second, &third].map(is_evicted),
            [false, false, true, false]
        );
        assert!(second.begin().is_none());
    }

    #[test]
    fn a_busy_connection_is_never_closed_for_another() {
        let registry = registry(100, 2, 0);
        let leases = [
            registry.admit(address(1)).unwrap(),
            registry.admit(address(1)).unwrap(),
        ];
        let busy = leases.each_ref().map(|lease| lease.begin().unwrap());
        assert!(registry.admit(address(1)).is_none());
        assert!(registry.admit(address(2)).is_some());
        drop(busy);
        assert!(registry.admit(address(1)).is_some());
    }

    #[test]
    fn a_full_server_keeps_room_for_health_checks() {
        let registry = registry(2, 10, 1);
        let leases = [registry.admit(None).unwrap(), registry.admit(None).unwrap()];
        let _busy = leases.each_ref().map(|lease| lease.begin().unwrap());
        let health = registry.admit(address(1)).unwrap();
        assert_eq!(health.service(), Service::HealthOnly);
        let next = registry.admit(address(1)).unwrap();
        assert_eq!(
            (next.service(), is_evicted(&health)),
            (Service::HealthOnly, true)
        );
        let _busy_too = next.begin();
        assert!(registry.admit(address(1)).is_none());
    }

    #[test]
    fn idle_connections_never_fill_the_server() {
        let registry = registry(3, 10, 0);
        let leases: Vec<Lease> = (0..50)
            .map(|n| registry.admit(address(n)).unwrap())
            .collect();
        assert_eq!(leases.iter().filter(|lease| !is_evicted(lease)).count(), 3);
        assert!(leases.iter().all(|lease| lease.service() == Service::Full));
        assert_eq!(registry.state().open.len(), 3);
    }

    #[test]
    fn a_place_is_free_when_its_connection_is_gone() {
        let registry = registry(1, 1, 0);
        let lease = registry.admit(address(1)).unwrap();
        let clone = lease.clone();
        let busy = lease.begin();
        drop(lease);
        assert!(registry.admit(address(1)).is_none());
        drop((busy, clone));
        assert!(registry.admit(address(1)).is_some());
    }
}
