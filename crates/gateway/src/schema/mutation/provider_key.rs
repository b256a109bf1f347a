//! Keys of model providers. They go in and never come out.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use nyxcore_model_catalog::{
    ProviderKey, provider_key_remove, provider_key_set, provider_verify_permit,
};

use crate::context::operation;
use crate::schema::catalog::provider_node;
use crate::schema::model::ProviderNode;

#[derive(Default)]
pub(crate) struct ProviderKeyMutation;

#[Object]
impl ProviderKeyMutation {
    /// Keeps the tenant's key for a provider, sealed, in the place of one that was there. Nothing gives it back.
    async fn set_provider_key(
        &self,
        context: &Context<'_>,
        input: SetProviderKeyInput,
    ) -> Result<SetProviderKeyPayload> {
        let op = operation(context);
        let key = ProviderKey::new(input.api_key, input.base_url);
        let gateway = op.gateway();
        let policy = gateway.source_policy().outbound();
        let given = (input.provider.as_str(), &key);
        op.change(async |scoped| provider_key_set(scoped, gateway.keyring(), policy, given).await)
            .await?;
        Ok(SetProviderKeyPayload {
            provider: provider_node(context, &input.provider).await?,
        })
    }

    /// Forgets the tenant's key for a provider. Twice is once. Where the operator has a key for all tenants, that one is
    /// used from then on.
    async fn remove_provider_key(
        &self,
        context: &Context<'_>,
        input: RemoveProviderKeyInput,
    ) -> Result<RemoveProviderKeyPayload> {
        operation(context)
            .change(async |scoped| provider_key_remove(scoped, &input.provider).await)
            .await?;
        Ok(RemoveProviderKeyPayload {
            provider: provider_node(context, &input.provider).await?,
        })
    }

    /// Tries a provider by the cheapest calls that show how it stands: the list of its models, and the shortest answer of
    /// its cheapest one. What it says is its health, and no error.
    async fn verify_provider(
        &self,
        context: &Context<'_>,
        input: VerifyProviderInput,
    ) -> Result<VerifyProviderPayload> {
        let op = operation(context);
        // The policy is asked, and that it was tried is in the audit log, before the provider is.
        op.change(async |scoped| provider_verify_permit(scoped, &input.provider).await)
            .await?;
        let caller = op.caller();
        let models = op.gateway().models();
        models
            .verify_provider(caller.tenant, Some(caller.user), &input.provider)
            .await?;
        Ok(VerifyProviderPayload {
            provider: provider_node(context, &input.provider).await?,
        })
    }
}

/// A key to keep.
#[derive(InputObject)]
struct SetProviderKeyInput {
    /// The provider's id: a vendor's, such as `anthropic`, or the name of an endpoint of the tenant's.
    provider: String,
    /// The key: up to 8,192 printable ASCII characters without spaces.
    api_key: String,
    /// Where to call the vendor's API, if it is not the usual place: `https://`, without a user, a password, a query or a
    /// fragment. A private address, and `http://` to one, need the operator's leave (`--allow-sources private`). An endpoint
    /// has its own.
    base_url: Option<String>,
}

/// The provider, whose key is kept now.
#[derive(SimpleObject)]
struct SetProviderKeyPayload {
    /// The provider.
    provider: ProviderNode,
}

/// The key to forget.
#[derive(InputObject)]
struct RemoveProviderKeyInput {
    /// The provider's id.
    provider: String,
}

/// The provider, which has no key of the tenant's now.
#[derive(SimpleObject)]
struct RemoveProviderKeyPayload {
    /// The provider.
    provider: ProviderNode,
}

/// The provider to try.
#[derive(InputObject)]
struct VerifyProviderInput {
    /// The provider's id.
    provider: String,
}

/// The provider with what was found out.
#[derive(SimpleObject)]
struct VerifyProviderPayload {
    /// The provider.
    provider: ProviderNode,
}
