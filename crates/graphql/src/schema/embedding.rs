//! The run that embeds the texts of the search index.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_projects::ProjectId;
use nyxcore_runs::{Run, RunEvents};
use nyxcore_tenancy::{Cursor, TypedId};

use super::connection::child_first;
use super::ids::global_id;
use super::project::ProjectNode;
use super::run::{
    EVENTS_MAX, RunErrorNode, RunKindName, RunProgressNode, RunStatusName, run_object,
};
use super::run_attempt::RunAttemptNode;
use super::run_event::RunEventNode;
use super::viewer::UserNode;
use crate::context::operation;

/// A run that embeds the texts of the tenant's search index by the default model for embeddings.
pub(crate) struct EmbeddingNode(pub Run);

run_object! {
    #[Object(name = "Embedding")]
    EmbeddingNode: Embedding {}
}
