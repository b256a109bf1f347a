//! Parses a vendor's error response: its kind, its message, and when to retry.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::scrub::Scrubber;
use crate::{LlmError, RetryAfter, VendorError, VendorErrorKind};

/// The maximum size of an error's body that is read, in bytes.
pub(crate) const REFUSAL_BYTES_MAX: usize = 256 << 10;
/// The maximum accepted wait: one day. A longer one is taken for a mistake.
const WAIT_MAX: Duration = Duration::from_secs(86_400);

/// Parses an answer whose status is not 2xx.
pub(crate) fn from_answer(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    scrubber: &Scrubber,
) -> LlmError {
    if (300..400).contains(&status) {
        return LlmError::Redirected(status);
    }
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let mut error = match parsed.as_ref().and_then(words) {
        Some(words) => words.error(Some(status), scrubber),
        None if parsed.is_none() && looks_like_html(body) => VendorError {
            message: "the answer is a web page".to_owned(),
            ..bare(Some(status), "")
        },
        None => {
            let text = String::from_utf8_lossy(body);
            VendorError {
                message: scrubber.clean(&text),
                ..bare(Some(status), &text)
            }
        }
    };
    error.retry_after = retry_after(headers).or(error.retry_after);
    error.request_id = request_id(headers).map(|id| scrubber.clean(&id));
    LlmError::Vendor(Box::new(error))
}

/// Parses an API error object in a stream or in an answer with status 200. `None` where the value is not an error.
pub(crate) fn from_value(value: &Value, scrubber: &Scrubber) -> Option<LlmError> {
    let error = words(value)?.error(None, scrubber);
    Some(LlmError::Vendor(Box::new(error)))
}

/// The vendor's id of a request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let names = ["request-id", "x-request-id", "x-goog-request-id"];
    let mut ids = names.iter().filter_map(|name| headers.get(*name));
    Some(ids.next()?.to_str().ok()?.chars().take(128).collect())
}

/// Whether a body begins like a web page. No JSON and no event stream begins with `<`.
pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

/// `retry-after-ms`, then `retry-after` as seconds or as an HTTP date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return wait(ms / 1_000.0);
    }
    let given = text("retry-after")?;
    if let Ok(seconds) = given.parse::<f64>() {
        return wait(seconds);
    }
    // The date format of RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`.
    let at = DateTime::parse_from_rfc2822(given).ok()?;
    Some(RetryAfter::At(at.to_utc()))
}

fn wait(seconds: f64) -> Option<RetryAfter> {
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(RetryAfter::In(wait.min(WAIT_MAX)))
}

/// The fields of an error object, before it is classified.
#[derive(Default)]
struct Words<'a> {
    message: &'a str,
    /// Every short word that names the error: type, code, status, reasons.
    names: Vec<String>,
    status: Option<u16>,
    retry_after: Option<RetryAfter>,
}

/// Extracts the error in the forms that vendors use: `{"error": {…}}`, `{"error": "text"}`, `{"type": "error", …}`,
/// FastAPI's `{"detail": …}`, a list of one.
fn words(value: &Value) -> Option<Words<'_>> {
    if let [only] = value.as_array().map(Vec::as_slice).unwrap_or_default() {
        return words(only);
    }
    let object = value.as_object()?;
    let inner = match object.get("error") {
        Some(Value::Null) | None => {
            let is_error = object.get("type").and_then(Value::as_str) == Some("error")
                || object.get("object").and_then(Value::as_str) == Some("error");
            if is_error {
                value
            } else {
                let detail = object.get("detail").or(object.get("details"))?;
                let known = ["candidates", "choices", "output", "usageMetadata", "type"];
                if known.iter().any(|name| object.contains_key(*name)) {
                    return None;
                }
                return Some(Words {
                    message: detail.as_str().unwrap_or("the request does not validate"),
                    ..Words::default()
                });
            }
        }
        Some(Value::String(text)) => {
            return Some(Words {
                message: text,
                ..Words::default()
            });
        }
        Some(inner) => inner,
    };
    let text = |name: &str| inner.get(name).and_then(Value::as_str);
    let mut words = Words {
        message: text("message").unwrap_or_default(),
        ..Words::default()
    };
    for name in ["type", "code", "status"] {
        words.names.extend(text(name).map(str::to_owned));
    }
    let status = inner.get("code").and_then(Value::as_u64);
    words.status = status.and_then(|status| u16::try_from(status).ok());
    let details = inner.get("details").and_then(Value::as_array);
    for detail in details.into_iter().flatten() {
        if let Some(reason) = detail.get("reason").and_then(Value::as_str) {
            words.names.push(reason.to_owned());
        }
        // Google: `{"@type": "…RetryInfo", "retryDelay": "34.5s"}`.
        let delay = detail.get("retryDelay").and_then(Value::as_str);
        let delay = delay.and_then(|delay| delay.strip_suffix('s')?.parse().ok());
        words.retry_after = delay.and_then(wait).or(words.retry_after);
    }
    Some(words)
}

impl Words<'_> {
    fn error(self, status: Option<u16>, scrubber: &Scrubber) -> VendorError {
        let all = format!("{} {}", self.names.join(" "), self.message);
        let mut error = bare(status.or(self.status), &all);
        // A rate limit with an end is not an account without credit, even if its text mentions plans and billing.
        if error.kind == VendorErrorKind::QuotaExceeded && self.retry_after.is_some() {
            error.kind = VendorErrorKind::RateLimited;
        }
        let code = self.names.get(1).or(self.names.first());
        error.vendor_code = scrubber.clean(code.map_or("", String::as_str));
        error.vendor_code = error.vendor_code.chars().take(64).collect();
        error.message = scrubber.clean(self.message);
        if error.message.is_empty() {
            error.message = "the vendor gave no reason".to_owned();
        }
        error.status = status;
        error.retry_after = self.retry_after;
        error
    }
}

fn bare(status: Option<u16>, text: &str) -> VendorError {
    VendorError {
        kind: kind(status, &text.to_ascii_lowercase()),
        status,
        vendor_code: String::new(),
        message: String::new(),
        retry_after: None,
        request_id: None,
    }
}

/// Classifies an error. The text counts before the status where vendors use a general status for a special case.
fn kind(status: Option<u16>, text: &str) -> VendorErrorKind {
    use VendorErrorKind as Kind;
    let says = |any: &[&str]| any.iter().any(|words| text.contains(words));
    let is_refusal = status.is_none_or(|status| (400..500).contains(&status));
    if is_refusal {
        if says(&[
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",
            "credit balance is too low",
            "insufficient balance",
            "insufficient credits",
            "exceeded your current quota",
        ]) {
            return Kind::QuotaExceeded;
        }
        if says(&["api_key_invalid", "api key not valid", "invalid_api_key"]) {
            return Kind::Unauthenticated;
        }
        if says(&[
            "context_length_exceeded",
            "prompt is too long",
            "maximum context length",
            "exceeds the maximum number of tokens",
            "context window",
        ]) {
            return Kind::ContextTooLong;
        }
    }
    match status {
        Some(401) => Kind::Unauthenticated,
        Some(402) => Kind::QuotaExceeded,
        Some(403) => Kind::Forbidden,
        Some(404) => Kind::ModelNotFound,
        Some(408 | 504) => Kind::Timeout,
        Some(409) => Kind::Conflict,
        Some(413) => Kind::RequestTooLarge,
        Some(429) => Kind::RateLimited,
        Some(503 | 529) => Kind::Overloaded,
        // llama-cpp-python's status for a request that does not validate.
        Some(500) if says(&["validation error"]) => Kind::RequestRefused,
        Some(status) if status >= 500 => Kind::Failed,
        Some(status) if status >= 400 => Kind::RequestRefused,
        // Without a status the names decide.
        _ if says(&["authentication_error", "unauthenticated"]) => Kind::Unauthenticated,
        _ if says(&["permission_error", "permission_denied"]) => Kind::Forbidden,
        _ if says(&["not_found_error", "model_not_found"]) => Kind::ModelNotFound,
        _ if says(&["rate_limit", "resource_exhausted", "too many requests"]) => Kind::RateLimited,
        _ if says(&["overloaded", "unavailable", "engine_overloaded"]) => Kind::Overloaded,
        _ if says(&["timeout", "deadline_exceeded"]) => Kind::Timeout,
        _ if says(&["invalid_request", "invalid_argument", "invalid_prompt"]) => {
            Kind::RequestRefused
        }
        _ => Kind::Failed,
    }
}
