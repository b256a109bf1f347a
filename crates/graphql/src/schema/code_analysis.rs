//! A code analysis as a run: the files it read and skipped, and how the patterns changed.

use async_graphql::{ComplexObject, Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_code_analysis as analysis;
use nyxcore_code_analysis::CodeAnalysis;
use nyxcore_code_engine as engine;
use nyxcore_projects::ProjectId;
use nyxcore_runs::{Run, RunEvents};
use nyxcore_tenancy::{Cursor, Error, TypedId};

use super::code::{CodePatternNode, in_source, source_load};
use super::connection::child_first;
use super::ids::global_id;
use super::mirror::mirror;
use super::project::ProjectNode;
use super::run::run_object;
use super::run::{EVENTS_MAX, RunErrorNode, RunKindName, RunProgressNode, RunStatusName};
use super::run_attempt::RunAttemptNode;
use super::run_event::RunEventNode;
use super::source::SourceNode;
use super::viewer::UserNode;
use crate::context::operation;

/// The maximum number of pattern changes that one field returns.
const CHANGES_MAX: u64 = 200;

/// An analysis of a project's code.
pub(crate) struct CodeAnalysisNode(pub Run);

impl CodeAnalysisNode {
    async fn detail(&self, context: &Context<'_>) -> Result<CodeAnalysis> {
        let detail = operation(context)
            .loaders()
            .analyses()
            .load_one(self.0.id)
            .await?;
        Ok(detail.ok_or(Error::NotFound("code analysis"))?)
    }
}

run_object! {
    #[Object(name = "CodeAnalysis")]
    CodeAnalysisNode: CodeAnalysis {
        /// The analysed commit.
        async fn commit(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.commit_id)
        }

        /// The number of files that were read and parsed.
        async fn files_analyzed(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_analyzed)
        }

        /// The number of files whose facts were reused from an earlier analysis.
        async fn files_reused(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_reused)
        }

        /// The number of skipped files, such as files that do not parse and generated files.
        async fn files_skipped(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_skipped)
        }

        /// The skipped files, grouped by rule, largest group first.
        async fn skipped(&self, context: &Context<'_>) -> Result<Vec<SkippedFilesNode>> {
            let skipped = self.detail(context).await?.skipped;
            Ok(skipped.into_iter().map(SkippedFilesNode::from).collect())
        }

        /// Problems that did not end the analysis.
        async fn warnings(&self, context: &Context<'_>) -> Result<Vec<AnalysisWarningNode>> {
            let warnings = self.detail(context).await?.warnings;
            Ok(warnings.into_iter().map(AnalysisWarningNode::from).collect())
        }

        /// The number of lines that contain code.
        async fn lines_of_code(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.lines_of_code)
        }

        /// The number of patterns found.
        async fn patterns_found(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.patterns_found)
        }

        /// Whether the patterns were compared with an earlier analysis. False in a project's first analysis, and in
        /// the first with another version of the engine: such differences may come from the engine rather than from
        /// the code.
        async fn patterns_compared(&self, context: &Context<'_>) -> Result<bool> {
            Ok(self.detail(context).await?.patterns_compared)
        }

        /// The number of new patterns.
        async fn patterns_appeared(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.appeared)
        }

        /// The number of patterns whose confidence rose since their last recorded change.
        async fn patterns_strengthened(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.strengthened)
        }

        /// The number of patterns whose confidence fell since their last recorded change.
        async fn patterns_weakened(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.weakened)
        }

        /// The number of patterns that no longer exist.
        async fn patterns_vanished(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.vanished)
        }

        /// The pattern changes, grouped by kind of change, largest change first.
        // Flat: what a macro hands on cannot name the cost of the fields below.
        async fn pattern_changes(
            &self,
            context: &Context<'_>,
            #[graphql(desc = "Only changes of this kind.")] change: Option<PatternChangeName>,
            #[graphql(default = 50, desc = "The maximum number of changes, at most 200.")] first: i64,
        ) -> Result<Vec<CodePatternChangeNode>> {
            let changes = analysis::AnalysisPatternChanges { change: change.map(Into::into) };
            let first = child_first(context, changes, self.0.id, first, None, CHANGES_MAX).await?;
            Ok(first.into_iter().map(CodePatternChangeNode).collect())
        }

        /// MANUAL, or SYNC if a sync with new code started it.
        async fn trigger(&self, context: &Context<'_>) -> Result<&'static str> {
            Ok(self.detail(context).await?.trigger.as_str())
        }
    }
}

/// Files that were skipped by one rule.
#[derive(SimpleObject)]
#[graphql(name = "SkippedFiles")]
pub(crate) struct SkippedFilesNode {
    /// The reason, such as does_not_parse, too_large or vendored.
    reason: &'static str,
    /// The stable name of the rule: the reason, with a suffix if there are several rules for it, such as
    /// vendored/node_modules.
    rule: String,
    /// The number of files.
    files: u32,
    /// The paths of the first files.
    paths: Vec<String>,
}

impl From<engine::listing::SkippedFiles> for SkippedFilesNode {
    fn from(skipped: engine::listing::SkippedFiles) -> Self {
        Self {
            reason: skipped.reason.as_str(),
            rule: skipped.rule,
            files: skipped.files,
            paths: skipped.paths,
        }
    }
}

/// A problem in one part of an analysis. The other parts are valid.
#[derive(SimpleObject)]
#[graphql(name = "AnalysisWarning", complex)]
pub(crate) struct AnalysisWarningNode {
    /// The part: stack, commands, hotspots, co_changes, ownership, imports, duplicates, dead_code, map, patterns or
    /// rules.
    part: String,
    /// The file concerned.
    path: Option<String>,
    #[graphql(skip)]
    source_id: Option<String>,
    /// A description of the problem.
    text: String,
}

in_source!(AnalysisWarningNode);

impl From<analysis::AnalysisWarning> for AnalysisWarningNode {
    fn from(warning: analysis::AnalysisWarning) -> Self {
        Self {
            part: warning.part,
            path: warning.path,
            source_id: warning.source_id,
            text: warning.text,
        }
    }
}

mirror! {
    /// How a pattern changed.
    pub(crate) enum PatternChangeName = "PatternChange" of "analysis::PatternChange" {
        /// The pattern is new.
        Appeared,
        /// The confidence rose by at least 0.05 since the last recorded change.
        Strengthened,
        /// The confidence fell by at least 0.05 since the last recorded change.
        Weakened,
        /// The pattern no longer exists.
        Vanished,
    }
}

/// How consistently a pattern is followed. "41 of 44" means support 41, cases 44.
#[derive(SimpleObject)]
#[graphql(name = "PatternStrength")]
pub(crate) struct PatternStrengthNode {
    /// The number of cases that follow the pattern.
    support: i64,
    /// The number of cases.
    cases: i64,
    /// The lower bound of the 95 % Wilson interval of support over cases.
    confidence: f64,
}

impl From<analysis::PatternStrength> for PatternStrengthNode {
    fn from(strength: analysis::PatternStrength) -> Self {
        Self {
            support: strength.support,
            cases: strength.cases,
            confidence: strength.confidence,
        }
    }
}

/// A change of a pattern, recorded by an analysis.
pub(crate) struct CodePatternChangeNode(pub analysis::CodePatternChange);

#[Object(name = "CodePatternChange")]
impl CodePatternChangeNode {
    /// The analysis that recorded the change.
    async fn analysis(&self, context: &Context<'_>) -> Result<CodeAnalysisNode> {
        let runs = operation(context).loaders().runs();
        let run = runs.load_one(self.0.analysis_id).await?;
        Ok(CodeAnalysisNode(run.ok_or(Error::NotFound("run"))?))
    }

    /// The pattern in its current or last state.
    async fn pattern(&self, context: &Context<'_>) -> Result<CodePatternNode> {
        let patterns = operation(context).loaders().code_patterns();
        let pattern = patterns.load_one(self.0.pattern_id).await?;
        Ok(CodePatternNode(pattern.ok_or(Error::NotFound("pattern"))?))
    }

    /// The kind of change.
    async fn change(&self) -> PatternChangeName {
        self.0.change.into()
    }

    /// The subject of the pattern.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The title of the pattern at the time of the change.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The values at the previous recorded change. Null if the pattern appeared.
    async fn before(&self) -> Option<PatternStrengthNode> {
        self.0.before.map(Into::into)
    }

    /// The values after the change. Null if the pattern vanished.
    async fn after(&self) -> Option<PatternStrengthNode> {
        self.0.after.map(Into::into)
    }
}
