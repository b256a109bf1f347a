//! A project with several sources: every place names its source, in the API and in the database.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use nyxcore_gateway::Limits;
use nyxcore_projects::{HistoryRetention, SourceCommit, source_history_keep};
use nyxcore_tenancy::Env;
use serde_json::{Value, json};

use super::world::remove;
use super::*;
use crate::gateway_transport::client::Served;
use crate::support::options;

const QUERY: &str = "query ($id: ID!) { project(id: $id) {
    codePatterns(first: 100) { nodes { kind exemplars { ...Place } counterExamples { ...Place } } }
    hotspots(first: 50) { path source { id } }
    findings {
        commands { path source { id } }
        coChanges(first: 50) { paths sources { id } }
        ownership(first: 100) { folder source { id } }
        importGraph { cycles { path { path: file source { id } } } }
        duplicates(first: 50) { places { ...Place } }
        deadCode(first: 50) { location { ...Place } }
        definitions(first: 200) { path source { id } }
        repositoryMap(tokens: 5000)
    }
    latestAnalysis { warnings { path source { id } } }
} }
fragment Place on CodeLocation { path blob source { id } }";

/// The files of one source. Both sources have the same paths, but no content in common.
fn files(mark: &str) -> Tree {
    let mut files = Tree::new();
    let mut add = |path: &str, text: String| files.insert(path.to_owned(), text);
    add(
        ".nyxcore/rules/print.yml",
        format!(
            "id: no-print-{mark}\nlanguage: python\nmessage: Log\nrule:\n  pattern: print($A, \"{mark}\")\n"
        ),
    );
    add(".nyxcore/rules/broken.yml", format!("# {mark}\nid: [\n"));
    add("Cargo.toml", format!("[package]\nname = \"{mark}\"\n"));
    let functions: String = (0..7).map(|n| format!("/// Does it.\npub fn open_{mark}_{n}(deep: bool) -> u32 {{\n    if deep {{ {n} }} else {{ 0 }}\n}}\n\n")).collect();
    // Long enough to be detected as a clone, without internal repetitions.
    let steps = "    if total > 3 && total < 900 {\n        total += 17;\n    }\n    let mut rest = total % 7;\n    while rest > 0 {\n        rest -= 1;\n        total = total.wrapping_mul(31);\n    }\n    let names = [\"MARK\", \"b\", \"c\"];\n    for (at, name) in names.iter().enumerate() {\n        total ^= u32::try_from(name.len() << at).unwrap_or(0);\n    }\n    match total & 3 {\n        0 => total = total.rotate_left(5),\n        1 | 2 => total |= 64,\n        _ => return total,\n    }\n    let text = format!(\"{total}:{rest}\");\n    println!(\"{}\", text.trim_start_matches('0'));\n";
    let steps = steps.replace("MARK", mark);
    let repeated =
        |name: &str| format!("pub fn {name}(mut total: u32) -> u32 {{\n{steps}    total\n}}\n");
    let summed = format!("sum_{mark}");
    add(
        "src/lib.rs",
        format!("{functions}fn never_{mark}() {{}}\n\n{}", repeated(&summed)),
    );
    add("src/more.rs", repeated(&format!("{summed}_again")));
    let calls: String = (0..7)
        .map(|n| format!("    open_{mark}_{n}(true);\n"))
        .collect();
    add(
        "src/calls.rs",
        format!("pub fn calls_{mark}() {{\n{calls}}}\n"),
    );
    let prints: String = (0..6)
        .map(|n| format!("def say_{mark}_{n}():\n    print({n}, \"{mark}\")\n\n\n"))
        .collect();
    add("app/__init__.py", format!("# {mark}\n"));
    add("app/a.py", format!("from . import b\n\n\n{prints}"));
    add(
        "app/b.py",
        format!("from . import a\n\n\ndef back_{mark}():\n    return a\n"),
    );
    files
}

/// Stores a source's files, and a history in which two of them change together.
async fn fill(store: &Store, tenant: TenantId, source: SourceId, mark: &str) {
    let files = files(mark);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    sync(store, tenant, source, mark, &files).await;
    let commit = |at| SourceCommit {
        author: mark.into(),
        committed_at: at,
        paths: vec![
            "src/lib.rs".into(),
            "src/calls.rs".into(),
            "src/gone.rs".into(),
        ],
    };
    let commits: Vec<SourceCommit> = (0..8).rev().map(commit).collect();
    let scoped = store.write(tenant).await.unwrap();
    source_history_keep(&scoped, source, &commits, HistoryRetention::Nothing)
        .await
        .unwrap();
    churn_add(&scoped, source, &[("src/lib.rs", 8), ("src/calls.rs", 8)])
        .await
        .unwrap();
    scoped.commit().await.unwrap();
}

/// Every object below `value` that has a `path`.
fn places(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) if fields.get("path").is_some_and(Value::is_string) => vec![value],
        Value::Object(fields) => fields.values().flat_map(places).collect(),
        Value::Array(all) => all.iter().flat_map(places).collect(),
        _ => Vec::new(),
    }
}

struct TwoSources {
    served: Served,
    statements: Arc<Mutex<Vec<String>>>,
    project: ProjectId,
    sources: [SourceId; 2],
}

impl TwoSources {
    async fn start(db: &TestDatabase) -> Self {
        let statements: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = statements.clone();
        let mut options = options(db.app_url());
        options.statement_listener = Some(Arc::new(move |sql: &str, _| {
            heard.lock().unwrap().push(sql.to_owned())
        }));
        let store = Store::connect(&options, Env::default()).await.unwrap();
        let served = Served::start(
            &store,
            "acme",
            Limits {
                complexity: 10_000_000,
                ..Limits::default()
            },
        )
        .await;
        let (project, one) = project(&store, served.tenant, "home", &Tree::new()).await;
        let two = source(
            &store,
            served.tenant,
            project,
            "https://example.org/two.git",
            "",
        )
        .await;
        fill(&store, served.tenant, one, "one").await;
        fill(&store, served.tenant, two, "two").await;
        Self {
            served,
            statements,
            project,
            sources: [one, two],
        }
    }

    async fn ask(&self) -> Value {
        let body = json!({"query": QUERY, "variables": {"id": self.project.to_string()}});
        let answer = self
            .served
            .post(&body)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        answer["data"]["project"].clone()
    }

    /// The blobs of each source's files, by the source's id and the path.
    async fn blobs(&self) -> BTreeMap<(String, String), String> {
        let scoped = self.served.store.read(self.served.tenant).await.unwrap();
        let mut blobs = BTreeMap::new();
        for source in self.sources {
            let files = files_by_path::<_, String>(&scoped, source, None)
                .await
                .unwrap();
            blobs.extend(
                files
                    .into_iter()
                    .map(|(path, file)| ((source.to_string(), path), file.blob)),
            );
        }
        blobs
    }
}

on_both_databases! {
    async fn every_place_names_the_source_that_it_is_in(db: TestDatabase) {
        let world = TwoSources::start(&db).await;
        analyze(&world.served.store, world.served.tenant, world.project).await;
        let blobs = world.blobs().await;
        world.statements.lock().unwrap().clear();
        let project = world.ask().await;
        let asked = world.statements.lock().unwrap().iter().filter(|sql| sql.contains("FROM \"sources\"")).count();
        // At most one statement for each list of the query with places, however many places it has.
        assert!((1..=9).contains(&asked), "{asked} statements for the sources");

        let both: BTreeSet<String> = world.sources.iter().map(ToString::to_string).collect();
        let findings = &project["findings"];
        let patterns = &project["codePatterns"]["nodes"];
        let of_rules: Vec<&Value> = patterns.as_array().unwrap().iter().filter(|pattern| pattern["kind"] == "rule").collect();
        let of_rules = json!(of_rules);
        for (name, value) in [
            ("patterns", patterns),
            ("rule matches", &of_rules),
            ("hotspots", &project["hotspots"]),
            ("commands", &findings["commands"]),
            ("cycles", &findings["importGraph"]["cycles"]),
            ("duplicates", &findings["duplicates"]),
            ("dead code", &findings["deadCode"]),
            ("definitions", &findings["definitions"]),
            ("warnings", &project["latestAnalysis"]["warnings"]),
        ] {
            let mut seen = BTreeSet::new();
            for place in places(value) {
                let source = place["source"]["id"].as_str().unwrap_or_else(|| panic!("{name}: {place}")).to_owned();
                let blob = blobs.get(&(source.clone(), place["path"].as_str().unwrap().to_owned()));
                assert!(blob.is_some(), "{name}: {place}");
                if let Some(found_in) = place["blob"].as_str() {
                    assert_eq!(blob.map(String::as_str), Some(found_in), "{name}: {place}");
                }
                seen.insert(source);
            }
            // Commands come from the manifests at the top of the project, which belong to the first source.
            if name == "commands" {
                seen.insert(world.sources[1].to_string());
            }
            assert_eq!(seen, both, "{name}: {value:#}");
        }
        let pairs: BTreeSet<String> = findings["coChanges"].as_array().unwrap().iter().map(|pair| {
            assert_eq!(pair["paths"], json!(["src/calls.rs", "src/lib.rs"]));
            assert_eq!(pair["sources"][0], pair["sources"][1], "a pair of two sources");
            pair["sources"][0]["id"].as_str().unwrap().to_owned()
        }).collect();
        assert_eq!(pairs, both);
        let owned = |folder: &str| findings["ownership"].as_array().unwrap().iter().find(|one| one["folder"] == folder).cloned().unwrap_or_else(|| panic!("{folder}: {findings:#}"));
        assert_eq!(owned("")["source"], Value::Null, "the whole project is of both");
        assert_eq!(owned("src")["source"]["id"], world.sources[0].to_string());
        assert_eq!(owned("two/src")["source"]["id"], world.sources[1].to_string());
        let map = findings["repositoryMap"].as_str().unwrap();
        assert_eq!(map.lines().filter(|line| *line == "src/lib.rs").count(), 2, "{map}");
    }

    async fn a_file_that_a_source_has_no_more_is_not_anothers(db: TestDatabase) {
        let world = TwoSources::start(&db).await;
        let (store, tenant) = (&world.served.store, world.served.tenant);
        remove(store, tenant, world.sources[1], &["src/lib.rs"]).await;
        remove(store, tenant, world.sources[0], &["src/calls.rs"]).await;
        analyze(store, tenant, world.project).await;
        // Each source now has only one of the two files that changed together.
        assert_eq!(world.ask().await["findings"]["coChanges"], json!([]));
    }

    async fn a_place_without_a_source_is_repaired_by_an_analysis(db: TestDatabase) {
        let world = TwoSources::start(&db).await;
        let (store, tenant) = (&world.served.store, world.served.tenant);
        analyze(store, tenant, world.project).await;
        let old = r#"[{"path": "src/lib.rs", "start_line": 1, "end_line": 2, "blob": "00"}]"#;
        let scoped = store.write(tenant).await.unwrap();
        scoped.sql_execute("UPDATE hotspots SET source_id = NULL WHERE tenant_id = $1", []).await.unwrap();
        let old: serde_json::Value = serde_json::from_str(old).unwrap();
        scoped.sql_execute("UPDATE code_patterns SET exemplars = $2, counter_examples = $2 WHERE tenant_id = $1", [old.into()]).await.unwrap();
        scoped.commit().await.unwrap();
        let before = world.ask().await;
        let unknown = places(&before["codePatterns"]).into_iter().chain(places(&before["hotspots"]));
        assert!(unknown.clone().count() > 2 && unknown.clone().all(|place| place["source"].is_null()), "{before:#}");

        let scoped = store.write(tenant).await.unwrap();
        let (start, _) = analysis_start(&scoped, world.project, AnalysisTrigger::Manual, None, TimeDelta::zero()).await.unwrap();
        scoped.commit().await.unwrap();
        work(store, tenant, start.run().id).await;
        let after = world.ask().await;
        let known = places(&after["codePatterns"]).into_iter().chain(places(&after["hotspots"]));
        assert!(known.clone().count() > 2 && known.clone().all(|place| place["source"]["id"].is_string()), "{after:#}");
    }

    async fn a_pattern_that_vanished_long_ago_is_deleted(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (project, source) = project(&store, acme.id, "home", &tree()).await;
        analyze(&store, acme.id, project).await;
        let python = ProjectPatterns { stack: Some("python".into()), ..ProjectPatterns::default() };
        let gone = patterns(&store, acme.id, project, &python).await;
        let is_kept = async || {
            let scoped = store.read(acme.id).await.unwrap();
            let ids: Vec<_> = gone.iter().map(|pattern| pattern.id).collect();
            CodePatterns::get_many(&scoped, &ids).await.unwrap().len() == ids.len()
        };
        let app: Vec<String> = tree().into_keys().filter(|path| path.starts_with("app/")).collect();
        let app: Vec<&str> = app.iter().map(String::as_str).collect();
        remove(&store, acme.id, source, &app).await;
        clock.advance(QUIET_PERIOD);
        analyze(&store, acme.id, project).await;
        clock.advance(TimeDelta::days(90));
        analyze(&store, acme.id, project).await;
        assert!(!gone.is_empty() && is_kept().await);

        // Stored by a version that did not record when patterns vanish: the next analysis sets the time.
        let scoped = store.write(acme.id).await.unwrap();
        scoped.sql_execute("UPDATE code_patterns SET vanished_at = NULL WHERE tenant_id = $1", []).await.unwrap();
        scoped.commit().await.unwrap();
        clock.advance(TimeDelta::days(1));
        analyze(&store, acme.id, project).await;
        clock.advance(TimeDelta::days(90));
        analyze(&store, acme.id, project).await;
        assert!(is_kept().await);
        clock.advance(QUIET_PERIOD);
        analyze(&store, acme.id, project).await;
        let scoped = store.read(acme.id).await.unwrap();
        for pattern in &gone {
            assert_eq!(CodePatterns::get(&scoped, pattern.id).await.unwrap(), None);
        }
        drop(scoped);
        // A pattern that returns is reported as new.
        let tree = tree();
        let back: Vec<(&str, &str)> = tree.iter().filter(|(path, _)| path.starts_with("app/")).map(|(path, text)| (path.as_str(), text.as_str())).collect();
        sync(&store, acme.id, source, "beef", &back).await;
        clock.advance(QUIET_PERIOD);
        analyze(&store, acme.id, project).await;
        let again = patterns(&store, acme.id, project, &python).await;
        assert_eq!(again.len(), gone.len());
        assert!(again.iter().all(|new| gone.iter().all(|old| old.id != new.id)));
    }
}
