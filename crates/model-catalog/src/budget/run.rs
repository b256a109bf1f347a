//! The budget of a run. When it is used up, calls that are under way finish, no further one starts, and partial results
//! stay. When it is raised, the run can go on.

use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Result, Scoped};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::money::Nanousd;
use crate::registration::RUN_BUDGET;

/// The limit of a run, and what it has spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunBudget {
    /// The limit over the whole run.
    pub limit: Nanousd,
    /// The highest possible cost of the calls that are under way.
    pub reserved: Nanousd,
    /// What it has spent.
    pub spent: Nanousd,
}

#[derive(FromQueryResult)]
struct Row {
    limit_nanousd: i64,
    reserved_nanousd: i64,
    spent_nanousd: i64,
}

/// Sets the budget of a run. What the run has spent so far counts against it.
///
/// # Errors
/// [`Error::NotFound`] for a run that the tenant does not have; [`Error::Invalid`] for a negative limit.
pub async fn run_budget_set(scoped: &Scoped<ReadWrite>, run: Uuid, limit: Nanousd) -> Result<()> {
    scoped.permit(Action::Update, RUN_BUDGET, run)?;
    scoped.audit_detail(serde_json::json!({"limitUsd": limit.usd()}));
    if limit < Nanousd::ZERO {
        return Err(Error::Invalid("a budget is not negative".into()));
    }
    let sql = "INSERT INTO run_budgets (tenant_id, run_id, limit_nanousd, reserved_nanousd, spent_nanousd)
        VALUES ($1, $2, $3, 0, 0)
        ON CONFLICT (tenant_id, run_id) DO UPDATE SET limit_nanousd = $3";
    scoped
        .sql_execute(sql, [run.into(), limit.0.into()])
        .await
        .map(drop)
}

/// The budget of a run, where it has one.
///
/// # Errors
/// The database fails.
pub async fn run_budget_get<A: Access>(scoped: &Scoped<A>, run: Uuid) -> Result<Option<RunBudget>> {
    scoped.permit(Action::Read, RUN_BUDGET, run)?;
    let sql = "SELECT limit_nanousd, reserved_nanousd, spent_nanousd FROM run_budgets WHERE tenant_id = $1 AND run_id = $2";
    let rows: Vec<Row> = scoped.sql_all(sql, [run.into()]).await?;
    Ok(rows.first().map(|row| RunBudget {
        limit: Nanousd(row.limit_nanousd),
        reserved: Nanousd(row.reserved_nanousd),
        spent: Nanousd(row.spent_nanousd),
    }))
}
