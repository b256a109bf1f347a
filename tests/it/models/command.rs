//! `nyxcore models` and `nyxcore ask`: the real program.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use chrono::TimeDelta;
use nyxcore_llm::testing::{Fault, GREETING, Reply, VendorServer, anthropic, respond};
use nyxcore_model_catalog::CallOutcome;
use nyxcore_tenancy::directory::tenant_by_slug;
use nyxcore_tenancy::{Env, ManualClock, RandomIds, Store};
use nyxcore_tests::{TestDatabase, nyxcore_command, on_both_databases};
use serde_json::json;

use super::world::{KEY, ledger, sweep};
use crate::support::options;

/// The program on the test's own database.
fn program(db: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = nyxcore_command(db).unwrap();
    command.env("NYXCORE_DATABASE_URL", db.app_url());
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command: whether it succeeded, its standard output, and its standard error.
fn said(db: &TestDatabase, arguments: &[&str], input: &str) -> (bool, String, String) {
    let mut child = program(db, arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The same runtime serves the vendor meanwhile.
    let output = tokio::task::block_in_place(|| {
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    });
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(stdout), text(stderr));
    assert!(!format!("{out}{err}").contains(KEY), "{out}{err}");
    (status.success(), out, err)
}

on_both_databases! {
    async fn a_question_is_answered_at_the_terminal_with_its_cost(db: TestDatabase) {
        let vendor = VendorServer::start(respond).await;
        tenant_make(&db);
        let (done, _, err) = said(&db, &["ask", "Say hello."], "");
        assert!(!done && err.contains("error[MODEL_NOT_CHOSEN]"), "{err}");
        assert!(err.contains("`setProviderKey`") && err.contains("`nyxcore models key set PROVIDER`"), "{err}");
        let (done, out, err) = said(&db, &["ask", " "], "");
        assert!(!done && out.is_empty() && err.contains("error[INVALID_INPUT]: the question is empty"), "{err}");
        let url = vendor.url("/v1");
        // For all tenants, the operator may allow a private address.
        let set = ["models", "key", "set", "anthropic", "--base-url", url.as_str()];
        let (done, _, err) = said(&db, &set, &format!("{KEY}\n"));
        assert!(!done && err.contains("error[INVALID_INPUT]"), "{err}");
        let private = [&set[..], &["--allow-sources", "private"]].concat();
        let (done, _, err) = said(&db, &private, &format!("{KEY}\n"));
        assert!(done, "{err}");
        let ask = ["ask", "Say hello.", "--model", "claude-sonnet-4-6", "--max-tokens", "50", "--allow-sources", "private"];
        let (done, out, err) = said(&db, &ask, "");
        assert!(done, "{err}");
        assert_eq!(out, format!("{GREETING}\n"));
        assert!(err.contains("claude-sonnet-4-6 · 12 tokens in, 9 out · $0.0001647"), "{err}");
        assert_eq!(vendor.requests()[0].header("x-api-key"), KEY);
        let (done, _, err) = said(&db, &["ask", "x", "--model", "nothing"], "");
        assert!(!done && err.contains("error[MODEL_UNKNOWN]"), "{err}");
        let (done, ..) = said(&db, &["models", "key", "remove", "anthropic"], "");
        assert!(done);
        let (done, _, err) = said(&db, &ask, "");
        assert!(!done && err.contains("error[PROVIDER_UNCONFIGURED]"), "{err}");
        assert!(err.contains("`nyxcore models key set anthropic`"), "{err}");
    }

    async fn a_key_is_tried_when_asked_and_not_before(db: TestDatabase) {
        let vendor = VendorServer::start(respond).await;
        tenant_make(&db);
        let private = ["--allow-sources", "private"];
        let verify = [&["models", "key", "verify", "anthropic"][..], &private].concat();
        let (done, _, err) = said(&db, &verify, "");
        assert!(!done && err.contains("error[PROVIDER_UNCONFIGURED]"), "{err}");

        let url = vendor.url("/v1");
        let set = [&["models", "key", "set", "anthropic", "--base-url", url.as_str()][..], &private].concat();
        let (done, _, err) = said(&db, &set, &format!("{KEY}\n"));
        assert!(done && err.contains("not tried") && err.contains("models key verify anthropic"), "{err}");
        assert!(vendor.requests().is_empty());
        let (done, _, err) = said(&db, &verify, "");
        assert!(done && err.contains("takes the key"), "{err}");
        assert!(!vendor.requests().is_empty());
        let (done, _, err) = said(&db, &["models", "key", "verify", "nobody"], "");
        assert!(!done && err.contains("error[NOT_FOUND]"), "{err}");
    }

    async fn a_refused_key_is_told_in_the_vendors_words(db: TestDatabase) {
        let refusal = Reply::json(401, anthropic::error("authentication_error", "this key is nobody's"));
        let vendor = VendorServer::replies([refusal]).await;
        tenant_make(&db);
        let url = vendor.url("/v1");
        let set = ["models", "key", "set", "anthropic", "--base-url", url.as_str(), "--allow-sources", "private"];
        assert!(said(&db, &set, &format!("{KEY}\n")).0);
        let (done, _, err) = said(&db, &["models", "key", "verify", "anthropic", "--allow-sources", "private"], "");
        assert!(!done && err.contains("error[INVALID_KEY]: anthropic: ") && err.contains("nobody's"), "{err}");
    }

    /// Also if the vendor's response contains the key.
    async fn the_most_detailed_log_has_no_key(db: TestDatabase) {
        let told = |status| Reply::json(status, anthropic::error("invalid_request_error", &format!("bad {KEY}")));
        let event = format!("event: error\ndata: {}\n\n", anthropic::error("invalid_request_error", KEY));
        let replies = [told(401), told(400), told(200), Reply::events(event), Reply::html(200), Reply::events(anthropic::text("Hello"))];
        let count = replies.len();
        let vendor = VendorServer::replies(replies).await;
        tenant_make(&db);
        let url = vendor.url("/v1");
        let set = ["models", "key", "set", "anthropic", "--base-url", url.as_str(), "--allow-sources", "private"];
        assert!(said(&db, &set, &format!("{KEY}\n")).0);
        let ask = ["ask", "Say hello.", "--model", "claude-sonnet-4-6", "--allow-sources", "private"];
        for number in 1..=count {
            let mut command = program(&db, &ask);
            command.env("NYXCORE_LOG", "trace");
            let output = tokio::task::block_in_place(|| command.output().unwrap());
            let all = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
            assert!(all.contains("TRACE") && !all.contains(KEY), "{number}: {all}");
        }
        assert!(vendor.requests().len() >= count);
    }

    /// The process is killed during a call: the reserved amount is counted as spent, once.
    async fn a_killed_process_loses_no_reservation(db: TestDatabase) {
        let vendor = VendorServer::replies([Reply::events("").fault(Fault::Silence)]).await;
        tenant_make(&db);
        let url = vendor.url("/v1");
        let set = ["models", "key", "set", "anthropic", "--base-url", url.as_str(), "--allow-sources", "private"];
        assert!(said(&db, &set, &format!("{KEY}\n")).0);
        let ask = ["ask", "Say hello.", "--model", "claude-sonnet-4-6", "--allow-sources", "private"];
        let mut asking = program(&db, &ask).spawn().unwrap();
        while vendor.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        asking.kill().unwrap();
        asking.wait().unwrap();
        let later = Env::default().now() + TimeDelta::minutes(3);
        let env = Env::new(Arc::new(ManualClock::new(later)), Arc::new(RandomIds::default()));
        let store = Store::connect(&options(db.app_url()), env).await.unwrap();
        let tenant = tenant_by_slug(&store, "acme").await.unwrap().unwrap();
        assert!(ledger(&store, tenant.id).await.is_empty());
        assert_eq!(sweep(&store).await, 1);
        assert_eq!(sweep(&store).await, 0);
        let rows = ledger(&store, tenant.id).await;
        assert_eq!((rows.len(), rows[0].outcome, rows[0].cost), (1, CallOutcome::Lost, rows[0].reserved));
    }

    async fn facts_are_brought_up_to_date_as_a_whole_or_not_at_all(db: TestDatabase) {
        let (done, out, _) = said(&db, &["models", "list", "--provider", "openai"], "");
        assert!(done && out.contains("gpt-4.1-mini") && !out.contains("claude"), "{out}");
        let (done, out, err) = said(&db, &["models", "list", "--provider", "foo"], "");
        assert!(!done && out.is_empty() && err.contains("error[NOT_FOUND]"), "{out}{err}");
        assert!(err.contains("anthropic, openai, google"), "{err}");
        let file = db.folder().join("prices.json");
        let price = |input: f64| {
            let model = json!({ "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1_000_000,
                "max_output_tokens": 100_000, "input_cost_per_token": input, "output_cost_per_token": 2e-6 });
            fs::write(&file, json!({ "gpt-99": model }).to_string()).unwrap();
        };
        let update = ["models", "update", "--from", file.to_str().unwrap()];
        price(-1e-6);
        let (done, _, err) = said(&db, &update, "");
        assert!(!done && err.contains("error[MODEL_PRICE_INVALID]"), "{err}");
        let (_, out, _) = said(&db, &["models", "list"], "");
        assert!(!out.contains("gpt-99"), "{out}");
        price(1e-6);
        let (done, out, err) = said(&db, &update, "");
        assert!(done && out == "new  gpt-99\n", "{out}{err}");
        let (_, out, _) = said(&db, &["models", "list", "--provider", "openai"], "");
        assert!(out.contains("gpt-99") && out.contains("gpt-4.1-mini"), "{out}");
        let (done, _, err) = said(&db, &["models", "update", "--from", "/nowhere/at/all"], "");
        assert!(!done && err.contains("error[MODEL_FILE_UNREADABLE]"), "{err}");
    }

    async fn facts_come_from_a_url(db: TestDatabase) {
        let model = json!({ "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1_000_000,
            "max_output_tokens": 100_000, "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6 });
        let file = json!({ "gpt-99": model }).to_string();
        let other = VendorServer::replies([Reply::json(200, file.clone())]).await;
        let away = Reply::new(302, "text/plain", "").header("location", &other.url("/prices.json"));
        let endless = Reply::json(200, " ".repeat(1 << 20)).fault(Fault::Endless);
        let server = VendorServer::replies([away, endless, Reply::html(200), Reply::json(404, "{}"), Reply::json(200, file)]).await;
        let url = server.url("/prices.json");
        let update = ["models", "update", "--from", url.as_str()];
        for code in ["MODEL_FILE_UNREADABLE", "MODEL_FILE_TOO_LARGE", "MODEL_FILE_FORMAT_UNKNOWN", "MODEL_FILE_UNREADABLE"] {
            let (done, out, err) = said(&db, &update, "");
            assert!(!done && out.is_empty() && err.contains(&format!("error[{code}]")), "{code}: {err}");
        }
        // The redirect was not followed.
        assert!(other.requests().is_empty());
        let (done, out, err) = said(&db, &update, "");
        assert!(done && out == "new  gpt-99\n", "{out}{err}");
        // A file that changes prices must come over an encrypted connection, or from this machine.
        let (done, _, err) = said(&db, &["models", "update", "--from", "http://192.0.2.1/prices.json"], "");
        assert!(!done && err.contains("error[MODEL_FILE_UNREADABLE]") && err.contains("https://"), "{err}");
    }

    async fn an_answer_fits_a_schema_and_texts_become_vectors(db: TestDatabase) {
        let vendor = VendorServer::start(respond).await;
        tenant_make(&db);
        let url = vendor.url("/v1");
        let set = ["models", "key", "set", "openai", "--base-url", url.as_str(), "--allow-sources", "private"];
        assert!(said(&db, &set, &format!("{KEY}\n")).0);
        let file = db.folder().join("schema.json");
        let file_name = file.to_str().unwrap();
        let ask = ["ask", "How many?", "--model", "gpt-4.1-mini", "--allow-sources", "private", "--schema", file_name];
        fs::write(&file, "{").unwrap();
        let (done, _, err) = said(&db, &ask, "");
        assert!(!done && err.contains("is not JSON"), "{err}");
        fs::write(&file, r#"{"type":"object","properties":{"answer":{"type":"integer"}},"required":["answer"]}"#).unwrap();
        let (done, out, err) = said(&db, &ask, "");
        assert!(done && out == "{\"answer\":42}\n" && err.contains("gpt-4.1-mini · "), "{out}{err}");
        let embed = ["models", "embed", "one", "two", "--allow-sources", "private"];
        let (done, out, err) = said(&db, &embed, "");
        assert!(done, "{err}");
        let vectors: Vec<Vec<f64>> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(vectors.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
        assert!(err.contains("text-embedding-3-small · "), "{err}");
    }
}

fn tenant_make(db: &TestDatabase) {
    let make = [
        "tenant",
        "create",
        "acme",
        "--name",
        "Acme",
        "--owner",
        "owner@acme.example",
    ];
    let (done, _, err) = said(db, &make, "");
    assert!(done, "{err}");
}
