//! `quickstart`: the whole flow on one repository without any setup: sync, analysis, an enriched note, a summary, and
//! the server.
//!
//! It works like the server: runs are queued, executed by workers and followed by their events. The results of an
//! earlier quickstart are reused.

mod home;
mod line;
mod target;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use nyxcore_gateway::{Gateway, LinkPurpose};
use nyxcore_projects::ScanPath;
use nyxcore_sync::git::GitError;

use super::serve::models_drain;
use crate::cli::QuickstartArgs;
use crate::error::{Error, Result, is_interrupted};
use crate::metrics_endpoint::MetricsEndpoint;
use crate::output;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::{App, end_signal, link_make, listener_bind};
use target::Target;

/// How long workers may take to return their runs to the queue.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);

/// Analyses, enriches, prints the summary, and serves unless the flag `--exit` is set.
///
/// # Errors
/// The repository, the data directory or the address cannot be used; a run failed. After a failed first use of the data
/// directory or of the repository, everything that it created is removed.
pub async fn run(settings: Settings, args: QuickstartArgs, screen: &Screen) -> Result<()> {
    // All checks come before anything is created.
    let target = Target::recognise(&args, &settings).await?;
    let scan_path = ScanPath::parse(&args.scan_path).map_err(GitError::from)?;
    let listener = match args.exit {
        true => None,
        false => Some(listener_bind(&settings.listen).await?),
    };
    // The database of a quickstart is always the one in its data directory.
    let settings = Settings {
        database_url: None,
        ..settings
    };
    let mut app = App::open(settings).await?;
    app.policy.local_roots = target.local_roots();
    if target.has_changes().await {
        screen.hint("Uncommitted changes are not analysed.");
    }
    let asked = line::Request {
        target: &target,
        branch: args.branch.as_deref(),
        scan_path: scan_path.as_str(),
        note: args.note.as_deref(),
    };
    let (home, project) = walk(&app, &asked, screen).await?;
    match listener {
        None => Ok(()),
        Some((listener, address)) => serve(&app, &home, &project, listener, address).await,
    }
}

/// Walks the line with workers of its own, and prints the summary. Returns the slug of the project, too.
async fn walk(
    app: &App,
    asked: &line::Request<'_>,
    screen: &Screen,
) -> Result<(home::Home, String)> {
    let ended = end_signal()?;
    // A user waits for this analysis, so it has no quiet period.
    let models = app.models_start()?;
    let workers = app.workers_start(&models, TimeDelta::zero())?;
    let mut made = home::CreatedProject::default();
    let outcome = tokio::select! {
        outcome = line::walk(app, asked, &mut made, screen) => outcome,
        () = ended => Err(Error::Interrupted.into()),
        error = app.data_dir.full() => Err(error.into()),
    };
    // On a full disk a worker may wait long for a database that cannot be written.
    let _late = tokio::time::timeout(SHUTDOWN_PATIENCE, workers.shutdown()).await;
    models_drain(&models).await;
    app.end().await;
    match outcome {
        Ok((home, summary)) => {
            output::write(&summary.render(output::width(), output::is_coloured()))?;
            Ok((home, summary.project.slug))
        }
        // An interrupted quickstart is continued by the next one.
        Err(error) if is_interrupted(&error) => Err(error),
        Err(error) => {
            made.undo(app).await;
            Err(error)
        }
    }
}

async fn serve(
    app: &App,
    home: &home::Home,
    project: &str,
    listener: tokio::net::TcpListener,
    address: SocketAddr,
) -> Result<()> {
    let token = home::token_renew(&app.store, home).await?;
    let ended = end_signal()?;
    let metrics = MetricsEndpoint::bind(&app.settings).await?;
    let metrics = metrics.and_then(|metrics| metrics.start(app));
    let models = app.models_start()?;
    let workers = app.workers_start(&models, app.settings.quiet_period())?;
    let housekeeping = app.housekeeping_start();
    let gateway = app.gateway(&models)?;
    let (console, gateway) = console_link(app, home, project, address, gateway)?;
    output::write(&format!(
        "\n{console}GraphiQL  http://{address}/graphql\nToken     {token}\nHeaders   {{\"Authorization\": \"Bearer {token}\"}}\n\nCtrl-C ends it; `nyxcore quickstart` goes on from here.\n"
    ))?;
    let served = nyxcore_gateway::serve(gateway, listener, ended).await;
    workers.shutdown().await;
    models_drain(&models).await;
    housekeeping.end().await;
    if let Some(metrics) = metrics {
        metrics.end().await;
    }
    served.context("serving failed")
}

/// The line with the link that opens the project in a browser, signed in, and the gateway that accepts the link. If the
/// server also listens for other machines, there is no such link.
fn console_link(
    app: &App,
    home: &home::Home,
    project: &str,
    address: SocketAddr,
    gateway: Gateway,
) -> Result<(String, Gateway)> {
    if !address.ip().to_canonical().is_loopback() {
        return Ok((format!("Console   http://{address}/\n"), gateway));
    }
    let purpose = LinkPurpose::SignIn {
        user: home.owner,
        tenant: home::SLUG.to_owned(),
    };
    let (secret, link) = link_make(&app.store, purpose)?;
    let line = format!(
        "Console   http://{address}/open?to=/projects/{project}#{secret}\n          The link signs you in once, within an hour.\n"
    );
    Ok((line, gateway.with_link(link)))
}
