//! The rules of a credential: whether it fits the address of its source, and whether it is usable.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nyxcore_tenancy::{Error, Result};
use secrecy::ExposeSecret;

use super::SourceCredential;

/// The longest token, in bytes. A rule of this project: hosts' own are below 300, JSON web tokens below 4,000.
const TOKEN_MAX: usize = 8 * 1024;
/// The longest user name, in bytes. A rule of this project.
const USERNAME_MAX: usize = 255;
/// The longest private key and the longest list of hosts, in bytes: an RSA key of 16,384 bits has 13,000. A rule of
/// this project.
const KEY_MAX: usize = 16 * 1024;

impl SourceCredential {
    /// Checks the credential. The error message names the rule and never the secret.
    pub(super) fn check(&self, origin: &str) -> Result<()> {
        let invalid = |text: &str| Err(Error::Invalid(text.into()));
        match self {
            Self::Token { username, token } => {
                if !origin.starts_with("http") {
                    return invalid(
                        "a token requires a source at https://; use an SSH key for this source",
                    );
                }
                let name_is_good = (1..=USERNAME_MAX).contains(&username.len())
                    && username.bytes().all(|b| b.is_ascii_graphic() && b != b':');
                if !name_is_good {
                    return invalid(
                        "the user name must have 1 to 255 printable characters, without spaces and \":\"",
                    );
                }
                let token = token.expose_secret();
                if token.is_empty() || token.len() > TOKEN_MAX {
                    return invalid("the token must have 1 to 8,192 characters");
                }
                if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return invalid(
                        "the token contains a space or a character that is not printable ASCII: copy it without surrounding text",
                    );
                }
                Ok(())
            }
            Self::SshKey {
                private_key,
                known_hosts,
            } => {
                if !origin.starts_with("ssh") {
                    return invalid(
                        "an SSH key requires a source at ssh://; use a token for this source",
                    );
                }
                private_key_check(private_key.expose_secret())?;
                known_hosts.as_deref().map_or(Ok(()), known_hosts_check)
            }
        }
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= KEY_MAX
        && !text
            .chars()
            .any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
}

fn private_key_check(key: &str) -> Result<()> {
    let refused = |text: &str| Err(Error::Invalid(text.into()));
    let lines: Vec<&str> = key.trim().lines().map(str::trim).collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        return refused("the private key is empty");
    };
    let framed = first.starts_with("-----BEGIN ")
        && first.ends_with("PRIVATE KEY-----")
        && last.starts_with("-----END ");
    if !is_text(key) || !framed || lines.len() < 3 {
        return refused(
            "the private key must be the whole content of its file, from -----BEGIN … PRIVATE KEY----- to -----END … PRIVATE KEY-----, up to 16 KiB",
        );
    }
    let encrypted =
        key.contains("ENCRYPTED") || openssh_cipher(&lines).is_some_and(|c| c != b"none");
    if encrypted {
        return refused(
            "the private key has a passphrase: use a key without a passphrase, generated for this source only",
        );
    }
    Ok(())
}

/// The cipher of an encrypted key in OpenSSH's own format (PROTOCOL.key of OpenSSH: the magic, then the cipher's name).
fn openssh_cipher(lines: &[&str]) -> Option<Vec<u8>> {
    let body = lines.get(1..lines.len().checked_sub(1)?)?.concat();
    let bytes = STANDARD.decode(body).ok()?;
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
    Some(rest.get(4..4 + usize::try_from(length).ok()?)?.to_vec())
}

fn known_hosts_check(lines: &str) -> Result<()> {
    let good = is_text(lines)
        && lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .all(|line| line.split_whitespace().count() >= 3);
    if good {
        Ok(())
    } else {
        Err(Error::Invalid(
            "known hosts must be lines such as `git.example.org ssh-ed25519 AAAA…`, as printed by ssh-keyscan, up to 16 KiB".into(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first bytes of a key as OpenSSH writes it, with that cipher.
    fn openssh_key(cipher: &str) -> String {
        let mut bytes = b"openssh-key-v1\0".to_vec();
        bytes.extend_from_slice(&u32::try_from(cipher.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(cipher.as_bytes());
        bytes.extend_from_slice(&[0; 90]);
        let body = STANDARD.encode(bytes);
        let (one, two) = body.split_at(70);
        format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{one}\n{two}\n-----END OPENSSH PRIVATE KEY-----\n"
        )
    }

    fn key(text: &str, known_hosts: Option<&str>) -> Result<()> {
        let credential = SourceCredential::SshKey {
            private_key: text.into(),
            known_hosts: known_hosts.map(Into::into),
        };
        credential.check("ssh://git.example.org:22")
    }

    fn token(username: &str, token: &str, origin: &str) -> Result<()> {
        let credential = SourceCredential::Token {
            username: username.into(),
            token: token.into(),
        };
        assert_eq!(format!("{credential:?}"), "SourceCredential(..)");
        credential.check(origin)
    }

    #[test]
    fn a_key_is_whole_and_has_no_passphrase() {
        assert!(key(&openssh_key("none"), None).is_ok());
        assert!(
            key(
                &openssh_key("none").replace('\n', "\r\n"),
                Some("# mine\n\ngit.example.org ssh-ed25519 AAAA\n")
            )
            .is_ok()
        );
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
        assert!(key(pem, None).is_ok());
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nMIIE\n-----END RSA PRIVATE KEY-----";
        let long = format!("{}{}", openssh_key("none"), "A".repeat(KEY_MAX));
        for wrong in [
            "",
            "\n",
            "ssh-ed25519 AAAA mine",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            encrypted,
            &long,
            &openssh_key("aes256-ctr"),
            &openssh_key("none").replace("PRIVATE", "PUBLIC"),
            &openssh_key("none").replace('A', "\u{0}"),
        ] {
            assert_eq!(
                key(wrong, None).unwrap_err().code(),
                "INVALID_INPUT",
                "{wrong}"
            );
        }
        for wrong in [
            "git.example.org",
            "git.example.org ssh-ed25519",
            "a b c\u{7}",
        ] {
            assert!(key(&openssh_key("none"), Some(wrong)).is_err(), "{wrong}");
        }
        let elsewhere = SourceCredential::SshKey {
            private_key: openssh_key("none").into(),
            known_hosts: None,
        };
        assert!(elsewhere.check("https://git.example.org:443").is_err());
    }

    #[test]
    fn a_token_is_printable_and_no_error_repeats_it() {
        const HTTPS: &str = "https://git.example.org:443";
        assert!(token("ada", "ghp_abc", HTTPS).is_ok());
        for (name, secret) in [
            ("", "s3cret"),
            ("a:b", "s3cret"),
            ("a b", "s3cret"),
            ("ada", ""),
            ("ada", "s3cret x"),
            ("ada", "s3cret\r\nX-Header: 1"),
        ] {
            let error = token(name, secret, HTTPS).unwrap_err();
            assert!(
                error.code() == "INVALID_INPUT" && !error.to_string().contains("s3cret"),
                "{error}"
            );
        }
        assert!(token("ada", "s3cret", "ssh://git.example.org:22").is_err());
    }
}
