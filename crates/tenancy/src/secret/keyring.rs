//! Master keys: their sources, and the selection of the key that decrypts a secret.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Secret, seal};
use crate::error::{Error, Result};
use crate::model::TenantId;

/// The size of a master key in bytes: 256 bits, as XChaCha20-Poly1305 requires.
pub const KEY_BYTES: usize = 32;
/// The number of hex digits of a key's id: the start of the key's SHA-256. The key is random, so the id reveals nothing
/// about it.
const ID_DIGITS: usize = 16;

/// A master key. It is overwritten on drop, and `Debug` shows only its id.
#[derive(Clone)]
pub struct MasterKey {
    id: Arc<str>,
    bytes: Arc<Zeroizing<[u8; KEY_BYTES]>>,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.as_slice().ct_eq(other.bytes.as_slice()).into()
    }
}

impl MasterKey {
    /// Generates a key from the system's randomness.
    ///
    /// # Errors
    /// [`Error::MasterKey`] if the system provides no randomness.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice())
            .map_err(|_| Error::MasterKey("the random number generator failed".into()))?;
        Ok(Self::of(bytes))
    }

    /// Parses a key in base64 (the standard alphabet, padded: 44 characters).
    ///
    /// # Errors
    /// [`Error::MasterKey`], which does not contain the text.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = || Error::MasterKey("a master key must be 32 bytes in base64".into());
        let read = STANDARD.decode(text.trim()).map_err(|_| refused())?;
        let read = Zeroizing::new(read);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if read.len() != KEY_BYTES {
            return Err(refused());
        }
        bytes.copy_from_slice(&read);
        Ok(Self::of(bytes))
    }

    fn of(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let digest = Sha256::digest(bytes.as_slice());
        let mut id = hex::encode(digest);
        id.truncate(ID_DIGITS);
        Self {
            id: id.into(),
            bytes: Arc::new(bytes),
        }
    }

    /// The id of the key, stored with the secrets that it encrypts.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key in base64, for its storage.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }
}

/// The available master keys: one encrypts and decrypts, the others only decrypt.
#[derive(Debug, Clone, PartialEq)]
pub struct MasterKeys {
    /// The key that encrypts new secrets.
    pub current: MasterKey,
    /// Keys that may still be needed to decrypt older secrets.
    pub previous: Vec<MasterKey>,
}

impl MasterKeys {
    /// One key without previous keys.
    pub fn one(current: MasterKey) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }

    /// The key with that id.
    pub fn key(&self, id: &str) -> Option<&MasterKey> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.id() == id)
    }
}

/// A source of master keys. It is read before each encryption, and before a decryption with an unknown key, because
/// another process may have started or finished a rotation.
pub trait KeySource: Send + Sync + 'static {
    /// The current keys of the source; `None` if no key was ever created.
    ///
    /// # Errors
    /// [`Error::MasterKey`] if the keys cannot be read, or other accounts could read them too.
    fn load(&self) -> Result<Option<MasterKeys>>;

    /// The current keys; a key is created if there is none.
    ///
    /// # Errors
    /// As [`KeySource::load`], or the new key cannot be stored.
    fn load_or_make(&self) -> Result<MasterKeys>;
}

/// Keys held by an embedding program or a test.
impl KeySource for MasterKeys {
    fn load(&self) -> Result<Option<MasterKeys>> {
        Ok(Some(self.clone()))
    }

    fn load_or_make(&self) -> Result<MasterKeys> {
        Ok(self.clone())
    }
}

/// The keys of a process, read from their source when they are needed. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    source: Arc<dyn KeySource>,
    known: Arc<RwLock<Option<MasterKeys>>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").finish_non_exhaustive()
    }
}

impl Keyring {
    /// A keyring of a source. Nothing is read yet.
    pub fn new(source: impl KeySource) -> Self {
        Self {
            source: Arc::new(source),
            known: Arc::default(),
        }
    }

    /// Reads the keys from the source again; a key is created if there is none.
    ///
    /// # Errors
    /// The error of the source.
    pub fn keys_fresh(&self) -> Result<MasterKeys> {
        let keys = self.source.load_or_make()?;
        self.remember(Some(keys.clone()));
        Ok(keys)
    }

    /// Encrypts a secret with the current key, and returns the id of that key.
    pub(super) fn seal(
        &self,
        tenant: TenantId,
        kind: &str,
        name: &str,
        value: &[u8],
    ) -> Result<(String, Vec<u8>)> {
        let key = self.keys_fresh()?.current;
        let sealed = seal::seal(&key, tenant, kind, name, value)?;
        Ok((key.id().to_owned(), sealed))
    }

    /// Decrypts a secret with the key of that id.
    ///
    /// # Errors
    /// [`Error::SecretUnreadable`] if there is no such key, or the secret was encrypted for another place, or changed.
    pub(super) fn open(
        &self,
        tenant: TenantId,
        kind: &str,
        name: &str,
        key_id: &str,
        sealed: &[u8],
    ) -> Result<Secret> {
        let key = self.key(key_id)?.ok_or(Error::SecretUnreadable)?;
        seal::open(&key, tenant, kind, name, sealed)
    }

    fn key(&self, id: &str) -> Result<Option<MasterKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.as_ref().and_then(|keys| keys.key(id).cloned());
        drop(known);
        if found.is_some() {
            return Ok(found);
        }
        let keys = self.source.load()?;
        let found = keys.as_ref().and_then(|keys| keys.key(id).cloned());
        self.remember(keys);
        Ok(found)
    }

    fn remember(&self, keys: Option<MasterKeys>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_key_is_read_back_from_its_text_and_shows_only_its_id() {
        let key = MasterKey::generate().unwrap();
        let text = key.to_base64();
        let again = MasterKey::parse(&format!(" {}\n", *text)).unwrap();
        assert_eq!(again, key);
        assert_eq!(again.id(), key.id());
        assert_eq!(key.id().len(), ID_DIGITS);
        let keyring = Keyring::new(MasterKeys::one(key.clone()));
        keyring.keys_fresh().unwrap();
        for shown in [format!("{key:?}"), format!("{keyring:?}")] {
            assert!(!shown.contains(&**text), "{shown}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let short = STANDARD.encode([7; 31]);
        for text in ["", "not base64 at all", short.as_str()] {
            let error = MasterKey::parse(text).unwrap_err();
            assert_eq!(error.code(), "MASTER_KEY_UNUSABLE");
            assert!(text.is_empty() || !format!("{error:?} {error}").contains(text));
        }
    }

    /// A source that another process writes to.
    struct Changing(Arc<Mutex<Option<MasterKeys>>>);

    impl KeySource for Changing {
        fn load(&self) -> Result<Option<MasterKeys>> {
            Ok(self.0.lock().unwrap().clone())
        }
        fn load_or_make(&self) -> Result<MasterKeys> {
            let mut keys = self.0.lock().unwrap();
            let made = MasterKeys::one(MasterKey::generate()?);
            Ok(keys.get_or_insert(made).clone())
        }
    }

    #[test]
    fn a_key_that_another_process_made_is_used_without_a_restart() {
        let kept = Arc::new(Mutex::new(None));
        let (ours, others) = (
            Keyring::new(Changing(kept.clone())),
            Keyring::new(Changing(kept.clone())),
        );
        let tenant = TenantId(uuid::Uuid::from_u128(1));
        let (old, _) = ours.seal(tenant, "k", "n", b"one").unwrap();
        let rotated = MasterKeys {
            current: MasterKey::generate().unwrap(),
            previous: vec![kept.lock().unwrap().clone().unwrap().current],
        };
        *kept.lock().unwrap() = Some(rotated);
        let (new, sealed) = others.seal(tenant, "k", "n", b"two").unwrap();
        assert_ne!(old, new);
        let opened = ours.open(tenant, "k", "n", &new, &sealed).unwrap();
        assert_eq!(opened.expose(), b"two");
        let (sealed_with, _) = ours.seal(tenant, "k", "n", b"three").unwrap();
        assert_eq!(sealed_with, new);
    }

    #[test]
    fn nothing_is_made_for_opening() {
        let kept = Arc::new(Mutex::new(None));
        let keyring = Keyring::new(Changing(kept.clone()));
        let tenant = TenantId(uuid::Uuid::from_u128(1));
        let error = keyring.open(tenant, "k", "n", "0", &[1; 60]).unwrap_err();
        assert_eq!(error.code(), "SECRET_UNREADABLE");
        assert!(kept.lock().unwrap().is_none());
    }
}
