//! The registry of a process: resources with the role for each action, purposes of system work, and kinds of run.
//!
//! A crate declares its names as constants beside the code that uses them, and lists them in one [`Registration`]. The
//! process collects the registrations in one [`Registry`], which the store and the policy use. So no crate needs the
//! names of another, and a mistake ends the process at its start. Unregistered actions are refused for everybody.
//!
//! ```
//! use nyxcore_tenancy::{Action, Registration, Registry, Resource, ResourcePolicy, Role, SystemPurpose};
//!
//! const INVOICE: Resource = Resource::new("invoice");
//! const INVOICE_SEND: SystemPurpose = SystemPurpose::reads("invoice_send");
//!
//! fn registration() -> Registration {
//!     let actions = &[(Action::Read, Role::Viewer), (Action::Create, Role::Admin)];
//!     Registration::new("my-invoices")
//!         .resource(ResourcePolicy::new(INVOICE, actions))
//!         .purpose(INVOICE_SEND)
//! }
//!
//! let registry = Registry::new([registration()])?;
//! assert_eq!(registry.role_needed(INVOICE, Action::Create), Some(Role::Admin));
//! assert_eq!(registry.role_needed(INVOICE, Action::Delete), None);
//! # Ok::<(), nyxcore_tenancy::RegistryError>(())
//! ```

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::id::id_format;
use crate::model::Role;
use crate::policy::{Action, Resource, ResourcePolicy};
use crate::store::SystemPurpose;

/// Why registrations are inconsistent, or why a name is refused. Each is a mistake in the wiring of the process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum RegistryError {
    /// A name is registered twice.
    #[error("{owner} registers the {what} `{name}`, which {first} has already registered")]
    Duplicate {
        what: &'static str,
        name: String,
        owner: &'static str,
        first: &'static str,
    },
    /// An action on a resource has no role that may do it.
    #[error("{owner} names no role for the action `{action}` on the resource `{resource}`")]
    WithoutRole {
        owner: &'static str,
        resource: &'static str,
        action: &'static str,
    },
    /// An action on a resource has more than one role.
    #[error("{owner} names two roles for the action `{action}` on the resource `{resource}`")]
    TwoRoles {
        owner: &'static str,
        resource: &'static str,
        action: &'static str,
    },
    /// A crate requires another one that is not registered.
    #[error("{owner} needs the registration of {needed}: add it to the registry")]
    Missing {
        owner: &'static str,
        needed: &'static str,
    },
    /// A name that is not registered.
    #[error("the {what} `{name}` is not registered; registered are: {registered}")]
    Unknown {
        what: &'static str,
        name: String,
        registered: String,
    },
    /// Two handlers for one kind of run.
    #[error("the kind of run `{0}` has two handlers")]
    TwoHandlers(String),
}

/// The names that one crate registers.
#[derive(Debug, Clone)]
pub struct Registration {
    owner: &'static str,
    requires: Vec<&'static str>,
    resources: Vec<ResourcePolicy>,
    purposes: Vec<SystemPurpose>,
    run_kinds: Vec<Cow<'static, str>>,
}

impl Registration {
    /// The registration of a crate, by the crate's name.
    #[must_use]
    pub fn new(owner: &'static str) -> Self {
        Self {
            owner,
            requires: Vec::new(),
            resources: Vec::new(),
            purposes: Vec::new(),
            run_kinds: Vec::new(),
        }
    }

    /// Requires the registration of another crate, because this one uses its names.
    #[must_use]
    pub fn requires(mut self, owner: &'static str) -> Self {
        self.requires.push(owner);
        self
    }

    /// Adds a resource, with the roles that its actions need.
    #[must_use]
    pub fn resource(mut self, policy: ResourcePolicy) -> Self {
        self.resources.push(policy);
        self
    }

    /// Adds a purpose of system work.
    #[must_use]
    pub fn purpose(mut self, purpose: SystemPurpose) -> Self {
        self.purposes.push(purpose);
        self
    }

    /// Adds a kind of run, by its name.
    #[must_use]
    pub fn run_kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.run_kinds.push(kind.into());
        self
    }
}

/// All names that a process knows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Vec<Registration>>);

impl Default for Registry {
    /// A registry with the names of this crate only.
    fn default() -> Self {
        Self(Arc::new(vec![crate::registration::registration()]))
    }
}

impl Registry {
    /// Collects the registrations of a process's crates. This crate's own is always included and must not be given.
    ///
    /// # Errors
    /// [`RegistryError`]: a name or a crate that is registered twice, an action without a role, or a required crate
    /// that is missing.
    pub fn new(
        registrations: impl IntoIterator<Item = Registration>,
    ) -> Result<Self, RegistryError> {
        let own = crate::registration::registration();
        let all: Vec<Registration> = std::iter::once(own).chain(registrations).collect();
        unique("crate", &all, |one| vec![one.owner])?;
        unique("resource", &all, |one| {
            one.resources
                .iter()
                .map(|policy| policy.resource.as_str())
                .collect()
        })?;
        unique("system purpose", &all, |one| {
            one.purposes
                .iter()
                .map(|purpose| purpose.as_str())
                .collect()
        })?;
        unique("kind of run", &all, |one| {
            one.run_kinds.iter().map(AsRef::as_ref).collect()
        })?;
        for one in &all {
            for policy in &one.resources {
                policy.check(one.owner)?;
            }
            for needed in &one.requires {
                if !all.iter().any(|other| other.owner == *needed) {
                    return Err(RegistryError::Missing {
                        owner: one.owner,
                        needed,
                    });
                }
            }
        }
        Ok(Self(Arc::new(all)))
    }

    /// The policy: every resource with its actions, in the order of the registrations.
    pub fn policy(&self) -> impl Iterator<Item = &ResourcePolicy> {
        self.0.iter().flat_map(|one| &one.resources)
    }

    /// The lowest role for the action; `None` if it is refused for everybody.
    #[must_use]
    pub fn role_needed(&self, resource: Resource, action: Action) -> Option<Role> {
        self.policy_of(resource.as_str())?.role_needed(action)
    }

    /// Whether the action needs a session, so that no token may do it.
    #[must_use]
    pub fn session_needed(&self, resource: Resource, action: Action) -> bool {
        let policy = self.policy_of(resource.as_str());
        policy.is_some_and(|policy| policy.session_only.contains(&action))
    }

    /// The policy as text for people, one line per resource: `project: read VIEWER · create MEMBER · ...`.
    #[must_use]
    pub fn policy_text(&self) -> String {
        self.policy().map(|policy| format!("{policy}\n")).collect()
    }

    /// The kinds of runs, by their names.
    pub fn run_kinds(&self) -> impl Iterator<Item = &str> {
        let kinds = self.0.iter().flat_map(|one| &one.run_kinds);
        kinds.map(AsRef::as_ref)
    }

    /// Checks that the kind of run is registered.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], with the registered kinds.
    pub fn run_kind_check(&self, kind: &str) -> Result<(), RegistryError> {
        match self.run_kinds().any(|registered| registered == kind) {
            true => Ok(()),
            false => Err(unknown("kind of run", kind, self.run_kinds())),
        }
    }

    /// Checks that the purpose of system work is registered.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], with the registered purposes.
    pub fn purpose_check(&self, purpose: SystemPurpose) -> Result<(), RegistryError> {
        if self.purposes().any(|registered| registered == purpose) {
            return Ok(());
        }
        let registered = self.purposes().map(SystemPurpose::as_str);
        Err(unknown("system purpose", purpose.as_str(), registered))
    }

    /// Checks that the resource is registered.
    pub(crate) fn resource_check(&self, resource: Resource) -> Result<(), RegistryError> {
        if self.policy_of(resource.as_str()).is_some() {
            return Ok(());
        }
        let registered = self.policy().map(|policy| policy.resource.as_str());
        Err(unknown("resource", resource.as_str(), registered))
    }

    pub(crate) fn purposes(&self) -> impl Iterator<Item = SystemPurpose> {
        self.0.iter().flat_map(|one| one.purposes.iter().copied())
    }

    /// The id of an object in the form of the API: `project_01h...`. `None` if its kind is not registered, such as in
    /// an audit entry of another release.
    pub(crate) fn id_text(&self, resource: &str, id: Uuid) -> Option<String> {
        Some(id_format(self.policy_of(resource)?.id_prefix, id))
    }

    fn policy_of(&self, resource: &str) -> Option<&ResourcePolicy> {
        self.policy()
            .find(|policy| policy.resource.as_str() == resource)
    }
}

/// Checks that no name is registered twice.
fn unique(
    what: &'static str,
    all: &[Registration],
    names: impl Fn(&Registration) -> Vec<&str>,
) -> Result<(), RegistryError> {
    let mut owners: HashMap<&str, &'static str> = HashMap::new();
    for one in all {
        for name in names(one) {
            if let Some(first) = owners.insert(name, one.owner) {
                return Err(RegistryError::Duplicate {
                    what,
                    name: name.to_owned(),
                    owner: one.owner,
                    first,
                });
            }
        }
    }
    Ok(())
}

fn unknown<'a>(
    what: &'static str,
    name: &str,
    registered: impl Iterator<Item = &'a str>,
) -> RegistryError {
    RegistryError::Unknown {
        what,
        name: name.to_owned(),
        registered: registered.collect::<Vec<_>>().join(", "),
    }
}

/// Whether a name has 1 to 63 characters, lower-case letters, digits and underscores, and begins with a letter. It
/// appears in the audit log, and may be the prefix of an id, which has the same limit.
pub(crate) const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let fits = match bytes[at] {
            b'a'..=b'z' => true,
            b'0'..=b'9' | b'_' => at > 0,
            _ => false,
        };
        if !fits {
            return false;
        }
        at += 1;
    }
    at > 0 && at <= 63
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: Resource = Resource::new("thing");
    const LOOK: SystemPurpose = SystemPurpose::reads("thing_look");
    const READ: &[(Action, Role)] = &[(Action::Read, Role::Viewer)];

    fn one(owner: &'static str) -> Registration {
        Registration::new(owner)
    }

    fn thing(owner: &'static str) -> Registration {
        one(owner).resource(ResourcePolicy::new(THING, READ))
    }

    fn refusal(registrations: impl IntoIterator<Item = Registration>) -> String {
        Registry::new(registrations).unwrap_err().to_string()
    }

    #[test]
    fn the_own_names_pass_their_own_checks() {
        assert!(Registry::new([]).is_ok());
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused() {
        let twice = |first, second| refusal([first, second]);
        assert_eq!(
            twice(thing("a"), thing("b")),
            "b registers the resource `thing`, which a has already registered"
        );
        assert_eq!(
            twice(one("a").purpose(LOOK), one("b").purpose(LOOK)),
            "b registers the system purpose `thing_look`, which a has already registered"
        );
        assert_eq!(
            twice(one("a").run_kind("PAINT"), one("b").run_kind("PAINT")),
            "b registers the kind of run `PAINT`, which a has already registered"
        );
        assert_eq!(
            twice(one("a"), one("a")),
            "a registers the crate `a`, which a has already registered"
        );
        let of_this_crate = ResourcePolicy::new(Resource::new("tenant"), READ);
        assert_eq!(
            refusal([one("a").resource(of_this_crate)]),
            "a registers the resource `tenant`, which nyxcore-tenancy has already registered"
        );
    }

    #[test]
    fn an_action_without_a_role_is_refused() {
        let needs_session = ResourcePolicy::new(THING, READ).session_only(&[Action::Delete]);
        assert_eq!(
            refusal([one("a").resource(needs_session)]),
            "a names no role for the action `delete` on the resource `thing`"
        );
        let nothing = ResourcePolicy::new(THING, &[]);
        assert_eq!(
            refusal([one("a").resource(nothing)]),
            "a names no role for the action `read` on the resource `thing`"
        );
    }

    #[test]
    fn an_action_with_two_roles_is_refused() {
        let twice = &[(Action::Read, Role::Viewer), (Action::Read, Role::Owner)];
        assert_eq!(
            refusal([one("a").resource(ResourcePolicy::new(THING, twice))]),
            "a names two roles for the action `read` on the resource `thing`"
        );
    }

    #[test]
    fn a_crate_that_is_needed_and_missing_is_named() {
        assert_eq!(
            refusal([one("a").requires("b")]),
            "a needs the registration of b: add it to the registry"
        );
        assert!(Registry::new([one("a").requires("b"), one("b")]).is_ok());
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_are_known() {
        let registry = Registry::new([one("a").run_kind("PAINT").run_kind("SWEEP")]).unwrap();
        assert!(registry.run_kind_check("PAINT").is_ok());
        assert_eq!(
            registry.run_kind_check("PRINT").unwrap_err().to_string(),
            "the kind of run `PRINT` is not registered; registered are: PAINT, SWEEP"
        );
        assert!(registry.purpose_check(LOOK).is_err());
        assert!(registry.resource_check(THING).is_err());
    }

    #[test]
    fn a_purpose_under_a_registered_name_is_another_one() {
        let registry = Registry::new([one("a").purpose(LOOK)]).unwrap();
        assert!(registry.purpose_check(LOOK).is_ok());
        let writes = SystemPurpose::writes("thing_look");
        assert!(registry.purpose_check(writes).is_err());
    }

    #[test]
    fn names_are_short_snake_case() {
        for good in ["a", "own_membership", "oauth2"] {
            assert!(is_name(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "A", "2a", "_a", "a-b", "a b", "ä", long.as_str()] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
