//! A gateway with a fake GitHub, whose repositories are served by a git server.

use std::sync::{Arc, Mutex};

use nyxcore_gateway::Limits;
use nyxcore_github::testing::{FakeAnswer, FakeGithub, FakeRequest};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer, TestRepository};
use nyxcore_tenancy::audit::{AuditEntry, AuditFilter, audit_list};
use nyxcore_tenancy::directory::{NewApiToken, api_token_create};
use nyxcore_tenancy::{PageRequest, Role};
use nyxcore_tests::TestDatabase;
use serde_json::{Value, json};

use crate::gateway_transport::client::Served;
use crate::support::store;

/// A token that GitHub accepts.
pub const GOOD: &str = "github_pat_11GOODTOKEN_0123456789";
/// Another token that it accepts.
pub const NEXT: &str = "github_pat_11NEXTTOKEN_0123456789";

pub const ADD: &str = "mutation ($input: AddGitConnectionInput!) { addGitConnection(input: $input) { login connection { id name baseUrl createdBy { id } createdAt updatedAt } } }";
pub const UPDATE: &str = "mutation ($input: UpdateGitConnectionInput!) { updateGitConnection(input: $input) { login connection { id name } } }";
pub const REMOVE: &str = "mutation ($input: RemoveGitConnectionInput!) { removeGitConnection(input: $input) { deletedId } }";
pub const IMPORT: &str = "mutation ($input: ImportRepositoriesInput!) { importRepositories(input: $input) { results {
    fullName outcome message retryAfter sync { id status } source { id url branch scanPath project { id name description } } } } }";
pub const REPOSITORIES: &str = "query ($id: ID!, $query: String, $everywhere: Boolean! = false, $first: Int! = 30, $after: String) { node(id: $id) { ... on GitConnection {
    repositories(query: $query, everywhere: $everywhere, first: $first, after: $after) { edges { cursor } nodes { fullName name owner description private archived fork defaultBranch cloneUrl htmlUrl
    language sizeKilobytes pushedAt importedAs { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }";

/// A gateway that allows private addresses, GitHub and git servers on loopback, and a tenant `acme`.
pub struct GithubWorld {
    pub served: Served,
    pub github: FakeGithub,
    pub git: GitHttpServer,
    pub policy: SourcePolicy,
    /// The tokens that GitHub accepts.
    known: Arc<Mutex<Vec<&'static str>>>,
}

impl GithubWorld {
    pub async fn start(db: &TestDatabase) -> Self {
        let store = store(db).await;
        let root = db.folder().join("remotes");
        std::fs::create_dir_all(&root).unwrap();
        let git = GitHttpServer::start(&root, GitHttpOptions::default()).await;
        let at = git.url("");
        let at = at.trim_end_matches('/').to_owned();
        let policy = SourcePolicy {
            allow_private: true,
            ..SourcePolicy::default()
        };
        let served = Served::start_with(&store, "acme", Limits::default(), policy.clone()).await;
        let known = Arc::new(Mutex::new(vec![GOOD, NEXT]));
        let knowing = known.clone();
        let answering = move |request: &FakeRequest| {
            let shown = request.header("authorization").strip_prefix("Bearer ");
            match shown.is_some_and(|token| knowing.lock().unwrap().contains(&token)) {
                true => answer(request, &at),
                false => FakeAnswer::fixture("unauthorized"),
            }
        };
        Self {
            github: FakeGithub::start(answering).await,
            known,
            git,
            policy,
            served,
        }
    }

    /// Revokes a token at GitHub.
    pub fn github_forget(&self, token: &str) {
        self.known.lock().unwrap().retain(|known| *known != token);
    }

    /// The repository with that name at GitHub.
    pub fn repository(&self, db: &TestDatabase, name: &str) -> TestRepository {
        let folder = db.folder().join("remotes").join(format!("{name}.git"));
        std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
        TestRepository::create(folder)
    }

    /// Sends a query as the owner.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        self.ask_as(&self.served.token, query, variables).await
    }

    pub async fn ask_as(&self, token: &str, query: &str, variables: Value) -> Value {
        let request = self.served.client.post(self.served.url("/graphql"));
        let answer = request
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(json!({"query": query, "variables": variables}).to_string())
            .send()
            .await
            .unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// A token of the owner with that role.
    pub async fn token_of(&self, role: Role) -> String {
        let scoped = self.served.store.write(self.served.tenant).await.unwrap();
        let new = NewApiToken {
            user: self.served.user,
            name: "test".into(),
            role,
            expires_at: None,
        };
        let (_, token) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        token
    }

    /// Creates a connection with the valid token, and returns its id.
    pub async fn connect(&self) -> String {
        let input = json!({"name": "GitHub", "baseUrl": self.github.url(), "token": GOOD});
        let answer = self.ask(ADD, json!({"input": input})).await;
        let id = &answer["data"]["addGitConnection"]["connection"]["id"];
        id.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Imports repositories, and returns the result of each.
    pub async fn import(
        &self,
        connection: &str,
        project: Option<&str>,
        wanted: Value,
    ) -> Vec<Value> {
        let input =
            json!({"connectionId": connection, "projectId": project, "repositories": wanted});
        let answer = self.ask(IMPORT, json!({"input": input})).await;
        let results = answer["data"]["importRepositories"]["results"].as_array();
        results.unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// The repositories that a connection lists.
    pub async fn listed(&self, variables: Value) -> Value {
        let answer = self.ask(REPOSITORIES, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["node"]["repositories"].clone()
    }

    /// The audit log as lines, newest first.
    pub async fn audit(&self) -> Vec<String> {
        let scoped = self.served.store.read(self.served.tenant).await.unwrap();
        let page = PageRequest::first(200);
        let log = audit_list(&scoped, &AuditFilter::default(), &page).await;
        let log = log.unwrap().into_items();
        log.iter().map(AuditEntry::json_line).collect()
    }
}

/// GitHub's responses. `git` is the address of its repositories.
fn answer(request: &FakeRequest, git: &str) -> FakeAnswer {
    let (path, query) = request
        .path()
        .split_once('?')
        .unwrap_or((request.path(), ""));
    let is_second = query.split('&').any(|part| part == "page=2");
    let with = |name, more: &[(&str, &str)]| {
        let more = more
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        FakeAnswer::Fixture(
            name,
            more.chain([("{git}".to_owned(), git.to_owned())]).collect(),
        )
    };
    match path {
        "/user" => with("viewer", &[]),
        "/user/repos" if is_second => with("repositories_page_2", &[]),
        "/user/repos" => with("repositories_page_1", &[]),
        "/search/repositories" if is_second => {
            with("repositories_none", &[("[]", r#"{"items": []}"#)])
        }
        "/search/repositories" => with("search", &[]),
        "/repos/acme/atlas/branches" => with("branches", &[]),
        "/repos/acme/atlas" => with("repository", &[]),
        "/repos/acme/legacy.api" => with(
            "repository",
            &[
                ("acme/atlas", "acme/legacy.api"),
                (r#""name": "atlas""#, r#""name": "legacy.api""#),
            ],
        ),
        "/repos/acme/old" => with("moved", &[]),
        "/repositories/1296269" => with("repository_renamed", &[]),
        // A server whose answer would have the token sent to another host.
        "/repos/evil/elsewhere" => with("repository", &[("{git}", "https://evil.example")]),
        "/repos/acme/internal" => with("forbidden", &[]),
        "/repos/acme/limited" | "/repos/acme/limited/branches" => with("secondary_limited", &[]),
        "/repos/acme/down" => with("server_error", &[]),
        _ => with("not_found", &[]),
    }
}
