//! The format of credentials, `<kind>_<id>_<secret>`, stored as SHA-256. The secret ends in a checksum, so that a
//! scanner can recognise it. API tokens are `nyx_...`, sessions `nyxs_...`, invitations `nyxinv_...`.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::id::{id_format, id_parse};

/// The prefix of an API token.
pub(crate) const API_TOKEN: &str = "nyx";
/// The prefix of a session's secret.
pub(crate) const SESSION: &str = "nyxs";
/// The prefix of an invitation's secret.
pub(crate) const INVITATION: &str = "nyxinv";

/// The number of random bytes in a secret: 192 bits.
const SECRET_BYTES: usize = 24;
/// The number of hex digits of the checksum at the secret's end.
const CHECKSUM_DIGITS: usize = 8;

/// A new secret in full, which is shown only once.
pub(crate) struct NewSecret {
    pub text: String,
    pub prefix: String,
    pub hash: Vec<u8>,
}

/// Creates a secret of that kind with that id.
pub(crate) fn token_mint(kind: &'static str, id: Uuid) -> Result<NewSecret> {
    let mut random = [0u8; SECRET_BYTES];
    getrandom::fill(&mut random)
        .map_err(|_| Error::Invalid("the random number generator failed".into()))?;
    let head = format!("{}_{}", id_format(kind, id), hex::encode(random));
    let text = format!("{head}{}", checksum(&head));
    Ok(NewSecret {
        prefix: text.chars().take(16).collect(),
        hash: token_hash(&text),
        text,
    })
}

/// The id in a secret of that kind, if the form and the checksum are valid. Needs no statement.
pub(crate) fn token_id(kind: &str, text: &str) -> Option<Uuid> {
    let (public, _) = text.rsplit_once('_')?;
    let (prefix, uuid) = id_parse(public)?;
    let (head, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_DIGITS)?)?;
    (prefix == kind && checksum(head) == sum).then_some(uuid)
}

/// The stored hash of a secret.
pub(crate) fn token_hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

/// Compares in constant time.
pub(crate) fn token_matches(text: &str, stored: &[u8]) -> bool {
    token_hash(text).ct_eq(stored).into()
}

fn checksum(head: &str) -> String {
    let mut sum = hex::encode(Sha256::digest(head.as_bytes()));
    sum.truncate(CHECKSUM_DIGITS);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_carries_its_id_and_kind_and_matches_its_hash() {
        let id = Uuid::from_u128(42);
        for (kind, other) in [
            (API_TOKEN, SESSION),
            (SESSION, INVITATION),
            (INVITATION, API_TOKEN),
        ] {
            let token = token_mint(kind, id).unwrap();
            assert!(token.text.starts_with(&format!("{kind}_")));
            assert_eq!(token_id(kind, &token.text), Some(id));
            assert_eq!(token_id(other, &token.text), None);
            assert!(token_matches(&token.text, &token.hash));
        }
    }

    #[test]
    fn a_token_with_one_digit_changed_is_refused_by_its_checksum() {
        let token = token_mint(API_TOKEN, Uuid::from_u128(42)).unwrap();
        let mut text = token.text.into_bytes();
        let at = text.len() - 20;
        text[at] = if text[at] == b'0' { b'1' } else { b'0' };
        assert_eq!(token_id(API_TOKEN, &String::from_utf8(text).unwrap()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_never_a_token_and_never_a_panic(text in "(nyx(s|inv)?_)?.{0,60}") {
            prop_assert_eq!(token_id(API_TOKEN, &text), None);
            prop_assert_eq!(token_id(SESSION, &text), None);
            prop_assert_eq!(token_id(INVITATION, &text), None);
        }
    }
}
