//! `serve` and `worker`: what runs until it is told to end.

use std::time::Duration;

use nyxcore_tenancy::Store;
use nyxcore_tenancy::sign_in::sign_in_sweep;

use super::first_start;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::wiring::{App, end_signal, listener_bind};

/// How often what counts no more is taken away; rows that wait for it change nothing.
const SWEEP: Duration = Duration::from_secs(10 * 60);

/// Serves the API, with the workers in the same process, until SIGTERM or SIGINT. Runs in hand go back to the queue.
///
/// # Errors
/// The address, the data directory or the database cannot be used.
pub async fn serve(settings: Settings) -> Result<()> {
    // Where somebody listens already, nothing is made.
    let (listener, address) = listener_bind(&settings.listen).await?;
    let app = App::open(settings).await?;
    let gateway = app.gateway()?;
    first_start::owner_make(&app.store, &gateway.sign_in().hasher).await?;
    let ended = end_signal()?;
    let workers = app.workers_start(app.settings.quiet_period());
    let swept = tokio::spawn(sweep(app.store.clone()));
    tracing::info!(
        version = env!("NYXCORE_VERSION"),
        "nyxcore listens at http://{address}"
    );
    let served = nyxcore_gateway::serve(gateway, listener, ended).await;
    tracing::info!("told to end: handing runs back");
    workers.shutdown().await;
    swept.abort();
    served.map_err(|error| Error::io("serving", &error))
}

/// Takes away sessions that ended and failures that count no more, every now and then.
async fn sweep(store: Store) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if let Err(error) = sign_in_sweep(&store).await {
            tracing::warn!(?error, "old sessions could not be taken away");
        }
    }
}

/// Carries out runs until SIGTERM or SIGINT.
///
/// # Errors
/// The data directory or the database cannot be used.
pub async fn work(settings: Settings) -> Result<()> {
    if settings.database_url.is_none() {
        return Err(Error::DatabaseUrlMissing("worker"));
    }
    let app = App::open(settings).await?;
    let ended = end_signal()?;
    let workers = app.workers_start(app.settings.quiet_period());
    tracing::info!(
        version = env!("NYXCORE_VERSION"),
        workers = app.settings.workers,
        "nyxcore waits for runs"
    );
    ended.await;
    tracing::info!("told to end: handing runs back");
    workers.shutdown().await;
    Ok(())
}
