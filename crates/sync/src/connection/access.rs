//! Access to GitHub: the address is resolved once, verified, and the only one that is connected to.

use std::sync::Arc;

use nyxcore_github::{BaseUrl, GithubClient, GithubOptions, GithubToken};
use nyxcore_tenancy::secret::Keyring;
use nyxcore_tenancy::{Acting, Store};

use super::error::ConnectionError;
use crate::git::{HostResolver, SourcePolicy, SourceUrl, SystemResolver};

/// Creates GitHub clients under the policy of sources. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GithubAccess {
    policy: SourcePolicy,
    resolver: Arc<dyn HostResolver>,
}

impl GithubAccess {
    /// Allows servers by the same policy as sources: public addresses over HTTPS, and private addresses if allowed.
    #[must_use]
    pub fn new(policy: SourcePolicy) -> Self {
        Self::with_resolver(policy, Arc::new(SystemResolver))
    }

    /// As [`GithubAccess::new`], with another name resolver.
    #[must_use]
    pub fn with_resolver(policy: SourcePolicy, resolver: Arc<dyn HostResolver>) -> Self {
        Self { policy, resolver }
    }

    /// The policy of sources.
    pub(crate) fn policy(&self) -> &SourcePolicy {
        &self.policy
    }

    /// Checks the address as far as possible without network access.
    pub(crate) fn check(&self, base: &BaseUrl) -> Result<SourceUrl, ConnectionError> {
        // The rules are those of a source's address, which has a path.
        let address = format!("{base}/user");
        SourceUrl::parse(&address, &self.policy).map_err(ConnectionError::address)
    }

    /// A client of that server. The host name is resolved now, each of its addresses must be allowed, and the client
    /// connects to these addresses only.
    pub(crate) async fn client(
        &self,
        base: &BaseUrl,
        token: &GithubToken,
    ) -> Result<GithubClient, ConnectionError> {
        let url = self.check(base)?;
        let addresses = url
            .addresses_resolve(&self.policy, &*self.resolver)
            .await
            .map_err(ConnectionError::address)?;
        Ok(GithubClient::new(
            base,
            token,
            &GithubOptions::new(addresses),
        )?)
    }
}

/// The context of the functions that call GitHub.
#[derive(Clone)]
pub struct ConnectionContext<'a> {
    /// The database.
    pub store: &'a Store,
    /// The caller.
    pub acting: &'a Acting,
    /// The keys that encrypt tokens.
    pub keyring: &'a Keyring,
    /// The access to GitHub.
    pub access: GithubAccess,
}
