//! Personas as prompts: the role that a model takes on, with the task that it is given.

use nyxcore_personas::{PERSONA, PersonaId, Personas, persona_list};
use nyxcore_tenancy::{Cursor, Error, PageRequest, Repository, TypedId};
use rmcp::model::{
    GetPromptResult, JsonObject, ListPromptsResult, Prompt, PromptArgument, PromptMessage, Role,
};

use crate::actor::Scopes;
use crate::answer::line_of;
use crate::failure::ToolFailure;

/// The name of the list in its pagination cursors.
const LIST: &str = "mcp-personas";
/// Bytes of a description in the list.
const DESCRIPTION_BYTES: usize = 300;

/// The personas, newest first. A prompt is named by the persona's id, which is unique and stays.
///
/// # Errors
/// `INVALID_CURSOR`; the database fails.
pub(crate) async fn list(
    scopes: &Scopes,
    cursor: Option<&str>,
) -> Result<ListPromptsResult, ToolFailure> {
    let scoped = scopes.read(PERSONA).await?;
    let mut page = PageRequest::default();
    if let Some(text) = cursor {
        page.after = Some(Cursor::decode(LIST, text).ok_or(Error::InvalidCursor)?);
    }
    let found = persona_list(&scoped, None, &page).await?;
    let last = found.items.last().map(|(cursor, _)| cursor.encode(LIST));
    let next = last.filter(|_| found.has_next);
    let prompts = found.into_items().into_iter().map(|persona| {
        let task = PromptArgument::new("task")
            .with_title("Task")
            .with_description("What the persona is asked to do.")
            .with_required(false);
        let description = line_of(&persona.description, DESCRIPTION_BYTES);
        Prompt::new(persona.id.to_string(), Some(description), Some(vec![task]))
            .with_title(persona.name)
    });
    let mut listed = ListPromptsResult::with_all_items(prompts.collect());
    listed.next_cursor = next;
    Ok(listed)
}

/// A persona as a message of the user.
///
/// # Errors
/// `INVALID_ID`, `NOT_FOUND`; `INVALID_INPUT` for an argument that is not a text.
pub(crate) async fn get(
    scopes: &Scopes,
    name: &str,
    arguments: &JsonObject,
) -> Result<GetPromptResult, ToolFailure> {
    let id = PersonaId::parse(name)?;
    let task = match arguments.get("task") {
        None => None,
        Some(task) => {
            let text = task.as_str();
            Some(text.ok_or_else(|| ToolFailure::invalid("`task` must be a text"))?)
        }
    };
    let scoped = scopes.read(PERSONA).await?;
    let persona = Personas::require(&scoped, id).await?;
    let mut text = format!("You are {}. {}\n", persona.name, persona.description.trim());
    if !persona.system_prompt.trim().is_empty() {
        text.push_str(&format!("\n{}\n", persona.system_prompt.trim()));
    }
    if let Some(task) = task {
        text.push_str(&format!("\nYour task:\n{task}\n"));
    }
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(persona.name))
}
