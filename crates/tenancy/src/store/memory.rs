//! A cache of verified credentials: a request with a cached credential needs no statement.
//!
//! The key is the hash of the secret. An entry is removed when a signal reports a change of the credential, its user
//! or its tenant, at its expiry, and after a short time in any case. While the signal connection is broken, nothing is
//! cached.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbBackend;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::signal::Signal;
use crate::directory::TOPIC_CREDENTIAL;
use crate::model::{Caller, Credential};

/// The maximum number of credentials in a generation. There are two generations, so at most twice as many are cached:
/// about 3 MB.
const GENERATION_MAX: usize = 8_192;
/// The resolution of `last_used_at`: a credential in steady use costs one write a minute instead of one per request.
const USE_RESOLUTION: TimeDelta = TimeDelta::minutes(1);

/// The cache key of a credential: SHA-256 of its secret and of the tenant for which it was presented.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CredentialKey([u8; 32]);

impl CredentialKey {
    pub(crate) fn new(secret: &str, tenant: Option<&str>) -> Self {
        let mut hash = Sha256::new();
        hash.update(secret.as_bytes());
        if let Some(tenant) = tenant {
            // The separator; no secret contains this byte.
            hash.update([0]);
            hash.update(tenant.as_bytes());
        }
        Self(hash.finalize().into())
    }
}

/// The owner of a credential, as last read from the database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CredentialOwner {
    pub caller: Caller,
    /// The slug of the caller's tenant.
    pub tenant_slug: String,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When its last stored use was.
    pub used_at: Option<DateTime<Utc>>,
}

struct Entry {
    owner: CredentialOwner,
    verified_at: Instant,
}

/// Taken before a read of the database: the result is cached only if nothing was revoked since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

#[derive(Default)]
struct State {
    /// The number of revocations.
    revision: u64,
    hears_signals: bool,
    young: HashMap<CredentialKey, Entry>,
    old: HashMap<CredentialKey, Entry>,
}

/// The cache; see the module.
pub(crate) struct CredentialMemory {
    recheck: Duration,
    state: Mutex<State>,
    /// Uses that are not stored yet, by the credential's id.
    uses: Mutex<HashMap<Uuid, (Caller, DateTime<Utc>)>>,
    flush_is_due: AtomicBool,
}

impl CredentialMemory {
    pub(crate) fn new(backend: DbBackend, recheck: Option<Duration>) -> Self {
        // SQLite's `data_version` would reveal the writes of other processes, but not those of this process's own
        // connections.
        let seconds = if backend == DbBackend::Postgres {
            10
        } else {
            1
        };
        Self {
            recheck: recheck.unwrap_or(Duration::from_secs(seconds)),
            state: Mutex::new(State {
                hears_signals: true,
                ..State::default()
            }),
            uses: Mutex::default(),
            flush_is_due: AtomicBool::new(false),
        }
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.state().revision)
    }

    /// The owner of a credential, if it is cached and valid at `now`.
    pub(crate) fn recall(&self, key: CredentialKey, now: DateTime<Utc>) -> Option<CredentialOwner> {
        let mut state = self.state();
        if !state.hears_signals {
            return None;
        }
        if !state.young.contains_key(&key) {
            let entry = state.old.remove(&key)?;
            state.insert(key, entry);
        }
        let entry = state.young.get_mut(&key)?;
        let good = entry.verified_at.elapsed() < self.recheck
            && entry.owner.expires_at.is_none_or(|at| now < at);
        if !good {
            state.young.remove(&key);
            return None;
        }
        let owner = entry.owner.clone();
        if is_new_use(owner.used_at, now) {
            entry.owner.used_at = Some(now);
        }
        Some(owner)
    }

    /// Caches the result of a read since `ticket` was taken, unless anything was revoked meanwhile.
    pub(crate) fn remember(&self, ticket: Ticket, key: CredentialKey, owner: CredentialOwner) {
        let mut state = self.state();
        if state.hears_signals && Ticket(state.revision) == ticket && !self.recheck.is_zero() {
            let verified_at = Instant::now();
            state.insert(key, Entry { owner, verified_at });
        }
    }

    /// Removes the entries that a signal is about.
    pub(super) fn hear(&self, signal: &Signal) {
        match signal {
            Signal::Changed { topic, .. } if topic != TOPIC_CREDENTIAL => {}
            Signal::Changed { subject, .. } => {
                let mut state = self.state();
                state.revision += 1;
                let is_other = |entry: &Entry| {
                    let caller = &entry.owner.caller;
                    ![caller.user.0, caller.tenant.0, credential_id(caller)].contains(subject)
                };
                state.young.retain(|_, entry| is_other(entry));
                state.old.retain(|_, entry| is_other(entry));
            }
            Signal::Resync => self.state().forget(),
        }
    }

    /// Sets whether signals are received. While they are not, nothing is cached, and the previous entries are dropped.
    pub(super) fn hears_signals(&self, hears: bool) {
        let mut state = self.state();
        state.forget();
        state.hears_signals = hears;
    }

    /// Notes a use that was last recorded at `used_at`, and returns whether the caller must have it recorded soon.
    pub(crate) fn use_note(
        &self,
        caller: &Caller,
        used_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> bool {
        if !is_new_use(used_at, now) {
            return false;
        }
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.insert(credential_id(caller), (*caller, now));
        !self.flush_is_due.swap(true, Ordering::SeqCst)
    }

    /// Takes the uses that are not stored yet; the caller must store them.
    pub(crate) fn uses_take(&self) -> Vec<(Caller, DateTime<Utc>)> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        self.flush_is_due.store(false, Ordering::SeqCst);
        uses.drain().map(|(_, used)| used).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, key: CredentialKey, entry: Entry) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, entry);
    }

    fn forget(&mut self) {
        self.revision += 1;
        self.young.clear();
        self.old.clear();
    }
}

pub(crate) fn is_new_use(used_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    used_at.is_none_or(|at| now - at >= USE_RESOLUTION)
}

fn credential_id(caller: &Caller) -> Uuid {
    match caller.credential {
        Credential::Token(id) => id.0,
        Credential::Session(id) => id.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApiTokenId, Role, TenantId, UserId};

    fn time(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn owner(number: u128) -> CredentialOwner {
        CredentialOwner {
            caller: Caller {
                tenant: TenantId(Uuid::from_u128(1)),
                user: UserId(Uuid::from_u128(2)),
                role: Role::Member,
                credential: Credential::Token(ApiTokenId(Uuid::from_u128(number))),
            },
            tenant_slug: "acme".into(),
            expires_at: Some(time(100)),
            used_at: None,
        }
    }

    fn key(number: u128) -> CredentialKey {
        CredentialKey::new(&number.to_string(), None)
    }

    fn memory() -> CredentialMemory {
        CredentialMemory::new(DbBackend::Postgres, Some(Duration::from_secs(3_600)))
    }

    fn remembering(number: u128) -> CredentialMemory {
        let memory = memory();
        memory.remember(memory.ticket(), key(number), owner(number));
        assert!(memory.recall(key(number), time(0)).is_some());
        memory
    }

    fn revoked(subject: u128) -> Signal {
        Signal::Changed {
            topic: TOPIC_CREDENTIAL.into(),
            tenant: None,
            subject: Uuid::from_u128(subject),
        }
    }

    #[test]
    fn a_revocation_during_a_look_up_is_not_forgotten() {
        for subject in [1, 2, 7] {
            let memory = memory();
            let ticket = memory.ticket();
            // The rows were read before this point, and before the revocation was committed.
            memory.hear(&revoked(subject));
            memory.remember(ticket, key(7), owner(7));
            assert_eq!(memory.recall(key(7), time(0)), None, "{subject}");
        }
    }

    #[test]
    fn a_signal_about_an_owner_forgets_the_credential() {
        for subject in [1, 2, 7] {
            let memory = remembering(7);
            memory.hear(&revoked(subject));
            assert_eq!(memory.recall(key(7), time(0)), None, "{subject}");
        }
    }

    #[test]
    fn a_signal_about_others_forgets_nothing() {
        let memory = remembering(7);
        memory.hear(&revoked(8));
        assert!(memory.recall(key(7), time(0)).is_some());
    }

    #[test]
    fn a_credential_ends_at_the_second_of_its_expiry() {
        let memory = remembering(7);
        assert!(memory.recall(key(7), time(99)).is_some());
        assert_eq!(memory.recall(key(7), time(100)), None);
    }

    #[test]
    fn nothing_is_remembered_while_signals_are_not_heard() {
        let memory = remembering(7);
        let ticket = memory.ticket();
        memory.hears_signals(false);
        memory.remember(memory.ticket(), key(8), owner(8));
        assert_eq!(memory.recall(key(8), time(0)), None);
        memory.hears_signals(true);
        memory.remember(ticket, key(7), owner(7));
        assert_eq!(memory.recall(key(7), time(0)), None);
    }

    #[test]
    fn a_missed_signal_forgets_everything() {
        let memory = remembering(7);
        memory.hear(&Signal::Resync);
        assert_eq!(memory.recall(key(7), time(0)), None);
    }

    #[test]
    fn what_is_verified_too_long_ago_is_looked_up_again() {
        let memory = CredentialMemory::new(DbBackend::Sqlite, Some(Duration::from_millis(5)));
        memory.remember(memory.ticket(), key(7), owner(7));
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(memory.recall(key(7), time(0)), None);
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_in_use() {
        let memory = remembering(0);
        for number in 1..100_000 {
            memory.remember(memory.ticket(), key(number), owner(number));
            memory.recall(key(0), time(0)).unwrap();
        }
        let state = memory.state();
        assert!(state.young.len() + state.old.len() <= 2 * GENERATION_MAX);
    }

    #[test]
    fn a_tenant_that_was_named_is_part_of_the_key() {
        let keys =
            [None, Some(""), Some("a"), Some("b")].map(|tenant| CredentialKey::new("s", tenant));
        for (number, one) in keys.iter().enumerate() {
            assert!(keys[number + 1..].iter().all(|other| one != other));
        }
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let memory = memory();
        let caller = owner(7).caller;
        assert!(memory.use_note(&caller, None, time(0)));
        assert!(!memory.use_note(&caller, None, time(1)));
        assert_eq!(memory.uses_take(), [(caller, time(1))]);
        assert!(!memory.use_note(&caller, Some(time(1)), time(60)));
        assert!(memory.use_note(&caller, Some(time(1)), time(61)));
    }
}
