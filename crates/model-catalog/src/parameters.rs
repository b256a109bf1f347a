//! Which parameters a model accepts, so that a call is not refused for a `temperature` or a `max_tokens`.
//!
//! Only what can be shown is said; [`None`] means "not known", and an adapter then leaves the parameter out. Sources:
//!
//! - Anthropic: `max_tokens` is a required field of the Messages API. Its migration guide says that Claude Opus 4.7
//!   answers 400 to any `temperature` but the default; reports of users say the same of Opus 4.8. The 4.5 and 4.6
//!   models accept it (the same guide). Nothing is known here of later ones.
//! - OpenAI: the API reference calls `max_tokens` of Chat Completions deprecated in favour of `max_completion_tokens`,
//!   which all models take while reasoning models refuse the old name; the Responses API has `max_output_tokens`.
//!   The reasoning guide lists `temperature` as unsupported by reasoning models. (Later GPT-5 models take it when
//!   reasoning is switched off by a request; leaving it out is right in both cases.)
//! - Google: `generationConfig.maxOutputTokens` and `generationConfig.temperature` (0 to 2) in the `generateContent`
//!   reference. What models after 2.5 make of `temperature` is not known here.

use serde::Serialize;

use crate::model::{Mode, Model, Provider};

/// The wire format of a request; the same model may be reached by more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WireApi {
    /// Anthropic's Messages API.
    AnthropicMessages,
    /// OpenAI's Responses API.
    OpenAiResponses,
    /// OpenAI's Chat Completions API.
    OpenAiChat,
    /// Google's `generateContent`.
    GoogleGenerateContent,
}

impl WireApi {
    /// Whose API it is.
    #[must_use]
    pub const fn provider(self) -> Provider {
        match self {
            Self::AnthropicMessages => Provider::Anthropic,
            Self::OpenAiResponses | Self::OpenAiChat => Provider::OpenAi,
            Self::GoogleGenerateContent => Provider::Google,
        }
    }
}

/// Which parameters a model accepts over one wire API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// Whether `temperature` may be sent; `None` when it is not known, which asks to leave it out.
    pub supports_temperature: Option<bool>,
    /// The name of the field that limits the output, in tokens.
    pub max_tokens_parameter: &'static str,
}

/// The Claude models of which it is known whether they take a `temperature`.
const CLAUDE_TEMPERATURE: [(&str, bool); 7] = [
    ("claude-haiku-4-5", true),
    ("claude-opus-4-5", true),
    ("claude-opus-4-6", true),
    ("claude-opus-4-7", false),
    ("claude-opus-4-8", false),
    ("claude-sonnet-4-5", true),
    ("claude-sonnet-4-6", true),
];

impl Model {
    /// What the model accepts over `api`; `None` when the model is not served by that API (another provider's, or an
    /// embedding model).
    #[must_use]
    pub fn parameters(&self, api: WireApi) -> Option<Parameters> {
        if self.mode != Mode::Chat || self.provider != api.provider() {
            return None;
        }
        let max_tokens_parameter = match api {
            WireApi::AnthropicMessages => "max_tokens",
            WireApi::OpenAiResponses => "max_output_tokens",
            WireApi::OpenAiChat => "max_completion_tokens",
            WireApi::GoogleGenerateContent => "maxOutputTokens",
        };
        Some(Parameters {
            supports_temperature: self.supports_temperature(),
            max_tokens_parameter,
        })
    }

    fn supports_temperature(&self) -> Option<bool> {
        match self.provider {
            Provider::Anthropic => CLAUDE_TEMPERATURE
                .iter()
                .find(|(id, _)| *id == self.id)
                .map(|(_, takes)| *takes),
            Provider::OpenAi => Some(!self.reasoning),
            Provider::Google => self.id.starts_with("gemini-2.5-").then_some(true),
        }
    }
}
