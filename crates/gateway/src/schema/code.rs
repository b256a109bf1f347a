//! What the analysis found in a project's code: patterns with their evidence, hotspots, counts.

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

/// A habit of the code, with its evidence: "41 of 44" is support 41, cases 44.
pub(crate) struct CodePatternNode(pub analysis::CodePattern);

#[Object(name = "CodePattern")]
impl CodePatternNode {
    /// Its id, the same from analysis to analysis.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The rule's own name, unique within the project and the same from analysis to analysis.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// When an analysis found it for the first time.
    async fn first_seen(&self) -> DateTime<Utc> {
        self.0.first_seen_at
    }

    /// What was last told of it; none where it is as the project's first analysis found it.
    async fn last_change(&self, context: &Context<'_>) -> Result<Option<CodePatternChangeNode>> {
        let loader = &operation(context).loaders().pattern_changes_last;
        let change = loader.load_one(self.0.id).await?;
        Ok(change.map(CodePatternChangeNode))
    }

    /// The analysis that did not find it any more; none while it lasts.
    async fn vanished_in(&self, context: &Context<'_>) -> Result<Option<CodeAnalysisNode>> {
        let Some(id) = self.0.vanished_in else {
            return Ok(None);
        };
        let run = operation(context).loaders().runs.load_one(id).await?;
        Ok(run.map(CodeAnalysisNode))
    }

    /// What it is about: naming, error_handling, test_layout and so on; rule for the project's own.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The habit in a few words.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// A rule that somebody could follow.
    async fn statement(&self) -> &str {
        &self.0.statement
    }

    /// The language it holds for.
    async fn stack(&self) -> Option<&str> {
        self.0.stack.as_deref()
    }

    /// The folder it holds for; none is the whole project.
    async fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// How many cases follow it.
    async fn support(&self) -> i64 {
        self.0.support
    }

    /// How many cases there are.
    async fn cases(&self) -> i64 {
        self.0.cases
    }

    /// The lower bound of the Wilson interval at 95 % on support of cases.
    async fn confidence(&self) -> f64 {
        self.0.confidence
    }

    /// Places that follow it.
    async fn exemplars(&self) -> Vec<CodeLocationNode> {
        self.0
            .exemplars
            .iter()
            .cloned()
            .map(CodeLocationNode)
            .collect()
    }

    /// Places that do not.
    async fn counter_examples(&self) -> Vec<CodeLocationNode> {
        self.0
            .counter_examples
            .iter()
            .cloned()
            .map(CodeLocationNode)
            .collect()
    }
}

/// A place in the code, of a certain content.
pub(crate) struct CodeLocationNode(pub engine::evidence::CodeLocation);

#[Object(name = "CodeLocation")]
impl CodeLocationNode {
    /// The file.
    async fn path(&self) -> &str {
        &self.0.path
    }

    /// The source that the file is in; none where it is not known, which the next analysis mends, or was removed since.
    async fn source(&self, context: &Context<'_>) -> Result<Option<SourceNode>> {
        source_load(context, self.0.source_id.as_deref()).await
    }

    /// Its first line, counted from 1.
    async fn start_line(&self) -> u32 {
        self.0.start_line
    }

    /// Its last line.
    async fn end_line(&self) -> u32 {
        self.0.end_line
    }

    /// The id that Git gives the content it was found in.
    async fn blob(&self) -> &str {
        &self.0.blob
    }

    /// The lines themselves, at most twenty; none where that content is no longer kept.
    async fn excerpt(&self, context: &Context<'_>) -> Result<Option<String>> {
        let content = operation(context)
            .loaders()
            .blobs
            .load_one(self.0.blob.clone())
            .await?;
        Ok(content.map(|content| excerpt_of(&content, self.0.start_line, self.0.end_line)))
    }
}

/// The source of a place, by the text form of its id.
pub(super) async fn source_load(
    context: &Context<'_>,
    id: Option<&str>,
) -> Result<Option<SourceNode>> {
    let Some(id) = id.and_then(|id| SourceId::parse(id).ok()) else {
        return Ok(None);
    };
    let source = operation(context).loaders().sources.load_one(id).await?;
    Ok(source.map(SourceNode))
}

/// Gives an object with a `source_id` the field `source`.
macro_rules! in_source {
    ($node:ident) => {
        #[ComplexObject]
        impl $node {
            /// The source that it is in; none where it is not known, which the next analysis mends, or was removed since.
            async fn source(&self, context: &Context<'_>) -> Result<Option<SourceNode>> {
                source_load(context, self.source_id.as_deref()).await
            }
        }
    };
}
pub(super) use in_source;

/// Lines `start` to `end` of a text, at most twenty.
fn excerpt_of(content: &str, start: u32, end: u32) -> String {
    let skip = start.saturating_sub(1) as usize;
    let take = (end.saturating_sub(start) as usize + 1).min(20);
    content
        .lines()
        .skip(skip)
        .take(take)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A file that is changed often and hard to change.
#[derive(SimpleObject)]
#[graphql(name = "Hotspot", complex)]
pub(crate) struct HotspotNode {
    /// The file.
    path: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// How many commits of the last year touched it.
    commits: i64,
    /// The sum of its functions' cyclomatic complexity.
    complexity: i64,
    /// Commits times complexity, against the worst of the project: 0 to 1.
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

/// Counts of a project's code.
#[derive(SimpleObject)]
#[graphql(name = "ProjectMetrics")]
pub(crate) struct ProjectMetricsNode {
    /// Files of source code.
    files: u32,
    /// Lines with code on them.
    lines_of_code: u32,
    /// Functions and methods.
    functions: u32,
    /// What it is written in, most lines first.
    languages: Vec<LanguageShareNode>,
    /// Lines that stand in the project more than once.
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

/// How much of a project is in one language.
#[derive(SimpleObject)]
#[graphql(name = "LanguageShare")]
pub(crate) struct LanguageShareNode {
    /// The language.
    language: String,
    /// Files in it.
    files: u32,
    /// Lines of code in it.
    lines_of_code: u32,
}

#[cfg(test)]
mod tests {
    use super::excerpt_of;

    #[test]
    fn an_excerpt_is_the_lines_named_and_no_more_than_twenty() {
        let text = (1..=40)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(excerpt_of(&text, 2, 3), "2\n3");
        assert_eq!(excerpt_of(&text, 1, 40).lines().count(), 20);
        assert_eq!(excerpt_of(&text, 41, 50), "");
    }
}
