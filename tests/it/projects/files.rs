//! Files and contents: import by a sync, and removal with a source or project.

use std::collections::BTreeMap;

use nyxcore_projects::{
    FILE_PATH_MAX, FileChanges, HistoryRetention, NewBlob, NewFile, NewSource, Projects,
    SourceCommit, SourceFile, SourceFileList, SourceFiles, SourceId, Sources, blob_content,
    blob_contents, blobs_collect, blobs_insert, blobs_missing, churn_add, churn_reset,
    code_subject, file_all, files_apply, files_by_path, note_create, project_create,
    project_delete, source_add, source_history, source_history_keep, source_remove,
};
use nyxcore_retrieval::{Document, KnowledgeKind, documents_publish};
use nyxcore_tenancy::{
    Access, Backend, ChildList, Cursor, PageRequest, ReadWrite, Repository, Scoped,
};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};

use super::{found, named, noise, note_in, scope, source_in};
use crate::support::{store, tenant};

on_both_databases! {
    async fn content_is_stored_once_and_what_is_missing_is_named_in_order(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        blobs_insert(&scoped, vec![text("b1", "fn b() {}")]).await.unwrap();
        let missing = blobs_missing(&scoped, &["c3", "b1", "a2", "c3"]).await.unwrap();
        assert_eq!(missing, ["c3", "a2"]);
        // An existing content stays unchanged, because its id identifies the content.
        blobs_insert(&scoped, vec![text("b1", "other"), text("a2", "fn a() {}"), binary("c3")]).await.unwrap();
        blobs_insert(&scoped, vec![text("b1", "other")]).await.unwrap();
        assert!(blobs_missing(&scoped, &["a2", "b1", "c3"]).await.unwrap().is_empty());
        assert_eq!(blob_content(&scoped, "b1").await.unwrap().as_deref(), Some("fn b() {}"));
        assert_eq!(blob_content(&scoped, "c3").await.unwrap(), None);
        assert_eq!(blob_content(&scoped, "unknown").await.unwrap(), None);
        let texts: BTreeMap<_, _> = blob_contents(&scoped, &["a2", "b1", "c3", "unknown"]).await.unwrap().into_iter().collect();
        let expected = [("a2", "fn a() {}"), ("b1", "fn b() {}")].map(|(oid, text)| (oid.to_owned(), text.to_owned()));
        assert_eq!(texts, BTreeMap::from(expected));
    }

    async fn content_with_a_nul_is_kept_as_binary(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        blobs_insert(&scoped, vec![text("n1", "a\0b")]).await.unwrap();
        assert!(blobs_missing(&scoped, &["n1"]).await.unwrap().is_empty());
        assert_eq!(blob_content(&scoped, "n1").await.unwrap(), None);
    }

    async fn a_file_keeps_its_id_and_its_churn_while_its_content_changes(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        store_texts(&scoped, &["a1", "a2", "b1", "c1"]).await;
        let added = vec![file("a.rs", "a1"), file("b.rs", "b1")];
        files_apply(&scoped, source, FileChanges { added, ..Default::default() }).await.unwrap();
        churn_add(&scoped, source, &[("a.rs", 3), ("a.rs", 1), ("gone.rs", 9)]).await.unwrap();
        let before = files_by_path::<_, &str>(&scoped, source, None).await.unwrap();

        let changed = NewFile { language: Some("Rust".into()), size: 7, ..file("a.rs", "a2") };
        let changes = FileChanges { added: vec![file("c.rs", "c1")], updated: vec![changed], renamed: Vec::new(), deleted: vec!["b.rs".into(), "gone.rs".into()] };
        files_apply(&scoped, source, changes).await.unwrap();
        let after = file_all(&scoped, source).await.unwrap();
        assert_eq!(after.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a.rs", "c.rs"]);
        let expected = SourceFile {
            id: before["a.rs"].id,
            source_id: source,
            path: "a.rs".into(),
            blob: "a2".into(),
            language: Some("Rust".into()),
            size: 7,
            commits: 4,
        };
        assert_eq!(after[0], expected);
        assert_eq!(after[1].commits, 0);
    }

    async fn files_are_looked_up_by_the_paths_that_are_asked_for(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        let other = other_source(&scoped, source).await;
        store_texts(&scoped, &["a1", "b1"]).await;
        files_apply(&scoped, source, added(&[("a.rs", "a1"), ("b.rs", "b1")])).await.unwrap();
        files_apply(&scoped, other, added(&[("a.rs", "b1")])).await.unwrap();
        let some = files_by_path(&scoped, source, Some(&["a.rs", "none.rs"])).await.unwrap();
        assert_eq!(some.len(), 1);
        assert_eq!(some["a.rs"].blob, "a1");
        assert!(files_by_path(&scoped, source, Some(&[] as &[&str])).await.unwrap().is_empty());
        assert_eq!(files_by_path::<_, &str>(&scoped, source, None).await.unwrap().len(), 2);
    }

    async fn a_folder_lists_what_is_below_it_in_the_order_of_bytes(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        store_texts(&scoped, &["x1"]).await;
        let paths = ["src/a.rs", "src", "src/Z.rs", "src-x/a.rs", "src0", "srcx.rs", "src/ä/b.rs", "Src/a.rs", "src/a%b.rs", "src/a_b/c.rs"];
        files_apply(&scoped, source, added(&paths.map(|path| (path, "x1")))).await.unwrap();
        let below = ["src", "src/Z.rs", "src/a%b.rs", "src/a.rs", "src/a_b/c.rs", "src/ä/b.rs"];
        assert_eq!(walk(&scoped, source, Some("src/")).await, below);
        assert_eq!(SourceFileList::below(Some("src")).unwrap().count(&scoped, source).await.unwrap(), 6);
        assert_eq!(walk(&scoped, source, Some("src/a_b")).await, ["src/a_b/c.rs"]);
        let mut all = paths.map(str::to_owned).to_vec();
        all.sort();
        assert_eq!(walk(&scoped, source, None).await, all);
        assert_eq!(file_all(&scoped, source).await.unwrap().into_iter().map(|f| f.path).collect::<Vec<_>>(), all);
        assert_eq!(SourceFileList::below(Some("/")).unwrap().count(&scoped, source).await.unwrap(), 10);
    }

    async fn churn_counts_from_nothing_again_after_a_reset(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        let other = other_source(&scoped, source).await;
        store_texts(&scoped, &["x1"]).await;
        let odd = "we\"ird \\ päth.rs";
        for each in [source, other] {
            files_apply(&scoped, each, added(&[(odd, "x1"), ("b.rs", "x1")])).await.unwrap();
            churn_add(&scoped, each, &[(odd, 5), ("b.rs", 2)]).await.unwrap();
        }
        churn_reset(&scoped, source).await.unwrap();
        churn_add(&scoped, source, &[(odd, 2)]).await.unwrap();
        let commits = |files: Vec<SourceFile>| files.into_iter().map(|f| f.commits).collect::<Vec<_>>();
        assert_eq!(commits(file_all(&scoped, source).await.unwrap()), [0, 2]);
        assert_eq!(commits(file_all(&scoped, other).await.unwrap()), [2, 5]);
    }

    async fn the_commits_of_a_source_are_kept_newest_first_and_go_with_it(db: TestDatabase) {
        let (store, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        let other = other_source(&scoped, source).await;
        let commit = |author: &str, committed_at, paths: &[&str]| SourceCommit {
            author: author.into(),
            committed_at,
            paths: paths.iter().map(|path| (*path).into()).collect(),
        };
        let (one, two, three) = (commit("Ann", 10, &["a.rs", "b.rs"]), commit("Bob", 20, &["b.rs"]), commit("Ann", 30, &[]));
        source_history_keep(&scoped, source, &[two.clone(), one.clone()], HistoryRetention::Nothing).await.unwrap();
        source_history_keep(&scoped, other, std::slice::from_ref(&one), HistoryRetention::Since(0)).await.unwrap();
        source_history_keep(&scoped, source, &[], HistoryRetention::Since(15)).await.unwrap();
        assert_eq!(source_history(&scoped, source).await.unwrap(), [two.clone(), one.clone()], "nothing new takes nothing away");
        source_history_keep(&scoped, source, std::slice::from_ref(&three), HistoryRetention::Since(15)).await.unwrap();
        assert_eq!(source_history(&scoped, source).await.unwrap(), [three.clone(), two], "what is too old goes");
        source_history_keep(&scoped, source, std::slice::from_ref(&three), HistoryRetention::Nothing).await.unwrap();
        assert_eq!(source_history(&scoped, source).await.unwrap(), [three]);
        assert_eq!(source_history(&scoped, other).await.unwrap(), [one]);
        source_remove(&scoped, source).await.unwrap();
        assert!(source_history(&scoped, source).await.unwrap().is_empty());
        scoped.commit().await.unwrap();
        let (stranger, _) = tenant(&store, "stranger").await;
        let theirs = store.read(stranger.id).await.unwrap();
        assert!(source_history(&theirs, other).await.unwrap().is_empty());
    }

    async fn a_file_needs_a_source_and_stored_content(db: TestDatabase) {
        let (store, scoped) = scope(&db).await;
        let acme = scoped.tenant();
        let mine = source(&scoped).await;
        store_texts(&scoped, &["x1"]).await;
        let long = "a".repeat(FILE_PATH_MAX + 1);
        let refused = files_apply(&scoped, mine, added(&[(&long, "x1")])).await.unwrap_err();
        assert_eq!(refused.code(), "INVALID_INPUT");
        files_apply(&scoped, mine, added(&[(&noise(FILE_PATH_MAX), "x1")])).await.unwrap();
        scoped.commit().await.unwrap();
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write(other.id).await.unwrap();
        assert_eq!(files_apply(&scoped, mine, added(&[("a.rs", "x1")])).await.unwrap_err().code(), "NOT_FOUND");
        // Another tenant's content does not count as existing.
        assert_eq!(blobs_missing(&scoped, &["x1"]).await.unwrap(), ["x1"]);
        let theirs = source(&scoped).await;
        assert_eq!(files_apply(&scoped, theirs, added(&[("a.rs", "x1")])).await.unwrap_err().code(), "NOT_FOUND");
        drop(scoped);
        let scoped = store.read(acme).await.unwrap();
        assert_eq!(SourceFileList::default().count(&scoped, mine).await.unwrap(), 1);
    }

    async fn content_goes_with_the_last_file_that_has_it(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        store_texts(&scoped, &["shared", "alone", "unused"]).await;
        files_apply(&scoped, source, added(&[("a.rs", "shared"), ("b.rs", "shared"), ("c.rs", "alone")])).await.unwrap();
        let oids = ["shared", "alone", "unused", "unknown"];
        assert_eq!(blobs_collect(&scoped, &oids).await.unwrap(), 1);
        let deleted = vec!["a.rs".into(), "c.rs".into()];
        files_apply(&scoped, source, FileChanges { deleted, ..Default::default() }).await.unwrap();
        assert_eq!(blobs_collect(&scoped, &oids).await.unwrap(), 1);
        assert_eq!(blobs_missing(&scoped, &oids).await.unwrap(), ["alone", "unused", "unknown"]);
    }

    /// On PostgreSQL two syncs may do this at once; SQLite has one writer at a time.
    async fn content_that_is_just_given_to_a_file_elsewhere_is_left_alone(db: TestDatabase) {
        let (store, scoped) = scope(&db).await;
        let acme = scoped.tenant();
        let source = source(&scoped).await;
        store_texts(&scoped, &["x1", "x2"]).await;
        scoped.commit().await.unwrap();
        if store.backend() == Backend::Sqlite {
            return;
        }
        let giving = store.write(acme).await.unwrap();
        files_apply(&giving, source, added(&[("a.rs", "x1")])).await.unwrap();
        let collecting = store.write(acme).await.unwrap();
        assert_eq!(blobs_collect(&collecting, &["x1", "x2"]).await.unwrap(), 1);
        collecting.commit().await.unwrap();
        giving.commit().await.unwrap();
        let scoped = store.read(acme).await.unwrap();
        assert_eq!(blobs_missing(&scoped, &["x1", "x2"]).await.unwrap(), ["x2"]);
    }

    async fn removing_a_source_removes_its_files_and_content(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        let other = other_source(&scoped, source).await;
        store_texts(&scoped, &["both", "mine"]).await;
        files_apply(&scoped, source, added(&[("a.rs", "both"), ("b.rs", "mine")])).await.unwrap();
        files_apply(&scoped, other, added(&[("a.rs", "both")])).await.unwrap();
        publish(&scoped, source, "b.rs").await;
        publish(&scoped, other, "a.rs").await;
        let file = file_all(&scoped, source).await.unwrap().remove(0);
        source_remove(&scoped, source).await.unwrap();
        assert_eq!(Sources::get(&scoped, source).await.unwrap(), None);
        assert_eq!(SourceFiles::get(&scoped, file.id).await.unwrap(), None);
        assert_eq!(blobs_missing(&scoped, &["both", "mine"]).await.unwrap(), ["mine"]);
        assert_eq!(found(&scoped, "zebra").await, [code_subject(other, "a.rs")]);
    }

    async fn a_deleted_file_is_no_longer_found(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        store_texts(&scoped, &["x1"]).await;
        files_apply(&scoped, source, added(&[("a.rs", "x1"), ("b.rs", "x1")])).await.unwrap();
        publish(&scoped, source, "a.rs").await;
        publish(&scoped, source, "b.rs").await;
        files_apply(&scoped, source, FileChanges { deleted: vec!["a.rs".into()], ..Default::default() }).await.unwrap();
        assert_eq!(found(&scoped, "zebra").await, [code_subject(source, "b.rs")]);
    }

    async fn a_project_goes_with_everything_that_is_its_own(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let source = source(&scoped).await;
        let project = Sources::require(&scoped, source).await.unwrap().project_id;
        store_texts(&scoped, &["x1"]).await;
        files_apply(&scoped, source, added(&[("a.rs", "x1")])).await.unwrap();
        publish(&scoped, source, "a.rs").await;
        note_create(&scoped, note_in(project)).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.write(acme.id).await.unwrap();
        project_delete(&scoped, project).await.unwrap();
        assert_eq!(Projects::get(&scoped, project).await.unwrap(), None);
        assert!(found(&scoped, "zebra leases").await.is_empty());
        scoped.commit().await.unwrap();
        // Read past all scopes: no row is left.
        let everything = db.superuser_connection().await.unwrap();
        for table in ["projects", "sources", "source_files", "blobs", "notes", "search_documents"] {
            let count = Statement::from_string(everything.get_database_backend(), format!("SELECT count(*) AS n FROM {table}"));
            let row = everything.query_one_raw(count).await.unwrap().unwrap();
            assert_eq!(row.try_get::<i64>("", "n").unwrap(), 0, "{table}");
        }
    }

    async fn thousands_of_files_are_stored_compared_and_removed(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let source = source(&scoped).await;
        let names: Vec<(String, String)> = (0..12_000).map(|n| (format!("src/{n}.rs"), format!("oid{n}"))).collect();
        let oids: Vec<&String> = names.iter().map(|(_, oid)| oid).collect();
        assert_eq!(blobs_missing(&scoped, &oids).await.unwrap().len(), 12_000);
        let blobs = names.iter().map(|(_, oid)| text(oid, "x")).collect();
        blobs_insert(&scoped, blobs).await.unwrap();
        let files: Vec<(&str, &str)> = names.iter().map(|(path, oid)| (path.as_str(), oid.as_str())).collect();
        files_apply(&scoped, source, added(&files)).await.unwrap();
        let churn: Vec<(&str, i64)> = files.iter().map(|(path, _)| (*path, 1)).collect();
        churn_add(&scoped, source, &churn).await.unwrap();
        let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
        assert_eq!(files_by_path(&scoped, source, Some(&paths)).await.unwrap().len(), 12_000);
        assert!(file_all(&scoped, source).await.unwrap().iter().all(|file| file.commits == 1));
        assert!(blobs_missing(&scoped, &oids).await.unwrap().is_empty());
        source_remove(&scoped, source).await.unwrap();
        assert_eq!(blobs_missing(&scoped, &oids).await.unwrap().len(), 12_000);
    }
}

fn text(oid: &str, content: &str) -> NewBlob {
    NewBlob {
        oid: oid.into(),
        size: i64::try_from(content.len()).unwrap(),
        content: Some(content.into()),
    }
}

fn binary(oid: &str) -> NewBlob {
    NewBlob {
        oid: oid.into(),
        size: 1 << 20,
        content: None,
    }
}

async fn store_texts(scoped: &Scoped<ReadWrite>, oids: &[&str]) {
    let blobs = oids.iter().map(|oid| text(oid, "x")).collect();
    blobs_insert(scoped, blobs).await.unwrap();
}

fn file(path: &str, blob: &str) -> NewFile {
    NewFile {
        path: path.into(),
        blob: blob.into(),
        language: None,
        size: 1,
    }
}

fn added(files: &[(&str, &str)]) -> FileChanges {
    FileChanges {
        added: files.iter().map(|(path, blob)| file(path, blob)).collect(),
        ..FileChanges::default()
    }
}

async fn source(scoped: &Scoped<ReadWrite>) -> SourceId {
    let project = project_create(scoped, named("Atlas")).await.unwrap();
    source_add(scoped, source_in(project.id)).await.unwrap().id
}

/// A second source of the same project.
async fn other_source(scoped: &Scoped<ReadWrite>, source: SourceId) -> SourceId {
    let project = Sources::require(scoped, source).await.unwrap().project_id;
    let new = NewSource {
        branch: Some("other".into()),
        ..source_in(project)
    };
    source_add(scoped, new).await.unwrap().id
}

/// The files below a path, by pages of two.
async fn walk<A: Access>(scoped: &Scoped<A>, source: SourceId, path: Option<&str>) -> Vec<String> {
    let mut request = PageRequest::first(2);
    let mut paths = Vec::new();
    loop {
        let page = SourceFileList::below(path)
            .unwrap()
            .page(scoped, source, &request)
            .await
            .unwrap();
        let more = page.has_next;
        paths.extend(page.into_items().into_iter().map(|file| file.path));
        if !more {
            return paths;
        }
        request.after = paths.last().cloned().map(Cursor::Text);
    }
}

async fn publish(scoped: &Scoped<ReadWrite>, source: SourceId, path: &str) {
    let project = Sources::require(scoped, source).await.unwrap().project_id;
    let document = Document {
        kind: KnowledgeKind::Code,
        subject: code_subject(source, path),
        subject_id: None,
        project_id: Some(project.0),
        title: path.into(),
        body: "fn zebra() {}".into(),
        path: Some(path.into()),
        source_id: None,
        start_line: Some(1),
        end_line: Some(1),
        stack: None,
        role: None,
    };
    documents_publish(scoped, vec![document]).await.unwrap();
}
