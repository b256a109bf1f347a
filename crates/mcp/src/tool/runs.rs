//! `run_status`: the progress of long-running work.

use nyxcore_runs::{RUN, Run, RunFilter, RunId, RunStatus, Runs, run_list};
use nyxcore_tenancy::{PageRequest, Repository, TypedId};
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};

use super::ToolAnswer;
use crate::actor::Scopes;
use crate::answer::{Answer, Budget, line_of};
use crate::failure::ToolFailure;

/// The number of runs of a call that names none.
const RUNS_DEFAULT: u64 = 5;
/// The maximum number of runs of one call.
const RUNS_MOST: u64 = 50;
/// Bytes of an error's message.
const MESSAGE_BYTES: usize = 300;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The id of one run, such as run_01h455vb4pex5vsknk084sn02q. Without it, the latest runs are listed.
    run: Option<String>,
    /// Only runs of this project, by its id, short name or name; without it, of the whole tenant.
    project: Option<String>,
    /// The maximum number of runs, 1 to 50; 5 by default.
    limit: Option<u64>,
    /// The maximum length of the answer in tokens of four bytes, 200 to 20,000; 2,000 by default.
    max_tokens: Option<u32>,
}

/// The runs that fit.
#[derive(Serialize, JsonSchema)]
pub(super) struct Listing {
    /// The runs, newest first.
    runs: Vec<RunEntry>,
    /// How many more were asked for.
    left_out: usize,
}

#[derive(Serialize, JsonSchema)]
struct RunEntry {
    /// The id.
    id: String,
    /// What it does: SYNC, CODE_ANALYSIS, NOTE_ENRICHMENT and so on.
    kind: String,
    /// QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
    status: &'static str,
    /// When it was asked for, in UTC.
    created_at: String,
    /// When it ended, in UTC; absent while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    /// The phase that it is in or ended in.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    /// How much of the phase is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<i64>,
    /// Of how much, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    /// The code of what it failed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    /// What it failed with, clipped to 300 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn run(scopes: &Scopes, arguments: Arguments) -> Result<ToolAnswer, ToolFailure> {
    let id = arguments.run.as_deref().map(RunId::parse).transpose()?;
    let scoped = scopes.read(RUN).await?;
    let runs = match id {
        Some(id) => vec![Runs::require(&scoped, id).await?],
        None => {
            let project = scopes
                .project_optional(&scoped, arguments.project.as_deref())
                .await?;
            let filter = RunFilter {
                project_id: project.map(|project| project.id.uuid()),
                ..RunFilter::default()
            };
            let limit = arguments.limit.unwrap_or(RUNS_DEFAULT).clamp(1, RUNS_MOST);
            run_list(&scoped, &filter, &PageRequest::first(limit))
                .await?
                .into_items()
        }
    };
    let mut entries: Vec<RunEntry> = runs.into_iter().map(entry).collect();
    let lines: Vec<String> = entries.iter().map(line).collect();
    let mut answer = Answer::new(Budget::of(arguments.max_tokens));
    answer.line(format!("{} runs, newest first.", entries.len()));
    let taken = answer.quote_list(vec![], lines.iter().map(String::as_str), usize::MAX);
    let left_out = entries.len() - taken;
    entries.truncate(taken);
    answer.left(left_out, "runs");
    Ok(ToolAnswer::with(
        answer.finish(),
        &Listing {
            runs: entries,
            left_out,
        },
    ))
}

fn entry(run: Run) -> RunEntry {
    let progress = run.progress.as_ref();
    RunEntry {
        id: run.id.to_string(),
        kind: run.kind.as_str().to_owned(),
        status: status(run.status),
        created_at: run.created_at.to_rfc3339(),
        finished_at: run.finished_at.map(|time| time.to_rfc3339()),
        phase: progress.map(|progress| progress.phase.clone()),
        done: progress.map(|progress| progress.done),
        total: progress.and_then(|progress| progress.total),
        error_code: run.error.as_ref().map(|error| error.code.clone()),
        error: run
            .error
            .map(|error| line_of(&error.message, MESSAGE_BYTES)),
    }
}

fn line(entry: &RunEntry) -> String {
    let mut line = format!("{} {} {}", entry.id, entry.kind, entry.status);
    if let (None, Some(phase), Some(done)) = (&entry.finished_at, &entry.phase, entry.done) {
        let total = entry.total.map(|total| format!(" of {total}"));
        line.push_str(&format!(", {phase} {done}{}", total.unwrap_or_default()));
    }
    let ended = entry
        .finished_at
        .as_ref()
        .map(|time| format!(", ended {time}"));
    line.push_str(&format!(
        ", asked for {}{}",
        entry.created_at,
        ended.unwrap_or_default()
    ));
    if let (Some(code), Some(error)) = (&entry.error_code, &entry.error) {
        line.push_str(&format!(": {code}: {error}"));
    }
    line
}

const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "QUEUED",
        RunStatus::Running => "RUNNING",
        RunStatus::Succeeded => "SUCCEEDED",
        RunStatus::Failed => "FAILED",
        RunStatus::Cancelled => "CANCELLED",
    }
}
