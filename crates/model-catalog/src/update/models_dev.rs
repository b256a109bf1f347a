//! models.dev's `api.json`: one object per provider with its models; prices are US dollars per million tokens.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{CatalogUpdateError, Entries, Entry, price_check};
use crate::model::{Mode, Provider};

/// Whether the entries are providers with models.
pub(super) fn is_format(file: &Map<String, Value>) -> bool {
    file.values().any(|provider| provider["models"].is_object())
}

pub(super) fn entries(file: &Map<String, Value>) -> Result<Entries, CatalogUpdateError> {
    let mut entries = Vec::new();
    for (name, provider) in file {
        let models = provider["models"].as_object();
        for (id, fields) in models.into_iter().flatten() {
            let cost = &fields["cost"];
            // The prices of all providers are checked: a file with one impossible price is not trusted.
            prices_check(id, cost)?;
            let Some(vendor) = Provider::parse(name) else {
                continue;
            };
            let Some(input) = cost["input"].as_f64() else {
                continue;
            };
            let modalities = |way: &str| {
                let list = fields["modalities"][way].as_array();
                let words = list.into_iter().flatten().filter_map(Value::as_str);
                words.map(str::to_owned).collect::<Vec<_>>()
            };
            let (reads, writes) = (modalities("input"), modalities("output"));
            // Models that do not answer in text are skipped; embedding models can only be told by their ids here.
            if writes != ["text"] || id.contains("embedding") {
                continue;
            }
            let reads = |what: &str| reads.iter().any(|word| word == what);
            let is = |field: &str| fields[field].as_bool().unwrap_or(false);
            let cache_read = cost["cache_read"].as_f64();
            let limit = &fields["limit"];
            entries.push((
                vendor,
                id.clone(),
                Entry {
                    mode: Some(Mode::Chat),
                    // The limit of the input, where it is less than the context window.
                    max_input_tokens: limit["input"].as_u64().or(limit["context"].as_u64()),
                    max_output_tokens: limit["output"].as_u64(),
                    input: price_check(id, input)?,
                    output: price_check(id, cost["output"].as_f64().unwrap_or(0.0))?,
                    cache_read,
                    cache_write: cost["cache_write"].as_f64(),
                    tiers: tiers(cost),
                    is_over: fields["status"] == "deprecated",
                    reasoning: is("reasoning"),
                    vision: reads("image"),
                    tools: is("tool_call"),
                    json_schema: fields["structured_output"].as_bool(),
                    pdf: reads("pdf"),
                    prompt_caching: cache_read.is_some(),
                    ..Entry::default()
                },
            ));
        }
    }
    Ok(entries)
}

/// Checks every price of an entry, including those of its tiers.
fn prices_check(model: &str, cost: &Value) -> Result<(), CatalogUpdateError> {
    match cost {
        Value::Object(fields) => {
            // The size of a tier is not a price.
            let mut prices = fields.iter().filter(|(name, _)| *name != "tier");
            prices.try_for_each(|(_, price)| prices_check(model, price))
        }
        Value::Array(tiers) => tiers.iter().try_for_each(|tier| prices_check(model, tier)),
        price => match price.as_f64() {
            Some(price) => price_check(model, price).map(drop),
            None => Ok(()),
        },
    }
}

/// The prices of long prompts, under the names of the data file.
fn tiers(cost: &Value) -> BTreeMap<String, f64> {
    let sized = cost["tiers"].as_array().into_iter().flatten();
    let sized = sized.filter_map(|tier| {
        let is_of_context = tier["tier"]["type"] == "context";
        let size = tier["tier"]["size"].as_u64().filter(|_| is_of_context)?;
        Some((size, tier))
    });
    // The older field has its size in its name, rounded.
    let older = Some((200_000, &cost["context_over_200k"])).filter(|(_, tier)| tier.is_object());
    let Some((size, tier)) = sized.min_by_key(|(size, _)| *size).or(older) else {
        return BTreeMap::new();
    };
    let thousands = size / 1_000;
    let price = |kind: &str| {
        let name = format!("{kind}_cost_per_token_above_{thousands}k_tokens");
        tier[kind].as_f64().map(|price| (name, price))
    };
    [price("input"), price("output")]
        .into_iter()
        .flatten()
        .collect()
}
