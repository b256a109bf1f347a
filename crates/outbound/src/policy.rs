//! The operator's policy for outbound connections.

use std::net::IpAddr;

use super::address::{AddressClass, address_class};

/// Which addresses may be called. The default is the safe one: public addresses, encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboundPolicy {
    /// Allows loopback and private addresses, and plain `http://` to them.
    pub allow_private: bool,
}

/// Why an address may not be called. The text completes a sentence: "the URL ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub enum AddressRefusal {
    /// A public address without encryption.
    Unencrypted,
    /// A private address, which the policy does not allow.
    Private,
    /// Link-local, cloud metadata, multicast, unspecified or reserved: refused whatever the policy.
    Never,
}

impl AddressRefusal {
    /// The text of the error, for errors that hold a `'static` reason.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unencrypted => "must use https:// or ssh://",
            Self::Private => "leads to a private network, which the operator has not allowed",
            Self::Never => "leads to a network address that is never allowed",
        }
    }
}

impl OutboundPolicy {
    /// Returns `Ok` where the address may be called with or without encryption, as `encrypted` says.
    ///
    /// # Errors
    /// [`AddressRefusal`].
    pub fn address_check(self, address: IpAddr, encrypted: bool) -> Result<(), AddressRefusal> {
        match address_class(address) {
            AddressClass::Public if encrypted => Ok(()),
            AddressClass::Public => Err(AddressRefusal::Unencrypted),
            AddressClass::Private if self.allow_private => Ok(()),
            AddressClass::Private => Err(AddressRefusal::Private),
            AddressClass::Refused => Err(AddressRefusal::Never),
        }
    }
}
