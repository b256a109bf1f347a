//! Connections to GitHub, and the import of what they see. Tokens go in and never come out.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_projects::ProjectId;
use nyxcore_sync::connection::{
    ConnectionChanges, GitConnectionId, NewConnection, RepositoriesImport, WantedRepository,
    connection_add, connection_remove, connection_update, repositories_import,
};

use crate::context::operation;
use crate::schema::git_connection::{GitConnectionNode, ImportResultNode, connection_context};
use crate::schema::ids::{id_of, id_of_option};

#[derive(Default)]
pub(crate) struct GitConnectionMutation;

#[Object]
impl GitConnectionMutation {
    /// Keeps a GitHub server with a token, sealed, once GitHub has said whose it is. For owners and admins.
    async fn add_git_connection(
        &self,
        context: &Context<'_>,
        input: AddGitConnectionInput,
    ) -> Result<AddGitConnectionPayload> {
        let asked = connection_context(context).await;
        let new = NewConnection {
            name: input.name,
            base_url: input.base_url,
            token: input.token,
        };
        let added = connection_add(&asked, new).await?;
        Ok(AddGitConnectionPayload {
            connection: GitConnectionNode(added.connection),
            login: added.login.unwrap_or_default(),
        })
    }

    /// Gives a connection another name, or a new token once GitHub has said whose it is. For owners and admins.
    async fn update_git_connection(
        &self,
        context: &Context<'_>,
        input: UpdateGitConnectionInput,
    ) -> Result<UpdateGitConnectionPayload> {
        let id = id_of::<GitConnectionId>(&input.connection_id)?;
        let asked = connection_context(context).await;
        let changes = ConnectionChanges {
            name: input.name,
            token: input.token,
        };
        let changed = connection_update(&asked, id, changes).await?;
        Ok(UpdateGitConnectionPayload {
            connection: GitConnectionNode(changed.connection),
            login: changed.login,
        })
    }

    /// Removes a connection with its token, unless sources are synced with it. For owners and admins.
    async fn remove_git_connection(
        &self,
        context: &Context<'_>,
        input: RemoveGitConnectionInput,
    ) -> Result<RemoveGitConnectionPayload> {
        let id = id_of::<GitConnectionId>(&input.connection_id)?;
        operation(context)
            .change(async |scoped| connection_remove(scoped, id).await)
            .await?;
        Ok(RemoveGitConnectionPayload {
            deleted_id: input.connection_id,
        })
    }

    /// Makes sources of repositories, each wholly or not at all, and starts their first syncs. What became of each is in the answer.
    async fn import_repositories(
        &self,
        context: &Context<'_>,
        input: ImportRepositoriesInput,
    ) -> Result<ImportRepositoriesPayload> {
        let import = RepositoriesImport {
            connection: id_of(&input.connection_id)?,
            project: id_of_option::<ProjectId>(input.project_id.as_ref())?,
            repositories: input.repositories.into_iter().map(Into::into).collect(),
        };
        let asked = connection_context(context).await;
        let results = repositories_import(&asked, import).await?;
        Ok(ImportRepositoriesPayload {
            results: results.into_iter().map(ImportResultNode).collect(),
        })
    }
}

/// A connection to make.
#[derive(InputObject)]
struct AddGitConnectionInput {
    /// 1 to 200 characters, unique within the tenant.
    name: String,
    /// The server: `https://github.com` where it is not given, or a GitHub Enterprise Server such as `https://ghe.example/api/v3`.
    base_url: Option<String>,
    /// A personal access token. The least it needs: of a fine-grained one, read access to Contents and Metadata; of a classic one, `repo`.
    token: String,
}

/// The connection that was made.
#[derive(SimpleObject)]
struct AddGitConnectionPayload {
    /// The connection.
    connection: GitConnectionNode,
    /// The account whose token it is.
    login: String,
}

/// What to change of a connection; what is not given stays.
#[derive(InputObject)]
struct UpdateGitConnectionInput {
    /// Which.
    connection_id: ID,
    /// As in AddGitConnectionInput.
    name: Option<String>,
    /// As in AddGitConnectionInput.
    token: Option<String>,
}

/// The connection as it is now.
#[derive(SimpleObject)]
struct UpdateGitConnectionPayload {
    /// The connection.
    connection: GitConnectionNode,
    /// The account whose token it is, where a new one was given.
    login: Option<String>,
}

/// The connection to remove.
#[derive(InputObject)]
struct RemoveGitConnectionInput {
    /// Which.
    connection_id: ID,
}

/// What was removed.
#[derive(SimpleObject)]
struct RemoveGitConnectionPayload {
    /// Its id.
    deleted_id: ID,
}

/// The repositories to import.
#[derive(InputObject)]
struct ImportRepositoriesInput {
    /// With whose token.
    connection_id: ID,
    /// The project that they become sources of; without one each gets a project of its own, by its name.
    project_id: Option<ID>,
    /// 1 to 50 repositories.
    repositories: Vec<ImportRepositoryInput>,
}

/// A repository to import.
#[derive(InputObject)]
struct ImportRepositoryInput {
    /// `owner/name`.
    full_name: String,
    /// The branch; the repository's own default where it is not given.
    branch: Option<String>,
    /// The folder to look at; "" and "/" are the root.
    #[graphql(default)]
    scan_path: String,
}

impl From<ImportRepositoryInput> for WantedRepository {
    fn from(input: ImportRepositoryInput) -> Self {
        Self {
            full_name: input.full_name,
            branch: input.branch,
            scan_path: input.scan_path,
        }
    }
}

/// What became of the repositories.
#[derive(SimpleObject)]
struct ImportRepositoriesPayload {
    /// One for each, in the order they were asked for.
    results: Vec<ImportResultNode>,
}
