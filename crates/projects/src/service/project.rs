//! Creates, changes and deletes projects.

use nyxcore_tenancy::directory::{slug_check, slug_from};
use nyxcore_tenancy::{
    Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, UserId, text,
};
use sea_orm::{ActiveValue::Set, ColumnTrait};

use super::blob::{blobs_collect, blobs_of_sources};
use crate::check;
use crate::entity::{project, source};
use crate::model::{Project, ProjectId, SourceId};
use crate::registration::PROJECT;
use crate::repository::{Projects, project_by_slug};

/// The resource that a conflict names: another project has the slug.
const TAKEN: &str = "a project with this slug";
/// The longest slug. See [`slug_check`].
const SLUG_MAX: usize = text::SLUG.max;

/// A new project.
#[derive(Debug, Clone, Default)]
pub struct NewProject {
    /// 1 to 200 characters.
    pub name: String,
    /// Unique within the tenant; made from the name where it is not given.
    pub slug: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The creating user.
    pub created_by: Option<UserId>,
}

/// The changes to a project; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in NewProject")]
pub struct ProjectChanges {
    pub name: Option<String>,
    pub slug: Option<String>,
    /// A blank one is removed.
    pub description: Option<String>,
}

/// Creates a project. A slug that was not given is made from the name, with a number behind it where that slug is
/// taken.
///
/// # Errors
/// [`Error::Invalid`] for a name, slug or description out of bounds; [`Error::Conflict`] where the slug that was given
/// is taken.
pub async fn project_create(scoped: &Scoped<ReadWrite>, new: NewProject) -> Result<Project> {
    let id = ProjectId(scoped.env().id());
    scoped.permit(Action::Create, PROJECT, id.uuid())?;
    let now = scoped.env().now();
    let name = text::name("the project's name", &new.name)?;
    let row = |slug: String, description| project::ActiveModel {
        id: Set(id),
        slug: Set(slug),
        name: Set(name.clone()),
        description: Set(description),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let description = check::description(new.description.as_deref().unwrap_or_default())?;
    if let Some(slug) = new.slug {
        slug_check(&slug)?;
        return Projects::insert(scoped, row(slug, description))
            .await
            .map_err(|e| e.conflict_as(TAKEN));
    }
    let base = slug_from(&name);
    for n in 1..=1_000 {
        let slug = slug_numbered(&base, n);
        if project_by_slug(scoped, &slug).await?.is_some() {
            continue;
        }
        // Another transaction may take the slug between the check and the insert: then nothing is inserted, and the
        // next number is tried.
        let row = row(slug, description.clone());
        scoped
            .upsert_all(vec![row], &[project::Column::Slug], &[])
            .await?;
        if let Some(project) = Projects::get(scoped, id).await? {
            return Ok(project);
        }
    }
    Err(Error::Conflict(TAKEN))
}

/// Changes a project.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for an invalid text; [`Error::Conflict`] if the slug is taken.
pub async fn project_update(
    scoped: &Scoped<ReadWrite>,
    id: ProjectId,
    changes: ProjectChanges,
) -> Result<Project> {
    scoped.permit(Action::Update, PROJECT, id.uuid())?;
    let mut row = project::ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    if let Some(name) = changes.name {
        row.name = Set(text::name("the project's name", &name)?);
    }
    if let Some(slug) = changes.slug {
        slug_check(&slug)?;
        row.slug = Set(slug);
    }
    if let Some(description) = changes.description {
        row.description = Set(check::description(&description)?);
    }
    Projects::update(scoped, id, row)
        .await
        .map_err(|e| e.conflict_as(TAKEN))
}

/// Deletes a project with everything in it: sources and files, notes, runs, knowledge and search documents. Contents
/// without another file are deleted too.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn project_delete(scoped: &Scoped<ReadWrite>, id: ProjectId) -> Result<()> {
    scoped.permit(Action::Delete, PROJECT, id.uuid())?;
    let sources: Vec<SourceId> = scoped
        .find::<source::Entity>()
        .filter(source::Column::ProjectId.eq(id))
        .columns([source::Column::Id])
        .await?
        .into_iter()
        .map(|(id,)| id)
        .collect();
    let blobs = blobs_of_sources(scoped, &sources).await?;
    Projects::delete(scoped, id).await?;
    blobs_collect(scoped, &blobs).await?;
    Ok(())
}

fn slug_numbered(base: &str, n: usize) -> String {
    if n == 1 {
        return base.to_owned();
    }
    let number = format!("-{n}");
    let room = SLUG_MAX - number.len();
    let base = base.get(..room).unwrap_or(base).trim_end_matches('-');
    format!("{base}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_slug_is_still_a_slug() {
        for base in [
            "a",
            "atlas",
            &"a".repeat(SLUG_MAX),
            &format!("{}-b", "a".repeat(60)),
        ] {
            for n in [1, 2, 10, 1_000] {
                let slug = slug_numbered(base, n);
                assert!(slug_check(&slug).is_ok(), "{slug}");
            }
        }
        assert_eq!(slug_numbered("atlas", 1), "atlas");
        assert_eq!(slug_numbered("atlas", 12), "atlas-12");
    }
}
