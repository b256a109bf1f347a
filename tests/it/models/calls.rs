//! A model call from the choice of the model to the answer: the request, the response, and the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use chrono::TimeDelta;
use futures::StreamExt;
use nyxcore_llm::testing::{Fault, GREETING, Reply, anthropic, chat, respond, responses};
use nyxcore_llm::{Effort, FinishReason, ModelRequest, OutputSchema, StreamEvent, UsageSource};
use nyxcore_model_catalog::{
    CallOutcome, DefaultPurpose, EmbeddingInput, KeySource, ModelChoice, ModelError, Nanousd,
    member_default_set, tenant_default_set,
};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::json;

use super::world::{KEY, ModelWorld, short};

fn model(id: &str) -> ModelChoice {
    ModelChoice::Model(id.to_owned())
}

fn ordered(ids: &[&str]) -> ModelChoice {
    ModelChoice::Ordered(ids.iter().map(|id| (*id).to_owned()).collect())
}

/// A vendor where Anthropic has no capacity and the others answer.
fn anthropic_overloaded(request: &nyxcore_llm::testing::VendorRequest) -> Reply {
    match request.target.ends_with("/messages") {
        true => Reply::json(529, anthropic::error("overloaded_error", "busy")),
        false => respond(request),
    }
}

on_both_databases! {
    async fn an_answer_streams_and_is_settled(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let mut call = world.service.stream(world.context(), model("claude-sonnet-4-6"), short()).await.unwrap();
        let (mut text, mut finish) = (String::new(), None);
        while let Some(event) = call.next().await {
            match event.unwrap() {
                StreamEvent::TextDelta(delta) => text.push_str(&delta),
                StreamEvent::Finish(end) => finish = Some(end),
                _ => {}
            }
        }
        assert_eq!((text.as_str(), finish.unwrap().reason), (GREETING, FinishReason::Complete));
        // The cost: 5 plain tokens at 3, 4 cached at 0.3, 2 written to the cache at 3.75, 1 written for long at 6, 9 of
        // output at 15.
        let cost = Nanousd(15_000 + 1_200 + 7_500 + 6_000 + 135_000);
        assert_eq!(call.cost(), Some(cost));
        let row = world.row().await;
        assert_eq!((row.outcome, row.cost, row.id), (CallOutcome::Succeeded, cost, call.info().id));
        assert_eq!((row.provider.as_str(), row.model.as_str()), ("anthropic", "claude-sonnet-4-6"));
        assert_eq!(row.model_answered.as_deref(), Some("scripted-model"));
        assert_eq!((row.key_source, row.attempts), (KeySource::Tenant, 1));
        assert_eq!(row.finish_reason.as_deref(), Some("complete"));
        assert_eq!(row.usage.source, UsageSource::Reported);
        let usage = row.usage;
        assert_eq!((usage.input_tokens, usage.cache_read_tokens, usage.output_tokens), (12, 4, 9));
        assert_eq!((usage.cache_write_tokens, usage.cache_write_long_tokens), (2, 1));
        assert!(row.first_token_ms.is_some() && row.reserved > row.cost);
        assert_eq!(row.context, world.context());
        assert_eq!(world.vendor.requests()[0].header("x-api-key"), KEY);
    }

    async fn a_default_is_the_members_then_the_tenants_then_the_products(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let fast = || ModelChoice::Default(DefaultPurpose::Fast);
        let answered = async |world: &ModelWorld| {
            world.service.call(world.context(), fast(), short()).await.unwrap().info.model
        };
        assert_eq!(answered(&world).await, "gpt-4.1-mini");
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        tenant_default_set(&scoped, DefaultPurpose::Fast, Some("claude-haiku-4-5")).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(answered(&world).await, "claude-haiku-4-5");
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        member_default_set(&scoped, world.owner.id, DefaultPurpose::Fast, Some("gpt-4o-mini")).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(answered(&world).await, "gpt-4o-mini");
        let of_nobody = nyxcore_model_catalog::CallContext { user: None, ..world.context() };
        let answer = world.service.call(of_nobody, fast(), short()).await.unwrap();
        assert_eq!(answer.info.model, "claude-haiku-4-5");
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        let unfit = tenant_default_set(&scoped, DefaultPurpose::Embedding, Some("gpt-4o")).await;
        assert_eq!(unfit.unwrap_err().code(), "MODEL_UNFIT");
    }

    async fn a_default_that_is_shut_down_falls_to_its_replacement(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        tenant_default_set(&scoped, DefaultPurpose::Default, Some("gpt-5")).await.unwrap();
        scoped.commit().await.unwrap();
        world.clock.advance(TimeDelta::days(344));
        let choice = ModelChoice::Default(DefaultPurpose::Default);
        let answer = world.service.call(world.context(), choice, short()).await.unwrap();
        let replacement = answer.info.replacement.unwrap();
        assert_eq!((replacement.from.as_str(), replacement.to.as_str()), ("gpt-5", "gpt-6.1-sol"));
        assert_eq!(replacement.text, "GPT-5 was shut down on 2026-12-11; gpt-6.1-sol is used");
        let row = world.row().await;
        assert_eq!((row.model.as_str(), row.note.as_deref()), ("gpt-6.1-sol", Some(replacement.text.as_str())));
        assert_eq!(world.vendor.requests()[0].json()["model"], "gpt-6.1-sol");
    }

    async fn a_dated_version_is_sent_as_it_is(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        for (asked, sent) in [
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
            ("anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"),
            ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14"),
            ("claude-opus-4-6-latest", "claude-opus-4-6"),
        ] {
            world.ask(asked).await.unwrap();
            assert_eq!(world.vendor.requests().last().unwrap().json()["model"], sent);
        }
        assert_eq!(world.refused("openai/claude-sonnet-4-5").await, "MODEL_UNKNOWN");
        let rows = world.ledger().await;
        assert_eq!((rows[0].model_asked.as_str(), rows[0].model.as_str()), ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"));
    }

    async fn parameters_follow_the_catalog(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let request = ModelRequest { temperature: Some(0.5), effort: Some(Effort::High), ..short() };
        let answer = world.service.call(world.context(), model("claude-opus-4-7"), request.clone()).await.unwrap();
        assert_eq!(answer.info.omissions.iter().map(|one| one.field).collect::<Vec<_>>(), ["temperature"]);
        let sent = world.vendor.requests()[0].json();
        assert!(sent.get("temperature").is_none());
        assert_eq!((&sent["thinking"]["type"], &sent["output_config"]["effort"]), (&json!("adaptive"), &json!("high")));
        world.service.call(world.context(), model("claude-haiku-4-5"), request.clone()).await.unwrap();
        assert_eq!(world.vendor.requests()[1].json()["thinking"]["type"], "enabled");
        world.service.call(world.context(), model("gpt-4.1-mini"), request).await.unwrap();
        let sent = world.vendor.requests()[2].json();
        assert_eq!((&sent["temperature"], &sent["store"]), (&json!(0.5), &json!(false)));
    }

    async fn a_passing_failure_is_sent_again(db: TestDatabase) {
        let overloaded = Reply::json(529, anthropic::error("overloaded_error", "busy"));
        let world = ModelWorld::replies(&db, [overloaded, Reply::events(anthropic::text("Hello"))]).await;
        assert_eq!(world.ask("claude-sonnet-4-6").await.unwrap(), "Hello");
        let row = world.row().await;
        assert_eq!((row.attempts, row.outcome), (2, CallOutcome::Succeeded));
    }

    async fn the_next_model_answers_where_one_cannot(db: TestDatabase) {
        let world = ModelWorld::with(&db, anthropic_overloaded).await;
        let choice = ordered(&["claude-sonnet-4-6", "gpt-4.1-mini"]);
        let answer = world.service.call(world.context(), choice, short()).await.unwrap();
        assert_eq!(answer.info.model, "gpt-4.1-mini");
        assert_eq!(answer.info.fallbacks, ["claude-sonnet-4-6: OVERLOADED: busy"]);
        let row = world.row().await;
        assert_eq!((row.model_asked.as_str(), row.model.as_str(), row.attempts), ("claude-sonnet-4-6", "gpt-4.1-mini", 4));
        assert_eq!(row.note.as_deref(), Some("claude-sonnet-4-6: OVERLOADED: busy"));
    }

    async fn a_model_that_cannot_be_tried_is_passed_over(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.endpoint_add("tiny", "tiny-chat").await;
        let choice = ordered(&["no-such-model", "text-embedding-3-small", "tiny-chat"]);
        let answer = world.service.call(world.context(), choice, short()).await.unwrap();
        assert_eq!((answer.info.model.as_str(), answer.info.fallbacks.len()), ("tiny-chat", 2));
        let choice = ordered(&["no-such-model", "text-embedding-3-small"]);
        let refused = world.service.call(world.context(), choice, short()).await.unwrap_err();
        assert_eq!(refused.code(), "MODEL_UNKNOWN");
    }

    async fn no_other_model_is_asked_where_the_request_is_wrong(db: TestDatabase) {
        let status = Arc::new(AtomicU16::new(0));
        let given = Arc::clone(&status);
        let world = ModelWorld::with(&db, move |_| {
            Reply::json(given.load(Ordering::SeqCst), anthropic::error("x", "no"))
        })
        .await;
        for (given, code) in [(400, "REQUEST_REFUSED"), (401, "PROVIDER_KEY_INVALID"), (403, "PROVIDER_FORBIDDEN")] {
            status.store(given, Ordering::SeqCst);
            let choice = ordered(&["claude-sonnet-4-6", "gpt-4.1-mini"]);
            let refused = world.service.call(world.context(), choice, short()).await.unwrap_err();
            assert_eq!(refused.code(), code);
            let row = world.ledger().await.pop().unwrap();
            assert_eq!((row.error_code.as_deref(), row.attempts, row.cost), (Some(code), 1, Nanousd::ZERO));
        }
        assert_eq!(world.vendor.requests().len(), 3);
    }

    async fn no_other_model_is_asked_after_the_first_token(db: TestDatabase) {
        let whole = anthropic::text("Hello, this is a longer answer.");
        // After the third piece of text.
        let (cut, _) = whole.match_indices("text_delta").nth(3).unwrap();
        let world = ModelWorld::replies(&db, [Reply::events(whole).fault(Fault::Cut(cut))]).await;
        let choice = ordered(&["claude-sonnet-4-6", "gpt-4.1-mini"]);
        let mut call = world.service.stream(world.context(), choice, short()).await.unwrap();
        let mut last = None;
        while let Some(event) = call.next().await {
            last = Some(event);
        }
        let code = last.unwrap().unwrap_err().code();
        assert!(["CONNECTION_RESET", "TRUNCATED"].contains(&code), "{code}");
        assert_eq!(world.vendor.requests().len(), 1);
        drop(call);
        let row = world.row().await;
        assert_eq!((row.outcome, row.usage.source), (CallOutcome::Failed, UsageSource::Estimated));
        assert!(row.cost > Nanousd::ZERO && row.first_token_ms.is_some());
    }

    async fn a_prompt_over_the_window_is_refused_with_the_numbers(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let long = ModelRequest { max_output_tokens: Some(10), ..ModelRequest::new("", "x".repeat(600_000)) };
        let refused = world.service.call(world.context(), model("claude-haiku-4-5"), long).await.unwrap_err();
        assert!(matches!(refused, ModelError::ContextTooLong { tokens: 240_013, window: 200_000, .. }), "{refused:?}");
        let text = refused.to_string();
        assert!(text.contains("240013 tokens") && text.contains("600032 bytes") && text.contains("200000"), "{text}");
        assert!(world.vendor.requests().is_empty());
        let row = world.row().await;
        assert_eq!((row.outcome, row.error_code.as_deref()), (CallOutcome::Refused, Some("CONTEXT_TOO_LONG")));
    }

    async fn a_value_that_does_not_fit_is_repaired_once(db: TestDatabase) {
        let wrong = || Reply::events(responses::text(r#"{"answer": "many"}"#));
        let right = Reply::events(responses::text(r#"{"answer": 42}"#));
        let world = ModelWorld::replies(&db, [wrong(), right, wrong()]).await;
        let schema = json!({ "type": "object", "properties": { "answer": { "type": "integer" } }, "required": ["answer"] });
        let output_schema = Some(OutputSchema { name: "answer".to_owned(), schema, strict: false });
        let request = ModelRequest { output_schema, ..short() };
        let object = world.service.object(world.context(), model("gpt-4.1-mini"), request.clone()).await.unwrap();
        assert_eq!((object.value, object.answers.len()), (json!({ "answer": 42 }), 2));
        let refused = world.service.object(world.context(), model("gpt-4.1-mini"), request).await.unwrap_err();
        assert_eq!(refused.code(), "OUTPUT_INVALID");
        // Each request has its row, also those whose answers did not match the schema.
        assert_eq!((world.vendor.requests().len(), world.ledger().await.len()), (4, 4));
    }

    async fn texts_become_vectors_through_the_same_door(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let input = EmbeddingInput { texts: vec!["one".into(), "two".into()], dimensions: None, purpose: None };
        let choice = ModelChoice::Default(DefaultPurpose::Embedding);
        let answer = world.service.embed(world.context(), choice, input).await.unwrap();
        assert_eq!((answer.embeddings.vectors.len(), answer.info.model.as_str()), (2, "text-embedding-3-small"));
        let row = world.row().await;
        assert_eq!((row.outcome, row.usage.output_tokens, row.cost), (CallOutcome::Succeeded, 0, answer.cost));
        assert!(row.cost > Nanousd::ZERO);
    }

    async fn an_endpoint_of_ones_own_is_called_without_a_key(db: TestDatabase) {
        let world = ModelWorld::replies(&db, [Reply::events(chat::text("Hi"))]).await;
        world.endpoint_add("ollama", "llama").await;
        assert_eq!(world.ask("llama").await.unwrap(), "Hi");
        let asked = &world.vendor.requests()[0];
        assert_eq!((asked.target.as_str(), asked.header("authorization")), ("/v1/chat/completions", ""));
        let row = world.row().await;
        assert_eq!((row.key_source, row.cost), (KeySource::None, Nanousd::ZERO));
    }
}
