//! The tools that write: `memory_add`, `insight_add`, `note_create`. Each calls the service of its domain in one
//! transaction, as the GraphQL mutation does.

use nyxcore_knowledge::{
    InsightSeverity, InsightType, NewInsight, NewMemoryEntry, insight_create, memory_entry_create,
};
use nyxcore_projects::{NewNote, Project, note_create as note_write};
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};

use super::ToolAnswer;
use crate::actor::Scopes;
use crate::failure::ToolFailure;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemoryArguments {
    /// One line of 1 to 200 characters that says what it is about.
    title: String,
    /// What is to be remembered, in Markdown; cite files as path:line.
    content: String,
    /// The project, by its id, short name or name; without it, it is about the whole tenant's work.
    project: Option<String>,
    /// At most 20 tags of 1 to 50 characters.
    tags: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InsightArguments {
    /// What it is: pain_point, strength, solution, pattern or decision.
    r#type: String,
    /// One line of 1 to 200 characters.
    title: String,
    /// What was learned, in Markdown; cite files as path:line.
    detail: String,
    /// The project, by its id, short name or name; without it, it is about the whole tenant's work.
    project: Option<String>,
    /// How much it matters: blocker, high, medium or low.
    severity: Option<String>,
    /// A word to sort it by, of at most 50 characters.
    category: Option<String>,
    /// What to do about it, in Markdown.
    suggestion: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteArguments {
    /// One line of 1 to 200 characters.
    title: String,
    /// The text, in Markdown; cite files as path:line.
    body: String,
    /// The project, by its id, short name or name. Needed only if there are several.
    project: Option<String>,
}

/// What was written.
#[derive(Serialize, JsonSchema)]
pub(super) struct WrittenEntry {
    /// Its id, to cite it by.
    id: String,
    /// The short name of the project that it belongs to; absent where it belongs to the whole tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
}

impl WrittenEntry {
    fn answer(id: String, project: Option<Project>) -> ToolAnswer {
        let project = project.map(|project| project.slug);
        let place = match &project {
            Some(slug) => format!("project {slug}"),
            None => "the whole tenant".to_owned(),
        };
        let text = format!("Written as {id}, for {place}.\n");
        ToolAnswer::with(text, &Self { id, project })
    }
}

pub(super) async fn memory_add(
    scopes: &Scopes,
    arguments: MemoryArguments,
) -> Result<ToolAnswer, ToolFailure> {
    let scoped = scopes.write().await?;
    let project = scopes
        .project_optional(&scoped, arguments.project.as_deref())
        .await?;
    let new = NewMemoryEntry {
        project_id: project.as_ref().map(|project| project.id),
        title: arguments.title,
        content: arguments.content,
        tags: arguments.tags.unwrap_or_default(),
        created_by: scopes.user(),
    };
    let entry = memory_entry_create(&scoped, new).await?;
    scoped.commit().await?;
    Ok(WrittenEntry::answer(entry.id.to_string(), project))
}

pub(super) async fn insight_add(
    scopes: &Scopes,
    arguments: InsightArguments,
) -> Result<ToolAnswer, ToolFailure> {
    let insight_type = InsightType::parse(&arguments.r#type)
        .ok_or_else(|| one_of("type", InsightType::all().iter().map(|one| one.as_str())))?;
    let severity = arguments.severity.as_deref().map(|name| {
        let names = InsightSeverity::all().iter().map(|one| one.as_str());
        InsightSeverity::parse(name).ok_or_else(|| one_of("severity", names))
    });
    let severity = severity.transpose()?;
    let scoped = scopes.write().await?;
    let project = scopes
        .project_optional(&scoped, arguments.project.as_deref())
        .await?;
    let new = NewInsight {
        project_id: project.as_ref().map(|project| project.id),
        insight_type,
        severity,
        category: arguments.category,
        title: arguments.title,
        detail: arguments.detail,
        suggestion: arguments.suggestion,
        paired_with: None,
        created_by: scopes.user(),
    };
    let insight = insight_create(&scoped, new).await?;
    scoped.commit().await?;
    Ok(WrittenEntry::answer(insight.id.to_string(), project))
}

pub(super) async fn note_create(
    scopes: &Scopes,
    arguments: NoteArguments,
) -> Result<ToolAnswer, ToolFailure> {
    let scoped = scopes.write().await?;
    let project = scopes
        .project(&scoped, arguments.project.as_deref())
        .await?;
    let new = NewNote {
        project_id: project.id,
        title: arguments.title,
        body: arguments.body,
        created_by: scopes.user(),
    };
    let note = note_write(&scoped, new).await?;
    scoped.commit().await?;
    Ok(WrittenEntry::answer(note.id.to_string(), Some(project)))
}

fn one_of(field: &str, names: impl Iterator<Item = &'static str>) -> ToolFailure {
    let names: Vec<_> = names.collect();
    ToolFailure::invalid(format!("`{field}` must be one of {}", names.join(", ")))
}
