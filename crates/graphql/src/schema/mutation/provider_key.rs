//! Mutations of the keys of model providers. Keys are write-only.

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
    /// Sets the tenant's key for a provider. It replaces an existing key, is stored encrypted and is never returned.
    async fn set_provider_key(
        &self,
        context: &Context<'_>,
        input: SetProviderKeyInput,
    ) -> Result<SetProviderKeyPayload> {
        let op = operation(context);
        let key = ProviderKey::new(input.api_key, input.base_url);
        let services = op.services();
        let policy = services.source_policy.outbound();
        let given = (input.provider.as_str(), &key);
        op.change(async |scoped| provider_key_set(scoped, &services.keyring, policy, given).await)
            .await?;
        Ok(SetProviderKeyPayload {
            provider: provider_node(context, &input.provider).await?,
        })
    }

    /// Deletes the tenant's key for a provider. Has no effect if there is none. If the operator has a key for all
    /// tenants, that key is used from then on.
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

    /// Verifies a provider with its cheapest calls: the list of its models, and a minimal request to its cheapest
    /// model. A failure is reported as the health of the provider, not as an error.
    async fn verify_provider(
        &self,
        context: &Context<'_>,
        input: VerifyProviderInput,
    ) -> Result<VerifyProviderPayload> {
        let op = operation(context);
        // The policy decides before the provider is called. The transaction also records the attempt in the audit log.
        op.change(async |scoped| provider_verify_permit(scoped, &input.provider).await)
            .await?;
        let caller = op.caller();
        let models = &op.services().models;
        models
            .verify_provider(caller.tenant, Some(caller.user), &input.provider)
            .await?;
        Ok(VerifyProviderPayload {
            provider: provider_node(context, &input.provider).await?,
        })
    }
}

/// The key to set.
#[derive(InputObject)]
struct SetProviderKeyInput {
    /// The id of the provider: a vendor such as `anthropic`, or the name of one of the tenant's endpoints.
    provider: String,
    /// The key: up to 8,192 printable ASCII characters without spaces.
    api_key: String,
    /// The base URL of the vendor's API, if it differs from the usual one. It must be `https://` without a user,
    /// password, query or fragment. A private address, and `http://` to a private address, require that the operator
    /// allows it (`--allow-sources private`). Not for endpoints, which have an address of their own.
    base_url: Option<String>,
}

/// The changed provider.
#[derive(SimpleObject)]
struct SetProviderKeyPayload {
    /// The provider.
    provider: ProviderNode,
}

/// The key to delete.
#[derive(InputObject)]
struct RemoveProviderKeyInput {
    /// The id of the provider.
    provider: String,
}

/// The changed provider.
#[derive(SimpleObject)]
struct RemoveProviderKeyPayload {
    /// The provider.
    provider: ProviderNode,
}

/// The provider to verify.
#[derive(InputObject)]
struct VerifyProviderInput {
    /// The id of the provider.
    provider: String,
}

/// The verified provider, with its health.
#[derive(SimpleObject)]
struct VerifyProviderPayload {
    /// The provider.
    provider: ProviderNode,
}
