//! Runs call models: a handler gets the model service from its run, the ledger has the run and its step, and the run's
//! budget is enforced.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use nyxcore_model_catalog::{
    CallContext, CallOutcome, ModelChoice, ModelService, Nanousd, run_budget_get, run_budget_set,
};
use nyxcore_runs::{
    NewRun, Priority, RunContext, RunFailure, RunHandler, RunId, RunKind, RunStatus, Runs, Workers,
    run_follow, run_start,
};
use nyxcore_tenancy::Repository;
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{ModelWorld, short};
use crate::support::WORK;

const MODEL: &str = "claude-sonnet-4-6";

/// A handler that calls a model once for each step.
struct Asker(&'static [&'static str]);

impl RunHandler for Asker {
    fn kind(&self) -> RunKind {
        WORK
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            let models: &ModelService = context.service()?;
            let run = context.run();
            for step in self.0 {
                let of_run = CallContext {
                    project: run.project_id,
                    run: Some(run.id.0),
                    step: Some((*step).to_owned()),
                    ..CallContext::new(context.tenant(), "work")
                };
                let choice = ModelChoice::Model(MODEL.to_owned());
                let answered = models.call(of_run, choice, short()).await;
                answered.map_err(|error| {
                    RunFailure::new(error.code(), error.to_string(), error.is_retryable())
                })?;
                // The next step may spend only what this one has left.
                models.settled().await;
            }
            Ok(())
        }
        .boxed()
    }
}

impl ModelWorld {
    async fn run_queue(&self, limit: Option<Nanousd>) -> RunId {
        let scoped = self.store.write(self.tenant.id).await.unwrap();
        let new = NewRun {
            kind: WORK,
            subject: "work:1".into(),
            project_id: None,
            started_by: None,
            input: serde_json::Value::Null,
            quiet_period: None,
            max_attempts: 1,
            priority: Priority::Normal,
            not_before: None,
        };
        let run = run_start(&scoped, new).await.unwrap().run().id;
        if let Some(limit) = limit {
            run_budget_set(&scoped, run.0, limit).await.unwrap();
        }
        scoped.commit().await.unwrap();
        run
    }

    /// Waits for a run's end, and returns its status and the code of its error.
    async fn run_end(&self, run: RunId) -> (RunStatus, Option<String>) {
        let events = run_follow(&self.store, self.tenant.id, run, 0);
        events
            .for_each(|event| async move { drop(event.unwrap()) })
            .await;
        let scoped = self.store.read(self.tenant.id).await.unwrap();
        let run = Runs::require(&scoped, run).await.unwrap();
        (run.status, run.error.map(|error| error.code))
    }
}

on_both_databases! {
    async fn a_call_of_a_run_is_written_down_with_its_step(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let workers = Workers::builder(&world.store).service(world.service.clone());
        let workers = workers.handler(Asker(&["draft", "review"])).start().unwrap();
        let run = world.run_queue(None).await;
        assert_eq!(world.run_end(run).await, (RunStatus::Succeeded, None));
        workers.shutdown().await;
        let rows = world.ledger().await;
        let of_run: Vec<_> = rows.iter().map(|row| (row.context.run, row.context.step.as_deref())).collect();
        assert_eq!(of_run, [(Some(run.0), Some("draft")), (Some(run.0), Some("review"))]);
        assert!(rows.iter().all(|row| row.outcome == CallOutcome::Succeeded && row.context.purpose == "work"));
    }

    async fn the_cap_of_a_run_ends_its_calls(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.ask(MODEL).await.unwrap();
        let bound = world.row().await.reserved;
        let workers = Workers::builder(&world.store).service(world.service.clone());
        let workers = workers.handler(Asker(&["draft", "review"])).start().unwrap();
        // The budget is enough for one call, and the second one exceeds the rest.
        let run = world.run_queue(Some(bound)).await;
        assert_eq!(world.run_end(run).await, (RunStatus::Failed, Some("RUN_BUDGET_EXCEEDED".to_owned())));
        workers.shutdown().await;
        let rows = world.ledger().await;
        let of_run = rows.iter().filter(|row| row.context.run == Some(run.0));
        let outcomes: Vec<_> = of_run.map(|row| row.outcome).collect();
        assert_eq!(outcomes, [CallOutcome::Succeeded, CallOutcome::Refused]);
        let scoped = world.store.read(world.tenant.id).await.unwrap();
        let budget = run_budget_get(&scoped, run.0).await.unwrap().unwrap();
        assert_eq!((budget.spent, budget.reserved), (rows[1].cost, Nanousd::ZERO));
    }

    async fn a_handler_is_told_what_its_workers_do_not_share(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let workers = Workers::builder(&world.store).handler(Asker(&["draft"])).start().unwrap();
        let run = world.run_queue(None).await;
        assert_eq!(world.run_end(run).await, (RunStatus::Failed, Some("SERVICE_MISSING".to_owned())));
        workers.shutdown().await;
    }
}
