//! A request to a model, in the same form for every vendor.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{LlmError, ModelTraits, Part};

/// The maximum length of a model id, in bytes.
const MODEL_ID_MAX: usize = 256;
/// The maximum length of a tool's name, in bytes. All vendors have the limit 64.
const TOOL_NAME_MAX: usize = 64;

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person or program that asks. Tool results have this role too.
    User,
    /// The model.
    Assistant,
}

/// How long a vendor keeps a cached prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheLifetime {
    /// Five minutes from the last use.
    Short,
    /// One hour.
    Long,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Whose turn it is.
    pub role: Role,
    /// The content, in order.
    pub parts: Vec<Part>,
    /// Marks the prompt up to the end of this message for the vendor's cache. Vendors that cache by themselves ignore
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheLifetime>,
}

impl Message {
    /// Creates a turn of the user.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, vec![Part::text(text)])
    }

    /// Creates a turn of the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, vec![Part::text(text)])
    }

    /// A turn of several parts.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        let cache = None;
        Self { role, parts, cache }
    }

    /// All text of the turn, without reasoning.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(part) => Some(part.text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

/// A function that the model may ask the caller to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name: letters, digits, `_` and `-`, at most 64 characters.
    pub name: String,
    /// What it does and when to use it, for the model.
    pub description: String,
    /// A JSON Schema of its arguments, which are one object.
    pub schema: Value,
}

/// Whether the model may or must use tools.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// The model calls at least one tool.
    Required,
    /// The model calls no tool.
    None,
    /// The model calls this tool.
    Named(String),
}

/// The form that the whole answer must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputSchema {
    /// A name of the schema. The rules of tool names apply.
    pub name: String,
    /// The JSON Schema.
    pub schema: Value,
    /// Whether the vendor enforces the schema strictly. OpenAI then requires every property to be required and
    /// `additionalProperties` to be false.
    pub strict: bool,
}

/// How much the model thinks before it answers. The levels are ordered by the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Not at all.
    Off,
    /// As little as possible.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// Very much.
    XHigh,
    /// As much as possible.
    Max,
}

impl Effort {
    /// The name that vendors use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }
}

/// The parts of the prompt, besides messages, that the vendor's cache is to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CacheMarks {
    /// The prompt up to the end of the tools.
    pub tools: Option<CacheLifetime>,
    /// The prompt up to the end of the system text.
    pub system: Option<CacheLifetime>,
}

/// One call of a model. [`ModelRequest::new`] gives one without any options; every field may be set.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// The vendor's id of the model.
    pub model: String,
    /// What the model accepts. This crate knows no model, so the caller sets it.
    pub traits: ModelTraits,
    /// The system text.
    pub system: Option<String>,
    /// The conversation, oldest turn first.
    pub messages: Vec<Message>,
    /// The functions that the model may call.
    pub tools: Vec<Tool>,
    /// Whether the model may or must use them.
    pub tool_choice: ToolChoice,
    /// The form of the answer.
    pub output_schema: Option<OutputSchema>,
    /// How much the model thinks. `None` leaves it to the vendor.
    pub effort: Option<Effort>,
    /// Asks for a summary of the reasoning, where the vendor gives one.
    pub show_reasoning: bool,
    /// The maximum number of tokens of the answer without its reasoning. `None` is the model's own limit, or the
    /// vendor's default.
    pub max_output_tokens: Option<u32>,
    /// The sampling temperature, 0 or more.
    pub temperature: Option<f64>,
    /// Stop sequences, at which the answer ends.
    pub stop: Vec<String>,
    /// The other parts of the prompt that the vendor's cache is to keep.
    pub cache: CacheMarks,
}

impl ModelRequest {
    /// Creates a request with one question.
    pub fn new(model: impl Into<String>, prompt: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            traits: ModelTraits::default(),
            system: None,
            messages: vec![Message::user(prompt)],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            output_schema: None,
            effort: None,
            show_reasoning: false,
            max_output_tokens: None,
            temperature: None,
            stop: Vec::new(),
            cache: CacheMarks::default(),
        }
    }

    /// Validates the request before it is sent. It refuses options whose omission would change the meaning of the
    /// request.
    pub(crate) fn check(&self) -> Result<(), LlmError> {
        model_check(&self.model)?;
        let refuse = |reason: &str| Err(LlmError::RequestInvalid(reason.to_owned()));
        let parts = || self.messages.iter().flat_map(|message| &message.parts);
        if parts().next().is_none() {
            return refuse("there is no message");
        }
        if self.messages.last().map(|last| last.role) == Some(Role::Assistant)
            && !parts().any(|part| matches!(part, Part::Vendor(_)))
            && !self.traits.continues_assistant
        {
            return refuse(
                "the last message is the assistant's, and the model does not continue it",
            );
        }
        if !self.traits.images && parts().any(|part| matches!(part, Part::Image(_))) {
            return refuse("the model takes no images");
        }
        if !self.traits.tools && !self.tools.is_empty() {
            return refuse("the model takes no tools");
        }
        for tool in &self.tools {
            name_check(&tool.name)?;
            if !tool.schema.is_object() {
                return refuse("the schema of a tool is not a JSON object");
            }
        }
        if let ToolChoice::Named(name) = &self.tool_choice
            && !self.tools.iter().any(|tool| tool.name == *name)
        {
            return refuse("the tool that is to be called is not among the tools");
        }
        if let Some(output) = &self.output_schema {
            name_check(&output.name)?;
        }
        if self.max_output_tokens == Some(0) {
            return refuse("the most output tokens are 0");
        }
        if self
            .temperature
            .is_some_and(|value| !value.is_finite() || value < 0.0)
        {
            return refuse("the temperature is not a number from 0 on");
        }
        Ok(())
    }
}

/// A model id may contain a slash or a colon (`org/model:tag`), but no character that would leave its segment of a URL
/// path.
pub(crate) fn model_check(model: &str) -> Result<(), LlmError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@+".contains(&byte);
    let is_good = (1..=MODEL_ID_MAX).contains(&model.len())
        && model.bytes().all(is_allowed)
        && model
            .split('/')
            .all(|part| !["", ".", ".."].contains(&part));
    if is_good {
        return Ok(());
    }
    let reason = "the model id is empty, too long, or has a character that no model id has";
    Err(LlmError::RequestInvalid(reason.to_owned()))
}

fn name_check(name: &str) -> Result<(), LlmError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=TOOL_NAME_MAX).contains(&name.len()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    let reason = "the name of a tool or schema is not 1 to 64 letters, digits, `_` and `-`";
    Err(LlmError::RequestInvalid(reason.to_owned()))
}
