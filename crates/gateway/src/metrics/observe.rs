//! Watches every operation of GraphQL, on every transport: counts it, logs it if it was slow, and names the request in
//! the errors that a client may report.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_graphql::extensions::ExtensionContext;
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection};
use async_graphql::registry::Registry;
use async_graphql::{Request, Response, ServerError, Value};
use futures::StreamExt;
use futures::stream::BoxStream;
use nyxcore_graphql::RequestContext;
use nyxcore_graphql::error::error_code_of;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::Metrics;
use super::labels::RequestLabels;
use crate::nulls::OBJECT_MARK;

/// The kind of an operation with a stream of answers.
const SUBSCRIPTION: &str = "subscription";
/// The operation label of a document that could not be parsed.
const UNREAD: &str = "unread";
/// The operation label of a document with several root fields.
const SEVERAL: &str = "several";
/// The codes of errors that are the server's fault.
const FAULTS: [&str; 3] = ["INTERNAL", "DATABASE_BUSY", "DATABASE_UNREACHABLE"];
/// The introspection fields that every query root has.
const INTROSPECTION: [&str; 3] = ["__schema", "__type", "__typename"];
/// The maximum number of operations of a document that are examined.
const NAMES_MAX: usize = 100;

tokio::task_local! {
    /// The number of statements of the operation that this task executes.
    static STATEMENTS: Arc<AtomicU64>;
}

/// Counts a statement for the process and for the operation that makes it. The store takes this function as its
/// listener.
pub fn statement_noted(metrics: &Metrics) {
    metrics.0.statements.inc();
    // Outside of an operation only the process's counter counts it.
    let _outside = STATEMENTS.try_with(|count| count.fetch_add(1, Ordering::Relaxed));
}

/// The facts about a request that are known so far.
#[derive(Default)]
struct RequestSummary {
    /// The operation that the request names.
    name: Option<String>,
    /// The id of the HTTP request that it came with.
    request_id: Option<String>,
    /// The label of its operation, once its document is parsed.
    labels: Option<RequestLabels>,
    /// The first bytes of the document's SHA-256, in hexadecimal digits.
    document: String,
    /// Whether it was executed, and so counted.
    executed: bool,
    /// Held while the request is a subscription.
    open: Option<OpenSubscription>,
}

/// An operation of a document.
struct DocumentOperation {
    name: Option<String>,
    labels: RequestLabels,
}

/// The observer of one request. It lives as long as the request's stream.
pub(crate) struct RequestObserver {
    metrics: Option<Metrics>,
    slow_after: Duration,
    seen: Arc<Mutex<RequestSummary>>,
}

impl RequestObserver {
    /// Counts into `metrics`, if any, and logs an operation that takes longer than `slow_after`.
    pub(crate) fn new(metrics: Option<Metrics>, slow_after: Duration) -> Self {
        Self {
            metrics,
            slow_after,
            seen: Arc::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, RequestSummary> {
        lock(&self.seen)
    }

    fn labels(&self) -> RequestLabels {
        let unread = || labels(OperationType::Query, UNREAD);
        self.seen().labels.clone().unwrap_or_else(unread)
    }

    fn ended(&self, labels: RequestLabels, response: &Response, took: Duration, statements: u64) {
        if took >= self.slow_after {
            tracing::warn!(
                kind = labels.kind,
                operation = %labels.operation,
                document = %self.seen().document,
                ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                statements,
                "slow operation"
            );
        }
        if let Some(metrics) = &self.metrics {
            metrics.operation_note(labels, outcome_of(response), took, statements);
        }
    }
}

impl RequestObserver {
    /// Waits for the answer of a request, and counts it if it was refused before it was executed.
    pub(crate) async fn request(&self, answer: impl Future<Output = Response>) -> Response {
        let began = Instant::now();
        let mut response = answer.await;
        if !self.seen().executed {
            self.ended(self.labels(), &response, began.elapsed(), 0);
        }
        let request_id = self.seen().request_id.clone();
        trace_ids_add(&mut response, request_id.as_deref());
        response
    }

    /// Names the request in the errors of a subscription.
    pub(crate) fn subscribe<'s>(&self, stream: BoxStream<'s, Response>) -> BoxStream<'s, Response> {
        // The labels are read when an answer comes: the stream itself prepares the request.
        let seen = Arc::clone(&self.seen);
        Box::pin(stream.map(move |mut response| {
            let request_id = lock(&seen).request_id.clone();
            trace_ids_add(&mut response, request_id.as_deref());
            response
        }))
    }

    /// Reads the name and the caller of a request.
    pub(crate) fn request_read(&self, context: &ExtensionContext<'_>, request: &Request) {
        let caller = RequestContext::of(context, request);
        let mut seen = self.seen();
        seen.request_id = caller.and_then(|caller| caller.origin().request_id.clone());
        seen.name.clone_from(&request.operation_name);
    }

    /// Reads the operation of a parsed document.
    pub(crate) fn document_read(
        &self,
        context: &ExtensionContext<'_>,
        query: &str,
        document: &ExecutableDocument,
    ) {
        let registry = &context.schema_env.registry;
        let operations = operations_of(document, |kind, field| root_has(registry, kind, field));
        let mut seen = self.seen();
        let name = seen.name.clone();
        let chosen = operations
            .into_iter()
            .find(|operation| name.is_none() || operation.name == name);
        seen.labels = chosen.map(|operation| operation.labels);
        seen.document = hex::encode(&Sha256::digest(query.as_bytes())[..8]);
        let subscribes = seen
            .labels
            .as_ref()
            .is_some_and(|labels| labels.kind == SUBSCRIPTION);
        if let Some(metrics) = self.metrics.as_ref().filter(|_| subscribes) {
            seen.open = Some(OpenSubscription::new(metrics));
        }
    }

    /// Waits for the answer of an operation in a span, and counts it with its statements.
    pub(crate) async fn execute(&self, answer: impl Future<Output = Response>) -> Response {
        let labels = self.labels();
        self.seen().executed = true;
        if labels.kind == SUBSCRIPTION {
            // This is one of many events. A subscription is counted once, by its open stream.
            return answer.await;
        }
        let began = Instant::now();
        let count = Arc::new(AtomicU64::new(0));
        let span = tracing::info_span!(
            "operation",
            kind = labels.kind,
            operation = %labels.operation,
            statements = tracing::field::Empty,
        );
        let answer = answer.instrument(span.clone());
        let response = STATEMENTS.scope(Arc::clone(&count), answer).await;
        let statements = count.load(Ordering::Relaxed);
        span.record("statements", statements);
        self.ended(labels, &response, began.elapsed(), statements);
        response
    }
}

/// Counts a subscription while its stream exists.
struct OpenSubscription(Metrics);

impl OpenSubscription {
    fn new(metrics: &Metrics) -> Self {
        metrics.0.subscriptions.inc();
        Self(metrics.clone())
    }
}

impl Drop for OpenSubscription {
    fn drop(&mut self) {
        self.0.0.subscriptions.dec();
    }
}

fn lock(seen: &Mutex<RequestSummary>) -> MutexGuard<'_, RequestSummary> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn labels(kind: OperationType, operation: &str) -> RequestLabels {
    RequestLabels {
        kind: match kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => SUBSCRIPTION,
        },
        operation: operation.to_owned(),
    }
}

/// Whether the root type of a kind of operation has a field.
fn root_has(registry: &Registry, kind: OperationType, field: &str) -> bool {
    let root = match kind {
        OperationType::Query => Some(&registry.query_type),
        OperationType::Mutation => registry.mutation_type.as_ref(),
        OperationType::Subscription => registry.subscription_type.as_ref(),
    };
    let root = root.and_then(|root| registry.types.get(root));
    root.is_some_and(|root| root.field_by_name(field).is_some()) || INTROSPECTION.contains(&field)
}

/// The operations of a document, each labelled by its root field. A field that the schema does not have is the client's
/// own text, and so is the name of an operation.
fn operations_of(
    document: &ExecutableDocument,
    knows: impl Fn(OperationType, &str) -> bool,
) -> Vec<DocumentOperation> {
    let mut seen = Vec::new();
    for (name, operation) in document.operations.iter().take(NAMES_MAX) {
        let operation = &operation.node;
        let items = &operation.selection_set.node.items;
        let mut fields = BTreeSet::new();
        for item in items {
            match &item.node {
                // The field that the query guard adds.
                Selection::Field(field)
                    if field.node.response_key().node.as_str() == OBJECT_MARK =>
                {
                    false
                }
                Selection::Field(field) => fields.insert(field.node.name.node.as_str()),
                // The fields in a fragment are not examined.
                Selection::FragmentSpread(_) | Selection::InlineFragment(_) => fields.insert(""),
            };
        }
        let mut fields = fields.into_iter();
        let label = match (fields.next(), fields.next()) {
            (Some(field), None) if !field.is_empty() => match knows(operation.ty, field) {
                true => field,
                false => UNREAD,
            },
            _ => SEVERAL,
        };
        seen.push(DocumentOperation {
            name: name.map(ToString::to_string),
            labels: labels(operation.ty, label),
        });
    }
    seen
}

/// `ok`, or the code of the first error.
fn outcome_of(response: &Response) -> String {
    let error = response.errors.first();
    error.map_or_else(|| "ok".to_owned(), |error| code_of(error).to_owned())
}

/// The code that an error has, or will have in the answer.
fn code_of(error: &ServerError) -> &str {
    let extensions = error.extensions.as_ref();
    match extensions.and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code,
        _ => error_code_of(error),
    }
}

/// Adds the request id to errors that are the server's fault, so that an operator finds it in the log.
fn trace_ids_add(response: &mut Response, request_id: Option<&str>) {
    let Some(id) = request_id else {
        return;
    };
    for error in &mut response.errors {
        if FAULTS.contains(&code_of(error)) {
            let extensions = error.extensions.get_or_insert_default();
            extensions.set("traceId", id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nyxcore_graphql::error::error_with_code;

    #[test]
    fn a_fault_of_the_server_names_its_request() {
        let errors = ["INTERNAL", "NOT_FOUND"].map(|code| error_with_code(code, "x"));
        let mut response = Response::from_errors(errors.into());
        trace_ids_add(&mut response, Some("r1"));
        let named = response.errors.iter().map(|error| {
            let extensions = error.extensions.as_ref().unwrap();
            extensions.get("traceId").cloned()
        });
        let named: Vec<_> = named.collect();
        assert_eq!(named, [Some(Value::from("r1")), None]);
        assert_eq!(outcome_of(&response), "INTERNAL");
    }

    #[test]
    fn a_clients_words_are_no_labels() {
        let known = ["server", "viewer", "__typename", "createNote"];
        let labels = |query: &str| {
            let document = async_graphql::parser::parse_query(query).unwrap();
            let found = operations_of(&document, |_, field| known.contains(&field));
            let labels = found
                .into_iter()
                .map(|operation| operation.labels.operation);
            labels.collect::<Vec<_>>()
        };
        assert_eq!(
            labels("query Mine { other: server { version } }"),
            ["server"]
        );
        assert_eq!(labels("{ noSuchField }"), [UNREAD]);
        assert_eq!(labels("{ server { version } viewer { id } }"), [SEVERAL]);
        assert_eq!(labels("{ __typename }"), ["__typename"]);
        assert_eq!(
            labels("{ ...F } fragment F on Query { server { version } }"),
            [SEVERAL]
        );
        assert_eq!(
            labels("mutation { createNote(input: {}) { note { id } } }"),
            ["createNote"]
        );
    }
}
