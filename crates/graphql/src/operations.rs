//! The work around each operation: its snapshot and loaders, the codes of its errors, and the record of failed
//! mutations.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextRequest,
    NextResolve, NextSubscribe, ResolveInfo,
};
use async_graphql::{Request, Response, ServerResult, Value};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::context::{Operation, RequestContext};
use crate::error::error_codes_add;
use crate::loads::with_loads;
use crate::schema::audit_trail;

/// The extension that the schema needs. It gives each operation its snapshot and its loaders, also where many
/// operations share a WebSocket; it gives every error its code; and it records the mutations that did not succeed. A
/// request without a [`RequestContext`], neither its own nor its connection's, gets no snapshot, and its fields cannot
/// resolve.
///
/// async-graphql calls every extension for every field, with an allocation each. A server with an extension of its own
/// calls the functions of this type in it instead of adding another one.
pub struct Operations;

impl Operations {
    /// Adds the operation to a prepared request.
    #[must_use]
    pub fn prepared(context: &ExtensionContext<'_>, request: Request) -> Request {
        match RequestContext::of(context, &request).map(RequestContext::fresh) {
            Some(caller) => request.data(Operation::new(caller)),
            None => request,
        }
    }

    /// Executes the operation with its loaders.
    pub async fn executed(
        context: &ExtensionContext<'_>,
        fields: impl Future<Output = Response>,
    ) -> Response {
        match context.data_opt::<Operation>() {
            Some(operation) => with_loads(&operation.loads, fields).await,
            None => fields.await,
        }
    }

    /// Resolves a field, and records the failure of a mutation in the audit log.
    ///
    /// # Errors
    /// Those of the field.
    pub async fn resolved(
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let mutation = audit_trail::mutation_of(&info);
        let answer = next.run(context, info).await;
        if let (Some(mutation), Err(error)) = (mutation, &answer) {
            audit_trail::failure_record(context, &mutation, error).await;
        }
        answer
    }
}

impl ExtensionFactory for Operations {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Operations {
    async fn request(&self, context: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let mut response = next.run(context).await;
        error_codes_add(&mut response);
        response
    }

    fn subscribe<'s>(
        &self,
        context: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let stream = next.run(context, stream);
        Box::pin(stream.map(|mut response| {
            error_codes_add(&mut response);
            response
        }))
    }

    async fn prepare_request(
        &self,
        context: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let request = next.run(context, request).await?;
        Ok(Self::prepared(context, request))
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        Self::executed(context, next.run(context, operation_name)).await
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        Self::resolved(context, info, next).await
    }
}
