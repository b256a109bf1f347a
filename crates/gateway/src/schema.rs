//! The schema as this server executes it: with metrics, limits and stable error codes.

use std::sync::Arc;

use nyxcore_graphql::{NyxSchema, schema_builder};

use crate::extension::GatewayExtension;
use crate::gateway::Gateway;

/// Builds the schema of a gateway, with its limits.
pub fn schema_build(gateway: &Gateway) -> NyxSchema {
    let extension = GatewayExtension {
        documents: Arc::clone(gateway.documents()),
        metrics: gateway.metrics().cloned(),
        slow_after: gateway.slow_after(),
    };
    schema_builder().extension(extension).finish()
}
