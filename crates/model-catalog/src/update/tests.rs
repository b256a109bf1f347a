//! Tests of updates from files of both formats, and from files that are refused.

use super::*;
use crate::catalog::catalog;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 12, 1).unwrap()
}

fn update(file: &Value) -> Result<CatalogUpdate, CatalogUpdateError> {
    catalog_update(catalog(), &file.to_string(), day())
}

fn litellm(input: f64) -> Value {
    json!({
        "sample_spec": { "input_cost_per_token": -1, "litellm_provider": "one of …" },
        "gpt-4.1-mini": {
            "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1_047_576, "max_output_tokens": 32_768,
            "input_cost_per_token": input, "output_cost_per_token": 1.6e-6, "cache_read_input_token_cost": 1e-7,
            "supports_function_calling": true, "supports_vision": true, "supports_response_schema": true,
            "supports_pdf_input": true, "supports_prompt_caching": true, "deprecation_date": "2027-01-14",
        },
        "gpt-7": {
            "litellm_provider": "openai", "mode": "responses", "max_input_tokens": 2_000_000, "max_output_tokens": 200_000,
            "input_cost_per_token": 1e-6, "output_cost_per_token": 5e-6, "supports_reasoning": true,
            "input_cost_per_token_above_200k_tokens": 2e-6, "output_cost_per_token_above_200k_tokens": 9e-6,
        },
        "gpt-7-2026-11-30": {
            "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1, "max_output_tokens": 1,
            "input_cost_per_token": 1e-6, "output_cost_per_token": 5e-6,
        },
        "gemini/gemini-5-flash": {
            "litellm_provider": "gemini", "mode": "chat", "max_input_tokens": 1_000_000, "max_output_tokens": 65_536,
            "input_cost_per_token": 3e-7, "output_cost_per_token": 2.5e-6,
        },
        "azure/gpt-7": { "litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 1e-6 },
        "dall-e-9": { "litellm_provider": "openai", "mode": "image_generation", "input_cost_per_token": 1e-6 },
    })
}

#[test]
fn a_litellm_file_brings_new_models_and_prices() {
    let update = update(&litellm(3e-7)).unwrap();
    assert_eq!(update.added, ["gemini-5-flash", "gpt-7"]);
    assert_eq!(update.changed, ["gpt-4.1-mini"]);
    let after = ModelCatalog::parse(&update.json).unwrap();
    assert_eq!(after.as_of(), day());
    assert_eq!(after.model("gpt-4.1-mini").unwrap().prices.input, 0.3);
    let new = after.model("gpt-7").unwrap();
    assert_eq!(
        (new.context_window, new.max_output_tokens),
        (2_000_000, Some(200_000))
    );
    assert_eq!(
        new.prices.long_context.as_ref().map(|long| long.input),
        Some(2.0)
    );
    assert!(new.has(Capability::Reasoning) && after.model("gpt-7-2026-11-30").is_none());
    // A model that the file does not name stays unchanged, with its replacement.
    assert_eq!(
        after.model("gpt-5").unwrap().replacement.as_deref(),
        Some("gpt-6.1-sol")
    );
    assert_eq!(after.all().len(), catalog().all().len() + 2);
}

#[test]
fn a_file_that_changes_nothing_is_told_as_such() {
    let mut file = litellm(4e-7);
    file.as_object_mut()
        .unwrap()
        .retain(|name, _| name == "gpt-4.1-mini");
    let update = update(&file).unwrap();
    assert_eq!((update.added.len(), update.changed.len()), (0, 0));
}

#[test]
fn one_price_that_cannot_be_refuses_the_whole_file() {
    for price in [-1e-9, 0.011, f64::MAX] {
        assert_eq!(
            update(&litellm(price)).unwrap_err().code(),
            "MODEL_PRICE_INVALID",
            "{price}"
        );
    }
    let mut of_another = litellm(4e-7);
    of_another["azure/gpt-7"]["output_cost_per_token"] = json!(-2.0);
    assert_eq!(
        update(&of_another).unwrap_err().code(),
        "MODEL_PRICE_INVALID"
    );
    let dev =
        json!({ "groq": { "models": { "x": { "cost": { "input": 1.0, "output": -1.0 } } } } });
    assert_eq!(update(&dev).unwrap_err().code(), "MODEL_PRICE_INVALID");
}

#[test]
fn a_models_dev_file_is_read_too() {
    let file = json!({
        "anthropic": { "id": "anthropic", "models": {
            "claude-opus-6": {
                "name": "Claude Opus 6", "reasoning": true, "tool_call": true,
                "modalities": { "input": ["text", "image", "pdf"], "output": ["text"] },
                "cost": { "input": 4.0, "output": 20.0, "cache_read": 0.4, "cache_write": 5.0 },
                "limit": { "context": 1_000_000, "output": 128_000 },
            },
            "claude-paint": {
                "modalities": { "input": ["text"], "output": ["image"] }, "cost": { "input": 1.0, "output": 1.0 },
                "limit": { "context": 1, "output": 1 },
            },
        } },
        "groq": { "models": { "x": { "cost": { "input": 1.0, "output": 1.0 } } } },
    });
    let update = update(&file).unwrap();
    assert_eq!(update.added, ["claude-opus-6"]);
    let after = ModelCatalog::parse(&update.json).unwrap();
    let new = after.model("claude-opus-6").unwrap();
    assert_eq!(
        (new.prices.output, new.prices.cache_write),
        (20.0, Some(5.0))
    );
    assert!(
        new.has(Capability::Pdf)
            && new.has(Capability::Tools)
            && new.has(Capability::PromptCaching)
    );
}

/// A part of the file that models.dev served in May 2026.
const MODELS_DEV: &str = include_str!("models_dev.json");

#[test]
fn the_file_of_models_dev_is_read() {
    let update = catalog_update(catalog(), MODELS_DEV, day()).unwrap();
    // Dated versions and models of pictures, speech and vectors are not added.
    assert_eq!(update.added, ["gpt-5.5-pro"]);
    let after = ModelCatalog::parse(&update.json).unwrap();
    let long = |id: &str| {
        let long = after.model(id).unwrap().prices.long_context.clone();
        long.map(|long| (long.above_input_tokens, long.input, long.output))
    };
    let new = after.model("gpt-5.5-pro").unwrap();
    let sizes = (new.context_window, new.max_output_tokens);
    assert_eq!(sizes, (922_000, Some(128_000)));
    // The size of the tier counts, and not that of the older field beside it.
    assert_eq!(long("gpt-5.5-pro"), Some((272_000, 60.0, 270.0)));
    assert_eq!(long("gemini-2.5-pro"), Some((200_000, 2.5, 15.0)));
    let sonnet = after.model("claude-sonnet-4-5").unwrap();
    assert_eq!(
        (sonnet.prices.input, sonnet.prices.cache_write),
        (3.0, Some(3.75))
    );
    let negative = MODELS_DEV.replacen("\"output\": 270", "\"output\": -270", 1);
    let refused = catalog_update(catalog(), &negative, day()).unwrap_err();
    assert_eq!(refused.code(), "MODEL_PRICE_INVALID");
}

#[test]
fn what_a_call_cannot_be_made_of_is_left_out() {
    let with = |fields: Value| {
        let mut entry = json!({ "litellm_provider": "gemini", "mode": "chat", "max_input_tokens": 1_000,
            "max_output_tokens": 1_000, "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6 });
        entry
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        entry
    };
    let file = json!({
        "gemini/song-1": with(json!({ "supported_output_modalities": ["audio"] })),
        "gemini/other-api": with(json!({ "supported_endpoints": ["/v1beta/interactions"] })),
        "gemini/gone": with(json!({ "deprecation_date": "2026-11-30" })),
        "gemini/going": with(json!({ "deprecation_date": "2026-12-31", "supported_endpoints": ["/v1/chat/completions"] })),
        "gemini/twice": with(json!({ "output_cost_per_token": 3e-6 })),
        "twice": with(json!({ "output_cost_per_token": 1e-6 })),
    });
    let update = update(&file).unwrap();
    assert_eq!(update.added, ["going", "twice"]);
    let after = ModelCatalog::parse(&update.json).unwrap();
    assert_eq!(after.model("twice").unwrap().prices.output, 3.0);
}

#[test]
fn what_is_neither_format_is_refused() {
    for text in ["", "[]", "{}", r#"{"a": 1}"#, "<html>"] {
        let refused = catalog_update(catalog(), text, day()).unwrap_err();
        assert_eq!(refused.code(), "MODEL_FILE_FORMAT_UNKNOWN", "{text}");
    }
    let strangers =
        json!({ "azure/x": { "litellm_provider": "azure", "input_cost_per_token": 1e-6 } });
    assert_eq!(update(&strangers).unwrap_err().code(), "MODEL_FILE_EMPTY");
}
