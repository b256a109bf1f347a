//! Calls of a dead process are settled by the sweep, once, with the whole reserved amount.

use chrono::TimeDelta;
use nyxcore_llm::testing::{Fault, Reply};
use nyxcore_model_catalog::{
    BudgetEnforcement, BudgetScope, CallOutcome, ModelChoice, Nanousd, ReservationSweep,
    reservations_sweep, usage_total,
};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;

use super::world::{ModelWorld, ledger, short, sweep, this_year};

const MODEL: &str = "claude-sonnet-4-6";

/// A vendor that never answers, and a call that waits for it in a process that is about to die.
async fn world_with_a_call(db: &TestDatabase) -> ModelWorld {
    let world = ModelWorld::replies(db, [Reply::events("").fault(Fault::Silence)]).await;
    world
        .budget(
            BudgetScope::Tenant,
            BudgetEnforcement::Hard,
            Nanousd(1_000_000_000),
        )
        .await;
    let (service, context) = (world.service.clone(), world.context());
    // The task is never ended or dropped, as in a process that was killed.
    std::mem::forget(tokio::spawn(async move {
        let choice = ModelChoice::Model(MODEL.to_owned());
        let answer = service.call(context, choice, short()).await;
        std::mem::forget(answer);
    }));
    while world.vendor.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    world
}

on_both_databases! {
    async fn a_call_whose_process_is_gone_is_settled_once(db: TestDatabase) {
        let world = world_with_a_call(&db).await;
        let reserved = world.budgets().await[0].reserved;
        assert!(reserved > Nanousd::ZERO);
        assert_eq!(sweep(&world.store).await, 0, "it holds for two minutes");
        world.clock.advance(TimeDelta::minutes(3));
        let (one, two) = tokio::join!(sweep(&world.store), sweep(&world.store));
        assert_eq!(one + two, 1);
        let rows = ledger(&world.store, world.tenant.id).await;
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].outcome, rows[0].error_code.as_deref()), (CallOutcome::Lost, Some("CALL_LOST")));
        assert_eq!((rows[0].cost, rows[0].duration_ms), (reserved, 180_000));
        let standing = &world.budgets().await[0];
        assert_eq!((standing.reserved, standing.spent), (Nanousd::ZERO, reserved));
        let scoped = world.store.read(world.tenant.id).await.unwrap();
        let total = usage_total(&scoped, &this_year()).await.unwrap();
        assert_eq!((total.calls, total.cost), (1, reserved));
    }

    async fn a_call_that_its_process_extends_is_left(db: TestDatabase) {
        let world = world_with_a_call(&db).await;
        world.clock.advance(TimeDelta::minutes(3));
        assert_eq!(world.service.reservations_extend().await.unwrap(), 1);
        assert_eq!(sweep(&world.store).await, 0);
        world.clock.advance(TimeDelta::minutes(3));
        assert_eq!(sweep(&world.store).await, 1);
    }

    /// The reserved amount is no longer known, and none is invented: each sweep reports the error, and settles the
    /// other calls.
    async fn a_reservation_that_cannot_be_read_is_an_error(db: TestDatabase) {
        let world = world_with_a_call(&db).await;
        let reserved = world.budgets().await[0].reserved;
        let raw = db.superuser_connection().await.unwrap();
        raw.execute_unprepared("UPDATE model_reservations SET budgets = '\"of another version\"'").await.unwrap();
        let asked = world.vendor.requests().len();
        let (service, context) = (world.service.clone(), world.context());
        std::mem::forget(tokio::spawn(async move {
            let choice = ModelChoice::Model(MODEL.to_owned());
            std::mem::forget(service.call(context, choice, short()).await);
        }));
        while world.vendor.requests().len() == asked {
            tokio::task::yield_now().await;
        }
        world.clock.advance(TimeDelta::minutes(3));
        for settled in [1, 0] {
            let swept = reservations_sweep(&world.store).await.unwrap();
            assert_eq!(swept, ReservationSweep { settled, failed: 1 });
        }
        assert_eq!(ledger(&world.store, world.tenant.id).await.len(), 1);
        // The reservation is not released silently.
        assert_eq!(world.budgets().await[0].reserved, reserved);
    }

    async fn an_answer_after_the_sweep_changes_nothing(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let choice = ModelChoice::Model(MODEL.to_owned());
        let call = world.service.stream(world.context(), choice, short()).await.unwrap();
        world.clock.advance(TimeDelta::minutes(3));
        assert_eq!(sweep(&world.store).await, 1);
        call.answer().await.unwrap();
        let rows = world.ledger().await;
        assert_eq!((rows.len(), rows[0].outcome), (1, CallOutcome::Lost));
    }
}
