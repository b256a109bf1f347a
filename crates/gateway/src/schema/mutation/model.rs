//! A tenant's own models and endpoints, what it hides, and its defaults.

use std::collections::BTreeMap;

use async_graphql::{Context, Enum, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use nyxcore_model_catalog::{
    Capability, DefaultPurpose, Mode, ModelError, Nanousd, NewEndpoint, NewTenantModel,
    endpoint_remove, endpoint_set, member_default_set, model_hide, tenant_default_set,
    tenant_model_remove, tenant_model_set,
};
use nyxcore_tenancy::{Error, ReadWrite, Scoped};

use crate::context::operation;
use crate::error::ApiError;
use crate::schema::catalog::{ModelDefaultsNode, defaults_node, provider_node, tenant_catalog};
use crate::schema::model::{EndpointProtocolName, ModelNode, ProviderNode};

#[derive(Default)]
pub(crate) struct ModelMutation;

#[Object]
impl ModelMutation {
    /// Adds an endpoint, or changes the one of that name: any server that speaks one of the known APIs. With another
    /// address, its key and headers are dropped, unless headers are given again.
    async fn set_model_endpoint(
        &self,
        context: &Context<'_>,
        input: SetModelEndpointInput,
    ) -> Result<SetModelEndpointPayload> {
        let op = operation(context);
        let gateway = op.gateway();
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
        let policy = gateway.source_policy().outbound();
        let endpoint = op
            .change(async |scoped| endpoint_set(scoped, gateway.keyring(), policy, new).await)
            .await?;
        Ok(SetModelEndpointPayload {
            provider: provider_node(context, &endpoint.name).await?,
        })
    }

    /// Removes an endpoint with its key, its headers and its models.
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

    /// Adds a model to the tenant's catalog, or changes the one of that id. A model of a vendor takes from the known one
    /// what is left out, so that this also gives a model another name.
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

    /// Removes a model of the tenant's own.
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

    /// Hides a model from the tenant's people, or shows it again. A hidden one is not offered, not called, and no default.
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

    /// Sets the models that are used where nobody chose, the tenant's or the caller's own. What is left out stays; null
    /// goes back to what held before there was a choice.
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
                        tenant_default_set(scoped, *purpose, model).await?
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
    let invalid = || ApiError::invalid("a price is a number of US dollars from 0 on");
    usd.map(|usd| Nanousd::from_usd(usd).ok_or_else(invalid))
        .transpose()
}

/// An endpoint to keep.
#[derive(InputObject)]
struct SetModelEndpointInput {
    /// Its name: lower-case letters, digits and hyphens, and no vendor's id. It is the provider of its models.
    name: String,
    /// Where it is, with the version in the path, such as `https://llm.example.org/v1`. A private address, and `http://` to
    /// one, need the operator's leave (`--allow-sources private`).
    base_url: String,
    /// The API it speaks.
    protocol: EndpointProtocolName,
    /// Headers that are added to each request; those that are there stay where this is left out.
    headers: Option<Vec<ModelHeaderInput>>,
}

/// A header.
#[derive(InputObject)]
struct ModelHeaderInput {
    /// Its name.
    name: String,
    /// Its value. It is kept sealed, and shown to nobody.
    value: String,
}

/// The endpoint that is kept now.
#[derive(SimpleObject)]
struct SetModelEndpointPayload {
    /// The endpoint, as a provider.
    provider: ProviderNode,
}

/// The endpoint to remove.
#[derive(InputObject)]
struct RemoveModelEndpointInput {
    /// Its name.
    name: String,
}

/// The endpoint that is gone.
#[derive(SimpleObject)]
struct RemoveModelEndpointPayload {
    /// Its name.
    removed_name: String,
}

/// What a model is called for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "ModelMode", remote = "Mode")]
pub(crate) enum ModelModeName {
    /// Messages in, messages out.
    Chat,
    /// Text in, a vector out.
    Embedding,
}

/// A model to keep.
#[derive(InputObject)]
struct SetModelInput {
    /// The id by which it is chosen.
    id: String,
    /// Who serves it: a vendor's id, or the name of an endpoint.
    provider: String,
    /// The id that is sent; the chosen one where it is left out.
    wire_id: Option<String>,
    /// The name for people; the id where it is left out.
    name: Option<String>,
    /// What it is called for; messages, where it is left out and the model is not known.
    mode: Option<ModelModeName>,
    /// The longest input, in tokens.
    context_window: Option<u64>,
    /// The longest answer, in tokens.
    max_output_tokens: Option<u64>,
    /// US dollars for a million tokens of input, 10,000 at the most; 0 where it is left out and the model is not known.
    input_usd_per_mtok: Option<f64>,
    /// US dollars for a million tokens of output, 10,000 at the most; 0 where it is left out and the model is not known.
    output_usd_per_mtok: Option<f64>,
    /// The length of the vectors it makes.
    dimensions: Option<u32>,
    /// What it can do beside its mode: `tools`, `vision`, `json_schema`, `pdf`, `prompt_caching`, `reasoning`.
    capabilities: Option<Vec<String>>,
}

/// The model that is kept now.
#[derive(SimpleObject)]
struct SetModelPayload {
    /// The model.
    model: ModelNode,
}

/// The model to remove.
#[derive(InputObject)]
struct RemoveModelInput {
    /// The id by which it is chosen.
    model: String,
}

/// The model that is gone.
#[derive(SimpleObject)]
struct RemoveModelPayload {
    /// Its id.
    removed_model: String,
}

/// The model to hide or show.
#[derive(InputObject)]
struct SetModelHiddenInput {
    /// The id by which it is chosen.
    model: String,
    /// Whether it is hidden.
    hidden: bool,
}

/// The model as it is now.
#[derive(SimpleObject)]
struct SetModelHiddenPayload {
    /// The model.
    model: ModelNode,
}

/// Whose defaults are set.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum ModelDefaultScope {
    /// The tenant's: for owners and admins.
    Tenant,
    /// The caller's own.
    Own,
}

/// The defaults to set.
#[derive(InputObject)]
struct SetModelDefaultsInput {
    /// Whose.
    #[graphql(default_with = "ModelDefaultScope::Tenant")]
    scope: ModelDefaultScope,
    /// For everything that has no purpose of its own.
    default: MaybeUndefined<String>,
    /// For small and quick work.
    fast: MaybeUndefined<String>,
    /// For vectors.
    embedding: MaybeUndefined<String>,
    /// For reviews.
    review: MaybeUndefined<String>,
}

/// The defaults as they are now.
#[derive(SimpleObject)]
struct SetModelDefaultsPayload {
    /// The defaults of the caller.
    defaults: ModelDefaultsNode,
}
