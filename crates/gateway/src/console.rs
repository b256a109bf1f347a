//! The parts for people with a browser that a program gives the gateway: the files of the console, and the one-time
//! link that opens it.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use nyxcore_tenancy::UserId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A file of the console.
#[derive(Debug, Clone)]
pub struct ConsoleFile {
    /// The bytes, compressed by [`coding`](Self::coding) if there is one.
    pub content: Cow<'static, [u8]>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `Content-Encoding`, if the content has a coding.
    pub coding: Option<&'static str>,
    /// Whether the content at this address never changes.
    pub immutable: bool,
}

/// The console, as functions of the program. The gateway contains no files of the console, so a program without a
/// console needs none.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// Returns the page. Its style sheets carry this nonce.
    pub page: fn(nonce: &str) -> String,
    /// Returns the file at an address. `br` and `gzip` say which codings the client accepts.
    pub file: fn(address: &str, br: bool, gzip: bool) -> Option<ConsoleFile>,
}

/// What a one-time link does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Signs a person in to the tenant with this slug.
    SignIn {
        /// The person.
        user: UserId,
        /// The slug of the tenant.
        tenant: String,
    },
    /// Creates the first tenant.
    SetUp,
}

/// A link that works once, for a browser on the machine of the server. Only the hash of its secret is held, and only in
/// memory: it ends with the process.
#[derive(Debug)]
pub struct OneTimeLink {
    hash: [u8; 32],
    expires_at: DateTime<Utc>,
    purpose: Mutex<Option<LinkPurpose>>,
}

impl OneTimeLink {
    /// Creates a link with this secret. The program makes the secret of at least 128 random bits.
    pub fn new(secret: &str, purpose: LinkPurpose, expires_at: DateTime<Utc>) -> Self {
        Self {
            hash: Sha256::digest(secret).into(),
            expires_at,
            purpose: Mutex::new(Some(purpose)),
        }
    }

    /// Returns the purpose of the link if the secret matches and has not expired. Each link returns it once.
    pub(crate) fn take(
        &self,
        secret: &str,
        now: DateTime<Utc>,
        wanted: fn(&LinkPurpose) -> bool,
    ) -> Option<LinkPurpose> {
        let shown: [u8; 32] = Sha256::digest(secret).into();
        if !bool::from(shown.ct_eq(&self.hash)) || now >= self.expires_at {
            return None;
        }
        let mut purpose = self.purpose.lock().unwrap_or_else(PoisonError::into_inner);
        purpose.take_if(|purpose| wanted(purpose))
    }

    /// Makes a link valid again after its use has failed.
    pub(crate) fn put_back(&self, purpose: LinkPurpose) {
        let mut held = self.purpose.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(purpose);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_link_works_once_and_until_it_expires() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let link = OneTimeLink::new("secret", LinkPurpose::SetUp, now + TimeDelta::hours(1));
        assert_eq!(link.take("other", now, |_| true), None);
        assert_eq!(link.take("secret", now, |_| false), None);
        assert_eq!(
            link.take("secret", now + TimeDelta::hours(1), |_| true),
            None
        );
        assert_eq!(link.take("secret", now, |_| true), Some(LinkPurpose::SetUp));
        assert_eq!(link.take("secret", now, |_| true), None);
        link.put_back(LinkPurpose::SetUp);
        assert_eq!(link.take("secret", now, |_| true), Some(LinkPurpose::SetUp));
    }
}
