//! The operator's settings for browsers: sign-up, the public URL, and trusted proxies.

use std::net::IpAddr;

use ipnet::IpNet;
use nyxcore_tenancy::Result;
use nyxcore_tenancy::sign_in::{PasswordHasher, SignUp};
use url::Url;

use crate::oidc::OidcProvider;

/// How people sign in at a gateway.
#[derive(Clone, Debug)]
pub struct SignInOptions {
    /// The password hasher.
    pub hasher: PasswordHasher,
    /// Who may create an account without an invitation.
    pub sign_up: SignUp,
    /// The URL of the server for browsers, where it differs from the address that it listens on:
    /// `https://nyx.example.org`.
    pub public_url: Option<Url>,
    /// The proxies whose headers about the client are trusted.
    pub trusted_proxies: TrustedProxies,
    /// The OpenID Connect providers for sign-in. If there are any, the program has installed a TLS crypto provider
    /// (rustls) before it serves.
    pub oidc: Vec<OidcProvider>,
}

impl SignInOptions {
    /// The default settings: sign-up is closed, and there is no proxy.
    ///
    /// # Errors
    /// The random number generator fails.
    pub fn new() -> Result<Self> {
        Ok(Self {
            hasher: PasswordHasher::new()?,
            sign_up: SignUp::Closed,
            public_url: None,
            trusted_proxies: TrustedProxies::default(),
            oidc: Vec::new(),
        })
    }
}

/// The addresses of the proxies in front of the server. Only their `X-Forwarded-For` and `X-Forwarded-Proto` count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses addresses and networks, separated by commas or spaces: `127.0.0.1, 10.0.0.0/8, fd00::/8`.
    ///
    /// # Errors
    /// An entry is neither an address nor a network.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        words.map(network_parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address belongs to a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network_parse(word: &str) -> Result<IpNet, String> {
    let wrong = || format!("{word:?} is neither an IP address nor a network such as 10.0.0.0/8");
    let (address, bits) = match word.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (word, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let address = address.to_canonical();
    match bits {
        None => Ok(address.into()),
        Some(bits) => {
            let bits = bits.parse().map_err(|_| wrong())?;
            IpNet::new(address, bits).map_err(|_| wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_the_networks_that_hold_it() {
        let proxies =
            TrustedProxies::parse("127.0.0.1,10.0.0.0/8 fd00::/8, 192.0.2.128/25").unwrap();
        let contains = |text: &str| proxies.contains(text.parse().unwrap());
        for inside in [
            "127.0.0.1",
            "10.255.0.1",
            "fd12::1",
            "192.0.2.200",
            "::ffff:10.1.1.1",
        ] {
            assert!(contains(inside), "{inside}");
        }
        for outside in [
            "127.0.0.2",
            "11.0.0.1",
            "fe80::1",
            "192.0.2.1",
            "::1",
            "::ffff:11.0.0.1",
        ] {
            assert!(!contains(outside), "{outside}");
        }
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
        assert!(
            TrustedProxies::parse("0.0.0.0/0")
                .unwrap()
                .contains("8.8.8.8".parse().unwrap())
        );
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in [
            "localhost",
            "10.0.0.0/33",
            "10.0.0.0/",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/-1",
        ] {
            assert!(TrustedProxies::parse(wrong).is_err(), "{wrong}");
        }
    }
}
