//! Passwords: what is taken for one, and their hashes by argon2id, a few at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The shortest password. NIST SP 800-63B-4 asks for 15 where the password is all there is and 8 beside a second factor; OWASP's
/// Application Security Verification Standard 4.0 (2.1.1) asks for 12. Length is the only rule: no mixture of characters is asked for.
pub const PASSWORD_MIN: usize = 12;
/// The longest password, so that hashing it costs no more than hashing any other.
pub const PASSWORD_MAX: usize = 1024;

/// Memory, passes and lanes of argon2id: the first choice of OWASP's Password Storage Cheat Sheet, m = 19 MiB, t = 2, p = 1.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes that are computed at once: each takes 19 MiB and a core for some 20 ms, and the server has other work.
const AT_ONCE: usize = 2;
/// How long one waits for its turn before the server says that it is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// A password as a person gives it: wiped from memory when it is dropped, and never printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// A password of that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Whether it may become the password of the account with that e-mail address.
    ///
    /// # Errors
    /// [`Error::Invalid`] says the rule: [`PASSWORD_MIN`] to [`PASSWORD_MAX`] characters, and not the address itself.
    pub fn check(&self, email: &str) -> Result<()> {
        if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&self.0.chars().count()) {
            return Err(Error::Invalid(format!(
                "a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters; which ones does not matter"
            )));
        }
        if self.0.trim().to_lowercase() == email.trim().to_lowercase() {
            return Err(Error::Invalid(
                "a password is not one's e-mail address".into(),
            ));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl<'de> serde::Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A password's hash in the PHC string format, as it is stored. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(crate) String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What became of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the password.
    Good,
    /// It is, and the hash was made with other parameters than today's: hash it again.
    GoodButOld,
    /// It is not.
    Wrong,
}

/// Hashes passwords. Cheap to clone; clones share the room and the count.
#[derive(Clone)]
pub struct PasswordHasher(Arc<Inner>);

struct Inner {
    argon2: Argon2<'static>,
    /// What a password is compared with where there is none, so that an unknown account costs what a known one does.
    decoy: String,
    room: Arc<Semaphore>,
    computed: AtomicU64,
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordHasher").finish_non_exhaustive()
    }
}

impl PasswordHasher {
    /// A hasher with the parameters of this module. It computes one hash.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn new() -> Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut nobodys = Zeroizing::new([0u8; 32]);
        getrandom::fill(nobodys.as_mut())
            .map_err(|_| Error::Invalid("the machine gives no randomness".into()))?;
        let decoy = phc(&argon2, nobodys.as_ref())?;
        Ok(Self(Arc::new(Inner {
            argon2,
            decoy,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            computed: AtomicU64::new(0),
        })))
    }

    /// The hash to store. Computed before a transaction is opened: it takes its time.
    ///
    /// # Errors
    /// [`Error::Busy`] where too many wait; the machine gives no randomness.
    pub async fn hash(&self, password: &Password) -> Result<PasswordHash> {
        let password = password.clone();
        self.compute(move |inner| phc(&inner.argon2, password.0.as_bytes()))
            .await?
            .map(PasswordHash)
    }

    /// Compares a password with what is stored of the account, in the same time whether there is such an account or not.
    pub(crate) async fn verify(
        &self,
        password: &Password,
        stored: Option<String>,
    ) -> Result<Verdict> {
        let password = password.clone();
        self.compute(move |inner| {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| inner.decoy.clone());
            let Ok(hash) = Phc::new(&stored) else {
                tracing::error!("a stored password hash cannot be read");
                return Verdict::Wrong;
            };
            let same = inner
                .argon2
                .verify_password(password.0.as_bytes(), &hash)
                .is_ok();
            match (known && same, is_current(&hash)) {
                (true, true) => Verdict::Good,
                (true, false) => Verdict::GoodButOld,
                (false, _) => Verdict::Wrong,
            }
        })
        .await
    }

    /// How many hashes were computed since the hasher was made: what guessing has cost.
    pub fn computed(&self) -> u64 {
        self.0.computed.load(Ordering::Relaxed)
    }

    /// Computes beside the server's other work. Whoever asked may be gone: the room is free again only when it is done.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T> {
        let room = tokio::time::timeout(PATIENCE, Arc::clone(&self.0.room).acquire_owned());
        let Ok(Ok(room)) = room.await else {
            return Err(Error::Busy);
        };
        let inner = Arc::clone(&self.0);
        inner.computed.fetch_add(1, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || {
            let _room = room;
            work(&inner)
        })
        .await
        .map_err(|_| Error::Busy)
    }
}

fn phc(argon2: &Argon2<'_>, password: &[u8]) -> Result<String> {
    let hash = argon2.hash_password(password).map_err(failed)?;
    Ok(hash.to_string())
}

fn is_current(hash: &Phc) -> bool {
    let params = Params::try_from(hash).ok();
    hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && params
            .is_some_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, PASSES, LANES))
}

fn failed(error: impl std::fmt::Display) -> Error {
    tracing::error!(%error, "a password could not be hashed");
    Error::Invalid("the password cannot be hashed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_another_is_not() {
        let hasher = PasswordHasher::new().unwrap();
        let good = Password::new("correct horse battery staple");
        let hash = hasher.hash(&good).await.unwrap();
        assert!(
            hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.0
        );
        let verdict = hasher.verify(&good, Some(hash.0.clone())).await.unwrap();
        assert_eq!(verdict, Verdict::Good);
        let wrong = Password::new("correct horse battery stable");
        let verdict = hasher.verify(&wrong, Some(hash.0)).await.unwrap();
        assert_eq!(verdict, Verdict::Wrong);
        assert_eq!(hasher.computed(), 3);
    }

    #[tokio::test]
    async fn where_there_is_no_hash_one_is_computed_all_the_same_and_nothing_matches() {
        let hasher = PasswordHasher::new().unwrap();
        let verdict = hasher.verify(&Password::new(""), None).await.unwrap();
        assert_eq!(verdict, Verdict::Wrong);
        assert_eq!(hasher.computed(), 1);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_good_and_old() {
        let hasher = PasswordHasher::new().unwrap();
        let weak = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8, 1, 1, None).unwrap(),
        );
        let stored = phc(&weak, b"correct horse battery staple").unwrap();
        let good = Password::new("correct horse battery staple");
        let verdict = hasher.verify(&good, Some(stored)).await.unwrap();
        assert_eq!(verdict, Verdict::GoodButOld);
    }

    #[test]
    fn length_is_the_rule_in_characters_and_the_address_is_no_password() {
        let check = |text: String| Password::new(text).check("ada.lovelace@example.org");
        assert!(check("a".repeat(PASSWORD_MIN - 1)).is_err());
        assert!(check("ä".repeat(PASSWORD_MIN)).is_ok());
        assert!(check("ä".repeat(PASSWORD_MAX)).is_ok());
        assert!(check("a".repeat(PASSWORD_MAX + 1)).is_err());
        assert!(check(" Ada.Lovelace@Example.org".into()).is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        let text = format!(
            "{:?} {:?}",
            Password::new("hunter2"),
            PasswordHash("$argon2".into())
        );
        assert_eq!(text, "Password(..) PasswordHash(..)");
    }
}
