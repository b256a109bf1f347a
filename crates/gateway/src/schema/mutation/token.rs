//! API tokens.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_tenancy::ApiTokenId;
use nyxcore_tenancy::directory::{NewApiToken, api_token_create, api_token_revoke};

use crate::context::operation;
use crate::schema::ids::id_of;
use crate::schema::viewer::{ApiTokenNode, RoleName};

#[derive(Default)]
pub(crate) struct TokenMutation;

#[Object]
impl TokenMutation {
    /// Makes an API token for the caller, with a role no higher than the caller's. Its secret is in this answer and nowhere else.
    async fn create_api_token(
        &self,
        context: &Context<'_>,
        input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let op = operation(context);
        let new = NewApiToken {
            user: op.caller().user,
            name: input.name,
            role: input.role.into(),
            expires_at: input.expires_at,
        };
        let (token, secret) = op
            .change(async |scoped| api_token_create(scoped, new).await)
            .await?;
        Ok(CreateApiTokenPayload {
            api_token: ApiTokenNode(token),
            secret,
        })
    }

    /// Revokes an API token, from now on, also on streams that are open. Twice is once. One's own, or as an owner or admin anybody's.
    async fn revoke_api_token(
        &self,
        context: &Context<'_>,
        input: RevokeApiTokenInput,
    ) -> Result<RevokeApiTokenPayload> {
        let id = id_of::<ApiTokenId>(&input.api_token_id)?;
        let token = operation(context)
            .change(async |scoped| api_token_revoke(scoped, id).await)
            .await?;
        Ok(RevokeApiTokenPayload {
            api_token: ApiTokenNode(token),
        })
    }
}

/// A token to make.
#[derive(InputObject)]
struct CreateApiTokenInput {
    /// What to call it.
    name: String,
    /// What it may do at the most; no more than its maker.
    role: RoleName,
    /// From when on it is refused; never where it is not given.
    expires_at: Option<DateTime<Utc>>,
}

/// The token that was made.
#[derive(SimpleObject)]
struct CreateApiTokenPayload {
    /// The token.
    api_token: ApiTokenNode,
    /// The token in full: this once.
    secret: String,
}

/// The token to revoke.
#[derive(InputObject)]
struct RevokeApiTokenInput {
    /// Which.
    api_token_id: ID,
}

/// The token as it is now.
#[derive(SimpleObject)]
struct RevokeApiTokenPayload {
    /// The token.
    api_token: ApiTokenNode,
}
