//! Reads by many values of a column, in as many statements as the databases' limits need.

use sea_orm::sea_query::IntoCondition;
use sea_orm::{ColumnTrait, Condition, FromQueryResult, TryGetableMany, Value};

use super::TenantScoped;
use super::select::ScopedSelect;
use crate::error::Result;

/// The number of values of one column in one statement: below both databases' limits (SQLite 32,766 binds, PostgreSQL
/// 65,535), with room for filters.
pub(super) const VALUES_PER_STATEMENT: usize = 5_000;

/// Conditions that a column has one of the values, each for one statement: empty if there is no value.
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

/// A select on the tenant's rows whose column has one of many values, in as many statements as the databases' limits
/// need. The order applies only within the rows of one value.
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

    /// Declares that the column is unique, so that there are at most this many rows.
    pub(crate) fn of_unique(self, values: usize) -> Self {
        self.each(|select| select.has_at_most(values as u64))
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

    /// Some columns of all rows, as one tuple per row.
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
