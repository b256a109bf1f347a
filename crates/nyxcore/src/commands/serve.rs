//! `serve` and `worker`: the processes that run until they are terminated.

use std::time::Duration;

use nyxcore_model_catalog::ModelService;

use super::first_start;
use crate::error::{Error, Result, message_of};
use crate::metrics_endpoint::MetricsEndpoint;
use crate::otlp;
use crate::sealed::keys_check;
use crate::settings::Settings;
use crate::wiring::{App, end_signal, listener_bind};
use anyhow::{Context, bail};

/// How long writing the ledger of model calls may take at the end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// Serves the API, and runs the workers in the same process if there are any, until SIGTERM or SIGINT. Unfinished runs
/// go back to the queue.
///
/// # Errors
/// The address, the data directory or the database cannot be used.
pub async fn serve(settings: Settings) -> Result<()> {
    if settings.workers == 0 && settings.database_url.is_none() {
        bail!(Error::SettingInvalid(
            "the setting \"workers\" may be 0 only if `nyxcore worker` does the work, on PostgreSQL: set NYXCORE_DATABASE_URL".into(),
        ));
    }
    // If another process listens on the address, nothing is created.
    let (listener, address) = listener_bind(&settings.listen).await?;
    let metrics = MetricsEndpoint::bind(&settings).await?;
    let app = App::open(settings).await?;
    let metrics = metrics.and_then(|metrics| metrics.start(&app));
    let models = app.models_start()?;
    let gateway = app.gateway(&models)?;
    first_start::owner_make(&app.store, &gateway.sign_in().hasher).await?;
    let gateway = first_start::set_up_offer(&app.store, gateway, address).await?;
    keys_warn(&app).await?;
    let ended = end_signal()?;
    let workers =
        (app.settings.workers > 0).then(|| app.workers_start(&models, app.settings.quiet_period()));
    let workers = workers.transpose()?;
    let housekeeping = app.housekeeping_start();
    tracing::info!(
        version = env!("NYXCORE_VERSION"),
        "nyxcore listens at http://{address}"
    );
    let served = nyxcore_gateway::serve(gateway, listener, ended).await;
    tracing::info!("shutting down: handing runs back");
    if let Some(workers) = workers {
        workers.shutdown().await;
    }
    models_drain(&models).await;
    housekeeping.end().await;
    if let Some(metrics) = metrics {
        metrics.end().await;
    }
    otlp::end().await;
    served.context("serving failed")
}

/// Waits until the ledger has the costs of all model calls.
pub(super) async fn models_drain(models: &ModelService) {
    if !models.drain(DRAIN_PATIENCE).await {
        tracing::warn!("some model calls were not recorded: they are settled in two minutes");
    }
}

/// Warns if secrets are encrypted with a master key that this machine does not have: their use would fail later.
async fn keys_warn(app: &App) -> Result<()> {
    if let Some(error) = keys_check(&app.store, &app.keys).await? {
        tracing::warn!("{}", message_of(&error));
    }
    Ok(())
}

/// Carries out runs until SIGTERM or SIGINT.
///
/// # Errors
/// The data directory or the database cannot be used.
pub async fn work(settings: Settings) -> Result<()> {
    if settings.database_url.is_none() {
        bail!(Error::DatabaseUrlMissing("worker"));
    }
    let metrics = MetricsEndpoint::bind(&settings).await?;
    let app = App::open(settings).await?;
    let metrics = metrics.and_then(|metrics| metrics.start(&app));
    keys_warn(&app).await?;
    let ended = end_signal()?;
    let models = app.models_start()?;
    let workers = app.workers_start(&models, app.settings.quiet_period())?;
    let housekeeping = app.housekeeping_start();
    tracing::info!(
        version = env!("NYXCORE_VERSION"),
        workers = app.settings.workers,
        "nyxcore waits for runs"
    );
    ended.await;
    tracing::info!("shutting down: handing runs back");
    workers.shutdown().await;
    models_drain(&models).await;
    housekeeping.end().await;
    if let Some(metrics) = metrics {
        metrics.end().await;
    }
    otlp::end().await;
    Ok(())
}
