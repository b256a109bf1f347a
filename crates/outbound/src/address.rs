//! Classes of network addresses, and resolving host names.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::Pin,
};

/// How far an address may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// Public addresses: always allowed.
    Public,
    /// Loopback and private networks: only where the operator allows them.
    Private,
    /// Link-local, cloud metadata, multicast, unspecified, reserved: never.
    Refused,
}

/// Classifies `address` by the IANA special-purpose registries. An address that contains an IPv4 address (mapped,
/// NAT64, 6to4) has the class of the inner one.
#[must_use]
pub fn address_class(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(address) => v4_class(address),
        IpAddr::V6(address) => v6_class(address),
    }
}

/// Azure's "wire server", the one metadata service at a public address.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
/// Alibaba Cloud's metadata service, inside the carrier-grade NAT range.
const ALIBABA_METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
/// AWS' metadata service over IPv6, inside the unique-local range.
const AWS_METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn v4_class(address: Ipv4Addr) -> AddressClass {
    let [a, b, c, _] = address.octets();
    if address == AZURE_WIRE_SERVER || address == ALIBABA_METADATA {
        return AddressClass::Refused;
    }
    match (a, b, c) {
        (127 | 10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => {
            AddressClass::Private
        }
        (0 | 224..=255, ..)
        | (169, 254, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113) => AddressClass::Refused,
        _ => AddressClass::Public,
    }
}

fn v6_class(address: Ipv6Addr) -> AddressClass {
    let s = address.segments();
    let inner =
        |high: u16, low: u16| v4_class(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    if address == AWS_METADATA_V6 {
        return AddressClass::Refused;
    }
    if address.is_loopback() {
        return AddressClass::Private;
    }
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => inner(high, low),
        // Unspecified, IPv4-compatible, local-use NAT64, discard, Teredo/ORCHID, documentation.
        [0, 0, 0, 0, 0, 0, ..]
        | [0x64, 0xff9b, 1, ..]
        | [0x100, ..]
        | [0x2001, 0..=0x1ff, ..]
        | [0x2001, 0xdb8, ..]
        | [0x3fff, ..] => AddressClass::Refused,
        [0xfc00..=0xfdff, ..] => AddressClass::Private,
        // Only 2000::/3 is global unicast; the rest is link-local, site-local, multicast or reserved.
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Refused,
    }
}

/// A pending answer of a resolver.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves host names. It is a trait, so that a test can play a malicious name server.
pub trait HostResolver: fmt::Debug + Send + Sync {
    /// All addresses of `host`.
    fn host_resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl HostResolver for SystemResolver {
    fn host_resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_is_known() {
        let class = |text: &str| address_class(text.parse().expect(text));
        for public in [
            "140.82.121.4",
            "8.8.8.8",
            "2606:50c0:8000::153",
            "::ffff:8.8.8.8",
            "2002:808:808::1",
            "64:ff9b::808:808",
        ] {
            assert_eq!(class(public), AddressClass::Public, "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.1.1",
            "2002:7f00:1::",
            "64:ff9b::a00:1",
        ] {
            assert_eq!(class(private), AddressClass::Private, "{private}");
        }
        for refused in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.192",
            "198.18.0.1",
            "168.63.129.16",
            "100.100.100.200",
            "::",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "::a9fe:a9fe",
            "2001::1",
            "2001:db8::1",
            "64:ff9b:1::1",
        ] {
            assert_eq!(class(refused), AddressClass::Refused, "{refused}");
        }
    }
}
