//! One object of each kind in a tenant, created through the services.
//!
//! Longer than 450 lines: one object of every kind is created in the order of their references.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_code_analysis::{AnalysisTrigger, CodePatternId, analysis_start};
use nyxcore_consolidation::{NewConsolidation, consolidation_start};
use nyxcore_embeddings::EMBEDDING_RUN;
use nyxcore_knowledge::{
    ConsolidationType, InsightType, NewConsolidationPattern, NewInsight, NewMemoryEntry,
    consolidation_pattern_create, insight_create, memory_entry_create,
};
use nyxcore_model_catalog::{
    BudgetEnforcement, BudgetPeriod, BudgetScope, Nanousd, NewBudget, budget_create,
};
use nyxcore_note_enrichment::{NewEnrichment, enrichment_start};
use nyxcore_personas::{NewPersona, persona_create};
use nyxcore_projects::{
    FileChanges, NewActionPoint, NewBlob, NewBlogPost, NewFile, NewNote, NewProject, NewSource,
    NoteVersionReason, ProjectId, SourceId, action_point_create_all, blobs_insert,
    blog_post_create, blog_post_publish, files_apply, files_by_path, note_create,
    note_version_keep, project_create, source_add,
};
use nyxcore_retrieval::{Document, KnowledgeKind, documents_publish};
use nyxcore_runs::{NewRun, Priority, RunId, run_cancel, run_start};
use nyxcore_sync::connection::GitConnectionId;
use nyxcore_sync::{SyncTrigger, sync_start};
use nyxcore_tenancy::directory::{NewApiToken, api_token_create};
use nyxcore_tenancy::people::{NewInvitation, invitation_create};
use nyxcore_tenancy::{ReadWrite, Role, Scoped, UserId, id_format, id_parse};
use sea_orm::{DatabaseConnection, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::server::Server;
use super::team::{Team, execute};

/// One object of each kind in a team, by name. Each call creates another set.
pub struct Objects(pub BTreeMap<&'static str, String>);

impl Objects {
    pub async fn make(server: &Server, team: &Team) -> Self {
        let mut ids = BTreeMap::new();
        let scoped = server.store.write(team.tenant.id).await.unwrap();
        let mark = &team.mark;
        let (by, unique) = (Some(team.owner), scoped.env().id().simple().to_string());
        let text = |what: &str| format!("Quince {what} {mark}");
        ids.insert("tenant", team.tenant.id.to_string());
        ids.insert("user", team.member.to_string());
        ids.insert("owner", team.owner.to_string());
        ids.insert("project_slug", format!("{}-{unique}", team.tenant.slug));
        let project = project(&scoped, &text("orchard"), &ids["project_slug"], by).await;
        let library = project_of(&scoped, &text("library"), by).await;
        ids.insert("project", project.to_string());
        ids.insert("library", library.to_string());
        let source = source(&scoped, project, "a").await;
        ids.insert("source", source.to_string());
        ids.insert(
            "file",
            file(&scoped, source, "src/quince.rs", &text("code")).await,
        );

        let budget = NewBudget {
            scope: BudgetScope::Tenant,
            project_id: None,
            user_id: None,
            purpose: None,
            period: BudgetPeriod::Month,
            enforcement: BudgetEnforcement::Soft,
            limit: Nanousd(1_000_000_000),
        };
        let budget = budget_create(&scoped, budget).await.unwrap();
        ids.insert("budget", budget.id.to_string());
        let new = NewNote {
            project_id: project,
            title: text("note"),
            body: text("body"),
            created_by: by,
        };
        let note = note_create(&scoped, new.clone()).await.unwrap();
        let done = note_create(
            &scoped,
            NewNote {
                project_id: library,
                ..new
            },
        )
        .await
        .unwrap();
        ids.insert("note", note.id.to_string());
        let point = NewActionPoint {
            text: text("to do"),
            citations: Vec::new(),
        };
        let reason = NoteVersionReason::Restored;
        let version = note_version_keep(&scoped, &note, reason, None)
            .await
            .unwrap();
        ids.insert("note_version", version.to_string());
        let points = action_point_create_all(&scoped, note.id, None, vec![point])
            .await
            .unwrap();
        ids.insert("action_point", points[0].id.to_string());
        let persona = NewPersona {
            name: text("gardener"),
            description: text("knows React"),
            system_prompt: Some(text("You prune.")),
            traits: Vec::new(),
            specializations: Vec::new(),
            category: None,
            default_model: None,
            created_by: by,
        };
        let persona = persona_create(&scoped, persona).await.unwrap().id;
        ids.insert("persona", persona.to_string());
        let memory = NewMemoryEntry {
            project_id: Some(project),
            title: text("letter"),
            content: text("content"),
            tags: Vec::new(),
            created_by: by,
        };
        ids.insert(
            "memory_entry",
            memory_entry_create(&scoped, memory)
                .await
                .unwrap()
                .id
                .to_string(),
        );
        let insight = NewInsight {
            project_id: Some(project),
            insight_type: InsightType::PainPoint,
            severity: None,
            category: None,
            title: text("pain"),
            detail: text("detail"),
            suggestion: None,
            paired_with: None,
            created_by: by,
        };
        ids.insert(
            "insight",
            insight_create(&scoped, insight)
                .await
                .unwrap()
                .id
                .to_string(),
        );
        let pattern = NewConsolidationPattern {
            pattern_type: ConsolidationType::Pain,
            title: text("habit"),
            description: text("description"),
            evidence: vec![text("evidence")],
            frequency: 2,
            severity: None,
            tags: vec!["runs".into(), "fruit".into()],
            project_ids: vec![project],
        };
        let pattern = consolidation_pattern_create(&scoped, pattern)
            .await
            .unwrap()
            .id;
        ids.insert("consolidation_pattern", pattern.to_string());
        let code_pattern = CodePatternId(scoped.env().id());
        ids.insert("code_pattern", code_pattern.to_string());
        documents_publish(
            &scoped,
            vec![document(code_pattern, project, &text("rule"))],
        )
        .await
        .unwrap();

        file(&scoped, source, "posts/quince.md", &text("post")).await;
        let new = NewBlogPost {
            project_id: project,
            title: text("post"),
            body: text("post"),
            created_by: by,
        };
        ids.insert(
            "post",
            blog_post_create(&scoped, new.clone())
                .await
                .unwrap()
                .id
                .to_string(),
        );
        let published = blog_post_create(&scoped, new).await.unwrap().id;
        blog_post_publish(&scoped, published).await.unwrap();
        ids.insert("published", published.to_string());
        let new = NewInvitation {
            email: format!("{unique}@guests.example"),
            role: Role::Viewer,
        };
        ids.insert(
            "invitation",
            invitation_create(&scoped, new)
                .await
                .unwrap()
                .0
                .id
                .to_string(),
        );

        // Waiting runs: no worker runs here.
        let synced_source = self::source(&scoped, library, "b").await;
        ids.insert("synced_source", synced_source.to_string());
        let (sync, _) = sync_start(&scoped, synced_source, SyncTrigger::Manual, by)
            .await
            .unwrap();
        ids.insert("sync", sync.run().id.to_string());
        let (watched, _) = sync_start(
            &scoped,
            self::source(&scoped, project, "c").await,
            SyncTrigger::Manual,
            by,
        )
        .await
        .unwrap();
        run_cancel(&scoped, watched.run().id).await.unwrap();
        ids.insert("watched", watched.run().id.to_string());
        let (analysis, _) = analysis_start(
            &scoped,
            library,
            AnalysisTrigger::Manual,
            by,
            TimeDelta::zero(),
        )
        .await
        .unwrap();
        ids.insert("analysis", analysis.run().id.to_string());
        ids.insert("done", done.id.to_string());
        let new = NewEnrichment {
            persona_id: Some(persona),
            started_by: by,
            ..NewEnrichment::extractive(done.id)
        };
        let (enrichment, _) = enrichment_start(&scoped, new).await.unwrap();
        ids.insert("enrichment", enrichment.run().id.to_string());
        // In other projects than the one for which the matrix starts a run.
        let annex = project_of(&scoped, &text("annex"), by).await;
        let new = NewConsolidation {
            project_ids: vec![library, annex],
            persona_id: Some(persona),
            model: None,
            started_by: by,
        };
        let (consolidation, _) = consolidation_start(&scoped, new).await.unwrap();
        ids.insert("consolidation", consolidation.run().id.to_string());
        // With its own subject, because a tenant has one at a time.
        let new = NewRun {
            kind: EMBEDDING_RUN,
            subject: text("embedding"),
            project_id: None,
            started_by: by,
            input: Json::Null,
            quiet_period: None,
            max_attempts: 1,
            priority: Priority::Normal,
            not_before: None,
        };
        let embedding = run_start(&scoped, new).await.unwrap();
        ids.insert("embedding", embedding.run().id.to_string());
        let new = NewApiToken {
            user: team.member,
            name: text("token"),
            role: Role::Viewer,
            expires_at: None,
        };
        ids.insert(
            "api_token",
            api_token_create(&scoped, new)
                .await
                .unwrap()
                .0
                .id
                .to_string(),
        );
        scoped.commit().await.unwrap();

        ids.insert(
            "colleague",
            team.member_add(server, Role::Viewer).await.to_string(),
        );
        let superuser = &server.superuser;
        let now = server.store.env().now();
        enrichment_finish(superuser, enrichment.run().id.0, &text("found"), now).await;
        code_pattern_put(superuser, team, code_pattern, project, &text("rule"), now).await;
        analysis_put(
            superuser,
            team,
            analysis.run().id,
            project,
            code_pattern,
            &text("found"),
        )
        .await;
        let connection = GitConnectionId(server.store.env().id());
        ids.insert("git_connection", connection.to_string());
        git_connection_put(superuser, team, connection, &text(&unique), now).await;
        // Objects that only a caller creates: an audit entry, a key of a provider.
        let own = Some(team.token(Role::Owner));
        for (document, input) in [
            (
                "mutation ($input: UpdateNoteInput!) { updateNote(input: $input) { __typename } }",
                json!({"noteId": ids["note"], "title": text("note")}),
            ),
            (
                "mutation ($input: SetProviderKeyInput!) { setProviderKey(input: $input) { __typename } }",
                json!({"provider": "openai", "apiKey": "not-a-real-key"}),
            ),
            // A name that never resolves (RFC 6761, 6.4).
            (
                "mutation ($input: SetModelEndpointInput!) { setModelEndpoint(input: $input) { __typename } }",
                json!({"name": "nowhere", "baseUrl": "https://llm.invalid/v1", "protocol": "OPENAI_CHAT"}),
            ),
            (
                "mutation ($input: SetModelInput!) { setModel(input: $input) { __typename } }",
                json!({"id": "quince-model", "provider": "nowhere", "name": text("model")}),
            ),
        ] {
            let done = server.ask(own, document, &json!({"input": input})).await;
            assert!(done.json.get("errors").is_none(), "{}", done.text);
        }
        Self(ids)
    }

    /// The variables with this world's ids, and its own number for `%unique%`.
    pub fn filled(&self, template: &str) -> Json {
        let template = template.replace("%unique%", self.id("note"));
        let mut variables: Json = serde_json::from_str(&template).unwrap();
        for (at, name) in places(&variables) {
            *variables.pointer_mut(&at).unwrap() = self.id(&name).into();
        }
        variables
    }

    pub fn id(&self, name: &str) -> &str {
        let id = self.0.get(name);
        id.unwrap_or_else(|| panic!("the world has no {name}"))
    }
}

/// The places of `"$name"` in a template, each with the name.
pub fn places(template: &Json) -> Vec<(String, String)> {
    fn walk(value: &Json, at: &str, found: &mut Vec<(String, String)>) {
        match value {
            Json::String(text) => found.extend(
                text.strip_prefix('$')
                    .map(|name| (at.to_owned(), name.to_owned())),
            ),
            Json::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(n, item)| walk(item, &format!("{at}/{n}"), found)),
            Json::Object(fields) => fields
                .iter()
                .for_each(|(name, value)| walk(value, &format!("{at}/{name}"), found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(template, "", &mut found);
    found
}

/// An unknown id or slug of the same form.
pub fn nobodys(id: &str) -> String {
    match id_parse(id) {
        Some((prefix, _)) => {
            let any = id_format(
                "any",
                Uuid::from_u128(0x0190_1234_5678_7abc_8def_0123_4567_89ab),
            );
            any.replacen("any", &prefix, 1)
        }
        None => format!("nobody-{}", "0".repeat(id.len().saturating_sub(7))),
    }
}

async fn project(
    scoped: &Scoped<ReadWrite>,
    name: &str,
    slug: &str,
    created_by: Option<UserId>,
) -> ProjectId {
    let new = NewProject {
        name: name.into(),
        slug: Some(slug.into()),
        description: Some(name.into()),
        created_by,
    };
    project_create(scoped, new).await.unwrap().id
}

async fn project_of(scoped: &Scoped<ReadWrite>, name: &str, by: Option<UserId>) -> ProjectId {
    let slug = format!("library-{}", scoped.env().id().simple());
    project(scoped, name, &slug, by).await
}

async fn source(scoped: &Scoped<ReadWrite>, project_id: ProjectId, name: &str) -> SourceId {
    let url = format!("https://example.org/{name}.git");
    let new = NewSource {
        project_id,
        url,
        branch: None,
        scan_path: String::new(),
    };
    source_add(scoped, new).await.unwrap().id
}

async fn file(scoped: &Scoped<ReadWrite>, source: SourceId, path: &str, content: &str) -> String {
    let (oid, size) = (scoped.env().id().simple().to_string(), content.len() as i64);
    let blob = NewBlob {
        oid: oid.clone(),
        size,
        content: Some(content.into()),
    };
    blobs_insert(scoped, vec![blob]).await.unwrap();
    let added = vec![NewFile {
        path: path.into(),
        blob: oid,
        language: Some("rust".into()),
        size,
    }];
    files_apply(
        scoped,
        source,
        FileChanges {
            added,
            ..FileChanges::default()
        },
    )
    .await
    .unwrap();
    files_by_path(scoped, source, Some(&[path])).await.unwrap()[path]
        .id
        .to_string()
}

fn document(id: CodePatternId, project: ProjectId, title: &str) -> Document {
    Document {
        kind: KnowledgeKind::CodePattern,
        subject: id.to_string(),
        subject_id: Some(id.0),
        project_id: Some(project.0),
        title: title.into(),
        body: title.into(),
        path: None,
        source_id: None,
        start_line: None,
        end_line: None,
        stack: None,
        role: None,
    }
}

/// Finishes an enrichment as a worker would; the worker is not tested here.
async fn enrichment_finish(
    superuser: &DatabaseConnection,
    run: Uuid,
    markdown: &str,
    now: DateTime<Utc>,
) {
    let values: [Value; 2] = [run.into(), now.into()];
    execute(
        superuser,
        "UPDATE runs SET status = 'SUCCEEDED', finished_at = $2 WHERE id = $1",
        values,
    )
    .await;
    let values: [Value; 2] = [run.into(), markdown.into()];
    execute(
        superuser,
        "UPDATE note_enrichments SET markdown = $2 WHERE run_id = $1",
        values,
    )
    .await;
}

/// Stores a connection without calling GitHub, which is not tested here. Its address is forbidden.
async fn git_connection_put(
    superuser: &DatabaseConnection,
    team: &Team,
    id: GitConnectionId,
    name: &str,
    now: DateTime<Utc>,
) {
    let values: [Value; 5] = [
        team.tenant.id.0.into(),
        id.0.into(),
        name.into(),
        team.owner.0.into(),
        now.into(),
    ];
    let sql = "INSERT INTO git_connections (tenant_id, id, name, base_url, created_by, created_at, updated_at)
        VALUES ($1, $2, $3, 'http://127.0.0.1:9/api/v3', $4, $5, $5)";
    execute(superuser, sql, values).await;
}

/// Stores a pattern as an analysis would.
async fn code_pattern_put(
    superuser: &DatabaseConnection,
    team: &Team,
    id: CodePatternId,
    project: ProjectId,
    title: &str,
    now: DateTime<Utc>,
) {
    let values: [Value; 6] = [
        team.tenant.id.0.into(),
        id.0.into(),
        project.0.into(),
        id.to_string().into(),
        title.into(),
        now.into(),
    ];
    let sql = "INSERT INTO code_patterns (tenant_id, id, project_id, key, position, kind, title, statement, support, cases, confidence, exemplars, counter_examples,
            told_support, told_cases, told_confidence, first_seen_at)
        VALUES ($1, $2, $3, $4, 1, 'naming', $5, $5, 4, 4, 0.5, '[]', '[]', 4, 4, 0.5, $6)";
    execute(superuser, sql, values).await;
}

/// Stores an analysis's results for its run, a pattern and a project; each text is the given one.
async fn analysis_put(
    superuser: &DatabaseConnection,
    team: &Team,
    analysis: RunId,
    project: ProjectId,
    pattern: CodePatternId,
    text: &str,
) {
    let tenant = team.tenant.id.0;
    let skipped =
        json!([{"reason": "vendored", "rule": "vendored/vendor", "files": 1, "paths": [text]}]);
    let warnings = json!([{"part": "map", "path": text, "text": text}]);
    let sql =
        "UPDATE code_analyses SET skipped = $3, warnings = $4 WHERE tenant_id = $1 AND run_id = $2";
    let values: [Value; 4] = [
        tenant.into(),
        analysis.0.into(),
        skipped.into(),
        warnings.into(),
    ];
    execute(superuser, sql, values).await;

    let sql = "INSERT INTO code_pattern_changes (tenant_id, run_id, pattern_id, position, change, title, kind, support, cases, confidence)
        VALUES ($1, $2, $3, 0, 'APPEARED', $4, 'naming', 4, 4, 0.5)";
    let values: [Value; 4] = [
        tenant.into(),
        analysis.0.into(),
        pattern.0.into(),
        text.into(),
    ];
    execute(superuser, sql, values).await;

    let metrics = json!({"files": 1, "lines_of_code": 1, "functions": 1, "languages": [], "duplicated_lines": 0, "todos": 0});
    let place = json!({"path": text, "start_line": 1, "end_line": 2, "blob": text});
    let values: [Value; 12] = [
        tenant.into(),
        project.0.into(),
        analysis.0.into(),
        metrics.into(),
        json!([{"name": text, "kind": "language", "language": "rust", "version": null, "files": 1}]).into(),
        json!([{"purpose": "build", "command": text, "path": text, "line": 1}]).into(),
        json!([{"paths": [text, text], "together": 5, "commits": [5, 6], "degree": 1.0}]).into(),
        json!([{"folder": text, "commits": 5, "authors": 1, "main_author": text, "main_share": 1.0}]).into(),
        json!({"files": 1, "edges": 1, "unresolved": 0, "layers": [{"level": 0, "folders": [text]}],
            "cycles": [{"size": 2, "path": [{"file": text, "line": 1}]}]}).into(),
        json!([{"tokens": 50, "lines": 5, "places": [place, place]}]).into(),
        json!([{"kind": "function", "name": text, "location": place, "tests_only": false, "caveats": [text]}]).into(),
        json!([{"rank": 0.5, "kind": "function", "name": text, "path": text, "start_line": 1, "end_line": 2, "used_in": 1}]).into(),
    ];
    let sql = "INSERT INTO project_metrics (tenant_id, project_id, analysis_id, engine_version, patterns_version, metrics, stack,
            commands, co_changes, ownership, imports, duplicates, dead_code, map)
        VALUES ($1, $2, $3, 1, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    execute(superuser, sql, values).await;
}
