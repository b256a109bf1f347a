//! `nyxcore models` and `nyxcore ask`: the real program.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use nyxcore_llm::testing::{GREETING, VendorServer, respond};
use nyxcore_tests::{TestDatabase, nyxcore_command, on_both_databases};
use serde_json::json;

use super::world::KEY;
use crate::support::tenant_by_command;

/// What a command said: whether it succeeded, standard output, standard error.
fn said(db: &TestDatabase, arguments: &[&str], input: &str) -> (bool, String, String) {
    let mut command = nyxcore_command(db).unwrap();
    let command = command.args(arguments).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(stdout), text(stderr));
    assert!(!format!("{out}{err}").contains(KEY), "{out}{err}");
    (status.success(), out, err)
}

on_both_databases! {
    async fn a_question_is_answered_at_the_terminal_with_its_cost(db: TestDatabase) {
        let vendor = VendorServer::start(respond).await;
        tenant_by_command(&db, "acme");
        let (done, _, err) = said(&db, &["ask", "Say hello."], "");
        assert!(!done && err.contains("error[MODEL_NOT_CHOSEN]"), "{err}");
        let url = vendor.url("/v1");
        // A private address for all tenants is the operator's own to allow.
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
    }

    async fn facts_are_brought_up_to_date_as_a_whole_or_not_at_all(db: TestDatabase) {
        let (done, out, _) = said(&db, &["models", "list", "--provider", "openai"], "");
        assert!(done && out.contains("gpt-4.1-mini") && !out.contains("claude"), "{out}");
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
}
