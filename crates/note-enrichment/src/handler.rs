//! Executes an enrichment: retrieve, compose, save.

use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_personas::Personas;
use nyxcore_projects::{Notes, Projects};
use nyxcore_runs::{Level, RunContext, RunFailure, RunHandler, RunKind};
use nyxcore_tenancy::{Access, Error, Repository, Result, Scoped};

use crate::compose::compose;
use crate::registration::NOTE_ENRICHMENT_RUN;
use crate::repository::enrichment_get;
use crate::retrieve::{RetrievedKnowledge, retrieve};
use crate::section;
use crate::service::{Outcome, enrichment_save};
use crate::tasks::action_points;
use crate::template::{TemplateError, Templates};
use crate::{NoteEnrichment, model::ContextSection};

/// Carries out the enrichments of notes.
#[derive(Debug, Default)]
pub struct EnrichmentHandler {
    templates: Templates,
}

impl EnrichmentHandler {
    /// A handler with the template engine.
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
            // An earlier attempt kept its work and was lost before the run could end.
            return Ok(());
        }
        let material = EnrichmentInput::gather(&scoped, &enrichment).await?;
        drop(scoped);
        let told = told(&material.found.sections);
        context.message(Level::Info, told).await?;

        context.phase("compose", None, None).await?;
        let outcome = self.outcome(material)?;

        context.phase("save", None, None).await?;
        let scoped = context.write().await?;
        match enrichment_save(&scoped, id, outcome).await {
            Err(Error::NotFound(_)) => return Err(note_deleted()),
            saved => saved?,
        }
        Ok(scoped.commit().await?)
    }

    fn outcome(&self, material: EnrichmentInput) -> Result<Outcome, RunFailure> {
        let EnrichmentInput {
            note,
            body,
            project_name,
            found,
        } = material;
        let input = format!("{}\n\n{body}", note.title);
        let markdown = compose(&self.templates, &input, &project_name, &found.pieces)
            .map_err(|error: TemplateError| RunFailure::permanent(error.code(), error.message))?;
        Ok(Outcome {
            markdown,
            action_points: action_points(&note, &body, &found.pieces),
            citations: found
                .pieces
                .into_iter()
                .map(|piece| piece.citation)
                .collect(),
            context_used: found.sections,
        })
    }
}

impl RunHandler for EnrichmentHandler {
    fn kind(&self) -> RunKind {
        NOTE_ENRICHMENT_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        self.enrich(context).boxed()
    }
}

/// What an enrichment is made of, all from one snapshot.
struct EnrichmentInput {
    note: nyxcore_projects::Note,
    /// The note's body without earlier enrichments, so that an enrichment does not cause its own repetition.
    body: String,
    project_name: String,
    found: RetrievedKnowledge,
}

impl EnrichmentInput {
    async fn gather<A: Access>(
        scoped: &Scoped<A>,
        enrichment: &NoteEnrichment,
    ) -> Result<Self, RunFailure> {
        let note = Notes::get(scoped, enrichment.note_id)
            .await?
            .ok_or_else(note_deleted)?;
        let project = Projects::require(scoped, note.project_id).await?;
        // A persona that was deleted meanwhile has nothing more to say.
        let persona = match enrichment.persona_id {
            Some(persona) => Personas::get(scoped, persona).await?,
            None => None,
        };
        let body = section::strip(&note.body).into_owned();
        let found = retrieve(scoped, &note, &body, persona.as_ref()).await?;
        Ok(Self {
            note,
            body,
            project_name: project.name,
            found,
        })
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
            let kind = section.kind.as_str().replace('_', " ").to_lowercase();
            format!("{kind}: {}", section.items)
        })
        .collect();
    if found.is_empty() {
        "nothing related to the note was found".to_owned()
    } else {
        format!("found {}", found.join(", "))
    }
}
