//! Budgets: how much a tenant, a project, a member or a purpose may spend in a day or a month, and how much a run may.

mod reserve;
mod run;
mod service;

pub(crate) use reserve::{Need, Releases, ReservedBudgets, amounts_reserve};
pub use run::{RunBudget, run_budget_get, run_budget_set};
pub(crate) use service::budgets_all;
pub use service::{
    BudgetStanding, NewBudget, budget_create, budget_delete, budget_list, budget_standing,
    budget_update,
};

use chrono::{DateTime, Utc};
use nyxcore_tenancy::{UserId, typed_id};
use uuid::Uuid;

use crate::money::Nanousd;
use crate::named::named;

typed_id!(
    /// A budget.
    BudgetId,
    "budget"
);

named!(
    /// The scope of a budget.
    BudgetScope {
        /// Everything that the tenant spends.
        Tenant = "TENANT",
        /// What is spent for a project.
        Project = "PROJECT",
        /// Everything that a member spends.
        Member = "MEMBER",
        /// What is spent for a purpose.
        Purpose = "PURPOSE",
    }
);

named!(
    /// The period of a budget. Days and months are those of UTC.
    BudgetPeriod {
        /// A day.
        Day = "DAY",
        /// A calendar month.
        Month = "MONTH",
    }
);

named!(
    /// What happens when a budget is used up.
    BudgetEnforcement {
        /// Calls go on, with a warning.
        Soft = "SOFT",
        /// Calls are refused.
        Hard = "HARD",
    }
);

/// A limit on what may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Its id.
    pub id: BudgetId,
    /// Its scope.
    pub scope: BudgetScope,
    /// The project, where the scope is one.
    pub project_id: Option<Uuid>,
    /// The member, where the scope is one.
    pub user_id: Option<UserId>,
    /// The purpose, where the scope is one.
    pub purpose: Option<String>,
    /// Its period.
    pub period: BudgetPeriod,
    /// What happens when it is used up.
    pub enforcement: BudgetEnforcement,
    /// How much may be spent in a period.
    pub limit: Nanousd,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<crate::entity::budget::Model> for Budget {
    fn from(row: crate::entity::budget::Model) -> Self {
        Self {
            id: row.id,
            scope: row.scope,
            project_id: row.project_id,
            user_id: row.user_id,
            purpose: row.purpose,
            period: row.period,
            enforcement: row.enforcement,
            limit: Nanousd(row.limit_nanousd),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Budget {
    /// Whether a call counts against it.
    pub(crate) fn applies_to(
        &self,
        project: Option<Uuid>,
        user: Option<UserId>,
        purpose: &str,
    ) -> bool {
        match self.scope {
            BudgetScope::Tenant => true,
            BudgetScope::Project => self.project_id.is_some() && self.project_id == project,
            BudgetScope::Member => self.user_id.is_some() && self.user_id == user,
            BudgetScope::Purpose => self.purpose.as_deref() == Some(purpose),
        }
    }
}
