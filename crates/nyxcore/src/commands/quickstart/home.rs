//! The storage of a quickstart: one tenant with one owner, a project per repository, a note per question.

use nyxcore_projects::{
    NewProject, NewSource, Project, Projects, Source, SourceId, project_create, project_list,
    sources_of,
};
use nyxcore_sync::{mirror_remove, project_delete, source_add};
use nyxcore_tenancy::directory::{
    ApiTokens, NewApiToken, api_token_create, api_token_revoke, membership_list, tenant_by_slug,
    tenant_create,
};
use nyxcore_tenancy::{
    Access, PAGE_MAX, PageRequest, Repository, Role, Scoped, Store, TenantId, UserId,
};

use crate::error::Result;
use crate::wiring::App;

/// The tenant's short name.
pub const SLUG: &str = "home";
/// The tenant's name.
const NAME: &str = "Home";
/// This address receives no mail: the reserved name `localhost` is this machine.
const OWNER: &str = "owner@localhost";
/// The name of a quickstart's token.
const TOKEN: &str = "quickstart";

/// The tenant, and its owner.
#[derive(Debug, Clone, Copy)]
pub struct Home {
    /// The tenant.
    pub tenant: TenantId,
    /// Its owner.
    pub owner: UserId,
}

/// The project that this run of the program created. It is removed again if the quickstart fails.
#[derive(Debug, Default)]
pub struct CreatedProject {
    /// The tenant, the project and its source.
    pub project: Option<(TenantId, Project, SourceId)>,
}

impl CreatedProject {
    /// Removes the project and everything that belongs to it.
    pub async fn undo(self, app: &App) {
        if app.data_dir.is_new() {
            return app.data_dir.remove_if_made();
        }
        let Some((tenant, project, source)) = self.project else {
            return;
        };
        let undone = async {
            let scoped = app.store.write(tenant).await?;
            project_delete(&scoped, project.id).await?;
            scoped.commit().await?;
            Ok::<(), anyhow::Error>(mirror_remove(&app.sync_options(), source).await?)
        };
        if let Err(error) = undone.await {
            tracing::warn!(%error, "the project of a quickstart that failed could not be removed");
        }
    }
}

/// Opens the tenant, and creates it if it does not exist.
///
/// # Errors
/// The database fails.
pub async fn home_open(store: &Store) -> Result<Home> {
    let Some(tenant) = tenant_by_slug(store, SLUG).await? else {
        let (tenant, owner) = tenant_create(store, SLUG, NAME, OWNER).await?;
        return Ok(Home {
            tenant: tenant.id,
            owner: owner.id,
        });
    };
    let scoped = store.read(tenant.id).await?;
    let members = membership_list(&scoped, &PageRequest::first(PAGE_MAX)).await?;
    let owner = members
        .into_items()
        .into_iter()
        .find(|member| member.role == Role::Owner)
        .ok_or(nyxcore_tenancy::Error::NotFound("owner"))?;
    Ok(Home {
        tenant: tenant.id,
        owner: owner.user_id,
    })
}

/// Returns the project with exactly this repository, branch and folder, and its source. If there is none, it is created
/// and recorded in `made`.
///
/// # Errors
/// The database fails.
pub async fn project_open(
    app: &App,
    home: Home,
    name: String,
    wanted: (&str, Option<&str>, &str),
    made: &mut CreatedProject,
) -> Result<(Project, Source)> {
    let (url, branch, scan_path) = wanted;
    let scoped = app.store.write(home.tenant).await?;
    if let Some(found) = project_find(&scoped, wanted).await? {
        return Ok(found);
    }
    let new = NewProject {
        name,
        created_by: Some(home.owner),
        ..NewProject::default()
    };
    let project = project_create(&scoped, new).await?;
    let new = NewSource {
        project_id: project.id,
        url: url.to_owned(),
        branch: branch.map(str::to_owned),
        scan_path: scan_path.to_owned(),
    };
    let source = source_add(&scoped, &app.sync_options().policy, new).await?;
    scoped.commit().await?;
    made.project = Some((home.tenant, project.clone(), source.id));
    Ok((project, source))
}

async fn project_find<A: Access>(
    scoped: &Scoped<A>,
    (url, branch, scan_path): (&str, Option<&str>, &str),
) -> Result<Option<(Project, Source)>> {
    let mut page = PageRequest::first(PAGE_MAX);
    loop {
        let found = project_list(scoped, None, &page).await?;
        page.after = found.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = found.has_next;
        let ids: Vec<_> = found.items.iter().map(|(_, project)| project.id).collect();
        for source in sources_of(scoped, &ids).await?.into_values().flatten() {
            let is_it = source.url == url
                && source.branch.as_deref() == branch
                && source.scan_path == scan_path;
            if is_it {
                let project = Projects::require(scoped, source.project_id).await?;
                return Ok(Some((project, source)));
            }
        }
        if !has_next {
            return Ok(None);
        }
    }
}

/// Creates a new token of the owner, and revokes those of earlier quickstarts.
///
/// # Errors
/// The database fails.
pub async fn token_renew(store: &Store, home: &Home) -> Result<String> {
    let scoped = store.write(home.tenant).await?;
    let mut page = PageRequest::first(PAGE_MAX);
    loop {
        let found = ApiTokens::list(&scoped, sea_orm::Condition::all(), &page).await?;
        page.after = found.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = found.has_next;
        for token in found.into_items() {
            if token.name == TOKEN && token.user_id == home.owner && token.revoked_at.is_none() {
                api_token_revoke(&scoped, token.id).await?;
            }
        }
        if !has_next {
            break;
        }
    }
    let new = NewApiToken {
        user: home.owner,
        name: TOKEN.to_owned(),
        role: Role::Owner,
        expires_at: None,
    };
    let (_token, text) = api_token_create(&scoped, new).await?;
    scoped.commit().await?;
    Ok(text)
}
