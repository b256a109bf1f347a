//! Mutations of blog posts.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use nyxcore_projects::{
    BlogPostChanges, BlogPostId, BlogPostImport, NewBlogPost, ProjectId, SourceId,
    blog_post_create, blog_post_delete, blog_post_import, blog_post_publish, blog_post_unpublish,
    blog_post_update,
};

use crate::context::operation;
use crate::schema::ids::{id_of, id_of_option};
use crate::schema::post::BlogPostNode;

#[derive(Default)]
pub(crate) struct BlogPostMutation;

#[Object]
impl BlogPostMutation {
    /// Creates a post as a draft.
    async fn create_blog_post(
        &self,
        context: &Context<'_>,
        input: CreateBlogPostInput,
    ) -> Result<CreateBlogPostPayload> {
        let op = operation(context);
        let new = NewBlogPost {
            project_id: id_of::<ProjectId>(&input.project_id)?,
            title: input.title,
            body: input.body,
            created_by: Some(op.caller().user),
        };
        let post = op
            .change(async |scoped| blog_post_create(scoped, new).await)
            .await?;
        Ok(CreateBlogPostPayload {
            blog_post: BlogPostNode(post),
        })
    }

    /// Changes a post.
    async fn update_blog_post(
        &self,
        context: &Context<'_>,
        input: UpdateBlogPostInput,
    ) -> Result<UpdateBlogPostPayload> {
        let id = id_of::<BlogPostId>(&input.blog_post_id)?;
        let changes = BlogPostChanges {
            title: input.title,
            body: input.body,
        };
        let post = operation(context)
            .change(async |scoped| blog_post_update(scoped, id, changes).await)
            .await?;
        Ok(UpdateBlogPostPayload {
            blog_post: BlogPostNode(post),
        })
    }

    /// Deletes a post.
    async fn delete_blog_post(
        &self,
        context: &Context<'_>,
        input: DeleteBlogPostInput,
    ) -> Result<DeleteBlogPostPayload> {
        let id = id_of::<BlogPostId>(&input.blog_post_id)?;
        operation(context)
            .change(async |scoped| blog_post_delete(scoped, id).await)
            .await?;
        Ok(DeleteBlogPostPayload {
            deleted_id: input.blog_post_id,
        })
    }

    /// Publishes a post. Has no effect if it is already published.
    async fn publish_blog_post(
        &self,
        context: &Context<'_>,
        input: PublishBlogPostInput,
    ) -> Result<PublishBlogPostPayload> {
        let id = id_of::<BlogPostId>(&input.blog_post_id)?;
        let post = operation(context)
            .change(async |scoped| blog_post_publish(scoped, id).await)
            .await?;
        Ok(PublishBlogPostPayload {
            blog_post: BlogPostNode(post),
        })
    }

    /// Makes a published post a draft again. Has no effect on a draft.
    async fn unpublish_blog_post(
        &self,
        context: &Context<'_>,
        input: UnpublishBlogPostInput,
    ) -> Result<UnpublishBlogPostPayload> {
        let id = id_of::<BlogPostId>(&input.blog_post_id)?;
        let post = operation(context)
            .change(async |scoped| blog_post_unpublish(scoped, id).await)
            .await?;
        Ok(UnpublishBlogPostPayload {
            blog_post: BlogPostNode(post),
        })
    }

    /// Imports a Markdown file of one of the project's sources as a post, or updates the post that was imported from
    /// it.
    async fn import_blog_post(
        &self,
        context: &Context<'_>,
        input: ImportBlogPostInput,
    ) -> Result<ImportBlogPostPayload> {
        let op = operation(context);
        let import = BlogPostImport {
            project_id: id_of::<ProjectId>(&input.project_id)?,
            source_id: id_of_option::<SourceId>(input.source_id.as_ref())?,
            path: input.path,
            created_by: Some(op.caller().user),
        };
        let post = op
            .change(async |scoped| blog_post_import(scoped, import).await)
            .await?;
        Ok(ImportBlogPostPayload {
            blog_post: BlogPostNode(post),
        })
    }
}

/// The post to create.
#[derive(InputObject)]
struct CreateBlogPostInput {
    /// The id of the project.
    project_id: ID,
    /// The title, 1 to 200 characters on one line.
    title: String,
    /// The text, in Markdown, up to 200,000 characters.
    body: String,
}

/// The created post.
#[derive(SimpleObject)]
struct CreateBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// The changes to a post. Omitted fields stay unchanged.
#[derive(InputObject)]
struct UpdateBlogPostInput {
    /// The id of the post.
    blog_post_id: ID,
    /// The title.
    title: Option<String>,
    /// The text.
    body: Option<String>,
}

/// The changed post.
#[derive(SimpleObject)]
struct UpdateBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// The post to delete.
#[derive(InputObject)]
struct DeleteBlogPostInput {
    /// The id of the post.
    blog_post_id: ID,
}

/// The deleted post.
#[derive(SimpleObject)]
struct DeleteBlogPostPayload {
    /// The id of the deleted post.
    deleted_id: ID,
}

/// The post to publish.
#[derive(InputObject)]
struct PublishBlogPostInput {
    /// The id of the post.
    blog_post_id: ID,
}

/// The published post.
#[derive(SimpleObject)]
struct PublishBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// The post to unpublish.
#[derive(InputObject)]
struct UnpublishBlogPostInput {
    /// The id of the post.
    blog_post_id: ID,
}

/// The unpublished post.
#[derive(SimpleObject)]
struct UnpublishBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// The file to import.
#[derive(InputObject)]
struct ImportBlogPostInput {
    /// The id of the project.
    project_id: ID,
    /// The id of the source. Required only if several sources contain a file with that path.
    source_id: Option<ID>,
    /// The path of the file from the root of the repository. The title comes from its front matter or first heading.
    path: String,
}

/// The imported post.
#[derive(SimpleObject)]
struct ImportBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}
