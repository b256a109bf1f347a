//! `nyxcore mcp`: an agent on the standard streams, on the database of a folder and against a server.

use std::io::Write;
use std::process::ChildStdin;

use super::*;
use nyxcore_tests::nyxcore_command_in;

use crate::support::tenant_by_command;

/// An agent's connection to the program that it started.
struct Piped {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: std::sync::mpsc::Receiver<String>,
    next: u64,
}

impl Piped {
    /// Starts the program, and initializes the connection.
    fn start(command: &mut Command) -> Self {
        let mut piped = Self::start_silent(command);
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}});
        let answer = piped.ask("initialize", &hello);
        assert_eq!(
            answer["result"]["serverInfo"]["name"], "nyxcore",
            "{answer}"
        );
        piped.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
        piped
    }

    fn start_silent(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _nobody_waits = sender.send(line);
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            next: 1,
        }
    }

    /// Writes a line.
    fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// The next line, which must be a message: standard output contains nothing else.
    fn hear(&self) -> Value {
        let line = self
            .lines
            .recv_timeout(PATIENCE)
            .expect("a message in time");
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        message
    }

    /// Sends a request, and returns the response.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.next;
        self.next += 1;
        self.say(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string(),
        );
        loop {
            let message = self.hear();
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    /// The result of a call of a tool.
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        assert!(answer["result"].is_object(), "{tool}: {answer}");
        answer["result"].clone()
    }

    fn tools(&mut self) -> Vec<String> {
        let answer = self.ask("tools/list", &json!({}));
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Closes the connection.
    fn end(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.child.wait().unwrap()
    }
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[test]
fn an_agent_works_on_the_database_of_a_folder() {
    run_on_sqlite(|db| async move {
        let repository = repository(&db, "atlas");
        let path = repository.path().to_str().unwrap().to_owned();
        let made = nyxcore(&db, &["quickstart", &path, "--exit"]);
        assert!(made.status.success(), "{}", made.err);

        let mut agent = Piped::start(
            nyxcore_command(&db)
                .unwrap()
                .args(["mcp", "--folder", &path]),
        );
        assert!(agent.tools().contains(&"check".to_owned()));
        let conventions = agent.call("conventions_for", &json!({"path": "src/open.rs"}));
        assert!(text(&conventions).contains("snake_case"), "{conventions}");
        let written = agent.call(
            "memory_add",
            &json!({"title": "Opening", "content": "open.rs comes before close.rs."}),
        );
        assert_eq!(
            written["structuredContent"]["project"], "atlas",
            "{written}"
        );
        let found = agent.call("search", &json!({"query": "what comes before close.rs?"}));
        assert!(text(&found).contains("open.rs comes before"), "{found}");

        // Invalid messages and batches do not end the connection.
        agent.say("{ this is not json");
        agent.say(r#"[{"jsonrpc": "2.0", "id": 90, "method": "ping"}]"#);
        let pong = agent.ask("ping", &json!({}));
        assert_eq!(pong["result"], json!({}), "{pong}");

        let clean = agent.call("check", &json!({}));
        assert_eq!(
            clean["structuredContent"]["deviations"],
            json!([]),
            "{clean}"
        );
        repository.write("src/odd.rs", "pub fn oddOne() {}\n");
        let odd = agent.call("check", &json!({}));
        let deviation = &odd["structuredContent"]["deviations"][0];
        assert_eq!(deviation["path"], "src/odd.rs", "{odd}");
        assert!(text(&odd).contains("src/odd.rs:1 "), "{odd}");
        let unknown = agent.call("check", &json!({"base": "--upload-pack=x"}));
        assert!(
            text(&unknown).starts_with("error[REVISION_NOT_FOUND]"),
            "{unknown}"
        );
        assert!(agent.end().success());

        // An operator's writes are in the audit log.
        let log = nyxcore(&db, &["audit", "export", "--tenant", "home"]);
        assert!(log.out.contains("memory_entry.create"), "{}", log.out);

        let mut reader = Piped::start(nyxcore_command(&db).unwrap().args([
            "mcp",
            "--read-only",
            "--project",
            "atlas",
        ]));
        assert!(!reader.tools().contains(&"memory_add".to_owned()));
        let refused = reader.call("memory_add", &json!({"title": "t", "content": "c"}));
        assert!(text(&refused).starts_with("error[READ_ONLY]"), "{refused}");
        assert!(reader.end().success());
    });
}

#[test]
fn an_agent_that_leaves_at_once_is_no_failure() {
    run_on_sqlite(|db| async move {
        tenant_by_command(&db, "acme");
        let agent = Piped::start_silent(nyxcore_command(&db).unwrap().arg("mcp"));
        assert!(agent.end().success());
    });
}

on_both_databases! {
    async fn it_is_said_what_an_agent_cannot_be_served_from(db: TestDatabase) {
        if db.backend() == sea_orm::DbBackend::Sqlite {
            let mut command = nyxcore_command_in(&db, &db.folder().join("nowhere")).unwrap();
            let refused = said(command.arg("mcp"));
            assert_eq!((refused.code(), refused.out.as_str()), ("DATABASE_NOT_FOUND", ""), "{}", refused.err);
        }
        tenant_by_command(&db, "acme");
        tenant_by_command(&db, "globex");
        let refused = nyxcore(&db, &["mcp"]);
        assert_eq!((refused.code(), refused.out.as_str()), ("SETTING_INVALID", ""), "{}", refused.err);
        assert!(refused.err.contains("acme") && refused.err.contains("globex"), "{}", refused.err);
        let refused = nyxcore(&db, &["mcp", "--tenant", "nobody"]);
        assert_eq!((refused.code(), refused.out.as_str()), ("NOT_FOUND", ""), "{}", refused.err);
        for (server, word) in [("http://nyx.example.org", "https"), ("nonsense", "--server"), ("https://nyx.example.org", "NYXCORE_TOKEN")] {
            let refused = nyxcore(&db, &["mcp", "--server", server]);
            assert_eq!((refused.code(), refused.out.as_str()), ("SETTING_INVALID", ""), "{}", refused.err);
            assert!(refused.err.contains(word), "{}", refused.err);
        }
    }

    async fn messages_are_passed_on_to_a_server(db: TestDatabase) {
        let server = TestServer::start(&db, &[]).await.unwrap();
        let token = tenant_by_command(&db, "acme");
        let command = |token: &str| {
            let mut command = nyxcore_command(&db).unwrap();
            command.args(["mcp", "--server", &server.url("")]).env("NYXCORE_TOKEN", token);
            command
        };
        let mut agent = Piped::start(&mut command(&token));
        let tools = agent.tools();
        assert!(tools.contains(&"search".to_owned()) && !tools.contains(&"check".to_owned()), "{tools:?}");
        let written = agent.call("memory_add", &json!({"title": "Far", "content": "Written from afar."}));
        assert_eq!(written["isError"], false, "{written}");
        let found = agent.call("search", &json!({"query": "written afar"}));
        assert!(text(&found).contains("Written from afar."), "{found}");
        agent.say("{ this is not json");
        assert_eq!(agent.hear()["error"]["code"], -32700);
        let pong = agent.ask("ping", &json!({}));
        assert_eq!(pong["result"], json!({}), "{pong}");
        assert!(agent.end().success());

        let mut stranger = Piped::start_silent(&mut command("nyx_nonsense"));
        let refused = stranger.ask("ping", &json!({}));
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("UNAUTHENTICATED: "), "{refused}");
        assert!(stranger.end().success());
        assert!(!server.log().contains(&token), "the token is in the log");
    }
}
