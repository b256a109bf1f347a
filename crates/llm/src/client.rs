//! The client of one endpoint with one key.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tracing::debug;
use url::Url;

use crate::decoder::{Decoder, Output};
use crate::event::{Finish, Omission};
use crate::scrub::Scrubber;
use crate::sse::SseParser;
use crate::stream::{Decoding, Driver};
use crate::transport::Answer;
use crate::{
    ApiKey, Endpoint, LlmError, ModelRequest, ModelStream, Protocol, StructuredOutput, Transport,
    TransportOptions, anthropic, chat, google, refusal, responses,
};

/// The call that an adapter encodes a request into.
pub(crate) struct Call {
    /// The path below the base URL, segment by segment.
    pub(crate) path: Vec<String>,
    /// The query, without a key.
    pub(crate) query: Option<&'static str>,
    /// The body.
    pub(crate) body: Value,
    /// The options of the request that are not sent.
    pub(crate) omissions: Vec<Omission>,
    /// The decoder of the answer.
    pub(crate) decoder: Box<dyn Decoder>,
}

/// The facts about an endpoint that its refusals have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Learnt {
    /// The way to send a schema to models whose traits do not say it.
    pub(crate) structured: StructuredOutput,
    /// Whether the endpoint accepts `stream_options`.
    pub(crate) stream_usage: bool,
}

/// Calls the models of one endpoint with one key. Clones share the connections and the facts learnt about the endpoint.
#[derive(Clone)]
pub struct Client {
    endpoint: Endpoint,
    headers: HeaderMap,
    account: String,
    scrubber: Scrubber,
    transport: Transport,
    learnt: Arc<Mutex<Learnt>>,
}

impl Client {
    /// A client with connections of its own and the default time-outs. Nothing is sent yet.
    ///
    /// # Errors
    /// [`LlmError::EndpointInvalid`] where TLS cannot be set up, [`LlmError::KeyInvalid`] where no header can carry the
    /// key.
    pub fn new(endpoint: Endpoint, key: ApiKey) -> Result<Self, LlmError> {
        let transport = Transport::new(TransportOptions::default())?;
        Self::with_transport(endpoint, key, transport)
    }

    /// A client on shared connections.
    ///
    /// # Errors
    /// [`LlmError::KeyInvalid`] where no header can carry the key.
    pub fn with_transport(
        endpoint: Endpoint,
        key: ApiKey,
        transport: Transport,
    ) -> Result<Self, LlmError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        if !key.is_none() {
            let (name, prefix) = match endpoint.protocol() {
                Protocol::AnthropicMessages => ("x-api-key", ""),
                Protocol::GoogleGenerateContent => ("x-goog-api-key", ""),
                Protocol::OpenAiChat | Protocol::OpenAiResponses => ("authorization", "Bearer "),
            };
            headers.insert(HeaderName::from_static(name), key.header(prefix)?);
        }
        if endpoint.protocol() == Protocol::AnthropicMessages {
            let version = HeaderValue::from_static(anthropic::VERSION);
            headers.insert(HeaderName::from_static("anthropic-version"), version);
        }
        // The endpoint's own headers come last, so that they can replace these.
        headers.extend(endpoint.headers().clone());
        let secrets = endpoint
            .headers()
            .values()
            .filter_map(|value| value.to_str().ok());
        let scrubber = Scrubber::new(secrets.chain([key.expose()]));
        let account = key.fingerprint(endpoint.base_url().as_str());
        Ok(Self {
            endpoint,
            headers,
            account,
            scrubber,
            transport,
            learnt: Arc::new(Mutex::new(Learnt {
                structured: StructuredOutput::Schema,
                stream_usage: true,
            })),
        })
    }

    /// The endpoint it calls.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How the endpoint takes a schema, as far as its refusals have shown.
    #[must_use]
    pub fn structured_output(&self) -> StructuredOutput {
        self.learnt().structured
    }

    /// Sends a request and returns the answer as a stream. The request is sent once; [`Client::stream_with_retry`] also
    /// retries it.
    ///
    /// # Errors
    /// [`LlmError`] where the request is invalid, cannot be sent, or is answered with an error.
    pub async fn stream(&self, request: &ModelRequest) -> Result<ModelStream, LlmError> {
        request.check()?;
        loop {
            let learnt = self.learnt();
            let call = self.call(request, learnt)?;
            match self.open(call).await {
                Ok(stream) => return Ok(stream),
                Err(error) => self.learn(request, learnt, &error).ok_or(error)?,
            }
        }
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    /// As [`Client::stream`], and the error that ends the stream.
    pub async fn complete(&self, request: &ModelRequest) -> Result<Finish, LlmError> {
        self.stream(request).await?.finish().await
    }

    /// The ids of the models that the endpoint lists for this key: the first page, in the vendor's order. The call is
    /// free, and shows that the server responds and accepts the key. It does not show that the account is paid.
    ///
    /// # Errors
    /// As [`Client::stream`]; [`LlmError::AnswerInvalid`] for an answer that is not a list.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let answer = self.json(&["models"], None).await?;
        // Google's list is called `models` and its ids `models/…`; the others agree on `data` and `id`.
        let list = answer.get("data").or_else(|| answer.get("models"));
        let Some(list) = list.and_then(Value::as_array) else {
            return Err(LlmError::AnswerInvalid("it is not a list of models"));
        };
        let id = |model: &Value| {
            let id = model.get("id").or_else(|| model.get("name"))?.as_str()?;
            Some(id.strip_prefix("models/").unwrap_or(id).to_owned())
        };
        Ok(list.iter().filter_map(id).collect())
    }

    fn call(&self, request: &ModelRequest, learnt: Learnt) -> Result<Call, LlmError> {
        match self.endpoint.protocol() {
            Protocol::AnthropicMessages => anthropic::call(request, &self.account),
            Protocol::OpenAiResponses => responses::call(request, &self.account),
            Protocol::OpenAiChat => chat::call(request, &self.account, learnt),
            Protocol::GoogleGenerateContent => google::call(request, &self.account),
        }
    }

    async fn open(&self, call: Call) -> Result<ModelStream, LlmError> {
        let mut url = self.endpoint.join(call.path.iter().map(String::as_str));
        url.set_query(call.query);
        let body = call.body.to_string().into_bytes();
        let input_bytes = body.len() as u64;
        let answer = self.send(url, Some(body)).await?;
        let options = self.transport.options();
        let parser = SseParser::new(options.stream_limits);
        let out = Output::new(self.scrubber.clone(), input_bytes);
        let request_id = refusal::request_id(answer.headers());
        let decoding = Decoding::new(parser, call.decoder, out, options.body_bytes_max);
        let driver = Driver::new(answer, decoding);
        Ok(ModelStream::new(driver, call.omissions, request_id))
    }

    /// Sends a POST with the body, or a GET without one. Returns an answer with status 2xx.
    async fn send(&self, url: Url, body: Option<Vec<u8>>) -> Result<Answer, LlmError> {
        let bytes = body.as_ref().map_or(0, Vec::len);
        let mut answer = self.transport.send(url, self.headers.clone(), body).await?;
        let status = answer.status();
        debug!(status, bytes, host = ?self.endpoint.host(), "the model's endpoint answered");
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        // The body of an error is read if possible. A failure to read it is ignored.
        let body = answer
            .body(refusal::REFUSAL_BYTES_MAX)
            .await
            .unwrap_or_default();
        let headers = answer.headers();
        Err(refusal::from_answer(status, headers, &body, &self.scrubber))
    }

    /// Sends a JSON value and reads the whole answer as another.
    pub(crate) async fn post_json(&self, path: &[&str], body: &Value) -> Result<Value, LlmError> {
        self.json(path, Some(body.to_string().into_bytes())).await
    }

    /// Sends a POST with the body, or a GET without one, and reads the whole answer as JSON.
    async fn json(&self, path: &[&str], body: Option<Vec<u8>>) -> Result<Value, LlmError> {
        let url = self.endpoint.join(path.iter().copied());
        let mut answer = self.send(url, body).await?;
        let body = answer.body(self.transport.options().body_bytes_max).await?;
        if refusal::looks_like_html(&body) {
            return Err(LlmError::AnswerNotApi);
        }
        let Ok(value) = serde_json::from_slice(&body) else {
            return Err(LlmError::AnswerInvalid("it is not JSON"));
        };
        match refusal::from_value(&value, &self.scrubber) {
            Some(error) => Err(error),
            None => Ok(value),
        }
    }

    fn learnt(&self) -> Learnt {
        *self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles a refusal of a way in which the request was encoded. Where there is another way, it is remembered, and
    /// the request is worth sending again.
    fn learn(&self, request: &ModelRequest, used: Learnt, error: &LlmError) -> Option<()> {
        if self.endpoint.protocol() != Protocol::OpenAiChat {
            return None;
        }
        let next = chat::learn(request, used, error)?;
        *self.learnt.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Some(())
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
