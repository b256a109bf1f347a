//! Measures what `ModelService` costs on PostgreSQL: the time of a streamed call through it, with its ledger and a
//! budget, against the same stream by a bare `reqwest` client and by the wire client alone. `just bench-models`.
//! Calls start at fixed times, even while earlier ones are still under way (an open loop), and the time of each counts
//! from its scheduled start. Client, scripted vendor and PostgreSQL share the machine, so the rate that the machine
//! sustains for the bare client is measured first. Only the differences are worth quoting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::StreamExt;
use nyxcore_llm::testing::{Reply, VendorServer, anthropic};
use nyxcore_llm::{ApiKey, Client, Endpoint, ModelRequest, Protocol, StreamEvent};
use nyxcore_model_catalog::{
    BudgetEnforcement, BudgetPeriod, BudgetScope, CallContext, ModelChoice, ModelService,
    ModelServiceOptions, Nanousd, NewBudget, ProviderKey, budget_create, provider_key_set,
    registration,
};
use nyxcore_outbound::OutboundPolicy;
use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
use nyxcore_tenancy::{Env, Registry, Store, StoreOptions, TenantId, directory};
use nyxcore_tests::TestDatabase;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::runtime::{Builder, Handle, Runtime};

/// Calls per second where no argument gives another number: the target rate.
const RATE: u64 = 1_000;
/// Seconds of a run.
const SECONDS: u64 = 10;
/// Runs of each way, alternating: an odd number, so that the median is one of them.
const RUNS: usize = 5;
/// Rates at which the bare client calls, to find what the machine sustains.
const RATES: [u64; 5] = [1_000, 2_000, 4_000, 6_000, 8_000];
/// The machine sustains a rate if 99 of 100 calls take no longer than this.
const CARRIED: Duration = Duration::from_millis(20);
/// The most that `ModelService` may add to the 99th percentile, in milliseconds.
const P99_MOST_MS: f64 = 1.0;
/// The model, one with a price.
const MODEL: &str = "claude-sonnet-4-6";
const KEY: &str = "a-key-for-the-bench";
/// Bytes of the vendor's answer that are sent at once.
const PIECE_BYTES: usize = 512;
/// How long unfinished calls may take at the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The request of every way.
fn request() -> ModelRequest {
    ModelRequest {
        max_output_tokens: Some(200),
        ..ModelRequest::new(MODEL, "Say hello to everybody who reads this.")
    }
}

/// A call as raw bytes, copied from one that the wire client sent.
#[derive(Clone)]
struct Bare {
    http: reqwest::Client,
    url: String,
    headers: Arc<[(String, String)]>,
    body: Arc<[u8]>,
}

/// How a call is made.
#[derive(Clone)]
enum Way {
    /// The same bytes by reqwest alone.
    Bare(Bare),
    /// By the wire client, which reads the events, without a database.
    Wire(Box<Client>),
    /// Through `ModelService`. The number is the sum of the costs that it returned.
    Door(ModelService, TenantId, Arc<AtomicU64>),
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Self::Bare(_) => "bare reqwest",
            Self::Wire(_) => "wire client",
            Self::Door(..) => "door",
        }
    }

    /// Makes a call and reads its answer to the end.
    async fn call(&self) -> anyhow::Result<()> {
        match self {
            Self::Bare(bare) => {
                let mut post = bare.http.post(&bare.url).body(bare.body.to_vec());
                for (name, value) in bare.headers.iter() {
                    post = post.header(name, value);
                }
                let mut answer = post.send().await?.error_for_status()?;
                let mut bytes = 0;
                while let Some(piece) = answer.chunk().await? {
                    bytes += piece.len();
                }
                ensure!(bytes > PIECE_BYTES, "the answer is cut");
            }
            Self::Wire(client) => {
                let mut stream = client.stream(&request()).await?;
                let mut is_whole = false;
                while let Some(event) = stream.next().await {
                    is_whole = matches!(event?, StreamEvent::Finish(_));
                }
                ensure!(is_whole, "the answer is cut");
            }
            Self::Door(service, tenant, spent) => {
                let context = CallContext::new(*tenant, "bench");
                let choice = ModelChoice::Model(MODEL.to_owned());
                let mut call = service.stream(context, choice, request()).await?;
                while let Some(event) = call.next().await {
                    event?;
                }
                let cost = call.cost().context("the answer is cut")?;
                spent.fetch_add(cost.0.unsigned_abs(), Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// The times that a run measured, sorted.
struct Sample(Vec<Duration>);

impl Sample {
    fn quantile_ms(&self, share: f64) -> f64 {
        let last = self.0.len() - 1;
        self.0[(share * last as f64).round() as usize].as_secs_f64() * 1e3
    }
}

/// Starts calls at fixed times from this thread, and waits for all of them.
fn offer(runtime: &Handle, way: &Way, rate: u64, seconds: u64) -> anyhow::Result<Sample> {
    let (sender, receiver) = mpsc::channel();
    let start = Instant::now() + Duration::from_millis(50);
    for number in 0..rate * seconds {
        let due = start + Duration::from_nanos(number * 1_000_000_000 / rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (way, sender) = (way.clone(), sender.clone());
        runtime.spawn(async move {
            let outcome = way.call().await;
            // The receiver is gone if the run was given up.
            let _ = sender.send((outcome, due.elapsed()));
        });
    }
    drop(sender);
    let mut times = Vec::new();
    for (outcome, time) in receiver {
        outcome.with_context(|| format!("a call by the {}", way.name()))?;
        times.push(time);
    }
    times.sort_unstable();
    Ok(Sample(times))
}

fn main() -> anyhow::Result<()> {
    // Cargo adds `--bench`.
    let rate = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let rate = rate
        .map_or(Ok(RATE), |rate| rate.parse())
        .context("calls a second")?;
    // The vendor has its own thread, as another process would.
    let vendors = runtime(1)?;
    let body = anthropic::text(&"Hello to everybody who reads this. ".repeat(8));
    let reply = Reply::events(body).pieces(PIECE_BYTES);
    let vendor = vendors.block_on(VendorServer::start(move |_| reply.clone()));
    let runtime = runtime(2)?;
    let bench = runtime.block_on(Bench::prepare(&vendor))?;
    let ways = &bench.ways;
    for way in ways {
        offer(runtime.handle(), way, 500, 2)?;
    }
    println!("What the machine carries, by the bare client:");
    println!("| calls a second offered | p50 | p99 |\n|---|---|---|");
    for rate in RATES {
        let sample = offer(runtime.handle(), &ways[0], rate, 3)?;
        let (p50, p99) = (sample.quantile_ms(0.5), sample.quantile_ms(0.99));
        let is_carried = p99 <= CARRIED.as_secs_f64() * 1e3;
        let word = if is_carried { "" } else { " (not carried)" };
        println!("| {rate}{word} | {p50:.2} ms | {p99:.2} ms |");
        if !is_carried {
            break;
        }
    }
    println!("\n{rate} calls a second offered for {SECONDS} s, {RUNS} runs in turn:");
    println!("| run | way | p50 | p99 | p50 more than bare | p99 more than bare |");
    println!("|---|---|---|---|---|---|");
    let mut more: Vec<Vec<(f64, f64)>> = vec![Vec::new(); ways.len()];
    for run in 1..=RUNS {
        let mut bare = (0.0, 0.0);
        for (way, more) in ways.iter().zip(&mut more) {
            let sample = offer(runtime.handle(), way, rate, SECONDS)?;
            let (p50, p99) = (sample.quantile_ms(0.5), sample.quantile_ms(0.99));
            if matches!(way, Way::Bare(_)) {
                bare = (p50, p99);
            }
            let (more_p50, more_p99) = (p50 - bare.0, p99 - bare.1);
            more.push((more_p50, more_p99));
            let name = way.name();
            println!(
                "| {run} | {name} | {p50:.2} ms | {p99:.2} ms | {more_p50:.2} ms | {more_p99:.2} ms |"
            );
        }
    }
    let mut is_held = false;
    for (way, more) in ways.iter().zip(&more) {
        let p50 = median(more.iter().map(|(p50, _)| *p50));
        let p99 = median(more.iter().map(|(_, p99)| *p99));
        let name = way.name();
        println!("| median | {name} | | | {p50:.2} ms | {p99:.2} ms |");
        is_held = p99 <= P99_MOST_MS;
    }
    runtime.block_on(bench.nothing_is_lost(rate))?;
    println!("\nlimit: {P99_MOST_MS} ms more at the 99th percentile");
    ensure!(is_held, "the limit was not held");
    Ok(())
}

fn runtime(threads: usize) -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    Ok(builder.worker_threads(threads).enable_all().build()?)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A tenant with a key and a budget, and the ways to call its model.
struct Bench {
    database: TestDatabase,
    ways: [Way; 3],
}

impl Bench {
    async fn prepare(vendor: &VendorServer) -> anyhow::Result<Self> {
        let database = TestDatabase::postgres().await?;
        let registry = Registry::new([registration()])?;
        let options = StoreOptions::new(database.app_url()).with_registry(registry);
        let store = Store::connect(&options, Env::default()).await?;
        let (tenant, _) =
            directory::tenant_create(&store, "acme", "Acme", "a@acme.example").await?;
        let keyring = Keyring::new(MasterKeys::one(MasterKey::generate()?));
        let outbound = OutboundPolicy {
            allow_private: true,
        };
        let url = vendor.url("/v1");
        let key = ProviderKey::new(KEY.to_owned(), Some(url.clone()));
        let scoped = store.write(tenant.id).await?;
        provider_key_set(&scoped, &keyring, outbound, ("anthropic", &key)).await?;
        let budget = NewBudget {
            scope: BudgetScope::Tenant,
            project_id: None,
            user_id: None,
            purpose: None,
            period: BudgetPeriod::Month,
            enforcement: BudgetEnforcement::Hard,
            limit: Nanousd(1_000_000 * 1_000_000_000),
        };
        budget_create(&scoped, budget).await?;
        scoped.commit().await?;
        let endpoint = Endpoint::new(Protocol::AnthropicMessages, &url)?;
        let wire = Client::new(endpoint, ApiKey::parse(KEY)?)?;
        let service = ModelService::start(ModelServiceOptions::new(store, keyring, outbound))?;
        let door = Way::Door(service, tenant.id, Arc::default());
        // The bare client sends the bytes that `ModelService` sent.
        door.call().await?;
        let sent = vendor.requests().pop().context("nothing was sent")?;
        let by_client = ["host", "content-length", "accept", "user-agent"];
        let headers = sent.headers.iter();
        let headers = headers.filter(|(name, _)| !by_client.contains(&name.as_str()));
        let bare = Bare {
            http: reqwest::Client::builder().timeout(PATIENCE).build()?,
            url: vendor.url(&sent.target),
            headers: headers.cloned().collect(),
            body: sent.body.into(),
        };
        Ok(Self {
            database,
            ways: [Way::Bare(bare), Way::Wire(Box::new(wire)), door],
        })
    }

    /// Shuts the service down as the program does, and compares the ledger with the answers.
    async fn nothing_is_lost(&self, rate: u64) -> anyhow::Result<()> {
        let Way::Door(service, _, spent) = &self.ways[2] else {
            bail!("the door is the last way");
        };
        let start = Instant::now();
        ensure!(service.drain(PATIENCE).await, "calls were not written down");
        println!(
            "\nShutdown took {:.0} ms.",
            start.elapsed().as_secs_f64() * 1e3
        );
        let raw = self.database.superuser_connection().await?;
        let sql = "SELECT (SELECT count(*) FROM model_calls) AS calls,
            (SELECT count(*) FROM model_calls WHERE outcome = 'SUCCEEDED') AS succeeded,
            (SELECT sum(cost_nanousd)::bigint FROM model_calls) AS cost,
            (SELECT sum(calls)::bigint FROM model_usage_daily) AS of_days,
            (SELECT sum(spent_nanousd)::bigint FROM budget_spend) AS spent,
            (SELECT sum(reserved_nanousd)::bigint FROM budget_spend) AS reserved,
            (SELECT count(*) FROM model_reservations) AS reservations";
        let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
        let row = row.await?.context("a row")?;
        let number = |name: &str| row.try_get::<i64>("", name);
        // One call to copy, two seconds of warm-up at half the rate, and the runs.
        let made = i64::try_from(1 + 1_000 + rate * SECONDS * RUNS as u64)?;
        let answered = i64::try_from(spent.load(Ordering::Relaxed))?;
        println!(
            "Calls: {made} made, {} rows in the ledger, {} of them succeeded, {} in the days' sums. \
             Cost in nano-dollars: {answered} answered, {} in the ledger, {} spent of the budget, {} reserved. \
             Reservations left: {}.",
            number("calls")?,
            number("succeeded")?,
            number("of_days")?,
            number("cost")?,
            number("spent")?,
            number("reserved")?,
            number("reservations")?,
        );
        let rows = [number("calls")?, number("succeeded")?, number("of_days")?];
        let costs = [number("cost")?, number("spent")?];
        let left = [number("reserved")?, number("reservations")?];
        let is_whole = rows.iter().all(|rows| *rows == made)
            && costs.iter().all(|cost| *cost == answered)
            && left == [0, 0];
        ensure!(is_whole, "calls were lost");
        Ok(())
    }
}
