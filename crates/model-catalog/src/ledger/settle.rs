//! Settling calls: the reservation becomes the cost, the row is written, and the day's sums grow, all in one
//! transaction.

use std::collections::BTreeMap;

use nyxcore_llm::{FinishReason, Usage, UsageSource};
use nyxcore_tenancy::{ReadWrite, Result, Scoped, TenantId};
use sea_orm::ActiveValue::Set;
use sea_orm::{Condition, Value};
use uuid::Uuid;

use super::{CallContext, CallOutcome, KeySource, ModelCallId, TokenSource, UsageSum};
use crate::budget::{Releases, ReservedBudgets};
use crate::entity::{call, reservation};
use crate::health::{HealthReport, health_set};
use crate::money::Nanousd;

/// The longest message or note that is stored, in characters. A vendor's message has 500 at most.
const MESSAGE_MAX: usize = 1_000;

/// A call that ended, as it is written to the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Settlement {
    pub(crate) id: ModelCallId,
    pub(crate) context: CallContext,
    pub(crate) started_at: chrono::DateTime<chrono::Utc>,
    pub(crate) provider: String,
    pub(crate) model_asked: String,
    pub(crate) model: String,
    pub(crate) model_answered: Option<String>,
    pub(crate) key_source: KeySource,
    pub(crate) outcome: CallOutcome,
    pub(crate) finish_reason: Option<FinishReason>,
    pub(crate) error: Option<(String, String)>,
    pub(crate) note: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) usage: Usage,
    pub(crate) cost: Nanousd,
    /// The reserved amount and its budgets, where anything was reserved.
    pub(crate) reserved: Option<(Nanousd, ReservedBudgets)>,
    pub(crate) first_token_ms: Option<i64>,
    pub(crate) duration_ms: i64,
    /// What the call showed of the health of providers, oldest first.
    pub(crate) health: Vec<(String, HealthReport)>,
}

/// Writes calls of one tenant to the ledger, each once, in statements for all of them together. Returns `false` where
/// the reservation of one is gone, because another process has settled it: then the transaction must not be committed.
pub(crate) async fn settlements_write(
    scoped: &Scoped<ReadWrite>,
    settlements: &[&Settlement],
) -> Result<bool> {
    let reserved = settlements.iter().filter(|one| one.reserved.is_some());
    let reserved: Vec<ModelCallId> = reserved.map(|one| one.id).collect();
    let count = reserved.len() as u64;
    let gone = scoped
        .delete_in::<reservation::Entity, _>(reservation::Column::Id, reserved, Condition::all())
        .await?;
    if gone < count {
        return Ok(false);
    }
    let rows = settlements.iter().map(|settlement| row(settlement));
    scoped.insert_all(rows.collect()).await?;
    for (key, sum) in day_sums(settlements) {
        day_add(scoped, &key, sum).await?;
    }
    // The latest report on each provider is stored.
    let mut health: BTreeMap<&str, &HealthReport> = BTreeMap::new();
    for (provider, report) in settlements.iter().flat_map(|one| &one.health) {
        health.insert(provider, report);
    }
    for (provider, report) in health {
        health_set(scoped, provider, report).await?;
    }
    // Budgets come last, because calls that are being admitted wait for their rows.
    let mut releases = Releases::default();
    for settlement in settlements {
        if let Some((amount, reserved)) = &settlement.reserved {
            releases.add(reserved, settlement.context.run, (*amount, settlement.cost));
        }
    }
    releases.write(scoped).await?;
    Ok(true)
}

fn row(settlement: &Settlement) -> call::ActiveModel {
    let context = &settlement.context;
    let usage = &settlement.usage;
    let (error_code, error_message) = settlement.error.clone().unzip();
    call::ActiveModel {
        tenant_id: sea_orm::ActiveValue::NotSet,
        id: Set(settlement.id),
        started_at: Set(settlement.started_at),
        user_id: Set(context.user),
        project_id: Set(context.project),
        purpose: Set(context.purpose.clone()),
        run_id: Set(context.run),
        step: Set(context.step.clone()),
        provider: Set(settlement.provider.clone()),
        model_asked: Set(settlement.model_asked.clone()),
        model: Set(settlement.model.clone()),
        model_answered: Set(settlement.model_answered.as_deref().map(bounded)),
        key_source: Set(settlement.key_source),
        outcome: Set(settlement.outcome),
        finish_reason: Set(settlement
            .finish_reason
            .map(|reason| finish_word(reason).to_owned())),
        error_code: Set(error_code),
        error_message: Set(error_message.as_deref().map(bounded)),
        note: Set(settlement.note.as_deref().map(bounded)),
        attempts: Set(settlement.attempts.into()),
        input_tokens: Set(signed(usage.input_tokens)),
        cache_read_tokens: Set(signed(usage.cache_read_tokens)),
        cache_write_tokens: Set(signed(usage.cache_write_tokens)),
        cache_write_long_tokens: Set(signed(usage.cache_write_long_tokens)),
        output_tokens: Set(signed(usage.output_tokens)),
        reasoning_tokens: Set(signed(usage.reasoning_tokens)),
        usage_source: Set(match usage.source {
            UsageSource::Reported => TokenSource::Reported,
            UsageSource::Estimated => TokenSource::Estimated,
        }),
        cost_nanousd: Set(settlement.cost.0),
        reserved_nanousd: Set(settlement
            .reserved
            .as_ref()
            .map_or(0, |(amount, _)| amount.0)),
        first_token_ms: Set(settlement.first_token_ms),
        duration_ms: Set(settlement.duration_ms),
    }
}

/// The key of a row of daily sums, in the order of its columns: day, provider, model, purpose, project, member.
type DayKey = (String, String, String, String, Uuid, Uuid);

/// What calls add to the daily sums of the days on which they began. It is in the order of the rows, so that two
/// processes never deadlock.
fn day_sums(settlements: &[&Settlement]) -> BTreeMap<DayKey, UsageSum> {
    let mut sums: BTreeMap<DayKey, UsageSum> = BTreeMap::new();
    for settlement in settlements {
        let context = &settlement.context;
        let key = (
            settlement.started_at.date_naive().to_string(),
            settlement.provider.clone(),
            settlement.model.clone(),
            context.purpose.clone(),
            context.project.unwrap_or(Uuid::nil()),
            context.user.map_or(Uuid::nil(), |user| user.0),
        );
        let usage = &settlement.usage;
        let sum = sums.entry(key).or_default();
        sum.calls += 1;
        sum.failed_calls += i64::from(settlement.outcome != CallOutcome::Succeeded);
        sum.input_tokens = sum.input_tokens.saturating_add(signed(usage.input_tokens));
        sum.cached_tokens = sum
            .cached_tokens
            .saturating_add(signed(usage.cache_read_tokens));
        sum.output_tokens = sum
            .output_tokens
            .saturating_add(signed(usage.output_tokens));
        sum.reasoning_tokens = sum
            .reasoning_tokens
            .saturating_add(signed(usage.reasoning_tokens));
        sum.cost = sum.cost.plus(settlement.cost);
    }
    sums
}

/// Adds to the sums of a day.
async fn day_add(scoped: &Scoped<ReadWrite>, key: &DayKey, sum: UsageSum) -> Result<()> {
    let sql = "INSERT INTO model_usage_daily (tenant_id, day, provider, model, purpose, project_id, user_id,
            calls, failed_calls, input_tokens, cache_read_tokens, output_tokens, reasoning_tokens, cost_nanousd)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (tenant_id, day, provider, model, purpose, project_id, user_id) DO UPDATE SET
            calls = model_usage_daily.calls + excluded.calls,
            failed_calls = model_usage_daily.failed_calls + excluded.failed_calls,
            input_tokens = model_usage_daily.input_tokens + excluded.input_tokens,
            cache_read_tokens = model_usage_daily.cache_read_tokens + excluded.cache_read_tokens,
            output_tokens = model_usage_daily.output_tokens + excluded.output_tokens,
            reasoning_tokens = model_usage_daily.reasoning_tokens + excluded.reasoning_tokens,
            cost_nanousd = model_usage_daily.cost_nanousd + excluded.cost_nanousd";
    let (day, provider, model, purpose, project, user) = key.clone();
    let values: [Value; 13] = [
        day.into(),
        provider.into(),
        model.into(),
        purpose.into(),
        project.into(),
        user.into(),
        sum.calls.into(),
        sum.failed_calls.into(),
        sum.input_tokens.into(),
        sum.cached_tokens.into(),
        sum.output_tokens.into(),
        sum.reasoning_tokens.into(),
        sum.cost.0.into(),
    ];
    scoped.sql_execute(sql, values).await.map(drop)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The text cut to [`MESSAGE_MAX`] characters and without U+0000, which PostgreSQL does not store: a server's message
/// must not prevent that its call is written.
fn bounded(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\0')
        .take(MESSAGE_MAX)
        .collect()
}

fn finish_word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Complete => "complete",
        FinishReason::Length => "length",
        FinishReason::ToolUse => "tool_use",
        FinishReason::Filtered => "filtered",
        FinishReason::Refused => "refused",
        FinishReason::Paused => "paused",
    }
}

/// Groups settlements by tenant and keeps their order.
pub(super) fn by_tenant(settlements: &[Settlement]) -> Vec<(TenantId, Vec<&Settlement>)> {
    let mut groups: Vec<(TenantId, Vec<&Settlement>)> = Vec::new();
    for settlement in settlements {
        let tenant = settlement.context.tenant;
        match groups.iter_mut().find(|(of, _)| *of == tenant) {
            Some((_, group)) => group.push(settlement),
            None => groups.push((tenant, vec![settlement])),
        }
    }
    groups
}
