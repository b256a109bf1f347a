//! Chat calls: answered as a stream, as a whole, or as a value that fits a schema.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt};
use nyxcore_llm::{
    Finish, LlmError, ModelRequest, ModelStream, OutputCheck, RetryTimer, StreamEvent,
    VendorErrorKind,
};
use serde_json::Value;

use super::CallInfo;
use super::admit::{AdmittedCall, Ask, Candidate, Reach, admit};
use super::open::OpenCall;
use super::service::ModelService;
use crate::error::ModelError;
use crate::health::HealthReport;
use crate::ledger::CallContext;
use crate::money::Nanousd;
use crate::tenant::ModelChoice;

/// A whole answer.
#[derive(Debug, Clone)]
pub struct ModelAnswer {
    /// The answer. It is incomplete where its reason is `Length`.
    pub finish: Finish,
    /// What it cost.
    pub cost: Nanousd,
    /// The provider, the model and the id of the call.
    pub info: CallInfo,
}

/// A value that fits its schema.
#[derive(Debug, Clone)]
pub struct ObjectAnswer {
    /// The value.
    pub value: Value,
    /// The calls that it took, oldest first: two where the first answer did not fit.
    pub answers: Vec<ModelAnswer>,
}

/// An answer as it arrives. It ends with exactly one [`StreamEvent::Finish`] or with one error. If it is dropped before
/// that, the HTTP request is cancelled, and the call is settled with what was used until then.
pub struct ModelCall {
    stream: ModelStream,
    open: OpenCall,
    info: CallInfo,
    cost: Option<Nanousd>,
    is_over: bool,
}

impl ModelCall {
    /// The provider and model that answer, and the warnings.
    #[must_use]
    pub fn info(&self) -> &CallInfo {
        &self.info
    }

    /// What the call cost, once it has finished.
    #[must_use]
    pub fn cost(&self) -> Option<Nanousd> {
        self.cost
    }

    /// Reads the stream to its end.
    ///
    /// # Errors
    /// The error that the stream ends with.
    pub async fn answer(mut self) -> Result<ModelAnswer, ModelError> {
        while let Some(event) = self.next().await {
            if let StreamEvent::Finish(finish) = event? {
                return Ok(ModelAnswer {
                    finish,
                    cost: self.cost.unwrap_or_default(),
                    info: self.info,
                });
            }
        }
        Err(LlmError::Truncated.into())
    }
}

impl fmt::Debug for ModelCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelCall")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

impl Stream for ModelCall {
    type Item = Result<StreamEvent, ModelError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let event = match self.stream.poll_next_unpin(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(event) => event,
        };
        // A stream that ends without a finish was cut off.
        let event = event.unwrap_or(Err(LlmError::Truncated));
        let event = event.map_err(ModelError::from);
        match &event {
            Ok(StreamEvent::TextDelta(text) | StreamEvent::ReasoningDelta(text)) => {
                self.open.shows(text.len());
            }
            Ok(StreamEvent::ToolCall(call)) => {
                let arguments = serde_json::to_string(&call.arguments);
                self.open
                    .shows(call.name.len() + arguments.map_or(0, |text| text.len()));
            }
            Ok(StreamEvent::Usage(usage)) => self.open.uses(*usage),
            Ok(StreamEvent::Finish(finish)) => {
                self.cost = Some(self.open.succeed(finish));
                self.is_over = true;
            }
            Err(error) => {
                self.open.fail(error);
                self.is_over = true;
            }
        }
        Poll::Ready(Some(event))
    }
}

impl ModelService {
    /// Calls a model and returns its answer as it arrives. The service sets the model and the traits of `request`. It
    /// returns when the first visible part is there: until then the request is sent again where the error may pass, and
    /// then the next model of the choice is tried.
    ///
    /// # Errors
    /// [`ModelError`]. Each has its row in the ledger.
    pub async fn stream(
        &self,
        context: CallContext,
        choice: ModelChoice,
        request: ModelRequest,
    ) -> Result<ModelCall, ModelError> {
        let ask = Ask::Chat(Box::new(request));
        // It runs as a separate task: if the caller goes away, its result is dropped and so settled.
        let admitted = tokio::spawn(admit(Arc::clone(&self.0), context, choice, ask));
        let AdmittedCall {
            mut open,
            candidates,
            skipped,
            warnings,
        } = admitted.await.unwrap_or(Err(ModelError::Closed))?;
        let mut fallbacks = skipped;
        let count = candidates.len();
        for (at, candidate) in candidates.into_iter().enumerate() {
            match self.attempt(&mut open, &candidate).await {
                Ok(stream) => {
                    let info = info(&mut open, candidate, &stream, fallbacks, warnings);
                    return Ok(ModelCall {
                        stream,
                        open,
                        info,
                        cost: None,
                        is_over: false,
                    });
                }
                Err(error) if at + 1 < count && may_fall_back(&error) => {
                    open.learns(HealthReport::of(&error));
                    let error = ModelError::from(error);
                    fallbacks.push(format!("{}: {error}", candidate.resolved.model.id));
                }
                Err(error) => {
                    let error = ModelError::from(error);
                    said(&mut open, &candidate, &fallbacks);
                    open.fail(&error);
                    return Err(error);
                }
            }
        }
        // There is at least one candidate, and the last one returns.
        Err(ModelError::Closed)
    }

    /// Calls a model and waits for its whole answer.
    ///
    /// # Errors
    /// As [`ModelService::stream`], and what the stream ends with.
    pub async fn call(
        &self,
        context: CallContext,
        choice: ModelChoice,
        request: ModelRequest,
    ) -> Result<ModelAnswer, ModelError> {
        self.stream(context, choice, request).await?.answer().await
    }

    /// Calls a model for a value that fits `request.output_schema`. Where the first answer does not fit, the model is
    /// told why and asked once more, which is a call of its own.
    ///
    /// # Errors
    /// [`LlmError::OutputInvalid`] where the second answer does not fit either; else as [`ModelService::call`].
    pub async fn object(
        &self,
        context: CallContext,
        choice: ModelChoice,
        request: ModelRequest,
    ) -> Result<ObjectAnswer, ModelError> {
        let check = OutputCheck::new(&request)?;
        let first = self.call(context.clone(), choice, request.clone()).await?;
        let error = match check.value(&first.finish) {
            Ok(value) => {
                let answers = vec![first];
                return Ok(ObjectAnswer { value, answers });
            }
            Err(error) => error,
        };
        let Some(repaired) = check.repair(&request, &first.finish, &error) else {
            return Err(error.into());
        };
        // The model that wrote the answer repairs it.
        let choice = ModelChoice::Model(first.info.model.clone());
        let second = self.call(context, choice, repaired).await?;
        let value = check.value(&second.finish)?;
        Ok(ObjectAnswer {
            value,
            answers: vec![first, second],
        })
    }

    async fn attempt(
        &self,
        open: &mut OpenCall,
        candidate: &Candidate,
    ) -> Result<ModelStream, LlmError> {
        let (Some(request), Reach::Wire(client)) = (&candidate.request, &candidate.reach) else {
            return Err(LlmError::RequestInvalid("there is no message".to_owned()));
        };
        open.sends(
            &candidate.resolved,
            candidate.key_source,
            candidate.size.bytes,
        );
        let timer = CountingTimer::new(self.0.timer.as_ref());
        let stream = client.stream_with_retry(request, &self.0.retry, &timer);
        let stream = stream.await;
        open.settlement.attempts += timer.attempts();
        stream
    }
}

/// Whether another model may answer: not where the request or the key is wrong.
pub(super) fn may_fall_back(error: &LlmError) -> bool {
    match error {
        LlmError::Vendor(vendor) => {
            error.is_retryable()
                || matches!(
                    vendor.kind,
                    VendorErrorKind::QuotaExceeded | VendorErrorKind::ModelNotFound
                )
        }
        LlmError::CertificateInvalid
        | LlmError::AnswerNotApi
        | LlmError::AnswerInvalid(_)
        | LlmError::AnswerTooLarge(_)
        | LlmError::TotalTimeout(_)
        | LlmError::FinishUnknown(_) => true,
        _ => error.is_retryable(),
    }
}

/// Adds to the ledger's note why another model answers than the chosen one.
pub(super) fn said(open: &mut OpenCall, candidate: &Candidate, fallbacks: &[String]) {
    if let Some(replacement) = &candidate.resolved.replacement {
        open.notes(&replacement.text);
    }
    for fallback in fallbacks {
        open.notes(fallback);
    }
}

fn info(
    open: &mut OpenCall,
    candidate: Candidate,
    stream: &ModelStream,
    fallbacks: Vec<String>,
    warnings: Vec<String>,
) -> CallInfo {
    said(open, &candidate, &fallbacks);
    CallInfo {
        id: open.settlement.id,
        provider: candidate.resolved.model.provider.clone(),
        model_asked: open.settlement.model_asked.clone(),
        model: candidate.resolved.model.id.clone(),
        key_source: candidate.key_source,
        replacement: candidate.resolved.replacement,
        fallbacks,
        warnings,
        omissions: stream.omissions().to_vec(),
    }
}

/// Counts how often a request is sent: once, and once more after each wait.
pub(super) struct CountingTimer<'a> {
    timer: &'a dyn RetryTimer,
    waits: AtomicU32,
}

impl<'a> CountingTimer<'a> {
    pub(super) fn new(timer: &'a dyn RetryTimer) -> Self {
        Self {
            timer,
            waits: AtomicU32::new(0),
        }
    }

    pub(super) fn attempts(&self) -> u32 {
        self.waits.load(Ordering::Relaxed) + 1
    }
}

impl RetryTimer for CountingTimer<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.timer.now()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        self.timer.sleep(wait)
    }

    fn fraction(&self) -> f64 {
        self.timer.fraction()
    }
}
