//! Maps addresses to networks, which count as one client.

use std::net::{IpAddr, Ipv6Addr};

/// An address as it is counted: of IPv6 the /64 network, which is the least that one customer gets.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        address => address,
    }
}
