//! The prompt for a model. It is made in this one place, for the preview and for the call.

use nyxcore_context::{
    Assembly, PersonaVariables, Reference, TemplateError, Templates, Variables, assemble,
    template_get, tokens_bound,
};
use nyxcore_llm::ModelRequest;
use nyxcore_tenancy::{Access, Error, Scoped};

use crate::answer::output_schema;
use crate::material::{Material, PROMPT_SHARES};
use crate::pieces::Depth;
use crate::retrieve::retrieve;

/// The most tokens of knowledge and note in a prompt, by their upper bound: some 40 KB. A rule of this project: more
/// costs more, and the models do not use it better.
pub const CONTEXT_TOKENS_MAX: usize = 16_000;
/// The most tokens of an answer. A rule of this project: 300 words, action points and questions take a third.
const OUTPUT_TOKENS_MAX: usize = 4_000;
/// Tokens of the context window that are reserved for roles and separators.
const SPARE_TOKENS: usize = 100;
/// How often a prompt is made smaller where it does not fit: the size of the texts around the pieces is known only when
/// they are rendered.
const TRIES: usize = 4;

/// A prompt, and the facts about its content.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) system: String,
    pub(crate) user: String,
    pub(crate) assembly: Assembly,
    /// The templates with their versions.
    pub(crate) templates: Vec<String>,
    /// The characters of the note that did not fit.
    pub(crate) input_left_out: usize,
    /// An upper bound of the tokens of the prompt, with the schema of the answer.
    pub(crate) tokens: usize,
    output_tokens: usize,
}

/// Why a prompt cannot be made: the error of [`Prompt::prepare`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromptError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The templates alone do not fit into the context window.
    #[error("the prompt does not fit into the model's context window of {0} tokens")]
    WindowTooSmall(u64),
}

impl Prompt {
    /// Makes the prompt for a model with that context window in tokens.
    pub(crate) async fn prepare<A: Access>(
        scoped: &Scoped<A>,
        material: &Material,
        window: Option<u64>,
    ) -> Result<Self, PromptError> {
        let system = template_get(scoped, "note_enrichment.system").await?;
        let user = template_get(scoped, "note_enrichment.user").await?;
        let found = retrieve(scoped, material, Depth::Passage).await?;
        let room = window.map_or(usize::MAX, |window| {
            usize::try_from(window).unwrap_or(usize::MAX)
        });
        let output_tokens = OUTPUT_TOKENS_MAX.min(room / 4);
        let room = room.saturating_sub(output_tokens + SPARE_TOKENS);
        let engine = Templates::prompt();
        let mut budget = CONTEXT_TOKENS_MAX.min(room);
        for _ in 0..TRIES {
            // The note may take half of the budget.
            let (input, input_left_out) = cut(&material.input(), budget / 2);
            let left = budget.saturating_sub(tokens_bound(&input));
            let assembly = assemble(found.clone(), &PROMPT_SHARES, left);
            let pieces = assembly.sections.iter().map(|section| section.tokens);
            let used = tokens_bound(&input) + pieces.sum::<usize>();
            let persona = material.persona.as_ref().map(|persona| PersonaVariables {
                name: persona.name.clone(),
                description: persona.description.clone(),
                prompt: persona.system_prompt.clone(),
                traits: persona.traits.clone(),
            });
            let variables = Variables::new(&input, &material.project.name, &assembly);
            let variables = variables.with_persona(persona);
            let prompt = Self {
                system: engine.render(system.text(), &variables)?.trim().to_owned(),
                user: engine.render(user.text(), &variables)?.trim().to_owned(),
                assembly,
                templates: vec![system.mark(), user.mark()],
                input_left_out,
                tokens: 0,
                output_tokens,
            };
            let schema = output_schema().schema.to_string();
            let tokens = [&prompt.system, &prompt.user, &schema].map(|text| tokens_bound(text));
            let tokens: usize = tokens.iter().sum();
            if tokens <= room {
                return Ok(Self { tokens, ..prompt });
            }
            // The tokens that were used are reduced, and not the budget: else only an unused part of the budget would
            // be cut.
            budget = used.min(budget).saturating_sub(tokens - room);
        }
        Err(PromptError::WindowTooSmall(window.unwrap_or_default()))
    }

    /// The request, byte for byte what the preview shows.
    pub(crate) fn request(&self) -> ModelRequest {
        ModelRequest {
            system: Some(self.system.clone()),
            output_schema: Some(output_schema()),
            max_output_tokens: u32::try_from(self.output_tokens).ok(),
            ..ModelRequest::new("", self.user.clone())
        }
    }

    /// The pieces that it offers for citation: `[1]` is the first.
    pub(crate) fn references(&self) -> Vec<Reference> {
        let pieces = self.assembly.pieces().into_iter();
        pieces.map(|piece| piece.reference.clone()).collect()
    }
}

/// The beginning of a text with at most `tokens` tokens, cut at a line end where possible; and how many characters are
/// left out. A sentence at the end states that number.
fn cut(text: &str, tokens: usize) -> (String, usize) {
    /// The room for that sentence, in bytes.
    const SAID_BYTES: usize = 80;
    if tokens_bound(text) <= tokens {
        return (text.to_owned(), 0);
    }
    let bytes = (tokens * 5 / 2).saturating_sub(SAID_BYTES);
    let end = (0..=bytes.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let kept = &text[..end.unwrap_or(0)];
    let kept = match kept.rfind('\n') {
        Some(line_end) if line_end > kept.len() / 2 => &kept[..line_end],
        _ => kept,
    };
    let left_out = text.chars().count() - kept.chars().count();
    let said = format!("{kept}\n[{left_out} more characters of the note do not fit here]");
    (said, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_fits_stays_whole() {
        assert_eq!(cut("short", 100), ("short".to_owned(), 0));
    }

    #[test]
    fn a_long_note_is_cut_at_a_line_and_says_so() {
        let text = "äöü one line\n".repeat(100_000);
        let (kept, left_out) = cut(&text, 1_000);
        assert!(tokens_bound(&kept) <= 1_000, "{}", tokens_bound(&kept));
        let last = kept.lines().last().unwrap();
        assert_eq!(
            last,
            format!("[{left_out} more characters of the note do not fit here]")
        );
        assert!(kept.lines().rev().nth(1).unwrap().ends_with("one line"));
    }
}
