//! What a model accepts, as the caller's catalog knows it. No model's name is known here.

use crate::Effort;

/// Whether the model takes a temperature.
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

/// By what the amount of thinking is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// The model does not think, or thinks without a choice. Nothing is sent.
    #[default]
    Unsupported,
    /// By a word out of [`ModelTraits::efforts`]. At Anthropic this is adaptive thinking.
    Effort,
    /// By a number of tokens.
    Budget {
        /// The least, in tokens. Anthropic: 1,024.
        min: u32,
        /// The most, in tokens.
        max: u32,
    },
}

/// Whether the model thinks when nothing is said, and whether it can be stopped.
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

/// The name of the field for the most output tokens in Chat Completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputField {
    /// `max_tokens`: what compatible servers know.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`: what OpenAI's reasoning models want.
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

/// How a JSON Schema for the answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StructuredOutput {
    /// Not known: the ways are tried in the order of this list, and the client remembers the first that is not refused.
    #[default]
    Unknown,
    /// The vendor's own way. In Chat Completions `response_format: {type: json_schema}`.
    Schema,
    /// `response_format: {type: json_object, schema}`, as llama-cpp-python wants it.
    ObjectWithSchema,
    /// `response_format: {type: json_object}`, with the schema in the prompt.
    Object,
    /// Only the schema in the prompt.
    Prompt,
}

/// What one model accepts. The default is for a model of which nothing is known: nothing is sent that some server
/// refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelTraits {
    /// Whether it takes a temperature.
    pub sampling: Sampling,
    /// The highest temperature. Anthropic: 1; others: 2.
    pub temperature_max: f64,
    /// By what the amount of thinking is chosen.
    pub thinking: Thinking,
    /// Whether it thinks when nothing is said.
    pub thinking_default: ThinkingDefault,
    /// The words for the amount of thinking that it takes.
    pub efforts: Vec<Effort>,
    /// The most output tokens with reasoning.
    pub output_cap: Option<u32>,
    /// The name of the field for them.
    pub output_field: OutputField,
    /// The role of the system text.
    pub system_role: SystemRole,
    /// How it is given a schema.
    pub structured: StructuredOutput,
    /// Whether it takes pictures.
    pub images: bool,
    /// Whether it takes tools.
    pub tools: bool,
    /// Whether it takes texts to stop at.
    pub stop: bool,
    /// Whether it continues a last message of the assistant's. Newer models refuse it.
    pub continues_assistant: bool,
    /// Whether `stream_options: {include_usage: true}` is sent in Chat Completions. A client notices a server that
    /// refuses it.
    pub stream_usage: bool,
    /// Whether its thoughts come encrypted and want to be sent back (`reasoning.encrypted_content` at OpenAI).
    pub encrypted_reasoning: bool,
    /// Whether it refuses a tool call in the history that has no signature of its thoughts (Gemini 3).
    pub signed_tool_calls: bool,
    /// Whether thoughts at the beginning of the text, between `<think>` and `</think>`, are told apart from the answer
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
    /// The word for an amount of thinking: the asked one, else the next lower one that the model takes, else its
    /// lowest. None where nothing is sent.
    #[must_use]
    pub fn effort(&self, asked: Option<Effort>) -> Option<Effort> {
        let asked = asked?;
        if self.thinking != Thinking::Effort {
            return None;
        }
        let lower = self.efforts.iter().filter(|effort| **effort <= asked).max();
        lower.or(self.efforts.iter().min()).copied()
    }

    /// The budget for an amount of thinking, in tokens. The steps between the model's least and most are this crate's
    /// own choice.
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

    /// Whether the model will think when it is asked so.
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
