//! What the latest analysis found of a project beside its patterns: what it is built with and how, what depends on what, what repeats itself.

use async_graphql::{ComplexObject, Context, Object, Result, SimpleObject};
use nyxcore_code_analysis as analysis;
use nyxcore_code_engine as engine;
use serde::Serialize;

use super::code::{CodeLocationNode, in_source, source_load};
use super::code_analysis::CodeAnalysisNode;
use super::source::SourceNode;
use crate::context::operation;
use crate::error::ApiError;

/// The most tokens that a map is made for.
const MAP_TOKENS_MAX: usize = 20_000;

/// What the latest analysis found of a project.
pub(crate) struct ProjectFindingsNode(pub analysis::ProjectFindings);

#[Object(name = "ProjectFindings")]
impl ProjectFindingsNode {
    /// The analysis that found it.
    async fn analysis(&self, context: &Context<'_>) -> Result<Option<CodeAnalysisNode>> {
        let runs = &operation(context).loaders().runs;
        let run = runs.load_one(self.0.analysis_id).await?;
        Ok(run.map(CodeAnalysisNode))
    }

    /// The version of the engine that found it.
    async fn engine_version(&self) -> i64 {
        self.0.engine_version
    }

    /// Languages, most lines first, each followed by the frameworks found for it, most used first.
    async fn technologies(&self) -> Vec<TechnologyNode> {
        let all = self.0.technologies.iter();
        all.map(TechnologyNode::from).collect()
    }

    /// How it is built, tested and checked.
    async fn commands(&self) -> Vec<ProjectCommandNode> {
        let all = self.0.commands.iter();
        all.map(ProjectCommandNode::from).collect()
    }

    /// Files that change together, closest first.
    async fn co_changes(
        &self,
        #[graphql(default = 20, desc = "At most this many.")] first: i32,
    ) -> Result<Vec<CoChangeNode>> {
        let some = first_of(&self.0.co_changes, first)?;
        Ok(some.map(CoChangeNode::from).collect())
    }

    /// Over how many people the changes of each folder are spread, the project itself first.
    async fn ownership(
        &self,
        #[graphql(default = 50, desc = "At most this many.")] first: i32,
    ) -> Result<Vec<OwnershipNode>> {
        let some = first_of(&self.0.ownership, first)?;
        Ok(some.map(OwnershipNode::from).collect())
    }

    /// How its files import each other.
    async fn import_graph(&self) -> ImportGraphNode {
        (&self.0.imports).into()
    }

    /// Code that stands in more than one place, largest first.
    async fn duplicates(
        &self,
        #[graphql(default = 20, desc = "At most this many.")] first: i32,
    ) -> Result<Vec<CloneGroupNode>> {
        let some = first_of(&self.0.duplicates, first)?;
        Ok(some.map(CloneGroupNode::from).collect())
    }

    /// Definitions that may be unused.
    async fn dead_code(
        &self,
        #[graphql(default = 20, desc = "At most this many.")] first: i32,
    ) -> Result<Vec<DeadCodeNode>> {
        let some = first_of(&self.0.dead_code, first)?;
        Ok(some.map(DeadCodeNode::from).collect())
    }

    /// The definitions that most of the project leans on, highest rank first.
    async fn definitions(
        &self,
        #[graphql(default = 50, desc = "At most this many.")] first: i32,
    ) -> Result<Vec<RankedDefinitionNode>> {
        let some = first_of(&self.0.map, first)?;
        Ok(some.map(RankedDefinitionNode::from).collect())
    }

    /// A map of the project for a model: its files, and below each the definitions that most of the project leans on, as many as fit.
    async fn repository_map(
        &self,
        #[graphql(
            default = 2000,
            desc = "At most this many tokens, a token counted as four bytes; no more than 20,000."
        )]
        tokens: i32,
    ) -> Result<String> {
        let tokens =
            usize::try_from(tokens).map_err(|_| ApiError::invalid("`tokens` is not negative"))?;
        Ok(engine::project::repository_map(
            &self.0.map,
            tokens.min(MAP_TOKENS_MAX),
        ))
    }
}

fn first_of<T>(list: &[T], first: i32) -> Result<impl Iterator<Item = &T>, ApiError> {
    let first = usize::try_from(first).map_err(|_| ApiError::invalid("`first` is not negative"))?;
    Ok(list.iter().take(first))
}

/// The name that the engine gives to what is one of a few.
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
    /// Its name.
    name: String,
    /// What it is: language or framework.
    kind: String,
    /// The language it is used from; of a language, itself.
    language: String,
    /// Its version: what a lock file says, else what a manifest asks for.
    version: Option<String>,
    /// Files in the language, or that import the framework; 0 where only a manifest names it.
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

/// A command that the project's own files name or imply.
#[derive(SimpleObject)]
#[graphql(name = "ProjectCommand", complex)]
pub(crate) struct ProjectCommandNode {
    /// What it is for: install, build, test, lint, format or run.
    purpose: String,
    /// The command, to be run in the folder of `path`.
    command: String,
    /// The file that says so.
    path: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// The line that says so, counted from 1; none where the file's presence alone does.
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
    /// The two files.
    paths: Vec<String>,
    #[graphql(skip)]
    source_ids: [Option<String>; 2],
    /// Commits that changed both.
    together: u32,
    /// Commits that changed the one, and the other.
    commits: Vec<u32>,
    /// Commits that changed both, as a share of those of the one that changes less often: above 0, at most 1.
    degree: f64,
}

#[ComplexObject]
impl CoChangeNode {
    /// The sources that the one file and the other are in; none where one is not known, which the next analysis mends, or was removed since.
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

/// How the changes of a folder are spread over people.
#[derive(SimpleObject)]
#[graphql(name = "Ownership", complex)]
pub(crate) struct OwnershipNode {
    /// The folder; empty for the whole project.
    folder: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// Commits that changed something in it.
    commits: u32,
    /// People who wrote them.
    authors: u32,
    /// Who wrote most of them.
    main_author: String,
    /// That person's share of the commits: above 0, at most 1.
    main_share: f64,
}

#[ComplexObject]
impl OwnershipNode {
    /// The source that all of its files are in; none where they are of several, where it is not known, or was removed since.
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

/// The imports of a project among its own files.
#[derive(SimpleObject)]
#[graphql(name = "ImportGraph")]
pub(crate) struct ImportGraphNode {
    /// Files that import, or are imported by, another file of the project.
    files: u32,
    /// Imports from one file of the project to another, each pair once.
    edges: u32,
    /// Imports that look like the project's own and lead to no file that was analysed.
    unresolved: u32,
    /// The folders that make up its parts: those of level 0 import no other part, those of level 1 only level 0, and so on. Parts of a circle
    /// share a level.
    layers: Vec<LayerNode>,
    /// Circles of files that import each other, largest first.
    cycles: Vec<CycleNode>,
}

/// The parts of one level.
#[derive(SimpleObject)]
#[graphql(name = "ImportLayer")]
pub(crate) struct LayerNode {
    /// The level, counted from 0.
    level: u32,
    /// Its folders.
    folders: Vec<String>,
}

/// Files that import each other in a circle.
#[derive(SimpleObject)]
#[graphql(name = "ImportCycle")]
pub(crate) struct CycleNode {
    /// How many files are in it.
    size: u32,
    /// A shortest way around: each file imports the next, the last the first.
    path: Vec<CycleStepNode>,
}

/// One import of a circle.
#[derive(SimpleObject)]
#[graphql(name = "ImportStep", complex)]
pub(crate) struct CycleStepNode {
    /// The file that imports.
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

/// Code that stands in more than one place.
#[derive(SimpleObject)]
#[graphql(name = "CloneGroup")]
pub(crate) struct CloneGroupNode {
    /// Its length in tokens, comments and imports aside.
    tokens: u32,
    /// Its lines in the first place.
    lines: u32,
    /// How often it stands there.
    count: u32,
    /// The first places where it stands, two or more.
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
    /// What it is: function, method, class and so on.
    kind: String,
    /// Its name, with its parent's before a dot where it has one.
    name: String,
    /// Where it is.
    location: CodeLocationNode,
    /// Whether only tests refer to it.
    tests_only: bool,
    /// Why it may be in use all the same.
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
    /// Its rank among the project's definitions by PageRank: above 0; all of a project's ranks sum to 1.
    rank: f64,
    /// What it is: function, method, class and so on.
    kind: String,
    /// Its name, with its parent's before a dot where it has one.
    name: String,
    /// The file it is in.
    path: String,
    #[graphql(skip)]
    source_id: Option<String>,
    /// Its first line, counted from 1.
    start_line: u32,
    /// Its last line.
    end_line: u32,
    /// Other files that refer to it by its name.
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
