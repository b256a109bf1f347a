//! A parser of server-sent events: bytes in, events out, in pieces of any size.
//!
//! It follows the HTML standard ("9.2 Server-sent events"), with one exception: an event at the end of the stream
//! counts even without the blank line after it, because vendors omit it.

use thiserror::Error;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// The field `event`. Empty where it was not given.
    pub name: String,
    /// The lines of `data`, joined by line feeds.
    pub data: String,
}

/// The maximum sizes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SseLimits {
    /// One line.
    pub line: usize,
    /// The data of one event.
    pub event: usize,
    /// The whole stream.
    pub total: usize,
}

impl Default for SseLimits {
    /// 8 MiB a line and an event, 64 MiB in total. The last event of OpenAI's Responses API repeats the whole answer,
    /// and a large tool call has around a megabyte.
    fn default() -> Self {
        Self {
            line: 8 << 20,
            event: 8 << 20,
            total: 64 << 20,
        }
    }
}

/// A size limit was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the event stream exceeds the limit of {0} bytes")]
pub struct SseTooLarge(pub usize);

/// The parser.
#[derive(Debug)]
pub struct SseParser {
    limits: SseLimits,
    line: Vec<u8>,
    event: SseEvent,
    has_data: bool,
    is_first_line: bool,
    after_cr: bool,
    total: usize,
}

impl SseParser {
    /// A parser at the beginning of a stream.
    #[must_use]
    pub fn new(limits: SseLimits) -> Self {
        Self {
            limits,
            line: Vec::new(),
            event: SseEvent::default(),
            has_data: false,
            is_first_line: true,
            after_cr: false,
            total: 0,
        }
    }

    /// Parses more bytes, and passes every event that they complete to `sink`.
    ///
    /// # Errors
    /// [`SseTooLarge`]. The events before the limit were passed on; the parser cannot be used any more.
    pub fn push(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(SseEvent),
    ) -> Result<(), SseTooLarge> {
        let room = self.limits.total - self.total;
        let is_too_large = bytes.len() > room;
        let mut rest = &bytes[..bytes.len().min(room)];
        self.total += rest.len();
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let piece = &rest[..end.unwrap_or(rest.len())];
            if self.line.len() + piece.len() > self.limits.line {
                return Err(SseTooLarge(self.limits.line));
            }
            self.line.extend_from_slice(piece);
            let Some(end) = end else { break };
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if let Some(event) = self.line_end()? {
                sink(event);
            }
        }
        if is_too_large {
            return Err(SseTooLarge(self.limits.total));
        }
        Ok(())
    }

    /// Ends the stream. Returns the event that was not closed, if it has data.
    ///
    /// # Errors
    /// [`SseTooLarge`].
    pub fn finish(&mut self) -> Result<Option<SseEvent>, SseTooLarge> {
        if !self.line.is_empty() {
            self.line_end()?;
        }
        Ok(self.dispatch())
    }

    fn line_end(&mut self) -> Result<Option<SseEvent>, SseTooLarge> {
        let mut line = std::mem::take(&mut self.line);
        let mut text: &[u8] = &line;
        if std::mem::take(&mut self.is_first_line) {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        if text.is_empty() {
            return Ok(self.dispatch());
        }
        let colon = text.iter().position(|byte| *byte == b':');
        let (field, value) = text.split_at(colon.unwrap_or(text.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.event.data.len() + value.len() >= self.limits.event {
                    return Err(SseTooLarge(self.limits.event));
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(&String::from_utf8_lossy(value));
            }
            b"event" => self.event.name = String::from_utf8_lossy(value).into_owned(),
            // `id` and `retry` are for resuming a stream, which these streams do not support. An empty field is a
            // comment.
            _ => {}
        }
        // The buffer of the line is reused.
        line.clear();
        self.line = line;
        Ok(None)
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}
