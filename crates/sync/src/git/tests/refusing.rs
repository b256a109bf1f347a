//! Refused addresses and repositories, with their codes and without side effects.

use std::{collections::HashMap, net::IpAddr};

use super::*;

#[derive(Debug)]
struct FixedResolver(HashMap<&'static str, IpAddr>);

impl HostResolver for FixedResolver {
    fn host_resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        let addresses = self.0.get(host).map(|address| vec![*address]);
        Box::pin(async move { addresses.ok_or_else(|| std::io::Error::other("no such host")) })
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_says_why() {
    let world = World::new();
    let empty = world.repository("empty");
    let plain = world.remotes().join("plain");
    std::fs::create_dir_all(&plain).expect("a folder");
    std::fs::write(plain.join("file"), "x").expect("a file");
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    empty.git(&["init", "--quiet", "--object-format=sha256", "../sha256"]);
    let mut sha256 = TestRepository::create(world.remotes().join("sha256"));
    sha256.write("a", "a");
    sha256.commit("one");
    let mut lost = world.repository("lost");
    lost.write("a", "a");
    lost.commit("one");
    lost.git(&["symbolic-ref", "HEAD", "refs/heads/nowhere"]);

    let server = GitHttpServer::start(
        &world.remotes(),
        GitHttpOptions {
            filter: true,
            ..GitHttpOptions::default()
        },
    )
    .await;
    for url in [
        |_: &GitHttpServer, path: String| path,
        |server: &GitHttpServer, path: String| {
            server.url(path.rsplit('/').next().expect("a name")) + "/.git"
        },
    ] {
        let at = |name: &str| {
            world.url(&url(
                &server,
                world.remotes().join(name).to_string_lossy().into_owned(),
            ))
        };
        assert_eq!(
            code(world.fetch(&at("empty"), None).await),
            "REPOSITORY_EMPTY"
        );
        assert_eq!(
            code(world.fetch(&at("empty"), Some("main")).await),
            "REPOSITORY_EMPTY"
        );
        assert_eq!(
            code(world.fetch(&at("plain"), None).await),
            "NOT_A_REPOSITORY"
        );
        assert_eq!(
            code(world.fetch(&at("nothing"), None).await),
            "NOT_A_REPOSITORY"
        );
        assert_eq!(
            code(world.fetch(&at("sha256"), None).await),
            "REPOSITORY_FORMAT_UNSUPPORTED"
        );
        assert_eq!(
            world.fetch(&at("a"), Some("gone")).await,
            Err(GitError::BranchNotFound {
                branch: Some("gone".to_owned())
            })
        );
        assert_eq!(
            world.fetch(&at("lost"), None).await,
            Err(GitError::BranchNotFound { branch: None })
        );
    }
    assert_eq!(
        code(
            world
                .fetch(
                    &world.url(plain.join("file").to_str().expect("UTF-8")),
                    None
                )
                .await
        ),
        "NOT_A_REPOSITORY"
    );
    let closed = world.url("http://127.0.0.1:1/a");
    let error = world
        .fetch(&closed, None)
        .await
        .expect_err("nobody listens");
    assert_eq!(
        (error.code(), error.is_transient()),
        ("REMOTE_UNREACHABLE", true)
    );
    // After all of that the mirror still works.
    assert!(world.fetch(&world.local(&repository), None).await.is_ok());
}

#[tokio::test]
async fn what_a_server_refuses_is_told_apart() {
    let world = World::new();
    std::fs::create_dir_all(world.remotes()).expect("a folder");
    for (status, expected, transient) in [
        (401, "AUTHENTICATION_FAILED", false),
        (403, "AUTHENTICATION_FAILED", false),
        (404, "NOT_A_REPOSITORY", false),
        (429, "REMOTE_UNREACHABLE", true),
        (500, "REMOTE_UNREACHABLE", true),
        (503, "REMOTE_UNREACHABLE", true),
    ] {
        let server = GitHttpServer::start(
            &world.remotes(),
            GitHttpOptions {
                refuse: Some((status, String::new())),
                ..GitHttpOptions::default()
            },
        )
        .await;
        let error = world
            .fetch(&world.url(&server.url("a")), None)
            .await
            .expect_err("refused");
        assert_eq!(
            (error.code(), error.is_transient()),
            (expected, transient),
            "{status}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let inside = GitHttpServer::start(
        &world.remotes(),
        GitHttpOptions {
            filter: true,
            ..GitHttpOptions::default()
        },
    )
    .await;
    for status in [301, 302, 307, 308] {
        let location = format!("{}/info/refs?service=git-upload-pack", inside.url("a/.git"));
        let outside = GitHttpServer::start(
            &world.remotes(),
            GitHttpOptions {
                refuse: Some((status, location)),
                ..GitHttpOptions::default()
            },
        )
        .await;
        assert_eq!(
            code(world.fetch(&world.url(&outside.url("a/.git")), None).await),
            "SOURCE_URL_INVALID"
        );
        assert_eq!(outside.requests().len(), 1);
    }
    assert_eq!(inside.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn git_connects_to_the_checked_address_without_dns() {
    let mut world = World::new();
    let resolver = FixedResolver(HashMap::from([
        ("git.example", "127.0.0.1".parse().expect("an address")),
        (
            "metadata.example",
            "169.254.169.254".parse().expect("an address"),
        ),
    ]));
    world.store = world.store.clone().with_resolver(Arc::new(resolver));
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
    // `.example` never resolves: only the pinned address can have led git here.
    let url = world.url(&format!("http://git.example:{}/a/.git", server.port()));
    assert_eq!(
        world.fetch(&url, None).await.expect("fetched").head_commit,
        commit
    );
    let before = server.requests().len();
    let url = world.url(&format!("http://metadata.example:{}/a/.git", server.port()));
    assert_eq!(code(world.fetch(&url, None).await), "REMOTE_UNREACHABLE");
    // The name resolved to a private address all along, and the operator forbids private addresses now.
    let url = world.url(&format!("http://git.example:{}/a/.git", server.port()));
    world.policy.allow_private = false;
    assert_eq!(code(world.fetch(&url, None).await), "REMOTE_UNREACHABLE");
    assert_eq!(server.requests().len(), before);
}

#[tokio::test]
async fn a_path_that_is_no_longer_allowed_is_not_fetched() {
    let mut world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let url = world.local(&repository);
    world.policy.allow_local = false;
    assert_eq!(code(world.fetch(&url, None).await), "SOURCE_URL_FORBIDDEN");
}

#[tokio::test]
async fn nothing_of_the_source_or_the_account_is_run() {
    let world = World::new();
    let mut repository = world.repository("a");
    let trap = world.folder.path().join("sprung");
    let touch = format!("touch {}", trap.display());
    for hook in [
        "post-checkout",
        "reference-transaction",
        "post-upload-pack",
        "pre-auto-gc",
        "post-merge",
    ] {
        repository.write(
            &format!(".git/hooks/{hook}"),
            format!("#!/bin/sh\n{touch}\n"),
        );
        std::fs::set_permissions(
            repository.path().join(".git/hooks").join(hook),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .expect("a mode");
    }
    repository
        .write(".gitattributes", "* filter=trap diff=trap\n")
        .write("a", "a");
    repository.commit("one");
    // `reference-transaction` ran for the test's own commit.
    let _ = std::fs::remove_file(&trap);
    for (key, value) in [
        ("filter.trap.smudge", &touch),
        ("core.fsmonitor", &touch),
        ("core.sshCommand", &touch),
        ("uploadpack.packObjectsHook", &touch),
        ("diff.trap.textconv", &touch),
    ] {
        repository.git(&["config", key, value]);
    }
    assert!(!trap.exists());
    world
        .fetch(&world.local(&repository), None)
        .await
        .expect("fetched");
    assert!(!trap.exists(), "something of the source was run");
}

#[tokio::test]
async fn without_git_there_is_a_clear_word() {
    let mut world = World::new();
    let mut options = GitOptions::new(world.folder.path().join("home"));
    options.program = "/nowhere/git".into();
    world.store = world.store.clone().with_options(options);
    let error = world
        .store
        .mirror_open_or_create(ID, &world.cancel)
        .await
        .expect_err("no git");
    assert_eq!(error, GitError::GitMissing);
}
