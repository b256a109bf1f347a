//! Lists the repositories that a connection's token can access, with their existing sources and their branches.

use std::collections::{BTreeSet, HashMap};

use nyxcore_github::{
    BaseUrl, GithubClient, PER_PAGE_MAX, Repository as GithubRepository, RepositoryName,
    RepositoryPage,
};
use nyxcore_projects::{Source, sources_by_url};
use nyxcore_tenancy::{Access, Action, Error, Repository, Result, Scoped, TypedId};

use super::access::ConnectionContext;
use super::error::ConnectionError;
use super::model::GitConnectionId;
use super::service::{GitConnections, token_read};
use crate::git::{repository_key, repository_spellings};
use crate::registration::GIT_CONNECTION;

/// The most repositories on a page.
pub const REPOSITORIES_MAX: u32 = PER_PAGE_MAX;
/// The most pages of GitHub that one query reads: 500 repositories.
const PAGES_MAX: u32 = 5;
/// The most pages of branches that are listed: 300 branches.
const BRANCH_PAGES_MAX: u32 = 3;
/// The longest search text, in bytes.
const QUERY_MAX: usize = 200;
/// The position at which a list ends, whatever GitHub says.
const POSITION_MAX: u32 = 1_000_000;

/// Which repositories to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteQuery {
    /// Words that must all occur in the name or the description. Without words all repositories are listed.
    pub words: String,
    /// Whether to search all repositories of the server that the token can see, including public ones of others.
    /// Otherwise the search has only those that the token's owner has, works on or sees in an organization. It needs at
    /// least one word, and then searches names only.
    pub everywhere: bool,
    /// The maximum number of repositories: 1 to [`REPOSITORIES_MAX`].
    pub first: u32,
    /// Only repositories after this position.
    pub after: u32,
}

/// A repository that a token can see.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteRepository {
    /// The position in the list, counted from 1.
    pub position: u32,
    /// The repository as GitHub describes it.
    pub repository: GithubRepository,
    /// The tenant's existing sources of it, oldest first.
    pub imported_as: Vec<Source>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RemotePage {
    /// In GitHub's order. There may be fewer than requested, even none, while more follow.
    pub items: Vec<RemoteRepository>,
    /// The position of the last repository that was examined: the next page starts after it.
    pub end: u32,
    /// Whether more repositories follow.
    pub has_next: bool,
}

/// Lists the repositories that a connection's token can see, with their existing sources.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] for who may not import; [`Error::Invalid`]; [`ConnectionError`].
pub async fn connection_repositories(
    context: &ConnectionContext<'_>,
    id: GitConnectionId,
    query: &RemoteQuery,
) -> Result<RemotePage, ConnectionError> {
    if query.words.len() > QUERY_MAX {
        let rule = format!("the query is longer than {QUERY_MAX} bytes");
        return Err(Error::Invalid(rule).into());
    }
    if !(1..=REPOSITORIES_MAX).contains(&query.first) {
        let rule = format!("a page has 1 to {REPOSITORIES_MAX} repositories");
        return Err(Error::Invalid(rule).into());
    }
    if query.everywhere && query.words.trim().is_empty() {
        let rule = "`everywhere` requires a `query`";
        return Err(Error::Invalid(rule.into()).into());
    }
    let client = client_open(context, id).await?;
    let mut page = pages_look(context, &client, query).await?;
    let scoped = context.store.read_as(&context.acting.fresh()).await?;
    let repositories: Vec<_> = page.items.iter().map(|item| &item.repository).collect();
    let imported = sources_of_repositories(&scoped, &repositories).await?;
    for (item, sources) in page.items.iter_mut().zip(imported) {
        item.imported_as = sources;
    }
    Ok(page)
}

/// The branches of a repository, the first 300 by their names.
///
/// # Errors
/// As [`connection_repositories`].
pub async fn connection_branches(
    context: &ConnectionContext<'_>,
    id: GitConnectionId,
    repository: &str,
) -> Result<Vec<String>, ConnectionError> {
    let client = client_open(context, id).await?;
    let name = RepositoryName::parse(repository)?;
    let mut branches = Vec::new();
    for number in 1..=BRANCH_PAGES_MAX {
        let page = client.branches(&name, number, PER_PAGE_MAX).await;
        let page =
            page.map_err(|error| ConnectionError::github(error, context.store.env().now()))?;
        branches.extend(page.branches.into_iter().map(|branch| branch.name));
        if !page.has_next {
            break;
        }
    }
    Ok(branches)
}

/// A client for a caller who may import with the connection. The snapshot is closed before the request to GitHub. The
/// caller's audit trail stays as it is, because a listing changes nothing.
async fn client_open(
    context: &ConnectionContext<'_>,
    id: GitConnectionId,
) -> Result<GithubClient, ConnectionError> {
    let scoped = context.store.read_as(&context.acting.fresh()).await?;
    scoped.permit(Action::Import, GIT_CONNECTION, id.uuid())?;
    let connection = GitConnections::require(&scoped, id).await?;
    let base = BaseUrl::parse(&connection.base_url)?;
    context.access.check(&base)?;
    let token = token_read(&scoped, context.keyring, id).await?;
    drop(scoped);
    context.access.client(&base, &token).await
}

async fn pages_look(
    context: &ConnectionContext<'_>,
    client: &GithubClient,
    query: &RemoteQuery,
) -> Result<RemotePage, ConnectionError> {
    let words: Vec<String> = query
        .words
        .split_whitespace()
        .map(str::to_lowercase)
        .collect();
    let mut found = RemotePage {
        items: Vec::new(),
        end: query.after.min(POSITION_MAX),
        has_next: false,
    };
    for _ in 0..PAGES_MAX {
        let number = found.end / PER_PAGE_MAX + 1;
        let page = if query.everywhere {
            client.search(&query.words, number, PER_PAGE_MAX).await
        } else {
            client.repositories(number, PER_PAGE_MAX).await
        };
        let RepositoryPage {
            repositories,
            has_next,
        } = page.map_err(|error| ConnectionError::github(error, context.store.env().now()))?;
        let seen = (found.end % PER_PAGE_MAX) as usize;
        let count = repositories.len();
        for (index, repository) in repositories.into_iter().enumerate().skip(seen) {
            found.end += 1;
            if !query.everywhere && !matches(&repository, &words) {
                continue;
            }
            found.items.push(RemoteRepository {
                position: found.end,
                repository,
                imported_as: Vec::new(),
            });
            if found.items.len() as u32 == query.first {
                found.has_next = has_next || index + 1 < count;
                return Ok(found);
            }
        }
        found.has_next = has_next && found.end < POSITION_MAX;
        if !found.has_next {
            break;
        }
        // GitHub's pages are numbered. The position moves to the end of this page, even if the page was not full.
        found.end = number * PER_PAGE_MAX;
    }
    Ok(found)
}

fn matches(repository: &GithubRepository, words: &[String]) -> bool {
    let name = repository.full_name.to_lowercase();
    let description = repository.description.as_deref().unwrap_or_default();
    let description = description.to_lowercase();
    words
        .iter()
        .all(|word| name.contains(word) || description.contains(word))
}

/// The tenant's sources of each repository, oldest first, in the order of the repositories.
pub(super) async fn sources_of_repositories<A: Access>(
    scoped: &Scoped<A>,
    repositories: &[&GithubRepository],
) -> Result<Vec<Vec<Source>>> {
    let mut spellings: Vec<String> = repositories
        .iter()
        .flat_map(|repository| [&repository.clone_url, &repository.ssh_url])
        .flat_map(|url| repository_spellings(url))
        .collect();
    spellings.sort_unstable();
    spellings.dedup();
    let mut sources: HashMap<String, Vec<Source>> = HashMap::new();
    for source in sources_by_url(scoped, &spellings).await? {
        if let Some(key) = repository_key(&source.url) {
            sources.entry(key).or_default().push(source);
        }
    }
    let of = |repository: &&GithubRepository| {
        let urls = [&repository.clone_url, &repository.ssh_url];
        let keys: BTreeSet<String> = urls
            .into_iter()
            .filter_map(|url| repository_key(url))
            .collect();
        let found = keys.iter().filter_map(|key| sources.get(key)).flatten();
        let mut found: Vec<Source> = found.cloned().collect();
        found.sort_by_key(|source| source.id);
        found
    };
    Ok(repositories.iter().map(of).collect())
}
