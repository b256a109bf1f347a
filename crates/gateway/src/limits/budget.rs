//! The limits of a response during execution: values, bytes and time. A response that exceeds them is dropped, and its
//! work is cancelled.

use std::future::Future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::extensions::{ExtensionContext, NextResolve, ResolveInfo};
use async_graphql::{PathSegment, QueryPathSegment, Response, ServerError, ServerResult, Value};
use nyxcore_graphql::Operations;
use nyxcore_graphql::error::error_with_code;
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;
use tokio::time::sleep;

use super::Limits;

/// Bytes that a value that is neither a text nor an object takes, and bytes around each value in JSON.
const SMALL_VALUE: usize = 8;
/// The approximate number of bytes of an error in an answer.
const ERROR_BYTES: usize = 300;

/// The cost of one answer so far.
#[derive(Default)]
pub(super) struct Budget {
    values: AtomicUsize,
    bytes: AtomicUsize,
    /// The first exceeded limit.
    excess: Mutex<Option<ServerError>>,
    exceeded: Notify,
}

impl Budget {
    /// Waits for an answer, as long as it stays within the limits.
    pub(super) async fn spend(
        &self,
        limits: &Limits,
        answer: impl Future<Output = Response>,
    ) -> Response {
        // A subscription has a new budget for each event: its events are answered one after another.
        self.values.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        let error = tokio::select! {
            biased;
            () = self.exceeded.notified() => self.excess_take(),
            answer = answer => match self.excess_take() {
                None => return answer,
                error => error,
            },
            () = sleep(limits.execution) => None,
        };
        Response::from_errors(vec![error.unwrap_or_else(|| {
            let seconds = limits.execution.as_secs();
            error_with_code(
                "EXECUTION_TIMEOUT",
                format!("the operation took longer than {seconds} s and was ended"),
            )
        })])
    }

    /// Resolves a field or a list's item and counts it.
    pub(super) async fn resolve(
        &self,
        limits: &Limits,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        // Fields that never wait are resolved without a yield. Without this, such an answer could be neither stopped
        // nor dropped.
        consume_budget().await;
        let path_node = info.path_node;
        let is_leaf = info.field.selection_set.node.items.is_empty();
        let (is_int, is_list) = (
            info.return_type.starts_with("Int"),
            info.return_type.starts_with('['),
        );
        let key = info.alias.unwrap_or(info.name).len();
        let answer = Operations::resolved(context, info, next).await;
        let answer = match answer {
            Ok(Some(Value::Number(number))) if is_int && !fits_int(&number) => {
                Err(error_with_code(
                    "INT_OUT_OF_RANGE",
                    format!("{number} does not fit in an Int"),
                ))
            }
            answer => answer,
        };
        let bytes = match &answer {
            Ok(Some(value)) if is_leaf && !is_list => size(value),
            Ok(_) => SMALL_VALUE,
            Err(_) => ERROR_BYTES,
        };
        self.count(limits, bytes + key);
        answer.map_err(|mut error| {
            // async-graphql gives errors of an interface's fields an empty path.
            if error.path.is_empty() {
                let mut node = Some(path_node);
                while let Some(at) = node {
                    error.path.push(match at.segment {
                        QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
                        QueryPathSegment::Index(index) => PathSegment::Index(index),
                    });
                    node = at.parent;
                }
                error.path.reverse();
            }
            error
        })
    }

    fn count(&self, limits: &Limits, bytes: usize) {
        let values = self.values.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let message = if values > limits.answer_values {
            format!(
                "the response has more than {} values: request fewer rows or fields",
                limits.answer_values
            )
        } else if bytes > limits.answer_bytes {
            format!(
                "the response has more than {} bytes: request fewer rows or fields",
                limits.answer_bytes
            )
        } else {
            return;
        };
        if let Ok(mut excess) = self.excess.lock() {
            excess.get_or_insert_with(|| error_with_code("ANSWER_TOO_LARGE", message));
        }
        self.exceeded.notify_one();
    }

    fn excess_take(&self) -> Option<ServerError> {
        self.excess.lock().ok().and_then(|mut excess| excess.take())
    }
}

/// Whether a number fits the `Int` of the specification, which has 32 bits.
fn fits_int(number: &async_graphql::Number) -> bool {
    number
        .as_i64()
        .is_some_and(|number| i32::try_from(number).is_ok())
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + SMALL_VALUE,
        Value::List(items) => items.iter().map(size).sum::<usize>() + SMALL_VALUE,
        Value::Object(fields) => {
            fields
                .iter()
                .map(|(name, value)| name.len() + size(value))
                .sum::<usize>()
                + SMALL_VALUE
        }
        _ => SMALL_VALUE,
    }
}
