//! Problems in parts of an analysis that did not end it. They are stored with the run and reported.

use nyxcore_code_engine::analysis::{ProjectAnalysis, Step};
use nyxcore_code_engine::rules::{RuleError, RuleFinding};
use nyxcore_runs::{Level, RunContext, RunFailure};

use crate::model::AnalysisWarning;

/// The maximum number of stored warnings of one run.
const WARNINGS_CAP: usize = 50;

/// The warnings of an analysis: failed steps, then errors in its rules, then rules that were stopped in some files.
pub(super) fn of(found: &ProjectAnalysis) -> Vec<AnalysisWarning> {
    let steps = found.failed.iter().map(|step| AnalysisWarning {
        part: step.as_str().to_owned(),
        path: None,
        source_id: None,
        text: format!(
            "the step {} failed, and the previous result is kept; see the server's log",
            step.as_str()
        ),
    });
    let errors = found.rules.errors.iter().map(of_error);
    let given_up = found.rules.rules.iter().filter_map(of_given_up);
    let mut all: Vec<AnalysisWarning> = steps.chain(errors).chain(given_up).collect();
    if all.len() > WARNINGS_CAP {
        let more = all.len() - (WARNINGS_CAP - 1);
        all.truncate(WARNINGS_CAP - 1);
        all.push(AnalysisWarning {
            part: Step::Rules.as_str().to_owned(),
            path: None,
            source_id: None,
            text: format!("{more} more warnings are not shown"),
        });
    }
    all
}

fn of_error(error: &RuleError) -> AnalysisWarning {
    let at = error
        .line
        .map_or_else(String::new, |line| format!(" (line {line})"));
    AnalysisWarning {
        part: Step::Rules.as_str().to_owned(),
        path: Some(error.path.clone()),
        source_id: error.source_id.clone(),
        text: format!("{}{at}", error.reason),
    }
}

fn of_given_up(rule: &RuleFinding) -> Option<AnalysisWarning> {
    let files = match rule.given_up {
        0 => return None,
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    Some(AnalysisWarning {
        part: Step::Rules.as_str().to_owned(),
        path: Some(rule.path.clone()),
        source_id: rule.source_id.clone(),
        text: format!(
            "the rule {} takes too many steps and was stopped in {files}",
            rule.id
        ),
    })
}

/// Writes each warning as a message of the run.
pub(super) async fn tell(
    context: &RunContext,
    warnings: &[AnalysisWarning],
) -> Result<(), RunFailure> {
    if warnings.is_empty() {
        return Ok(());
    }
    let scoped = context.write().await?;
    for AnalysisWarning {
        part, path, text, ..
    } in warnings
    {
        let about = path.as_deref().unwrap_or(part);
        context
            .message_in(&scoped, Level::Warning, format!("{about}: {text}"))
            .await?;
    }
    Ok(scoped.commit().await?)
}
