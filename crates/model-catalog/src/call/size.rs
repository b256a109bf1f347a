//! An upper bound of a request's size, before anything is sent.

use nyxcore_llm::{Image, ModelRequest, Part};

/// The most tokens of a picture: the vendors scale larger ones down to between 1,600 and 5,000.
const IMAGE_TOKENS: u64 = 6_000;
/// The bytes that roles and separators add to a message. A generous guess of this project.
const MESSAGE_BYTES: u64 = 16;
/// The most output tokens where neither the model's limit is known nor the request sets one.
const OUTPUT_UNKNOWN: u64 = 32_768;

/// The size of a request, by which its highest cost is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestSize {
    /// Bytes of text.
    pub(super) bytes: u64,
    /// The most input tokens: one per 2.5 bytes, and those of the pictures.
    pub(super) input_tokens: u64,
    /// The most output tokens.
    pub(super) output_tokens: u64,
}

impl RequestSize {
    /// The size of a request whose traits and limits are set.
    pub(super) fn of(request: &ModelRequest) -> Self {
        let (mut bytes, mut images) = (0, 0);
        let mut add = |length: usize| bytes += length as u64;
        add(request.system.as_deref().map_or(0, str::len));
        for tool in &request.tools {
            add(tool.name.len() + tool.description.len() + tool.schema.to_string().len());
        }
        if let Some(output) = &request.output_schema {
            add(output.name.len() + output.schema.to_string().len());
        }
        for message in &request.messages {
            for part in &message.parts {
                match part {
                    Part::Text(text) => add(text.text.len()),
                    Part::Image(Image::Url(url)) => {
                        add(url.len());
                        images += 1;
                    }
                    Part::Image(Image::Data { .. }) => images += 1,
                    Part::ToolResult(result) => add(result.name.len() + result.content.len()),
                    // Other parts are sent as JSON, nearly unchanged.
                    other => add(serde_json::to_string(other).map_or(0, |json| json.len())),
                }
            }
        }
        let bytes = bytes + MESSAGE_BYTES * (request.messages.len() as u64 + 1);
        Self {
            bytes,
            input_tokens: input_tokens(bytes).saturating_add(images * IMAGE_TOKENS),
            output_tokens: output_tokens(request),
        }
    }

    /// The size of texts that are embedded.
    pub(super) fn of_texts(inputs: &[String]) -> Self {
        let bytes = inputs.iter().map(|text| text.len() as u64).sum();
        Self {
            bytes,
            input_tokens: input_tokens(bytes),
            output_tokens: 0,
        }
    }
}

/// The most tokens of a text: one per 2.5 bytes, rounded up.
pub(super) fn input_tokens(bytes: u64) -> u64 {
    bytes.saturating_mul(2).div_ceil(5)
}

fn output_tokens(request: &ModelRequest) -> u64 {
    let traits = &request.traits;
    let cap = traits.output_cap.map(u64::from);
    let Some(asked) = request.max_output_tokens else {
        return cap.unwrap_or(OUTPUT_UNKNOWN);
    };
    // Where thinking has its own budget, the wire clients add it to that of the answer.
    let budget = request.effort.and_then(|effort| traits.budget(effort));
    let most = u64::from(asked) + u64::from(budget.unwrap_or(0));
    cap.map_or(most, |cap| most.min(cap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nyxcore_llm::{Effort, Message, Role, Thinking};

    #[test]
    fn a_token_has_at_least_two_and_a_half_bytes() {
        assert_eq!(input_tokens(0), 0);
        assert_eq!(input_tokens(1), 1);
        assert_eq!(input_tokens(1_000), 400);
        assert_eq!(input_tokens(u64::MAX), u64::MAX.div_ceil(5));
    }

    #[test]
    fn every_part_of_a_request_counts() {
        let mut request = ModelRequest::new("m", "x".repeat(1_000));
        let bare = RequestSize::of(&request).bytes;
        assert!((1_000..1_100).contains(&bare));
        request.system = Some("y".repeat(500));
        assert_eq!(RequestSize::of(&request).bytes, bare + 500);
        let picture = Part::Image(Image::from_bytes("image/png", &[0; 100_000]));
        request
            .messages
            .push(Message::new(Role::User, vec![picture]));
        let size = RequestSize::of(&request);
        assert!(size.bytes < 2_000, "a picture is not counted by its bytes");
        assert!(size.input_tokens > IMAGE_TOKENS);
    }

    #[test]
    fn thoughts_count_as_output() {
        let mut request = ModelRequest::new("m", "x");
        assert_eq!(RequestSize::of(&request).output_tokens, OUTPUT_UNKNOWN);
        request.traits.output_cap = Some(64_000);
        assert_eq!(RequestSize::of(&request).output_tokens, 64_000);
        request.max_output_tokens = Some(1_000);
        assert_eq!(RequestSize::of(&request).output_tokens, 1_000);
        request.traits.thinking = Thinking::Budget {
            min: 1_024,
            max: 32_000,
        };
        request.effort = Some(Effort::Low);
        assert_eq!(RequestSize::of(&request).output_tokens, 1_000 + 2_048);
    }
}
