//! `projects`: lists the projects.

use nyxcore_code_analysis::project_summaries_of;
use nyxcore_projects::{PROJECT, project_count, project_list};
use nyxcore_tenancy::{PAGE_MAX, PageRequest};
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};

use super::ToolAnswer;
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, line_of};
use crate::failure::ToolFailure;

/// Bytes of a description.
const DESCRIPTION_BYTES: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Only projects whose name or short name contains this text, in any case.
    query: Option<String>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

/// The projects that fit.
#[derive(Serialize, JsonSchema)]
pub(super) struct Listing {
    /// The projects, newest first.
    projects: Vec<ProjectEntry>,
    /// How many more there are.
    left_out: u64,
}

#[derive(Serialize, JsonSchema)]
struct ProjectEntry {
    /// The id, for `project` of other tools.
    id: String,
    /// The short name, for the same.
    slug: String,
    /// The name.
    name: String,
    /// The description, clipped to 200 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Languages and frameworks; empty before the first analysis.
    stack: Vec<String>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let scoped = scopes.read(PROJECT).await?;
    let query = arguments
        .query
        .as_deref()
        .filter(|query| !query.trim().is_empty());
    let page = project_list(&scoped, query, &PageRequest::first(PAGE_MAX)).await?;
    let all = project_count(&scoped, query).await?;
    let projects = page.into_items();
    let ids: Vec<_> = projects.iter().map(|project| project.id).collect();
    let summaries = project_summaries_of(&scoped, &ids).await?;
    let entries = projects.into_iter().map(|project| ProjectEntry {
        id: project.id.to_string(),
        slug: project.slug,
        name: project.name,
        description: project
            .description
            .map(|text| line_of(&text, DESCRIPTION_BYTES)),
        stack: summaries
            .get(&project.id)
            .map(|found| found.stack())
            .unwrap_or_default(),
    });
    let mut entries: Vec<ProjectEntry> = entries.collect();
    let lines: Vec<String> = entries.iter().map(line).collect();

    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    if all == 0 {
        answer.line("No project. Somebody has to create one first, in the console or by `nyxcore quickstart`.");
    }
    let taken = answer.quote_list(vec![], lines.iter().map(String::as_str), usize::MAX);
    entries.truncate(taken);
    let left_out = all.saturating_sub(taken as u64);
    answer.left(usize::try_from(left_out).unwrap_or(usize::MAX), "projects");
    let listing = Listing {
        projects: entries,
        left_out,
    };
    Ok(ToolAnswer::with(answer.finish(), &listing))
}

fn line(entry: &ProjectEntry) -> String {
    let mut line = format!("{} ({}) {}", entry.slug, entry.id, entry.name);
    if !entry.stack.is_empty() {
        line.push_str(&format!(" [{}]", entry.stack.join(", ")));
    }
    if let Some(description) = &entry.description {
        line.push_str(&format!(": {description}"));
    }
    line
}
