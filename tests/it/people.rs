//! The members of a tenant: joining, permissions, leaving, and shared work.

mod invitations;
mod members;
mod story;

use nyxcore_tenancy::people::{NewInvitation, invitation_accept, invitation_create};
use nyxcore_tenancy::{
    Acting, Caller, Credential, Invitation, Origin, Role, SessionId, Store, Tenant, TenantId,
    UserId, directory,
};

/// A caller with that role, as if signed in with a session.
fn acting(store: &Store, tenant: TenantId, user: UserId, role: Role) -> Acting {
    let caller = Caller {
        tenant,
        user,
        role,
        credential: Credential::Session(SessionId(store.env().id())),
    };
    Acting::new(caller, Origin::default())
}

/// A person with an account and a tenant of their own.
async fn person(store: &Store, name: &str) -> UserId {
    let email = format!("{name}@example.org");
    let home = format!("home-of-{name}");
    let made = directory::tenant_create(store, &home, &home, &email).await;
    made.unwrap().1.id
}

/// Invites an address as the program itself.
pub(crate) async fn invite(
    store: &Store,
    tenant: &Tenant,
    email: &str,
    role: Role,
) -> (Invitation, String) {
    let scoped = store.write(tenant.id).await.unwrap();
    let new = NewInvitation {
        email: email.into(),
        role,
    };
    let made = invitation_create(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    made
}

pub(crate) async fn accept(
    store: &Store,
    secret: &str,
    user: UserId,
) -> nyxcore_tenancy::Result<Role> {
    let origin = Origin::default();
    let session = Credential::Session(SessionId(store.env().id()));
    let joined = invitation_accept(store, secret, (user, session), &origin).await?;
    Ok(joined.membership.role)
}

/// Adds a new person to the tenant, with that role.
async fn member(store: &Store, tenant: &Tenant, name: &str, role: Role) -> UserId {
    let user = person(store, name).await;
    let (_, secret) = invite(store, tenant, &format!("{name}@example.org"), role).await;
    assert_eq!(accept(store, &secret, user).await.unwrap(), role);
    user
}

/// The role of a member.
pub(crate) async fn role_of(store: &Store, tenant: &Tenant, user: UserId) -> Option<Role> {
    let memberships = directory::user_memberships(store, user).await.unwrap();
    let found = memberships.into_iter().find(|(t, _)| t.id == tenant.id);
    found.map(|(_, membership)| membership.role)
}
