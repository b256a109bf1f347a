//! Updates the facts from a file: LiteLLM's price file or models.dev's `api.json`. The result is a data file of this
//! crate.
//!
//! A file is accepted as a whole or not at all: one negative or absurd price refuses it. Models that it does not name
//! stay unchanged, and so do replacements, which neither format has.

mod litellm;
mod models_dev;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::catalog::ModelCatalog;
use crate::model::{Capability, Mode, Model, Provider};
use crate::name::undated;

/// The highest price that is accepted, in US dollars per million tokens.
const USD_PER_MTOK_MAX: f64 = 10_000.0;
/// The largest context window that is accepted, in tokens.
const TOKENS_MAX: u64 = 100_000_000;

/// Why a file was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogUpdateError {
    /// It is neither format.
    #[error("the file is neither LiteLLM's price file nor models.dev's: {0}")]
    FormatUnknown(String),
    /// A price is negative, not a number, or absurdly high.
    #[error(
        "the price {price} of {model} for a million tokens is not believed: the file is refused"
    )]
    PriceInvalid {
        /// The model.
        model: String,
        /// The price.
        price: f64,
    },
    /// The file names no model of a known vendor.
    #[error("the file has no model of a known vendor")]
    Empty,
    /// The result is not a valid catalog.
    #[error(transparent)]
    Catalog(#[from] crate::error::CatalogError),
}

impl CatalogUpdateError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FormatUnknown(_) => "MODEL_FILE_FORMAT_UNKNOWN",
            Self::PriceInvalid { .. } => "MODEL_PRICE_INVALID",
            Self::Empty => "MODEL_FILE_EMPTY",
            Self::Catalog(error) => error.code(),
        }
    }
}

/// The outcome of an update.
#[derive(Debug, Clone)]
pub struct CatalogUpdate {
    /// The data file, dated, for [`ModelCatalog::parse`].
    pub json: String,
    /// Models that were not known before.
    pub added: Vec<String>,
    /// Models of which a fact changed.
    pub changed: Vec<String>,
}

/// A file's entry for a model. `None` where the file does not state a fact.
#[derive(Debug, Default)]
struct Entry {
    mode: Option<Mode>,
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    tiers: BTreeMap<String, f64>,
    shutdown_date: Option<NaiveDate>,
    /// The vendor no longer offers it, since a day that the file does not state.
    is_over: bool,
    reasoning: bool,
    vision: bool,
    tools: bool,
    json_schema: Option<bool>,
    pdf: bool,
    prompt_caching: bool,
    dimensions: Option<u64>,
}

/// The entries of a file by vendor and id.
type Entries = Vec<(Provider, String, Entry)>;

/// Parses a file and returns the known models, updated by it.
///
/// # Errors
/// [`CatalogUpdateError`].
pub fn catalog_update(
    known: &ModelCatalog,
    text: &str,
    today: NaiveDate,
) -> Result<CatalogUpdate, CatalogUpdateError> {
    let unknown = |reason: &str| CatalogUpdateError::FormatUnknown(reason.to_owned());
    let file: Value = serde_json::from_str(text).map_err(|error| unknown(&error.to_string()))?;
    let file = file.as_object().ok_or_else(|| unknown("it is no object"))?;
    let (source, entries) = if litellm::is_format(file) {
        (
            "LiteLLM's model_prices_and_context_window",
            litellm::entries(file)?,
        )
    } else if models_dev::is_format(file) {
        ("models.dev's api.json", models_dev::entries(file)?)
    } else {
        return Err(unknown("no entry looks like a model"));
    };
    // A dated version adds nothing to the model itself, unless the model is missing.
    let ids: Vec<String> = entries.iter().map(|(_, id, _)| id.clone()).collect();
    let is_extra = |id: &str| {
        undated(id) != id && {
            let base = undated(id);
            known.model(base).is_some() || ids.iter().any(|other| other == base)
        }
    };
    let entries = entries.into_iter().filter(|(_, id, entry)| {
        // An unknown model that is already shut down is skipped.
        let is_gone = entry.is_over || entry.shutdown_date.is_some_and(|date| date <= today);
        !is_extra(id) && (known.model(id).is_some() || !is_gone)
    });
    let entries = dearest(entries);
    if entries.is_empty() {
        return Err(CatalogUpdateError::Empty);
    }
    let mut models: BTreeMap<(&str, String), Value> = known
        .all()
        .iter()
        .map(|model| ((model.provider.id(), model.id.clone()), facts_of(model)))
        .collect();
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for (provider, id, entry) in entries {
        let before = known.model(&id);
        let Some(facts) = merged(provider, &id, &entry, before) else {
            continue;
        };
        let old = models.insert((provider.id(), id.clone()), facts.clone());
        match old {
            None => added.push(id),
            Some(old) if old != facts => changed.push(id),
            Some(_) => {}
        }
    }
    added.sort();
    changed.sort();
    let file = json!({
        "as_of": today.to_string(),
        "source": format!("{source}, over: {}", known.source().split(", over: ").last().unwrap_or_default()),
        "models": models.into_values().collect::<Vec<_>>(),
    });
    let json = file.to_string();
    ModelCatalog::parse(&json)?;
    Ok(CatalogUpdate {
        json,
        added,
        changed,
    })
}

/// Keeps one entry per model: a file may have one under the model's id and another under the vendor's name. The more
/// expensive one is taken, so that no call costs more than what is reserved for it.
fn dearest(entries: impl Iterator<Item = (Provider, String, Entry)>) -> Entries {
    let mut kept: Entries = Vec::new();
    for (provider, id, entry) in entries {
        let twin = kept.iter_mut().find(|(_, other, _)| *other == id);
        match twin {
            Some((_, _, other)) if entry.output > other.output => *other = entry,
            Some(_) => {}
            None => kept.push((provider, id, entry)),
        }
    }
    kept
}

/// Validates a price, in US dollars per million tokens, and rounds it to nano-dollars.
fn price_check(model: &str, price: f64) -> Result<f64, CatalogUpdateError> {
    if (0.0..=USD_PER_MTOK_MAX).contains(&price) {
        // Rounding removes the error of the file's floating-point numbers.
        return Ok((price * 1e9).round() / 1e9);
    }
    Err(CatalogUpdateError::PriceInvalid {
        model: model.to_owned(),
        price,
    })
}

/// The facts of a model after an update. `None` where facts that a call needs are missing.
fn merged(provider: Provider, id: &str, entry: &Entry, before: Option<&Model>) -> Option<Value> {
    let mode = entry.mode.or(before.map(|model| model.mode))?;
    let window = entry
        .max_input_tokens
        .or(before.map(|model| model.context_window))
        .filter(|tokens| (1..=TOKENS_MAX).contains(tokens))?;
    let output = entry
        .max_output_tokens
        .or(before.and_then(|model| model.max_output_tokens))
        .filter(|tokens| (1..=TOKENS_MAX).contains(tokens));
    let output = match mode {
        Mode::Chat => Some(output?),
        Mode::Embedding => None,
    };
    let dimensions = entry
        .dimensions
        .or(before.and_then(|model| model.dimensions).map(u64::from))
        .filter(|_| mode == Mode::Embedding);
    if mode == Mode::Embedding && dimensions.is_none() {
        return None;
    }
    let has = |capability| before.is_some_and(|model| model.has(capability));
    // A known date stays where the file has none.
    let shutdown = entry
        .shutdown_date
        .or(before.and_then(|model| model.shutdown_date));
    let mut tiers = Map::new();
    for (name, price) in &entry.tiers {
        tiers.insert(name.clone(), json!(price));
    }
    Some(facts(Facts {
        provider,
        id,
        mode,
        window,
        output,
        prices: json!({
            "input": entry.input, "output": entry.output, "cache_read": entry.cache_read,
            "cache_write": entry.cache_write, "tiers": tiers,
        }),
        shutdown,
        replacement: before.and_then(|model| model.replacement.as_deref()),
        reasoning: entry.reasoning,
        vision: entry.vision,
        tools: entry.tools,
        json_schema: entry
            .json_schema
            .unwrap_or_else(|| has(Capability::JsonSchema)),
        pdf: entry.pdf,
        prompt_caching: entry.prompt_caching,
        dimensions,
    }))
}

/// The facts of a model in the format of the data file.
fn facts_of(model: &Model) -> Value {
    let mut tiers = Map::new();
    if let Some(long) = &model.prices.long_context {
        let thousands = long.above_input_tokens / 1_000;
        let name = |kind: &str| format!("{kind}_cost_per_token_above_{thousands}k_tokens");
        tiers.insert(name("input"), json!(long.input));
        tiers.insert(name("output"), json!(long.output));
    }
    facts(Facts {
        provider: model.provider,
        id: &model.id,
        mode: model.mode,
        window: model.context_window,
        output: model.max_output_tokens,
        prices: json!({
            "input": model.prices.input, "output": model.prices.output,
            "cache_read": model.prices.cache_read, "cache_write": model.prices.cache_write, "tiers": tiers,
        }),
        shutdown: model.shutdown_date,
        replacement: model.replacement.as_deref(),
        reasoning: model.reasoning,
        vision: model.has(Capability::Vision),
        tools: model.has(Capability::Tools),
        json_schema: model.has(Capability::JsonSchema),
        pdf: model.has(Capability::Pdf),
        prompt_caching: model.has(Capability::PromptCaching),
        dimensions: model.dimensions.map(u64::from),
    })
}

struct Facts<'a> {
    provider: Provider,
    id: &'a str,
    mode: Mode,
    window: u64,
    output: Option<u64>,
    prices: Value,
    shutdown: Option<NaiveDate>,
    replacement: Option<&'a str>,
    reasoning: bool,
    vision: bool,
    tools: bool,
    json_schema: bool,
    pdf: bool,
    prompt_caching: bool,
    dimensions: Option<u64>,
}

fn facts(facts: Facts<'_>) -> Value {
    json!({
        "provider": facts.provider, "id": facts.id, "mode": facts.mode,
        "max_input_tokens": facts.window, "max_output_tokens": facts.output,
        "usd_per_mtok": facts.prices, "shutdown_date": facts.shutdown, "replacement": facts.replacement,
        "reasoning": facts.reasoning, "vision": facts.vision, "tools": facts.tools,
        "json_schema": facts.json_schema, "pdf": facts.pdf, "prompt_caching": facts.prompt_caching,
        "dimensions": facts.dimensions,
    })
}

#[cfg(test)]
mod tests;
