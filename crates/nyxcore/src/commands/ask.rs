//! `ask`: a question to a model, through the model service like every call; the answer streams to the terminal. Also
//! `models embed`, which prints the vectors of texts, and `models key verify`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use nyxcore_llm::{FinishReason, ModelRequest, OutputSchema, StreamEvent};
use nyxcore_model_catalog::{
    CallContext, CallInfo, DefaultPurpose, EmbeddingInput, ModelCall, ModelChoice, ModelError,
    ModelService, Nanousd, ProviderHealth, ProviderState,
};
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::{Error as StoreError, Store, Tenant};

use super::tenant::tenant_require;
use crate::cli::{AskArgs, EmbedArgs};
use crate::error::{Error, Result};
use crate::output;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::{App, end_signal};

/// The purpose of these calls in the ledger.
const PURPOSE: &str = "ask";
/// How long writing the ledger may take at the end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// Asks, and prints the answer on standard output and its cost on standard error.
///
/// # Errors
/// `INVALID_INPUT` for an empty question; `NOT_FOUND` for the tenant; the model or a budget refuses the call; the data
/// directory cannot be used.
pub async fn run(settings: Settings, args: AskArgs, screen: &Screen) -> Result<()> {
    if args.question.trim().is_empty() {
        bail!(StoreError::Invalid("the question is empty".into()));
    }
    let schema = args.schema.as_deref().map(schema_read).transpose()?;
    with_models(settings, args.tenant.as_deref(), async |models, context| {
        let choice = chosen(args.model.as_deref(), DefaultPurpose::Default);
        let has_schema = schema.is_some();
        let request = ModelRequest {
            max_output_tokens: Some(args.max_tokens),
            output_schema: schema,
            ..ModelRequest::new("", &args.question)
        };
        if has_schema {
            print_object(models, (context, choice, request), screen).await
        } else {
            print(models.stream(context, choice, request), screen).await
        }
    })
    .await
}

/// Embeds texts, and prints a line of JSON for each.
///
/// # Errors
/// As [`run`].
pub async fn embed(settings: Settings, args: EmbedArgs, screen: &Screen) -> Result<()> {
    with_models(settings, args.tenant.as_deref(), async |models, context| {
        let choice = chosen(args.model.as_deref(), DefaultPurpose::Embedding);
        let input = EmbeddingInput {
            texts: args.texts.clone(),
            dimensions: None,
            purpose: None,
        };
        let answer = models.embed(context, choice, input).await?;
        for vector in &answer.embeddings.vectors {
            output::write(&format!("{}\n", serde_json::json!(vector)))?;
        }
        let tokens = answer.embeddings.usage.input_tokens;
        said(&answer.info, screen);
        screen.hint(&format!(
            "{} · {tokens} tokens in · {}",
            answer.info.model, answer.cost
        ));
        Ok(())
    })
    .await
}

/// Tests the key that a tenant has for a provider.
///
/// # Errors
/// `NOT_FOUND` for the tenant or the provider; [`Error::ProviderUnhealthy`]; the data directory cannot be used.
pub async fn verify(
    settings: Settings,
    provider: &str,
    tenant: Option<&str>,
    screen: &Screen,
) -> Result<()> {
    with_models(settings, tenant, async |models, context| {
        let found = models.verify_provider(context.tenant, None, provider);
        health_tell(provider, found.await?, screen)
    })
    .await
}

fn health_tell(provider: &str, health: ProviderHealth, screen: &Screen) -> Result<()> {
    match health.state {
        ProviderState::Ok => {
            screen.hint(&format!("{provider} answers, and takes the key"));
            Ok(())
        }
        ProviderState::Unconfigured => {
            Err(ModelError::ProviderUnconfigured(provider.to_owned()).into())
        }
        state => Err(Error::ProviderUnhealthy {
            code: state.as_str(),
            message: match health.message {
                Some(message) => format!("{provider}: {message}"),
                None => format!("{provider} did not answer as its API says"),
            },
        }
        .into()),
    }
}

/// Starts the model service for a question of one tenant, until the answer or an interrupt. The usage is written to the
/// ledger in every case.
async fn with_models(
    settings: Settings,
    slug: Option<&str>,
    ask: impl AsyncFnOnce(&ModelService, CallContext) -> Result<()>,
) -> Result<()> {
    App::once(settings, async |app| {
        let models = app.models_start()?;
        let asked = async {
            let tenant = tenant(&app.store, slug).await?;
            let ended = end_signal()?;
            tokio::select! {
                answered = ask(&models, CallContext::new(tenant.id, PURPOSE)) => answered,
                () = ended => Err(Error::Interrupted.into()),
            }
        };
        let answered = asked.await;
        models.drain(DRAIN_PATIENCE).await;
        answered
    })
    .await
}

fn chosen(model: Option<&str>, purpose: DefaultPurpose) -> ModelChoice {
    match model {
        Some(model) => ModelChoice::Model(model.to_owned()),
        None => ModelChoice::Default(purpose),
    }
}

fn schema_read(path: &Path) -> Result<OutputSchema> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("reading the schema {} failed", path.display()))?;
    let schema = serde_json::from_str(&text).map_err(|error| {
        Error::SettingInvalid(format!("{} is not JSON: {error}", path.display()))
    })?;
    Ok(OutputSchema {
        name: "answer".to_owned(),
        schema,
        strict: false,
    })
}

/// Tells the user how the answer differs from the request.
fn said(info: &CallInfo, screen: &Screen) {
    let replacement = info.replacement.iter().map(|replacement| &replacement.text);
    for said in replacement.chain(&info.fallbacks).chain(&info.warnings) {
        screen.hint(said);
    }
}

fn cost_said(screen: &Screen, model: &str, (input, output): (u64, u64), cost: Nanousd) {
    screen.hint(&format!(
        "{model} · {input} tokens in, {output} out · {cost}"
    ));
}

async fn print_object(
    models: &ModelService,
    (context, choice, request): (CallContext, ModelChoice, ModelRequest),
    screen: &Screen,
) -> Result<()> {
    let object = models.object(context, choice, request).await?;
    output::write(&format!("{}\n", plain(&object.value.to_string())))?;
    for answer in &object.answers {
        said(&answer.info, screen);
        let usage = answer.finish.usage;
        let tokens = (usage.input_tokens, usage.output_tokens);
        cost_said(screen, &answer.info.model, tokens, answer.cost);
    }
    Ok(())
}

async fn print(
    call: impl Future<Output = Result<ModelCall, ModelError>>,
    screen: &Screen,
) -> Result<()> {
    let mut call = call.await?;
    let info = call.info().clone();
    said(&info, screen);
    while let Some(event) = call.next().await {
        match event? {
            StreamEvent::TextDelta(text) => output::write(&plain(&text))?,
            StreamEvent::Finish(finish) => {
                output::write("\n")?;
                let usage = finish.usage;
                let cost = call.cost().unwrap_or_default();
                if finish.reason != FinishReason::Complete {
                    screen.hint(match finish.reason {
                        FinishReason::Length => "the answer was truncated: raise --max-tokens",
                        FinishReason::Filtered => "the provider filtered the answer",
                        FinishReason::Refused => "the model refused",
                        _ => "the answer is not complete",
                    });
                }
                let tokens = (usage.input_tokens, usage.output_tokens);
                cost_said(screen, &info.model, tokens, cost);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes control and direction characters of a model's text, except line breaks and tabs, so that it cannot move the
/// cursor or reorder a line.
fn plain(text: &str) -> String {
    let is_shown = |c: &char| matches!(c, '\n' | '\t') || !output::is_harmful(*c);
    text.chars().filter(is_shown).collect()
}

/// The tenant with that slug, or the only one.
async fn tenant(store: &Store, slug: Option<&str>) -> Result<Tenant> {
    if let Some(slug) = slug {
        return tenant_require(store, slug).await;
    }
    let mut tenants = tenant_list(store).await?;
    match (tenants.pop(), tenants.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => bail!(Error::SettingInvalid(
            "there is no tenant yet: create one with `nyxcore tenant create`".into(),
        )),
        (Some(_), false) => bail!(Error::SettingInvalid(
            "there are several tenants: choose one with --tenant".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cannot_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\n\tc\u{9b}\r\u{202e}"), "a[2Jb\n\tc");
    }
}
