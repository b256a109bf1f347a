//! The types of the catalogue: providers, models, prices, capabilities, lifecycle.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The provider of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Anthropic, the Claude models.
    Anthropic,
    /// OpenAI, the GPT and o models.
    OpenAi,
    /// Google, the Gemini models.
    Google,
}

impl Provider {
    /// Every provider, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Anthropic, Self::OpenAi, Self::Google];

    /// The id in the API and in the data: `anthropic`, `openai`, `google`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Google => "google",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "Anthropic",
            Self::OpenAi => "OpenAI",
            Self::Google => "Google",
        }
    }

    /// The provider with this id, if there is one.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.id() == id)
    }
}

/// The kind of calls that a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Messages in, messages out.
    Chat,
    /// Text in, a vector out.
    Embedding,
}

/// Something a model can do; the names are those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Answers messages.
    Chat,
    /// Makes vectors.
    Embedding,
    /// Calls tools.
    Tools,
    /// Reads images.
    Vision,
    /// Follows a JSON schema.
    JsonSchema,
    /// Reads PDF files.
    Pdf,
    /// Bills a repeated prefix at a lower price.
    PromptCaching,
    /// Thinks before it answers, and bills for it.
    Reasoning,
}

impl Capability {
    /// Every capability, in the order in which a model lists them.
    pub const ALL: [Self; 8] = [
        Self::Chat,
        Self::Embedding,
        Self::Tools,
        Self::Vision,
        Self::JsonSchema,
        Self::Pdf,
        Self::PromptCaching,
        Self::Reasoning,
    ];

    /// The name in the API: `chat`, `json_schema`, ...
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Tools => "tools",
            Self::Vision => "vision",
            Self::JsonSchema => "json_schema",
            Self::Pdf => "pdf",
            Self::PromptCaching => "prompt_caching",
            Self::Reasoning => "reasoning",
        }
    }

    /// The capability with this name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.as_str() == name)
    }
}

/// The phase of a model's life on a given day. A model only ever moves to a later phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Lifecycle {
    /// No end is known.
    Active,
    /// A shutdown date is known and still ahead.
    Retiring,
    /// The shutdown date has come: calls fail.
    ShutDown,
}

impl Lifecycle {
    /// The phase on `today` of a model with that shutdown date.
    pub(crate) fn on(shutdown_date: Option<NaiveDate>, today: NaiveDate) -> Self {
        match shutdown_date {
            None => Self::Active,
            Some(date) if today < date => Self::Retiring,
            Some(_) => Self::ShutDown,
        }
    }
}

/// Prices in US dollars per million tokens, at the provider's standard service tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prices {
    /// Input tokens that were not read from a cache.
    pub input: f64,
    /// Output tokens; 0 for embeddings.
    pub output: f64,
    /// Input tokens read from the provider's prompt cache, where these have a price of their own.
    pub cache_read: Option<f64>,
    /// Input tokens written to the provider's prompt cache, where these have a price of their own.
    pub cache_write: Option<f64>,
    /// The higher prices of a long request, where the provider has them.
    pub long_context: Option<LongContextPrice>,
}

/// The prices of the whole request once its input is longer than a threshold; US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LongContextPrice {
    /// The price holds for requests with more input tokens than this.
    pub above_input_tokens: u64,
    /// Input tokens.
    pub input: f64,
    /// Output tokens.
    pub output: f64,
}

/// One model of one provider.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// The id that the provider's API expects, `claude-sonnet-4-6`.
    pub id: String,
    /// Its provider.
    pub provider: Provider,
    /// The name for people, `Claude Sonnet 4.6`.
    pub name: String,
    /// The kind of calls that it takes.
    pub mode: Mode,
    /// The longest input, in tokens. Some providers count the output on top of it, some within it.
    pub context_window: u64,
    /// The longest output, in tokens; absent for embeddings.
    pub max_output_tokens: Option<u64>,
    /// What it costs.
    pub prices: Prices,
    /// Whether it thinks before it answers.
    pub reasoning: bool,
    /// What it can do, in the order of [`Capability::ALL`].
    pub capabilities: Vec<Capability>,
    /// The length of the vectors it makes; absent for chat models.
    pub dimensions: Option<u32>,
    /// The first day on which it no longer answers, if that is known.
    pub shutdown_date: Option<NaiveDate>,
    /// The id of the model that the data names as its successor. [`crate::ModelCatalog::replacement_for`] also finds
    /// one where nothing is named here.
    pub replacement: Option<String>,
}

impl Model {
    /// The phase of the model's life on `today`.
    #[must_use]
    pub fn lifecycle(&self, today: NaiveDate) -> Lifecycle {
        Lifecycle::on(self.shutdown_date, today)
    }

    /// Whether the model can do this.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }
}
