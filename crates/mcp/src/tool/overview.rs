//! `project_overview`: the stack, commands, layers, hotspots and definitions of a project.

use std::collections::HashSet;

use nyxcore_code_analysis::{ProjectFindings, ProjectHotspots, project_findings_of};
use nyxcore_code_engine::project::{CommandPurpose, RankedDefinition, TOKEN_BYTES, repository_map};
use nyxcore_projects::PROJECT;
use nyxcore_tenancy::{ChildList, PageRequest};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::ToolAnswer;
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// The number of hotspots that are named.
const HOTSPOTS_SHOWN: u64 = 5;
/// The number of layers that are named, from the top.
const LAYERS_SHOWN: usize = 10;
/// Bytes of one line, such as a command of a build.
const LINE_BYTES: usize = 300;
/// The share of the room that the lines before the map may take. A third is left for the map.
const BEFORE_MAP: (usize, usize) = (2, 3);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The project, by its id, short name or name. Needed only if there are several.
    project: Option<String>,
    /// Words of names or parts of paths: the map begins with the definitions that have one of them.
    focus: Option<Vec<String>>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let scoped = scopes.read(PROJECT).await?;
    let project = scopes
        .project(&scoped, arguments.project.as_deref())
        .await?;
    let findings = project_findings_of(&scoped, &[project.id])
        .await?
        .remove(&project.id);
    let findings = findings.ok_or_else(not_analysed)?;
    let few = PageRequest::first(HOTSPOTS_SHOWN);
    let hotspots = ProjectHotspots
        .page(&scoped, project.id, &few)
        .await?
        .into_items();

    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    let (slug, id, run) = (&project.slug, project.id, findings.analysis_id);
    answer.line(format!("Project {slug} ({id}), as of analysis {run}."));
    let mut lines = vec![stack_line(&findings)];
    lines.extend(command_lines(&findings));
    lines.extend(layer_lines(&findings));
    // A file with one commit does not change often, even if it leads the list.
    let often = hotspots.iter().filter(|hotspot| hotspot.commits > 1);
    lines.extend(often.map(|hotspot| {
        let (path, commits) = (&hotspot.path, hotspot.commits);
        format!("changes often and is complex: {path} ({commits} commits in a year)")
    }));
    let lines: Vec<String> = lines.iter().map(|line| clipped(line, LINE_BYTES)).collect();
    let share = answer.room() * BEFORE_MAP.0 / BEFORE_MAP.1;
    let shown = answer.quote_list(vec![], lines.iter().map(String::as_str), share);
    answer.left(lines.len() - shown, "lines of stack, commands and layers");

    let map = focused(&findings.map, &arguments.focus.unwrap_or_default());
    let name = vec![(
        "map",
        "file, then kind, name and line of its definitions".to_owned(),
    )];
    // The quotation's boundaries take some of the room.
    let tokens = answer.room().saturating_sub(160) / TOKEN_BYTES;
    let text = repository_map(&map, tokens);
    let whole = repository_map(&map, usize::MAX);
    let left = definitions(&whole) - definitions(&text);
    if !text.is_empty() {
        answer.quote(name, text);
    }
    answer.left(left, "definitions of the map");
    Ok(ToolAnswer::text(answer.finish()))
}

/// Counts the definitions of a map, which are its indented lines.
fn definitions(map: &str) -> usize {
    map.lines().filter(|line| line.starts_with("  ")).count()
}

/// The failure of tools that need the findings of an analysis.
pub(super) fn not_analysed() -> ToolFailure {
    ToolFailure::new(
        "NOT_ANALYSED",
        "no analysis of this project has completed",
        "see `run_status` whether a sync or an analysis is under way, and call again after it",
    )
}

/// Moves the definitions that match the focus to the front; both parts keep their order. A name occurs once for each
/// file, at its highest-ranked place: a getter and its setter and the overloads of a function count once.
fn focused(ranked: &[RankedDefinition], focus: &[String]) -> Vec<RankedDefinition> {
    let words: Vec<String> = focus
        .iter()
        .map(|word| word.trim().to_lowercase())
        .collect();
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    let is_named = |one: &&RankedDefinition| {
        let (name, path) = (one.name.to_lowercase(), one.path.to_lowercase());
        words
            .iter()
            .any(|word| name.contains(word) || path.contains(word))
    };
    let mut told = HashSet::new();
    let once = ranked
        .iter()
        .filter(|one| told.insert((&one.source_id, &one.path, &one.name)));
    let (first, rest): (Vec<_>, Vec<_>) = once.partition(is_named);
    first.into_iter().chain(rest).cloned().collect()
}

fn stack_line(findings: &ProjectFindings) -> String {
    let stack = findings.technologies.iter().map(|one| match &one.version {
        Some(version) => format!("{} {version}", one.name),
        None => one.name.clone(),
    });
    format!("stack: {}", stack.collect::<Vec<_>>().join(", "))
}

fn command_lines(findings: &ProjectFindings) -> Vec<String> {
    let line = |one: &nyxcore_code_engine::project::ProjectCommand| {
        let at = match one.line {
            Some(line) => format!("{}:{line}", one.path),
            None => one.path.clone(),
        };
        format!("{}: {} ({at})", purpose(one.purpose), one.command)
    };
    findings.commands.iter().map(line).collect()
}

fn layer_lines(findings: &ProjectFindings) -> Vec<String> {
    let layers = &findings.imports.layers;
    if layers.len() < 2 {
        return Vec::new();
    }
    let line = |layer: &nyxcore_code_engine::project::Layer| {
        format!(
            "layer {}, imports only lower ones: {}",
            layer.level,
            layer.folders.join(", ")
        )
    };
    layers.iter().rev().take(LAYERS_SHOWN).map(line).collect()
}

const fn purpose(purpose: CommandPurpose) -> &'static str {
    match purpose {
        CommandPurpose::Install => "install",
        CommandPurpose::Build => "build",
        CommandPurpose::Test => "test",
        CommandPurpose::Lint => "lint",
        CommandPurpose::Format => "format",
        CommandPurpose::Run => "run",
    }
}

#[cfg(test)]
mod tests {
    use nyxcore_code_engine::facts::DefinitionKind;

    use super::*;

    fn definition(name: &str, start_line: u32) -> RankedDefinition {
        RankedDefinition {
            rank: 0.1,
            kind: DefinitionKind::Method,
            name: name.into(),
            path: "src/options.ts".into(),
            source_id: None,
            start_line,
            end_line: start_line,
            used_in: 1,
        }
    }

    #[test]
    fn a_getter_and_its_setter_are_one_line() {
        let ranked = [
            definition("Options.url", 4),
            definition("Options.url", 9),
            definition("Options.form", 20),
        ];
        let lines = |focus: &[String]| -> Vec<u32> {
            let told = focused(&ranked, focus);
            told.iter().map(|one| one.start_line).collect()
        };
        assert_eq!(lines(&[]), [4, 20]);
        assert_eq!(lines(&["form".into()]), [20, 4]);
    }
}
