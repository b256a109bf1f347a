//! Budgets for calls of models.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_model_catalog::{BudgetEnforcement, BudgetPeriod, BudgetScope, BudgetStanding};

use super::ids::global_id;
use super::project::ProjectNode;
use super::usage::project_node;
use super::viewer::UserNode;

/// How much may be spent in a period, and how much was.
pub(crate) struct BudgetNode(pub(crate) BudgetStanding);

#[Object(name = "Budget")]
impl BudgetNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.budget.id)
    }

    /// What it is for.
    async fn scope(&self) -> BudgetScopeName {
        self.0.budget.scope.into()
    }

    /// The project, where it is for one.
    async fn project(&self, context: &Context<'_>) -> Result<Option<ProjectNode>> {
        match self.0.budget.project_id {
            Some(id) => project_node(context, id).await,
            None => Ok(None),
        }
    }

    /// The member, where it is for one.
    async fn member(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.budget.user_id).await
    }

    /// The purpose, where it is for one.
    async fn purpose(&self) -> Option<&str> {
        self.0.budget.purpose.as_deref()
    }

    /// The time it is for.
    async fn period(&self) -> BudgetPeriodName {
        self.0.budget.period.into()
    }

    /// What happens where it is spent.
    async fn enforcement(&self) -> BudgetEnforcementName {
        self.0.budget.enforcement.into()
    }

    /// US dollars that may be spent in a period.
    async fn limit_usd(&self) -> f64 {
        self.0.budget.limit.usd()
    }

    /// The first day of the current period, as YYYY-MM-DD.
    async fn period_start(&self) -> &str {
        &self.0.period_start
    }

    /// US dollars that were spent in the current period.
    async fn spent_usd(&self) -> f64 {
        self.0.spent.usd()
    }

    /// US dollars that calls under way may cost at the most.
    async fn reserved_usd(&self) -> f64 {
        self.0.reserved.usd()
    }

    /// Whether more is spent or reserved than the limit: a soft budget warns from then on.
    async fn exceeded(&self) -> bool {
        self.0.spent.plus(self.0.reserved) > self.0.budget.limit
    }

    /// When it was made. What was spent before does not count.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.budget.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.budget.updated_at
    }
}

/// What a budget is for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "BudgetScope", remote = "BudgetScope")]
pub(crate) enum BudgetScopeName {
    /// Everything that the tenant spends.
    Tenant,
    /// What is spent for a project.
    Project,
    /// What a member spends.
    Member,
    /// What is spent for a purpose.
    Purpose,
}

/// The time that a budget is for. Days and months are those of UTC.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "BudgetPeriod", remote = "BudgetPeriod")]
pub(crate) enum BudgetPeriodName {
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

/// What happens where a budget is spent.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "BudgetEnforcement", remote = "BudgetEnforcement")]
pub(crate) enum BudgetEnforcementName {
    /// Calls go on, and say so.
    Soft,
    /// Calls are refused with BUDGET_EXCEEDED.
    Hard,
}
