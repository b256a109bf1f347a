//! Code analysis as a run: results, reuse of facts, refused starts, and the API.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::StreamExt;
use nyxcore_code_analysis::{
    AnalysisHandler, AnalysisOptions, AnalysisPatternChanges, AnalysisTrigger, CODE_ANALYSIS_RUN,
    CodeAnalyses, CodeAnalysis, CodePattern, CodePatterns, ProjectAnalyses, ProjectHotspots,
    ProjectPatterns, QUIET_PERIOD, analysis_catch_up, analysis_latest, analysis_latest_of,
    analysis_start, analysis_start_after_sync, pattern_changes_last, project_findings_of,
    project_summaries_of, project_summary,
};
use nyxcore_code_engine::analysis::Place;
use nyxcore_code_engine::blob_id;
use nyxcore_code_engine::patterns::Pattern;
use nyxcore_code_engine::project::FileHistory;
use nyxcore_code_engine::tree::{TreeOptions, tree_analyze};
use nyxcore_projects::{
    FileChanges, NewBlob, NewFile, NewProject, NewSource, ProjectId, SourceId, blobs_insert,
    churn_add, files_apply, files_by_path, project_create, source_add, source_synced,
};
use nyxcore_retrieval::{KnowledgeKind, SearchRequest, search};
use nyxcore_runs::{
    EventBody, Level, RunEvent, RunId, RunStatus, Runs, Start, Workers, run_cancel, run_follow,
};
use nyxcore_tenancy::{ChildList, PageRequest, Repository, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::FromQueryResult;

use crate::support::{store, store_at_rest, tenant};

mod cancelled;
mod changes;
mod optional;
mod rules;
mod sources;
pub(crate) mod world;

use world::{
    Tree, after_sync, analyze, as_the_engine_says_it, begin, facts_kept, patterns, project, source,
    status, sync, tree, work, work_with,
};

on_both_databases! {
    async fn the_result_is_what_a_look_at_the_same_folder_finds(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let tree = tree();
        let (project, source) = project(&store, acme.id, "home", &tree).await;
        let commits = [("src/open.rs", 7), ("src/read.rs", 3), ("app/main.py", 2)];
        let scoped = store.write(acme.id).await.unwrap();
        churn_add(&scoped, source, &commits).await.unwrap();
        scoped.commit().await.unwrap();
        let (analysis, events) = analyze(&store, acme.id, project).await;

        let folder = tempfile::tempdir().unwrap();
        for (path, text) in &tree {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let history = commits.map(|(path, commits)| FileHistory { path: path.into(), commits: commits as u32 });
        let options = TreeOptions { history: history.to_vec(), ..TreeOptions::default() };
        let mut report = tree_analyze(folder.path(), &options, |_| {}).unwrap();
        report.project.places_visit(|place| if let Place::File { source_id, .. } = place {
            *source_id = Some(source.to_string());
        });

        let scoped = store.read(acme.id).await.unwrap();
        let patterns = ProjectPatterns::default().page(&scoped, project, &PageRequest::first(200)).await.unwrap();
        let patterns: Vec<Pattern> = patterns.into_items().into_iter().map(as_the_engine_says_it).collect();
        assert!(patterns.len() >= 3, "{patterns:#?}");
        // Deviating places are not stored.
        let said = report.project.patterns.into_iter().map(|pattern| Pattern { deviations: Vec::new(), ..pattern });
        assert_eq!(patterns, said.collect::<Vec<_>>());
        assert_eq!(ProjectHotspots.page(&scoped, project, &PageRequest::first(100)).await.unwrap().into_items(), report.project.hotspots);
        assert_eq!(ProjectHotspots.page(&scoped, project, &PageRequest::first(1)).await.unwrap().into_items()[0].path, "src/open.rs");
        let summary = project_summary(&scoped, project).await.unwrap().unwrap();
        assert_eq!((summary.analysis_id, &summary.metrics), (analysis.run_id, &report.project.metrics));
        assert_eq!(summary.technologies, report.project.stack);
        assert_eq!(summary.stack()[..2], ["rust", "axum"]);

        assert_eq!((analysis.files_analyzed, analysis.files_reused, analysis.files_skipped), (tree.len() as i64 - 5, 0, 2));
        assert_eq!(analysis.lines_of_code, i64::from(report.project.metrics.lines_of_code));
        assert_eq!(analysis.patterns_found, patterns.len() as i64);
        assert_eq!(analysis.commit_id.as_deref(), Some("c0ffee"));
        let phases: Vec<&str> = events.iter().filter_map(|event| match &event.body {
            EventBody::PhaseStarted { phase } => Some(phase.as_str()),
            _ => None,
        }).collect();
        assert_eq!(phases, ["scan", "facts", "summarize", "save"]);
    }

    async fn after_a_change_of_one_file_that_file_alone_is_parsed(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        let (first, _) = analyze(&store, acme.id, project).await;
        clock.advance(QUIET_PERIOD);
        let (unchanged, _) = analyze(&store, acme.id, project).await;
        assert_eq!((unchanged.files_analyzed, unchanged.files_reused, unchanged.files_skipped), (0, first.files_analyzed, 2));

        clock.advance(QUIET_PERIOD);
        sync(&store, acme.id, source, "beef", &[("src/open.rs", "pub fn file_open() {\n    let x = 1;\n}\n")]).await;
        let (changed, _) = analyze(&store, acme.id, project).await;
        assert_eq!((changed.files_analyzed, changed.files_reused, changed.files_skipped), (1, first.files_analyzed - 1, 2));
        assert_eq!(changed.commit_id.as_deref(), Some("beef"));

        // Another project of the tenant with the same content needs no parsing.
        let (twin, _) = self::project(&store, acme.id, "twin", &tree()).await;
        let (twin, _) = analyze(&store, acme.id, twin).await;
        assert_eq!((twin.files_analyzed, twin.files_reused), (0, first.files_analyzed));
    }

    async fn a_file_that_does_not_parse_is_reported_and_not_retried(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        let deep = format!("x = {}1{}\n", "(".repeat(5_000), ")".repeat(5_000));
        sync(&store, acme.id, source, "beef", &[("app/deep.py", &deep), ("app/binary.py", "a\0b")]).await;
        let text = "4 files skipped: 1 binary, 1 nested too deeply (app/deep.py), 1 generated, 1 vendored";
        for _ in 0..2 {
            let (analysis, events) = analyze(&store, acme.id, project).await;
            assert_eq!(analysis.files_skipped, 4);
            let named: Vec<(&str, u32, &str)> = analysis.skipped.iter().map(|one| (one.rule.as_str(), one.files, one.paths[0].as_str())).collect();
            assert_eq!(named, [("binary", 1, "app/binary.py"), ("too_deep", 1, "app/deep.py"), ("generated/Cargo.lock", 1, "Cargo.lock"), ("vendored/vendor", 1, "vendor/theirs.py")]);
            let told: Vec<&EventBody> = events.iter().map(|event| &event.body).filter(|body| matches!(body, EventBody::Message { .. })).collect();
            assert_eq!(told, [&EventBody::Message { level: Level::Warning, text: text.into() }]);
            clock.advance(QUIET_PERIOD);
        }
        // Each content has one entry, also if it does not parse. Files that are classified by their paths need none.
        let all = analysis_latest(&store.read(acme.id).await.unwrap(), project).await.unwrap().unwrap();
        assert_eq!(facts_kept(&store, acme.id).await, all.files_reused + 2);
    }

    async fn no_second_analysis_starts_within_the_quiet_period(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let (project, _) = project(&store, acme.id, "home", &tree()).await;
        let scoped = store.write(acme.id).await.unwrap();
        let (start, analysis) = analysis_start(&scoped, project, AnalysisTrigger::Manual, Some(ada.id), QUIET_PERIOD).await.unwrap();
        scoped.commit().await.unwrap();
        let run = start.run().clone();
        assert!(start.is_started());
        assert_eq!((run.kind, run.project_id, run.started_by), (CODE_ANALYSIS_RUN, Some(project.0), Some(ada.id)));
        assert_eq!(run.subject, format!("project:{project}"));
        assert_eq!((analysis.run_id, analysis.trigger, analysis.commit_id), (run.id, AnalysisTrigger::Manual, None));
        let (second, same) = begin(&store, acme.id, project).await;
        assert!(matches!(second, Start::AlreadyActive(active) if active.id == run.id));
        assert_eq!(same.run_id, run.id);

        work(&store, acme.id, run.id).await;
        clock.advance(TimeDelta::seconds(179));
        let (third, same) = begin(&store, acme.id, project).await;
        assert!(matches!(third, Start::RecentlyCompleted(recent) if recent.id == run.id));
        assert_eq!(same.files_skipped, 2);
        clock.advance(TimeDelta::seconds(1));
        assert!(begin(&store, acme.id, project).await.0.is_started());
    }

    async fn code_synced_in_the_quiet_period_is_analysed_after_it(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        let (first, _) = analyze(&store, acme.id, project).await;
        clock.advance(TimeDelta::minutes(1));
        // Another analysis of the same commit reports no change.
        let (none, _) = after_sync(&store, acme.id, project).await;
        assert!(matches!(none, Start::RecentlyCompleted(recent) if recent.id == first.run_id));

        sync(&store, acme.id, source, "beef", &[("src/new.rs", "pub fn file_new() {}\n")]).await;
        let (start, analysis) = after_sync(&store, acme.id, project).await;
        assert!(start.is_started());
        assert_eq!(analysis.trigger, AnalysisTrigger::Sync);
        let (again, _) = after_sync(&store, acme.id, project).await;
        assert!(matches!(again, Start::AlreadyActive(waiting) if waiting.id == start.run().id));

        let other = self::project(&store, acme.id, "other", &Tree::new()).await.0;
        clock.advance(TimeDelta::seconds(119));
        analyze(&store, acme.id, other).await;
        assert_eq!(status(&store, acme.id, start.run().id).await, RunStatus::Queued);
        clock.advance(TimeDelta::seconds(1));
        work(&store, acme.id, start.run().id).await;
        let scoped = store.read(acme.id).await.unwrap();
        let done = CodeAnalyses::require(&scoped, start.run().id).await.unwrap();
        assert_eq!((done.commit_id.as_deref(), done.files_analyzed), (Some("beef"), 1));
    }

    async fn code_synced_during_an_analysis_is_analysed_after_it(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        let (start, analysis) = begin(&store, acme.id, project).await;
        // Changed after it was read by the running analysis: the follow-up finds the change when the run ends.
        work(&store, acme.id, start.run().id).await;
        let follow_up = analysis_catch_up(QUIET_PERIOD);
        let scoped = store.write(acme.id).await.unwrap();
        let run = Runs::require(&scoped, analysis.run_id).await.unwrap();
        follow_up(&scoped, &run).await.unwrap();
        scoped.commit().await.unwrap();
        let newest = || async { analysis_latest(&store.read(acme.id).await.unwrap(), project).await.unwrap().unwrap() };
        assert_eq!(newest().await.run_id, run.id);

        sync(&store, acme.id, source, "beef", &[("src/new.rs", "pub fn file_new() {}\n")]).await;
        let scoped = store.write(acme.id).await.unwrap();
        follow_up(&scoped, &run).await.unwrap();
        scoped.commit().await.unwrap();
        let next = newest().await;
        assert_ne!(next.run_id, run.id);
        assert_eq!(status(&store, acme.id, next.run_id).await, RunStatus::Queued);
        clock.advance(QUIET_PERIOD);
        work(&store, acme.id, next.run_id).await;
        assert_eq!(newest().await.commit_id.as_deref(), Some("beef"));
    }

    async fn patterns_keep_their_ids_and_leave_the_search_on_vanishing(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        analyze(&store, acme.id, project).await;
        let before = patterns(&store, acme.id, project, &ProjectPatterns::default()).await;
        let snake = |all: &[CodePattern]| all.iter().find(|p| p.key == "naming/rust/functions/snake_case").cloned();
        let old = snake(&before).unwrap();
        let ask = || async {
            let request = SearchRequest { kinds: vec![KnowledgeKind::CodePattern], stacks: Some(vec!["rust".into()]), ..SearchRequest::new("snake case functions") };
            search(&store.read(acme.id).await.unwrap(), &request).await.unwrap()
        };
        let hit = ask().await.into_iter().find(|hit| hit.subject_id == Some(old.id.0)).unwrap();
        assert_eq!((hit.subject, hit.title, hit.stack.as_deref()), (old.id.to_string(), old.title.clone(), Some("rust")));

        clock.advance(QUIET_PERIOD);
        sync(&store, acme.id, source, "beef", &[("src/new.rs", "pub fn file_new() {}\n")]).await;
        analyze(&store, acme.id, project).await;
        let new = snake(&patterns(&store, acme.id, project, &ProjectPatterns::default()).await).unwrap();
        assert_eq!((new.id, new.support), (old.id, old.support + 1));
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(CodePatterns::require(&scoped, old.id).await.unwrap(), new);
        drop(scoped);

        clock.advance(QUIET_PERIOD);
        let rust: Vec<String> = tree().into_keys().chain(["src/new.rs".into()]).filter(|path| path.ends_with(".rs")).collect();
        let scoped = store.write(acme.id).await.unwrap();
        files_apply(&scoped, source, FileChanges { deleted: rust, ..FileChanges::default() }).await.unwrap();
        scoped.commit().await.unwrap();
        analyze(&store, acme.id, project).await;
        let left = patterns(&store, acme.id, project, &ProjectPatterns::default()).await;
        assert!(!left.is_empty() && left.iter().all(|pattern| pattern.stack.as_deref() == Some("python")));
        let scoped = store.read(acme.id).await.unwrap();
        // An enrichment that cites the pattern can still read it.
        let gone = CodePatterns::require(&scoped, old.id).await.unwrap();
        let latest = analysis_latest(&scoped, project).await.unwrap().unwrap();
        assert_eq!((gone.title, gone.first_seen_at, gone.vanished_in), (old.title, old.first_seen_at, Some(latest.run_id)));
        assert!(ProjectPatterns::default().count(&scoped, project).await.unwrap() == left.len() as u64);
        drop(scoped);
        assert_eq!(ask().await, []);
    }

    async fn patterns_are_filtered_in_their_order(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, _) = project(&store, acme.id, "home", &tree()).await;
        analyze(&store, acme.id, project).await;
        let all = patterns(&store, acme.id, project, &ProjectPatterns::default()).await;
        assert!(all.len() > 2, "{all:#?}");
        let python = ProjectPatterns { stack: Some("python".into()), ..ProjectPatterns::default() };
        let naming = ProjectPatterns { kinds: vec!["naming".into()], ..python.clone() };
        for filter in [&python, &naming] {
            let some = patterns(&store, acme.id, project, filter).await;
            let wanted: Vec<CodePattern> = all.iter().filter(|p| p.stack == filter.stack && (filter.kinds.is_empty() || filter.kinds.contains(&p.kind))).cloned().collect();
            assert!(!wanted.is_empty() && wanted.len() < all.len());
            assert_eq!(some, wanted);
            let scoped = store.read(acme.id).await.unwrap();
            assert_eq!(filter.count(&scoped, project).await.unwrap(), wanted.len() as u64);
        }
        let scoped = store.read(acme.id).await.unwrap();
        let (mut request, mut paged) = (PageRequest::first(2), Vec::new());
        loop {
            let page = ProjectPatterns::default().page(&scoped, project, &request).await.unwrap();
            request.after = page.items.last().map(|(cursor, _)| cursor.clone());
            let more = page.has_next;
            paged.extend(page.into_items());
            if !more {
                break;
            }
        }
        assert_eq!(paged, all);
    }

    async fn two_sources_may_have_the_same_paths(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (home, first) = project(&store, acme.id, "home", &tree()).await;
        let second = source(&store, acme.id, home, "https://example.org/second.git", "").await;
        // The first repository again, with another folder: the two sources have one file in common.
        let same = source(&store, acme.id, home, "https://example.org/home.git", "src").await;
        let more: Vec<(String, String)> = tree().into_iter().map(|(path, text)| (path, format!("{text}\n# more\n"))).collect();
        let more: Vec<(&str, &str)> = more.iter().map(|(path, text)| (path.as_str(), text.as_str())).filter(|(path, _)| path.ends_with(".py")).collect();
        sync(&store, acme.id, second, "beef", &more).await;
        let src: Vec<(String, String)> = tree().into_iter().filter(|(path, _)| path.starts_with("src/")).collect();
        let src: Vec<(&str, &str)> = src.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        sync(&store, acme.id, same, "c0ffee", &src).await;
        let scoped = store.write(acme.id).await.unwrap();
        churn_add(&scoped, second, &[("app/main.py", 5)]).await.unwrap();
        scoped.commit().await.unwrap();
        let (analysis, _) = analyze(&store, acme.id, home).await;
        assert_eq!(analysis.commit_id, None);

        let (alone, _) = project(&store, acme.id, "alone", &tree()).await;
        analyze(&store, acme.id, alone).await;
        let scoped = store.read(acme.id).await.unwrap();
        let counts = project_summaries_of(&scoped, &[home, alone]).await.unwrap();
        let added = counts[&home].metrics.files - counts[&alone].metrics.files;
        assert_eq!(added as usize, more.iter().filter(|(path, _)| path.starts_with("app/")).count());
        assert_eq!(ProjectHotspots.page(&scoped, home, &PageRequest::first(10)).await.unwrap().into_items()[0].path, "app/main.py");
        let known = files_by_path::<_, String>(&scoped, first, None).await.unwrap();
        for pattern in patterns(&store, acme.id, home, &ProjectPatterns::default()).await {
            for place in pattern.exemplars.iter().chain(&pattern.counter_examples) {
                assert!(known.contains_key(&place.path), "{place:?}");
            }
        }
    }

    async fn a_cancelled_analysis_keeps_what_it_found_for_the_next(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let many: Tree = (0..300).map(|n| (format!("m{n}.py"), format!("def f{n}():\n    return {n}\n"))).collect();
        let (project, _) = project(&store, acme.id, "home", &many).await;
        let options = AnalysisOptions { batch_files: 1, ..AnalysisOptions::default() };
        let workers = Workers::builder(&store).handler(AnalysisHandler::new(options)).start().unwrap();
        let (start, _) = begin(&store, acme.id, project).await;
        while facts_kept(&store, acme.id).await == 0 {
            tokio::task::yield_now().await;
        }
        let scoped = store.write(acme.id).await.unwrap();
        run_cancel(&scoped, start.run().id).await.unwrap();
        scoped.commit().await.unwrap();
        let events: Vec<RunEvent> = run_follow(&store, acme.id, start.run().id, 0).map(Result::unwrap).collect().await;
        workers.shutdown().await;
        assert_eq!(events.last().unwrap().body, EventBody::Finished { status: RunStatus::Cancelled });
        let kept = facts_kept(&store, acme.id).await;
        let (next, _) = analyze(&store, acme.id, project).await;
        assert_eq!((next.files_reused, next.files_analyzed), (kept, 300 - kept));
        assert!(kept < 300);
    }

    async fn facts_in_a_form_that_is_not_known_are_found_anew(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, _) = project(&store, acme.id, "home", &tree()).await;
        let (first, _) = analyze(&store, acme.id, project).await;
        let blob = blob_id(tree()["src/open.rs"].as_bytes());
        let scoped = store.write(acme.id).await.unwrap();
        let spoilt = scoped.sql_execute("UPDATE file_facts SET facts = $3 WHERE tenant_id = $1 AND oid = $2", [blob.into(), vec![0xff_u8].into()]).await.unwrap();
        assert_eq!(spoilt, 1);
        scoped.commit().await.unwrap();
        clock.advance(QUIET_PERIOD);
        let (start, _) = begin(&store, acme.id, project).await;
        let workers = Workers::builder(&store).handler(AnalysisHandler::default()).start().unwrap();
        let mut events = Box::pin(run_follow(&store, acme.id, start.run().id, 0));
        while let Some(event) = events.next().await {
            // The second attempt waits until the clock moves.
            if matches!(event.unwrap().body, EventBody::Message { level: Level::Warning, text } if text.contains("trying again")) {
                clock.advance(TimeDelta::seconds(2));
            }
        }
        workers.shutdown().await;
        let scoped = store.read(acme.id).await.unwrap();
        let healed = CodeAnalyses::require(&scoped, start.run().id).await.unwrap();
        assert_eq!((healed.files_analyzed, healed.files_reused), (1, first.files_analyzed - 1));
    }

    async fn projects_list_their_own_and_latest_analyses(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (home, _) = project(&store, acme.id, "home", &tree()).await;
        let (away, _) = project(&store, acme.id, "away", &Tree::new()).await;
        let (never, _) = project(&store, acme.id, "never", &Tree::new()).await;
        let (first, _) = analyze(&store, acme.id, home).await;
        let (elsewhere, _) = analyze(&store, acme.id, away).await;
        clock.advance(QUIET_PERIOD);
        let (second, _) = analyze(&store, acme.id, home).await;
        let scoped = store.read(acme.id).await.unwrap();
        let listed = ProjectAnalyses.page(&scoped, home, &PageRequest::default()).await.unwrap().into_items();
        assert_eq!(listed, [second.clone(), first.clone()]);
        assert_eq!(ProjectAnalyses.count(&scoped, home).await.unwrap(), 2);
        assert_eq!(analysis_latest(&scoped, home).await.unwrap(), Some(second.clone()));
        let latest = analysis_latest_of(&scoped, &[home, away, never]).await.unwrap();
        assert_eq!((latest.len(), &latest[&home], &latest[&away]), (2, &second, &elsewhere));
        let many = CodeAnalyses::get_many(&scoped, &[first.run_id, elsewhere.run_id]).await.unwrap();
        assert_eq!((many.len(), &many[&first.run_id]), (2, &first));
        assert_eq!(project_summary(&scoped, never).await.unwrap(), None);
        assert_eq!((elsewhere.lines_of_code, project_summary(&scoped, away).await.unwrap().unwrap().stack()), (0, vec![]));
    }

    async fn another_tenant_finds_nothing_of_it(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let (home, _) = project(&store, acme.id, "home", &tree()).await;
        let (analysis, _) = analyze(&store, acme.id, home).await;
        let pattern = patterns(&store, acme.id, home, &ProjectPatterns::default()).await.remove(0);

        let scoped = store.write(other.id).await.unwrap();
        for refused in [
            analysis_start(&scoped, home, AnalysisTrigger::Manual, None, QUIET_PERIOD).await,
            analysis_start_after_sync(&scoped, home, QUIET_PERIOD).await,
        ] {
            assert_eq!(refused.unwrap_err().code(), "NOT_FOUND");
        }
        drop(scoped);
        let scoped = store.read(other.id).await.unwrap();
        assert_eq!(CodePatterns::get(&scoped, pattern.id).await.unwrap(), None);
        assert_eq!(CodeAnalyses::get(&scoped, analysis.run_id).await.unwrap(), None);
        assert_eq!(analysis_latest(&scoped, home).await.unwrap(), None);
        assert!(analysis_latest_of(&scoped, &[home]).await.unwrap().is_empty());
        assert_eq!(ProjectPatterns::default().count(&scoped, home).await.unwrap(), 0);
        assert_eq!(ProjectHotspots.page(&scoped, home, &PageRequest::first(10)).await.unwrap().into_items(), []);
        assert_eq!(project_summary(&scoped, home).await.unwrap(), None);
        assert!(project_findings_of(&scoped, &[home]).await.unwrap().is_empty());
        assert_eq!(AnalysisPatternChanges { change: None }.page(&scoped, analysis.run_id, &PageRequest::first(10)).await.unwrap().into_items(), []);
        assert!(pattern_changes_last(&scoped, &[pattern.id]).await.unwrap().is_empty());
        drop(scoped);
        // One tenant's parsed contents are not used for the other, which would reveal them by the duration.
        let (theirs, _) = project(&store, other.id, "home", &tree()).await;
        let (again, _) = analyze(&store, other.id, theirs).await;
        assert_eq!((again.files_analyzed, again.files_reused), (analysis.files_analyzed, 0));
    }
}
