//! A database dump and the most verbose server log contain none of the used secrets.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures::{SinkExt, StreamExt};
use nyxcore_github::testing::{FakeAnswer, FakeGithub};
use nyxcore_tests::{
    OidcProcess, OidcSetup, TestDatabase, TestServer, nyxcore_command, on_both_databases,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::oidc::browser::Browser;

/// A secret with its name in a report, which does not contain the secret.
pub(crate) struct Needle {
    name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Needle {
    /// The secret in clear text, in hex, and in base64 at every possible offset.
    pub(crate) fn new(name: &'static str, secret: impl AsRef<[u8]>) -> Self {
        let secret = secret.as_ref();
        assert!(secret.len() >= 8, "{name} is too short to be looked for");
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![
            secret.to_vec(),
            hex.clone().into(),
            hex.to_uppercase().into(),
        ];
        for before in 0..3 {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret);
            let text = STANDARD_NO_PAD.encode(&bytes);
            // Only the characters that consist entirely of the secret's bits.
            let own = &text[(before * 8).div_ceil(6)..bytes.len() * 8 / 6];
            forms.push(own.as_bytes().to_vec());
            forms.push(own.replace('+', "-").replace('/', "_").into_bytes());
        }
        Self { name, forms }
    }

    fn is_in(&self, haystack: &[u8]) -> bool {
        self.forms
            .iter()
            .any(|form| haystack.windows(form.len()).any(|window| window == form))
    }
}

/// The places where secrets were found: `a provider's key in the log`.
pub(crate) fn leaks(needles: &[Needle], places: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, bytes) in places {
        for needle in needles.iter().filter(|needle| needle.is_in(bytes)) {
            found.push(format!("{} in {place}", needle.name));
        }
    }
    found
}

/// All rows of all tables as text, past row-level security, and on SQLite also the raw files.
pub(crate) async fn dump(db: &TestDatabase) -> Vec<(String, Vec<u8>)> {
    let connection = past_everything(db).await;
    let mut places = Vec::new();
    for table in tables(&connection).await {
        let rows = texts(&connection, &rows_sql(&connection, &table).await).await;
        places.push((format!("table {table}"), rows.join("\n").into_bytes()));
    }
    if db.backend() == DbBackend::Sqlite {
        for file in ["nyxcore.sqlite", "nyxcore.sqlite-wal", "nyxcore.sqlite-shm"] {
            let path = db.folder().join("data").join(file);
            places.push((file.to_owned(), fs::read(path).unwrap_or_default()));
        }
        assert!(
            places
                .iter()
                .any(|(name, bytes)| name == "nyxcore.sqlite-wal" && !bytes.is_empty())
        );
    }
    places
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is really in the database is seen past the store"
)]
async fn past_everything(db: &TestDatabase) -> DatabaseConnection {
    let url = match db.superuser_url() {
        Some(url) => url.to_owned(),
        None => format!(
            "sqlite://{}",
            db.folder().join("data/nyxcore.sqlite").display()
        ),
    };
    sea_orm::Database::connect(url).await.unwrap()
}

async fn texts(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.unwrap();
    let text = |row: sea_orm::QueryResult| row.try_get::<Option<String>>("", "text").unwrap();
    rows.into_iter().filter_map(text).collect()
}

async fn tables(connection: &DatabaseConnection) -> Vec<String> {
    let sql = match connection.get_database_backend() {
        DbBackend::Sqlite => "SELECT name AS text FROM sqlite_master WHERE type = 'table'",
        _ => "SELECT tablename::text AS text FROM pg_tables WHERE schemaname = 'public'",
    };
    let tables = texts(connection, sql).await;
    assert!(tables.len() > 20, "{tables:?}");
    tables
}

/// Binary columns are returned as hex on both databases.
async fn rows_sql(connection: &DatabaseConnection, table: &str) -> String {
    if connection.get_database_backend() != DbBackend::Sqlite {
        return format!("SELECT t::text AS text FROM \"{table}\" t");
    }
    let columns =
        format!("SELECT 'quote(\"' || name || '\")' AS text FROM pragma_table_info('{table}')");
    let columns = texts(connection, &columns).await.join(" || ',' || ");
    format!("SELECT {columns} AS text FROM \"{table}\"")
}

/// A client of the server that also sends invalid requests.
struct Client<'s> {
    server: &'s TestServer,
    http: reqwest::Client,
}

impl Client<'_> {
    async fn post(&self, token: &str, body: String) -> String {
        let request = self
            .http
            .post(self.server.url("/graphql"))
            .bearer_auth(token);
        let request = request.header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        answer.text().await.unwrap()
    }

    async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables}).to_string();
        serde_json::from_str(&self.post(token, body).await).unwrap()
    }

    /// Sends the first message of a socket, which contains the token.
    async fn socket(&self, token: &str) {
        let mut request = self
            .server
            .ws_url("/graphql")
            .into_client_request()
            .unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let init = json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {token}")}});
        socket.send(Message::text(init.to_string())).await.unwrap();
        socket.next().await.unwrap().unwrap();
    }
}

/// The public address of the server under test: the provider must know it before the server has a port.
const PUBLIC: &str = "http://127.0.0.1:9";

/// Starts a provider for sign-in, and writes it into the server's settings file.
fn provider_start(db: &TestDatabase) -> OidcProcess {
    let redirect_uri = &format!("{PUBLIC}/auth/oidc/test/callback");
    let claims_in_id_token = false;
    let setup = OidcSetup {
        redirect_uri,
        claims_in_id_token,
    };
    let provider = OidcProcess::start(&setup).unwrap_or_else(|error| panic!("{error:#}"));
    let settings = format!(
        "public_url = '{PUBLIC}'\n[[oidc]]\nid = 'test'\nissuer = '{}'\nclient_id = '{}'\nclient_secret = '{}'\n",
        provider.issuer(),
        OidcProcess::CLIENT_ID,
        OidcProcess::CLIENT_SECRET
    );
    fs::write(db.folder().join("nyxcore.toml"), settings).unwrap();
    provider
}

/// Sets a person's password, as an operator does.
fn password_set(db: &TestDatabase, email: &str, password: &str) -> Vec<u8> {
    let mut command = nyxcore_command(db).unwrap();
    let mut child = command
        .args(["--log", "trace", "user", "set-password", email])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(format!("{password}\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stderr
}

impl Client<'_> {
    /// Sends a POST as a page of the server does: returns the status, and the new session.
    async fn page(&self, path: &str, body: Value, session: Option<&str>) -> (u16, Option<String>) {
        let mut request = self.http.post(self.server.url(path));
        if let Some(session) = session {
            request = request.header("cookie", format!("nyxcore_session={session}"));
        }
        let request = request.header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let cookies = answer.headers().get_all("set-cookie").iter();
        let session = cookies
            .filter_map(|cookie| cookie.to_str().ok()?.strip_prefix("nyxcore_session="))
            .find_map(|cookie| cookie.split(';').next().filter(|value| !value.is_empty()));
        (answer.status().as_u16(), session.map(str::to_owned))
    }

    /// Signs people in and adds them to the tenant in every way, also unsuccessfully; returns the secrets that they
    /// sent and received.
    async fn people(&self, owner: &str, password: &str) -> Vec<Needle> {
        let sign_in = |password: &str| json!({"email": "ada@acme.example", "password": password});
        let (status, session) = self.page("/auth/sign-in", sign_in(password), None).await;
        assert_eq!(status, 200);
        let session = session.unwrap();
        let wrong = "not the battery staple";
        assert_eq!(
            self.page("/auth/sign-in", sign_in(wrong), None).await.0,
            401
        );
        let torn = json!({"email": "ada@acme.example", "password": [wrong]});
        assert_eq!(self.page("/auth/sign-in", torn, None).await.0, 400);

        let invite = "mutation { inviteMember(input: {email: \"bea@acme.example\", role: MEMBER}) { secret url } }";
        let invited = self.ask(owner, invite, Value::Null).await;
        let invitation = invited["data"]["inviteMember"]["secret"].as_str().unwrap();
        let joining = "bea likes long pass phrases";
        let look = json!({"secret": invitation});
        assert_eq!(self.page("/auth/invitations/look", look, None).await.0, 200);
        let accept = json!({"secret": invitation, "name": "Bea", "password": joining});
        let (status, joined) = self
            .page("/auth/invitations/accept", accept.clone(), None)
            .await;
        assert_eq!(status, 201);
        assert!(self.page("/auth/invitations/accept", accept, None).await.0 >= 400);

        let changed = "an entirely new pass phrase";
        let change = json!({"current": password, "new": changed});
        assert_eq!(
            self.page("/auth/password", change, Some(&session)).await.0,
            204
        );
        let forged = "nyxs_01h455vb4pex5vsknk084sn02q_0123456789abcdef0123456789abcdef0123456789abcdef00000000";
        assert_eq!(
            self.page(
                "/auth/password",
                json!({"current": "a", "new": "b"}),
                Some(forged)
            )
            .await
            .0,
            401
        );

        // Through a provider: the cookie of the flow, and the code from the redirect.
        let mut browser = Browser::behind(&self.server.url(""), PUBLIC);
        let out = browser.get("/auth/oidc/test").await;
        let (_, verifier) = out.cookies.first().cloned().unwrap();
        let back = browser
            .travel_from("stranger", &out.location.unwrap())
            .await;
        let pairs = url::Url::parse(&back)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect::<Vec<_>>();
        let (_, code) = pairs.into_iter().find(|(name, _)| name == "code").unwrap();
        let refused = browser.get(&back).await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "SIGN_IN_REFUSED"),
            "the service's word was taken, and the person is not known"
        );

        let part = |secret: &str| secret.rsplit('_').next().unwrap().to_owned();
        vec![
            Needle::new("the owner's password", password),
            Needle::new("the owner's changed password", changed),
            Needle::new("a wrong password", wrong),
            Needle::new("the password of who joined", joining),
            Needle::new("a session", &session),
            Needle::new("the secret part of a session", part(&session)),
            Needle::new("the session of who joined", joined.unwrap()),
            Needle::new("a forged session", forged),
            Needle::new("an invitation", invitation),
            Needle::new("the secret part of an invitation", part(invitation)),
            Needle::new("the client secret", OidcProcess::CLIENT_SECRET),
            Needle::new("the verifier of a journey", verifier),
            Needle::new("the code of a journey", code),
        ]
    }
}

const CONNECT: &str = "mutation ($input: AddGitConnectionInput!) { addGitConnection(input: $input) { connection { id } } }";
const SET: &str = "mutation ($input: SetProviderKeyInput!) { setProviderKey(input: $input) { provider { configured } } }";

on_both_databases! {
    async fn no_secret_is_in_a_dump_of_the_database_nor_in_the_log(db: TestDatabase) {
        let create = ["tenant", "create", "acme", "--name", "Acme", "--owner", "ada@acme.example", "--print-token"];
        let made = nyxcore_command(&db).unwrap().args(["--log", "trace"]).args(create).output().unwrap();
        let owner = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let password = "correct horse battery staple";
        let told = password_set(&db, "ada@acme.example", password);
        let _provider = provider_start(&db);
        let server = TestServer::start(&db, &["--log", "trace", "--allow-sources", "private"]).await.unwrap();
        let client = Client { server: &server, http: reqwest::Client::builder().build().unwrap() };

        // Secrets in valid requests.
        let made_token = client.ask(&owner, "mutation { createApiToken(input: {name: \"ci\", role: MEMBER}) { secret } }", Value::Null).await;
        let token = made_token["data"]["createApiToken"]["secret"].as_str().unwrap().to_owned();
        let key = "sk-proj-R4nd0mLooking-0123456789";
        let set = client.ask(&owner, SET, json!({"input": {"provider": "openai", "apiKey": key, "baseUrl": "https://llm.acme.example"}})).await;
        assert_eq!(set["data"]["setProviderKey"]["provider"]["configured"], true, "{set}");
        client.socket(&token).await;
        let (github_token, refused_github_token) = ("github_pat_R4nd0mLooking0123456789", "github_pat_Refused9876543210");
        let github = FakeGithub::start(move |request| FakeAnswer::fixture(match request.path() {
            _ if request.header("authorization") != format!("Bearer {github_token}") => "unauthorized",
            "/user" => "viewer",
            "/repos/acme/atlas" => "repository",
            _ => "not_found",
        })).await;
        let connection = |token: &str| json!({"input": {"name": "GitHub", "baseUrl": github.url(), "token": token}});
        let added = client.ask(&owner, CONNECT, connection(github_token)).await;
        let id = &added["data"]["addGitConnection"]["connection"]["id"];
        let input = json!({"input": {"connectionId": id, "repositories": [{"fullName": "acme/atlas"}]}});
        let imported = client.ask(&owner, "mutation ($input: ImportRepositoriesInput!) { importRepositories(input: $input) { results { outcome } } }", input).await;
        assert_eq!(imported["data"]["importRepositories"]["results"][0]["outcome"], "IMPORTED", "{imported}");

        // Secrets in invalid requests: each leads to a logged error, which must not repeat them.
        let refused_key = "sk-proj-Refused-9876543210";
        let forged = "nyx_01h455vb4pex5vsknk084sn02q_f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0deadbeef";
        let input = |provider: &str, key: &str| json!({"input": {"provider": provider, "apiKey": key}});
        for (token, query, variables) in [
            (&owner, SET, input("nobody", refused_key)),
            (&owner, SET, input("openai", &format!("{refused_key} with a space"))),
            (&owner, SET, json!({"input": {"provider": 1, "apiKey": [refused_key]}})),
            (&token, SET, input("openai", refused_key)),
            (&owner, CONNECT, connection(refused_github_token)),
            (&owner, CONNECT, connection(&format!("{refused_github_token} with a space"))),
            (&token, CONNECT, connection(refused_github_token)),
            (&owner, &*format!("mutation {{ setProviderKey(input: {{provider: \"nobody\", apiKey: \"{refused_key}\"}}) {{ nothing }} }}"), Value::Null),
            (&owner, &*format!("mutation {{ setProviderKey(input: {{apiKey: \"{refused_key}\" }}"), Value::Null),
            (&forged.to_owned(), SET, input("openai", refused_key)),
        ] {
            let answer = client.ask(token, query, variables).await;
            assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{query}: {answer}");
        }
        client.post(&owner, format!("{{\"query\": \"{refused_key}")).await;
        for address in [format!("/graphql?token={token}"), format!("/graphql?t={forged}")] {
            assert_eq!(client.http.get(server.url(&address)).send().await.unwrap().status(), 401);
        }

        let master = fs::read_to_string(db.folder().join("data/master.key")).unwrap();
        let master = master.trim();
        let master_bytes = base64::engine::general_purpose::STANDARD.decode(master).unwrap();
        let mut needles = client.people(&owner, password).await;
        needles.extend([
            Needle::new("the owner's token", &owner),
            Needle::new("the secret part of the owner's token", owner.rsplit('_').next().unwrap()),
            Needle::new("the API token", &token),
            Needle::new("the secret part of the API token", token.rsplit('_').next().unwrap()),
            Needle::new("the forged token", forged),
            Needle::new("the provider's key", key),
            Needle::new("the refused provider's key", refused_key),
            Needle::new("the token of a connection", github_token),
            Needle::new("a refused token of a connection", refused_github_token),
            Needle::new("the master key's text", master),
            Needle::new("the master key", &master_bytes),
        ]);
        if db.backend() == DbBackend::Postgres {
            let url = url::Url::parse(db.app_url()).unwrap();
            needles.push(Needle::new("the database's password", url.password().unwrap()));
        }

        let mut places = dump(&db).await;
        places.push(("the log".into(), server.log().into_bytes()));
        places.push(("what the command said".into(), [made.stderr, told].concat()));
        assert!(server.log().contains("TRACE"), "the log is not at its most talkative");
        assert_eq!(leaks(&needles, &places), [""; 0]);

        // Control: the same search finds a secret where one is.
        let connection = past_everything(&db).await;
        let bytes = if db.backend() == DbBackend::Sqlite { "BLOB" } else { "bytea" };
        connection.execute_unprepared(&format!("CREATE TABLE planted (text TEXT, bytes {bytes})")).await.unwrap();
        for (text, bytes) in [
            (format!("before {key} after"), vec![]),
            (String::new(), format!("x{key}").into_bytes()),
            (base64::engine::general_purpose::STANDARD.encode(json!({"apiKey": key}).to_string()), vec![]),
            (base64::engine::general_purpose::URL_SAFE.encode(format!("k{key}")), vec![]),
        ] {
            let sql = "INSERT INTO planted VALUES ($1, $2)";
            connection.execute_raw(Statement::from_sql_and_values(db.backend(), sql, [text.into(), bytes.into()])).await.unwrap();
            let found = leaks(&needles, &dump(&db).await);
            assert!(found.contains(&"the provider's key in table planted".to_owned()), "{found:?}");
            connection.execute_unprepared("DELETE FROM planted").await.unwrap();
        }
        let logged = [("a log".to_owned(), format!("{} key={key}", server.log()).into_bytes())];
        assert_eq!(leaks(&needles, &logged), ["the provider's key in a log"]);
    }
}
