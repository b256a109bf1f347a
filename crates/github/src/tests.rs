//! Tests the client against GitHub responses over real sockets.

use std::time::Duration;

use chrono::DateTime;

use crate::testing::{FIXTURES, FakeAnswer, FakeGithub};
use crate::{
    BaseUrl, GithubClient, GithubError, GithubOptions, GithubToken, RepositoryName, RetryAt,
};

const TOKEN: &str = "github_pat_11ABCDEFG0_not_a_real_one";

fn client(server: &FakeGithub) -> GithubClient {
    client_of(&server.url(), options())
}

fn options() -> GithubOptions {
    GithubOptions {
        backoff: Duration::from_millis(1),
        ..GithubOptions::new(vec![[127, 0, 0, 1].into()])
    }
}

fn client_of(url: &str, options: GithubOptions) -> GithubClient {
    // Another test of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let token = GithubToken::parse(TOKEN).unwrap();
    GithubClient::new(&BaseUrl::parse(url).unwrap(), &token, &options).unwrap()
}

fn atlas() -> RepositoryName {
    RepositoryName::parse("acme/atlas").unwrap()
}

#[tokio::test]
async fn the_repositories_that_a_token_sees_come_page_by_page() {
    let server = FakeGithub::start(|request| {
        FakeAnswer::fixture(if request.target.ends_with("&page=1") {
            "repositories_page_1"
        } else {
            "repositories_page_2"
        })
    })
    .await;
    let client = client(&server);
    let first = client.repositories(1, 100).await.unwrap();
    assert!(first.has_next);
    let names = |page: &crate::RepositoryPage| -> Vec<String> {
        let repositories = page.repositories.iter();
        repositories.map(|one| one.full_name.clone()).collect()
    };
    assert_eq!(
        names(&first),
        ["acme/atlas", "acme/legacy.api", "octocat/dotfiles"]
    );
    let second = client.repositories(2, 1_000).await.unwrap();
    assert!(!second.has_next);
    assert_eq!(names(&second), ["octocat/linguist", "zoo/zebra_stripes"]);
    let [atlas, legacy, _] = first.repositories.as_slice() else {
        panic!("three of them")
    };
    assert_eq!((atlas.id, atlas.size), (1_296_269, 1_204));
    assert_eq!((&*atlas.owner.login, &*atlas.name), ("acme", "atlas"));
    assert_eq!(
        [atlas.private, atlas.archived, atlas.fork],
        [true, false, false]
    );
    assert_eq!(atlas.default_branch.as_deref(), Some("main"));
    assert_eq!(atlas.clone_url, format!("{}/acme/atlas.git", server.url()));
    assert_eq!(atlas.ssh_url, "git@github.example:acme/atlas.git");
    assert_eq!(atlas.html_url, format!("{}/acme/atlas", server.url()));
    assert_eq!(atlas.description.as_deref(), Some("Where everything is"));
    assert_eq!(atlas.language.as_deref(), Some("Rust"));
    assert_eq!(
        atlas.pushed_at,
        Some("2025-12-19T08:41:07Z".parse().unwrap())
    );
    assert!(legacy.archived && legacy.pushed_at.is_none() && legacy.description.is_none());
    let list = "/user/repos?affiliation=owner%2Ccollaborator%2Corganization_member&sort=full_name&per_page=100&page=";
    assert_eq!(server.paths(), [format!("{list}1"), format!("{list}2")]);
    // The headers that GitHub requires with every request.
    let request = &server.requests()[0];
    assert!(request.target.starts_with("/api/v3/user/repos?"));
    for (name, value) in [
        ("authorization", format!("Bearer {TOKEN}")),
        ("accept", "application/vnd.github+json".into()),
        ("x-github-api-version", "2022-11-28".into()),
    ] {
        assert_eq!(request.header(name), value);
    }
    assert!(request.header("user-agent").starts_with("nyxcore/"));
}

#[tokio::test]
async fn a_viewer_branches_and_a_search_are_read() {
    let server = FakeGithub::start(|request| {
        FakeAnswer::fixture(match request.path() {
            "/user" => "viewer",
            path if path.starts_with("/repos/acme/atlas/branches?") => "branches",
            path if path.starts_with("/search/repositories?q=") => "search",
            path => panic!("{path}"),
        })
    })
    .await;
    let client = client(&server);
    let viewer = client.viewer().await.unwrap();
    assert_eq!((viewer.id, &*viewer.login), (583_231, "octocat"));
    let branches = client.branches(&atlas(), 1, 100).await.unwrap();
    let names: Vec<&str> = branches.branches.iter().map(|one| &*one.name).collect();
    assert_eq!(
        (names, branches.has_next),
        (vec!["feature/one", "main"], false)
    );
    let found = client.search("atlas org:zoo&sort=x#", 1, 30).await.unwrap();
    assert_eq!((found.repositories.len(), found.has_next), (2, true));
    assert_eq!(
        server.paths()[2],
        "/search/repositories?q=%22atlas%22+%22org%3Azoo%26sort%3Dx%23%22+in%3Aname+fork%3Atrue&per_page=30&page=1"
    );
    let nothing = client.search(" \" ", 1, 30).await.unwrap_err();
    assert_eq!(nothing, GithubError::QueryRefused);
    assert_eq!(server.requests().len(), 3);
}

/// Every error response of GitHub, with the message for a person.
#[tokio::test]
async fn each_refusal_has_its_code_and_tells_when_to_try_again() {
    let reset = RetryAt::Time(DateTime::from_timestamp(1_767_229_200, 0).unwrap());
    let after = |seconds| Some(RetryAt::After(Duration::from_secs(seconds)));
    for (fixture, code, retry) in [
        ("unauthorized", "GITHUB_UNAUTHORIZED", None),
        ("forbidden", "GITHUB_FORBIDDEN", None),
        ("forbidden_sso", "GITHUB_FORBIDDEN", None),
        ("not_found", "GITHUB_NOT_FOUND", None),
        ("rate_limited", "GITHUB_RATE_LIMITED", Some(reset)),
        ("rate_limited_429", "GITHUB_RATE_LIMITED", Some(reset)),
        ("secondary_limited", "GITHUB_ABUSE_LIMITED", after(47)),
        ("secondary_limited_429", "GITHUB_ABUSE_LIMITED", after(90)),
        ("secondary_limited_bare", "GITHUB_ABUSE_LIMITED", after(60)),
        ("abuse_detected", "GITHUB_ABUSE_LIMITED", after(30)),
        ("query_refused", "GITHUB_QUERY_REFUSED", None),
        ("moved_elsewhere", "GITHUB_MOVED", None),
    ] {
        let server = FakeGithub::answers(vec![FakeAnswer::fixture(fixture)]).await;
        let client = client(&server);
        let error = client.repository(&atlas()).await.unwrap_err();
        assert_eq!((error.code(), error.retry()), (code, retry), "{fixture}");
        assert_eq!(error.is_transient(), retry.is_some(), "{fixture}");
        // A rate limit is reported and not waited for, and no text of the server is passed on.
        assert_eq!(server.requests().len(), 1, "{fixture}");
        let text = format!("{error} {error:?} {client:?}");
        for word in [TOKEN, "octocat", "documentation", "169.254", "583231"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[tokio::test]
async fn a_renamed_repository_is_found_under_its_old_name() {
    let server = FakeGithub::answers(vec![
        FakeAnswer::fixture("moved"),
        FakeAnswer::fixture("repository_renamed"),
    ])
    .await;
    let found = client(&server).repository(&atlas()).await.unwrap();
    assert_eq!(found.full_name, "acme/atlas-next");
    assert_eq!(
        server.paths(),
        ["/repos/acme/atlas", "/repositories/1296269"]
    );
    assert_eq!(
        server.requests()[1].header("authorization"),
        format!("Bearer {TOKEN}")
    );
    // A second redirect is one too many.
    let server = FakeGithub::answers(vec![FakeAnswer::fixture("moved")]).await;
    let error = client(&server).repository(&atlas()).await.unwrap_err();
    assert_eq!((error, server.requests().len()), (GithubError::Moved, 2));
}

#[tokio::test]
async fn a_redirect_to_another_server_is_not_followed() {
    let other = FakeGithub::answers(vec![FakeAnswer::fixture("repository")]).await;
    let elsewhere = vec![(
        "http://169.254.169.254/latest".to_owned(),
        format!("{}/api/v3/repositories/7", other.url()),
    )];
    let server = FakeGithub::answers(vec![FakeAnswer::Fixture("moved_elsewhere", elsewhere)]).await;
    let error = client(&server).repository(&atlas()).await.unwrap_err();
    assert_eq!(error, GithubError::Moved);
    assert!(other.requests().is_empty(), "the token went elsewhere");
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_twice_more() {
    let trouble = || FakeAnswer::fixture("server_error");
    let server =
        FakeGithub::answers(vec![trouble(), trouble(), FakeAnswer::fixture("viewer")]).await;
    assert_eq!(client(&server).viewer().await.unwrap().login, "octocat");
    assert_eq!(server.requests().len(), 3);
    let server = FakeGithub::answers(vec![trouble()]).await;
    let error = client(&server).viewer().await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_transient()),
        ("GITHUB_UNAVAILABLE", true)
    );
    assert_eq!(server.requests().len(), 3);
    // The server is stopped.
    let (url, port) = (server.url(), server.port());
    drop(server);
    let error = client_of(&url, options()).viewer().await.unwrap_err();
    assert_eq!(error.code(), "GITHUB_UNAVAILABLE");
    assert!(!error.to_string().contains(&port.to_string()), "{error}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_given_up() {
    let server = FakeGithub::answers(vec![FakeAnswer::Silence]).await;
    let hasty = GithubOptions {
        timeout: Duration::from_millis(100),
        ..options()
    };
    let error = client_of(&server.url(), hasty).viewer().await.unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
    let server = FakeGithub::answers(vec![FakeAnswer::Flood(200_000)]).await;
    let small = GithubOptions {
        answer_bytes_max: 100_000,
        ..options()
    };
    let error = client_of(&server.url(), small).viewer().await.unwrap_err();
    assert_eq!(error.code(), "GITHUB_ANSWER_INVALID");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_is_not_githubs_answer_is_told_apart() {
    for answer in [
        FakeAnswer::Plain(200, "<html>Welcome</html>".into()),
        FakeAnswer::Plain(200, r#"{"login": "x"}"#.into()),
        FakeAnswer::Plain(200, String::new()),
        FakeAnswer::Plain(418, "{}".into()),
        // A repository's name that would become part of a URL.
        FakeAnswer::Fixture(
            "repository",
            vec![(
                r#""full_name": "acme/atlas""#.into(),
                r#""full_name": "acme/../../user""#.into(),
            )],
        ),
    ] {
        let server = FakeGithub::answers(vec![answer.clone()]).await;
        let error = client(&server).repository(&atlas()).await.unwrap_err();
        assert_eq!(error.code(), "GITHUB_ANSWER_INVALID", "{answer:?}");
    }
}

/// A name that resolves to another address by the time of the request does not lead to another server.
#[tokio::test]
async fn only_the_addresses_that_were_looked_at_are_connected_to() {
    let server = FakeGithub::answers(vec![FakeAnswer::fixture("viewer")]).await;
    let url = format!("http://github.test:{}", server.port());
    assert_eq!(
        client_of(&url, options()).viewer().await.unwrap().login,
        "octocat"
    );
    // `localhost` would resolve if it were looked up.
    let url = format!("http://localhost:{}", server.port());
    let nowhere = GithubOptions {
        addresses: Vec::new(),
        ..options()
    };
    let error = client_of(&url, nowhere).viewer().await.unwrap_err();
    assert_eq!(error.code(), "GITHUB_UNAVAILABLE");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn every_fixture_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".http").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, FIXTURES);
}
