//! The main flow, end to end: the real binary over real sockets, on SQLite and on PostgreSQL.
//!
//! Longer than 450 lines: the flow is one sequence whose steps depend on each other.

pub mod api;
mod repository;

use std::collections::BTreeSet;

use nyxcore_tests::{TestDatabase, TestServer, on_both_databases};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};

use api::{Api, EVENT, seqs};
use repository::Repository;

use crate::support::tenant_by_command;

on_both_databases! {
    async fn a_repository_becomes_an_enriched_note_of_one_tenant(db: TestDatabase) {
        let repository = Repository::make(&db);
        let acme_token = tenant_by_command(&db, "acme");
        let other_token = tenant_by_command(&db, "other");
        let mut server = TestServer::start(&db, &["--allow-sources", "local"]).await.unwrap();
        let api = Api::new(&server, &acme_token);

        // A project, its source, and the first sync, followed by WebSocket and by SSE at the same time.
        let project = api.ask(CREATE_PROJECT, json!({"input": {"name": "Shop"}})).await["createProject"]["project"].clone();
        let added = api.ask(ADD_SOURCE, json!({"input": {"projectId": project["id"], "url": repository.url}})).await;
        let source = added["addSource"]["source"].clone();
        assert_eq!(source["status"], "NEVER_SYNCED");
        assert_eq!(source["displayPath"], "/");
        let first = start_sync(&api, &source).await;
        assert_eq!(first["outcome"], "STARTED");
        let run = first["sync"]["id"].as_str().unwrap();
        let (by_websocket, by_sse) = tokio::join!(api.events_by_websocket(run, 0, usize::MAX), api.events_by_sse(run, 0, usize::MAX));
        let last = by_websocket.last().unwrap();
        assert_eq!((&last["__typename"], &last["run"]["status"]), (&json!("RunFinished"), &json!("SUCCEEDED")), "{last:#}");
        assert_eq!(by_websocket, by_sse);
        let whole: Vec<i64> = (1..=by_websocket.len() as i64).collect();
        assert_eq!(seqs(&by_websocket), whole);
        for phase in ["prepare", "scan", "import", "finalize", "index"] {
            assert!(by_websocket.iter().any(|e| e["phase"] == phase), "no phase {phase}");
        }

        // An interrupted connection resumes after the last event that it received, on both transports.
        let begun = api.events_by_websocket(run, 0, 2).await;
        let resumed = api.events_by_sse(run, 2, usize::MAX).await;
        assert_eq!([begun, resumed].concat(), by_websocket);
        let begun = api.events_by_sse(run, 0, 3).await;
        let resumed = api.events_by_websocket(run, 3, usize::MAX).await;
        assert_eq!([begun, resumed].concat(), by_websocket);

        let synced = api.ask(SYNC, json!({"id": run})).await["run"].clone();
        assert_eq!(synced["filesAdded"], repository.files, "{synced:#}");
        assert_eq!(synced["toCommit"], repository.head());

        // The sync started the analysis. Another request to start it returns the existing run.
        let analysis = analysis_of(&api, &project, "latestAnalysis").await;
        finished(&api, &analysis).await;
        let once = api.ask(START_ANALYSIS, json!({"input": {"projectId": project["id"]}})).await["startCodeAnalysis"].clone();
        let twice = api.ask(START_ANALYSIS, json!({"input": {"projectId": project["id"]}})).await["startCodeAnalysis"].clone();
        for again in [&once, &twice] {
            let outcome = again["outcome"].as_str().unwrap();
            assert!(["ALREADY_ACTIVE", "RECENTLY_COMPLETED"].contains(&outcome), "{again}");
            assert_eq!(again["codeAnalysis"]["id"], analysis.as_str());
        }
        let found = api.ask(PROJECT, json!({"id": project["id"]})).await["project"].clone();
        assert_eq!(found["stack"][0], "python", "{found:#}");
        assert!(found["metrics"]["functions"].as_i64().unwrap() >= 30);
        let patterns = found["codePatterns"]["nodes"].as_array().unwrap();
        assert!(!patterns.is_empty(), "{found:#}");
        assert!(patterns.iter().all(|p| p["exemplars"][0]["excerpt"].is_string()), "{patterns:#?}");
        assert_eq!(found["latestAnalysis"]["filesAnalyzed"], repository.sources);
        assert_eq!((&found["latestAnalysis"]["patternsCompared"], &found["latestAnalysis"]["warnings"]), (&json!(false), &json!([])));
        assert_eq!(found["findings"]["analysis"]["id"], found["latestAnalysis"]["id"]);
        assert_eq!(found["findings"]["technologies"][0]["kind"], "language");
        assert_eq!(found["findings"]["technologies"][0]["name"], found["stack"][0]);
        assert!(found["findings"]["repositoryMap"].as_str().unwrap().len() <= 4 * 2000, "{found:#}");

        // A second sync of the unchanged repository imports nothing, and skips the requested steps.
        let input = json!({"input": {"sourceId": source["id"], "skip": ["CODE_ANALYSIS", "KNOWLEDGE"]}});
        let sync = api.ask(START_SYNC, input).await["startSync"]["sync"]["id"].clone();
        finished(&api, sync.as_str().unwrap()).await;
        let unchanged = api.ask(SYNC, json!({"id": sync})).await["run"].clone();
        let events = api.events_by_websocket(sync.as_str().unwrap(), 0, usize::MAX).await;
        let left_out: Vec<&Value> = events.iter().filter(|e| e["__typename"] == "RunPhaseSkipped").collect();
        assert_eq!(left_out.len(), 6, "{events:#?}");
        assert_eq!(unchanged["filesRenamed"], 0);
        assert_eq!(
            [&unchanged["filesAdded"], &unchanged["filesUpdated"], &unchanged["filesDeleted"], &unchanged["filesUnchanged"]],
            [&json!(0), &json!(0), &json!(0), &json!(repository.files)],
        );
        assert_eq!(unchanged["previousSync"]["id"], run);

        // Another server takes over, without the quiet period: one changed file leads to one updated file and one
        // parsed file.
        server.kill().unwrap();
        std::fs::write(db.folder().join("nyxcore.toml"), "[analysis]\nquiet_period = 0\n").unwrap();
        let server = TestServer::start(&db, &["--allow-sources", "local"]).await.unwrap();
        let api = Api::new(&server, &acme_token);
        repository.change_one_file();
        let changed = sync_to_end(&api, &source).await;
        assert_eq!(
            [&changed["filesAdded"], &changed["filesUpdated"], &changed["filesDeleted"], &changed["filesUnchanged"]],
            [&json!(0), &json!(1), &json!(0), &json!(repository.files - 1)],
        );
        let second = analysis_of(&api, &project, "latestAnalysis").await;
        assert_ne!(second, analysis);
        finished(&api, &second).await;
        let found = api.ask(PROJECT, json!({"id": project["id"]})).await["project"]["latestAnalysis"].clone();
        assert_eq!(found["trigger"], "SYNC");
        assert_eq!((&found["filesAnalyzed"], &found["filesReused"]), (&json!(1), &json!(repository.sources - 1)));

        // A note is enriched from the existing knowledge, and all its citations are valid.
        let (memory, insight) = knowledge_create(&api, &project).await;
        let note = json!({"input": {"projectId": project["id"], "title": "Checkout totals", "body": "How do we compute the total of an order, and how are errors handled?\n\n- [ ] add a test for discounts"}});
        let note = api.ask(CREATE_NOTE, note).await["createNote"]["note"].clone();
        let enriched = api.ask(ENRICH, json!({"input": {"noteId": note["id"]}})).await["enrichNote"].clone();
        assert_eq!(enriched["outcome"], "STARTED");
        let enrichment = enriched["enrichment"]["id"].as_str().unwrap();
        finished(&api, enrichment).await;
        let enrichment = api.ask(ENRICHMENT, json!({"id": enrichment})).await["run"].clone();
        assert_eq!(enrichment["mode"], "EXTRACTIVE");
        citations_resolve(&api, &source, &enrichment).await;
        let applied = api.ask(APPLY, json!({"input": {"enrichmentId": enrichment["id"]}})).await;
        let body = applied["applyEnrichment"]["note"]["body"].as_str().unwrap();
        assert!(body.contains("How do we compute") && body.contains("[1]"), "{body}");

        let persona = api.ask(CREATE_PERSONA, json!({"input": {"name": "Ada", "description": "Knows React."}})).await;
        let post = api.ask(CREATE_POST, json!({"input": {"projectId": project["id"], "title": "Totals", "body": "In cents."}})).await;
        let invited = api.ask(INVITE, json!({"input": {"email": "owner@other.example", "role": "OWNER"}})).await["inviteMember"].clone();
        let viewer = api.ask("{ viewer { user { id } tenant { id apiTokens { nodes { id } } } } }", json!({})).await["viewer"].clone();
        let tenant = &viewer["tenant"];
        let acme = json!({
            "project": project["id"], "source": source["id"], "note": note["id"], "enrichment": enrichment["id"],
            "pattern": patterns[0]["id"], "run": run, "actionPoint": enrichment["actionPoints"][0]["id"],
            "persona": persona["createPersona"]["persona"]["id"], "tenant": tenant["id"],
            "post": post["createBlogPost"]["blogPost"]["id"], "user": viewer["user"]["id"],
            "memoryEntry": memory, "insight": insight,
        });
        let versions = "query ($id: ID!) { node(id: $id) { ... on Note { versions { nodes { id body } } } } }";
        let versions = api.ask(versions, json!({"id": note["id"]})).await["node"]["versions"]["nodes"].clone();
        assert!(versions[0]["body"].as_str().unwrap().starts_with("How do we compute"), "{versions}");
        let hidden = [&tenant["apiTokens"]["nodes"][0]["id"], &invited["invitation"]["id"]];
        other_tenant_sees_nothing(&Api::new(&server, &other_token), &acme, hidden, &versions[0]["id"]).await;
        if db.backend() == DbBackend::Postgres {
            raw_sql_sees_nothing(&db).await;
        }
    }
}

const CREATE_PROJECT: &str = "mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id slug } } }";
const ADD_SOURCE: &str = "mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id status displayPath scanPath } } }";
const START_SYNC: &str = "mutation ($input: StartSyncInput!) { startSync(input: $input) { outcome sync { id status } } }";
const START_ANALYSIS: &str = "mutation ($input: StartCodeAnalysisInput!) { startCodeAnalysis(input: $input) { outcome codeAnalysis { id } } }";
const CREATE_NOTE: &str =
    "mutation ($input: CreateNoteInput!) { createNote(input: $input) { note { id } } }";
const ENRICH: &str = "mutation ($input: EnrichNoteInput!) { enrichNote(input: $input) { outcome enrichment { id } } }";
const CREATE_PERSONA: &str = "mutation ($input: CreatePersonaInput!) { createPersona(input: $input) { persona { id specializations } } }";
const CREATE_POST: &str =
    "mutation ($input: CreateBlogPostInput!) { createBlogPost(input: $input) { blogPost { id } } }";
const INVITE: &str =
    "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
const APPLY: &str =
    "mutation ($input: ApplyEnrichmentInput!) { applyEnrichment(input: $input) { note { body } } }";
const SYNC: &str = "query ($id: ID!) { run(id: $id) { id status ... on Sync {
    filesAdded filesUpdated filesDeleted filesRenamed filesUnchanged toCommit previousSync { id } } } }";
const PROJECT: &str = "query ($id: ID!) { project(id: $id) { stack metrics { functions } hotspots { path score }
    codePatterns(first: 20) { nodes { id title support cases exemplars { path startLine excerpt } } }
    findings { engineVersion technologies { name kind language } commands { purpose command path } importGraph { edges layers { folders } }
        duplicates { places { path excerpt } } deadCode { name caveats } definitions { name path } coChanges { paths } ownership { folder } repositoryMap analysis { id } }
    latestSync { id } latestAnalysis { id trigger filesAnalyzed filesReused patternsCompared patternsAppeared
        skipped { reason files paths } warnings { part text } patternChanges { change title before { cases } after { cases } pattern { id key } } } } }";
const ENRICHMENT: &str = "query ($id: ID!) { run(id: $id) { id status ... on NoteEnrichment { mode markdown
    citations { kind subjectId title excerpt path startLine endLine score } actionPoints { id text } } } }";

/// Starts a sync and waits for its end.
async fn sync_to_end(api: &Api, source: &Value) -> Value {
    let sync = start_sync(api, source).await["sync"]["id"].clone();
    finished(api, sync.as_str().unwrap()).await;
    api.ask(SYNC, json!({"id": sync})).await["run"].clone()
}

async fn start_sync(api: &Api, source: &Value) -> Value {
    api.ask(START_SYNC, json!({"input": {"sourceId": source["id"]}}))
        .await["startSync"]
        .clone()
}

async fn analysis_of(api: &Api, project: &Value, field: &str) -> String {
    let query = format!("query ($id: ID!) {{ project(id: $id) {{ {field} {{ id }} }} }}");
    let answer = api.ask(&query, json!({"id": project["id"]})).await;
    answer["project"][field]["id"].as_str().unwrap().to_owned()
}

/// Follows a run to its end, which is a success.
async fn finished(api: &Api, run: &str) {
    let events = api.events_by_websocket(run, 0, usize::MAX).await;
    let last = events.last().unwrap();
    assert_eq!(last["run"]["status"], "SUCCEEDED", "{events:#?}");
}

/// Creates a memory entry and an insight, and returns their ids.
async fn knowledge_create(api: &Api, project: &Value) -> (Value, Value) {
    let entry = json!({"input": {"projectId": project["id"], "title": "Totals are in cents", "tags": ["money"],
        "content": "The total of an order is computed in cents; rounding errors cost us a week."}});
    let entry = api.ask("mutation ($input: CreateMemoryEntryInput!) { createMemoryEntry(input: $input) { memoryEntry { id } } }", entry).await;
    let insight = json!({"input": {"projectId": project["id"], "type": "pain_point", "severity": "high", "title": "Order totals drift",
        "detail": "The total of an order was wrong when a discount was applied twice.", "suggestion": "Apply discounts in one place."}});
    let insight = api.ask("mutation ($input: CreateInsightInput!) { createInsight(input: $input) { insight { id } } }", insight).await;
    (
        entry["createMemoryEntry"]["memoryEntry"]["id"].clone(),
        insight["createInsight"]["insight"]["id"].clone(),
    )
}

/// Checks that each citation names an existing object, and lines that exist in its file.
async fn citations_resolve(api: &Api, source: &Value, enrichment: &Value) {
    let citations = enrichment["citations"].as_array().unwrap();
    let kinds: Vec<&str> = citations
        .iter()
        .map(|c| c["kind"].as_str().unwrap())
        .collect();
    for kind in ["MEMORY_ENTRY", "INSIGHT", "CODE"] {
        assert!(kinds.contains(&kind), "no citation of {kind}: {kinds:?}");
    }
    for citation in citations {
        if citation["subjectId"].is_string() {
            let node = api
                .ask(
                    "query ($id: ID!) { node(id: $id) { id } }",
                    json!({"id": citation["subjectId"]}),
                )
                .await;
            assert_eq!(node["node"]["id"], citation["subjectId"]);
        }
        if citation["path"].is_string() {
            let query = "query ($id: ID!, $path: String!) { node(id: $id) { ... on Source { files(path: $path) { nodes { path content } } } } }";
            let file = api
                .ask(query, json!({"id": source["id"], "path": citation["path"]}))
                .await;
            let content = file["node"]["files"]["nodes"][0]["content"]
                .as_str()
                .unwrap();
            let lines = i64::try_from(content.lines().count()).unwrap();
            assert!(citation["startLine"].as_i64().unwrap() >= 1, "{citation}");
            assert!(citation["endLine"].as_i64().unwrap() <= lines, "{citation}");
        }
        assert!(
            citation["subjectId"].is_string() || citation["path"].is_string(),
            "{citation}"
        );
    }
}

/// Tries every part of the API: reading, changing, starting, following, counting, searching. A mutation that is not
/// tried here fails the test.
async fn other_tenant_sees_nothing(
    other: &Api,
    acme: &Value,
    [token, invitation]: [&Value; 2],
    version: &Value,
) {
    let ids: Vec<&Value> = acme.as_object().unwrap().values().collect();
    for id in ids {
        assert!(id.is_string(), "{acme:#}");
        let answer = other
            .ask(
                "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }",
                json!({"id": id}),
            )
            .await;
        assert_eq!(answer, json!({"node": null, "nodes": [null]}), "{id}");
    }
    let [project, source, note, enrichment, run] =
        ["project", "source", "note", "enrichment", "run"].map(|name| &acme[name]);
    let counted = other
        .ask("{ projects { totalCount nodes { id } } runs { totalCount nodes { id } } personas { totalCount } search(query: \"order total\") { title } }", json!({}))
        .await;
    let nothing = json!({"projects": {"totalCount": 0, "nodes": []}, "runs": {"totalCount": 0, "nodes": []}, "personas": {"totalCount": 0}, "search": []});
    assert_eq!(counted, nothing);
    let by_id = other
        .ask(
            "query ($p: ID!, $r: ID!) { project(id: $p) { id } run(id: $r) { id } }",
            json!({"p": project, "r": run}),
        )
        .await;
    assert_eq!(by_id, json!({"project": null, "run": null}));
    let by_slug = other
        .ask("{ project(slug: \"shop\") { id } }", json!({}))
        .await;
    assert_eq!(by_slug["project"], Value::Null);

    let changes = [
        (
            "updateProject",
            "UpdateProjectInput",
            json!({"projectId": project, "name": "mine"}),
        ),
        (
            "deleteProject",
            "DeleteProjectInput",
            json!({"projectId": project}),
        ),
        (
            "addSource",
            "AddSourceInput",
            json!({"projectId": project, "url": "https://example.org/x.git"}),
        ),
        (
            "updateSource",
            "UpdateSourceInput",
            json!({"sourceId": source, "branch": "x"}),
        ),
        (
            "removeSource",
            "RemoveSourceInput",
            json!({"sourceId": source}),
        ),
        (
            "setSourceCredential",
            "SetSourceCredentialInput",
            json!({"sourceId": source, "token": {"token": "x"}}),
        ),
        (
            "removeSourceCredential",
            "RemoveSourceCredentialInput",
            json!({"sourceId": source}),
        ),
        (
            "enableSourceWebhook",
            "EnableSourceWebhookInput",
            json!({"sourceId": source}),
        ),
        (
            "disableSourceWebhook",
            "DisableSourceWebhookInput",
            json!({"sourceId": source}),
        ),
        (
            "setSourceSchedule",
            "SetSourceScheduleInput",
            json!({"sourceId": source, "everyMinutes": 5}),
        ),
        (
            "createBudget",
            "CreateBudgetInput",
            json!({"scope": "PROJECT", "projectId": project, "period": "DAY", "enforcement": "SOFT", "limitUsd": 1}),
        ),
        ("startSync", "StartSyncInput", json!({"sourceId": source})),
        (
            "startCodeAnalysis",
            "StartCodeAnalysisInput",
            json!({"projectId": project}),
        ),
        ("cancelRun", "CancelRunInput", json!({"runId": run})),
        (
            "createNote",
            "CreateNoteInput",
            json!({"projectId": project, "title": "x", "body": "x"}),
        ),
        (
            "updateNote",
            "UpdateNoteInput",
            json!({"noteId": note, "title": "x"}),
        ),
        ("deleteNote", "DeleteNoteInput", json!({"noteId": note})),
        ("enrichNote", "EnrichNoteInput", json!({"noteId": note})),
        (
            "applyEnrichment",
            "ApplyEnrichmentInput",
            json!({"enrichmentId": enrichment}),
        ),
        (
            "dismissEnrichment",
            "DismissEnrichmentInput",
            json!({"enrichmentId": enrichment}),
        ),
        (
            "acceptActionPoint",
            "AcceptActionPointInput",
            json!({"actionPointId": acme["actionPoint"]}),
        ),
        (
            "restoreNoteVersion",
            "RestoreNoteVersionInput",
            json!({"noteVersionId": version}),
        ),
        (
            "createMemoryEntry",
            "CreateMemoryEntryInput",
            json!({"projectId": project, "title": "x", "content": "x"}),
        ),
        (
            "createInsight",
            "CreateInsightInput",
            json!({"projectId": project, "type": "pattern", "title": "x", "detail": "x"}),
        ),
        (
            "importMemoryEntries",
            "ImportMemoryEntriesInput",
            json!({"projectId": project, "files": [{"name": "a.md", "text": "x"}]}),
        ),
        (
            "updateMemoryEntry",
            "UpdateMemoryEntryInput",
            json!({"memoryEntryId": acme["memoryEntry"], "title": "x"}),
        ),
        (
            "supersedeMemoryEntry",
            "SupersedeMemoryEntryInput",
            json!({"memoryEntryId": acme["memoryEntry"]}),
        ),
        (
            "updateInsight",
            "UpdateInsightInput",
            json!({"insightId": acme["insight"], "title": "x"}),
        ),
        (
            "pairInsights",
            "PairInsightsInput",
            json!({"insightId": acme["insight"], "pairedWithId": acme["insight"]}),
        ),
        (
            "updateActionPoint",
            "UpdateActionPointInput",
            json!({"actionPointId": acme["actionPoint"], "status": "DONE"}),
        ),
        (
            "updatePersona",
            "UpdatePersonaInput",
            json!({"personaId": acme["persona"], "name": "mine"}),
        ),
        (
            "deletePersona",
            "DeletePersonaInput",
            json!({"personaId": acme["persona"]}),
        ),
        (
            "revokeApiToken",
            "RevokeApiTokenInput",
            json!({"apiTokenId": token}),
        ),
        (
            "createBlogPost",
            "CreateBlogPostInput",
            json!({"projectId": project, "title": "x", "body": "x"}),
        ),
        (
            "updateBlogPost",
            "UpdateBlogPostInput",
            json!({"blogPostId": acme["post"], "title": "x"}),
        ),
        (
            "deleteBlogPost",
            "DeleteBlogPostInput",
            json!({"blogPostId": acme["post"]}),
        ),
        (
            "publishBlogPost",
            "PublishBlogPostInput",
            json!({"blogPostId": acme["post"]}),
        ),
        (
            "unpublishBlogPost",
            "UnpublishBlogPostInput",
            json!({"blogPostId": acme["post"]}),
        ),
        (
            "importBlogPost",
            "ImportBlogPostInput",
            json!({"projectId": project, "sourceId": source, "path": "README.md"}),
        ),
        (
            "revokeInvitation",
            "RevokeInvitationInput",
            json!({"invitationId": invitation}),
        ),
        (
            "setMemberRole",
            "SetMemberRoleInput",
            json!({"userId": acme["user"], "role": "VIEWER"}),
        ),
        (
            "removeMember",
            "RemoveMemberInput",
            json!({"userId": acme["user"]}),
        ),
        (
            "transferOwnership",
            "TransferOwnershipInput",
            json!({"userId": acme["user"]}),
        ),
    ];
    // These mutations take no existing id.
    let mut tried = BTreeSet::from([
        "createProject",
        "createPersona",
        "installStarterPersonas",
        "createApiToken",
        "updateTenant",
        "leaveTenant",
        "inviteMember",
        // An invitation is for a member of the other tenant: `people` tries invalid ones.
        "acceptInvitation",
        "setProviderKey",
        "removeProviderKey",
        "verifyProvider",
        "setModelEndpoint",
        "removeModelEndpoint",
        "setModel",
        "removeModel",
        "setModelHidden",
        "setModelDefaults",
        "setTemplate",
        "resetTemplate",
        // No budget exists here: `isolation` tries another tenant's.
        "updateBudget",
        "deleteBudget",
        "setRunBudget",
        "addGitConnection",
        // No connection exists here: `isolation` tries another tenant's.
        "updateGitConnection",
        "removeGitConnection",
        "importRepositories",
        // One needs two projects, the other a pattern that a run found: `isolation` tries another tenant's.
        "startConsolidation",
        "updateConsolidationPattern",
    ]);
    tried.extend(changes.iter().map(|(field, ..)| *field));
    let schema = other
        .ask(
            "{ __schema { mutationType { fields { name } } } }",
            json!({}),
        )
        .await;
    let fields = schema["__schema"]["mutationType"]["fields"].as_array();
    let fields: BTreeSet<&str> = fields
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert_eq!(fields, tried);
    for (field, input, value) in changes {
        let query =
            format!("mutation ($input: {input}!) {{ {field}(input: $input) {{ __typename }} }}");
        assert_eq!(
            other.refused(&query, json!({"input": value})).await,
            "NOT_FOUND",
            "{field}"
        );
    }
    let search = "query ($p: ID!) { search(query: \"order\", projectId: $p) { title } }";
    assert_eq!(
        other.refused(search, json!({"p": project})).await,
        "NOT_FOUND"
    );

    let run = run.as_str().unwrap();
    for events in [
        other.events_by_websocket(run, 0, 1).await,
        other.events_by_sse(run, 0, 1).await,
    ] {
        let told = serde_json::to_string(&events).unwrap();
        assert!(
            told.contains("NOT_FOUND") && !told.contains("seq"),
            "{told}"
        );
    }
    let activity = json!({
        "query": format!("subscription ($p: ID!) {{ projectActivity(projectId: $p) {{ {EVENT} }} }}"),
        "variables": {"p": project},
    });
    let told = serde_json::to_string(&other.subscribe(&activity, 1).await).unwrap();
    assert!(told.contains("NOT_FOUND"), "{told}");
}

/// As the serving role: without a tenant no table shows a row, and with the other tenant none shows a row of the first.
async fn raw_sql_sees_nothing(db: &TestDatabase) {
    let app = db.app_connection().await.unwrap();
    let all = db.superuser_connection().await.unwrap();
    let tables = names(&all, "SELECT table_name::text AS name FROM information_schema.columns WHERE column_name = 'tenant_id' AND table_schema = 'public'").await;
    let acme = names(
        &all,
        "SELECT id::text AS name FROM tenants WHERE slug = 'acme'",
    )
    .await
    .remove(0);
    let other = names(
        &all,
        "SELECT id::text AS name FROM tenants WHERE slug = 'other'",
    )
    .await
    .remove(0);
    let mut filled = 0;
    for table in &tables {
        let of_acme = format!("SELECT count(*) AS rows FROM {table} WHERE tenant_id = '{acme}'");
        filled += i64::from(rows(&all, &of_acme).await > 0);
        assert_eq!(
            rows(&app, &format!("SELECT count(*) AS rows FROM {table}")).await,
            0,
            "{table}"
        );
        let tx = app.begin().await.unwrap();
        tx.execute_unprepared(&format!("SET LOCAL nyxcore.tenant_id = '{other}'"))
            .await
            .unwrap();
        assert_eq!(rows(&tx, &of_acme).await, 0, "{table}");
    }
    // The steps above left rows in nearly every table, so the zeros do not come from an empty database.
    assert!(
        filled >= 18,
        "{filled} of {} tables were filled",
        tables.len()
    );
}

async fn names(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.try_get("", "name").unwrap())
        .collect()
}

async fn rows(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap();
    row.unwrap().try_get("", "rows").unwrap()
}
