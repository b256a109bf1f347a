//! Relay connections over the store's pages: opaque cursors, and a total that is counted only when it is asked for.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::connection::{Connection, CursorType, Edge};
use async_graphql::{Context, Object, OutputType, Result};
use futures::future::BoxFuture;
use nyxcore_tenancy::{Cursor, PAGE_MAX, Page, PageRequest, ReadOnly, Scoped};

use crate::context::operation;
use crate::error::ApiError;

/// Rows a page has where nobody says how many.
const PAGE_DEFAULT: u64 = 50;

/// A list's cursor in its opaque form.
pub(crate) struct ListCursor(Cursor);

impl CursorType for ListCursor {
    type Error = Infallible;

    fn decode_cursor(_: &str) -> Result<Self, Self::Error> {
        // Cursors are read by `PageArgs`, which can say that one is malformed.
        Ok(Self(Cursor::Position(0)))
    }

    fn encode_cursor(&self) -> String {
        self.0.encode()
    }
}

type Count = Arc<
    dyn for<'a> Fn(&'a Scoped<ReadOnly>) -> BoxFuture<'a, nyxcore_tenancy::Result<u64>>
        + Send
        + Sync,
>;

/// The part of a connection that counts.
pub(crate) struct Total(Count);

impl Total {
    pub(crate) fn new<F>(count: F) -> Self
    where
        F: for<'a> Fn(&'a Scoped<ReadOnly>) -> BoxFuture<'a, nyxcore_tenancy::Result<u64>>
            + Send
            + Sync
            + 'static,
    {
        Self(Arc::new(count))
    }
}

#[Object]
impl Total {
    /// How many there are in all. Counted when it is asked for, and not otherwise.
    async fn total_count(&self, context: &Context<'_>) -> Result<u64> {
        let scoped = operation(context).read().await?;
        Ok((self.0)(&scoped).await?)
    }
}

/// A connection of nodes.
pub(crate) type List<N> = Connection<ListCursor, N, Total>;

/// The Relay arguments as they came.
pub(crate) struct PageArgs {
    pub after: Option<String>,
    pub before: Option<String>,
    pub first: Option<i32>,
    pub last: Option<i32>,
}

impl PageArgs {
    /// Checks the arguments.
    pub(crate) fn request(&self) -> Result<PageRequest, ApiError> {
        let limit = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("give `first` or `last`, not both"));
            }
            (Some(n), None) | (None, Some(n)) => u64::try_from(n)
                .map_err(|_| ApiError::invalid("`first` and `last` are not negative"))?,
            (None, None) => PAGE_DEFAULT,
        };
        if limit > PAGE_MAX {
            return Err(ApiError::invalid(format!(
                "a page has at most {PAGE_MAX} rows"
            )));
        }
        Ok(PageRequest {
            limit,
            after: cursor(self.after.as_deref())?,
            before: cursor(self.before.as_deref())?,
            from_end: self.last.is_some(),
        })
    }
}

fn cursor(text: Option<&str>) -> Result<Option<Cursor>, ApiError> {
    let Some(text) = text else {
        return Ok(None);
    };
    match Cursor::decode(text) {
        Some(cursor) => Ok(Some(cursor)),
        None => Err(ApiError {
            code: "INVALID_CURSOR",
            message: "not a cursor of this list".into(),
        }),
    }
}

/// What a page of nodes costs by the rule of complexity: one for the list, and its children as often as there may be rows.
pub(crate) fn page_cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let rows = first.or(last).and_then(|n| usize::try_from(n).ok());
    // Half of what is asked for: lists are rarely full, and a page of 50 with ten fields each is everyday work.
    1 + child * rows.unwrap_or(50).min(200).div_ceil(2)
}

/// The connection of a page.
pub(crate) fn list<T, N: OutputType>(
    page: Page<T>,
    total: Total,
    node: impl Fn(T) -> N,
) -> List<N> {
    let mut list = Connection::with_additional_fields(page.has_previous, page.has_next, total);
    list.edges.extend(
        page.items
            .into_iter()
            .map(|(cursor, item)| Edge::new(ListCursor(cursor), node(item))),
    );
    list
}
