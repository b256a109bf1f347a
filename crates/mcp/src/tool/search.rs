//! `search`: the best hits over code and knowledge, each with its citation.

use std::collections::HashMap;

use nyxcore_projects::{PROJECT, Projects, SourceId, Sources};
use nyxcore_retrieval::{Hit, KnowledgeKind, SearchRequest, search};
use nyxcore_tenancy::{Access, Repository, Scoped, TypedId};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use uuid::Uuid;

use super::ToolAnswer;
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// Hits where the call does not say.
const HITS_DEFAULT: u64 = 10;
/// The most hits of one call.
const HITS_MOST: u64 = 50;
/// Bytes of one excerpt: some twenty lines of code.
const EXCERPT_BYTES: usize = 1_200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// What to look for: words, identifiers, a path or a question.
    query: String,
    /// The project, by its id, short name or name; without it, all projects of the tenant.
    project: Option<String>,
    /// Only these kinds: CODE, DOCUMENT, CODE_PATTERN, MEMORY_ENTRY, INSIGHT, CONSOLIDATION, NOTE.
    kinds: Option<Vec<String>>,
    /// The maximum number of hits, 1 to 50; 10 by default.
    limit: Option<u64>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let kinds = arguments.kinds.unwrap_or_default();
    let kinds = kinds
        .iter()
        .map(|name| kind_of(name))
        .collect::<Result<Vec<_>, _>>()?;
    let scoped = scopes.read(PROJECT).await?;
    let project = scopes
        .project_optional(&scoped, arguments.project.as_deref())
        .await?;
    let request = SearchRequest {
        text: arguments.query,
        project_id: project.as_ref().map(|project| project.id.uuid()),
        kinds,
        stacks: None,
        limit: arguments.limit.unwrap_or(HITS_DEFAULT).clamp(1, HITS_MOST),
    };
    let hits = search(&scoped, &request).await?;
    let slugs = match &project {
        Some(_) => HashMap::new(),
        None => slugs_of(&scoped, &hits).await?,
    };
    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    let place = project.map(|project| format!(" in project {}", project.slug));
    answer.line(format!("{} hits{}.", hits.len(), place.unwrap_or_default()));
    let mut left = 0;
    for hit in &hits {
        let attributes = attributes(hit, &slugs);
        // What is worth less has less room; a hit that has none may still be cited.
        let fits = answer.quote(attributes.clone(), clipped(&hit.excerpt, EXCERPT_BYTES))
            || answer.quote(attributes, String::new());
        left += usize::from(!fits);
    }
    answer.left(left, "hits");
    if hits.is_empty() {
        answer.line("Other words, an identifier or a part of a path may find more.");
    }
    Ok(ToolAnswer::text(answer.finish()))
}

fn kind_of(name: &str) -> Result<KnowledgeKind, ToolFailure> {
    let upper = name.to_ascii_uppercase();
    let kind = KnowledgeKind::all()
        .iter()
        .find(|kind| kind.as_str() == upper);
    kind.copied().ok_or_else(|| {
        let names: Vec<&str> = KnowledgeKind::all()
            .iter()
            .map(|kind| kind.as_str())
            .collect();
        ToolFailure::invalid(format!("a kind must be one of {}", names.join(", ")))
    })
}

/// What a hit is cited by.
pub(super) fn attributes(hit: &Hit, slugs: &HashMap<Uuid, String>) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("kind", hit.kind.as_str().to_owned())];
    if let Some(slug) = hit.source_id.and_then(|id| slugs.get(&id)) {
        attributes.push(("project", slug.clone()));
    }
    match (&hit.path, hit.kind) {
        (Some(path), KnowledgeKind::Code | KnowledgeKind::Document) => {
            attributes.push(("cite", cite(path, hit.start_line, hit.end_line)));
        }
        _ => {
            attributes.push(("cite", hit.subject.clone()));
            attributes.push(("title", clipped(&hit.title, 200)));
        }
    }
    attributes
}

fn cite(path: &str, start: Option<i64>, end: Option<i64>) -> String {
    match (start, end) {
        (Some(start), Some(end)) if end > start => format!("{path}:{start}-{end}"),
        (Some(start), _) => format!("{path}:{start}"),
        _ => path.to_owned(),
    }
}

/// The short names of the projects whose sources the hits are in.
async fn slugs_of<A: Access>(
    scoped: &Scoped<A>,
    hits: &[Hit],
) -> Result<HashMap<Uuid, String>, ToolFailure> {
    let mut ids: Vec<SourceId> = hits
        .iter()
        .filter_map(|hit| hit.source_id.map(SourceId))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sources = Sources::get_many(scoped, &ids).await?;
    let projects: Vec<_> = sources.values().map(|source| source.project_id).collect();
    let projects = Projects::get_many(scoped, &projects).await?;
    let slug = |project| projects.get(project).map(|project| project.slug.clone());
    let slugs = sources.iter();
    Ok(slugs
        .filter_map(|(id, source)| Some((id.uuid(), slug(&source.project_id)?)))
        .collect())
}
