//! One person with two accounts in a tenant, with the real binary: both accounts work on the same objects, and a viewer
//! can only read.

use nyxcore_sync::git::testing::TestRepository;
use nyxcore_tenancy::people::invitation_accept;
use nyxcore_tenancy::{Credential, Env, Origin, SessionId, Store, directory};
use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command, on_both_databases};
use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::end_to_end::api::Api;
use crate::support::options;

const OLIVER: &str = "oliver.baer@example.org";
const ALIAS: &str = "oliver.baer+ckbnyx@example.org";
const VIEWER: &str = "vera@example.org";

/// All objects of the tenant in this test, with their creators.
const EVERYTHING: &str = "{ projects(first: 4) { totalCount nodes { id slug name description createdBy { email }
    sources { id url status headCommit files(first: 4) { totalCount nodes { path content } } syncs(first: 4) { totalCount nodes { status startedBy { email } } } }
    notes(first: 4) { totalCount nodes { id title body createdBy { email } } }
    blogPosts(first: 4) { totalCount nodes { id title body status sourceRef publishedAt createdBy { email } project { id } } } } }
    viewer { tenant { id name members(first: 4) { totalCount nodes { role user { email } } } } } }";

on_both_databases! {
    async fn two_accounts_of_one_person_work_on_the_same_things(db: TestDatabase) {
        let server = TestServer::start(&db, &["--allow-sources", "local"]).await.unwrap();
        let oliver = Api::new(&server, &command(&db, &["tenant", "create", "acme", "--name", "Acme", "--owner", OLIVER, "--print-token"]));
        // The other account exists already, with its own tenant.
        let elsewhere = Api::new(&server, &command(&db, &["tenant", "create", "ckbnyx", "--name", "CKB", "--owner", ALIAS, "--print-token"]));
        join(&db, &oliver, &elsewhere, ALIAS, "ADMIN").await;
        let alias = Api::new(&server, &token(&db, ALIAS, "ADMIN"));
        let watching = Api::new(&server, &command(&db, &["tenant", "create", "vera", "--name", "Vera", "--owner", VIEWER, "--print-token"]));
        join(&db, &oliver, &watching, VIEWER, "VIEWER").await;
        let viewer = Api::new(&server, &token(&db, VIEWER, "VIEWER"));

        let mut repository = TestRepository::create(db.folder().join("atlas"));
        repository.write("docs/leases.md", "---\ntitle: How leases work\n---\nThey run out.\n");
        repository.write("README.md", "# Atlas\n\nMaps.\n");
        repository.commit("Begin");
        let url = repository.path().to_str().unwrap().to_owned();

        for (name, maker, other, maker_email, other_email) in
            [("Atlas", &oliver, &alias, OLIVER, ALIAS), ("Borealis", &alias, &oliver, ALIAS, OLIVER)]
        {
            let made = make(maker, name, &url).await;
            let seen = maker.ask(EVERYTHING, json!({})).await;
            assert_eq!(other.ask(EVERYTHING, json!({})).await, seen, "both see the same");
            assert_eq!(viewer.ask(EVERYTHING, json!({})).await, seen, "and so does a viewer");
            let newest = &seen["projects"]["nodes"][0];
            assert_eq!((&newest["id"], &newest["createdBy"]["email"]), (&made["project"], &json!(maker_email)));
            assert_eq!(newest["sources"][0]["files"]["totalCount"], 2, "{newest:#}");
            changes_nothing(&viewer, &made).await;
            assert_eq!(maker.ask(EVERYTHING, json!({})).await, seen, "a viewer changed nothing");

            // Read by id, one by one.
            for kind in ["project", "source", "note", "post", "imported"] {
                let node = other.ask("query ($id: ID!) { node(id: $id) { id } }", json!({"id": made[kind]})).await;
                assert_eq!(node["node"]["id"], made[kind], "{kind}");
            }
            work_on(other, &made).await;
            // A sync started by the other account imports the change, and updates the post that was made from the file.
            repository.write("docs/leases.md", format!("---\ntitle: Leases of {name}\n---\nThey are renewed.\n"));
            repository.commit("Change");
            sync(other, &made["source"]).await;
            let again = change(other, "importBlogPost", "ImportBlogPostInput", "blogPost { id title body status }", json!({"projectId": made["project"], "path": "docs/leases.md"})).await;
            assert_eq!(again["blogPost"], json!({"id": made["imported"], "title": format!("Leases of {name}"), "body": "They are renewed.\n", "status": "PUBLISHED"}));

            let seen = maker.ask(EVERYTHING, json!({})).await;
            assert_eq!(other.ask(EVERYTHING, json!({})).await, seen);
            let newest = &seen["projects"]["nodes"][0];
            assert_eq!(newest["description"], "Changed by the other");
            assert_eq!(newest["notes"]["nodes"][0]["title"], "Changed by the other");
            let posts: Vec<_> = newest["blogPosts"]["nodes"].as_array().unwrap().iter().map(|p| (&p["status"], &p["createdBy"]["email"])).collect();
            assert_eq!(posts, [(&json!("PUBLISHED"), &json!(maker_email)), (&json!("DRAFT"), &json!(maker_email))], "who made it stays written down");
            let starters: Vec<_> = newest["sources"][0]["syncs"]["nodes"].as_array().unwrap().iter().map(|s| s["startedBy"]["email"].clone()).collect();
            assert_eq!(starters, [other_email, maker_email]);
        }

        // Each account deletes what the other created, including the projects.
        let seen = oliver.ask(EVERYTHING, json!({})).await;
        for (project, by) in seen["projects"]["nodes"].as_array().unwrap().iter().zip([&oliver, &alias]) {
            for post in project["blogPosts"]["nodes"].as_array().unwrap() {
                change(by, "deleteBlogPost", "DeleteBlogPostInput", "deletedId", json!({"blogPostId": post["id"]})).await;
            }
            change(by, "deleteNote", "DeleteNoteInput", "deletedId", json!({"noteId": project["notes"]["nodes"][0]["id"]})).await;
            change(by, "removeSource", "RemoveSourceInput", "__typename", json!({"sourceId": project["sources"][0]["id"]})).await;
            change(by, "deleteProject", "DeleteProjectInput", "deletedId", json!({"projectId": project["id"]})).await;
        }
        for api in [&oliver, &alias, &viewer] {
            assert_eq!(api.ask(EVERYTHING, json!({})).await["projects"]["totalCount"], 0);
        }
    }
}

/// Creates a project with a synced source, a note, a post, and an imported and published post.
async fn make(api: &Api, name: &str, url: &str) -> Value {
    let project = change(
        api,
        "createProject",
        "CreateProjectInput",
        "project { id }",
        json!({"name": name}),
    )
    .await["project"]["id"]
        .clone();
    let source = change(
        api,
        "addSource",
        "AddSourceInput",
        "source { id }",
        json!({"projectId": project, "url": url}),
    )
    .await["source"]["id"]
        .clone();
    sync(api, &source).await;
    let text = json!({"projectId": project, "title": "First", "body": "Text."});
    let note = change(
        api,
        "createNote",
        "CreateNoteInput",
        "note { id }",
        text.clone(),
    )
    .await;
    let post = change(
        api,
        "createBlogPost",
        "CreateBlogPostInput",
        "blogPost { id status }",
        text,
    )
    .await;
    assert_eq!(post["blogPost"]["status"], "DRAFT");
    let file = json!({"projectId": project, "sourceId": source, "path": "docs/leases.md"});
    let imported = change(
        api,
        "importBlogPost",
        "ImportBlogPostInput",
        "blogPost { id sourceRef }",
        file,
    )
    .await["blogPost"]
        .clone();
    let expected = format!("{}:docs/leases.md", source.as_str().unwrap());
    assert_eq!(imported["sourceRef"], expected);
    json!({"project": project, "source": source, "note": note["note"]["id"], "post": post["blogPost"]["id"], "imported": imported["id"]})
}

/// Changes these objects with the other account, all of which succeeds.
async fn work_on(api: &Api, made: &Value) {
    let text = "Changed by the other";
    for (field, input, answer, value) in [
        (
            "updateProject",
            "UpdateProjectInput",
            "project { id }",
            json!({"projectId": made["project"], "description": text}),
        ),
        (
            "updateNote",
            "UpdateNoteInput",
            "note { id }",
            json!({"noteId": made["note"], "title": text}),
        ),
        (
            "updateBlogPost",
            "UpdateBlogPostInput",
            "blogPost { id }",
            json!({"blogPostId": made["post"], "body": text}),
        ),
    ] {
        change(api, field, input, answer, value).await;
    }
    let publish = async |field: &str, input: &str, post: &Value| {
        let answer = "blogPost { status publishedAt }";
        change(api, field, input, answer, json!({"blogPostId": post})).await["blogPost"].clone()
    };
    let published = publish("publishBlogPost", "PublishBlogPostInput", &made["imported"]).await;
    assert_eq!(published["status"], "PUBLISHED");
    let twice = publish("publishBlogPost", "PublishBlogPostInput", &made["imported"]).await;
    assert_eq!(twice, published, "twice is once");
    publish("publishBlogPost", "PublishBlogPostInput", &made["post"]).await;
    let back = publish("unpublishBlogPost", "UnpublishBlogPostInput", &made["post"]).await;
    assert_eq!(back, json!({"status": "DRAFT", "publishedAt": null}));
}

/// A viewer is refused every change.
async fn changes_nothing(viewer: &Api, made: &Value) {
    let members = "{ viewer { user { id } tenant { members { nodes { role user { id } } } } } }";
    let people = viewer.ask(members, json!({})).await["viewer"].clone();
    let own = &people["user"]["id"];
    let members = people["tenant"]["members"]["nodes"].as_array().unwrap();
    let owner = members.iter().find(|member| member["role"] == "OWNER");
    let owner = &owner.unwrap()["user"]["id"];
    let [project, source, note, post] = ["project", "source", "note", "post"].map(|k| &made[k]);
    for (field, value) in [
        ("createProject", json!({"name": "x"})),
        ("updateProject", json!({"projectId": project, "name": "x"})),
        ("deleteProject", json!({"projectId": project})),
        (
            "addSource",
            json!({"projectId": project, "url": "https://example.org/x.git"}),
        ),
        ("updateSource", json!({"sourceId": source, "branch": "x"})),
        ("removeSource", json!({"sourceId": source})),
        ("startSync", json!({"sourceId": source})),
        ("startCodeAnalysis", json!({"projectId": project})),
        (
            "createNote",
            json!({"projectId": project, "title": "x", "body": "x"}),
        ),
        ("updateNote", json!({"noteId": note, "title": "x"})),
        ("deleteNote", json!({"noteId": note})),
        ("enrichNote", json!({"noteId": note})),
        (
            "createBlogPost",
            json!({"projectId": project, "title": "x", "body": "x"}),
        ),
        ("updateBlogPost", json!({"blogPostId": post, "title": "x"})),
        ("deleteBlogPost", json!({"blogPostId": post})),
        ("publishBlogPost", json!({"blogPostId": post})),
        ("unpublishBlogPost", json!({"blogPostId": made["imported"]})),
        (
            "importBlogPost",
            json!({"projectId": project, "path": "README.md"}),
        ),
        ("createApiToken", json!({"name": "x", "role": "VIEWER"})),
        (
            "inviteMember",
            json!({"email": "x@example.org", "role": "VIEWER"}),
        ),
        ("setMemberRole", json!({"userId": own, "role": "OWNER"})),
        ("setMemberRole", json!({"userId": owner, "role": "VIEWER"})),
        ("removeMember", json!({"userId": owner})),
        ("transferOwnership", json!({"userId": own})),
        ("updateTenant", json!({"name": "x"})),
    ] {
        let input = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query =
            format!("mutation ($input: {input}!) {{ {field}(input: $input) {{ __typename }} }}");
        let code = viewer.refused(&query, json!({"input": value})).await;
        assert_eq!(code, "FORBIDDEN", "{field}");
    }
    let invitations = "{ viewer { tenant { invitations { totalCount } } } }";
    assert_eq!(viewer.refused(invitations, json!({})).await, "FORBIDDEN");
}

/// Invites an address, and accepts with a session of its account.
async fn join(db: &TestDatabase, by: &Api, who: &Api, email: &str, role: &str) {
    let invited = change(
        by,
        "inviteMember",
        "InviteMemberInput",
        "secret url invitation { id email role status invitedBy { email } }",
        json!({"email": email, "role": role}),
    )
    .await;
    let secret = invited["secret"].as_str().unwrap();
    let url = invited["url"].as_str().unwrap();
    assert!(url.ends_with(&format!("/invite#{secret}")), "{url}");
    let invitation = &invited["invitation"];
    assert_eq!(
        (
            &invitation["email"],
            &invitation["status"],
            &invitation["invitedBy"]["email"]
        ),
        (&json!(email), &json!("OPEN"), &json!(OLIVER))
    );
    // A token cannot join a tenant, nor can another person's session.
    let query = "mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { membership { role } } }";
    let refused = who
        .refused(query, json!({"input": {"secret": secret}}))
        .await;
    assert_eq!(refused, "FORBIDDEN");
    assert_eq!(accept(db, email, secret).await, json!(role));
    let listed = by
        .ask(
            "{ viewer { tenant { invitations(first: 1) { nodes { id status acceptedBy { email } } } } } }",
            json!({}),
        )
        .await;
    let listed = &listed["viewer"]["tenant"]["invitations"]["nodes"][0];
    let expected =
        json!({"id": invitation["id"], "status": "ACCEPTED", "acceptedBy": {"email": email}});
    assert_eq!(*listed, expected);
}

/// Accepts an invitation with a session of the account with that address, and returns the role.
async fn accept(db: &TestDatabase, email: &str, secret: &str) -> Value {
    // The server's database: on SQLite it is in its data directory.
    let url = match db.backend() {
        DbBackend::Sqlite => format!("sqlite://{}/data/nyxcore.sqlite", db.folder().display()),
        _ => db.app_url().to_owned(),
    };
    let options = options(&url);
    let store = Store::connect(&options, Env::default()).await.unwrap();
    let user = directory::user_by_email(&store, email)
        .await
        .unwrap()
        .unwrap();
    let session = Credential::Session(SessionId(store.env().id()));
    let joined = invitation_accept(&store, secret, (user.id, session), &Origin::default()).await;
    json!(joined.unwrap().membership.role)
}

/// Syncs a source, which must succeed.
async fn sync(api: &Api, source: &Value) {
    let started = change(
        api,
        "startSync",
        "StartSyncInput",
        "sync { id }",
        json!({"sourceId": source}),
    )
    .await;
    let run = started["sync"]["id"].as_str().unwrap();
    let events = api.events_by_websocket(run, 0, usize::MAX).await;
    assert_eq!(
        events.last().unwrap()["run"]["status"],
        "SUCCEEDED",
        "{events:#?}"
    );
}

/// Runs a mutation that must succeed, and returns its payload.
async fn change(api: &Api, field: &str, input: &str, answer: &str, value: Value) -> Value {
    let query = format!("mutation ($input: {input}!) {{ {field}(input: $input) {{ {answer} }} }}");
    api.ask(&query, json!({"input": value})).await[field].clone()
}

/// The standard output of a command.
fn command(db: &TestDatabase, arguments: &[&str]) -> String {
    let output = nyxcore_command(db)
        .unwrap()
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn token(db: &TestDatabase, email: &str, role: &str) -> String {
    let role = role.to_lowercase();
    command(
        db,
        &[
            "token", "create", "--tenant", "acme", "--user", email, "--role", &role,
        ],
    )
}
