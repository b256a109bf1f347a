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
/// How many requests to GitHub run at the same time: few, so that GitHub does not treat them as abuse.
const LOOK_UPS: usize = 4;

/// A repository that is to become a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedRepository {
    /// `owner/name`.
    pub full_name: String,
    /// The branch; `None` or blank is the repository's default branch.
    pub branch: Option<String>,
    /// The folder to sync; `""` and `/` are the root.
    pub scan_path: String,
}

/// The repositories to import, and the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoriesImport {
    /// The connection whose token is used.
    pub connection: GitConnectionId,
    /// The project that gets the sources; `None` creates a project for each repository, with its name.
    pub project: Option<ProjectId>,
    /// 1 to [`IMPORT_MAX`] repositories.
    pub repositories: Vec<WantedRepository>,
}

/// The result of importing a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It was added as a source, and its first sync is queued.
    Imported,
    /// It is a source already: of the given project, or of any project if none was given. A source without access to
    /// its remote uses the connection from now on.
    AlreadyImported,
    /// It does not exist, or the token cannot see it.
    NotFound,
    /// The token may not read it.
    Forbidden,
    /// The name, the branch, the folder or the repository's address is not allowed.
    Refused,
    /// GitHub's rate limit was reached before this repository was requested.
    RateLimited,
    /// GitHub did not answer.
    Unavailable,
    /// This server failed.
    Failed,
}

/// The result of one repository, with the current source.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportResult {
    /// The requested name.
    pub full_name: String,
    /// The outcome.
    pub outcome: ImportOutcome,
    /// The reason or the advice, if it was not imported.
    pub message: Option<String>,
    /// After how many seconds to try again, if GitHub gave them.
    pub retry_after: Option<i64>,
    /// The source of the repository.
    pub source: Option<Source>,
    /// Its first sync if it was imported now, or the first sync with the connection.
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

    // From here on, each repository writes its own audit entry.
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

/// Asks GitHub about each repository, a few at a time. After GitHub asks for a pause or does not answer, the remaining
/// ones are not requested.
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
    // If the answer names another server, the token would be sent there.
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

/// Imports one repository in one transaction, with its own audit trail: a failure leaves an audit entry and nothing
/// else.
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
        // If nothing changed, nothing is committed, and no audit entry is written.
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

/// The existing source of the repository, or else the new one with its first sync.
async fn one_keep(
    scoped: &Scoped<ReadWrite>,
    import: &RepositoriesImport,
    base: &BaseUrl,
    ready: &Ready,
) -> Result<(ImportOutcome, Source, Option<Sync>)> {
    let (id, repository) = (import.connection, &ready.repository);
    scoped.permit(Action::Import, GIT_CONNECTION, id.uuid())?;
    scoped.audit_detail(json!({"repository": repository.full_name}));
    // Imports with the same connection run one after the other: none sees another's partial result.
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
        // The source was added by its address, and its remote may have refused access so far.
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
