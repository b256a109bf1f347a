//! The limits of one request, and the guard that refuses expensive documents before execution.
//!
//! The guard checks a document in steps, each bounded by the previous one: its tokens, without parsing; its shape with
//! all fragments expanded; and its cost by the types of the schema and the declared sizes of lists. During execution,
//! the values, bytes and time of the response are counted.

mod budget;
mod connection;
mod cost;
mod introspection;
mod operation;
mod shape;
mod sizes;
mod source;
mod strings;

use std::any::TypeId;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{ExtensionContext, NextResolve, ResolveInfo};
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError, ServerResult, Value};
use nyxcore_graphql::RequestContext;
use nyxcore_graphql::error::error_with_code;
use nyxcore_graphql::rate::{OperationPoints, REQUEST_POINTS};

use crate::nulls::Plan;
use budget::Budget;
pub use connection::{ConnectionLimits, WRITE_LEAST};

pub(crate) use operation::chosen;

/// The limits of one request, one connection and one wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Levels of fields, leaves included. 15 is what the introspection query of graphql-js needs.
    pub depth: usize,
    /// Fields of the answer at the most, as the declared sizes of lists foresee it. 20,000 is a page of 200 rows with
    /// 100 fields each, or 50 rows with 20 rows of 20 fields in each of them.
    pub complexity: usize,
    /// Values of one answer, list items and introspection included, as they are resolved. An introspection of the whole
    /// schema has about 60,000. It bounds lists that are longer than declared.
    pub answer_values: usize,
    /// Bytes of one answer, or of one event of a subscription. 16 MiB holds twenty texts of the largest size
    /// in characters of four bytes.
    pub answer_bytes: usize,
    /// How long one operation, or one event of a subscription, may take. A proxy in front gives up after 60 s by
    /// default (nginx).
    pub execution: Duration,
    /// Aliases in a document, with all fragments spread.
    pub aliases: usize,
    /// Directives in a document, as written.
    pub directives: usize,
    /// Tokens in a document, as the GraphQL grammar counts them.
    pub tokens: usize,
    /// Points that the requests of one tenant may cost in a minute, on all transports together; 0 for no limit. A
    /// point is a field of an answer as `complexity` counts it, and a request has ten more. A million a second is 50
    /// answers of the largest complexity, or 2,000 pages of a hundred rows.
    pub points_per_minute: u64,
    /// Bytes of a request's body, and of a WebSocket message.
    pub body_bytes: usize,
    /// Bytes of a request's address and headers together.
    pub header_bytes: usize,
    /// Operations that run at once on one WebSocket.
    pub operations_per_connection: usize,
    /// How long a WebSocket may take to authenticate.
    pub handshake: Duration,
    /// How often an open stream sends a keep-alive. A WebSocket that sends no frame for three times as long is closed,
    /// as is one that does not take what is sent.
    pub keepalive: Duration,
    /// The recheck interval of an open stream's credential: a revoked one ends the stream within this time.
    pub token_recheck: Duration,
    /// How long a server that shuts down waits for the requests in progress.
    pub shutdown_grace: Duration,
    /// Bytes that must be free on the disk of the data directory, or the server is not ready. 32 MiB: SQLite's
    /// write-ahead log grows to 16 MB before it is copied back, and a page of the largest bodies takes as much again.
    pub free_bytes: u64,
    /// The bounds for slow, idle and many clients.
    pub connection: ConnectionLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 15,
            complexity: 20_000,
            answer_values: 200_000,
            answer_bytes: 16 * 1024 * 1024,
            execution: Duration::from_secs(60),
            aliases: 30,
            directives: 10,
            tokens: 2_000,
            points_per_minute: 60_000_000,
            body_bytes: 1024 * 1024,
            header_bytes: 32 * 1024,
            operations_per_connection: 50,
            handshake: Duration::from_secs(10),
            keepalive: Duration::from_secs(12),
            token_recheck: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(10),
            free_bytes: 32 * 1024 * 1024,
            connection: ConnectionLimits::default(),
        }
    }
}

/// Refuses the documents of one request that cost too much, or more than is left of the tenant's budget. Stops answers
/// that grow too large. It applies to every transport.
pub(crate) struct QueryGuard {
    limits: Arc<Limits>,
    budget: Budget,
}

impl QueryGuard {
    /// Creates the guard of a request.
    pub(crate) fn new(limits: &Arc<Limits>) -> Self {
        Self {
            limits: Arc::clone(limits),
            budget: Budget::default(),
        }
    }

    /// Checks the document, and takes its points off the tenant's budget.
    ///
    /// # Errors
    /// As [`document_check`]; `RATE_LIMITED`.
    pub(crate) fn prepare(
        &self,
        context: &ExtensionContext<'_>,
        request: &mut Request,
    ) -> ServerResult<()> {
        document_check(request, &self.limits)?;
        let (plan, cost) = operation::prepare(request, &context.schema_env.registry, &self.limits)?;
        request.data.insert(plan);
        let points = REQUEST_POINTS + cost as u64;
        if let Some(caller) = RequestContext::of(context, request) {
            caller.points_take(points)?;
        }
        request.data.insert(OperationPoints(points));
        Ok(())
    }

    /// Waits for the answer as long as it stays within the limits, and completes it.
    pub(crate) async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        answer: impl Future<Output = Response>,
    ) -> Response {
        let mut response = self.budget.spend(&self.limits, answer).await;
        if let Some(plan) = context.data_opt::<Plan>() {
            plan.complete(&context.schema_env.registry, &mut response);
        }
        response
    }

    /// Resolves a field or a list's item and counts it.
    ///
    /// # Errors
    /// Those of the field; `INT_OUT_OF_RANGE`.
    pub(crate) async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        self.budget.resolve(&self.limits, context, info, next).await
    }
}

/// Marks a request whose document was checked. It holds the type of the operation.
struct CheckedDocument(OperationType);

/// Checks a request's document against every limit that needs no schema, and returns the type of its operation. The
/// parsed document stays with the request. A document that was checked is not checked again.
///
/// # Errors
/// `QUERY_TOO_MANY_TOKENS`, `QUERY_TOO_DEEP`, `QUERY_TOO_COMPLEX`, `QUERY_TOO_MANY_ALIASES`,
/// `QUERY_TOO_MANY_DIRECTIVES`; `GRAPHQL_PARSE_FAILED`; `OPERATION_RESOLUTION_FAILED` where the request does not
/// determine one operation.
pub(crate) fn document_check(
    request: &mut Request,
    limits: &Limits,
) -> ServerResult<OperationType> {
    let checked = request.data.get(&TypeId::of::<CheckedDocument>());
    if let Some(CheckedDocument(kind)) = checked.and_then(|mark| mark.downcast_ref()) {
        return Ok(*kind);
    }
    source::source_check(&request.query, limits)?;
    if let Some(rewritten) = strings::rewritten(&request.query) {
        request.query = rewritten;
    }
    let name = request.operation_name.clone();
    let document = request
        .parsed_query()
        .map_err(|error| coded("GRAPHQL_PARSE_FAILED", error))?;
    shape::shape_check(document, limits)?;
    let kind = operation::chosen(document, name.as_deref())?.node.ty;
    request.data.insert(CheckedDocument(kind));
    Ok(kind)
}

fn coded(code: &'static str, error: ServerError) -> ServerError {
    let mut with_code = error_with_code(code, error.message);
    with_code.locations = error.locations;
    with_code
}

fn within(count: usize, most: usize, code: &'static str, of_what: &str) -> ServerResult<()> {
    if count <= most {
        return Ok(());
    }
    Err(error_with_code(
        code,
        format!("the query has {count} {of_what}; the maximum is {most}"),
    ))
}

#[cfg(test)]
mod tests;
