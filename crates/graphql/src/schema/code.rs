//! The results of a code analysis: patterns with their evidence, hotspots and metrics.

use async_graphql::{ComplexObject, Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_code_analysis as analysis;
use nyxcore_code_engine as engine;
use nyxcore_projects::SourceId;
use nyxcore_tenancy::TypedId;

use super::code_analysis::{CodeAnalysisNode, CodePatternChangeNode};
use super::ids::global_id;
use super::source::SourceNode;
use crate::context::operation;

/// A convention found in the code, with its evidence. "41 of 44" means support 41, cases 44.
pub(crate) struct CodePatternNode(pub analysis::CodePattern);

#[Object(name = "CodePattern")]
impl CodePatternNode {
    /// The id of the pattern. It is stable across analyses.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The key of the rule, unique within the project and stable across analyses.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// The time when an analysis first found the pattern.
    async fn first_seen(&self) -> DateTime<Utc> {
        self.0.first_seen_at
    }

    /// The last recorded change. Null if the pattern is unchanged since the project's first analysis.
    async fn last_change(&self, context: &Context<'_>) -> Result<Option<CodePatternChangeNode>> {
        let loader = operation(context).loaders().pattern_changes_last();
        let change = loader.load_one(self.0.id).await?;
        Ok(change.map(CodePatternChangeNode))
    }

    /// The analysis that no longer found the pattern. Null while the pattern exists.
    async fn vanished_in(&self, context: &Context<'_>) -> Result<Option<CodeAnalysisNode>> {
        let Some(id) = self.0.vanished_in else {
            return Ok(None);
        };
        let run = operation(context).loaders().runs().load_one(id).await?;
        Ok(run.map(CodeAnalysisNode))
    }

    /// The subject: naming, error_handling, test_layout and so on. `rule` for the project's own rules.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// A short title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The convention, stated as a rule.
    async fn statement(&self) -> &str {
        &self.0.statement
    }

    /// The language it applies to.
    async fn stack(&self) -> Option<&str> {
        self.0.stack.as_deref()
    }

    /// The folder it applies to. Null for the whole project.
    async fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// The number of cases that follow the pattern.
    async fn support(&self) -> i64 {
        self.0.support
    }

    /// The number of cases.
    async fn cases(&self) -> i64 {
        self.0.cases
    }

    /// The lower bound of the 95 % Wilson interval of support over cases.
    async fn confidence(&self) -> f64 {
        self.0.confidence
    }

    /// Places that follow the pattern.
    async fn exemplars(&self) -> Vec<CodeLocationNode> {
        self.0
            .exemplars
            .iter()
            .cloned()
            .map(CodeLocationNode)
            .collect()
    }

    /// Places that do not follow the pattern.
    async fn counter_examples(&self) -> Vec<CodeLocationNode> {
        self.0
            .counter_examples
            .iter()
            .cloned()
            .map(CodeLocationNode)
            .collect()
    }
}

/// A range of lines in one version of a file.
pub(crate) struct CodeLocationNode(pub engine::evidence::CodeLocation);

#[Object(name = "CodeLocation")]
impl CodeLocationNode {
    /// The path of the file.
    async fn path(&self) -> &str {
        &self.0.path
    }

    /// The source that contains the file. Null if the source is unknown until the next analysis, or was removed.
    async fn source(&self, context: &Context<'_>) -> Result<Option<SourceNode>> {
        source_load(context, self.0.source_id.as_deref()).await
    }

    /// The first line, counted from 1.
    async fn start_line(&self) -> u32 {
        self.0.start_line
    }

    /// The last line.
    async fn end_line(&self) -> u32 {
        self.0.end_line
    }

    /// The Git blob id of the content.
    async fn blob(&self) -> &str {
        &self.0.blob
    }

    /// The text of the lines, at most twenty. Null if the content is no longer stored.
    async fn excerpt(&self, context: &Context<'_>) -> Result<Option<String>> {
        let content = operation(context)
            .loaders()
            .blobs()
            .load_one(self.0.blob.clone())
            .await?;
        Ok(content.map(|content| self.0.excerpt(&content)))
    }
}

/// Loads the source of a place by the text form of its id.
pub(super) async fn source_load(
    context: &Context<'_>,
    id: Option<&str>,
) -> Result<Option<SourceNode>> {
    let Some(id) = id.and_then(|id| SourceId::parse(id).ok()) else {
        return Ok(None);
    };
    let source = operation(context).loaders().sources().load_one(id).await?;
    Ok(source.map(SourceNode))
}

/// Gives an object with a `source_id` the field `source`.
macro_rules! in_source {
    ($node:ident) => {
        #[ComplexObject]
        impl $node {
            /// The source that contains it. Null if the source is unknown until the next analysis, or was removed.
            async fn source(&self, context: &Context<'_>) -> Result<Option<SourceNode>> {
                source_load(context, self.source_id.as_deref()).await
            }
        }
    };
}
pub(super) use in_source;

/// A file that changes often and is complex.
#[derive(SimpleObject)]
#[graphql(name = "Hotspot", complex)]
pub(crate) struct HotspotNode {
    /// The path of the file.
    path: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// The number of commits of the last year that changed the file.
    commits: i64,
    /// The sum of the cyclomatic complexity of its functions.
    complexity: i64,
    /// Commits times complexity, relative to the highest value in the project: 0 to 1.
    score: f64,
}

in_source!(HotspotNode);

impl From<engine::project::Hotspot> for HotspotNode {
    fn from(hotspot: engine::project::Hotspot) -> Self {
        Self {
            path: hotspot.path,
            source_id: hotspot.source_id,
            commits: i64::from(hotspot.commits),
            complexity: i64::from(hotspot.complexity),
            score: hotspot.score,
        }
    }
}

/// Metrics of a project's code.
#[derive(SimpleObject)]
#[graphql(name = "ProjectMetrics")]
pub(crate) struct ProjectMetricsNode {
    /// The number of source code files.
    files: u32,
    /// The number of lines that contain code.
    lines_of_code: u32,
    /// The number of functions and methods.
    functions: u32,
    /// The languages, ordered by lines of code, largest first.
    languages: Vec<LanguageShareNode>,
    /// The number of lines that occur more than once.
    duplicated_lines: u32,
}

impl From<engine::project::ProjectMetrics> for ProjectMetricsNode {
    fn from(metrics: engine::project::ProjectMetrics) -> Self {
        Self {
            files: metrics.files,
            lines_of_code: metrics.lines_of_code,
            functions: metrics.functions,
            languages: metrics
                .languages
                .into_iter()
                .map(|share| LanguageShareNode {
                    language: share.language.as_str().to_owned(),
                    files: share.files,
                    lines_of_code: share.lines_of_code,
                })
                .collect(),
            duplicated_lines: metrics.duplicated_lines,
        }
    }
}

/// The share of one language in a project.
#[derive(SimpleObject)]
#[graphql(name = "LanguageShare")]
pub(crate) struct LanguageShareNode {
    /// The name of the language.
    language: String,
    /// The number of files.
    files: u32,
    /// The number of lines of code.
    lines_of_code: u32,
}
