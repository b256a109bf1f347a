//! The test project of the analysis: a small project in two languages.

use super::*;

/// Files by their paths.
pub(crate) type Tree = BTreeMap<String, String>;

/// A small project in Rust and Python with a manifest and with excluded files. One hidden and two ignored files are not
/// counted at all; one vendored and one generated file are counted.
pub(crate) fn tree() -> Tree {
    let mut tree = Tree::new();
    let mut add = |path: &str, text: &str| tree.insert(path.to_owned(), text.to_owned());
    add(
        "Cargo.toml",
        "[package]\nname = \"home\"\n\n[dependencies]\naxum = \"0.8\"\n",
    );
    add(".nyxcoreignore", "old/\n");
    add("old/a.rs", "pub fn notSnake() {}\n");
    add("old/b.rs", "pub fn notSnakeEither() {}\n");
    add("vendor/theirs.py", "def theirs():\n    pass\n");
    add("Cargo.lock", "version = 4\n");
    for name in ["open", "read", "write", "seek", "close", "flush", "sync"] {
        let text = format!(
            "use axum::Router;\n\n/// Does {name}.\npub fn file_{name}(deep: bool, more: bool) -> Result<bool, Error> {{\n    if deep && more {{\n        return check_{name}();\n    }}\n    let found = check_{name}()?;\n    Ok(found)\n}}\n\nfn check_{name}() -> Result<bool, Error> {{\n    Ok(true)\n}}\n"
        );
        add(&format!("src/{name}.rs"), &text);
    }
    add("src/odd.rs", "pub fn oddOne() {}\n");
    for name in ["main", "load", "save", "send", "wait", "stop"] {
        let text = format!(
            "def do_{name}(value):\n    \"\"\"Does it.\"\"\"\n    if value:\n        return '{name}'\n    return None\n"
        );
        add(&format!("app/{name}.py"), &text);
    }
    tree
}

/// A project with one source that has those files, as of the commit `c0ffee`.
pub(crate) async fn project(
    store: &Store,
    tenant: TenantId,
    name: &str,
    tree: &Tree,
) -> (ProjectId, SourceId) {
    let scoped = store.write(tenant).await.unwrap();
    let project = project_create(
        &scoped,
        NewProject {
            name: name.into(),
            ..NewProject::default()
        },
    )
    .await
    .unwrap();
    scoped.commit().await.unwrap();
    let source = source(
        store,
        tenant,
        project.id,
        &format!("https://example.org/{name}.git"),
        "",
    )
    .await;
    let files: Vec<(&str, &str)> = tree
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    sync(store, tenant, source, "c0ffee", &files).await;
    (project.id, source)
}

pub(crate) async fn source(
    store: &Store,
    tenant: TenantId,
    project_id: ProjectId,
    url: &str,
    scan_path: &str,
) -> SourceId {
    let scoped = store.write(tenant).await.unwrap();
    let new = NewSource {
        project_id,
        url: url.into(),
        branch: None,
        scan_path: scan_path.into(),
    };
    let source = source_add(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    source.id
}

/// Stores files of a source, as a sync does.
pub(crate) async fn sync(
    store: &Store,
    tenant: TenantId,
    source: SourceId,
    commit: &str,
    files: &[(&str, &str)],
) {
    let scoped = store.write(tenant).await.unwrap();
    let size = |text: &str| i64::try_from(text.len()).unwrap();
    let blobs = files.iter().map(|(_, text)| NewBlob {
        oid: blob_id(text.as_bytes()),
        size: size(text),
        content: Some((*text).into()),
    });
    blobs_insert(&scoped, blobs.collect()).await.unwrap();
    let added = files.iter().map(|(path, text)| NewFile {
        path: (*path).into(),
        blob: blob_id(text.as_bytes()),
        language: None,
        size: size(text),
    });
    files_apply(
        &scoped,
        source,
        FileChanges {
            added: added.collect(),
            ..FileChanges::default()
        },
    )
    .await
    .unwrap();
    let now = scoped.env().now();
    source_synced(&scoped, source, commit, now).await.unwrap();
    scoped.commit().await.unwrap();
}

pub(super) async fn begin(
    store: &Store,
    tenant: TenantId,
    project: ProjectId,
) -> (Start, CodeAnalysis) {
    let scoped = store.write(tenant).await.unwrap();
    let begun = analysis_start(
        &scoped,
        project,
        AnalysisTrigger::Manual,
        None,
        QUIET_PERIOD,
    )
    .await
    .unwrap();
    scoped.commit().await.unwrap();
    begun
}

pub(super) async fn after_sync(
    store: &Store,
    tenant: TenantId,
    project: ProjectId,
) -> (Start, CodeAnalysis) {
    let scoped = store.write(tenant).await.unwrap();
    let begun = analysis_start_after_sync(&scoped, project, QUIET_PERIOD)
        .await
        .unwrap();
    scoped.commit().await.unwrap();
    begun
}

/// Carries out a queued run, which must succeed.
pub(super) async fn work(store: &Store, tenant: TenantId, run: RunId) -> Vec<RunEvent> {
    work_with(AnalysisHandler::default(), store, tenant, run).await
}

/// As [`work`], with another handler.
pub(super) async fn work_with(
    handler: AnalysisHandler,
    store: &Store,
    tenant: TenantId,
    run: RunId,
) -> Vec<RunEvent> {
    let workers = Workers::builder(store).handler(handler).start().unwrap();
    let events: Vec<RunEvent> = run_follow(store, tenant, run, 0)
        .map(Result::unwrap)
        .collect()
        .await;
    workers.shutdown().await;
    let succeeded = EventBody::Finished {
        status: RunStatus::Succeeded,
    };
    assert_eq!(events.last().unwrap().body, succeeded, "{events:#?}");
    events
}

pub(crate) async fn analyze(
    store: &Store,
    tenant: TenantId,
    project: ProjectId,
) -> (CodeAnalysis, Vec<RunEvent>) {
    let (start, _) = begin(store, tenant, project).await;
    assert!(start.is_started());
    let events = work(store, tenant, start.run().id).await;
    let scoped = store.read(tenant).await.unwrap();
    (
        CodeAnalyses::require(&scoped, start.run().id)
            .await
            .unwrap(),
        events,
    )
}

pub(super) async fn status(store: &Store, tenant: TenantId, run: RunId) -> RunStatus {
    let scoped = store.read(tenant).await.unwrap();
    Runs::require(&scoped, run).await.unwrap().status
}

pub(super) async fn patterns(
    store: &Store,
    tenant: TenantId,
    project: ProjectId,
    filter: &ProjectPatterns,
) -> Vec<CodePattern> {
    let scoped = store.read(tenant).await.unwrap();
    let page = filter
        .page(&scoped, project, &PageRequest::first(200))
        .await
        .unwrap();
    page.into_items()
}

/// The number of the tenant's contents with stored facts.
pub(super) async fn facts_kept(store: &Store, tenant: TenantId) -> i64 {
    #[derive(FromQueryResult)]
    struct KeptRow {
        kept: i64,
    }
    let scoped = store.read(tenant).await.unwrap();
    let rows: Vec<KeptRow> = scoped
        .sql_all(
            "SELECT count(*) AS kept FROM file_facts WHERE tenant_id = $1",
            [],
        )
        .await
        .unwrap();
    rows[0].kept
}

pub(super) fn as_the_engine_says_it(pattern: CodePattern) -> Pattern {
    Pattern {
        key: pattern.key,
        kind: pattern.kind,
        title: pattern.title,
        statement: pattern.statement,
        stack: pattern.stack,
        scope: pattern.scope,
        support: u32::try_from(pattern.support).unwrap(),
        cases: u32::try_from(pattern.cases).unwrap(),
        confidence: pattern.confidence,
        exemplars: pattern.exemplars,
        counter_examples: pattern.counter_examples,
        // Deviations are not stored.
        deviations: Vec::new(),
    }
}

/// Removes files from a source, as a sync does.
pub(super) async fn remove(store: &Store, tenant: TenantId, source: SourceId, paths: &[&str]) {
    let scoped = store.write(tenant).await.unwrap();
    let deleted = paths.iter().map(|path| (*path).to_owned()).collect();
    let changes = FileChanges {
        deleted,
        ..FileChanges::default()
    };
    files_apply(&scoped, source, changes).await.unwrap();
    scoped.commit().await.unwrap();
}

/// The messages of a run at that level.
pub(super) fn messages(events: &[RunEvent], wanted: Level) -> Vec<String> {
    let told = events.iter().filter_map(|event| match &event.body {
        EventBody::Message { level, text } if *level == wanted => Some(text.clone()),
        _ => None,
    });
    told.collect()
}
