//! Projects and their sources.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use nyxcore_projects::{
    NewProject, NewSource, ProjectChanges, ProjectId, SourceChanges, SourceId, project_create,
    project_update,
};
use nyxcore_sync::{project_delete, source_add, source_remove, source_update};

use crate::context::operation;
use crate::schema::ids::id_of;
use crate::schema::project::ProjectNode;
use crate::schema::source::SourceNode;

#[derive(Default)]
pub(crate) struct ProjectMutation;

#[Object]
impl ProjectMutation {
    /// Makes a project. Without a slug it gets one from its name.
    async fn create_project(
        &self,
        context: &Context<'_>,
        input: CreateProjectInput,
    ) -> Result<CreateProjectPayload> {
        let op = operation(context);
        let new = NewProject {
            name: input.name,
            slug: input.slug,
            description: input.description,
            created_by: Some(op.caller().user),
        };
        let project = op
            .change(async |scoped| project_create(scoped, new).await)
            .await?;
        Ok(CreateProjectPayload {
            project: ProjectNode(project),
        })
    }

    /// Changes what is given of a project.
    async fn update_project(
        &self,
        context: &Context<'_>,
        input: UpdateProjectInput,
    ) -> Result<UpdateProjectPayload> {
        let id = id_of::<ProjectId>(&input.project_id)?;
        let changes = ProjectChanges {
            name: input.name,
            slug: input.slug,
            description: blank_where_null(input.description),
        };
        let project = operation(context)
            .change(async |scoped| project_update(scoped, id, changes).await)
            .await?;
        Ok(UpdateProjectPayload {
            project: ProjectNode(project),
        })
    }

    /// Deletes a project with everything in it. For owners and admins.
    async fn delete_project(
        &self,
        context: &Context<'_>,
        input: DeleteProjectInput,
    ) -> Result<DeleteProjectPayload> {
        let id = id_of::<ProjectId>(&input.project_id)?;
        operation(context)
            .change(async |scoped| project_delete(scoped, id).await)
            .await?;
        Ok(DeleteProjectPayload {
            deleted_id: input.project_id,
        })
    }

    /// Adds a repository to a project.
    async fn add_source(
        &self,
        context: &Context<'_>,
        input: AddSourceInput,
    ) -> Result<AddSourcePayload> {
        let op = operation(context);
        let new = NewSource {
            project_id: id_of::<ProjectId>(&input.project_id)?,
            url: input.url,
            branch: input.branch,
            scan_path: input.scan_path,
        };
        let source = op
            .change(async |scoped| source_add(scoped, op.gateway().source_policy(), new).await)
            .await?;
        Ok(AddSourcePayload {
            source: SourceNode(source),
        })
    }

    /// Changes what is given of a source. The next sync then compares everything. Where the address leads to another host, port or scheme,
    /// the source's credential is forgotten.
    async fn update_source(
        &self,
        context: &Context<'_>,
        input: UpdateSourceInput,
    ) -> Result<UpdateSourcePayload> {
        let op = operation(context);
        let id = id_of::<SourceId>(&input.source_id)?;
        let changes = SourceChanges {
            url: input.url,
            branch: blank_where_null(input.branch),
            scan_path: input.scan_path,
        };
        let source = op
            .change(async |scoped| {
                source_update(scoped, op.gateway().source_policy(), id, changes).await
            })
            .await?;
        Ok(UpdateSourcePayload {
            source: SourceNode(source),
        })
    }

    /// Removes a source with its files.
    async fn remove_source(
        &self,
        context: &Context<'_>,
        input: RemoveSourceInput,
    ) -> Result<RemoveSourcePayload> {
        let id = id_of::<SourceId>(&input.source_id)?;
        operation(context)
            .change(async |scoped| source_remove(scoped, id).await)
            .await?;
        Ok(RemoveSourcePayload {
            deleted_id: input.source_id,
        })
    }
}

/// The domain removes what is set to a blank text; the API says that with null.
fn blank_where_null(value: MaybeUndefined<String>) -> Option<String> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(text) => Some(text),
    }
}

/// A project to make.
#[derive(InputObject)]
struct CreateProjectInput {
    /// 1 to 200 characters.
    name: String,
    /// Lower-case letters, digits and hyphens; made from the name where it is not given.
    slug: Option<String>,
    /// What it is about.
    description: Option<String>,
}

/// The project that was made.
#[derive(SimpleObject)]
struct CreateProjectPayload {
    /// The project.
    project: ProjectNode,
}

/// What to change of a project; what is not given stays.
#[derive(InputObject)]
struct UpdateProjectInput {
    /// Which.
    project_id: ID,
    /// 1 to 200 characters.
    name: Option<String>,
    /// Lower-case letters, digits and hyphens.
    slug: Option<String>,
    /// Null removes it.
    description: MaybeUndefined<String>,
}

/// The project as it is now.
#[derive(SimpleObject)]
struct UpdateProjectPayload {
    /// The project.
    project: ProjectNode,
}

/// The project to delete.
#[derive(InputObject)]
struct DeleteProjectInput {
    /// Which.
    project_id: ID,
}

/// What was deleted.
#[derive(SimpleObject)]
struct DeleteProjectPayload {
    /// Its id.
    deleted_id: ID,
}

/// A repository to add.
#[derive(InputObject)]
struct AddSourceInput {
    /// The project it is for.
    project_id: ID,
    /// `https://host/path`, `ssh://user@host/path`, or a path where the operator allows it.
    url: String,
    /// The branch; the repository's own default where it is not given.
    branch: Option<String>,
    /// The folder to look at; "" and "/" are the root.
    #[graphql(default)]
    scan_path: String,
}

/// The source that was added.
#[derive(SimpleObject)]
struct AddSourcePayload {
    /// The source.
    source: SourceNode,
}

/// What to change of a source; what is not given stays.
#[derive(InputObject)]
struct UpdateSourceInput {
    /// Which.
    source_id: ID,
    /// As in AddSourceInput.
    url: Option<String>,
    /// Null is the repository's own default.
    branch: MaybeUndefined<String>,
    /// As in AddSourceInput.
    scan_path: Option<String>,
}

/// The source as it is now.
#[derive(SimpleObject)]
struct UpdateSourcePayload {
    /// The source.
    source: SourceNode,
}

/// The source to remove.
#[derive(InputObject)]
struct RemoveSourceInput {
    /// Which.
    source_id: ID,
}

/// What was removed.
#[derive(SimpleObject)]
struct RemoveSourcePayload {
    /// Its id.
    deleted_id: ID,
}
