//! Executes a consolidation: read, count, store; and, where a model is chosen, assemble, write, check, store.

use std::collections::{BTreeMap, HashSet};

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_code_analysis::CodePattern;
use nyxcore_context::{answer_write, model_failure};
use nyxcore_knowledge::{ConsolidationUpdate, KeyedPattern, consolidation_patterns_keep};
use nyxcore_model_catalog::{CallContext, ModelChoice, ModelService};
use nyxcore_personas::Personas;
use nyxcore_projects::{ProjectId, Projects};
use nyxcore_runs::{Level, RunContext, RunFailure, RunHandler, RunKind};
use nyxcore_tenancy::{Error, ReadWrite, Repository, Scoped};

use crate::answer::{answer_check, is_empty};
use crate::habit::shared_habits;
use crate::model::{Consolidation, ConsolidationReport, Draft};
use crate::prompt::{Prompt, PromptMaterial};
use crate::recall::Recall;
use crate::registration::{CONSOLIDATION_RUN, PURPOSE};
use crate::repository::{Consolidations, draft_get};
use crate::service::{draft_save, report_save};
use crate::source::{Source, TOTAL_CHARS_MAX, count, of_habit, project_read, recall_read};
use crate::statement::statements;
use crate::theme::themes;

/// The key of the answer whose text is shown while the model writes: the title of the first pattern.
const SHOWN: &str = "title";

/// Executes consolidations. Those with a model need a [`ModelService`] among the services that the workers share.
#[derive(Debug, Default)]
pub struct ConsolidationHandler {}

/// What was read of the projects that still exist.
struct Material {
    names: BTreeMap<ProjectId, String>,
    sources: Vec<Source>,
    habits: Vec<CodePattern>,
    recall: Recall,
}

/// The counted patterns, and the sources with the code patterns that show shared habits.
struct CountedPatterns {
    found: Vec<KeyedPattern>,
    sources: Vec<Source>,
}

impl ConsolidationHandler {
    /// A handler.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    async fn consolidate(&self, context: &RunContext) -> Result<(), RunFailure> {
        let id = context.run().id;
        let scoped = context.read().await?;
        let consolidation = Consolidations::require(&scoped, id).await?;
        drop(scoped);
        if consolidation.report.is_some() {
            // An earlier attempt stored the report, and its worker was lost before the run could end.
            return Ok(());
        }
        let mut report = ConsolidationReport::default();
        let material = read(context, &consolidation, &mut report).await?;
        let projects: Vec<ProjectId> = material.names.keys().copied().collect();
        let names = material.names.clone();
        context.phase("count", None, None).await?;
        let counting = tokio::task::spawn_blocking(move || counted(material));
        let counted = counting
            .await
            .map_err(|_| RunFailure::permanent("INTERNAL", "the words could not be counted"))?;
        let said = format!("counted patterns: {}", counted.found.len());
        context.message(Level::Info, said).await?;
        context.check()?;
        // The counted patterns are stored before a model is asked, so that they stay whatever the model answers.
        context.phase("keep", None, None).await?;
        let scoped = context.write().await?;
        let update = keep(&scoped, &projects, counted.found.clone()).await?;
        if consolidation.model.is_none() {
            note(&mut report, update);
            report_save(&scoped, &consolidation, report, None).await?;
            return Ok(scoped.commit().await?);
        }
        scoped.commit().await?;
        note(&mut report, update);
        let answered = self.ask(context, &consolidation, &counted, &names).await;
        let draft = match answered {
            Ok(draft) => Some(draft),
            Err(failure) if failure.transient || is_end(&failure) => return Err(failure),
            Err(failure) => {
                let said = format!("{}: {}", failure.code, failure.message);
                context.check()?;
                report.model_failure = Some(said);
                None
            }
        };
        context.phase("check", None, None).await?;
        let mut checked = Vec::new();
        if let Some(draft) = &draft {
            let answer = answer_check(draft, &counted.sources, &counted.found);
            report.quotations_dropped = answer.quotations_dropped;
            report.patterns_dropped = answer.patterns_dropped;
            report.templates.clone_from(&draft.templates);
            if is_empty(&draft.answer) {
                let said = "ANSWER_EMPTY: the model's answer has no patterns: choose another model";
                report.model_failure = Some(said.to_owned());
            } else if answer.patterns.is_empty() {
                let said = "QUOTES_INVALID: no pattern of the model's is shown by its quotations: choose another model";
                report.model_failure = Some(said.to_owned());
            }
            checked = answer.patterns;
        }
        if let Some(failure) = &report.model_failure {
            let said = format!("what was counted is kept without the model's words: {failure}");
            context.message(Level::Warning, said).await?;
        }
        if report.quotations_dropped > 0 {
            let said = format!(
                "{} quotations of the model's are not in their sources and were left out",
                report.quotations_dropped
            );
            context.message(Level::Warning, said).await?;
        }
        let scoped = context.write().await?;
        if !checked.is_empty() {
            let update = keep(&scoped, &projects, checked).await?;
            note(&mut report, update);
        }
        let answered_by = draft
            .filter(|_| report.model_failure.is_none())
            .map(|draft| (draft.provider, draft.model));
        report_save(&scoped, &consolidation, report, answered_by).await?;
        Ok(scoped.commit().await?)
    }

    /// Asks the model, or takes the answer that an earlier attempt stored, since that one is already paid for.
    async fn ask(
        &self,
        context: &RunContext,
        consolidation: &Consolidation,
        counted: &CountedPatterns,
        names: &BTreeMap<ProjectId, String>,
    ) -> Result<Draft, RunFailure> {
        context.phase("assemble", None, None).await?;
        let scoped = context.read().await?;
        if let Some(draft) = draft_get(&scoped, consolidation.run_id).await? {
            drop(scoped);
            let kept = "an earlier attempt kept the model's answer: it is checked now";
            context.message(Level::Info, kept).await?;
            return Ok(draft);
        }
        let models: &ModelService = context.service()?;
        let model = consolidation.model.clone().unwrap_or_default();
        let catalog = models.catalog(&scoped).await?;
        let today = scoped.env().now().date_naive();
        let resolved = catalog.resolve(&model, today);
        let resolved = resolved.map_err(|error| model_failure(&error, context))?;
        // A persona that was deleted meanwhile is left out of the prompt.
        let persona = match consolidation.persona_id {
            Some(persona) => Personas::get(&scoped, persona).await?,
            None => None,
        };
        let material = PromptMaterial {
            sources: &counted.sources,
            found: &counted.found,
            names,
            persona,
        };
        let prompt = Prompt::prepare(&scoped, &material, resolved.model.context_window).await?;
        drop(scoped);
        if prompt.omitted > 0 {
            let said = format!("{} texts did not fit into the prompt", prompt.omitted);
            context.message(Level::Warning, said).await?;
        }
        context.phase("write", None, None).await?;
        let run = context.run();
        let call = CallContext {
            user: run.started_by,
            run: Some(run.id.0),
            ..CallContext::new(context.tenant(), PURPOSE)
        };
        let choice = ModelChoice::Model(model);
        let answer = answer_write(context, models, &call, choice, prompt.request(), SHOWN).await;
        // The ledger is settled first, so that whoever sees the run end finds its cost there.
        models.settled().await;
        let answer = answer?;
        let draft = Draft {
            answer: answer.value,
            pieces: prompt.pieces,
            candidates: prompt.candidates,
            templates: prompt.templates,
            provider: answer.provider,
            model: answer.model,
        };
        let scoped = context.write().await?;
        draft_save(&scoped, run.id, &draft).await?;
        scoped.commit().await?;
        Ok(draft)
    }
}

impl RunHandler for ConsolidationHandler {
    fn kind(&self) -> RunKind {
        CONSOLIDATION_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        self.consolidate(context).boxed()
    }
}

/// Reads the projects that still exist, one after the other. The characters that one project does not use go to the
/// next.
async fn read(
    context: &RunContext,
    consolidation: &Consolidation,
    report: &mut ConsolidationReport,
) -> Result<Material, RunFailure> {
    let total = count(consolidation.projects.len());
    context.phase("read", Some(total), Some("projects")).await?;
    let scoped = context.read().await?;
    let ids: Vec<ProjectId> = consolidation.projects.iter().map(|one| one.id).collect();
    let there = Projects::get_many(&scoped, &ids).await?;
    let recall = recall_read(&scoped).await?;
    drop(scoped);
    let deleted = consolidation.projects.iter();
    let deleted = deleted.filter(|project| !there.contains_key(&project.id));
    report.projects_deleted = deleted.map(|project| project.name.clone()).collect();
    if !report.projects_deleted.is_empty() {
        let said = format!(
            "these projects were deleted and are left out: {}",
            report.projects_deleted.join(", ")
        );
        context.message(Level::Warning, said).await?;
    }
    if there.len() < 2 {
        let left = "fewer than two of the projects are still there: start it with others";
        return Err(RunFailure::permanent("PROJECTS_DELETED", left));
    }
    let mut material = Material {
        names: there
            .into_values()
            .map(|project| (project.id, project.name))
            .collect(),
        sources: Vec::new(),
        habits: Vec::new(),
        recall,
    };
    let projects: Vec<ProjectId> = material.names.keys().copied().collect();
    let mut room = TOTAL_CHARS_MAX;
    for (done, project) in projects.iter().enumerate() {
        let scoped = context.read().await?;
        let share = room / (projects.len() - done);
        let read = project_read(&scoped, *project, &material.recall, share).await?;
        drop(scoped);
        room -= read.chars;
        report.sources_read += count(read.sources.len());
        report.sources_left_out += read.left_out;
        report.characters_left_out += read.characters_left_out;
        report.lines_recalled += read.lines_recalled;
        material.sources.extend(read.sources);
        material.habits.extend(read.habits);
        context.progress(count(done + 1), Some(total)).await?;
    }
    if report.sources_left_out > 0 {
        let said = format!(
            "{} older entries are left out: {TOTAL_CHARS_MAX} characters are read at most",
            report.sources_left_out
        );
        context.message(Level::Warning, said).await?;
    }
    Ok(material)
}

/// Counts what the projects share. It is CPU-bound and takes a while.
fn counted(material: Material) -> CountedPatterns {
    let Material {
        names,
        mut sources,
        habits,
        recall,
    } = material;
    let statements: Vec<_> = sources
        .iter()
        .enumerate()
        .flat_map(|(at, source)| statements(at, source, &recall))
        .collect();
    let mut found = themes(&statements, &sources, &names);
    for (habit, shown_by) in shared_habits(&habits, &names) {
        found.push(habit);
        sources.extend(shown_by.into_iter().map(of_habit));
    }
    CountedPatterns { found, sources }
}

async fn keep(
    scoped: &Scoped<ReadWrite>,
    projects: &[ProjectId],
    found: Vec<KeyedPattern>,
) -> Result<ConsolidationUpdate, RunFailure> {
    let kept = consolidation_patterns_keep(scoped, projects, found).await;
    kept.map_err(|error| match error {
        Error::NotFound(_) | Error::Conflict(_) => RunFailure::transient(
            "PROJECTS_CHANGED",
            "a project was deleted, or another run kept the same patterns at the same time",
        ),
        error => error.into(),
    })
}

/// Adds an update of patterns to the report. A pattern that was counted and then phrased by the model is one pattern.
fn note(report: &mut ConsolidationReport, update: ConsolidationUpdate) {
    let before: HashSet<_> = report.patterns.iter().copied().collect();
    let is_first = before.is_empty();
    let new = update
        .patterns
        .into_iter()
        .filter(|id| !before.contains(id));
    report.patterns.extend(new);
    report.created += update.created;
    if is_first {
        report.updated += update.updated;
        report.unchanged += update.unchanged;
        report.archived += update.archived;
    }
}

/// Whether the run has to end at once: it was cancelled, or its lease passed to another worker.
fn is_end(failure: &RunFailure) -> bool {
    matches!(failure.code, "CANCELLED" | "LEASE_LOST")
}
