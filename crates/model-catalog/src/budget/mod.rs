//! Budgets: how much a tenant, a project, a member or a purpose may spend in a day or a month, and how much a run may.

mod reserve;
mod run;
mod service;

pub(crate) use reserve::{Need, Releases, Reserved, amounts_reserve};
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
    /// What a budget is for.
    BudgetScope {
        /// Everything that the tenant spends.
        Tenant = "TENANT",
        /// What is spent for a project.
        Project = "PROJECT",
        /// What a member spends.
        Member = "MEMBER",
        /// What is spent for a purpose.
        Purpose = "PURPOSE",
    }
);

named!(
    /// The time that a budget is for. Days and months are those of UTC.
    BudgetPeriod {
        /// A day.
        Day = "DAY",
        /// A calendar month.
        Month = "MONTH",
    }
);

named!(
    /// What happens where a budget is spent.
    BudgetEnforcement {
        /// Calls go on, and say so.
        Soft = "SOFT",
        /// Calls are refused.
        Hard = "HARD",
    }
);

/// How much may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Its id.
    pub id: BudgetId,
    /// What it is for.
    pub scope: BudgetScope,
    /// The project, where it is for one.
    pub project_id: Option<Uuid>,
    /// The member, where it is for one.
    pub user_id: Option<UserId>,
    /// The purpose, where it is for one.
    pub purpose: Option<String>,
    /// The time it is for.
    pub period: BudgetPeriod,
    /// What happens where it is spent.
    pub enforcement: BudgetEnforcement,
    /// How much may be spent in a period.
    pub limit: Nanousd,
    /// When it was made.
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
