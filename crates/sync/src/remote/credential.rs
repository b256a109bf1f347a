//! The credential of a source: sealed together with its scheme, host and port, used by syncs, never returned.

mod rules;

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

/// The kind of these secrets in the secret store; their name is the source's id.
pub(super) const KIND: &str = "source_credential";
/// The user name that is sent with a connection's token; GitHub accepts any.
const CONNECTION_USER: &str = "x-access-token";
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
        /// Lines of a `known_hosts` file. Without them a host is trusted on first use.
        known_hosts: Option<String>,
    },
}

/// Shows nothing: a user name may be a token, too.
impl std::fmt::Debug for SourceCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceCredential(..)")
    }
}

/// The encrypted content.
#[derive(Serialize, Deserialize)]
struct SealedCredential {
    /// Scheme, host and port: the credential is sent nowhere else, even if the source's address changes later.
    origin: String,
    credential: SourceCredential,
}

/// The kind of credential that a source uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceCredentialKind {
    /// No credential: the source is public.
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
    /// The kind of credential that the source uses.
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

/// Removes a source's credential: its own one, and the use of a git connection. A second call has no effect.
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

/// Call it with a source as it was before its address was changed. If scheme, host or port have changed, the source's
/// credential is removed. Otherwise a user who may change a source could have the token sent to another host. Returns
/// whether there was a credential.
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

/// The decrypted credential of a source, for its sync. A credential that is bound to another host is not returned.
///
/// # Errors
/// [`Error::SecretUnreadable`] if no key decrypts it, or this process has no keys.
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
    // Serde's error about an unreadable secret may repeat part of it.
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
            // A key that was pasted into a form may have the line ends of another system.
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
