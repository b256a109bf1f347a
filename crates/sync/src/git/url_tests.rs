//! Accepted and refused addresses, with their error codes.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::git::Resolving;

fn private() -> SourcePolicy {
    SourcePolicy {
        allow_private: true,
        ..SourcePolicy::default()
    }
}

fn code(text: &str, policy: &SourcePolicy) -> &'static str {
    SourceUrl::parse(text, policy).map_or_else(|error| error.code(), |_| "accepted")
}

#[test]
fn an_address_is_normalised() {
    for (text, normalised) in [
        (
            "https://github.com/rust-lang/git2-rs",
            "https://github.com/rust-lang/git2-rs",
        ),
        (
            "  HTTPS://GitHub.com:443/a/b.git/ ",
            "https://github.com/a/b.git",
        ),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        (
            "https://bücher.example/a",
            "https://xn--bcher-kva.example/a",
        ),
        ("https://140.82.121.4/a", "https://140.82.121.4/a"),
        (
            "ssh://git@github.com/a/b.git",
            "ssh://git@github.com/a/b.git",
        ),
        ("ssh://GitHub.com:22/a/b/", "ssh://github.com/a/b"),
        (
            "ssh://git@example.org:2222/~/a",
            "ssh://git@example.org:2222/~/a",
        ),
        ("git@github.com:a/b.git", "ssh://git@github.com/a/b.git"),
        ("git@github.com:/a/b.git", "ssh://git@github.com/a/b.git"),
        (
            "git@[2606:50c0:8000::153]:a/b",
            "ssh://git@[2606:50c0:8000::153]/a/b",
        ),
        (
            "ssh://[2606:50c0:8000::153]:2222/a",
            "ssh://[2606:50c0:8000::153]:2222/a",
        ),
    ] {
        let url = SourceUrl::parse(text, &SourcePolicy::default()).expect(text);
        assert_eq!(url.as_str(), normalised, "{text}");
        assert_eq!(
            SourceUrl::parse(url.as_str(), &SourcePolicy::default()),
            Ok(url.clone()),
            "normalising twice changes nothing"
        );
        assert!(!url.is_local());
    }
}

#[test]
fn what_is_malformed_or_an_option_in_disguise_is_invalid() {
    for text in [
        "",
        " ",
        "x",
        "github.com/a/b",
        "github.com:a/b",
        "--upload-pack=touch /tmp/pwned",
        "-oProxyCommand=touch /tmp/pwned",
        "https://",
        "https:///a",
        "https://github.com",
        "https://github.com/",
        "https://-oProxyCommand=x/a",
        "https://github.com/-x",
        "https://github.com/%2dx",
        "https://github.com/a%0ahost=evil",
        "https://github.com/a%00",
        "https://github.com/a%zz",
        "https://github.com/a\nb",
        "https://github.com/a\0",
        "https://github.com/a\tb",
        "https://github.com\\@evil.example/a",
        "https://github.com/a b",
        "https://user:secret@github.com/a",
        "https://ghp_token@github.com/a",
        "https://:secret@github.com/a",
        "https://@github.com/a",
        "https://github.com/a?token=secret",
        "https://github.com/a#b",
        "https://git_hub..com/a",
        "https://github.com./a",
        "https://github.com:0/a",
        "https://github.com:99999/a",
        "ssh://-oProxyCommand=touch%20x/a",
        "ssh://-oProxyCommand=x@host/a",
        "ssh://%2doProxyCommand=x/a",
        "ssh://git:secret@github.com/a",
        "ssh://git@github.com",
        "ssh://git@github.com/",
        "ssh://git@github.com/-x",
        "ssh://git@github.com/%2Dx",
        "ssh://@github.com/a",
        "ssh://a b@github.com/a",
        "ssh://git@host:0/a",
        "ssh://git@host:22x/a",
        "ssh://git@host:-1/a",
        "ssh://git@host/a;b",
        "ssh://git@$(touch x)/a",
        "ssh://git@ho`st`/a",
        "ssh://git@[::1/a",
        "-git@github.com:a",
        "git@-github.com:a",
        "git@github.com:-a",
        "git@github.com:",
        "@github.com:a",
        "git:secret@github.com:a",
        "git@github.com",
        "git@github.com/a:b",
        "git@host:a|b",
        "file://host.example/a",
    ] {
        assert_eq!(
            code(text, &SourcePolicy::default()),
            "SOURCE_URL_INVALID",
            "{text:?}"
        );
    }
    assert_eq!(
        code(
            &format!("https://github.com/{}", "a".repeat(2048)),
            &SourcePolicy::default()
        ),
        "SOURCE_URL_INVALID"
    );
}

#[test]
fn what_the_policy_does_not_allow_is_forbidden() {
    for text in [
        "ext::sh -c touch% /tmp/pwned",
        "fd::17",
        "ext::https://github.com/a",
        "transport::address",
        "git://github.com/a",
        "http://github.com/a",
        "ftp://host/a",
        "rsync://h/a",
        "git+ssh://host/a",
        "javascript://x/a",
        "/etc",
        "/tmp/repo",
        "file:///etc",
        "FILE:///etc",
        "http://127.0.0.1/a",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://0177.0.0.1/a",
        "https://10.0.0.1/a",
        "https://192.168.0.1/a",
        "https://[::1]/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/a",
        "https://0.0.0.0/a",
        "ssh://git@127.0.0.1/a",
        "ssh://2130706433/a",
        "ssh://0x7f000001/a",
        "git@127.0.0.1:a",
        "git@[::1]:a",
        "ssh://git@[fe80::1]/a",
    ] {
        assert_eq!(
            code(text, &SourcePolicy::default()),
            "SOURCE_URL_FORBIDDEN",
            "{text:?}"
        );
    }
}

#[test]
fn private_addresses_can_be_allowed_but_never_metadata() {
    for text in [
        "http://127.0.0.1:8080/a",
        "https://10.0.0.1/a",
        "ssh://git@192.168.0.1/a",
        "http://[::1]/a",
        "http://localhost/a",
    ] {
        assert_eq!(code(text, &private()), "accepted", "{text}");
    }
    for text in [
        "http://8.8.8.8/a",
        "http://169.254.169.254/a",
        "https://169.254.169.254/a",
        "https://100.100.100.200/a",
        "https://0/a",
        "ext::x",
        "/etc",
    ] {
        assert_eq!(code(text, &private()), "SOURCE_URL_FORBIDDEN", "{text}");
    }
}

#[test]
fn a_path_needs_the_operator_or_an_exact_permission() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("repo");
    std::fs::create_dir_all(root.join("inner")).expect("a folder");
    let data_dir = folder.path().join("data");
    std::fs::create_dir_all(data_dir.join("mirrors/x")).expect("a folder");
    let exact = SourcePolicy {
        local_roots: vec![root.clone()],
        ..SourcePolicy::default()
    };
    let any = SourcePolicy {
        allow_local: true,
        data_dir: Some(data_dir.clone()),
        ..SourcePolicy::default()
    };
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();

    assert_eq!(code(&text(&root), &exact), "accepted");
    assert_eq!(
        code(&format!("file://{}/", text(&root)), &exact),
        "accepted"
    );
    assert_eq!(
        code(&text(&root.join("inner")), &exact),
        "SOURCE_URL_FORBIDDEN"
    );
    assert_eq!(code(&text(folder.path()), &exact), "SOURCE_URL_FORBIDDEN");
    assert_eq!(
        code(&format!("{}/../repo", text(&root)), &any),
        "SOURCE_URL_INVALID"
    );
    assert_eq!(code(&text(&root.join("inner")), &any), "accepted");
    assert_eq!(
        code(&text(&data_dir.join("mirrors/x")), &any),
        "SOURCE_URL_FORBIDDEN"
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(data_dir.join("mirrors/x"), folder.path().join("link"))
            .expect("a link");
        assert_eq!(
            code(&text(&folder.path().join("link")), &any),
            "SOURCE_URL_FORBIDDEN",
            "a link into the data directory"
        );
    }
}

#[derive(Debug)]
struct FixedResolver(HashMap<&'static str, Vec<&'static str>>);

impl HostResolver for FixedResolver {
    fn host_resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        let addresses = self.0.get(host).map(|list| {
            list.iter()
                .map(|text| text.parse().expect("an address"))
                .collect()
        });
        Box::pin(async move { addresses.ok_or_else(|| std::io::Error::other("no such host")) })
    }
}

#[tokio::test]
async fn a_name_is_what_all_of_its_addresses_are() {
    let resolver = FixedResolver(HashMap::from([
        ("good.example", vec!["140.82.121.4", "2606:50c0:8000::153"]),
        ("inner.example", vec!["10.1.2.3"]),
        ("mixed.example", vec!["140.82.121.4", "127.0.0.1"]),
        ("metadata.example", vec!["169.254.169.254"]),
    ]));
    let resolve = async |text: &str, policy: &SourcePolicy| {
        let url = SourceUrl::parse(text, policy).expect(text);
        url.addresses_resolve(policy, &resolver)
            .await
            .map(|list| list.len())
            .map_err(|error| error.code())
    };
    let public = SourcePolicy::default();
    assert_eq!(resolve("https://good.example/a", &public).await, Ok(2));
    assert_eq!(resolve("https://1.1.1.1/a", &public).await, Ok(1));
    assert_eq!(
        resolve("https://inner.example/a", &public).await,
        Err("REMOTE_UNREACHABLE")
    );
    assert_eq!(
        resolve("ssh://git@inner.example/a", &public).await,
        Err("REMOTE_UNREACHABLE")
    );
    assert_eq!(
        resolve("git@mixed.example:a", &public).await,
        Err("REMOTE_UNREACHABLE")
    );
    assert_eq!(
        resolve("https://gone.example/a", &public).await,
        Err("REMOTE_UNREACHABLE")
    );
    assert_eq!(resolve("https://inner.example/a", &private()).await, Ok(1));
    assert_eq!(
        resolve("http://good.example/a", &private()).await,
        Err("SOURCE_URL_FORBIDDEN"),
        "plain http leaves the private network"
    );
    assert_eq!(
        resolve("https://metadata.example/a", &private()).await,
        Err("REMOTE_UNREACHABLE")
    );
}

/// Otherwise anybody could probe which names an internal network has.
#[tokio::test]
async fn a_refused_name_answers_like_an_unknown_one() {
    let resolver = FixedResolver(HashMap::from([
        ("inner.example", vec!["10.1.2.3"]),
        ("metadata.example", vec!["169.254.169.254"]),
        ("mixed.example", vec!["140.82.121.4", "10.1.2.3"]),
    ]));
    let policy = SourcePolicy::default();
    let mut answers = Vec::new();
    for host in [
        "gone.example",
        "inner.example",
        "metadata.example",
        "mixed.example",
    ] {
        let url = SourceUrl::parse(&format!("https://{host}/a"), &policy).expect(host);
        answers.push(url.addresses_resolve(&policy, &resolver).await);
    }
    assert!(answers[0].is_err());
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}

proptest! {
    #[test]
    fn no_accepted_address_can_be_an_option_or_hold_a_secret(
        text in "(https|ssh|http|file|git|ext|HTTPS)?(://|::|:)?[-a-z0-9@:./%\\[\\] \\\\?#~$]{0,30}|\\PC{0,30}|[a-z-]{0,6}@[a-z.-]{0,10}:[a-z/.-]{0,10}"
    ) {
        let policy = SourcePolicy { allow_private: true, allow_local: true, ..SourcePolicy::default() };
        if let Ok(url) = SourceUrl::parse(&text, &policy) {
            let text = url.as_str();
            // Neither the address nor its user or host begins like an option; `//-` further on is a path.
            prop_assert!(!text.starts_with('-') && !text.contains("::-") && !text.contains("://-") && !text.contains("@-"));
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert!(text.starts_with("https://") || text.starts_with("http://") || text.starts_with("ssh://") || text.starts_with('/'));
            let authority = text.split('/').nth(2).unwrap_or_default();
            if text.starts_with("http") {
                prop_assert!(!authority.contains('@'));
            }
            if text.starts_with("ssh") {
                prop_assert!(authority.split('@').next().unwrap_or_default().find(':').is_none() || !authority.contains('@'));
            }
            prop_assert_eq!(SourceUrl::parse(text, &policy), Ok(url.clone()));
        }
    }
}
