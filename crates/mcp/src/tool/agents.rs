//! `agents_section`: the section for AGENTS.md of the latest analysis.

use nyxcore_code_analysis::project_findings_of;
use nyxcore_code_engine::analysis::ProjectAnalysis;
use nyxcore_code_engine::render::agents_section_of;
use nyxcore_projects::PROJECT;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::ToolAnswer;
use super::overview::not_analysed;
use super::pattern::{engine_pattern, patterns_of};
use crate::actor::Scopes;
use crate::answer::{Answer, Budget};
use crate::failure::ToolFailure;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The project, by its id, short name or name. Needed only if there are several.
    project: Option<String>,
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
    let patterns = patterns_of(&scoped, project.id, Vec::new()).await?;
    let count = patterns.len();
    let mut analysis = ProjectAnalysis {
        patterns: patterns.into_iter().map(engine_pattern).collect(),
        commands: findings.commands,
        imports: findings.imports,
        ..ProjectAnalysis::default()
    };
    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    answer.line(
        "Put the lines between the marks into AGENTS.md, in the place of an earlier section.",
    );
    // A part of the section would be useless. So the least informative patterns are left out until the whole section
    // fits.
    loop {
        let section = agents_section_of(&analysis);
        if answer.quote(vec![("file", "AGENTS.md".to_owned())], section) {
            answer.left(count - analysis.patterns.len(), "patterns");
            return Ok(ToolAnswer::text(answer.finish()));
        }
        if analysis.patterns.pop().is_none() && analysis.commands.pop().is_none() {
            return Err(ToolFailure::new(
                "BUDGET_TOO_SMALL",
                "the section does not fit into max_tokens",
                "call again with more max_tokens",
            ));
        }
    }
}
