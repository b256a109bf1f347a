//! A model that refuses, costs too much or does not answer: the search continues by words, and reports it.

use std::sync::atomic::Ordering::SeqCst;

use nyxcore_embeddings::PURPOSE;
use nyxcore_model_catalog::{
    BudgetEnforcement, BudgetPeriod, BudgetScope, CallOutcome, Nanousd, NewBudget,
};
use nyxcore_runs::{EventBody, Level, RunStatus, event_list};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::Desk;

on_both_databases! {
    async fn a_failed_question_is_answered_by_words(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        desk.script.refuses.store(1, SeqCst);
        let meaning = desk.meaning("lease").await;
        assert_eq!(meaning.vector, None);
        assert!(meaning.failure.is_some_and(|why| why.starts_with("PROVIDER_KEY_INVALID")));
        let hits = desk.find("lease").await;
        assert_eq!((hits.len(), hits[0].explanation.vector_rank), (1, None));
    }

    async fn a_budget_ends_the_run_and_keeps_nothing(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        let budget = NewBudget {
            scope: BudgetScope::Purpose,
            project_id: None,
            user_id: None,
            purpose: Some(PURPOSE.to_owned()),
            period: BudgetPeriod::Month,
            enforcement: BudgetEnforcement::Hard,
            limit: Nanousd(1),
        };
        desk.models.budget_add(budget).await;
        let run = desk.run().await;
        assert_eq!((run.status, run.error.unwrap().code.as_str()), (RunStatus::Failed, "BUDGET_EXCEEDED"));
        let row = desk.models.row().await;
        assert_eq!((row.outcome, row.context.purpose.as_str(), row.context.run), (CallOutcome::Refused, PURPOSE, Some(run.id.0)));
        assert_eq!(desk.vectors().await, []);
        assert_eq!(desk.embedded(), 0);
    }

    async fn a_refused_text_is_left_out_and_told(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        desk.publish("bad", "Bad", "This is unspeakable.").await;
        let run = desk.run().await;
        assert_eq!(run.status, RunStatus::Succeeded);
        let scoped = desk.models.read().await;
        let events = event_list(&scoped, run.id, 0, 100).await.unwrap();
        let warned = events.iter().any(|event| {
            matches!(&event.body, EventBody::Message { level: Level::Warning, text } if text.contains("refused 1 texts"))
        });
        assert!(warned, "{events:?}");
        drop(scoped);
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
        assert_eq!(desk.titles("unspeakable").await, ["Bad"]);
        // The model is not called again.
        let before = desk.embedded();
        assert_eq!(desk.run().await.status, RunStatus::Succeeded);
        assert_eq!(desk.embedded(), before);
    }

    async fn a_model_that_takes_no_text_fails_the_run(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("bad", "Bad", "This is unspeakable.").await;
        let run = desk.run().await;
        assert_eq!((run.status, run.error.unwrap().code.as_str()), (RunStatus::Failed, "REQUEST_REFUSED"));
        assert_eq!(desk.vectors().await, []);
    }

    async fn the_cost_of_a_run_is_in_the_ledger(db: TestDatabase) {
        let desk = Desk::new(&db).await;
        desk.publish("lease", "Leases", "A lease is renewed.").await;
        let run = desk.run().await;
        let row = desk.models.row().await;
        assert_eq!((row.outcome, row.context.run, row.context.step.as_deref()), (CallOutcome::Succeeded, Some(run.id.0), Some("embed")));
        assert!(row.cost > Nanousd::ZERO);
        assert_eq!(desk.titles("prolong").await, ["Leases"]);
        let rows = desk.models.ledger().await;
        assert_eq!((rows.len(), rows[1].context.step.as_deref()), (2, Some("question")));
    }
}
