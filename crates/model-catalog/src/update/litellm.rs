//! LiteLLM's `model_prices_and_context_window.json`: one object with an entry per model; prices are US dollars per
//! token.

use serde_json::{Map, Value};

use super::{CatalogUpdateError, Entries, Entry, price_check};
use crate::model::{Mode, Provider};

/// The paths of the APIs that the wire clients speak. Google's own is not listed in the files; its models have these
/// too.
const PATHS: [&str; 4] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/embeddings",
];
/// The number of tokens that our prices are for.
const MTOK: f64 = 1_000_000.0;

/// Whether most entries have the field `litellm_provider`.
pub(super) fn is_format(file: &Map<String, Value>) -> bool {
    file.values()
        .any(|entry| entry.get("litellm_provider").is_some())
}

pub(super) fn entries(file: &Map<String, Value>) -> Result<Entries, CatalogUpdateError> {
    let mut entries = Vec::new();
    for (name, fields) in file {
        // This entry describes the fields in words.
        if name == "sample_spec" {
            continue;
        }
        let prices = prices(name, fields)?;
        let vendor = match fields["litellm_provider"].as_str() {
            Some("anthropic") => Provider::Anthropic,
            Some("openai") => Provider::OpenAi,
            Some("gemini") => Provider::Google,
            _ => continue,
        };
        let id = name.rsplit('/').next().unwrap_or(name);
        let mode = match fields["mode"].as_str() {
            Some("chat" | "responses") => Mode::Chat,
            Some("embedding") => Mode::Embedding,
            _ => continue,
        };
        // Fine-tunes and containers are not models that are offered to everybody.
        if id.contains(':') || name.matches('/').count() > 1 {
            continue;
        }
        // Models that produce music or speech, or that only have another API, are skipped.
        let is_ours = lists(fields, "supported_output_modalities", &["text"])
            && lists(fields, "supported_endpoints", &PATHS);
        if mode == Mode::Chat && !is_ours {
            continue;
        }
        let price = |name: &str| {
            let found = prices.iter().find(|(field, _)| *field == name);
            found.map(|(_, price)| *price)
        };
        let (Some(input), output) = (
            price("input_cost_per_token"),
            price("output_cost_per_token"),
        ) else {
            continue;
        };
        let is = |field: &str| fields[field].as_bool().unwrap_or(false);
        let number = |field: &str| fields[field].as_u64();
        let is_tier = |field: &str| field.contains("_cost_per_token_above_");
        entries.push((
            vendor,
            id.to_owned(),
            Entry {
                mode: Some(mode),
                max_input_tokens: number("max_input_tokens").or(number("max_tokens")),
                max_output_tokens: number("max_output_tokens"),
                input,
                output: output.unwrap_or(0.0),
                cache_read: price("cache_read_input_token_cost"),
                cache_write: price("cache_creation_input_token_cost"),
                tiers: prices
                    .iter()
                    .filter(|(field, _)| is_tier(field))
                    .map(|(field, price)| ((*field).to_owned(), *price))
                    .collect(),
                shutdown_date: fields["deprecation_date"]
                    .as_str()
                    .and_then(|date| date.parse().ok()),
                reasoning: is("supports_reasoning"),
                vision: is("supports_vision"),
                tools: is("supports_function_calling"),
                json_schema: Some(is("supports_response_schema")),
                pdf: is("supports_pdf_input"),
                prompt_caching: is("supports_prompt_caching"),
                dimensions: number("output_vector_size"),
                ..Entry::default()
            },
        ));
    }
    Ok(entries)
}

/// Whether a list has one of these words, or is missing.
fn lists(fields: &Value, list: &str, words: &[&str]) -> bool {
    let Some(listed) = fields[list].as_array() else {
        return true;
    };
    let listed = listed.iter().filter_map(Value::as_str);
    listed.into_iter().any(|word| words.contains(&word))
}

/// Every price per token of an entry, converted to a million of them. Those of all vendors are checked: a file with one
/// impossible price is not trusted.
fn prices<'f>(model: &str, fields: &'f Value) -> Result<Vec<(&'f str, f64)>, CatalogUpdateError> {
    let fields = fields.as_object().into_iter().flatten();
    let is_price = |field: &str| {
        (field.starts_with("input_cost_per_token") || field.starts_with("output_cost_per_token"))
            || (field.starts_with("cache_") && field.ends_with("_input_token_cost"))
    };
    let prices = fields.filter(|(field, _)| is_price(field));
    let mut found = Vec::new();
    for (field, price) in prices {
        if let Some(price) = price.as_f64() {
            found.push((field.as_str(), price_check(model, price * MTOK)?));
        }
    }
    Ok(found)
}
