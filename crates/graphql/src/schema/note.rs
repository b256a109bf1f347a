//! Notes, their action points, and their enrichments.

use async_graphql::{ComplexObject, Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_note_enrichment::NoteEnrichmentList;
use nyxcore_projects::{
    ActionPoint, ActionPointStatus, Note, NoteVersion, NoteVersionList, NoteVersionReason, SourceId,
};
use nyxcore_retrieval::{Citation, KnowledgeKind};

use super::connection::{List, PageArgs, Total, child_page, list};
use super::enrichment::NoteEnrichmentNode;
use super::ids::global_id;
use super::mirror::mirror;
use super::project::ProjectNode;
use super::source::SourceNode;
use super::viewer::UserNode;
use crate::context::operation;

/// A note about a project, written by a user.
pub(crate) struct NoteNode(pub Note);

#[Object(name = "Note")]
impl NoteNode {
    /// The id of the note.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The project of the note.
    async fn project(&self, context: &Context<'_>) -> Result<ProjectNode> {
        let project = operation(context)
            .loaders()
            .projects()
            .load_one(self.0.project_id)
            .await?;
        Ok(ProjectNode(
            project.ok_or(nyxcore_tenancy::Error::NotFound("project"))?,
        ))
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The text, in Markdown.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// The author. Null when the user no longer belongs to the tenant.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.created_by).await
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time of the last change.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The action points of the note.
    async fn action_points(&self, context: &Context<'_>) -> Result<Vec<ActionPointNode>> {
        let points = operation(context)
            .loaders()
            .action_points_of()
            .load_one(self.0.id)
            .await?;
        Ok(points
            .unwrap_or_default()
            .into_iter()
            .map(ActionPointNode)
            .collect())
    }

    /// The earlier versions of the note, newest first: its texts before an enrichment was applied or a version
    /// restored. The newest 20 are kept.
    async fn versions(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<NoteVersionNode>> {
        let request = PageArgs::new(after, before, first, last).request(context)?;
        let note = self.0.id;
        let page = child_page(context, NoteVersionList, note, request).await?;
        let total = Total::of_child(NoteVersionList, note);
        Ok(list(context, page, total, NoteVersionNode))
    }

    /// The enrichments of the note, newest first.
    async fn enrichments(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<NoteEnrichmentNode>> {
        let request = PageArgs::new(after, before, first, last).request(context)?;
        let note = self.0.id;
        let page = child_page(context, NoteEnrichmentList, note, request).await?;
        let enrichments = page.items.iter();
        let ids: Vec<_> = enrichments
            .map(|(_, enrichment)| enrichment.run_id)
            .collect();
        let runs = operation(context).loaders().runs().load_many(ids).await?;
        let page = page.filter_map(|enrichment| runs.get(&enrichment.run_id).cloned());
        let total = Total::of_child(NoteEnrichmentList, note);
        Ok(list(context, page, total, NoteEnrichmentNode))
    }
}

mirror! {
    /// What replaced the text of a note.
    pub(crate) enum NoteVersionReasonName = "NoteVersionReason" {
        /// An enrichment was applied.
        Enriched,
        /// An earlier version was restored.
        Restored,
    }
}

/// An earlier version of a note.
pub(crate) struct NoteVersionNode(pub NoteVersion);

#[Object(name = "NoteVersion")]
impl NoteVersionNode {
    /// The id of the version.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The text, in Markdown.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// What replaced the text.
    async fn reason(&self) -> NoteVersionReasonName {
        self.0.reason.into()
    }

    /// The time when the text was replaced.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

mirror! {
    /// The status of an action point.
    pub(crate) enum ActionPointStatusName = "ActionPointStatus" {
        /// To be done.
        Open,
        /// Done.
        Done,
        /// Dismissed as not needed.
        Dismissed,
    }
}

/// A task that follows from a note.
pub(crate) struct ActionPointNode(pub ActionPoint);

#[Object(name = "ActionPoint")]
impl ActionPointNode {
    /// The id of the action point.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The note of the action point.
    async fn note(&self, context: &Context<'_>) -> Result<Option<NoteNode>> {
        let note = operation(context)
            .loaders()
            .notes()
            .load_one(self.0.note_id)
            .await?;
        Ok(note.map(NoteNode))
    }

    /// The task.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// The status.
    async fn status(&self) -> ActionPointStatusName {
        self.0.status.into()
    }

    /// Whether an enrichment suggested the task and nobody accepted or dismissed it yet.
    async fn is_suggested(&self) -> bool {
        self.0.is_suggested()
    }

    /// The time when the suggestion was accepted.
    async fn accepted_at(&self) -> Option<DateTime<Utc>> {
        self.0.accepted_at
    }

    /// The citations that support the task.
    async fn citations(&self) -> Vec<CitationNode> {
        self.0
            .citations
            .iter()
            .cloned()
            .map(CitationNode::from)
            .collect()
    }
}

mirror! {
    /// The kind of a piece of knowledge.
    pub(crate) enum KnowledgeKindName = "KnowledgeKind" {
        /// A convention found in the code.
        CodePattern,
        /// A memory entry.
        MemoryEntry,
        /// An insight.
        Insight,
        /// A consolidation pattern, shared by several projects.
        Consolidation,
        /// Source code.
        Code,
        /// A section of a document in a repository.
        Document,
        /// A note.
        Note,
    }
}

/// The origin of a statement: an object by its id, or lines of a file. The origin is verified to exist.
#[derive(SimpleObject)]
#[graphql(name = "Citation", complex)]
pub(crate) struct CitationNode {
    /// The kind of the origin.
    kind: KnowledgeKindName,
    /// The id of the object.
    subject_id: Option<ID>,
    /// The title of the origin.
    title: String,
    /// The relevant excerpt.
    excerpt: String,
    /// The path of the file, if the origin is in a file.
    path: Option<String>,
    #[graphql(skip)]
    source_id: Option<SourceId>,
    /// The first line, counted from 1.
    start_line: Option<i64>,
    /// The last line.
    end_line: Option<i64>,
    /// The relevance. Comparable within one response.
    score: f64,
}

#[ComplexObject]
impl CitationNode {
    /// The source that contains the file. Null if the origin is not in a file, or the source is unknown or was
    /// removed.
    async fn source(&self, context: &Context<'_>) -> Result<Option<SourceNode>> {
        let Some(id) = self.source_id else {
            return Ok(None);
        };
        let source = operation(context).loaders().sources().load_one(id).await?;
        Ok(source.map(SourceNode))
    }
}

impl From<Citation> for CitationNode {
    fn from(citation: Citation) -> Self {
        Self {
            kind: citation.kind.into(),
            subject_id: citation.subject_id.map(ID),
            title: citation.title,
            excerpt: citation.excerpt,
            path: citation.path,
            source_id: citation.source_id.map(SourceId),
            start_line: citation.start_line,
            end_line: citation.end_line,
            score: citation.score,
        }
    }
}
