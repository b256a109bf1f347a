//! A tenant's own endpoints: any server that speaks one of the known APIs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use nyxcore_llm::{Endpoint, Protocol};
use nyxcore_outbound::OutboundPolicy;
use nyxcore_tenancy::secret::{Keyring, Secret, secret_get, secret_put, secret_remove};
use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Result, Scoped, text};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;

use super::settings_changed;
use crate::entity::{endpoint, json_read, own_model, provider_state};
use crate::model::Provider;
use crate::named::named;
use crate::provider_key::{KIND, base_url_check};
use crate::registration::MODEL_SETTINGS;

/// The kind of secret under which the headers of an endpoint are stored; the name is the endpoint's.
const HEADERS_KIND: &str = "model_endpoint_headers";
/// The most endpoints of a tenant. A rule of this project.
const ENDPOINTS_MAX: u64 = 50;

named!(
    /// The API that an endpoint speaks.
    EndpointProtocol {
        /// OpenAI's Chat Completions, which most other servers speak.
        OpenAiChat = "OPENAI_CHAT",
        /// OpenAI's Responses.
        OpenAiResponses = "OPENAI_RESPONSES",
        /// Anthropic's Messages.
        AnthropicMessages = "ANTHROPIC_MESSAGES",
        /// Google's `generateContent`.
        GoogleGenerateContent = "GOOGLE_GENERATE_CONTENT",
    }
);

impl From<EndpointProtocol> for Protocol {
    fn from(protocol: EndpointProtocol) -> Self {
        match protocol {
            EndpointProtocol::OpenAiChat => Self::OpenAiChat,
            EndpointProtocol::OpenAiResponses => Self::OpenAiResponses,
            EndpointProtocol::AnthropicMessages => Self::AnthropicMessages,
            EndpointProtocol::GoogleGenerateContent => Self::GoogleGenerateContent,
        }
    }
}

/// An endpoint of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEndpoint {
    /// Its name, which is the provider of its models. It does not change.
    pub name: String,
    /// Its base URL, with the version in the path.
    pub base_url: String,
    /// The API it speaks.
    pub protocol: EndpointProtocol,
    /// The headers that are added to each request, by name. Their values are sealed.
    pub header_names: Vec<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<endpoint::Model> for ModelEndpoint {
    type Error = Error;

    fn try_from(row: endpoint::Model) -> Result<Self> {
        Ok(Self {
            name: row.name,
            base_url: row.base_url,
            protocol: row.protocol,
            header_names: json_read("model_endpoints.header_names", row.header_names)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A new or changed endpoint.
#[derive(Clone)]
pub struct NewEndpoint {
    /// Its name: lower-case letters, digits and hyphens, and no vendor's id.
    pub name: String,
    /// Its base URL.
    pub base_url: String,
    /// The API it speaks.
    pub protocol: EndpointProtocol,
    /// Headers that are added to each request, with their values; `None` keeps the stored ones.
    pub headers: Option<BTreeMap<String, String>>,
}

/// Adds an endpoint, or changes the one of that name.
///
/// # Errors
/// [`Error::Invalid`] for a name, URL or header that cannot be used, and for an address that `policy` does not let the
/// server call.
pub async fn endpoint_set(
    scoped: &Scoped<ReadWrite>,
    keyring: &Keyring,
    policy: OutboundPolicy,
    new: NewEndpoint,
) -> Result<ModelEndpoint> {
    scoped.permit(Action::Update, MODEL_SETTINGS, None)?;
    let name = name_check(&new.name)?;
    scoped.audit_detail(serde_json::json!({"endpoint": name}));
    base_url_check(&new.base_url, policy)?;
    let before = endpoint_get(scoped, &name).await?;
    if before.is_none() && scoped.find::<endpoint::Entity>().count().await? >= ENDPOINTS_MAX {
        return Err(Error::Invalid(format!(
            "there are {ENDPOINTS_MAX} endpoints already, which is the most"
        )));
    }
    let mut header_names = before.as_ref().map(|row| row.header_names.clone());
    // A header was given for one host: if the address changes, it is dropped, unless it is given again.
    let moved = before
        .as_ref()
        .is_some_and(|row| row.base_url != new.base_url);
    if new.headers.is_some() || moved {
        let headers = new.headers.unwrap_or_default();
        headers_check(&new.base_url, &headers)?;
        let names: Vec<&String> = headers.keys().collect();
        header_names = Some(serde_json::json!(names));
        if headers.is_empty() {
            secret_remove(scoped, HEADERS_KIND, &name).await?;
        } else {
            let sealed = serde_json::to_vec(&headers)
                .map_err(|_| Error::Invalid("the headers cannot be kept".into()))?;
            secret_put(scoped, keyring, HEADERS_KIND, &name, &Secret::new(sealed)).await?;
        }
    }
    if moved {
        secret_remove(scoped, KIND, &name).await?;
    }
    let now = scoped.env().now();
    let row = endpoint::ActiveModel {
        name: Set(name.clone()),
        base_url: Set(new.base_url),
        protocol: Set(new.protocol),
        header_names: Set(header_names.unwrap_or_else(|| serde_json::json!([]))),
        created_at: Set(before.map_or(now, |row| row.created_at)),
        updated_at: Set(now),
        ..Default::default()
    };
    use endpoint::Column;
    let changed = [
        Column::BaseUrl,
        Column::Protocol,
        Column::HeaderNames,
        Column::UpdatedAt,
    ];
    scoped
        .upsert_all(vec![row], &[Column::Name], &changed)
        .await?;
    provider_state_delete(scoped, &name).await?;
    settings_changed(scoped).await?;
    let row = endpoint_get(scoped, &name).await?;
    row.ok_or(Error::NotFound("endpoint"))?.try_into()
}

/// Removes an endpoint with its key, its headers and its models.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn endpoint_remove(scoped: &Scoped<ReadWrite>, name: &str) -> Result<()> {
    scoped.permit(Action::Delete, MODEL_SETTINGS, None)?;
    scoped.audit_detail(serde_json::json!({"endpoint": name}));
    let gone = scoped.delete::<endpoint::Entity>(endpoint::Column::Name.eq(name));
    if gone.await? == 0 {
        return Err(Error::NotFound("endpoint"));
    }
    scoped
        .delete::<own_model::Entity>(own_model::Column::Provider.eq(name))
        .await?;
    secret_remove(scoped, HEADERS_KIND, name).await?;
    secret_remove(scoped, KIND, name).await?;
    provider_state_delete(scoped, name).await?;
    settings_changed(scoped).await
}

/// Deletes the known health of a provider, which was found out with another key or address.
pub(crate) async fn provider_state_delete(
    scoped: &Scoped<ReadWrite>,
    provider: &str,
) -> Result<()> {
    let which = provider_state::Column::Provider.eq(provider);
    scoped
        .delete::<provider_state::Entity>(which)
        .await
        .map(drop)
}

/// The endpoint of that name, if the tenant has it.
pub(crate) async fn endpoint_get<A: Access>(
    scoped: &Scoped<A>,
    name: &str,
) -> Result<Option<endpoint::Model>> {
    let rows = scoped.find::<endpoint::Entity>();
    rows.filter(endpoint::Column::Name.eq(name)).one().await
}

/// The headers of an endpoint, in the clear.
pub(crate) async fn endpoint_headers<A: Access>(
    scoped: &Scoped<A>,
    keyring: &Keyring,
    name: &str,
) -> Result<BTreeMap<String, String>> {
    let Some(sealed) = secret_get(scoped, keyring, HEADERS_KIND, name).await? else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_slice(sealed.expose()).map_err(|_| Error::SecretUnreadable)
}

/// The endpoint of a vendor's own API.
pub(crate) fn vendor_endpoint(vendor: Provider) -> Result<Endpoint, nyxcore_llm::LlmError> {
    match vendor {
        Provider::Anthropic => Endpoint::anthropic(),
        Provider::OpenAi => Endpoint::openai(),
        Provider::Google => Endpoint::google(),
    }
}

fn name_check(name: &str) -> Result<String> {
    let name = text::SLUG.check("the endpoint's name", name)?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.chars().all(is_plain) || name.starts_with('-') || name.ends_with('-') {
        return Err(Error::Invalid(
            "the endpoint's name has lower-case letters, digits and hyphens within it".into(),
        ));
    }
    if Provider::parse(&name).is_some() {
        return Err(Error::Invalid(format!(
            "{name} is a vendor: set its key instead"
        )));
    }
    Ok(name)
}

/// Validates headers. An error names the header and never its value.
fn headers_check(base_url: &str, headers: &BTreeMap<String, String>) -> Result<()> {
    let invalid = |error: nyxcore_llm::LlmError| Error::Invalid(error.to_string());
    let mut endpoint = Endpoint::new(Protocol::OpenAiChat, base_url).map_err(invalid)?;
    for (name, value) in headers {
        text::API_KEY.check("the value of a header", value)?;
        endpoint = endpoint.header(name, value).map_err(invalid)?;
    }
    Ok(())
}
