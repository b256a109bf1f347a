//! GitHub connections, and the repositories that their tokens can access.

use async_graphql::connection::PageInfo;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_sync::connection::{
    ConnectionContext, GitConnection, ImportOutcome, ImportResult, REPOSITORIES_MAX, RemotePage,
    RemoteQuery, RemoteRepository, connection_branches, connection_repositories,
};
use nyxcore_tenancy::Cursor;

use super::connection::{cursor as list_cursor, invalid_cursor};
use super::created_by;
use super::ids::global_id;
use super::mirror::mirror;
use super::run::SyncNode;
use super::source::SourceNode;
use super::viewer::UserNode;
use crate::context::operation;
use crate::error::ApiError;

/// The default page size, in repositories.
const PAGE_DEFAULT: i32 = 30;

/// Returns the context of the operations that call GitHub. The database snapshot is released before they wait.
pub(crate) async fn connection_context<'c>(context: &Context<'c>) -> ConnectionContext<'c> {
    let op = operation(context);
    op.release().await;
    ConnectionContext {
        store: op.store(),
        acting: op.acting(),
        keyring: &op.services().keyring,
        access: op.services().github(),
    }
}

/// A GitHub server with an access token. The token is never returned. Repositories are imported and synced through the
/// connection.
pub(crate) struct GitConnectionNode(pub GitConnection);

#[Object(name = "GitConnection")]
impl GitConnectionNode {
    /// The id of the connection.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The name, unique within the tenant.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The base URL of the API: `https://api.github.com`, or that of a GitHub Enterprise Server.
    async fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The user who created the connection.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        created_by(context, self.0.created_by).await
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time of the last change of the name or token.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The repositories that the token's owner owns, collaborates on or can see in an organization, ordered by name.
    /// `query` filters by words in the name and description. `everywhere` searches all repositories of the server by
    /// name, including public repositories of other owners. Each request asks GitHub for at most 500 repositories: a
    /// page may have fewer entries than requested, or none, while more follow. Requires the permission to import.
    async fn repositories(
        &self,
        context: &Context<'_>,
        query: Option<String>,
        #[graphql(default)] everywhere: bool,
        #[graphql(default_with = "PAGE_DEFAULT")] first: i32,
        after: Option<String>,
    ) -> Result<GitRepositoryList> {
        let query = RemoteQuery {
            words: query.unwrap_or_default(),
            everywhere,
            first: u32::try_from(first).unwrap_or(REPOSITORIES_MAX + 1),
            after: position(context, after.as_deref())?,
        };
        let asked = connection_context(context).await;
        let after = query.after;
        let page = connection_repositories(&asked, self.0.id, &query).await?;
        Ok(GitRepositoryList { page, after })
    }

    /// The names of the first 300 branches of a repository, given as `owner/name`. Requires the permission to import.
    async fn branches(&self, context: &Context<'_>, repository: String) -> Result<Vec<String>> {
        let asked = connection_context(context).await;
        Ok(connection_branches(&asked, self.0.id, &repository).await?)
    }
}

/// The name of the list, the same as its field.
const REPOSITORIES: &str = "repositories";

fn position(context: &Context<'_>, after: Option<&str>) -> Result<u32, ApiError> {
    match list_cursor(context, after)? {
        None => Ok(0),
        Some(Cursor::Position(at)) => u32::try_from(at).map_err(|_| invalid_cursor()),
        Some(_) => Err(invalid_cursor()),
    }
}

fn cursor(position: u32) -> String {
    Cursor::Position(i64::from(position)).encode(REPOSITORIES)
}

/// A page of the repositories that a token can access.
pub(crate) struct GitRepositoryList {
    page: RemotePage,
    after: u32,
}

#[Object(name = "GitRepositoryConnection")]
impl GitRepositoryList {
    /// The repositories with their cursors.
    async fn edges(&self) -> Vec<GitRepositoryEdge> {
        let items = self.page.items.iter();
        items
            .map(|item| GitRepositoryEdge {
                cursor: cursor(item.position),
                node: GitRepositoryNode(item.clone()),
            })
            .collect()
    }

    /// The repositories.
    async fn nodes(&self) -> Vec<GitRepositoryNode> {
        let items = self.page.items.iter();
        items.map(|item| GitRepositoryNode(item.clone())).collect()
    }

    /// Whether more repositories follow, and the cursors of the page.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.after > 0,
            has_next_page: self.page.has_next,
            start_cursor: self.page.items.first().map(|item| cursor(item.position)),
            end_cursor: (self.page.end > self.after).then(|| cursor(self.page.end)),
        }
    }
}

/// A repository with its cursor.
#[derive(SimpleObject)]
#[graphql(name = "GitRepositoryEdge")]
pub(crate) struct GitRepositoryEdge {
    /// The cursor of the repository.
    cursor: String,
    /// The repository.
    node: GitRepositoryNode,
}

/// A repository as listed by GitHub.
pub(crate) struct GitRepositoryNode(RemoteRepository);

#[Object(name = "GitRepository")]
impl GitRepositoryNode {
    /// `owner/name`.
    async fn full_name(&self) -> &str {
        &self.0.repository.full_name
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.repository.name
    }

    /// The user or organization that owns the repository.
    async fn owner(&self) -> &str {
        &self.0.repository.owner.login
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.0.repository.description.as_deref()
    }

    /// Whether it is private.
    async fn private(&self) -> bool {
        self.0.repository.private
    }

    /// Whether it is archived.
    async fn archived(&self) -> bool {
        self.0.repository.archived
    }

    /// Whether it is a fork.
    async fn fork(&self) -> bool {
        self.0.repository.fork
    }

    /// The default branch. It is synced unless another branch is chosen.
    async fn default_branch(&self) -> Option<&str> {
        self.0.repository.default_branch.as_deref()
    }

    /// The URL to clone from.
    async fn clone_url(&self) -> &str {
        &self.0.repository.clone_url
    }

    /// The URL of the web page.
    async fn html_url(&self) -> &str {
        &self.0.repository.html_url
    }

    /// The main language, as reported by GitHub.
    async fn language(&self) -> Option<&str> {
        self.0.repository.language.as_deref()
    }

    /// The size in kilobytes, as reported by GitHub.
    async fn size_kilobytes(&self) -> i64 {
        self.0.repository.size
    }

    /// The time of the last push.
    async fn pushed_at(&self) -> Option<DateTime<Utc>> {
        self.0.repository.pushed_at
    }

    /// The tenant's existing sources of this repository, oldest first.
    async fn imported_as(&self) -> Vec<SourceNode> {
        let sources = self.0.imported_as.iter();
        sources.map(|source| SourceNode(source.clone())).collect()
    }
}

mirror! {
    /// The result of importing one repository.
    pub(crate) enum ImportOutcomeName = "ImportOutcome" {
        /// A source was created, and its first sync is queued.
        Imported,
        /// Already a source of the given project (of any project, if none was given). If it had no credential, it now
        /// uses this connection.
        AlreadyImported,
        /// The repository does not exist, or the token cannot access it.
        NotFound,
        /// The token has no permission to read it.
        Forbidden,
        /// The name, branch, folder or address is invalid.
        Refused,
        /// GitHub's rate limit was reached before this repository was processed.
        RateLimited,
        /// GitHub did not respond.
        Unavailable,
        /// An internal error occurred.
        Failed,
    }
}

/// The result of importing one repository, with the resulting source.
pub(crate) struct ImportResultNode(pub ImportResult);

#[Object(name = "ImportResult")]
impl ImportResultNode {
    /// `owner/name`, as requested.
    async fn full_name(&self) -> &str {
        &self.0.full_name
    }

    /// The outcome.
    async fn outcome(&self) -> ImportOutcomeName {
        self.0.outcome.into()
    }

    /// Why the repository was not imported, and what to do.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The number of seconds to wait before a retry, if GitHub gave one.
    async fn retry_after(&self) -> Option<i64> {
        self.0.retry_after
    }

    /// The resulting or existing source.
    async fn source(&self) -> Option<SourceNode> {
        self.0.source.clone().map(SourceNode)
    }

    /// The first sync of the source, or the sync that first uses the connection.
    async fn sync(&self) -> Option<SyncNode> {
        self.0.sync.clone().map(|sync| SyncNode(sync.run))
    }
}
