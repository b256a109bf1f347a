//! The encryption: XChaCha20-Poly1305 with a random nonce, bound to the place of the secret.
//!
//! A sealed secret is a version byte, the nonce, and the ciphertext with its tag. The associated data are the version,
//! the tenant, the kind, the name and the id of the key. Each text is preceded by its length, so that no two places
//! have the same encoding.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::Secret;
use super::keyring::MasterKey;
use crate::error::{Error, Result};
use crate::model::TenantId;

/// The version of the format.
const VERSION: u8 = 1;
/// Bytes of a nonce: long enough that random ones do not meet (draft-irtf-cfrg-xchacha, section 3.1).
const NONCE_BYTES: usize = 24;

/// Encrypts a secret.
pub(super) fn seal(
    key: &MasterKey,
    tenant: TenantId,
    kind: &str,
    name: &str,
    value: &[u8],
) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce)
        .map_err(|_| Error::MasterKey("the random number generator failed".into()))?;
    let place = place(tenant, kind, name, key.id());
    let payload = Payload {
        msg: value,
        aad: &place,
    };
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::Invalid("the secret is too long".into()))?;
    Ok([&[VERSION], nonce.as_slice(), sealed.as_slice()].concat())
}

/// Decrypts the result of [`seal`] with the same key and place.
pub(super) fn open(
    key: &MasterKey,
    tenant: TenantId,
    kind: &str,
    name: &str,
    sealed: &[u8],
) -> Result<Secret> {
    let (version, rest) = sealed.split_first().ok_or(Error::SecretUnreadable)?;
    let (nonce, sealed) = rest
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(Error::SecretUnreadable)?;
    if *version != VERSION {
        return Err(Error::SecretUnreadable);
    }
    let place = place(tenant, kind, name, key.id());
    let payload = Payload {
        msg: sealed,
        aad: &place,
    };
    let value = cipher(key)
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| Error::SecretUnreadable)?;
    Ok(Secret::new(value))
}

fn cipher(key: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

fn place(tenant: TenantId, kind: &str, name: &str, key_id: &str) -> Vec<u8> {
    let mut place = vec![VERSION];
    for part in [
        tenant.0.as_bytes().as_slice(),
        kind.as_bytes(),
        name.as_bytes(),
        key_id.as_bytes(),
    ] {
        place.extend_from_slice(&(part.len() as u64).to_be_bytes());
        place.extend_from_slice(part);
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn key() -> MasterKey {
        MasterKey::generate().unwrap()
    }

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_at_its_place_and_at_no_other(
            value in proptest::collection::vec(any::<u8>(), 0..300),
            place in (any::<u128>(), "[a-c]{0,4}", "[a-c]{0,4}"),
            other in (any::<u128>(), "[a-c]{0,4}", "[a-c]{0,4}"),
        ) {
            let key = key();
            let sealed = seal(&key, tenant(place.0), &place.1, &place.2, &value).unwrap();
            let opened = open(&key, tenant(place.0), &place.1, &place.2, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), &value[..]);
            // One part of the place is changed at a time, then all parts.
            let moves = [
                (other.0, &place.1, &place.2),
                (place.0, &other.1, &place.2),
                (place.0, &place.1, &other.2),
                (other.0, &other.1, &other.2),
            ];
            for (n, kind, name) in moves {
                if (n, kind, name) != (place.0, &place.1, &place.2) {
                    prop_assert!(open(&key, tenant(n), kind, name, &sealed).is_err());
                }
            }
        }

        #[test]
        fn letters_that_pass_from_the_kind_to_the_name_change_the_place(text in "[a-z]{1,12}", cut in 0usize..12, other in 0usize..12) {
            let (cut, other) = (cut.min(text.len()), other.min(text.len()));
            prop_assume!(cut != other);
            let key = key();
            let sealed = seal(&key, tenant(1), &text[..cut], &text[cut..], b"secret").unwrap();
            prop_assert!(open(&key, tenant(1), &text[..other], &text[other..], &sealed).is_err());
        }

        #[test]
        fn another_key_does_not_open_it(value in ".{0,40}") {
            let sealed = seal(&key(), tenant(1), "kind", "name", value.as_bytes()).unwrap();
            prop_assert!(open(&key(), tenant(1), "kind", "name", &sealed).is_err());
        }

        #[test]
        fn a_flipped_bit_or_a_missing_end_does_not_open(value in ".{0,40}", bit in any::<proptest::sample::Index>(), end in any::<proptest::sample::Index>()) {
            let key = key();
            let sealed = seal(&key, tenant(1), "kind", "name", value.as_bytes()).unwrap();
            let mut flipped = sealed.clone();
            let bit = bit.index(flipped.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open(&key, tenant(1), "kind", "name", &flipped).is_err());
            prop_assert!(open(&key, tenant(1), "kind", "name", &sealed[..end.index(sealed.len())]).is_err());
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same() {
        let key = key();
        let once = seal(&key, tenant(1), "kind", "name", b"secret").unwrap();
        let twice = seal(&key, tenant(1), "kind", "name", b"secret").unwrap();
        assert_ne!(once, twice);
    }
}
