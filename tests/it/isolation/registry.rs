//! All fields of the schema, with their variables and the row of the policy that permits them. A field that is missing
//! here fails the matrix.
//!
//! To add a field, add a line with its name, its variables, and its policy. `"$note"` stands for the id of the caller's
//! own note, by its name in [`Objects`](super::world::Objects). The matrix replaces each id in turn with another
//! tenant's id and with an unknown one.

use nyxcore_code_analysis::CODE_ANALYSIS;
use nyxcore_consolidation::CONSOLIDATION;
use nyxcore_context::TEMPLATE;
use nyxcore_knowledge::{CONSOLIDATION_PATTERN, INSIGHT, MEMORY_ENTRY};
use nyxcore_model_catalog::{BUDGET, MODEL_SETTINGS, OWN_MODEL_DEFAULT, PROVIDER_KEY, RUN_BUDGET};
use nyxcore_note_enrichment::NOTE_ENRICHMENT;
use nyxcore_personas::PERSONA;
use nyxcore_projects::{BLOG_POST, NOTE, PROJECT, SOURCE};
use nyxcore_runs::RUN;
use nyxcore_sync::{GIT_CONNECTION, SOURCE_SECRET, SYNC};
use nyxcore_tenancy::resource::{
    API_TOKEN, AUDIT_LOG, INVITATION, MEMBER, OWN_API_TOKEN, OWN_MEMBERSHIP, TENANT,
};
use nyxcore_tenancy::{Action, Resource};

pub struct Entry {
    /// As in `Mutation.createNote`.
    pub field: &'static str,
    /// The path of fields to it, if it is not a field of a root.
    pub within: &'static [&'static str],
    /// JSON, with `"$name"` for ids, and `%unique%` for a text that differs each time.
    pub variables: &'static str,
    pub needs: (Resource, Action),
    /// The outcome for every permitted caller: `ok`, or an error code.
    pub told: &'static str,
}

const fn entry(
    field: &'static str,
    variables: &'static str,
    resource: Resource,
    action: Action,
) -> Entry {
    Entry {
        field,
        within: &[],
        variables,
        needs: (resource, action),
        told: "ok",
    }
}

const fn within(within: &'static [&'static str], entry: Entry) -> Entry {
    Entry { within, ..entry }
}

const fn told(told: &'static str, entry: Entry) -> Entry {
    Entry { told, ..entry }
}

#[rustfmt::skip]
pub const REGISTRY: &[Entry] = {
    use Action::*;
    &[
        // Reading.
        entry("Query.node", r#"{"id": "$note"}"#, NOTE, Read),
        entry("Query.nodes", r#"{"ids": ["$project", "$note", "$sync", "$user"]}"#, PROJECT, Read),
        entry("Query.project", r#"{"id": "$project"}"#, PROJECT, Read),
        entry("Query.project", r#"{"slug": "$project_slug"}"#, PROJECT, Read),
        entry("Query.projects", r#"{"query": "quince"}"#, PROJECT, Read),
        entry("Query.run", r#"{"id": "$sync"}"#, RUN, Read),
        entry("Query.runs", r#"{}"#, RUN, Read),
        entry("Query.runs", r#"{"projectId": "$library"}"#, RUN, Read),
        entry("Query.personas", r#"{"query": "quince"}"#, PERSONA, Read),
        entry("Query.personaMatches", r#"{"text": "A gardener who knows React"}"#, PERSONA, Read),
        entry("Query.search", r#"{"query": "quince"}"#, NOTE, Read),
        entry("Query.search", r#"{"query": "quince", "projectId": "$project"}"#, NOTE, Read),
        entry("Query.enrichmentPreview", r#"{"noteId": "$note", "personaId": "$persona"}"#, NOTE_ENRICHMENT, Read),
        entry("Query.templates", "{}", TEMPLATE, Read),
        entry("Query.memoryEntries", r#"{"source": "MANUAL"}"#, MEMORY_ENTRY, Read),
        entry("Query.memoryEntries", r#"{"projectId": "$project", "current": true}"#, MEMORY_ENTRY, Read),
        entry("Query.knowledgeAudit", r#"{"projectId": "$project"}"#, MEMORY_ENTRY, Read),
        entry("Query.auditLog", "{}", AUDIT_LOG, Read),
        entry("Query.auditLog", r#"{"userId": "$owner", "subjectId": "$note"}"#, AUDIT_LOG, Read),
        entry("Query.gitConnections", "{}", GIT_CONNECTION, Read),
        entry("Query.viewer", "{}", TENANT, Read),
        entry("Query.server", "{}", TENANT, Read),
        entry("Query.rateLimit", "{}", TENANT, Read),
        entry("Query.modelCatalog", "{}", PROVIDER_KEY, Read),
        entry("Query.budgets", "{}", BUDGET, Read),
        entry("Query.specializations", r#"{"text": "React and PostgreSQL"}"#, PERSONA, Read),
        within(&["viewer", "tenant"], entry("Tenant.apiTokens", "{}", OWN_API_TOKEN, Read)),

        within(&["viewer", "tenant"], entry("Tenant.invitations", "{}", INVITATION, Read)),

        // GitHub is not called: the address of the world's connection is forbidden.
        told("BASE_URL_FORBIDDEN", within(&["gitConnections", "nodes"], entry("GitConnection.repositories", "{}", GIT_CONNECTION, Import))),
        told("BASE_URL_FORBIDDEN", within(&["gitConnections", "nodes"], entry("GitConnection.branches", r#"{"repository": "acme/atlas"}"#, GIT_CONNECTION, Import))),

        // Projects and sources.
        entry("Mutation.createProject", r#"{"input": {"name": "New"}}"#, PROJECT, Create),
        entry("Mutation.updateProject", r#"{"input": {"projectId": "$project", "name": "Changed"}}"#, PROJECT, Update),
        entry("Mutation.deleteProject", r#"{"input": {"projectId": "$project"}}"#, PROJECT, Delete),
        entry("Mutation.addSource", r#"{"input": {"projectId": "$project", "url": "https://example.org/new.git"}}"#, SOURCE, Create),
        entry("Mutation.updateSource", r#"{"input": {"sourceId": "$source", "branch": "next"}}"#, SOURCE, Update),
        entry("Mutation.removeSource", r#"{"input": {"sourceId": "$source"}}"#, SOURCE, Delete),

        // The credentials and the schedule of a source.
        entry("Mutation.setSourceCredential", r#"{"input": {"sourceId": "$source", "token": {"token": "not-a-real-token"}}}"#, SOURCE_SECRET, Update),
        entry("Mutation.removeSourceCredential", r#"{"input": {"sourceId": "$source"}}"#, SOURCE_SECRET, Delete),
        entry("Mutation.enableSourceWebhook", r#"{"input": {"sourceId": "$source"}}"#, SOURCE_SECRET, Update),
        entry("Mutation.disableSourceWebhook", r#"{"input": {"sourceId": "$source"}}"#, SOURCE_SECRET, Delete),
        entry("Mutation.setSourceSchedule", r#"{"input": {"sourceId": "$source", "everyMinutes": 60}}"#, SOURCE, Update),

        // Connections to GitHub.
        told("BASE_URL_FORBIDDEN", entry("Mutation.addGitConnection", r#"{"input": {"name": "New", "baseUrl": "http://127.0.0.1:9", "token": "not-a-real-token"}}"#, GIT_CONNECTION, Create)),
        entry("Mutation.updateGitConnection", r#"{"input": {"connectionId": "$git_connection", "name": "Changed %unique%"}}"#, GIT_CONNECTION, Update),
        entry("Mutation.removeGitConnection", r#"{"input": {"connectionId": "$git_connection"}}"#, GIT_CONNECTION, Delete),
        told("BASE_URL_FORBIDDEN", entry("Mutation.importRepositories", r#"{"input": {"connectionId": "$git_connection", "projectId": "$project", "repositories": [{"fullName": "acme/atlas"}]}}"#, GIT_CONNECTION, Import)),

        // Runs.
        entry("Mutation.startSync", r#"{"input": {"sourceId": "$source"}}"#, SYNC, Start),
        entry("Mutation.startCodeAnalysis", r#"{"input": {"projectId": "$project"}}"#, CODE_ANALYSIS, Start),
        entry("Mutation.cancelRun", r#"{"input": {"runId": "$analysis"}}"#, RUN, Cancel),
        entry("Mutation.enrichNote", r#"{"input": {"noteId": "$note", "personaId": "$persona"}}"#, NOTE_ENRICHMENT, Start),
        entry("Mutation.startConsolidation", r#"{"input": {"projectIds": ["$project", "$library"], "personaId": "$persona"}}"#, CONSOLIDATION, Start),
        entry("Mutation.acceptActionPoint", r#"{"input": {"actionPointId": "$action_point"}}"#, NOTE, Update),
        entry("Mutation.restoreNoteVersion", r#"{"input": {"noteVersionId": "$note_version"}}"#, NOTE, Update),
        entry("Mutation.applyEnrichment", r#"{"input": {"enrichmentId": "$enrichment"}}"#, NOTE_ENRICHMENT, Apply),
        entry("Mutation.dismissEnrichment", r#"{"input": {"enrichmentId": "$enrichment"}}"#, NOTE_ENRICHMENT, Apply),

        // Notes and knowledge.
        entry("Mutation.createNote", r#"{"input": {"projectId": "$project", "title": "New", "body": "x"}}"#, NOTE, Create),
        entry("Mutation.updateNote", r#"{"input": {"noteId": "$note", "title": "Changed"}}"#, NOTE, Update),
        entry("Mutation.deleteNote", r#"{"input": {"noteId": "$note"}}"#, NOTE, Delete),
        entry("Mutation.updateActionPoint", r#"{"input": {"actionPointId": "$action_point", "status": "DONE"}}"#, NOTE, Update),
        entry("Mutation.createMemoryEntry", r#"{"input": {"projectId": "$project", "title": "New", "content": "x"}}"#, MEMORY_ENTRY, Create),
        entry("Mutation.createInsight", r#"{"input": {"projectId": "$project", "pairedWithId": "$insight", "type": "solution", "title": "New", "detail": "x"}}"#, INSIGHT, Create),
        entry("Mutation.updateMemoryEntry", r#"{"input": {"memoryEntryId": "$memory_entry", "tags": ["new"]}}"#, MEMORY_ENTRY, Update),
        entry("Mutation.supersedeMemoryEntry", r#"{"input": {"memoryEntryId": "$memory_entry"}}"#, MEMORY_ENTRY, Update),
        told("INVALID_INPUT", entry("Mutation.supersedeMemoryEntry", r#"{"input": {"memoryEntryId": "$memory_entry", "supersededById": "$memory_entry"}}"#, MEMORY_ENTRY, Update)),
        entry("Mutation.importMemoryEntries", r##"{"input": {"projectId": "$project", "files": [{"name": "a.md", "text": "# New\nx"}]}}"##, MEMORY_ENTRY, Import),
        entry("Mutation.updateInsight", r#"{"input": {"insightId": "$insight", "category": "new"}}"#, INSIGHT, Update),
        entry("Mutation.updateConsolidationPattern", r#"{"input": {"consolidationPatternId": "$consolidation_pattern", "archived": false}}"#, CONSOLIDATION_PATTERN, Update),
        // The world's insight has a partner already, or is neither a pain nor a solution.
        told("INVALID_INPUT", entry("Mutation.pairInsights", r#"{"input": {"insightId": "$insight", "pairedWithId": "$insight"}}"#, INSIGHT, Update)),

        // Posts.
        entry("Mutation.createBlogPost", r#"{"input": {"projectId": "$project", "title": "New", "body": "x"}}"#, BLOG_POST, Create),
        entry("Mutation.updateBlogPost", r#"{"input": {"blogPostId": "$post", "title": "Changed"}}"#, BLOG_POST, Update),
        entry("Mutation.deleteBlogPost", r#"{"input": {"blogPostId": "$post"}}"#, BLOG_POST, Delete),
        entry("Mutation.publishBlogPost", r#"{"input": {"blogPostId": "$post"}}"#, BLOG_POST, Publish),
        entry("Mutation.unpublishBlogPost", r#"{"input": {"blogPostId": "$published"}}"#, BLOG_POST, Publish),
        entry("Mutation.importBlogPost", r#"{"input": {"projectId": "$project", "sourceId": "$source", "path": "posts/quince.md"}}"#, BLOG_POST, Import),

        // Personas.
        entry("Mutation.createPersona", r#"{"input": {"name": "New", "description": "Knows React."}}"#, PERSONA, Create),
        entry("Mutation.updatePersona", r#"{"input": {"personaId": "$persona", "name": "Changed"}}"#, PERSONA, Update),
        entry("Mutation.updatePersona", r#"{"input": {"personaId": "$persona", "defaultModel": {"model": "quince-model"}}}"#, PERSONA, Update),
        entry("Mutation.installStarterPersonas", "{}", PERSONA, Create),
        entry("Mutation.deletePersona", r#"{"input": {"personaId": "$persona"}}"#, PERSONA, Delete),

        // Tokens. The revoked one belongs to a member.
        entry("Mutation.createApiToken", r#"{"input": {"name": "new", "role": "VIEWER"}}"#, OWN_API_TOKEN, Create),
        entry("Mutation.revokeApiToken", r#"{"input": {"apiTokenId": "$api_token"}}"#, API_TOKEN, Delete),

        // People. Actions that need a session are refused to all callers here, which use tokens.
        entry("Mutation.updateTenant", r#"{"input": {"name": "Changed %unique%"}}"#, TENANT, Update),
        entry("Mutation.inviteMember", r#"{"input": {"email": "new@guests.example", "role": "VIEWER"}}"#, INVITATION, Create),
        entry("Mutation.revokeInvitation", r#"{"input": {"invitationId": "$invitation"}}"#, INVITATION, Delete),
        entry("Mutation.acceptInvitation", r#"{"input": {"secret": "nyxinv_forged"}}"#, OWN_MEMBERSHIP, Create),
        entry("Mutation.setMemberRole", r#"{"input": {"userId": "$colleague", "role": "MEMBER"}}"#, MEMBER, Update),
        entry("Mutation.removeMember", r#"{"input": {"userId": "$colleague"}}"#, MEMBER, Delete),
        entry("Mutation.transferOwnership", r#"{"input": {"userId": "$colleague"}}"#, TENANT, Transfer),
        entry("Mutation.leaveTenant", "{}", OWN_MEMBERSHIP, Delete),

        // Keys of model providers: each tenant has its own under the same name.
        entry("Mutation.setProviderKey", r#"{"input": {"provider": "anthropic", "apiKey": "not-a-real-key"}}"#, PROVIDER_KEY, Update),
        entry("Mutation.removeProviderKey", r#"{"input": {"provider": "openai"}}"#, PROVIDER_KEY, Delete),

        // After keys were removed each role has its own world, with an untried endpoint.
        entry("Mutation.verifyProvider", r#"{"input": {"provider": "nowhere"}}"#, PROVIDER_KEY, Update),

        // Models, endpoints and defaults: each tenant has its own under the same names.
        entry("Mutation.setModelEndpoint", r#"{"input": {"name": "nowhere", "baseUrl": "https://llm.invalid/v1", "protocol": "OPENAI_CHAT"}}"#, MODEL_SETTINGS, Update),
        entry("Mutation.setModel", r#"{"input": {"id": "another-model", "provider": "nowhere"}}"#, MODEL_SETTINGS, Update),
        entry("Mutation.setModelHidden", r#"{"input": {"model": "gpt-4o-mini", "hidden": true}}"#, MODEL_SETTINGS, Update),
        entry("Mutation.setModelDefaults", r#"{"input": {"default": "gpt-4.1"}}"#, MODEL_SETTINGS, Update),
        entry("Mutation.setModelDefaults", r#"{"input": {"scope": "OWN", "fast": "gpt-4.1"}}"#, OWN_MODEL_DEFAULT, Update),
        entry("Mutation.removeModel", r#"{"input": {"model": "quince-model"}}"#, MODEL_SETTINGS, Delete),
        entry("Mutation.removeModelEndpoint", r#"{"input": {"name": "nowhere"}}"#, MODEL_SETTINGS, Delete),

        // Templates: each tenant has its own under the same names.
        entry("Mutation.setTemplate", r#"{"input": {"name": "note_enrichment.user", "text": "{{ input }}"}}"#, TEMPLATE, Update),
        entry("Mutation.resetTemplate", r#"{"input": {"name": "note_enrichment.user"}}"#, TEMPLATE, Delete),

        // Budgets.
        entry("Mutation.createBudget", r#"{"input": {"scope": "PROJECT", "projectId": "$project", "period": "DAY", "enforcement": "SOFT", "limitUsd": 10}}"#, BUDGET, Create),
        entry("Mutation.createBudget", r#"{"input": {"scope": "MEMBER", "userId": "$user", "period": "MONTH", "enforcement": "HARD", "limitUsd": 10}}"#, BUDGET, Create),
        entry("Mutation.updateBudget", r#"{"input": {"budgetId": "$budget", "limitUsd": 20}}"#, BUDGET, Update),
        entry("Mutation.deleteBudget", r#"{"input": {"budgetId": "$budget"}}"#, BUDGET, Delete),
        entry("Mutation.setRunBudget", r#"{"input": {"runId": "$sync", "limitUsd": 1}}"#, RUN_BUDGET, Update),

        // Streams. Their requests are in `streams.rs`.
        entry("Subscription.runEvents", r#"{"runId": "$watched"}"#, RUN, Read),
        entry("Subscription.projectActivity", r#"{"projectId": "$project"}"#, RUN, Read),
        entry("Subscription.tenantActivity", "{}", RUN, Read),
    ]
};

/// Each kind of object with an id, and its instance in [`Objects`](super::world::Objects). A kind that is missing here
/// fails the matrix.
pub const NODES: &[(&str, &str)] = &[
    ("Tenant", "tenant"),
    ("User", "user"),
    ("Project", "project"),
    ("Source", "source"),
    ("SourceFile", "file"),
    ("GitConnection", "git_connection"),
    ("Note", "note"),
    ("NoteVersion", "note_version"),
    ("ActionPoint", "action_point"),
    ("BlogPost", "post"),
    ("CodePattern", "code_pattern"),
    ("MemoryEntry", "memory_entry"),
    ("Insight", "insight"),
    ("ConsolidationPattern", "consolidation_pattern"),
    ("Persona", "persona"),
    ("Sync", "sync"),
    ("CodeAnalysis", "analysis"),
    ("NoteEnrichment", "enrichment"),
    ("Embedding", "embedding"),
    ("Consolidation", "consolidation"),
];
