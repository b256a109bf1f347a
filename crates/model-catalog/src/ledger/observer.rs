//! Reports the calls that have ended, for metrics.

use std::sync::Arc;
use std::time::Duration;

use super::{CallOutcome, Settlement};

/// Called for every call that has ended, before it is written to the ledger. It must not block.
pub type CallObserver = Arc<dyn Fn(&CallReport) + Send + Sync>;

/// A call that has ended. The names of its provider and model may be a tenant's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// How it ended.
    pub outcome: CallOutcome,
    /// What it cost, in nano-dollars.
    pub cost_nanousd: i64,
    /// Input and output tokens.
    pub tokens: u64,
    /// How long it took.
    pub took: Duration,
}

impl Settlement {
    /// The report of a settlement.
    pub(super) fn report(&self) -> CallReport {
        let usage = &self.usage;
        CallReport {
            provider: self.provider.clone(),
            model: self.model.clone(),
            outcome: self.outcome,
            cost_nanousd: self.cost.0,
            tokens: usage.input_tokens.saturating_add(usage.output_tokens),
            took: Duration::from_millis(self.duration_ms.try_into().unwrap_or_default()),
        }
    }
}
