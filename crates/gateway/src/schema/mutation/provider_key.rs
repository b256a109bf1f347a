//! Keys of model providers. They go in and never come out.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use nyxcore_model_catalog::{Provider, ProviderKey, provider_key_remove, provider_key_set};

use nyxcore_tenancy::Error;

use crate::context::operation;
use crate::schema::catalog::ProviderNode;

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
        let scoped = op.write().await?;
        let given = (input.provider.as_str(), &key);
        provider_key_set(&scoped, gateway.keyring(), policy, given).await?;
        let provider = vendor(&input.provider)?;
        scoped.commit().await?;
        Ok(SetProviderKeyPayload {
            provider: ProviderNode(provider),
        })
    }

    /// Forgets the tenant's key for a provider. Twice is once.
    async fn remove_provider_key(
        &self,
        context: &Context<'_>,
        input: RemoveProviderKeyInput,
    ) -> Result<RemoveProviderKeyPayload> {
        let scoped = operation(context).write().await?;
        provider_key_remove(&scoped, &input.provider).await?;
        let provider = vendor(&input.provider)?;
        scoped.commit().await?;
        Ok(RemoveProviderKeyPayload {
            provider: ProviderNode(provider),
        })
    }
}

fn vendor(id: &str) -> Result<Provider> {
    Ok(Provider::parse(id).ok_or(Error::NotFound("provider"))?)
}

/// A key to keep.
#[derive(InputObject)]
struct SetProviderKeyInput {
    /// The provider's id, such as `anthropic`.
    provider: String,
    /// The key: up to 8,192 printable ASCII characters without spaces.
    api_key: String,
    /// Where to call the provider's API, if it is not the usual place: `https://`, without a user, a password, a query or a
    /// fragment. A private address, and `http://` to one, need the operator's leave (`--allow-sources private`).
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

/// The provider, which has no key now.
#[derive(SimpleObject)]
struct RemoveProviderKeyPayload {
    /// The provider.
    provider: ProviderNode,
}
