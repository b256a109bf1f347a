//! The preview of an enrichment: the content that a model would get.

use async_graphql::SimpleObject;
use nyxcore_note_enrichment::{EnrichmentChoice, EnrichmentPreview, PreviewItem, PreviewSection};

use super::enrichment::EnrichmentModeName;
use super::note::KnowledgeKindName;

/// What an enrichment would be made of. Nothing is started and no model is called.
#[derive(SimpleObject)]
#[graphql(name = "EnrichmentPreview")]
pub(crate) struct EnrichmentPreviewNode {
    /// The mode that an enrichment with these arguments would have.
    mode: EnrichmentModeName,
    /// The provider of the model. Null if no model would be used.
    provider: Option<String>,
    /// The model. Null if no model would be used.
    model: Option<String>,
    /// The system text, exactly as the model would get it. Null if no model would be used.
    system: Option<String>,
    /// The user text, exactly as the model would get it. Null if no model would be used.
    user: Option<String>,
    /// The JSON Schema of the answer. Null if no model would be used.
    output_schema: Option<String>,
    /// The sections, also the empty ones.
    sections: Vec<PreviewSectionNode>,
    /// The maximum number of tokens of the prompt; without a model, of the excerpts.
    tokens: i64,
    /// The number of tokens that the sections may fill.
    budget_tokens: i64,
    /// The number of characters of the note that do not fit.
    input_left_out: i64,
    /// The templates with their versions.
    templates: Vec<String>,
}

/// A section of a preview.
#[derive(SimpleObject)]
#[graphql(name = "PreviewSection")]
pub(crate) struct PreviewSectionNode {
    /// The section, by the name of its template variable.
    section: &'static str,
    /// The kind of knowledge.
    kind: KnowledgeKindName,
    /// Whether nothing was found.
    is_empty: bool,
    /// The items, the most relevant first.
    items: Vec<PreviewItemNode>,
    /// The maximum number of tokens of these items.
    tokens: i64,
    /// The number of items found but left out because they do not fit.
    omitted: i64,
}

/// An item of a preview.
#[derive(SimpleObject)]
#[graphql(name = "PreviewItem")]
pub(crate) struct PreviewItemNode {
    /// The number by which the text cites the item.
    number: i64,
    /// The title.
    title: String,
    /// The place, such as `src/lease.rs:12-30`, if the item is in a file.
    place: Option<String>,
    /// The maximum number of tokens.
    tokens: i64,
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl From<EnrichmentPreview> for EnrichmentPreviewNode {
    fn from(preview: EnrichmentPreview) -> Self {
        let mode = preview.choice.mode().into();
        let (provider, model) = match preview.choice {
            EnrichmentChoice::Extractive => (None, None),
            EnrichmentChoice::Generated { provider, model } => (Some(provider), Some(model)),
        };
        Self {
            mode,
            provider,
            model,
            system: preview.system,
            user: preview.user,
            output_schema: preview.output_schema,
            sections: preview.sections.into_iter().map(Into::into).collect(),
            tokens: count(preview.tokens),
            budget_tokens: count(preview.budget),
            input_left_out: count(preview.input_left_out),
            templates: preview.templates,
        }
    }
}

impl From<PreviewSection> for PreviewSectionNode {
    fn from(section: PreviewSection) -> Self {
        Self {
            section: section.section.variable(),
            kind: section.section.kind().into(),
            is_empty: section.items.is_empty() && section.omitted == 0,
            items: section.items.into_iter().map(Into::into).collect(),
            tokens: count(section.tokens),
            omitted: count(section.omitted),
        }
    }
}

impl From<PreviewItem> for PreviewItemNode {
    fn from(item: PreviewItem) -> Self {
        Self {
            number: count(item.number),
            title: item.title,
            place: item.place,
            tokens: count(item.tokens),
        }
    }
}
