//! The address of the metrics: on loopback, or with a token.

use std::net::SocketAddr;

use nyxcore_gateway::{MetricsAccess, metrics_serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::wiring::App;

/// The minimum length of a token for an address that is not loopback, in bytes: the length of `openssl rand -hex 16`.
const TOKEN_BYTES_MIN: usize = 32;

/// A listener for the metrics.
pub struct MetricsEndpoint {
    listener: TcpListener,
    access: MetricsAccess,
    /// The address that it listens on.
    pub address: SocketAddr,
}

impl MetricsEndpoint {
    /// Listens on the address of the settings, if there is one.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for an address that cannot be listened on, or that others can reach without a token.
    pub async fn bind(settings: &Settings) -> Result<Option<Self>> {
        let Some(wanted) = settings.metrics.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let invalid =
            |reason: String| Error::SettingInvalid(format!("the setting \"metrics\": {reason}"));
        let access = access_of(settings.metrics_token.as_deref()).map_err(invalid)?;
        let refused = |error: std::io::Error| invalid(format!("{wanted}: {error}"));
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        if matches!(access, MetricsAccess::Open) && !address.ip().to_canonical().is_loopback() {
            return Err(invalid(format!(
                "others reach {address}: set NYXCORE_METRICS_TOKEN (`openssl rand -hex 32`), or choose an address of \
                 this machine such as 127.0.0.1:9464"
            ))
            .into());
        }
        Ok(Some(Self {
            listener,
            access,
            address,
        }))
    }

    /// Serves the metrics of the program until the task is stopped.
    pub fn start(self, app: &App) -> Option<MetricsTask> {
        let metrics = app.metrics.clone()?;
        let ended = CancellationToken::new();
        let end = ended.clone();
        let served = metrics_serve(
            metrics,
            app.store.clone(),
            self.access,
            self.listener,
            async move { end.cancelled().await },
        );
        tracing::info!("metrics are at http://{}/metrics", self.address);
        Some(MetricsTask {
            ended,
            task: tokio::spawn(served),
        })
    }
}

/// The task that serves the metrics.
pub struct MetricsTask {
    ended: CancellationToken,
    task: JoinHandle<()>,
}

impl MetricsTask {
    /// Stops the task.
    pub async fn end(self) {
        self.ended.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "serving the metrics failed");
        }
    }
}

fn access_of(token: Option<&str>) -> std::result::Result<MetricsAccess, String> {
    match token.map(str::trim).filter(|token| !token.is_empty()) {
        None => Ok(MetricsAccess::Open),
        Some(token) if token.len() < TOKEN_BYTES_MIN => Err(format!(
            "NYXCORE_METRICS_TOKEN must have at least {TOKEN_BYTES_MIN} characters"
        )),
        Some(token) => Ok(MetricsAccess::token(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_token_is_refused() {
        assert!(access_of(Some("secret")).is_err());
        assert!(matches!(access_of(Some(" ")), Ok(MetricsAccess::Open)));
        let token = "0123456789abcdef0123456789abcdef";
        assert!(matches!(
            access_of(Some(token)),
            Ok(MetricsAccess::Token(_))
        ));
    }
}
