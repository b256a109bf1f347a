//! The one policy: which role may do what on which kind of thing.
//!
//! [`POLICY`] is a table and nothing else is asked. A service asks it through its scope, [`Scoped::permit`](crate::Scoped::permit), before it changes anything;
//! whoever sits above does not decide. What the table does not list nobody may do. Reading is not listed kind by kind: a viewer reads everything
//! of the tenant, but for what [`POLICY`] asks more for.
//!
//! A token does what its role may do in its tenant. What concerns the person's account is not the tenant's, and needs a
//! session: [`SESSION_ONLY`].

use crate::error::{Error, Result};
use crate::model::{Caller, Credential, Role};

/// A kind of thing in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// The tenant itself: its name, its end.
    Tenant,
    /// Other people's memberships.
    Member,
    /// One's own membership.
    OwnMembership,
    /// Invitations.
    Invitation,
    /// Anybody's API tokens.
    ApiToken,
    /// One's own API tokens.
    OwnApiToken,
    /// The audit log.
    AuditLog,
    /// Keys of model providers.
    ProviderKey,
    /// A tenant's own models, endpoints and defaults.
    ModelSettings,
    /// One's own default models.
    OwnModelDefault,
    /// Budgets for calls of models.
    Budget,
    /// The budget of a run.
    RunBudget,
    /// Calls of models, and what they cost.
    ModelCall,
    /// Projects.
    Project,
    /// Repositories of a project.
    Source,
    /// Connections to where repositories are listed, such as GitHub, with their tokens.
    GitConnection,
    /// What a source's remote is asked with: its token or key, and the secret of its webhook.
    SourceSecret,
    /// Syncs.
    Sync,
    /// Code analyses.
    CodeAnalysis,
    /// Notes, with their action points.
    Note,
    /// Enrichments of notes.
    NoteEnrichment,
    /// Runs of any kind.
    Run,
    /// Posts.
    BlogPost,
    /// Memory entries.
    MemoryEntry,
    /// Insights.
    Insight,
    /// Consolidation patterns.
    ConsolidationPattern,
    /// Personas.
    Persona,
}

/// What may be done with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the verbs say it")]
pub enum Action {
    Read,
    Create,
    Update,
    Delete,
    Start,
    Cancel,
    Import,
    Publish,
    Apply,
    Transfer,
}

/// Which role each action on each kind of thing needs; a role that includes it may as well.
pub const POLICY: &[(Resource, &[(Action, Role)])] = {
    use Action::*;
    use Role::*;
    &[
        (
            Resource::Tenant,
            &[(Read, Viewer), (Update, Admin), (Transfer, Owner)],
        ),
        (
            Resource::Member,
            &[(Read, Viewer), (Update, Admin), (Delete, Admin)],
        ),
        (
            Resource::OwnMembership,
            &[(Read, Viewer), (Create, Viewer), (Delete, Viewer)],
        ),
        (
            Resource::Invitation,
            &[(Read, Admin), (Create, Admin), (Delete, Admin)],
        ),
        (Resource::ApiToken, &[(Read, Admin), (Delete, Admin)]),
        (
            Resource::OwnApiToken,
            &[(Read, Viewer), (Create, Member), (Delete, Member)],
        ),
        (Resource::AuditLog, &[(Read, Admin)]),
        (
            Resource::ProviderKey,
            &[(Read, Viewer), (Update, Admin), (Delete, Admin)],
        ),
        (
            Resource::ModelSettings,
            &[(Read, Viewer), (Update, Admin), (Delete, Admin)],
        ),
        (
            Resource::OwnModelDefault,
            &[(Read, Viewer), (Update, Member)],
        ),
        (
            Resource::Budget,
            &[
                (Read, Viewer),
                (Create, Admin),
                (Update, Admin),
                (Delete, Admin),
            ],
        ),
        (Resource::RunBudget, &[(Read, Viewer), (Update, Member)]),
        (Resource::ModelCall, &[(Read, Viewer), (Start, Member)]),
        (
            Resource::Project,
            &[
                (Read, Viewer),
                (Create, Member),
                (Update, Member),
                (Delete, Admin),
            ],
        ),
        (
            Resource::Source,
            &[
                (Read, Viewer),
                (Create, Member),
                (Update, Member),
                (Delete, Member),
            ],
        ),
        (
            Resource::GitConnection,
            &[
                (Read, Viewer),
                (Create, Admin),
                (Update, Admin),
                (Delete, Admin),
                (Import, Member),
            ],
        ),
        (
            Resource::SourceSecret,
            &[(Read, Viewer), (Update, Member), (Delete, Member)],
        ),
        (Resource::Sync, &[(Read, Viewer), (Start, Member)]),
        (Resource::CodeAnalysis, &[(Read, Viewer), (Start, Member)]),
        (
            Resource::Note,
            &[
                (Read, Viewer),
                (Create, Member),
                (Update, Member),
                (Delete, Member),
            ],
        ),
        (
            Resource::NoteEnrichment,
            &[(Read, Viewer), (Start, Member), (Apply, Member)],
        ),
        (Resource::Run, &[(Read, Viewer), (Cancel, Member)]),
        (
            Resource::BlogPost,
            &[
                (Read, Viewer),
                (Create, Member),
                (Import, Member),
                (Update, Member),
                (Publish, Member),
                (Delete, Member),
            ],
        ),
        (
            Resource::MemoryEntry,
            &[(Read, Viewer), (Create, Member), (Import, Member)],
        ),
        (Resource::Insight, &[(Read, Viewer), (Create, Member)]),
        (
            Resource::ConsolidationPattern,
            &[(Read, Viewer), (Create, Member)],
        ),
        (
            Resource::Persona,
            &[
                (Read, Viewer),
                (Create, Member),
                (Update, Member),
                (Delete, Member),
            ],
        ),
    ]
};

/// What needs a session, whatever the role: it decides which tenants a person is in. A token is for work in one tenant,
/// and a token of any role that left the tenant or joined another would do more than its role.
pub const SESSION_ONLY: &[(Resource, Action)] = &[
    (Resource::OwnMembership, Action::Create),
    (Resource::OwnMembership, Action::Delete),
];

/// Whether this needs a session, so that no token may do it.
pub fn session_needed(resource: Resource, action: Action) -> bool {
    SESSION_ONLY.contains(&(resource, action))
}

/// The least role that may do this; `None` where nobody may.
pub fn role_needed(resource: Resource, action: Action) -> Option<Role> {
    let (_, actions) = POLICY.iter().find(|(listed, _)| *listed == resource)?;
    let (_, role) = actions.iter().find(|(listed, _)| *listed == action)?;
    Some(*role)
}

/// Passes where the caller may do this, by role and by credential.
///
/// # Errors
/// [`Error::SessionNeeded`]; as [`role_check`].
pub(crate) fn caller_check(caller: &Caller, resource: Resource, action: Action) -> Result<()> {
    credential_check(caller.credential, resource, action)?;
    role_check(caller.role, resource, action)
}

/// Passes where a credential of that kind may do this.
///
/// # Errors
/// [`Error::SessionNeeded`].
pub(crate) fn credential_check(
    credential: Credential,
    resource: Resource,
    action: Action,
) -> Result<()> {
    match credential {
        Credential::Token(_) if session_needed(resource, action) => Err(Error::SessionNeeded),
        Credential::Token(_) | Credential::Session(_) => Ok(()),
    }
}

/// Passes where the role may do this.
///
/// # Errors
/// [`Error::Forbidden`], naming the role that is needed.
pub(crate) fn role_check(role: Role, resource: Resource, action: Action) -> Result<()> {
    match role_needed(resource, action) {
        Some(needed) if role.includes(needed) => Ok(()),
        Some(needed) => Err(Error::Forbidden(needed.as_str())),
        None => Err(Error::Forbidden("what no role has")),
    }
}

impl Resource {
    /// Its name in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Member => "member",
            Self::OwnMembership => "own_membership",
            Self::Invitation => "invitation",
            Self::ApiToken => "api_token",
            Self::OwnApiToken => "own_api_token",
            Self::AuditLog => "audit_log",
            Self::ProviderKey => "provider_key",
            Self::ModelSettings => "model_settings",
            Self::OwnModelDefault => "own_model_default",
            Self::Budget => "budget",
            Self::RunBudget => "run_budget",
            Self::ModelCall => "model_call",
            Self::Project => "project",
            Self::Source => "source",
            Self::GitConnection => "git_connection",
            Self::SourceSecret => "source_secret",
            Self::Sync => "sync",
            Self::CodeAnalysis => "code_analysis",
            Self::Note => "note",
            Self::NoteEnrichment => "note_enrichment",
            Self::Run => "run",
            Self::BlogPost => "blog_post",
            Self::MemoryEntry => "memory_entry",
            Self::Insight => "insight",
            Self::ConsolidationPattern => "consolidation_pattern",
            Self::Persona => "persona",
        }
    }
}

impl Action {
    /// Its name in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Start => "start",
            Self::Cancel => "cancel",
            Self::Import => "import",
            Self::Publish => "publish",
            Self::Apply => "apply",
            Self::Transfer => "transfer",
        }
    }
}

/// The table as a person reads it, a line a thing: `project: read VIEWER · create MEMBER · ...`.
pub fn policy_text() -> String {
    let line = |(resource, actions): &(Resource, &[(Action, Role)])| {
        let actions: Vec<String> = actions
            .iter()
            .map(|(action, role)| {
                let session = if session_needed(*resource, *action) {
                    " with a session"
                } else {
                    ""
                };
                format!("{} {}{session}", action.as_str(), role.as_str())
            })
            .collect();
        format!("{}: {}\n", resource.as_str(), actions.join(" · "))
    };
    POLICY.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_this_table() {
        insta::assert_snapshot!(policy_text());
    }

    #[test]
    fn a_viewer_changes_only_the_own_membership() {
        let changes = POLICY
            .iter()
            .flat_map(|(resource, actions)| {
                actions
                    .iter()
                    .map(move |(action, role)| (resource, action, role))
            })
            .filter(|(_, action, role)| **action != Action::Read && **role == Role::Viewer);
        let changes: Vec<_> = changes
            .map(|(resource, action, _)| (*resource, *action))
            .collect();
        assert_eq!(changes, SESSION_ONLY);
    }

    #[test]
    fn each_thing_and_each_action_is_listed_once() {
        for (resource, actions) in POLICY {
            let rows = POLICY.iter().filter(|(other, _)| other == resource).count();
            assert_eq!(rows, 1, "{resource:?}");
            for (action, _) in *actions {
                let times = actions.iter().filter(|(other, _)| other == action).count();
                assert_eq!(times, 1, "{resource:?} {action:?}");
            }
        }
    }

    #[test]
    fn a_token_of_any_role_does_not_change_the_membership() {
        use uuid::Uuid;
        let caller = |credential| Caller {
            tenant: crate::TenantId(Uuid::nil()),
            user: crate::UserId(Uuid::nil()),
            role: Role::Owner,
            credential,
        };
        let token = caller(Credential::Token(crate::ApiTokenId(Uuid::nil())));
        let session = caller(Credential::Session(crate::SessionId(Uuid::nil())));
        for (resource, action) in SESSION_ONLY {
            let refused = caller_check(&token, *resource, *action).unwrap_err();
            assert_eq!(refused.code(), "FORBIDDEN");
            assert!(caller_check(&session, *resource, *action).is_ok());
        }
        assert!(caller_check(&token, Resource::OwnMembership, Action::Read).is_ok());
    }

    #[test]
    fn what_is_not_listed_nobody_may_do() {
        let refused = role_check(Role::Owner, Resource::AuditLog, Action::Delete);
        assert_eq!(refused.unwrap_err().code(), "FORBIDDEN");
    }
}
