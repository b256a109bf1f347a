//! The built-in templates. A change of a template's text raises its version.

/// A template that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInTemplate {
    /// Its name, as in `note_enrichment.user`.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The version, which rises with every change of the text.
    pub version: i64,
    /// The text.
    pub text: &'static str,
    /// Whether a tenant may override it with its own text.
    pub can_be_overridden: bool,
}

/// Every built-in template.
pub const BUILT_IN_TEMPLATES: &[BuiltInTemplate] = &[
    BuiltInTemplate {
        name: "note_enrichment.system",
        description: "What a model is told about enriching notes, before the note.",
        version: 1,
        text: include_str!("../templates/note_enrichment.system.jinja"),
        can_be_overridden: true,
    },
    BuiltInTemplate {
        name: "note_enrichment.user",
        description: "The note and what is known about it, for a model.",
        version: 1,
        text: include_str!("../templates/note_enrichment.user.jinja"),
        can_be_overridden: true,
    },
    BuiltInTemplate {
        name: "note_enrichment.extractive",
        description: "The text of an enrichment without a model, in Markdown.",
        version: 2,
        text: include_str!("../templates/note_enrichment.extractive.jinja"),
        can_be_overridden: false,
    },
    BuiltInTemplate {
        name: "consolidation.system",
        description: "What a model is told about consolidating projects, before the material.",
        version: 1,
        text: include_str!("../templates/consolidation.system.jinja"),
        can_be_overridden: true,
    },
    BuiltInTemplate {
        name: "consolidation.user",
        description: "What was counted in several projects and the texts it was counted in, for a model.",
        version: 1,
        text: include_str!("../templates/consolidation.user.jinja"),
        can_be_overridden: true,
    },
];

/// The built-in template of that name.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static BuiltInTemplate> {
    BUILT_IN_TEMPLATES
        .iter()
        .find(|template| template.name == name)
}
