//! The Model Context Protocol over HTTP: every tool on an analysed project, and refused requests.

mod abuse;
mod documents;
mod tools;
mod writes;

use nyxcore_gateway::Limits;
use nyxcore_projects::{ProjectId, code_subject};
use nyxcore_retrieval::{Document, documents_publish, file_documents};
use nyxcore_tenancy::directory::{NewApiToken, api_token_create};
use nyxcore_tenancy::{ApiTokenId, Role};
use nyxcore_tests::TestDatabase;
use serde_json::{Value, json};

use crate::code_analysis::world::{Tree, analyze, project, tree};
use crate::gateway_transport::client::{Served, serve};

/// The `Accept` header of a client of the protocol.
const ACCEPT: &str = "application/json, text/event-stream";

/// A client with one token.
struct Agent<'s> {
    served: &'s Served,
    token: String,
}

impl Agent<'_> {
    /// Sends a message; returns the status, and the response if there is one.
    async fn send(&self, message: &Value) -> (u16, Value) {
        let request = self.served.client.post(self.served.url("/mcp"));
        let request = request.bearer_auth(&self.token).header("accept", ACCEPT);
        let request = request.header("content-type", "application/json");
        let response = request.body(message.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The response to a request.
    async fn ask(&self, method: &str, params: Value) -> Value {
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let (status, answer) = self.send(&message).await;
        assert_eq!(
            (status, &answer["id"]),
            (200, &json!(7)),
            "{method}: {answer}"
        );
        answer
    }

    /// The result of a call of a tool.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self
            .ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .await;
        assert!(answer["result"].is_object(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// The text of a call that succeeds.
    async fn text(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], false, "{tool}: {result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// The text of a call that fails with that code.
    async fn failure(&self, tool: &str, arguments: Value, code: &str) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{tool}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        assert!(
            text.starts_with(&format!("error[{code}]: ")),
            "{tool}: {text}"
        );
        text
    }

    /// The names of the tools that are listed.
    async fn tools(&self) -> Vec<String> {
        let answer = self.ask("tools/list", json!({})).await;
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Served {
    /// An agent with the owner's token.
    fn agent(&self) -> Agent<'_> {
        Agent {
            served: self,
            token: self.token.clone(),
        }
    }

    /// An agent with a token of that role, and the token's id.
    async fn agent_as(&self, role: Role) -> (Agent<'_>, ApiTokenId) {
        let scoped = self.store.write(self.tenant).await.unwrap();
        let new = NewApiToken {
            user: self.user,
            name: "an agent's".into(),
            role,
            expires_at: None,
        };
        let (token, text) = api_token_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
        let agent = Agent {
            served: self,
            token: text,
        };
        (agent, token.id)
    }

    /// The project `atlas`, analysed, with those files beside the small project's own.
    async fn atlas(&self, files: &[(&str, &str)]) -> ProjectId {
        let mut tree: Tree = tree();
        for (path, text) in files {
            tree.insert((*path).to_owned(), (*text).to_owned());
        }
        let (id, source) = project(&self.store, self.tenant, "atlas", &tree).await;
        analyze(&self.store, self.tenant, id).await;
        // Publishes the documents, as the last phase of a sync does.
        let documents = tree.iter().flat_map(|(path, text)| {
            let of_file = file_documents(&code_subject(source, path), path, text);
            of_file.into_iter().map(|document| Document {
                project_id: Some(id.0),
                ..document
            })
        });
        let scoped = self.store.write(self.tenant).await.unwrap();
        documents_publish(&scoped, documents.collect())
            .await
            .unwrap();
        scoped.commit().await.unwrap();
        id
    }
}

/// A gateway with the project `atlas`.
async fn with_atlas(db: &TestDatabase) -> Served {
    let served = serve(db, Limits::default()).await;
    served.atlas(&[]).await;
    served
}
