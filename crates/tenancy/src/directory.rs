//! The directory: who belongs to which tenant, and which token speaks for whom.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, FromQueryResult, NotSet};
use uuid::Uuid;

use crate::entity::{api_token, membership, tenant, user};
use crate::error::{Error, Result};
use crate::model::{
    ApiToken, ApiTokenId, Caller, Credential, Membership, Role, Tenant, TenantId, User, UserId,
};
use crate::page::{Page, PageRequest};
use crate::policy::{Action, Resource};
use crate::repository::Repository;
use crate::store::{Access, Keyset, ReadWrite, Scoped, Store, SystemPurpose, SystemScope};
use crate::token::{API_TOKEN, token_id, token_matches, token_mint};

/// The topic of signals about what people and programs show: the subject is a token, a session or a user whose open streams are to be looked
/// at again.
pub const TOPIC_CREDENTIAL: &str = "credential";

/// How stale `last_used_at` may be: a token in steady use costs one write a minute and not one a request.
const LAST_USED_RESOLUTION: TimeDelta = TimeDelta::minutes(1);

/// API tokens of a tenant.
pub struct ApiTokens;

impl Repository for ApiTokens {
    type Entity = api_token::Entity;
    type Row = api_token::ActiveModel;
    type Record = ApiToken;
    type Id = ApiTokenId;
    const KEY: api_token::Column = api_token::Column::Id;
    fn id_of(record: &ApiToken) -> ApiTokenId {
        record.id
    }
}

/// Makes a tenant with its first owner, who may be known already by e-mail.
///
/// # Errors
/// [`Error::Invalid`] for a slug that is not lower-case letters, digits and hyphens, or an address without `@`;
/// [`Error::Conflict`] where the slug is taken.
pub async fn tenant_create(
    store: &Store,
    slug: &str,
    name: &str,
    owner_email: &str,
) -> Result<(Tenant, User)> {
    let system = store.system(SystemPurpose::TenantCreate).await?;
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
    let email = email_normalize(owner_email)?;
    let now = system.env().now();
    let tenant = system
        .insert(tenant::ActiveModel {
            id: Set(TenantId(system.env().id())),
            slug: Set(slug.to_owned()),
            name: Set(name.to_owned()),
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
    Ok((tenant.into(), owner.into()))
}

/// The tenant with that slug.
///
/// # Errors
/// The database fails.
pub async fn tenant_by_slug(store: &Store, slug: &str) -> Result<Option<Tenant>> {
    let system = store.system(SystemPurpose::DirectoryRead).await?;
    let found = system
        .find::<tenant::Entity>(tenant::Column::Slug.eq(slug))
        .await?;
    Ok(found.into_iter().next().map(Into::into))
}

/// The person with that e-mail address, in any case, whichever tenants they belong to: for an operator, never for a client.
///
/// # Errors
/// [`Error::Invalid`] for what is no address.
pub async fn user_by_email(store: &Store, email: &str) -> Result<Option<User>> {
    let email = email_normalize(email)?;
    let system = store.system(SystemPurpose::DirectoryRead).await?;
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
    let system = store.system(SystemPurpose::DirectoryRead).await?;
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
/// [`Error::NotFound`] where it was deleted meanwhile.
pub async fn tenant_current<A: Access>(scoped: &Scoped<A>) -> Result<Tenant> {
    // `tenants` has no `tenant_id`: its own id is the tenant. A tenant always has a member, its owner.
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

/// The members among those ids: users of other tenants are not found.
///
/// # Errors
/// The database fails.
pub async fn users_by_id<A: Access>(scoped: &Scoped<A>, ids: &[UserId]) -> Result<Vec<User>> {
    let all: Vec<user::Model> = scoped
        .sql_all(
            "SELECT u.id, u.email, u.name, u.created_at FROM users u JOIN memberships m ON m.user_id = u.id WHERE m.tenant_id = $1",
            [],
        )
        .await?;
    Ok(all
        .into_iter()
        .filter(|u| ids.contains(&u.id))
        .map(Into::into)
        .collect())
}

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

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do at the most.
    pub role: Role,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a token and returns its full text, which is not kept and cannot be had again.
///
/// # Errors
/// [`Error::NotFound`] where the user is no member; [`Error::Forbidden`] where the role is higher than the member's;
/// [`Error::Invalid`] for an empty name or an expiry that has passed.
pub async fn api_token_create(
    scoped: &Scoped<ReadWrite>,
    new: NewApiToken,
) -> Result<(ApiToken, String)> {
    let now = scoped.env().now();
    let id = ApiTokenId(scoped.env().id());
    scoped.permit(Action::Create, Resource::OwnApiToken, id.0)?;
    if let Some(caller) = scoped.caller() {
        if caller.user != new.user {
            return Err(Error::NotFound("user"));
        }
        if !caller.role.includes(new.role) {
            return Err(Error::Forbidden(new.role.as_str()));
        }
    }
    if new.name.trim().is_empty() {
        return Err(Error::Invalid("a token needs a name".into()));
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::Invalid("the expiry has already passed".into()));
    }
    let member = scoped
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(new.user))
        .one()
        .await?
        .ok_or(Error::NotFound("user"))?;
    if !member.role.includes(new.role) {
        return Err(Error::Forbidden(new.role.as_str()));
    }
    let minted = token_mint(API_TOKEN, id.0)?;
    let record = ApiTokens::insert(
        scoped,
        api_token::ActiveModel {
            id: Set(id),
            tenant_id: NotSet,
            user_id: Set(new.user),
            name: Set(new.name.trim().to_owned()),
            prefix: Set(minted.prefix),
            secret_hash: Set(minted.hash),
            role: Set(new.role),
            created_at: Set(now),
            expires_at: Set(new.expires_at),
            last_used_at: Set(None),
            revoked_at: Set(None),
        },
    )
    .await?;
    Ok((record, minted.text))
}

/// The tokens that the caller may see: one's own, and for who may read anybody's all of them.
fn api_tokens_visible<A: Access>(scoped: &Scoped<A>) -> Condition {
    let own = scoped
        .caller()
        .filter(|_| {
            scoped
                .permit(Action::Read, Resource::ApiToken, None)
                .is_err()
        })
        .map(|caller| api_token::Column::UserId.eq(caller.user));
    Condition::all().add_option(own)
}

/// One page of the tokens that were made, newest first: one's own, and for owners and admins everybody's.
///
/// # Errors
/// The database fails.
pub async fn api_token_list<A: Access>(
    scoped: &Scoped<A>,
    page: &PageRequest,
) -> Result<Page<ApiToken>> {
    ApiTokens::list(scoped, api_tokens_visible(scoped), page).await
}

/// How many tokens [`api_token_list`] would give in all.
///
/// # Errors
/// The database fails.
pub async fn api_token_count<A: Access>(scoped: &Scoped<A>) -> Result<u64> {
    ApiTokens::count(scoped, api_tokens_visible(scoped)).await
}

/// Revokes a token, from this commit on, also on streams that are open: one's own, or as an owner or admin anybody's. Revoking twice is no
/// error and keeps the first time.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`].
pub async fn api_token_revoke(scoped: &Scoped<ReadWrite>, id: ApiTokenId) -> Result<ApiToken> {
    scoped.permit(Action::Delete, Resource::OwnApiToken, id.0)?;
    let token = ApiTokens::require(scoped, id).await?;
    if scoped
        .caller()
        .is_some_and(|caller| caller.user != token.user_id)
    {
        scoped.permit(Action::Delete, Resource::ApiToken, id.0)?;
    }
    let revoked = api_token::ActiveModel {
        revoked_at: Set(Some(scoped.env().now())),
        ..Default::default()
    };
    let which = Condition::all()
        .add(api_token::Column::Id.eq(id))
        .add(api_token::Column::RevokedAt.is_null());
    scoped.update(which, revoked).await?;
    scoped.announce(TOPIC_CREDENTIAL, id.0).await?;
    ApiTokens::require(scoped, id).await
}

#[derive(FromQueryResult)]
struct TokenRow {
    tenant_id: Uuid,
    user_id: Uuid,
    secret_hash: Vec<u8>,
    token_role: Role,
    member_role: Role,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

/// Finds out who shows this token. `None` where it is malformed, unknown, expired, revoked, or its owner is no member any more.
///
/// # Errors
/// The database fails.
pub async fn token_authenticate(store: &Store, token: &str) -> Result<Option<Caller>> {
    let Some(id) = token_id(API_TOKEN, token).map(ApiTokenId) else {
        return Ok(None);
    };
    let system = store.system(SystemPurpose::TokenAuthenticate).await?;
    let rows: Vec<TokenRow> = system
        .sql_all(
            "SELECT t.tenant_id, t.user_id, t.secret_hash, t.role AS token_role, m.role AS member_role, t.expires_at, t.last_used_at
             FROM api_tokens t JOIN memberships m ON m.tenant_id = t.tenant_id AND m.user_id = t.user_id
             WHERE t.id = $1 AND t.revoked_at IS NULL",
            [id.0.into()],
        )
        .await?;
    drop(system);
    let Some(row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let now = store.env().now();
    if !token_matches(token, &row.secret_hash) || row.expires_at.is_some_and(|at| at <= now) {
        return Ok(None);
    }
    let caller = Caller {
        tenant: TenantId(row.tenant_id),
        user: UserId(row.user_id),
        role: row.token_role.min(row.member_role),
        credential: Credential::Token(id),
    };
    if row
        .last_used_at
        .is_none_or(|at| now - at >= LAST_USED_RESOLUTION)
    {
        let scoped = store.write(caller.tenant).await?;
        let used = api_token::ActiveModel {
            last_used_at: Set(Some(now)),
            ..Default::default()
        };
        scoped.update(api_token::Column::Id.eq(id), used).await?;
        scoped.commit().await?;
    }
    Ok(Some(caller))
}

/// A slug: 1 to 63 lower-case letters, digits and hyphens, beginning and ending with a letter or digit.
///
/// # Errors
/// [`Error::Invalid`] says the rule.
pub fn slug_check(slug: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = (1..=63).contains(&slug.len())
        && slug.chars().all(|c| plain(c) || c == '-')
        && slug.starts_with(plain)
        && slug.ends_with(plain);
    if good {
        Ok(())
    } else {
        Err(Error::Invalid(
            "a slug is 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends".into(),
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
    slug.truncate(63);
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "project" } else { slug }.to_owned()
}

/// The address as accounts are known by: trimmed and in lower case.
///
/// # Errors
/// [`Error::Invalid`] for what is no address.
pub(crate) fn email_normalize(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    match email.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@') => {
            Ok(email)
        }
        _ => Err(Error::Invalid(
            "an e-mail address has a name and a host: name@example.org".into(),
        )),
    }
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
