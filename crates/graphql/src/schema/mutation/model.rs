//! Mutations of the tenant's models, endpoints, hidden models and defaults.

use std::collections::BTreeMap;

use async_graphql::{Context, Enum, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use nyxcore_embeddings::embedding_start_anew;
use nyxcore_model_catalog::{
    Capability, DefaultPurpose, Mode, ModelError, Nanousd, NewEndpoint, NewTenantModel,
    endpoint_remove, endpoint_set, member_default_set, model_hide, tenant_default_set,
    tenant_model_remove, tenant_model_set,
};
use nyxcore_tenancy::{Error, ReadWrite, Scoped};

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::catalog::{ModelDefaultsNode, defaults_node, provider_node, tenant_catalog};
use crate::schema::mirror::mirror;
use crate::schema::model::{EndpointProtocolName, ModelNode, ProviderNode};

#[derive(Default)]
pub(crate) struct ModelMutation;

#[Object]
impl ModelMutation {
    /// Adds an endpoint, or changes the endpoint with that name. Any server works that implements one of the supported
    /// APIs. A new address drops the key, and also the headers unless they are given again.
    async fn set_model_endpoint(
        &self,
        context: &Context<'_>,
        input: SetModelEndpointInput,
    ) -> Result<SetModelEndpointPayload> {
        let op = operation(context);
        let services = op.services();
        let headers = input.headers.map(|headers| {
            let pairs = headers.into_iter();
            pairs
                .map(|header| (header.name, header.value))
                .collect::<BTreeMap<_, _>>()
        });
        let new = NewEndpoint {
            name: input.name,
            base_url: input.base_url,
            protocol: input.protocol.into(),
            headers,
        };
        let policy = services.source_policy.outbound();
        let endpoint = op
            .change(async |scoped| endpoint_set(scoped, &services.keyring, policy, new).await)
            .await?;
        Ok(SetModelEndpointPayload {
            provider: provider_node(context, &endpoint.name).await?,
        })
    }

    /// Removes an endpoint with its key, headers and models.
    async fn remove_model_endpoint(
        &self,
        context: &Context<'_>,
        input: RemoveModelEndpointInput,
    ) -> Result<RemoveModelEndpointPayload> {
        operation(context)
            .change(async |scoped| endpoint_remove(scoped, &input.name).await)
            .await?;
        Ok(RemoveModelEndpointPayload {
            removed_name: input.name,
        })
    }

    /// Adds a model to the tenant's catalog, or changes the model with that id. For a known vendor model, omitted
    /// fields take the known values, so this can also rename a model.
    async fn set_model(
        &self,
        context: &Context<'_>,
        input: SetModelInput,
    ) -> Result<SetModelPayload> {
        let capabilities = input.capabilities.map(|names| {
            let parse = |name: String| {
                let unknown = || ApiError::invalid(format!("no such capability: {name}"));
                Capability::parse(&name).ok_or_else(unknown)
            };
            names.into_iter().map(parse).collect::<Result<Vec<_>, _>>()
        });
        let new = NewTenantModel {
            id: input.id,
            provider: input.provider,
            wire_id: input.wire_id,
            name: input.name,
            mode: input.mode.map(Mode::from),
            context_window: input.context_window,
            max_output_tokens: input.max_output_tokens,
            input: price(input.input_usd_per_mtok)?,
            output: price(input.output_usd_per_mtok)?,
            dimensions: input.dimensions,
            capabilities: capabilities.transpose()?,
        };
        let model = operation(context)
            .change(async |scoped| tenant_model_set(scoped, new).await)
            .await?;
        Ok(SetModelPayload {
            model: model_node(context, &model.id).await?,
        })
    }

    /// Removes one of the tenant's own models.
    async fn remove_model(
        &self,
        context: &Context<'_>,
        input: RemoveModelInput,
    ) -> Result<RemoveModelPayload> {
        operation(context)
            .change(async |scoped| tenant_model_remove(scoped, &input.model).await)
            .await?;
        Ok(RemoveModelPayload {
            removed_model: input.model,
        })
    }

    /// Hides or shows a model in the tenant. A hidden model is not offered, cannot be called and is never a default.
    async fn set_model_hidden(
        &self,
        context: &Context<'_>,
        input: SetModelHiddenInput,
    ) -> Result<SetModelHiddenPayload> {
        operation(context)
            .change(async |scoped| model_hide(scoped, &input.model, input.hidden).await)
            .await?;
        Ok(SetModelHiddenPayload {
            model: model_node(context, &input.model).await?,
        })
    }

    /// Sets the default models of the tenant or of the caller. Omitted fields stay unchanged. Null removes the choice
    /// and restores the fallback.
    async fn set_model_defaults(
        &self,
        context: &Context<'_>,
        input: SetModelDefaultsInput,
    ) -> Result<SetModelDefaultsPayload> {
        let op = operation(context);
        let user = op.caller().user;
        let given = [
            (DefaultPurpose::Default, input.default),
            (DefaultPurpose::Fast, input.fast),
            (DefaultPurpose::Embedding, input.embedding),
            (DefaultPurpose::Review, input.review),
        ];
        let change = async |scoped: &Scoped<ReadWrite>| {
            for (purpose, model) in &given {
                let model = match model {
                    MaybeUndefined::Undefined => continue,
                    MaybeUndefined::Null => None,
                    MaybeUndefined::Value(id) => Some(id.as_str()),
                };
                match input.scope {
                    ModelDefaultScope::Tenant => {
                        tenant_default_set(scoped, *purpose, model).await?;
                        if *purpose == DefaultPurpose::Embedding {
                            // Existing texts are embedded, after a change of the model all of them anew.
                            embedding_start_anew(scoped).await?;
                        }
                    }
                    ModelDefaultScope::Own => {
                        member_default_set(scoped, user, *purpose, model).await?;
                    }
                }
            }
            Ok::<_, ModelError>(())
        };
        op.change(change).await?;
        let catalog = tenant_catalog(context).await?;
        Ok(SetModelDefaultsPayload {
            defaults: defaults_node(context, &catalog).await?,
        })
    }
}

async fn model_node(context: &Context<'_>, id: &str) -> Result<ModelNode> {
    let catalog = tenant_catalog(context).await?;
    let model = catalog.model(id).ok_or(Error::NotFound("model"))?;
    Ok(ModelNode::new(&catalog, model.clone()))
}

fn price(usd: Option<f64>) -> Result<Option<Nanousd>, ApiError> {
    let invalid = || ApiError::invalid("a price must be a number of US dollars of at least 0");
    usd.map(|usd| Nanousd::from_usd(usd).ok_or_else(invalid))
        .transpose()
}

/// The endpoint to set.
#[derive(InputObject)]
struct SetModelEndpointInput {
    /// The name: lower-case letters, digits and hyphens, and not the id of a vendor. It is the provider of its models.
    name: String,
    /// The base URL including the version path, such as `https://llm.example.org/v1`. A private address, with
    /// `https://` or `http://`, requires that the operator allows it (`--allow-sources private`).
    base_url: String,
    /// The API it implements.
    protocol: EndpointProtocolName,
    /// Headers to add to each request. If omitted, the existing headers stay.
    headers: Option<Vec<ModelHeaderInput>>,
}

/// An HTTP header.
#[derive(InputObject)]
struct ModelHeaderInput {
    /// The name.
    name: String,
    /// The value. It is stored encrypted and never returned.
    value: String,
}

/// The changed endpoint.
#[derive(SimpleObject)]
struct SetModelEndpointPayload {
    /// The provider of the endpoint.
    provider: ProviderNode,
}

/// The endpoint to remove.
#[derive(InputObject)]
struct RemoveModelEndpointInput {
    /// The name.
    name: String,
}

/// The removed endpoint.
#[derive(SimpleObject)]
struct RemoveModelEndpointPayload {
    /// The name of the removed endpoint.
    removed_name: String,
}

mirror! {
    /// The mode in which a model is called.
    pub(crate) enum ModelModeName = "ModelMode" of "Mode" {
        /// Chat: messages in, messages out.
        Chat,
        /// Embedding: text in, vector out.
        Embedding,
    }
}

/// The model to set.
#[derive(InputObject)]
struct SetModelInput {
    /// The id by which the model is chosen.
    id: String,
    /// The provider: the id of a vendor, or the name of an endpoint.
    provider: String,
    /// The model id that is sent to the provider. Defaults to `id`.
    wire_id: Option<String>,
    /// The display name. Defaults to `id`.
    name: Option<String>,
    /// The mode. Defaults to the known mode, or else to CHAT.
    mode: Option<ModelModeName>,
    /// The maximum input, in tokens.
    context_window: Option<u64>,
    /// The maximum output, in tokens.
    max_output_tokens: Option<u64>,
    /// The price of a million input tokens, in US dollars, at most 10,000. Defaults to the known price, or else to 0.
    input_usd_per_mtok: Option<f64>,
    /// The price of a million output tokens, in US dollars, at most 10,000. Defaults to the known price, or else to 0.
    output_usd_per_mtok: Option<f64>,
    /// The number of dimensions of its vectors.
    dimensions: Option<u32>,
    /// The capabilities in addition to the mode: `tools`, `vision`, `json_schema`, `pdf`, `prompt_caching`,
    /// `reasoning`.
    capabilities: Option<Vec<String>>,
}

/// The changed model.
#[derive(SimpleObject)]
struct SetModelPayload {
    /// The model.
    model: ModelNode,
}

/// The model to remove.
#[derive(InputObject)]
struct RemoveModelInput {
    /// The id by which the model is chosen.
    model: String,
}

/// The removed model.
#[derive(SimpleObject)]
struct RemoveModelPayload {
    /// The id of the removed model.
    removed_model: String,
}

/// The model to hide or show.
#[derive(InputObject)]
struct SetModelHiddenInput {
    /// The id by which the model is chosen.
    model: String,
    /// Whether the model is hidden.
    hidden: bool,
}

/// The changed model.
#[derive(SimpleObject)]
struct SetModelHiddenPayload {
    /// The model.
    model: ModelNode,
}

/// Whose defaults to set.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum ModelDefaultScope {
    /// The tenant's defaults. For owners and admins.
    Tenant,
    /// The caller's own defaults.
    Own,
}

/// The default models to set.
#[derive(InputObject)]
struct SetModelDefaultsInput {
    /// Whose defaults to set.
    #[graphql(default_with = "ModelDefaultScope::Tenant")]
    scope: ModelDefaultScope,
    /// The default for all tasks without a more specific default.
    default: MaybeUndefined<String>,
    /// The default for small and fast tasks.
    fast: MaybeUndefined<String>,
    /// The default for embeddings.
    embedding: MaybeUndefined<String>,
    /// The default for reviews.
    review: MaybeUndefined<String>,
}

/// The changed defaults.
#[derive(SimpleObject)]
struct SetModelDefaultsPayload {
    /// The defaults that apply to the caller.
    defaults: ModelDefaultsNode,
}
