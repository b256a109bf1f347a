//! The input of an enrichment, from one snapshot: the note, its project and its persona.

use nyxcore_context::{Assembly, Section, SectionShare, assemble};
use nyxcore_embeddings::QuestionMeaning;
use nyxcore_personas::{Persona, PersonaId, Personas};
use nyxcore_projects::{Note, NoteId, Notes, Project, Projects};
use nyxcore_tenancy::{Access, Error, Repository, Result, Scoped};

use crate::pieces::Depth;
use crate::retrieve::retrieve;
use crate::section;

/// The shares of an excerpt's sections in percent and in pieces: what a person reads in two minutes. The five pieces of
/// code are the places that a maintainer would name. A rule of this project.
const EXCERPT_SHARES: [SectionShare; 6] = [
    share(Section::Code, 35, 5),
    share(Section::Documents, 15, 3),
    share(Section::Insights, 20, 5),
    share(Section::Memory, 15, 4),
    share(Section::Consolidations, 10, 3),
    share(Section::CodePatterns, 5, 4),
];
/// The tokens of an excerpt, at most.
const EXCERPT_TOKENS: usize = 8_000;

/// The shares of a prompt's sections. A rule of this project: code answers most questions about code.
pub(crate) const PROMPT_SHARES: [SectionShare; 6] = [
    share(Section::Code, 40, 12),
    share(Section::Documents, 15, 6),
    share(Section::Insights, 15, 8),
    share(Section::Memory, 15, 8),
    share(Section::Consolidations, 10, 5),
    share(Section::CodePatterns, 5, 4),
];

const fn share(section: Section, percent: usize, pieces_max: usize) -> SectionShare {
    SectionShare {
        section,
        percent,
        pieces_max,
    }
}

/// The input of an enrichment. See the module.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    pub(crate) note: Note,
    /// The note's body without earlier enrichments, so that an enrichment does not cause its own repetition.
    pub(crate) body: String,
    pub(crate) project: Project,
    /// The persona; `None` also where it was deleted meanwhile.
    pub(crate) persona: Option<Persona>,
    /// The note as a vector; empty where it was not embedded.
    pub(crate) meaning: QuestionMeaning,
}

impl Material {
    /// Reads the material of a note.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the note.
    pub(crate) async fn read<A: Access>(
        scoped: &Scoped<A>,
        note: NoteId,
        persona: Option<PersonaId>,
    ) -> Result<Self> {
        let note = Notes::get(scoped, note)
            .await?
            .ok_or(Error::NotFound("note"))?;
        let project = Projects::require(scoped, note.project_id).await?;
        let persona = match persona {
            Some(persona) => Personas::get(scoped, persona).await?,
            None => None,
        };
        let body = section::strip(&note.body).into_owned();
        Ok(Self {
            note,
            body,
            project,
            persona,
            meaning: QuestionMeaning::default(),
        })
    }

    /// The title and the text.
    pub(crate) fn input(&self) -> String {
        format!("{}\n\n{}", self.note.title, self.body)
    }

    /// The excerpts of an enrichment without a model.
    pub(crate) async fn excerpts<A: Access>(&self, scoped: &Scoped<A>) -> Result<Assembly> {
        let found = retrieve(scoped, self, Depth::Excerpt).await?;
        Ok(assemble(found, &EXCERPT_SHARES, EXCERPT_TOKENS))
    }
}
