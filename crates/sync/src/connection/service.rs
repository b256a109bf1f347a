//! Creates, changes and removes connections and their tokens.

use nyxcore_github::{BaseUrl, GITHUB_COM, GithubError, GithubToken};
use nyxcore_projects::SourceId;
use nyxcore_tenancy::secret::{Keyring, Secret, secret_get, secret_put, secret_remove};
use nyxcore_tenancy::{
    Access, Action, Error, Page, PageRequest, ReadWrite, Repository, Result, Scoped, TypedId,
    repository, root_list, text,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};
use serde_json::json;

use super::access::ConnectionContext;
use super::error::ConnectionError;
use super::model::{
    AddedConnection, ConnectionChanges, GitConnection, GitConnectionId, NewConnection,
};
use crate::entity::{git_connection, sync_settings};
use crate::registration::GIT_CONNECTION;
use crate::remote::{SettingsRows, SourceCredentialKind, settings_change};

/// The kind of the sealed tokens; the name of a sealed token is the connection's id.
const KIND: &str = "git_connection";
/// The thing whose name is taken, in the error message.
const TAKEN: &str = "a connection with this name";

repository! {
    /// Connections of a tenant.
    pub GitConnections: git_connection => GitConnection, Id = id: GitConnectionId
}

/// The tenant's connections, as [`connection_list`] reads them.
#[derive(Debug, Clone, Copy)]
pub struct GitConnectionList;

root_list! { GitConnectionList => GitConnection: connection_list, connection_count }

/// One page of the tenant's connections, newest first.
///
/// # Errors
/// The database fails.
pub async fn connection_list<A: Access>(
    scoped: &Scoped<A>,
    page: &PageRequest,
) -> Result<Page<GitConnection>> {
    scoped.permit(Action::Read, GIT_CONNECTION, None)?;
    GitConnections::list(scoped, Condition::all(), page).await
}

/// How many connections the tenant has.
///
/// # Errors
/// The database fails.
pub async fn connection_count<A: Access>(scoped: &Scoped<A>) -> Result<u64> {
    GitConnections::count(scoped, Condition::all()).await
}

/// Creates a connection whose token GitHub accepts.
///
/// # Errors
/// [`ConnectionError`]: the token is verified before anything is stored. [`Error::Conflict`] for a name that is taken.
pub async fn connection_add(
    context: &ConnectionContext<'_>,
    new: NewConnection,
) -> Result<AddedConnection, ConnectionError> {
    let id = GitConnectionId(context.store.env().id());
    let scoped = context.store.read_as(context.acting).await?;
    scoped.permit(Action::Create, GIT_CONNECTION, id.uuid())?;
    drop(scoped);
    let name = name_check(&new.name)?;
    let base = BaseUrl::parse(new.base_url.as_deref().unwrap_or(GITHUB_COM))?;
    let token = GithubToken::parse(&new.token)?;
    let login = login(context, &base, &token).await?;

    // GitHub accepted the token, so the audit entry for a refusal is dropped: the action is completed below.
    drop(context.acting.unfinished());
    let scoped = context.store.write_as(context.acting).await?;
    scoped.permit(Action::Create, GIT_CONNECTION, id.uuid())?;
    scoped.audit_detail(json!({"name": name, "baseUrl": base.as_str()}));
    let now = scoped.env().now();
    let row = git_connection::ActiveModel {
        id: Set(id),
        name: Set(name),
        base_url: Set(base.as_str().to_owned()),
        created_by: Set(Some(context.acting.caller.user)),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let connection = GitConnections::insert(&scoped, row).await;
    let connection = connection.map_err(|error| error.conflict_as(TAKEN))?;
    token_keep(&scoped, context.keyring, id, &token).await?;
    scoped.commit().await?;
    Ok(AddedConnection {
        connection,
        login: Some(login),
    })
}

/// Changes a connection's name, or gives it a new token that GitHub accepts. The server cannot be changed: another
/// server needs another connection.
///
/// # Errors
/// As [`connection_add`]; [`Error::NotFound`].
pub async fn connection_update(
    context: &ConnectionContext<'_>,
    id: GitConnectionId,
    changes: ConnectionChanges,
) -> Result<AddedConnection, ConnectionError> {
    let scoped = context.store.read_as(context.acting).await?;
    scoped.permit(Action::Update, GIT_CONNECTION, id.uuid())?;
    let old = GitConnections::require(&scoped, id).await?;
    drop(scoped);
    let name = changes.name.as_deref().map(name_check).transpose()?;
    let token = changes
        .token
        .as_deref()
        .map(GithubToken::parse)
        .transpose()?;
    let login = match &token {
        Some(token) => Some(login(context, &BaseUrl::parse(&old.base_url)?, token).await?),
        None => None,
    };

    drop(context.acting.unfinished());
    let scoped = context.store.write_as(context.acting).await?;
    scoped.permit(Action::Update, GIT_CONNECTION, id.uuid())?;
    scoped.audit_detail(json!({"name": name, "token": token.is_some()}));
    let row = git_connection::ActiveModel {
        name: name.map_or(sea_orm::ActiveValue::NotSet, Set),
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    let connection = GitConnections::update(&scoped, id, row).await;
    let connection = connection.map_err(|error| error.conflict_as(TAKEN))?;
    if let Some(token) = &token {
        token_keep(&scoped, context.keyring, id, token).await?;
    }
    scoped.commit().await?;
    Ok(AddedConnection { connection, login })
}

/// Removes a connection with its token.
///
/// # Errors
/// [`Error::NotFound`]; [`ConnectionError::InUse`] while sources use the connection.
pub async fn connection_remove(
    scoped: &Scoped<ReadWrite>,
    id: GitConnectionId,
) -> Result<(), ConnectionError> {
    scoped.permit(Action::Delete, GIT_CONNECTION, id.uuid())?;
    connection_hold(scoped, id).await?;
    let with_it = sync_settings::Column::ConnectionId.eq(id.0);
    let sources = SettingsRows::count(scoped, with_it).await?;
    if sources > 0 {
        return Err(ConnectionError::InUse { sources });
    }
    secret_remove(scoped, KIND, &id.to_string()).await?;
    GitConnections::delete(scoped, id).await?;
    Ok(())
}

/// Whether a source has access to its remote: by a connection, or by its own token or key.
pub(super) async fn source_has_access<A: Access>(
    scoped: &Scoped<A>,
    source: SourceId,
) -> Result<bool> {
    let settings = SettingsRows::get(scoped, source).await?;
    Ok(settings.is_some_and(|one| one.credential() != SourceCredentialKind::None))
}

/// Makes a source use a connection from now on.
pub(super) async fn connection_set(
    scoped: &Scoped<ReadWrite>,
    source: SourceId,
    id: GitConnectionId,
) -> Result<()> {
    let row = sync_settings::ActiveModel {
        connection_id: Set(Some(id.0)),
        ..Default::default()
    };
    settings_change(scoped, source, row).await?;
    Ok(())
}

/// Locks the connection until this transaction ends. Waits for other transactions that change it or import with it.
pub(super) async fn connection_hold(scoped: &Scoped<ReadWrite>, id: GitConnectionId) -> Result<()> {
    let sql = "UPDATE git_connections SET updated_at = updated_at WHERE tenant_id = $1 AND id = $2";
    match scoped.sql_execute(sql, [id.0.into()]).await? {
        0 => Err(Error::NotFound(GitConnectionId::PREFIX)),
        _ => Ok(()),
    }
}

/// The token of a connection, for the sync of a source at that address. `None` if the address is on another server.
pub(crate) async fn connection_token<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    id: GitConnectionId,
    url: &str,
) -> Result<Option<Secret>> {
    let connection = GitConnections::get(scoped, id).await?;
    let base = connection.and_then(|connection| BaseUrl::parse(&connection.base_url).ok());
    if !base.is_some_and(|base| base.owns(url)) {
        tracing::error!(connection = %id, "the connection is for another server than the source, so its token is not used");
        return Ok(None);
    }
    secret_get(scoped, keyring, KIND, &id.to_string()).await
}

pub(super) async fn token_read<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    id: GitConnectionId,
) -> Result<GithubToken> {
    let secret = secret_get(scoped, keyring, KIND, &id.to_string()).await?;
    let secret = secret.ok_or(Error::SecretUnreadable)?;
    let text = std::str::from_utf8(secret.expose()).map_err(|_| Error::SecretUnreadable)?;
    GithubToken::parse(text).map_err(|_| Error::SecretUnreadable)
}

async fn token_keep(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    id: GitConnectionId,
    token: &GithubToken,
) -> Result<()> {
    let secret = Secret::new(token.expose());
    secret_put(scoped, keyring, KIND, &id.to_string(), &secret).await
}

/// The owner of the token. The token was valid when it was stored.
async fn login(
    context: &ConnectionContext<'_>,
    base: &BaseUrl,
    token: &GithubToken,
) -> Result<String, ConnectionError> {
    let client = context.access.client(base, token).await?;
    match client.viewer().await {
        Ok(viewer) => Ok(viewer.login),
        // No repository was requested, so `NotFound` is an invalid answer.
        Err(GithubError::NotFound) => Err(GithubError::AnswerInvalid {
            reason: "there is no API at this address",
        }
        .into()),
        Err(error) => Err(ConnectionError::github(error, context.store.env().now())),
    }
}

fn name_check(name: &str) -> Result<String> {
    text::name("the connection's name", name)
}
