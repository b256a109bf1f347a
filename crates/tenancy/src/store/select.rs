//! Reads within a scope: a select that can only be narrowed.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use sea_orm::sea_query::{self, Asterisk, Expr, ExprTrait, IntoCondition, Order, WindowStatement};
use sea_orm::{
    ColumnTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, IdenStatic, IntoSimpleExpr,
    Iterable, ModelTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
    TryGetable, TryGetableMany, Value,
};

use super::lone::Runner;
use super::pages::{each_page, ranked_up_to};
use super::select_in::{VALUES_PER_STATEMENT, conditions_in};
use super::volume::ReadVolume;
use super::{TenantScoped, times};
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, PageRequest};

/// The unique column that orders a list and continues it.
#[derive(Debug, Clone, Copy)]
pub struct Keyset<C> {
    column: C,
    order_descending: bool,
}

impl<C> Keyset<C> {
    /// Smallest first.
    pub fn ascending(column: C) -> Self {
        Self {
            column,
            order_descending: false,
        }
    }

    /// Largest first: with an id, the newest.
    pub fn descending(column: C) -> Self {
        Self {
            column,
            order_descending: true,
        }
    }

    /// The order in which a page's rows are read: reversed if the request counts from the end.
    fn order(&self, request: &PageRequest) -> Order {
        if self.order_descending == request.from_end {
            Order::Asc
        } else {
            Order::Desc
        }
    }
}

/// A select on a tenant's rows. Every filter is ANDed to the tenant's.
#[must_use = "a select does nothing until it is run"]
pub struct ScopedSelect<'s, E: TenantScoped> {
    select: Select<E>,
    runner: Runner<'s>,
    volume: &'s ReadVolume,
    /// The maximum number of rows, if it is known.
    most: Option<u64>,
    is_ordered: bool,
}

impl<'s, E: TenantScoped> ScopedSelect<'s, E>
where
    E::Model: FromQueryResult + Send + Sync,
{
    pub(super) fn new(select: Select<E>, runner: Runner<'s>, volume: &'s ReadVolume) -> Self {
        Self {
            select,
            runner,
            volume,
            most: None,
            is_ordered: false,
        }
    }

    /// Only rows that also meet this.
    pub fn filter(mut self, condition: impl IntoCondition) -> Self {
        self.select = self.select.filter(condition.into_condition());
        self
    }

    /// Smallest first.
    pub fn order_by_asc(mut self, column: impl IntoSimpleExpr) -> Self {
        self.is_ordered = true;
        self.select = self.select.order_by_asc(column);
        self
    }

    /// Largest first.
    pub fn order_by_desc(mut self, column: impl IntoSimpleExpr) -> Self {
        self.is_ordered = true;
        self.select = self.select.order_by_desc(column);
        self
    }

    /// No more rows than this.
    pub fn limit(mut self, rows: u64) -> Self {
        self.select = self.select.limit(rows);
        self.most = Some(rows);
        self
    }

    /// Declares that there are no more rows than this.
    pub(super) fn has_at_most(mut self, rows: u64) -> Self {
        self.most = Some(rows);
        self
    }

    /// All the rows.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn all(self) -> Result<Vec<E::Model>> {
        if self.is_ordered {
            // An order by several columns or by an expression is lost in the statement that measures the size.
            return rows_read(self.runner, &self.select, Some(self.volume)).await;
        }
        let select = self.select.into_query();
        let rows = self
            .volume
            .rows::<E>(self.runner, select, None, self.most)
            .await?;
        models(&rows)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn one(self) -> Result<Option<E::Model>> {
        let rows = rows_read(self.runner, &self.select.limit(1), Some(self.volume)).await?;
        Ok(rows.into_iter().next())
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn count(self) -> Result<u64> {
        let count = Expr::col(Asterisk).count().cast_as("bigint");
        let select = self.select.select_only().column_as(count, "number");
        let statement = times::built(self.runner.backend(), &select);
        let rows = self.runner.select(statement).await?;
        let row = rows.first();
        let number: Option<i64> = row.map(|row| row.try_get("", "number")).transpose()?;
        Ok(number
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or(0))
    }

    /// Some columns of all rows, as one tuple per row.
    ///
    /// # Errors
    /// The database refuses, or a column is of another type.
    pub async fn columns<T: TryGetableMany + Send + Sync>(
        self,
        columns: impl IntoIterator<Item = E::Column>,
    ) -> Result<Vec<T>> {
        let select = self.select.select_only().columns(columns);
        let statement = times::built(self.runner.backend(), &select);
        let rows = self.runner.select(statement).await?;
        self.volume.add(&rows)?;
        rows.iter()
            .map(|row| T::try_get_many_by_index(row).map_err(|error| DbErr::from(error).into()))
            .collect()
    }

    /// One page of the rows, in the order of a unique column.
    ///
    /// # Errors
    /// The database refuses; [`Error::InvalidCursor`] if a cursor has another type than the column.
    pub async fn page(
        self,
        keyset: Keyset<E::Column>,
        request: &PageRequest,
    ) -> Result<Page<E::Model>> {
        let select = within(self.select, keyset, request)?;
        // One row more than requested shows whether others follow.
        let select = select
            .order_by(keyset.column, keyset.order(request))
            .limit(request.limit + 1);
        let order = (keyset.column, keyset.order(request));
        let most = Some(request.limit + 1);
        let select = select.into_query();
        let rows = match request.omits_texts {
            true => self.volume.unmeasured(self.runner, &select).await?,
            false => {
                let rows = self
                    .volume
                    .rows::<E>(self.runner, select, Some(order), most);
                rows.await?
            }
        };
        Ok(page_of::<E>(models(&rows)?, keyset, request))
    }

    /// The same page of the rows of each of many parents, with one statement for thousands of them. `parent` is the
    /// column that refers to the parent. A parent without rows is not in the map. PostgreSQL reads each page by its
    /// index and stops at its end; SQLite has no lateral joins, and numbers all rows of the parents.
    ///
    /// # Errors
    /// As [`ScopedSelect::page`].
    pub async fn pages_by<K: ParentKey>(
        self,
        parent: E::Column,
        parents: &[K],
        keyset: Keyset<E::Column>,
        request: &PageRequest,
    ) -> Result<HashMap<K, Page<E::Model>>> {
        // A limit stops at the end of the page on SQLite too.
        if let [only] = parents {
            let page = self.filter(parent.eq(*only)).page(keyset, request).await?;
            let rows = (!page.items.is_empty()).then_some((*only, page));
            return Ok(rows.into_iter().collect());
        }
        let select = within(self.select, keyset, request)?;
        let order = keyset.order(request);
        let most = request.limit + 1;
        let mut groups: HashMap<K, Vec<E::Model>> = HashMap::new();
        let parents: Vec<K> = Vec::from_iter(HashSet::<K>::from_iter(parents.iter().copied()));
        for some in parents.chunks(VALUES_PER_STATEMENT) {
            let mut pages = match self.runner.backend() {
                DbBackend::Postgres => {
                    let page = select.clone().order_by(keyset.column, order.clone());
                    each_page(page.limit(most), parent, some)?
                }
                _ => {
                    let mut window = WindowStatement::partition_by(parent.as_column_ref());
                    window.order_by(keyset.column.as_column_ref(), order.clone());
                    let rows = select.clone().filter(parent.is_in(some.iter().copied()));
                    ranked_up_to(rows, window, most)
                }
            };
            pages.order_by(keyset.column, order.clone());
            let order = Some((keyset.column, order.clone()));
            let rows = match request.omits_texts {
                true => self.volume.unmeasured(self.runner, &pages).await?,
                false => {
                    let rows = self.volume.rows::<E>(self.runner, pages, order, None);
                    rows.await?
                }
            };
            for row in rows {
                let model = E::Model::from_query_result(&row, "")?;
                groups
                    .entry(key_of::<E, K>(&model, parent)?)
                    .or_default()
                    .push(model);
            }
        }
        let pages = groups.into_iter();
        Ok(pages
            .map(|(key, rows)| (key, page_of::<E>(rows, keyset, request)))
            .collect())
    }

    /// How many rows each of many parents has. A parent without rows is not in the map.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn counts_by<K: ParentKey>(
        self,
        parent: E::Column,
        parents: &[K],
    ) -> Result<HashMap<K, u64>> {
        let count = Expr::col(Asterisk).count().cast_as("bigint");
        let select = self.select.select_only().column(parent);
        let select = select.column_as(count, "number").group_by(parent);
        let mut counts = HashMap::new();
        for some in conditions_in(parent, parents.iter().copied()) {
            let counted = select.clone().filter(some);
            let statement = times::built(self.runner.backend(), &counted);
            for row in self.runner.select(statement).await? {
                let number: i64 = row.try_get_by_index(1)?;
                counts.insert(row.try_get_by_index(0)?, u64::try_from(number).unwrap_or(0));
            }
        }
        Ok(counts)
    }
}

/// A value that refers to a parent: its id, as a column stores it.
pub trait ParentKey:
    Copy + Eq + Hash + Into<Value> + TryGetable + sea_query::ValueType + Send + Sync + 'static
{
}

impl<K> ParentKey for K where
    K: Copy + Eq + Hash + Into<Value> + TryGetable + sea_query::ValueType + Send + Sync + 'static
{
}

/// The same rows, with empty texts in the large columns.
fn without_texts<E: TenantScoped>(select: Select<E>) -> Select<E> {
    let large = E::large_columns().iter().map(IdenStatic::as_str);
    let large: Vec<&str> = large.collect();
    let columns = E::Column::iter();
    columns.fold(select.select_only(), |select, column| {
        match large.contains(&column.as_str()) {
            true => select.column_as(Expr::cust("''"), column.as_str()),
            false => select.column(column),
        }
    })
}

/// The rows within the cursors of a request.
fn within<E: TenantScoped>(
    mut select: Select<E>,
    keyset: Keyset<E::Column>,
    request: &PageRequest,
) -> Result<Select<E>> {
    if request.omits_texts && !E::large_columns().is_empty() {
        select = without_texts(select);
    }
    let Keyset {
        column,
        order_descending,
    } = keyset;
    let definition = column.def();
    let mut cursors = request.after.iter().chain(&request.before);
    if !cursors.all(|cursor| cursor.fits(definition.get_column_type())) {
        return Err(Error::InvalidCursor);
    }
    if let Some(after) = &request.after {
        let value = after.value();
        select = select.filter(if order_descending {
            column.lt(value)
        } else {
            column.gt(value)
        });
    }
    if let Some(before) = &request.before {
        let value = before.value();
        select = select.filter(if order_descending {
            column.gt(value)
        } else {
            column.lt(value)
        });
    }
    Ok(select)
}

/// The page of the rows that were read in [`Keyset::order`]. There is one row more than requested if others follow.
fn page_of<E: EntityTrait>(
    mut rows: Vec<E::Model>,
    keyset: Keyset<E::Column>,
    request: &PageRequest,
) -> Page<E::Model> {
    let more = rows.len() as u64 > request.limit;
    rows.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
    if request.from_end {
        rows.reverse();
    }
    let items = rows
        .into_iter()
        .map(|row| (cursor_of::<E>(&row, keyset.column), row))
        .collect();
    Page::new(items, more, request)
}

fn key_of<E: EntityTrait, K: ParentKey>(row: &E::Model, column: E::Column) -> Result<K> {
    <K as sea_query::ValueType>::try_from(row.get(column))
        .map_err(|_| DbErr::Type(format!("a parent is no {}", K::type_name())).into())
}

/// The rows of a select. Its times are bound in a form that both databases compare alike.
pub(super) async fn rows_read<E: EntityTrait>(
    runner: Runner<'_>,
    select: &Select<E>,
    volume: Option<&ReadVolume>,
) -> Result<Vec<E::Model>> {
    let statement = times::built(runner.backend(), select);
    let rows = runner.select(statement).await?;
    if let Some(volume) = volume {
        volume.add(&rows)?;
    }
    models(&rows)
}

fn models<M: FromQueryResult>(rows: &[QueryResult]) -> Result<Vec<M>> {
    rows.iter()
        .map(|row| M::from_query_result(row, "").map_err(Into::into))
        .collect()
}

fn cursor_of<E: EntityTrait>(row: &E::Model, column: E::Column) -> Cursor {
    match row.get(column) {
        sea_orm::Value::Uuid(Some(id)) => Cursor::Id(id),
        sea_orm::Value::BigInt(Some(n)) => Cursor::Position(n),
        sea_orm::Value::String(Some(text)) => Cursor::Text(text),
        // A keyset column is an id, a position or a text. Another type is a mistake that the first test of the list
        // shows.
        other => Cursor::Text(format!("{other:?}")),
    }
}
