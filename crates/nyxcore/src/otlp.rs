//! Ships spans to an OpenTelemetry collector, by OTLP over HTTP, where the operator names one.
//!
//! Spans of this program's crates are shipped, in batches, by a thread of their own. A collector that does not answer
//! costs spans and nothing else.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::error::{Error, Result};

/// How long a collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer of a collector that is read, in bytes: it says how many spans it refused.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What ships until the end of the process.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The layer that ships spans to the collector at this URL, such as `http://127.0.0.1:4318/v1/traces`.
///
/// # Errors
/// [`Error::SettingInvalid`] for a URL of another kind.
pub fn layer<S>(endpoint: &str) -> Result<impl Layer<S> + Send + Sync + use<S>>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let invalid =
        |reason: &str| Error::SettingInvalid(format!("the setting \"otlp_endpoint\" {reason}"));
    let url = Url::parse(endpoint).ok();
    if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(invalid("must be a URL such as http://127.0.0.1:4318/v1/traces").into());
    }
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(|error| invalid(&error.to_string()))?;
    let client = RuntimeClient {
        client,
        runtime: Handle::current(),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(PATIENCE)
        .with_http_client(client)
        .build()
        .map_err(|error| invalid(&error.to_string()))?;
    let resource = Resource::builder()
        .with_service_name("nyxcore")
        .with_attribute(KeyValue::new("service.version", env!("NYXCORE_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("nyxcore");
    // A second start in one process, as in a test, keeps the first.
    let _kept = PROVIDER.set(provider);
    let ours = filter_fn(|metadata| metadata.target().starts_with("nyxcore"));
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    Ok(layer.with_filter(ours))
}

/// Ships what is left.
pub async fn end() {
    let Some(provider) = PROVIDER.get() else {
        return;
    };
    // It waits for the thread that ships, which needs this runtime.
    let ended = tokio::task::spawn_blocking(|| provider.shutdown_with_timeout(PATIENCE)).await;
    if let Ok(Err(error)) = ended {
        tracing::warn!(%error, "the last spans could not be shipped");
    }
}

/// The HTTP client, for a thread that is none of the runtime's.
#[derive(Debug)]
struct RuntimeClient {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for RuntimeClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request)?;
            let mut answer = client.execute(request).await?;
            let status = answer.status();
            let mut body = Vec::new();
            while let Some(piece) = answer.chunk().await? {
                body.extend_from_slice(&piece);
                if body.len() > ANSWER_BYTES_MAX {
                    return Err(HttpError::from("the collector's answer is too large"));
                }
            }
            let response = Response::builder().status(status.as_u16());
            Ok::<_, HttpError>(response.body(Bytes::from(body))?)
        });
        sent.await?
    }
}
