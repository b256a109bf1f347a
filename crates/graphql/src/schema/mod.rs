//! The GraphQL schema. Each module covers one subject as a thin layer over its domain crate.

mod audit;
pub(crate) mod audit_trail;
mod budget;
mod catalog;
mod code;
mod code_analysis;
mod connection;
mod consolidation;
mod embedding;
mod enrichment;
mod findings;
mod git_connection;
mod ids;
mod invitation;
mod knowledge;
mod long;
mod mirror;
mod model;
mod mutation;
mod node;
mod note;
mod persona;
mod post;
mod preview;
mod project;
mod query;
mod rate_limit;
mod run;
mod run_attempt;
mod run_event;
mod search;
mod source;
mod subscription;
mod template;
mod usage;
mod viewer;

use async_graphql::{Context, Result, Schema, SchemaBuilder};
use nyxcore_tenancy::UserId;

use crate::context::operation;

pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

/// The schema type.
pub type NyxSchema = Schema<Query, Mutation, Subscription>;

/// The schema in the GraphQL schema definition language, sorted, as stored in `schema.graphql`.
pub fn schema_sdl() -> String {
    let options = async_graphql::SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items();
    schema_builder().finish().sdl_with_options(options)
}

/// The builder of the schema's types. The caller adds [`Operations`](crate::Operations), which the fields need, or an
/// extension that calls its functions, and finishes it.
pub fn schema_builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query, Mutation::default(), Subscription)
        .register_output_type::<node::NodeRef>()
        .register_output_type::<run::RunNode>()
        .register_output_type::<run_event::RunEventNode>()
}

/// The user who created an object. None when the user no longer belongs to the tenant.
async fn created_by(
    context: &Context<'_>,
    user: Option<UserId>,
) -> Result<Option<viewer::UserNode>> {
    let Some(id) = user else {
        return Ok(None);
    };
    let user = operation(context).loaders().users().load_one(id).await?;
    Ok(user.map(viewer::UserNode))
}
