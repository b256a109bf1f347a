//! The subscription root. Subscriptions are read-only. They replay the log of a run, follow it, and end with the run.

use async_graphql::{Context, ID, Result, Subscription};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use nyxcore_projects::{ProjectId, Projects};
use nyxcore_runs::{RunEvent, RunId, Runs, activity_follow, run_follow};
use nyxcore_tenancy::{Error, Repository, TypedId};

use super::ids::id_of;
use super::run::{RunKindName, RunNode};
use super::run_event::RunEventNode;
use crate::context::operation;

/// The subscriptions.
pub struct Subscription;

#[Subscription]
impl Subscription {
    /// Streams the events of a run with a number above `after`: first the past events, then new ones. Ends with the
    /// run.
    async fn run_events<'c>(
        &self,
        context: &Context<'c>,
        run_id: ID,
        #[graphql(default = 0)] after: i64,
    ) -> Result<Events<'c>> {
        let op = operation(context);
        let id = id_of::<RunId>(&run_id)?;
        let run = Box::pin(async { Runs::get(&*op.read().await?, id).await });
        if run.await?.and_then(RunNode::new).is_none() {
            return Err(Error::NotFound("run").into());
        }
        let events = run_follow(op.store(), op.caller().tenant, id, after);
        Ok(told(context, events))
    }

    /// Streams the events of all runs of a project, starting now.
    async fn project_activity<'c>(
        &self,
        context: &Context<'c>,
        project_id: ID,
    ) -> Result<Events<'c>> {
        let op = operation(context);
        let id = id_of::<ProjectId>(&project_id)?;
        let project = Box::pin(async { Projects::require(&*op.read().await?, id).await });
        project.await?;
        let events = activity_follow(
            op.store(),
            op.caller().tenant,
            Some(id.uuid()),
            RunKindName::kinds(&[]),
        );
        Ok(told(context, events))
    }

    /// Streams the events of all runs of the tenant, starting now.
    async fn tenant_activity<'c>(&self, context: &Context<'c>) -> Result<Events<'c>> {
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

/// The stream of a field. It is boxed, as are the reads before it: otherwise every open subscription would hold the
/// memory for the largest of them.
type Events<'c> = BoxStream<'c, Result<RunEventNode>>;

/// Maps events to the schema. The snapshot from which an event's fields were read is released before the next event is
/// awaited.
fn told<'c, S>(context: &Context<'c>, events: S) -> Events<'c>
where
    S: Stream<Item = nyxcore_tenancy::Result<RunEvent>> + Send + 'c,
{
    let op = operation(context);
    let mut events = events.boxed();
    let stream = async_stream::stream! {
        op.release().await;
        while let Some(event) = events.next().await {
            yield event.map(RunEventNode::from).map_err(Into::into);
            op.release().await;
        }
    };
    stream.boxed()
}
