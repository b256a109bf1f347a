//! Limits how much one operation of a client may read. Without a limit, a page with large texts costs memory that no
//! limit of the response counts, because the response may omit the texts.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sea_orm::sea_query::{
    Asterisk, Expr, ExprTrait, Func, Order, Query, SelectStatement, WindowStatement,
};
use sea_orm::{IdenStatic, QueryResult, Statement};
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use super::lone::Runner;
use super::{Pace, TenantScoped, times};
use crate::error::{Error, Result};

/// The maximum size in bytes of the rows of one client operation: twice the gateway's largest response, which is 16
/// MiB.
pub(super) const CLIENT_READ_MAX: usize = 32 * 1024 * 1024;

/// The number of rows with large texts that are read without measuring their size first: 32 of the largest notes
/// (200,000 characters of up to 4 bytes) have 25 MiB.
const UNMEASURED_ROWS: u64 = 32;
/// Names within a bounded statement.
const ROWS: &str = "rows_of_a_read";
const MEASURED: &str = "measured";
const BYTES: &str = "bytes_in_all";

/// The bytes that a scope has read.
#[derive(Debug)]
pub(super) struct ReadVolume {
    read: AtomicUsize,
    most: usize,
}

impl ReadVolume {
    /// The counter for a kind of work. Background work reads whole repositories, and is not limited.
    pub(super) fn of(pace: Pace) -> Self {
        Self {
            read: AtomicUsize::new(0),
            most: match pace {
                Pace::Client => CLIENT_READ_MAX,
                Pace::Background => usize::MAX,
            },
        }
    }

    /// Reads rows in the order of one column, at most `most` if that is known. If they could exceed the operation's
    /// limit, the database sums the sizes of their large columns in the same statement, and returns no row above the
    /// limit.
    ///
    /// # Errors
    /// [`Error::ReadTooLarge`] if the operation would exceed its limit; the database refuses.
    pub(super) async fn rows<E: TenantScoped>(
        &self,
        runner: Runner<'_>,
        select: SelectStatement,
        order: Option<(E::Column, Order)>,
        most: Option<u64>,
    ) -> Result<Vec<QueryResult>> {
        let is_small = most.is_some_and(|rows| rows <= UNMEASURED_ROWS);
        if self.most == usize::MAX || is_small || E::large_columns().is_empty() {
            return self.unmeasured(runner, &select).await;
        }
        let measured = measured::<E>(select);
        let left = self.most.saturating_sub(self.read.load(Relaxed));
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        let mut bounded = Query::select();
        bounded
            .column(Asterisk)
            .from_subquery(measured.clone(), MEASURED)
            .and_where(Expr::col(BYTES).lte(left));
        if let Some((column, order)) = order {
            bounded.order_by(column, order);
        }
        let rows = runner.select(built(runner, &bounded)).await?;
        if rows.is_empty() {
            // Either there are no rows, or together they are too large.
            let one = Query::select()
                .column(BYTES)
                .from_subquery(measured, MEASURED)
                .limit(1)
                .take();
            if !runner.select(built(runner, &one)).await?.is_empty() {
                return Err(Error::ReadTooLarge);
            }
        }
        self.add(&rows)?;
        Ok(rows)
    }

    /// Reads rows without large texts.
    ///
    /// # Errors
    /// As [`ReadVolume::rows`].
    pub(super) async fn unmeasured(
        &self,
        runner: Runner<'_>,
        select: &SelectStatement,
    ) -> Result<Vec<QueryResult>> {
        let rows = runner.select(built(runner, select)).await?;
        self.add(&rows)?;
        Ok(rows)
    }

    /// Adds the size of rows that were read.
    ///
    /// # Errors
    /// [`Error::ReadTooLarge`] if the operation has exceeded its limit.
    pub(super) fn add(&self, rows: &[QueryResult]) -> Result<()> {
        if self.most == usize::MAX {
            return Ok(());
        }
        let bytes: usize = rows.iter().map(row_bytes).sum();
        let read = self.read.fetch_add(bytes, Relaxed);
        if read.saturating_add(bytes) > self.most {
            return Err(Error::ReadTooLarge);
        }
        Ok(())
    }
}

/// The rows of a select, each with the total size in bytes of the large columns of all rows. Both databases know the
/// size of a text without reading it.
fn measured<E: TenantScoped>(select: SelectStatement) -> SelectStatement {
    let sizes = E::large_columns().iter().map(|column| {
        let size: Expr = Func::cust("octet_length")
            .arg(Expr::col(column.as_str()))
            .into();
        Expr::from(Func::coalesce([size, Expr::val(0)]))
    });
    let size = sizes.reduce(ExprTrait::add).unwrap_or_else(|| Expr::val(0));
    Query::select()
        .column(Asterisk)
        .expr_window_as(Func::sum(size), WindowStatement::new(), BYTES)
        .from_subquery(select, ROWS)
        .take()
}

fn built(runner: Runner<'_>, select: &SelectStatement) -> Statement {
    times::bound_values(runner.backend().build(select))
}

/// The size in bytes of the texts and binary values of a row, as the driver holds them.
fn row_bytes(row: &QueryResult) -> usize {
    if let Some(row) = row.try_as_pg_row() {
        let values = (0..row.len()).filter_map(|column| row.try_get_raw(column).ok());
        return values
            .filter_map(|value| value.as_bytes().ok().map(<[u8]>::len))
            .sum();
    }
    let Some(row) = row.try_as_sqlite_row() else {
        return 0;
    };
    let long = |column: &usize| {
        row.try_get_raw(*column).is_ok_and(|value| {
            let kind = value.type_info();
            !value.is_null() && matches!(kind.name(), "TEXT" | "BLOB")
        })
    };
    (0..row.len())
        .filter(long)
        .filter_map(|column| row.try_get_unchecked::<&[u8], _>(column).ok())
        .map(<[u8]>::len)
        .sum()
}
