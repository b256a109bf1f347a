//! Tells whoever counts of the calls that have ended.

use std::sync::Arc;
use std::time::Duration;

use super::{CallOutcome, Settlement};

/// Hears of every call that has ended, before it is written down. It must not wait.
pub type CallObserver = Arc<dyn Fn(&CallReport) + Send + Sync>;

/// A call that has ended. Its names may be a tenant's own.
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
    /// Tokens that were read and written.
    pub tokens: u64,
    /// How long it took.
    pub took: Duration,
}

impl Settlement {
    /// What is counted of it.
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
