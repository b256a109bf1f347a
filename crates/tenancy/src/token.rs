//! API tokens: `nyx_<id>_<secret>`, kept as SHA-256. The secret ends in a checksum, so that a scanner can tell a token from a look-alike.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};
use crate::id::{id_format, id_parse};
use crate::model::ApiTokenId;

/// Bytes of randomness in a secret: 192 bits.
const SECRET_BYTES: usize = 24;
/// Hex digits of the checksum at the secret's end.
const CHECKSUM_DIGITS: usize = 8;

/// A token in full, as only its maker sees it, once.
pub(crate) struct Minted {
    pub text: String,
    pub prefix: String,
    pub hash: Vec<u8>,
}

/// Makes the token with that id.
pub(crate) fn token_mint(id: ApiTokenId) -> Result<Minted> {
    let mut random = [0u8; SECRET_BYTES];
    getrandom::fill(&mut random)
        .map_err(|_| Error::Invalid("the machine gives no randomness".into()))?;
    let head = format!("{}_{}", id_format("nyx", id.0), hex(&random));
    let text = format!("{head}{}", checksum(&head));
    Ok(Minted {
        prefix: text.chars().take(16).collect(),
        hash: token_hash(&text),
        text,
    })
}

/// The id within a token, where the text is one: right in form and checksum. Costs no look-up.
pub(crate) fn token_id(text: &str) -> Option<ApiTokenId> {
    let (public, _) = text.rsplit_once('_')?;
    let (prefix, uuid) = id_parse(public)?;
    let (head, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_DIGITS)?)?;
    (prefix == "nyx" && checksum(head) == sum).then_some(ApiTokenId(uuid))
}

/// What is stored of a token.
pub(crate) fn token_hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

/// Compares without telling by its time where the two differ.
pub(crate) fn token_matches(text: &str, stored: &[u8]) -> bool {
    token_hash(text).ct_eq(stored).into()
}

fn checksum(head: &str) -> String {
    let mut sum = hex(&Sha256::digest(head.as_bytes()));
    sum.truncate(CHECKSUM_DIGITS);
    sum
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn a_minted_token_names_its_id_and_matches_its_hash() {
        let id = ApiTokenId(Uuid::from_u128(42));
        let token = token_mint(id).unwrap();
        assert!(token.text.starts_with("nyx_"));
        assert_eq!(token_id(&token.text), Some(id));
        assert!(token_matches(&token.text, &token.hash));
    }

    #[test]
    fn a_token_with_one_digit_changed_is_refused_by_its_checksum() {
        let token = token_mint(ApiTokenId(Uuid::from_u128(42))).unwrap();
        let mut text = token.text.into_bytes();
        let at = text.len() - 20;
        text[at] = if text[at] == b'0' { b'1' } else { b'0' };
        assert_eq!(token_id(&String::from_utf8(text).unwrap()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_never_a_token_and_never_a_panic(text in "(nyx_)?.{0,60}") {
            prop_assert_eq!(token_id(&text), None);
        }
    }
}
