//! The endpoint of a vendor's API: its base URL, protocol and headers.

use std::fmt;

use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::LlmError;

/// The maximum number of headers that an endpoint may add.
const HEADERS_MAX: usize = 32;

/// The API that an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Anthropic's Messages.
    AnthropicMessages,
    /// OpenAI's Responses.
    OpenAiResponses,
    /// OpenAI's Chat Completions, which many other servers speak too.
    OpenAiChat,
    /// Google's `generateContent`.
    GoogleGenerateContent,
}

/// A base URL with its protocol and additional headers.
#[derive(Clone)]
pub struct Endpoint {
    protocol: Protocol,
    base: Url,
    headers: HeaderMap,
}

impl Endpoint {
    /// Creates an endpoint from a URL with the version in the path, such as `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// [`LlmError::EndpointInvalid`] for a URL that is not `http` or `https`, or that has a user, a query or a
    /// fragment.
    pub fn new(protocol: Protocol, base_url: &str) -> Result<Self, LlmError> {
        let refuse = |reason| Err(LlmError::EndpointInvalid(reason));
        let Ok(base) = Url::parse(base_url) else {
            return refuse("the base URL is not a URL");
        };
        if !["http", "https"].contains(&base.scheme()) || base.host().is_none() {
            return refuse("the base URL does not begin with https:// or http:// and a host");
        }
        if !base.username().is_empty() || base.password().is_some() {
            return refuse("the base URL has a user or password; give the key apart from it");
        }
        if base.query().is_some() || base.fragment().is_some() {
            return refuse("the base URL has a query or a fragment");
        }
        Ok(Self {
            protocol,
            base,
            headers: HeaderMap::new(),
        })
    }

    /// Anthropic's own API.
    ///
    /// # Errors
    /// None in practice: the URL is a constant.
    pub fn anthropic() -> Result<Self, LlmError> {
        Self::new(Protocol::AnthropicMessages, "https://api.anthropic.com/v1")
    }

    /// OpenAI's own API, with the Responses protocol.
    ///
    /// # Errors
    /// None in practice: the URL is a constant.
    pub fn openai() -> Result<Self, LlmError> {
        Self::new(Protocol::OpenAiResponses, "https://api.openai.com/v1")
    }

    /// Google's own API.
    ///
    /// # Errors
    /// None in practice: the URL is a constant.
    pub fn google() -> Result<Self, LlmError> {
        Self::new(
            Protocol::GoogleGenerateContent,
            "https://generativelanguage.googleapis.com/v1beta",
        )
    }

    /// Adds a header to every request. Its value is treated as a secret.
    ///
    /// # Errors
    /// [`LlmError::EndpointInvalid`] for an invalid name or value, a header that frames the request, and too many of
    /// them.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, LlmError> {
        let refuse = |reason| Err(LlmError::EndpointInvalid(reason));
        let Ok(name) = HeaderName::try_from(name) else {
            return refuse("the name of a header has a character that no name has");
        };
        let framing = [
            CONNECTION,
            CONTENT_LENGTH,
            HOST,
            TE,
            TRANSFER_ENCODING,
            UPGRADE,
        ];
        if framing.contains(&name) {
            return refuse("a header would change how the request is framed");
        }
        if self.headers.len() >= HEADERS_MAX {
            return refuse("there are too many headers");
        }
        let Ok(mut value) = HeaderValue::from_str(value) else {
            return refuse("the value of a header has a line break or another control character");
        };
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// The API it speaks.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The base URL.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base
    }

    /// The host, as an IP address where it is one.
    pub(crate) fn host(&self) -> Option<Host<&str>> {
        self.base.host()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The URL of a path below the base. The segments are escaped.
    pub(crate) fn join<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        formatter
            .debug_struct("Endpoint")
            .field("protocol", &self.protocol)
            .field("base", &self.base.as_str())
            .field("headers", &names)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(url: &str) -> Result<Endpoint, LlmError> {
        Endpoint::new(Protocol::OpenAiChat, url)
    }

    #[test]
    fn a_base_url_that_hides_something_is_refused() {
        for url in [
            "",
            "api.example",
            "file:///etc/passwd",
            "ftp://a.example/v1",
            "https://user@a.example/v1",
            "https://:pass@a.example/v1",
            "https://a.example/v1?key=1",
            "https://a.example/v1#x",
            "data:text/plain,x",
        ] {
            assert_eq!(chat(url).unwrap_err().code(), "ENDPOINT_INVALID", "{url}");
        }
    }

    #[test]
    fn a_header_that_frames_the_request_is_refused() {
        for (name, value) in [
            ("Host", "b.example"),
            ("content-length", "1"),
            ("Transfer-Encoding", "chunked"),
            ("X-A", "1\r\nX-B: 2"),
            ("X A", "1"),
            ("", "1"),
        ] {
            let error = chat("https://a.example").unwrap().header(name, value);
            assert_eq!(error.unwrap_err().code(), "ENDPOINT_INVALID", "{name}");
        }
        let endpoint = chat("https://a.example").unwrap().header("X-Org", "secret");
        assert!(!format!("{:?}", endpoint.unwrap()).contains("secret"));
    }

    #[test]
    fn a_path_segment_stays_one_segment() {
        for (base, path, expected) in [
            ("https://a.example", "m", "https://a.example/m"),
            ("https://a.example/v1/", "m", "https://a.example/v1/m"),
            (
                "https://a.example/v1",
                "a/b?c#d",
                "https://a.example/v1/a%2Fb%3Fc%23d",
            ),
        ] {
            assert_eq!(chat(base).unwrap().join([path]).as_str(), expected);
        }
    }
}
