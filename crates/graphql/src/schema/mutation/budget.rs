//! Mutations of budgets for model calls.

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
    /// Creates a budget. Earlier spending does not count.
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

    /// Changes the limit or the enforcement of a budget.
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

    /// Deletes a budget. The spending stays in the usage reports.
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

    /// Sets the budget of one run. When it is exhausted, calls in progress end and no further call starts. The run can
    /// continue after the budget is raised.
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
        .ok_or_else(|| ApiError::invalid("a budget must be a number of US dollars of at least 0"))
}

/// The budget to create. Set only the target that belongs to its scope: the project, the member or the purpose.
#[derive(InputObject)]
struct CreateBudgetInput {
    /// What the budget applies to.
    scope: BudgetScopeName,
    /// The project, for scope PROJECT.
    project_id: Option<ID>,
    /// The member, for scope MEMBER.
    user_id: Option<ID>,
    /// The purpose, for scope PURPOSE.
    purpose: Option<String>,
    /// The length of the period.
    period: BudgetPeriodName,
    /// What happens when the limit is reached.
    enforcement: BudgetEnforcementName,
    /// The limit per period, in US dollars.
    limit_usd: f64,
}

/// The created budget.
#[derive(SimpleObject)]
struct CreateBudgetPayload {
    /// The budget.
    budget: BudgetNode,
}

/// The changes to a budget. Omitted fields stay unchanged.
#[derive(InputObject)]
struct UpdateBudgetInput {
    /// The id of the budget.
    budget_id: ID,
    /// The limit per period, in US dollars.
    limit_usd: Option<f64>,
    /// What happens when the limit is reached.
    enforcement: Option<BudgetEnforcementName>,
}

/// The changed budget.
#[derive(SimpleObject)]
struct UpdateBudgetPayload {
    /// The budget.
    budget: BudgetNode,
}

/// The budget to delete.
#[derive(InputObject)]
struct DeleteBudgetInput {
    /// The id of the budget.
    budget_id: ID,
}

/// The deleted budget.
#[derive(SimpleObject)]
struct DeleteBudgetPayload {
    /// The id of the deleted budget.
    deleted_budget_id: ID,
}

/// The budget of a run.
#[derive(InputObject)]
struct SetRunBudgetInput {
    /// The id of the run.
    run_id: ID,
    /// The total limit of the run, in US dollars.
    limit_usd: f64,
}

/// The changed budget of the run.
#[derive(SimpleObject)]
struct SetRunBudgetPayload {
    /// The id of the run.
    run_id: ID,
    /// The total limit of the run, in US dollars.
    limit_usd: f64,
    /// US dollars spent by the run.
    spent_usd: f64,
    /// The maximum cost of the calls in progress, in US dollars.
    reserved_usd: f64,
}
