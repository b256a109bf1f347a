//! The metrics of the process for an operator, in the text format of OpenMetrics, which Prometheus reads.
//!
//! No label has a text of a client or a tenant. An operation is labelled by the schema's root field that it selects, an
//! outcome by a code of the API, a run by its registered kind, and a model by its name in the catalog. Other models are
//! labelled `other`. So the program bounds the number of series.

mod labels;
mod observe;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::{DateTime, Utc};
use nyxcore_graphql::ServerInfo;
use nyxcore_model_catalog::{CallOutcome, CallReport, catalog};
use nyxcore_runs::{RunReport, run_census};
use nyxcore_tenancy::Store;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use labels::{
    BuildLabels, KindLabels, ModelCallLabels, ModelLabels, OperationLabels, OutcomeLabels,
    PoolLabels, RequestLabels, RunLabels, RunStateLabels,
};
pub(crate) use observe::RequestObserver;
pub use observe::statement_noted;

/// The upper bounds of the duration of an operation, in seconds: from an answer out of memory to the statement
/// time-out.
const SECONDS: [f64; 12] = [
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];
/// The upper bounds of the number of statements of an operation.
const STATEMENTS: [f64; 8] = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// The upper bounds of the duration of a run, in seconds.
const RUN_SECONDS: [f64; 9] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];
/// Nano-dollars in a dollar.
const NANO: f64 = 1e9;

/// A histogram family with its own bounds.
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counters of a process. Clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    responses: Family<OutcomeLabels, Counter>,
    operations: Family<OperationLabels, Counter>,
    operation_seconds: Histograms<RequestLabels>,
    operation_statements: Histograms<RequestLabels>,
    statements: Counter,
    subscriptions: Gauge,
    run_attempts: Family<RunLabels, Counter>,
    run_seconds: Histograms<KindLabels>,
    runs: Family<RunStateLabels, Gauge>,
    queue_age: Family<KindLabels, Gauge<f64, AtomicU64>>,
    pool: Family<PoolLabels, Gauge>,
    pool_max: Gauge,
    database_up: Gauge,
    model_calls: Family<ModelCallLabels, Counter>,
    model_cost: Family<ModelLabels, Counter<f64, AtomicU64>>,
    model_tokens: Family<ModelLabels, Counter>,
}

impl Metrics {
    /// Creates the counters of a process, all at zero.
    #[must_use]
    pub fn new(server: &ServerInfo) -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix("nyxcore"),
            responses: Family::default(),
            operations: Family::default(),
            operation_seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            operation_statements: Family::new_with_constructor(|| Histogram::new(STATEMENTS)),
            statements: Counter::default(),
            subscriptions: Gauge::default(),
            run_attempts: Family::default(),
            run_seconds: Family::new_with_constructor(|| Histogram::new(RUN_SECONDS)),
            runs: Family::default(),
            queue_age: Family::default(),
            pool: Family::default(),
            pool_max: Gauge::default(),
            database_up: Gauge::default(),
            model_calls: Family::default(),
            model_cost: Family::default(),
            model_tokens: Family::default(),
        };
        inner.register(server);
        Self(Arc::new(inner))
    }

    /// Counts an HTTP response by the class of its status.
    pub(crate) fn response_note(&self, status: u16) {
        let outcome = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        let labels = OutcomeLabels { outcome };
        self.0.responses.get_or_create(&labels).inc();
    }

    /// Counts a finished operation.
    fn operation_note(
        &self,
        request: RequestLabels,
        outcome: String,
        took: Duration,
        statements: u64,
    ) {
        let seconds = self.0.operation_seconds.get_or_create(&request);
        seconds.observe(took.as_secs_f64());
        drop(seconds);
        let of_request = self.0.operation_statements.get_or_create(&request);
        of_request.observe(statements as f64);
        drop(of_request);
        let labels = OperationLabels {
            kind: request.kind,
            operation: request.operation,
            outcome,
        };
        self.0.operations.get_or_create(&labels).inc();
    }

    /// Counts a finished call of a model.
    pub fn call_note(&self, call: &CallReport) {
        let (provider, model) = known_model(&call.provider, &call.model);
        let outcome = call_outcome(call.outcome);
        let labels = ModelCallLabels {
            provider: provider.clone(),
            model: model.clone(),
            outcome,
        };
        self.0.model_calls.get_or_create(&labels).inc();
        let labels = ModelLabels { provider, model };
        let dollars = call.cost_nanousd.max(0) as f64 / NANO;
        self.0.model_cost.get_or_create(&labels).inc_by(dollars);
        self.0
            .model_tokens
            .get_or_create(&labels)
            .inc_by(call.tokens);
    }

    /// Counts a finished attempt at a run.
    pub fn run_note(&self, run: &RunReport) {
        let kind = run.kind.to_string();
        let labels = KindLabels { kind: kind.clone() };
        let seconds = self.0.run_seconds.get_or_create(&labels);
        seconds.observe(run.took.as_secs_f64());
        drop(seconds);
        let labels = RunLabels {
            kind,
            outcome: run.outcome.as_str(),
        };
        self.0.run_attempts.get_or_create(&labels).inc();
    }

    /// Returns all metrics as text, with the current state of the queue and of the connections.
    ///
    /// # Errors
    /// None in practice: writing to a string does not fail.
    pub async fn text(&self, store: &Store) -> Result<String, std::fmt::Error> {
        self.state_read(store).await;
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    async fn state_read(&self, store: &Store) {
        let inner = &self.0;
        let pool = store.pool_state();
        let states = [
            ("idle", pool.idle),
            ("in_use", pool.open.saturating_sub(pool.idle)),
        ];
        for (state, connections) in states {
            let labels = PoolLabels { state };
            inner.pool.get_or_create(&labels).set(connections.into());
        }
        inner.pool_max.set(pool.max.into());
        let census = run_census(store).await;
        inner.database_up.set(census.is_ok().into());
        let census = match census {
            Ok(census) => census,
            Err(error) => {
                tracing::warn!(?error, "the queue could not be counted for the metrics");
                return;
            }
        };
        // A kind without a waiting run must have no value, and not the last one.
        inner.runs.clear();
        inner.queue_age.clear();
        let now = store.env().now();
        for line in census {
            let kind = line.kind.to_string();
            let age = line.available_since.map(|since| age_of(now, since));
            let labels = RunStateLabels {
                kind: kind.clone(),
                state: line.status.name().to_ascii_lowercase(),
            };
            inner.runs.get_or_create(&labels).set(line.runs);
            if let Some(age) = age {
                let labels = KindLabels { kind };
                inner.queue_age.get_or_create(&labels).set(age);
            }
        }
    }
}

impl Inner {
    fn register(&mut self, server: &ServerInfo) {
        let build = Family::<BuildLabels, Gauge>::default();
        let labels = BuildLabels {
            version: server.version.clone(),
            commit: server.commit.clone().unwrap_or_default(),
        };
        build.get_or_create(&labels).set(1);
        let registry = &mut self.registry;
        registry.register("build", "What the process was built from", build);
        registry.register(
            "http_responses",
            "Responses of HTTP by the class of their status",
            self.responses.clone(),
        );
        registry.register(
            "operations",
            "Operations of GraphQL by the field that they ask for and their outcome",
            self.operations.clone(),
        );
        registry.register_with_unit(
            "operation_duration",
            "The time of an operation of GraphQL",
            Unit::Seconds,
            self.operation_seconds.clone(),
        );
        registry.register(
            "operation_statements",
            "SQL statements of an operation, without BEGIN and COMMIT",
            self.operation_statements.clone(),
        );
        registry.register(
            "statements",
            "SQL statements of the process",
            self.statements.clone(),
        );
        registry.register(
            "subscriptions",
            "Subscriptions that are open",
            self.subscriptions.clone(),
        );
        registry.register(
            "run_attempts",
            "Attempts at runs that this process has ended, by their outcome",
            self.run_attempts.clone(),
        );
        registry.register_with_unit(
            "run_attempt_duration",
            "The time of an attempt at a run",
            Unit::Seconds,
            self.run_seconds.clone(),
        );
        registry.register(
            "runs",
            "Runs of the installation that wait or run",
            self.runs.clone(),
        );
        registry.register_with_unit(
            "queue_age",
            "How long the oldest run of a kind that could run has waited",
            Unit::Seconds,
            self.queue_age.clone(),
        );
        registry.register(
            "database_connections",
            "Database connections of the process",
            self.pool.clone(),
        );
        registry.register(
            "database_connections_max",
            "The most database connections of the process",
            self.pool_max.clone(),
        );
        registry.register(
            "database_up",
            "Whether the database answered when the metrics were read",
            self.database_up.clone(),
        );
        registry.register(
            "model_calls",
            "Calls of models that this process has ended, by their outcome",
            self.model_calls.clone(),
        );
        registry.register(
            "model_cost_dollars",
            "What the calls of models cost",
            self.model_cost.clone(),
        );
        registry.register(
            "model_tokens",
            "Tokens that models have read and written",
            self.model_tokens.clone(),
        );
    }
}

/// How long ago something was, in seconds.
fn age_of(now: DateTime<Utc>, since: DateTime<Utc>) -> f64 {
    let age = (now - since).to_std().unwrap_or_default();
    age.as_secs_f64()
}

/// The names of a model in the catalog. A tenant names its own models and endpoints freely, so those become `other`.
fn known_model(provider: &str, model: &str) -> (String, String) {
    match catalog().model(model) {
        Some(known) if known.provider.id() == provider => (provider.to_owned(), known.id.clone()),
        _ => ("other".to_owned(), "other".to_owned()),
    }
}

fn call_outcome(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Succeeded => "succeeded",
        CallOutcome::Failed => "failed",
        CallOutcome::Cancelled => "cancelled",
        CallOutcome::Refused => "refused",
        CallOutcome::Lost => "lost",
    }
}
