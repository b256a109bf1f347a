//! Fetching: over HTTP from `git http-backend`, and from paths.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test]
async fn over_http_a_partial_clone_leaves_large_files_at_the_remote() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository
        .write("small.txt", "small")
        .write("big.txt", noise(300_000));
    let one = repository.commit("one");
    let server = GitHttpServer::start(
        &world.remotes(),
        GitHttpOptions {
            filter: true,
            ..GitHttpOptions::default()
        },
    )
    .await;
    let url = world.url(&server.url("a/.git"));

    let fetched = world.fetch(&url, None).await.expect("fetched");
    assert_eq!(
        (fetched.head_commit.as_str(), fetched.unchanged),
        (one.as_str(), false)
    );
    assert!(
        (100..10_000).contains(&fetched.bytes_received),
        "{} bytes",
        fetched.bytes_received
    );
    let reader = world.reader().await;
    let listing = reader
        .tree_list(&one, &ScanPath::default(), &world.cancel)
        .await
        .expect("a listing");
    let ids: Vec<String> = listing
        .entries
        .into_iter()
        .map(|entry| entry.blob)
        .collect();
    assert_eq!(
        contents(&reader, ids, CAP).await,
        [BlobContent::Missing, BlobContent::Text("small".to_owned())]
    );

    // The large file shrinks below the limit: it arrives whole, even if the remote sends it as a delta.
    let shrunk = noise(300_000)[..60_000].to_owned();
    repository.write("big.txt", &shrunk);
    let two = repository.commit("two");
    let fetched = world.fetch(&url, None).await.expect("fetched");
    assert_eq!(fetched.head_commit, two);
    let blob = repository.git(&["rev-parse", "HEAD:big.txt"]);
    assert_eq!(
        contents(&world.reader().await, vec![blob], CAP).await,
        [BlobContent::Text(shrunk)]
    );
}

#[tokio::test]
async fn a_server_without_filters_sends_everything_and_that_is_fine() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("big.txt", noise(300_000));
    repository.commit("one");
    let server = GitHttpServer::start(&world.remotes(), GitHttpOptions::default()).await;
    let fetched = world
        .fetch(&world.url(&server.url("a/.git")), None)
        .await
        .expect("fetched");
    assert!(
        fetched.bytes_received > 100_000,
        "{} bytes",
        fetched.bytes_received
    );
    let blob = repository.git(&["rev-parse", "HEAD:big.txt"]);
    assert_eq!(
        contents(&world.reader().await, vec![blob], CAP).await,
        [BlobContent::TooLarge { size: 300_000 }]
    );
}

#[tokio::test]
async fn from_a_path_large_files_are_left_out_too() {
    let world = World::new();
    let mut repository = world.repository("with space 'and quote");
    repository.write("big.txt", noise(300_000));
    let commit = repository.commit("one");
    let fetched = world
        .fetch(&world.local(&repository), None)
        .await
        .expect("fetched");
    assert_eq!(fetched.head_commit, commit);
    let blob = repository.git(&["rev-parse", "HEAD:big.txt"]);
    assert_eq!(
        contents(&world.reader().await, vec![blob], CAP).await,
        [BlobContent::Missing]
    );
}

#[tokio::test]
async fn what_did_not_change_costs_one_question() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    let commit = repository.commit("one");
    let server = GitHttpServer::start(
        &world.remotes(),
        GitHttpOptions {
            filter: true,
            ..GitHttpOptions::default()
        },
    )
    .await;
    let url = world.url(&server.url("a/.git"));
    world.fetch(&url, None).await.expect("fetched");
    let before = server.requests().len();
    let again = world.fetch(&url, Some("main")).await.expect("fetched");
    assert_eq!(
        again,
        FetchResult {
            head_commit: commit,
            bytes_received: 0,
            unchanged: true
        }
    );
    let requests = server.requests()[before..].to_vec();
    assert_eq!(
        requests,
        [
            "GET /a/.git/info/refs?service=git-upload-pack",
            "POST /a/.git/git-upload-pack"
        ]
    );
}

#[tokio::test]
async fn a_rewritten_branch_is_fetched_by_name() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "1");
    let one = repository.commit("one");
    repository.write("a", "2");
    let two = repository.commit("two");
    repository.git(&["branch", "topic", &one]);
    let url = world.local(&repository);
    assert_eq!(
        world.fetch(&url, None).await.expect("fetched").head_commit,
        two
    );
    assert_eq!(
        world
            .fetch(&url, Some("topic"))
            .await
            .expect("fetched")
            .head_commit,
        one
    );
    // As refs, `topic` and `topic/x` cannot exist at the same time: a mirror follows either.
    repository.git(&["branch", "-D", "topic"]);
    repository.git(&["branch", "topic/x", &two]);
    assert_eq!(
        code(world.fetch(&url, Some("topic")).await),
        "BRANCH_NOT_FOUND"
    );
    assert_eq!(
        world
            .fetch(&url, Some("topic/x"))
            .await
            .expect("fetched")
            .head_commit,
        two
    );

    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["reset", "--quiet", "--hard", &one]);
    repository.write("a", "3");
    let rewritten = repository.commit("three");
    let fetched = world.fetch(&url, Some("main")).await.expect("fetched");
    assert_eq!(fetched.head_commit, rewritten);
    let diff = world
        .reader()
        .await
        .tree_diff(Some(&two), &rewritten, &ScanPath::default(), &world.cancel)
        .await
        .expect("the old commit is still there");
    assert_eq!(diff.changes.len(), 1);
}

#[tokio::test]
async fn detached_heads_and_shallow_sources_are_fetched() {
    let world = World::new();
    let mut repository = world.repository("a");
    for round in 0..3 {
        repository.write("a", round.to_string());
        repository.commit("next");
    }
    let shallow = world.remotes().join("shallow");
    repository.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        &format!("file://{}", repository.path().display()),
        shallow.to_str().expect("UTF-8"),
    ]);
    let clone = TestRepository::create(&shallow);
    clone.git(&["checkout", "--quiet", "--detach"]);
    let fetched = world
        .fetch(&world.local(&clone), None)
        .await
        .expect("fetched");
    assert_eq!(fetched.head_commit, clone.git(&["rev-parse", "HEAD"]));
    assert_eq!(
        world
            .reader()
            .await
            .tree_list(
                &repository.git(&["rev-parse", "HEAD"]),
                &ScanPath::default(),
                &world.cancel
            )
            .await
            .expect("a listing")
            .entries
            .len(),
        1
    );
}

#[tokio::test]
async fn cancelling_is_felt_at_once_and_leaves_no_process() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    let commit = repository.commit("one");
    for options in [
        GitHttpOptions {
            silent: true,
            ..GitHttpOptions::default()
        },
        GitHttpOptions {
            endless: true,
            filter: true,
            ..GitHttpOptions::default()
        },
    ] {
        let server = GitHttpServer::start(&world.remotes(), options.clone()).await;
        let url = world.url(&server.url("a/.git"));
        let cancel = CancellationToken::new();
        let request = FetchRequest {
            url: &url,
            access: &world.access,
            policy: &world.policy,
            branch: None,
            blob_bytes_max: CAP,
            bytes_max: None,
        };
        let mirror = world.mirror().await;
        let mut ignore = |_| ();
        let fetch = mirror.mirror_fetch(&request, &cancel, &mut ignore);
        let enough = if options.endless { 4 } else { 1 };
        let stop = async {
            while server.requests().len() < enough {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            cancel.cancel();
            Instant::now()
        };
        let (outcome, asked) = tokio::join!(fetch, stop);
        assert_eq!(outcome, Err(GitError::Cancelled));
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "{:?}",
            asked.elapsed()
        );
        processes_end(&server.url("a/.git")).await;
    }
    assert_eq!(
        world
            .fetch(&world.local(&repository), None)
            .await
            .expect("fetched")
            .head_commit,
        commit
    );
}

#[tokio::test]
async fn a_fetch_whose_caller_went_away_ends_too() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let server = GitHttpServer::start(
        &world.remotes(),
        GitHttpOptions {
            silent: true,
            ..GitHttpOptions::default()
        },
    )
    .await;
    let url = world.url(&server.url("a/.git"));
    let outcome = tokio::time::timeout(Duration::from_millis(500), world.fetch(&url, None)).await;
    assert!(outcome.is_err(), "the server never answers");
    assert_eq!(server.requests().len(), 1);
    processes_end(&server.url("a/.git")).await;
}

/// Waits until no process has `text` among its arguments: a killed process exists until the system has reaped it.
async fn processes_end(text: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !processes_mentioning(text).is_empty() {
        assert!(
            Instant::now() < deadline,
            "still running: {:?}",
            processes_mentioning(text)
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The command lines of processes that contain `text`: git's HTTP helper has the URL as an argument.
fn processes_mentioning(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

/// A retry would hold the worker for the same time. Git itself gives up a silent remote earlier.
#[tokio::test]
async fn branches_without_end_are_no_passing_failure() {
    let mut world = World::new();
    std::fs::create_dir_all(world.remotes()).expect("a folder");
    let mut options = GitOptions::new(world.folder.path().join("home"));
    options.query_timeout = Duration::from_millis(300);
    world.store = world.store.clone().with_options(options);
    let server = GitHttpServer::start(
        &world.remotes(),
        GitHttpOptions {
            silent: true,
            ..GitHttpOptions::default()
        },
    )
    .await;
    let error = world
        .fetch(&world.url(&server.url("a")), None)
        .await
        .expect_err("it takes too long");
    let outcome = (error.code(), error.is_transient());
    assert_eq!(outcome, ("REMOTE_UNREACHABLE", false));
}

#[tokio::test]
async fn a_fetch_reports_its_phases_and_stops_at_its_limit() {
    let world = World::new();
    let mut repository = world.repository("a");
    for file in 0..300 {
        repository.write(&format!("d{}/{file}", file % 7), noise_of(file, 4_000));
    }
    repository.commit("many");
    let url = world.local(&repository);
    let mut request = FetchRequest {
        url: &url,
        access: &world.access,
        policy: &world.policy,
        branch: None,
        blob_bytes_max: CAP,
        bytes_max: Some(1_000),
    };
    let mirror = world.mirror().await;
    let outcome = mirror
        .mirror_fetch(&request, &world.cancel, &mut |_| ())
        .await;
    assert_eq!(code(outcome), "REPOSITORY_TOO_LARGE");
    request.bytes_max = Some(100_000_000);
    let mut seen = Vec::new();
    mirror
        .mirror_fetch(&request, &world.cancel, &mut |step| seen.push(step))
        .await
        .expect("fetched");
    let last = seen
        .iter()
        .rfind(|step| step.phase == FetchPhase::Receiving)
        .expect("it received");
    assert_eq!(Some(last.done), last.total);
    assert!(last.bytes.is_some_and(|bytes| bytes > 100_000), "{last:?}");
    assert!(seen.iter().any(|step| step.phase == FetchPhase::Counting));
}

#[tokio::test]
async fn many_fetches_leave_few_packs() {
    let world = World::new();
    let mut repository = world.repository("a");
    let url = world.local(&repository);
    let mut first = String::new();
    for round in 0..53 {
        repository.write("a", round.to_string());
        let commit = repository.commit("next");
        if round == 0 {
            first = commit;
        }
        world.fetch(&url, None).await.expect("fetched");
    }
    let packs = std::fs::read_dir(world.mirror().await.path().join("objects/pack")).expect("packs");
    let packs = packs
        .flatten()
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "pack")
        })
        .count();
    assert!((1..10).contains(&packs), "{packs} packs");
    assert!(
        world
            .reader()
            .await
            .commit_exists(&first)
            .await
            .expect("it"),
        "nothing was lost"
    );
}
