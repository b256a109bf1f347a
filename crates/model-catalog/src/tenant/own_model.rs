//! Models that a tenant adds to the catalog, and those that it hides.

use nyxcore_tenancy::{Action, Error, ReadWrite, Result, Scoped, text};
use sea_orm::ActiveValue::Set;
use sea_orm::ColumnTrait;

use super::model::TenantModel;
use super::{endpoint_get, settings_changed};
use crate::catalog::catalog;
use crate::entity::{hidden_model, json_read, own_model};
use crate::model::{Capability, Mode, Provider};
use crate::money::{Nanousd, PriceList};
use crate::name::undated;
use crate::registration::MODEL_SETTINGS;

/// The longest id of a model, in bytes. The wire clients accept 256.
const MODEL_ID_MAX: usize = 200;
/// The most own models of a tenant. A rule of this project.
const OWN_MODELS_MAX: u64 = 500;
/// The most tokens of a context window. The largest model known has ten million.
const TOKENS_MAX: u64 = 100_000_000;
/// The highest price that is accepted, for a million tokens. The most expensive known model costs 200 dollars.
pub const PRICE_MAX: Nanousd = Nanousd(10_000 * 1_000_000_000);

/// A model that a tenant adds. Facts that are left out are taken from the catalog where `wire_id` is known there.
#[derive(Debug, Clone, Default)]
pub struct NewTenantModel {
    /// The id by which it is chosen. It takes precedence over a model of the catalog with the same id.
    pub id: String,
    /// Its provider: a vendor's id, or the name of an endpoint.
    pub provider: String,
    /// The id that is sent; the same as `id` where it is left out.
    pub wire_id: Option<String>,
    /// The name for people; the id where it is left out.
    pub name: Option<String>,
    /// The kind of calls that it takes.
    pub mode: Option<Mode>,
    /// The longest input, in tokens.
    pub context_window: Option<u64>,
    /// The longest output, in tokens.
    pub max_output_tokens: Option<u64>,
    /// The price of a million tokens of input.
    pub input: Option<Nanousd>,
    /// The price of a million tokens of output.
    pub output: Option<Nanousd>,
    /// The length of the vectors it makes.
    pub dimensions: Option<u32>,
    /// What it can do beside its mode.
    pub capabilities: Option<Vec<Capability>>,
}

/// Adds a model to the tenant's catalog, or changes the one of that id.
///
/// # Errors
/// [`Error::NotFound`] for a provider that is neither a vendor nor an endpoint; [`Error::Invalid`] for invalid fields.
pub async fn tenant_model_set(
    scoped: &Scoped<ReadWrite>,
    new: NewTenantModel,
) -> Result<TenantModel> {
    scoped.permit(Action::Update, MODEL_SETTINGS, None)?;
    let id = model_id_check("the model's id", &new.id)?;
    scoped.audit_detail(serde_json::json!({"model": id}));
    let wire_id = model_id_check("the id that is sent", new.wire_id.as_deref().unwrap_or(&id))?;
    let vendor = Provider::parse(&new.provider);
    if vendor.is_none() && endpoint_get(scoped, &new.provider).await?.is_none() {
        return Err(Error::NotFound("provider"));
    }
    let is_new = |row: &own_model::Model| row.model_id == id;
    let rows = scoped.find::<own_model::Entity>().all().await?;
    let before = rows.iter().find(|row| is_new(row));
    if before.is_none() && rows.len() as u64 >= OWN_MODELS_MAX {
        return Err(Error::Invalid(format!(
            "there are {OWN_MODELS_MAX} models already, which is the most"
        )));
    }
    let known = vendor.and_then(|vendor| {
        let model = catalog()
            .model(&wire_id)
            .or_else(|| catalog().model(undated(&wire_id)));
        model.filter(|model| model.provider == vendor)
    });
    let known = known.map(TenantModel::from);
    let known = known.as_ref();
    let mode = new
        .mode
        .or(known.map(|model| model.mode))
        .unwrap_or(Mode::Chat);
    let prices = known.map_or_else(PriceList::default, |model| model.prices);
    let price = |given: Option<Nanousd>, else_of: i64| price_check(given.map_or(else_of, |n| n.0));
    let capabilities = match (&new.capabilities, known) {
        (Some(given), _) => given.clone(),
        (None, Some(model)) => model.capabilities.clone(),
        (None, None) => Vec::new(),
    };
    let tokens = |what: &str, given: Option<u64>, known: Option<u64>| match given.or(known) {
        Some(tokens) if (1..=TOKENS_MAX).contains(&tokens) => {
            Ok(Some(i64::try_from(tokens).unwrap_or(i64::MAX)))
        }
        Some(_) => Err(Error::Invalid(format!(
            "{what} is 1 to {TOKENS_MAX} tokens"
        ))),
        None => Ok(None),
    };
    let now = scoped.env().now();
    let row = own_model::ActiveModel {
        model_id: Set(id.clone()),
        provider: Set(new.provider),
        name: Set(text::name(
            "the model's name",
            new.name.as_deref().unwrap_or(&id),
        )?),
        mode: Set(mode_text(mode).to_owned()),
        context_window: Set(tokens(
            "the context window",
            new.context_window,
            known.and_then(|model| model.context_window),
        )?),
        max_output_tokens: Set(tokens(
            "the longest output",
            new.max_output_tokens,
            known.and_then(|model| model.max_output_tokens),
        )?),
        input_nanousd_per_mtok: Set(price(new.input, prices.input)?),
        output_nanousd_per_mtok: Set(price(new.output, prices.output)?),
        cache_read_nanousd_per_mtok: Set(inherited(new.input, known, prices.cache_read)),
        cache_write_nanousd_per_mtok: Set(inherited(new.input, known, prices.cache_write)),
        dimensions: Set(new
            .dimensions
            .or(known.and_then(|model| model.dimensions))
            .map(i64::from)),
        capabilities: Set(serde_json::json!(
            capabilities
                .iter()
                .map(|one| one.as_str())
                .collect::<Vec<_>>()
        )),
        wire_id: Set(wire_id),
        created_at: Set(before.map_or(now, |row| row.created_at)),
        updated_at: Set(now),
        ..Default::default()
    };
    use own_model::Column;
    let changed = [
        Column::Provider,
        Column::WireId,
        Column::Name,
        Column::Mode,
        Column::ContextWindow,
        Column::MaxOutputTokens,
        Column::InputNanousdPerMtok,
        Column::OutputNanousdPerMtok,
        Column::CacheReadNanousdPerMtok,
        Column::CacheWriteNanousdPerMtok,
        Column::Dimensions,
        Column::Capabilities,
        Column::UpdatedAt,
    ];
    scoped
        .upsert_all(vec![row], &[Column::ModelId], &changed)
        .await?;
    settings_changed(scoped).await?;
    let rows = scoped.find::<own_model::Entity>();
    let row = rows.filter(Column::ModelId.eq(id)).one().await?;
    row.ok_or(Error::NotFound("model"))?.try_into()
}

/// Removes one of the tenant's own models.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn tenant_model_remove(scoped: &Scoped<ReadWrite>, id: &str) -> Result<()> {
    scoped.permit(Action::Delete, MODEL_SETTINGS, None)?;
    scoped.audit_detail(serde_json::json!({"model": id}));
    let which = own_model::Column::ModelId.eq(id);
    if scoped.delete::<own_model::Entity>(which).await? == 0 {
        return Err(Error::NotFound("model"));
    }
    settings_changed(scoped).await
}

/// Hides a model from the tenant's members, or shows it again. A hidden model is not offered and not called.
///
/// # Errors
/// [`Error::Invalid`] for an id that no model has.
pub async fn model_hide(scoped: &Scoped<ReadWrite>, id: &str, hidden: bool) -> Result<()> {
    scoped.permit(Action::Update, MODEL_SETTINGS, None)?;
    let id = model_id_check("the model's id", id)?;
    scoped.audit_detail(serde_json::json!({"model": id, "hidden": hidden}));
    use hidden_model::{ActiveModel, Column, Entity};
    if hidden {
        let row = ActiveModel {
            model_id: Set(id),
            ..Default::default()
        };
        scoped
            .upsert_all(vec![row], &[Column::ModelId], &[])
            .await?;
    } else {
        scoped.delete::<Entity>(Column::ModelId.eq(id)).await?;
    }
    settings_changed(scoped).await
}

impl TryFrom<own_model::Model> for TenantModel {
    type Error = Error;

    fn try_from(row: own_model::Model) -> Result<Self> {
        let unsigned = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok());
        let known =
            Provider::parse(&row.provider).and_then(|_| catalog().model(undated(&row.wire_id)));
        let words: Vec<String> = json_read("tenant_models.capabilities", row.capabilities)?;
        let mode = match row.mode.as_str() {
            "EMBEDDING" => Mode::Embedding,
            _ => Mode::Chat,
        };
        let of_mode = match mode {
            Mode::Chat => Capability::Chat,
            Mode::Embedding => Capability::Embedding,
        };
        let has = |capability: &Capability| {
            *capability == of_mode || words.iter().any(|word| word == capability.as_str())
        };
        Ok(Self {
            prices: PriceList {
                input: row.input_nanousd_per_mtok,
                output: row.output_nanousd_per_mtok,
                cache_read: row
                    .cache_read_nanousd_per_mtok
                    .unwrap_or(row.input_nanousd_per_mtok),
                cache_write: row
                    .cache_write_nanousd_per_mtok
                    .unwrap_or(row.input_nanousd_per_mtok),
                long: None,
            },
            mode,
            capabilities: Capability::ALL.into_iter().filter(has).collect(),
            context_window: unsigned(row.context_window),
            max_output_tokens: unsigned(row.max_output_tokens),
            dimensions: row.dimensions.and_then(|n| u32::try_from(n).ok()),
            shutdown_date: known.and_then(|model| model.shutdown_date),
            id: row.model_id,
            provider: row.provider,
            wire_id: row.wire_id,
            name: row.name,
            is_own: true,
            is_hidden: false,
        })
    }
}

fn inherited(given: Option<Nanousd>, known: Option<&TenantModel>, price: i64) -> Option<i64> {
    known.filter(|_| given.is_none()).map(|_| price)
}

fn price_check(price: i64) -> Result<i64> {
    if (0..=PRICE_MAX.0).contains(&price) {
        return Ok(price);
    }
    Err(Error::Invalid(format!(
        "a price is $0.00 to {PRICE_MAX} for a million tokens"
    )))
}

fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Chat => "CHAT",
        Mode::Embedding => "EMBEDDING",
    }
}

/// Validates a model's id by the rules of the wire clients.
pub(super) fn model_id_check(what: &str, id: &str) -> Result<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@+".contains(&byte);
    let is_good = (1..=MODEL_ID_MAX).contains(&id.len())
        && id.bytes().all(is_plain)
        && id.split('/').all(|part| !["", ".", ".."].contains(&part));
    if is_good {
        return Ok(id.to_owned());
    }
    Err(Error::Invalid(format!(
        "{what} has 1 to {MODEL_ID_MAX} letters, digits and signs of `-_.:/@+`"
    )))
}
