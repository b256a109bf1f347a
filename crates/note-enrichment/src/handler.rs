//! Executes an enrichment: retrieve, assemble, write, check.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_context::{Assembly, Reference, answer_write, model_failure};
use nyxcore_embeddings::{QuestionMeaning, question_embed, question_model};
use nyxcore_knowledge::{insights_recalled, memory_entries_recalled};
use nyxcore_model_catalog::{CallContext, ModelChoice, ModelService};
use nyxcore_projects::NewActionPoint;
use nyxcore_retrieval::{Citation, KnowledgeKind, VectorModel};
use nyxcore_runs::{Level, RunContext, RunFailure, RunHandler, RunKind};
use nyxcore_tenancy::{Error, ReadWrite, Scoped};

use crate::NoteEnrichment;
use crate::answer::Answer;
use crate::check::text_check;
use crate::compose::{excerpts_compose, written_compose};
use crate::material::Material;
use crate::mentions::file_mentions;
use crate::model::{ContextSection, Draft, EnrichmentMode, EnrichmentReport};
use crate::prompt::{Prompt, PromptError};
use crate::registration::{NOTE_ENRICHMENT_RUN, PURPOSE};
use crate::repository::{draft_get, enrichment_get};
use crate::resolve::{files_unknown, references_resolve};
use crate::service::{Outcome, draft_save, enrichment_save};
use crate::tasks::{action_points, shortened};

/// Counts the cited knowledge as recalled, which the audit of knowledge uses.
async fn recalls_count(scoped: &Scoped<ReadWrite>, cited: &[Citation]) -> Result<(), RunFailure> {
    let entries = ids_cited(cited, KnowledgeKind::MemoryEntry);
    memory_entries_recalled(scoped, &entries).await?;
    let insights = ids_cited(cited, KnowledgeKind::Insight);
    Ok(insights_recalled(scoped, &insights).await?)
}

/// The ids of a kind among citations, each once.
fn ids_cited<T: std::str::FromStr + Ord>(cited: &[Citation], kind: KnowledgeKind) -> Vec<T> {
    let of_kind = cited.iter().filter(|citation| citation.kind == kind);
    let ids = of_kind.filter_map(|citation| citation.subject_id.as_deref()?.parse().ok());
    let ids: BTreeSet<T> = ids.collect();
    ids.into_iter().collect()
}

/// The key of the answer whose text is shown while the model writes.
const SHOWN: &str = "markdown";

/// Executes the enrichments of notes. Those that a model writes need a [`ModelService`] among the services that the
/// workers share.
#[derive(Debug, Default)]
pub struct EnrichmentHandler {}

impl EnrichmentHandler {
    /// A handler.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    async fn enrich(&self, context: &RunContext) -> Result<(), RunFailure> {
        context.phase("retrieve", None, None).await?;
        let scoped = context.read().await?;
        let id = context.run().id;
        let enrichment = enrichment_get(&scoped, id)
            .await?
            .ok_or_else(note_deleted)?;
        if enrichment.markdown.is_some() {
            // An earlier attempt stored the text, and its worker was lost before the run could end.
            return Ok(());
        }
        let material = Material::read(&scoped, enrichment.note_id, enrichment.persona_id).await;
        let mut material = material.map_err(|error| match error {
            Error::NotFound(_) => note_deleted(),
            error => error.into(),
        })?;
        let draft = match enrichment.mode {
            EnrichmentMode::Extractive => None,
            EnrichmentMode::Generated => draft_get(&scoped, id).await?,
        };
        let question = match draft {
            None => question_model(&scoped).await?,
            Some(_) => None,
        };
        drop(scoped);
        if let Some(question) = question {
            material.meaning = meaning(context, &material, question).await?;
        }
        let scoped = context.read().await?;
        let outcome = match enrichment.mode {
            EnrichmentMode::Extractive => {
                let assembly = material.excerpts(&scoped).await?;
                drop(scoped);
                excerpts(context, &material, &assembly).await?
            }
            EnrichmentMode::Generated => {
                let draft = match draft {
                    // An earlier attempt was lost after the model had answered: that answer is already paid for.
                    Some(draft) => {
                        drop(scoped);
                        let kept = "an earlier attempt kept the model's answer: it is checked now";
                        context.message(Level::Info, kept).await?;
                        draft
                    }
                    None => {
                        let models: &ModelService = context.service()?;
                        let model = enrichment.model.clone().unwrap_or_default();
                        let catalog = models.catalog(&scoped).await?;
                        let today = scoped.env().now().date_naive();
                        let resolved = catalog.resolve(&model, today);
                        let window = resolved
                            .map_err(|error| model_failure(&error, context))?
                            .model
                            .context_window;
                        let prompt = Prompt::prepare(&scoped, &material, window).await;
                        let prompt = prompt.map_err(prompt_failure)?;
                        drop(scoped);
                        write(context, models, &enrichment, &material, &prompt).await?
                    }
                };
                check(context, &material, &draft).await?
            }
        };
        let cited = outcome.citations.clone();
        let scoped = context.write().await?;
        match enrichment_save(&scoped, id, outcome).await {
            Err(Error::NotFound(_)) => return Err(note_deleted()),
            saved => saved?,
        }
        recalls_count(&scoped, &cited).await?;
        Ok(scoped.commit().await?)
    }
}

impl RunHandler for EnrichmentHandler {
    fn kind(&self) -> RunKind {
        NOTE_ENRICHMENT_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async {
            let enriched = self.enrich(context).await;
            // The ledger is settled first, so that whoever sees the run end finds its cost there.
            if let Some(models) = context.service_optional::<ModelService>() {
                models.settled().await;
            }
            enriched
        }
        .boxed()
    }
}

/// The note as a vector. Where embedding fails, the note is searched for by its words, and a message of the run says
/// so.
async fn meaning(
    context: &RunContext,
    material: &Material,
    model: VectorModel,
) -> Result<QuestionMeaning, RunFailure> {
    let Some(models) = context.service_optional::<ModelService>() else {
        return Ok(QuestionMeaning::default());
    };
    let run = context.run();
    let call = CallContext {
        user: run.started_by,
        project: Some(material.project.id.0),
        run: Some(run.id.0),
        ..CallContext::new(context.tenant(), PURPOSE)
    };
    let meaning = question_embed(models, call, model, &material.input()).await;
    if let Some(failure) = &meaning.failure {
        let said = format!("the note is searched for by its words alone: {failure}");
        context.message(Level::Warning, said).await?;
    }
    Ok(meaning)
}

/// Writes an enrichment without a model.
async fn excerpts(
    context: &RunContext,
    material: &Material,
    assembly: &Assembly,
) -> Result<Outcome, RunFailure> {
    context.phase("assemble", None, None).await?;
    let sections = ContextSection::of(assembly);
    context.message(Level::Info, told(&sections)).await?;
    context.phase("write", None, None).await?;
    let pieces = assembly.pieces();
    let markdown = excerpts_compose(&material.input(), &material.project.name, assembly)
        .map_err(|error| prompt_failure(error.into()))?;
    let points = action_points(&material.note, &material.body, &pieces);
    context.phase("check", None, None).await?;
    let references: Vec<Reference> = pieces
        .into_iter()
        .map(|piece| piece.reference.clone())
        .collect();
    let scoped = context.read().await?;
    let resolved = references_resolve(&scoped, material.project.id, &references).await?;
    if resolved.contains(&false) {
        // A cited piece was deleted meanwhile: the citations of the text would be wrong.
        let changed = "the project changed while the note was enriched";
        return Err(RunFailure::transient("MATERIAL_CHANGED", changed));
    }
    Ok(Outcome {
        markdown,
        action_points: points,
        citations: references
            .into_iter()
            .map(|reference| reference.citation)
            .collect(),
        context_used: sections,
        report: EnrichmentReport::default(),
        model: None,
    })
}

/// Has a model write, and stores its answer with the citable pieces, so that it is paid for only once.
async fn write(
    context: &RunContext,
    models: &ModelService,
    enrichment: &NoteEnrichment,
    material: &Material,
    prompt: &Prompt,
) -> Result<Draft, RunFailure> {
    context.phase("assemble", None, None).await?;
    let sections = ContextSection::of(&prompt.assembly);
    context.message(Level::Info, told(&sections)).await?;
    if prompt.input_left_out > 0 {
        let said = format!(
            "{} characters of the note did not fit into the prompt",
            prompt.input_left_out
        );
        context.message(Level::Warning, said).await?;
    }
    context.phase("write", None, None).await?;
    let run = context.run();
    let call = CallContext {
        user: run.started_by,
        project: Some(material.project.id.0),
        run: Some(run.id.0),
        ..CallContext::new(context.tenant(), PURPOSE)
    };
    let choice = ModelChoice::Model(enrichment.model.clone().unwrap_or_default());
    let answer = answer_write(context, models, &call, choice, prompt.request(), SHOWN).await?;
    let draft = Draft {
        answer: answer.value,
        references: prompt.references(),
        sections,
        templates: prompt.templates.clone(),
        input_left_out: count(prompt.input_left_out),
        provider: answer.provider,
        model: answer.model,
    };
    let scoped = context.write().await?;
    draft_save(&scoped, run.id, &draft).await?;
    scoped.commit().await?;
    Ok(draft)
}

/// Checks a model's text: nothing that does not exist is shown as if it did.
async fn check(
    context: &RunContext,
    material: &Material,
    draft: &Draft,
) -> Result<Outcome, RunFailure> {
    context.phase("check", None, None).await?;
    let empty = || {
        RunFailure::permanent(
            "ANSWER_EMPTY",
            "the model's answer is empty: choose another model",
        )
    };
    let answer = Answer::read(&draft.answer).ok_or_else(empty)?;
    let scoped = context.read().await?;
    let project = material.project.id;
    let resolved = references_resolve(&scoped, project, &draft.references).await?;
    let is_valid = |number: usize| {
        let at = number.checked_sub(1);
        at.and_then(|at| resolved.get(at))
            .is_some_and(|resolves| *resolves)
    };
    let mut mentions = file_mentions(&answer.markdown);
    for point in &answer.action_points {
        mentions.extend(file_mentions(&point.text));
    }
    let unknown = files_unknown(&scoped, project, mentions).await?;
    drop(scoped);
    let text = text_check(&answer.markdown, is_valid, &unknown);
    if !text.markdown.chars().any(char::is_alphanumeric) {
        return Err(empty());
    }
    let references: Vec<Reference> = text
        .numbers
        .iter()
        .filter_map(|number| draft.references.get(number.checked_sub(1)?).cloned())
        .collect();
    let mut dropped = text.dropped;
    let mut action_points = Vec::new();
    let mut points_dropped = 0;
    for point in &answer.action_points {
        let numbers = point
            .citations
            .iter()
            .map(|number| usize::try_from(*number).unwrap_or(0));
        let (valid, invalid): (Vec<usize>, Vec<usize>) =
            numbers.partition(|number| is_valid(*number));
        dropped += invalid.len();
        let cited = valid
            .iter()
            .filter_map(|number| draft.references.get(number - 1));
        let citations: Vec<_> = cited.map(|reference| reference.citation.clone()).collect();
        let words = point.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = shortened(
            &words
                .chars()
                .filter(|c| !c.is_control())
                .collect::<String>(),
        );
        let names_nothing = file_mentions(&text)
            .iter()
            .any(|mention| unknown.contains(&mention.token));
        if text.is_empty() || citations.is_empty() || names_nothing {
            points_dropped += 1;
        } else {
            action_points.push(NewActionPoint { text, citations });
        }
    }
    let questions = answer
        .open_questions
        .iter()
        .map(|question| shortened(question));
    let mut files: Vec<String> = unknown.into_iter().collect();
    files.sort_unstable();
    let report = EnrichmentReport {
        citations_dropped: count(dropped),
        files_unknown: files,
        sentences_uncited: count(text.uncited),
        action_points_dropped: points_dropped,
        open_questions: questions.filter(|question| !question.is_empty()).collect(),
        templates: draft.templates.clone(),
        input_left_out: draft.input_left_out,
    };
    if report.citations_dropped > 0 || !report.files_unknown.is_empty() {
        let said = format!(
            "the model gave {} citations and {} places that do not exist",
            report.citations_dropped,
            report.files_unknown.len()
        );
        context.message(Level::Warning, said).await?;
    }
    let markdown = written_compose(&text.markdown, &draft.model, &references, &report);
    Ok(Outcome {
        markdown,
        action_points,
        citations: references
            .into_iter()
            .map(|reference| reference.citation)
            .collect(),
        context_used: draft.sections.clone(),
        report,
        model: Some((draft.provider.clone(), draft.model.clone())),
    })
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn prompt_failure(error: PromptError) -> RunFailure {
    match error {
        PromptError::Store(error) => error.into(),
        PromptError::Template(error) => RunFailure::permanent(error.code(), error.message),
        PromptError::WindowTooSmall(_) => {
            RunFailure::permanent("CONTEXT_TOO_LONG", error.to_string())
        }
    }
}

fn note_deleted() -> RunFailure {
    RunFailure::permanent(
        "NOTE_DELETED",
        "the note was deleted before it was enriched",
    )
}

fn told(sections: &[ContextSection]) -> String {
    let found: Vec<String> = sections
        .iter()
        .filter(|section| section.items > 0)
        .map(|section| {
            let name = section.section.map_or("", |section| section.variable());
            format!("{}: {}", name.replace('_', " "), section.items)
        })
        .collect();
    if found.is_empty() {
        "nothing related to the note was found".to_owned()
    } else {
        format!("found {}", found.join(", "))
    }
}
