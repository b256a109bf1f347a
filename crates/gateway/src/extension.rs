//! The extension of the schema: metrics, limits, and the work that the schema itself needs around each operation.
//!
//! It is a single one, because async-graphql calls every extension for every field, with an allocation each.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextPrepareRequest,
    NextRequest, NextResolve, NextSubscribe, ResolveInfo,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, ServerResult, Value, Variables};
use futures::StreamExt;
use futures::stream::BoxStream;
use nyxcore_graphql::Operations;
use nyxcore_graphql::error::error_codes_add;

#[cfg(test)]
use crate::limits::Limits;
use crate::limits::{Documents, QueryGuard};
use crate::metrics::{Metrics, RequestObserver};

/// Creates the extension of each request.
pub(crate) struct GatewayExtension {
    /// The checks of a request's document, and the limits.
    pub documents: Arc<Documents>,
    /// The metrics, if operations are counted.
    pub metrics: Option<Metrics>,
    /// Operations that take longer are logged.
    pub slow_after: Duration,
}

impl GatewayExtension {
    /// The limits alone, without metrics.
    #[cfg(test)]
    pub(crate) fn of_limits(limits: &Limits) -> Self {
        Self {
            documents: Arc::new(Documents::new(&Arc::new(limits.clone()))),
            metrics: None,
            slow_after: Duration::MAX,
        }
    }
}

impl ExtensionFactory for GatewayExtension {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(RequestExtension {
            observer: RequestObserver::new(self.metrics.clone(), self.slow_after),
            guard: QueryGuard::new(&self.documents),
        })
    }
}

/// The extension of one request.
struct RequestExtension {
    observer: RequestObserver,
    guard: QueryGuard,
}

#[async_graphql::async_trait::async_trait]
impl Extension for RequestExtension {
    async fn request(&self, context: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        // The observer sees the errors with their codes.
        let answer = async {
            let mut response = next.run(context).await;
            error_codes_add(&mut response);
            response
        };
        self.observer.request(answer).await
    }

    fn subscribe<'s>(
        &self,
        context: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let stream = next.run(context, stream).map(|mut response| {
            error_codes_add(&mut response);
            response
        });
        self.observer.subscribe(Box::pin(stream))
    }

    async fn prepare_request(
        &self,
        context: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        self.observer.request_read(context, &request);
        self.guard.prepare(context, &mut request)?;
        let request = next.run(context, request).await?;
        Ok(Operations::prepared(context, request))
    }

    async fn parse_query(
        &self,
        context: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(context, query, variables).await?;
        self.observer.document_read(context, query, &document);
        Ok(document)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let answer = Operations::executed(context, next.run(context, operation_name));
        let answer = self.guard.execute(context, answer);
        self.observer.execute(answer).await
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        self.guard.resolve(context, info, next).await
    }
}
