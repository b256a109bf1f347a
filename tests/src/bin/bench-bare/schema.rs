//! The schema of the hand-written peers, and its statements. A read sets its tenant in the statement, as nyxcore's do.

use std::collections::HashMap;

use async_graphql::{
    Context, ID, InputObject, Object, Result, SelectionField, SimpleObject, Value,
};
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

/// The tenant of the request.
pub struct Tenant(pub Uuid);

const PROJECT: &str = "SELECT p.* FROM (SELECT set_config('nyxcore.tenant_id', set_config('nyxcore.scope', '', true) \
     || $1::uuid::text, true)::uuid AS v) s CROSS JOIN LATERAL (SELECT id, slug, name FROM projects \
     WHERE tenant_id = $1::uuid AND id = $2 AND s.v = $1::uuid OFFSET 0) p";
const PROJECTS: &str = "SELECT p.* FROM (SELECT set_config('nyxcore.tenant_id', set_config('nyxcore.scope', '', true) \
     || $1::uuid::text, true)::uuid AS v) s CROSS JOIN LATERAL (SELECT q.* FROM (SELECT id, slug, name FROM projects \
     WHERE tenant_id = $1::uuid ORDER BY id DESC LIMIT $2) q WHERE s.v = $1::uuid OFFSET 0) p";
const PAGE: &str = "SELECT p.* FROM (SELECT set_config('nyxcore.tenant_id', set_config('nyxcore.scope', '', true) \
     || $1::uuid::text, true)::uuid AS v) s CROSS JOIN LATERAL (SELECT q.* FROM (SELECT project_id, id, title, body \
     FROM notes WHERE tenant_id = $1::uuid AND project_id = $2 ORDER BY id DESC LIMIT $3) q \
     WHERE s.v = $1::uuid OFFSET 0) p";
const PAGES: &str = "SELECT p.* FROM (SELECT set_config('nyxcore.tenant_id', set_config('nyxcore.scope', '', true) \
     || $1::uuid::text, true)::uuid AS v) s CROSS JOIN LATERAL (SELECT q.* FROM unnest($2::uuid[]) f(id) \
     CROSS JOIN LATERAL (SELECT project_id, id, title, body FROM notes \
     WHERE tenant_id = $1::uuid AND project_id = f.id ORDER BY id DESC LIMIT $3) q \
     WHERE s.v = $1::uuid OFFSET 0) p";
const CREATE: &str = "INSERT INTO notes (tenant_id, project_id, title, body) VALUES ($1, $2, $3, $4) \
     RETURNING project_id, id, title, body";

#[derive(SimpleObject)]
pub struct Note {
    id: ID,
    title: String,
    body: String,
}

#[derive(SimpleObject)]
pub struct NoteConnection {
    nodes: Vec<Note>,
}

pub struct Project {
    id: Uuid,
    slug: String,
    name: String,
    /// Read with the project's siblings where they are asked for, newest first.
    notes: Vec<Note>,
}

#[Object]
impl Project {
    async fn id(&self) -> ID {
        self.id.into()
    }

    async fn slug(&self) -> &str {
        &self.slug
    }

    async fn name(&self) -> &str {
        &self.name
    }

    async fn notes(&self, first: i64) -> NoteConnection {
        // The notes were read by the field's first argument; another alias with a smaller one gets a part of them.
        let notes = self.notes.iter().take(usize::try_from(first).unwrap_or(0));
        let nodes = notes.map(|note| Note {
            id: note.id.clone(),
            title: note.title.clone(),
            body: note.body.clone(),
        });
        NoteConnection {
            nodes: nodes.collect(),
        }
    }
}

#[derive(SimpleObject)]
pub struct ProjectConnection {
    nodes: Vec<Project>,
}

pub struct Query;

#[Object]
impl Query {
    async fn project(&self, context: &Context<'_>, id: ID) -> Result<Option<Project>> {
        let id: Uuid = id.parse()?;
        let row = sqlx::query(PROJECT)
            .bind(context.data::<Tenant>()?.0)
            .bind(id)
            .fetch_optional(context.data::<PgPool>()?)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let mut projects = vec![project(&row)?];
        notes_read(context, context.field(), &mut projects).await?;
        Ok(projects.pop())
    }

    async fn projects(&self, context: &Context<'_>, first: i64) -> Result<ProjectConnection> {
        let rows = sqlx::query(PROJECTS)
            .bind(context.data::<Tenant>()?.0)
            .bind(first)
            .fetch_all(context.data::<PgPool>()?)
            .await?;
        let mut nodes = rows.iter().map(project).collect::<Result<Vec<_>>>()?;
        let field = context.field();
        let field = field.selection_set().find(|field| field.name() == "nodes");
        if let Some(field) = field {
            notes_read(context, field, &mut nodes).await?;
        }
        Ok(ProjectConnection { nodes })
    }
}

/// What a note is made of.
#[derive(InputObject)]
pub struct CreateNoteInput {
    project_id: ID,
    title: String,
    body: String,
}

#[derive(SimpleObject)]
pub struct CreateNotePayload {
    note: Note,
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn create_note(
        &self,
        context: &Context<'_>,
        input: CreateNoteInput,
    ) -> Result<CreateNotePayload> {
        let tenant = context.data::<Tenant>()?.0;
        let project: Uuid = input.project_id.parse()?;
        let mut transaction = context.data::<PgPool>()?.begin().await?;
        sqlx::query("SELECT set_config('nyxcore.tenant_id', $1, true)")
            .bind(tenant.to_string())
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query(CREATE)
            .bind(tenant)
            .bind(project)
            .bind(input.title)
            .bind(input.body)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(CreateNotePayload { note: note(&row)? })
    }
}

/// Reads the notes of the projects by one statement, if a field's selection asks for them.
async fn notes_read(
    context: &Context<'_>,
    field: SelectionField<'_>,
    projects: &mut [Project],
) -> Result<()> {
    let Some(notes) = field.selection_set().find(|field| field.name() == "notes") else {
        return Ok(());
    };
    let arguments = notes.arguments()?;
    let first = arguments.iter().find(|(name, _)| name == "first");
    let first = match first {
        Some((_, Value::Number(number))) => number.as_i64().unwrap_or(0),
        _ => 0,
    };
    let tenant = context.data::<Tenant>()?.0;
    let pool = context.data::<PgPool>()?;
    let rows = match &*projects {
        // A page of one project is an index scan that ends after it.
        [one] => {
            let query = sqlx::query(PAGE).bind(tenant).bind(one.id).bind(first);
            query.fetch_all(pool).await?
        }
        many => {
            let ids: Vec<Uuid> = many.iter().map(|project| project.id).collect();
            let query = sqlx::query(PAGES).bind(tenant).bind(ids).bind(first);
            query.fetch_all(pool).await?
        }
    };
    let places: HashMap<Uuid, usize> = projects
        .iter()
        .enumerate()
        .map(|(place, project)| (project.id, place))
        .collect();
    for row in &rows {
        let project: Uuid = row.try_get("project_id")?;
        if let Some(place) = places.get(&project) {
            projects[*place].notes.push(note(row)?);
        }
    }
    Ok(())
}

fn project(row: &PgRow) -> Result<Project> {
    Ok(Project {
        id: row.try_get("id")?,
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        notes: Vec::new(),
    })
}

fn note(row: &PgRow) -> Result<Note> {
    let id: Uuid = row.try_get("id")?;
    Ok(Note {
        id: id.into(),
        title: row.try_get("title")?,
        body: row.try_get("body")?,
    })
}
