//! The operations on a tenant's budgets.

use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Result, Scoped, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, FromQueryResult};
use uuid::Uuid;

use super::reserve::period_start;
use super::{Budget, BudgetEnforcement, BudgetId, BudgetPeriod, BudgetScope};
use crate::entity::budget::{ActiveModel, Column, Entity};
use crate::ledger::purpose_check;
use crate::money::Nanousd;
use crate::registration::BUDGET;
use crate::tenant::settings_changed;

/// The most budgets of a tenant: each that applies takes one statement per call. A rule of this project.
const BUDGETS_MAX: u64 = 100;
/// The highest limit: a thousand million dollars, a ninth of what an amount can hold.
const LIMIT_MAX: Nanousd = Nanousd(1_000_000_000 * 1_000_000_000);

/// A new budget.
#[derive(Debug, Clone)]
pub struct NewBudget {
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
}

/// A budget with what was spent of it in the current period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetStanding {
    /// The budget.
    pub budget: Budget,
    /// The first day of the current period, as YYYY-MM-DD.
    pub period_start: String,
    /// The highest possible cost of the calls that are under way.
    pub reserved: Nanousd,
    /// What was spent.
    pub spent: Nanousd,
}

/// Creates a budget. What was spent before does not count against it.
///
/// # Errors
/// [`Error::Invalid`] where the subject does not fit the scope; [`Error::NotFound`] for a project or member that the
/// tenant does not have.
pub async fn budget_create(scoped: &Scoped<ReadWrite>, new: NewBudget) -> Result<Budget> {
    let id = BudgetId(scoped.env().id());
    scoped.permit(Action::Create, BUDGET, id.0)?;
    let subject = (
        new.project_id.is_some(),
        new.user_id.is_some(),
        new.purpose.is_some(),
    );
    let fits = match new.scope {
        BudgetScope::Tenant => subject == (false, false, false),
        BudgetScope::Project => subject == (true, false, false),
        BudgetScope::Member => subject == (false, true, false),
        BudgetScope::Purpose => subject == (false, false, true),
    };
    if !fits {
        return Err(Error::Invalid(
            "a budget names the project, member or purpose that it is for, and nothing else".into(),
        ));
    }
    if let Some(purpose) = &new.purpose {
        purpose_check(purpose)?;
    }
    limit_check(new.limit)?;
    if scoped.find::<Entity>().count().await? >= BUDGETS_MAX {
        return Err(Error::Invalid(format!(
            "there are {BUDGETS_MAX} budgets already, which is the most"
        )));
    }
    let now = scoped.env().now();
    let row = ActiveModel {
        id: Set(id),
        scope: Set(new.scope),
        project_id: Set(new.project_id),
        user_id: Set(new.user_id),
        purpose: Set(new.purpose),
        period: Set(new.period),
        enforcement: Set(new.enforcement),
        limit_nanousd: Set(new.limit.0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let row = scoped.insert(row).await?;
    settings_changed(scoped).await?;
    Ok(row.into())
}

/// Changes the limit and the enforcement of a budget.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a limit that is out of range.
pub async fn budget_update(
    scoped: &Scoped<ReadWrite>,
    id: BudgetId,
    limit: Option<Nanousd>,
    enforcement: Option<BudgetEnforcement>,
) -> Result<Budget> {
    scoped.permit(Action::Update, BUDGET, id.0)?;
    let mut changes = ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    if let Some(limit) = limit {
        limit_check(limit)?;
        changes.limit_nanousd = Set(limit.0);
    }
    if let Some(enforcement) = enforcement {
        changes.enforcement = Set(enforcement);
    }
    if scoped.update(Column::Id.eq(id), changes).await? == 0 {
        return Err(Error::NotFound("budget"));
    }
    settings_changed(scoped).await?;
    let row = scoped.find::<Entity>().filter(Column::Id.eq(id)).one();
    row.await?
        .map(Budget::from)
        .ok_or(Error::NotFound("budget"))
}

/// Deletes a budget. The ledger is kept.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn budget_delete(scoped: &Scoped<ReadWrite>, id: BudgetId) -> Result<()> {
    scoped.permit(Action::Delete, BUDGET, id.0)?;
    if scoped.delete::<Entity>(Column::Id.eq(id)).await? == 0 {
        return Err(Error::NotFound("budget"));
    }
    settings_changed(scoped).await
}

#[derive(FromQueryResult)]
struct SpendRow {
    budget_id: Uuid,
    period: String,
    reserved_nanousd: i64,
    spent_nanousd: i64,
}

/// The tenant's budgets, oldest first, with what was spent of each in its current period.
///
/// # Errors
/// The database fails.
pub async fn budget_list<A: Access>(scoped: &Scoped<A>) -> Result<Vec<BudgetStanding>> {
    scoped.permit(Action::Read, BUDGET, None)?;
    let budgets = budgets_all(scoped).await?;
    standings(scoped, budgets).await
}

/// One budget with what was spent of it in its current period.
///
/// # Errors
/// The database fails.
pub async fn budget_standing<A: Access>(
    scoped: &Scoped<A>,
    budget: Budget,
) -> Result<BudgetStanding> {
    scoped.permit(Action::Read, BUDGET, budget.id.0)?;
    let standing = standings(scoped, vec![budget]).await?.pop();
    standing.ok_or(Error::NotFound("budget"))
}

async fn standings<A: Access>(
    scoped: &Scoped<A>,
    budgets: Vec<Budget>,
) -> Result<Vec<BudgetStanding>> {
    let now = scoped.env().now();
    let sql = "SELECT budget_id, period, reserved_nanousd, spent_nanousd FROM budget_spend
        WHERE tenant_id = $1 AND period >= $2";
    let month = period_start(BudgetPeriod::Month, now);
    let spend: Vec<SpendRow> = scoped.sql_all(sql, [month.into()]).await?;
    let standing = |budget: Budget| {
        let period_start = period_start(budget.period, now);
        let row = spend
            .iter()
            .find(|row| row.budget_id == budget.id.0 && row.period == period_start);
        BudgetStanding {
            reserved: Nanousd(row.map_or(0, |row| row.reserved_nanousd)),
            spent: Nanousd(row.map_or(0, |row| row.spent_nanousd)),
            period_start,
            budget,
        }
    };
    Ok(budgets.into_iter().map(standing).collect())
}

/// The tenant's budgets in the order of their ids, in which they are reserved against.
pub(crate) async fn budgets_all<A: Access>(scoped: &Scoped<A>) -> Result<Vec<Budget>> {
    let rows = scoped.find::<Entity>().order_by_asc(Column::Id).all();
    Ok(rows.await?.into_iter().map(Budget::from).collect())
}

fn limit_check(limit: Nanousd) -> Result<()> {
    if (Nanousd::ZERO..=LIMIT_MAX).contains(&limit) {
        return Ok(());
    }
    Err(Error::Invalid(format!("a budget is $0.00 to {LIMIT_MAX}")))
}
