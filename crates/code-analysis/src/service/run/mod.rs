//! Carrying out an analysis: which files there are, the facts of those that have none yet, what they come to, and keeping that.
//!
//! Every step may be done again after a crash: facts are kept as they are found, and the result is replaced as a whole at the end.

mod facts;
mod input;
mod save;
mod scan;

use std::collections::BTreeMap;
use std::pin::Pin;

use nyxcore_runs::{Level, RunContext, RunFailure, RunHandler, RunKind};
use nyxcore_tenancy::Repository;

use super::repository::CodeAnalyses;
use crate::{Skip, project_summarize_checked};

/// How the work is cut.
#[derive(Debug, Clone)]
pub struct AnalysisOptions {
    /// Files that are parsed at once; 0 is one a core.
    pub jobs: usize,
    /// Files that are read, parsed and kept together, at the most. The run can be cancelled between any two files.
    pub batch_files: usize,
    /// Bytes of source in one batch, at the most, but for a single file that is larger.
    pub batch_bytes: usize,
}

impl Default for AnalysisOptions {
    /// A batch is parsed in about half a second on one core, and held in memory.
    fn default() -> Self {
        Self {
            jobs: 0,
            batch_files: 500,
            batch_bytes: 4 << 20,
        }
    }
}

/// Carries out runs of the kind `CODE_ANALYSIS`.
#[derive(Debug, Default)]
pub struct AnalysisHandler {
    options: AnalysisOptions,
}

impl AnalysisHandler {
    /// A handler.
    #[must_use]
    pub fn new(options: AnalysisOptions) -> Self {
        Self { options }
    }

    async fn analyze(&self, context: &RunContext) -> Result<(), RunFailure> {
        context.phase("scan", None, None).await?;
        let scoped = context.read().await?;
        let analysis = CodeAnalyses::require(&scoped, context.run().id).await?;
        let scan = scan::scan(&scoped, analysis.project_id).await?;
        drop(scoped);

        let total = i64::try_from(scan.files.len()).unwrap_or(i64::MAX);
        context.phase("facts", Some(total), Some("files")).await?;
        // An attempt that was broken off has analysed what is kept now.
        let before = analysis.files_analyzed;
        let analyzed = facts::facts_complete(context, &self.options, &scan.files, before).await?;

        context
            .phase("summarize", Some(total), Some("files"))
            .await?;
        let (input, skipped) = input::input_read(context, &scan).await?;
        if let Some((level, text)) = skipped_message(&skipped) {
            context.message(level, text).await?;
        }
        let with_facts = i64::try_from(input.files.len()).unwrap_or(i64::MAX);
        let cancelled = context.cancelled().clone();
        let found = facts::blocking(move || {
            project_summarize_checked(&input, || {
                if cancelled.is_cancelled() {
                    Err(RunFailure::stopped())
                } else {
                    Ok(())
                }
            })
        });
        let mut found = found.await??;
        scan.localize(&mut found);

        context.phase("save", None, None).await?;
        let counts = save::Counts {
            files_analyzed: analyzed,
            files_reused: (with_facts - analyzed).max(0),
            files_skipped: i64::try_from(skipped.values().sum::<u64>()).unwrap_or(i64::MAX),
        };
        let scoped = context.write().await?;
        save::result_save(&scoped, &analysis, scan.heads, counts, found).await?;
        Ok(scoped.commit().await?)
    }
}

impl RunHandler for AnalysisHandler {
    fn kind(&self) -> RunKind {
        RunKind::CodeAnalysis
    }

    fn run<'a>(
        &'a self,
        context: &'a RunContext,
    ) -> Pin<Box<dyn Future<Output = Result<(), RunFailure>> + Send + 'a>> {
        Box::pin(self.analyze(context))
    }
}

/// "3 files skipped: 2 do not parse, 1 nested too deeply". A warning where somebody may have expected otherwise.
fn skipped_message(skipped: &BTreeMap<Skip, u64>) -> Option<(Level, String)> {
    let all: u64 = skipped.values().sum();
    if all == 0 {
        return None;
    }
    let expected = |reason: &Skip| {
        matches!(
            reason,
            Skip::Generated | Skip::Minified | Skip::Vendored | Skip::Binary
        )
    };
    let level = if skipped.keys().all(expected) {
        Level::Info
    } else {
        Level::Warning
    };
    let mut reasons: Vec<(&Skip, &u64)> = skipped.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
    let reasons: Vec<String> = reasons
        .into_iter()
        .map(|(reason, count)| match (reason, count) {
            (Skip::DoesNotParse, 2..) => format!("{count} do not parse"),
            _ => format!("{count} {reason}"),
        })
        .collect();
    let files = if all == 1 { "file" } else { "files" };
    Some((
        level,
        format!("{all} {files} skipped: {}", reasons.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_told_in_one_sentence_most_first() {
        assert_eq!(skipped_message(&BTreeMap::new()), None);
        let skipped = BTreeMap::from([(Skip::TooDeep, 1), (Skip::DoesNotParse, 2)]);
        let text = "3 files skipped: 2 do not parse, 1 nested too deeply".to_owned();
        assert_eq!(skipped_message(&skipped), Some((Level::Warning, text)));
        let skipped = BTreeMap::from([(Skip::Vendored, 1)]);
        let text = "1 file skipped: 1 vendored".to_owned();
        assert_eq!(skipped_message(&skipped), Some((Level::Info, text)));
    }
}
