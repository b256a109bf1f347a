//! The limits of one request, and the guard that refuses expensive documents before execution.
//!
//! The guard checks a document in steps, each bounded by the previous one: its tokens, without parsing; its shape with
//! all fragments expanded; and its cost by the types of the schema and the declared sizes of lists. During execution,
//! the values, bytes and time of the response are counted.

mod budget;
mod connection;
mod cost;
mod documents;
mod introspection;
mod operation;
mod shape;
mod sizes;
mod source;
mod strings;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{ExtensionContext, NextResolve, ResolveInfo};
use async_graphql::{Request, Response, ServerResult, Value};
use nyxcore_graphql::RequestContext;
use nyxcore_graphql::error::error_with_code;
use nyxcore_graphql::rate::{OperationPoints, REQUEST_POINTS};

use budget::Budget;
pub use connection::{ConnectionLimits, WRITE_LEAST};
use operation::ExecutableOperation;

pub(crate) use documents::Documents;
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
    documents: Arc<Documents>,
    budget: Budget,
}

impl QueryGuard {
    /// Creates the guard of a request.
    pub(crate) fn new(documents: &Arc<Documents>) -> Self {
        Self {
            documents: Arc::clone(documents),
            budget: Budget::default(),
        }
    }

    /// Checks the document, and takes its points off the tenant's budget.
    ///
    /// # Errors
    /// As [`Documents::check`]; `QUERY_TOO_COMPLEX`, `INTROSPECTION_TOO_DEEP`, `INVALID_INPUT`,
    /// `GRAPHQL_VALIDATION_FAILED`; `RATE_LIMITED`.
    pub(crate) fn prepare(
        &self,
        context: &ExtensionContext<'_>,
        request: &mut Request,
    ) -> ServerResult<()> {
        let registry = &context.schema_env.registry;
        let document = self.documents.check(request)?;
        let cost = document.cost(registry, &request.variables, self.documents.limits())?;
        let executable = document.executable(registry)?;
        request.set_parsed_query(executable.document.clone());
        request.data.insert(executable);
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
        let mut response = self.budget.spend(self.documents.limits(), answer).await;
        if let Some(executable) = context.data_opt::<Arc<ExecutableOperation>>() {
            executable
                .plan
                .complete(&context.schema_env.registry, &mut response);
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
        let limits = self.documents.limits();
        self.budget.resolve(limits, context, info, next).await
    }
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
