//! `search`: the best hits in code and knowledge, each with its citation, and the lines that use a named identifier.

use std::collections::HashMap;

use nyxcore_projects::{PROJECT, ProjectId, Projects, SourceId, Sources, code_subject_source};
use nyxcore_retrieval::{
    Hit, KnowledgeKind, SearchRequest, Usage, identifiers_named, search, usages_of,
};
use nyxcore_tenancy::{Access, Repository, Scoped, TypedId};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use uuid::Uuid;

use super::ToolAnswer;
use super::excerpt::excerpts;
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// The number of hits of a call that names none.
const HITS_DEFAULT: u64 = 10;
/// The maximum number of hits of one call.
const HITS_MOST: u64 = 50;
/// The share of the room that the uses of an identifier may take, in percent.
const USAGES_PERCENT: usize = 40;
/// Bytes of each line that uses the identifier.
const USAGE_BYTES: usize = 160;

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
    let project_id = project.as_ref().map(|project| project.id);
    let place = project.map(|project| format!(" in project {}", project.slug));
    answer.line(format!("{} hits{}.", hits.len(), place.unwrap_or_default()));
    if let Some(project) = project_id
        && (request.kinds.is_empty() || request.kinds.contains(&KnowledgeKind::Code))
    {
        usages_quote(&scoped, project, &request.text, &mut answer).await?;
    }
    let mut left = 0;
    let quoted = excerpts(&scoped, &hits, &slugs, answer.room()).await?;
    for (attributes, text) in quoted {
        // Later hits are less relevant and find less room. A hit whose text does not fit may still be cited without it.
        let fits =
            answer.quote(attributes.clone(), text) || answer.quote(attributes, String::new());
        left += usize::from(!fits);
    }
    answer.left(left, "hits");
    if hits.is_empty() {
        answer.line("Other words, an identifier or a part of a path may find more.");
    }
    Ok(ToolAnswer::text(answer.finish()))
}

/// Quotes the lines that use the identifiers of a query. A word that the project does not declare is skipped: it is not
/// an identifier, or it comes from a library.
async fn usages_quote<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    query: &str,
    answer: &mut Answer,
) -> Result<(), ToolFailure> {
    let mut share = answer.room() * USAGES_PERCENT / 100;
    for identifier in identifiers_named(query) {
        let usages = usages_of(scoped, project.uuid(), identifier).await?;
        if !usages.lines.iter().any(|usage| usage.is_definition) {
            continue;
        }
        let lines: Vec<String> = usages.lines.iter().map(usage_line).collect();
        let which = if usages.is_complete { "all" } else { "some" };
        let about = vec![
            ("usages", identifier.to_owned()),
            ("lines", format!("{which} of the code, declarations first")),
        ];
        let before = answer.room();
        let shown = answer.quote_list(about, lines.iter().map(String::as_str), share);
        share = share.saturating_sub(before - answer.room());
        answer.left(lines.len() - shown, "lines that use it");
    }
    Ok(())
}

fn usage_line(usage: &Usage) -> String {
    let text = clipped(&usage.text, USAGE_BYTES);
    format!("{}:{}  {text}", usage.path, usage.line)
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

/// The attributes by which an answer cites a hit.
pub(super) fn attributes(hit: &Hit, slugs: &HashMap<Uuid, String>) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("kind", hit.kind.as_str().to_owned())];
    if let Some(slug) = source_of(hit).and_then(|id| slugs.get(&id.uuid())) {
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

/// The source of a hit. The subject of a file's hit contains it.
pub(super) fn source_of(hit: &Hit) -> Option<SourceId> {
    let of_subject = || code_subject_source(&hit.subject);
    hit.source_id.map(SourceId).or_else(of_subject)
}

pub(super) fn cite(path: &str, start: Option<i64>, end: Option<i64>) -> String {
    match (start, end) {
        (Some(start), Some(end)) if end > start => format!("{path}:{start}-{end}"),
        (Some(start), _) => format!("{path}:{start}"),
        _ => path.to_owned(),
    }
}

/// Returns the slugs of the projects that the hits' sources belong to.
async fn slugs_of<A: Access>(
    scoped: &Scoped<A>,
    hits: &[Hit],
) -> Result<HashMap<Uuid, String>, ToolFailure> {
    let mut ids: Vec<SourceId> = hits.iter().filter_map(source_of).collect();
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
