//! `mcp`: serves coding agents on the standard streams, from the database of this machine or from a server.

mod proxy;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use nyxcore_mcp::{Actor, CheckRefusal, FolderCheck, McpServer, serve_streams};
use nyxcore_projects::sources_by_url;
use nyxcore_sync::git::repository_discover;
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::{Store, TenantId};

use super::check::folder_check;
use super::tenant::tenant_require;
use crate::cli::McpArgs;
use crate::error::{Error, Result, code_of, message_of};
use crate::settings::Settings;
use crate::wiring::{App, end_signal};

/// Answers until the agent closes the input, or SIGTERM or SIGINT.
///
/// # Errors
/// The database or the server cannot be used; it is not clear which tenant is meant.
pub async fn run(settings: Settings, args: McpArgs) -> Result<()> {
    let streams = (stream(io::stdin().as_fd())?, stream(io::stdout().as_fd())?);
    if let Some(server) = &args.server {
        return proxy::run(server, args.token_file.as_deref(), streams).await;
    }
    App::look(settings, async |app| {
        let tenant = tenant_choose(&app.store, args.tenant.as_deref()).await?;
        let project = match args.project.clone() {
            Some(project) => Some(project),
            None => project_of(&app.store, tenant, &args.folder).await?,
        };
        let server = McpServer::new(app.store.clone(), Actor::Operator(tenant))
            .with_project(project)
            .with_read_only(args.read_only)
            .with_check(check_of(&args.folder).await);
        let ended = end_signal()?;
        let served = serve_streams(server, streams, ended).await;
        served.context("serving failed")
    })
    .await
}

/// An owned duplicate of one of the standard streams, for asynchronous I/O.
fn stream(of: BorrowedFd<'_>) -> Result<tokio::fs::File> {
    let own = of
        .try_clone_to_owned()
        .context("opening a standard stream failed")?;
    Ok(tokio::fs::File::from_std(File::from(own)))
}

/// The named tenant, or the only one.
///
/// # Errors
/// [`Error::NotKnown`]; [`Error::SettingInvalid`] where there are several.
async fn tenant_choose(store: &Store, named: Option<&str>) -> Result<TenantId> {
    if let Some(slug) = named {
        return Ok(tenant_require(store, slug).await?.id);
    }
    let tenants = tenant_list(store).await?;
    match tenants.as_slice() {
        [] => Err(Error::NotKnown(
            "there is no tenant yet: `nyxcore quickstart .` makes one, and a project".into(),
        )
        .into()),
        [tenant] => Ok(tenant.id),
        several => {
            let slugs: Vec<&str> = several.iter().map(|tenant| tenant.slug.as_str()).collect();
            let message = format!(
                "there are several tenants: pass --tenant, one of {}",
                slugs.join(", ")
            );
            Err(Error::SettingInvalid(message).into())
        }
    }
}

/// The project whose source is the repository around the folder, by its path or by its remote `origin`. `None` where
/// there is no such project, or more than one.
async fn project_of(store: &Store, tenant: TenantId, folder: &Path) -> Result<Option<String>> {
    let Ok(Some(found)) = repository_discover(folder).await else {
        return Ok(None);
    };
    let root = found.work_dir.unwrap_or(found.git_dir).canonicalize();
    let root = root
        .ok()
        .and_then(|root| root.to_str().map(str::to_lowercase));
    let remote = found.origin_url.map(|url| url.to_lowercase());
    let urls: Vec<String> = root.into_iter().chain(remote).collect();
    let scoped = store.read(tenant).await?;
    let sources = sources_by_url(&scoped, &urls).await?;
    let Some(first) = sources.first().map(|source| source.project_id) else {
        return Ok(None);
    };
    let is_one = sources.iter().all(|source| source.project_id == first);
    Ok(is_one.then(|| first.to_string()))
}

/// Returns the function that compares the folder with a commit, if the folder is in a repository.
async fn check_of(folder: &Path) -> Option<FolderCheck> {
    let found = repository_discover(folder).await;
    found.ok().flatten()?;
    let folder: PathBuf = folder.to_owned();
    let check: FolderCheck = Arc::new(move |base| {
        let folder = folder.clone();
        Box::pin(async move {
            let report = folder_check(&folder, &base, 0, |_phase| {}).await;
            report.map_err(|error| CheckRefusal {
                code: code_of(&error).to_owned(),
                message: message_of(&error),
            })
        })
    });
    Some(check)
}
