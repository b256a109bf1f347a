//! Search over all knowledge. Each hit links to the object it was found in.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use nyxcore_retrieval::{Authority, Field, FileRole, Hit, KnowledgeKind, Place, ScoreExplanation};
use nyxcore_tenancy::TypedId;

use super::node::{NodeRef, node_load};
use super::note::KnowledgeKindName;

/// A search hit.
pub(crate) struct SearchHitNode {
    pub hit: Hit,
    /// Why the model did not embed the query, where one should have done so.
    pub vector_failure: Option<String>,
}

#[Object(name = "SearchHit")]
impl SearchHitNode {
    /// The kind of the object.
    async fn kind(&self) -> KnowledgeKindName {
        self.hit.kind.into()
    }

    /// The relevance, from 0 to 1. The same on both databases.
    async fn score(&self) -> f64 {
        self.hit.score
    }

    /// The title of the object.
    async fn title(&self) -> &str {
        &self.hit.title
    }

    /// The relevant excerpt.
    async fn excerpt(&self) -> &str {
        &self.hit.excerpt
    }

    /// The object.
    async fn node(&self, context: &Context<'_>) -> Result<Option<NodeRef>> {
        use nyxcore_code_analysis::CodePatternId;
        use nyxcore_knowledge::{ConsolidationPatternId, InsightId, MemoryEntryId};
        use nyxcore_projects::{NoteId, SourceFileId};
        let Some(uuid) = self.hit.subject_id else {
            return Ok(None);
        };
        let prefix = match self.hit.kind {
            KnowledgeKind::CodePattern => CodePatternId::PREFIX,
            KnowledgeKind::MemoryEntry => MemoryEntryId::PREFIX,
            KnowledgeKind::Insight => InsightId::PREFIX,
            KnowledgeKind::Consolidation => ConsolidationPatternId::PREFIX,
            KnowledgeKind::Code | KnowledgeKind::Document => SourceFileId::PREFIX,
            KnowledgeKind::Note => NoteId::PREFIX,
        };
        node_load(context, prefix, uuid).await
    }

    /// The path of the file, if the hit is in a file.
    async fn path(&self) -> Option<&str> {
        self.hit.path.as_deref()
    }

    /// The first line, counted from 1.
    async fn start_line(&self) -> Option<i64> {
        self.hit.start_line
    }

    /// The last line.
    async fn end_line(&self) -> Option<i64> {
        self.hit.end_line
    }

    /// The role of the file. Null if the hit is not a file.
    async fn role(&self) -> Option<FileRoleName> {
        self.hit.role.map(Into::into)
    }

    /// How binding the document is. Null if the hit is not a document of a repository.
    async fn authority(&self) -> Option<AuthorityName> {
        self.hit.authority.map(Into::into)
    }

    /// A second place of the same file, if one answers nearly as well.
    async fn more_places(&self) -> Vec<SearchPlaceNode> {
        self.hit.more.iter().cloned().map(Into::into).collect()
    }

    /// The number of hits that are left out because they are nearly the same: copies and translations.
    async fn alike(&self) -> u32 {
        self.hit.alike
    }

    /// Why the hit has its score and its rank.
    async fn explanation(&self) -> ScoreExplanationNode {
        ScoreExplanationNode {
            vector_failure: self.vector_failure.clone(),
            ..self.hit.explanation.clone().into()
        }
    }
}

/// What a file is for. It decides how much a match counts.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "FileRole", remote = "FileRole")]
pub(crate) enum FileRoleName {
    /// The project's own source.
    Source,
    /// A test.
    Test,
    /// A text for people.
    Document,
    /// A list of what changed.
    ChangeLog,
    /// What every project has: a licence, a code of conduct, what an issue or a pull request begins with.
    Template,
    /// Data of tests, and snapshots.
    Fixture,
    /// Written by a program.
    Generated,
    /// A text in another language than the first.
    Translation,
    /// Settings of tools and of the program.
    Configuration,
    /// What the source shows or stores by: templates of pages, stylesheets, SQL.
    Resource,
    /// An example, a demonstration or a benchmark.
    Example,
    /// A convention that nearly every project of the language has.
    Convention,
}

/// How binding a document is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "Authority", remote = "Authority")]
pub(crate) enum AuthorityName {
    /// To be followed: rules for contributors and agents, accepted decisions.
    Mandatory,
    /// Says how things are meant: README, architecture, style guides.
    Guideline,
    /// Explains: all other documentation.
    Informational,
}

/// A part of a document in which a term occurs.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "SearchField", remote = "Field")]
pub(crate) enum SearchFieldName {
    /// The path of the file.
    Path,
    /// The names of definitions.
    Name,
    /// The title and the headings.
    Heading,
    /// Comments and documentation within code.
    Comment,
    /// All other text.
    Body,
}

/// Lines of a file that answer.
#[derive(SimpleObject)]
#[graphql(name = "SearchPlace")]
pub(crate) struct SearchPlaceNode {
    /// The first line, counted from 1.
    start_line: i64,
    /// The last line.
    end_line: i64,
    /// The name of what is defined there.
    name: Option<String>,
    /// Whole lines from the first on.
    excerpt: String,
}

impl From<Place> for SearchPlaceNode {
    fn from(place: Place) -> Self {
        Self {
            start_line: place.start_line,
            end_line: place.end_line,
            name: place.name,
            excerpt: place.excerpt,
        }
    }
}

/// A term of the query that a hit has.
#[derive(SimpleObject)]
#[graphql(name = "TermMatch")]
pub(crate) struct TermMatchNode {
    /// The term as the index has it: in lower case, and for an English word without its ending.
    term: String,
    /// The fields that have it.
    fields: Vec<SearchFieldName>,
    /// What it adds to the text score: how rare it is, times how much the document says about it.
    weight: f64,
}

/// Why a hit has its score and its rank.
#[derive(SimpleObject)]
#[graphql(name = "ScoreExplanation")]
pub(crate) struct ScoreExplanationNode {
    /// The matched terms, the one that adds most first.
    terms: Vec<TermMatchNode>,
    /// The matched terms' share of what a perfect document would have, from 0 to 1.
    text_score: f64,
    /// The factor for the role of the file, or for the authority of the document.
    role_weight: f64,
    /// The factor for a query that names the path, or an identifier defined in the file.
    exact_weight: f64,
    /// The rank within its kind by its words, counted from 1. Null if its words did not find it, or if no vectors were
    /// compared.
    word_rank: Option<u32>,
    /// How near the hit is to the query in meaning: the cosine of the angle between their vectors, at most 1. Null if
    /// no vectors were compared, or if others are nearer.
    similarity: Option<f64>,
    /// The rank within its kind by nearness, counted from 1. Null if it is not near enough.
    vector_rank: Option<u32>,
    /// Why the search used words alone although the tenant has vectors. Null if vectors were compared, or if there are
    /// none.
    vector_failure: Option<String>,
    /// The rank within its kind, counted from 1. If vectors were compared, both ranks fused.
    kind_rank: u32,
    /// The value by which hits of several kinds are put into one order.
    fused: f64,
}

impl From<ScoreExplanation> for ScoreExplanationNode {
    fn from(explanation: ScoreExplanation) -> Self {
        let terms = explanation.terms.into_iter().map(|term| TermMatchNode {
            fields: term.fields.into_iter().map(Into::into).collect(),
            term: term.term,
            weight: term.weight,
        });
        Self {
            terms: terms.collect(),
            text_score: explanation.text_score,
            role_weight: explanation.role_weight,
            exact_weight: explanation.exact_weight,
            word_rank: explanation.word_rank,
            similarity: explanation.similarity,
            vector_rank: explanation.vector_rank,
            vector_failure: None,
            kind_rank: explanation.kind_rank,
            fused: explanation.fused,
        }
    }
}
