//! Executes the commands and GraphQL operations of the README unchanged and in the order of the page: by a shell, with
//! the program, against a server that the README's own command starts. Then it executes those of docs/api.md.
//!
//! Longer than 450 lines: both pages are read, and their blocks run, by the same code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use nyxcore_tests::{TestDatabase, nyxcore_command, run_on_sqlite};
use serde_json::{Value, json};

use super::{CommandOutput, PATIENCE, Running, repository, said};

/// The commands that a test cannot run, with the reason. All others are run and must succeed.
const NOT_RUN: &[(&str, &str)] = &[
    ("just test", "runs this test"),
    (
        "cargo build --release",
        "builds the program, which is built",
    ),
    (
        "export NYXCORE_ADMIN_URL=postgres://postgres:…@db.example.org/postgres",
        POSTGRES,
    ),
    ("nyxcore setup postgres --output /etc/nyxcore", POSTGRES),
    ("set -a; . /etc/nyxcore/app.env; set +a", POSTGRES),
    (
        "nyxcore tenant create acme --name Acme --owner ada@example.org --print-token",
        POSTGRES,
    ),
    ("nyxcore serve", POSTGRES),
    ("set -a; . /etc/nyxcore/owner.env; set +a", POSTGRES),
    ("nyxcore migrate --app-role nyxcore_app", POSTGRES),
    (
        "nyxcore worker --workers 4 --worker-limits code_analysis=2",
        "needs PostgreSQL; `runs::processes` starts such workers",
    ),
    ("claude mcp add nyxcore -- nyxcore mcp", AGENT),
    (
        "claude mcp add --transport http nyxcore https://nyx.example.org/mcp --header \"Authorization: Bearer $NYXCORE_TOKEN\"",
        AGENT,
    ),
    ("mutation { addGitConnection(", GITHUB),
    ("query { node(id: \"git_connection_…\")", GITHUB),
    ("mutation { importRepositories(", GITHUB),
    (
        "mutation { verifyProvider(",
        "calls the vendor with a real key; `models::api` verifies one of a scripted vendor",
    ),
];
const POSTGRES: &str = "needs an administrator of a PostgreSQL server; `setup::the_readmes_own_sequence_works` has one";
const AGENT: &str =
    "needs a coding agent; `command_line::mcp` starts what it starts, and speaks as it does";
const GITHUB: &str =
    "needs a token of GitHub; `github::import` does the same with a scripted GitHub";

/// The value of the reader's secrets.
const SECRET: &str = "not-a-real-token-0123456789";

/// A step that the README tells the reader to run.
#[derive(Debug, PartialEq)]
enum Step {
    /// A block of shell commands.
    Commands(String),
    /// One GraphQL operation.
    Operation(String),
}

/// The steps of a page, in order: its blocks of shell commands, its blocks of GraphQL, and GraphQL between backticks in
/// a sentence.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for (number, part) in page.split("```").enumerate() {
        if number % 2 == 0 {
            steps.extend(inline_operations(part).map(Step::Operation));
            continue;
        }
        match part.split_once('\n') {
            Some(("sh", text)) => steps.push(Step::Commands(text.to_owned())),
            Some(("graphql", text)) => {
                steps.extend(operations(text).into_iter().map(Step::Operation));
            }
            _ => {}
        }
    }
    steps
}

/// The GraphQL operations in a sentence: whole ones, and fields of a mutation with an input.
fn inline_operations(prose: &str) -> impl Iterator<Item = String> {
    let prose = prose.split_whitespace().collect::<Vec<_>>().join(" ");
    let spans: Vec<String> = prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    spans.into_iter().filter_map(|span| {
        let is_whole = ["mutation {", "query {", "subscription {"]
            .iter()
            .any(|word| span.starts_with(word));
        let is_field = span.contains("(input: {") && span.ends_with("})");
        match (is_whole, is_field) {
            (true, _) => Some(span),
            (false, true) => Some(format!("mutation {{ {span} {{ __typename }} }}")),
            (false, false) => None,
        }
    })
}

/// The operations of a block. An operation ends where its first brace is closed.
fn operations(block: &str) -> Vec<String> {
    let (mut found, mut current, mut depth) = (Vec::new(), String::new(), 0_u32);
    let (mut in_text, mut in_comment) = (false, false);
    for character in block.chars() {
        match character {
            '\n' => in_comment = false,
            _ if in_comment => continue,
            '"' => in_text = !in_text,
            '#' if !in_text => {
                in_comment = true;
                continue;
            }
            '{' if !in_text => depth += 1,
            '}' if !in_text => depth -= 1,
            _ => {}
        }
        current.push(character);
        if character == '}' && !in_text && depth == 0 {
            found.push(current.trim().to_owned());
            current.clear();
        }
    }
    assert_eq!(current.trim(), "", "GraphQL that ends within an operation");
    found
}

/// The index of the matching entry of [`NOT_RUN`]: a command without its comment, or an operation by its beginning.
fn exception(text: &str) -> Option<usize> {
    let text = text.split("  #").next().unwrap_or_default().trim();
    let is = |entry: &str| text == entry || entry.ends_with(['(', ')']) && text.starts_with(entry);
    NOT_RUN.iter().position(|(entry, _)| is(entry))
}

/// A server that a command of the README started.
struct Server {
    address: String,
    /// The token of its tenant's owner.
    token: String,
    /// Keeps the server running. Only one thread at a time may read its log.
    _running: Mutex<Running>,
}

/// A reader of the README, on a separate machine.
struct Reader {
    db: TestDatabase,
    /// The repository in which the reader runs the commands.
    repository: PathBuf,
    client: reqwest::Client,
    /// The server that keeps running.
    server: Option<Server>,
    servers: usize,
    /// The ids of the source that the flow added, and of one at an `https://` address.
    sources: Option<(String, String)>,
    /// The run of the last sync.
    run: String,
    /// The last id of each kind in a response, by its prefix: `note`.
    ids: BTreeMap<String, String>,
}

impl Reader {
    /// A shell with the program on its `PATH`, as a reader has it.
    fn shell(&self, folder: &Path, script: &str) -> Command {
        let nyxcore = nyxcore_command(&self.db).unwrap();
        let bin = Path::new(nyxcore.get_program()).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "what a person types is run as a person would"
        )]
        let mut command = Command::new("/bin/sh");
        command
            .args(["-euc", script])
            .env("PATH", format!("{}:{path}", bin.display()))
            .current_dir(folder);
        command
    }

    /// A block with the paths and ports of this test, otherwise unchanged.
    fn script(&self, block: &str) -> String {
        let folder = self.db.folder().display();
        let address = self.server.as_ref().map(|server| server.address.as_str());
        let block = block
            .replace("cargo run -- ", "nyxcore ")
            .replace("target/release/nyxcore", "nyxcore")
            .replace("/var/lib/nyxcore", &format!("{folder}/var"))
            .replace("/run/secrets/ada", &format!("{folder}/ada"))
            .replace(
                "http://127.0.0.1:4600",
                address.unwrap_or("http://127.0.0.1:4600"),
            );
        let lines = block.lines().map(|line| {
            if line.contains("nyxcore quickstart") {
                return format!("{line} --exit");
            }
            if !is_serving(line) {
                return line.to_owned();
            }
            // `exec` replaces the shell, which would not forward a signal.
            let line = line.replace(" --listen 127.0.0.1:4600", "");
            let program = if line.starts_with("nyxcore") { "" } else { "env " };
            format!("printf %s \"${{NYXCORE_TOKEN:-}}\" >token; exec {program}{line} --listen 127.0.0.1:0")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Runs a block. A server of a block that prints a token keeps running; another one is stopped when it listens.
    fn commands(&mut self, block: &str) -> Option<CommandOutput> {
        let script = self.script(block);
        if !block.lines().any(is_serving) {
            let mut command = self.shell(&self.repository, &script);
            if let Some(server) = &self.server {
                command.env("NYXCORE_TOKEN", &server.token);
            }
            let done = said(&mut command);
            assert!(done.status.success(), "{script}\n{}{}", done.out, done.err);
            return Some(done);
        }
        self.servers += 1;
        let folder = self.db.folder().join(format!("server-{}", self.servers));
        fs::create_dir(&folder).unwrap();
        let running = Running::start(&mut self.shell(&folder, &script), false);
        // The log has the version after the address.
        let address = running.after("nyxcore listens at ");
        let address = address.split_whitespace().next().unwrap_or_default();
        let address = address.trim_end_matches('/').to_owned();
        let token = fs::read_to_string(folder.join("token")).unwrap();
        if token.is_empty() {
            assert_eq!(running.end("TERM").code(), Some(0), "{script}");
        } else {
            assert!(self.server.is_none(), "two servers hand a token out");
            self.server = Some(Server {
                address,
                token,
                _running: Mutex::new(running),
            });
        }
        None
    }

    /// The response to an operation; for a subscription, the text of its events.
    async fn ask(&self, operation: &str) -> String {
        let server = self
            .server
            .as_ref()
            .expect("the README starts a server first");
        let accept = match operation.starts_with("subscription") {
            true => "text/event-stream",
            false => "application/json",
        };
        let request = self
            .client
            .post(format!("{}/graphql", server.address))
            .bearer_auth(&server.token);
        let request = request
            .header("accept", accept)
            .json(&json!({ "query": operation }));
        let answer = request.send().await.unwrap().text().await.unwrap();
        assert!(!answer.contains("\"errors\":"), "{operation}\n{answer}");
        answer
    }

    async fn data(&self, operation: &str) -> Value {
        let answer: Value = serde_json::from_str(&self.ask(operation).await).unwrap();
        answer["data"].clone()
    }

    /// Finds the source that the flow added, and adds one at an `https://` address.
    async fn sources_find(&mut self) {
        let found = self
            .data("{ project(slug: \"atlas\") { id sources { id } } }")
            .await;
        let project = &found["project"];
        let input = format!(
            "{{ projectId: {}, url: \"https://example.org/atlas.git\" }}",
            project["id"]
        );
        let add = format!("mutation {{ addSource(input: {input}) {{ source {{ id }} }} }}");
        let added = self.data(&add).await["addSource"]["source"]["id"].clone();
        let id = |id: &Value| id.as_str().unwrap().to_owned();
        self.sources = Some((id(&project["sources"][0]["id"]), id(&added)));
    }

    /// Runs an operation, with the ids of earlier responses in place of the page's `…`.
    async fn operation(&mut self, operation: &str) {
        if self.sources.is_none() {
            self.sources_find().await;
        }
        let (synced, remote) = self.sources.as_ref().unwrap();
        let source = if operation.contains("startSync") {
            synced
        } else {
            remote
        };
        let filled = operation
            .replace("source_…", source)
            .replace("run_…", &self.run)
            .replace("\"…\"", &format!("\"{SECRET}\""));
        let filled = self.ids.iter().fold(filled, |filled, (prefix, id)| {
            filled.replace(&format!("\"{prefix}_…"), &format!("\"{id}"))
        });
        assert!(
            !filled.contains('…'),
            "nothing fills the placeholder of {operation}"
        );
        if filled.starts_with("subscription") {
            let events = self.ask(&filled).await;
            assert!(events.contains("\"status\":\"SUCCEEDED\""), "{events}");
            return;
        }
        let data = self.data(&filled).await;
        let fields = data.as_object().unwrap();
        assert!(!fields.values().any(Value::is_null), "{operation}\n{data}");
        ids_note(&data, &mut self.ids);
        if let Some(run) = data["startSync"]["sync"]["id"].as_str() {
            self.run = run.to_owned();
        }
    }
}

/// Stores the ids of a response.
fn ids_note(answer: &Value, ids: &mut BTreeMap<String, String>) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| ids_note(item, ids)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if let (true, Some(id)) = (name == "id", value.as_str())
                    && let Some((prefix, _)) = id.rsplit_once('_')
                {
                    ids.insert(prefix.to_owned(), id.to_owned());
                }
                ids_note(value, ids);
            }
        }
        _ => {}
    }
}

/// Whether a command runs until it is stopped.
fn is_serving(line: &str) -> bool {
    line.contains("nyxcore") && line.split_whitespace().any(|word| word == "serve")
}

/// Checks the result of the flow: the note, enriched from twelve files of ordinary code that were not written for this.
fn enrichment_check(done: &CommandOutput) {
    let answer = done.out.lines().last().unwrap();
    let answer: Value = serde_json::from_str(answer).unwrap();
    let enrichment = &answer["data"]["node"];
    let markdown = enrichment["markdown"].as_str().unwrap_or_default();
    assert!(markdown.contains("12 of 12 cases"), "{answer}");
    let habit = "Functions and methods are snake_case";
    assert!(
        enrichment["citations"].to_string().contains(habit),
        "{answer}"
    );
}

#[test]
fn the_commands_and_operations_of_the_readme_work() {
    run_on_sqlite(|db| async move {
        let page = page_read("README.md");
        fs::write(db.folder().join("ada"), "correct horse battery staple\n").unwrap();
        let repository = repository(&db, "atlas");
        repository.git(&["tag", "v1.2.0"]);
        // The remote-tracking branch that a clone would have.
        repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let mut reader = Reader {
            db: db.clone(),
            repository: repository.path().to_owned(),
            client,
            server: None,
            servers: 0,
            sources: None,
            run: String::new(),
            ids: BTreeMap::new(),
        };
        let (mut unused, mut flow): (Vec<usize>, _) = ((0..NOT_RUN.len()).collect(), None);
        let mut is_exception = |text: &str| {
            let found = exception(text);
            unused.retain(|entry| Some(*entry) != found);
            found.is_some()
        };
        for step in steps(&page) {
            match step {
                Step::Commands(block) => {
                    let lines = block.lines().filter(|line| !is_exception(line));
                    let block = lines.collect::<Vec<_>>().join("\n");
                    if block.trim().is_empty() {
                        continue;
                    }
                    let done = reader.commands(&block);
                    if let Some(done) = done.filter(|_| block.contains("enrichNote")) {
                        enrichment_check(&done);
                        flow = Some(block);
                    }
                }
                Step::Operation(operation) => {
                    if !is_exception(&operation) {
                        reader.operation(&operation).await;
                    }
                }
            }
        }
        let unused = unused.iter().map(|entry| NOT_RUN[*entry].0);
        assert_eq!(
            unused.collect::<Vec<_>>(),
            Vec::<&str>::new(),
            "not in the README any more"
        );

        // The page of the API continues after the README: with a synced project and a server.
        for step in steps(&page_read("docs/api.md")) {
            match step {
                Step::Commands(block) => drop(reader.commands(&block)),
                Step::Operation(operation) => reader.operation(&operation).await,
            }
        }

        // The flow stops at the first refusal, with the server's response.
        let flow = reader.script(&flow.expect("the README enriches a note"));
        let mut refused = reader.shell(&reader.repository, &flow);
        let refused = said(refused.env("NYXCORE_TOKEN", "nyx_nobodys"));
        assert!(!refused.status.success() && refused.out.is_empty());
        assert!(refused.err.contains("UNAUTHENTICATED"), "{}", refused.err);
    });
}

fn page_read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn a_page_is_read_into_commands_and_operations() {
    let page = [
        "Do `mutation { a(input: { x: 1 }) { y } }`, or\n`b(input: { z:\n\"…\" })`, or `c`.\n",
        "```sh\nls  # here\n```\n",
        "```graphql\n# A comment {\nquery { a(b: \"}\") { c } }   # another {\n\nmutation {\n  d\n}\n```\n",
        "```toml\ne = 1\n```\n",
    ]
    .join("\n");
    let operation = |text: &str| Step::Operation(text.to_owned());
    let expected = [
        operation("mutation { a(input: { x: 1 }) { y } }"),
        operation("mutation { b(input: { z: \"…\" }) { __typename } }"),
        Step::Commands("ls  # here\n".to_owned()),
        operation("query { a(b: \"}\") { c } }"),
        operation("mutation {\n  d\n}"),
    ];
    assert_eq!(steps(&page), expected);
    assert!(exception("nyxcore serve   # at once").is_some());
    for run in [
        "nyxcore serve --allow-sources local",
        "nyxcore doctor",
        "query { node(id: \"note_…\") { id } }",
    ] {
        assert_eq!(exception(run), None, "{run}");
    }
}
