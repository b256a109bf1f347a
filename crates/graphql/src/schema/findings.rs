//! The results of the latest analysis apart from patterns: technologies, commands, dependencies and duplicates.

use async_graphql::{ComplexObject, Context, Object, Result, SimpleObject};
use nyxcore_code_analysis as analysis;
use nyxcore_code_engine as engine;
use serde::Serialize;

use super::code::{CodeLocationNode, in_source, source_load};
use super::code_analysis::CodeAnalysisNode;
use super::source::SourceNode;
use crate::context::operation;
use crate::error::ApiError;

/// The maximum number of tokens of a repository map.
const MAP_TOKENS_MAX: usize = 20_000;

/// The results of the latest analysis of a project.
pub(crate) struct ProjectFindingsNode(pub analysis::ProjectFindings);

#[Object(name = "ProjectFindings")]
impl ProjectFindingsNode {
    /// The analysis that produced the results.
    async fn analysis(&self, context: &Context<'_>) -> Result<Option<CodeAnalysisNode>> {
        let runs = operation(context).loaders().runs();
        let run = runs.load_one(self.0.analysis_id).await?;
        Ok(run.map(CodeAnalysisNode))
    }

    /// The version of the analysis engine.
    async fn engine_version(&self) -> i64 {
        self.0.engine_version
    }

    /// Languages, ordered by lines of code, each followed by its frameworks, ordered by use.
    async fn technologies(&self) -> Vec<TechnologyNode> {
        let all = self.0.technologies.iter();
        all.map(TechnologyNode::from).collect()
    }

    /// The commands that build, test and check the project.
    async fn commands(&self) -> Vec<ProjectCommandNode> {
        let all = self.0.commands.iter();
        all.map(ProjectCommandNode::from).collect()
    }

    /// Pairs of files that change together, strongest first.
    async fn co_changes(
        &self,
        #[graphql(default = 20, desc = "The maximum number of items.")] first: i32,
    ) -> Result<Vec<CoChangeNode>> {
        let some = first_of(&self.0.co_changes, first)?;
        Ok(some.map(CoChangeNode::from).collect())
    }

    /// How the commits of each folder are distributed over authors. The project itself comes first.
    async fn ownership(
        &self,
        #[graphql(default = 50, desc = "The maximum number of items.")] first: i32,
    ) -> Result<Vec<OwnershipNode>> {
        let some = first_of(&self.0.ownership, first)?;
        Ok(some.map(OwnershipNode::from).collect())
    }

    /// The imports between the project's files.
    async fn import_graph(&self) -> ImportGraphNode {
        (&self.0.imports).into()
    }

    /// Duplicated code, largest first.
    async fn duplicates(
        &self,
        #[graphql(default = 20, desc = "The maximum number of items.")] first: i32,
    ) -> Result<Vec<CloneGroupNode>> {
        let some = first_of(&self.0.duplicates, first)?;
        Ok(some.map(CloneGroupNode::from).collect())
    }

    /// Definitions that may be unused.
    async fn dead_code(
        &self,
        #[graphql(default = 20, desc = "The maximum number of items.")] first: i32,
    ) -> Result<Vec<DeadCodeNode>> {
        let some = first_of(&self.0.dead_code, first)?;
        Ok(some.map(DeadCodeNode::from).collect())
    }

    /// The most referenced definitions, highest rank first.
    async fn definitions(
        &self,
        #[graphql(default = 50, desc = "The maximum number of items.")] first: i32,
    ) -> Result<Vec<RankedDefinitionNode>> {
        let some = first_of(&self.0.map, first)?;
        Ok(some.map(RankedDefinitionNode::from).collect())
    }

    /// A map of the repository for a language model: files with their highest ranked definitions, as many as fit.
    async fn repository_map(
        &self,
        #[graphql(
            default = 2000,
            desc = "The maximum number of tokens, at most 20,000. A token counts as four bytes."
        )]
        tokens: i32,
    ) -> Result<String> {
        let tokens = usize::try_from(tokens)
            .map_err(|_| ApiError::invalid("`tokens` must not be negative"))?;
        Ok(engine::project::repository_map(
            &self.0.map,
            tokens.min(MAP_TOKENS_MAX),
        ))
    }
}

fn first_of<T>(list: &[T], first: i32) -> Result<impl Iterator<Item = &T>, ApiError> {
    let first =
        usize::try_from(first).map_err(|_| ApiError::invalid("`first` must not be negative"))?;
    Ok(list.iter().take(first))
}

/// The engine's name of an enum value.
fn name_of(kind: &impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// A language or framework of a project.
#[derive(SimpleObject)]
#[graphql(name = "Technology")]
pub(crate) struct TechnologyNode {
    /// The name.
    name: String,
    /// The kind: language or framework.
    kind: String,
    /// The language of the framework. For a language, the language itself.
    language: String,
    /// The version from a lock file, or else the requirement from a manifest.
    version: Option<String>,
    /// The number of files in the language, or that import the framework. 0 if only a manifest names it.
    files: u32,
}

impl From<&engine::project::Technology> for TechnologyNode {
    fn from(technology: &engine::project::Technology) -> Self {
        Self {
            name: technology.name.clone(),
            kind: name_of(&technology.kind),
            language: technology.language.as_str().to_owned(),
            version: technology.version.clone(),
            files: technology.files,
        }
    }
}

/// A command that the project's files declare or imply.
#[derive(SimpleObject)]
#[graphql(name = "ProjectCommand", complex)]
pub(crate) struct ProjectCommandNode {
    /// The purpose: install, build, test, lint, format or run.
    purpose: String,
    /// The command line. Run it in the folder of `path`.
    command: String,
    /// The file that declares the command.
    path: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// The line that declares the command, counted from 1. Null if the existence of the file implies it.
    line: Option<u32>,
}

in_source!(ProjectCommandNode);

impl From<&engine::project::ProjectCommand> for ProjectCommandNode {
    fn from(command: &engine::project::ProjectCommand) -> Self {
        Self {
            purpose: name_of(&command.purpose),
            command: command.command.clone(),
            path: command.path.clone(),
            source_id: command.source_id.clone(),
            line: command.line,
        }
    }
}

/// Two files that change together.
#[derive(SimpleObject)]
#[graphql(name = "CoChange", complex)]
pub(crate) struct CoChangeNode {
    /// The paths of the two files.
    paths: Vec<String>,
    #[graphql(skip)]
    source_ids: [Option<String>; 2],
    /// The number of commits that changed both files.
    together: u32,
    /// The number of commits of each file.
    commits: Vec<u32>,
    /// The number of shared commits divided by the commits of the file that changes less often: above 0, at most 1.
    degree: f64,
}

#[ComplexObject]
impl CoChangeNode {
    /// The sources of the two files. An entry is null if the source is unknown until the next analysis, or was
    /// removed.
    async fn sources(&self, context: &Context<'_>) -> Result<Vec<Option<SourceNode>>> {
        let [one, other] = &self.source_ids;
        let (one, other) = futures::try_join!(
            source_load(context, one.as_deref()),
            source_load(context, other.as_deref())
        )?;
        Ok(vec![one, other])
    }
}

impl From<&engine::project::CoChange> for CoChangeNode {
    fn from(pair: &engine::project::CoChange) -> Self {
        Self {
            paths: pair.paths.to_vec(),
            source_ids: pair.source_ids.clone(),
            together: pair.together,
            commits: pair.commits.to_vec(),
            degree: pair.degree,
        }
    }
}

/// How the commits of a folder are distributed over authors.
#[derive(SimpleObject)]
#[graphql(name = "Ownership", complex)]
pub(crate) struct OwnershipNode {
    /// The folder. Empty for the whole project.
    folder: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// The number of commits that changed the folder.
    commits: u32,
    /// The number of authors.
    authors: u32,
    /// The author with the most commits.
    main_author: String,
    /// The main author's share of the commits: above 0, at most 1.
    main_share: f64,
}

#[ComplexObject]
impl OwnershipNode {
    /// The source that contains all files of the folder. Null if there are several sources, or if the source is
    /// unknown or was removed.
    async fn source(&self, context: &Context<'_>) -> Result<Option<SourceNode>> {
        source_load(context, self.source_id.as_deref()).await
    }
}

impl From<&engine::project::Ownership> for OwnershipNode {
    fn from(owned: &engine::project::Ownership) -> Self {
        Self {
            folder: owned.folder.clone(),
            source_id: owned.source_id.clone(),
            commits: owned.commits,
            authors: owned.authors,
            main_author: owned.main_author.clone(),
            main_share: owned.main_share,
        }
    }
}

/// The imports between the files of a project.
#[derive(SimpleObject)]
#[graphql(name = "ImportGraph")]
pub(crate) struct ImportGraphNode {
    /// The number of files that import, or are imported by, another file of the project.
    files: u32,
    /// The number of imports between files. Each pair of files counts once.
    edges: u32,
    /// The number of imports that look internal but match no analysed file.
    unresolved: u32,
    /// The folders by dependency level. Level 0 imports no other folder, level 1 only level 0, and so on. Folders in a
    /// cycle share a level.
    layers: Vec<LayerNode>,
    /// Import cycles, largest first.
    cycles: Vec<CycleNode>,
}

/// The folders of one dependency level.
#[derive(SimpleObject)]
#[graphql(name = "ImportLayer")]
pub(crate) struct LayerNode {
    /// The level, counted from 0.
    level: u32,
    /// The folders.
    folders: Vec<String>,
}

/// A cycle of files that import each other.
#[derive(SimpleObject)]
#[graphql(name = "ImportCycle")]
pub(crate) struct CycleNode {
    /// The number of files in the cycle.
    size: u32,
    /// A shortest cycle. Each file imports the next, and the last imports the first.
    path: Vec<CycleStepNode>,
}

/// One import of a cycle.
#[derive(SimpleObject)]
#[graphql(name = "ImportStep", complex)]
pub(crate) struct CycleStepNode {
    /// The importing file.
    file: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// The line of the import, counted from 1.
    line: u32,
}

in_source!(CycleStepNode);

impl From<&engine::project::ImportGraph> for ImportGraphNode {
    fn from(graph: &engine::project::ImportGraph) -> Self {
        let layer = |layer: &engine::project::Layer| LayerNode {
            level: layer.level,
            folders: layer.folders.clone(),
        };
        let step = |step: &engine::project::CycleStep| CycleStepNode {
            file: step.file.clone(),
            source_id: step.source_id.clone(),
            line: step.line,
        };
        let cycle = |cycle: &engine::project::Cycle| CycleNode {
            size: cycle.size,
            path: cycle.path.iter().map(step).collect(),
        };
        Self {
            files: graph.files,
            edges: graph.edges,
            unresolved: graph.unresolved,
            layers: graph.layers.iter().map(layer).collect(),
            cycles: graph.cycles.iter().map(cycle).collect(),
        }
    }
}

/// Code that occurs in more than one place.
#[derive(SimpleObject)]
#[graphql(name = "CloneGroup")]
pub(crate) struct CloneGroupNode {
    /// The length in tokens, without comments and imports.
    tokens: u32,
    /// The number of lines at the first place.
    lines: u32,
    /// The number of occurrences.
    count: u32,
    /// The first places, two or more.
    places: Vec<CodeLocationNode>,
}

impl From<&engine::project::CloneGroup> for CloneGroupNode {
    fn from(group: &engine::project::CloneGroup) -> Self {
        Self {
            tokens: group.tokens,
            lines: group.lines,
            count: group.count,
            places: group.places.iter().cloned().map(CodeLocationNode).collect(),
        }
    }
}

/// A definition that may be unused.
#[derive(SimpleObject)]
#[graphql(name = "DeadCode")]
pub(crate) struct DeadCodeNode {
    /// The kind: function, method, class and so on.
    kind: String,
    /// The name, qualified as `Parent.name` if it has a parent.
    name: String,
    /// The location of the definition.
    location: CodeLocationNode,
    /// Whether only tests refer to it.
    tests_only: bool,
    /// Reasons why it may be used nevertheless.
    caveats: Vec<String>,
}

impl From<&engine::project::DeadCode> for DeadCodeNode {
    fn from(unused: &engine::project::DeadCode) -> Self {
        Self {
            kind: name_of(&unused.kind),
            name: unused.name.clone(),
            location: CodeLocationNode(unused.location.clone()),
            tests_only: unused.tests_only,
            caveats: unused.caveats.clone(),
        }
    }
}

/// A definition with its rank.
#[derive(SimpleObject)]
#[graphql(name = "RankedDefinition", complex)]
pub(crate) struct RankedDefinitionNode {
    /// The PageRank of the definition: above 0. The ranks of a project sum to 1.
    rank: f64,
    /// The kind: function, method, class and so on.
    kind: String,
    /// The name, qualified as `Parent.name` if it has a parent.
    name: String,
    /// The path of the file.
    path: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// The first line, counted from 1.
    start_line: u32,
    /// The last line.
    end_line: u32,
    /// The number of other files that refer to it by name.
    used_in: u32,
}

in_source!(RankedDefinitionNode);

impl From<&engine::project::RankedDefinition> for RankedDefinitionNode {
    fn from(ranked: &engine::project::RankedDefinition) -> Self {
        Self {
            rank: ranked.rank,
            kind: name_of(&ranked.kind),
            name: ranked.name.clone(),
            path: ranked.path.clone(),
            source_id: ranked.source_id.clone(),
            start_line: ranked.start_line,
            end_line: ranked.end_line,
            used_in: ranked.used_in,
        }
    }
}
