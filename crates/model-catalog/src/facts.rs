//! Parses the data file and translates it into the types of the catalogue. Unknown fields are refused, so that a fact
//! that is added to the file cannot be overlooked here.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::error::CatalogError;
use crate::model::{Capability, LongContextPrice, Mode, Model, Prices, Provider};
use crate::name::human_name;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsFile {
    as_of: NaiveDate,
    source: String,
    models: Vec<Facts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    provider: Provider,
    id: String,
    mode: Mode,
    max_input_tokens: u64,
    max_output_tokens: Option<u64>,
    usd_per_mtok: PriceFacts,
    shutdown_date: Option<NaiveDate>,
    replacement: Option<String>,
    reasoning: bool,
    vision: bool,
    tools: bool,
    json_schema: bool,
    pdf: bool,
    prompt_caching: bool,
    dimensions: Option<u32>,
    // The fields below are in the file for people who check it; the program does not use them.
    #[serde(rename = "endpoints")]
    _endpoints: Option<Vec<String>>,
    #[serde(rename = "shutdown_source")]
    _shutdown_source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFacts {
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    #[serde(default)]
    tiers: BTreeMap<String, f64>,
}

/// The content of a data file: its date, its source, its models in file order.
pub struct CatalogFile {
    pub as_of: NaiveDate,
    pub source: String,
    pub models: Vec<Model>,
}

/// Parses a data file and checks that ids are unique and that chains of named replacements end.
pub fn parse(json: &str) -> Result<CatalogFile, CatalogError> {
    let file: FactsFile = serde_json::from_str(json)?;
    let models: Vec<Model> = file.models.into_iter().map(Model::from).collect();
    check(&models)?;
    Ok(CatalogFile {
        as_of: file.as_of,
        source: file.source,
        models,
    })
}

fn check(models: &[Model]) -> Result<(), CatalogError> {
    let mut by_id: HashMap<&str, &Model> = HashMap::new();
    for model in models {
        if by_id.insert(&model.id, model).is_some() {
            return Err(CatalogError::DuplicateModel {
                id: model.id.clone(),
            });
        }
    }
    for model in models {
        let mut seen = vec![model.id.as_str()];
        let mut current = model;
        while let Some(next_id) = &current.replacement {
            let next = by_id.get(next_id.as_str()).copied();
            match next {
                Some(next)
                    if next.provider == model.provider
                        && next.mode == model.mode
                        && !seen.contains(&next.id.as_str()) =>
                {
                    seen.push(&next.id);
                    current = next;
                }
                _ => {
                    return Err(CatalogError::BadReplacement {
                        id: current.id.clone(),
                        replacement: next_id.clone(),
                    });
                }
            }
        }
    }
    Ok(())
}

impl From<Facts> for Model {
    fn from(facts: Facts) -> Self {
        let capabilities = Capability::ALL
            .into_iter()
            .filter(|capability| match capability {
                Capability::Chat => facts.mode == Mode::Chat,
                Capability::Embedding => facts.mode == Mode::Embedding,
                Capability::Tools => facts.tools,
                Capability::Vision => facts.vision,
                Capability::JsonSchema => facts.json_schema,
                Capability::Pdf => facts.pdf,
                Capability::PromptCaching => facts.prompt_caching,
                Capability::Reasoning => facts.reasoning,
            })
            .collect();
        Self {
            name: human_name(facts.provider, &facts.id),
            id: facts.id,
            provider: facts.provider,
            mode: facts.mode,
            context_window: facts.max_input_tokens,
            max_output_tokens: facts.max_output_tokens,
            prices: facts.usd_per_mtok.into(),
            reasoning: facts.reasoning,
            capabilities,
            dimensions: facts.dimensions,
            shutdown_date: facts.shutdown_date,
            replacement: facts.replacement,
        }
    }
}

impl From<PriceFacts> for Prices {
    fn from(facts: PriceFacts) -> Self {
        Self {
            long_context: long_context(&facts.tiers),
            input: facts.input,
            output: facts.output,
            cache_read: facts.cache_read,
            cache_write: facts.cache_write,
        }
    }
}

/// Finds `input_cost_per_token_above_<n>k_tokens` and its counterpart for the output. The same names with a suffix
/// (`_batches`, `_flex`, `_priority`, ...) are prices of service tiers that nyxcore does not use.
fn long_context(tiers: &BTreeMap<String, f64>) -> Option<LongContextPrice> {
    tiers.iter().find_map(|(name, input)| {
        let thousands = name
            .strip_prefix("input_cost_per_token_above_")?
            .strip_suffix("k_tokens")?;
        let above: u64 = thousands.parse().ok()?;
        let output = tiers.get(&format!("output_cost_per_token_above_{thousands}k_tokens"))?;
        Some(LongContextPrice {
            above_input_tokens: above * 1000,
            input: *input,
            output: *output,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(models: &str) -> String {
        format!(r#"{{"as_of": "2026-01-01", "source": "a test", "models": [{models}]}}"#)
    }

    fn entry(id: &str, provider: &str, replacement: &str) -> String {
        format!(
            r#"{{"provider": "{provider}", "id": "{id}", "mode": "chat", "max_input_tokens": 10, "max_output_tokens": 5,
                "usd_per_mtok": {{"input": 1.0, "output": 2.0, "cache_read": null, "cache_write": null}},
                "shutdown_date": null, "replacement": {replacement}, "reasoning": false, "vision": false, "tools": true,
                "json_schema": false, "pdf": false, "prompt_caching": false}}"#
        )
    }

    fn code_of(models: &[String]) -> &'static str {
        match parse(&file(&models.join(","))) {
            Ok(_) => "OK",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn a_file_is_refused_when_it_cannot_be_trusted() {
        assert_eq!(code_of(&[entry("a", "openai", "null")]), "OK");
        assert_eq!(
            code_of(&[entry("a", "nobody", "null")]),
            "MODEL_CATALOG_MALFORMED"
        );
        assert_eq!(
            code_of(&[entry("a", "openai", "null"), entry("a", "openai", "null")]),
            "MODEL_CATALOG_DUPLICATE"
        );
        assert_eq!(
            code_of(&[entry("a", "openai", r#""gone""#)]),
            "MODEL_CATALOG_BAD_REPLACEMENT"
        );
        assert_eq!(
            code_of(&[entry("a", "openai", r#""a""#)]),
            "MODEL_CATALOG_BAD_REPLACEMENT"
        );
        assert_eq!(
            code_of(&[entry("a", "openai", r#""b""#), entry("b", "google", "null")]),
            "MODEL_CATALOG_BAD_REPLACEMENT"
        );
        assert_eq!(
            code_of(&[
                entry("a", "openai", r#""b""#),
                entry("b", "openai", r#""a""#)
            ]),
            "MODEL_CATALOG_BAD_REPLACEMENT"
        );
    }

    #[test]
    fn a_field_that_nobody_reads_is_refused() {
        let with_more = entry("a", "openai", "null").replace(r#""pdf""#, r#""song": true, "pdf""#);
        assert_eq!(code_of(&[with_more]), "MODEL_CATALOG_MALFORMED");
    }

    #[test]
    fn only_the_standard_tier_prices_a_long_request() {
        let tiers = [
            ("input_cost_per_token_above_272k_tokens", 4.0),
            ("input_cost_per_token_above_272k_tokens_flex", 2.0),
            ("output_cost_per_token_above_272k_tokens", 15.0),
            ("output_cost_per_token_above_272k_tokens_priority", 30.0),
        ];
        let tiers = tiers.map(|(name, price)| (name.to_owned(), price)).into();
        assert_eq!(
            long_context(&tiers),
            Some(LongContextPrice {
                above_input_tokens: 272_000,
                input: 4.0,
                output: 15.0
            })
        );
    }
}
