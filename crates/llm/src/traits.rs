//! What a model accepts, as the caller's catalog describes it. This crate knows no model's name.

use crate::Effort;

/// Whether the model accepts a temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sampling {
    /// Always.
    #[default]
    Accepted,
    /// Only when it does not think.
    WithoutReasoning,
    /// Never: it answers 400.
    Refused,
}

/// How the amount of thinking is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// The model does not think, or the amount cannot be chosen. Nothing is sent.
    #[default]
    Unsupported,
    /// By one of the levels in [`ModelTraits::efforts`]. At Anthropic this is adaptive thinking.
    Effort,
    /// By a number of tokens.
    Budget {
        /// The least, in tokens. Anthropic: 1,024.
        min: u32,
        /// The most, in tokens.
        max: u32,
    },
}

/// Whether the model thinks by default, and whether that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThinkingDefault {
    /// It does not think unless it is told to.
    #[default]
    Off,
    /// It thinks unless it is told not to.
    On,
    /// It always thinks.
    Always,
}

/// The name of the field for the maximum number of output tokens in Chat Completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputField {
    /// `max_tokens`, which compatible servers know.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, which OpenAI's reasoning models require.
    MaxCompletionTokens,
}

/// The role of the system text at OpenAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SystemRole {
    /// `system`.
    #[default]
    System,
    /// `developer`: for reasoning models.
    Developer,
}

/// How a JSON Schema for the answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StructuredOutput {
    /// Not known: the ways are tried in the order of this list, and the client remembers the first that is not refused.
    #[default]
    Unknown,
    /// The vendor's own field. In Chat Completions `response_format: {type: json_schema}`.
    Schema,
    /// `response_format: {type: json_object, schema}`, which llama-cpp-python requires.
    ObjectWithSchema,
    /// `response_format: {type: json_object}`, with the schema in the prompt.
    Object,
    /// Only the schema in the prompt.
    Prompt,
}

/// What one model accepts. The default is for an unknown model: it sends no option that some server refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelTraits {
    /// Whether it accepts a temperature.
    pub sampling: Sampling,
    /// The highest temperature. Anthropic: 1; others: 2.
    pub temperature_max: f64,
    /// How the amount of thinking is chosen.
    pub thinking: Thinking,
    /// Whether it thinks by default.
    pub thinking_default: ThinkingDefault,
    /// The effort levels that it accepts.
    pub efforts: Vec<Effort>,
    /// The maximum number of output tokens including reasoning.
    pub output_cap: Option<u32>,
    /// The name of the field for that maximum.
    pub output_field: OutputField,
    /// The role of the system text.
    pub system_role: SystemRole,
    /// How a schema is sent.
    pub structured: StructuredOutput,
    /// Whether it accepts images.
    pub images: bool,
    /// Whether it accepts tools.
    pub tools: bool,
    /// Whether it accepts stop sequences.
    pub stop: bool,
    /// Whether it continues a last message with the role assistant. Newer models refuse it.
    pub continues_assistant: bool,
    /// Whether `stream_options: {include_usage: true}` is sent in Chat Completions. A client notices a server that
    /// refuses it.
    pub stream_usage: bool,
    /// Whether its reasoning is encrypted and has to be sent back (`reasoning.encrypted_content` at OpenAI).
    pub encrypted_reasoning: bool,
    /// Whether it refuses a tool call in the history without a signature of its reasoning (Gemini 3).
    pub signed_tool_calls: bool,
    /// Whether thoughts at the beginning of the text, between `<think>` and `</think>`, are separated from the answer
    /// in Chat Completions.
    pub think_tags: bool,
}

impl Default for ModelTraits {
    fn default() -> Self {
        Self {
            sampling: Sampling::Accepted,
            temperature_max: 2.0,
            thinking: Thinking::Unsupported,
            thinking_default: ThinkingDefault::Off,
            efforts: Vec::new(),
            output_cap: None,
            output_field: OutputField::MaxTokens,
            system_role: SystemRole::System,
            structured: StructuredOutput::Unknown,
            images: true,
            tools: true,
            stop: true,
            continues_assistant: true,
            stream_usage: true,
            encrypted_reasoning: false,
            signed_tool_calls: false,
            think_tags: true,
        }
    }
}

impl ModelTraits {
    /// The effort level to send: the requested one, else the next lower one that the model accepts, else its lowest.
    /// `None` where nothing is sent.
    #[must_use]
    pub fn effort(&self, asked: Option<Effort>) -> Option<Effort> {
        let asked = asked?;
        if self.thinking != Thinking::Effort {
            return None;
        }
        let lower = self.efforts.iter().filter(|effort| **effort <= asked).max();
        lower.or(self.efforts.iter().min()).copied()
    }

    /// The budget for an effort, in tokens. The steps between the model's minimum and maximum are this crate's own
    /// choice.
    #[must_use]
    pub fn budget(&self, effort: Effort) -> Option<u32> {
        let Thinking::Budget { min, max } = self.thinking else {
            return None;
        };
        let tokens = match effort {
            Effort::Off => 0,
            Effort::Minimal => min,
            Effort::Low => 2_048,
            Effort::Medium => 8_192,
            Effort::High => 16_384,
            Effort::XHigh => 32_768,
            Effort::Max => max,
        };
        Some(tokens.max(min).min(max.max(min)))
    }

    /// Whether the model will think with this effort.
    pub(crate) fn thinks(&self, asked: Option<Effort>) -> bool {
        if self.thinking == Thinking::Unsupported {
            return self.thinking_default != ThinkingDefault::Off;
        }
        match (self.thinking_default, asked) {
            (ThinkingDefault::Always, _) => true,
            (default, None) => default != ThinkingDefault::Off,
            (_, Some(Effort::Off)) => {
                self.thinking == Thinking::Effort && !self.efforts.is_empty() && !self.can_be_off()
            }
            (_, Some(_)) => true,
        }
    }

    /// Whether thinking can be switched off.
    pub(crate) fn can_be_off(&self) -> bool {
        self.thinking_default != ThinkingDefault::Always
            && (self.efforts.is_empty() || self.efforts.contains(&Effort::Off))
    }
}
