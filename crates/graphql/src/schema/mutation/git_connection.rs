//! Mutations of GitHub connections, and the import of repositories. Tokens are write-only.

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
    /// Adds a GitHub connection. The token is verified with GitHub and stored encrypted. For owners and admins.
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

    /// Changes the name or the token of a connection. A new token is verified with GitHub. For owners and admins.
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

    /// Removes a connection and its token. Fails while sources are synced with it. For owners and admins.
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

    /// Imports repositories as sources and starts their first syncs. Each repository is imported atomically, and the
    /// payload has a result for each.
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

/// The connection to add.
#[derive(InputObject)]
struct AddGitConnectionInput {
    /// The name, 1 to 200 characters, unique within the tenant.
    name: String,
    /// The server: `https://github.com` by default, or a GitHub Enterprise Server such as
    /// `https://ghe.example/api/v3`.
    base_url: Option<String>,
    /// A personal access token. A fine-grained token needs read access to Contents and Metadata; a classic token needs
    /// the scope `repo`.
    token: String,
}

/// The added connection.
#[derive(SimpleObject)]
struct AddGitConnectionPayload {
    /// The connection.
    connection: GitConnectionNode,
    /// The account that owns the token.
    login: String,
}

/// The changes to a connection. Omitted fields stay unchanged.
#[derive(InputObject)]
struct UpdateGitConnectionInput {
    /// The id of the connection.
    connection_id: ID,
    /// The name, as in AddGitConnectionInput.
    name: Option<String>,
    /// The token, as in AddGitConnectionInput.
    token: Option<String>,
}

/// The changed connection.
#[derive(SimpleObject)]
struct UpdateGitConnectionPayload {
    /// The connection.
    connection: GitConnectionNode,
    /// The account that owns the token, if a new token was given.
    login: Option<String>,
}

/// The connection to remove.
#[derive(InputObject)]
struct RemoveGitConnectionInput {
    /// The id of the connection.
    connection_id: ID,
}

/// The removed connection.
#[derive(SimpleObject)]
struct RemoveGitConnectionPayload {
    /// The id of the removed connection.
    deleted_id: ID,
}

/// The repositories to import.
#[derive(InputObject)]
struct ImportRepositoriesInput {
    /// The id of the connection.
    connection_id: ID,
    /// The project to add the sources to. If omitted, each repository gets a new project with its name.
    project_id: Option<ID>,
    /// 1 to 50 repositories.
    repositories: Vec<ImportRepositoryInput>,
}

/// A repository to import.
#[derive(InputObject)]
struct ImportRepositoryInput {
    /// `owner/name`.
    full_name: String,
    /// The branch. Defaults to the default branch of the repository.
    branch: Option<String>,
    /// The folder to scan. "" and "/" mean the root.
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

/// The results of an import.
#[derive(SimpleObject)]
struct ImportRepositoriesPayload {
    /// One result for each repository, in the order of the input.
    results: Vec<ImportResultNode>,
}
