//! models.dev's `api.json`: an object a provider with its models, prices in US dollars for a million tokens.

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
            // Those of all providers are looked at: a file with one that cannot be is not trusted.
            for price in cost
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(_, price)| price.as_f64())
            {
                price_check(id, price)?;
            }
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
            // What does not answer in text is none of ours; vectors are not told apart from it here.
            if writes != ["text"] || id.contains("embedding") {
                continue;
            }
            let reads = |what: &str| reads.iter().any(|word| word == what);
            let is = |field: &str| fields[field].as_bool().unwrap_or(false);
            let cache_read = cost["cache_read"].as_f64();
            entries.push((
                vendor,
                id.clone(),
                Entry {
                    mode: Some(Mode::Chat),
                    max_input_tokens: fields["limit"]["context"].as_u64(),
                    max_output_tokens: fields["limit"]["output"].as_u64(),
                    input: price_check(id, input)?,
                    output: price_check(id, cost["output"].as_f64().unwrap_or(0.0))?,
                    cache_read,
                    cache_write: cost["cache_write"].as_f64(),
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
