//! Exports spans to an OpenTelemetry collector by OTLP over HTTP, if the operator names one.
//!
//! A thread of its own exports the spans of this program's crates in batches. If a collector does not answer, only
//! spans are lost. The database driver reports a statement when it has ended, so its span is created then, with its
//! start in the past.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::error::{Error, Result};

/// How long a collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum size of a collector's answer, in bytes: it contains the number of refused spans.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The longest text of a statement that is exported, in characters.
const STATEMENT_CHARS_MAX: usize = 2_000;

/// The exporter, which runs until the process ends.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The layer that exports spans to the collector at this URL, such as `http://127.0.0.1:4318/v1/traces`.
///
/// # Errors
/// [`Error::SettingInvalid`] for an invalid URL.
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
    // If a process starts the export twice, as in a test, the first provider stays.
    let _kept = PROVIDER.set(provider);
    let ours = filter_fn(|metadata| metadata.target().starts_with("nyxcore"));
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    Ok(layer.with_filter(ours))
}

/// Whether spans are exported.
pub fn is_exporting() -> bool {
    PROVIDER.get().is_some()
}

/// Exports a statement that has just ended as a child of the current span. Without a current span, nothing is exported.
/// The text has no values: they are bound. The attributes are those of OpenTelemetry's conventions for databases.
pub fn statement_export(sql: &str, duration: Duration) {
    let Some(provider) = PROVIDER.get() else {
        return;
    };
    let parent = Span::current().context();
    if !parent.span().span_context().is_valid() {
        return;
    }
    let ended = opentelemetry::time::now();
    let verb = sql.split_whitespace().next().unwrap_or("SQL");
    let text: String = sql.chars().take(STATEMENT_CHARS_MAX).collect();
    let tracer = provider.tracer("nyxcore");
    let mut span = tracer
        .span_builder(verb.to_owned())
        .with_kind(SpanKind::Client)
        .with_start_time(ended - duration)
        .with_attributes([KeyValue::new("db.query.text", text)])
        .start_with_context(&tracer, &parent);
    span.end_with_timestamp(ended);
}

/// Exports the remaining spans.
pub async fn end() {
    let Some(provider) = PROVIDER.get() else {
        return;
    };
    // The shutdown waits for the export thread, which needs this runtime.
    let ended = tokio::task::spawn_blocking(|| provider.shutdown_with_timeout(PATIENCE)).await;
    if let Ok(Err(error)) = ended {
        tracing::warn!(%error, "the last spans could not be shipped");
    }
}

/// The HTTP client for the export thread, which is not a thread of the runtime.
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
