//! The directory: tenants and their members.

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, DbBackend};

use crate::actor::{Origin, Step};
pub use crate::api_token::{
    ApiTokenList, ApiTokens, NewApiToken, TokenOwner, api_token_count, api_token_create,
    api_token_list, api_token_revoke, credential_uses_flush, token_authenticate, token_identify,
    token_look,
};
use crate::audit;
use crate::entity::{membership, tenant, user};
use crate::error::{Error, Result};
use crate::model::{Membership, Role, Tenant, TenantId, User, UserId};
use crate::page::{Page, PageRequest};
use crate::policy::Action;
use crate::registration::{purpose, resource};
use crate::root_list;
use crate::store::{Access, Keyset, ReadWrite, Scoped, Store, SystemScope};
use crate::text;

/// The topic of signals about credentials: the subject is a token, a session or a user whose open streams must be
/// checked again.
pub const TOPIC_CREDENTIAL: &str = "credential";

/// Creates a tenant with its first owner, who may already have an account.
///
/// # Errors
/// [`Error::Invalid`] for a slug that is not lower-case letters, digits and hyphens, an invalid name, or an invalid
/// address; [`Error::Conflict`] if the slug is taken.
pub async fn tenant_create(
    store: &Store,
    slug: &str,
    name: &str,
    owner_email: &str,
) -> Result<(Tenant, User)> {
    let system = store.system(purpose::TENANT_CREATE).await?;
    let made = tenant_insert(&system, slug, name, owner_email).await?;
    system.commit().await?;
    Ok(made)
}

/// See [`tenant_create`].
pub(crate) async fn tenant_insert(
    system: &SystemScope,
    slug: &str,
    name: &str,
    owner_email: &str,
) -> Result<(Tenant, User)> {
    slug_check(slug)?;
    let name = text::name("the tenant's name", name)?;
    let email = text::email_sought(owner_email)?;
    let now = system.env().now();
    let tenant = system
        .insert(tenant::ActiveModel {
            id: Set(TenantId(system.env().id())),
            slug: Set(slug.to_owned()),
            name: Set(name),
            created_at: Set(now),
        })
        .await
        .map_err(|e| e.conflict_as("a tenant with this slug"))?;
    let known = system
        .find::<user::Entity>(user::Column::Email.eq(&email))
        .await?;
    let owner = match known.into_iter().next() {
        Some(owner) => owner,
        None => {
            let email = text::email(owner_email)?;
            let name = email.split('@').next().unwrap_or_default().to_owned();
            system
                .insert(user::ActiveModel {
                    id: Set(UserId(system.env().id())),
                    email: Set(email),
                    name: Set(name),
                    created_at: Set(now),
                })
                .await?
        }
    };
    system
        .insert(membership::ActiveModel {
            tenant_id: Set(tenant.id),
            user_id: Set(owner.id),
            role: Set(Role::Owner),
            created_at: Set(now),
        })
        .await?;
    let step = Step {
        action: Action::Create,
        resource: resource::TENANT,
        subject: Some(tenant.id.0),
        detail: None,
    };
    let origin = Origin::default();
    let entry = audit::entry_by_system(system.env(), tenant.id, Some(owner.id), &origin, step);
    system.audit(entry).await?;
    Ok((tenant.into(), owner.into()))
}

/// Every tenant, oldest first: for an operator, never for a client.
///
/// # Errors
/// The database fails.
pub async fn tenant_list(store: &Store) -> Result<Vec<Tenant>> {
    let system = store.system(purpose::DIRECTORY_READ).await?;
    let found = system.find::<tenant::Entity>(Condition::all()).await?;
    let mut tenants: Vec<Tenant> = found.into_iter().map(Into::into).collect();
    tenants.sort_by_key(|tenant| tenant.id);
    Ok(tenants)
}

/// Every person with an account, by e-mail address, and the tenants that each belongs to with the role there: for an
/// operator, never for a client.
///
/// # Errors
/// The database fails.
pub async fn user_list(store: &Store) -> Result<Vec<(User, Vec<(TenantId, Role)>)>> {
    let system = store.system(purpose::DIRECTORY_READ).await?;
    let found = system.find::<user::Entity>(Condition::all()).await?;
    let memberships = system.find::<membership::Entity>(Condition::all()).await?;
    let mut tenants: HashMap<UserId, Vec<(TenantId, Role)>> = HashMap::new();
    for one in memberships {
        let of_user = tenants.entry(one.user_id).or_default();
        of_user.push((one.tenant_id, one.role));
    }
    let mut users: Vec<_> = found
        .into_iter()
        .map(|user| {
            (
                tenants.remove(&user.id).unwrap_or_default(),
                User::from(user),
            )
        })
        .map(|(tenants, user)| (user, tenants))
        .collect();
    users.sort_by(|(a, _), (b, _)| a.email.cmp(&b.email));
    Ok(users)
}

/// The tenant with that slug.
///
/// # Errors
/// The database fails.
pub async fn tenant_by_slug(store: &Store, slug: &str) -> Result<Option<Tenant>> {
    // A malformed slug belongs to no tenant. It is not sent to the database, which may not be able to store the text.
    if slug_check(slug).is_err() {
        return Ok(None);
    }
    let system = store.system(purpose::DIRECTORY_READ).await?;
    let found = system
        .find::<tenant::Entity>(tenant::Column::Slug.eq(slug))
        .await?;
    Ok(found.into_iter().next().map(Into::into))
}

/// The user with that e-mail address, in any case, in any tenant: for an operator, never for a client.
///
/// # Errors
/// [`Error::Invalid`] for an invalid address.
pub async fn user_by_email(store: &Store, email: &str) -> Result<Option<User>> {
    let email = text::email_sought(email)?;
    let system = store.system(purpose::DIRECTORY_READ).await?;
    let found = system
        .find::<user::Entity>(user::Column::Email.eq(&email))
        .await?;
    Ok(found.into_iter().next().map(Into::into))
}

/// The tenants a user belongs to, with the role in each.
///
/// # Errors
/// The database fails.
pub async fn user_memberships(store: &Store, user: UserId) -> Result<Vec<(Tenant, Membership)>> {
    let system = store.system(purpose::DIRECTORY_READ).await?;
    let memberships = system
        .find::<membership::Entity>(membership::Column::UserId.eq(user))
        .await?;
    let ids = memberships.iter().map(|m| m.tenant_id);
    let tenants = system
        .find::<tenant::Entity>(tenant::Column::Id.is_in(ids))
        .await?;
    let mut both: Vec<(Tenant, Membership)> = memberships
        .into_iter()
        .filter_map(|m| {
            let tenant = tenants.iter().find(|t| t.id == m.tenant_id)?.clone();
            Some((tenant.into(), m.into()))
        })
        .collect();
    both.sort_by(|a, b| a.0.slug.cmp(&b.0.slug));
    Ok(both)
}

/// The scope's own tenant.
///
/// # Errors
/// [`Error::NotFound`] if it was deleted meanwhile.
pub async fn tenant_current<A: Access>(scoped: &Scoped<A>) -> Result<Tenant> {
    // `tenants` has no `tenant_id`, so the tenant is selected by its members. A tenant always has one, its owner.
    let rows: Vec<tenant::Model> = scoped
        .sql_all(
            "SELECT t.id, t.slug, t.name, t.created_at FROM tenants t JOIN (SELECT DISTINCT tenant_id FROM memberships WHERE tenant_id = $1) m ON t.id = m.tenant_id",
            [],
        )
        .await?;
    rows.into_iter()
        .next()
        .map(Into::into)
        .ok_or(Error::NotFound("tenant"))
}

/// Renames the scope's own tenant.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`] for an invalid name.
pub async fn tenant_rename(scoped: &Scoped<ReadWrite>, name: &str) -> Result<Tenant> {
    scoped.permit(Action::Update, resource::TENANT, scoped.tenant().0)?;
    let name = text::name("the tenant's name", name)?;
    // As in `tenant_current`, the tenant is selected by its members.
    scoped
        .sql_execute(
            "UPDATE tenants SET name = $2 WHERE id IN (SELECT m.tenant_id FROM memberships m WHERE m.tenant_id = $1)",
            [name.into()],
        )
        .await?;
    tenant_current(scoped).await
}

/// The members among those ids: users of other tenants are not found.
///
/// # Errors
/// The database fails.
pub async fn users_by_id<A: Access>(scoped: &Scoped<A>, ids: &[UserId]) -> Result<Vec<User>> {
    // All ids are bound as one value. Both statements start from the ids, so that the cost does not depend on the
    // number of the tenant's members.
    let sql = match scoped.backend() {
        DbBackend::Postgres => {
            "SELECT u.id, u.email, u.name, u.created_at FROM users u JOIN memberships m ON m.user_id = u.id
             WHERE m.tenant_id = $1 AND u.id IN (SELECT value::uuid FROM json_array_elements_text($2::json))"
        }
        _ => {
            "SELECT u.id, u.email, u.name, u.created_at FROM users u JOIN memberships m ON m.user_id = u.id
             WHERE m.tenant_id = $1 AND u.id IN (SELECT unhex(value) FROM json_each($2))"
        }
    };
    let ids: Vec<String> = ids.iter().map(|id| id.0.simple().to_string()).collect();
    let ids = serde_json::Value::from(ids).to_string();
    let found: Vec<user::Model> = scoped.sql_all(sql, [ids.into()]).await?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// The tenant's members, as [`membership_list`] reads them.
#[derive(Debug, Clone, Copy)]
pub struct MembershipList;

root_list! { MembershipList => Membership: membership_list, membership_count }

/// One page of the tenant's members.
///
/// # Errors
/// The database fails.
pub async fn membership_list<A: Access>(
    scoped: &Scoped<A>,
    page: &PageRequest,
) -> Result<Page<Membership>> {
    let page = scoped
        .find::<membership::Entity>()
        .page(Keyset::ascending(membership::Column::UserId), page)
        .await?;
    Ok(page.map(Into::into))
}

/// How many members the tenant has.
///
/// # Errors
/// The database fails.
pub async fn membership_count<A: Access>(scoped: &Scoped<A>) -> Result<u64> {
    scoped.find::<membership::Entity>().count().await
}

/// Checks a slug: 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.
///
/// # Errors
/// [`Error::Invalid`] with the rule.
pub fn slug_check(slug: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = (text::SLUG.min..=text::SLUG.max).contains(&slug.len())
        && slug.chars().all(|c| plain(c) || c == '-')
        && slug.starts_with(plain)
        && slug.ends_with(plain);
    if good {
        Ok(())
    } else {
        Err(Error::Invalid(
            "a slug must have 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends".into(),
        ))
    }
}

/// The slug that a name suggests: `Tom & Jerry!` becomes `tom-jerry`.
pub fn slug_from(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(text::SLUG.max);
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "project" } else { slug }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_the_name_its_slug_is_valid(name in ".{0,200}") {
            prop_assert!(slug_check(&slug_from(&name)).is_ok());
        }
    }

    #[test]
    fn a_slug_with_a_space_or_a_hyphen_at_its_end_is_refused() {
        for slug in ["", "a b", "-a", "a-", "A", "ä"] {
            assert!(slug_check(slug).is_err(), "{slug}");
        }
    }
}
