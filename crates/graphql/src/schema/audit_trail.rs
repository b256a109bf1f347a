//! Records refused and failed mutations in the audit log.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo,
};
use async_graphql::{ServerResult, Value};
use nyxcore_tenancy::audit::audit_failed;

use crate::context::Operation;
use crate::error::error_code_of;

/// Records the mutations that did not succeed. A successful mutation is recorded in its own transaction.
pub struct AuditTrail;

impl ExtensionFactory for AuditTrail {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for AuditTrail {
    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let is_mutation = info.path_node.parent.is_none() && info.parent_type == "Mutation";
        let field = is_mutation.then(|| info.name.to_owned());
        let answer = next.run(context, info).await;
        if let (Some(field), Err(error)) = (field, &answer)
            && let Some(operation) = context.data_opt::<Operation>()
        {
            let code = error_code_of(error);
            let written = audit_failed(operation.store(), operation.acting(), &field, code).await;
            if let Err(error) = written {
                tracing::error!(?error, "the audit log could not be written");
            }
        }
        answer
    }
}
