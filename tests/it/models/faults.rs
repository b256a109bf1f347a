//! Invalid input and faulty servers: each gets a stable code and a settled row, and no message contains a key.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nyxcore_llm::SseLimits;
use nyxcore_llm::testing::{Fault, Reply, VendorServer, anthropic, chat, self_signed_server};
use nyxcore_model_catalog::{
    CallOutcome, EndpointProtocol, ModelChoice, NewEndpoint, NewTenantModel, ProviderKey,
    endpoint_set, provider_key_set, tenant_model_set,
};
use nyxcore_outbound::{HostResolver, OutboundPolicy, Resolving};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::world::{KEY, ModelWorld, PRIVATE, short};

const MODEL: &str = "claude-sonnet-4-6";

impl ModelWorld {
    /// Checks that a call fails with that code, that its row has the same outcome, and that neither contains a key.
    async fn fails_with(&self, code: &str, outcome: CallOutcome) {
        self.model_fails_with(MODEL, code, outcome).await;
    }

    async fn model_fails_with(&self, model: &str, code: &str, outcome: CallOutcome) {
        let error = self.ask(model).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let row = self.ledger().await.pop().unwrap();
        assert_eq!(
            (row.error_code.as_deref(), row.outcome),
            (Some(code), outcome)
        );
        for text in [format!("{error} {error:?}"), format!("{row:?}")] {
            assert!(!text.contains(KEY) && !text.contains("zz-very"), "{text}");
        }
    }
}

/// A resolver that resolves every name to one address.
#[derive(Debug)]
struct Names(&'static str);

impl HostResolver for Names {
    fn host_resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let address: IpAddr = self.0.parse().unwrap();
        Box::pin(async move { Ok(vec![address]) })
    }
}

on_both_databases! {
    async fn a_stream_that_is_cut_is_never_taken_for_whole(db: TestDatabase) {
        let whole = anthropic::text("Hello, world");
        let cuts = [0, 1, whole.len() / 3, whole.len() / 2, whole.find("message_stop").unwrap()];
        let cut = Arc::new(AtomicUsize::new(0));
        let (given, body) = (Arc::clone(&cut), whole.clone());
        let world = ModelWorld::with(&db, move |_| {
            Reply::events(body.clone()).fault(Fault::End(given.load(Ordering::SeqCst)))
        })
        .await;
        for at in cuts {
            cut.store(at, Ordering::SeqCst);
            world.fails_with("TRUNCATED", CallOutcome::Failed).await;
        }
    }

    async fn an_error_after_200_is_an_error(db: TestDatabase) {
        let world = ModelWorld::replies(&db, [Reply::json(200, anthropic::error("invalid_request_error", &format!("bad {KEY}")))]).await;
        world.fails_with("REQUEST_REFUSED", CallOutcome::Failed).await;
    }

    async fn a_page_of_a_proxy_is_no_answer(db: TestDatabase) {
        let world = ModelWorld::replies(&db, [Reply::html(200)]).await;
        world.fails_with("ANSWER_NOT_API", CallOutcome::Failed).await;
    }

    async fn no_capacity_is_a_passing_failure(db: TestDatabase) {
        let reply = |status| Reply::json(status, anthropic::error("overloaded_error", KEY));
        let world = ModelWorld::replies(&db, [reply(529), reply(529), reply(529), reply(503)]).await;
        world.fails_with("OVERLOADED", CallOutcome::Failed).await;
        assert_eq!(world.row().await.attempts, 3);
        world.fails_with("OVERLOADED", CallOutcome::Failed).await;
    }

    async fn garbage_and_unknown_events_do_not_pass_for_an_answer(db: TestDatabase) {
        let whole = anthropic::text("Hello");
        let unknown = whole.replacen("event: ping", "event: from_the_future\ndata: {\"type\":\"from_the_future\"}\n\nevent: ping", 1);
        let garbled = Reply::events(whole.clone()).garble(whole.find("data: {").unwrap() + 6);
        let world = ModelWorld::replies(&db, [Reply::events(unknown), garbled]).await;
        assert_eq!(world.ask(MODEL).await.unwrap(), "Hello");
        let code = world.refused(MODEL).await;
        assert!(["ANSWER_INVALID", "TRUNCATED"].contains(&code), "{code}");
        assert_eq!(world.ledger().await[1].outcome, CallOutcome::Failed);
    }

    async fn an_endless_stream_ends(db: TestDatabase) {
        let ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n".repeat(100);
        let mut world = ModelWorld::replies(&db, [Reply::events(ping).fault(Fault::Endless)]).await;
        let limits = SseLimits { total: 1 << 20, ..SseLimits::default() };
        world.service_with(|options| options.transport.stream_limits = limits);
        world.fails_with("ANSWER_TOO_LARGE", CallOutcome::Failed).await;
    }

    async fn silence_ends(db: TestDatabase) {
        let mut world = ModelWorld::replies(&db, [Reply::events("").fault(Fault::Silence)]).await;
        world.service_with(|options| options.transport.first_byte_timeout = Duration::from_millis(200));
        world.fails_with("FIRST_BYTE_TIMEOUT", CallOutcome::Failed).await;
        // Tokens that the vendor may have processed are counted.
        assert!(world.row().await.usage.input_tokens > 0);
    }

    async fn a_stream_that_stalls_ends(db: TestDatabase) {
        let whole = anthropic::text("Hello, world");
        let stalled = Reply::events(whole.clone()).fault(Fault::Stall(whole.len() / 2));
        let mut world = ModelWorld::replies(&db, [stalled]).await;
        world.service_with(|options| options.transport.idle_timeout = Duration::from_millis(200));
        world.fails_with("IDLE_TIMEOUT", CallOutcome::Failed).await;
    }

    async fn a_certificate_that_nobody_signed_is_refused(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let url = format!("https://127.0.0.1:{}/v1", self_signed_server());
        key_at(&world, &url).await;
        world.fails_with("CERTIFICATE_INVALID", CallOutcome::Failed).await;
    }

    async fn a_redirect_does_not_take_the_key_along(db: TestDatabase) {
        let other = VendorServer::start(nyxcore_llm::testing::respond).await;
        let away = Reply::new(307, "text/plain", "").header("location", &other.url("/v1/messages"));
        let world = ModelWorld::replies(&db, [away]).await;
        world.fails_with("REDIRECTED", CallOutcome::Failed).await;
        assert!(other.requests().is_empty());
    }

    async fn a_private_address_needs_the_operators_leave(db: TestDatabase) {
        let mut world = ModelWorld::new(&db).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        let strict = OutboundPolicy::default();
        for url in ["http://127.0.0.1:8080/v1", "https://10.0.0.1/v1", "https://localhost/v1", "https://169.254.169.254/v1"] {
            let key = ProviderKey::new(KEY.to_owned(), Some(url.to_owned()));
            let refused = provider_key_set(&scoped, &world.keyring, strict, ("openai", &key)).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "{url}");
            let endpoint = NewEndpoint {
                name: "near".into(), base_url: url.into(), protocol: EndpointProtocol::OpenAiChat, headers: None,
            };
            let refused = endpoint_set(&scoped, &world.keyring, strict, endpoint).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT", "{url}");
        }
        drop(scoped);
        // An address that was allowed before is refused after the operator forbids it.
        world.service_with(|options| options.outbound = strict);
        world.fails_with("ADDRESS_REFUSED", CallOutcome::Refused).await;
        assert!(world.vendor.requests().is_empty());
    }

    async fn a_name_that_leads_to_a_private_address_is_refused(db: TestDatabase) {
        let mut world = ModelWorld::new(&db).await;
        key_at(&world, "https://vendor.example/v1").await;
        world.service_with(|options| {
            options.outbound = OutboundPolicy::default();
            options.hosts = Arc::new(Names("10.0.0.7"));
        });
        let code = world.refused(MODEL).await;
        assert!(["ADDRESS_REFUSED", "UNREACHABLE"].contains(&code), "{code}");
        assert_eq!(world.row().await.error_code.as_deref(), Some(code));
    }

    async fn a_key_with_a_line_break_is_refused(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        for end in ["\n", "\r\nX-Evil: 1"] {
            let key = ProviderKey::new(format!("{KEY}{end}"), None);
            let refused = provider_key_set(&scoped, &world.keyring, PRIVATE, ("openai", &key)).await.unwrap_err();
            assert_eq!(refused.code(), "INVALID_INPUT");
            assert!(!format!("{refused} {refused:?}").contains(KEY));
        }
    }

    async fn a_model_that_nobody_knows_is_refused(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        world.model_fails_with("gpt-99", "MODEL_UNKNOWN", CallOutcome::Refused).await;
        let odd = format!("\u{0}{}", "é".repeat(5_000));
        assert_eq!(world.refused(&odd).await, "MODEL_UNKNOWN");
        // Text from users is truncated in the ledger, and is not used as a label in reports.
        let row = world.ledger().await.pop().unwrap();
        assert_eq!((row.model_asked.chars().count(), row.model.as_str()), (200, ""));
        assert!(world.vendor.requests().is_empty());
    }

    async fn words_of_a_vendor_are_kept_without_what_no_database_keeps(db: TestDatabase) {
        let words = "no \u{0} credit \u{1b}[31m".to_owned() + &"x".repeat(5_000);
        let body = serde_json::json!({ "error": { "message": words, "code": "insufficient_quota" } });
        let world = ModelWorld::replies(&db, [Reply::json(429, body.to_string())]).await;
        world.model_fails_with("gpt-4.1-mini", "QUOTA_EXCEEDED", CallOutcome::Failed).await;
        let answered = serde_json::json!({ "model": "m\u{0}x" });
        let mut chunk = chat::chunk(serde_json::json!({ "content": "Hi" }), Some("stop"));
        chunk["model"] = answered["model"].clone();
        let world_two = VendorServer::replies([Reply::events(chat::stream(&[chunk]))]).await;
        let scoped = world.store.write(world.tenant.id).await.unwrap();
        let endpoint = NewEndpoint {
            name: "odd".into(), base_url: world_two.url("/v1"), protocol: EndpointProtocol::OpenAiChat, headers: None,
        };
        endpoint_set(&scoped, &world.keyring, PRIVATE, endpoint).await.unwrap();
        let model = NewTenantModel { id: "odd-model".into(), provider: "odd".into(), ..NewTenantModel::default() };
        tenant_model_set(&scoped, model).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(world.ask("odd-model").await.unwrap(), "Hi");
        assert_eq!(world.ledger().await[1].model_answered.as_deref(), Some("mx"));
    }

    async fn a_purpose_that_is_no_word_is_refused(db: TestDatabase) {
        let world = ModelWorld::new(&db).await;
        let context = nyxcore_model_catalog::CallContext { purpose: "Two words".into(), ..world.context() };
        let choice = ModelChoice::Model(MODEL.to_owned());
        let refused = world.service.call(context, choice, short()).await.unwrap_err();
        assert_eq!(refused.code(), "INVALID_INPUT");
    }
}

/// Stores a key for Anthropic with that base URL.
async fn key_at(world: &ModelWorld, url: &str) {
    let key = ProviderKey::new(KEY.to_owned(), Some(url.to_owned()));
    let scoped = world.store.write(world.tenant.id).await.unwrap();
    provider_key_set(&scoped, &world.keyring, PRIVATE, ("anthropic", &key))
        .await
        .unwrap();
    scoped.commit().await.unwrap();
}
