//! The variables that a template may use. The table [`VARIABLES`] is their documentation.

use std::collections::BTreeMap;

use crate::assembly::Assembly;
use crate::piece::{Section, place};

/// A variable of the templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name, as in `project.wisdom`.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
}

const fn variable(name: &'static str, description: &'static str) -> Variable {
    Variable { name, description }
}

/// Every variable. A list prints as its pieces, each between markers, or says that it is empty; `{% for item in code
/// %}` iterates over it. An item has `number`, `kind`, `title`, `text`, `label`, `suggestion`, `place`, `is_place` and
/// `language`.
pub const VARIABLES: &[Variable] = &[
    variable(
        "input",
        "The text that is worked on, such as a note with its title.",
    ),
    variable("project.name", "The name of the project."),
    variable(
        "project.wisdom",
        "How the project's code is written and what was learned: code patterns and insights.",
    ),
    variable("memory", "Memory entries."),
    variable("insights", "Insights."),
    variable("consolidations", "What several projects share."),
    variable(
        "code_patterns",
        "How the code is written, as the analysis found it.",
    ),
    variable(
        "documents",
        "READMEs, guides and other prose of the repositories.",
    ),
    variable("code", "Pieces of source files."),
    variable(
        "steps",
        "The outputs of earlier steps by their names: `steps.Analyse.content` and `steps.Analyse.digest`. A note has none.",
    ),
    variable("references", "All pieces in the order of their numbers."),
    variable(
        "persona",
        "Whom the model is asked to be; none where nobody was chosen. It has `name`, `description`, `prompt` and `traits`.",
    ),
    variable(
        "boundary",
        "The marker between which data stands. It occurs in none of the data.",
    ),
];

/// A piece of knowledge as a template sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The number by which it is cited: `[1]`.
    pub number: usize,
    /// The kind of piece, for people: "Memory entry".
    pub kind: &'static str,
    /// Its title.
    pub title: String,
    /// What it says, or the part of it that matters.
    pub text: String,
    /// A short description: "pain point, high".
    pub label: Option<String>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// Where it is: `src/lease.rs:12-30`.
    pub place: Option<String>,
    /// Whether it is a range of lines and nothing more, as code is.
    pub is_place: bool,
    /// The language of its text, where that is code.
    pub language: Option<String>,
}

impl Item {
    /// Its untrusted texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let optional = [&self.label, &self.suggestion, &self.place, &self.language];
        [self.title.as_str(), self.text.as_str()]
            .into_iter()
            .chain(optional.into_iter().filter_map(|text| text.as_deref()))
    }
}

/// A section as a template sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Items {
    pub(crate) items: Vec<Item>,
    /// How many more were found and did not fit.
    pub(crate) omitted: usize,
}

/// The persona that a model takes on. A member wrote it as an instruction: it is no data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonaVariables {
    /// The name.
    pub name: String,
    /// What the persona is and does.
    pub description: String,
    /// The instruction to the model.
    pub prompt: String,
    /// The traits of the persona, in a few words each.
    pub traits: Vec<String>,
}

/// The result of an earlier step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepOutput {
    /// The whole text.
    pub content: String,
    /// A stored summary.
    pub digest: String,
}

/// The values of the variables.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// See [`VARIABLES`].
    pub input: String,
    /// See [`VARIABLES`].
    pub project_name: String,
    /// See [`VARIABLES`].
    pub persona: Option<PersonaVariables>,
    /// See [`VARIABLES`].
    pub steps: BTreeMap<String, StepOutput>,
    pub(crate) sections: BTreeMap<Section, Items>,
}

impl Variables {
    /// The variables of an assembled context, with the text that is worked on.
    #[must_use]
    pub fn new(input: &str, project_name: &str, assembly: &Assembly) -> Self {
        let sections = assembly.sections.iter().map(|section| {
            let items = section.items.iter().map(|(number, piece)| {
                let citation = &piece.reference.citation;
                Item {
                    number: *number,
                    kind: section.section.piece_name(),
                    title: citation.title.clone(),
                    text: piece.text.clone(),
                    label: piece.label.clone(),
                    suggestion: piece.suggestion.clone(),
                    place: place(citation),
                    is_place: matches!(section.section, Section::Code | Section::Documents),
                    language: piece.language.clone(),
                }
            });
            let items = Items {
                items: items.collect(),
                omitted: section.omitted,
            };
            (section.section, items)
        });
        Self {
            input: input.to_owned(),
            project_name: project_name.to_owned(),
            sections: sections.collect(),
            ..Self::default()
        }
    }

    /// Sets the persona that the model takes on.
    #[must_use]
    pub fn with_persona(self, persona: Option<PersonaVariables>) -> Self {
        Self { persona, ..self }
    }

    /// All pieces in the order of their numbers.
    pub(crate) fn references(&self) -> Vec<&Item> {
        let items = self.sections.values().flat_map(|section| &section.items);
        let mut all: Vec<&Item> = items.collect();
        all.sort_by_key(|item| item.number);
        all
    }

    /// Every untrusted text.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let steps = self.steps.values();
        let steps = steps.flat_map(|step| [step.content.as_str(), step.digest.as_str()]);
        let items = self.sections.values().flat_map(|section| &section.items);
        [self.input.as_str(), self.project_name.as_str()]
            .into_iter()
            .chain(steps)
            .chain(items.flat_map(Item::texts))
            .collect()
    }

    /// Sample values to validate a template with: every variable is set, or none is.
    pub(crate) fn sample(is_full: bool) -> Self {
        if !is_full {
            return Self::default();
        }
        let text = |what: &str| Some(what.to_owned());
        let items = |number: usize, section: Section| Items {
            items: vec![Item {
                number,
                kind: section.piece_name(),
                title: "A title".to_owned(),
                text: "A text.".to_owned(),
                label: text("a label"),
                suggestion: text("A suggestion."),
                place: text("src/a.rs:1-2"),
                is_place: section == Section::Code,
                language: text("rust"),
            }],
            omitted: 1,
        };
        let sections = (1..).zip(Section::ALL);
        Self {
            input: "A note".to_owned(),
            project_name: "Atlas".to_owned(),
            persona: Some(PersonaVariables {
                name: "Vera".to_owned(),
                description: "Reviews.".to_owned(),
                prompt: "Be brief.".to_owned(),
                traits: vec!["calm".to_owned()],
            }),
            steps: BTreeMap::new(),
            sections: sections
                .map(|(number, section)| (section, items(number, section)))
                .collect(),
        }
    }
}
