//! The repositories: each table by id, and the lists for other crates.

use std::collections::HashMap;
use std::hash::Hash;

use nyxcore_tenancy::directory::slug_check;
use nyxcore_tenancy::text::{self, SearchText};
use nyxcore_tenancy::{
    Access, ChildList, Keyset, Page, PageRequest, Repository, Result, Scoped, child_list,
    pages_map, repository, root_list,
};
use sea_orm::sea_query::{Expr, Func};
use sea_orm::{ColumnTrait, Condition, ExprTrait};
use uuid::Uuid;

use crate::entity::{action_point, blog_post, note, note_version, project, source, source_file};
use crate::model::{
    ActionPoint, ActionPointId, BlogPost, BlogPostId, Note, NoteId, NoteVersion, NoteVersionId,
    Project, ProjectId, Source, SourceFile, SourceFileId, SourceId,
};

repository! {
    /// Projects of a tenant.
    pub Projects: project => Project, Id = id: ProjectId
}
repository! {
    /// Sources of projects.
    pub Sources: source => Source, Id = id: SourceId
}
repository! {
    /// Files of sources.
    pub SourceFiles: source_file => SourceFile, Id = id: SourceFileId
}
repository! {
    /// Notes of projects.
    pub Notes: note => Note, Id = id: NoteId
}
repository! {
    /// Earlier versions of notes.
    pub NoteVersions: note_version => NoteVersion, Id = id: NoteVersionId
}
repository! {
    /// Posts of projects.
    pub BlogPosts: blog_post => BlogPost, Id = id: BlogPostId
}
repository! {
    /// Action points of notes.
    pub ActionPoints: action_point => ActionPoint, Id = id: ActionPointId
}

child_list! {
    /// The notes of a project, newest first.
    pub ProjectNotes: Notes, note.ProjectId: ProjectId
}

child_list! {
    /// The earlier versions of a note, newest first.
    pub NoteVersionList: NoteVersions, note_version.NoteId: NoteId
}

child_list! {
    /// The posts of a project, newest first, drafts too.
    pub ProjectBlogPosts: BlogPosts, blog_post.ProjectId: ProjectId
}

/// The files of a source, ordered by path bytes: all of them, or one path and everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SourceFileList {
    /// Without slashes at its ends; empty for all files.
    path: String,
}

impl SourceFileList {
    /// The file that has the path, and the files below it.
    ///
    /// # Errors
    /// [`Error::Invalid`](nyxcore_tenancy::Error::Invalid) for an invalid path.
    pub fn below(path: Option<&str>) -> Result<Self> {
        let path = text::FILE_PATH.check_optional("the path", path)?;
        let path = path.as_deref().unwrap_or_default().trim_matches('/');
        Ok(Self { path: path.into() })
    }

    fn condition(&self) -> Condition {
        let path = &self.path;
        if path.is_empty() {
            return Condition::all();
        }
        // Paths are ordered byte by byte, and `0` is the byte after `/`: the paths below a folder are one range of the
        // index.
        let below = Condition::all()
            .add(source_file::Column::Path.gt(format!("{path}/")))
            .add(source_file::Column::Path.lt(format!("{path}0")));
        Condition::any()
            .add(source_file::Column::Path.eq(path.as_str()))
            .add(below)
    }
}

impl ChildList for SourceFileList {
    type Parent = SourceId;
    type Item = SourceFile;

    async fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        sources: &[SourceId],
        request: &PageRequest,
    ) -> Result<HashMap<SourceId, Page<SourceFile>>> {
        use source_file::{Column, Entity};
        let files = scoped.find::<Entity>().filter(self.condition());
        let paths = Keyset::ascending(Column::Path);
        let pages = files
            .pages_by(Column::SourceId, sources, paths, request)
            .await?;
        Ok(pages_map(pages))
    }

    async fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        sources: &[SourceId],
    ) -> Result<HashMap<SourceId, u64>> {
        use source_file::{Column, Entity};
        let files = scoped.find::<Entity>().filter(self.condition());
        files.counts_by(Column::SourceId, sources).await
    }
}

/// The projects whose name or slug contains the query, as [`project_list`] reads them.
#[derive(Debug, Clone, Default)]
pub struct ProjectList {
    /// `None` for all of them.
    pub query: Option<String>,
}

root_list! { ProjectList => Project: project_list, project_count, |list| list.query.as_deref() }

/// One page of the projects whose name or slug contains the query, in any case; of all of them where there is none.
/// Newest first.
///
/// # Errors
/// [`Error::Invalid`](nyxcore_tenancy::Error::Invalid) for a query out of bounds; the database fails.
pub async fn project_list<A: Access>(
    scoped: &Scoped<A>,
    query: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Project>> {
    Projects::list(scoped, projects_matching(scoped, query)?, page).await
}

/// How many projects [`project_list`] has in all.
///
/// # Errors
/// As [`project_list`].
pub async fn project_count<A: Access>(scoped: &Scoped<A>, query: Option<&str>) -> Result<u64> {
    Projects::count(scoped, projects_matching(scoped, query)?).await
}

/// The project with that slug.
///
/// # Errors
/// The database fails.
pub async fn project_by_slug<A: Access>(scoped: &Scoped<A>, slug: &str) -> Result<Option<Project>> {
    // An invalid slug belongs to no project, so the database is not queried: it may not even accept the text.
    if slug_check(slug).is_err() {
        return Ok(None);
    }
    let row = scoped
        .find::<project::Entity>()
        .filter(project::Column::Slug.eq(slug))
        .one()
        .await?;
    Ok(row.map(Into::into))
}

/// The sources of each of those projects, oldest first. A project without any is not in the map.
///
/// # Errors
/// The database fails.
pub async fn sources_of<A: Access>(
    scoped: &Scoped<A>,
    projects: &[ProjectId],
) -> Result<HashMap<ProjectId, Vec<Source>>> {
    let rows = scoped
        .find_in::<source::Entity, _>(source::Column::ProjectId, projects.iter().copied())
        .order_by_asc(source::Column::Id)
        .all()
        .await?;
    let found = rows.into_iter().map(Source::from).collect();
    Ok(grouped(found, |source| Some(source.project_id)))
}

/// The sources at any of those addresses, of any project, oldest first. The addresses, 5,000 at the most, are given in
/// lower case and compared without regard to case.
///
/// # Errors
/// The database fails.
pub async fn sources_by_url<A: Access>(scoped: &Scoped<A>, urls: &[String]) -> Result<Vec<Source>> {
    let rows = scoped
        .find::<source::Entity>()
        .filter(Expr::expr(Func::lower(Expr::col(source::Column::Url))).is_in(urls))
        .order_by_asc(source::Column::Id)
        .all()
        .await?;
    Ok(rows.into_iter().map(Source::from).collect())
}

/// All the files of a source in the order of their paths, for work that needs every one.
///
/// # Errors
/// The database fails.
pub async fn file_all<A: Access>(scoped: &Scoped<A>, source: SourceId) -> Result<Vec<SourceFile>> {
    let rows = scoped
        .find::<source_file::Entity>()
        .filter(source_file::Column::SourceId.eq(source))
        .order_by_asc(source_file::Column::Path)
        .all()
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The action points of each of those notes, oldest first. A note without any is not in the map.
///
/// # Errors
/// The database fails.
pub async fn action_points_of<A: Access>(
    scoped: &Scoped<A>,
    notes: &[NoteId],
) -> Result<HashMap<NoteId, Vec<ActionPoint>>> {
    let found = action_points_by(scoped, action_point::Column::NoteId, notes).await?;
    Ok(grouped(found, |point| Some(point.note_id)))
}

/// The action points that each of those enrichments suggested, oldest first.
///
/// # Errors
/// The database fails.
pub async fn action_points_of_enrichments<A: Access>(
    scoped: &Scoped<A>,
    enrichments: &[Uuid],
) -> Result<HashMap<Uuid, Vec<ActionPoint>>> {
    let found = action_points_by(scoped, action_point::Column::EnrichmentId, enrichments).await?;
    Ok(grouped(found, |point| point.enrichment_id))
}

async fn action_points_by<A: Access, I: Into<sea_orm::Value> + Copy>(
    scoped: &Scoped<A>,
    column: action_point::Column,
    ids: &[I],
) -> Result<Vec<ActionPoint>> {
    let rows = scoped
        .find_in::<action_point::Entity, _>(column, ids.iter().copied())
        .order_by_asc(action_point::Column::Id)
        .all()
        .await?;
    Ok(rows.into_iter().map(ActionPoint::from).collect())
}

fn grouped<K: Eq + Hash, T>(items: Vec<T>, key: impl Fn(&T) -> Option<K>) -> HashMap<K, Vec<T>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for item in items {
        if let Some(key) = key(&item) {
            groups.entry(key).or_default().push(item);
        }
    }
    groups
}

fn projects_matching<A: Access>(scoped: &Scoped<A>, query: Option<&str>) -> Result<Condition> {
    let columns = [r#""projects"."name""#, r#""projects"."slug""#];
    Ok(match SearchText::parse(query)? {
        Some(text) => text.within(scoped.backend(), &columns),
        None => Condition::all(),
    })
}
