//! The tools: their names, descriptions, required permissions and functions.

mod agents;
mod check;
mod code;
mod conventions;
mod excerpt;
mod overview;
mod pattern;
mod projects;
mod runs;
mod search;
mod write;

use std::sync::Arc;

use nyxcore_knowledge::{INSIGHT, MEMORY_ENTRY};
use nyxcore_projects::{NOTE, PROJECT, SOURCE};
use nyxcore_runs::RUN;
use nyxcore_tenancy::{Action, Resource};
use rmcp::handler::server::common::{schema_for_input, schema_for_output};
use rmcp::model::{JsonObject, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::actor::Scopes;
use crate::failure::ToolFailure;

pub use check::{CheckRefusal, FolderCheck};
pub(crate) use pattern::path_read;

/// The answer of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolAnswer {
    /// The text for a model.
    pub text: String,
    /// The same answer for a program, by the tool's output schema. `None` for tools without one.
    pub structured: Option<Value>,
}

impl ToolAnswer {
    fn text(text: String) -> Self {
        Self {
            text,
            structured: None,
        }
    }

    fn with<T: Serialize>(text: String, structured: &T) -> Self {
        Self {
            text,
            structured: serde_json::to_value(structured).ok(),
        }
    }
}

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Projects,
    Search,
    ProjectOverview,
    CodePatterns,
    ConventionsFor,
    ReadCode,
    AgentsSection,
    RunStatus,
    MemoryAdd,
    InsightAdd,
    NoteCreate,
    Check,
}

impl Tool {
    /// Every tool, in the order of the list.
    pub(crate) const ALL: [Self; 12] = [
        Self::Projects,
        Self::Search,
        Self::ProjectOverview,
        Self::ConventionsFor,
        Self::CodePatterns,
        Self::ReadCode,
        Self::AgentsSection,
        Self::RunStatus,
        Self::MemoryAdd,
        Self::InsightAdd,
        Self::NoteCreate,
        Self::Check,
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::Search => "search",
            Self::ProjectOverview => "project_overview",
            Self::CodePatterns => "code_patterns",
            Self::ConventionsFor => "conventions_for",
            Self::ReadCode => "read_code",
            Self::AgentsSection => "agents_section",
            Self::RunStatus => "run_status",
            Self::MemoryAdd => "memory_add",
            Self::InsightAdd => "insight_add",
            Self::NoteCreate => "note_create",
            Self::Check => "check",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Projects => "List projects",
            Self::Search => "Search code and knowledge",
            Self::ProjectOverview => "Overview of a project",
            Self::CodePatterns => "Patterns of the code",
            Self::ConventionsFor => "Conventions for a file",
            Self::ReadCode => "Read code",
            Self::AgentsSection => "Section for AGENTS.md",
            Self::RunStatus => "Status of runs",
            Self::MemoryAdd => "Add a memory entry",
            Self::InsightAdd => "Add an insight",
            Self::NoteCreate => "Create a note",
            Self::Check => "Check the changes of the folder",
        }
    }

    /// The description by which a model chooses the tool.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Projects => {
                "Lists the projects that other tools take as `project`, newest first, with their languages."
            }
            Self::Search => {
                "Searches code, documents, patterns, memory entries, insights and notes by words, identifiers or a question. Each hit is cited by file and lines, or by id. A query that names an identifier of a project's code lists the lines that use it, too: ask so before you change it."
            }
            Self::ProjectOverview => {
                "What a project is made of: languages and frameworks, commands, layers, files that change most, and a map of the most referenced definitions. Use it before working in an unknown project."
            }
            Self::CodePatterns => {
                "How this project's code is written, counted from the code: each pattern as a rule with its evidence (n of m places), places that show it and places that do not. By path, language or kind."
            }
            Self::ConventionsFor => {
                "What to know before editing or creating a file: the patterns that apply there with exemplars, the files that change together with it, who owns it, and related memory. Call it once for each file before you edit it."
            }
            Self::ReadCode => {
                "Reads lines of a file as last synced, with line numbers. The answer says how to read on."
            }
            Self::AgentsSection => {
                "A section for AGENTS.md: commands, patterns that say most, layers, as counted by the latest analysis."
            }
            Self::RunStatus => {
                "The status of one run by its id, or of a project's latest runs: syncs, analyses, enrichments."
            }
            Self::MemoryAdd => {
                "Writes down a fact to be remembered, such as a cause, a rule or a place that was hard to find. Searches find it from then on. Search first: do not write what is known."
            }
            Self::InsightAdd => {
                "Writes down what was learned: a pain point, strength, solution, pattern or decision. One that says the same as another is refused."
            }
            Self::NoteCreate => "Creates a note about a project, for people.",
            Self::Check => {
                "Compares the changes in the working folder with the project's own patterns at a base commit, and lists the places that deviate. Call it before you hand work over."
            }
        }
    }

    /// The permission that the policy must grant.
    pub(crate) const fn needs(self) -> (Resource, Action) {
        match self {
            Self::Projects | Self::Search | Self::Check => (PROJECT, Action::Read),
            Self::ProjectOverview | Self::CodePatterns => (PROJECT, Action::Read),
            Self::ConventionsFor | Self::AgentsSection => (PROJECT, Action::Read),
            Self::ReadCode => (SOURCE, Action::Read),
            Self::RunStatus => (RUN, Action::Read),
            Self::MemoryAdd => (MEMORY_ENTRY, Action::Create),
            Self::InsightAdd => (INSIGHT, Action::Create),
            Self::NoteCreate => (NOTE, Action::Create),
        }
    }

    /// Whether it changes something.
    pub(crate) fn writes(self) -> bool {
        self.needs().1 != Action::Read
    }

    pub(crate) fn annotations(self) -> ToolAnnotations {
        let hints = ToolAnnotations::with_title(self.title()).open_world(false);
        match self.writes() {
            false => hints.read_only(true).idempotent(true),
            true => hints.read_only(false).destructive(false).idempotent(false),
        }
    }

    /// The JSON Schema of its arguments.
    pub(crate) fn input_schema(self) -> Arc<JsonObject> {
        match self {
            Self::Projects => input::<projects::Arguments>(),
            Self::Search => input::<search::Arguments>(),
            Self::ProjectOverview => input::<overview::Arguments>(),
            Self::CodePatterns => input::<pattern::Arguments>(),
            Self::ConventionsFor => input::<conventions::Arguments>(),
            Self::ReadCode => input::<code::Arguments>(),
            Self::AgentsSection => input::<agents::Arguments>(),
            Self::RunStatus => input::<runs::Arguments>(),
            Self::MemoryAdd => input::<write::MemoryArguments>(),
            Self::InsightAdd => input::<write::InsightArguments>(),
            Self::NoteCreate => input::<write::NoteArguments>(),
            Self::Check => input::<check::Arguments>(),
        }
    }

    /// The JSON Schema of its structured answer. A tool with a text as its answer has none: the structured answer would
    /// only repeat the text.
    pub(crate) fn output_schema(self) -> Option<Arc<JsonObject>> {
        match self {
            Self::Projects => Some(output::<projects::Listing>()),
            Self::RunStatus => Some(output::<runs::Listing>()),
            Self::MemoryAdd | Self::InsightAdd | Self::NoteCreate => {
                Some(output::<write::WrittenEntry>())
            }
            Self::Check => Some(output::<check::Listing>()),
            _ => None,
        }
    }

    /// Runs the tool.
    ///
    /// # Errors
    /// The failures that the tool's module documents.
    pub(crate) async fn call(
        self,
        scopes: &Scopes,
        check: Option<&FolderCheck>,
        arguments: Value,
    ) -> Result<ToolAnswer, ToolFailure> {
        match self {
            Self::Projects => projects::run(scopes, read(arguments)?).await,
            Self::Search => search::run(scopes, read(arguments)?).await,
            Self::ProjectOverview => overview::run(scopes, read(arguments)?).await,
            Self::CodePatterns => pattern::run(scopes, read(arguments)?).await,
            Self::ConventionsFor => conventions::run(scopes, read(arguments)?).await,
            Self::ReadCode => code::run(scopes, read(arguments)?).await,
            Self::AgentsSection => agents::run(scopes, read(arguments)?).await,
            Self::RunStatus => runs::run(scopes, read(arguments)?).await,
            Self::MemoryAdd => write::memory_add(scopes, read(arguments)?).await,
            Self::InsightAdd => write::insight_add(scopes, read(arguments)?).await,
            Self::NoteCreate => write::note_create(scopes, read(arguments)?).await,
            Self::Check => check::run(check, read(arguments)?).await,
        }
    }
}

fn input<T: JsonSchema + 'static>() -> Arc<JsonObject> {
    // An argument type is a struct, so its schema is an object. The test `every_tool_describes_its_arguments` checks
    // it.
    known_formats(schema_for_input::<T>().unwrap_or_default())
}

fn output<T: JsonSchema + 'static>() -> Arc<JsonObject> {
    known_formats(schema_for_output::<T>())
}

/// Removes the formats that name Rust's number types. Clients that validate answers by the schema warn of each.
fn known_formats(schema: Arc<JsonObject>) -> Arc<JsonObject> {
    let mut schema = Arc::unwrap_or_clone(schema);
    schema.values_mut().for_each(format_drop);
    Arc::new(schema)
}

fn format_drop(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let format = fields.get("format").and_then(Value::as_str);
            if format.is_some_and(|format| format.starts_with("uint")) {
                fields.remove("format");
            }
            fields.values_mut().for_each(format_drop);
        }
        Value::Array(items) => items.iter_mut().for_each(format_drop),
        _ => {}
    }
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, ToolFailure> {
    serde_json::from_value(arguments).map_err(|error| {
        ToolFailure::new(
            "INVALID_ARGUMENTS",
            format!("the arguments do not fit: {error}"),
            "see the tool's input schema, correct the arguments and call again",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_describes_its_arguments() {
        for tool in Tool::ALL {
            let schema = tool.input_schema();
            assert_eq!(schema["type"], "object", "{}", tool.name());
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name());
            let properties = schema["properties"].as_object().unwrap();
            for (name, property) in properties {
                let text = property["description"].as_str();
                assert!(
                    text.is_some_and(|text| text.len() > 10),
                    "{}.{name}",
                    tool.name()
                );
            }
        }
    }

    #[test]
    fn no_schema_names_the_numbers_of_rust() {
        for tool in Tool::ALL {
            let schemas = [Some(tool.input_schema()), tool.output_schema()];
            let text = serde_json::to_string(&schemas).unwrap();
            assert!(!text.contains("\"uint"), "{}: {text}", tool.name());
        }
    }

    #[test]
    fn a_tool_is_found_by_its_name_only() {
        assert!(
            Tool::ALL
                .iter()
                .all(|tool| Tool::named(tool.name()) == Some(*tool))
        );
        assert_eq!(Tool::named("Search"), None);
    }

    #[test]
    fn the_tools_that_write_say_so() {
        let writers: Vec<_> = Tool::ALL.into_iter().filter(|tool| tool.writes()).collect();
        assert_eq!(
            writers,
            [Tool::MemoryAdd, Tool::InsightAdd, Tool::NoteCreate]
        );
        for tool in Tool::ALL {
            assert_eq!(tool.annotations().read_only_hint, Some(!tool.writes()));
            assert!(!tool.annotations().is_destructive() || !tool.writes());
        }
    }
}
