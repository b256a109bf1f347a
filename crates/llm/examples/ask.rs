//! Asks a model a question and prints its answer as it arrives: `ask BASE_URL MODEL QUESTION`, with the key in
//! `LLM_KEY`.

use std::io::Write;

use futures::StreamExt;
use nyxcore_llm::{ApiKey, Client, Endpoint, LlmError, ModelRequest, Protocol, StreamEvent};

#[tokio::main]
async fn main() -> Result<(), LlmError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base_url, model, question] = arguments.as_slice() else {
        eprintln!("usage: ask BASE_URL MODEL QUESTION");
        std::process::exit(2);
    };
    let key =
        std::env::var("LLM_KEY").map_or_else(|_| Ok(ApiKey::none()), |key| ApiKey::parse(&key))?;
    let client = Client::new(Endpoint::new(Protocol::OpenAiChat, base_url)?, key)?;
    let mut answer = client.stream(&ModelRequest::new(model, question)).await?;
    while let Some(event) = answer.next().await {
        match event? {
            StreamEvent::TextDelta(text) => print!("{text}"),
            StreamEvent::Finish(finish) => println!("\n{:?}: {:?}", finish.reason, finish.usage),
            _ => {}
        }
        let _ = std::io::stdout().flush();
    }
    Ok(())
}
