//! Known vulnerabilities of systems that fetch user-given repositories, one test each.

use std::{
    fs,
    net::IpAddr,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::Mutex,
    time::Duration,
};

use super::*;

/// Tries options of git's commands in the fields that a user writes.
#[tokio::test]
async fn argument_injection_nothing_that_a_user_wrote_is_an_option() {
    let world = World::new();
    let trap = world.folder.path().join("sprung");
    let touch = format!("touch {}", trap.display());
    for text in [
        format!("--upload-pack={touch}"),
        format!("-u{touch}"),
        "--config=core.sshCommand=id".to_owned(),
        "-oProxyCommand=id@host:path".to_owned(),
        "ssh://-oProxyCommand=id/path".to_owned(),
        "ssh://-oProxyCommand=id@host/path".to_owned(),
        "git@-oProxyCommand=id:path".to_owned(),
        "git@host:-oProxyCommand".to_owned(),
        "ssh://host/-oProxyCommand".to_owned(),
        "https://host/%2d-upload-pack=id".to_owned(),
        "https://host/a\n--upload-pack=id".to_owned(),
    ] {
        let refused = SourceUrl::parse(&text, &world.policy).expect_err(&text);
        assert_eq!(refused.code(), "SOURCE_URL_INVALID", "{text}");
    }
    for text in [
        "--upload-pack=id",
        "-u",
        "a b",
        "a..b",
        "refs/heads/a\n-x",
        "a:b",
        "@{-1}",
    ] {
        let refused = BranchName::parse(text).expect_err(text);
        assert_eq!(GitError::from(refused).code(), "BRANCH_INVALID", "{text}");
    }
    // A valid name that looks like an option is an operand: git says that there is no such branch.
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let url = world.local(&repository);
    assert_eq!(
        code(world.fetch(&url, Some("x--upload-pack=id")).await),
        "BRANCH_NOT_FOUND"
    );
    assert!(!trap.exists());
}

/// `ext::` runs a command, and any `<name>::` a helper of that name.
#[tokio::test]
async fn remote_helpers_no_address_names_a_program() {
    let world = World::new();
    let trap = world.folder.path().join("sprung");
    for text in [
        format!("ext::touch {}", trap.display()),
        "ext::sh -c id% >&2".to_owned(),
        "EXT::id".to_owned(),
        "fd::17".to_owned(),
        "transport::anything".to_owned(),
    ] {
        let refused = SourceUrl::parse(&text, &world.policy).expect_err(&text);
        assert_eq!(refused.code(), "SOURCE_URL_FORBIDDEN", "{text}");
    }
    // Even if one were let through, git may use only the transport of the address that was checked.
    let mirror = world.mirror().await;
    let command = mirror
        .command("the fetch", "ls-remote")
        .config(
            "remote.origin.url",
            format!("ext::touch {}", trap.display()),
        )
        .protocol("https")
        .operands(["origin"]);
    let refused = command.run(&world.cancel, &mut |_| ()).await;
    assert_eq!(refused.expect_err("ext").code(), "SOURCE_URL_FORBIDDEN");
    assert!(!trap.exists());
}

/// A path on the server is a source only if the operator allows it, and the data directory never is. The error does not
/// reveal whether a path exists.
#[tokio::test]
async fn file_urls_the_servers_own_files_are_no_source() {
    let mut world = World::new();
    world.policy.allow_local = false;
    let mut answers: Vec<String> = Vec::new();
    for text in [
        "/etc",
        "file:///etc",
        "/nowhere/at/all",
        "file:///nowhere/at/all",
    ] {
        let refused = SourceUrl::parse(text, &world.policy).expect_err(text);
        assert_eq!(refused.code(), "SOURCE_URL_FORBIDDEN", "{text}");
        answers.push(refused.to_string());
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
    // Another tenant's mirror is in the data directory; neither by its path nor by a link to it.
    world.policy.allow_local = true;
    let mirror = world.mirror().await;
    let link = world.folder.path().join("link");
    symlink(mirror.path(), &link).expect("a link");
    for path in [mirror.path(), &link] {
        let text = path.to_str().expect("UTF-8");
        let refused = SourceUrl::parse(text, &world.policy).expect_err(text);
        assert_eq!(refused.code(), "SOURCE_URL_FORBIDDEN", "{text}");
    }
}

/// An allowed host redirects git to the metadata service of the cloud.
#[tokio::test]
async fn redirects_an_allowed_host_sends_nobody_anywhere() {
    let world = World::new();
    for status in [301, 302, 303, 307, 308] {
        let refuse = Some((
            status,
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ));
        let options = GitHttpOptions {
            refuse,
            ..GitHttpOptions::default()
        };
        let server = GitHttpServer::start(&world.remotes(), options).await;
        let error = world.fetch(&world.url(&server.url("a")), None).await;
        assert_eq!(code(error), "SOURCE_URL_INVALID", "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

/// A resolver that answers with one address after the other.
#[derive(Debug)]
struct Rebinding(Mutex<Vec<IpAddr>>);

impl HostResolver for Rebinding {
    fn host_resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let mut answers = self.0.lock().expect("no test panics while it holds this");
        let answer = answers.pop().into_iter().collect();
        Box::pin(async move { Ok(answer) })
    }
}

/// A name that resolves to a good address during the check, and to another one afterwards.
#[tokio::test]
async fn dns_rebinding_git_goes_where_the_check_was() {
    let mut world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    repository.commit("one");
    let options = GitHttpOptions {
        filter: true,
        ..GitHttpOptions::default()
    };
    let server = GitHttpServer::start(&world.remotes(), options).await;
    let address = |text: &str| text.parse::<IpAddr>().expect(text);
    let resolver = Arc::new(Rebinding(Mutex::new(vec![
        address("169.254.169.254"),
        address("127.0.0.1"),
    ])));
    world.store = world.store.clone().with_resolver(resolver.clone());
    let url = world.url(&format!("http://rebind.example:{}/a/.git", server.port()));
    // Several requests by two commands need only one query to the name server.
    world.fetch(&url, None).await.expect("fetched");
    assert!(server.requests().len() >= 3);
    assert_eq!(resolver.0.lock().expect("free").len(), 1);
    let before = server.requests().len();
    assert_eq!(code(world.fetch(&url, None).await), "REMOTE_UNREACHABLE");
    assert_eq!(server.requests().len(), before);
}

/// Symbolic links in a repository that lead out of it, and one in the place of a mirror.
#[tokio::test]
async fn symlinks_none_is_followed() {
    let world = World::new();
    let outside = world.folder.path().join("outside");
    fs::create_dir_all(outside.join("objects")).expect("a folder");
    fs::write(outside.join("secret"), "s3cret").expect("a file");
    let mut repository = world.repository("a");
    repository.write("a", "a");
    for (link, target) in [
        ("passwd", Path::new("/etc/passwd")),
        ("up", Path::new("../../outside/secret")),
        ("folder", outside.as_path()),
    ] {
        symlink(target, repository.path().join(link)).expect("a link");
    }
    repository.commit("one");
    world
        .fetch(&world.local(&repository), None)
        .await
        .expect("fetched");
    let reader = world.reader().await;
    let head = world.mirror().await.head_commit().await.expect("readable");
    let listing = reader
        .tree_list(&head.expect("a commit"), &scan(""), &world.cancel)
        .await
        .expect("listed");
    assert_eq!((listing.entries.len(), listing.skipped.symlinks), (1, 3));

    // A link in the place of a mirror: its target stays unchanged.
    let id = "0198c1f2-0000-7000-8000-00000000000f";
    let place = world.mirror().await.path().with_file_name(id);
    symlink(&outside, &place).expect("a link");
    world
        .store
        .mirror_open_or_create(id, &world.cancel)
        .await
        .expect("made anew");
    assert!(!place.is_symlink() && place.join("HEAD").exists());
    fs::remove_dir_all(&place).expect("removed");
    symlink(&outside, &place).expect("a link");
    assert!(world.store.mirror_delete_unused(id).await.expect("deleted"));
    assert!(!place.is_symlink());
    assert_eq!(
        fs::read_to_string(outside.join("secret")).expect("there"),
        "s3cret"
    );
    for id in ["..", "../outside", "a/b", ".", "-x", "", "a.lock"] {
        assert!(
            world
                .store
                .mirror_open_or_create(id, &world.cancel)
                .await
                .is_err(),
            "{id:?}"
        );
    }
}

/// The content of a repository that git would act on elsewhere: attributes with filters, a bare repository with its own
/// configuration in a folder, submodules whose address is an option. For hooks and the configuration of a local
/// repository see `refusing`.
#[tokio::test]
async fn hostile_repositories_nothing_in_one_is_run() {
    let world = World::new();
    let trap = world.folder.path().join("sprung");
    let touch = format!("touch {}", trap.display());
    let mut repository = world.repository("a");
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tfsmonitor = {touch}\n\tsshCommand = {touch}\n\
         [filter \"trap\"]\n\tsmudge = {touch}\n\tclean = {touch}\n[diff \"trap\"]\n\ttextconv = {touch}\n\tcommand = {touch}\n"
    );
    repository
        .write(
            ".gitattributes",
            "* filter=trap diff=trap text eol=crlf ident\n",
        )
        .write(".gitconfig", &config)
        .write("config", &config)
        .write("HEAD", "ref: refs/heads/main\n")
        .write("objects/info/alternates", "/etc\n")
        .write("refs/heads/main", "")
        .write("hooks/post-checkout", format!("#!/bin/sh\n{touch}\n"))
        .write(
            "hooks/reference-transaction",
            format!("#!/bin/sh\n{touch}\n"),
        )
        .write(
            ".gitmodules",
            format!("[submodule \"x\"]\n\tpath = x\n\turl = -u{touch}\n\tupdate = !{touch}\n"),
        )
        .write("a.rs", "fn a() {}\n");
    repository.commit("one");
    repository.write("a.rs", "fn b() {}\n");
    repository.commit("two");
    let options = GitHttpOptions {
        filter: true,
        ..GitHttpOptions::default()
    };
    let server = GitHttpServer::start(&world.remotes(), options).await;
    let fetched = world.fetch(&world.url(&server.url("a/.git")), None).await;
    let head = fetched.expect("fetched").head_commit;
    let reader = world.reader().await;
    let listing = reader
        .tree_list(&head, &scan(""), &world.cancel)
        .await
        .expect("listed");
    let file = listing.entries.iter().find(|entry| entry.path == "a.rs");
    let blob = file.expect("a file").blob.clone();
    // The text as it was committed: no attribute changed it.
    assert_eq!(
        contents(&reader, vec![blob], CAP).await,
        [BlobContent::Text("fn b() {}\n".into())]
    );
    let now = chrono::DateTime::from_timestamp(FIRST_COMMIT_SECONDS + 86_400, 0);
    let query = HistoryQuery::year_before(now.expect("a time"), &head);
    let churn = reader
        .history_churn(&query, &world.cancel)
        .await
        .expect("counted");
    assert!(!churn.paths.is_empty());
    assert!(!trap.exists(), "something of the repository was run");
}

/// Replaces git with a script that records what it was given.
fn spy(world: &mut World, script: &str) {
    let program = world.folder.path().join("spy");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    let mut options = GitOptions::new(world.folder.path().join("home"));
    options.program = program;
    options.memory_bytes_max = 3 << 30;
    world.store = world.store.clone().with_options(options);
}

async fn spied(world: &World) -> String {
    let mirror = Mirror {
        path: world.folder.path().to_owned(),
        ..world.mirror().await
    };
    let command = mirror.command("spying", "version").bytes_max(Some(1 << 20));
    let output = command.run(&world.cancel, &mut |_| ()).await;
    String::from_utf8(output.expect("the spy talks")).expect("UTF-8")
}

/// The server's environment (a proxy, an agent, credentials, options of git) is not passed to git.
#[tokio::test]
async fn the_environment_git_inherits_nothing() {
    let mut world = World::new();
    // The real git first, to create the mirror.
    world.mirror().await;
    spy(&mut world, "env");
    let given = spied(&world).await;
    let names: Vec<&str> = given
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .collect();
    assert!(std::env::vars().any(|(name, _)| name.starts_with("CARGO_")));
    assert!(names.contains(&"GIT_CONFIG_COUNT"), "{names:?}");
    for name in &names {
        let ours = name.starts_with("GIT_")
            || ["PATH", "HOME", "XDG_CONFIG_HOME", "LC_ALL", "SSH_ASKPASS"].contains(name)
            // Variables that a shell sets by itself.
            || ["PWD", "OLDPWD", "SHLVL", "_"].contains(name);
        assert!(ours, "{name}");
    }
    assert!(!given.to_lowercase().contains("proxy="), "{given}");
}

/// A remote may send data that needs any amount of memory, disk and time.
#[tokio::test]
async fn bombs_git_has_limits_of_memory_disk_and_time() {
    let mut world = World::new();
    let mut repository = world.repository("a");
    for file in 0..20 {
        repository.write(&file.to_string(), noise_of(file, 60_000));
    }
    repository.commit("one");
    let options = GitHttpOptions {
        filter: true,
        ..GitHttpOptions::default()
    };
    let server = GitHttpServer::start(&world.remotes(), options).await;
    let url = world.url(&server.url("a/.git"));
    let mirror = world.mirror().await;
    let request = FetchRequest {
        url: &url,
        access: &world.access,
        policy: &world.policy,
        branch: None,
        blob_bytes_max: CAP,
        bytes_max: Some(100_000),
    };
    let outcome = mirror
        .mirror_fetch(&request, &world.cancel, &mut |_| ())
        .await;
    assert_eq!(code(outcome), "REPOSITORY_TOO_LARGE");

    // On a full disk no fetch begins, and what needs no space still works.
    let mut options = GitOptions::new(world.folder.path().join("home"));
    options.free_bytes_min = u64::MAX;
    let full = world.store.clone().with_options(options);
    let roomy = std::mem::replace(&mut world.store, full);
    assert_eq!(code(world.fetch(&url, None).await), "DISK_FULL");
    let full = std::mem::replace(&mut world.store, roomy);
    world.fetch(&url, None).await.expect("fetched");
    world.store = full;
    assert!(
        world
            .fetch(&url, None)
            .await
            .expect("nothing new")
            .unchanged
    );

    if cfg!(target_os = "linux") {
        spy(&mut world, "sleep 0.3; cat /proc/self/limits");
        let limits = spied(&world).await;
        let limit = |name: &str| {
            let line = limits.lines().find(|line| line.starts_with(name));
            let words = line.expect(name)[name.len()..].split_whitespace();
            words.take(2).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(limit("Max address space"), ["3221225472", "3221225472"]);
        assert_eq!(limit("Max file size"), ["67108864", "67108864"]);
    }
    let mut options = GitOptions::new(world.folder.path().join("home"));
    options.fetch_timeout = Duration::from_millis(100);
    world.store = world.store.clone().with_options(options);
    let silent = GitHttpOptions {
        silent: true,
        ..GitHttpOptions::default()
    };
    let server = GitHttpServer::start(&world.remotes(), silent).await;
    assert_eq!(
        code(world.fetch(&world.url(&server.url("a")), None).await),
        "TIMEOUT"
    );
}
