//! The policy: which role may perform which action on which kind of object.
//!
//! Each crate registers its [`Resource`]s with a [`ResourcePolicy`] in the [`Registry`], which is the only source of
//! the policy. A service checks it through its scope, [`Scoped::permit`](crate::Scoped::permit), before it changes
//! anything; its callers make no policy decisions. Unregistered actions are refused for everybody. Reads are not
//! checked row by row: a viewer reads everything of the tenant, except for the few resources whose policy requires
//! more.
//!
//! A token has the rights of its role in its tenant. Actions on the user's account do not belong to a tenant, and
//! require a session: [`ResourcePolicy::session_only`].

use std::fmt;

use crate::error::{Error, Result};
use crate::model::{Caller, Credential, Role};
use crate::registry::{Registry, RegistryError, is_name};

/// A kind of object in a tenant, by its name in the audit log, such as `project`. The crate that owns the objects
/// declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource(&'static str);

impl Resource {
    /// The kind of object with this name.
    ///
    /// # Panics
    /// If the name is not 1 to 63 lower-case letters, digits and underscores that begin with a letter. A constant
    /// panics at compile time.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        assert!(is_name(name), "a resource's name is in snake_case");
        Self(name)
    }

    /// The name in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The policy of a resource: the role that each action needs. Higher roles include it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourcePolicy {
    /// The resource.
    pub resource: Resource,
    /// Each permitted action, with the lowest role for it.
    pub actions: &'static [(Action, Role)],
    /// The actions that need a session, whatever the role.
    pub session_only: &'static [Action],
    /// The prefix of the objects' ids in the API.
    pub id_prefix: &'static str,
}

impl ResourcePolicy {
    /// The policy of a resource whose id prefix is its name.
    #[must_use]
    pub const fn new(resource: Resource, actions: &'static [(Action, Role)]) -> Self {
        Self {
            resource,
            actions,
            session_only: &[],
            id_prefix: resource.0,
        }
    }

    /// Forbids these actions to API tokens.
    #[must_use]
    pub const fn session_only(mut self, actions: &'static [Action]) -> Self {
        self.session_only = actions;
        self
    }

    /// Sets the prefix of the objects' ids.
    #[must_use]
    pub const fn id_prefix(mut self, prefix: &'static str) -> Self {
        self.id_prefix = prefix;
        self
    }

    /// The lowest role for the action; `None` if it is refused for everybody.
    #[must_use]
    pub fn role_needed(&self, action: Action) -> Option<Role> {
        let (_, role) = self.actions.iter().find(|(listed, _)| *listed == action)?;
        Some(*role)
    }

    /// Checks that there is at least one action, and that each is listed once and has a role.
    pub(crate) fn check(&self, owner: &'static str) -> Result<(), RegistryError> {
        let resource = self.resource.as_str();
        let mut listed: Vec<Action> = self.actions.iter().map(|(action, _)| *action).collect();
        listed.sort_unstable();
        if let Some(twice) = listed.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(RegistryError::TwoRoles {
                owner,
                resource,
                action: twice[0].as_str(),
            });
        }
        let needed = self.session_only.iter().copied();
        let without = match self.actions.is_empty() {
            true => Some(Action::Read),
            false => needed.into_iter().find(|action| !listed.contains(action)),
        };
        match without {
            None => Ok(()),
            Some(action) => Err(RegistryError::WithoutRole {
                owner,
                resource,
                action: action.as_str(),
            }),
        }
    }
}

impl fmt::Display for ResourcePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.resource.as_str())?;
        for (number, (action, role)) in self.actions.iter().enumerate() {
            let separator = if number == 0 { "" } else { " · " };
            write!(f, "{separator}{} {}", action.as_str(), role.as_str())?;
            if self.session_only.contains(action) {
                f.write_str(" with a session")?;
            }
        }
        Ok(())
    }
}

/// An action on an object.
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

impl Action {
    /// The name in the audit log.
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

impl Caller {
    /// The error for a caller without the required role. A user with a weaker token learns that the token is the
    /// reason.
    pub(crate) fn refusal(&self, needed: &'static str) -> Error {
        match self.credential {
            Credential::Token(_) => Error::TokenForbidden {
                role: self.role.as_str(),
                needed,
            },
            Credential::Session(_) => Error::Forbidden(needed),
        }
    }
}

impl Registry {
    /// Checks whether the caller may do this, by role and by credential.
    ///
    /// # Errors
    /// [`Error::SessionNeeded`]; [`Error::Forbidden`] or [`Error::TokenForbidden`], with the required role.
    pub(crate) fn caller_check(
        &self,
        caller: &Caller,
        resource: Resource,
        action: Action,
    ) -> Result<()> {
        self.credential_check(caller.credential, resource, action)?;
        match self.role_check(caller.role, resource, action) {
            Err(Error::Forbidden(needed)) => Err(caller.refusal(needed)),
            checked => checked,
        }
    }

    /// Checks whether a credential of that kind may do this.
    ///
    /// # Errors
    /// [`Error::SessionNeeded`].
    pub(crate) fn credential_check(
        &self,
        credential: Credential,
        resource: Resource,
        action: Action,
    ) -> Result<()> {
        match credential {
            Credential::Token(_) if self.session_needed(resource, action) => {
                Err(Error::SessionNeeded)
            }
            Credential::Token(_) | Credential::Session(_) => Ok(()),
        }
    }

    /// Checks whether the role may do this.
    ///
    /// # Errors
    /// [`Error::Forbidden`], with the required role.
    pub(crate) fn role_check(&self, role: Role, resource: Resource, action: Action) -> Result<()> {
        match self.role_needed(resource, action) {
            Some(needed) if role.includes(needed) => Ok(()),
            Some(needed) => Err(Error::Forbidden(needed.as_str())),
            None => Err(Error::Forbidden("a permission that no role has")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::resource::{AUDIT_LOG, OWN_MEMBERSHIP};

    #[test]
    fn a_token_of_any_role_does_not_change_the_membership() {
        use uuid::Uuid;
        let caller = |credential| Caller {
            tenant: crate::TenantId(Uuid::nil()),
            user: crate::UserId(Uuid::nil()),
            role: Role::Owner,
            credential,
        };
        let policy = Registry::default();
        let token = caller(Credential::Token(crate::ApiTokenId(Uuid::nil())));
        let session = caller(Credential::Session(crate::SessionId(Uuid::nil())));
        for action in [Action::Create, Action::Delete] {
            let refused = policy.caller_check(&token, OWN_MEMBERSHIP, action);
            assert_eq!(refused.unwrap_err().code(), "FORBIDDEN");
            assert!(
                policy
                    .caller_check(&session, OWN_MEMBERSHIP, action)
                    .is_ok()
            );
        }
        let read = policy.caller_check(&token, OWN_MEMBERSHIP, Action::Read);
        assert!(read.is_ok());
    }

    #[test]
    fn what_is_not_registered_nobody_may_do() {
        let policy = Registry::default();
        for resource in [AUDIT_LOG, Resource::new("nothing_of_ours")] {
            let refused = policy.role_check(Role::Owner, resource, Action::Delete);
            assert_eq!(refused.unwrap_err().code(), "FORBIDDEN");
        }
    }
}
