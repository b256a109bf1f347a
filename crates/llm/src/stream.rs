//! A model's answer as a stream of events.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};

use crate::decoder::{Decoder, Output};
use crate::event::{Finish, Omission, StreamEvent};
use crate::sse::{SseEvent, SseParser, SseTooLarge};
use crate::transport::Answer;
use crate::{LlmError, refusal};

/// The maximum number of chunks that are read after the end of an answer. Usually the body ends with the first or
/// second.
const DRAIN_CHUNKS_MAX: usize = 8;
/// The maximum time for reading them.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);

/// The events of one answer. It ends with exactly one [`StreamEvent::Finish`] or with one error. Dropping it cancels
/// the HTTP request.
pub struct ModelStream {
    events: BoxStream<'static, Result<StreamEvent, LlmError>>,
    omissions: Vec<Omission>,
    request_id: Option<String>,
    attempts: u32,
}

impl ModelStream {
    pub(crate) fn new(
        driver: Driver,
        omissions: Vec<Omission>,
        request_id: Option<String>,
    ) -> Self {
        let events = stream::unfold(driver, |mut driver| async move {
            let event = driver.next().await.transpose()?;
            Some((event, driver))
        });
        Self {
            // Fused, so that the stream may be polled after its end.
            events: events.fuse().boxed(),
            omissions,
            request_id,
            attempts: 1,
        }
    }

    /// The options of the request that were not sent, because the model does not accept them.
    #[must_use]
    pub fn omissions(&self) -> &[Omission] {
        &self.omissions
    }

    /// The vendor's id of the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// How often the request was sent, this time included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Reads to the end and returns the finish.
    ///
    /// # Errors
    /// The error that the stream ends with.
    pub async fn finish(mut self) -> Result<Finish, LlmError> {
        while let Some(event) = self.next().await {
            if let StreamEvent::Finish(finish) = event? {
                return Ok(finish);
            }
        }
        Err(LlmError::Truncated)
    }

    /// Reads until an event is visible, and returns a stream that begins with the events read.
    pub(crate) async fn started(mut self, attempts: u32) -> Result<Self, LlmError> {
        let mut read = Vec::new();
        while let Some(event) = self.next().await {
            let event = event?;
            let is_visible = event.is_visible();
            read.push(Ok(event));
            if is_visible {
                break;
            }
        }
        self.events = stream::iter(read).chain(self.events).boxed();
        self.attempts = attempts;
        Ok(self)
    }
}

impl Stream for ModelStream {
    type Item = Result<StreamEvent, LlmError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(context)
    }
}

impl fmt::Debug for ModelStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ModelStream")
            .field("omissions", &self.omissions)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// The format of the body, which its first byte that is not white space shows.
enum Form {
    Unknown,
    Events,
    Json(Vec<u8>),
}

/// Turns bytes into events: it detects the format of the body, parses it, and calls the decoder.
pub(crate) struct Decoding {
    form: Form,
    parser: SseParser,
    decoder: Box<dyn Decoder>,
    out: Output,
    json_bytes_max: usize,
}

impl Decoding {
    pub(crate) fn new(
        parser: SseParser,
        decoder: Box<dyn Decoder>,
        out: Output,
        json_bytes_max: usize,
    ) -> Self {
        Self {
            form: Form::Unknown,
            parser,
            decoder,
            out,
            json_bytes_max,
        }
    }

    pub(crate) fn next_event(&mut self) -> Option<StreamEvent> {
        self.out.next_event()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.out.is_finished()
    }

    /// Adds bytes of the body. Events that were decoded before an error can still be taken.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), LlmError> {
        if matches!(self.form, Form::Unknown) {
            // White space may come before an event stream or a JSON value. The SSE parser handles a byte order mark.
            let is_space = |byte: &u8| byte.is_ascii_whitespace();
            match bytes.iter().find(|byte| !is_space(byte)) {
                None => {}
                Some(b'<') => return Err(LlmError::AnswerNotApi),
                Some(b'{' | b'[') => self.form = Form::Json(Vec::new()),
                Some(_) => self.form = Form::Events,
            }
        }
        if let Form::Json(body) = &mut self.form {
            if body.len() + bytes.len() > self.json_bytes_max {
                return Err(LlmError::AnswerTooLarge(self.json_bytes_max));
            }
            body.extend_from_slice(bytes);
            return Ok(());
        }
        let (decoder, out) = (&mut self.decoder, &mut self.out);
        let mut result = Ok(());
        let parsed = self.parser.push(bytes, |event| {
            if result.is_ok() && !out.is_finished() {
                result = decoder.event(&event, out);
            }
        });
        result?;
        if self.out.is_finished() {
            return Ok(());
        }
        parsed.map_err(too_large)
    }

    /// Ends the body, which was read to its end or broke off with the error `broken`.
    pub(crate) fn end(&mut self, broken: Option<LlmError>) -> Result<(), LlmError> {
        if self.out.is_finished() {
            return Ok(());
        }
        if let Some(error) = broken {
            if self.decoder.is_complete() {
                return self.decoder.end(&mut self.out);
            }
            return Err(error);
        }
        if let Form::Json(body) = &self.form {
            let Ok(value) = serde_json::from_slice(body) else {
                return Err(LlmError::Truncated);
            };
            if let Some(error) = refusal::from_value(&value, &self.out.scrubber) {
                return Err(error);
            }
            return self.decoder.whole(value, &mut self.out);
        }
        if let Some(event) = self.parser.finish().map_err(too_large)? {
            self.last_event(&event)?;
        }
        if self.out.is_finished() {
            return Ok(());
        }
        self.decoder.end(&mut self.out)
    }

    /// Decodes the event that was not closed. If it is cut off, the error is `Truncated` and not an invalid answer.
    fn last_event(&mut self, event: &SseEvent) -> Result<(), LlmError> {
        match self.decoder.event(event, &mut self.out) {
            Err(LlmError::AnswerInvalid(_)) if self.decoder.is_complete() => Ok(()),
            Err(LlmError::AnswerInvalid(_)) => Err(LlmError::Truncated),
            other => other,
        }
    }
}

fn too_large(error: SseTooLarge) -> LlmError {
    LlmError::AnswerTooLarge(error.0)
}

/// Reads an answer's body and decodes it.
pub(crate) struct Driver {
    // `None` after the end of the body.
    answer: Option<Answer>,
    decoding: Decoding,
    error: Option<LlmError>,
}

impl Driver {
    pub(crate) fn new(answer: Answer, decoding: Decoding) -> Self {
        Self {
            answer: Some(answer),
            decoding,
            error: None,
        }
    }

    async fn next(&mut self) -> Result<Option<StreamEvent>, LlmError> {
        loop {
            if let Some(event) = self.decoding.next_event() {
                return Ok(Some(event));
            }
            // All events that were decoded before the error have been yielded.
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            let Some(answer) = &mut self.answer else {
                return Ok(None);
            };
            let step = match answer.chunk().await {
                Ok(Some(bytes)) => self.decoding.push(bytes.as_ref()),
                Ok(None) => {
                    self.answer = None;
                    self.decoding.end(None)
                }
                Err(error) => {
                    self.answer = None;
                    self.decoding.end(Some(error))
                }
            };
            if let Err(error) = step {
                self.answer = None;
                self.error = Some(error);
            } else if self.decoding.is_finished()
                && let Some(answer) = self.answer.take()
            {
                drain(answer);
            }
        }
    }
}

/// Reads the end of a body whose answer is complete, so that the connection can be reused for the next call. It runs in
/// the background, and drops the connection if the server keeps on sending.
fn drain(mut answer: Answer) {
    tokio::spawn(async move {
        let end = async {
            for _ in 0..DRAIN_CHUNKS_MAX {
                if !matches!(answer.chunk().await, Ok(Some(_))) {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(DRAIN_TIME_MAX, end).await;
    });
}
