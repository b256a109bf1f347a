//! Creates, changes and deletes personas. Each operation uses the caller's transaction and does not commit it.

use nyxcore_model_catalog::{DefaultPurpose, ModelError, model_choose};
use nyxcore_tenancy::{
    Access, Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, UserId, text,
};
use sea_orm::ActiveValue::Set;

use crate::entity::persona::{self, Words};
use crate::model::{Persona, PersonaId, PersonaModel};
use crate::registration::PERSONA;
use crate::repository::Personas;
use crate::specialization::{specialization_domains, specializations_top};

/// The most traits of one persona. A rule of this project.
const TRAITS_MAX: usize = 50;

/// The choice of a persona's default model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonaModelChoice {
    /// The provider: a vendor's id, or the name of an endpoint. Where it is left out, the catalog chooses.
    pub provider: Option<String>,
    /// The model's id.
    pub model: String,
}

/// A new persona.
#[derive(Debug, Clone, Default)]
pub struct NewPersona {
    /// 1 to 200 characters.
    pub name: String,
    /// What it is and does.
    pub description: String,
    /// The instruction to a model.
    pub system_prompt: Option<String>,
    /// Its traits, in a few words each; up to 50.
    pub traits: Vec<String>,
    /// Names of domains. Taken from the description where there are none.
    pub specializations: Vec<String>,
    /// Its category.
    pub category: Option<String>,
    /// The model that is called where no other was chosen.
    pub default_model: Option<PersonaModelChoice>,
    /// The creating user.
    pub created_by: Option<UserId>,
}

/// The changes to a persona; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in NewPersona")]
pub struct PersonaChanges {
    pub name: Option<String>,
    /// If the specializations came from the old description, they are extracted from the new one.
    pub description: Option<String>,
    pub system_prompt: Option<String>,
    pub traits: Option<Vec<String>>,
    /// An empty list extracts them from the description, now and whenever it changes.
    pub specializations: Option<Vec<String>>,
    /// A blank one is removed.
    pub category: Option<String>,
    /// `Some(None)` removes it.
    pub default_model: Option<Option<PersonaModelChoice>>,
}

/// Creates a persona. Without specializations it gets the strongest ones of its description.
///
/// # Errors
/// [`Error::Invalid`] for a field that is out of bounds, and for a specialization that is no domain: the message lists
/// the domains. [`ModelError::Unknown`], [`ModelError::Hidden`], [`ModelError::ShutDown`] and [`ModelError::Unfit`] for
/// a model that cannot be called.
pub async fn persona_create(
    scoped: &Scoped<ReadWrite>,
    new: NewPersona,
) -> Result<Persona, ModelError> {
    let id = PersonaId(scoped.env().id());
    scoped.permit(Action::Create, PERSONA, id.uuid())?;
    let model = match &new.default_model {
        Some(choice) => Some(model_check(scoped, choice).await?),
        None => None,
    };
    let row = persona_row(scoped, id, new, model)?;
    Ok(Personas::insert(scoped, row).await?)
}

/// The row of a new persona, with every column set.
pub(crate) fn persona_row(
    scoped: &Scoped<ReadWrite>,
    id: PersonaId,
    new: NewPersona,
    model: Option<PersonaModel>,
) -> Result<persona::ActiveModel> {
    let now = scoped.env().now();
    let description = text::body("the persona's description", &new.description)?;
    let (specializations, auto_specialized) = specialize(&new.specializations, &description)?;
    let (model_provider, model_id) = columns_of(model);
    Ok(persona::ActiveModel {
        id: Set(id),
        name: Set(text::name("the persona's name", &new.name)?),
        description: Set(description),
        system_prompt: Set(text::body(
            "the system prompt",
            new.system_prompt.as_deref().unwrap_or_default(),
        )?),
        traits: Set(traits(&new.traits)?),
        specializations: Set(specializations),
        auto_specialized: Set(auto_specialized),
        category: Set(category(new.category.as_deref().unwrap_or_default())?),
        model_provider: Set(model_provider),
        model_id: Set(model_id),
        starter: Set(None),
        xp: Set(0),
        usage_count: Set(0),
        success_count: Set(0),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    })
}

/// Changes a persona.
///
/// # Errors
/// [`Error::NotFound`], and as [`persona_create`].
pub async fn persona_update(
    scoped: &Scoped<ReadWrite>,
    id: PersonaId,
    changes: PersonaChanges,
) -> Result<Persona, ModelError> {
    scoped.permit(Action::Update, PERSONA, id.uuid())?;
    let touched = persona::ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    // The update locks the row, so that nobody changes it while it is decided whether the specializations follow the
    // description.
    let old = Personas::update(scoped, id, touched.clone()).await?;
    let mut row = touched;
    if let Some(text) = changes.name {
        row.name = Set(text::name("the persona's name", &text)?);
    }
    let given = match changes.specializations {
        Some(given) => Some(given),
        // An empty list means "from the description".
        None if old.auto_specialized && changes.description.is_some() => Some(Vec::new()),
        None => None,
    };
    if let Some(given) = given {
        let description = changes.description.as_deref().unwrap_or(&old.description);
        let (specializations, auto_specialized) = specialize(&given, description)?;
        row.specializations = Set(specializations);
        row.auto_specialized = Set(auto_specialized);
    }
    if let Some(text) = changes.description {
        row.description = Set(text::body("the persona's description", &text)?);
    }
    if let Some(text) = changes.system_prompt {
        row.system_prompt = Set(text::body("the system prompt", &text)?);
    }
    if let Some(given) = changes.traits {
        row.traits = Set(traits(&given)?);
    }
    if let Some(text) = changes.category {
        row.category = Set(category(&text)?);
    }
    if let Some(choice) = changes.default_model {
        let model = match &choice {
            Some(choice) => Some(model_check(scoped, choice).await?),
            None => None,
        };
        let (provider, id) = columns_of(model);
        row.model_provider = Set(provider);
        row.model_id = Set(id);
    }
    Ok(Personas::update(scoped, id, row).await?)
}

/// Deletes a persona. The results that it helped with stay.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn persona_delete(scoped: &Scoped<ReadWrite>, id: PersonaId) -> Result<()> {
    scoped.permit(Action::Delete, PERSONA, id.uuid())?;
    Personas::delete(scoped, id).await
}

/// Validates the model and returns it as it is stored: the id as it was chosen, so that a dated version stays that
/// version, and the provider.
async fn model_check<A: Access>(
    scoped: &Scoped<A>,
    choice: &PersonaModelChoice,
) -> Result<PersonaModel, ModelError> {
    let (provider, model) = (choice.provider.as_deref(), choice.model.as_str());
    let found = model_choose(scoped, DefaultPurpose::Default, provider, model).await?;
    Ok(PersonaModel {
        provider: found.model.provider,
        model: found.asked,
    })
}

fn columns_of(model: Option<PersonaModel>) -> (Option<String>, Option<String>) {
    model.map(|model| (model.provider, model.model)).unzip()
}

/// The specializations, and whether they come from the description.
fn specialize(given: &[String], description: &str) -> Result<(Words, bool)> {
    if given.is_empty() {
        let found = specializations_top(description);
        let domains = found.iter().map(|found| found.domain.to_owned());
        return Ok((Words(domains.collect()), true));
    }
    let known: Vec<&str> = specialization_domains().iter().map(|d| d.domain).collect();
    let mut domains: Vec<String> = Vec::new();
    for domain in given {
        if !known.contains(&domain.as_str()) {
            let start: String = domain.chars().take(60).collect();
            return Err(Error::Invalid(format!(
                "{start:?} is not a known specialization: choose from {}",
                known.join(", ")
            )));
        }
        if !domains.contains(domain) {
            domains.push(domain.clone());
        }
    }
    Ok((Words(domains), false))
}

fn traits(given: &[String]) -> Result<Words> {
    if given.len() > TRAITS_MAX {
        return Err(Error::Invalid(format!(
            "a persona has at most {TRAITS_MAX} traits"
        )));
    }
    let traits = given.iter().map(|text| text::name("the trait", text));
    Ok(Words(traits.collect::<Result<_>>()?))
}

fn category(text: &str) -> Result<Option<String>> {
    text::NAME.check_optional("the category", Some(text))
}
