//! The base URL of the API.

use std::net::IpAddr;

use url::{Host, Url};

use crate::GithubError;

/// The address of GitHub itself.
pub const GITHUB_COM: &str = "https://github.com";
/// The path of the API on a GitHub Enterprise Server.
const ENTERPRISE_PATH: &str = "/api/v3";
/// The longest address, in bytes. A rule of this project.
const URL_MAX: usize = 1_000;

/// The base URL of an API. Its form is validated; the caller decides whether this server may connect to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Parses `https://github.com`, the URL of a GitHub Enterprise Server (`https://ghe.example`, with or without
    /// `/api/v3`), or the API's own.
    ///
    /// # Errors
    /// [`GithubError::UrlInvalid`] for a URL with a user, a password, a query or a fragment, or without a host.
    pub fn parse(text: &str) -> Result<Self, GithubError> {
        let text = text.trim();
        if text.len() > URL_MAX {
            return Err(GithubError::UrlInvalid);
        }
        let mut url = Url::parse(text).map_err(|_| GithubError::UrlInvalid)?;
        let plain = matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(GithubError::UrlInvalid);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        match (url.host_str().unwrap_or_default(), path.as_str()) {
            ("github.com" | "www.github.com" | "api.github.com", "")
                if url.scheme() == "https" && url.port().is_none() =>
            {
                url.set_host(Some("api.github.com"))
                    .map_err(|_| GithubError::UrlInvalid)?;
            }
            ("github.com" | "www.github.com" | "api.github.com", _) => {
                return Err(GithubError::UrlInvalid);
            }
            // GitHub Enterprise Cloud with its own domain: `https://api.<name>.ghe.com`.
            (host, "") if host.starts_with("api.") => {}
            (_, "") => url.set_path(ENTERPRISE_PATH),
            (_, path) => url.set_path(path),
        }
        Ok(Self(url))
    }

    /// The URL as it is stored and shown, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The host, where it is a name that has to be resolved.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.0.domain()
    }

    /// The IP address, where the host is one and needs no resolving.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    /// Whether repositories at that URL belong to the server of this API, so that its token may be sent there. The host
    /// must be the same, or the one that the API's host belongs to (`github.com` for `api.github.com`), and the
    /// protocol the same or a safer one. The port may differ.
    #[must_use]
    pub fn owns(&self, repository: &str) -> bool {
        let Ok(url) = Url::parse(repository) else {
            return false;
        };
        let safe = url.scheme() == "https" || (url.scheme() == "http" && self.0.scheme() == "http");
        let (Some(own), Some(theirs)) = (self.0.host_str(), url.host_str()) else {
            return false;
        };
        safe && (own == theirs || own.strip_prefix("api.") == Some(theirs))
    }

    /// A URL below the base URL.
    pub(crate) fn join(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The target of a redirect, if it is on the same server and below the base URL.
    pub(crate) fn redirect(&self, location: &str) -> Option<Url> {
        let url = self.0.join(location).ok()?;
        let below = url
            .path()
            .strip_prefix(self.0.path().trim_end_matches('/'))
            .is_some_and(|rest| rest.starts_with('/'));
        let plain = url.username().is_empty() && url.password().is_none();
        (url.origin() == self.0.origin() && below && plain).then_some(url)
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_write_an_address_leads_to_the_api() {
        for (text, expected) in [
            (GITHUB_COM, "https://api.github.com"),
            ("https://GitHub.com/", "https://api.github.com"),
            ("https://api.github.com/", "https://api.github.com"),
            ("https://ghe.example", "https://ghe.example/api/v3"),
            ("https://ghe.example/api/v3/", "https://ghe.example/api/v3"),
            ("https://api.acme.ghe.com", "https://api.acme.ghe.com"),
            ("http://10.0.0.7:8080", "http://10.0.0.7:8080/api/v3"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().as_str(), expected, "{text}");
        }
        let long = format!("https://ghe.example/{}", "a".repeat(URL_MAX));
        for text in [
            "",
            "ghe.example",
            "ftp://ghe.example",
            "file:///etc/passwd",
            "https://user:secret@ghe.example",
            "https://token@ghe.example",
            "https://ghe.example/?a=1",
            "https://ghe.example/#a",
            "https://github.com/acme/atlas",
            "http://github.com",
            &long,
        ] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert_eq!(error.code(), "GITHUB_URL_INVALID", "{text}");
        }
    }

    #[test]
    fn a_token_is_shown_to_its_own_server_only() {
        let cloud = BaseUrl::parse(GITHUB_COM).unwrap();
        assert!(cloud.owns("https://github.com/acme/atlas.git"));
        let own = BaseUrl::parse("https://ghe.example").unwrap();
        assert!(own.owns("https://ghe.example/acme/atlas.git"));
        for (base, repository) in [
            (&cloud, "http://github.com/acme/atlas.git"),
            (&cloud, "https://github.com.evil.example/acme/atlas.git"),
            (&cloud, "https://evil.example/github.com/atlas.git"),
            (&cloud, "ssh://git@github.com/acme/atlas.git"),
            (&cloud, "/srv/git/atlas"),
            (&own, "https://github.com/acme/atlas.git"),
            (&own, "https://example/acme/atlas.git"),
            (&own, "http://ghe.example/acme/atlas.git"),
        ] {
            assert!(!base.owns(repository), "{base} {repository}");
        }
        let local = BaseUrl::parse("http://127.0.0.1:8080").unwrap();
        assert!(local.owns("http://127.0.0.1:9090/atlas.git"));
    }

    #[test]
    fn a_redirect_stays_on_the_server_and_below_the_api() {
        let base = BaseUrl::parse("https://ghe.example").unwrap();
        for location in [
            "https://ghe.example/api/v3/repositories/7",
            "/api/v3/repositories/7",
        ] {
            let url = base.redirect(location).unwrap();
            assert_eq!(url.as_str(), "https://ghe.example/api/v3/repositories/7");
        }
        for location in [
            "http://ghe.example/api/v3/repositories/7",
            "https://ghe.example:8443/api/v3/repositories/7",
            "https://ghe.example/login",
            "https://ghe.example/api/v3/../../login",
            "https://ghe.example/api/v33/x",
            "https://u@ghe.example/api/v3/repositories/7",
            "//169.254.169.254/latest",
            "https://evil.example/api/v3/repositories/7",
        ] {
            assert_eq!(base.redirect(location), None, "{location}");
        }
    }

    #[test]
    fn what_is_put_into_an_address_is_a_part_or_a_value_of_it() {
        let base = BaseUrl::parse(GITHUB_COM).unwrap();
        let url = base.join(&["repos", "a/b", "..%2f"], &[("q", "a&b=c #\"")]);
        assert_eq!(
            url.as_str(),
            "https://api.github.com/repos/a%2Fb/..%252f?q=a%26b%3Dc+%23%22"
        );
    }
}
