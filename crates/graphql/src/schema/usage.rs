//! The usage and cost of model calls.

use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use nyxcore_model_catalog::{
    RunUsage, UsageFilter, UsageGroup, UsageKey, UsageSum, usage_rows, usage_total,
};
use nyxcore_projects::ProjectId;
use nyxcore_tenancy::TypedId;
use uuid::Uuid;

use super::long::Long;
use super::project::ProjectNode;
use super::viewer::UserNode;
use crate::context::operation;

/// The default number of days of a report: the last thirty, including today.
const DAYS_DEFAULT: i64 = 30;

/// The usage and cost of calls, over days of UTC.
pub(crate) struct UsageReportNode {
    filter: UsageFilter,
}

impl UsageReportNode {
    /// Creates the report over the days of these times, and of one project if one is given.
    pub(crate) fn new(
        context: &Context<'_>,
        (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        project: Option<ProjectId>,
    ) -> Self {
        let today = operation(context).store().env().now().date_naive();
        let to = to.map_or(today, |at| at.date_naive());
        let first = |to: NaiveDate| {
            let before = TimeDelta::days(DAYS_DEFAULT - 1);
            to.checked_sub_signed(before).unwrap_or(to)
        };
        Self {
            filter: UsageFilter {
                from: from.map_or_else(|| first(to), |at| at.date_naive()),
                to,
                project: project.map(TypedId::uuid),
            },
        }
    }

    async fn rows(&self, context: &Context<'_>, group: UsageGroup) -> Result<Vec<UsageRowNode>> {
        let scoped = operation(context).read().await?;
        let rows = usage_rows(&scoped, &self.filter, group).await?;
        let row = |(key, sum): (UsageKey, UsageSum)| UsageRowNode {
            key,
            sum: sum.into(),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

#[Object(name = "UsageReport")]
impl UsageReportNode {
    /// The first day, as YYYY-MM-DD.
    async fn from(&self) -> String {
        self.filter.from.to_string()
    }

    /// The last day, as YYYY-MM-DD.
    async fn to(&self) -> String {
        self.filter.to.to_string()
    }

    /// Everything together.
    async fn total(&self, context: &Context<'_>) -> Result<UsageSumNode> {
        let scoped = operation(context).read().await?;
        Ok(usage_total(&scoped, &self.filter).await?.into())
    }

    /// One row per day with calls, oldest first.
    async fn by_day(&self, context: &Context<'_>) -> Result<Vec<UsageRowNode>> {
        self.rows(context, UsageGroup::Day).await
    }

    /// One row per model, the most expensive first.
    async fn by_model(&self, context: &Context<'_>) -> Result<Vec<UsageRowNode>> {
        self.rows(context, UsageGroup::Model).await
    }

    /// One row per purpose, the most expensive first.
    async fn by_purpose(&self, context: &Context<'_>) -> Result<Vec<UsageRowNode>> {
        self.rows(context, UsageGroup::Purpose).await
    }

    /// One row per project, the most expensive first.
    async fn by_project(&self, context: &Context<'_>) -> Result<Vec<UsageRowNode>> {
        self.rows(context, UsageGroup::Project).await
    }

    /// One row per member, the most expensive first.
    async fn by_member(&self, context: &Context<'_>) -> Result<Vec<UsageRowNode>> {
        self.rows(context, UsageGroup::Member).await
    }
}

/// What was used and what it cost.
#[derive(SimpleObject)]
#[graphql(name = "UsageSum")]
pub(crate) struct UsageSumNode {
    /// Calls.
    calls: Long,
    /// The number of calls that did not succeed: refused, failed, cancelled or lost.
    failed_calls: Long,
    /// Input tokens, those from a cache included.
    input_tokens: Long,
    /// Input tokens that were read from a vendor's cache.
    cached_tokens: Long,
    /// Output tokens, reasoning included.
    output_tokens: Long,
    /// Output tokens that were reasoning.
    reasoning_tokens: Long,
    /// US dollars, at the prices of the day of each call.
    usd: f64,
}

impl From<UsageSum> for UsageSumNode {
    fn from(sum: UsageSum) -> Self {
        Self {
            calls: sum.calls.into(),
            failed_calls: sum.failed_calls.into(),
            input_tokens: sum.input_tokens.into(),
            cached_tokens: sum.cached_tokens.into(),
            output_tokens: sum.output_tokens.into(),
            reasoning_tokens: sum.reasoning_tokens.into(),
            usd: sum.cost.usd(),
        }
    }
}

/// A row of a report. Only the field of its key is set.
pub(crate) struct UsageRowNode {
    key: UsageKey,
    sum: UsageSumNode,
}

#[Object(name = "UsageRow")]
impl UsageRowNode {
    /// The day, as YYYY-MM-DD.
    async fn day(&self) -> Option<&str> {
        match &self.key {
            UsageKey::Day(day) => Some(day),
            _ => None,
        }
    }

    /// The provider of the model. Empty for calls that were refused before a provider was selected.
    async fn provider(&self) -> Option<&str> {
        match &self.key {
            UsageKey::Model { provider, .. } => Some(provider),
            _ => None,
        }
    }

    /// The model's id.
    async fn model(&self) -> Option<&str> {
        match &self.key {
            UsageKey::Model { model, .. } => Some(model),
            _ => None,
        }
    }

    /// The purpose.
    async fn purpose(&self) -> Option<&str> {
        match &self.key {
            UsageKey::Purpose(purpose) => Some(purpose),
            _ => None,
        }
    }

    /// The project. Null for calls without a project, and if the project was deleted.
    async fn project(&self, context: &Context<'_>) -> Result<Option<ProjectNode>> {
        let UsageKey::Project(Some(id)) = self.key else {
            return Ok(None);
        };
        project_node(context, id).await
    }

    /// The member. Null for calls that no member caused, and if the member left the tenant.
    async fn member(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        let UsageKey::Member(user) = self.key else {
            return Ok(None);
        };
        super::created_by(context, user).await
    }

    /// What was used.
    async fn usage(&self) -> &UsageSumNode {
        &self.sum
    }
}

/// The project of a row that has only its id.
pub(super) async fn project_node(context: &Context<'_>, id: Uuid) -> Result<Option<ProjectNode>> {
    let projects = operation(context).loaders().projects();
    let project = projects.load_one(ProjectId::from_uuid(id)).await?;
    Ok(project.map(ProjectNode))
}

/// The usage and cost of model calls.
#[derive(SimpleObject, Clone)]
#[graphql(name = "ModelUsage")]
pub(crate) struct ModelUsageNode {
    /// The number of calls.
    calls: Long,
    /// The number of input tokens.
    input_tokens: Long,
    /// The number of output tokens.
    output_tokens: Long,
    /// The number of input tokens that the provider had cached.
    cached_tokens: Long,
    /// The cost in US dollars.
    usd: f64,
}

impl From<RunUsage> for ModelUsageNode {
    fn from(used: RunUsage) -> Self {
        let long = |number: u64| Long(i64::try_from(number).unwrap_or(i64::MAX));
        Self {
            calls: long(used.calls),
            input_tokens: long(used.input_tokens),
            output_tokens: long(used.output_tokens),
            cached_tokens: long(used.cached_tokens),
            usd: used.cost.usd(),
        }
    }
}
