//! The HTTP client of the OpenID Connect library. It bounds responses, and keeps the ID token as it was sent.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use openidconnect::{AccessToken, AsyncHttpClient, HttpRequest, HttpResponse};
use serde_json::Value;
use url::Url;

use super::OidcError;
use super::claims::{ClaimError, SentToken};

/// The largest response of a provider that is read, in bytes. A key set is a few thousand bytes.
const ANSWER_MAX: usize = 1 << 20;

/// Why a request to a provider failed. URLs are omitted, because they may contain secrets.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("{0}")]
    Transport(reqwest::Error),
    #[error("the response is larger than {ANSWER_MAX} bytes")]
    TooLarge,
    #[error("the response has the status {0}")]
    Status(u16),
    #[error("{0}")]
    Claim(#[from] ClaimError),
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

/// The HTTP client in the form that the library takes.
pub(super) struct Http(pub(super) reqwest::Client);

impl Http {
    /// The claims of the userinfo endpoint for the user of the access token.
    pub(super) async fn userinfo(
        &self,
        address: &Url,
        token: &AccessToken,
    ) -> Result<Vec<u8>, OidcError> {
        let request = self.0.get(address.clone()).bearer_auth(token.secret());
        let answer = async {
            let mut answer = request.send().await?;
            if !answer.status().is_success() {
                return Err(CallError::Status(answer.status().as_u16()));
            }
            body_read(&mut answer).await
        };
        answer
            .await
            .map_err(|error| OidcError::Refused(format!("userinfo endpoint: {error}")))
    }
}

/// Reads a body of up to [`ANSWER_MAX`] bytes.
async fn body_read(answer: &mut reqwest::Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = CallError;
    type Future = BoxFuture<'c, Result<HttpResponse, CallError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.0.execute(request.try_into()?).await?;
            let body = body_read(&mut answer).await?;
            let mut response = HttpResponse::new(body);
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}

/// The client for the token endpoint. It keeps the ID token as it was sent, and gives the library the reduced one.
pub(super) struct TokenHttp<'h> {
    http: &'h Http,
    sent: Mutex<Option<SentToken>>,
}

impl<'h> TokenHttp<'h> {
    pub(super) fn new(http: &'h Http) -> Self {
        Self {
            http,
            sent: Mutex::new(None),
        }
    }

    pub(super) fn take(&self) -> Option<SentToken> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The body of the response, with the ID token reduced to the verified claims. Another body is returned unchanged.
    fn reduce(&self, body: Vec<u8>) -> Result<Vec<u8>, ClaimError> {
        let Ok(mut answer) = serde_json::from_slice::<serde_json::Map<String, Value>>(&body) else {
            return Ok(body);
        };
        let Some(Value::String(token)) = answer.get_mut("id_token") else {
            return Ok(body);
        };
        let sent = SentToken::parse(token)?;
        *token = sent.reduced();
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
        Ok(Value::Object(answer).to_string().into_bytes())
    }
}

impl<'c> AsyncHttpClient<'c> for TokenHttp<'_> {
    type Error = CallError;
    type Future = BoxFuture<'c, Result<HttpResponse, CallError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let response = self.http.call(request).await?;
            let (parts, body) = response.into_parts();
            Ok(HttpResponse::from_parts(parts, self.reduce(body)?))
        })
    }
}
