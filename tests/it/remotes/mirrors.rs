//! Mirrors are deleted with their source, however it was removed; nothing else is deleted.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use nyxcore_projects::{SourceId, project_delete, source_remove};
use nyxcore_sync::mirrors_sweep;
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::sql;
use crate::support::store;
use crate::sync::world::{SyncWorld, repository};

/// A world with a synced source, whose mirror is on the disk.
async fn synced(db: &TestDatabase) -> (SyncWorld, SourceId, PathBuf) {
    let world = SyncWorld::new(db, &store(db).await, "acme").await;
    let mut repository = repository(db, "atlas");
    repository.write("a.rs", "fn a() {}\n");
    repository.commit("one");
    let source = world.source(&repository, None, "").await;
    world.synced(source).await;
    let mirror = db.folder().join("data/mirrors").join(source.0.to_string());
    assert!(mirror.join("HEAD").exists());
    (world, source, mirror)
}

async fn sweep(world: &SyncWorld) -> u64 {
    mirrors_sweep(&world.store, &world.options).await.unwrap()
}

on_both_databases! {
    async fn a_mirror_goes_when_its_source_was_removed_and_not_before(db: TestDatabase) {
        let (world, source, mirror) = synced(&db).await;
        let beside = |end: &str| mirror.with_extension(end);
        // Leftovers of killed processes, of this source and of a removed one.
        fs::create_dir(beside("new")).unwrap();
        fs::create_dir(beside("ssh")).unwrap();
        fs::write(beside("ssh").join("key"), "s3cret").unwrap();
        let gone = mirror.with_file_name("0198c1f2-0000-7000-8000-000000000001");
        File::create(gone.with_extension("lock")).unwrap();
        fs::create_dir(gone.with_extension("new")).unwrap();
        assert_eq!(sweep(&world).await, 1);
        assert!(mirror.exists() && beside("lock").exists());
        assert!(!beside("new").exists() && !beside("ssh").exists());
        assert!(!gone.with_extension("lock").exists() && !gone.with_extension("new").exists());

        let scoped = world.write().await;
        source_remove(&scoped, source).await.unwrap();
        assert!(mirror.exists());
        scoped.commit().await.unwrap();
        // The mirror is still in use.
        let lock = File::open(beside("lock")).unwrap();
        lock.lock().unwrap();
        assert_eq!(sweep(&world).await, 0);
        assert!(mirror.exists());
        drop(lock);
        assert_eq!(sweep(&world).await, 1);
        let left: Vec<_> = fs::read_dir(mirror.parent().unwrap()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(sweep(&world).await, 0);
    }

    async fn a_mirror_goes_however_its_source_went(db: TestDatabase) {
        let (world, _, mirror) = synced(&db).await;
        let scoped = world.write().await;
        project_delete(&scoped, world.project).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(sweep(&world).await, 1);
        assert!(!mirror.exists());

        let other = SyncWorld::new(&db, &world.store, "other").await;
        let source = other.source(&repository(&db, "empty"), None, "").await;
        other.synced(source).await;
        let mirror = mirror.with_file_name(source.0.to_string());
        assert!(mirror.exists());
        assert_eq!(sweep(&world).await, 0);
        // Directly in the database and without a signal, as by an operator or at the end of a tenant.
        sql(&db, "DELETE FROM projects WHERE tenant_id = (SELECT id FROM tenants WHERE slug = 'other')").await;
        assert_eq!(sweep(&world).await, 1);
        assert!(!mirror.exists());
    }

    async fn what_is_no_mirror_stays_and_no_link_is_followed(db: TestDatabase) {
        let (world, _, mirror) = synced(&db).await;
        let root = mirror.parent().unwrap().to_owned();
        let outside = db.folder().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "x").unwrap();
        let link = root.join("0198c1f2-0000-7000-8000-000000000002");
        symlink(&outside, &link).unwrap();
        let strangers = [
            "notes", "0198c1f2", "0198C1F2-0000-7000-8000-00000000000A", "0198c1f2000070008000000000000003",
            "0198c1f2-0000-7000-8000-000000000004.backup", "{0198c1f2-0000-7000-8000-000000000005}", ".hidden",
        ];
        for name in strangers {
            fs::create_dir(root.join(name)).unwrap();
        }
        assert_eq!(sweep(&world).await, 1);
        assert!(!link.is_symlink());
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "x");
        for name in strangers {
            assert!(root.join(name).exists(), "{name}");
        }
        assert!(mirror.exists());
    }
}
