//! GitHub connections, their repositories, and the import, against a fake GitHub.

mod import;
mod world;

use std::net::IpAddr;
use std::sync::Arc;

use nyxcore_github::testing::{FakeAnswer, FakeGithub};
use nyxcore_sync::connection::{ConnectionContext, GithubAccess, NewConnection, connection_add};
use nyxcore_sync::git::{HostResolver, Resolving, SourcePolicy};
use nyxcore_tenancy::{Acting, Caller, Credential, Origin, Role, SessionId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::gateway_transport::client::code;
use crate::support::tenant;
use world::{ADD, GOOD, GithubWorld, NEXT, REMOVE, REPOSITORIES, UPDATE};

const LIST: &str = "{ gitConnections { totalCount nodes { id name baseUrl createdBy { id } } } }";

on_both_databases! {
    async fn a_connection_is_kept_once_github_has_said_whose_token_it_is(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let url = world.github.url();
        let input = json!({"name": " Work ", "baseUrl": format!("{url}/"), "token": format!(" {GOOD}\n")});
        let added = world.ask(ADD, json!({"input": input})).await["data"]["addGitConnection"].clone();
        assert_eq!((&added["login"], &added["connection"]["name"]), (&json!("octocat"), &json!("Work")), "{added}");
        assert_eq!(added["connection"]["baseUrl"], format!("{url}/api/v3"));
        assert_eq!(world.github.paths(), ["/user"]);
        let id = added["connection"]["id"].as_str().unwrap();
        assert!(id.starts_with("git_connection_"), "{id}");
        let listed = world.ask(LIST, json!({})).await["data"]["gitConnections"].clone();
        assert_eq!((&listed["totalCount"], &listed["nodes"][0]["id"]), (&json!(1), &json!(id)), "{listed}");
        let node = world.ask("query ($id: ID!) { node(id: $id) { ... on GitConnection { name } } }", json!({"id": id})).await;
        assert_eq!(node["data"]["node"]["name"], "Work");

        // The token is in no row in clear text, and in no audit entry.
        let raw = db.superuser_connection().await.unwrap();
        let sql = "SELECT sealed FROM sealed_secrets WHERE kind = 'git_connection'";
        let rows = raw.query_all_raw(Statement::from_string(db.backend(), sql)).await.unwrap();
        let sealed: Vec<u8> = rows[0].try_get("", "sealed").unwrap();
        assert!(rows.len() == 1 && !sealed.windows(10).any(|part| part == &GOOD.as_bytes()[..10]));

        // A new token is verified before it replaces the old one.
        for (token, expected) in [(NEXT, "octocat"), ("github_pat_wrong", "GITHUB_UNAUTHORIZED"), ("with space", "GITHUB_TOKEN_INVALID")] {
            let answer = world.ask(UPDATE, json!({"input": {"connectionId": id, "token": token}})).await;
            let login = answer["data"]["updateGitConnection"]["login"].as_str();
            assert_eq!(login.unwrap_or(code(&answer)), expected, "{answer}");
            assert!(!answer.to_string().contains(token), "{answer}");
        }
        world.listed(json!({"id": id, "first": 1})).await;
        assert_eq!(world.github.requests().last().unwrap().header("authorization"), format!("Bearer {NEXT}"));
        let renamed = world.ask(UPDATE, json!({"input": {"connectionId": id, "name": "Play"}})).await;
        assert_eq!(renamed["data"]["updateGitConnection"], json!({"login": null, "connection": {"id": id, "name": "Play"}}));

        let removed = world.ask(REMOVE, json!({"input": {"connectionId": id}})).await;
        assert_eq!(removed["data"]["removeGitConnection"]["deletedId"], id, "{removed}");
        assert_eq!(code(&world.ask(REMOVE, json!({"input": {"connectionId": id}})).await), "NOT_FOUND");
        let rows = raw.query_all_raw(Statement::from_string(db.backend(), sql)).await.unwrap();
        assert!(rows.is_empty(), "the token outlived its connection");

        let log = world.audit().await;
        let done = |action: &str, outcome: &str| log.iter().filter(|line| line.contains(&format!("\"action\":\"git_connection.{action}\"")) && line.contains(&format!("\"outcome\":\"{outcome}\""))).count();
        assert_eq!((done("create", "OK"), done("update", "OK"), done("delete", "OK")), (1, 2, 1), "{log:#?}");
        assert_eq!((done("update", "GITHUB_UNAUTHORIZED"), done("delete", "NOT_FOUND")), (1, 1), "{log:#?}");
        assert!(!log.concat().contains("github_pat"), "{log:#?}");
    }

    async fn a_connection_that_github_does_not_confirm_is_not_kept(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let url = world.github.url();
        let gone = FakeGithub::answers(vec![FakeAnswer::Silence]).await.url();
        for (base, token, expected) in [
            (url.as_str(), "github_pat_unknown", "GITHUB_UNAUTHORIZED"),
            (&url, "", "GITHUB_TOKEN_INVALID"),
            (&url, "ghp_a\r\nX-Evil: 1", "GITHUB_TOKEN_INVALID"),
            (&gone, GOOD, "GITHUB_UNAVAILABLE"),
            (&world.git.url(""), GOOD, "GITHUB_ANSWER_INVALID"),
            ("http://169.254.169.254/latest", GOOD, "BASE_URL_FORBIDDEN"),
            ("https://[fd00:ec2::254]", GOOD, "BASE_URL_FORBIDDEN"),
            ("http://8.8.8.8", GOOD, "BASE_URL_FORBIDDEN"),
            ("file:///etc/passwd", GOOD, "GITHUB_URL_INVALID"),
            ("https://user:pw@ghe.example", GOOD, "GITHUB_URL_INVALID"),
            ("https://github.com/acme/atlas", GOOD, "GITHUB_URL_INVALID"),
        ] {
            let answer = world.ask(ADD, json!({"input": {"name": "x", "baseUrl": base, "token": token}})).await;
            assert_eq!(code(&answer), expected, "{base}: {answer}");
            assert!(token.is_empty() || !answer.to_string().contains(token), "{answer}");
        }
        for name in ["", " ", "two\nlines", &"x".repeat(201)] {
            let answer = world.ask(ADD, json!({"input": {"name": name, "baseUrl": url, "token": GOOD}})).await;
            assert_eq!(code(&answer), "INVALID_INPUT", "{answer}");
        }
        assert_eq!(world.ask(LIST, json!({})).await["data"]["gitConnections"]["totalCount"], 0);
        world.connect().await;
        let again = world.ask(ADD, json!({"input": {"name": "GitHub", "baseUrl": url, "token": GOOD}})).await;
        assert_eq!(code(&again), "CONFLICT");

        // A caller without permission causes no request to GitHub.
        let asked = world.github.requests().len();
        let member = world.token_of(Role::Member).await;
        let answer = world.ask_as(&member, ADD, json!({"input": {"name": "y", "baseUrl": url, "token": GOOD}})).await;
        assert_eq!((code(&answer), world.github.requests().len()), ("FORBIDDEN", asked), "{answer}");
    }

    async fn the_repositories_of_a_token_are_listed_searched_and_marked(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let id = world.connect().await;
        let names = |page: &Value| -> Vec<String> {
            page["nodes"].as_array().unwrap().iter().map(|node| node["fullName"].as_str().unwrap().to_owned()).collect()
        };
        // Our pages differ from GitHub's: a page here ends after the requested number.
        let first = world.listed(json!({"id": id, "first": 2})).await;
        assert_eq!(names(&first), ["acme/atlas", "acme/legacy.api"]);
        assert_eq!((&first["pageInfo"]["hasNextPage"], &first["pageInfo"]["hasPreviousPage"]), (&json!(true), &json!(false)));
        assert_eq!(first["pageInfo"]["endCursor"], first["edges"][1]["cursor"]);
        let rest = world.listed(json!({"id": id, "first": 2, "after": first["pageInfo"]["endCursor"]})).await;
        assert_eq!(names(&rest), ["octocat/dotfiles", "octocat/linguist"]);
        let last = world.listed(json!({"id": id, "first": 2, "after": rest["pageInfo"]["endCursor"]})).await;
        assert_eq!((names(&last), &last["pageInfo"]["hasNextPage"]), (vec!["zoo/zebra_stripes".to_owned()], &json!(false)));
        let atlas = &first["nodes"][0];
        assert_eq!(
            [&atlas["owner"], &atlas["private"], &atlas["defaultBranch"], &atlas["language"], &atlas["sizeKilobytes"], &atlas["importedAs"]],
            [&json!("acme"), &json!(true), &json!("main"), &json!("Rust"), &json!(1204), &json!([])],
        );

        // Words in names and descriptions, in any case, over all pages.
        for (query, expected) in [
            ("ATLAS", vec!["acme/atlas", "octocat/linguist"]),
            ("octocat/ sweet", vec!["octocat/dotfiles"]),
            ("nothing of this kind", vec![]),
        ] {
            let found = world.listed(json!({"id": id, "query": query})).await;
            assert_eq!((names(&found), &found["pageInfo"]["hasNextPage"]), (expected.into_iter().map(str::to_owned).collect(), &json!(false)), "{query}");
        }
        // With `everywhere` GitHub searches.
        let found = world.listed(json!({"id": id, "query": "atlas org:zoo", "everywhere": true})).await;
        assert_eq!(names(&found), ["acme/atlas", "dtrupenn/atlas"]);
        assert!(world.github.paths().iter().any(|path| path.contains("q=%22atlas%22+%22org%3Azoo%22+in%3Aname+fork%3Atrue")), "{:?}", world.github.paths());
        let branches = "query ($id: ID!, $repository: String!) { node(id: $id) { ... on GitConnection { branches(repository: $repository) } } }";
        let listed = world.ask(branches, json!({"id": id, "repository": "acme/atlas"})).await;
        assert_eq!(listed["data"]["node"]["branches"], json!(["feature/one", "main"]), "{listed}");
        for (repository, expected) in [("acme/none", "GITHUB_NOT_FOUND"), ("acme/../user", "GITHUB_NAME_INVALID"), ("acme", "GITHUB_NAME_INVALID")] {
            assert_eq!(code(&world.ask(branches, json!({"id": id, "repository": repository})).await), expected, "{repository}");
        }
        let limited = world.ask(branches, json!({"id": id, "repository": "acme/limited"})).await;
        assert_eq!((code(&limited), &limited["errors"][0]["extensions"]["retryAfter"]), ("GITHUB_ABUSE_LIMITED", &json!(47)), "{limited}");

        // A repository that is a source already is marked, however its address is written.
        let create = "mutation { createProject(input: {name: \"Atlas\"}) { project { id } } }";
        let project = world.ask(create, json!({})).await["data"]["createProject"]["project"]["id"].clone();
        let add = "mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id } } }";
        let mut sources = Vec::new();
        for url in [world.git.url("acme/atlas"), "git@github.example:acme/atlas.git".to_owned(), world.git.url("acme/atlas2.git")] {
            let added = world.ask(add, json!({"input": {"projectId": project, "url": url}})).await;
            sources.push(added["data"]["addSource"]["source"].clone());
        }
        let marked = world.listed(json!({"id": id, "first": 1})).await;
        assert_eq!(marked["nodes"][0]["importedAs"], json!(sources[..2]), "{marked}");

        let written = world.git.url("aCmE/Atlas");
        let added = world.ask(add, json!({"input": {"projectId": project, "url": written, "branch": "next"}})).await;
        sources.insert(2, added["data"]["addSource"]["source"].clone());
        let marked = world.listed(json!({"id": id, "first": 1})).await;
        assert_eq!(marked["nodes"][0]["importedAs"], json!(sources[..3]), "{marked}");

        // A viewer may not import, and so may not list the repositories that a token can see. Invalid arguments are
        // reported.
        let viewer = world.token_of(Role::Viewer).await;
        let asked = world.github.requests().len();
        assert_eq!(code(&world.ask_as(&viewer, REPOSITORIES, json!({"id": id})).await), "FORBIDDEN");
        for (variables, expected) in [
            (json!({"id": id, "first": 0}), "INVALID_INPUT"),
            (json!({"id": id, "first": 101}), "INVALID_INPUT"),
            (json!({"id": id, "first": -1}), "INVALID_INPUT"),
            (json!({"id": id, "after": "nonsense"}), "INVALID_CURSOR"),
            (json!({"id": id, "everywhere": true}), "INVALID_INPUT"),
            (json!({"id": id, "query": "x".repeat(201)}), "INVALID_INPUT"),
        ] {
            assert_eq!(code(&world.ask(REPOSITORIES, variables.clone()).await), expected, "{variables}");
        }
        assert_eq!(world.github.requests().len(), asked);
        let member = world.token_of(Role::Member).await;
        assert_eq!(code(&world.ask_as(&member, REPOSITORIES, json!({"id": id})).await), "");
    }

    async fn nobody_waits_for_github_but_who_asked(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let silent = FakeGithub::answers(vec![FakeAnswer::Silence]).await;
        let asking = world.ask(ADD, json!({"input": {"name": "x", "baseUrl": silent.url(), "token": GOOD}}));
        let meanwhile = async {
            while silent.requests().is_empty() {
                tokio::task::yield_now().await;
            }
            world.ask("mutation { createProject(input: {name: \"Meanwhile\"}) { project { name } } }", json!({})).await
        };
        tokio::select! {
            answer = asking => panic!("GitHub did not answer, and this came: {answer}"),
            made = meanwhile => assert_eq!(made["data"]["createProject"]["project"]["name"], "Meanwhile", "{made}"),
        }
    }

    /// The owner of a host name can make it resolve to any address.
    async fn a_name_that_leads_to_a_forbidden_address_is_not_asked(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let (store, tenant_id) = (&world.served.store, world.served.tenant);
        let (_, stranger) = tenant(store, "other").await;
        let caller = Caller { tenant: tenant_id, user: stranger.id, role: Role::Owner, credential: Credential::Session(SessionId(store.env().id())) };
        for (allow_private, addresses) in [
            (false, vec!["127.0.0.1"]),
            (true, vec!["169.254.169.254"]),
            (true, vec!["127.0.0.1", "169.254.169.254"]),
            (false, vec!["140.82.121.4", "10.0.0.1"]),
        ] {
            let policy = SourcePolicy { allow_private, ..SourcePolicy::default() };
            let acting = Acting::new(caller, Origin::default());
            let context = ConnectionContext {
                store,
                acting: &acting,
                keyring: &world.served.keyring,
                access: GithubAccess::with_resolver(policy, Arc::new(LyingResolver(addresses.clone()))),
            };
            let scheme = if allow_private { "http" } else { "https" };
            let base = format!("{scheme}://ghe.test:{}", world.github.port());
            let new = NewConnection { name: "x".into(), base_url: Some(base), token: GOOD.into() };
            let error = connection_add(&context, new).await.unwrap_err();
            // The same error as for an unknown name, so that nobody can probe which names a private network has.
            assert_eq!(error.code(), "GITHUB_UNAVAILABLE", "{addresses:?}");
        }
        assert!(world.github.requests().is_empty());
    }
}

/// A resolver that returns the given addresses.
#[derive(Debug)]
struct LyingResolver(Vec<&'static str>);

impl HostResolver for LyingResolver {
    fn host_resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let addresses: Vec<IpAddr> = self.0.iter().map(|one| one.parse().unwrap()).collect();
        Box::pin(async move { Ok(addresses) })
    }
}
