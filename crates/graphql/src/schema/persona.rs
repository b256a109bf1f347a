//! Personas, the personas that match a task, and the specialization extractor.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use nyxcore_personas::{
    MatchReason, MatchReasonKind, Persona, PersonaMatch, PersonaModel, PersonaModelStanding,
    SpecializationMatch,
};
use nyxcore_tenancy::Error;

use super::catalog::today;
use super::ids::global_id;
use super::mirror::mirror;
use crate::context::operation;

/// A role that a model takes: what it knows, what it is told, and how often it helped.
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

    /// What it is and does.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// The system prompt that a model gets.
    async fn system_prompt(&self) -> &str {
        &self.0.system_prompt
    }

    /// Its traits, a few words each.
    async fn traits(&self) -> &[String] {
        &self.0.traits
    }

    /// The names of the domains that it is specialised in, the strongest first.
    async fn specializations(&self) -> &[String] {
        &self.0.specializations
    }

    /// Whether the specializations are derived from the description, and change with it.
    async fn auto_specialized(&self) -> bool {
        self.0.auto_specialized
    }

    /// What it is for.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// The default model of the persona. Null if it has none.
    async fn default_model(&self) -> Option<PersonaModelNode> {
        self.0.default_model.clone().map(PersonaModelNode)
    }

    /// Its level: 1, and one more for each 100 XP.
    async fn level(&self) -> i64 {
        self.0.level()
    }

    /// Its experience points: 10 for each run that used it.
    async fn xp(&self) -> i64 {
        self.0.xp
    }

    /// How many runs used it.
    async fn usage_count(&self) -> i64 {
        self.0.usage_count
    }

    /// The share of the runs with this persona that succeeded, 0 to 1. Null before the first run.
    async fn success_rate(&self) -> Option<f64> {
        self.0.success_rate()
    }
}

/// The model that a persona names.
pub(crate) struct PersonaModelNode(PersonaModel);

impl PersonaModelNode {
    /// The state of the model by the catalog, which is read once for all personas of a list.
    async fn standing(&self, context: &Context<'_>) -> Result<PersonaModelStanding> {
        let loaders = operation(context).loaders();
        let catalog = loaders.model_catalogs().load_one(()).await?;
        let catalog = catalog.ok_or(Error::NotFound("model catalog"))?;
        Ok(self.0.standing(&catalog, today(context)))
    }
}

#[Object(name = "PersonaModel")]
impl PersonaModelNode {
    /// The id of its provider: a vendor, or an endpoint of the tenant's.
    async fn provider(&self) -> &str {
        &self.0.provider
    }

    /// The id of the model, as it was chosen.
    async fn model(&self) -> &str {
        &self.0.model
    }

    /// The id of the model that is called today: its replacement where the chosen one was shut down; null where none
    /// can be called.
    async fn called_model(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.standing(context).await?.called)
    }

    /// Why a different model is called, or why no model can be called.
    async fn warning(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.standing(context).await?.warning)
    }
}

/// A persona that fits a task.
#[derive(SimpleObject)]
#[graphql(name = "PersonaMatch")]
pub(crate) struct PersonaMatchNode {
    /// The persona.
    persona: PersonaNode,
    /// How well it fits: the sum of the weights of its reasons.
    score: u32,
    /// What the task and the persona have in common.
    reasons: Vec<PersonaMatchReasonNode>,
}

/// Something that a task and a persona have in common.
#[derive(SimpleObject)]
#[graphql(name = "PersonaMatchReason")]
pub(crate) struct PersonaMatchReasonNode {
    /// What it is.
    kind: PersonaMatchReasonKindName,
    /// The domain with the keywords of the task, the category, the keyword, the trait or the word.
    text: String,
    /// What it adds to the score.
    weight: u32,
}

mirror! {
    /// What a task and a persona can have in common.
    pub(crate) enum PersonaMatchReasonKindName = "PersonaMatchReasonKind" of "MatchReasonKind" {
        /// A domain that the task speaks of and the persona is specialised in.
        Specialization,
        /// The category of the persona: it names a domain of the task or stands in the task.
        Category,
        /// A keyword of a domain that is in the task and in the name or description of the persona.
        Keyword,
        /// A trait of the persona whose words stand in the task.
        Trait,
        /// Another word that is in the task and in the name or description of the persona.
        Word,
    }
}

impl From<PersonaMatch> for PersonaMatchNode {
    fn from(found: PersonaMatch) -> Self {
        Self {
            persona: PersonaNode(found.persona),
            score: found.score,
            reasons: found.reasons.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<MatchReason> for PersonaMatchReasonNode {
    fn from(reason: MatchReason) -> Self {
        Self {
            kind: reason.kind.into(),
            text: reason.text,
            weight: reason.weight,
        }
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
    /// The number of occurrences of the keywords in the text.
    count: usize,
    /// The sum of the weights of all occurrences: 1 to 3 each, higher for more specific keywords.
    score: u32,
}

impl From<SpecializationMatch> for SpecializationMatchNode {
    fn from(found: SpecializationMatch) -> Self {
        Self {
            domain: found.domain,
            label: found.label,
            keywords: found.keywords,
            count: found.count,
            score: found.score,
        }
    }
}
