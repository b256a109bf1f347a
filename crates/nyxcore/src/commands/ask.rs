//! `ask`: sends one question to a model, through the same service as all other calls. The response is streamed to the
//! terminal.

use std::time::Duration;

use anyhow::bail;
use futures::StreamExt;
use nyxcore_llm::{FinishReason, ModelRequest, StreamEvent};
use nyxcore_model_catalog::{CallContext, DefaultPurpose, ModelCall, ModelChoice, ModelService};
use nyxcore_tenancy::directory::tenant_list;
use nyxcore_tenancy::{Store, Tenant};

use super::tenant::tenant_require;
use crate::cli::AskArgs;
use crate::error::{Error, Result};
use crate::output;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::wiring::{App, end_signal};

/// What such calls are for, in the ledger.
const PURPOSE: &str = "ask";
/// How long the ledger may take to be written at the end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// Asks, and prints the answer on standard output and what it cost on standard error.
///
/// # Errors
/// `NOT_FOUND` for the tenant; what the model or a budget refuses; the data directory cannot be used.
pub async fn run(settings: Settings, args: AskArgs, screen: &Screen) -> Result<()> {
    App::once(settings, async |app| {
        let models = app.models_start()?;
        let answered = ask(app, &models, &args, screen).await;
        // What was used is written down whatever became of it.
        models.drain(DRAIN_PATIENCE).await;
        answered
    })
    .await
}

async fn ask(app: &App, models: &ModelService, args: &AskArgs, screen: &Screen) -> Result<()> {
    let tenant = tenant(&app.store, args.tenant.as_deref()).await?;
    let choice = match &args.model {
        Some(model) => ModelChoice::Model(model.clone()),
        None => ModelChoice::Default(DefaultPurpose::Default),
    };
    let request = ModelRequest {
        max_output_tokens: Some(args.max_tokens),
        ..ModelRequest::new("", &args.question)
    };
    let context = CallContext::new(tenant.id, PURPOSE);
    let ended = end_signal()?;
    tokio::select! {
        answered = print(models.stream(context, choice, request), screen) => answered,
        () = ended => Err(Error::Interrupted.into()),
    }
}

async fn print(
    call: impl Future<Output = Result<ModelCall, nyxcore_model_catalog::ModelError>>,
    screen: &Screen,
) -> Result<()> {
    let mut call = call.await?;
    let info = call.info().clone();
    let replacement = info.replacement.iter().map(|replacement| &replacement.text);
    for said in replacement.chain(&info.fallbacks).chain(&info.warnings) {
        screen.hint(said);
    }
    while let Some(event) = call.next().await {
        match event? {
            StreamEvent::TextDelta(text) => output::write(&plain(&text))?,
            StreamEvent::Finish(finish) => {
                output::write("\n")?;
                let usage = finish.usage;
                let cost = call.cost().unwrap_or_default();
                if finish.reason != FinishReason::Complete {
                    screen.hint(match finish.reason {
                        FinishReason::Length => {
                            "the answer was truncated: raise --max-tokens"
                        }
                        FinishReason::Filtered => "the provider filtered the answer",
                        FinishReason::Refused => "the model refused",
                        _ => "the answer is not complete",
                    });
                }
                screen.hint(&format!(
                    "{} · {} tokens in, {} out · {cost}",
                    info.model, usage.input_tokens, usage.output_tokens
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a model wrote moves no cursor and reorders no line: harmful characters but line breaks and tabs are left out.
fn plain(text: &str) -> String {
    let is_shown = |c: &char| matches!(c, '\n' | '\t') || !output::is_harmful(*c);
    text.chars().filter(is_shown).collect()
}

/// The tenant of that short name, or the only one.
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
