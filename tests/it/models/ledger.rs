//! The ledger records every call, also cancelled ones and those at the end of the program; and the reports over it.

use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use nyxcore_llm::testing::{Fault, Reply, anthropic};
use nyxcore_llm::{ModelRequest, StreamEvent, UsageSource};
use nyxcore_model_catalog::{
    BudgetEnforcement, BudgetScope, CallContext, CallOutcome, ModelChoice, Nanousd, UsageFilter,
    UsageGroup, UsageKey, usage_rows, usage_total,
};
use nyxcore_tests::{TestDatabase, on_both_databases};
use uuid::Uuid;

use super::world::{ModelWorld, ledger, short, this_year};

const MODEL: &str = "claude-sonnet-4-6";

fn choice() -> ModelChoice {
    ModelChoice::Model(MODEL.to_owned())
}

on_both_databases! {
    async fn a_stream_that_is_dropped_is_settled_as_cancelled(db: TestDatabase) {
        let whole = anthropic::text("Hello, this is a longer answer.");
        // After the third piece of text.
        let (stalled, _) = whole.match_indices("text_delta").nth(3).unwrap();
        let world = ModelWorld::replies(&db, [Reply::events(whole).fault(Fault::Stall(stalled))]).await;
        world.budget(BudgetScope::Tenant, BudgetEnforcement::Hard, Nanousd(1_000_000_000)).await;
        let mut call = world.service.stream(world.context(), choice(), short()).await.unwrap();
        let first = call.next().await.unwrap().unwrap();
        assert!(matches!(first, StreamEvent::Usage(_) | StreamEvent::TextDelta(_)), "{first:?}");
        while !matches!(call.next().await, Some(Ok(StreamEvent::TextDelta(_)))) {}
        drop(call);
        // The request to the vendor is cancelled too.
        world.vendor.left(1).await;
        let row = world.row().await;
        assert_eq!((row.outcome, row.usage.source), (CallOutcome::Cancelled, UsageSource::Estimated));
        assert_eq!(row.usage.input_tokens, 12, "the vendor had counted the input");
        assert!(row.cost > Nanousd::ZERO && row.usage.output_tokens > 0);
        let standing = &world.budgets().await[0];
        assert_eq!((standing.reserved, standing.spent), (Nanousd::ZERO, row.cost));
    }

    async fn an_abandoned_call_is_settled_as_cancelled(db: TestDatabase) {
        let world = ModelWorld::replies(&db, [Reply::events("").fault(Fault::Silence)]).await;
        world.budget(BudgetScope::Tenant, BudgetEnforcement::Hard, Nanousd(1_000_000_000)).await;
        let call = world.service.call(world.context(), choice(), short());
        let left = tokio::time::timeout(Duration::from_millis(500), call).await;
        assert!(left.is_err());
        world.vendor.left(1).await;
        let row = world.row().await;
        assert_eq!(row.outcome, CallOutcome::Cancelled);
        // The vendor may have processed the prompt.
        assert!(row.usage.input_tokens > 0 && row.usage.output_tokens == 0);
        let standing = &world.budgets().await[0];
        assert_eq!((standing.reserved, standing.spent), (Nanousd::ZERO, row.cost));
    }

    async fn nothing_is_lost_at_the_end_of_the_program(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let calls = (0..30).map(|_| world.ask(MODEL));
        for answer in futures::future::join_all(calls).await {
            answer.unwrap();
        }
        assert!(world.service.drain(Duration::from_secs(60)).await);
        assert_eq!(ledger(&world.store, world.tenant.id).await.len(), 30);
        assert_eq!(world.refused(MODEL).await, "MODEL_SERVICE_CLOSED");
    }

    async fn the_end_of_the_program_waits_for_a_call_under_way(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let call = world.service.stream(world.context(), choice(), short()).await.unwrap();
        let service = world.service.clone();
        let draining = tokio::spawn(async move { service.drain(Duration::from_secs(60)).await });
        call.answer().await.unwrap();
        assert!(draining.await.unwrap());
        assert_eq!(ledger(&world.store, world.tenant.id).await[0].outcome, CallOutcome::Succeeded);
    }

    async fn a_report_sums_up_by_day_model_purpose_project_and_member(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let project = Uuid::from_u128(7);
        let call = async |context: CallContext, model: &str| {
            let choice = ModelChoice::Model(model.to_owned());
            world.service.call(context, choice, short()).await.unwrap().cost
        };
        let one = call(world.context(), MODEL).await;
        world.clock.advance(TimeDelta::days(1));
        let two = call(CallContext { project: Some(project), ..world.context() }, MODEL).await;
        let three = call(CallContext { purpose: "other".into(), user: None, ..world.context() }, "gpt-4.1-mini").await;
        world.ledger().await;
        let scoped = world.store.read(world.tenant.id).await.unwrap();
        let report = async |group| {
            let rows = usage_rows(&scoped, &this_year(), group).await.unwrap();
            let costs: i64 = rows.iter().map(|(_, sum)| sum.cost.0).sum();
            assert_eq!(costs, one.plus(two).plus(three).0);
            rows.into_iter().map(|(key, sum)| (key, sum.calls)).collect::<Vec<_>>()
        };
        let total = usage_total(&scoped, &this_year()).await.unwrap();
        assert_eq!((total.calls, total.cost), (3, one.plus(two).plus(three)));
        let day = |day: &str| UsageKey::Day(day.to_owned());
        assert_eq!(report(UsageGroup::Day).await, [(day("2026-01-01"), 1), (day("2026-01-02"), 2)]);
        let model = |provider: &str, model: &str| UsageKey::Model { provider: provider.into(), model: model.into() };
        assert_eq!(report(UsageGroup::Model).await, [(model("anthropic", MODEL), 2), (model("openai", "gpt-4.1-mini"), 1)]);
        let purpose = |purpose: &str| UsageKey::Purpose(purpose.to_owned());
        assert_eq!(report(UsageGroup::Purpose).await, [(purpose("test"), 2), (purpose("other"), 1)]);
        assert!(report(UsageGroup::Project).await.contains(&(UsageKey::Project(Some(project)), 1)));
        assert!(report(UsageGroup::Member).await.contains(&(UsageKey::Member(Some(world.owner.id)), 2)));
        let of_project = UsageFilter { project: Some(project), ..this_year() };
        let total = usage_total(&scoped, &of_project).await.unwrap();
        assert_eq!((total.calls, total.cost), (1, two));
        let backwards = UsageFilter { from: this_year().to, to: this_year().from, project: None };
        assert_eq!(usage_total(&scoped, &backwards).await.unwrap_err().code(), "INVALID_INPUT");
        // A tenant without calls has an empty report.
        drop(scoped);
        let (rival, _) = crate::support::tenant(&world.store, "rival").await;
        let scoped = world.store.read(rival.id).await.unwrap();
        assert_eq!(usage_total(&scoped, &this_year()).await.unwrap().calls, 0);
        assert!(usage_rows(&scoped, &this_year(), UsageGroup::Day).await.unwrap().is_empty());
    }

    async fn the_prompt_is_not_in_the_ledger(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let request = ModelRequest { system: Some("the system text".into()), ..ModelRequest::new("", "the secret prompt") };
        world.service.call(world.context(), choice(), request).await.unwrap();
        let row = format!("{:?}", world.row().await);
        assert!(!row.contains("secret prompt") && !row.contains("system text"), "{row}");
    }
}
