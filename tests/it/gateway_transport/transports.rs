//! One request on each of the four transports.

use serde_json::{Value, json};

use super::client::Served;

impl Served {
    /// The responses to a request by POST, GET, server-sent events and WebSocket, each with the transport's name.
    pub(crate) async fn ask_each_way(
        &self,
        query: &str,
        variables: &Value,
    ) -> Vec<(&'static str, Value)> {
        let request = json!({"query": query, "variables": variables});
        let post = self.post(&request).send().await.unwrap();
        let variables = variables.to_string();
        let parameters = [("query", query), ("variables", variables.as_str())];
        let url = url::Url::parse_with_params(&self.url("/graphql"), parameters).unwrap();
        let get = self
            .client
            .get(url)
            .bearer_auth(&self.token)
            .send()
            .await
            .unwrap();
        vec![
            ("POST", post.json().await.unwrap()),
            ("GET", get.json().await.unwrap()),
            ("SSE", self.ask_by_sse(&request).await),
            ("WebSocket", self.ask_by_socket(&request).await),
        ]
    }

    /// The first response as a server-sent event.
    pub(crate) async fn ask_by_sse(&self, request: &Value) -> Value {
        let mut frames = self
            .stream(self.post(request).header("accept", "text/event-stream"))
            .await;
        frames.next().await.unwrap().json()
    }

    /// The first response by WebSocket; an `error` message as `{"errors": …}`.
    pub(crate) async fn ask_by_socket(&self, request: &Value) -> Value {
        let mut socket = self.socket_open().await;
        socket
            .say(json!({"type": "subscribe", "id": "1", "payload": request}))
            .await;
        let message = socket.hear().await.unwrap();
        match message["type"].as_str() {
            Some("error") => json!({"errors": message["payload"]}),
            Some("complete") => json!("complete"),
            _ => message["payload"].clone(),
        }
    }
}
