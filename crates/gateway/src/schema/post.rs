//! Posts: what a project publishes.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use nyxcore_projects::{BlogPost, BlogPostStatus};

use super::ids::global_id;
use super::project::ProjectNode;
use super::viewer::UserNode;
use crate::context::operation;

/// Whether a post is published.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "BlogPostStatus", remote = "BlogPostStatus")]
pub(crate) enum BlogPostStatusName {
    /// Being written.
    Draft,
    /// Published.
    Published,
}

/// Something that a project publishes.
pub(crate) struct BlogPostNode(pub BlogPost);

#[Object(name = "BlogPost")]
impl BlogPostNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The project it is about.
    async fn project(&self, context: &Context<'_>) -> Result<ProjectNode> {
        let project = operation(context)
            .loaders()
            .projects
            .load_one(self.0.project_id)
            .await?;
        Ok(ProjectNode(
            project.ok_or(nyxcore_tenancy::Error::NotFound("project"))?,
        ))
    }

    /// Its title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its text, in Markdown.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// Whether it is published.
    async fn status(&self) -> BlogPostStatusName {
        self.0.status.into()
    }

    /// The file that it was imported from: the source's id, a colon and the path.
    async fn source_ref(&self) -> Option<&str> {
        self.0.source_ref.as_deref()
    }

    /// Who made it, while that person belongs to the tenant.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.created_by).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// Since when it is published.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.0.published_at
    }
}
