//! Mutations of API tokens.

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
    /// Creates an API token for the caller, with a role no higher than the caller's. Its secret is returned only here.
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

    /// Revokes an API token. It takes effect immediately and ends the token's open streams. Has no effect if the token
    /// is already revoked. Members revoke their own tokens, owners and admins any token.
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

/// The token to create.
#[derive(InputObject)]
struct CreateApiTokenInput {
    /// The name of the token.
    name: String,
    /// The highest role of the token. At most the caller's own role.
    role: RoleName,
    /// The time of expiry. If omitted, the token does not expire.
    expires_at: Option<DateTime<Utc>>,
}

/// The created token.
#[derive(SimpleObject)]
struct CreateApiTokenPayload {
    /// The token.
    api_token: ApiTokenNode,
    /// The full token. It is not shown again.
    secret: String,
}

/// The token to revoke.
#[derive(InputObject)]
struct RevokeApiTokenInput {
    /// The id of the token.
    api_token_id: ID,
}

/// The revoked token.
#[derive(SimpleObject)]
struct RevokeApiTokenPayload {
    /// The token.
    api_token: ApiTokenNode,
}
