//! The schema as this server executes it: with metrics, limits and stable error codes.

use nyxcore_graphql::error::ErrorCodes;
use nyxcore_graphql::{AuditTrail, NyxSchema, Operations, schema_builder};

use crate::gateway::Gateway;
use crate::limits::QueryGuard;
use crate::metrics::OperationObserver;

/// Builds the schema of a gateway, with its limits.
pub fn schema_build(gateway: &Gateway) -> NyxSchema {
    let observed = OperationObserver::new(gateway.metrics().cloned(), gateway.slow_after());
    // The first extension is the outermost. So it sees the error codes of the answers of all others.
    schema_builder()
        .extension(observed)
        .extension(ErrorCodes)
        .extension(QueryGuard::new(gateway.limits()))
        .extension(Operations)
        .extension(AuditTrail)
        .finish()
}
