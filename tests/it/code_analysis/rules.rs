//! The project's own rules: found in its source, matched once per content, and errors reported.

use super::world::{messages, remove};
use super::*;

const RULE: &str = "id: no-print\nlanguage: python\nmessage: Log instead of printing\nrule:\n  pattern: print($$$A)\n";

/// The number of contents with stored matches.
async fn kept(store: &Store, tenant: TenantId) -> i64 {
    #[derive(FromQueryResult)]
    struct KeptRow {
        kept: i64,
    }
    let scoped = store.read(tenant).await.unwrap();
    let sql = "SELECT count(*) AS kept FROM rule_matches WHERE tenant_id = $1";
    let rows: Vec<KeptRow> = scoped.sql_all(sql, []).await.unwrap();
    rows[0].kept
}

/// The phases of a run with their totals, and the skipped phases.
fn phases(events: &[RunEvent]) -> Vec<&str> {
    let phases = events.iter().filter_map(|event| match &event.body {
        EventBody::PhaseStarted { phase } => Some(phase.as_str()),
        _ => None,
    });
    phases.collect()
}

on_both_databases! {
    async fn project_rules_become_patterns_or_are_named_as_unreadable(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let prints: String = (0..7).map(|n| format!("def do_print_{n}():\n    print({n})\n\n\n")).collect();
        let mut tree = tree();
        tree.insert("app/prints.py".into(), prints);
        tree.insert(".nyxcore/rules/no-print.yml".into(), RULE.into());
        tree.insert(".nyxcore/rules/broken.yml".into(), "id: [\n".into());
        let (project, source) = project(&store, acme.id, "home", &tree).await;
        let (first, events) = analyze(&store, acme.id, project).await;
        assert_eq!(phases(&events), ["scan", "facts", "rules", "summarize", "save"]);
        let warned: Vec<(&str, Option<&str>)> = first.warnings.iter().map(|one| (one.part.as_str(), one.path.as_deref())).collect();
        assert_eq!(warned, [("rules", Some(".nyxcore/rules/broken.yml"))]);
        assert!(!first.warnings[0].text.is_empty());
        let told = messages(&events, Level::Warning);
        assert!(told.iter().any(|text| text.starts_with(".nyxcore/rules/broken.yml: ")), "{told:?}");
        let rules = ProjectPatterns { kinds: vec!["rule".into()], ..ProjectPatterns::default() };
        let found = patterns(&store, acme.id, project, &rules).await;
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].exemplars.iter().all(|place| place.path == "app/prints.py"), "{found:#?}");
        let python = tree.keys().filter(|path| path.starts_with("app/")).count() as i64;
        assert_eq!((kept(&store, acme.id).await, kept(&store, other.id).await), (python, 0));

        // Unchanged contents are not matched again, and matches of deleted contents are removed.
        clock.advance(QUIET_PERIOD);
        sync(&store, acme.id, source, "beef", &[("app/more.py", "def do_more():\n    print(1)\n")]).await;
        let (_, events) = analyze(&store, acme.id, project).await;
        let matched = events.iter().filter_map(|event| match &event.body {
            EventBody::Progressed { progress } if progress.phase == "rules" => Some(progress.done),
            _ => None,
        });
        assert!(matched.min().is_none_or(|done| done >= python));
        assert_eq!(kept(&store, acme.id).await, python + 1);

        // Without rules no matches are stored, and the report does not mention rules.
        clock.advance(QUIET_PERIOD);
        remove(&store, acme.id, source, &[".nyxcore/rules/no-print.yml", ".nyxcore/rules/broken.yml"]).await;
        let (last, events) = analyze(&store, acme.id, project).await;
        assert_eq!(phases(&events), ["scan", "facts", "summarize", "save"]);
        assert_eq!((kept(&store, acme.id).await, last.warnings), (0, Vec::new()));
        assert_eq!(patterns(&store, acme.id, project, &rules).await, []);
    }
}
