//! Records refused and failed mutations in the audit log. A successful mutation is recorded in its own transaction.

use async_graphql::ServerError;
use async_graphql::extensions::{ExtensionContext, ResolveInfo};
use nyxcore_tenancy::audit::audit_failed;

use crate::context::Operation;
use crate::error::error_code_of;

/// The name of the field if it is a mutation.
pub(crate) fn mutation_of(info: &ResolveInfo<'_>) -> Option<String> {
    let is_mutation = info.path_node.parent.is_none() && info.parent_type == "Mutation";
    is_mutation.then(|| info.name.to_owned())
}

/// Records the failure of a mutation.
pub(crate) async fn failure_record(
    context: &ExtensionContext<'_>,
    mutation: &str,
    error: &ServerError,
) {
    let Some(operation) = context.data_opt::<Operation>() else {
        return;
    };
    let code = error_code_of(error);
    let written = audit_failed(operation.store(), operation.acting(), mutation, code).await;
    if let Err(error) = written {
        tracing::error!(?error, "the audit log could not be written");
    }
}
