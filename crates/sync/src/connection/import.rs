//! Imports several repositories as sources. Each is imported atomically, and each has a result.

use futures::future::join_all;
use nyxcore_github::{
    BaseUrl, GithubClient, GithubError, Repository as GithubRepository, RepositoryName,
};
use nyxcore_projects::{
    BranchName, NewProject, NewSource, ProjectId, Projects, ScanPath, Source, project_create,
    source_add,
};
use nyxcore_tenancy::audit::audit_failed;
use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Result, Scoped, TypedId};
use serde_json::json;

use super::access::ConnectionContext;
use super::error::ConnectionError;
use super::listing::sources_of_repositories;
use super::model::GitConnectionId;
use super::service::{
    GitConnections, connection_hold, connection_set, source_has_access, token_read,
};
use crate::git::{GitError, SourceUrl};
use crate::model::{Sync, SyncTrigger};
use crate::registration::{GIT_CONNECTION, SOURCE_SECRET};
use crate::service::sync_start;

/// The most repositories that are imported at once.
pub const IMPORT_MAX: usize = 50;
/// How many repositories GitHub is asked about at the same time: few, so that it does not take it for abuse.
const LOOK_UPS: usize = 4;

/// A repository that is to become a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedRepository {
    /// `owner/name`.
    pub full_name: String,
    /// The branch; `None` or blank is the repository's default branch.
    pub branch: Option<String>,
    /// The folder to look at; `""` and `/` are the root.
    pub scan_path: String,
}

/// Which repositories are to be imported, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoriesImport {
    /// With whose token.
    pub connection: GitConnectionId,
    /// The project that they become sources of; `None` makes a project for each, by the repository's name.
    pub project: Option<ProjectId>,
    /// 1 to [`IMPORT_MAX`] repositories.
    pub repositories: Vec<WantedRepository>,
}

/// What became of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It is a source now, and its first sync is queued.
    Imported,
    /// It is a source already: of the project that was named, or of any where none was. One that had nothing to ask its
    /// remote with uses the connection from now on.
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

/// The result of one repository, with the current source.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportResult {
    /// As it was asked for.
    pub full_name: String,
    /// What became of it.
    pub outcome: ImportOutcome,
    /// What to know or do where it was not imported.
    pub message: Option<String>,
    /// After how many seconds to try again, where GitHub said so.
    pub retry_after: Option<i64>,
    /// The source that it is.
    pub source: Option<Source>,
    /// Its first sync where it was imported now, or the one with which it began to use the connection.
    pub sync: Option<Sync>,
}

/// Why one repository was not imported.
struct Refusal {
    outcome: ImportOutcome,
    message: String,
    retry_after: Option<i64>,
}

/// A repository that was found, ready to become a source.
struct Ready {
    repository: GithubRepository,
    url: String,
    branch: Option<String>,
    scan_path: String,
}

/// Imports repositories. Each is one transaction: a project if none was given, the source with its connection, and its
/// first sync. An existing source is reported and not imported again, also under concurrency.
///
/// # Errors
/// [`Error::NotFound`] for the connection or the project; [`Error::Forbidden`]; [`Error::Invalid`] for none or too
/// many; [`ConnectionError::Github`] for an invalid token. Problems of one repository are reported in its result.
pub async fn repositories_import(
    context: &ConnectionContext<'_>,
    import: RepositoriesImport,
) -> Result<Vec<ImportResult>, ConnectionError> {
    let id = import.connection;
    let scoped = context.store.read_as(context.acting).await?;
    scoped.permit(Action::Import, GIT_CONNECTION, id.uuid())?;
    if !(1..=IMPORT_MAX).contains(&import.repositories.len()) {
        let rule = format!("give 1 to {IMPORT_MAX} repositories");
        return Err(Error::Invalid(rule).into());
    }
    let connection = GitConnections::require(&scoped, id).await?;
    if let Some(project) = import.project {
        Projects::require(&scoped, project).await?;
    }
    let base = BaseUrl::parse(&connection.base_url)?;
    context.access.check(&base)?;
    let token = token_read(&scoped, context.keyring, id).await?;
    drop(scoped);
    let client = context.access.client(&base, &token).await?;
    let looked = look_up_all(context, &client, &base, &import.repositories).await?;

    // The step that stands on the trail is done with each repository now.
    drop(context.acting.unfinished());
    let mut results = Vec::with_capacity(looked.len());
    for (wanted, ready) in import.repositories.iter().zip(looked) {
        let outcome = match ready {
            Ok(ready) => one_import(context, &import, &base, &ready).await,
            Err(refusal) => Err(refusal),
        };
        results.push(match outcome {
            Ok(mut result) => {
                result.full_name.clone_from(&wanted.full_name);
                result
            }
            Err(refusal) => ImportResult {
                full_name: wanted.full_name.clone(),
                outcome: refusal.outcome,
                message: Some(refusal.message),
                retry_after: refusal.retry_after,
                source: None,
                sync: None,
            },
        });
    }
    Ok(results)
}

/// Asks GitHub about each of them, a few at a time. Once it asks for a pause or does not answer, the rest is not asked
/// about.
async fn look_up_all(
    context: &ConnectionContext<'_>,
    client: &GithubClient,
    base: &BaseUrl,
    wanted: &[WantedRepository],
) -> Result<Vec<Result<Ready, Refusal>>, ConnectionError> {
    let mut looked = Vec::with_capacity(wanted.len());
    let mut stopped: Option<GithubError> = None;
    for some in wanted.chunks(LOOK_UPS) {
        let answers = match &stopped {
            Some(error) => some
                .iter()
                .map(|_| Err(ImportError::Github(error.clone())))
                .collect(),
            None => join_all(some.iter().map(|one| look_up(context, client, base, one))).await,
        };
        for answer in answers {
            if let Err(ImportError::Github(error)) = &answer {
                if *error == GithubError::Unauthorized {
                    return Err(error.clone().into());
                }
                if error.is_transient() {
                    stopped.get_or_insert(error.clone());
                }
            }
            looked.push(answer.map_err(|trouble| refused(context, trouble)));
        }
    }
    Ok(looked)
}

enum ImportError {
    Github(GithubError),
    Git(GitError),
    Store(Error),
}

impl From<GithubError> for ImportError {
    fn from(error: GithubError) -> Self {
        Self::Github(error)
    }
}

impl From<GitError> for ImportError {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl From<Error> for ImportError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

async fn look_up(
    context: &ConnectionContext<'_>,
    client: &GithubClient,
    base: &BaseUrl,
    wanted: &WantedRepository,
) -> Result<Ready, ImportError> {
    let name = RepositoryName::parse(&wanted.full_name)?;
    let branch = wanted.branch.as_deref().unwrap_or_default();
    let branch = BranchName::parse_optional(branch).map_err(GitError::from)?;
    let scan_path = ScanPath::parse(&wanted.scan_path).map_err(GitError::from)?;
    let repository = client.repository(&name).await?;
    let url = SourceUrl::parse(&repository.clone_url, context.access.policy())?;
    let url = url.as_str().to_owned();
    // A server that names another one would have the token sent there.
    if !base.owns(&url) {
        return Err(GithubError::AnswerInvalid {
            reason: "its address is on another server",
        }
        .into());
    }
    Ok(Ready {
        repository,
        url,
        branch: branch.map(|branch| branch.as_str().to_owned()),
        scan_path: scan_path.as_str().to_owned(),
    })
}

fn refused(context: &ConnectionContext<'_>, trouble: ImportError) -> Refusal {
    let (outcome, message, retry) = match trouble {
        ImportError::Github(error) => {
            let outcome = match &error {
                GithubError::NotFound => ImportOutcome::NotFound,
                GithubError::Forbidden | GithubError::Unauthorized => ImportOutcome::Forbidden,
                GithubError::RateLimited { .. } | GithubError::AbuseLimited { .. } => {
                    ImportOutcome::RateLimited
                }
                GithubError::Unavailable { .. } => ImportOutcome::Unavailable,
                _ => ImportOutcome::Refused,
            };
            (outcome, error.to_string(), error.retry())
        }
        ImportError::Git(error) => (ImportOutcome::Refused, error.to_string(), None),
        ImportError::Store(
            error @ (Error::Invalid(_) | Error::NotFound(_) | Error::Conflict(_)),
        ) => (ImportOutcome::Refused, error.to_string(), None),
        ImportError::Store(error) => {
            tracing::error!(?error, "a repository could not be imported");
            (ImportOutcome::Failed, error.to_string(), None)
        }
    };
    Refusal {
        outcome,
        message,
        retry_after: retry.map(|retry| retry.seconds(context.store.env().now())),
    }
}

/// One repository in one transaction, with a trail of its own: what fails leaves its trace and nothing else.
async fn one_import(
    context: &ConnectionContext<'_>,
    import: &RepositoriesImport,
    base: &BaseUrl,
    ready: &Ready,
) -> Result<ImportResult, Refusal> {
    let acting = context.acting.fresh();
    let kept = async {
        let scoped = context.store.write_as(&acting).await?;
        let kept = one_keep(&scoped, import, base, ready).await?;
        // Where nothing was done nothing is kept, and nothing written down.
        if kept.2.is_some() {
            scoped.commit().await?;
        }
        Ok(kept)
    };
    let outcome: Result<_> = kept.await;
    match outcome {
        Ok((outcome, source, sync)) => Ok(ImportResult {
            full_name: String::new(),
            outcome,
            message: None,
            retry_after: None,
            source: Some(source),
            sync,
        }),
        Err(error) => {
            let written =
                audit_failed(context.store, &acting, "importRepositories", error.code()).await;
            if let Err(error) = written {
                tracing::error!(?error, "the audit log could not be written");
            }
            Err(refused(context, error.into()))
        }
    }
}

/// The source that the repository is already, or else the new one with its first sync.
async fn one_keep(
    scoped: &Scoped<ReadWrite>,
    import: &RepositoriesImport,
    base: &BaseUrl,
    ready: &Ready,
) -> Result<(ImportOutcome, Source, Option<Sync>)> {
    let (id, repository) = (import.connection, &ready.repository);
    scoped.permit(Action::Import, GIT_CONNECTION, id.uuid())?;
    scoped.audit_detail(json!({"repository": repository.full_name}));
    // Whoever imports with the same connection takes turns: none sees the other's half.
    connection_hold(scoped, id).await?;
    let mut imported = sources_of_repositories(scoped, &[repository]).await?;
    let imported = imported.pop().unwrap_or_default();
    let default = repository.default_branch.as_deref();
    let same = imported.into_iter().find(|source| {
        import
            .project
            .is_none_or(|project| project == source.project_id)
            && source.branch.as_deref().or(default) == ready.branch.as_deref().or(default)
            && source.scan_path == ready.scan_path
    });
    let user = scoped.caller().map(|caller| caller.user);
    if let Some(source) = same {
        let outcome = ImportOutcome::AlreadyImported;
        if !base.owns(&source.url) || source_has_access(scoped, source.id).await? {
            return Ok((outcome, source, None));
        }
        // It was added by its address, and its remote may have refused it so far.
        scoped.permit(Action::Update, SOURCE_SECRET, source.id.uuid())?;
        connection_set(scoped, source.id, id).await?;
        let (_, sync) = sync_start(scoped, source.id, SyncTrigger::Manual, user).await?;
        return Ok((outcome, source, Some(sync)));
    }
    let project_id = match import.project {
        Some(project) => project,
        None => {
            let new = NewProject {
                name: repository.name.clone(),
                slug: None,
                description: repository.description.clone(),
                created_by: user,
            };
            project_create(scoped, new).await?.id
        }
    };
    let new = NewSource {
        project_id,
        url: ready.url.clone(),
        branch: ready.branch.clone(),
        scan_path: ready.scan_path.clone(),
    };
    let source = source_add(scoped, new).await?;
    connection_set(scoped, source.id, id).await?;
    let (_, sync) = sync_start(scoped, source.id, SyncTrigger::Manual, user).await?;
    Ok((ImportOutcome::Imported, source, Some(sync)))
}
