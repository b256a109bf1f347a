//! Budgets for calls of models.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_model_catalog::{
    Budget, BudgetId, BudgetStanding, Nanousd, NewBudget, budget_create, budget_delete,
    budget_standing, budget_update, run_budget_get, run_budget_set,
};
use nyxcore_projects::ProjectId;
use nyxcore_runs::RunId;
use nyxcore_tenancy::{Error, ReadWrite, Scoped, TypedId, UserId};

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::budget::{BudgetEnforcementName, BudgetNode, BudgetPeriodName, BudgetScopeName};
use crate::schema::ids::{global_id, id_of, id_of_option};

#[derive(Default)]
pub(crate) struct BudgetMutation;

#[Object]
impl BudgetMutation {
    /// Makes a budget. What was spent before it was made does not count.
    async fn create_budget(
        &self,
        context: &Context<'_>,
        input: CreateBudgetInput,
    ) -> Result<CreateBudgetPayload> {
        let project = id_of_option::<ProjectId>(input.project_id.as_ref())?;
        let new = NewBudget {
            scope: input.scope.into(),
            project_id: project.map(TypedId::uuid),
            user_id: id_of_option::<UserId>(input.user_id.as_ref())?,
            purpose: input.purpose,
            period: input.period.into(),
            enforcement: input.enforcement.into(),
            limit: limit(input.limit_usd)?,
        };
        let budget = operation(context)
            .change(async |scoped| budget_create(scoped, new).await)
            .await?;
        Ok(CreateBudgetPayload {
            budget: node(context, budget).await?,
        })
    }

    /// Changes how much may be spent, and what happens then.
    async fn update_budget(
        &self,
        context: &Context<'_>,
        input: UpdateBudgetInput,
    ) -> Result<UpdateBudgetPayload> {
        let id = id_of::<BudgetId>(&input.budget_id)?;
        let limit = input.limit_usd.map(limit).transpose()?;
        let enforcement = input.enforcement.map(Into::into);
        let budget = operation(context)
            .change(async |scoped| budget_update(scoped, id, limit, enforcement).await)
            .await?;
        Ok(UpdateBudgetPayload {
            budget: node(context, budget).await?,
        })
    }

    /// Deletes a budget. What was spent stays in the reports.
    async fn delete_budget(
        &self,
        context: &Context<'_>,
        input: DeleteBudgetInput,
    ) -> Result<DeleteBudgetPayload> {
        let id = id_of::<BudgetId>(&input.budget_id)?;
        operation(context)
            .change(async |scoped| budget_delete(scoped, id).await)
            .await?;
        Ok(DeleteBudgetPayload {
            deleted_budget_id: global_id(id),
        })
    }

    /// Gives a run a budget of its own, or changes it. Where it is spent, what is under way ends and nothing further
    /// starts; raised, the run can go on.
    async fn set_run_budget(
        &self,
        context: &Context<'_>,
        input: SetRunBudgetInput,
    ) -> Result<SetRunBudgetPayload> {
        let run = id_of::<RunId>(&input.run_id)?;
        let limit = limit(input.limit_usd)?;
        let change = async |scoped: &Scoped<ReadWrite>| {
            run_budget_set(scoped, run.uuid(), limit).await?;
            run_budget_get(scoped, run.uuid()).await
        };
        let budget = operation(context).change(change).await?;
        let budget = budget.ok_or(Error::NotFound("run"))?;
        Ok(SetRunBudgetPayload {
            run_id: global_id(run),
            limit_usd: budget.limit.usd(),
            spent_usd: budget.spent.usd(),
            reserved_usd: budget.reserved.usd(),
        })
    }
}

async fn node(context: &Context<'_>, budget: Budget) -> Result<BudgetNode> {
    let scoped = operation(context).read().await?;
    let standing: BudgetStanding = budget_standing(&scoped, budget).await?;
    Ok(BudgetNode(standing))
}

fn limit(usd: f64) -> Result<Nanousd, ApiError> {
    Nanousd::from_usd(usd)
        .ok_or_else(|| ApiError::invalid("a budget is a number of US dollars from 0 on"))
}

/// A budget to make. It names the project, member or purpose that its scope is about, and nothing else.
#[derive(InputObject)]
struct CreateBudgetInput {
    /// What it is for.
    scope: BudgetScopeName,
    /// The project, for the scope PROJECT.
    project_id: Option<ID>,
    /// The member, for the scope MEMBER.
    user_id: Option<ID>,
    /// The purpose, for the scope PURPOSE.
    purpose: Option<String>,
    /// The time it is for.
    period: BudgetPeriodName,
    /// What happens where it is spent.
    enforcement: BudgetEnforcementName,
    /// US dollars that may be spent in a period.
    limit_usd: f64,
}

/// The budget that was made.
#[derive(SimpleObject)]
struct CreateBudgetPayload {
    /// The budget.
    budget: BudgetNode,
}

/// What of a budget is to change. What is left out stays.
#[derive(InputObject)]
struct UpdateBudgetInput {
    /// Which.
    budget_id: ID,
    /// US dollars that may be spent in a period.
    limit_usd: Option<f64>,
    /// What happens where it is spent.
    enforcement: Option<BudgetEnforcementName>,
}

/// The budget as it is now.
#[derive(SimpleObject)]
struct UpdateBudgetPayload {
    /// The budget.
    budget: BudgetNode,
}

/// The budget to delete.
#[derive(InputObject)]
struct DeleteBudgetInput {
    /// Which.
    budget_id: ID,
}

/// The budget that is gone.
#[derive(SimpleObject)]
struct DeleteBudgetPayload {
    /// Its id.
    deleted_budget_id: ID,
}

/// How much a run may spend.
#[derive(InputObject)]
struct SetRunBudgetInput {
    /// Which.
    run_id: ID,
    /// US dollars that it may spend in all.
    limit_usd: f64,
}

/// The run's budget as it is now.
#[derive(SimpleObject)]
struct SetRunBudgetPayload {
    /// The run.
    run_id: ID,
    /// US dollars that it may spend in all.
    limit_usd: f64,
    /// US dollars that it has spent.
    spent_usd: f64,
    /// US dollars that calls under way may cost at the most.
    reserved_usd: f64,
}
