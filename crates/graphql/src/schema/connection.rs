//! Relay connections over the store's pages: opaque cursors, and a total that is counted only when requested.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::connection::{Connection, CursorType, Edge};
use async_graphql::{Context, Object, OutputType, Result};
use futures::future::BoxFuture;
use nyxcore_tenancy::{ChildList, Cursor, PAGE_MAX, Page, PageRequest, RootList};

use crate::context::{Operation, operation};
use crate::error::ApiError;
use crate::loaders::PageKey;
use crate::one_read::omits_texts;

/// The default page size, in rows.
const PAGE_DEFAULT: u64 = 50;

/// A cursor in its opaque form.
pub(crate) struct ListCursor(String);

impl CursorType for ListCursor {
    type Error = Infallible;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        // `PageArgs` parses the cursor, and refuses a malformed one.
        Ok(Self(text.to_owned()))
    }

    fn encode_cursor(&self) -> String {
        self.0.clone()
    }
}

/// The name of a list, which its cursors contain: the name of its field. A list of a root type has the root before it.
/// A test checks that no two lists share a name.
fn list_name<'c>(context: &'c Context<'_>) -> Cow<'c, str> {
    let field = context.item.node.name.node.as_str();
    let path = context.path_node.as_ref();
    match path.is_some_and(|path| path.parent.is_some()) {
        true => field.into(),
        false => format!("Query.{field}").into(),
    }
}

type Count = Arc<dyn for<'a> Fn(&'a Operation) -> BoxFuture<'a, Result<u64>> + Send + Sync>;

/// Counts the rows of a connection on request.
pub(crate) struct Total(Count);

impl Total {
    /// Counts with a separate statement.
    pub(crate) fn of_root<L: RootList>(list: L) -> Self {
        Self(Arc::new(move |operation| {
            let list = list.clone();
            Box::pin(async move {
                let scoped = operation.read().await?;
                Ok(list.count(&scoped).await?)
            })
        }))
    }

    /// Counts together with the lists of the other parents.
    pub(crate) fn of_child<L: ChildList>(list: L, parent: L::Parent) -> Self {
        Self(Arc::new(move |operation| {
            let key = (list.clone(), parent);
            let counts = operation.loaders().child_counts();
            Box::pin(async move { Ok(counts.load_one(key).await?.unwrap_or(0)) })
        }))
    }
}

#[Object]
impl Total {
    /// The total number of items. It is counted only when requested.
    async fn total_count(&self, context: &Context<'_>) -> Result<u64> {
        (self.0)(operation(context)).await
    }
}

/// A connection of nodes.
pub(crate) type List<N> = Connection<ListCursor, N, Total>;

/// The Relay arguments as received.
pub(crate) struct PageArgs {
    pub after: Option<String>,
    pub before: Option<String>,
    pub first: Option<i32>,
    pub last: Option<i32>,
}

impl PageArgs {
    /// The parameters are in the order of the specification: <https://relay.dev/graphql/connections.htm#sec-Arguments>.
    pub(crate) fn new(
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Self {
        Self {
            after,
            before,
            first,
            last,
        }
    }

    /// Validates the arguments of a field.
    pub(crate) fn request(&self, context: &Context<'_>) -> Result<PageRequest, ApiError> {
        let limit = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("give `first` or `last`, not both"));
            }
            (Some(n), None) | (None, Some(n)) => u64::try_from(n)
                .map_err(|_| ApiError::invalid("`first` and `last` must not be negative"))?,
            (None, None) => PAGE_DEFAULT,
        };
        if limit > PAGE_MAX {
            return Err(ApiError::invalid(format!(
                "`first` and `last` must be at most {PAGE_MAX}"
            )));
        }
        Ok(PageRequest {
            limit,
            after: cursor(context, self.after.as_deref())?,
            before: cursor(context, self.before.as_deref())?,
            from_end: self.last.is_some(),
            omits_texts: false,
        })
    }
}

/// Returns one parent's page of a child list. The pages of all parents in the response are read together.
pub(crate) async fn child_page<L: ChildList>(
    context: &Context<'_>,
    list: L,
    parent: L::Parent,
    request: PageRequest,
) -> Result<Page<L::Item>> {
    let empty = Page::empty(&request);
    let key = PageKey {
        list,
        parent,
        request,
    };
    let pages = operation(context).loaders().child_pages();
    Ok(pages.load_one(key).await?.unwrap_or(empty))
}

/// The page of a list that returns connections of these nodes. Large texts that are not selected are left out.
fn list_request<N: OutputType>(
    context: &Context<'_>,
    args: &PageArgs,
) -> Result<PageRequest, ApiError> {
    Ok(PageRequest {
        omits_texts: omits_texts(context, &List::<N>::type_name()),
        ..args.request(context)?
    })
}

/// Returns the connection of a child list.
pub(crate) async fn child_list<L: ChildList, N: OutputType>(
    context: &Context<'_>,
    child: L,
    parent: L::Parent,
    args: PageArgs,
    node: impl Fn(L::Item) -> N,
) -> Result<List<N>> {
    let request = list_request::<N>(context, &args)?;
    let page = child_page(context, child.clone(), parent, request).await?;
    Ok(list(context, page, Total::of_child(child, parent), node))
}

/// Returns the connection of a list without a parent.
pub(crate) async fn root_list<L: RootList, N: OutputType>(
    context: &Context<'_>,
    root: L,
    args: PageArgs,
    node: impl Fn(L::Item) -> N,
) -> Result<List<N>> {
    let request = list_request::<N>(context, &args)?;
    operation(context).expect_one_read(context);
    let scoped = operation(context).read().await?;
    let page = root.page(&scoped, &request).await?;
    Ok(list(context, page, Total::of_root(root), node))
}

/// Returns the first rows of a child list whose field has only `first`.
///
/// # Errors
/// `first` is negative.
pub(crate) async fn child_first<L: ChildList>(
    context: &Context<'_>,
    list: L,
    parent: L::Parent,
    first: i64,
    after: Option<Cursor>,
    most: u64,
) -> Result<Vec<L::Item>> {
    let first =
        u64::try_from(first).map_err(|_| ApiError::invalid("`first` must not be negative"))?;
    let request = PageRequest {
        limit: first.min(most),
        after,
        before: None,
        from_end: false,
        omits_texts: false,
    };
    Ok(child_page(context, list, parent, request)
        .await?
        .into_items())
}

/// Parses a cursor of the field's list.
pub(crate) fn cursor(
    context: &Context<'_>,
    text: Option<&str>,
) -> Result<Option<Cursor>, ApiError> {
    let Some(text) = text else {
        return Ok(None);
    };
    match Cursor::decode(&list_name(context), text) {
        Some(cursor) => Ok(Some(cursor)),
        None => Err(invalid_cursor()),
    }
}

pub(crate) fn invalid_cursor() -> ApiError {
    ApiError {
        code: "INVALID_CURSOR",
        message: "the cursor does not belong to this list".into(),
    }
}

/// Returns the connection for a page of the field's list.
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
            .map(|(cursor, item)| Edge::new(ListCursor(cursor.encode(&name)), node(item))),
    );
    list
}
