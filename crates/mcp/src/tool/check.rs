//! `check`: the changes of a folder against the project's own patterns. Only a process with access to the folder offers
//! it, and so the HTTP server does not. The patterns are counted over the whole tree, not over the changed files.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use nyxcore_code_engine::check::CheckReport;
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};

use super::ToolAnswer;
use crate::answer::{Answer, Budget, clipped};
use crate::failure::ToolFailure;

/// Why a folder could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRefusal {
    /// A stable code.
    pub code: String,
    /// The message, a sentence.
    pub message: String,
}

/// Compares the folder in which the process was started with a commit. The argument is the commit as a git revision.
pub type FolderCheck = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<CheckReport, CheckRefusal>> + Send>>
        + Send
        + Sync,
>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The commit to compare the folder with: a branch, a tag, a commit id or HEAD~3; HEAD by default.
    base: Option<String>,
    /// Only deviations from patterns at least this sure, 0 to 1; 0.6 by default.
    confidence: Option<f64>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

/// The minimum confidence of patterns, the same as in the section for AGENTS.md.
const CONFIDENCE_DEFAULT: f64 = 0.6;

/// The deviations that fit.
#[derive(Serialize, JsonSchema)]
pub(super) struct Listing {
    /// The commit that the folder was compared with.
    base: String,
    /// The deviations, of the surest patterns first.
    deviations: Vec<DeviationEntry>,
    /// How many more there are.
    left_out: usize,
}

#[derive(Serialize, JsonSchema)]
struct DeviationEntry {
    /// The file.
    path: String,
    /// The first line.
    start_line: u32,
    /// The pattern as a rule.
    statement: String,
    /// The places that follow it.
    support: u32,
    /// All places.
    cases: u32,
    /// A place that shows it, as path:line.
    #[serde(skip_serializing_if = "Option::is_none")]
    exemplar: Option<String>,
}

pub(super) async fn run(
    check: Option<&FolderCheck>,
    arguments: Arguments,
) -> Result<ToolAnswer, ToolFailure> {
    let check = check.ok_or_else(|| {
        ToolFailure::new(
            "CHECK_NEEDS_FOLDER",
            "a server has no working folder to check",
            "run `nyxcore check` in the folder, or use `nyxcore mcp` there",
        )
    })?;
    let base = arguments.base.unwrap_or_else(|| "HEAD".to_owned());
    let report = check(base).await.map_err(|refusal| {
        let advice = "pass a commit that the repository has, in a folder of a repository";
        ToolFailure::new(refusal.code, refusal.message, advice)
    })?;
    let least = arguments.confidence.unwrap_or(CONFIDENCE_DEFAULT);
    let found = report
        .deviations
        .iter()
        .filter(|one| one.confidence >= least);
    let mut deviations: Vec<DeviationEntry> = found
        .map(|one| {
            let exemplar = one.exemplars.first();
            DeviationEntry {
                path: one.path.clone(),
                start_line: one.start_line,
                statement: clipped(&one.statement, 300),
                support: one.support,
                cases: one.cases,
                exemplar: exemplar.map(|place| format!("{}:{}", place.path, place.start_line)),
            }
        })
        .collect();
    let lines: Vec<String> = deviations.iter().map(line).collect();
    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    let commit = report.base.get(..12).unwrap_or(&report.base);
    answer.line(match deviations.len() {
        0 => format!("The folder follows the patterns of the project at {commit}."),
        count => format!("{count} deviations from patterns that held at {commit}."),
    });
    let taken = answer.quote_list(vec![], lines.iter().map(String::as_str), usize::MAX);
    let left_out = deviations.len() - taken;
    deviations.truncate(taken);
    answer.left(left_out, "deviations");
    let listing = Listing {
        base: report.base,
        deviations,
        left_out,
    };
    Ok(ToolAnswer::with(answer.finish(), &listing))
}

fn line(one: &DeviationEntry) -> String {
    let see = one.exemplar.as_ref().map(|place| format!("; see {place}"));
    let (path, at) = (&one.path, one.start_line);
    format!(
        "{path}:{at} {} {} of {} do{}",
        one.statement,
        one.support,
        one.cases,
        see.unwrap_or_default()
    )
    .replace(['\n', '\r'], " ")
}
