//! Reading within a scope: a select that can only be narrowed.

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, IntoCondition, Order};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    FromQueryResult, IntoSimpleExpr, ModelTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    TryGetableMany, Value,
};

use super::{TenantScoped, times};
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, PageRequest};

/// The unique column that a list is ordered and continued by.
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
}

/// Values of one column in one statement: with room for filters below the binds that both databases take (SQLite 32,766,
/// PostgreSQL 65,535).
const VALUES_PER_STATEMENT: usize = 5_000;

/// Conditions that a column has one of the values, each for one statement: none where there is no value.
pub(super) fn conditions_in<C: ColumnTrait, V: Into<Value>>(
    column: C,
    values: impl IntoIterator<Item = V>,
) -> impl Iterator<Item = Condition> {
    let mut values = values.into_iter();
    let chunks = std::iter::from_fn(move || {
        let some: Vec<Value> = values
            .by_ref()
            .take(VALUES_PER_STATEMENT)
            .map(Into::into)
            .collect();
        (!some.is_empty()).then_some(some)
    });
    chunks.map(move |some| column.is_in(some).into_condition())
}

/// A select on those of a tenant's rows whose column has one of many values: as many statements as the databases' limits need. The rows
/// are in order within those of one value.
#[must_use = "a select does nothing until it is run"]
pub struct ScopedSelectIn<'s, E: TenantScoped>(Vec<ScopedSelect<'s, E>>);

impl<'s, E: TenantScoped> ScopedSelectIn<'s, E>
where
    E::Model: FromQueryResult + Send + Sync,
{
    pub(super) fn new(selects: Vec<ScopedSelect<'s, E>>) -> Self {
        Self(selects)
    }

    /// Only rows that also meet this.
    pub fn filter(self, condition: impl IntoCondition) -> Self {
        let condition = condition.into_condition();
        self.each(|select| select.filter(condition.clone()))
    }

    /// Smallest first, within the rows of one value.
    pub fn order_by_asc(self, column: E::Column) -> Self {
        self.each(|select| select.order_by_asc(column))
    }

    /// All the rows.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn all(self) -> Result<Vec<E::Model>> {
        let mut rows = Vec::new();
        for select in self.0 {
            rows.append(&mut select.all().await?);
        }
        Ok(rows)
    }

    /// Some columns of all the rows, as a tuple a row.
    ///
    /// # Errors
    /// The database refuses, or a column is of another type.
    pub async fn columns<T: TryGetableMany + Send + Sync>(
        self,
        columns: impl IntoIterator<Item = E::Column> + Clone,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        for select in self.0 {
            rows.append(&mut select.columns(columns.clone()).await?);
        }
        Ok(rows)
    }

    fn each(self, change: impl FnMut(ScopedSelect<'s, E>) -> ScopedSelect<'s, E>) -> Self {
        Self(self.0.into_iter().map(change).collect())
    }
}

/// A select on a tenant's rows. Every filter is ANDed to the tenant's.
#[must_use = "a select does nothing until it is run"]
pub struct ScopedSelect<'s, E: TenantScoped> {
    select: Select<E>,
    tx: &'s DatabaseTransaction,
}

impl<'s, E: TenantScoped> ScopedSelect<'s, E>
where
    E::Model: FromQueryResult + Send + Sync,
{
    pub(super) fn new(select: Select<E>, tx: &'s DatabaseTransaction) -> Self {
        Self { select, tx }
    }

    /// Only rows that also meet this.
    pub fn filter(mut self, condition: impl IntoCondition) -> Self {
        self.select = self.select.filter(condition.into_condition());
        self
    }

    /// Smallest first.
    pub fn order_by_asc(mut self, column: impl IntoSimpleExpr) -> Self {
        self.select = self.select.order_by_asc(column);
        self
    }

    /// Largest first.
    pub fn order_by_desc(mut self, column: impl IntoSimpleExpr) -> Self {
        self.select = self.select.order_by_desc(column);
        self
    }

    /// No more rows than this.
    pub fn limit(mut self, rows: u64) -> Self {
        self.select = self.select.limit(rows);
        self
    }

    /// All the rows.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn all(self) -> Result<Vec<E::Model>> {
        rows_read(self.tx, &self.select).await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn one(self) -> Result<Option<E::Model>> {
        let rows = rows_read(self.tx, &self.select.limit(1)).await?;
        Ok(rows.into_iter().next())
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn count(self) -> Result<u64> {
        let count = Expr::col(Asterisk).count().cast_as("bigint");
        let select = self.select.select_only().column_as(count, "number");
        let row = self
            .tx
            .query_one_raw(times::built(self.tx.get_database_backend(), &select))
            .await?;
        let number: Option<i64> = row.map(|row| row.try_get("", "number")).transpose()?;
        Ok(number
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or(0))
    }

    /// Some columns of all the rows, as a tuple a row.
    ///
    /// # Errors
    /// The database refuses, or a column is of another type.
    pub async fn columns<T: TryGetableMany + Send + Sync>(
        self,
        columns: impl IntoIterator<Item = E::Column>,
    ) -> Result<Vec<T>> {
        let select = self.select.select_only().columns(columns);
        let statement = times::built(self.tx.get_database_backend(), &select);
        let rows = self.tx.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| T::try_get_many_by_index(row).map_err(|error| DbErr::from(error).into()))
            .collect()
    }

    /// One page of the rows, in the order of a unique column.
    ///
    /// # Errors
    /// The database refuses; [`Error::InvalidCursor`] where a cursor is of another type than the column.
    pub async fn page(
        self,
        keyset: Keyset<E::Column>,
        request: &PageRequest,
    ) -> Result<Page<E::Model>> {
        let Keyset {
            column,
            order_descending,
        } = keyset;
        let cursors = request.after.iter().chain(&request.before);
        let definition = column.def();
        if !cursors
            .into_iter()
            .all(|cursor| cursor.fits(definition.get_column_type()))
        {
            return Err(Error::InvalidCursor);
        }
        let mut select = self.select;
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
        let order = if order_descending == request.from_end {
            Order::Asc
        } else {
            Order::Desc
        };
        // One row more than asked for tells whether others follow.
        let select = select.order_by(column, order).limit(request.limit + 1);
        let mut rows = rows_read(self.tx, &select).await?;
        let more = rows.len() as u64 > request.limit;
        rows.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
        if request.from_end {
            rows.reverse();
        }
        let items = rows
            .into_iter()
            .map(|row| (cursor_of::<E>(&row, column), row))
            .collect();
        let (has_next, has_previous) = if request.from_end {
            (request.before.is_some(), more)
        } else {
            (more, request.after.is_some())
        };
        Ok(Page {
            items,
            has_next,
            has_previous,
        })
    }
}

/// The rows of a select, whose times are bound as both databases compare them.
pub(super) async fn rows_read<E: EntityTrait>(
    tx: &DatabaseTransaction,
    select: &Select<E>,
) -> Result<Vec<E::Model>> {
    let statement = times::built(tx.get_database_backend(), select);
    let rows = tx.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| E::Model::from_query_result(row, "").map_err(Into::into))
        .collect()
}

fn cursor_of<E: EntityTrait>(row: &E::Model, column: E::Column) -> Cursor {
    match row.get(column) {
        sea_orm::Value::Uuid(Some(id)) => Cursor::Id(id),
        sea_orm::Value::BigInt(Some(n)) => Cursor::Position(n),
        sea_orm::Value::String(Some(text)) => Cursor::Text(text),
        // A keyset column is an id, a position or a text: another type is a mistake that the first test of the list shows.
        other => Cursor::Text(format!("{other:?}")),
    }
}
