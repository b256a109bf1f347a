//! `conventions_for`: what somebody about to edit a file should know.

use std::cmp::Reverse;
use std::collections::HashMap;

use nyxcore_code_analysis::{CodePattern, ProjectFindings, project_findings_of};
use nyxcore_projects::{PROJECT, ProjectId, files_by_path, sources_of};
use nyxcore_retrieval::{Hit, KnowledgeKind, SearchRequest, search};
use nyxcore_tenancy::{Access, Scoped, TypedId};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::ToolAnswer;
use super::overview::not_analysed;
use super::pattern::{applies, line, path_read, patterns_of};
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// Files that are named as changing together with this one.
const COMPANIONS_SHOWN: usize = 8;
/// Memory entries and insights that are quoted.
const MEMORY_SHOWN: u64 = 3;
/// Bytes of the quotation of one of them.
const MEMORY_BYTES: usize = 400;
/// The share of the room that patterns may take, in percent.
const PATTERNS_PERCENT: usize = 60;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The path of the file from the repository's root, such as src/lease.rs. It need not exist yet.
    path: String,
    /// The project, by its id, short name or name. Needed only if there are several.
    project: Option<String>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let path = path_read(&arguments.path)?;
    let scoped = scopes.read(PROJECT).await?;
    let project = scopes
        .project(&scoped, arguments.project.as_deref())
        .await?;
    let findings = project_findings_of(&scoped, &[project.id])
        .await?
        .remove(&project.id);
    let findings = findings.ok_or_else(not_analysed)?;
    let is_stored = is_stored(&scoped, project.id, &path).await?;
    let all = patterns_of(&scoped, project.id, Vec::new()).await?;
    let mut patterns: Vec<&CodePattern> = all.iter().filter(|one| applies(one, &path)).collect();
    // What is true of this folder alone says more here than what is true everywhere; the rest stays in its order.
    patterns.sort_by_key(|one| Reverse(one.scope.as_ref().map_or(0, String::len)));
    let memory = memory_of(&scoped, project.id, &path).await?;

    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    let (slug, run) = (&project.slug, findings.analysis_id);
    answer.line(format!(
        "Conventions in project {slug}, as of analysis {run}."
    ));
    if !is_stored {
        answer.line("No file has this path yet: this is what applies to a new one.");
    }
    let lines: Vec<String> = patterns.iter().map(|pattern| line(pattern)).collect();
    let share = answer.room() * PATTERNS_PERCENT / 100;
    let about = vec![("patterns", "n of m places do so".to_owned())];
    let shown = answer.quote_list(about, lines.iter().map(String::as_str), share);
    answer.left(lines.len() - shown, "patterns");
    if lines.is_empty() {
        answer.line("No pattern applies to a file of this kind.");
    }

    let companions = companion_lines(&findings, &path);
    let about = vec![(
        "history",
        "files that change together with it, and who changes it".to_owned(),
    )];
    let owners = owner_lines(&findings, &path);
    let told: Vec<&str> = companions
        .iter()
        .take(COMPANIONS_SHOWN)
        .chain(&owners)
        .map(String::as_str)
        .collect();
    let shown = answer.quote_list(about, told.iter().copied(), usize::MAX);
    answer.left(companions.len() + owners.len() - shown, "lines of history");

    let mut left = 0;
    for hit in &memory {
        let attributes = super::search::attributes(hit, &HashMap::new());
        left += usize::from(!answer.quote(attributes, clipped(&hit.excerpt, MEMORY_BYTES)));
    }
    answer.left(left, "memory entries");
    Ok(ToolAnswer::text(answer.finish()))
}

async fn is_stored<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    path: &str,
) -> Result<bool, ToolFailure> {
    let sources = sources_of(scoped, &[project]).await?;
    for source in sources.into_values().flatten() {
        if !files_by_path(scoped, source.id, Some(&[path]))
            .await?
            .is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What was written down about the words of the path.
async fn memory_of<A: Access>(
    scoped: &Scoped<A>,
    project: ProjectId,
    path: &str,
) -> Result<Vec<Hit>, ToolFailure> {
    let request = SearchRequest {
        text: format!("{path} {}", path.replace(['/', '.', '_', '-'], " ")),
        project_id: Some(project.uuid()),
        kinds: vec![KnowledgeKind::MemoryEntry, KnowledgeKind::Insight],
        stacks: None,
        limit: MEMORY_SHOWN,
    };
    Ok(search(scoped, &request).await?)
}

fn companion_lines(findings: &ProjectFindings, path: &str) -> Vec<String> {
    let pairs = findings.co_changes.iter();
    let lines = pairs.filter_map(|pair| {
        let own = pair.paths.iter().position(|one| one == path)?;
        let (other, commits) = (&pair.paths[1 - own], pair.commits[own]);
        let together = pair.together;
        Some(format!(
            "- {other} changed with it in {together} of its {commits} commits"
        ))
    });
    lines.collect()
}

/// Who owns the deepest folder around the path that is known, and the project.
fn owner_lines(findings: &ProjectFindings, path: &str) -> Vec<String> {
    let around = findings.ownership.iter().filter(|owned| {
        let below = path.strip_prefix(owned.folder.as_str());
        owned.folder.is_empty() || below.is_some_and(|below| below.starts_with('/'))
    });
    let deepest = around.max_by_key(|owned| owned.folder.len());
    let line = deepest.map(|owned| {
        let place = match owned.folder.as_str() {
            "" => "the project".to_owned(),
            folder => format!("{folder}/"),
        };
        let (main, share) = (&owned.main_author, (owned.main_share * 100.0).round());
        let (authors, commits) = (owned.authors, owned.commits);
        format!("- {place}: {authors} people in {commits} commits, most by {main} ({share} %)")
    });
    line.into_iter().collect()
}
