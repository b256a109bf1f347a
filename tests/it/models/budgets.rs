//! Budgets are enforced, also for many concurrent calls, and their spent amount equals the sum of the ledger.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use nyxcore_model_catalog::{
    BudgetEnforcement, BudgetPeriod, BudgetScope, CallContext, CallOutcome, ModelChoice, Nanousd,
    NewBudget, run_budget_get, run_budget_set, usage_total,
};
use nyxcore_projects::{NewProject, project_create};
use nyxcore_runs::{NewRun, Priority, run_start};
use nyxcore_tests::{TestDatabase, on_both_databases};
use tokio::sync::Barrier;
use uuid::Uuid;

use super::world::{ModelWorld, short, this_year};
use crate::support::WORK;

const MODEL: &str = "claude-sonnet-4-6";

impl ModelWorld {
    /// The maximum cost of a short call.
    async fn bound(&self) -> Nanousd {
        self.ask(MODEL).await.unwrap();
        self.row().await.reserved
    }
}

fn times(amount: Nanousd, count: i64) -> Nanousd {
    Nanousd(amount.0 * count)
}

on_both_databases! {
    async fn a_budget_for_ten_admits_ten_of_a_hundred_calls(db: TestDatabase) {
        // Each admitted call holds its reservation until all calls have asked.
        let all_asked = Arc::new(Barrier::new(100));
        let world = ModelWorld::new(&db).await;
        let bound = world.bound().await;
        let first = world.row().await.cost;
        world.budget(BudgetScope::Tenant, BudgetEnforcement::Hard, times(bound, 10)).await;
        let calls = (0..100).map(|_| {
            let (service, context) = (world.service.clone(), world.context());
            let all_asked = Arc::clone(&all_asked);
            tokio::spawn(async move {
                let call = service.stream(context, ModelChoice::Model(MODEL.to_owned()), short()).await;
                all_asked.wait().await;
                call?.answer().await.map(|answer| answer.cost)
            })
        });
        let (mut admitted, mut spent) = (0, Nanousd::ZERO);
        for outcome in join_all(calls).await {
            match outcome.unwrap() {
                Ok(cost) => {
                    admitted += 1;
                    spent = spent.plus(cost);
                }
                Err(error) => assert_eq!(error.code(), "BUDGET_EXCEEDED", "{error}"),
            }
        }
        assert_eq!(admitted, 10);
        let rows = world.ledger().await;
        let in_ledger: i64 = rows.iter().map(|row| row.cost.0).sum();
        assert_eq!(rows.iter().filter(|row| row.outcome == CallOutcome::Refused).count(), 90);
        let standing = &world.budgets().await[0];
        assert_eq!((standing.spent, standing.reserved), (spent, Nanousd::ZERO));
        // The first call was made before the budget existed.
        assert_eq!(in_ledger, spent.plus(first).0);
        let scoped = world.store.read(world.tenant.id).await.unwrap();
        let total = usage_total(&scoped, &this_year()).await.unwrap();
        assert_eq!((total.cost.0, total.calls, total.failed_calls), (in_ledger, 101, 90));
    }

    async fn a_budget_that_is_spent_refuses_with_the_numbers(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let bound = world.bound().await;
        world.budget(BudgetScope::Tenant, BudgetEnforcement::Hard, Nanousd(bound.0 - 1)).await;
        let asked = world.vendor.requests().len();
        let refused = world.ask(MODEL).await.unwrap_err();
        assert_eq!(refused.code(), "BUDGET_EXCEEDED");
        let text = refused.to_string();
        assert!(text.contains("month") && text.contains("tenant") && text.contains(&bound.to_string()), "{text}");
        assert_eq!(world.vendor.requests().len(), asked, "nothing is sent");
        assert_eq!(world.budgets().await[0].reserved, Nanousd::ZERO);
    }

    async fn a_soft_budget_warns_and_lets_calls_pass(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.budget(BudgetScope::Tenant, BudgetEnforcement::Soft, Nanousd(1)).await;
        let choice = ModelChoice::Model(MODEL.to_owned());
        let answer = world.service.call(world.context(), choice, short()).await.unwrap();
        assert_eq!(answer.info.warnings.len(), 1);
        assert!(answer.info.warnings[0].contains("is exceeded"), "{:?}", answer.info.warnings);
        assert_eq!(world.budgets().await[0].spent, answer.cost);
    }

    async fn a_budget_counts_what_it_is_for(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        let project = project_create(&scoped, NewProject { name: "Atlas".into(), ..NewProject::default() }).await.unwrap().id.0;
        scoped.commit().await.unwrap();
        let large = Nanousd(1_000_000_000_000);
        for scope in [BudgetScope::Member, BudgetScope::Purpose] {
            world.budget(scope, BudgetEnforcement::Hard, large).await;
        }
        let of_project = NewBudget {
            scope: BudgetScope::Project,
            project_id: Some(project),
            user_id: None,
            purpose: None,
            period: BudgetPeriod::Day,
            enforcement: BudgetEnforcement::Hard,
            limit: large,
        };
        world.budget_add(of_project).await;
        let call = async |context: CallContext| {
            let choice = ModelChoice::Model(MODEL.to_owned());
            world.service.call(context, choice, short()).await.unwrap().cost
        };
        let cost = call(world.context()).await;
        call(CallContext { user: None, ..world.context() }).await;
        call(CallContext { purpose: "other".into(), ..world.context() }).await;
        call(CallContext { project: Some(project), user: None, purpose: "other".into(), ..world.context() }).await;
        let spent: Vec<(BudgetScope, i64)> =
            world.budgets().await.iter().map(|one| (one.budget.scope, one.spent.0 / cost.0)).collect();
        assert_eq!(spent, [(BudgetScope::Member, 2), (BudgetScope::Purpose, 2), (BudgetScope::Project, 1)]);
    }

    async fn a_new_period_begins_anew(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let bound = world.bound().await;
        let a_day = NewBudget {
            scope: BudgetScope::Tenant, project_id: None, user_id: None, purpose: None,
            period: BudgetPeriod::Day, enforcement: BudgetEnforcement::Hard, limit: bound,
        };
        world.budget_add(a_day).await;
        world.ask(MODEL).await.unwrap();
        world.service.settled().await;
        assert_eq!(world.refused(MODEL).await, "BUDGET_EXCEEDED");
        world.clock.advance(TimeDelta::days(1));
        world.ask(MODEL).await.unwrap();
    }

    async fn a_run_stops_at_its_own_budget_and_goes_on_when_it_is_raised(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let bound = world.bound().await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        let new = NewRun {
            kind: WORK,
            subject: "workflow:1".into(),
            project_id: None,
            started_by: None,
            input: serde_json::json!({}),
            quiet_period: None,
            max_attempts: 1,
            priority: Priority::Normal,
            not_before: None,
        };
        let run: Uuid = run_start(&scoped, new).await.unwrap().run().id.0;
        run_budget_set(&scoped, run, bound).await.unwrap();
        scoped.commit().await.unwrap();
        let context = || CallContext { run: Some(run), step: Some("draft".into()), ..world.context() };
        let call = async || {
            let choice = ModelChoice::Model(MODEL.to_owned());
            world.service.call(context(), choice, short()).await.map(|answer| answer.cost)
        };
        let spent = call().await.unwrap();
        world.service.settled().await;
        let refused = call().await.unwrap_err();
        assert_eq!(refused.code(), "RUN_BUDGET_EXCEEDED");
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        let budget = run_budget_get(&scoped, run).await.unwrap().unwrap();
        assert_eq!((budget.spent, budget.reserved, budget.limit), (spent, Nanousd::ZERO, bound));
        run_budget_set(&scoped, run, times(bound, 3)).await.unwrap();
        scoped.commit().await.unwrap();
        call().await.unwrap();
        // Other calls are not limited by it.
        world.ask(MODEL).await.unwrap();
    }

    async fn a_budget_that_is_deleted_binds_nobody(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.budget(BudgetScope::Tenant, BudgetEnforcement::Hard, Nanousd::ZERO).await;
        assert_eq!(world.refused(MODEL).await, "BUDGET_EXCEEDED");
        let id = world.budgets().await[0].budget.id;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        nyxcore_model_catalog::budget_delete(&scoped, id).await.unwrap();
        scoped.commit().await.unwrap();
        world.ask(MODEL).await.unwrap();
    }
}
