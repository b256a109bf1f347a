//! The prompt for the model: the counted patterns, and the sources that it may quote, as data.

use std::collections::BTreeMap;

use nyxcore_context::{
    Assembly, PersonaVariables, Piece, Reference, Section, SectionShare, TemplateError, Templates,
    Variables, assemble, template_get, tokens_bound,
};
use nyxcore_knowledge::KeyedPattern;
use nyxcore_llm::ModelRequest;
use nyxcore_personas::Persona;
use nyxcore_projects::ProjectId;
use nyxcore_retrieval::Citation;
use nyxcore_runs::RunFailure;
use nyxcore_tenancy::{Access, Error, Scoped};

use crate::answer::output_schema;
use crate::source::{Source, TOTAL_CHARS_MAX};

/// The most tokens of an answer. A rule of this project: some twenty patterns.
const OUTPUT_TOKENS_MAX: usize = 8_000;
/// Tokens of the context window that are reserved for roles and separators.
const SPARE_TOKENS: usize = 100;
/// How often a prompt is made smaller where it does not fit.
const TRIES: usize = 4;
/// The most patterns that a model is asked to phrase.
const CANDIDATES_MAX: usize = 50;
/// The most pieces of a section: as many as there is room for.
const PIECES_MAX: usize = usize::MAX;

/// The share of each section in the budget.
const SHARES: [SectionShare; 3] = [
    share(Section::Insights, 30),
    share(Section::Memory, 60),
    share(Section::CodePatterns, 10),
];

const fn share(section: Section, percent: usize) -> SectionShare {
    SectionShare {
        section,
        percent,
        pieces_max: PIECES_MAX,
    }
}

/// A prompt, and the sources and patterns in it.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    system: String,
    user: String,
    /// The templates with their versions.
    pub(crate) templates: Vec<String>,
    /// The ids of the sources in it: `1` is the first.
    pub(crate) pieces: Vec<String>,
    /// The keys of the patterns in it: `1` is the first.
    pub(crate) candidates: Vec<String>,
    /// How many sources did not fit.
    pub(crate) omitted: usize,
    output_tokens: usize,
}

/// Why a prompt cannot be made: the error of [`Prompt::prepare`].
#[derive(Debug)]
pub(crate) enum PromptError {
    Store(Error),
    Template(TemplateError),
    /// The templates alone do not fit into a context window of this many tokens.
    WindowTooSmall(u64),
}

impl From<Error> for PromptError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<TemplateError> for PromptError {
    fn from(error: TemplateError) -> Self {
        Self::Template(error)
    }
}

impl From<PromptError> for RunFailure {
    fn from(error: PromptError) -> Self {
        match error {
            PromptError::Store(error) => error.into(),
            PromptError::Template(error) => Self::permanent(error.code(), error.message),
            PromptError::WindowTooSmall(window) => Self::permanent(
                "CONTEXT_TOO_LONG",
                format!(
                    "the prompt does not fit into the model's context window of {window} tokens"
                ),
            ),
        }
    }
}

/// What a prompt is made of.
pub(crate) struct PromptMaterial<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) found: &'a [KeyedPattern],
    pub(crate) names: &'a BTreeMap<ProjectId, String>,
    pub(crate) persona: Option<Persona>,
}

impl Prompt {
    /// Makes the prompt for a model with that context window in tokens.
    pub(crate) async fn prepare<A: Access>(
        scoped: &Scoped<A>,
        material: &PromptMaterial<'_>,
        window: Option<u64>,
    ) -> Result<Self, PromptError> {
        let system = template_get(scoped, "consolidation.system").await?;
        let user = template_get(scoped, "consolidation.user").await?;
        let room = window.map_or(usize::MAX, |window| {
            usize::try_from(window).unwrap_or(usize::MAX)
        });
        let output_tokens = OUTPUT_TOKENS_MAX.min(room / 4);
        let room = room.saturating_sub(output_tokens + SPARE_TOKENS);
        let projects: Vec<&str> = material.names.values().map(String::as_str).collect();
        let projects = projects.join(", ");
        let engine = Templates::prompt();
        // A token is at least two and a half bytes, and the number of characters is already limited.
        let mut budget = TOTAL_CHARS_MAX.min(room);
        for _ in 0..TRIES {
            let assembly = assemble(material.pieces(), &SHARES, budget);
            let pieces = pieces(&assembly);
            let (input, candidates) = material.candidates(&pieces, budget / 4);
            let variables = Variables::new(&input, &projects, &assembly);
            let persona = material.persona.as_ref().map(|persona| PersonaVariables {
                name: persona.name.clone(),
                description: persona.description.clone(),
                prompt: persona.system_prompt.clone(),
                traits: persona.traits.clone(),
            });
            let variables = variables.with_persona(persona);
            let omitted = assembly.sections.iter().map(|section| section.omitted);
            let prompt = Self {
                system: engine.render(system.text(), &variables)?.trim().to_owned(),
                user: engine.render(user.text(), &variables)?.trim().to_owned(),
                templates: vec![system.mark(), user.mark()],
                omitted: omitted.sum(),
                pieces,
                candidates,
                output_tokens,
            };
            let schema = output_schema().schema.to_string();
            let tokens = [&prompt.system, &prompt.user, &schema].map(|text| tokens_bound(text));
            let tokens: usize = tokens.iter().sum();
            if tokens <= room {
                return Ok(prompt);
            }
            budget = assembly.tokens().min(budget).saturating_sub(tokens - room);
        }
        Err(PromptError::WindowTooSmall(window.unwrap_or_default()))
    }

    pub(crate) fn request(&self) -> ModelRequest {
        ModelRequest {
            system: Some(self.system.clone()),
            output_schema: Some(output_schema()),
            max_output_tokens: u32::try_from(self.output_tokens).ok(),
            ..ModelRequest::new("", self.user.clone())
        }
    }
}

/// The ids of the sources in the prompt, in the order of their numbers.
fn pieces(assembly: &Assembly) -> Vec<String> {
    let pieces = assembly.pieces().into_iter();
    pieces
        .map(|piece| {
            piece
                .reference
                .citation
                .subject_id
                .clone()
                .unwrap_or_default()
        })
        .collect()
}

impl PromptMaterial<'_> {
    fn pieces(&self) -> Vec<(Section, Vec<Piece>)> {
        let mut pieces: BTreeMap<Section, Vec<Piece>> = BTreeMap::new();
        for source in self.sources {
            let Some(section) = Section::of(source.kind) else {
                continue;
            };
            let project = self.names.get(&source.project);
            let piece = Piece {
                reference: Reference {
                    citation: Citation {
                        kind: source.kind,
                        subject_id: Some(source.subject_id.clone()),
                        title: source.title.clone(),
                        excerpt: String::new(),
                        path: None,
                        source_id: None,
                        start_line: None,
                        end_line: None,
                        score: 0.0,
                    },
                    section,
                    blob: None,
                },
                text: source.text.clone(),
                label: project.map(|name| format!("project {name}")),
                suggestion: None,
                language: None,
            };
            pieces.entry(section).or_default().push(piece);
        }
        pieces.into_iter().collect()
    }

    /// The counted patterns, a line each with the numbers of the pieces that show it; and their keys. At most `tokens`
    /// tokens.
    fn candidates(&self, pieces: &[String], tokens: usize) -> (String, Vec<String>) {
        let (mut lines, mut keys) = (String::new(), Vec::new());
        for found in self.found.iter().take(CANDIDATES_MAX) {
            let shown = found.quotations.iter();
            let numbers: Vec<String> = shown
                .filter_map(|quotation| {
                    let at = pieces.iter().position(|id| *id == quotation.subject_id)?;
                    Some((at + 1).to_string())
                })
                .collect();
            let line = format!(
                "{}. {}: {} (pieces {})\n",
                keys.len() + 1,
                found.pattern_type.as_str(),
                found.title,
                numbers.join(", ")
            );
            if numbers.is_empty() || tokens_bound(&lines) + tokens_bound(&line) > tokens {
                continue;
            }
            lines.push_str(&line);
            keys.push(found.key.clone());
        }
        (lines, keys)
    }
}
