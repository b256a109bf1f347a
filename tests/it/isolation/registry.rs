//! Every field that can be asked, with what it is asked with and the row of the policy that allows it. A field of the schema that is not
//! here fails the matrix.
//!
//! To add one: a line with its name, its variables, and what it needs. `"$note"` stands for the id of the caller's own note, by its name in
//! [`World`](super::world::World); the matrix puts another tenant's id, and one that nobody has, in the place of each of them in turn.

use nyxcore_tenancy::{Action, Resource};

pub struct Entry {
    /// As in `Mutation.createNote`.
    pub field: &'static str,
    /// The fields that lead there, where it is not a root's.
    pub within: &'static [&'static str],
    /// JSON, with `"$name"` for ids, and `%unique%` for what is another text each time.
    pub variables: &'static str,
    pub needs: (Resource, Action),
    /// What everybody is told who may ask: `ok`, where it is not another code.
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
    use Resource as R;
    &[
        // Reading.
        entry("Query.node", r#"{"id": "$note"}"#, R::Note, Read),
        entry("Query.nodes", r#"{"ids": ["$project", "$note", "$sync", "$user"]}"#, R::Project, Read),
        entry("Query.project", r#"{"id": "$project"}"#, R::Project, Read),
        entry("Query.project", r#"{"slug": "$project_slug"}"#, R::Project, Read),
        entry("Query.projects", r#"{"query": "quince"}"#, R::Project, Read),
        entry("Query.run", r#"{"id": "$sync"}"#, R::Run, Read),
        entry("Query.runs", r#"{}"#, R::Run, Read),
        entry("Query.runs", r#"{"projectId": "$library"}"#, R::Run, Read),
        entry("Query.personas", r#"{"query": "quince"}"#, R::Persona, Read),
        entry("Query.search", r#"{"query": "quince"}"#, R::Note, Read),
        entry("Query.search", r#"{"query": "quince", "projectId": "$project"}"#, R::Note, Read),
        entry("Query.auditLog", "{}", R::AuditLog, Read),
        entry("Query.auditLog", r#"{"userId": "$owner", "subjectId": "$note"}"#, R::AuditLog, Read),
        entry("Query.gitConnections", "{}", R::GitConnection, Read),
        entry("Query.viewer", "{}", R::Tenant, Read),
        entry("Query.server", "{}", R::Tenant, Read),
        entry("Query.modelCatalog", "{}", R::ProviderKey, Read),
        entry("Query.budgets", "{}", R::Budget, Read),
        entry("Query.specializations", r#"{"text": "React and PostgreSQL"}"#, R::Persona, Read),
        within(&["viewer", "tenant"], entry("Tenant.apiTokens", "{}", R::OwnApiToken, Read)),

        within(&["viewer", "tenant"], entry("Tenant.invitations", "{}", R::Invitation, Read)),

        // Nobody is asked: the world's connection leads where this server does not go.
        told("BASE_URL_FORBIDDEN", within(&["gitConnections", "nodes"], entry("GitConnection.repositories", "{}", R::GitConnection, Import))),
        told("BASE_URL_FORBIDDEN", within(&["gitConnections", "nodes"], entry("GitConnection.branches", r#"{"repository": "acme/atlas"}"#, R::GitConnection, Import))),

        // Projects and sources.
        entry("Mutation.createProject", r#"{"input": {"name": "New"}}"#, R::Project, Create),
        entry("Mutation.updateProject", r#"{"input": {"projectId": "$project", "name": "Changed"}}"#, R::Project, Update),
        entry("Mutation.deleteProject", r#"{"input": {"projectId": "$project"}}"#, R::Project, Delete),
        entry("Mutation.addSource", r#"{"input": {"projectId": "$project", "url": "https://example.org/new.git"}}"#, R::Source, Create),
        entry("Mutation.updateSource", r#"{"input": {"sourceId": "$source", "branch": "next"}}"#, R::Source, Update),
        entry("Mutation.removeSource", r#"{"input": {"sourceId": "$source"}}"#, R::Source, Delete),

        // What a source's remote is asked with, and when.
        entry("Mutation.setSourceCredential", r#"{"input": {"sourceId": "$source", "token": {"token": "not-a-real-token"}}}"#, R::SourceSecret, Update),
        entry("Mutation.removeSourceCredential", r#"{"input": {"sourceId": "$source"}}"#, R::SourceSecret, Delete),
        entry("Mutation.enableSourceWebhook", r#"{"input": {"sourceId": "$source"}}"#, R::SourceSecret, Update),
        entry("Mutation.disableSourceWebhook", r#"{"input": {"sourceId": "$source"}}"#, R::SourceSecret, Delete),
        entry("Mutation.setSourceSchedule", r#"{"input": {"sourceId": "$source", "everyMinutes": 60}}"#, R::Source, Update),

        // Connections to GitHub.
        told("BASE_URL_FORBIDDEN", entry("Mutation.addGitConnection", r#"{"input": {"name": "New", "baseUrl": "http://127.0.0.1:9", "token": "not-a-real-token"}}"#, R::GitConnection, Create)),
        entry("Mutation.updateGitConnection", r#"{"input": {"connectionId": "$git_connection", "name": "Changed %unique%"}}"#, R::GitConnection, Update),
        entry("Mutation.removeGitConnection", r#"{"input": {"connectionId": "$git_connection"}}"#, R::GitConnection, Delete),
        told("BASE_URL_FORBIDDEN", entry("Mutation.importRepositories", r#"{"input": {"connectionId": "$git_connection", "projectId": "$project", "repositories": [{"fullName": "acme/atlas"}]}}"#, R::GitConnection, Import)),

        // Runs.
        entry("Mutation.startSync", r#"{"input": {"sourceId": "$source"}}"#, R::Sync, Start),
        entry("Mutation.startCodeAnalysis", r#"{"input": {"projectId": "$project"}}"#, R::CodeAnalysis, Start),
        entry("Mutation.cancelRun", r#"{"input": {"runId": "$analysis"}}"#, R::Run, Cancel),
        entry("Mutation.enrichNote", r#"{"input": {"noteId": "$note", "personaId": "$persona"}}"#, R::NoteEnrichment, Start),
        entry("Mutation.applyEnrichment", r#"{"input": {"enrichmentId": "$enrichment"}}"#, R::NoteEnrichment, Apply),
        entry("Mutation.dismissEnrichment", r#"{"input": {"enrichmentId": "$enrichment"}}"#, R::NoteEnrichment, Apply),

        // Notes and what is known.
        entry("Mutation.createNote", r#"{"input": {"projectId": "$project", "title": "New", "body": "x"}}"#, R::Note, Create),
        entry("Mutation.updateNote", r#"{"input": {"noteId": "$note", "title": "Changed"}}"#, R::Note, Update),
        entry("Mutation.deleteNote", r#"{"input": {"noteId": "$note"}}"#, R::Note, Delete),
        entry("Mutation.updateActionPoint", r#"{"input": {"actionPointId": "$action_point", "status": "DONE"}}"#, R::Note, Update),
        entry("Mutation.createMemoryEntry", r#"{"input": {"projectId": "$project", "title": "New", "content": "x"}}"#, R::MemoryEntry, Create),
        entry("Mutation.createInsight", r#"{"input": {"projectId": "$project", "pairedWithId": "$insight", "type": "solution", "title": "New", "detail": "x"}}"#, R::Insight, Create),

        // Posts.
        entry("Mutation.createBlogPost", r#"{"input": {"projectId": "$project", "title": "New", "body": "x"}}"#, R::BlogPost, Create),
        entry("Mutation.updateBlogPost", r#"{"input": {"blogPostId": "$post", "title": "Changed"}}"#, R::BlogPost, Update),
        entry("Mutation.deleteBlogPost", r#"{"input": {"blogPostId": "$post"}}"#, R::BlogPost, Delete),
        entry("Mutation.publishBlogPost", r#"{"input": {"blogPostId": "$post"}}"#, R::BlogPost, Publish),
        entry("Mutation.unpublishBlogPost", r#"{"input": {"blogPostId": "$published"}}"#, R::BlogPost, Publish),
        entry("Mutation.importBlogPost", r#"{"input": {"projectId": "$project", "sourceId": "$source", "path": "posts/quince.md"}}"#, R::BlogPost, Import),

        // Personas.
        entry("Mutation.createPersona", r#"{"input": {"name": "New", "description": "Knows React."}}"#, R::Persona, Create),
        entry("Mutation.updatePersona", r#"{"input": {"personaId": "$persona", "name": "Changed"}}"#, R::Persona, Update),
        entry("Mutation.deletePersona", r#"{"input": {"personaId": "$persona"}}"#, R::Persona, Delete),

        // Tokens. The one that is revoked is a member's.
        entry("Mutation.createApiToken", r#"{"input": {"name": "new", "role": "VIEWER"}}"#, R::OwnApiToken, Create),
        entry("Mutation.revokeApiToken", r#"{"input": {"apiTokenId": "$api_token"}}"#, R::ApiToken, Delete),

        // People. What needs a session is refused to every token that asks here.
        entry("Mutation.updateTenant", r#"{"input": {"name": "Changed %unique%"}}"#, R::Tenant, Update),
        entry("Mutation.inviteMember", r#"{"input": {"email": "new@guests.example", "role": "VIEWER"}}"#, R::Invitation, Create),
        entry("Mutation.revokeInvitation", r#"{"input": {"invitationId": "$invitation"}}"#, R::Invitation, Delete),
        entry("Mutation.acceptInvitation", r#"{"input": {"secret": "nyxinv_forged"}}"#, R::OwnMembership, Create),
        entry("Mutation.setMemberRole", r#"{"input": {"userId": "$colleague", "role": "MEMBER"}}"#, R::Member, Update),
        entry("Mutation.removeMember", r#"{"input": {"userId": "$colleague"}}"#, R::Member, Delete),
        entry("Mutation.transferOwnership", r#"{"input": {"userId": "$colleague"}}"#, R::Tenant, Transfer),
        entry("Mutation.leaveTenant", "{}", R::OwnMembership, Delete),

        // Keys of model providers: each tenant has its own under the same name.
        entry("Mutation.setProviderKey", r#"{"input": {"provider": "anthropic", "apiKey": "not-a-real-key"}}"#, R::ProviderKey, Update),
        entry("Mutation.removeProviderKey", r#"{"input": {"provider": "openai"}}"#, R::ProviderKey, Delete),

        // After keys were removed every role has a world of its own, whose endpoint nobody tried.
        entry("Mutation.verifyProvider", r#"{"input": {"provider": "nowhere"}}"#, R::ProviderKey, Update),

        // Models, endpoints and defaults: each tenant has its own under the same names.
        entry("Mutation.setModelEndpoint", r#"{"input": {"name": "nowhere", "baseUrl": "https://llm.invalid/v1", "protocol": "OPENAI_CHAT"}}"#, R::ModelSettings, Update),
        entry("Mutation.setModel", r#"{"input": {"id": "another-model", "provider": "nowhere"}}"#, R::ModelSettings, Update),
        entry("Mutation.setModelHidden", r#"{"input": {"model": "gpt-4o-mini", "hidden": true}}"#, R::ModelSettings, Update),
        entry("Mutation.setModelDefaults", r#"{"input": {"default": "gpt-4.1"}}"#, R::ModelSettings, Update),
        entry("Mutation.setModelDefaults", r#"{"input": {"scope": "OWN", "fast": "gpt-4.1"}}"#, R::OwnModelDefault, Update),
        entry("Mutation.removeModel", r#"{"input": {"model": "quince-model"}}"#, R::ModelSettings, Delete),
        entry("Mutation.removeModelEndpoint", r#"{"input": {"name": "nowhere"}}"#, R::ModelSettings, Delete),

        // Budgets.
        entry("Mutation.createBudget", r#"{"input": {"scope": "PROJECT", "projectId": "$project", "period": "DAY", "enforcement": "SOFT", "limitUsd": 10}}"#, R::Budget, Create),
        entry("Mutation.createBudget", r#"{"input": {"scope": "MEMBER", "userId": "$user", "period": "MONTH", "enforcement": "HARD", "limitUsd": 10}}"#, R::Budget, Create),
        entry("Mutation.updateBudget", r#"{"input": {"budgetId": "$budget", "limitUsd": 20}}"#, R::Budget, Update),
        entry("Mutation.deleteBudget", r#"{"input": {"budgetId": "$budget"}}"#, R::Budget, Delete),
        entry("Mutation.setRunBudget", r#"{"input": {"runId": "$sync", "limitUsd": 1}}"#, R::RunBudget, Update),

        // Streams. What they are asked with is in `streams.rs`.
        entry("Subscription.runEvents", r#"{"runId": "$watched"}"#, R::Run, Read),
        entry("Subscription.projectActivity", r#"{"projectId": "$project"}"#, R::Run, Read),
        entry("Subscription.tenantActivity", "{}", R::Run, Read),
    ]
};

/// Each kind of thing with an id, and the one of it that is in [`World`](super::world::World). A kind that is not here fails the matrix.
pub const NODES: &[(&str, &str)] = &[
    ("Tenant", "tenant"),
    ("User", "user"),
    ("Project", "project"),
    ("Source", "source"),
    ("SourceFile", "file"),
    ("GitConnection", "git_connection"),
    ("Note", "note"),
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
];
