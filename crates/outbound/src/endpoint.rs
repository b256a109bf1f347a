//! The base URL of an API, given by a user.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::HostResolver;
use super::policy::OutboundPolicy;

/// Names that always lead into the server's own network: loopback (RFC 6761, 6.3), multicast DNS (RFC 6762) and the
/// names that cloud providers give their metadata services.
const PRIVATE_NAMES: &[&str] = &["localhost", "local", "internal"];

/// Why a base URL is refused. The text completes a sentence: "the base URL ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is not a plain HTTP or HTTPS URL.
    #[error("{0}")]
    Invalid(&'static str),
    /// It leads to an address that the policy does not allow.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Its host name has no address.
    #[error("has a host name that cannot be resolved")]
    Unresolved,
}

/// The base URL of an API: `https://`, or `http://` to a private address where the policy allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Parses a base URL and checks what can be checked without the network. [`Endpoint::addresses_resolve`] checks the
    /// addresses of a host name, just before a call.
    ///
    /// # Errors
    /// [`EndpointError::Invalid`]; [`EndpointError::Forbidden`].
    pub fn parse(text: &str, policy: OutboundPolicy) -> Result<Self, EndpointError> {
        // A URL that the parser would silently repair is refused instead.
        let is_plain = |c: char| c.is_ascii_graphic() && !"\\\"'`<>|{}^".contains(c);
        if !text.chars().all(is_plain) {
            return Err(EndpointError::Invalid(
                "has characters that are not allowed in a URL",
            ));
        }
        let url =
            Url::parse(text).map_err(|_| EndpointError::Invalid("is not a well-formed URL"))?;
        // The parser would also repair `https:/host` and `https:///host`.
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(url.scheme()) || authority.is_empty() {
            return Err(EndpointError::Invalid(
                "must start with https:// and a host",
            ));
        }
        if authority.contains('@') {
            return Err(EndpointError::Invalid(
                "must not contain a user or password",
            ));
        }
        if text.contains(['?', '#']) {
            return Err(EndpointError::Invalid(
                "must not have a query or a fragment",
            ));
        }
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
            return Err(EndpointError::Invalid(
                "must start with https:// and a host",
            ));
        }
        if url.port() == Some(0) {
            return Err(EndpointError::Invalid("has a port that cannot be used"));
        }
        let endpoint = Self(url);
        if !endpoint.is_encrypted() && !policy.allow_private {
            return Err(EndpointError::Forbidden("must use https://"));
        }
        match endpoint.ip() {
            Some(address) => endpoint.address_check(policy, address)?,
            None if endpoint.has_private_name() && !policy.allow_private => {
                let reason = "leads to a private network, which the operator has not allowed";
                return Err(EndpointError::Forbidden(reason));
            }
            None => {}
        }
        Ok(endpoint)
    }

    /// The URL, normalised, without a slash at the end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host where it is a name; `None` where it is an address.
    pub fn domain(&self) -> Option<&str> {
        self.0.domain()
    }

    /// Whether calls are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Resolves the host once and checks every address that it has. A client must be pinned to the result, as by
    /// [`client_builder`](crate::client_builder).
    ///
    /// # Errors
    /// [`EndpointError::Forbidden`] where any address is not allowed: a name that has both a public and a private
    /// address is a sign of DNS rebinding. [`EndpointError::Unresolved`] where there is no address.
    pub async fn addresses_resolve(
        &self,
        policy: OutboundPolicy,
        resolver: &dyn HostResolver,
    ) -> Result<Vec<IpAddr>, EndpointError> {
        let addresses = match (self.ip(), self.domain()) {
            (Some(address), _) => vec![address],
            (None, Some(name)) => resolver.host_resolve(name).await.unwrap_or_default(),
            (None, None) => Vec::new(),
        };
        if addresses.is_empty() {
            return Err(EndpointError::Unresolved);
        }
        for address in &addresses {
            self.address_check(policy, *address)?;
        }
        Ok(addresses)
    }

    fn address_check(&self, policy: OutboundPolicy, address: IpAddr) -> Result<(), EndpointError> {
        policy
            .address_check(address, self.is_encrypted())
            .map_err(|refusal| EndpointError::Forbidden(refusal.reason()))
    }

    fn ip(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    fn has_private_name(&self) -> bool {
        let name = self.domain().unwrap_or_default().trim_end_matches('.');
        PRIVATE_NAMES.contains(&name.rsplit('.').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Resolving;

    const PUBLIC_ONLY: OutboundPolicy = OutboundPolicy {
        allow_private: false,
    };
    const PRIVATE_TOO: OutboundPolicy = OutboundPolicy {
        allow_private: true,
    };

    #[derive(Debug)]
    struct Fixed(&'static [&'static str]);

    impl HostResolver for Fixed {
        fn host_resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            Box::pin(async {
                Ok(self
                    .0
                    .iter()
                    .map(|address| address.parse().unwrap())
                    .collect())
            })
        }
    }

    #[test]
    fn a_public_url_is_taken_in_one_form() {
        for (given, kept) in [
            ("https://llm.example.org/v1", "https://llm.example.org/v1"),
            ("https://LLM.Example.org:443/", "https://llm.example.org"),
            ("https://8.8.8.8/v1/", "https://8.8.8.8/v1"),
            (
                "https://[2606:50c0:8000::153]:8443",
                "https://[2606:50c0:8000::153]:8443",
            ),
        ] {
            assert_eq!(Endpoint::parse(given, PUBLIC_ONLY).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn private_urls_need_the_operators_leave() {
        for url in [
            "http://127.0.0.1:8080",
            "https://127.0.0.1",
            "http://[::1]",
            "https://10.1.2.3/v1",
            "https://192.168.0.7",
            "https://0x7f.1",
            "https://2130706433",
            "https://[::ffff:10.0.0.1]",
            "http://llm.example.org",
            "https://localhost",
            "https://api.localhost/v1",
            "https://LOCALHOST.",
            "https://metadata.google.internal",
            "https://printer.local",
            "https://[fd12::1]",
            "https://[64:ff9b::a00:1]",
        ] {
            let refused = Endpoint::parse(url, PUBLIC_ONLY);
            assert!(
                matches!(refused, Err(EndpointError::Forbidden(_))),
                "{url}: {refused:?}"
            );
            assert!(Endpoint::parse(url, PRIVATE_TOO).is_ok(), "{url}");
        }
    }

    #[test]
    fn metadata_and_reserved_addresses_are_never_called() {
        for url in [
            "https://169.254.169.254",
            "http://169.254.169.254/latest",
            "https://0.0.0.0",
            "https://[::]",
            "https://100.100.100.200",
            "https://168.63.129.16",
            "https://[fd00:ec2::254]",
            "https://224.0.0.1",
            "https://[fe80::1]",
            "https://[::ffff:169.254.169.254]",
            "https://0xa9fea9fe",
            "http://8.8.8.8",
        ] {
            for policy in [PUBLIC_ONLY, PRIVATE_TOO] {
                let refused = Endpoint::parse(url, policy);
                assert!(
                    matches!(refused, Err(EndpointError::Forbidden(_))),
                    "{url}: {refused:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        for url in [
            "",
            "llm.example.org",
            "ftp://llm.example.org",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
            "https:///v1",
            "https:/llm.example.org",
            "https:llm.example.org",
            "https:////llm.example.org",
            "https://user@llm.example.org",
            "https://user:pw@llm.example.org",
            "https://@llm.example.org",
            "https://llm.example.org?",
            "https://llm.example.org/?key=1",
            "https://llm.example.org/#a",
            "https://llm.example.org#",
            "https://llm.example.org\n",
            " https://llm.example.org",
            "https://llm.exa\tmple.org",
            "https:\\\\llm.example.org",
            "https://llm.example.org\\@10.0.0.1",
            "https://llm.example.org:0",
            "https://llm.example.org:99999",
            "https://münchen.example",
        ] {
            let refused = Endpoint::parse(url, PRIVATE_TOO);
            assert!(
                matches!(refused, Err(EndpointError::Invalid(_))),
                "{url}: {refused:?}"
            );
        }
    }

    #[tokio::test]
    async fn every_address_of_a_name_must_be_allowed() {
        let endpoint = Endpoint::parse("https://llm.example.org/v1", PUBLIC_ONLY).unwrap();
        let resolve = async |addresses: &'static [&'static str]| {
            endpoint
                .addresses_resolve(PUBLIC_ONLY, &Fixed(addresses))
                .await
        };
        let public: IpAddr = "8.8.8.8".parse().unwrap();
        assert_eq!(resolve(&["8.8.8.8"]).await, Ok(vec![public]));
        assert_eq!(resolve(&[]).await, Err(EndpointError::Unresolved));
        for addresses in [
            &["10.0.0.1"][..],
            &["8.8.8.8", "127.0.0.1"],
            &["169.254.169.254"],
        ] {
            let refused = endpoint
                .addresses_resolve(PUBLIC_ONLY, &Fixed(addresses))
                .await;
            assert!(
                matches!(refused, Err(EndpointError::Forbidden(_))),
                "{addresses:?}"
            );
        }
        let plain = Endpoint::parse("http://llm.example.org", PRIVATE_TOO).unwrap();
        let refused = plain
            .addresses_resolve(PRIVATE_TOO, &Fixed(&["8.8.8.8"]))
            .await;
        assert!(
            matches!(refused, Err(EndpointError::Forbidden(_))),
            "plain text to a public address"
        );
    }
}
