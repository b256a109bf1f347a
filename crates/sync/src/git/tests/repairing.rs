//! Recovery after a killed process, a full disk or manual changes.

use std::fs;

use super::*;

async fn fetched_world() -> (World, TestRepository, String) {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    let commit = repository.commit("one");
    world
        .fetch(&world.local(&repository), None)
        .await
        .expect("fetched");
    (world, repository, commit)
}

/// Fetches again and checks that the mirror is complete.
async fn assert_good(world: &World, repository: &mut TestRepository) {
    repository.write("b", "b");
    let commit = repository.commit("after the damage");
    let fetched = world
        .fetch(&world.local(repository), None)
        .await
        .expect("fetched");
    assert_eq!(fetched.head_commit, commit);
    let reader = world.reader().await;
    let listing = reader
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await
        .expect("a listing");
    let ids = listing
        .entries
        .into_iter()
        .map(|entry| entry.blob)
        .collect();
    assert_eq!(
        contents(&reader, ids, CAP).await,
        [
            BlobContent::Text("a".to_owned()),
            BlobContent::Text("b".to_owned())
        ]
    );
    let churn = reader
        .history_churn(
            &HistoryQuery::year_before(chrono::DateTime::UNIX_EPOCH, &commit),
            &world.cancel,
        )
        .await;
    assert!(churn.expect("history").commits >= 2);
}

#[tokio::test]
async fn what_a_killed_git_leaves_is_cleared_away() {
    let (world, mut repository, _) = fetched_world().await;
    let path = world.mirror().await.path().to_owned();
    let leftovers = [
        "config.lock",
        "shallow.lock",
        "packed-refs.lock",
        "HEAD.lock",
        "refs/nyxcore/head.lock",
        "objects/pack/tmp_pack_AbCdEf",
        "objects/pack/tmp_idx_AbCdEf",
        "objects/tmp_objdir-incoming-AbCdEf/pack/x",
        "objects/pack/pack-0123456789012345678901234567890123456789.keep",
    ];
    for file in leftovers {
        fs::create_dir_all(path.join(file).parent().expect("a folder")).expect("a folder");
        fs::write(path.join(file), "left").expect("a file");
    }
    assert_good(&world, &mut repository).await;
    for file in leftovers {
        assert!(!path.join(file).exists(), "{file} is still there");
    }
}

#[tokio::test]
async fn a_mirror_that_is_half_there_is_made_anew() {
    for damage in ["HEAD", "config", "objects", "refs"] {
        let (world, mut repository, _) = fetched_world().await;
        let path = world.mirror().await.path().join(damage);
        if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        }
        .expect("removed");
        assert_good(&world, &mut repository).await;
    }
    for (file, content) in [
        ("HEAD", ""),
        ("config", "[core"),
        ("config", ""),
        ("refs/nyxcore/head", ""),
        ("refs/nyxcore/head", "\0\0\0\0"),
        (
            "refs/nyxcore/head",
            "0123456789012345678901234567890123456789\n",
        ),
    ] {
        let (world, mut repository, _) = fetched_world().await;
        fs::write(world.mirror().await.path().join(file), content).expect("written");
        assert_good(&world, &mut repository).await;
    }
}

#[tokio::test]
async fn a_mirror_whose_making_was_cut_short_is_made_whole() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let mirrors = world.folder.path().join("data/mirrors");
    fs::create_dir_all(mirrors.join(format!("{ID}.new/objects"))).expect("a folder");
    fs::write(mirrors.join(format!("{ID}.new/config.lock")), "").expect("a file");
    fs::create_dir_all(mirrors.join(ID)).expect("a folder");
    assert_good(&world, &mut repository).await;
    assert!(!mirrors.join(format!("{ID}.new")).exists());
}

#[tokio::test]
async fn objects_that_are_lost_or_torn_are_fetched_again() {
    for tear in [false, true] {
        let (world, mut repository, _) = fetched_world().await;
        let pack = world.mirror().await.path().join("objects/pack");
        for entry in fs::read_dir(pack).expect("packs").flatten() {
            if tear
                && entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "pack")
            {
                let mut permissions = entry.metadata().expect("it").permissions();
                std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
                fs::set_permissions(entry.path(), permissions).expect("writable");
                let bytes = fs::read(entry.path()).expect("a pack");
                fs::write(entry.path(), &bytes[..bytes.len() / 2]).expect("torn");
            } else if !tear {
                fs::remove_file(entry.path()).expect("removed");
            }
        }
        assert_good(&world, &mut repository).await;
    }
}

#[tokio::test]
async fn a_fetch_succeeds_after_git_was_killed() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let server = GitHttpServer::start(
        &world.remotes(),
        GitHttpOptions {
            endless: true,
            filter: true,
            ..GitHttpOptions::default()
        },
    )
    .await;
    let url = world.url(&server.url("a/.git"));
    // Dropping the future kills git with SIGKILL, as a crash of the server does.
    let abandoned = async {
        while server.requests().len() < 4 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = world.fetch(&url, None) => panic!("the server never finishes: {outcome:?}"),
        () = abandoned => {}
    }
    assert_good(&world, &mut repository).await;
}

#[tokio::test]
async fn a_mirror_is_written_by_one_at_a_time() {
    let (world, repository, commit) = fetched_world().await;
    let mirror = world.mirror().await;
    let held = mirror.lock(&world.cancel).await.expect("the lock");
    let cancel = CancellationToken::new();
    let url = world.local(&repository);
    let request = FetchRequest {
        url: &url,
        access: &world.access,
        policy: &world.policy,
        branch: None,
        blob_bytes_max: CAP,
        bytes_max: None,
    };
    let mut ignore = |_| ();
    let waiting = mirror.mirror_fetch(&request, &cancel, &mut ignore);
    let stop = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        cancel.cancel();
    };
    assert_eq!(
        tokio::join!(waiting, stop).0,
        Err(GitError::Cancelled),
        "it waited, and could be cancelled"
    );
    drop(held);
    assert_eq!(
        world.fetch(&url, None).await.expect("fetched").head_commit,
        commit
    );
}

#[tokio::test]
async fn a_mirror_is_removed_with_all_in_it() {
    let (world, repository, _) = fetched_world().await;
    let path = world.mirror().await.path().to_owned();
    world
        .store
        .mirror_delete(ID, &world.cancel)
        .await
        .expect("removed");
    assert!(!path.exists());
    world
        .store
        .mirror_delete(ID, &world.cancel)
        .await
        .expect("removed twice");
    assert!(world.fetch(&world.local(&repository), None).await.is_ok());
    for id in ["", "..", "../x", "a/b", "-x", "a.b", &"x".repeat(65)] {
        assert_eq!(
            world
                .store
                .mirror_open_or_create(id, &world.cancel)
                .await
                .expect_err(id)
                .code(),
            "GIT_FAILED"
        );
    }
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_says_so() {
    let world = World::new();
    fs::write(
        world.folder.path().join("data"),
        "a file, where a folder should be",
    )
    .expect("a file");
    let error = world
        .store
        .mirror_open_or_create(ID, &world.cancel)
        .await
        .expect_err("no folder");
    assert_eq!(error.code(), "GIT_FAILED");
    let proc = MirrorStore::new(std::path::Path::new("/proc/nowhere"));
    assert!(proc.mirror_open_or_create(ID, &world.cancel).await.is_err());
}
