//! Rate limits for sign-ins: failures are counted by account and by network address, before any hash is computed.
//!
//! An attempt counts as a failure when it begins, in one statement, so that concurrent attempts cannot exceed the
//! limit. A success is subtracted afterwards. Unknown accounts are counted like known ones.
//!
//! An attacker from elsewhere does not lock the owner out: attempts from a network in which the account has a session
//! are counted separately.
//!
//! New accounts are counted by network address too, whether they are created or not.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, FromQueryResult};
use sha2::{Digest, Sha256};

use super::Client;
use super::journal::{self, Event};
use crate::actor::Origin;
use crate::entity::sign_in_attempt;
use crate::error::{Error, Result};
use crate::registration::purpose;
use crate::store::{Store, SystemScope};

/// The number of failures after which further attempts on an account are refused.
pub const ACCOUNT_FAILURES: i64 = 10;
/// As [`ACCOUNT_FAILURES`], for a network address, which many people may share.
pub const ADDRESS_FAILURES: i64 = 100;
/// The maximum number of accounts created from one network address within [`WINDOW`]: a class or an office may sign up
/// together. A rule of this project.
pub const SIGN_UPS_PER_ADDRESS: i64 = 20;
/// The number of sessions that are checked for a known network.
const SESSIONS_LOOKED_AT: i64 = 50;
/// How long failures count, from the first one on. An attacker who continues can try 960 passwords a day on an account,
/// which a password of the minimum length withstands. NIST SP 800-63B names a delay after failures as a measure against
/// guessing. The owner waits too, at most this long.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// The purpose of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Signing in, or verifying the old password.
    SignIn,
    /// Creating an account.
    SignUp,
}

/// A counted attempt.
pub(crate) struct Attempt {
    account: String,
    address: Option<String>,
}

#[derive(FromQueryResult)]
struct SessionAddress {
    address: Option<String>,
}

#[derive(FromQueryResult)]
struct Count {
    failures: i64,
    began_at: DateTime<Utc>,
}

impl Attempt {
    /// Counts an attempt on the account with that address, which is normalised already.
    ///
    /// # Errors
    /// [`Error::Throttled`] after too many failures.
    pub(crate) async fn begin(
        store: &Store,
        email: &str,
        client: &Client,
        purpose: Purpose,
    ) -> Result<Self> {
        let system = store.system(purpose::SIGN_IN).await?;
        let address = client.origin.address.map(address_key);
        let mut account = account_key(email);
        if let Some(known) = known_network(&system, email, address.as_deref()).await? {
            account = format!("{account} {known}");
        }
        let attempt = Self { account, address };
        let sign_ups = match (purpose, &attempt.address) {
            (Purpose::SignUp, Some(address)) => Some(format!("sign-up {address}")),
            _ => None,
        };
        // The network address comes first: a client that is stopped there cannot lock other people's accounts.
        let limits = [
            (attempt.address.as_deref(), ADDRESS_FAILURES),
            (sign_ups.as_deref(), SIGN_UPS_PER_ADDRESS),
            (Some(attempt.account.as_str()), ACCOUNT_FAILURES),
        ];
        let mut refused = None;
        for (key, most) in limits {
            let Some(key) = key else { continue };
            let count = count(&system, key).await?;
            if count.failures > most {
                // Only the first refusal is recorded; otherwise guessing would fill the log.
                if count.failures == most + 1 {
                    let event = Event::refused("password", "TOO_MANY_ATTEMPTS");
                    journal::add(&system, event, &client.origin).await?;
                    tracing::warn!(
                        address = client.origin.address.map(tracing::field::display),
                        "too many failed sign-ins"
                    );
                }
                let left = count.began_at + WINDOW - store.env().now();
                refused = Some(Error::Throttled(left.num_seconds() + 1));
                break;
            }
        }
        system.commit().await?;
        match refused {
            Some(error) => Err(error),
            None => Ok(attempt),
        }
    }

    /// The attempt succeeded: the failures of the account are deleted, and this attempt is subtracted from those of the
    /// address.
    pub(crate) async fn succeed(self, system: &SystemScope) -> Result<()> {
        system
            .delete::<sign_in_attempt::Entity>(sign_in_attempt::Column::Key.eq(self.account))
            .await?;
        if let Some(address) = self.address {
            system
                .sql_execute(
                    "UPDATE sign_in_attempts SET failures = failures - 1 WHERE key = $1 AND failures > 0",
                    [address.into()],
                )
                .await?;
        }
        Ok(())
    }
}

/// The network address, if the account with that e-mail address has a session from it, ended or not.
async fn known_network<'a>(
    system: &SystemScope,
    email: &str,
    address: Option<&'a str>,
) -> Result<Option<&'a str>> {
    let Some(address) = address else {
        return Ok(None);
    };
    let rows: Vec<SessionAddress> = system
        .sql_all(
            "SELECT s.address FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email = $1
             ORDER BY s.created_at DESC LIMIT $2",
            [email.into(), SESSIONS_LOOKED_AT.into()],
        )
        .await?;
    let mut networks = rows.iter().filter_map(|row| {
        let address: IpAddr = row.address.as_deref()?.parse().ok()?;
        Some(address_key(address))
    });
    Ok(networks.any(|known| known == address).then_some(address))
}

/// Counts one more failure; a new window begins if the last one has passed.
async fn count(system: &SystemScope, key: &str) -> Result<Count> {
    let now = system.env().now();
    let rows: Vec<Count> = system
        .sql_all(
            "INSERT INTO sign_in_attempts (key, failures, began_at, last_at) VALUES ($1, 1, $2, $2)
             ON CONFLICT (key) DO UPDATE SET
                 failures = CASE WHEN sign_in_attempts.began_at <= $3 THEN 1 ELSE sign_in_attempts.failures + 1 END,
                 began_at = CASE WHEN sign_in_attempts.began_at <= $3 THEN $2 ELSE sign_in_attempts.began_at END,
                 last_at = $2
             RETURNING failures, began_at",
            [key.into(), now.into(), (now - WINDOW).into()],
        )
        .await?;
    rows.into_iter().next().ok_or(Error::Busy)
}

/// Deletes the failures of the account with that address (normalised already) from every network. The failures of a
/// network address stay, because they concern other accounts too.
pub(super) async fn forget(system: &SystemScope, email: &str) -> Result<()> {
    // A hash of fixed length, so that no other account's key begins with it.
    let of_account = sign_in_attempt::Column::Key.starts_with(account_key(email));
    system
        .delete::<sign_in_attempt::Entity>(of_account)
        .await
        .map(drop)
}

/// Counts an event of this kind from a client's network, and returns the number within [`WINDOW`].
pub(crate) async fn count_from(system: &SystemScope, kind: &str, client: &Origin) -> Result<i64> {
    let address = client.address.map(address_key).unwrap_or_default();
    Ok(count(system, &format!("{kind} {address}")).await?.failures)
}

/// Deletes expired failures.
pub(super) async fn sweep(system: &SystemScope) -> Result<u64> {
    let passed = system.env().now() - WINDOW;
    system
        .delete::<sign_in_attempt::Entity>(sign_in_attempt::Column::BeganAt.lte(passed))
        .await
}

/// The key of an account. Only a hash of the tried address is stored.
fn account_key(email: &str) -> String {
    format!("account:{}", hex::encode(Sha256::digest(email.as_bytes())))
}

/// The key of a network address; for IPv6 the /64 prefix, which is the smallest network of a customer.
pub(super) fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("address:{address}"),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            let network = Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
            format!("address:{network}/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_counted_together() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "address:2001:db8:1:2::/64");
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), "address:192.0.2.7");
        assert_ne!(key("192.0.2.7"), key("192.0.2.8"));
    }

    #[test]
    fn no_address_is_kept_in_clear() {
        assert!(!account_key("ada@example.org").contains("ada"));
    }
}
