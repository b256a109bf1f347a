//! Personas and the specialization extractor.

use async_graphql::{ID, Object, SimpleObject};
use nyxcore_personas::{Persona, SpecializationMatch};

use super::ids::global_id;

/// A voice to work with: what it knows, how it speaks, how often it helped.
pub(crate) struct PersonaNode(pub Persona);

#[Object(name = "Persona")]
impl PersonaNode {
    /// Its id.
    pub(crate) async fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Who it is.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What a model is told in its name.
    async fn system_prompt(&self) -> &str {
        &self.0.system_prompt
    }

    /// What it is like.
    async fn traits(&self) -> &[String] {
        &self.0.traits
    }

    /// The domains it is specialised in.
    async fn specializations(&self) -> &[String] {
        &self.0.specializations
    }

    /// Whether its specializations were drawn from its description.
    async fn auto_specialized(&self) -> bool {
        self.0.auto_specialized
    }

    /// What it is for.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// One more for each 100 XP.
    async fn level(&self) -> i64 {
        self.0.level()
    }

    /// Ten for each use.
    async fn xp(&self) -> i64 {
        self.0.xp
    }

    /// How often it was used.
    async fn usage_count(&self) -> i64 {
        self.0.usage_count
    }

    /// How many of its uses succeeded, 0 to 1; none before the first.
    async fn success_rate(&self) -> Option<f64> {
        self.0.success_rate()
    }
}

/// A domain that a text speaks of.
#[derive(SimpleObject)]
#[graphql(name = "SpecializationMatch")]
pub(crate) struct SpecializationMatchNode {
    /// The domain's name, such as `data-engineering`.
    domain: &'static str,
    /// The name for people, such as "Data Engineering".
    label: &'static str,
    /// The words that were found.
    keywords: Vec<&'static str>,
    /// How often they stand in the text.
    count: usize,
}

impl From<SpecializationMatch> for SpecializationMatchNode {
    fn from(found: SpecializationMatch) -> Self {
        Self {
            domain: found.domain,
            label: found.label,
            keywords: found.keywords,
            count: found.count,
        }
    }
}
