//! A call that is under way: however it ends, it is settled exactly once.

use nyxcore_llm::{Finish, LlmError, Usage, UsageSource};
use tokio::time::Instant;

use crate::error::ModelError;
use crate::health::HealthReport;
use crate::ledger::{CallOutcome, KeySource, Settlement, SettlementSlot};
use crate::money::{Nanousd, PriceList, TokenCounts};
use crate::tenant::ResolvedModel;

/// Bytes of text per token where the provider did not count tokens; the wire clients use the same number.
const BYTES_PER_TOKEN: u64 = 4;

/// A call that is under way. When it is dropped, it is settled as cancelled.
pub(super) struct OpenCall {
    slot: Option<SettlementSlot>,
    pub(super) settlement: Settlement,
    prices: PriceList,
    started: Instant,
    input_bytes: u64,
    output_bytes: u64,
    usage: Option<Usage>,
    is_sent: bool,
}

impl OpenCall {
    pub(super) fn new(slot: SettlementSlot, settlement: Settlement, started: Instant) -> Self {
        Self {
            slot: Some(slot),
            settlement,
            prices: PriceList::default(),
            started,
            input_bytes: 0,
            output_bytes: 0,
            usage: None,
            is_sent: false,
        }
    }

    /// The call is about to be sent to that model.
    pub(super) fn sends(&mut self, resolved: &ResolvedModel, key_source: KeySource, bytes: u64) {
        self.settlement.provider = resolved.model.provider.clone();
        self.settlement.model = resolved.model.id.clone();
        self.settlement.key_source = key_source;
        self.prices = resolved.model.prices;
        self.input_bytes = bytes;
        self.is_sent = true;
    }

    /// A visible part of the answer arrived.
    pub(super) fn shows(&mut self, bytes: usize) {
        self.output_bytes += bytes as u64;
        let elapsed = self.elapsed_ms();
        self.settlement.first_token_ms.get_or_insert(elapsed);
    }

    /// The vendor reported the usage so far.
    pub(super) fn uses(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    /// Adds what the call showed of the health of its provider.
    pub(super) fn learns(&mut self, report: Option<HealthReport>) {
        let provider = self.settlement.provider.clone();
        let report = report.map(|report| (provider, report));
        self.settlement.health.extend(report);
    }

    /// Appends to the note that the ledger stores with the call.
    pub(super) fn notes(&mut self, note: &str) {
        match &mut self.settlement.note {
            Some(all) => {
                all.push_str("; ");
                all.push_str(note);
            }
            none => *none = Some(note.to_owned()),
        }
    }

    /// The answer is complete. Returns its cost.
    pub(super) fn succeed(&mut self, finish: &Finish) -> Nanousd {
        self.settlement.finish_reason = Some(finish.reason);
        self.settlement.model_answered.clone_from(&finish.model);
        self.succeed_with(finish.usage)
    }

    /// The same for an embedding call, which has no finish reason.
    pub(super) fn succeed_with(&mut self, usage: Usage) -> Nanousd {
        self.learns(Some(HealthReport::ok()));
        self.settle(CallOutcome::Succeeded, usage)
    }

    /// The provider refused or failed.
    pub(super) fn fail(&mut self, error: &ModelError) {
        self.settlement.error = Some((error.code().to_owned(), error.to_string()));
        let (mut usage, mut report) = (None, None);
        if let ModelError::Call(error) = error {
            report = HealthReport::of(error);
            // An error response of the vendor is not billed; a call that broke off may be.
            usage = may_be_billed(error).then(|| self.usage_so_far());
        }
        self.learns(report);
        let usage = usage.or_else(|| self.usage.map(|_| self.usage_so_far()));
        self.settle(CallOutcome::Failed, usage.unwrap_or_default());
    }

    /// Nothing was sent.
    pub(super) fn refuse(&mut self, error: &ModelError) {
        self.settlement.error = Some((error.code().to_owned(), error.to_string()));
        self.settle(CallOutcome::Refused, Usage::default());
    }

    fn settle(&mut self, outcome: CallOutcome, usage: Usage) -> Nanousd {
        self.settlement.outcome = outcome;
        self.settlement.usage = usage;
        self.settlement.cost = self.prices.cost(&TokenCounts::from(&usage));
        self.settlement.duration_ms = self.elapsed_ms();
        if let Some(slot) = self.slot.take() {
            slot.send(self.settlement.clone());
        }
        self.settlement.cost
    }

    /// The vendor's numbers, or the estimates by bytes where these are higher: most vendors report the output at the
    /// end.
    fn usage_so_far(&self) -> Usage {
        if !self.is_sent {
            return Usage::default();
        }
        let said = self.usage.unwrap_or_default();
        let estimate = |bytes: u64| bytes.div_ceil(BYTES_PER_TOKEN);
        let input_tokens = match said.input_tokens {
            0 => estimate(self.input_bytes),
            tokens => tokens,
        };
        Usage {
            input_tokens,
            output_tokens: said.output_tokens.max(estimate(self.output_bytes)),
            source: UsageSource::Estimated,
            ..said
        }
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.slot.is_some() {
            let usage = self.usage_so_far();
            self.settle(CallOutcome::Cancelled, usage);
        }
    }
}

/// Whether the model may have worked before the call failed.
fn may_be_billed(error: &LlmError) -> bool {
    matches!(
        error,
        LlmError::ConnectionReset
            | LlmError::FirstByteTimeout(_)
            | LlmError::IdleTimeout(_)
            | LlmError::TotalTimeout(_)
            | LlmError::Truncated
            | LlmError::ToolCallInvalid
            | LlmError::FinishUnknown(_)
            | LlmError::AnswerTooLarge(_)
            | LlmError::AnswerInvalid(_)
    )
}
