//! The address of a source: parsed, normalised, and checked against the operator's policy before a fetch.

mod check;
mod repository;

use std::{
    fmt,
    net::IpAddr,
    path::{Component, Path, PathBuf},
};

use nyxcore_outbound::{AddressClass, HostResolver, OutboundPolicy, address_class};
use url::{Host, Url};

use super::GitError;
use check::{host_parse, network_text_check, path_check};
pub(crate) use repository::{repository_key, repository_spellings};
pub use repository::{repository_same, url_origin};

/// The longest accepted address, in bytes; the common limit of servers and proxies.
const URL_BYTES_MAX: usize = 2048;

/// The allowed addresses of sources. The default is the safe one: public hosts only.
#[derive(Debug, Clone, Default)]
pub struct SourcePolicy {
    /// Allows any repository by path on this machine, except below `data_dir`.
    pub allow_local: bool,
    /// Single repositories that are allowed by path (the argument of `quickstart`), whatever `allow_local` says.
    pub local_roots: Vec<PathBuf>,
    /// Allows hosts at loopback and private addresses, and plain `http://` to them.
    pub allow_private: bool,
    /// The data directory: everything below it belongs to other tenants, and is never a source.
    pub data_dir: Option<PathBuf>,
}

impl SourcePolicy {
    /// The same policy for other requests over HTTP.
    #[must_use]
    pub fn outbound(&self) -> OutboundPolicy {
        OutboundPolicy {
            allow_private: self.allow_private,
        }
    }

    fn local_check(&self, path: &Path) -> Result<(), GitError> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let path = real(path);
        let listed = self.local_roots.iter().any(|root| real(root) == path);
        let inside = self
            .data_dir
            .as_deref()
            .is_some_and(|data_dir| path.starts_with(real(data_dir)));
        if inside || !(self.allow_local || listed) {
            // The same answer whether the path exists or not.
            return forbidden("is a path on the server, which the operator has not allowed");
        }
        Ok(())
    }

    fn address_check(&self, address: IpAddr, encrypted: bool) -> Result<(), GitError> {
        self.outbound()
            .address_check(address, encrypted)
            .or_else(|refusal| forbidden(refusal.reason()))
    }
}

/// The error for an unusable host name, for any reason.
fn name_unusable() -> GitError {
    GitError::RemoteUnreachable {
        reason: "has a host name that cannot be resolved to a network this server fetches from",
        transient: true,
    }
}

/// The kind of the address, with its validated parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Http {
        encrypted: bool,
        host: Host<String>,
        port: u16,
    },
    Ssh {
        host: Host<String>,
        port: u16,
    },
    Local {
        path: PathBuf,
    },
}

/// The address of a git repository, normalised. It never holds a credential, so it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl {
    text: String,
    location: Location,
}

impl SourceUrl {
    /// Parses `https://host/path`, `ssh://[user@]host[:port]/path`, `user@host:path` (normalised to
    /// `ssh://user@host/path`; write `user@host:~/path` for one relative to a home folder), and, where `policy` allows
    /// it, an absolute path, a `file://` URL, or `http://` to a private address.
    ///
    /// # Errors
    /// [`GitError::SourceUrlInvalid`] if the address is malformed, looks like an option or has a credential;
    /// [`GitError::SourceUrlForbidden`] if `policy` forbids it. Only the form of a host name is checked here. Its
    /// addresses are checked by [`SourceUrl::addresses_resolve`], just before the fetch.
    pub fn parse(text: &str, policy: &SourcePolicy) -> Result<Self, GitError> {
        if text.chars().any(char::is_control) {
            return invalid("must not have control characters or line breaks");
        }
        let text = text.trim();
        if text.is_empty() || text.len() > URL_BYTES_MAX {
            return invalid("must have between 1 and 2,048 bytes");
        }
        if text.starts_with('-') {
            return invalid("must not start with \"-\"");
        }
        if text.starts_with('/') {
            return Self::local(Path::new(text), policy);
        }
        if let Some((helper, _)) = text.split_once("::")
            && helper
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
        {
            return forbidden("names a git remote helper; use https:// or ssh://");
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Self::scp_like(text, policy);
        };
        match scheme.to_ascii_lowercase().as_str() {
            "https" => Self::http(text, true, policy),
            "http" if policy.allow_private => Self::http(text, false, policy),
            "http" => forbidden("must use https:// or ssh://"),
            "ssh" => Self::ssh(rest, policy),
            "file" => match Url::parse(text).map(|url| url.to_file_path()) {
                Ok(Ok(path)) => Self::local(&path, policy),
                _ => invalid("is not a well-formed file:// URL"),
            },
            _ => forbidden("uses a scheme that is not allowed; use https:// or ssh://"),
        }
    }

    /// The normalised address, as it is stored, shown and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a path on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.location, Location::Local { .. })
    }

    /// The host, for grouping and rate limits; `None` for a path.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        match &self.location {
            Location::Http { host, .. } | Location::Ssh { host, .. } => Some(host.to_string()),
            Location::Local { .. } => None,
        }
    }

    /// Scheme, host and port, as in `https://host:443`: a credential is bound to these. `None` for a path.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        match &self.location {
            Location::Http {
                encrypted,
                host,
                port,
            } => {
                let scheme = if *encrypted { "https" } else { "http" };
                Some(format!("{scheme}://{host}:{port}"))
            }
            Location::Ssh { host, port } => Some(format!("ssh://{host}:{port}")),
            Location::Local { .. } => None,
        }
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Resolves the host once and checks each of its addresses; empty for a path. Git must be pinned to the result.
    ///
    /// # Errors
    /// [`GitError::SourceUrlForbidden`] for an address that is not allowed. [`GitError::RemoteUnreachable`] for a name
    /// without an address, and with the same message for a name in a network that is not allowed.
    pub async fn addresses_resolve(
        &self,
        policy: &SourcePolicy,
        resolver: &dyn HostResolver,
    ) -> Result<Vec<IpAddr>, GitError> {
        let (host, encrypted) = match &self.location {
            Location::Local { path } => return policy.local_check(path).map(|()| Vec::new()),
            Location::Http {
                host, encrypted, ..
            } => (host, *encrypted),
            Location::Ssh { host, .. } => (host, true),
        };
        let is_name = matches!(host, Host::Domain(_));
        let addresses = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => resolver.host_resolve(name).await.unwrap_or_default(),
        };
        if addresses.is_empty() {
            return Err(name_unusable());
        }
        // All, not any: a name with both a public and a private address is suspicious (DNS rebinding).
        for address in &addresses {
            // A name in a forbidden network gets the same answer as an unknown name, so that nobody can probe which
            // names exist.
            let hidden = is_name && address_class(*address) != AddressClass::Public;
            policy
                .address_check(*address, encrypted)
                .map_err(|refused| if hidden { name_unusable() } else { refused })?;
        }
        Ok(addresses)
    }

    fn local(path: &Path, policy: &SourcePolicy) -> Result<Self, GitError> {
        if path.components().any(|part| part == Component::ParentDir) {
            return invalid("must be a path without \"..\"");
        }
        let path: PathBuf = path.components().collect();
        let Some(text) = path.to_str() else {
            return invalid("must be a path in UTF-8");
        };
        if text.chars().any(char::is_control) {
            return invalid("must not have control characters or line breaks");
        }
        policy.local_check(&path)?;
        Ok(Self {
            text: text.to_owned(),
            location: Location::Local { path },
        })
    }

    fn http(text: &str, encrypted: bool, policy: &SourcePolicy) -> Result<Self, GitError> {
        network_text_check(text)?;
        let Ok(mut url) = Url::parse(text) else {
            return invalid("is not a well-formed URL");
        };
        if !url.username().is_empty()
            || url.password().is_some()
            || text
                .split('/')
                .nth(2)
                .is_some_and(|host| host.contains('@'))
        {
            return invalid(
                "must not contain a user name, password or token; set credentials separately",
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return invalid("must not have a query (\"?\") or a fragment (\"#\")");
        }
        let host = host_parse(url.host_str().unwrap_or_default(), encrypted, policy)?;
        path_check(url.path())?;
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let port = url.port_or_known_default().unwrap_or(443);
        if port == 0 {
            return invalid("has a port that cannot be used");
        }
        Ok(Self {
            text: url.to_string(),
            location: Location::Http {
                encrypted,
                host,
                port,
            },
        })
    }

    fn scp_like(text: &str, policy: &SourcePolicy) -> Result<Self, GitError> {
        let expected = "must start with https:// or ssh://, or look like user@host:path";
        let Some((user, rest)) = text.split_once('@') else {
            return invalid(expected);
        };
        // An IPv6 address is bracketed, so that its colons are not taken for the colon before the path.
        let after_host = if rest.starts_with('[') {
            rest.find(']').map_or(rest.len(), |end| end + 1)
        } else {
            0
        };
        let Some(colon) = rest[after_host..].find(':').map(|at| at + after_host) else {
            return invalid(expected);
        };
        let (host, path) = (&rest[..colon], &rest[colon + 1..]);
        if path.starts_with('-') {
            return invalid("must not have a path that starts with \"-\"");
        }
        if host.contains('/') {
            return invalid(expected);
        }
        Self::ssh(
            &format!("{user}@{host}/{}", path.trim_start_matches('/')),
            policy,
        )
    }

    /// Parses the part after `ssh://`. The URL is composed from the validated parts, never passed through.
    fn ssh(rest: &str, policy: &SourcePolicy) -> Result<Self, GitError> {
        network_text_check(rest)?;
        let Some((authority, path)) = rest.split_once('/') else {
            return invalid("has no path to a repository");
        };
        let (user, host_and_port) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if let Some(user) = user {
            if user.contains(':') {
                return invalid("must not contain a password; set credentials separately");
            }
            if user.is_empty()
                || user.starts_with('-')
                || !user
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte))
            {
                return invalid("has a user name that is not allowed");
            }
        }
        let (host_text, port) = match host_and_port.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (host_and_port, None),
        };
        let port = match port {
            None | Some("22") => None,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                match port.parse::<u16>() {
                    Ok(port) if port > 0 => Some(port),
                    _ => return invalid("has a port that cannot be used"),
                }
            }
            Some(_) => return invalid("has a port that cannot be used"),
        };
        let host = host_parse(host_text, true, policy)?;
        let path = format!("/{}", path.trim_end_matches('/'));
        path_check(&path)?;
        if path.contains(['?', '#']) {
            return invalid("must not have a query (\"?\") or a fragment (\"#\")");
        }
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let port_text = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self {
            text: format!("ssh://{user}{host}{port_text}{path}"),
            location: Location::Ssh {
                host,
                port: port.unwrap_or(22),
            },
        })
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn invalid<T>(reason: &'static str) -> Result<T, GitError> {
    Err(GitError::SourceUrlInvalid { reason })
}

fn forbidden<T>(reason: &'static str) -> Result<T, GitError> {
    Err(GitError::SourceUrlForbidden { reason })
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
