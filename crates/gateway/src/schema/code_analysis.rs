//! An analysis of a project's code as a run: what it looked at, what it left out, and how the patterns changed.

use async_graphql::{ComplexObject, Context, Enum, ID, Object, Result, SimpleObject};
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
use super::project::ProjectNode;
use super::run::run_object;
use super::run::{EVENTS_MAX, RunErrorNode, RunKindName, RunProgressNode, RunStatusName};
use super::run_attempt::RunAttemptNode;
use super::run_event::RunEventNode;
use super::source::SourceNode;
use super::viewer::UserNode;
use crate::context::operation;

/// The most changes of patterns that one field gives.
const CHANGES_MAX: u64 = 200;

/// An analysis of a project's code.
pub(crate) struct CodeAnalysisNode(pub Run);

impl CodeAnalysisNode {
    async fn detail(&self, context: &Context<'_>) -> Result<CodeAnalysis> {
        let detail = operation(context)
            .loaders()
            .analyses
            .load_one(self.0.id)
            .await?;
        Ok(detail.ok_or(Error::NotFound("code analysis"))?)
    }
}

run_object! {
    #[Object(name = "CodeAnalysis")]
    CodeAnalysisNode: CodeAnalysis {
        /// The commit whose code it looked at.
        async fn commit(&self, context: &Context<'_>) -> Result<Option<String>> {
            Ok(self.detail(context).await?.commit_id)
        }

        /// Files it read and parsed.
        async fn files_analyzed(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_analyzed)
        }

        /// Files whose facts were known already.
        async fn files_reused(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_reused)
        }

        /// Files it left out: they do not parse, or are generated.
        async fn files_skipped(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.files_skipped)
        }

        /// The files it left out by the rule that says so, most first.
        async fn skipped(&self, context: &Context<'_>) -> Result<Vec<SkippedFilesNode>> {
            let skipped = self.detail(context).await?.skipped;
            Ok(skipped.into_iter().map(SkippedFilesNode::from).collect())
        }

        /// What went wrong without ending it.
        async fn warnings(&self, context: &Context<'_>) -> Result<Vec<AnalysisWarningNode>> {
            let warnings = self.detail(context).await?.warnings;
            Ok(warnings.into_iter().map(AnalysisWarningNode::from).collect())
        }

        /// Lines with code on them.
        async fn lines_of_code(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.lines_of_code)
        }

        /// Patterns it found.
        async fn patterns_found(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.patterns_found)
        }

        /// Whether the patterns were compared with those of an earlier analysis. Not so in a project's first, and in the first by another
        /// version of the engine: what differs then may be the engine's doing and not the team's.
        async fn patterns_compared(&self, context: &Context<'_>) -> Result<bool> {
            Ok(self.detail(context).await?.patterns_compared)
        }

        /// Patterns that were not there before.
        async fn patterns_appeared(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.appeared)
        }

        /// Patterns that are kept better than when they were last told of.
        async fn patterns_strengthened(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.strengthened)
        }

        /// Patterns that are kept less well than when they were last told of.
        async fn patterns_weakened(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.weakened)
        }

        /// Patterns that are there no more.
        async fn patterns_vanished(&self, context: &Context<'_>) -> Result<i64> {
            Ok(self.detail(context).await?.pattern_changes.vanished)
        }

        /// How the patterns changed: by what happened, and of those that changed the most first.
        // Flat: what a macro hands on cannot name the cost of the fields below.
        async fn pattern_changes(
            &self,
            context: &Context<'_>,
            #[graphql(desc = "Only changes of this sort.")] change: Option<PatternChangeName>,
            #[graphql(default = 50, desc = "At most this many, and no more than 200.")] first: i64,
        ) -> Result<Vec<CodePatternChangeNode>> {
            let changes = analysis::AnalysisPatternChanges { change: change.map(Into::into) };
            let first = child_first(context, changes, self.0.id, first, None, CHANGES_MAX).await?;
            Ok(first.into_iter().map(CodePatternChangeNode).collect())
        }

        /// MANUAL, or SYNC where a sync brought new code.
        async fn trigger(&self, context: &Context<'_>) -> Result<&'static str> {
            Ok(self.detail(context).await?.trigger.as_str())
        }
    }
}

/// Files that were left out by one rule.
#[derive(SimpleObject)]
#[graphql(name = "SkippedFiles")]
pub(crate) struct SkippedFilesNode {
    /// The reason, such as does_not_parse, too_large or vendored.
    reason: &'static str,
    /// The rule's stable name: the reason, and what it was told by where there are several ways, such as vendored/node_modules.
    rule: String,
    /// How many.
    files: u32,
    /// The first of them.
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

/// What went wrong in a part of an analysis while the rest stands.
#[derive(SimpleObject)]
#[graphql(name = "AnalysisWarning", complex)]
pub(crate) struct AnalysisWarningNode {
    /// The part: stack, commands, hotspots, co_changes, ownership, imports, duplicates, dead_code, map, patterns or rules.
    part: String,
    /// The file it is about.
    path: Option<String>,
    #[graphql(skip)]
    source_id: Option<String>,
    /// What went wrong.
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

/// How a pattern changed.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "PatternChange", remote = "analysis::PatternChange")]
pub(crate) enum PatternChangeName {
    /// It was not there before.
    Appeared,
    /// It is kept better: its confidence rose by five points of a hundred or more since it was last told of.
    Strengthened,
    /// It is kept less well: its confidence fell by as much.
    Weakened,
    /// It is there no more.
    Vanished,
}

/// How well a pattern is kept: "41 of 44" is support 41, cases 44.
#[derive(SimpleObject)]
#[graphql(name = "PatternStrength")]
pub(crate) struct PatternStrengthNode {
    /// How many cases follow it.
    support: i64,
    /// How many cases there are.
    cases: i64,
    /// The lower bound of the Wilson interval at 95 % on support of cases.
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

/// What an analysis told of a pattern that changed.
pub(crate) struct CodePatternChangeNode(pub analysis::CodePatternChange);

#[Object(name = "CodePatternChange")]
impl CodePatternChangeNode {
    /// The analysis that told it.
    async fn analysis(&self, context: &Context<'_>) -> Result<CodeAnalysisNode> {
        let runs = &operation(context).loaders().runs;
        let run = runs.load_one(self.0.analysis_id).await?;
        Ok(CodeAnalysisNode(run.ok_or(Error::NotFound("run"))?))
    }

    /// The pattern as it is now, or was last.
    async fn pattern(&self, context: &Context<'_>) -> Result<CodePatternNode> {
        let patterns = &operation(context).loaders().code_patterns;
        let pattern = patterns.load_one(self.0.pattern_id).await?;
        Ok(CodePatternNode(pattern.ok_or(Error::NotFound("pattern"))?))
    }

    /// How it changed.
    async fn change(&self) -> PatternChangeName {
        self.0.change.into()
    }

    /// What the pattern is about.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Its title, as it was then.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it was when it was last told of; none where it appeared.
    async fn before(&self) -> Option<PatternStrengthNode> {
        self.0.before.map(Into::into)
    }

    /// What it was then; none where it vanished.
    async fn after(&self) -> Option<PatternStrengthNode> {
        self.0.after.map(Into::into)
    }
}
