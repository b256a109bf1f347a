//! Reads the body of a request within limits of size and time.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use crate::limits::ConnectionLimits;

/// A body that is being read.
pub(super) struct RequestBody {
    parts: BodyDataStream,
    /// Bytes that the rest of the body may still have.
    left: usize,
    most: usize,
    /// When the whole body must have arrived.
    until: Instant,
    /// How long the next chunk may take to arrive.
    idle: Duration,
}

impl RequestBody {
    /// Begins to read a body of at most `most` bytes.
    ///
    /// # Errors
    /// 415 `CONTENT_ENCODING_NOT_SUPPORTED` where it is compressed; 413 `BODY_TOO_LARGE` where its length is known to
    /// be too large.
    pub(super) fn open(
        headers: &HeaderMap,
        body: Body,
        most: usize,
        limits: &ConnectionLimits,
    ) -> Result<Self, Problem> {
        let codings = headers.get_all(header::CONTENT_ENCODING).iter();
        let plain = codings
            .map(|coding| coding.to_str().unwrap_or("?"))
            .flat_map(|coding| coding.split(','))
            .all(|coding| coding.trim().eq_ignore_ascii_case("identity"));
        if !plain {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "CONTENT_ENCODING_NOT_SUPPORTED",
                "send the body without a Content-Encoding",
            )
            .accept_encoding("identity"));
        }
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > u64::try_from(most).unwrap_or(u64::MAX)) {
            return Err(too_large(most));
        }
        Ok(Self {
            parts: body.into_data_stream(),
            left: most,
            most,
            until: Instant::now() + limits.body,
            idle: limits.body_idle,
        })
    }

    /// When the whole body must have arrived.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// 413 `BODY_TOO_LARGE`; 408 `BODY_TIMEOUT`; 400 `BODY_INCOMPLETE` where it ends early or its chunks are malformed.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let until = self.until.min(Instant::now() + self.idle);
        match timeout_at(until, self.parts.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(part))) => {
                self.left = self
                    .left
                    .checked_sub(part.len())
                    .ok_or_else(|| too_large(self.most))?;
                Ok(Some(part))
            }
            Ok(Some(Err(_))) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "BODY_INCOMPLETE",
                "the body ended early or is malformed",
            )),
            Err(_) => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "BODY_TIMEOUT",
                "the body was sent too slowly",
            )),
        }
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub(super) async fn whole(mut self) -> Result<Bytes, Problem> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.next().await? else {
            return Ok(first);
        };
        let mut all = Vec::from(first);
        all.extend_from_slice(&second);
        while let Some(part) = self.next().await? {
            all.extend_from_slice(&part);
        }
        Ok(all.into())
    }
}

fn too_large(most: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "BODY_TOO_LARGE",
        format!("the body is larger than {most} bytes"),
    )
}
