//! A client's TCP stream with time-outs for clients that send headers too slowly or do not read the response.
//!
//! The time-outs are here because only the stream knows that the server waits for the client. A timed-out read or
//! write returns [`io::ErrorKind::TimedOut`] and closes the stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::registry::Lease;
use crate::limits::WRITE_LEAST;

/// The time that a client has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the headers of a request, from their first byte on; for the first request, from the start of the connection
    /// on.
    pub(super) headers: Duration,
    /// For reading [`WRITE_LEAST`] bytes of the data that waits for the client.
    pub(super) write_stall: Duration,
}

/// The stream of one connection. The connection's place is taken as long as this lives.
pub(super) struct ClientStream<S> {
    stream: S,
    lease: Lease,
    patience: Patience,
    /// Runs while headers are read.
    headers: Option<Deadline>,
    /// Runs while data waits to be sent.
    stalled: Option<Deadline>,
    /// Bytes sent since `stalled` began.
    sent: usize,
}

struct Deadline {
    sleep: Pin<Box<Sleep>>,
    /// The number of requests when the deadline began. The deadline is void once another request has begun.
    requests: u64,
}

impl Deadline {
    fn passed(&mut self, context: &mut Context<'_>) -> bool {
        self.sleep.as_mut().poll(context).is_ready()
    }
}

impl<S> ClientStream<S> {
    pub(super) fn new(stream: S, lease: Lease, patience: Patience) -> Self {
        Self {
            headers: Some(Deadline {
                sleep: Box::pin(sleep(patience.headers)),
                requests: 0,
            }),
            stream,
            lease,
            patience,
            stalled: None,
            sent: 0,
        }
    }

    /// Starts the time-out for headers at their first byte, and stops it when the request begins.
    fn bytes_came(&mut self) {
        let (requests, busy) = self.lease.requests();
        if busy {
            self.headers = None;
        } else if self
            .headers
            .as_ref()
            .is_none_or(|deadline| deadline.requests != requests)
        {
            self.headers = Some(Deadline {
                sleep: Box::pin(sleep(self.patience.headers)),
                requests,
            });
        }
    }

    fn headers_late(&mut self, context: &mut Context<'_>) -> bool {
        let (requests, busy) = self.lease.requests();
        if busy
            || self
                .headers
                .as_ref()
                .is_some_and(|deadline| deadline.requests != requests)
        {
            self.headers = None;
        }
        self.headers
            .as_mut()
            .is_some_and(|deadline| deadline.passed(context))
    }

    /// Counts written bytes, or the time without progress.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(bytes)) => {
                self.sent = self.sent.saturating_add(bytes);
                if self.sent >= WRITE_LEAST {
                    self.stalled = None;
                }
                result
            }
            Poll::Pending => {
                let stall = self.patience.write_stall;
                let stalled = self.stalled.get_or_insert_with(|| {
                    self.sent = 0;
                    Deadline {
                        sleep: Box::pin(sleep(stall)),
                        requests: 0,
                    }
                });
                if stalled.passed(context) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                Poll::Pending
            }
            failed => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if result.is_pending() && self.headers_late(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if buffer.filled().len() > before {
            self.bytes_came();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// After a flush everything is written, and nothing waits any longer.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.stalled = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
