//! Syncs of git repositories: imported files, skipped files, and the remains of failed syncs.

mod cancelled;
mod killed;
mod letters;
mod limits;
pub(crate) mod process;
mod renames;
mod repositories;
mod sigkill;
mod steps;
pub(crate) mod world;

use nyxcore_projects::{SourceChanges, SourceFile, Sources, source_history};
use nyxcore_runs::{EventBody, RunStatus, Start};
use nyxcore_sync::git::{SourcePolicy, SourceUrl};
use nyxcore_sync::{
    SourceStatus, SourceSyncs, SyncTrigger, mirror_remove, source_status, sync_get, sync_latest,
    sync_latest_of_projects, sync_start,
};
use nyxcore_tenancy::{ChildList, PageRequest, Repository};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;

use crate::support::{store, tenant};
use world::{SyncWorld, repository};

on_both_databases! {
    async fn a_second_sync_imports_nothing(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("src/main.rs", "fn main() { renewLease(); }\n").write("README.md", "Atlas\n");
        repository.commit("one");
        repository.write("src/main.rs", "fn main() { renewLease(15); }\n");
        let head = repository.commit("two");
        let source = world.source(&repository, None, "").await;

        let first = world.synced(source).await;
        assert_eq!(first.run.status, RunStatus::Succeeded);
        let found = &first.detail;
        assert_eq!((found.files_added, found.files_updated, found.files_deleted, found.files_unchanged), (2, 0, 0, 0));
        assert_eq!((found.from_commit.clone(), found.to_commit.as_deref()), (None, Some(head.as_str())));
        assert!(found.bytes_fetched > 0);
        let files = world.files(source).await;
        let listed: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.language.as_deref(), file.size, file.commits)).collect();
        assert_eq!(listed, [("README.md", None, 6, 1), ("src/main.rs", Some("rust"), 30, 2)]);
        assert_eq!(world.searched("renew lease").await, ["src/main.rs"]);
        let phases: Vec<String> = world.phases(&first).await;
        assert_eq!(phases, ["prepare", "scan", "import", "finalize", "index"]);
        assert!(world.has_progress(&first, "import").await);
        let mut told = world.events(&first).await.into_iter().filter_map(|event| match event.body {
            EventBody::Progressed { progress } if progress.phase == "import" => Some(progress),
            _ => None,
        });
        let last = told.next_back().unwrap();
        assert_eq!((last.done, last.total, last.bytes_done, last.bytes_total), (2, Some(2), Some(36), Some(36)));

        let before = world.rows(source).await;
        let second = world.synced(source).await;
        let found = &second.detail;
        assert_eq!((found.files_added, found.files_updated, found.files_deleted, found.files_unchanged), (0, 0, 0, 2));
        assert_eq!((found.bytes_fetched, found.previous_sync_id), (0, Some(first.run.id)));
        assert_eq!((found.from_commit.as_deref(), found.to_commit.as_deref()), (Some(head.as_str()), Some(head.as_str())));
        assert_eq!(world.files(source).await, files);
        assert_eq!(world.rows(source).await, before);
        for phase in ["scan", "import", "finalize", "index"] {
            assert!(!world.has_progress(&second, phase).await, "{phase} did something");
        }
        assert_eq!(world.phases(&second).await, ["prepare"]);
        assert_eq!(world.skipped(&second).await, ["scan", "import", "finalize", "index"]);
    }

    async fn stored_commits_are_kept_and_new_ones_added(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "1").write("b.rs", "1");
        let one = repository.commit("one");
        let source = world.source(&repository, None, "").await;
        let kept = async || {
            let scoped = world.read().await;
            let commits = source_history(&scoped, source).await.unwrap();
            assert!(commits.iter().all(|commit| !commit.author.is_empty()));
            let told = commits.iter().map(|commit| commit.paths.join(" "));
            told.collect::<Vec<_>>()
        };
        world.synced(source).await;
        assert_eq!(kept().await, ["a.rs b.rs"]);
        repository.write("b.rs", "2");
        repository.commit("two");
        world.synced(source).await;
        assert_eq!(kept().await, ["b.rs", "a.rs b.rs"]);
        repository.git(&["reset", "--quiet", "--hard", &one]);
        repository.write("c.rs", "1");
        repository.commit("another past");
        world.synced(source).await;
        assert_eq!(kept().await, ["c.rs", "a.rs b.rs"]);
    }

    async fn what_changed_is_changed_and_files_keep_their_ids(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository
            .write("kept.rs", "fn kept() {}\n")
            .write("changed.rs", "fn oldName() {}\n")
            .write("moved.rs", "fn moved() {}\n")
            .write("gone.rs", "fn vanishing() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        world.synced(source).await;
        let before = world.files(source).await;

        repository.write("changed.rs", "fn newName() {}\n").write("added.rs", "fn added() {}\n").remove("gone.rs");
        repository.git(&["mv", "moved.rs", "elsewhere.rs"]);
        repository.commit("two");
        let sync = world.synced(source).await;
        let found = &sync.detail;
        assert_eq!((found.files_added, found.files_updated, found.files_deleted, found.files_unchanged), (1, 1, 1, 1));
        assert_eq!(found.files_renamed, 1);
        let after = world.files(source).await;
        let paths: Vec<&str> = after.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["added.rs", "changed.rs", "elsewhere.rs", "kept.rs"]);
        let named = |files: &[SourceFile], path: &str| files.iter().find(|file| file.path == path).unwrap().clone();
        assert_eq!(named(&before, "kept.rs"), named(&after, "kept.rs"));
        assert_eq!(named(&before, "changed.rs").id, named(&after, "changed.rs").id);
        assert_eq!(named(&after, "changed.rs").commits, 2);
        // A moved file is the same file: its commits continue to be counted, and its content is not read again.
        let (was, is) = (named(&before, "moved.rs"), named(&after, "elsewhere.rs"));
        assert_eq!((was.id, was.blob, was.commits + 1), (is.id, is.blob, is.commits));
        assert_eq!(world.searched("new name").await, ["changed.rs"]);
        assert_eq!(world.searched("moved").await, ["elsewhere.rs"]);
        assert!(world.searched("old").await.is_empty());
        assert!(world.searched("vanishing").await.is_empty());
        // Contents that no file uses any more are deleted.
        assert_eq!(world.rows(source).await.blobs.len(), 4);
    }

    async fn only_the_scan_path_of_the_branch_is_imported(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("src/a.rs", "fn a() {}\n").write("docs/b.md", "b\n");
        repository.commit("one");
        repository.git(&["checkout", "--quiet", "-b", "side"]);
        repository.write("src/side.rs", "fn side() {}\n");
        repository.commit("two");
        repository.git(&["checkout", "--quiet", "main"]);
        let source = world.source(&repository, Some("side"), "src").await;
        world.synced(source).await;
        assert_eq!(world.paths(source).await, ["src/a.rs", "src/side.rs"]);
        let id = world.files(source).await[0].id;

        world.source_change(source, SourceChanges { scan_path: Some("/".into()), branch: Some(String::new()), url: None }).await;
        let sync = world.synced(source).await;
        assert_eq!(world.paths(source).await, ["docs/b.md", "src/a.rs"]);
        assert_eq!(world.files(source).await[1].id, id);
        let found = &sync.detail;
        assert_eq!((found.files_added, found.files_updated, found.files_deleted, found.files_unchanged), (1, 0, 1, 1));
        assert!(world.searched("side").await.is_empty());
    }

    async fn a_rewritten_history_brings_the_files_that_it_has_now(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        let first = repository.commit("one");
        repository.write("b.rs", "fn b() {}\n");
        repository.commit("two");
        let source = world.source(&repository, None, "").await;
        world.synced(source).await;

        repository.git(&["reset", "--quiet", "--hard", &first]);
        repository.write("c.rs", "fn c() {}\n");
        let head = repository.commit("another two");
        let sync = world.synced(source).await;
        assert_eq!(sync.detail.to_commit.as_deref(), Some(head.as_str()));
        assert_eq!(world.paths(source).await, ["a.rs", "c.rs"]);
        assert_eq!((sync.detail.files_added, sync.detail.files_deleted, sync.detail.files_unchanged), (1, 1, 1));
        let commits: Vec<i64> = world.files(source).await.iter().map(|file| file.commits).collect();
        assert_eq!(commits, [1, 1]);

        // The mirror with the old commit is lost: all files are compared, and none differs.
        mirror_remove(&world.options, source).await.unwrap();
        let before = world.rows(source).await;
        repository.git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "again"]);
        repository.git(&["reflog", "expire", "--expire=now", "--all"]);
        repository.git(&["gc", "--quiet", "--prune=now"]);
        let sync = world.synced(source).await;
        assert_eq!((sync.detail.files_added, sync.detail.files_updated, sync.detail.files_unchanged), (0, 0, 2));
        assert_eq!(sync.detail.from_commit, Some(head));
        let after = world.rows(source).await;
        assert_eq!((after.files, after.documents, after.blobs), (before.files, before.documents, before.blobs));
    }

    async fn a_sync_that_cannot_succeed_says_why_and_writes_nothing(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let empty = repository(&db, "empty");
        let mut full = repository(&db, "full");
        full.write("a.rs", "fn a() {}\n");
        full.commit("one");
        std::fs::create_dir_all(db.folder().join("remotes/folder")).unwrap();
        let folder = db.folder().join("remotes/folder");
        // Written directly to the database: the rules are also checked when the name is used.
        let unchecked_branch = world.source(&full, Some("stored"), "").await;
        let raw = db.superuser_connection().await.unwrap();
        raw.execute_unprepared("UPDATE sources SET branch = '--upload-pack=x' WHERE branch = 'stored'").await.unwrap();
        for (source, code) in [
            (world.source(&empty, None, "").await, "REPOSITORY_EMPTY"),
            (world.source(&full, Some("nowhere"), "").await, "BRANCH_NOT_FOUND"),
            (unchecked_branch, "BRANCH_INVALID"),
            (world.source(&full, None, "absent").await, "SCAN_PATH_NOT_FOUND"),
            (world.source(&full, None, "a.rs").await, "SCAN_PATH_INVALID"),
            (world.source_at(folder.to_str().unwrap(), None, "").await, "NOT_A_REPOSITORY"),
            (world.source_at("ext::sh -c id", None, "").await, "SOURCE_URL_FORBIDDEN"),
        ] {
            let sync = world.synced(source).await;
            assert_eq!((sync.run.status, sync.run.error.unwrap().code.as_str()), (RunStatus::Failed, code));
            assert_eq!(sync.detail.to_commit, None);
            let rows = world.rows(source).await;
            assert!(rows.files.is_empty() && rows.documents.is_empty() && rows.blobs.is_empty(), "{code}: {rows:?}");
            let scoped = world.read().await;
            let source = Sources::require(&scoped, source).await.unwrap();
            assert_eq!((&source.head_commit, source.last_synced_at), (&None, None));
            let latest = sync_latest(&scoped, source.id).await.unwrap();
            assert_eq!(source_status(&source, latest.as_ref()), SourceStatus::Failed);
        }
    }

    async fn a_sync_follows_the_last_successful_one(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        let first = world.synced(source).await;
        let away = db.folder().join("away");
        std::fs::rename(repository.path(), &away).unwrap();
        for _ in 0..2 {
            let failed = world.synced(source).await;
            assert_eq!((failed.run.status, failed.detail.previous_sync_id), (RunStatus::Failed, Some(first.run.id)));
        }
        std::fs::rename(&away, repository.path()).unwrap();
        let good = world.synced(source).await;
        assert_eq!((good.run.status, good.detail.previous_sync_id), (RunStatus::Succeeded, Some(first.run.id)));
        let last = world.synced(source).await;
        assert_eq!(last.detail.previous_sync_id, Some(good.run.id));

        let scoped = world.read().await;
        let page = SourceSyncs.page(&scoped, source, &PageRequest::first(10)).await.unwrap().into_items();
        let predecessors: Vec<_> = page.iter().map(|sync| sync.detail.previous_sync_id).collect();
        assert_eq!(predecessors, [Some(good.run.id), Some(first.run.id), None, None, None]);
        assert_eq!(SourceSyncs.count(&scoped, source).await.unwrap(), 5);
        assert_eq!(sync_latest(&scoped, source).await.unwrap().unwrap().run.id, last.run.id);
        let of_projects = sync_latest_of_projects(&scoped, &[world.project]).await.unwrap();
        assert_eq!(of_projects[&world.project].run.id, last.run.id);
    }

    async fn a_source_has_one_active_sync(db: TestDatabase) {
        let store = store(&db).await;
        let world = SyncWorld::new(&db, &store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let repository = repository(&db, "atlas");
        let source = world.source(&repository, None, "").await;
        let scoped = store.write(world.tenant.id).await.unwrap();
        let (start, sync) = sync_start(&scoped, source, SyncTrigger::Manual, None).await.unwrap();
        assert!(start.is_started());
        assert_eq!(sync.run.project_id, Some(world.project.0));
        let (again, same) = sync_start(&scoped, source, SyncTrigger::Manual, None).await.unwrap();
        assert!(matches!(again, Start::AlreadyActive(_)));
        assert_eq!(same, sync);
        let row = Sources::require(&scoped, source).await.unwrap();
        assert_eq!(source_status(&row, Some(&sync)), SourceStatus::Syncing);
        assert_eq!(source_status(&row, None), SourceStatus::NeverSynced);
        scoped.commit().await.unwrap();

        let scoped = store.write(other.id).await.unwrap();
        assert_eq!(sync_start(&scoped, source, SyncTrigger::Manual, None).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(sync_get(&scoped, sync.run.id).await.unwrap(), None);
        assert_eq!(sync_latest(&scoped, source).await.unwrap(), None);
    }

    async fn what_is_no_text_is_counted_and_told_once(db: TestDatabase) {
        let mut world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        world.options.blob_bytes_max = 1_000;
        let mut repository = repository(&db, "atlas");
        let limit = "x".repeat(999) + "\n";
        repository
            .write("text.rs", "fn text() {}\n")
            .write("limit.txt", &limit)
            .write("large.txt", "y".repeat(1_001))
            .write("picture.png", b"\x89PNG\0\0")
            .write("latin.txt", b"caf\xe9\n")
            .write("late.txt", [b"z".repeat(900), b"\0".to_vec()].concat())
            .write("empty.txt", "");
        std::os::unix::fs::symlink("text.rs", repository.path().join("link.rs")).unwrap();
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        let sync = world.synced(source).await;
        assert_eq!((sync.run.status, sync.detail.files_added, sync.detail.files_skipped), (RunStatus::Succeeded, 7, 5));
        let told: Vec<String> = world.messages(&sync).await.into_iter().filter(|text| text != "told").collect();
        assert_eq!(told, ["5 files skipped: 3 binary, 1 too large, 1 symbolic link"]);
        // They are files of the source, without text; the link is no file.
        assert_eq!(world.paths(source).await, ["empty.txt", "large.txt", "late.txt", "latin.txt", "limit.txt", "picture.png", "text.rs"]);
        assert_eq!(world.rows(source).await.texts(), ["", "fn text() {}\n", &limit]);

        // Text that becomes binary is no longer found, and binary that becomes text is found.
        repository.write("text.rs", b"\0").write("picture.png", "now a picture in words\n");
        repository.commit("two");
        world.synced(source).await;
        assert!(world.searched("text").await.is_empty());
        assert_eq!(world.searched("words").await, ["picture.png"]);
    }

    async fn content_that_the_tenant_has_is_not_read_again(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n").write("b.png", b"\0");
        repository.commit("one");
        let first = world.source(&repository, None, "").await;
        world.synced(first).await;
        let second = world.source(&repository, Some("main"), "").await;
        let sync = world.synced(second).await;
        assert_eq!((sync.detail.files_added, sync.detail.files_skipped), (2, 1));
        assert!(!world.has_progress(&sync, "import").await);
        assert_eq!(world.rows(second).await.files, world.rows(first).await.files);
    }
}

#[test]
fn an_address_is_checked_without_asking_anybody() {
    let policy = SourcePolicy::default();
    let checked = |url: &str| SourceUrl::parse(url, &policy);
    assert_eq!(
        checked(" https://Example.org/atlas.git/ ")
            .unwrap()
            .as_str(),
        "https://example.org/atlas.git"
    );
    assert_eq!(
        checked("/srv/atlas").unwrap_err().code(),
        "SOURCE_URL_FORBIDDEN"
    );
    assert_eq!(
        checked("--upload-pack=x").unwrap_err().code(),
        "SOURCE_URL_INVALID"
    );
}
