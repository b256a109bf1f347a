//! How much one operation of a client may read: without a bound, a page whose rows hold large texts costs memory that
//! no limit of the answer counts, since the answer may leave the texts out.

use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::QueryResult;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use super::Pace;
use crate::error::{Error, Result};

/// Bytes that the rows of one client's operation may hold: twice the largest answer of the gateway, which is 16 MiB.
pub(super) const CLIENT_READ_MAX: usize = 32 * 1024 * 1024;

/// The bytes that a scope has read.
#[derive(Debug)]
pub(super) struct ReadVolume {
    read: AtomicUsize,
    most: usize,
}

impl ReadVolume {
    /// Work that nobody waits for reads whole repositories, and is not bounded.
    pub(super) fn of(pace: Pace) -> Self {
        Self {
            read: AtomicUsize::new(0),
            most: match pace {
                Pace::Client => CLIENT_READ_MAX,
                Pace::Background => usize::MAX,
            },
        }
    }

    /// Counts rows that were read.
    ///
    /// # Errors
    /// [`Error::ReadTooLarge`] where the operation has read more than it may.
    pub(super) fn add(&self, rows: &[QueryResult]) -> Result<()> {
        if self.most == usize::MAX {
            return Ok(());
        }
        let bytes: usize = rows.iter().map(row_bytes).sum();
        let read = self.read.fetch_add(bytes, Ordering::Relaxed);
        if read.saturating_add(bytes) > self.most {
            return Err(Error::ReadTooLarge);
        }
        Ok(())
    }
}

/// Bytes of the texts and binary values of a row, as the driver holds them.
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
