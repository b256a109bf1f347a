//! The effect of uses on a persona: XP, level and success rate, counted once per run, and never lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use nyxcore_note_enrichment::{
    EnrichmentHandler, NOTE_ENRICHMENT_RUN, NewEnrichment, enrichment_failed, enrichment_start,
};
use nyxcore_personas::{
    NewPersona, Persona, PersonaId, PersonaUse, Personas, persona_create, persona_delete,
    persona_use_record,
};
use nyxcore_projects::{NoteId, note_delete};
use nyxcore_runs::{
    RunContext, RunFailure, RunHandler, RunId, RunKind, RunStatus, Runs, Workers, run_cancel,
    run_follow,
};
use nyxcore_tenancy::{Repository, Store};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement, Value};

use crate::note_enrichment::world::{note, project};
use crate::support::{self, has_world, store, store_at_rest, tenant};

/// A tenant with a persona and a note.
struct PersonaWorld {
    world: support::World,
    persona: PersonaId,
    note: NoteId,
}

has_world!(PersonaWorld);

impl PersonaWorld {
    async fn new(store: Store) -> Self {
        let world = support::World::new(store, "acme").await;
        let scoped = world.write().await;
        let new = NewPersona {
            name: "Vera".into(),
            ..NewPersona::default()
        };
        let persona = persona_create(&scoped, new).await.unwrap().id;
        let home = project(&scoped, "home").await;
        let note = note(&scoped, home, "Leases", "How are they renewed?")
            .await
            .id;
        scoped.commit().await.unwrap();
        Self {
            world,
            persona,
            note,
        }
    }

    async fn start(&self) -> RunId {
        let scoped = self.write().await;
        let new = NewEnrichment {
            persona_id: Some(self.persona),
            ..NewEnrichment::extractive(self.note)
        };
        let (start, _) = enrichment_start(&scoped, new).await.unwrap();
        assert!(start.is_started());
        scoped.commit().await.unwrap();
        start.run().id
    }

    /// Carries out the run with workers, wired as in the program, and returns its status.
    async fn work(&self, run: RunId, handler: impl RunHandler) -> RunStatus {
        let workers = Workers::builder(&self.store)
            .handler(handler)
            .failed(NOTE_ENRICHMENT_RUN, enrichment_failed())
            .swept(NOTE_ENRICHMENT_RUN, enrichment_failed())
            .start()
            .unwrap();
        run_follow(&self.store, self.tenant.id, run, 0)
            .for_each(|event| async move { drop(event.unwrap()) })
            .await;
        workers.shutdown().await;
        let scoped = self.read().await;
        Runs::require(&scoped, run).await.unwrap().status
    }

    async fn persona(&self) -> Persona {
        let scoped = self.read().await;
        Personas::require(&scoped, self.persona).await.unwrap()
    }

    /// XP, uses and successes.
    async fn sums(&self) -> (i64, i64, i64) {
        let persona = self.persona().await;
        (persona.xp, persona.usage_count, persona.success_count)
    }
}

/// How a handler fails.
enum Fails {
    /// Fails for good before the work.
    Before,
    /// Panics before the work.
    Panics,
    /// Does the work and then fails, the first time.
    After(RunFailure, AtomicBool),
}

/// A handler that enriches, and fails.
struct Failing(EnrichmentHandler, Fails);

impl Failing {
    fn new(fails: Fails) -> Self {
        Self(EnrichmentHandler::new(), fails)
    }

    fn after(failure: RunFailure) -> Self {
        Self::new(Fails::After(failure, AtomicBool::new(true)))
    }
}

impl RunHandler for Failing {
    fn kind(&self) -> RunKind {
        NOTE_ENRICHMENT_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            match &self.1 {
                Fails::Before => Err(no_way()),
                Fails::Panics => panic!("a defect of a handler"),
                Fails::After(failure, is_first) => {
                    self.0.run(context).await?;
                    match is_first.swap(false, Ordering::SeqCst) {
                        true => Err(failure.clone()),
                        false => Ok(()),
                    }
                }
            }
        }
        .boxed()
    }
}

fn no_way() -> RunFailure {
    RunFailure::permanent("NO_WAY", "it cannot be done")
}

on_both_databases! {
    async fn an_extractive_enrichment_is_a_use_of_its_persona(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        assert_eq!(world.persona().await.success_rate(), None);
        let run = world.start().await;
        assert_eq!(world.sums().await, (0, 0, 0));
        assert_eq!(world.work(run, EnrichmentHandler::new()).await, RunStatus::Succeeded);
        assert_eq!(world.sums().await, (10, 1, 1));
        assert_eq!(world.persona().await.success_rate(), Some(1.0));
    }

    async fn a_failed_run_is_a_use_without_success(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        let run = world.start().await;
        assert_eq!(world.work(run, Failing::new(Fails::Before)).await, RunStatus::Failed);
        assert_eq!(world.sums().await, (10, 1, 0));
        let run = world.start().await;
        assert_eq!(world.work(run, Failing::new(Fails::Panics)).await, RunStatus::Failed);
        assert_eq!(world.sums().await, (20, 2, 0));
        let run = world.start().await;
        world.work(run, EnrichmentHandler::new()).await;
        assert_eq!(world.sums().await, (30, 3, 1));
        assert_eq!(world.persona().await.success_rate(), Some(1.0 / 3.0));
    }

    async fn a_run_that_is_tried_again_is_one_use(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        let run = world.start().await;
        let passing = RunFailure::transient("LOST", "the answer was lost");
        assert_eq!(world.work(run, Failing::after(passing)).await, RunStatus::Succeeded);
        assert_eq!(world.sums().await, (10, 1, 1));
    }

    async fn a_run_that_failed_after_it_saved_stays_a_success(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        let run = world.start().await;
        assert_eq!(world.work(run, Failing::after(no_way())).await, RunStatus::Failed);
        assert_eq!(world.sums().await, (10, 1, 1));
    }

    async fn a_swept_run_is_a_use_without_success(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let world = PersonaWorld::new(store).await;
        let run = world.start().await;
        // Its worker is lost for the third time, which is the limit.
        let raw = db.superuser_connection().await.unwrap();
        let now = world.store.env().now();
        let sql = "UPDATE runs SET status = 'RUNNING', worker = $1, attempt = 3, lease_expires_at = $2, progress_at = $3 WHERE id = $4";
        let values: [Value; 4] = [world.store.env().id().into(), now.into(), now.into(), run.0.into()];
        raw.execute_raw(Statement::from_sql_and_values(db.backend(), sql, values)).await.unwrap();
        clock.advance(TimeDelta::minutes(1));
        assert_eq!(world.work(run, EnrichmentHandler::new()).await, RunStatus::Failed);
        assert_eq!(world.sums().await, (10, 1, 0));
    }

    async fn a_cancelled_run_is_no_use(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        let run = world.start().await;
        let scoped = world.write().await;
        run_cancel(&scoped, run).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.work(run, EnrichmentHandler::new()).await, RunStatus::Cancelled);
        assert_eq!(world.sums().await, (0, 0, 0));
    }

    async fn fifty_uses_at_once_are_five_hundred_points(db: TestDatabase) {
        let world = Arc::new(PersonaWorld::new(store(&db).await).await);
        let mut runs = Vec::new();
        for _ in 0..50 {
            let run = world.start().await;
            let scoped = world.write().await;
            run_cancel(&scoped, run).await.unwrap();
            scoped.commit().await.unwrap();
            runs.push(run);
        }
        let uses = runs.iter().enumerate().map(|(number, run)| {
            let (world, run) = (Arc::clone(&world), *run);
            let done = PersonaUse { persona: world.persona, run, succeeded: number % 5 != 0 };
            tokio::spawn(async move {
                let scoped = world.write().await;
                assert!(persona_use_record(&scoped, done).await.unwrap());
                scoped.commit().await.unwrap();
            })
        });
        for done in uses.collect::<Vec<_>>() {
            done.await.unwrap();
        }
        assert_eq!(world.sums().await, (500, 50, 40));
        let persona = world.persona().await;
        assert_eq!((persona.level(), persona.success_rate()), (6, Some(0.8)));
    }

    async fn a_use_counts_once_whatever_is_said_later(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        let run = world.start().await;
        let scoped = world.write().await;
        let done = PersonaUse { persona: world.persona, run, succeeded: false };
        assert!(persona_use_record(&scoped, done).await.unwrap());
        for succeeded in [false, true] {
            assert!(!persona_use_record(&scoped, PersonaUse { succeeded, ..done }).await.unwrap());
        }
        scoped.commit().await.unwrap();
        assert_eq!(world.sums().await, (10, 1, 0));
        // A use does not count as a change of the persona.
        let persona = world.persona().await;
        assert_eq!(persona.updated_at, persona.created_at);
    }

    async fn a_persona_or_note_that_is_gone_has_no_use(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        let run = world.start().await;
        let scoped = world.write().await;
        note_delete(&scoped, world.note).await.unwrap();
        scoped.commit().await.unwrap();
        world.work(run, EnrichmentHandler::new()).await;
        assert_eq!(world.sums().await, (0, 0, 0));

        let world = PersonaWorld { note: another_note(&world).await, ..world };
        let run = world.start().await;
        let scoped = world.write().await;
        persona_delete(&scoped, world.persona).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.work(run, EnrichmentHandler::new()).await, RunStatus::Succeeded);
    }

    async fn another_tenants_persona_earns_nothing(db: TestDatabase) {
        let world = PersonaWorld::new(store(&db).await).await;
        let run = world.start().await;
        let (other, _) = tenant(&world.store, "other").await;
        let scoped = world.store.write(other.id).await.unwrap();
        let theirs = PersonaUse { persona: world.persona, run, succeeded: true };
        assert!(!persona_use_record(&scoped, theirs).await.unwrap());
        // Nor is a tenant's own persona changed by another tenant's run.
        let new = NewPersona { name: "Otto".into(), ..NewPersona::default() };
        let own = persona_create(&scoped, new).await.unwrap();
        let refused = persona_use_record(&scoped, PersonaUse { persona: own.id, ..theirs }).await;
        assert_eq!(refused.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(world.sums().await, (0, 0, 0));
    }
}

async fn another_note(world: &PersonaWorld) -> NoteId {
    let scoped = world.write().await;
    let away = project(&scoped, "away").await;
    let note = note(&scoped, away, "Leases", "").await;
    scoped.commit().await.unwrap();
    note.id
}
