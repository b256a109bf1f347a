//! The subscription root. Subscriptions only read: they replay a run's log, then follow it, and end with the run.

use async_graphql::{Context, ID, Result, Subscription};
use futures::{Stream, StreamExt};
use nyxcore_projects::ProjectId;
use nyxcore_runs::{RunEvent, RunId, activity_follow, run_follow};
use nyxcore_tenancy::{Error, TypedId};

use super::ids::id_of;
use super::run::{RunKindName, RunNode};
use super::run_event::RunEventNode;
use crate::context::operation;

/// What can be watched.
pub struct Subscription;

#[Subscription]
impl Subscription {
    /// A run's events after a number: first those that were, then those that come. Ends with the run.
    async fn run_events<'c>(
        &self,
        context: &Context<'c>,
        run_id: ID,
        #[graphql(default = 0)] after: i64,
    ) -> Result<impl Stream<Item = Result<RunEventNode>> + use<'c>> {
        let op = operation(context);
        let id = id_of::<RunId>(&run_id)?;
        let run = op.loaders().runs.load_one(id).await?;
        if run.and_then(RunNode::new).is_none() {
            return Err(Error::NotFound("run").into());
        }
        let events = run_follow(op.store(), op.caller().tenant, id, after);
        Ok(told(context, events))
    }

    /// Every run of a project, from now on.
    async fn project_activity<'c>(
        &self,
        context: &Context<'c>,
        project_id: ID,
    ) -> Result<impl Stream<Item = Result<RunEventNode>> + use<'c>> {
        let op = operation(context);
        let id = id_of::<ProjectId>(&project_id)?;
        if op.loaders().projects.load_one(id).await?.is_none() {
            return Err(Error::NotFound("project").into());
        }
        let events = activity_follow(
            op.store(),
            op.caller().tenant,
            Some(id.uuid()),
            RunKindName::kinds(&[]),
        );
        Ok(told(context, events))
    }

    /// Every run of the tenant, from now on.
    async fn tenant_activity<'c>(
        &self,
        context: &Context<'c>,
    ) -> Result<impl Stream<Item = Result<RunEventNode>> + use<'c>> {
        let op = operation(context);
        let events = activity_follow(
            op.store(),
            op.caller().tenant,
            None,
            RunKindName::kinds(&[]),
        );
        Ok(told(context, events))
    }
}

/// Events as the schema has them. The snapshot that an event's fields were read from is let go before the next is waited for.
fn told<'c, S>(
    context: &Context<'c>,
    events: S,
) -> impl Stream<Item = Result<RunEventNode>> + use<'c, S>
where
    S: Stream<Item = nyxcore_tenancy::Result<RunEvent>>,
{
    let op = operation(context);
    async_stream::stream! {
        op.release().await;
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            yield event.map(RunEventNode::from).map_err(Into::into);
            op.release().await;
        }
    }
}
