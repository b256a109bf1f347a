//! Mutations of projects and their sources.

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
    /// Creates a project. If the slug is omitted, it is derived from the name.
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

    /// Changes a project.
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

    /// Adds a repository to a project as a source.
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
            .change(async |scoped| source_add(scoped, &op.services().source_policy, new).await)
            .await?;
        Ok(AddSourcePayload {
            source: SourceNode(source),
        })
    }

    /// Changes a source. The next sync then compares all files. If the new address has another scheme, host or port,
    /// the source's credential is deleted.
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
                source_update(scoped, &op.services().source_policy, id, changes).await
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

/// Maps null to a blank text, which the domain reads as "remove".
fn blank_where_null(value: MaybeUndefined<String>) -> Option<String> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(text) => Some(text),
    }
}

/// The project to create.
#[derive(InputObject)]
struct CreateProjectInput {
    /// The name, 1 to 200 characters.
    name: String,
    /// The slug: lower-case letters, digits and hyphens. If omitted, it is derived from the name.
    slug: Option<String>,
    /// The description.
    description: Option<String>,
}

/// The created project.
#[derive(SimpleObject)]
struct CreateProjectPayload {
    /// The project.
    project: ProjectNode,
}

/// The changes to a project. Omitted fields stay unchanged.
#[derive(InputObject)]
struct UpdateProjectInput {
    /// The id of the project.
    project_id: ID,
    /// The name, 1 to 200 characters.
    name: Option<String>,
    /// The slug: lower-case letters, digits and hyphens.
    slug: Option<String>,
    /// The description. Null removes it.
    description: MaybeUndefined<String>,
}

/// The changed project.
#[derive(SimpleObject)]
struct UpdateProjectPayload {
    /// The project.
    project: ProjectNode,
}

/// The project to delete.
#[derive(InputObject)]
struct DeleteProjectInput {
    /// The id of the project.
    project_id: ID,
}

/// The deleted project.
#[derive(SimpleObject)]
struct DeleteProjectPayload {
    /// The id of the deleted project.
    deleted_id: ID,
}

/// The source to add.
#[derive(InputObject)]
struct AddSourceInput {
    /// The id of the project.
    project_id: ID,
    /// The address: `https://host/path`, `ssh://user@host/path`, or a path if the operator allows it.
    url: String,
    /// The branch. Defaults to the default branch of the repository.
    branch: Option<String>,
    /// The folder to scan. "" and "/" mean the root.
    #[graphql(default)]
    scan_path: String,
}

/// The added source.
#[derive(SimpleObject)]
struct AddSourcePayload {
    /// The source.
    source: SourceNode,
}

/// The changes to a source. Omitted fields stay unchanged.
#[derive(InputObject)]
struct UpdateSourceInput {
    /// The id of the source.
    source_id: ID,
    /// The address, as in AddSourceInput.
    url: Option<String>,
    /// The branch. Null means the default branch of the repository.
    branch: MaybeUndefined<String>,
    /// The folder to scan, as in AddSourceInput.
    scan_path: Option<String>,
}

/// The changed source.
#[derive(SimpleObject)]
struct UpdateSourcePayload {
    /// The source.
    source: SourceNode,
}

/// The source to remove.
#[derive(InputObject)]
struct RemoveSourceInput {
    /// The id of the source.
    source_id: ID,
}

/// The removed source.
#[derive(SimpleObject)]
struct RemoveSourcePayload {
    /// The id of the removed source.
    deleted_id: ID,
}
