//! The log on standard error, above any progress bar, and the export of spans to a collector.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::error::{Error, Result};
use crate::otlp;
use crate::settings::{LogFormat, Settings};

/// Starts the log; `default` is the log filter where the settings have none. A server also exports its spans if the
/// settings name a collector.
///
/// # Errors
/// [`Error::SettingInvalid`] for an invalid filter or an invalid URL of a collector.
pub fn start(
    settings: &Settings,
    default: &str,
    is_server: bool,
    bars: &MultiProgress,
) -> Result<()> {
    let filter = settings.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Error::SettingInvalid(format!("the setting \"log\": {error}")))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(AboveBars(bars.clone()));
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let endpoint = settings.otlp_endpoint.as_deref();
    let endpoint = endpoint.filter(|endpoint| is_server && !endpoint.is_empty());
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    // If a process starts the log twice, as in a test, the first one stays.
    let _started = match endpoint {
        Some(endpoint) => subscriber.with(otlp::layer(endpoint)?).try_init(),
        None => subscriber.try_init(),
    };
    Ok(())
}

/// A writer to standard error that hides the bars while it writes.
#[derive(Clone)]
struct AboveBars(MultiProgress);

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for AboveBars {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
