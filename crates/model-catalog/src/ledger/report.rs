//! Reports of spending: sums over the days, from one table that is small however many calls there were.

use chrono::NaiveDate;
use nyxcore_tenancy::{Access, Action, Error, Result, Scoped, UserId};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use crate::money::Nanousd;
use crate::named::named;
use crate::registration::MODEL_CALL;

/// The most rows of a report. A rule of this project: one row per day for over five years.
const ROWS_MAX: i64 = 2_000;

named!(
    /// The grouping of a report: one row for each of these.
    UsageGroup {
        /// Each day, oldest first.
        Day = "DAY",
        /// Each model, the most expensive first.
        Model = "MODEL",
        /// Each purpose, the most expensive first.
        Purpose = "PURPOSE",
        /// Each project, the most expensive first.
        Project = "PROJECT",
        /// Each member, the most expensive first.
        Member = "MEMBER",
    }
);

/// Which calls a report is about. Days are those of UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageFilter {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Only this project's.
    pub project: Option<Uuid>,
}

/// Sums over calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageSum {
    /// Calls.
    pub calls: i64,
    /// Those that did not succeed.
    pub failed_calls: i64,
    /// Input tokens, those from a cache included.
    pub input_tokens: i64,
    /// Input tokens that were read from a cache.
    pub cached_tokens: i64,
    /// Output tokens, reasoning included.
    pub output_tokens: i64,
    /// Output tokens that were reasoning.
    pub reasoning_tokens: i64,
    /// What it cost.
    pub cost: Nanousd,
}

/// The group of a report's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageKey {
    /// A day, as YYYY-MM-DD.
    Day(String),
    /// A model of a provider.
    Model {
        /// The provider.
        provider: String,
        /// The model.
        model: String,
    },
    /// A purpose.
    Purpose(String),
    /// A project; `None` for calls without a project.
    Project(Option<Uuid>),
    /// A member; `None` for calls that the program made by itself.
    Member(Option<UserId>),
}

#[derive(FromQueryResult)]
struct Row {
    text: Option<String>,
    second: Option<String>,
    id: Option<Uuid>,
    calls: i64,
    failed_calls: i64,
    input_tokens: i64,
    cache_read_tokens: i64,
    output_tokens: i64,
    reasoning_tokens: i64,
    cost_nanousd: i64,
}

impl Row {
    fn sum(&self) -> UsageSum {
        UsageSum {
            calls: self.calls,
            failed_calls: self.failed_calls,
            input_tokens: self.input_tokens,
            cached_tokens: self.cache_read_tokens,
            output_tokens: self.output_tokens,
            reasoning_tokens: self.reasoning_tokens,
            cost: Nanousd(self.cost_nanousd),
        }
    }

    fn key(self, group: UsageGroup) -> UsageKey {
        let text = self.text.unwrap_or_default();
        let id = self.id.filter(|id| !id.is_nil());
        match group {
            UsageGroup::Day => UsageKey::Day(text),
            UsageGroup::Model => UsageKey::Model {
                provider: text,
                model: self.second.unwrap_or_default(),
            },
            UsageGroup::Purpose => UsageKey::Purpose(text),
            UsageGroup::Project => UsageKey::Project(id),
            UsageGroup::Member => UsageKey::Member(id.map(UserId)),
        }
    }
}

/// Builds the statement of a report from the columns of its group, its grouping and its order. Sums of integers are
/// numerics on PostgreSQL, hence the casts.
macro_rules! report_sql {
    ($text:literal, $second:literal, $id:literal, $group:literal, $order:literal) => {
        concat!(
            "SELECT ", $text, " AS text, ", $second, " AS second, ", $id, " AS id,
                CAST(coalesce(sum(calls), 0) AS bigint) AS calls,
                CAST(coalesce(sum(failed_calls), 0) AS bigint) AS failed_calls,
                CAST(coalesce(sum(input_tokens), 0) AS bigint) AS input_tokens,
                CAST(coalesce(sum(cache_read_tokens), 0) AS bigint) AS cache_read_tokens,
                CAST(coalesce(sum(output_tokens), 0) AS bigint) AS output_tokens,
                CAST(coalesce(sum(reasoning_tokens), 0) AS bigint) AS reasoning_tokens,
                CAST(coalesce(sum(cost_nanousd), 0) AS bigint) AS cost_nanousd
             FROM model_usage_daily
             WHERE tenant_id = $1 AND day >= $2 AND day <= $3 AND ($4 = $5 OR project_id = $4) ",
            $group, " ORDER BY ", $order, " LIMIT $6"
        )
    };
}

const TOTAL: &str = report_sql!("NULL", "NULL", "NULL", "", "1");

fn sql_of(group: UsageGroup) -> &'static str {
    match group {
        UsageGroup::Day => report_sql!("day", "NULL", "NULL", "GROUP BY day", "day"),
        UsageGroup::Model => report_sql!(
            "provider",
            "model",
            "NULL",
            "GROUP BY provider, model",
            "cost_nanousd DESC, provider, model"
        ),
        UsageGroup::Purpose => report_sql!(
            "purpose",
            "NULL",
            "NULL",
            "GROUP BY purpose",
            "cost_nanousd DESC, purpose"
        ),
        UsageGroup::Project => report_sql!(
            "NULL",
            "NULL",
            "project_id",
            "GROUP BY project_id",
            "cost_nanousd DESC, project_id"
        ),
        UsageGroup::Member => report_sql!(
            "NULL",
            "NULL",
            "user_id",
            "GROUP BY user_id",
            "cost_nanousd DESC, user_id"
        ),
    }
}

/// What was spent, all together.
///
/// # Errors
/// [`Error::Invalid`] where the last day is before the first.
pub async fn usage_total<A: Access>(scoped: &Scoped<A>, filter: &UsageFilter) -> Result<UsageSum> {
    let rows = rows_read(scoped, filter, TOTAL).await?;
    Ok(rows.first().map_or_else(UsageSum::default, Row::sum))
}

/// What was spent, with one row for each day, model, purpose, project or member.
///
/// # Errors
/// As [`usage_total`].
pub async fn usage_rows<A: Access>(
    scoped: &Scoped<A>,
    filter: &UsageFilter,
    group: UsageGroup,
) -> Result<Vec<(UsageKey, UsageSum)>> {
    let rows = rows_read(scoped, filter, sql_of(group)).await?;
    let row = |row: Row| {
        let sum = row.sum();
        (row.key(group), sum)
    };
    Ok(rows.into_iter().map(row).collect())
}

async fn rows_read<A: Access>(
    scoped: &Scoped<A>,
    filter: &UsageFilter,
    sql: &'static str,
) -> Result<Vec<Row>> {
    scoped.permit(Action::Read, MODEL_CALL, None)?;
    if filter.to < filter.from {
        return Err(Error::Invalid(
            "the last day of a report is before its first".into(),
        ));
    }
    let values: [Value; 5] = [
        filter.from.to_string().into(),
        filter.to.to_string().into(),
        filter.project.unwrap_or(Uuid::nil()).into(),
        Uuid::nil().into(),
        ROWS_MAX.into(),
    ];
    scoped.sql_all(sql, values).await
}
