//! Passwords: their rules, and their hashes by argon2id, with limited concurrency.
//!
//! A password is normalised by NFKC before it is measured, hashed or compared, as NIST SP 800-63B (5.1.1.2) requires.
//! The same keys give the same password on every device, whether `é` is sent as one character or as two, and for
//! full-width letters or no-break spaces of an input method. NFC (RFC 8265, OpaqueString) would distinguish those. A
//! hash from before normalisation still matches, and is replaced at the next sign-in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::guessable::is_guessable;
use crate::error::{Error, Result};
use crate::secret::secret_text;
use crate::text;

/// The shortest password. NIST SP 800-63B-4 requires 15 characters if the password is the only factor, and 8 beside a
/// second factor; OWASP's Application Security Verification Standard 4.0 (2.1.1) requires 12. No mixture of characters
/// is required, but a password that is easy to guess is refused.
pub const PASSWORD_MIN: usize = text::PASSWORD.min;
/// The maximum length of a password, which bounds the cost of its hash.
pub const PASSWORD_MAX: usize = text::PASSWORD.max;

/// Memory, passes and lanes of argon2id: the first choice of OWASP's Password Storage Cheat Sheet, m = 19 MiB, t = 2, p
/// = 1.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The number of hashes that are computed at once: each takes 19 MiB and a core for some 20 ms, and the server has
/// other work.
const AT_ONCE: usize = 2;
/// How long a request waits for a slot before the server answers that it is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// A password as the user entered it: overwritten on drop, and never printed.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

impl Password {
    /// A password with that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(secret_text(text))
    }

    /// Checks whether it may become the password of the account with that e-mail address.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the rule: [`PASSWORD_MIN`] to [`PASSWORD_MAX`] characters after normalisation, and
    /// neither a common password, nor a simple pattern, nor the address.
    pub fn check(&self, email: &str) -> Result<()> {
        let normal = self.normal();
        text::PASSWORD.check("the password", &normal)?;
        if is_guessable(&normal, email) {
            return Err(Error::Invalid(
                "this password is easy to guess: it is common, a simple pattern, or the account's own address; choose another, such as four or five unrelated words".into(),
            ));
        }
        Ok(())
    }

    /// The normal form, which is measured, hashed and compared.
    fn normal(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.expose_secret().nfkc().collect())
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

/// The result of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The password is right.
    Good,
    /// The password is right, but the hash has outdated parameters: hash it again.
    GoodButOld,
    /// The password is wrong.
    Wrong,
}

/// Hashes passwords. Cheap to clone; clones share the slots and the counter.
#[derive(Clone)]
pub struct PasswordHasher(Arc<Inner>);

struct Inner {
    argon2: Argon2<'static>,
    /// The hash that is compared for an unknown account, so that it costs as much as a known one.
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
    /// A hasher with the parameters of this module. Computes one hash.
    ///
    /// # Errors
    /// The system provides no randomness.
    pub fn new() -> Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut nobodys = Zeroizing::new([0u8; 32]);
        getrandom::fill(nobodys.as_mut())
            .map_err(|_| Error::Invalid("the random number generator failed".into()))?;
        let decoy = phc(&argon2, nobodys.as_ref())?;
        Ok(Self(Arc::new(Inner {
            argon2,
            decoy,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            computed: AtomicU64::new(0),
        })))
    }

    /// The hash to store. Compute it before a transaction is opened, because it takes time.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many requests wait; the random number generator failed.
    pub async fn hash(&self, password: &Password) -> Result<PasswordHash> {
        let password = password.normal();
        self.compute(move |inner| phc(&inner.argon2, password.as_bytes()))
            .await?
            .map(PasswordHash)
    }

    /// Compares a password with the stored hash, in the same time for known and unknown accounts.
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
            let same = |text: &str| {
                let verified = inner.argon2.verify_password(text.as_bytes(), &hash);
                verified.is_ok()
            };
            let normal = password.normal();
            let is_same = same(&normal);
            // Old hashes were made of the text without normalisation. The second comparison depends only on the sent
            // text, so its time reveals nothing about the account.
            let sent = password.0.expose_secret();
            let was_same = normal.as_str() != sent && same(sent);
            match (known && is_same, known && was_same, is_current(&hash)) {
                (true, _, true) => Verdict::Good,
                (true, _, false) | (false, true, _) => Verdict::GoodButOld,
                (false, false, _) => Verdict::Wrong,
            }
        })
        .await
    }

    /// The number of hashes that this hasher has computed.
    pub fn computed(&self) -> u64 {
        self.0.computed.load(Ordering::Relaxed)
    }

    /// Computes on a blocking thread. If the caller disconnects, the slot is released only when the computation ends.
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
    async fn a_missing_hash_costs_the_same_and_never_matches() {
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

    #[tokio::test]
    async fn a_password_is_the_same_in_every_normal_form() {
        let hasher = PasswordHasher::new().unwrap();
        let composed = Password::new("caf\u{e9} au lait, un grand");
        let hash = hasher.hash(&composed).await.unwrap();
        for text in [
            "cafe\u{301} au lait, un grand",
            "caf\u{e9}\u{a0}au lait, un grand",
            "\u{ff43}\u{ff41}f\u{e9} au lait, un grand",
        ] {
            let password = Password::new(text);
            let verdict = hasher.verify(&password, Some(hash.0.clone())).await;
            assert_eq!(verdict.unwrap(), Verdict::Good, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_hash_of_a_text_that_is_not_normal_is_old() {
        let hasher = PasswordHasher::new().unwrap();
        let sent = "cafe\u{301} au lait, un grand";
        let stored = phc(&hasher.0.argon2, sent.as_bytes()).unwrap();
        let verdict = hasher
            .verify(&Password::new(sent), Some(stored))
            .await
            .unwrap();
        assert_eq!(verdict, Verdict::GoodButOld);
    }

    #[test]
    fn length_is_counted_in_normal_characters() {
        let check = |text: &str| Password::new(text).check("ada.lovelace@example.org");
        assert!(check("xK9#mQ2$vL5").is_err());
        assert!(check("xK9#mQ2$vL5p").is_ok());
        // Eleven characters, sent as twelve code points.
        assert!(check("xK9#mQ2$vLe\u{301}").is_err());
        let text: String = (0..PASSWORD_MAX).map(|n| format!("{n}~")).collect();
        let long = |count: usize| text.chars().take(count).collect::<String>();
        assert!(check(&long(PASSWORD_MAX)).is_ok());
        assert!(check(&long(PASSWORD_MAX + 1)).is_err());
    }

    #[test]
    fn a_password_that_is_guessed_first_is_refused() {
        let check = |text: &str| Password::new(text).check("ada.lovelace@example.org");
        for text in [
            "            ",
            "passwordpassword",
            " Ada.Lovelace@Example.org",
            "\u{ff50}assword12345",
        ] {
            let error = check(text).unwrap_err();
            assert!(
                error.to_string().contains("easy to guess"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let text = format!(
            "{:?} {:?}",
            Password::new("hunter2"),
            PasswordHash("$argon2".into())
        );
        assert!(
            !text.contains("hunter2") && !text.contains("argon2"),
            "{text}"
        );
    }
}
