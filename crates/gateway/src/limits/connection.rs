//! The limits of one client: connections, streams and time.

use std::time::Duration;

/// Bounds of connections and streams, and the time that each part of an exchange may take.
///
/// Requests that are being served are bounded by [`Limits`](super::Limits); these bounds are for clients that are slow,
/// idle or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The maximum number of open connections of the server. Beyond it, the longest idle connection is closed for a
    /// new one. 10,000: about 200 MB if each is a WebSocket with one subscription. The program lowers it to the
    /// system's limit.
    pub connections: usize,
    /// Open connections from one address, and requests under way from one client address behind a trusted proxy. An
    /// IPv6 address counts as its /64 network. Loopback and trusted proxies have no such bound: many clients share
    /// their address. 512: an office of 80 people with 6 connections each, as browsers open them.
    pub per_address: usize,
    /// Connections beyond [`connections`](Self::connections) that are served `/healthz` and `/readyz` only. 16: more
    /// than the health checks of one load balancer need at once.
    pub reserve: usize,
    /// WebSockets and event streams that one person has open at once. 500: a backend that follows each of 500 runs by
    /// its own stream.
    pub streams_per_user: usize,
    /// WebSockets from one address that have not authenticated yet. They have the bound of `per_address` too, and the
    /// exceptions of it. 64: a client authenticates within a round trip, so that this is 64 of them at the same moment.
    pub unauthenticated_sockets_per_address: usize,
    /// How long the first request of a connection may take to come, and each further one from its first byte to the end
    /// of its headers. 20 s: what Apache gives the headers of a request.
    pub headers: Duration,
    /// How long a connection may stay open between two requests. 65 s: load balancers reuse connections for 60 s by
    /// default (AWS, nginx), and the side that closes first must be theirs.
    pub idle: Duration,
    /// How long a request's body may take as a whole. 30 s: 1 MiB at 35 kB/s.
    pub body: Duration,
    /// How long the next part of a request's body may take to come. 10 s: a lost packet is sent again within 3 s.
    pub body_idle: Duration,
    /// How long a client may leave an answer or an event unread. Within this time it has to read [`WRITE_LEAST`] bytes
    /// of the waiting data. 30 s: a phone in a tunnel for half a minute keeps its stream.
    pub write_stall: Duration,
}

/// The bytes that a client must read within [`ConnectionLimits::write_stall`] while more of an answer waits. 8 KiB:
/// half of the initial send buffer of Linux, so that reading a few bytes now and then does not keep an answer in
/// memory.
pub const WRITE_LEAST: usize = 8 * 1024;

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_address: 512,
            reserve: 16,
            streams_per_user: 500,
            unauthenticated_sockets_per_address: 64,
            headers: Duration::from_secs(20),
            idle: Duration::from_secs(65),
            body: Duration::from_secs(30),
            body_idle: Duration::from_secs(10),
            write_stall: Duration::from_secs(30),
        }
    }
}
