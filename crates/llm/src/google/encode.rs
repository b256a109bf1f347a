//! Encodes the requests to Google `streamGenerateContent`.

use serde_json::{Map, Value, json};

use crate::client::Call;
use crate::encode::{self, Turn, omit};
use crate::google::GenerateDecoder;
use crate::google::schema;
use crate::{
    Effort, Image, LlmError, ModelRequest, Omission, Part, Protocol, Replay, Role,
    StructuredOutput, Thinking, ThinkingDefault, ToolChoice,
};

/// The placeholder that the API accepts as the signature of a call that another vendor's model made.
const FOREIGN_SIGNATURE: &str = "skip_thought_signature_validator";

pub(crate) fn call(request: &ModelRequest, account: &str) -> Result<Call, LlmError> {
    let mut omissions = Vec::new();
    let structured = match request.traits.structured {
        StructuredOutput::Unknown | StructuredOutput::Schema => StructuredOutput::Schema,
        StructuredOutput::ObjectWithSchema => StructuredOutput::Object,
        other => other,
    };
    let mut body = json!({});
    if let Some(text) = encode::system_text(request, structured) {
        body["systemInstruction"] = json!({ "parts": [{ "text": text }] });
    }
    let signed = request.traits.signed_tool_calls;
    let turns = encode::turns(&request.messages);
    let contents = turns.iter().map(|turn| content(turn, account, signed));
    let contents: Vec<Value> = contents
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    if contents.is_empty() {
        let reason = "there is nothing in the messages that can be sent";
        return Err(LlmError::RequestInvalid(reason.to_owned()));
    }
    body["contents"] = contents.into();
    if !request.tools.is_empty() {
        body["tools"] = json!([{ "functionDeclarations": tools(request)? }]);
        body["toolConfig"] = tool_config(&request.tool_choice);
    }
    let generation = generation(request, structured, &mut omissions)?;
    if !generation.is_empty() {
        body["generationConfig"] = generation.into();
    }
    // `models/x` and `tunedModels/x` name a collection; a name without one belongs to `models`.
    let model = &request.model;
    let (collection, name) = model.rsplit_once('/').unwrap_or(("models", model));
    let mut path: Vec<String> = collection.split('/').map(str::to_owned).collect();
    path.push(format!("{name}:streamGenerateContent"));
    Ok(Call {
        path,
        query: Some("alt=sse"),
        body,
        omissions,
        decoder: Box::new(GenerateDecoder::default()),
    })
}

fn generation(
    request: &ModelRequest,
    structured: StructuredOutput,
    omissions: &mut Vec<Omission>,
) -> Result<Map<String, Value>, LlmError> {
    let mut config = Map::new();
    let mut set = |name: &str, value: Value| config.insert(name.to_owned(), value);
    let (thinking, budget) = thinking(request, omissions);
    // Reasoning counts as output here, so its budget is added.
    if let Some(tokens) = encode::output_tokens(request, budget) {
        set("maxOutputTokens", tokens.into());
    }
    let thinks = request.traits.thinks(request.effort);
    if let Some(temperature) = encode::temperature(request, thinks, omissions) {
        set("temperature", temperature.into());
    }
    if let Some(stop) = encode::stop(request, omissions) {
        set("stopSequences", stop.into());
    }
    if let Some(thinking) = thinking {
        set("thinkingConfig", thinking);
    }
    if let Some(output) = &request.output_schema
        && structured != StructuredOutput::Prompt
    {
        set("responseMimeType", "application/json".into());
        if structured == StructuredOutput::Schema {
            set("responseSchema", schema::subset(&output.schema)?);
        }
    }
    Ok(config)
}

/// `thinkingConfig`, and the tokens of the budget.
fn thinking(request: &ModelRequest, omissions: &mut Vec<Omission>) -> (Option<Value>, u32) {
    let traits = &request.traits;
    let mut config = Map::new();
    let mut budget = 0;
    match (traits.thinking, request.effort) {
        (Thinking::Budget { .. }, Some(Effort::Off))
            if traits.thinking_default != ThinkingDefault::Always =>
        {
            config.insert("thinkingBudget".to_owned(), 0.into());
        }
        (Thinking::Budget { min, .. }, Some(asked)) => {
            if asked == Effort::Off {
                omit(
                    omissions,
                    "effort",
                    "the model always thinks; the least was sent",
                );
            }
            budget = traits.budget(asked).unwrap_or(min);
            config.insert("thinkingBudget".to_owned(), budget.into());
        }
        _ => {
            if let Some(effort) = encode::effort(request, omissions) {
                config.insert("thinkingLevel".to_owned(), effort.word().into());
            }
        }
    }
    if request.show_reasoning && traits.thinks(request.effort) {
        config.insert("includeThoughts".to_owned(), true.into());
    }
    ((!config.is_empty()).then(|| config.into()), budget)
}

fn tools(request: &ModelRequest) -> Result<Vec<Value>, LlmError> {
    let declaration = |tool: &crate::Tool| {
        let mut value = json!({ "name": tool.name, "description": tool.description });
        // The API refuses an object without properties, but accepts a function without parameters.
        let has_parameters = tool.schema["properties"]
            .as_object()
            .is_some_and(|fields| !fields.is_empty())
            || tool.schema.get("$ref").is_some();
        if has_parameters {
            value["parameters"] = schema::subset(&tool.schema)?;
        }
        Ok(value)
    };
    request.tools.iter().map(declaration).collect()
}

fn tool_config(choice: &ToolChoice) -> Value {
    let config = match choice {
        ToolChoice::Auto => json!({ "mode": "AUTO" }),
        ToolChoice::Required => json!({ "mode": "ANY" }),
        ToolChoice::None => json!({ "mode": "NONE" }),
        ToolChoice::Named(name) => json!({ "mode": "ANY", "allowedFunctionNames": [name] }),
    };
    json!({ "functionCallingConfig": config })
}

/// Encodes a turn. `None` if no part of it can be sent.
fn content(turn: &Turn<'_>, account: &str, signed: bool) -> Result<Option<Value>, LlmError> {
    let mut parts = Vec::new();
    let mut has_call = false;
    for (part, _) in &turn.parts {
        let is_call = matches!(part, Part::ToolCall(_));
        let is_first_call = is_call && !has_call;
        has_call |= is_call;
        if let Some(mut value) = part_value(part, account)? {
            // The first call of a turn carries the signature of all.
            if signed && is_first_call && value.get("thoughtSignature").is_none() {
                value["thoughtSignature"] = FOREIGN_SIGNATURE.into();
            }
            parts.push(value);
        }
    }
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "model",
    };
    Ok((!parts.is_empty()).then(|| json!({ "role": role, "parts": parts })))
}

fn part_value(part: &Part, account: &str) -> Result<Option<Value>, LlmError> {
    let replayed = |replay: Option<&Replay>| {
        let value = replay?.value_for(Protocol::GoogleGenerateContent, account);
        value.cloned()
    };
    Ok(match part {
        Part::Text(text) => match replayed(text.signature.as_ref()) {
            Some(signature) => Some(json!({ "text": text.text, "thoughtSignature": signature })),
            None if text.text.is_empty() => None,
            None => Some(json!({ "text": text.text })),
        },
        Part::Image(Image::Data { media_type, base64 }) => {
            Some(json!({ "inlineData": { "mimeType": media_type, "data": base64 } }))
        }
        Part::Image(Image::Url(url)) => Some(json!({ "fileData": { "fileUri": url } })),
        Part::ToolCall(call) => {
            let mut value =
                json!({ "functionCall": { "name": call.name, "args": call.arguments } });
            if let Some(signature) = replayed(call.signature.as_ref()) {
                value["thoughtSignature"] = signature;
            }
            Some(value)
        }
        Part::ToolResult(result) if result.name.is_empty() => {
            let reason = "the vendor wants the name of the tool with its result";
            return Err(LlmError::RequestInvalid(reason.to_owned()));
        }
        Part::ToolResult(result) => {
            let field = if result.is_error { "error" } else { "output" };
            let response = json!({ field: result.content });
            Some(json!({ "functionResponse": { "name": result.name, "response": response } }))
        }
        Part::Reasoning(reasoning) => replayed(reasoning.replay.as_ref()),
        Part::Vendor(replay) => replayed(Some(replay)),
    })
}
