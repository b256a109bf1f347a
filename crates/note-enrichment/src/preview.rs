//! Previews the input of an enrichment before it is started: for a model, exactly the prompt that it would get.

use nyxcore_context::{Assembly, Section, place};
use nyxcore_embeddings::{QuestionMeaning, question_model};
use nyxcore_model_catalog::{ModelError, TenantCatalog};
use nyxcore_projects::NoteId;
use nyxcore_retrieval::VectorModel;
use nyxcore_tenancy::{Access, Action, Error, Scoped};

use crate::answer::output_schema;
use crate::choice::{EnrichmentChoice, EnrichmentRequest, enrichment_choose};
use crate::material::Material;
use crate::prompt::{Prompt, PromptError};
use crate::registration::NOTE_ENRICHMENT;

/// The input of an enrichment that is not started.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrichmentPreview {
    /// Whether a model would write it, and which.
    pub choice: EnrichmentChoice,
    /// The system prompt, byte for byte. `None` without a model.
    pub system: Option<String>,
    /// The user prompt, byte for byte. `None` without a model.
    pub user: Option<String>,
    /// The JSON Schema that the answer must fit. `None` without a model.
    pub output_schema: Option<String>,
    /// Every section, also an empty one.
    pub sections: Vec<PreviewSection>,
    /// An upper bound of the tokens of the prompt; without a model, of the excerpts.
    pub tokens: usize,
    /// The tokens that were available for the sections.
    pub budget: usize,
    /// How many characters of the note did not fit.
    pub input_left_out: usize,
    /// The templates with their versions.
    pub templates: Vec<String>,
}

/// A section of a preview.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewSection {
    /// The section.
    pub section: Section,
    /// What is in it, the most relevant first.
    pub items: Vec<PreviewItem>,
    /// An upper bound of its tokens.
    pub tokens: usize,
    /// How many more were found and did not fit.
    pub omitted: usize,
}

/// A piece of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewItem {
    /// The number by which it is cited.
    pub number: usize,
    /// Its title.
    pub title: String,
    /// Where it is, such as `src/lease.rs:12-30`.
    pub place: Option<String>,
    /// An upper bound of its tokens.
    pub tokens: usize,
}

/// The input for the embedding that a preview needs: the model and the note's text; `None` where the tenant has no
/// embeddings.
///
/// # Errors
/// [`Error::NotFound`] for the note.
pub async fn preview_question<A: Access>(
    scoped: &Scoped<A>,
    note: NoteId,
) -> Result<Option<(VectorModel, String)>, ModelError> {
    scoped.permit(Action::Read, NOTE_ENRICHMENT, None)?;
    let material = Material::read(scoped, note, None).await?;
    let model = question_model(scoped).await?;
    Ok(model.map(|model| (model, material.input())))
}

/// Previews the input of an enrichment of that note. `meaning` is the result of embedding the text that
/// [`preview_question`] returns.
///
/// # Errors
/// [`Error::NotFound`] for the note and the persona; [`Error::Invalid`] for a tenant's template that does not render;
/// as [`enrichment_choose`].
pub async fn enrichment_preview<A: Access>(
    scoped: &Scoped<A>,
    catalog: &TenantCatalog,
    note: NoteId,
    request: &EnrichmentRequest,
    meaning: QuestionMeaning,
) -> Result<EnrichmentPreview, ModelError> {
    scoped.permit(Action::Read, NOTE_ENRICHMENT, None)?;
    let material = Material::read(scoped, note, request.persona_id).await?;
    let material = Material {
        meaning,
        ..material
    };
    let choice = enrichment_choose(scoped, catalog, request).await?;
    let EnrichmentChoice::Generated { model, .. } = &choice else {
        let assembly = material.excerpts(scoped).await?;
        return Ok(EnrichmentPreview {
            choice,
            system: None,
            user: None,
            output_schema: None,
            tokens: assembly.tokens(),
            budget: assembly.budget,
            sections: sections(&assembly),
            input_left_out: 0,
            templates: Vec::new(),
        });
    };
    let today = scoped.env().now().date_naive();
    let window = catalog.resolve(model, today)?.model.context_window;
    let prompt = Prompt::prepare(scoped, &material, window).await;
    let prompt = prompt.map_err(|error| match error {
        PromptError::Store(error) => error,
        error => Error::Invalid(error.to_string()),
    })?;
    Ok(EnrichmentPreview {
        choice,
        output_schema: Some(output_schema().schema.to_string()),
        sections: sections(&prompt.assembly),
        tokens: prompt.tokens,
        budget: prompt.assembly.budget,
        input_left_out: prompt.input_left_out,
        templates: prompt.templates,
        system: Some(prompt.system),
        user: Some(prompt.user),
    })
}

fn sections(assembly: &Assembly) -> Vec<PreviewSection> {
    let sections = assembly.sections.iter().map(|section| PreviewSection {
        section: section.section,
        items: section
            .items
            .iter()
            .map(|(number, piece)| PreviewItem {
                number: *number,
                title: piece.reference.citation.title.clone(),
                place: place(&piece.reference.citation),
                tokens: piece.tokens(),
            })
            .collect(),
        tokens: section.tokens,
        omitted: section.omitted,
    });
    sections.collect()
}
