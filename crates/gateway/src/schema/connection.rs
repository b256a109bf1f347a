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

/// A cursor in its opaque form.
pub(crate) struct ListCursor(String);

impl CursorType for ListCursor {
    type Error = Infallible;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        // Cursors are read by `PageArgs`, which refuses a malformed one.
        Ok(Self(text.to_owned()))
    }

    fn encode_cursor(&self) -> String {
        self.0.clone()
    }
}

/// The name by which a list's cursors are told from others': that of its field. A test holds that no two lists share one.
fn list_name<'c>(context: &'c Context<'_>) -> &'c str {
    context.item.node.name.node.as_str()
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
    /// Checks the arguments of a field.
    pub(crate) fn request(&self, context: &Context<'_>) -> Result<PageRequest, ApiError> {
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
            after: cursor(context, self.after.as_deref())?,
            before: cursor(context, self.before.as_deref())?,
            from_end: self.last.is_some(),
        })
    }
}

/// Reads a cursor of the field's list.
pub(crate) fn cursor(
    context: &Context<'_>,
    text: Option<&str>,
) -> Result<Option<Cursor>, ApiError> {
    let Some(text) = text else {
        return Ok(None);
    };
    match Cursor::decode(list_name(context), text) {
        Some(cursor) => Ok(Some(cursor)),
        None => Err(invalid_cursor()),
    }
}

pub(crate) fn invalid_cursor() -> ApiError {
    ApiError {
        code: "INVALID_CURSOR",
        message: "not a cursor of this list".into(),
    }
}

/// The connection of a page of the field's list.
pub(crate) fn list<T, N: OutputType>(
    context: &Context<'_>,
    page: Page<T>,
    total: Total,
    node: impl Fn(T) -> N,
) -> List<N> {
    let name = list_name(context);
    let mut list = Connection::with_additional_fields(page.has_previous, page.has_next, total);
    list.edges.extend(
        page.items
            .into_iter()
            .map(|(cursor, item)| Edge::new(ListCursor(cursor.encode(name)), node(item))),
    );
    list
}
