//! The import of GitHub repositories: atomic, once despite concurrent requests, and synced like other sources.

use futures::StreamExt;
use futures::future::join_all;
use nyxcore_runs::{RunId, Workers, run_follow};
use nyxcore_sync::{SyncHandler, SyncOptions};
use nyxcore_tenancy::{Role, TypedId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::world::{GOOD, GithubWorld, IMPORT, NEXT, REMOVE, UPDATE};
use crate::gateway_transport::client::code;

const PROJECTS: &str = "{ projects { nodes { name description sources { id } } } }";
const SOURCE: &str = "query ($id: ID!) { node(id: $id) { ... on Source { status branch scanPath files { nodes { path } } } } }";
const UPDATE_SOURCE: &str =
    "mutation ($input: UpdateSourceInput!) { updateSource(input: $input) { source { id } } }";
const REMOVE_SOURCE: &str =
    "mutation ($input: RemoveSourceInput!) { removeSource(input: $input) { deletedId } }";
const START_SYNC: &str =
    "mutation ($input: StartSyncInput!) { startSync(input: $input) { sync { id } } }";

fn outcomes(results: &[Value]) -> Vec<&str> {
    let outcomes = results.iter().map(|result| result["outcome"].as_str());
    outcomes.map(Option::unwrap).collect()
}

impl GithubWorld {
    /// Runs a worker until the run ends.
    async fn work(&self, db: &TestDatabase, run: &Value) {
        let run = RunId::parse(run.as_str().unwrap()).unwrap();
        let options = SyncOptions {
            keyring: Some(self.served.keyring.clone()),
            ..SyncOptions::new(&db.folder().join("data"), self.policy.clone(), |_| None)
        };
        let workers = Workers::builder(&self.served.store).handler(SyncHandler::new(options));
        let workers = workers.start().unwrap();
        let mut events = Box::pin(run_follow(&self.served.store, self.served.tenant, run, 0));
        while let Some(event) = events.next().await {
            event.unwrap();
        }
        workers.shutdown().await;
    }

    /// The status of a source, with the paths of its files.
    async fn source(&self, id: &Value) -> (Value, Vec<String>) {
        let source = self.ask(SOURCE, json!({"id": id})).await["data"]["node"].clone();
        let files = source["files"]["nodes"].as_array().unwrap().iter();
        let paths = files.map(|file| file["path"].as_str().unwrap().to_owned());
        (source["status"].clone(), paths.collect())
    }

    async fn synced_again(&self, db: &TestDatabase, source: &Value) -> (Value, Vec<String>) {
        let started = self
            .ask(START_SYNC, json!({"input": {"sourceId": source}}))
            .await;
        self.work(db, &started["data"]["startSync"]["sync"]["id"])
            .await;
        self.source(source).await
    }
}

on_both_databases! {
    async fn imported_sources_are_synced_and_can_be_changed(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let mut repository = world.repository(&db, "acme/atlas");
        repository.write("README.md", "Atlas\n").write("src/main.rs", "fn main() {}\n");
        repository.commit("one");
        repository.git(&["checkout", "-q", "-b", "feature/one"]);
        repository.write("src/feature.rs", "fn feature() {}\n");
        repository.commit("two");
        repository.git(&["checkout", "-q", "-"]);
        let connection = world.connect().await;
        let results = world.import(&connection, None, json!([{"fullName": "acme/atlas"}])).await;
        let imported = &results[0];
        assert_eq!((&imported["outcome"], &imported["sync"]["status"]), (&json!("IMPORTED"), &json!("QUEUED")), "{imported}");
        let source = &imported["source"];
        assert_eq!(source["url"], world.git.url("acme/atlas.git"));
        assert_eq!((&source["branch"], &source["scanPath"]), (&json!(null), &json!("")));
        assert_eq!((&source["project"]["name"], &source["project"]["description"]), (&json!("atlas"), &json!("Where everything is")));
        let id = source["id"].clone();
        world.work(&db, &imported["sync"]["id"]).await;
        assert_eq!(world.source(&id).await, (json!("READY"), vec!["README.md".into(), "src/main.rs".into()]));

        // The next sync uses the changed source.
        let update = async |input: Value| {
            let updated = world.ask(UPDATE_SOURCE, json!({"input": input})).await;
            assert_eq!(updated["data"]["updateSource"]["source"]["id"], id, "{updated}");
        };
        update(json!({"sourceId": id, "scanPath": "src/"})).await;
        assert_eq!(world.synced_again(&db, &id).await, (json!("READY"), vec!["src/main.rs".into()]));
        update(json!({"sourceId": id, "branch": "feature/one"})).await;
        assert_eq!(world.synced_again(&db, &id).await, (json!("READY"), vec!["src/feature.rs".into(), "src/main.rs".into()]));
        update(json!({"sourceId": id, "branch": null, "scanPath": ""})).await;
        assert_eq!(world.synced_again(&db, &id).await, (json!("READY"), vec!["README.md".into(), "src/main.rs".into()]));

        // A connection in use cannot be removed, but may get a new token. After the source is removed, the connection
        // can be.
        let remove = async || world.ask(REMOVE, json!({"input": {"connectionId": connection}})).await;
        let refused = remove().await;
        assert_eq!(code(&refused), "CONFLICT");
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("use this connection: 1."), "{refused}");
        let renewed = world.ask(UPDATE, json!({"input": {"connectionId": connection, "token": NEXT}})).await;
        assert_eq!(renewed["data"]["updateGitConnection"]["login"], "octocat");
        let gone = world.ask(REMOVE_SOURCE, json!({"input": {"sourceId": id}})).await;
        assert_eq!(gone["data"]["removeSource"]["deletedId"], id, "{gone}");
        assert_eq!(remove().await["data"]["removeGitConnection"]["deletedId"], connection);
    }

    async fn every_repository_has_an_import_result(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let connection = world.connect().await;
        let create = "mutation { createProject(input: {name: \"Shared\"}) { project { id } } }";
        let project = world.ask(create, json!({})).await["data"]["createProject"]["project"]["id"].clone();
        let project = project.as_str().unwrap();
        let wanted = json!([
            {"fullName": "acme/atlas", "branch": "main", "scanPath": "crates/core/"},
            {"fullName": "acme/legacy.api"},
            {"fullName": "acme/atlas", "scanPath": "crates/core"},
            {"fullName": "acme/old"},
            {"fullName": "acme/nothing"},
            {"fullName": "acme/internal"},
            {"fullName": "evil/elsewhere"},
            {"fullName": "../user"},
            {"fullName": "acme/atlas", "branch": "--upload-pack=touch"},
            {"fullName": "acme/atlas", "scanPath": "../../etc"},
        ]);
        let results = world.import(&connection, Some(project), wanted.clone()).await;
        assert_eq!(
            outcomes(&results),
            ["IMPORTED", "IMPORTED", "ALREADY_IMPORTED", "IMPORTED", "NOT_FOUND", "FORBIDDEN", "REFUSED", "REFUSED", "REFUSED", "REFUSED"],
            "{results:#?}"
        );
        let names: Vec<&Value> = results.iter().map(|result| &result["fullName"]).collect();
        assert_eq!(names, wanted.as_array().unwrap().iter().map(|one| &one["fullName"]).collect::<Vec<_>>());
        assert_eq!((&results[0]["source"]["branch"], &results[0]["source"]["scanPath"]), (&json!("main"), &json!("crates/core")));
        // The default branch by its name is the default branch.
        assert_eq!(results[2]["source"]["id"], results[0]["source"]["id"]);
        assert_eq!(results[3]["source"]["url"], world.git.url("acme/atlas-next.git"));
        for result in &results[4..] {
            assert!(result["message"].is_string() && result["source"].is_null() && result["sync"].is_null(), "{result}");
        }
        assert!(!world.github.paths().iter().any(|path| path.contains("..") || path.contains("upload-pack")), "{:?}", world.github.paths());

        // Again, and without a project: nothing is imported twice.
        let again = world.import(&connection, Some(project), wanted).await;
        assert_eq!(outcomes(&again)[..4], ["ALREADY_IMPORTED"; 4], "{again:#?}");
        let anywhere = world.import(&connection, None, json!([{"fullName": "acme/legacy.api"}, {"fullName": "acme/atlas"}])).await;
        assert_eq!(outcomes(&anywhere), ["ALREADY_IMPORTED", "IMPORTED"], "{anywhere:#?}");
        // A source that was added by its address, without credentials, uses the connection from then on.
        let add = "mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id } } }";
        let written = world.git.url("acme/atlas").replace("acme/atlas", "Acme/aTlas");
        let added = json!({"projectId": project, "url": written, "scanPath": "docs"});
        let added = world.ask(add, json!({"input": added})).await["data"]["addSource"]["source"]["id"].clone();
        for sync in [json!("QUEUED"), json!(null)] {
            let adopted = world.import(&connection, Some(project), json!([{"fullName": "acme/atlas", "scanPath": "docs"}])).await;
            let adopted = &adopted[0];
            assert_eq!((&adopted["outcome"], &adopted["source"]["id"], &adopted["sync"]["status"]), (&json!("ALREADY_IMPORTED"), &added, &sync), "{adopted}");
        }
        let used = world.ask(REMOVE, json!({"input": {"connectionId": connection}})).await;
        assert!(used["errors"][0]["message"].as_str().unwrap().contains("use this connection: 5."), "{used}");
        let projects = world.ask(PROJECTS, json!({})).await["data"]["projects"]["nodes"].clone();
        let counted: Vec<(&Value, usize)> = projects.as_array().unwrap().iter().map(|one| (&one["name"], one["sources"].as_array().unwrap().len())).collect();
        assert_eq!(counted, [(&json!("atlas"), 1), (&json!("Shared"), 4)]);

        // Each import has an audit entry with the repository's name.
        let log = world.audit().await;
        let of = |action: &str| log.iter().filter(|line| line.contains(&format!("\"action\":\"{action}\"")) && line.contains("\"outcome\":\"OK\"")).count();
        assert_eq!([of("git_connection.import"), of("source.create"), of("sync.start"), of("source_secret.update")], [5, 5, 5, 1], "{log:#?}");
        assert!(log.iter().any(|line| line.contains("acme/legacy.api")), "{log:#?}");
    }

    /// Two clicks in another system led to two runs.
    async fn of_many_simultaneous_imports_one_imports(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let connection = world.connect().await;
        let wanted = || json!([{"fullName": "acme/atlas"}]);
        let results = join_all((0..8).map(|_| world.import(&connection, None, wanted()))).await;
        let results: Vec<Value> = results.into_iter().flatten().collect();
        let mut told = outcomes(&results);
        told.sort_unstable();
        assert_eq!((told[7], &told[..7]), ("IMPORTED", &["ALREADY_IMPORTED"; 7][..]), "{results:#?}");
        assert!(results.iter().all(|result| result["source"]["id"] == results[0]["source"]["id"]), "{results:#?}");
        let projects = world.ask(PROJECTS, json!({})).await["data"]["projects"]["nodes"].clone();
        assert_eq!(projects.as_array().unwrap().len(), 1, "{projects}");
    }

    async fn what_githubs_limits_leave_out_is_told_and_not_asked_for(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let connection = world.connect().await;
        let many: Vec<Value> = ["acme/atlas", "acme/limited"].into_iter().chain(["acme/legacy.api"; 6]).map(|name| json!({"fullName": name})).collect();
        let results = world.import(&connection, None, json!(many)).await;
        // Four requests to GitHub run at a time; none is sent after GitHub asked for a pause.
        assert_eq!(
            outcomes(&results),
            ["IMPORTED", "RATE_LIMITED", "IMPORTED", "ALREADY_IMPORTED", "RATE_LIMITED", "RATE_LIMITED", "RATE_LIMITED", "RATE_LIMITED"],
        );
        assert!(results.iter().filter(|one| one["outcome"] == "RATE_LIMITED").all(|one| one["retryAfter"] == 47), "{results:#?}");
        assert_eq!(world.github.requests().len(), 1 + 4);
        let down = world.import(&connection, None, json!([{"fullName": "acme/down"}])).await;
        assert_eq!(outcomes(&down), ["UNAVAILABLE"]);
    }

    async fn an_import_that_cannot_begin_imports_nothing(db: TestDatabase) {
        let world = GithubWorld::start(&db).await;
        let connection = world.connect().await;
        let refused = async |token: &str, input: Value| {
            let answer = world.ask_as(token, IMPORT, json!({"input": input})).await;
            code(&answer).to_owned()
        };
        let owner = world.served.token.clone();
        let one = json!([{"fullName": "acme/atlas"}]);
        let (viewer, member) = (world.token_of(Role::Viewer).await, world.token_of(Role::Member).await);
        let asked = world.github.requests().len();
        let nobodys = "project_01h455vb4pex5vsknk084sn02q";
        for (token, input, expected) in [
            (&viewer, json!({"connectionId": connection, "repositories": one}), "FORBIDDEN"),
            (&owner, json!({"connectionId": connection, "repositories": []}), "INVALID_INPUT"),
            (&owner, json!({"connectionId": connection, "repositories": vec![json!({"fullName": "acme/atlas"}); 51]}), "INVALID_INPUT"),
            (&owner, json!({"connectionId": connection, "projectId": nobodys, "repositories": one}), "NOT_FOUND"),
            (&owner, json!({"connectionId": nobodys.replace("project", "git_connection"), "repositories": one}), "NOT_FOUND"),
            (&owner, json!({"connectionId": nobodys, "repositories": one}), "INVALID_ID"),
        ] {
            assert_eq!(refused(token, input.clone()).await, expected, "{input}");
        }
        assert_eq!(world.github.requests().len(), asked, "GitHub was asked");

        // The token was revoked at GitHub: the result is one error, and not one for each repository.
        world.github_forget(GOOD);
        let input = json!({"connectionId": connection, "repositories": one});
        assert_eq!(refused(&member, input.clone()).await, "GITHUB_UNAUTHORIZED");
        // The master key that encrypted the token is lost.
        let raw = db.superuser_connection().await.unwrap();
        raw.execute_unprepared("DELETE FROM sealed_secrets").await.unwrap();
        assert_eq!(refused(&member, input).await, "SECRET_UNREADABLE");
        let projects = world.ask(PROJECTS, json!({})).await["data"]["projects"]["nodes"].clone();
        assert_eq!(projects, json!([]));
    }
}
