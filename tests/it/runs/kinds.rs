//! Every kind of run that has a handler is taken, however many kinds there are.

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_runs::{
    EventBody, NewRun, RunContext, RunFailure, RunHandler, RunKind, RunStatus, Workers, run_start,
};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::Iterable;

use super::{followed, new_run};
use crate::support::{store, tenant};

struct Done(RunKind);

impl RunHandler for Done {
    fn kind(&self) -> RunKind {
        self.0
    }

    fn run<'a>(&'a self, _: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async { Ok(()) }.boxed()
    }
}

on_both_databases! {
    async fn a_run_of_every_kind_is_claimed(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let builder = RunKind::iter().fold(Workers::builder(&store), |workers, kind| workers.handler(Done(kind)));
        let workers = builder.start();
        for kind in RunKind::iter() {
            let scoped = store.write(acme.id).await.unwrap();
            let run = run_start(&scoped, NewRun { kind, ..new_run("a") }).await.unwrap().run().id;
            scoped.commit().await.unwrap();
            let events = followed(&store, acme.id, run, 0).await;
            assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Succeeded }, "{kind:?}");
        }
        workers.shutdown().await;
    }
}
