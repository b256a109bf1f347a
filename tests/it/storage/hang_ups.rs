//! Clients that disconnect at any moment leave no open transaction in the pool, and no other request runs inside one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nyxcore_tests::{TestDatabase, TestServer, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::tenant_by_command;

/// The number of requests that are aborted on PostgreSQL.
const ABORTED: usize = 10_000;
/// The number on SQLite, whose statements run on threads that no client can cancel.
const ABORTED_ON_SQLITE: usize = 1_000;
/// The minimum number of transactions that the requests begin. On a slow machine clients disconnect before most
/// transactions begin: then the requests are sent in further rounds.
const TRANSACTIONS: usize = 300;
/// The maximum number of rounds.
const ROUNDS: usize = 10;
/// The minimum number of served requests of an honest client.
const HONEST: usize = 20;
/// The number of clients that abort concurrently.
const CLIENTS: usize = 24;

on_both_databases! {
    async fn aborted_requests_disturb_no_other_request(db: TestDatabase) {
        let tokens = ["acme", "other"].map(|slug| tenant_by_command(&db, slug));
        let (log, count) = match db.backend() {
            sea_orm::DbBackend::Postgres => (Some(StatementLog::begin(&db).await), ABORTED),
            _ => (None, ABORTED_ON_SQLITE),
        };
        let server = TestServer::start(&db, &["--workers", "1"]).await.unwrap();
        let mut answers = requests_abort(&server, &tokens, count).await;
        if let Some(log) = log {
            for _ in 1..ROUNDS {
                if log.read().transactions > TRANSACTIONS {
                    break;
                }
                answers.extend(requests_abort(&server, &tokens, count).await);
            }
            let seen = log.read();
            assert!(seen.transactions > TRANSACTIONS, "{seen:?}");
            assert_eq!((seen.begun_twice, seen.warnings, seen.mixed), (0, 0, 0), "{seen:?}");
        }
        // An overloaded server says so, and a client repeats such a request.
        let is_wrong = |answer: &&Value| {
            let error = &answer["errors"][0];
            !error.is_null() && error["extensions"]["code"] != "DATABASE_BUSY"
        };
        let wrong: Vec<&Value> = answers.iter().filter(is_wrong).collect();
        assert!(wrong.is_empty(), "{} of {}: {:?}", wrong.len(), answers.len(), wrong[0]);
        assert!(!server.log().contains("the database failed"), "{}", server.log());
    }
}

/// Aborts that many requests of every kind, and returns the responses to an honest client meanwhile.
async fn requests_abort(server: &TestServer, tokens: &[String], count: usize) -> Vec<Value> {
    let address = server.url("").replace("http://", "");
    let done = Arc::new(AtomicBool::new(false));
    let honest = tokio::spawn({
        let (done, url, token) = (Arc::clone(&done), server.url("/graphql"), tokens[1].clone());
        async move {
            let client = reqwest::Client::builder()
                .timeout(Duration::from_secs(60))
                .build()
                .unwrap();
            let mut answers: Vec<Value> = Vec::new();
            let mut served = 0;
            while !done.load(Ordering::SeqCst) || served < HONEST {
                let number = answers.len();
                let query = match number % 2 {
                    0 => "{projects(first:2){nodes{id}}}".to_owned(),
                    _ => format!(
                        r#"mutation{{createProject(input:{{name:"Honest {number}"}}){{project{{id}}}}}}"#
                    ),
                };
                let request = client
                    .post(&url)
                    .bearer_auth(&token)
                    .header("content-type", "application/json");
                let response = request
                    .body(json!({"query": query}).to_string())
                    .send()
                    .await
                    .unwrap();
                let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
                served += usize::from(answer["errors"].is_null());
                answers.push(answer);
            }
            answers
        }
    });
    let clients = (0..CLIENTS).map(|client| {
        let (address, tokens) = (address.clone(), tokens.to_vec());
        tokio::spawn(async move {
            for number in (client..count).step_by(CLIENTS) {
                let token = &tokens[number / 7 % tokens.len()];
                let mut socket = TcpStream::connect(&address).await.unwrap();
                // The server may have closed the socket already, which this client does not care about.
                let _gone = socket.write_all(&request(number, token)).await;
                tokio::time::sleep(Duration::from_micros((number * 379 % 24_000) as u64)).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    honest.await.unwrap()
}

/// One of the kinds of request.
fn request(number: usize, token: &str) -> Vec<u8> {
    let post = |path: &str, headers: &str, body: Value| {
        let body = body.to_string();
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    match number % 7 {
        0 => post("/auth/sign-in", "", json!({"email": format!("nobody{number}@example.org"), "password": "a".repeat(16)})),
        1 => post("/graphql", &bearer, json!({"query": "{projects(first:5){nodes{id notes(first:2){totalCount}}}}"})),
        2 => {
            let mutation = format!(r#"mutation{{createProject(input:{{name:"Aborted {number}"}}){{project{{id}}}}}}"#);
            post("/graphql", &bearer, json!({"query": mutation}))
        }
        3 => {
            let headers = format!("{bearer}Accept: text/event-stream\r\n");
            post("/graphql", &headers, json!({"query": "subscription{tenantActivity{seq}}"}))
        }
        4 => web_socket(token),
        5 => format!("GET /graphql?query=%7Bviewer%7Btenant%7Bname%7D%7D%7D HTTP/1.1\r\nHost: x\r\n{bearer}\r\n").into_bytes(),
        _ => format!("GET /api/v1/audit HTTP/1.1\r\nHost: x\r\n{bearer}\r\n").into_bytes(),
    }
}

/// A handshake with its first two messages, sent without waiting for a response.
fn web_socket(token: &str) -> Vec<u8> {
    let mut bytes = b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        .to_vec();
    let query = "subscription{tenantActivity{seq}}";
    for message in [
        json!({"type": "connection_init", "payload": {"token": token}}),
        json!({"type": "subscribe", "id": "1", "payload": {"query": query}}),
    ] {
        let text = message.to_string().into_bytes();
        // A final text frame, masked with zeros.
        bytes.extend([0x81, 0x80 | 126]);
        bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(text);
    }
    bytes
}

/// The server's log of the statements of one database.
struct StatementLog {
    file: PathBuf,
    database: String,
    from: usize,
}

/// The problems on any connection.
#[derive(Debug, Default)]
struct ReadState {
    transactions: usize,
    /// The number of `BEGIN` statements inside a transaction.
    begun_twice: usize,
    /// The number of warnings "there is already a transaction in progress".
    warnings: usize,
    /// The number of transactions of a tenant that also had system rights or another tenant's.
    mixed: usize,
}

#[derive(Default)]
struct Session {
    open: bool,
    system: bool,
    tenant: Option<String>,
}

impl StatementLog {
    async fn begin(db: &TestDatabase) -> Self {
        let superuser = db.superuser_connection().await.unwrap();
        let sql =
            "SELECT current_database()::text AS name, current_setting('data_directory') AS folder";
        let row = superuser
            .query_one_raw(Statement::from_string(db.backend(), sql))
            .await
            .unwrap()
            .unwrap();
        let database: String = row.try_get("", "name").unwrap();
        let folder: String = row.try_get("", "folder").unwrap();
        superuser
            .execute_unprepared(&format!(
                "ALTER DATABASE {database} SET log_statement = 'all'"
            ))
            .await
            .unwrap();
        // The location of the log under `with-postgres`.
        let file = PathBuf::from(folder).with_file_name("log");
        let from = std::fs::read(&file)
            .expect("the log of the server that `just test` starts")
            .len();
        Self {
            file,
            database,
            from,
        }
    }

    fn read(&self) -> ReadState {
        let log = std::fs::read(&self.file).unwrap();
        let log = String::from_utf8_lossy(&log[self.from..]).into_owned();
        let mut seen = ReadState::default();
        let mut sessions: BTreeMap<&str, Session> = BTreeMap::new();
        for line in log.lines() {
            let Some((process, rest)) = line
                .strip_prefix('[')
                .and_then(|line| line.split_once("] "))
            else {
                continue;
            };
            let Some(rest) = rest.strip_prefix(&self.database) else {
                continue;
            };
            if rest.contains("WARNING") && rest.contains("already a transaction") {
                seen.warnings += 1;
            }
            let text = rest.split_once("statement: ").or_else(|| {
                rest.split_once("execute ")
                    .and_then(|(_, text)| text.split_once(": "))
            });
            if let Some((_, text)) = text {
                seen.statement(sessions.entry(process).or_default(), text);
            }
        }
        seen
    }
}

impl ReadState {
    fn statement(&mut self, session: &mut Session, text: &str) {
        if text.starts_with("BEGIN") {
            self.transactions += 1;
            self.begun_twice += usize::from(session.open);
            session.open = true;
        } else if matches!(text, "COMMIT" | "ROLLBACK") {
            *session = Session::default();
        } else if !session.open {
            // A text of several statements is an implicit transaction.
        } else {
            if text.contains("nyxcore.scope = ''") {
                session.system = false;
            }
            if text.contains("nyxcore.scope = 'system'") {
                session.system = true;
            }
            let tenant = text
                .split_once("nyxcore.tenant_id = '")
                .and_then(|(_, rest)| rest.split_once('\''));
            if let Some((tenant, _)) = tenant.filter(|(tenant, _)| !tenant.is_empty()) {
                let others = session
                    .tenant
                    .as_ref()
                    .is_some_and(|before| before != tenant);
                session.tenant = Some(tenant.to_owned());
                self.mixed += usize::from(others);
            }
            self.mixed += usize::from(session.system && session.tenant.is_some());
            // A read without its own transaction must not run in another one.
            self.mixed += usize::from(text.contains("set_config('nyxcore.tenant_id'"));
        }
    }
}
