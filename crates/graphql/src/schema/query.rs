//! The query root.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_context::template_list;
use nyxcore_embeddings::{PURPOSE, QuestionMeaning, question_embed, question_model};
use nyxcore_knowledge::{MemoryEntryFilter, knowledge_audit};
use nyxcore_model_catalog::{CallContext, budget_list};
use nyxcore_note_enrichment::{EnrichmentRequest, enrichment_preview, preview_question};
use nyxcore_personas::{PersonaId, PersonaList, persona_matches, specializations_extract};
use nyxcore_projects::{NoteId, ProjectId, ProjectList, project_by_slug};
use nyxcore_retrieval::{SEARCH_LIMIT_MAX, SearchRequest, VectorModel, search_with};
use nyxcore_runs::{RunFilter, RunId};
use nyxcore_sync::connection::GitConnectionList;
use nyxcore_tenancy::{Backend, RootList, TypedId};

use super::audit::{self, AuditEntryNode};
use super::budget::BudgetNode;
use super::catalog::{ModelCatalogNode, tenant_catalog};
use super::connection::{List, PageArgs, Total, list, root_list};
use super::enrichment::EnrichmentModeName;
use super::git_connection::GitConnectionNode;
use super::ids::{id_of, id_of_option};
use super::knowledge::{KnowledgeAuditNode, MemoryEntryNode, MemorySourceName};
use super::node::{NodeRef, node_find};
use super::note::KnowledgeKindName;
use super::persona::{PersonaMatchNode, PersonaNode, SpecializationMatchNode};
use super::preview::EnrichmentPreviewNode;
use super::project::ProjectNode;
use super::rate_limit::{RateLimitNode, rate_limit};
use super::run::{RunKindName, RunNode, RunStatusName};
use super::search::SearchHitNode;
use super::template::TemplateNode;
use super::viewer::ViewerNode;
use crate::context::operation;
use crate::error::ApiError;

/// The maximum number of ids of `nodes`.
const NODES_MAX: usize = 100;
/// The maximum length of the text for `specializations`, in bytes.
const TEXT_MAX: usize = 100_000;

/// Checks that the tenant has the project, if one is named.
async fn project_require(context: &Context<'_>, project: Option<ProjectId>) -> Result<()> {
    if let Some(id) = project
        && operation(context)
            .loaders()
            .projects()
            .load_one(id)
            .await?
            .is_none()
    {
        return Err(nyxcore_tenancy::Error::NotFound("project").into());
    }
    Ok(())
}

/// The queries.
pub struct Query;

#[Object]
impl Query {
    /// Returns the object with this id, or null if the tenant has none.
    async fn node(&self, context: &Context<'_>, id: ID) -> Result<Option<NodeRef>> {
        operation(context).expect_one_read(context);
        node_find(context, &id).await
    }

    /// Returns the objects with these ids, in the order of the ids, with null for each object that the tenant does not
    /// have. At most 100 ids.
    async fn nodes(&self, context: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<NodeRef>>> {
        if ids.len() > NODES_MAX {
            return Err(ApiError::invalid(format!("at most {NODES_MAX} ids are allowed")).into());
        }
        futures::future::try_join_all(ids.iter().map(|id| node_find(context, id))).await
    }

    /// The caller, with tenant and role.
    async fn viewer(&self) -> ViewerNode {
        ViewerNode
    }

    /// Returns a project by its id or its slug. Give exactly one of the two.
    async fn project(
        &self,
        context: &Context<'_>,
        id: Option<ID>,
        slug: Option<String>,
    ) -> Result<Option<ProjectNode>> {
        let op = operation(context);
        op.expect_one_read(context);
        let project = match (id, slug) {
            (Some(id), None) => {
                op.loaders()
                    .projects()
                    .load_one(id_of::<ProjectId>(&id)?)
                    .await?
            }
            (None, Some(slug)) => project_by_slug(&*op.read().await?, &slug).await?,
            _ => {
                return Err(ApiError::invalid("give either `id` or `slug`").into());
            }
        };
        Ok(project.map(ProjectNode))
    }

    /// The tenant's projects, newest first. `query` filters by name and slug.
    async fn projects(
        &self,
        context: &Context<'_>,
        query: Option<String>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<ProjectNode>> {
        let args = PageArgs::new(after, before, first, last);
        root_list(context, ProjectList { query }, args, ProjectNode).await
    }

    /// Returns a run by its id.
    async fn run(&self, context: &Context<'_>, id: ID) -> Result<Option<RunNode>> {
        let op = operation(context);
        op.expect_one_read(context);
        let run = op.loaders().runs().load_one(id_of::<RunId>(&id)?).await?;
        Ok(run.and_then(RunNode::new))
    }

    /// The tenant's runs, newest first.
    #[expect(
        clippy::too_many_arguments,
        reason = "the Relay arguments and three filters"
    )]
    async fn runs(
        &self,
        context: &Context<'_>,
        project_id: Option<ID>,
        kinds: Option<Vec<RunKindName>>,
        statuses: Option<Vec<RunStatusName>>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<RunNode>> {
        let request = PageArgs::new(after, before, first, last).request(context)?;
        let project = id_of_option::<ProjectId>(project_id.as_ref())?;
        let kinds = kinds.unwrap_or_default();
        let filter = RunFilter {
            project_id: project.map(TypedId::uuid),
            kinds: RunKindName::kinds(&kinds),
            statuses: statuses
                .unwrap_or_default()
                .into_iter()
                .map(Into::into)
                .collect(),
            subject: None,
        };
        operation(context).expect_one_read(context);
        let scoped = operation(context).read().await?;
        let page = filter.page(&scoped, &request).await?;
        let page = page.filter_map(RunNode::new);
        Ok(list(context, page, Total::of_root(filter), |run| run))
    }

    /// The tenant's GitHub connections, newest first.
    async fn git_connections(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<GitConnectionNode>> {
        let args = PageArgs::new(after, before, first, last);
        root_list(context, GitConnectionList, args, GitConnectionNode).await
    }

    /// The available models, with prices and lifecycle.
    async fn model_catalog(&self, context: &Context<'_>) -> Result<ModelCatalogNode> {
        Ok(ModelCatalogNode(tenant_catalog(context).await?))
    }

    /// The tenant's budgets for model calls with their spending, oldest first.
    async fn budgets(&self, context: &Context<'_>) -> Result<Vec<BudgetNode>> {
        let scoped = operation(context).read().await?;
        let budgets = budget_list(&scoped).await?;
        Ok(budgets.into_iter().map(BudgetNode).collect())
    }

    /// The templates of the texts that models are given, as the tenant uses them.
    async fn templates(&self, context: &Context<'_>) -> Result<Vec<TemplateNode>> {
        let scoped = operation(context).read().await?;
        let templates = template_list(&scoped).await?;
        Ok(templates.into_iter().map(TemplateNode).collect())
    }

    /// Shows what `enrichNote` with the same arguments would be made of: the exact text for the model, its sections,
    /// and what is left out. Nothing is started and no model is called.
    async fn enrichment_preview(
        &self,
        context: &Context<'_>,
        note_id: ID,
        persona_id: Option<ID>,
        provider: Option<String>,
        model: Option<String>,
        mode: Option<EnrichmentModeName>,
    ) -> Result<EnrichmentPreviewNode> {
        let op = operation(context);
        let note = id_of::<NoteId>(&note_id)?;
        let request = EnrichmentRequest {
            persona_id: id_of_option::<PersonaId>(persona_id.as_ref())?,
            mode: mode.map(Into::into),
            provider,
            model,
            user: Some(op.caller().user),
        };
        let question = preview_question(&*op.read().await?, note).await?;
        let meaning = question_ask(context, question, None).await?;
        let catalog = tenant_catalog(context).await?;
        let scoped = op.read().await?;
        let preview = enrichment_preview(&scoped, &catalog, note, &request, meaning).await?;
        Ok(preview.into())
    }

    /// The tenant's personas, newest first. `query` filters by name and description.
    async fn personas(
        &self,
        context: &Context<'_>,
        query: Option<String>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<PersonaNode>> {
        let args = PageArgs::new(after, before, first, last);
        root_list(context, PersonaList { query }, args, PersonaNode).await
    }

    /// The personas that fit a task, the best first, each with the reasons that make up its score; at most 50. Of equal
    /// scores the one that succeeded more often is first, then the older one. The newest 2,000 personas are compared.
    async fn persona_matches(
        &self,
        context: &Context<'_>,
        text: String,
        #[graphql(default = 5)] first: i32,
    ) -> Result<Vec<PersonaMatchNode>> {
        let limit =
            usize::try_from(first).map_err(|_| ApiError::invalid("`first` is not negative"))?;
        let scoped = operation(context).read().await?;
        let found = persona_matches(&scoped, &text, limit).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The domains that a text speaks of, the strongest first. Nothing is created.
    async fn specializations(&self, text: String) -> Result<Vec<SpecializationMatchNode>> {
        if text.len() > TEXT_MAX {
            return Err(
                ApiError::invalid(format!("the text is longer than {TEXT_MAX} bytes")).into(),
            );
        }
        let found = specializations_extract(&text);
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// Searches all knowledge. If a project is given, searches the knowledge of that project and of the whole tenant.
    async fn search(
        &self,
        context: &Context<'_>,
        query: String,
        project_id: Option<ID>,
        kinds: Option<Vec<KnowledgeKindName>>,
        #[graphql(default = 10)] first: i32,
    ) -> Result<Vec<SearchHitNode>> {
        let op = operation(context);
        let project = id_of_option::<ProjectId>(project_id.as_ref())?;
        project_require(context, project).await?;
        let limit =
            u64::try_from(first).map_err(|_| ApiError::invalid("`first` must not be negative"))?;
        let request = SearchRequest {
            text: query,
            project_id: project.map(TypedId::uuid),
            kinds: kinds
                .unwrap_or_default()
                .into_iter()
                .map(Into::into)
                .collect(),
            stacks: None,
            limit: limit.min(SEARCH_LIMIT_MAX),
        };
        let model = question_model(&*op.read().await?).await?;
        let question = model.map(|model| (model, request.text.clone()));
        let meaning = question_ask(context, question, project).await?;
        let hits = search_with(&*op.read().await?, &request, meaning.vector.as_ref()).await?;
        let node = |hit| SearchHitNode {
            hit,
            vector_failure: meaning.failure.clone(),
        };
        Ok(hits.into_iter().map(node).collect())
    }

    /// The memory entries of a project and of the whole tenant, newest first, filtered by the arguments.
    #[expect(
        clippy::too_many_arguments,
        reason = "the Relay arguments and four filters"
    )]
    async fn memory_entries(
        &self,
        context: &Context<'_>,
        project_id: Option<ID>,
        tag: Option<String>,
        source: Option<MemorySourceName>,
        #[graphql(desc = "Whether they are current: neither archived nor superseded.")]
        current: Option<bool>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<MemoryEntryNode>> {
        let filter = MemoryEntryFilter {
            project_id: id_of_option::<ProjectId>(project_id.as_ref())?,
            tag,
            source: source.map(Into::into),
            current,
        };
        project_require(context, filter.project_id).await?;
        let args = PageArgs::new(after, before, first, last);
        root_list(context, filter, args, MemoryEntryNode).await
    }

    /// Finds knowledge that is duplicated, never cited, stale or contradictory, and possible secrets. Changes nothing.
    async fn knowledge_audit(
        &self,
        context: &Context<'_>,
        project_id: Option<ID>,
    ) -> Result<KnowledgeAuditNode> {
        let project = id_of_option::<ProjectId>(project_id.as_ref())?;
        project_require(context, project).await?;
        let scoped = operation(context).read().await?;
        Ok(KnowledgeAuditNode(
            knowledge_audit(&*scoped, project).await?,
        ))
    }

    /// The audit log: actions that were performed or attempted in the tenant, newest first, filtered by the arguments.
    /// For owners and admins.
    #[expect(
        clippy::too_many_arguments,
        reason = "the Relay arguments and five filters"
    )]
    async fn audit_log(
        &self,
        context: &Context<'_>,
        user_id: Option<ID>,
        action: Option<String>,
        subject_id: Option<ID>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<List<AuditEntryNode>> {
        let filter = audit::filter(user_id.as_ref(), action, subject_id.as_ref(), from, to)?;
        let args = PageArgs::new(after, before, first, last);
        root_list(context, filter, args, AuditEntryNode).await
    }

    /// The budget of the tenant for requests. Null if there is no limit.
    async fn rate_limit(&self, context: &Context<'_>) -> Option<RateLimitNode> {
        rate_limit(context)
    }

    /// Information about this server.
    async fn server(&self, context: &Context<'_>) -> ServerInfoNode {
        let op = operation(context);
        let info = &op.services().server;
        ServerInfoNode {
            version: info.version.clone(),
            commit: info.commit.clone(),
            built_at: info.built_at,
            dirty: info.dirty,
            database: match op.store().backend() {
                Backend::Postgres => "postgresql",
                _ => "sqlite",
            },
            capabilities: vec!["sync", "code-analysis", "note-enrichment", "search"],
        }
    }
}

/// Information about this server.
#[derive(SimpleObject)]
#[graphql(name = "ServerInfo")]
pub(crate) struct ServerInfoNode {
    /// The version of the program.
    version: String,
    /// The commit of the build, if known.
    commit: Option<String>,
    /// The time of the build, if known.
    built_at: Option<DateTime<Utc>>,
    /// Whether the build has changes that are not in the commit, if known.
    dirty: Option<bool>,
    /// The database: sqlite or postgresql.
    database: &'static str,
    /// The capabilities of the server.
    capabilities: Vec<&'static str>,
}

/// Embeds a question for the caller. The snapshot is released during the call, because a model answers slowly.
async fn question_ask(
    context: &Context<'_>,
    question: Option<(VectorModel, String)>,
    project: Option<ProjectId>,
) -> Result<QuestionMeaning> {
    let Some((model, text)) = question else {
        return Ok(QuestionMeaning::default());
    };
    let op = operation(context);
    op.release().await;
    let call = CallContext {
        user: Some(op.caller().user),
        project: project.map(TypedId::uuid),
        ..CallContext::new(op.caller().tenant, PURPOSE)
    };
    let models = &op.services().models;
    Ok(question_embed(models, call, model, &text).await)
}
