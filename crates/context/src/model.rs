//! The domain model: templates as a tenant sees them.

use chrono::{DateTime, Utc};
use nyxcore_tenancy::UserId;

use crate::builtin::BuiltInTemplate;

/// The longest template, in characters. A rule of this project: ten times the longest built-in one.
pub const TEMPLATE_CHARS_MAX: usize = 20_000;

/// A tenant's own text for a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateOverride {
    /// The template's name.
    pub name: String,
    /// The text.
    pub text: String,
    /// The version, which rises with every change that the tenant makes.
    pub version: i64,
    /// The version of the built-in template that it replaced when it was written.
    pub built_in_version: i64,
    /// Who changed it last.
    pub updated_by: Option<UserId>,
    /// The time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// A template as a tenant uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The built-in template.
    pub built_in: &'static BuiltInTemplate,
    /// The tenant's own text, which overrides the built-in one.
    pub own: Option<TemplateOverride>,
}

impl Template {
    /// The text that is used.
    #[must_use]
    pub fn text(&self) -> &str {
        self.own
            .as_ref()
            .map_or(self.built_in.text, |own| &own.text)
    }

    /// The mark that is stored with a generated text: `note_enrichment.user@1`, `note_enrichment.user@own-3`.
    #[must_use]
    pub fn mark(&self) -> String {
        match &self.own {
            Some(own) => format!("{}@own-{}", self.built_in.name, own.version),
            None => format!("{}@{}", self.built_in.name, self.built_in.version),
        }
    }

    /// Whether the built-in template changed since the tenant's was written.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        let written_for = self.own.as_ref().map(|own| own.built_in_version);
        written_for.is_some_and(|version| version < self.built_in.version)
    }
}
