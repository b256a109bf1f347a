//! Optional steps of an analysis: a failed step is a warning, and the other results are kept.

use nyxcore_code_engine::analysis::{ProjectAnalysis, Step, project_summarize_checked};
use nyxcore_code_engine::project::ProjectInput;
use nyxcore_runs::RunFailure;

use super::world::messages;
use super::*;

/// The engine without two of its steps.
fn without_two_steps(
    input: &ProjectInput,
    check: &(dyn Fn() -> Result<(), RunFailure> + Sync),
) -> Result<ProjectAnalysis, RunFailure> {
    let found = project_summarize_checked(input, check)?;
    Ok(ProjectAnalysis {
        stack: Vec::new(),
        patterns: Vec::new(),
        failed: vec![Step::Stack, Step::Patterns],
        ..found
    })
}

on_both_databases! {
    async fn a_failed_step_is_a_warning_and_keeps_its_last_result(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        analyze(&store, acme.id, project).await;
        let all = ProjectPatterns::default();
        let before = patterns(&store, acme.id, project, &all).await;
        let findings = || async {
            let scoped = store.read(acme.id).await.unwrap();
            let summary = project_summary(&scoped, project).await.unwrap().unwrap();
            (project_findings_of(&scoped, &[project]).await.unwrap().remove(&project).unwrap(), summary.metrics)
        };
        let (found, metrics) = findings().await;

        clock.advance(QUIET_PERIOD);
        sync(&store, acme.id, source, "beef", &[("src/new.rs", "/// Does it.\npub fn file_new() {}\n")]).await;
        let (start, _) = begin(&store, acme.id, project).await;
        let run = start.run().id;
        let handler = AnalysisHandler::default().summarize(without_two_steps);
        let events = work_with(handler, &store, acme.id, run).await;
        let scoped = store.read(acme.id).await.unwrap();
        let analysis = CodeAnalyses::require(&scoped, run).await.unwrap();
        drop(scoped);
        let parts: Vec<&str> = analysis.warnings.iter().map(|warning| warning.part.as_str()).collect();
        assert_eq!(parts, ["stack", "patterns"]);
        let told = messages(&events, Level::Warning);
        assert_eq!(told.len(), 2);
        assert!(told[0].starts_with("stack: ") && told[0].ends_with(&analysis.warnings[0].text), "{told:?}");
        assert_eq!((analysis.patterns_compared, analysis.patterns_found), (false, 0));
        assert_eq!(patterns(&store, acme.id, project, &all).await, before);
        let (now, counted) = findings().await;
        assert_eq!((now.analysis_id, &now.technologies), (run, &found.technologies));
        assert_eq!(counted.functions, metrics.functions + 1);

        // The next analysis must not report everything as new.
        clock.advance(QUIET_PERIOD);
        let (next, _) = analyze(&store, acme.id, project).await;
        assert_eq!((next.patterns_compared, next.warnings), (true, Vec::new()));
        assert_eq!((next.pattern_changes.appeared, next.pattern_changes.vanished), (0, 0));
    }
}
