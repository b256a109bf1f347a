//! Notes, their action points, and what was put under them.

use async_graphql::{ComplexObject, Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_note_enrichment::NoteEnrichmentList;
use nyxcore_projects::{ActionPoint, ActionPointStatus, Note, SourceId};
use nyxcore_retrieval::{Citation, KnowledgeKind};

use super::connection::{List, PageArgs, Total, child_page, list};
use super::ids::global_id;
use super::project::ProjectNode;
use super::run::NoteEnrichmentNode;
use super::source::SourceNode;
use super::viewer::UserNode;
use crate::context::operation;

/// Something a person wrote about a project.
pub(crate) struct NoteNode(pub Note);

#[Object(name = "Note")]
impl NoteNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The project it is about.
    async fn project(&self, context: &Context<'_>) -> Result<ProjectNode> {
        let project = operation(context)
            .loaders()
            .projects
            .load_one(self.0.project_id)
            .await?;
        Ok(ProjectNode(
            project.ok_or(nyxcore_tenancy::Error::NotFound("project"))?,
        ))
    }

    /// Its title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its text, in Markdown.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// Who wrote it, while that person belongs to the tenant.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<UserNode>> {
        super::created_by(context, self.0.created_by).await
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// What there is to do about it.
    async fn action_points(&self, context: &Context<'_>) -> Result<Vec<ActionPointNode>> {
        let points = operation(context)
            .loaders()
            .action_points_of
            .load_one(self.0.id)
            .await?;
        Ok(points
            .unwrap_or_default()
            .into_iter()
            .map(ActionPointNode)
            .collect())
    }

    /// What was put under it, newest first.
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
        let runs = operation(context).loaders().runs.load_many(ids).await?;
        let page = page.filter_map(|enrichment| runs.get(&enrichment.run_id).cloned());
        let total = Total::of_child(NoteEnrichmentList, note);
        Ok(list(context, page, total, NoteEnrichmentNode))
    }
}

/// What became of an action point.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "ActionPointStatus", remote = "ActionPointStatus")]
pub(crate) enum ActionPointStatusName {
    /// Still to be done.
    Open,
    /// Done.
    Done,
    /// Not wanted.
    Dismissed,
}

/// Something to do that follows from a note.
pub(crate) struct ActionPointNode(pub ActionPoint);

#[Object(name = "ActionPoint")]
impl ActionPointNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The note it follows from.
    async fn note(&self, context: &Context<'_>) -> Result<Option<NoteNode>> {
        let note = operation(context)
            .loaders()
            .notes
            .load_one(self.0.note_id)
            .await?;
        Ok(note.map(NoteNode))
    }

    /// What to do.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// What became of it.
    async fn status(&self) -> ActionPointStatusName {
        self.0.status.into()
    }

    /// Why: what it was drawn from.
    async fn citations(&self) -> Vec<CitationNode> {
        self.0
            .citations
            .iter()
            .cloned()
            .map(CitationNode::from)
            .collect()
    }
}

/// Kinds of what is known.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "KnowledgeKind", remote = "KnowledgeKind")]
pub(crate) enum KnowledgeKindName {
    /// A habit of the code.
    CodePattern,
    /// Something remembered.
    MemoryEntry,
    /// Something learned.
    Insight,
    /// Something that several projects share.
    Consolidation,
    /// The code itself.
    Code,
    /// A note.
    Note,
}

/// Where a statement comes from. It names something that exists: a thing by its id, or lines of a file.
#[derive(SimpleObject)]
#[graphql(name = "Citation", complex)]
pub(crate) struct CitationNode {
    /// What kind of thing it is.
    kind: KnowledgeKindName,
    /// The thing's id.
    subject_id: Option<ID>,
    /// What it is called.
    title: String,
    /// The part that matters.
    excerpt: String,
    /// The file, where it is in one.
    path: Option<String>,
    #[graphql(skip)]
    source_id: Option<SourceId>,
    /// The first line, counted from 1.
    start_line: Option<i64>,
    /// The last line.
    end_line: Option<i64>,
    /// How well it fits; comparable within one answer.
    score: f64,
}

#[ComplexObject]
impl CitationNode {
    /// The source that the file is in; none where it is in no file, or not known, or was removed since.
    async fn source(&self, context: &Context<'_>) -> Result<Option<SourceNode>> {
        let Some(id) = self.source_id else {
            return Ok(None);
        };
        let source = operation(context).loaders().sources.load_one(id).await?;
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
