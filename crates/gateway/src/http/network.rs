//! Maps addresses to networks. The clients of a network are counted as one.

use std::net::{IpAddr, Ipv6Addr};

/// The network that an address counts for. For IPv6 it is the /64 network, the smallest that one customer gets.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        address => address,
    }
}
