//! Budgets for model calls.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_model_catalog::{BudgetEnforcement, BudgetPeriod, BudgetScope, BudgetStanding};

use super::ids::global_id;
use super::mirror::mirror;
use super::project::ProjectNode;
use super::usage::project_node;
use super::viewer::UserNode;

/// A limit on spending per period, with the amount spent.
pub(crate) struct BudgetNode(pub(crate) BudgetStanding);

#[Object(name = "Budget")]
impl BudgetNode {
    /// The id of the budget.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.budget.id)
    }

    /// What the budget applies to.
    async fn scope(&self) -> BudgetScopeName {
        self.0.budget.scope.into()
    }

    /// The project, for a budget of scope PROJECT.
    async fn project(&self, context: &Context<'_>) -> Result<Option<ProjectNode>> {
        match self.0.budget.project_id {
            Some(id) => project_node(context, id).await,
            None => Ok(None),
        }
    }

    /// The member, for a budget of scope MEMBER.
    async fn member(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.budget.user_id).await
    }

    /// The purpose, for a budget of scope PURPOSE.
    async fn purpose(&self) -> Option<&str> {
        self.0.budget.purpose.as_deref()
    }

    /// The length of the period.
    async fn period(&self) -> BudgetPeriodName {
        self.0.budget.period.into()
    }

    /// What happens when the limit is reached.
    async fn enforcement(&self) -> BudgetEnforcementName {
        self.0.budget.enforcement.into()
    }

    /// The limit per period, in US dollars.
    async fn limit_usd(&self) -> f64 {
        self.0.budget.limit.usd()
    }

    /// The first day of the current period, as YYYY-MM-DD.
    async fn period_start(&self) -> &str {
        &self.0.period_start
    }

    /// US dollars spent in the current period.
    async fn spent_usd(&self) -> f64 {
        self.0.spent.usd()
    }

    /// The maximum cost of the calls in progress, in US dollars.
    async fn reserved_usd(&self) -> f64 {
        self.0.reserved.usd()
    }

    /// Whether spending plus reservations exceed the limit. A soft budget warns from then on.
    async fn exceeded(&self) -> bool {
        self.0.spent.plus(self.0.reserved) > self.0.budget.limit
    }

    /// The time of creation. Earlier spending does not count.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.budget.created_at
    }

    /// The time of the last change.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.budget.updated_at
    }
}

mirror! {
    /// What a budget applies to.
    pub(crate) enum BudgetScopeName = "BudgetScope" {
        /// All spending of the tenant.
        Tenant,
        /// The spending of one project.
        Project,
        /// The spending of one member.
        Member,
        /// The spending for one purpose.
        Purpose,
    }
}

mirror! {
    /// The period of a budget. Days and months are in UTC.
    pub(crate) enum BudgetPeriodName = "BudgetPeriod" {
        /// One day.
        Day,
        /// One calendar month.
        Month,
    }
}

mirror! {
    /// What happens when a budget is exhausted.
    pub(crate) enum BudgetEnforcementName = "BudgetEnforcement" {
        /// Calls continue with a warning.
        Soft,
        /// Calls are refused with BUDGET_EXCEEDED.
        Hard,
    }
}
