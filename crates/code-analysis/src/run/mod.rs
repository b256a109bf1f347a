//! Executes an analysis: lists the files, computes missing facts, summarizes them and stores the result.
//!
//! Every step can be repeated after a crash: facts are stored as they are computed, and the result is replaced as a
//! whole at the end.

mod changes;
mod facts;
mod input;
mod patterns;
mod rules;
mod save;
mod scan;
mod skipped;
mod warnings;

use std::pin::Pin;

use chrono::TimeDelta;
use nyxcore_code_engine::analysis::{ProjectAnalysis, Step, project_summarize_checked};
use nyxcore_code_engine::project::ProjectInput;
use nyxcore_runs::{RunContext, RunFailure, RunHandler, RunKind};
use nyxcore_tenancy::Repository;

use super::repository::CodeAnalyses;
use crate::registration::CODE_ANALYSIS_RUN;

/// The default of [`AnalysisOptions::vanished_kept`]: long enough for a branch that returns, and for readers of a note
/// that cites the pattern.
const VANISHED_KEPT: TimeDelta = TimeDelta::days(90);

/// How the work is divided, and how long vanished patterns are kept.
#[derive(Debug, Clone)]
pub struct AnalysisOptions {
    /// How many files are parsed at once; 0 means one per core.
    pub jobs: usize,
    /// The maximum number of files that are read, parsed and stored together. The run can be cancelled between any two
    /// files.
    pub batch_files: usize,
    /// The maximum number of bytes of source in one batch. A single larger file is a batch of its own.
    pub batch_bytes: usize,
    /// How long a vanished pattern keeps its row, its id and its recorded changes: until the project's first analysis
    /// after that time.
    pub vanished_kept: TimeDelta,
}

impl Default for AnalysisOptions {
    /// A batch is parsed in about half a second on one core, and held in memory. Vanished patterns are kept for 90
    /// days.
    fn default() -> Self {
        Self {
            jobs: 0,
            batch_files: 500,
            batch_bytes: 4 << 20,
            vanished_kept: VANISHED_KEPT,
        }
    }
}

/// A function that summarizes a project. Between its steps it calls the closure, which fails if the run was cancelled.
pub type Summarize = fn(
    &ProjectInput,
    &(dyn Fn() -> Result<(), RunFailure> + Sync),
) -> Result<ProjectAnalysis, RunFailure>;

/// Executes runs of the kind `CODE_ANALYSIS`.
#[derive(Debug)]
pub struct AnalysisHandler {
    options: AnalysisOptions,
    summarize: Summarize,
}

impl Default for AnalysisHandler {
    fn default() -> Self {
        Self::new(AnalysisOptions::default())
    }
}

impl AnalysisHandler {
    /// Creates a handler.
    #[must_use]
    pub fn new(options: AnalysisOptions) -> Self {
        Self {
            options,
            summarize: |input, check| project_summarize_checked(input, check),
        }
    }

    /// Replaces [`project_summarize_checked`]. Tests pass a function whose steps fail.
    #[must_use]
    pub fn summarize(self, summarize: Summarize) -> Self {
        Self { summarize, ..self }
    }

    async fn analyze(&self, context: &RunContext) -> Result<(), RunFailure> {
        context.phase("scan", None, None).await?;
        let scoped = context.read().await?;
        let analysis = CodeAnalyses::require(&scoped, context.run().id).await?;
        let scan = scan::scan(&scoped, analysis.project_id).await?;
        drop(scoped);

        let total = i64::try_from(scan.files.len()).unwrap_or(i64::MAX);
        context.phase("facts", Some(total), Some("files")).await?;
        // An earlier attempt of this run has already counted the facts that it stored.
        let before = analysis.files_analyzed;
        let facts = facts::facts_complete(context, &self.options, &scan.files, before).await?;

        let project = analysis.project_id;
        let rules = rules::rules_match(context, &self.options, project, &scan).await?;

        context
            .phase("summarize", Some(total), Some("files"))
            .await?;
        let (mut input, mut skipped) = input::input_read(context, &scan, &facts.panicked).await?;
        // Most files first. The sort is stable: equal counts stay in the order of their rules.
        skipped.sort_by_key(|one| std::cmp::Reverse(one.files));
        if let Some((level, text)) = skipped::message(&skipped) {
            context.message(level, text).await?;
        }
        let with_facts = i64::try_from(input.files.len()).unwrap_or(i64::MAX);
        let rules = facts::blocking(move || {
            let report = rules.report(&input.files);
            (input, report)
        });
        let (input_read, report) = rules.await?;
        input = input_read;
        let rules_failed = report.is_none();
        input.rules = report.unwrap_or_default();
        let cancelled = context.cancelled().clone();
        let summarize = self.summarize;
        let found = facts::blocking(move || {
            summarize(&input, &|| {
                if cancelled.is_cancelled() {
                    Err(RunFailure::stopped())
                } else {
                    Ok(())
                }
            })
        });
        let mut found = found.await??;
        if rules_failed {
            found.failed.push(Step::Rules);
        }
        scan.localize(&mut found);
        let warnings = warnings::of(&found);
        warnings::tell(context, &warnings).await?;

        context.phase("save", None, None).await?;
        let account = save::Account {
            heads: scan.heads,
            files_analyzed: facts.analyzed,
            files_reused: (with_facts - facts.analyzed).max(0),
            skipped,
            warnings,
            vanished_kept: self.options.vanished_kept,
        };
        let scoped = context.write().await?;
        save::result_save(context, &scoped, &analysis, account, found).await?;
        Ok(scoped.commit().await?)
    }
}

impl RunHandler for AnalysisHandler {
    fn kind(&self) -> RunKind {
        CODE_ANALYSIS_RUN
    }

    fn run<'a>(
        &'a self,
        context: &'a RunContext,
    ) -> Pin<Box<dyn Future<Output = Result<(), RunFailure>> + Send + 'a>> {
        Box::pin(self.analyze(context))
    }
}
