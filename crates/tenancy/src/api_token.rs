//! API tokens: credentials for programs that act on behalf of a user.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, FromQueryResult, NotSet};
use uuid::Uuid;

use crate::directory::TOPIC_CREDENTIAL;
use crate::entity::{api_token, membership};
use crate::error::{Error, Result};
use crate::model::{ApiToken, ApiTokenId, Caller, Credential, Role, TenantId, UserId};
use crate::page::{Page, PageRequest};
use crate::policy::Action;
use crate::registration::{purpose, resource};
use crate::repository;
use crate::repository::Repository;
use crate::root_list;
use crate::sign_in::sessions_seen;
use crate::store::{Access, CredentialKey, CredentialOwner, ReadWrite, Scoped, Store, is_new_use};
use crate::text;
use crate::token::{API_TOKEN, token_id, token_matches, token_mint};

repository! {
    /// API tokens of a tenant.
    pub ApiTokens: api_token => ApiToken, Id = id: ApiTokenId
}

/// The parameters of a new token.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// The user that the token acts for.
    pub user: UserId,
    /// The name that its owner gives it.
    pub name: String,
    /// The role of the token, at most the user's.
    pub role: Role,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Creates a token and returns its full text, which is not stored and cannot be shown again.
///
/// # Errors
/// [`Error::NotFound`] if the user is not a member; [`Error::Forbidden`] if the role is higher than the member's;
/// [`Error::Invalid`] for an invalid name, and for an expiry in the past or out of the databases' range.
pub async fn api_token_create(
    scoped: &Scoped<ReadWrite>,
    new: NewApiToken,
) -> Result<(ApiToken, String)> {
    let now = scoped.env().now();
    let id = ApiTokenId(scoped.env().id());
    scoped.permit(Action::Create, resource::OWN_API_TOKEN, id.0)?;
    if let Some(caller) = scoped.caller() {
        if caller.user != new.user {
            return Err(Error::NotFound("user"));
        }
        if !caller.role.includes(new.role) {
            return Err(caller.refusal(new.role.as_str()));
        }
    }
    let name = text::name("the token's name", &new.name)?;
    if let Some(at) = new.expires_at {
        text::time("the expiry", at)?;
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::Invalid("the time of expiry is in the past".into()));
    }
    outliving_check(scoped, new.expires_at).await?;
    let role = member_role(scoped, new.user).await?;
    let role = role.ok_or(Error::NotFound("user"))?;
    if !role.includes(new.role) {
        return Err(Error::Forbidden(new.role.as_str()));
    }
    let minted = token_mint(API_TOKEN, id.0)?;
    let record = ApiTokens::insert(
        scoped,
        api_token::ActiveModel {
            id: Set(id),
            tenant_id: NotSet,
            user_id: Set(new.user),
            name: Set(name),
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

/// A token cannot create a token that outlives it.
async fn outliving_check(scoped: &Scoped<ReadWrite>, new: Option<DateTime<Utc>>) -> Result<()> {
    let Some(Credential::Token(own)) = scoped.caller().map(|caller| caller.credential) else {
        return Ok(());
    };
    let end = ApiTokens::get(scoped, own)
        .await?
        .and_then(|own| own.expires_at);
    match end {
        Some(end) if new.is_none_or(|new| new > end) => Err(Error::Invalid(format!(
            "a token cannot create one that outlives it: give an expiry of {} at the latest",
            end.to_rfc3339()
        ))),
        _ => Ok(()),
    }
}

/// The condition for the tokens that the caller may see: all of them if the policy permits it, otherwise the caller's
/// own.
fn api_tokens_visible<A: Access>(scoped: &Scoped<A>) -> Condition {
    let own = scoped
        .caller()
        .filter(|_| {
            scoped
                .permit(Action::Read, resource::API_TOKEN, None)
                .is_err()
        })
        .map(|caller| api_token::Column::UserId.eq(caller.user));
    Condition::all().add_option(own)
}

/// The tokens of the tenant, as [`api_token_list`] reads them.
#[derive(Debug, Clone, Copy)]
pub struct ApiTokenList;

root_list! { ApiTokenList => ApiToken: api_token_list, api_token_count }

/// One page of the tokens, newest first: for owners and admins all tokens, for others their own.
///
/// # Errors
/// The database fails.
pub async fn api_token_list<A: Access>(
    scoped: &Scoped<A>,
    page: &PageRequest,
) -> Result<Page<ApiToken>> {
    ApiTokens::list(scoped, api_tokens_visible(scoped), page).await
}

/// The total number of tokens that [`api_token_list`] lists.
///
/// # Errors
/// The database fails.
pub async fn api_token_count<A: Access>(scoped: &Scoped<A>) -> Result<u64> {
    ApiTokens::count(scoped, api_tokens_visible(scoped)).await
}

/// Revokes a token with this commit, also on open streams. Callers may revoke their own tokens. Owners and admins may
/// revoke those of any user who is not above them. Has no effect if it is already revoked.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`], also for a token of a user above the caller, and for an own token with a
/// higher role than the caller's.
pub async fn api_token_revoke(scoped: &Scoped<ReadWrite>, id: ApiTokenId) -> Result<ApiToken> {
    scoped.permit(Action::Delete, resource::OWN_API_TOKEN, id.0)?;
    let token = ApiTokens::require(scoped, id).await?;
    if let Some(caller) = scoped.caller() {
        let is_own = caller.user == token.user_id;
        if !is_own {
            scoped.permit(Action::Delete, resource::API_TOKEN, id.0)?;
        }
        // Nobody may change a user above them. The tokens of a user who has left the tenant have no such owner.
        let owner = member_role(scoped, token.user_id).await?;
        let least = owner.map(|owner| if is_own { token.role.min(owner) } else { owner });
        if let Some(least) = least.filter(|least| !caller.role.includes(*least)) {
            return Err(caller.refusal(least.as_str()));
        }
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

/// The current role of a user in the tenant; `None` if the user is not a member.
async fn member_role(scoped: &Scoped<ReadWrite>, user: UserId) -> Result<Option<Role>> {
    let member = scoped
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user))
        .one()
        .await?;
    Ok(member.map(|member| member.role))
}

#[derive(FromQueryResult)]
struct TokenRow {
    tenant_id: Uuid,
    slug: String,
    user_id: Uuid,
    secret_hash: Vec<u8>,
    token_role: Role,
    member_role: Role,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

/// The owner of a presented token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenOwner {
    /// The caller.
    pub caller: Caller,
    /// The slug of the caller's tenant.
    pub tenant_slug: String,
}

/// Identifies the owner of a token, and records its use. `None` if the token is malformed, unknown, expired or revoked,
/// or its owner is no longer a member. A recently verified token needs no statement. Its use is stored later, see
/// [`credential_uses_flush`].
///
/// # Errors
/// The database fails.
pub async fn token_identify(store: &Store, token: &str) -> Result<Option<TokenOwner>> {
    if token_id(API_TOKEN, token).is_none() {
        return Ok(None);
    }
    let (key, now) = (CredentialKey::new(token, None), store.env().now());
    let owner = match store.credentials().recall(key, now) {
        Some(owner) => owner,
        None => {
            let ticket = store.credentials().ticket();
            let Some(owner) = token_find(store, token).await? else {
                return Ok(None);
            };
            let mut remembered = owner.clone();
            use_mark(&mut remembered, now);
            store.credentials().remember(ticket, key, remembered);
            owner
        }
    };
    use_note(store, &owner.caller, owner.used_at);
    Ok(Some(TokenOwner {
        caller: owner.caller,
        tenant_slug: owner.tenant_slug,
    }))
}

/// As [`token_identify`], without the tenant's slug.
///
/// # Errors
/// The database fails.
pub async fn token_authenticate(store: &Store, token: &str) -> Result<Option<Caller>> {
    let owner = token_identify(store, token).await?;
    Ok(owner.map(|owner| owner.caller))
}

/// As [`token_authenticate`], but always from the database and without recording a use: the check of an open stream is
/// not a use of the token.
///
/// # Errors
/// The database fails.
pub async fn token_look(store: &Store, token: &str) -> Result<Option<Caller>> {
    let owner = token_find(store, token).await?;
    Ok(owner.map(|owner| owner.caller))
}

async fn token_find(store: &Store, token: &str) -> Result<Option<CredentialOwner>> {
    let Some(id) = token_id(API_TOKEN, token).map(ApiTokenId) else {
        return Ok(None);
    };
    let rows: Vec<TokenRow> = store
        .system_look(
            purpose::TOKEN_AUTHENTICATE,
            "SELECT t.tenant_id, n.slug, t.user_id, t.secret_hash, t.role AS token_role, m.role AS member_role, t.expires_at, t.last_used_at
             FROM api_tokens t
             JOIN memberships m ON m.tenant_id = t.tenant_id AND m.user_id = t.user_id
             JOIN tenants n ON n.id = t.tenant_id
             WHERE t.id = $1 AND t.revoked_at IS NULL",
            id.0,
        )
        .await?;
    let now = store.env().now();
    let row = rows.into_iter().next();
    let row = row.filter(|row| {
        token_matches(token, &row.secret_hash) && row.expires_at.is_none_or(|at| now < at)
    });
    Ok(row.map(|row| CredentialOwner {
        caller: Caller {
            tenant: TenantId(row.tenant_id),
            user: UserId(row.user_id),
            role: row.token_role.min(row.member_role),
            credential: Credential::Token(id),
        },
        tenant_slug: row.slug,
        expires_at: row.expires_at,
        used_at: row.last_used_at,
    }))
}

/// Records the use of a credential whose last stored use was at `used_at`. It is stored shortly afterwards, outside of
/// the request.
pub(crate) fn use_note(store: &Store, caller: &Caller, used_at: Option<DateTime<Utc>>) {
    let now = store.env().now();
    if store.credentials().use_note(caller, used_at, now) {
        let store = store.clone();
        tokio::spawn(async move {
            tokio::time::sleep(store.credential_flush()).await;
            if let Err(error) = credential_uses_flush(&store).await {
                // The next use is recorded again: only the time of this one is lost.
                tracing::warn!(%error, "the last use of credentials could not be written down");
            }
        });
    }
}

/// Marks the use of a cached credential, so that it is recorded only once.
pub(crate) fn use_mark(owner: &mut CredentialOwner, now: DateTime<Utc>) {
    if is_new_use(owner.used_at, now) {
        owner.used_at = Some(now);
    }
}

/// Stores the pending times of the last use of credentials. Called shortly after a use, and when the program ends.
///
/// # Errors
/// The database refuses, or another writer held it for too long. The pending uses are then dropped.
pub async fn credential_uses_flush(store: &Store) -> Result<()> {
    let mut tokens: BTreeMap<TenantId, Vec<(ApiTokenId, DateTime<Utc>)>> = BTreeMap::new();
    let mut sessions = Vec::new();
    for (caller, at) in store.credentials().uses_take() {
        match caller.credential {
            Credential::Token(id) => tokens.entry(caller.tenant).or_default().push((id, at)),
            Credential::Session(id) => sessions.push((id, at)),
        }
    }
    sessions_seen(store, sessions).await?;
    for (tenant, uses) in tokens {
        let scoped = store.write(tenant).await?;
        for (id, at) in uses {
            let used = api_token::ActiveModel {
                last_used_at: Set(Some(at)),
                ..Default::default()
            };
            scoped.update(api_token::Column::Id.eq(id), used).await?;
        }
        scoped.commit().await?;
    }
    Ok(())
}
