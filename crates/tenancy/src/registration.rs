//! The entries of this crate in the [registry](crate::Registry): the resources of an empty tenant, and the system
//! purposes of sign-in, the audit log and sealed secrets.

use crate::registry::Registration;

/// The resources that every tenant has.
pub mod resource {
    use crate::model::{ApiTokenId, UserId};
    use crate::policy::{Action::*, Resource, ResourcePolicy};
    use crate::{Role::*, TypedId};

    /// The tenant itself, such as its name.
    pub const TENANT: Resource = Resource::new("tenant");
    /// Other users' memberships.
    pub const MEMBER: Resource = Resource::new("member");
    /// The caller's own membership.
    pub const OWN_MEMBERSHIP: Resource = Resource::new("own_membership");
    /// Invitations.
    pub const INVITATION: Resource = Resource::new("invitation");
    /// Any user's API tokens.
    pub const API_TOKEN: Resource = Resource::new("api_token");
    /// The caller's own API tokens.
    pub const OWN_API_TOKEN: Resource = Resource::new("own_api_token");
    /// The audit log.
    pub const AUDIT_LOG: Resource = Resource::new("audit_log");

    pub(super) const POLICIES: &[ResourcePolicy] = &[
        ResourcePolicy::new(
            TENANT,
            &[(Read, Viewer), (Update, Admin), (Transfer, Owner)],
        ),
        ResourcePolicy::new(MEMBER, &[(Read, Viewer), (Update, Admin), (Delete, Admin)])
            .id_prefix(UserId::PREFIX),
        // These actions decide to which tenants a user belongs. A token is for work in one tenant: a token that could
        // leave the tenant or join another would exceed its role.
        ResourcePolicy::new(
            OWN_MEMBERSHIP,
            &[(Read, Viewer), (Create, Viewer), (Delete, Viewer)],
        )
        .session_only(&[Create, Delete])
        .id_prefix(UserId::PREFIX),
        ResourcePolicy::new(
            INVITATION,
            &[(Read, Admin), (Create, Admin), (Delete, Admin)],
        ),
        ResourcePolicy::new(API_TOKEN, &[(Read, Admin), (Delete, Admin)])
            .id_prefix(ApiTokenId::PREFIX),
        ResourcePolicy::new(
            OWN_API_TOKEN,
            &[(Read, Viewer), (Create, Member), (Delete, Member)],
        )
        .id_prefix(ApiTokenId::PREFIX),
        ResourcePolicy::new(AUDIT_LOG, &[(Read, Admin)]),
    ];
}

/// The purposes for which this crate works across tenants.
pub mod purpose {
    use crate::store::SystemPurpose;

    /// An operator creates a tenant with its owner.
    pub const TENANT_CREATE: SystemPurpose = SystemPurpose::writes("tenant_create").for_client();
    /// Finds a tenant by its slug, or a user's tenants.
    pub const DIRECTORY_READ: SystemPurpose = SystemPurpose::reads("directory_read").for_client();
    /// Identifies the owner of a token.
    pub const TOKEN_AUTHENTICATE: SystemPurpose =
        SystemPurpose::reads("token_authenticate").for_client();
    /// Identifies the user of a session.
    pub const SESSION_AUTHENTICATE: SystemPurpose =
        SystemPurpose::reads("session_authenticate").for_client();
    /// Stores that a session was used, once a minute.
    pub const SESSION_SEEN: SystemPurpose = SystemPurpose::writes("session_seen");
    /// A user signs in or out, changes a password, or creates an account.
    pub const SIGN_IN: SystemPurpose = SystemPurpose::writes("sign_in").for_client();
    /// A person reads an invitation.
    pub const INVITATION_LOOK: SystemPurpose = SystemPurpose::reads("invitation_look").for_client();
    /// A person accepts an invitation.
    pub const INVITATION_ACCEPT: SystemPurpose =
        SystemPurpose::writes("invitation_accept").for_client();
    /// Records the use of system scopes, and deletes old entries.
    pub const AUDIT_KEEP: SystemPurpose = SystemPurpose::writes("audit_keep");
    /// Re-encrypts secrets with another master key.
    pub const SECRET_ROTATE: SystemPurpose = SystemPurpose::writes("secret_rotate");
    /// Reads a secret of the operator, which is for all tenants.
    pub const OPERATOR_SECRET_READ: SystemPurpose = SystemPurpose::reads("operator_secret_read");
    /// The operator stores or removes a secret.
    pub const OPERATOR_SECRET_SET: SystemPurpose = SystemPurpose::writes("operator_secret_set");

    pub(super) const PURPOSES: &[SystemPurpose] = &[
        TENANT_CREATE,
        DIRECTORY_READ,
        TOKEN_AUTHENTICATE,
        SESSION_AUTHENTICATE,
        SESSION_SEEN,
        SIGN_IN,
        INVITATION_LOOK,
        INVITATION_ACCEPT,
        AUDIT_KEEP,
        SECRET_ROTATE,
        OPERATOR_SECRET_READ,
        OPERATOR_SECRET_SET,
    ];
}

/// The registration of this crate, which is in every registry.
pub(crate) fn registration() -> Registration {
    let own = Registration::new(env!("CARGO_PKG_NAME"));
    let own = resource::POLICIES
        .iter()
        .copied()
        .fold(own, Registration::resource);
    purpose::PURPOSES
        .iter()
        .copied()
        .fold(own, Registration::purpose)
}
