//! The ledger: one row per call, the reservations, and the sums by day that reports are made of.

mod observer;
mod queue;
mod report;
mod settle;
mod sweep;

pub use observer::{CallObserver, CallReport};
pub(crate) use queue::{SettlementQueue, SettlementSlot};
pub use report::{UsageFilter, UsageGroup, UsageKey, UsageSum, usage_rows, usage_total};
pub(crate) use settle::Settlement;
pub(crate) use sweep::reservations_extend;
pub use sweep::{ReservationSweep, reservations_sweep};

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_llm::{Usage, UsageSource};
use nyxcore_tenancy::{
    Access, Action, Error, PageRequest, Repository, Result, Scoped, TenantId, UserId, typed_id,
};
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::entity::call;
use crate::money::{Nanousd, TokenCounts};
use crate::named::named;
use crate::registration::MODEL_CALL;

/// How long a reservation is valid unless it is extended.
pub(crate) const RESERVATION_HOLDS: TimeDelta = TimeDelta::minutes(2);
/// The longest purpose, in bytes.
const PURPOSE_MAX: usize = 50;
/// The longest name of a step, in bytes.
const STEP_MAX: usize = 200;

typed_id!(
    /// A call of a model.
    ModelCallId,
    "call"
);

named!(
    /// Whose key a call was made with.
    KeySource {
        /// The tenant's own.
        Tenant = "TENANT",
        /// The operator's, which is for all tenants.
        Operator = "OPERATOR",
        /// None: the endpoint asks for none, or nothing was sent.
        None = "NONE",
    }
);

named!(
    /// How a call ended.
    CallOutcome {
        /// The model answered, also where the answer was cut off by a limit or filtered: the finish reason says so.
        Succeeded = "SUCCEEDED",
        /// The provider refused or failed.
        Failed = "FAILED",
        /// The caller went away.
        Cancelled = "CANCELLED",
        /// Nothing was sent: a budget, the catalog or the context window refused it.
        Refused = "REFUSED",
        /// The process that made it is gone. Its cost is not known, so the whole reservation is counted.
        Lost = "LOST",
    }
);

named!(
    /// Where a call's numbers of tokens come from.
    TokenSource {
        /// The provider reported them.
        Reported = "REPORTED",
        /// They are estimated from the bytes.
        Estimated = "ESTIMATED",
    }
);

/// Who calls a model, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// The tenant that pays.
    pub tenant: TenantId,
    /// The member who asked; `None` where the program calls by itself.
    pub user: Option<UserId>,
    /// The project it is for.
    pub project: Option<Uuid>,
    /// Its purpose: 1 to 50 lower-case letters, digits and underscores, such as `note_enrichment`.
    pub purpose: String,
    /// The run that it belongs to.
    pub run: Option<Uuid>,
    /// The step of the run.
    pub step: Option<String>,
}

impl CallContext {
    /// A call of a tenant for a purpose, without a member and a project.
    pub fn new(tenant: TenantId, purpose: impl Into<String>) -> Self {
        Self {
            tenant,
            user: None,
            project: None,
            purpose: purpose.into(),
            run: None,
            step: None,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        purpose_check(&self.purpose)?;
        let step = self.step.as_deref().unwrap_or_default();
        if step.len() > STEP_MAX || step.contains('\0') {
            return Err(Error::Invalid(format!(
                "the name of a step has at most {STEP_MAX} bytes"
            )));
        }
        Ok(())
    }
}

pub(crate) fn purpose_check(purpose: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=PURPOSE_MAX).contains(&purpose.len()) && purpose.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "a purpose has 1 to {PURPOSE_MAX} lower-case letters, digits and underscores"
    )))
}

/// A call as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCallRecord {
    /// Its id.
    pub id: ModelCallId,
    /// When it was admitted or refused.
    pub started_at: DateTime<Utc>,
    /// Who called, and what for.
    pub context: CallContext,
    /// The provider that was asked; empty where the model is not known.
    pub provider: String,
    /// The model that was chosen.
    pub model_asked: String,
    /// The model that was called.
    pub model: String,
    /// The model that answered, as the provider says.
    pub model_answered: Option<String>,
    /// Whose key was used.
    pub key_source: KeySource,
    /// How it ended.
    pub outcome: CallOutcome,
    /// Why the answer ended, such as `complete` or `length`.
    pub finish_reason: Option<String>,
    /// The stable code of the error.
    pub error_code: Option<String>,
    /// The error in a sentence.
    pub error_message: Option<String>,
    /// Notes: the replacement of the chosen model, and the models that were tried before.
    pub note: Option<String>,
    /// How often the request was sent.
    pub attempts: i64,
    /// The tokens.
    pub usage: Usage,
    /// What it cost.
    pub cost: Nanousd,
    /// The highest cost that was reserved for it.
    pub reserved: Nanousd,
    /// How long it took until the first visible part, in milliseconds.
    pub first_token_ms: Option<i64>,
    /// How long it took as a whole, in milliseconds.
    pub duration_ms: i64,
}

impl From<call::Model> for ModelCallRecord {
    fn from(row: call::Model) -> Self {
        let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
        Self {
            id: row.id,
            started_at: row.started_at,
            context: CallContext {
                tenant: row.tenant_id,
                user: row.user_id,
                project: row.project_id,
                purpose: row.purpose,
                run: row.run_id,
                step: row.step,
            },
            provider: row.provider,
            model_asked: row.model_asked,
            model: row.model,
            model_answered: row.model_answered,
            key_source: row.key_source,
            outcome: row.outcome,
            finish_reason: row.finish_reason,
            error_code: row.error_code,
            error_message: row.error_message,
            note: row.note,
            attempts: row.attempts,
            usage: Usage {
                input_tokens: unsigned(row.input_tokens),
                cache_read_tokens: unsigned(row.cache_read_tokens),
                cache_write_tokens: unsigned(row.cache_write_tokens),
                cache_write_long_tokens: unsigned(row.cache_write_long_tokens),
                output_tokens: unsigned(row.output_tokens),
                reasoning_tokens: unsigned(row.reasoning_tokens),
                source: match row.usage_source {
                    TokenSource::Reported => UsageSource::Reported,
                    TokenSource::Estimated => UsageSource::Estimated,
                },
            },
            cost: Nanousd(row.cost_nanousd),
            reserved: Nanousd(row.reserved_nanousd),
            first_token_ms: row.first_token_ms,
            duration_ms: row.duration_ms,
        }
    }
}

impl From<&Usage> for TokenCounts {
    fn from(usage: &Usage) -> Self {
        Self {
            input: usage.input_tokens,
            cache_read: usage.cache_read_tokens,
            cache_write: usage.cache_write_tokens,
            cache_write_long: usage.cache_write_long_tokens,
            output: usage.output_tokens,
        }
    }
}

/// Rows of the ledger by id.
pub(crate) struct ModelCalls;

impl Repository for ModelCalls {
    type Entity = call::Entity;
    type Row = call::ActiveModel;
    type Record = ModelCallRecord;
    type Id = ModelCallId;
    const KEY: call::Column = call::Column::Id;
    fn id_of(record: &ModelCallRecord) -> ModelCallId {
        record.id
    }
}

/// The calls of a tenant, newest first; of one run where one is given.
///
/// # Errors
/// The database fails.
pub async fn model_calls_list<A: Access>(
    scoped: &Scoped<A>,
    run: Option<Uuid>,
    page: &PageRequest,
) -> Result<nyxcore_tenancy::Page<ModelCallRecord>> {
    scoped.permit(Action::Read, MODEL_CALL, None)?;
    let which = Condition::all().add_option(run.map(|run| call::Column::RunId.eq(run)));
    ModelCalls::list(scoped, which, page).await
}

/// The usage of a run's calls together, also of those that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunUsage {
    /// How many calls were sent.
    pub calls: u64,
    /// All input tokens.
    pub input_tokens: u64,
    /// The part of the input tokens that the provider had cached.
    pub cached_tokens: u64,
    /// All output tokens.
    pub output_tokens: u64,
    /// What they cost.
    pub cost: Nanousd,
}

/// The usage of each of those runs. A run without a call that was sent is not in the map.
///
/// # Errors
/// The database fails.
pub async fn run_usage<A: Access>(
    scoped: &Scoped<A>,
    runs: &[Uuid],
) -> Result<HashMap<Uuid, RunUsage>> {
    use call::{Column, Entity};
    scoped.permit(Action::Read, MODEL_CALL, None)?;
    let calls = scoped.find_in::<Entity, _>(Column::RunId, runs.iter().copied());
    let columns = [
        Column::RunId,
        Column::Outcome,
        Column::InputTokens,
        Column::CacheReadTokens,
        Column::OutputTokens,
        Column::CostNanousd,
    ];
    let rows: Vec<(Option<Uuid>, CallOutcome, i64, i64, i64, i64)> = calls.columns(columns).await?;
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    let mut used: HashMap<Uuid, RunUsage> = HashMap::new();
    for (run, outcome, input, cached, output, cost) in rows {
        let Some(run) = run.filter(|_| outcome != CallOutcome::Refused) else {
            continue;
        };
        let sum = used.entry(run).or_default();
        sum.calls += 1;
        sum.input_tokens += unsigned(input);
        sum.cached_tokens += unsigned(cached);
        sum.output_tokens += unsigned(output);
        sum.cost.0 += cost;
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_a_plain_word() {
        for good in ["enrichment", "auto_fix", "step2"] {
            assert!(purpose_check(good).is_ok(), "{good}");
        }
        let long = "a".repeat(PURPOSE_MAX + 1);
        for bad in ["", "Auto", "a b", "a-b", "ä", "a\0", &long] {
            assert!(purpose_check(bad).is_err(), "{bad}");
        }
    }
}
