//! Creates, changes, publishes, imports and deletes posts.

use nyxcore_tenancy::{
    Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, UserId, text,
};
use sea_orm::{ActiveValue::Set, ColumnTrait};
use serde_json::json;

use super::blob::blob_content;
use super::file::code_subject;
use super::post_text::{PostText, is_markdown, post_text};
use crate::entity::{blog_post, source, source_file};
use crate::model::{BlogPost, BlogPostId, BlogPostStatus, ProjectId, SourceId};
use crate::registration::BLOG_POST;
use crate::repository::{BlogPosts, Projects};

/// A new post.
#[derive(Debug, Clone)]
pub struct NewBlogPost {
    /// The project it is about.
    pub project_id: ProjectId,
    /// 1 to 200 characters.
    pub title: String,
    /// Markdown, up to 200,000 characters; may be empty.
    pub body: String,
    /// The creating user.
    pub created_by: Option<UserId>,
}

/// The changes to a post; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in NewBlogPost")]
pub struct BlogPostChanges {
    pub title: Option<String>,
    pub body: Option<String>,
}

/// The file that is to become a post.
#[derive(Debug, Clone)]
pub struct BlogPostImport {
    /// The project, one of whose sources has the file.
    pub project_id: ProjectId,
    /// The source; needed only where several have a file of that path.
    pub source_id: Option<SourceId>,
    /// The file's path from the repository's root: Markdown, with the ending `.md` or `.markdown`.
    pub path: String,
    /// The importing user.
    pub created_by: Option<UserId>,
}

/// Creates a post as a draft.
///
/// # Errors
/// [`Error::NotFound`] for the project; [`Error::Invalid`] for an invalid text.
pub async fn blog_post_create(scoped: &Scoped<ReadWrite>, new: NewBlogPost) -> Result<BlogPost> {
    let id = BlogPostId(scoped.env().id());
    scoped.permit(Action::Create, BLOG_POST, id.uuid())?;
    let project = new.project_id;
    let row = draft(scoped, id, new, None)?;
    Projects::require(scoped, project).await?;
    BlogPosts::insert(scoped, row).await
}

/// Changes a post, published or not.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for an invalid text.
pub async fn blog_post_update(
    scoped: &Scoped<ReadWrite>,
    id: BlogPostId,
    changes: BlogPostChanges,
) -> Result<BlogPost> {
    scoped.permit(Action::Update, BLOG_POST, id.uuid())?;
    let mut row = blog_post::ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    if let Some(title) = changes.title {
        row.title = Set(title_check(&title)?);
    }
    if let Some(body) = changes.body {
        row.body = Set(body_check(&body)?);
    }
    BlogPosts::update(scoped, id, row).await
}

/// Deletes a post.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn blog_post_delete(scoped: &Scoped<ReadWrite>, id: BlogPostId) -> Result<()> {
    scoped.permit(Action::Delete, BLOG_POST, id.uuid())?;
    BlogPosts::delete(scoped, id).await
}

/// Publishes a post. Publishing it again keeps the time when it was first published.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn blog_post_publish(scoped: &Scoped<ReadWrite>, id: BlogPostId) -> Result<BlogPost> {
    status_set(scoped, id, BlogPostStatus::Published).await
}

/// Makes a published post a draft again.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn blog_post_unpublish(scoped: &Scoped<ReadWrite>, id: BlogPostId) -> Result<BlogPost> {
    status_set(scoped, id, BlogPostStatus::Draft).await
}

async fn status_set(
    scoped: &Scoped<ReadWrite>,
    id: BlogPostId,
    status: BlogPostStatus,
) -> Result<BlogPost> {
    scoped.permit(Action::Publish, BLOG_POST, id.uuid())?;
    scoped.audit_detail(json!({"status": status}));
    let post = BlogPosts::require(scoped, id).await?;
    if post.status == status {
        return Ok(post);
    }
    let now = scoped.env().now();
    let row = blog_post::ActiveModel {
        status: Set(status),
        published_at: Set((status == BlogPostStatus::Published).then_some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    BlogPosts::update(scoped, id, row).await
}

/// Imports a synced Markdown file as a post, or updates the post that was imported from it: title and text come from
/// the file, and the status stays. The title is that of the front matter, or else the first heading, or else the file
/// name.
///
/// # Errors
/// [`Error::NotFound`] for the project, the source or the file; [`Error::Invalid`] for a file that is not Markdown,
/// not text or too long, and if several sources have the path and none was given.
pub async fn blog_post_import(
    scoped: &Scoped<ReadWrite>,
    import: BlogPostImport,
) -> Result<BlogPost> {
    let id = BlogPostId(scoped.env().id());
    scoped.permit(Action::Import, BLOG_POST, id.uuid())?;
    let path = text::FILE_PATH.check("the path", &import.path)?;
    scoped.audit_detail(json!({"path": path}));
    Projects::require(scoped, import.project_id).await?;
    let path = path.trim_start_matches('/');
    if !is_markdown(path) {
        return Err(Error::Invalid(
            "only Markdown files (.md or .markdown) can be imported as posts".into(),
        ));
    }
    let (source, blob) = file_find(scoped, &import, path).await?;
    let text = blob_content(scoped, &blob)
        .await?
        .ok_or_else(|| Error::Invalid("the file is not text or is too large".into()))?;
    let PostText { title, body } = post_text(path, &text);
    let new = NewBlogPost {
        project_id: import.project_id,
        title,
        body,
        created_by: import.created_by,
    };
    let source_ref = code_subject(source, path);
    let row = draft(scoped, id, new, Some(source_ref.clone()))?;
    // It is one statement, so that two concurrent imports of the same file create one post.
    scoped
        .upsert_all(
            vec![row],
            &[blog_post::Column::ProjectId, blog_post::Column::SourceRef],
            &[
                blog_post::Column::Title,
                blog_post::Column::Body,
                blog_post::Column::UpdatedAt,
            ],
        )
        .await?;
    let post = scoped
        .find::<blog_post::Entity>()
        .filter(blog_post::Column::ProjectId.eq(import.project_id))
        .filter(blog_post::Column::SourceRef.eq(source_ref))
        .one()
        .await?
        .map(BlogPost::from)
        .ok_or(Error::NotFound(BlogPostId::PREFIX))?;
    scoped.audit_subject(post.id.uuid());
    Ok(post)
}

/// The file of that path in the given source, or in the only one that has it, with its Git blob id.
async fn file_find(
    scoped: &Scoped<ReadWrite>,
    import: &BlogPostImport,
    path: &str,
) -> Result<(SourceId, String)> {
    let mut sources = scoped
        .find::<source::Entity>()
        .filter(source::Column::ProjectId.eq(import.project_id));
    if let Some(source) = import.source_id {
        sources = sources.filter(source::Column::Id.eq(source));
    }
    let sources: Vec<(SourceId,)> = sources.columns([source::Column::Id]).await?;
    if import.source_id.is_some() && sources.is_empty() {
        return Err(Error::NotFound(SourceId::PREFIX));
    }
    let found: Vec<(SourceId, String)> = scoped
        .find::<source_file::Entity>()
        .filter(source_file::Column::SourceId.is_in(sources.into_iter().map(|(id,)| id)))
        .filter(source_file::Column::Path.eq(path))
        .limit(2)
        .columns([source_file::Column::SourceId, source_file::Column::Blob])
        .await?;
    match <[_; 1]>::try_from(found) {
        Ok([file]) => Ok(file),
        Err(none) if none.is_empty() => Err(Error::NotFound("file")),
        Err(_) => Err(Error::Invalid(
            "several sources of the project have a file with this path: give the source".into(),
        )),
    }
}

fn draft(
    scoped: &Scoped<ReadWrite>,
    id: BlogPostId,
    new: NewBlogPost,
    source_ref: Option<String>,
) -> Result<blog_post::ActiveModel> {
    let now = scoped.env().now();
    Ok(blog_post::ActiveModel {
        id: Set(id),
        project_id: Set(new.project_id),
        title: Set(title_check(&new.title)?),
        body: Set(body_check(&new.body)?),
        status: Set(BlogPostStatus::Draft),
        source_ref: Set(source_ref),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        published_at: Set(None),
        ..Default::default()
    })
}

fn title_check(title: &str) -> Result<String> {
    text::name("the post's title", title)
}

fn body_check(body: &str) -> Result<String> {
    text::body("the post's text", body)
}
