//! The state of the tenant's budget for requests.

use async_graphql::{Context, SimpleObject};
use chrono::{DateTime, Utc};

use super::long::Long;
use crate::context::operation;
use crate::rate::OperationPoints;

/// The budget of the tenant for requests, in points. A request costs ten points, and one for each field of its answer,
/// as the sizes of its lists foresee it. The budget grows back evenly within a minute.
#[derive(SimpleObject)]
#[graphql(name = "RateLimit")]
pub(crate) struct RateLimitNode {
    /// The points of a minute.
    limit: Long,
    /// The points that are left, this operation subtracted.
    remaining: Long,
    /// The time when all points are back.
    reset_at: DateTime<Utc>,
    /// The points that this operation costs.
    cost: Long,
}

/// The state of the budget of the caller's tenant; `None` where there is no limit.
pub(super) fn rate_limit(context: &Context<'_>) -> Option<RateLimitNode> {
    let op = operation(context);
    let standing = op.services().rate_state(op.caller().tenant)?;
    let cost = context.data_opt::<OperationPoints>()?;
    let points = |count: u64| Long(i64::try_from(count).unwrap_or(i64::MAX));
    Some(RateLimitNode {
        limit: points(standing.limit),
        remaining: points(standing.remaining),
        reset_at: standing.reset_at,
        cost: points(cost.0),
    })
}
