//! The credential of a source: sealed together with its scheme, host and port, used by syncs, never returned.
//!
//! Longer than 450 lines: the rules and the sealing of a credential are read together.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nyxcore_projects::{Source, SourceId, Sources};
use nyxcore_tenancy::secret::{Keyring, Secret, secret_get, secret_put, secret_remove};
use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Repository, Result, Scoped, TypedId};
use sea_orm::ActiveValue::Set;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::settings::{OwnCredential, SettingsRows, SyncSettings, settings_change};
use crate::connection::{GitConnectionId, connection_token};
use crate::entity::sync_settings;
use crate::git::{RemoteAccess, url_origin};
use crate::registration::SOURCE_SECRET;

/// The kind that these secrets are kept under; their name is the source's id.
pub(super) const KIND: &str = "source_credential";
/// The user name that goes with a connection's token; GitHub takes any.
const CONNECTION_USER: &str = "x-access-token";
/// The longest token, in bytes. A rule of this project: hosts' own are below 300, JSON web tokens below 4,000.
const TOKEN_MAX: usize = 8 * 1024;
/// The longest user name, in bytes. A rule of this project.
const USERNAME_MAX: usize = 255;
/// The longest private key and the longest list of hosts, in bytes: an RSA key of 16,384 bits has 13,000. A rule of
/// this project.
const KEY_MAX: usize = 16 * 1024;

/// A credential of a source. It is overwritten on drop and not shown by `Debug`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceCredential {
    /// For `https://`.
    Token {
        /// The user name; many hosts take any name with a token.
        username: String,
        /// The token or password.
        #[serde(serialize_with = "nyxcore_tenancy::secret::secret_serialize")]
        token: SecretString,
    },
    /// For `ssh://`.
    SshKey {
        /// The private key as OpenSSH or PEM text, without a passphrase.
        #[serde(serialize_with = "nyxcore_tenancy::secret::secret_serialize")]
        private_key: SecretString,
        /// Lines of a `known_hosts` file. Without them a host is trusted at first sight.
        known_hosts: Option<String>,
    },
}

/// Nothing is shown: a user name may be a token, too.
impl std::fmt::Debug for SourceCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceCredential(..)")
    }
}

/// The encrypted content.
#[derive(Serialize, Deserialize)]
struct SealedCredential {
    /// Scheme, host and port: wherever else the source may lead later, the credential does not go there.
    origin: String,
    credential: SourceCredential,
}

/// What a source is fetched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceCredentialKind {
    /// Nothing: it is public.
    #[default]
    None,
    /// A token of its own.
    Token,
    /// An SSH key of its own.
    SshKey,
    /// The token of a git connection.
    Connection,
}

impl SyncSettings {
    /// What the source is fetched with.
    #[must_use]
    pub fn credential(&self) -> SourceCredentialKind {
        match (self.own_credential, self.connection_id) {
            (Some(OwnCredential::Token), _) => SourceCredentialKind::Token,
            (Some(OwnCredential::SshKey), _) => SourceCredentialKind::SshKey,
            (None, Some(_)) => SourceCredentialKind::Connection,
            (None, None) => SourceCredentialKind::None,
        }
    }
}

impl SourceCredential {
    fn own(&self) -> OwnCredential {
        match self {
            Self::Token { .. } => OwnCredential::Token,
            Self::SshKey { .. } => OwnCredential::SshKey,
        }
    }

    /// The text of an error names the rule and never the secret.
    fn check(&self, origin: &str) -> Result<()> {
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

/// The cipher that a key in OpenSSH's own format is encrypted with (PROTOCOL.key of OpenSSH: the magic, then the
/// cipher's name).
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

/// Sets the credential of a source and replaces the previous one. It is bound to the source's current scheme, host and
/// port.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a credential that does not fit the source's address or cannot be used.
pub async fn source_credential_set(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    source: SourceId,
    credential: SourceCredential,
) -> Result<Source> {
    scoped.permit(Action::Update, SOURCE_SECRET, source.uuid())?;
    let source = Sources::require(scoped, source).await?;
    let own = credential.own();
    scoped.audit_detail(serde_json::json!({"credential": match own {
        OwnCredential::Token => "TOKEN",
        OwnCredential::SshKey => "SSH_KEY",
    }}));
    let Some(origin) = url_origin(&source.url) else {
        return Err(Error::Invalid(
            "a source that is a path on the server needs no credential".into(),
        ));
    };
    credential.check(&origin)?;
    let sealed = serde_json::to_vec(&SealedCredential { origin, credential })
        .map_err(|_| Error::Invalid("no credential".into()))?;
    let name = source.id.to_string();
    secret_put(scoped, keyring, KIND, &name, &Secret::new(sealed)).await?;
    let row = sync_settings::ActiveModel {
        credential: Set(Some(own)),
        ..Default::default()
    };
    settings_change(scoped, source.id, row).await?;
    Ok(source)
}

/// Forgets what a source is fetched with: its own credential, and which git connection it used. Twice is once.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn source_credential_remove(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
) -> Result<Source> {
    scoped.permit(Action::Delete, SOURCE_SECRET, source.uuid())?;
    let source = Sources::require(scoped, source).await?;
    credential_drop(scoped, source.id).await?;
    Ok(source)
}

/// To be called with a source as it was before its address was changed: where scheme, host or port are others now, its
/// credential is forgotten. Who may change a source could have a token sent to a host of their choice otherwise. Tells
/// whether there was one.
///
/// # Errors
/// The database refuses.
pub async fn source_url_changed(
    scoped: &Scoped<ReadWrite>,
    before: &Source,
    after: &Source,
) -> Result<bool> {
    if url_origin(&before.url) == url_origin(&after.url) {
        return Ok(false);
    }
    let dropped = credential_drop(scoped, after.id).await?;
    if dropped {
        scoped.audit_detail(serde_json::json!({"credential": "NONE"}));
    }
    Ok(dropped)
}

async fn credential_drop(scoped: &Scoped<ReadWrite>, source: SourceId) -> Result<bool> {
    let had = secret_remove(scoped, KIND, &source.to_string()).await?;
    let settings = SettingsRows::get(scoped, source).await?;
    let Some(settings) = settings else {
        return Ok(had);
    };
    let row = sync_settings::ActiveModel {
        credential: Set(None),
        connection_id: Set(None),
        ..Default::default()
    };
    SettingsRows::update(scoped, source, row).await?;
    Ok(had || settings.credential() != SourceCredentialKind::None)
}

/// What the source is fetched with, in the clear, for its sync. A credential that is for another host than the source's
/// is not given.
///
/// # Errors
/// [`Error::SecretUnreadable`] where no key opens it, or where this process has none.
pub(crate) async fn source_access<A: Access>(
    scoped: &Scoped<A>,
    keyring: Option<&Keyring>,
    source: &Source,
) -> Result<RemoteAccess> {
    let settings = SettingsRows::get(scoped, source.id).await?;
    let Some(settings) = settings else {
        return Ok(RemoteAccess::Anonymous);
    };
    let kind = settings.credential();
    if kind == SourceCredentialKind::None {
        return Ok(RemoteAccess::Anonymous);
    }
    let keyring = keyring.ok_or(Error::SecretUnreadable)?;
    match settings.connection_id {
        Some(id) if kind == SourceCredentialKind::Connection => {
            connection_access(scoped, keyring, GitConnectionId(id), source).await
        }
        _ => own_access(scoped, keyring, source).await,
    }
}

async fn own_access<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    source: &Source,
) -> Result<RemoteAccess> {
    let name = source.id.to_string();
    let Some(sealed) = secret_get(scoped, keyring, KIND, &name).await? else {
        return Ok(RemoteAccess::Anonymous);
    };
    // What serde says of a secret that cannot be read may repeat part of it.
    let sealed: SealedCredential =
        serde_json::from_slice(sealed.expose()).map_err(|_| Error::SecretUnreadable)?;
    if url_origin(&source.url).as_deref() != Some(sealed.origin.as_str()) {
        tracing::error!(source = %source.id, "the credential is for another host than its source, so it is not used");
        return Ok(RemoteAccess::Anonymous);
    }
    Ok(match sealed.credential {
        SourceCredential::Token { username, token } => RemoteAccess::Token {
            username,
            token: Secret::new(token.expose_secret()),
        },
        SourceCredential::SshKey {
            private_key,
            known_hosts,
        } => RemoteAccess::SshKey {
            // A key that came through a form may have the ends of lines of another system.
            private_key: Secret::new(private_key.expose_secret().trim_start().replace('\r', "")),
            known_hosts: known_hosts.map(|lines| lines.replace('\r', "")),
        },
    })
}

async fn connection_access<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    connection: GitConnectionId,
    source: &Source,
) -> Result<RemoteAccess> {
    let token = connection_token(scoped, keyring, connection, &source.url).await?;
    Ok(
        token.map_or(RemoteAccess::Anonymous, |token| RemoteAccess::Token {
            username: CONNECTION_USER.into(),
            token,
        }),
    )
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
