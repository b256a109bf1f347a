//! Blog posts of a project.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_projects::{BlogPost, BlogPostStatus};

use super::ids::global_id;
use super::mirror::mirror;
use super::project::ProjectNode;
use super::viewer::UserNode;
use crate::context::operation;

mirror! {
    /// The status of a post.
    pub(crate) enum BlogPostStatusName = "BlogPostStatus" {
        /// A draft.
        Draft,
        /// Published.
        Published,
    }
}

/// A blog post of a project.
pub(crate) struct BlogPostNode(pub BlogPost);

#[Object(name = "BlogPost")]
impl BlogPostNode {
    /// The id of the post.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The project of the post.
    async fn project(&self, context: &Context<'_>) -> Result<ProjectNode> {
        let project = operation(context)
            .loaders()
            .projects()
            .load_one(self.0.project_id)
            .await?;
        Ok(ProjectNode(
            project.ok_or(nyxcore_tenancy::Error::NotFound("project"))?,
        ))
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The text, in Markdown.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// The status.
    async fn status(&self) -> BlogPostStatusName {
        self.0.status.into()
    }

    /// The file from which the post was imported: the id of the source, a colon and the path.
    async fn source_ref(&self) -> Option<&str> {
        self.0.source_ref.as_deref()
    }

    /// The author. Null when the user no longer belongs to the tenant.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.created_by).await
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time of the last change.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The time of publication.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.0.published_at
    }
}
