//! Computes the SCRAM-SHA-256 verifier that PostgreSQL stores for a password, so that the password itself is in no
//! statement and in no server log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Rounds of the key derivation: PostgreSQL's own default (`scram_iterations`).
const ITERATIONS: u32 = 4096;
/// Bytes of salt: as many as PostgreSQL uses.
pub const SALT_BYTES: usize = 16;

/// The verifier of a password of printable ASCII, which SASLprep (RFC 4013) does not change.
///
/// # Errors
/// None in practice: HMAC accepts a key of any length.
pub fn verifier(password: &str, salt: [u8; SALT_BYTES]) -> Result<String> {
    let salted = salted_password(password.as_bytes(), &salt)?;
    let stored_key = Sha256::digest(keyed(&salted, &[b"Client Key"])?);
    let server_key = keyed(&salted, &[b"Server Key"])?;
    Ok(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    ))
}

/// `Hi` of RFC 5802: PBKDF2 with one block.
fn salted_password(password: &[u8], salt: &[u8]) -> Result<[u8; 32]> {
    let mut block = keyed(password, &[salt, &1_u32.to_be_bytes()])?;
    let mut salted = block;
    for _ in 1..ITERATIONS {
        block = keyed(password, &[&block])?;
        for (byte, next) in salted.iter_mut().zip(block) {
            *byte ^= next;
        }
    }
    Ok(salted)
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|error| Error::SettingInvalid(format!("the password cannot be used: {error}")))?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3: the password `pencil` with this salt; the server key is checked against its server
    /// signature.
    #[test]
    fn the_verifier_is_that_of_rfc_7677() {
        let salt: [u8; SALT_BYTES] = STANDARD
            .decode("W22ZaJ0SNY7soEsUEjb6gQ==")
            .unwrap()
            .try_into()
            .unwrap();
        let text = verifier("pencil", salt).unwrap();
        let (_, keys) = text.rsplit_once('$').unwrap();
        let server_key = STANDARD.decode(keys.split_once(':').unwrap().1).unwrap();
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let message = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
        );
        let signature = keyed(&server_key, &[message.as_bytes()]).unwrap();
        assert_eq!(
            STANDARD.encode(signature),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }
}
