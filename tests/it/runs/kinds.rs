//! Kinds of run: each kind with a handler is claimed, and unregistered kinds are not.

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_runs::{
    EventBody, NewRun, RunContext, RunFailure, RunFilter, RunHandler, RunKind, RunStatus, Runs,
    Workers, run_list, run_start,
};
use nyxcore_sync::SYNC_RUN;
use nyxcore_tenancy::{Env, PageRequest, Registration, Registry, Repository, Store, StoreOptions};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;

use super::{followed, new_run, start};
use crate::support::{WORK, store, tenant};

/// More kinds than the program has.
const MANY: [&str; 12] = [
    "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10", "K11", "K12",
];
const UNKNOWN: RunKind = RunKind::new("OF_A_NEWER_RELEASE");

struct InstantHandler(RunKind);

impl RunHandler for InstantHandler {
    fn kind(&self) -> RunKind {
        self.0.clone()
    }

    fn run<'a>(&'a self, _: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async { Ok(()) }.boxed()
    }
}

on_both_databases! {
    async fn a_run_of_every_kind_is_claimed(db: TestDatabase) {
        let own = MANY.into_iter().fold(Registration::new("tests"), Registration::run_kind);
        let registry = Registry::new([nyxcore_runs::registration(), own]).unwrap();
        let options = StoreOptions::new(db.app_url()).with_registry(registry);
        let store = Store::connect(&options, Env::default()).await.unwrap();
        let (acme, _) = tenant(&store, "acme").await;
        let handlers = MANY.map(|kind| InstantHandler(RunKind::new(kind))).into_iter();
        let workers = handlers.fold(Workers::builder(&store), |workers, handler| workers.handler(handler));
        let workers = workers.start().unwrap();
        for kind in MANY.map(RunKind::new) {
            let scoped = store.write(acme.id).await.unwrap();
            let new = NewRun { kind: kind.clone(), ..new_run("a") };
            let run = run_start(&scoped, new).await.unwrap().run().id;
            scoped.commit().await.unwrap();
            let events = followed(&store, acme.id, run, 0).await;
            assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Succeeded }, "{kind}");
        }
        workers.shutdown().await;
    }

    async fn a_kind_has_one_handler(db: TestDatabase) {
        let store = store(&db).await;
        let workers = Workers::builder(&store).handler(InstantHandler(WORK)).handler(InstantHandler(SYNC_RUN)).handler(InstantHandler(WORK));
        let refused = workers.start().err().unwrap();
        assert_eq!(refused.to_string(), "the kind of run `WORK` has two handlers");
    }

    async fn workers_of_an_unregistered_kind_do_not_start(db: TestDatabase) {
        let store = store(&db).await;
        let builders = [
            Workers::builder(&store).handler(InstantHandler(UNKNOWN)),
            Workers::builder(&store).limit(UNKNOWN, 1),
            Workers::builder(&store).follow_up(UNKNOWN, std::sync::Arc::new(|_, _| async { Ok(()) }.boxed())),
        ];
        for builder in builders {
            let refused = builder.start().err().unwrap().to_string();
            let told = "the kind of run `OF_A_NEWER_RELEASE` is not registered; registered are: ";
            assert!(refused.starts_with(told), "{refused}");
        }
    }

    async fn workers_need_the_registration_of_runs(db: TestDatabase) {
        let options = StoreOptions::new(db.app_url());
        let store = Store::connect(&options, Env::default()).await.unwrap();
        let refused = Workers::builder(&store).start().err().unwrap().to_string();
        assert!(refused.starts_with("the system purpose `run_claim` is not registered; "), "{refused}");
    }

    async fn a_run_of_an_unregistered_kind_is_not_started(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let refused = run_start(&scoped, NewRun { kind: UNKNOWN, ..new_run("a") }).await.unwrap_err();
        assert_eq!(refused.code(), "INTERNAL");
    }

    async fn a_stored_run_of_an_unknown_kind_waits_and_is_listed(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let unknown = start(&store, acme.id, "a").await.run().id;
        let sql = "UPDATE runs SET kind = 'OF_A_NEWER_RELEASE'";
        db.superuser_connection().await.unwrap().execute_unprepared(sql).await.unwrap();
        let workers = Workers::builder(&store).handler(InstantHandler(WORK)).start().unwrap();
        let known = start(&store, acme.id, "a").await.run().id;
        followed(&store, acme.id, known, 0).await;
        workers.shutdown().await;
        let scoped = store.read(acme.id).await.unwrap();
        let all = run_list(&scoped, &RunFilter::default(), &PageRequest::first(10)).await.unwrap().into_items();
        let all: Vec<_> = all.into_iter().map(|run| (run.id, run.kind, run.status)).collect();
        assert_eq!(all, [(known, WORK, RunStatus::Succeeded), (unknown, UNKNOWN, RunStatus::Queued)]);
        assert_eq!(Runs::require(&scoped, unknown).await.unwrap().kind, UNKNOWN);
    }
}
