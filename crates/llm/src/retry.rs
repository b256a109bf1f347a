//! Retries a request after a temporary failure, and only before a part of the answer was shown.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::warn;

use crate::{Client, LlmError, ModelRequest, ModelStream};

/// The clock and the randomness of retries. Tests pass one that does not wait.
pub trait RetryTimer: Send + Sync {
    /// The current time.
    fn now(&self) -> DateTime<Utc>;

    /// Waits.
    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()>;

    /// A random number from 0 to 1, so that many clients do not retry at the same moment.
    fn fraction(&self) -> f64;
}

/// The clock and the random numbers of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTimer;

impl RetryTimer for SystemTimer {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock to be handed in where a program has no other"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(wait).boxed()
    }

    fn fraction(&self) -> f64 {
        // If there is no random number, the client waits the whole time, which is not an error.
        getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
    }
}

/// How often and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at the most: 3 by default.
    pub attempts: u32,
    /// The wait before the second attempt, doubled each time: 1 s by default. The actual wait is a random time between
    /// half of it and all of it.
    pub backoff: Duration,
    /// The maximum backoff: 16 s by default.
    pub backoff_max: Duration,
    /// The maximum wait that a vendor may ask for: 60 s by default. If the vendor asks for more, the call fails, and
    /// the error contains the wait.
    pub wait_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(16),
            wait_max: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// How long to wait after this attempt (counted from 1) failed with `error`. `None` where there is no retry.
    #[must_use]
    pub fn wait(&self, attempt: u32, error: &LlmError, timer: &dyn RetryTimer) -> Option<Duration> {
        // An invalid tool call is the model's mistake, and another attempt may be right. It is retried once.
        let attempts = match error {
            LlmError::ToolCallInvalid => self.attempts.min(2),
            _ => self.attempts,
        };
        if attempt >= attempts || !error.is_retryable() {
            return None;
        }
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let backoff = self.backoff.saturating_mul(doubled).min(self.backoff_max);
        let backoff = backoff.mul_f64(0.5 + timer.fraction().clamp(0.0, 1.0) / 2.0);
        let asked = error.retry_after().map(|after| after.wait(timer.now()));
        if asked.is_some_and(|asked| asked > self.wait_max) {
            return None;
        }
        Some(backoff.max(asked.unwrap_or_default()))
    }
}

impl Client {
    /// As [`Client::stream`], but retries the request after 408, 409, 429, 500, 502, 503, 504, 529, time-outs, resets
    /// and truncated answers, as long as no part of the answer was visible. It returns at the first visible event.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub async fn stream_with_retry(
        &self,
        request: &ModelRequest,
        policy: &RetryPolicy,
        timer: &dyn RetryTimer,
    ) -> Result<ModelStream, LlmError> {
        let mut attempt = 1;
        loop {
            let outcome = match self.stream(request).await {
                Ok(stream) => stream.started(attempt).await,
                Err(error) => Err(error),
            };
            let error = match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            let Some(wait) = policy.wait(attempt, &error, timer) else {
                return Err(error);
            };
            warn!(
                attempt,
                code = error.code(),
                wait_ms = wait.as_millis(),
                "a model call is sent again"
            );
            timer.sleep(wait).await;
            attempt += 1;
        }
    }
}
