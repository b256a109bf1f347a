//! Reserves the highest possible cost of calls against each budget that applies, and replaces it by the actual cost.
//!
//! Check and reservation are one conditional statement per budget, and all of them one transaction: of a hundred calls
//! against a budget for ten, ten are admitted. The budgets are locked in the order of their ids, so that two
//! transactions never deadlock.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use nyxcore_tenancy::{ReadWrite, Result, Scoped};
use sea_orm::{ColumnTrait, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Budget, BudgetPeriod, BudgetScope};
use crate::entity::budget as entity;
use crate::error::ModelError;
use crate::money::Nanousd;

/// The budgets that a call is reserved against. It is stored with the reservation, so that another process can settle
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ReservedBudgets {
    /// The ids of the budgets, each with the first day of its period.
    pub(crate) budgets: Vec<(Uuid, String)>,
    /// Whether the run has a budget of its own.
    pub(crate) run: bool,
}

#[derive(FromQueryResult)]
struct Spend {
    reserved_nanousd: i64,
    spent_nanousd: i64,
}

#[derive(FromQueryResult)]
struct NewSpend {
    reserved_nanousd: i64,
    spent_nanousd: i64,
    version: Option<i64>,
}

#[derive(FromQueryResult)]
struct RunSpend {
    limit_nanousd: i64,
    reserved_nanousd: i64,
    spent_nanousd: i64,
}

/// The first day of the period that a time is in, as YYYY-MM-DD.
pub(crate) fn period_start(period: BudgetPeriod, at: DateTime<Utc>) -> String {
    let day = at.date_naive();
    match period {
        BudgetPeriod::Day => day.to_string(),
        BudgetPeriod::Month => day.with_day(1).unwrap_or(day).to_string(),
    }
}

/// The amount that a call needs in budgets.
pub(crate) struct Need<'a> {
    /// The budgets that it counts against.
    pub(crate) budgets: Vec<&'a Budget>,
    /// The run that it belongs to.
    pub(crate) run: Option<Uuid>,
    /// The most that it can cost.
    pub(crate) amount: Nanousd,
    /// When it began.
    pub(crate) at: DateTime<Utc>,
}

impl Need<'_> {
    /// The rows of `budget_spend` that it counts in.
    fn spend_keys(&self) -> impl Iterator<Item = (SpendKey, &Budget)> {
        let key = |budget: &Budget| (budget.id.0, period_start(budget.period, self.at));
        self.budgets
            .iter()
            .map(move |budget| (key(budget), *budget))
    }
}

/// A budget, and the first day of a period of it.
type SpendKey = (Uuid, String);

/// The result of a reservation.
pub(crate) struct Reservations {
    /// For each call its reservation, and a warning for each soft budget that is now over its limit.
    pub(crate) calls: Vec<(ReservedBudgets, Vec<String>)>,
    /// The version of the tenant's settings that the statement read, where there was a budget.
    pub(crate) version: Option<i64>,
}

/// Reserves what calls need, all together or nothing: an error where one budget does not cover them all.
pub(crate) async fn amounts_reserve(
    scoped: &Scoped<ReadWrite>,
    needs: &[Need<'_>],
) -> Result<Reservations, ModelError> {
    let mut totals: BTreeMap<SpendKey, (&Budget, Nanousd)> = BTreeMap::new();
    let mut of_runs: BTreeMap<Uuid, Nanousd> = BTreeMap::new();
    for need in needs {
        for (key, budget) in need.spend_keys() {
            let (_, total) = totals.entry(key).or_insert((budget, Nanousd::ZERO));
            *total = total.plus(need.amount);
        }
        if let Some(run) = need.run {
            let total = of_runs.entry(run).or_default();
            *total = total.plus(need.amount);
        }
    }
    let mut warnings: BTreeMap<SpendKey, Option<String>> = BTreeMap::new();
    let mut version = None;
    for (key, (budget, amount)) in totals {
        let Some(spend) = budget_reserve(scoped, budget, &key.1, amount).await? else {
            match exceeded(scoped, budget, &key.1, amount).await? {
                Some(error) => return Err(error),
                // The budget was deleted a moment ago.
                None => continue,
            }
        };
        version = Some(spend.version.unwrap_or_default());
        warnings.insert(key, soft_warning(budget, &spend));
    }
    let mut has_budget: BTreeMap<Uuid, bool> = BTreeMap::new();
    for (run, amount) in of_runs {
        has_budget.insert(run, run_reserve(scoped, run, amount).await?);
    }
    let outcome = |need: &Need<'_>| {
        let held = need
            .spend_keys()
            .filter(|(key, _)| warnings.contains_key(key));
        let budgets: Vec<SpendKey> = held.map(|(key, _)| key).collect();
        let said = budgets.iter().filter_map(|key| warnings.get(key)?.clone());
        let said = said.collect();
        let run = need
            .run
            .is_some_and(|run| has_budget.get(&run) == Some(&true));
        (ReservedBudgets { budgets, run }, said)
    };
    Ok(Reservations {
        calls: needs.iter().map(outcome).collect(),
        version,
    })
}

/// The warning of a budget that is over its limit.
fn soft_warning(budget: &Budget, spend: &NewSpend) -> Option<String> {
    let total = spend.reserved_nanousd.saturating_add(spend.spent_nanousd);
    (total > budget.limit.0).then(|| {
        format!(
            "the budget of {} for the {} ({}) is exceeded: {} are spent or reserved",
            budget.limit,
            period_word(budget.period),
            scope_word(budget.scope),
            Nanousd(total)
        )
    })
}

/// Reserves by one conditional statement. A missing row is inserted; `None` where the budget does not cover the amount.
/// The statement also reads the version of the tenant's settings, which saves a statement per call.
async fn budget_reserve(
    scoped: &Scoped<ReadWrite>,
    budget: &Budget,
    period: &str,
    amount: Nanousd,
) -> Result<Option<NewSpend>> {
    let sql = "INSERT INTO budget_spend (tenant_id, budget_id, period, reserved_nanousd, spent_nanousd)
        SELECT tenant_id, id, $3, $4, 0 FROM budgets
        WHERE tenant_id = $1 AND id = $2 AND (enforcement = 'SOFT' OR limit_nanousd >= $4)
        ON CONFLICT (tenant_id, budget_id, period) DO UPDATE
        SET reserved_nanousd = budget_spend.reserved_nanousd + $4
        WHERE EXISTS (SELECT 1 FROM budgets b WHERE b.tenant_id = $1 AND b.id = $2 AND (b.enforcement = 'SOFT'
            OR b.limit_nanousd >= budget_spend.reserved_nanousd + budget_spend.spent_nanousd + $4))
        RETURNING reserved_nanousd, spent_nanousd,
            (SELECT version FROM model_settings WHERE tenant_id = $1 AND area = 'models') AS version";
    let values = [budget.id.0.into(), period.into(), amount.0.into()];
    let rows: Vec<NewSpend> = scoped.sql_all(sql, values).await?;
    Ok(rows.into_iter().next())
}

/// Whether the run has a budget; an error where that one does not cover the amount.
async fn run_reserve(
    scoped: &Scoped<ReadWrite>,
    run: Uuid,
    amount: Nanousd,
) -> Result<bool, ModelError> {
    let sql = "UPDATE run_budgets SET reserved_nanousd = reserved_nanousd + $3
        WHERE tenant_id = $1 AND run_id = $2 AND limit_nanousd >= reserved_nanousd + spent_nanousd + $3";
    if scoped
        .sql_execute(sql, [run.into(), amount.0.into()])
        .await?
        > 0
    {
        return Ok(true);
    }
    let sql = "SELECT limit_nanousd, reserved_nanousd, spent_nanousd FROM run_budgets WHERE tenant_id = $1 AND run_id = $2";
    let rows: Vec<RunSpend> = scoped.sql_all(sql, [run.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let taken = row.reserved_nanousd.saturating_add(row.spent_nanousd);
    Err(ModelError::RunBudgetExceeded {
        limit: Nanousd(row.limit_nanousd),
        left: Nanousd(row.limit_nanousd.saturating_sub(taken).max(0)),
        needed: amount,
    })
}

async fn exceeded(
    scoped: &Scoped<ReadWrite>,
    budget: &Budget,
    period: &str,
    needed: Nanousd,
) -> Result<Option<ModelError>> {
    let current = scoped.find::<entity::Entity>();
    let current = current
        .filter(entity::Column::Id.eq(budget.id))
        .one()
        .await?;
    let Some(current) = current else {
        return Ok(None);
    };
    let sql = "SELECT reserved_nanousd, spent_nanousd FROM budget_spend
        WHERE tenant_id = $1 AND budget_id = $2 AND period = $3";
    let rows: Vec<Spend> = scoped
        .sql_all(sql, [budget.id.0.into(), period.into()])
        .await?;
    let taken = rows.first().map_or(0, |row| {
        row.reserved_nanousd.saturating_add(row.spent_nanousd)
    });
    Ok(Some(ModelError::BudgetExceeded {
        scope: scope_word(budget.scope),
        period: period_word(budget.period),
        limit: Nanousd(current.limit_nanousd),
        left: Nanousd(current.limit_nanousd.saturating_sub(taken).max(0)),
        needed,
    }))
}

/// Reservations that are replaced by the actual costs of their calls: the sum for each budget and run.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    budgets: BTreeMap<SpendKey, (Nanousd, Nanousd)>,
    runs: BTreeMap<Uuid, (Nanousd, Nanousd)>,
}

impl Releases {
    /// Adds a call that had reserved `amount` and cost `cost`.
    pub(crate) fn add(
        &mut self,
        reserved: &ReservedBudgets,
        run: Option<Uuid>,
        (amount, cost): (Nanousd, Nanousd),
    ) {
        let add = |sums: &mut (Nanousd, Nanousd)| {
            *sums = (sums.0.plus(amount), sums.1.plus(cost));
        };
        for key in &reserved.budgets {
            add(self.budgets.entry(key.clone()).or_default());
        }
        if let Some(run) = run.filter(|_| reserved.run) {
            add(self.runs.entry(run).or_default());
        }
    }

    /// Writes the sums, in the order in which calls are admitted.
    pub(crate) async fn write(self, scoped: &Scoped<ReadWrite>) -> Result<()> {
        for ((budget, period), (amount, cost)) in self.budgets {
            let sql = "UPDATE budget_spend
                SET reserved_nanousd = reserved_nanousd - $4, spent_nanousd = spent_nanousd + $5
                WHERE tenant_id = $1 AND budget_id = $2 AND period = $3";
            let values = [budget.into(), period.into(), amount.0.into(), cost.0.into()];
            scoped.sql_execute(sql, values).await?;
        }
        for (run, (amount, cost)) in self.runs {
            let sql = "UPDATE run_budgets
                SET reserved_nanousd = reserved_nanousd - $3, spent_nanousd = spent_nanousd + $4
                WHERE tenant_id = $1 AND run_id = $2";
            let values = [run.into(), amount.0.into(), cost.0.into()];
            scoped.sql_execute(sql, values).await?;
        }
        Ok(())
    }
}

fn scope_word(scope: BudgetScope) -> &'static str {
    match scope {
        BudgetScope::Tenant => "tenant",
        BudgetScope::Project => "project",
        BudgetScope::Member => "member",
        BudgetScope::Purpose => "purpose",
    }
}

fn period_word(period: BudgetPeriod) -> &'static str {
    match period {
        BudgetPeriod::Day => "day",
        BudgetPeriod::Month => "month",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_begins_with_its_first_day_in_utc() {
        let at: DateTime<Utc> = "2026-02-28T23:59:59Z".parse().unwrap();
        assert_eq!(period_start(BudgetPeriod::Day, at), "2026-02-28");
        assert_eq!(period_start(BudgetPeriod::Month, at), "2026-02-01");
    }
}
