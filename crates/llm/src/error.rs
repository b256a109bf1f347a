//! The errors of a call, each with a stable code.

use std::time::Duration;

use chrono::{DateTime, Utc};
use thiserror::Error;

/// When the vendor wants the request to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this time, counted from the answer.
    In(Duration),
    /// At this time.
    At(DateTime<Utc>),
}

impl RetryAfter {
    /// How long to wait from `now`. Zero where the time has passed.
    #[must_use]
    pub fn wait(self, now: DateTime<Utc>) -> Duration {
        match self {
            Self::In(wait) => wait,
            Self::At(at) => (at - now).to_std().unwrap_or_default(),
        }
    }
}

/// What kind of refusal or failure a vendor reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VendorErrorKind {
    /// The key is missing, wrong or revoked (401).
    Unauthenticated,
    /// The key lacks the permission (403).
    Forbidden,
    /// The account has no credit left or is not paid (402, and texts of 400 and 429 that say so).
    QuotaExceeded,
    /// Too many requests or tokens for now (429).
    RateLimited,
    /// The vendor has no capacity for now (503, 529).
    Overloaded,
    /// The vendor took too long (408, 504).
    Timeout,
    /// The request collided with another (409).
    Conflict,
    /// Another failure on the vendor's side (5xx).
    Failed,
    /// The model does not exist, or not for this key (404).
    ModelNotFound,
    /// The prompt does not fit the model's context window.
    ContextTooLong,
    /// The body is larger than the vendor accepts (413).
    RequestTooLarge,
    /// The vendor refused the request for another reason (other 4xx).
    RequestRefused,
}

impl VendorErrorKind {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Overloaded => "OVERLOADED",
            Self::Timeout => "VENDOR_TIMEOUT",
            Self::Conflict => "VENDOR_CONFLICT",
            Self::Failed => "VENDOR_FAILED",
            Self::ModelNotFound => "MODEL_NOT_FOUND",
            Self::ContextTooLong => "CONTEXT_TOO_LONG",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::RequestRefused => "REQUEST_REFUSED",
        }
    }

    /// Whether the same request may succeed later: 408, 409, 429, 500, 502, 503, 504, 529 and the events that mean the
    /// same.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::Timeout | Self::Conflict | Self::Failed
        )
    }
}

/// A refusal or failure that the vendor reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorError {
    /// What kind it is.
    pub kind: VendorErrorKind,
    /// The HTTP status. None where the error came in a stream or in an answer with status 200.
    pub status: Option<u16>,
    /// The vendor's own code or type, such as `insufficient_quota`. Empty where there is none.
    pub vendor_code: String,
    /// The vendor's message: without keys, and at most [`crate::VENDOR_WORDS_MAX`] characters.
    pub message: String,
    /// When the vendor wants the request to be retried.
    pub retry_after: Option<RetryAfter>,
    /// The vendor's id of the request, for its support.
    pub request_id: Option<String>,
}

/// Why a call failed. Only [`LlmError::Vendor`] contains text of a vendor, bounded and without keys.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The key cannot be used.
    #[error("the API key is invalid: {0}")]
    KeyInvalid(&'static str),
    /// The base URL or a header of the endpoint cannot be used.
    #[error("the endpoint is invalid: {0}")]
    EndpointInvalid(&'static str),
    /// The request cannot be sent to this model. Nothing was sent.
    #[error("the request is invalid: {0}")]
    RequestInvalid(String),
    /// The resolver refused the endpoint's address. Nothing was sent.
    #[error("the address of the endpoint is not allowed")]
    AddressRefused,
    /// The name does not resolve, or no server listens at the address.
    #[error("the endpoint cannot be reached")]
    Unreachable,
    /// The server's certificate is not valid for its name or not signed by a known authority.
    #[error("the certificate of the endpoint is invalid")]
    CertificateInvalid,
    /// The server closed the connection without an answer, or reset it.
    #[error("the connection to the endpoint was reset")]
    ConnectionReset,
    /// No byte of the answer arrived in time.
    #[error("the endpoint sent nothing for {} ms", .0.as_millis())]
    FirstByteTimeout(Duration),
    /// The answer stalled in the middle.
    #[error("the endpoint stopped in the middle of its answer for {} ms", .0.as_millis())]
    IdleTimeout(Duration),
    /// The answer as a whole took too long.
    #[error("the answer took longer than {} ms", .0.as_millis())]
    TotalTimeout(Duration),
    /// The server answered with a redirect. It is not followed: that would send the key to another server.
    #[error("the endpoint answered with a redirect ({0}), which is not followed")]
    Redirected(u16),
    /// The answer is a web page, such as a proxy's.
    #[error("the endpoint answered with a web page instead of the API's answer")]
    AnswerNotApi,
    /// The answer does not have the form that the API documents.
    #[error("the answer of the endpoint is invalid: {0}")]
    AnswerInvalid(&'static str),
    /// The answer, or one line or event of it, is larger than the limit in bytes.
    #[error("the answer of the endpoint is larger than {0} bytes")]
    AnswerTooLarge(usize),
    /// The connection ended before the answer was complete.
    #[error("the answer was cut off before its end")]
    Truncated,
    /// The model wrote a tool call that has no name or whose arguments are not a JSON object.
    #[error("the model wrote an invalid tool call")]
    ToolCallInvalid,
    /// The vendor gave a reason for the end that this version does not know, so the answer may be incomplete.
    #[error("the answer ended for an unknown reason: {0}")]
    FinishUnknown(String),
    /// The model's answer does not fit the output schema, also after one repair.
    #[error("the answer does not fit the output schema: {0}")]
    OutputInvalid(String),
    /// The vendor refused or failed.
    #[error("{}: {}", .0.kind.code(), .0.message)]
    Vendor(Box<VendorError>),
}

impl LlmError {
    /// The stable code. A code is never given another meaning.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyInvalid(_) => "KEY_INVALID",
            Self::EndpointInvalid(_) => "ENDPOINT_INVALID",
            Self::RequestInvalid(_) => "REQUEST_INVALID",
            Self::AddressRefused => "ADDRESS_REFUSED",
            Self::Unreachable => "UNREACHABLE",
            Self::CertificateInvalid => "CERTIFICATE_INVALID",
            Self::ConnectionReset => "CONNECTION_RESET",
            Self::FirstByteTimeout(_) => "FIRST_BYTE_TIMEOUT",
            Self::IdleTimeout(_) => "IDLE_TIMEOUT",
            Self::TotalTimeout(_) => "TOTAL_TIMEOUT",
            Self::Redirected(_) => "REDIRECTED",
            Self::AnswerNotApi => "ANSWER_NOT_API",
            Self::AnswerInvalid(_) => "ANSWER_INVALID",
            Self::AnswerTooLarge(_) => "ANSWER_TOO_LARGE",
            Self::Truncated => "TRUNCATED",
            Self::ToolCallInvalid => "TOOL_CALL_INVALID",
            Self::FinishUnknown(_) => "FINISH_UNKNOWN",
            Self::OutputInvalid(_) => "OUTPUT_INVALID",
            Self::Vendor(error) => error.kind.code(),
        }
    }

    /// Whether the same request may succeed when it is sent again. It must not be sent again once a token was shown.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Vendor(error) => error.kind.is_retryable(),
            Self::Unreachable
            | Self::ConnectionReset
            | Self::FirstByteTimeout(_)
            | Self::IdleTimeout(_)
            | Self::Truncated
            | Self::ToolCallInvalid => true,
            _ => false,
        }
    }

    /// When the vendor wants the request to be retried, where it says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Vendor(error) => error.retry_after,
            _ => None,
        }
    }
}
