//! The changes of patterns between runs: appeared, strengthened, weakened and vanished.

use nyxcore_code_analysis::{
    AnalysisPatternChanges, CodePatternChange, PatternChange, PatternChangeCounts, ProjectPatterns,
};

use nyxcore_tenancy::ChildList as _;

use super::world::{messages, remove};
use super::*;

const SNAKE: &str = "naming/rust/functions/snake_case";

/// The paths and titles of a run's changes, each with the pattern's key.
async fn told(store: &Store, tenant: TenantId, run: RunId) -> Vec<(String, CodePatternChange)> {
    let scoped = store.read(tenant).await.unwrap();
    let changes = AnalysisPatternChanges { change: None }
        .page(&scoped, run, &PageRequest::first(100))
        .await
        .unwrap()
        .into_items();
    let ids: Vec<_> = changes.iter().map(|change| change.pattern_id).collect();
    let patterns = CodePatterns::get_many(&scoped, &ids).await.unwrap();
    changes
        .into_iter()
        .map(|change| (patterns[&change.pattern_id].key.clone(), change))
        .collect()
}

fn camel(from: usize, to: usize) -> String {
    (from..to)
        .map(|n| format!("/// Does it.\npub fn camelCase{n}() {{}}\n"))
        .collect()
}

on_both_databases! {
    async fn a_run_reports_every_kind_of_pattern_change(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        let (first, events) = analyze(&store, acme.id, project).await;
        assert_eq!((first.patterns_compared, first.pattern_changes), (false, PatternChangeCounts::default()));
        assert_eq!(messages(&events, Level::Info), ["2 files skipped: 1 generated, 1 vendored"]);
        let before = patterns(&store, acme.id, project, &ProjectPatterns::default()).await;
        let snake = before.iter().find(|pattern| pattern.key == SNAKE).unwrap().clone();
        let python: Vec<&CodePattern> = before.iter().filter(|pattern| pattern.stack.as_deref() == Some("python")).collect();

        // Two functions that deviate from a pattern, a language that disappears, and a new one.
        clock.advance(QUIET_PERIOD);
        let script: String = (0..9).map(|n| format!("function sendOne{n}() {{\n  return {n};\n}}\n\n")).collect();
        sync(&store, acme.id, source, "beef", &[("src/camel.rs", &camel(0, 2)), ("web/send.js", &script)]).await;
        let gone: Vec<String> = tree().into_keys().filter(|path| path.starts_with("app/")).collect();
        let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        remove(&store, acme.id, source, &gone).await;
        let (second, events) = analyze(&store, acme.id, project).await;
        let changes = told(&store, acme.id, second.run_id).await;
        let (key, weakened) = changes.iter().find(|(_, change)| change.change == PatternChange::Weakened).unwrap();
        assert_eq!((key.as_str(), weakened.pattern_id, &weakened.title), (SNAKE, snake.id, &snake.title));
        let (was, is) = (weakened.before.unwrap(), weakened.after.unwrap());
        assert_eq!((was.support, was.cases, was.confidence), (snake.support, snake.cases, snake.confidence));
        assert_eq!((is.support, is.cases), (snake.support, snake.cases + 2));
        let of = |wanted: PatternChange| changes.iter().filter(move |(_, change)| change.change == wanted);
        let appeared: Vec<&str> = of(PatternChange::Appeared).map(|(key, _)| key.as_str()).collect();
        assert!(appeared.contains(&"naming/javascript/functions/camelCase"), "{appeared:?}");
        assert!(of(PatternChange::Appeared).all(|(_, change)| change.before.is_none() && change.after.is_some()));
        let mut vanished: Vec<_> = of(PatternChange::Vanished).map(|(_, change)| change.pattern_id).collect();
        let mut were: Vec<_> = python.iter().map(|pattern| pattern.id).collect();
        vanished.sort();
        were.sort();
        assert!(!were.is_empty() && were.iter().all(|id| vanished.contains(id)));
        assert!(second.patterns_compared);
        let counted = |wanted: PatternChange| of(wanted).count() as i64;
        assert_eq!(second.pattern_changes, PatternChangeCounts {
            appeared: counted(PatternChange::Appeared),
            strengthened: counted(PatternChange::Strengthened),
            weakened: counted(PatternChange::Weakened),
            vanished: counted(PatternChange::Vanished),
        });
        let message = messages(&events, Level::Info).pop().unwrap();
        let part = format!("{} ({} of {}, now {} of {})", snake.title, was.support, was.cases, is.support, is.cases);
        assert!(message.contains(" appeared: ") && message.contains(&part) && message.contains(" vanished: "), "{message}");

        // The deviations are fixed, and the language comes back: the same pattern with the same id.
        clock.advance(QUIET_PERIOD);
        remove(&store, acme.id, source, &["src/camel.rs", "src/odd.rs"]).await;
        let tree = tree();
        let back: Vec<(&str, &str)> = tree.iter().filter(|(path, _)| path.starts_with("app/")).map(|(path, text)| (path.as_str(), text.as_str())).collect();
        sync(&store, acme.id, source, "cafe", &back).await;
        let (third, _) = analyze(&store, acme.id, project).await;
        let changes = told(&store, acme.id, third.run_id).await;
        let (_, strengthened) = changes.iter().find(|(key, _)| key == SNAKE).unwrap();
        assert_eq!((strengthened.change, strengthened.before), (PatternChange::Strengthened, weakened.after));
        let appeared: Vec<_> = changes.iter().filter(|(_, change)| change.change == PatternChange::Appeared).map(|(_, change)| change.pattern_id).collect();
        assert!(were.iter().all(|id| appeared.contains(id)));
        let now = patterns(&store, acme.id, project, &ProjectPatterns::default()).await;
        let same = now.iter().find(|pattern| pattern.id == were[0]).unwrap();
        assert_eq!((same.vanished_in, same.first_seen_at), (None, snake.first_seen_at));

        let scoped = store.read(acme.id).await.unwrap();
        let only = AnalysisPatternChanges { change: Some(PatternChange::Weakened) }.page(&scoped, second.run_id, &PageRequest::first(100)).await.unwrap().into_items();
        assert_eq!(only, std::slice::from_ref(weakened));
        let last = pattern_changes_last(&scoped, &[snake.id, were[0]]).await.unwrap();
        assert_eq!((&last[&snake.id], last[&were[0]].analysis_id), (strengthened, third.run_id));
        drop(scoped);
        // Without a change nothing is reported.
        clock.advance(QUIET_PERIOD);
        let (fourth, events) = analyze(&store, acme.id, project).await;
        assert_eq!((fourth.patterns_compared, fourth.pattern_changes), (true, PatternChangeCounts::default()));
        assert_eq!(messages(&events, Level::Info).len(), 1);
    }

    async fn what_weakens_little_by_little_is_told_once_it_adds_up(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let snake: String = (0..60).map(|n| format!("pub fn snake_case_{n}() {{}}\n")).collect();
        let files = Tree::from([("src/snake.rs".to_owned(), snake)]);
        let (project, source) = project(&store, acme.id, "home", &files).await;
        analyze(&store, acme.id, project).await;
        let mut steps = Vec::new();
        for step in 1..=4 {
            clock.advance(QUIET_PERIOD);
            sync(&store, acme.id, source, "beef", &[("src/camel.rs", &camel(0, step))]).await;
            let (analysis, _) = analyze(&store, acme.id, project).await;
            let weakened = told(&store, acme.id, analysis.run_id).await.into_iter().find(|(key, _)| key == SNAKE);
            steps.push(weakened.map(|(_, change)| (change.before.unwrap().cases, change.after.unwrap().cases)));
        }
        // 0.9398, 0.9128, 0.8898, 0.8688: the second step is five points below the last reported value, and the count
        // starts again there.
        assert_eq!(steps, [None, Some((60, 62)), None, None]);
    }

    async fn a_new_engine_version_reports_no_changes(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        analyze(&store, acme.id, project).await;
        let before = patterns(&store, acme.id, project, &ProjectPatterns::default()).await;
        let scoped = store.write(acme.id).await.unwrap();
        scoped.sql_execute("UPDATE project_metrics SET patterns_version = 1 WHERE tenant_id = $1", []).await.unwrap();
        scoped.commit().await.unwrap();

        clock.advance(QUIET_PERIOD);
        sync(&store, acme.id, source, "beef", &[("src/camel.rs", &camel(0, 2))]).await;
        let (anew, events) = analyze(&store, acme.id, project).await;
        assert_eq!((anew.patterns_compared, anew.pattern_changes), (false, PatternChangeCounts::default()));
        assert_eq!(told(&store, acme.id, anew.run_id).await, []);
        assert!(messages(&events, Level::Info).pop().unwrap().contains("another version of the engine"));
        let after = patterns(&store, acme.id, project, &ProjectPatterns::default()).await;
        let ids = |all: &[CodePattern]| all.iter().map(|pattern| (pattern.key.clone(), pattern.id)).collect::<BTreeMap<_, _>>();
        assert_eq!(ids(&before), ids(&after));

        // From here on the analysis compares, with the results of this version.
        clock.advance(QUIET_PERIOD);
        sync(&store, acme.id, source, "cafe", &[("src/camel.rs", "// empty\n")]).await;
        let (next, _) = analyze(&store, acme.id, project).await;
        let changes = told(&store, acme.id, next.run_id).await;
        let (_, snake) = changes.iter().find(|(key, _)| key == SNAKE).unwrap();
        assert_eq!((next.patterns_compared, snake.change), (true, PatternChange::Strengthened));
    }
}
