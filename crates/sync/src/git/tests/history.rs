//! Commit counts of files, and the repository of a folder.

use chrono::{DateTime, Utc};

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a time")
}

fn counts(churn: &HistoryChurn) -> Vec<(&str, u32)> {
    churn
        .paths
        .iter()
        .map(|churn| (churn.path.as_str(), churn.commits))
        .collect()
}

#[tokio::test]
async fn churn_counts_commits_but_no_merges() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "1").write("src/b", "1");
    let one = repository.commit("one");
    repository.write("a", "2");
    let two = repository.commit("two");
    repository.git(&["checkout", "--quiet", "-b", "side", &one]);
    repository.write("src/c", "1");
    repository.commit("three");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    repository.remove("src/b");
    let last = repository.commit("five");
    let reader = open(&repository);
    let query = HistoryQuery::year_before(at(FIRST_COMMIT_SECONDS + 86_400), &last);
    let churn = async |query: HistoryQuery| {
        reader
            .history_churn(&query, &world.cancel)
            .await
            .expect("churn")
    };

    let all = churn(query.clone()).await;
    assert_eq!(counts(&all), [("a", 2), ("src/b", 2), ("src/c", 1)]);
    assert_eq!((all.commits, all.incremental), (4, false));
    let below = churn(HistoryQuery {
        scan_path: scan("src"),
        ..query.clone()
    })
    .await;
    assert_eq!(counts(&below), [("src/b", 2), ("src/c", 1)]);
    let since = churn(HistoryQuery {
        from: Some(two.clone()),
        ..query.clone()
    })
    .await;
    assert_eq!(
        (counts(&since), since.incremental),
        (vec![("src/b", 1), ("src/c", 1)], true)
    );
    let newest = churn(HistoryQuery {
        commits_max: 1,
        ..query.clone()
    })
    .await;
    assert_eq!(counts(&newest), [("src/b", 1)]);

    repository.git(&["reset", "--quiet", "--hard", &one]);
    repository.write("z", "1");
    let rewritten = repository.commit("another past");
    let reader = open(&repository);
    let query = HistoryQuery {
        from: Some(two),
        to: rewritten,
        ..query
    };
    let replaced = reader
        .history_churn(&query, &world.cancel)
        .await
        .expect("churn");
    assert_eq!(
        (counts(&replaced), replaced.incremental),
        (vec![("a", 1), ("src/b", 1), ("z", 1)], false),
        "`from` is no ancestor"
    );
    let gone = HistoryQuery {
        to: "0".repeat(40),
        ..query
    };
    assert_eq!(
        reader
            .history_churn(&gone, &world.cancel)
            .await
            .expect_err("it")
            .code(),
        "COMMIT_NOT_FOUND"
    );
}

#[tokio::test]
async fn commits_tell_who_changed_what_by_the_names_of_the_mailmap() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "1").write("src/b", "1");
    let one = repository.commit("one");
    repository
        .write("src/b", "2")
        .write(".mailmap", "Ann Other <other@example.org>\n");
    repository.git(&["add", "--all"]);
    repository.git(&[
        "commit",
        "--quiet",
        "--author",
        "ann <other@example.org>",
        "-m",
        "two",
    ]);
    let head = repository.git(&["rev-parse", "HEAD"]);
    let reader = open(&repository);
    let mut query = HistoryQuery::year_before(at(FIRST_COMMIT_SECONDS + 86_400), &head);
    let told = async |query: &HistoryQuery| {
        let churn = reader
            .history_churn(query, &world.cancel)
            .await
            .expect("churn");
        let told = churn.changes.iter().map(|change| {
            let paths: Vec<&str> = change.paths.iter().map(AsRef::as_ref).collect();
            format!("{}: {}", change.author, paths.join(" "))
        });
        told.collect::<Vec<_>>()
    };
    let all = told(&query).await;
    assert_eq!(all[0], "Ann Other: .mailmap src/b");
    assert!(all[1].ends_with(": a src/b") && all.len() == 2, "{all:?}");
    query.scan_path = scan("src");
    query.from = Some(one);
    assert_eq!(told(&query).await, ["Ann Other: src/b"]);
}

#[tokio::test]
async fn one_address_with_two_names_is_one_author() {
    let world = World::new();
    let repository = world.repository("a");
    let commits = [
        "Loic <loic@example.org>",
        "Web <noreply@example.org>",
        "Site <noreply@example.org>",
        "One <root@localhost>",
        "Loïc F <Loic@example.org>",
    ];
    for (number, author) in commits.iter().enumerate() {
        repository.write("a", number.to_string());
        repository.git(&["add", "--all"]);
        repository.git(&["commit", "--quiet", "--author", author, "-m", "one"]);
    }
    let head = repository.git(&["rev-parse", "HEAD"]);
    let query = HistoryQuery::year_before(at(FIRST_COMMIT_SECONDS + 86_400), &head);
    let reader = open(&repository);
    let churn = reader.history_churn(&query, &world.cancel).await;
    let changes = churn.expect("churn").changes;
    let authors: Vec<&str> = changes.iter().map(|change| &*change.author).collect();
    assert_eq!(authors, ["Loïc F", "One", "Site", "Web", "Loïc F"]);
}

#[tokio::test]
async fn the_window_ends_now_or_at_the_newest_commit() {
    let world = World::new();
    let mut repository = world.repository("a");
    let day = 86_400;
    for (path, days) in [("old", 0), ("middle", 300), ("new", 500)] {
        repository.write(path, "x");
        repository.commit_at(path, FIRST_COMMIT_SECONDS + days * day);
    }
    let head = repository.git(&["rev-parse", "HEAD"]);
    let reader = open(&repository);
    let seen = async |days: i64| {
        let query = HistoryQuery::year_before(at(FIRST_COMMIT_SECONDS + days * day), &head);
        let churn = reader
            .history_churn(&query, &world.cancel)
            .await
            .expect("churn");
        churn
            .paths
            .into_iter()
            .map(|churn| churn.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(510).await, ["middle", "new"]);
    assert_eq!(seen(700).await, ["new"]);
    assert_eq!(
        seen(5000).await,
        ["middle", "new"],
        "a year back from the newest commit"
    );
}

#[tokio::test]
async fn a_shallow_clone_can_be_listed_and_counted() {
    let world = World::new();
    let mut repository = world.repository("a");
    for round in 0..3 {
        repository.write("a", round.to_string());
        repository.commit("next");
    }
    let clone = world.remotes().join("shallow");
    repository.git(&[
        "clone",
        "--quiet",
        "--depth=2",
        &format!("file://{}", repository.path().display()),
        clone.to_str().expect("UTF-8"),
    ]);
    let found = repository_discover(&clone)
        .await
        .expect("readable")
        .expect("found");
    let reader = RepositoryReader::repository_open(&found.git_dir).expect("it opens");
    let head = found.head_commit.expect("a commit");
    assert_eq!(
        reader
            .tree_list(&head, &ScanPath::default(), &world.cancel)
            .await
            .expect("a listing")
            .entries
            .len(),
        1
    );
    let churn = reader
        .history_churn(
            &HistoryQuery::year_before(at(FIRST_COMMIT_SECONDS), &head),
            &world.cancel,
        )
        .await
        .expect("churn");
    assert!(churn.paths.iter().all(|path| path.commits <= 2) && churn.commits >= 1);
}

#[tokio::test]
async fn the_repository_around_a_folder_is_found() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("src/deep/x", "x");
    let discover =
        async |path: &std::path::Path| repository_discover(path).await.expect("readable");
    let unborn = discover(repository.path()).await.expect("found");
    assert_eq!(
        (
            unborn.head_commit,
            unborn.branch.as_deref(),
            unborn.origin_url
        ),
        (None, Some("main"), None)
    );

    let commit = repository.commit("one");
    repository.git(&[
        "remote",
        "add",
        "origin",
        "https://user:ghp_secret@example.org/a.git",
    ]);
    let found = discover(&repository.path().join("src/deep"))
        .await
        .expect("found");
    assert_eq!(
        found.git_dir,
        repository.path().join(".git").canonicalize().expect("it")
    );
    assert_eq!(
        found.work_dir.and_then(|dir| dir.canonicalize().ok()),
        repository.path().canonicalize().ok()
    );
    assert_eq!(found.head_commit.as_deref(), Some(commit.as_str()));
    assert_eq!(
        found.origin_url.as_deref(),
        Some("https://example.org/a.git")
    );

    repository.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(
        discover(repository.path()).await.expect("found").branch,
        None
    );
    repository.git(&["worktree", "add", "--quiet", "-b", "other", "../linked"]);
    let linked = discover(&world.remotes().join("linked"))
        .await
        .expect("found");
    assert_eq!(
        (linked.branch.as_deref(), linked.head_commit.as_deref()),
        (Some("other"), Some(commit.as_str()))
    );
    let listing = RepositoryReader::repository_open(&linked.git_dir)
        .expect("it opens")
        .tree_list(&commit, &ScanPath::default(), &world.cancel)
        .await;
    assert_eq!(listing.expect("a listing").entries.len(), 1);
    assert_eq!(discover(world.folder.path()).await, None);

    repository.git(&["init", "--quiet", "--object-format=sha256", "../sha256"]);
    let error = repository_discover(&world.remotes().join("sha256"))
        .await
        .expect_err("SHA-256");
    assert_eq!(error.code(), "REPOSITORY_FORMAT_UNSUPPORTED");
}
