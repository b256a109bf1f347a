//! The policy of the whole program: every row of it, and a check that the matrix covers each.

use nyxcore_tenancy::{Action, Role};

use super::registry::REGISTRY;
use crate::support::registry;

/// Rows of the policy without a field in the API: actions of the program only, and objects that are read as part of
/// others.
const WITHOUT_FIELD: &[&str] = &[
    "api_token read",
    "blog_post read",
    "code_analysis read",
    "consolidation read",
    "consolidation_pattern create",
    "consolidation_pattern read",
    "insight read",
    "member read",
    "model_call read",
    "model_call start",
    "model_settings read",
    "own_api_token delete",
    "own_membership read",
    "own_model_default read",
    "run_budget read",
    "source read",
    "source_secret read",
    "sync read",
];

#[test]
fn the_policy_is_this_table() {
    insta::assert_snapshot!(registry().policy_text());
}

#[test]
fn a_viewer_changes_only_the_own_membership() {
    let registry = registry();
    let changes: Vec<String> = registry
        .policy()
        .flat_map(|policy| {
            policy
                .actions
                .iter()
                .filter(|(action, role)| *action != Action::Read && *role == Role::Viewer)
                .map(|(action, _)| format!("{} {}", policy.resource.as_str(), action.as_str()))
        })
        .collect();
    assert_eq!(changes, ["own_membership create", "own_membership delete"]);
}

#[test]
fn the_matrix_tries_every_line_of_the_policy() {
    let registry = registry();
    let mut missing: Vec<String> = registry
        .policy()
        .flat_map(|policy| {
            policy.actions.iter().filter_map(|(action, _)| {
                let line = (policy.resource, *action);
                let tried = REGISTRY.iter().any(|entry| entry.needs == line);
                (!tried).then(|| format!("{} {}", policy.resource.as_str(), action.as_str()))
            })
        })
        .collect();
    missing.sort_unstable();
    assert_eq!(missing, WITHOUT_FIELD);
}
