//! The cost of isolation on PostgreSQL: a single-row read through `Scoped` with row-level security is compared with the
//! same statement on a bare pool, whose role bypasses row-level security. `just bench-isolation`.
//!
//! Every figure is a median within one process. The two are measured in turn, so that a drift of the machine's speed
//! affects both. Quote the ratios. Round trips are counted by a proxy between the pool and the server: one for each
//! time that the client sends after the server has sent.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nyxcore_tenancy::directory::{NewApiToken, api_token_create, token_authenticate};
use nyxcore_tenancy::{
    ApiTokenId, Env, Role, Store, StoreOptions, TenantId, UserId, database_open,
};
use nyxcore_tests::TestDatabase;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, Statement, TransactionTrait,
    Value,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const TENANTS: usize = 100;
/// The number of rows of the table, over all tenants: a table that fits in memory, and one of the size of a large
/// team's.
const SIZES: [usize; 2] = [1_000, 500_000];
/// How often each figure is measured, each time on new connections: an odd number, so that the median is one of them.
/// The core on which a server process runs can outweigh the measured difference.
const ROUNDS: usize = 9;
/// The number of transactions of each kind in a round, and of statements in each.
const TRANSACTIONS: usize = 100;
const STATEMENTS: usize = 20;
/// The limit of the statement's time with row-level security, as a multiple of the time without it.
const RATIO_MOST: f64 = 1.3;
/// The limit of additional round trips of a request.
const EXTRA_MOST: u64 = 2;

const READ: &str = "SELECT id, title, body, created_at FROM notes WHERE tenant_id = $1 AND id = $2";
const WHOSE: &str =
    "SELECT t.tenant_id, t.secret_hash, t.role, m.role AS member_role FROM api_tokens t
    JOIN memberships m ON m.tenant_id = t.tenant_id AND m.user_id = t.user_id WHERE t.id = $1";
const TOUCH: &str = "UPDATE notes SET title = 'touched' WHERE tenant_id = $1 AND id = $2";

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let database = TestDatabase::postgres().await?;
    let superuser = database
        .superuser_url()
        .ok_or("this is PostgreSQL's")?
        .to_owned();
    let bare = database_open(&few(&superuser, 1)).await?;
    let is_past = "SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper";
    if bare
        .query_one_raw(Statement::from_string(DbBackend::Postgres, is_past))
        .await?
        .is_none()
    {
        return Err(
            "the bare pool's role must be one that row-level security does not bind".into(),
        );
    }
    tenants_make(&bare).await?;
    let mut is_held = true;
    println!(
        "| rows | tenants | what | bare | through Scoped | ratio |\n|---|---|---|---|---|---|"
    );
    for size in SIZES {
        let rows = notes_make(&bare, size).await?;
        let (mut statements, mut reads) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let bare = database_open(&few(&superuser, 1)).await?;
            let store = Store::connect(&few(database.app_url(), 2), Env::default()).await?;
            statements.push(statements_measure(&store, &bare, &rows).await?);
            reads.push(reads_measure(&store, &bare, &rows).await?);
            bare.close().await?;
        }
        is_held &= line(size, "the statement alone", statements) <= RATIO_MOST;
        line(size, "a read, connection and all", reads);
    }
    is_held &= round_trips(&database, &superuser, notes_sample(&bare).await?[0]).await?;
    println!("\nlimits: {RATIO_MOST}x for the statement, {EXTRA_MOST} more round trips a request");
    if is_held {
        Ok(())
    } else {
        Err("a limit was not held".into())
    }
}

/// The options of a pool with this many connections.
fn few(url: &str, connections: u32) -> StoreOptions {
    let mut options = StoreOptions::new(url);
    options.max_connections = connections;
    options
}

async fn tenants_make(db: &DatabaseConnection) -> Outcome<()> {
    db.execute_unprepared(&format!(
        "INSERT INTO tenants (id, slug, name, created_at) SELECT gen_random_uuid(), 't' || n, 't', now() FROM generate_series(1, {TENANTS}) n;
         INSERT INTO projects (tenant_id, id, slug, name, created_at, updated_at) SELECT id, gen_random_uuid(), 'p', 'p', now(), now() FROM tenants"
    ))
    .await?;
    Ok(())
}

/// Fills the table up to that many rows, spread evenly, and picks some at random.
async fn notes_make(db: &DatabaseConnection, size: usize) -> Outcome<Vec<(TenantId, Uuid)>> {
    // Foreign keys are not checked: they are not measured, and would take most of the time.
    db.execute_unprepared(&format!(
        "SET session_replication_role = replica;
         INSERT INTO notes (tenant_id, id, project_id, title, body, created_at, updated_at)
         SELECT p.tenant_id, gen_random_uuid(), p.id, 'title ' || n, repeat('body ', 40), now(), now()
         FROM projects p, generate_series(1, ({size} - (SELECT count(*) FROM notes)) / {TENANTS}) n;
         SET session_replication_role = origin"
    ))
    .await?;
    db.execute_unprepared("VACUUM ANALYZE notes").await?;
    notes_sample(db).await
}

async fn notes_sample(db: &DatabaseConnection) -> Outcome<Vec<(TenantId, Uuid)>> {
    #[derive(FromQueryResult)]
    struct PickedRow {
        tenant_id: Uuid,
        id: Uuid,
    }
    let picked = "SELECT tenant_id, id FROM notes ORDER BY random() LIMIT 4000";
    let picked = Statement::from_string(DbBackend::Postgres, picked);
    let picked = PickedRow::find_by_statement(picked).all(db).await?;
    Ok(picked
        .iter()
        .map(|one| (TenantId(one.tenant_id), one.id))
        .collect())
}

/// Measures each statement in an open transaction.
async fn statements_measure(
    store: &Store,
    bare: &DatabaseConnection,
    rows: &[(TenantId, Uuid)],
) -> Outcome<(Duration, Duration)> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let mut rows = rows.iter().cycle();
    for _ in 0..TRANSACTIONS {
        let (tenant, id) = *rows.next().ok_or("no rows")?;
        let tx = bare.begin().await?;
        let scoped = store.read(tenant).await?;
        for _ in 0..STATEMENTS {
            let began = Instant::now();
            let read = read_bare(&tx, tenant, id).await?;
            without.push(began.elapsed());
            let began = Instant::now();
            let scoped_read: Vec<Row> = scoped.sql_all(READ, [id.into()]).await?;
            with.push(began.elapsed());
            if read.len() != 1 || scoped_read.len() != 1 || scoped_read[0].id != read[0].id {
                return Err("the two read different rows".into());
            }
        }
    }
    Ok((median(without), median(with)))
}

/// Measures a request that reads one row, including taking a connection from the pool and returning it.
async fn reads_measure(
    store: &Store,
    bare: &DatabaseConnection,
    rows: &[(TenantId, Uuid)],
) -> Outcome<(Duration, Duration)> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for (tenant, id) in rows.iter().copied().take(TRANSACTIONS * 5) {
        let began = Instant::now();
        read_bare(bare, tenant, id).await?;
        without.push(began.elapsed());
        let began = Instant::now();
        let scoped = store.read(tenant).await?;
        let _read: Vec<Row> = scoped.sql_all(READ, [id.into()]).await?;
        drop(scoped);
        with.push(began.elapsed());
    }
    Ok((median(without), median(with)))
}

async fn read_bare(db: &impl ConnectionTrait, tenant: TenantId, id: Uuid) -> Outcome<Vec<Row>> {
    let values: [Value; 2] = [tenant.0.into(), id.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, READ, values);
    let rows = db.query_all_raw(statement).await?;
    let rows: Result<_, _> = rows
        .iter()
        .map(|row| Row::from_query_result(row, ""))
        .collect();
    Ok(rows?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Prints the round with the median ratio, and returns that ratio.
fn line(size: usize, what: &str, mut rounds: Vec<(Duration, Duration)>) -> f64 {
    let ratio = |(without, with): &(Duration, Duration)| with.as_secs_f64() / without.as_secs_f64();
    rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let (least, most) = (ratio(&rounds[0]), ratio(&rounds[rounds.len() - 1]));
    let (without, with) = rounds[rounds.len() / 2];
    let ratio = ratio(&(without, with));
    println!(
        "| {size} | {TENANTS} | {what} | {without:.1?} | {with:.1?} | {ratio:.2}x ({least:.2} to {most:.2}) |"
    );
    ratio
}

/// The kind of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    Row,
    RowByToken,
    Change,
}

impl Request {
    fn words(self) -> &'static str {
        match self {
            Self::Row => "one row read",
            Self::RowByToken => "one row read, by a token whose owner is found out first",
            Self::Change => "one row changed",
        }
    }
}

/// A token of a member of the tenant.
struct Token {
    id: ApiTokenId,
    text: String,
}

async fn token_make(store: &Store, bare: &DatabaseConnection, tenant: TenantId) -> Outcome<Token> {
    let user = Uuid::from_u128(1);
    bare.execute_unprepared(&format!(
        "INSERT INTO users (id, email, name, created_at) VALUES ('{user}', 'bench@example.org', 'bench', now());
         INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ('{}', '{user}', 'VIEWER', now())",
        tenant.0
    ))
    .await?;
    let scoped = store.write(tenant).await?;
    let new = NewApiToken {
        user: UserId(user),
        name: "bench".into(),
        role: Role::Viewer,
        expires_at: None,
    };
    let (token, text) = api_token_create(&scoped, new).await?;
    scoped.commit().await?;
    Ok(Token { id: token.id, text })
}

/// Counts the round trips of each kind of request, and returns whether isolation stays within the limit.
async fn round_trips(
    database: &TestDatabase,
    superuser: &str,
    (tenant, id): (TenantId, Uuid),
) -> Outcome<bool> {
    let (bare_wire, store_wire) = (Wire::default(), Wire::default());
    let bare = database_open(&few(&bare_wire.clone().before(superuser).await?, 1)).await?;
    let store_url = store_wire.clone().before(database.app_url()).await?;
    let store = Store::connect(&few(&store_url, 2), Env::default()).await?;
    println!("\n| what | bare | through Scoped | more |\n|---|---|---|---|");
    let mut is_held = true;
    let token = token_make(&store, &bare, tenant).await?;
    for what in [Request::Row, Request::RowByToken, Request::Change] {
        let mut trips = (0, 0);
        // The first round also prepares the statements; the second one counts.
        for _ in 0..2 {
            let before = bare_wire.settled().await;
            if what == Request::RowByToken {
                let values: [Value; 1] = [token.id.0.into()];
                bare.query_all_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    WHOSE,
                    values,
                ))
                .await?;
            }
            if what == Request::Change {
                let tx = bare.begin().await?;
                let values: [Value; 2] = [tenant.0.into(), id.into()];
                tx.execute_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    TOUCH,
                    values,
                ))
                .await?;
                tx.commit().await?;
            } else {
                read_bare(&bare, tenant, id).await?;
            }
            trips.0 = bare_wire.settled().await - before;
            let before = store_wire.settled().await;
            if what == Request::RowByToken {
                let caller = token_authenticate(&store, &token.text).await?;
                assert_eq!(caller.map(|caller| caller.tenant), Some(tenant));
            }
            if what == Request::Change {
                let scoped = store.write(tenant).await?;
                scoped.sql_execute(TOUCH, [id.into()]).await?;
                scoped.commit().await?;
            } else {
                let scoped = store.read(tenant).await?;
                let _read: Vec<Row> = scoped.sql_all(READ, [id.into()]).await?;
            }
            trips.1 = store_wire.settled().await - before;
        }
        let more = trips.1.saturating_sub(trips.0);
        println!("| {} | {} | {} | {more} |", what.words(), trips.0, trips.1);
        is_held &= more <= EXTRA_MOST;
    }
    Ok(is_held)
}

/// A proxy between a pool and the server. It counts how often the client sends after the server has sent.
#[derive(Clone, Default)]
struct Wire {
    turns: Arc<AtomicU64>,
    is_clients: Arc<AtomicBool>,
}

impl Wire {
    /// The URL of the proxy, which forwards to the server of the given URL.
    async fn before(self, url: &str) -> Outcome<String> {
        let (head, rest) = url.split_once('@').ok_or("a URL with a password")?;
        let (server, name) = rest.split_once('/').ok_or("a URL with a database")?;
        let (server, name) = (server.to_owned(), name.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let here = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else {
                    return;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(self.clone().pump(from_client, to_server, true));
                tokio::spawn(self.clone().pump(from_server, to_client, false));
            }
        });
        Ok(format!("{head}@{here}/{name}?sslmode=disable"))
    }

    async fn pump(
        self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        is_client: bool,
    ) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            if !self.is_clients.swap(is_client, Ordering::SeqCst) && is_client {
                self.turns.fetch_add(1, Ordering::SeqCst);
            }
            if to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    }

    /// The count so far, once traffic has stopped: a connection returns to its pool after its user has continued.
    async fn settled(&self) -> u64 {
        loop {
            let turns = self.turns.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            if turns == self.turns.load(Ordering::SeqCst) {
                return turns;
            }
        }
    }
}
