//! The Relay interface `Node`: objects with a global id.

use async_graphql::{Context, ID, Interface, Result};
use nyxcore_code_analysis::CodePatternId;
use nyxcore_knowledge::{ConsolidationPatternId, InsightId, MemoryEntryId};
use nyxcore_personas::PersonaId;
use nyxcore_projects::{
    ActionPointId, BlogPostId, NoteId, NoteVersionId, ProjectId, SourceFileId, SourceId,
};
use nyxcore_runs::RunId;
use nyxcore_sync::connection::GitConnectionId;
use nyxcore_tenancy::{TenantId, TypedId, UserId, directory, id_parse};
use uuid::Uuid;

use super::code::CodePatternNode;
use super::code_analysis::CodeAnalysisNode;
use super::consolidation::ConsolidationNode;
use super::embedding::EmbeddingNode;
use super::enrichment::NoteEnrichmentNode;
use super::git_connection::GitConnectionNode;
use super::knowledge::{ConsolidationPatternNode, InsightNode, MemoryEntryNode};
use super::note::{ActionPointNode, NoteNode, NoteVersionNode};
use super::persona::PersonaNode;
use super::post::BlogPostNode;
use super::project::ProjectNode;
use super::run::{RunNode, SyncNode};
use super::source::{SourceFileNode, SourceNode};
use super::viewer::{TenantNode, UserNode};
use crate::context::operation;
use crate::error::ApiError;

/// An object with a global id.
#[derive(Interface)]
#[graphql(
    name = "Node",
    field(
        name = "id",
        ty = "ID",
        desc = "The id of the object. It never changes."
    )
)]
pub(crate) enum NodeRef {
    Tenant(TenantNode),
    User(UserNode),
    Project(ProjectNode),
    Source(SourceNode),
    SourceFile(SourceFileNode),
    GitConnection(GitConnectionNode),
    Note(NoteNode),
    NoteVersion(NoteVersionNode),
    ActionPoint(ActionPointNode),
    BlogPost(BlogPostNode),
    CodePattern(CodePatternNode),
    MemoryEntry(MemoryEntryNode),
    Insight(InsightNode),
    ConsolidationPattern(ConsolidationPatternNode),
    Persona(PersonaNode),
    Sync(SyncNode),
    CodeAnalysis(CodeAnalysisNode),
    NoteEnrichment(NoteEnrichmentNode),
    Embedding(EmbeddingNode),
    Consolidation(ConsolidationNode),
}

impl From<RunNode> for NodeRef {
    fn from(run: RunNode) -> Self {
        match run {
            RunNode::Sync(sync) => Self::Sync(sync),
            RunNode::CodeAnalysis(analysis) => Self::CodeAnalysis(analysis),
            RunNode::NoteEnrichment(enrichment) => Self::NoteEnrichment(enrichment),
            RunNode::Embedding(embedding) => Self::Embedding(embedding),
            RunNode::Consolidation(consolidation) => Self::Consolidation(consolidation),
        }
    }
}

/// Returns the object with that global id; `None` if the tenant has none.
pub(crate) async fn node_find(context: &Context<'_>, id: &ID) -> Result<Option<NodeRef>> {
    let malformed = || ApiError {
        code: "INVALID_ID",
        message: "not a valid id".to_owned(),
    };
    let (prefix, uuid) = id_parse(id).ok_or_else(malformed)?;
    if !PREFIXES.contains(&prefix.as_str()) {
        return Err(malformed().into());
    }
    node_load(context, &prefix, uuid).await
}

const PREFIXES: &[&str] = &[
    TenantId::PREFIX,
    UserId::PREFIX,
    ProjectId::PREFIX,
    SourceId::PREFIX,
    SourceFileId::PREFIX,
    GitConnectionId::PREFIX,
    NoteId::PREFIX,
    NoteVersionId::PREFIX,
    ActionPointId::PREFIX,
    BlogPostId::PREFIX,
    CodePatternId::PREFIX,
    MemoryEntryId::PREFIX,
    InsightId::PREFIX,
    ConsolidationPatternId::PREFIX,
    PersonaId::PREFIX,
    RunId::PREFIX,
];

/// Returns the object of that kind with that UUID; `None` if the tenant has none.
pub(crate) async fn node_load(
    context: &Context<'_>,
    prefix: &str,
    uuid: Uuid,
) -> Result<Option<NodeRef>> {
    let op = operation(context);
    let loaders = op.loaders();
    macro_rules! load {
        ($loader:ident, $id:ty, $variant:ident, $node:expr) => {
            loaders
                .$loader()
                .load_one(<$id>::from_uuid(uuid))
                .await?
                .map(|found| NodeRef::$variant($node(found)))
        };
    }
    Ok(match prefix {
        TenantId::PREFIX if uuid == op.caller().tenant.0 => {
            let scoped = op.read().await?;
            let tenant = directory::tenant_current(&scoped).await?;
            Some(NodeRef::Tenant(TenantNode(tenant)))
        }
        UserId::PREFIX => load!(users, UserId, User, UserNode),
        ProjectId::PREFIX => load!(projects, ProjectId, Project, ProjectNode),
        SourceId::PREFIX => load!(sources, SourceId, Source, SourceNode),
        SourceFileId::PREFIX => load!(files, SourceFileId, SourceFile, SourceFileNode),
        GitConnectionId::PREFIX => load!(
            git_connections,
            GitConnectionId,
            GitConnection,
            GitConnectionNode
        ),
        NoteId::PREFIX => load!(notes, NoteId, Note, NoteNode),
        NoteVersionId::PREFIX => load!(note_versions, NoteVersionId, NoteVersion, NoteVersionNode),
        ActionPointId::PREFIX => load!(action_points, ActionPointId, ActionPoint, ActionPointNode),
        BlogPostId::PREFIX => load!(blog_posts, BlogPostId, BlogPost, BlogPostNode),
        CodePatternId::PREFIX => load!(code_patterns, CodePatternId, CodePattern, CodePatternNode),
        MemoryEntryId::PREFIX => load!(memory_entries, MemoryEntryId, MemoryEntry, MemoryEntryNode),
        InsightId::PREFIX => load!(insights, InsightId, Insight, InsightNode),
        ConsolidationPatternId::PREFIX => {
            load!(
                consolidation_patterns,
                ConsolidationPatternId,
                ConsolidationPattern,
                ConsolidationPatternNode
            )
        }
        PersonaId::PREFIX => load!(personas, PersonaId, Persona, PersonaNode),
        RunId::PREFIX => {
            let run = loaders.runs().load_one(RunId::from_uuid(uuid)).await?;
            run.and_then(RunNode::new).map(NodeRef::from)
        }
        _ => None,
    })
}
