//! What each model accepts: effort levels, thinking mode, refused parameters. This is data (`data/traits.json`) with
//! one entry per model; a model without an entry gets the newest behaviour of its family.

use std::collections::HashMap;
use std::sync::LazyLock;

use nyxcore_llm::{
    Effort, ModelTraits, OutputField, Sampling, StructuredOutput, SystemRole, Thinking,
    ThinkingDefault,
};
use serde::Deserialize;

use crate::model::{Capability, Provider};
use crate::tenant::TenantModel;

static TRAITS: LazyLock<TraitsFile> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/traits.json"))
        .expect("the embedded file is checked by the tests")
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TraitsFile {
    // The field is in the file for people who check it.
    #[serde(rename = "as_of")]
    _as_of: chrono::NaiveDate,
    #[serde(rename = "source")]
    _source: String,
    profiles: HashMap<String, Profile>,
    models: HashMap<String, String>,
    families: Vec<Family>,
}

/// The models of a vendor whose ids have the same prefix.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    provider: Provider,
    prefix: String,
    profile: String,
}

/// A behaviour that several models share.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Profile {
    sampling: SamplingWord,
    temperature_max: Option<f64>,
    thinking: ThinkingWord,
    budget_min: u32,
    budget_max: u32,
    default: DefaultWord,
    efforts: Vec<EffortWord>,
    output_field: OutputFieldWord,
    system_role: SystemRoleWord,
    continues_assistant: bool,
    encrypted_reasoning: bool,
    signed_tool_calls: bool,
    stop: Option<bool>,
}

/// Maps the words of the file to an enum of the wire clients.
macro_rules! words {
    ($($name:ident of $target:ident { $($word:literal = $variant:ident),+ $(,)? } else $default:ident;)+) => {
        $(
            #[derive(Deserialize, Clone, Copy)]
            enum $name { $(#[serde(rename = $word)] $variant),+ }

            impl Default for $name {
                fn default() -> Self { Self::$default }
            }

            impl From<$name> for $target {
                fn from(word: $name) -> Self {
                    match word { $($name::$variant => Self::$variant),+ }
                }
            }
        )+
    };
}

words! {
    SamplingWord of Sampling {
        "accepted" = Accepted, "without_reasoning" = WithoutReasoning, "refused" = Refused,
    } else Accepted;
    DefaultWord of ThinkingDefault { "off" = Off, "on" = On, "always" = Always } else Off;
    OutputFieldWord of OutputField {
        "max_tokens" = MaxTokens, "max_completion_tokens" = MaxCompletionTokens,
    } else MaxTokens;
    SystemRoleWord of SystemRole { "system" = System, "developer" = Developer } else System;
    EffortWord of Effort {
        "none" = Off, "minimal" = Minimal, "low" = Low, "medium" = Medium, "high" = High,
        "xhigh" = XHigh, "max" = Max,
    } else Medium;
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum ThinkingWord {
    #[default]
    Unsupported,
    Effort,
    Budget,
}

/// What a model accepts. `vendor` is its vendor; `None` for an endpoint of the tenant, of which only the tenant's own
/// entries are known.
pub(crate) fn model_traits(model: &TenantModel, vendor: Option<Provider>) -> ModelTraits {
    let profile = vendor.and_then(|vendor| profile_of(vendor, model));
    let has = |capability| model.capabilities.contains(&capability);
    let mut traits = profile.map_or_else(ModelTraits::default, ModelTraits::from);
    traits.output_cap = model
        .max_output_tokens
        .map(|tokens| u32::try_from(tokens).unwrap_or(u32::MAX));
    traits.images = has(Capability::Vision);
    traits.tools = has(Capability::Tools);
    traits.structured = match (vendor, has(Capability::JsonSchema)) {
        (Some(_), true) => StructuredOutput::Schema,
        (Some(_), false) => StructuredOutput::Prompt,
        // The client tries it once and remembers the result.
        (None, _) => StructuredOutput::Unknown,
    };
    traits
}

/// The entry of the model, else that of its family.
fn profile_of(vendor: Provider, model: &TenantModel) -> Option<&'static Profile> {
    // A fine-tune is named after its base: `ft:gpt-4.1-mini-2025-04-14:acme::id`.
    let id = model.wire_id.strip_prefix("ft:").unwrap_or(&model.wire_id);
    let id = id.split(':').next().unwrap_or(id);
    let base = crate::name::undated(id);
    let named = [id, base].into_iter().find_map(|id| TRAITS.models.get(id));
    let name = named.or_else(|| {
        let family = TRAITS
            .families
            .iter()
            .find(|family| family.provider == vendor && base.starts_with(&family.prefix));
        family.map(|family| &family.profile)
    })?;
    TRAITS.profiles.get(name)
}

impl From<&Profile> for ModelTraits {
    fn from(profile: &Profile) -> Self {
        let defaults = Self::default();
        Self {
            sampling: profile.sampling.into(),
            temperature_max: profile.temperature_max.unwrap_or(defaults.temperature_max),
            thinking: match profile.thinking {
                ThinkingWord::Unsupported => Thinking::Unsupported,
                ThinkingWord::Effort => Thinking::Effort,
                ThinkingWord::Budget => Thinking::Budget {
                    min: profile.budget_min,
                    max: profile.budget_max,
                },
            },
            thinking_default: profile.default.into(),
            efforts: profile.efforts.iter().map(|word| (*word).into()).collect(),
            output_field: profile.output_field.into(),
            system_role: profile.system_role.into(),
            continues_assistant: profile.continues_assistant,
            encrypted_reasoning: profile.encrypted_reasoning,
            signed_tool_calls: profile.signed_tool_calls,
            stop: profile.stop.unwrap_or(true),
            think_tags: false,
            ..defaults
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::catalog;
    use crate::model::Mode;

    fn traits(id: &str) -> ModelTraits {
        let catalog = catalog();
        let known = catalog.model(id).map(TenantModel::from);
        let model = known.unwrap_or_else(|| {
            let like = TenantModel::from(catalog.model("gpt-4.1").unwrap());
            TenantModel {
                wire_id: id.to_owned(),
                ..like
            }
        });
        let vendor = match id {
            _ if id.starts_with("claude") => Provider::Anthropic,
            _ if id.starts_with("gemini") => Provider::Google,
            _ => Provider::OpenAi,
        };
        model_traits(&model, Some(vendor))
    }

    #[test]
    fn every_chat_model_of_the_catalog_has_an_entry() {
        for model in catalog().all() {
            assert_eq!(
                TRAITS.models.contains_key(&model.id),
                model.mode == Mode::Chat,
                "{}",
                model.id
            );
        }
        for name in TRAITS
            .models
            .values()
            .chain(TRAITS.families.iter().map(|family| &family.profile))
        {
            assert!(TRAITS.profiles.contains_key(name), "{name}");
        }
    }

    #[test]
    fn reasoning_and_thinking_agree_in_the_data() {
        for model in catalog().all().iter().filter(|m| m.mode == Mode::Chat) {
            let thinks = traits(&model.id).thinking != Thinking::Unsupported;
            assert_eq!(thinks, model.reasoning, "{}", model.id);
        }
    }

    #[test]
    fn refused_parameters_are_known() {
        assert_eq!(traits("claude-opus-4-7").sampling, Sampling::Refused);
        assert_eq!(
            traits("claude-sonnet-4-5").sampling,
            Sampling::WithoutReasoning
        );
        assert_eq!(traits("gpt-5").sampling, Sampling::Refused);
        assert_eq!(traits("gpt-4.1-mini").sampling, Sampling::Accepted);
        assert!(!traits("gpt-5").efforts.contains(&Effort::Off));
        assert!(traits("gpt-5.1").efforts.contains(&Effort::Off));
        assert_eq!(traits("claude-opus-5").output_cap, Some(128_000));
        assert!(
            traits("gemini-3.5-flash")
                .efforts
                .contains(&Effort::Minimal)
        );
        assert!(
            !traits("gemini-3.7-flash")
                .efforts
                .contains(&Effort::Minimal)
        );
    }

    #[test]
    fn thinking_that_cannot_be_stopped_is_known() {
        use ThinkingDefault::{Always, Off, On};
        for (model, default) in [
            ("claude-opus-4-8", Off),
            ("claude-opus-5", On),
            ("claude-haiku-5-5", On),
            ("claude-opus-5-5", Always),
            ("claude-sonnet-5-5", Always),
            ("claude-fable-5", Always),
            ("gpt-5", Always),
            ("gpt-5.2", Off),
            ("gpt-5.6", On),
            ("gpt-6-luna", On),
            ("gpt-6-astra", Always),
        ] {
            let traits = traits(model);
            assert_eq!(traits.thinking_default, default, "{model}");
            // A model that always thinks has no effort level without thinking.
            let has_word = traits.efforts.contains(&Effort::Off);
            assert!(!has_word || default != Always, "{model}");
        }
        assert_eq!(traits("gemini-3.5-flash-lite").sampling, Sampling::Refused);
        assert_eq!(traits("gemini-3.5-flash").sampling, Sampling::Accepted);
    }

    #[test]
    fn an_unknown_newer_id_behaves_as_the_newest_of_its_family() {
        assert_eq!(traits("claude-opus-9").sampling, Sampling::Refused);
        assert_eq!(traits("gpt-7").efforts, traits("gpt-6.1-sol").efforts);
        assert!(traits("gemini-5-ultra").signed_tool_calls);
        // A model that is known to be older does not get the newest behaviour.
        assert_eq!(traits("gpt-5-chat-latest").thinking, Thinking::Unsupported);
        let tuned = traits("ft:gpt-4.1-mini-2025-04-14:acme::id");
        assert_eq!(tuned.thinking, Thinking::Unsupported);
    }
}
