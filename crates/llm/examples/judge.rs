//! Runs checks against a server that emulates the vendors, and prints which of them passed: `judge NAME PROTOCOL
//! BASE_URL CHECK…`. It is for third-party servers, so that the adapters are not only tested against this repository's
//! own emulation. The exit code is 1 where a check failed.

use futures::StreamExt;
use nyxcore_llm::{
    ApiKey, Client, EmbeddingRequest, Endpoint, FinishReason, LlmError, Message, ModelRequest,
    OutputSchema, Part, Protocol, Role, StreamEvent, Tool, ToolResult,
};
use serde_json::{Value, json};

/// The result of a check: a few words, or the error.
type Outcome = Result<String, String>;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, protocol, base_url, checks @ ..] = arguments.as_slice() else {
        eprintln!("usage: judge NAME PROTOCOL BASE_URL CHECK…");
        std::process::exit(2);
    };
    let (protocol, model) = match protocol.as_str() {
        "anthropic" => (Protocol::AnthropicMessages, "claude-test"),
        "responses" => (Protocol::OpenAiResponses, "gpt-test"),
        "chat" => (Protocol::OpenAiChat, "gpt-test"),
        "google" => (Protocol::GoogleGenerateContent, "gemini-test"),
        other => panic!("{other} is no protocol"),
    };
    let endpoint = Endpoint::new(protocol, base_url).expect("a base URL");
    let key = ApiKey::parse("a-key-for-tests").expect("a key");
    let client = Client::new(endpoint, key).expect("a client");
    let mut failed = 0;
    for check in checks {
        let outcome = match check.as_str() {
            "text" => text(&client, model).await,
            "tool" => tool(&client, model).await,
            "json" => object(&client, model).await,
            "thoughts" => thoughts(&client, model).await,
            "cut" => refused(&client, model, "cut", &["TRUNCATED", "CONNECTION_RESET"]).await,
            "overloaded" => refused(&client, model, "overloaded", &["OVERLOADED"]).await,
            "limited" => refused(&client, model, "hello", &["RATE_LIMITED"]).await,
            "embeddings" => embeddings(&client, model).await,
            other => panic!("{other} is no check"),
        };
        let (word, text) = match outcome {
            Ok(text) => ("passed", text),
            Err(text) => ("FAILED", text),
        };
        failed += i32::from(word == "FAILED");
        println!(
            "{word}  {name:<7} {protocol:<22?} {check:<10} {text}",
            protocol = protocol
        );
    }
    std::process::exit(i32::from(failed > 0));
}

fn told(error: &LlmError) -> String {
    format!("{} ({error})", error.code())
}

async fn text(client: &Client, model: &str) -> Outcome {
    let request = ModelRequest::new(model, "hello");
    let mut stream = client
        .stream(&request)
        .await
        .map_err(|error| told(&error))?;
    let (mut text, mut deltas) = (String::new(), 0);
    while let Some(event) = stream.next().await {
        match event.map_err(|error| told(&error))? {
            StreamEvent::TextDelta(delta) => {
                deltas += 1;
                text.push_str(&delta);
            }
            StreamEvent::Finish(finish) if finish.reason != FinishReason::Complete => {
                return Err(format!("it ended with {:?}", finish.reason));
            }
            StreamEvent::Finish(finish) if finish.message.text() != text || text.is_empty() => {
                return Err(format!("shown {text:?}, kept {:?}", finish.message.text()));
            }
            StreamEvent::Finish(finish) => {
                let usage = finish.usage;
                return Ok(format!(
                    "{text:?} in {deltas} pieces, {} + {} tokens {:?}",
                    usage.input_tokens, usage.output_tokens, usage.source
                ));
            }
            _ => {}
        }
    }
    Err("no finish".to_owned())
}

async fn tool(client: &Client, model: &str) -> Outcome {
    let mut request = ModelRequest::new(model, "What is the weather in Zürich?");
    let city = json!({ "type": "string" });
    request.tools.push(Tool {
        name: "get_weather".to_owned(),
        description: "The weather of a city".to_owned(),
        schema: json!({ "type": "object", "properties": { "city": city }, "required": ["city"] }),
    });
    let first = client
        .complete(&request)
        .await
        .map_err(|error| told(&error))?;
    let calls = first.message.parts.iter().filter_map(|part| match part {
        Part::ToolCall(call) => Some(call.clone()),
        _ => None,
    });
    let calls: Vec<_> = calls.collect();
    let [call] = calls.as_slice() else {
        return Err(format!("{} calls, and {:?}", calls.len(), first.reason));
    };
    let is_good = first.reason == FinishReason::ToolUse
        && call.name == "get_weather"
        && call.arguments.get("city").is_some_and(Value::is_string);
    if !is_good {
        return Err(format!("{:?} {call:?}", first.reason));
    }
    let result = Part::ToolResult(ToolResult {
        call_id: call.id.clone(),
        name: call.name.clone(),
        content: "sunny".to_owned(),
        is_error: false,
    });
    let said = format!("{}({})", call.name, Value::from(call.arguments.clone()));
    request.messages.push(first.message);
    request
        .messages
        .push(Message::new(Role::User, vec![result]));
    let second = client
        .complete(&request)
        .await
        .map_err(|error| told(&error))?;
    if second.reason != FinishReason::Complete || second.message.text().is_empty() {
        return Err(format!("after the result: {:?}", second.reason));
    }
    Ok(format!("{said}, then {:?}", second.message.text()))
}

async fn object(client: &Client, model: &str) -> Outcome {
    let mut request = ModelRequest::new(model, "json");
    request.traits.structured = nyxcore_llm::StructuredOutput::Schema;
    let answer = json!({ "type": "integer" });
    request.output_schema = Some(OutputSchema {
        name: "answer".to_owned(),
        schema: json!({
            "type": "object", "properties": { "answer": answer }, "required": ["answer"],
            "additionalProperties": false,
        }),
        strict: true,
    });
    let answer = client
        .object(&request)
        .await
        .map_err(|error| told(&error))?;
    Ok(format!(
        "{} in {} calls",
        answer.value,
        answer.finishes.len()
    ))
}

async fn thoughts(client: &Client, model: &str) -> Outcome {
    let request = ModelRequest::new(model, "think");
    let mut stream = client
        .stream(&request)
        .await
        .map_err(|error| told(&error))?;
    let mut thoughts = String::new();
    while let Some(event) = stream.next().await {
        if let StreamEvent::ReasoningDelta(delta) = event.map_err(|error| told(&error))? {
            thoughts.push_str(&delta);
        }
    }
    if thoughts.is_empty() {
        return Err("no thoughts".to_owned());
    }
    Ok(format!("{thoughts:?}"))
}

async fn refused(client: &Client, model: &str, prompt: &str, codes: &[&str]) -> Outcome {
    match client.complete(&ModelRequest::new(model, prompt)).await {
        Err(error) if codes.contains(&error.code()) && error.is_retryable() => Ok(told(&error)),
        Err(error) => Err(told(&error)),
        Ok(finish) => Err(format!("it ended with {:?}", finish.reason)),
    }
}

async fn embeddings(client: &Client, model: &str) -> Outcome {
    let texts = ["one", "two", "three"].map(str::to_owned).to_vec();
    let mut request = EmbeddingRequest::new(model, texts);
    request.batch_inputs = 2;
    let all = client.embed(&request).await.map_err(|error| told(&error))?;
    let length = all.vectors.first().map_or(0, Vec::len);
    Ok(format!(
        "{} vectors of {length} in {} batches",
        all.vectors.len(),
        all.batches
    ))
}
