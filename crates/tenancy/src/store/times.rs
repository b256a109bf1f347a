//! Converts times to a form that both databases compare alike.
//!
//! SQLite stores a time as text. The text order is the time order as long as the year has four digits: a later year
//! begins with `+`, which sorts before every digit. PostgreSQL refuses times before 4714 BC and stores no nanoseconds.
//! So a bound time is truncated to microseconds and clamped to the years 0000 to 9999; rows contain no times outside
//! of this range.

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{DbBackend, QueryTrait, Statement, Value};

/// 0000-01-01T00:00:00Z, in seconds since 1970.
const FIRST: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z, in seconds since 1970.
const LAST: i64 = 253_402_300_799;

/// The time in its bound form.
fn bound(time: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = time.timestamp();
    let outside = match seconds {
        ..FIRST => DateTime::from_timestamp(FIRST, 0),
        FIRST..=LAST => None,
        // Later than every stored time, so that a comparison with `>=` finds no row.
        _ => DateTime::from_timestamp(LAST, 999_999_999),
    };
    outside.unwrap_or(time).trunc_subsecs(6)
}

/// A statement with its times in bound form.
pub(super) fn statement(
    backend: DbBackend,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    let values = values.into_iter().map(|mut value| {
        value_bind(&mut value);
        value
    });
    Statement::from_sql_and_values(backend, sql, values)
}

/// A statement of the query builder with its times in bound form.
pub(super) fn built<Q: QueryTrait>(backend: DbBackend, query: &Q) -> Statement {
    bound_values(query.build(backend))
}

/// Converts the times of a statement to bound form.
pub(super) fn bound_values(mut statement: Statement) -> Statement {
    if let Some(values) = &mut statement.values {
        values.0.iter_mut().for_each(value_bind);
    }
    statement
}

fn value_bind(value: &mut Value) {
    match value {
        Value::ChronoDateTimeUtc(Some(time)) => *time = bound(*time),
        // SQLite would write the offset into the text.
        Value::ChronoDateTimeWithTimeZone(Some(time)) => {
            *value = Value::ChronoDateTimeUtc(Some(bound(time.with_timezone(&Utc))));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text that the SQLite driver writes.
    fn text(time: DateTime<Utc>) -> String {
        time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
    }

    fn times() -> impl Strategy<Value = DateTime<Utc>> {
        let (first, last) = (
            DateTime::<Utc>::MIN_UTC.timestamp(),
            DateTime::<Utc>::MAX_UTC.timestamp(),
        );
        (first..last, 0..1_000_000_000u32).prop_filter_map("a time", |(seconds, nanos)| {
            DateTime::from_timestamp(seconds, nanos)
        })
    }

    proptest! {
        #[test]
        fn bound_times_sort_as_text_as_the_times_do(a in times(), b in times()) {
            let (a, b) = (bound(a), bound(b));
            prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
        }

        #[test]
        fn binding_keeps_the_order_of_times(a in times(), b in times()) {
            prop_assert!(a.cmp(&b) == bound(a).cmp(&bound(b)) || bound(a) == bound(b));
        }

        #[test]
        fn a_bound_time_is_bound_to_itself(time in times()) {
            prop_assert_eq!(bound(bound(time)), bound(time));
        }
    }
}
