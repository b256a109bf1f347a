//! Connections to GitHub, and the repositories that their tokens can see.

use async_graphql::connection::PageInfo;
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_sync::connection::{
    ConnectionContext, GitConnection, ImportOutcome, ImportResult, REPOSITORIES_MAX, RemotePage,
    RemoteQuery, RemoteRepository, connection_branches, connection_repositories,
};
use nyxcore_tenancy::Cursor;

use super::connection::{cursor as list_cursor, invalid_cursor};
use super::created_by;
use super::ids::global_id;
use super::run::SyncNode;
use super::source::SourceNode;
use super::viewer::UserNode;
use crate::context::operation;
use crate::error::ApiError;

/// Repositories a page has where nobody says how many.
const PAGE_DEFAULT: i32 = 30;

/// What the verbs that ask GitHub work with. Nothing of the operation's snapshot is held while they wait.
pub(crate) async fn connection_context<'c>(context: &Context<'c>) -> ConnectionContext<'c> {
    let op = operation(context);
    op.release().await;
    ConnectionContext {
        store: op.store(),
        acting: op.acting(),
        keyring: op.gateway().keyring(),
        access: op.gateway().github(),
    }
}

/// A GitHub server with a token, which nobody gets to see. Repositories are imported with it, and synced with its token.
pub(crate) struct GitConnectionNode(pub GitConnection);

#[Object(name = "GitConnection")]
impl GitConnectionNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Its name, unique within the tenant.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where the API is: `https://api.github.com`, or that of a GitHub Enterprise Server.
    async fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// Who made it.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        created_by(context, self.0.created_by).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When its name or token was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The repositories that its token's owner has, works on or sees in an organization, by their names; those whose name or description has every word of `query`, where it is given. With
    /// `everywhere` all repositories of the server that have the words in their names, public ones of others too. GitHub is asked each time, for 500 repositories at the
    /// most: a page may have fewer than asked for, or none, while more follow. For who may import.
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

    /// The names of a repository's branches, the first 300. The repository is `owner/name`. For who may import.
    async fn branches(&self, context: &Context<'_>, repository: String) -> Result<Vec<String>> {
        let asked = connection_context(context).await;
        Ok(connection_branches(&asked, self.0.id, &repository).await?)
    }
}

/// The name of the list, as its field has it.
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

/// A part of the repositories that a token can see.
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

    /// Whether more follow, and how far was looked.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.after > 0,
            has_next_page: self.page.has_next,
            start_cursor: self.page.items.first().map(|item| cursor(item.position)),
            end_cursor: (self.page.end > self.after).then(|| cursor(self.page.end)),
        }
    }
}

/// A repository in a list.
#[derive(SimpleObject)]
#[graphql(name = "GitRepositoryEdge")]
pub(crate) struct GitRepositoryEdge {
    /// Where it stands.
    cursor: String,
    /// The repository.
    node: GitRepositoryNode,
}

/// A repository as GitHub lists it.
pub(crate) struct GitRepositoryNode(RemoteRepository);

#[Object(name = "GitRepository")]
impl GitRepositoryNode {
    /// `owner/name`.
    async fn full_name(&self) -> &str {
        &self.0.repository.full_name
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.repository.name
    }

    /// The person or organization it belongs to.
    async fn owner(&self) -> &str {
        &self.0.repository.owner.login
    }

    /// What it is about.
    async fn description(&self) -> Option<&str> {
        self.0.repository.description.as_deref()
    }

    /// Whether not everybody sees it.
    async fn private(&self) -> bool {
        self.0.repository.private
    }

    /// Whether nobody works on it any more.
    async fn archived(&self) -> bool {
        self.0.repository.archived
    }

    /// Whether it is a copy of another repository.
    async fn fork(&self) -> bool {
        self.0.repository.fork
    }

    /// The branch that is synced where no other is chosen.
    async fn default_branch(&self) -> Option<&str> {
        self.0.repository.default_branch.as_deref()
    }

    /// Where it is cloned from.
    async fn clone_url(&self) -> &str {
        &self.0.repository.clone_url
    }

    /// Its page.
    async fn html_url(&self) -> &str {
        &self.0.repository.html_url
    }

    /// The language that most of it is in, as GitHub sees it.
    async fn language(&self) -> Option<&str> {
        self.0.repository.language.as_deref()
    }

    /// Its size in kilobytes, as GitHub counts it.
    async fn size_kilobytes(&self) -> i64 {
        self.0.repository.size
    }

    /// When somebody last pushed to it.
    async fn pushed_at(&self) -> Option<DateTime<Utc>> {
        self.0.repository.pushed_at
    }

    /// The sources of the tenant that it is already, oldest first.
    async fn imported_as(&self) -> Vec<SourceNode> {
        let sources = self.0.imported_as.iter();
        sources.map(|source| SourceNode(source.clone())).collect()
    }
}

/// What became of a repository that was to be imported.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "ImportOutcome", remote = "ImportOutcome")]
pub(crate) enum ImportOutcomeName {
    /// It is a source now, and its first sync is queued.
    Imported,
    /// It is a source already: of the project that was named, or of any where none was. One that had nothing to ask its remote with uses the connection from now on.
    AlreadyImported,
    /// It is not there, or the token cannot see it.
    NotFound,
    /// The token may not read it.
    Forbidden,
    /// The name, the branch, the folder or the repository's address cannot be taken.
    Refused,
    /// GitHub's limits were reached before it was this one's turn.
    RateLimited,
    /// GitHub did not answer.
    Unavailable,
    /// This server failed.
    Failed,
}

/// What became of a repository that was to be imported, and what is there now.
pub(crate) struct ImportResultNode(pub ImportResult);

#[Object(name = "ImportResult")]
impl ImportResultNode {
    /// `owner/name`, as it was asked for.
    async fn full_name(&self) -> &str {
        &self.0.full_name
    }

    /// What became of it.
    async fn outcome(&self) -> ImportOutcomeName {
        self.0.outcome.into()
    }

    /// What to know or to do where it was not imported.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// After how many seconds to try again, where GitHub said so.
    async fn retry_after(&self) -> Option<i64> {
        self.0.retry_after
    }

    /// The source that it is.
    async fn source(&self) -> Option<SourceNode> {
        self.0.source.clone().map(SourceNode)
    }

    /// Its first sync where it was imported now, or the one with which it began to use the connection.
    async fn sync(&self) -> Option<SyncNode> {
        self.0.sync.clone().map(|sync| SyncNode(sync.run))
    }
}
