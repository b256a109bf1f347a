//! A cancelled analysis stops between two files, however many it processes at once.

use std::time::Instant;

use super::*;

/// Enough files for some time of parsing, all different.
fn large_tree() -> Tree {
    let function = |file: usize, n: usize| {
        format!(
            "def function_{file}_{n}(value, other):\n    if value and other:\n        return [value + {n} for value in other if value > {file}]\n    return None\n\n"
        )
    };
    (0..600)
        .map(|file| {
            let text = (0..80).map(|n| function(file, n)).collect();
            (format!("app/file_{file:04}.py"), text)
        })
        .collect()
}

/// A handler that processes one file after the other, all of them in one batch.
fn handler() -> AnalysisHandler {
    AnalysisHandler::new(AnalysisOptions {
        jobs: 1,
        batch_files: usize::MAX,
        batch_bytes: usize::MAX,
        ..AnalysisOptions::default()
    })
}

on_both_databases! {
    async fn a_cancelled_analysis_reads_no_further_files(db: TestDatabase) {
        let store = store(&db).await;
        let tree = large_tree();
        let mut took = Vec::new();
        for slug in ["whole", "cancelled"] {
            let (tenant, _) = tenant(&store, slug).await;
            let (project, _) = project(&store, tenant.id, "home", &tree).await;
            let (start, _) = begin(&store, tenant.id, project).await;
            let run = start.run().id;
            let workers = Workers::builder(&store).handler(handler()).start().unwrap();
            let mut events = Box::pin(run_follow(&store, tenant.id, run, 0));
            let mut parsing = None;
            while let Some(event) = events.next().await {
                match event.unwrap().body {
                    EventBody::PhaseStarted { phase } if phase == "facts" => {
                        parsing = Some(Instant::now());
                        if slug == "cancelled" {
                            let scoped = store.write(tenant.id).await.unwrap();
                            run_cancel(&scoped, run).await.unwrap();
                            scoped.commit().await.unwrap();
                        }
                    }
                    // The next phase of the run that is not cancelled, or the end of the other.
                    EventBody::PhaseStarted { phase } if phase == "summarize" => {
                        took.push(parsing.unwrap().elapsed());
                    }
                    EventBody::Finished { status } if slug == "cancelled" => {
                        took.push(parsing.unwrap().elapsed());
                        assert_eq!(status, RunStatus::Cancelled);
                    }
                    _ => {}
                }
            }
            workers.shutdown().await;
            let kept = if slug == "whole" { tree.len() as i64 } else { 0 };
            assert_eq!(facts_kept(&store, tenant.id).await, kept);
        }
        assert!(took[1] < took[0] / 2, "{took:?}");
    }
}
