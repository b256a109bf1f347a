//! The actor that a server answers for, and the scopes in which the server reads and writes.

use nyxcore_projects::{PROJECT, Project, ProjectId, Projects, project_by_slug, project_list};
use nyxcore_tenancy::{
    Access, Acting, Action, PageRequest, ReadOnly, ReadWrite, Repository, Resource, Scoped, Store,
    TenantId, TypedId, UserId,
};

use crate::failure::ToolFailure;

/// The number of projects that an error names, so that the next call can name one.
const PROJECTS_NAMED_MAX: u64 = 10;

/// The actor that a server answers for.
#[derive(Debug, Clone)]
pub enum Actor {
    /// A person's API token. The policy decides what it may do, and the audit log records its changes under its name.
    Caller(Acting),
    /// The operator of this machine, who has access to the database. The operator may do everything in the tenant, and
    /// the audit log records the changes.
    Operator(TenantId),
}

/// Opens the read snapshots and transactions of one actor.
#[derive(Debug, Clone)]
pub(crate) struct Scopes {
    pub(crate) store: Store,
    pub(crate) actor: Actor,
    /// The project of calls that name none, by its id or short name.
    pub(crate) project: Option<String>,
    /// Whether changes are refused, whatever the role.
    pub(crate) read_only: bool,
}

impl Scopes {
    /// The same scopes for another call, whose steps are audited separately.
    pub(crate) fn fresh(&self) -> Self {
        let mut scopes = self.clone();
        if let Actor::Caller(acting) = &self.actor {
            scopes.actor = Actor::Caller(acting.fresh());
        }
        scopes
    }

    /// Opens a snapshot in which resources of this kind may be read.
    ///
    /// # Errors
    /// `FORBIDDEN`; no connection is available.
    pub(crate) async fn read(&self, what: Resource) -> Result<Scoped<ReadOnly>, ToolFailure> {
        let scoped = match &self.actor {
            Actor::Caller(acting) => self.store.read_as(acting).await?,
            Actor::Operator(tenant) => self.store.read(*tenant).await?,
        };
        scoped.permit(Action::Read, what, None)?;
        Ok(scoped)
    }

    /// Opens a transaction. The services ask the policy for each permission.
    ///
    /// # Errors
    /// `READ_ONLY`; no connection is available.
    pub(crate) async fn write(&self) -> Result<Scoped<ReadWrite>, ToolFailure> {
        if self.read_only {
            return Err(ToolFailure::new(
                "READ_ONLY",
                "this server was started with --read-only",
                "ask whoever configured it to start it without that flag",
            ));
        }
        Ok(match &self.actor {
            Actor::Caller(acting) => self.store.write_as(acting).await?,
            Actor::Operator(tenant) => self.store.write_as_operator(*tenant).await?,
        })
    }

    /// Whether the actor's role permits this action.
    pub(crate) fn may(&self, (what, action): (Resource, Action)) -> bool {
        if self.read_only && action != Action::Read {
            return false;
        }
        match &self.actor {
            Actor::Operator(_) => true,
            Actor::Caller(acting) => {
                let needed = self.store.registry().role_needed(what, action);
                needed.is_some_and(|role| acting.caller.role.includes(role))
            }
        }
    }

    /// The user who is stored as the creator of new entries.
    pub(crate) fn user(&self) -> Option<UserId> {
        match &self.actor {
            Actor::Caller(acting) => Some(acting.caller.user),
            Actor::Operator(_) => None,
        }
    }

    /// The project that a call is about: the named one, else the server's, else the only one of the tenant.
    ///
    /// # Errors
    /// `NOT_FOUND`; `PROJECT_AMBIGUOUS` for a name that several projects have; `PROJECT_NEEDED` where it is not clear
    /// which project is meant.
    pub(crate) async fn project<A: Access>(
        &self,
        scoped: &Scoped<A>,
        named: Option<&str>,
    ) -> Result<Project, ToolFailure> {
        scoped.permit(Action::Read, PROJECT, None)?;
        if let Some(named) = named.or(self.project.as_deref()) {
            return project_named(scoped, named.trim()).await;
        }
        let some = project_list(scoped, None, &PageRequest::first(PROJECTS_NAMED_MAX)).await?;
        let more = if some.has_next { " and more" } else { "" };
        let mut some = some.into_items();
        match some.len() {
            0 => Err(nyxcore_tenancy::Error::NotFound("project").into()),
            1 => Ok(some.remove(0)),
            _ => {
                let slugs: Vec<&str> = some.iter().map(|project| project.slug.as_str()).collect();
                Err(ToolFailure::new(
                    "PROJECT_NEEDED",
                    "there are several projects",
                    format!("pass `project`, one of: {}{more}", slugs.join(", ")),
                ))
            }
        }
    }

    /// The project of a call that may be about the whole tenant. `None` where the call names no project.
    ///
    /// # Errors
    /// As [`Scopes::project`].
    pub(crate) async fn project_optional<A: Access>(
        &self,
        scoped: &Scoped<A>,
        named: Option<&str>,
    ) -> Result<Option<Project>, ToolFailure> {
        match named.or(self.project.as_deref()) {
            Some(named) => Ok(Some(project_named(scoped, named.trim()).await?)),
            None => Ok(None),
        }
    }
}

async fn project_named<A: Access>(scoped: &Scoped<A>, named: &str) -> Result<Project, ToolFailure> {
    if let Ok(id) = ProjectId::parse(named) {
        return Ok(Projects::require(scoped, id).await?);
    }
    if let Some(project) = project_by_slug(scoped, named).await? {
        return Ok(project);
    }
    let some = project_list(scoped, Some(named), &PageRequest::default()).await?;
    let is_it = |project: &Project| project.name.to_lowercase() == named.to_lowercase();
    let mut some: Vec<Project> = some.into_items().into_iter().filter(is_it).collect();
    match some.len() {
        0 => Err(nyxcore_tenancy::Error::NotFound(ProjectId::PREFIX).into()),
        1 => Ok(some.remove(0)),
        _ => {
            let slugs: Vec<&str> = some.iter().map(|project| project.slug.as_str()).collect();
            Err(ToolFailure::new(
                "PROJECT_AMBIGUOUS",
                "several projects have this name",
                format!("pass one of these short names: {}", slugs.join(", ")),
            ))
        }
    }
}
