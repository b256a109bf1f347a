//! Which times a client may name.

use chrono::{DateTime, Datelike, Utc};

/// The message for a time that [`time_is_storable`] refuses.
pub(crate) const TIME_RANGE: &str = "must be a time in the years 0001 to 9999 in UTC";

/// Whether both databases can store and order a time. PostgreSQL has no year before 4713 BC, and SQLite orders times as
/// texts with four digits for the year.
pub(crate) fn time_is_storable(time: DateTime<Utc>) -> bool {
    (1..=9999).contains(&time.year())
}
