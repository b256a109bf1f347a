//! The rate limit of each tenant: what its requests may cost in a minute, on all transports together.
//!
//! It is the generic cell rate algorithm. It stores one time for each tenant, at which the whole budget is restored.
//! The budget is restored evenly, and no single request is stored. Each process counts by itself: two replicas allow
//! twice as much.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::TenantId;

/// The time in which an empty budget is fully restored.
pub const WINDOW: TimeDelta = TimeDelta::minutes(1);
const WINDOW_NANOS: u128 = 60_000_000_000;
/// The number of tenants that are stored before those with a whole budget are removed.
const TENANTS_KEPT: usize = 10_000;

/// The points of a request besides those of its fields: for its authentication, its transaction and its line in the
/// log.
pub const REQUEST_POINTS: u64 = 10;
/// The points of a message of the Model Context Protocol. A tool reads about as much as a page of fifty rows.
pub const MCP_POINTS: u64 = 500;

/// The cost of one operation, for the field that reports it.
#[derive(Debug, Clone, Copy)]
pub struct OperationPoints(pub u64);

/// The state of a tenant's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateState {
    /// Points in a minute.
    pub limit: u64,
    /// Points that can be used at once.
    pub remaining: u64,
    /// When the whole budget is restored.
    pub reset_at: DateTime<Utc>,
    /// Seconds until then, rounded up.
    pub reset_seconds: i64,
}

/// The budgets of all tenants.
#[derive(Debug, Default)]
pub struct RateLimiter {
    /// Points in a minute; 0 for no limit.
    limit: u64,
    /// When each tenant's budget is whole again.
    whole_at: Mutex<HashMap<TenantId, DateTime<Utc>>>,
}

impl RateLimiter {
    /// Creates budgets of this many points a minute; 0 for no limit.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            whole_at: Mutex::default(),
        }
    }

    /// Takes points off a tenant's budget. A request that costs more than a whole budget takes all of it.
    ///
    /// # Errors
    /// Too few points are left: the seconds until there are enough.
    pub fn charge(&self, tenant: TenantId, points: u64, now: DateTime<Utc>) -> Result<(), i64> {
        if self.limit == 0 {
            return Ok(());
        }
        let nanos =
            (u128::from(points.min(self.limit)) * WINDOW_NANOS).div_ceil(u128::from(self.limit));
        let cost = TimeDelta::nanoseconds(i64::try_from(nanos).unwrap_or(i64::MAX));
        let mut whole_at = self.lock();
        let used = used_until(&whole_at, tenant, now);
        let over = used + cost - (now + WINDOW);
        if over > TimeDelta::zero() {
            // Corrects a time that was stored before the clock was set back.
            whole_at.insert(tenant, used);
            return Err(seconds_up(over));
        }
        if whole_at.len() >= TENANTS_KEPT {
            whole_at.retain(|_, at| *at > now);
        }
        whole_at.insert(tenant, used + cost);
        Ok(())
    }

    /// The state of a tenant's budget; `None` where there is no limit.
    pub fn standing(&self, tenant: TenantId, now: DateTime<Utc>) -> Option<RateState> {
        if self.limit == 0 {
            return None;
        }
        let reset_at = used_until(&self.lock(), tenant, now);
        let nanos = (reset_at - now).num_nanoseconds().unwrap_or(i64::MAX);
        let used =
            (u128::try_from(nanos).unwrap_or(0) * u128::from(self.limit)).div_ceil(WINDOW_NANOS);
        Some(RateState {
            limit: self.limit,
            remaining: self
                .limit
                .saturating_sub(u64::try_from(used).unwrap_or(u64::MAX)),
            reset_at,
            reset_seconds: seconds_up(reset_at - now),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, DateTime<Utc>>> {
        self.whole_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a tenant's budget is whole again, at the earliest `now`. After the clock was set back, it is at most one window
/// from `now`.
fn used_until(
    whole_at: &HashMap<TenantId, DateTime<Utc>>,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let at = whole_at.get(&tenant).copied().unwrap_or(now);
    at.clamp(now, now + WINDOW)
}

fn seconds_up(time: TimeDelta) -> i64 {
    let more = i64::from(time.subsec_nanos() > 0);
    time.num_seconds() + more
}
