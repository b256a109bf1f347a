//! `bench-usage`: the duration of the report of model costs over ten million calls, through the GraphQL API on
//! PostgreSQL with row-level security. Part of `just bench-models`.
//!
//! The rows are generated inside PostgreSQL: the calls of a year, spread evenly over its days, and from them the daily
//! sums, as the settlement of each call would have added them.

use std::time::Instant;

use anyhow::{Context, ensure};
use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};

/// The number of calls in the ledger.
const CALLS: u64 = 10_000_000;
/// The number of samples of each query: odd, so that the median is one of them.
const SAMPLES: usize = 7;
/// The limit of the report's duration, in milliseconds.
const MOST_MS: f64 = 1_000.0;

/// Inserts calls of the last 365 days. Each of 25 members works on 4 of 40 projects. There are 12 models and 6
/// purposes, and each purpose mostly uses 2 models.
const CALLS_MAKE: &str = "
INSERT INTO model_calls (tenant_id, id, started_at, user_id, project_id, purpose, provider, model_asked, model,
    model_answered, key_source, outcome, finish_reason, attempts, input_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_long_tokens, output_tokens, reasoning_tokens, usage_source, cost_nanousd, reserved_nanousd,
    first_token_ms, duration_ms)
SELECT t.id, uuidv7(), now() - (($CALLS - n) * (interval '365 days' / $CALLS)),
    ('00000000-0000-4000-8000-0000000001' || lpad(member::text, 2, '0'))::uuid,
    ('00000000-0000-4000-8000-0000000002' || lpad(((member * 3 + h2 % 4) % 40)::text, 2, '0'))::uuid,
    'purpose_' || purpose, 'vendor_' || model % 3, 'model-' || model, 'model-' || model, 'model-' || model || '-2026',
    'TENANT', CASE WHEN h2 % 50 = 0 THEN 'FAILED' ELSE 'SUCCEEDED' END, 'complete', 1, 1000 + h1 % 20000, h1 % 900, 0, 0,
    100 + h2 % 900, h2 % 90, 'REPORTED', 1000000 + h1 % 9000000, 20000000, 300 + h2 % 900, 1000 + h2 % 9000
FROM tenants t, generate_series(1::bigint, $CALLS) n,
    LATERAL (SELECT abs(hashint8(n)::bigint) AS h1, abs(hashint8(n + 7777777)::bigint) AS h2) h,
    LATERAL (SELECT h1 % 25 AS member, h1 / 25 % 6 AS purpose) m,
    LATERAL (SELECT CASE WHEN h2 % 10 < 9 THEN purpose * 2 + h2 % 2 ELSE h2 % 12 END AS model) k";

const SUMS_MAKE: &str = "
INSERT INTO model_usage_daily (tenant_id, day, provider, model, purpose, project_id, user_id, calls, failed_calls,
    input_tokens, cache_read_tokens, output_tokens, reasoning_tokens, cost_nanousd)
SELECT tenant_id, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), provider, model, purpose, project_id, user_id,
    count(*), count(*) FILTER (WHERE outcome <> 'SUCCEEDED'), sum(input_tokens), sum(cache_read_tokens),
    sum(output_tokens), sum(reasoning_tokens), sum(cost_nanousd)
FROM model_calls GROUP BY 1, 2, 3, 4, 5, 6, 7";

const SUM: &str = "usage { calls failedCalls inputTokens outputTokens usd }";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The program does the same at its start: the HTTP client needs a crypto provider for TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let database = TestDatabase::postgres().await?;
    let token = tenant_make(&database)?;
    let raw = database.superuser_connection().await?;
    rows_make(&raw).await?;
    let server = TestServer::start(&database, &["--workers", "0"]).await?;
    let (first, last) = (moment(&raw, "365 days").await?, moment(&raw, "0").await?);
    let year = format!("usage(from: \"{first}\", to: \"{last}\")");
    let of_each = format!(
        "total {{ calls failedCalls inputTokens outputTokens usd }} byDay {{ day {SUM} }} byModel {{ provider model {SUM} }}
         byPurpose {{ purpose {SUM} }} byProject {{ {SUM} }} byMember {{ {SUM} }}"
    );
    let questions = [
        (
            "a year, the total",
            format!("{year} {{ total {{ calls usd }} }}"),
        ),
        (
            "a year by day",
            format!("{year} {{ byDay {{ day {SUM} }} }}"),
        ),
        (
            "a year by member",
            format!("{year} {{ byMember {{ {SUM} }} }}"),
        ),
        (
            "30 days: the total and every grouping",
            format!("usage {{ {of_each} }}"),
        ),
        (
            "a year: the total and every grouping",
            format!("{year} {{ {of_each} }}"),
        ),
    ];
    println!("| `Tenant.usage` | calls in it | median | slowest |\n|---|---|---|---|");
    let mut slowest = 0.0_f64;
    for (name, question) in questions {
        let document = format!("{{ viewer {{ tenant {{ {question} }} }} }}");
        let mut times = Vec::new();
        let mut calls = Value::Null;
        for _ in 0..SAMPLES {
            let start = Instant::now();
            let answer = ask(&server, &token, &document).await?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            let usage = &answer["data"]["viewer"]["tenant"]["usage"];
            ensure!(usage.is_object(), "{answer}");
            calls = usage["total"]["calls"].clone();
        }
        times.sort_by(f64::total_cmp);
        let (median, most) = (times[SAMPLES / 2], times[SAMPLES - 1]);
        slowest = slowest.max(median);
        let calls = calls
            .as_i64()
            .map(|calls| calls.to_string())
            .unwrap_or_default();
        println!("| {name} | {calls} | {median:.0} ms | {most:.0} ms |");
    }
    // The same report from the ledger itself shows the benefit of the daily sums.
    let start = Instant::now();
    let sql = "SELECT count(*) AS number FROM (SELECT model, count(*), sum(cost_nanousd) FROM model_calls GROUP BY model) m";
    number(&raw, sql).await?;
    println!(
        "\nBy model from the calls themselves, by SQL: {:.0} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    println!("limit: {MOST_MS} ms for each median");
    ensure!(slowest <= MOST_MS, "the limit was not held");
    Ok(())
}

/// Creates a tenant by the program, and returns its owner's token.
fn tenant_make(database: &TestDatabase) -> anyhow::Result<String> {
    let words = [
        "tenant",
        "create",
        "acme",
        "--name",
        "Acme",
        "--owner",
        "a@acme.example",
        "--print-token",
    ];
    let output = nyxcore_command(database)?.args(words).output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

async fn rows_make(raw: &DatabaseConnection) -> anyhow::Result<()> {
    let start = Instant::now();
    // Foreign keys are not checked: they are not measured, and would take most of the time.
    let calls = CALLS_MAKE.replace("$CALLS", &CALLS.to_string());
    raw.execute_unprepared(&format!(
        "SET session_replication_role = replica; {calls}; {SUMS_MAKE}"
    ))
    .await?;
    // The tests' PostgreSQL has no autovacuum.
    for table in ["model_calls", "model_usage_daily"] {
        raw.execute_unprepared(&format!("VACUUM ANALYZE {table}"))
            .await?;
    }
    let calls = number(raw, "SELECT count(*) AS number FROM model_calls").await?;
    let sums = number(raw, "SELECT count(*) AS number FROM model_usage_daily").await?;
    let size = number(
        raw,
        "SELECT pg_total_relation_size('model_calls') / 1000000 AS number",
    )
    .await?;
    println!(
        "{calls} calls ({size} MB) are {sums} rows of the days' sums; made in {:.0} s.\n",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A time in the API's form.
async fn moment(raw: &DatabaseConnection, ago: &str) -> anyhow::Result<String> {
    let sql = format!(
        "SELECT to_char((now() - interval '{ago}') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS moment"
    );
    let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
    Ok(row.await?.context("a row")?.try_get("", "moment")?)
}

async fn number(raw: &DatabaseConnection, sql: &str) -> anyhow::Result<i64> {
    let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
    Ok(row.await?.context("a row")?.try_get("", "number")?)
}

async fn ask(server: &TestServer, token: &str, document: &str) -> anyhow::Result<Value> {
    let client = reqwest::Client::builder().build()?;
    let post = client.post(server.url("/graphql")).bearer_auth(token);
    let answer = post.json(&json!({ "query": document })).send().await?;
    Ok(answer.json().await?)
}
