//! Making, changing and deleting personas. Each verb works within the transaction it is given and does not commit it.

use nyxcore_tenancy::{
    Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, UserId, text,
};
use sea_orm::ActiveValue::Set;

use crate::entity::persona::{self, Words};
use crate::model::{Persona, PersonaId};
use crate::registration::PERSONA;
use crate::repository::Personas;
use crate::specialization::{specialization_domains, specializations_top};

/// Traits of one persona. A rule of this project.
const TRAITS_MAX: usize = 50;

/// What a new persona is to be.
#[derive(Debug, Clone, Default)]
pub struct NewPersona {
    /// 1 to 200 characters.
    pub name: String,
    /// What it is and does.
    pub description: String,
    /// What a model is told.
    pub system_prompt: Option<String>,
    /// How it is, in a few words each; up to 50.
    pub traits: Vec<String>,
    /// Names of domains. Taken from the description where there are none.
    pub specializations: Vec<String>,
    /// What it is for.
    pub category: Option<String>,
    /// Who makes it.
    pub created_by: Option<UserId>,
}

/// What of a persona is to change: what is `None` stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in NewPersona")]
pub struct PersonaChanges {
    pub name: Option<String>,
    /// Where the specializations came from the old description, they come from the new one then.
    pub description: Option<String>,
    pub system_prompt: Option<String>,
    pub traits: Option<Vec<String>>,
    /// None at all takes them from the description again, now and whenever it changes.
    pub specializations: Option<Vec<String>>,
    /// A blank one is removed.
    pub category: Option<String>,
}

/// Makes a persona. Without specializations it gets the strongest of its description.
///
/// # Errors
/// [`Error::Invalid`] for what is out of bounds, and for a specialization that is no domain: the text lists those that are.
pub async fn persona_create(scoped: &Scoped<ReadWrite>, new: NewPersona) -> Result<Persona> {
    let id = PersonaId(scoped.env().id());
    scoped.permit(Action::Create, PERSONA, id.uuid())?;
    let now = scoped.env().now();
    let description = text::body("the persona's description", &new.description)?;
    let (specializations, auto_specialized) = specialize(&new.specializations, &description)?;
    let row = persona::ActiveModel {
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
        xp: Set(0),
        usage_count: Set(0),
        success_count: Set(0),
        created_by: Set(new.created_by),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Personas::insert(scoped, row).await
}

/// Changes a persona.
///
/// # Errors
/// [`Error::NotFound`], and as [`persona_create`].
pub async fn persona_update(
    scoped: &Scoped<ReadWrite>,
    id: PersonaId,
    changes: PersonaChanges,
) -> Result<Persona> {
    scoped.permit(Action::Update, PERSONA, id.uuid())?;
    let old = Personas::require(scoped, id).await?;
    let mut row = persona::ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    if let Some(text) = changes.name {
        row.name = Set(text::name("the persona's name", &text)?);
    }
    let given = match changes.specializations {
        Some(given) => Some(given),
        // An empty list stands for "from the description".
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
    Personas::update(scoped, id, row).await
}

/// Deletes a persona. What it helped with stays.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn persona_delete(scoped: &Scoped<ReadWrite>, id: PersonaId) -> Result<()> {
    scoped.permit(Action::Delete, PERSONA, id.uuid())?;
    Personas::delete(scoped, id).await
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
                "{start:?} is no specialization: choose from {}",
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
