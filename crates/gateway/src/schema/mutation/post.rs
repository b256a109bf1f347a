//! Posts.

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
    /// Writes a post, which is a draft.
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

    /// Changes what is given of a post.
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

    /// Publishes a post. Twice is once.
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

    /// Makes a published post a draft again. Twice is once.
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

    /// Makes a post of a Markdown file of one of the project's sources, or brings the post that was made of it up to date.
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

/// A post to write.
#[derive(InputObject)]
struct CreateBlogPostInput {
    /// The project it is about.
    project_id: ID,
    /// 1 to 200 characters on one line.
    title: String,
    /// Markdown, up to 200,000 characters.
    body: String,
}

/// The post that was written.
#[derive(SimpleObject)]
struct CreateBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// What of a post is to change.
#[derive(InputObject)]
struct UpdateBlogPostInput {
    /// Which.
    blog_post_id: ID,
    /// The new title.
    title: Option<String>,
    /// The new text.
    body: Option<String>,
}

/// The post as it is now.
#[derive(SimpleObject)]
struct UpdateBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// The post to delete.
#[derive(InputObject)]
struct DeleteBlogPostInput {
    /// Which.
    blog_post_id: ID,
}

/// What was deleted.
#[derive(SimpleObject)]
struct DeleteBlogPostPayload {
    /// The id it had.
    deleted_id: ID,
}

/// The post to publish.
#[derive(InputObject)]
struct PublishBlogPostInput {
    /// Which.
    blog_post_id: ID,
}

/// The post as it is now.
#[derive(SimpleObject)]
struct PublishBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// The post to make a draft.
#[derive(InputObject)]
struct UnpublishBlogPostInput {
    /// Which.
    blog_post_id: ID,
}

/// The post as it is now.
#[derive(SimpleObject)]
struct UnpublishBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}

/// The file to import.
#[derive(InputObject)]
struct ImportBlogPostInput {
    /// The project, one of whose sources has the file.
    project_id: ID,
    /// The source; needed only where several have a file of that path.
    source_id: Option<ID>,
    /// The file's path from the repository's root. Its front matter or first heading gives the title.
    path: String,
}

/// The post that was made or changed.
#[derive(SimpleObject)]
struct ImportBlogPostPayload {
    /// The post.
    blog_post: BlogPostNode,
}
