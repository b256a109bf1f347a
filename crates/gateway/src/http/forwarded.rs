//! The address of the client: of the connection, or as given by a trusted proxy.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName};

use crate::web::TrustedProxies;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The known facts about the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Remote {
    /// The client's address.
    pub(super) address: Option<IpAddr>,
    /// Whether the client came by HTTPS to a trusted proxy.
    pub(super) https: bool,
    /// Whether a trusted proxy named the client. The connection is then the proxy's.
    pub(super) by_proxy: bool,
}

impl Remote {
    /// Finds out who sent a request.
    pub(super) fn of(request: &Request, trusted: &TrustedProxies) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical());
        Self::read(peer, request.headers(), trusted)
    }

    fn read(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &TrustedProxies) -> Self {
        let Some(proxy) = peer.filter(|peer| trusted.contains(*peer)) else {
            return Self {
                address: peer,
                ..Self::default()
            };
        };
        // Each proxy appends the address of its client. The last one that is not a trusted proxy is the client. The
        // addresses before it are the client's own claim.
        let mut address = proxy;
        for heard in words(headers, &FORWARDED_FOR).rev() {
            let Some(heard) = address_read(heard) else {
                break;
            };
            address = heard;
            if !trusted.contains(heard) {
                break;
            }
        }
        let proto = words(headers, &FORWARDED_PROTO).next_back();
        Self {
            address: Some(address),
            https: proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
            by_proxy: true,
        }
    }
}

fn words<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl DoubleEndedIterator<Item = &'h str> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
}

/// Parses an address with or without a port: proxies write both.
fn address_read(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let address = bare.parse().or_else(|_| with_port()).ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(peer: &str, forwarded_for: &[&'static str], proto: Option<&'static str>) -> Remote {
        let mut headers = HeaderMap::new();
        for value in forwarded_for {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        if let Some(proto) = proto {
            headers.insert(FORWARDED_PROTO, HeaderValue::from_static(proto));
        }
        let trusted = TrustedProxies::parse("10.0.0.0/8, ::1").unwrap();
        Remote::read(peer.parse().ok(), &headers, &trusted)
    }

    fn address(peer: &str, forwarded_for: &[&'static str]) -> String {
        let address = read(peer, forwarded_for, None).address;
        address.map_or(String::new(), |address| address.to_string())
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_who_the_client_is() {
        assert_eq!(address("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert!(!read("192.0.2.1", &[], Some("https")).https);
        assert_eq!(address("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert!(read("::1", &[], Some("https")).https);
        assert!(!read("::1", &[], Some("https, http")).https);
    }

    #[test]
    fn what_the_client_itself_wrote_into_the_header_does_not_count() {
        let spoofed = ["1.1.1.1, 198.51.100.7, 10.0.0.2"];
        assert_eq!(address("10.0.0.1", &spoofed), "198.51.100.7");
        assert_eq!(
            address("10.0.0.1", &["1.1.1.1", "198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(address("10.0.0.1", &["1.1.1.1, nonsense"]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn an_address_may_have_a_port() {
        assert_eq!(address("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(address("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(address("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
    }
}
