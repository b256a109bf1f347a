//! A token and a key are sent to their own remote only.

use std::{fs, os::unix::fs::PermissionsExt};

use nyxcore_tenancy::secret::Secret;

use super::*;

fn token(token: &str) -> RemoteAccess {
    RemoteAccess::Token {
        username: "ada".into(),
        token: Secret::new(token),
    }
}

#[tokio::test]
async fn a_private_repository_is_fetched_with_its_token() {
    let mut world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    let commit = repository.commit("one");
    let options = GitHttpOptions {
        filter: true,
        credentials: Some(("ada".into(), "s3cret".into())),
        ..GitHttpOptions::default()
    };
    let server = GitHttpServer::start(&world.remotes(), options.clone()).await;
    let url = world.url(&server.url("a/.git"));
    for refused in [RemoteAccess::Anonymous, token("wrong")] {
        world.access = refused;
        assert_eq!(code(world.fetch(&url, None).await), "AUTHENTICATION_FAILED");
    }
    world.access = token("s3cret");
    let fetched = world.fetch(&url, None).await.expect("fetched");
    assert_eq!(fetched.head_commit, commit);
    // Git stored none of it.
    let mirror = world.mirror().await;
    let config = fs::read_to_string(mirror.path().join("config")).expect("readable");
    assert!(
        !config.contains("xtra") && !config.contains("s3cret"),
        "{config}"
    );
}

/// A fake ssh that records its arguments, and serves the repository as the host would.
fn fake_ssh(world: &mut World) -> PathBuf {
    let folder = world.folder.path().join("bin");
    fs::create_dir_all(&folder).expect("a folder");
    let seen = world.folder.path().join("seen");
    let script = format!(
        r#"#!/bin/sh
for last; do
  printf '%s\n' "$last" >> {seen}.args
  case "$last" in
    IdentityFile=*) key="${{last#IdentityFile=}}" ;;
    UserKnownHostsFile=*) hosts="${{last#UserKnownHostsFile=}}" ;;
  esac
done
stat -c %a "$key" "$(dirname "$key")" >> {seen}.modes
cat "$key" > {seen}.key
cat "$hosts" > {seen}.hosts
exec sh -c "$last"
"#,
        seen = seen.display()
    );
    fs::write(folder.join("ssh"), script).expect("a script");
    fs::set_permissions(folder.join("ssh"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let mut options = GitOptions::new(world.folder.path().join("home"));
    let path = options.search_path.to_string_lossy().into_owned();
    options.search_path = format!("{}:{path}", folder.display()).into();
    world.store = world.store.clone().with_options(options);
    seen
}

#[tokio::test]
async fn a_key_is_on_the_disk_for_as_long_as_ssh_needs_it() {
    let mut world = World::new();
    let mut repository = world.repository("a");
    repository.write("a", "a");
    let commit = repository.commit("one");
    let seen = fake_ssh(&mut world);
    world.access = RemoteAccess::SshKey {
        private_key: Secret::new("s3cret key"),
        known_hosts: Some("[10.1.2.3]:2222 ssh-ed25519 AAAA".into()),
    };
    let path = repository.path().join(".git");
    let url = world.url(&format!("ssh://git@10.1.2.3:2222{}", path.display()));
    let fetched = world.fetch(&url, None).await.expect("fetched");
    assert_eq!(fetched.head_commit, commit);
    let read = |what: &str| {
        fs::read_to_string(seen.with_extension(what))
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    };
    assert_eq!(read("key"), "s3cret key\n");
    assert_eq!(read("hosts"), "[10.1.2.3]:2222 ssh-ed25519 AAAA\n");
    assert!(
        read("modes")
            .lines()
            .all(|mode| ["600", "700"].contains(&mode))
    );
    let args = read("args");
    for option in [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "ProxyCommand=none",
        "StrictHostKeyChecking=yes",
        "HostName=10.1.2.3",
        "HostKeyAlias=[10.1.2.3]:2222",
    ] {
        assert!(args.lines().any(|arg| arg == option), "{option}\n{args}");
    }
    assert!(!args.contains("s3cret"), "{args}");
    let root = world
        .mirror()
        .await
        .path()
        .parent()
        .expect("a folder")
        .to_owned();
    let left: Vec<_> = fs::read_dir(root)
        .expect("readable")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!left.iter().any(|name| name.ends_with(".ssh")), "{left:?}");
}

#[tokio::test]
async fn what_a_killed_fetch_left_of_a_key_goes_with_the_next_look() {
    let world = World::new();
    let key = world.mirror().await.path_key();
    let leave = || {
        fs::create_dir_all(&key).expect("a folder");
        fs::write(key.join("key"), "s3cret").expect("a file");
    };
    leave();
    world.store.mirror_tidy_unused(ID).await.expect("tidied");
    assert!(!key.exists());
    leave();
    world.mirror().await;
    assert!(!key.exists());
    leave();
    let lock = world.mirror().await;
    leave();
    let held = lock.lock(&world.cancel).await.expect("free");
    world.store.mirror_tidy_unused(ID).await.expect("looked");
    assert!(key.exists(), "somebody is at work with it");
    assert!(!world.store.mirror_delete_unused(ID).await.expect("looked"));
    drop(held);
    assert!(world.store.mirror_delete_unused(ID).await.expect("deleted"));
    let names = world.store.mirror_ids().await.expect("listed");
    assert!(names.is_empty() && !key.exists(), "{names:?}");
}

/// A process that waited for the lock of a deleted mirror does not hold the lock of the mirror that is created next.
#[tokio::test]
async fn a_lock_that_was_removed_is_nobodys() {
    let world = World::new();
    let mirror = world.mirror().await;
    let file = mirror.path().with_extension("lock");
    let held = mirror.lock(&world.cancel).await.expect("free");
    fs::remove_file(&file).expect("removed");
    let other = mirror.lock(&world.cancel).await.expect("another file");
    drop(held);
    assert!(!world.store.mirror_delete_unused(ID).await.expect("looked"));
    drop(other);
    assert!(world.store.mirror_delete_unused(ID).await.expect("deleted"));
}
