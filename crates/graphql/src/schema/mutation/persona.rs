//! Personas.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use nyxcore_personas::{
    NewPersona, PersonaChanges, PersonaId, PersonaModelChoice, persona_create, persona_delete,
    persona_update, starter_personas_install,
};

use crate::context::operation;
use crate::schema::ids::id_of;
use crate::schema::persona::PersonaNode;

#[derive(Default)]
pub(crate) struct PersonaMutation;

#[Object]
impl PersonaMutation {
    /// Creates a persona. Without specializations it gets the strongest domains of its description.
    async fn create_persona(
        &self,
        context: &Context<'_>,
        input: CreatePersonaInput,
    ) -> Result<CreatePersonaPayload> {
        let op = operation(context);
        let new = NewPersona {
            name: input.name,
            description: input.description,
            system_prompt: input.system_prompt,
            traits: input.traits,
            specializations: input.specializations,
            category: input.category,
            default_model: input.default_model.map(Into::into),
            created_by: Some(op.caller().user),
        };
        let persona = op
            .change(async |scoped| persona_create(scoped, new).await)
            .await?;
        Ok(CreatePersonaPayload {
            persona: PersonaNode(persona),
        })
    }

    /// Changes a persona. What is left out stays as it is. A change of the description changes specializations only
    /// where they are derived from it.
    async fn update_persona(
        &self,
        context: &Context<'_>,
        input: UpdatePersonaInput,
    ) -> Result<UpdatePersonaPayload> {
        let id = id_of::<PersonaId>(&input.persona_id)?;
        let changes = PersonaChanges {
            name: input.name,
            description: input.description,
            system_prompt: cleared(input.system_prompt),
            traits: cleared(input.traits),
            specializations: cleared(input.specializations),
            category: cleared(input.category),
            default_model: match input.default_model {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(choice) => Some(Some(choice.into())),
            },
        };
        let persona = operation(context)
            .change(async |scoped| persona_update(scoped, id, changes).await)
            .await?;
        Ok(UpdatePersonaPayload {
            persona: PersonaNode(persona),
        })
    }

    /// Adds the starter personas that the tenant does not have: the roles of a software team, each with a description
    /// and a system prompt. A persona that has the name of one is left alone, and a second call adds nothing.
    async fn install_starter_personas(
        &self,
        context: &Context<'_>,
    ) -> Result<InstallStarterPersonasPayload> {
        let op = operation(context);
        let done = op
            .change(async |scoped| starter_personas_install(scoped, Some(op.caller().user)).await)
            .await?;
        Ok(InstallStarterPersonasPayload {
            installed: done.installed.into_iter().map(PersonaNode).collect(),
            skipped: done.skipped,
        })
    }

    /// Deletes a persona. The runs that used it, and what they made, stay.
    async fn delete_persona(
        &self,
        context: &Context<'_>,
        input: DeletePersonaInput,
    ) -> Result<DeletePersonaPayload> {
        let id = id_of::<PersonaId>(&input.persona_id)?;
        operation(context)
            .change(async |scoped| persona_delete(scoped, id).await)
            .await?;
        Ok(DeletePersonaPayload {
            deleted_id: input.persona_id,
        })
    }
}

/// Maps null to the empty value, which clears the field.
fn cleared<T: Default>(given: MaybeUndefined<T>) -> Option<T> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(T::default()),
        MaybeUndefined::Value(value) => Some(value),
    }
}

/// The model that a persona is used with unless another one is chosen.
#[derive(InputObject)]
struct PersonaModelInput {
    /// The id of the provider, where the model has to be this provider's.
    provider: Option<String>,
    /// The id of a chat model of the catalog. One that was shut down is accepted where it has a replacement.
    model: String,
}

impl From<PersonaModelInput> for PersonaModelChoice {
    fn from(input: PersonaModelInput) -> Self {
        Self {
            provider: input.provider,
            model: input.model,
        }
    }
}

/// A persona to create.
#[derive(InputObject)]
struct CreatePersonaInput {
    /// 1 to 200 characters.
    name: String,
    /// What it is and does, up to 200,000 characters.
    description: String,
    /// The system prompt that a model gets, up to 200,000 characters.
    system_prompt: Option<String>,
    /// Up to 50 traits of 1 to 200 characters.
    #[graphql(default)]
    traits: Vec<String>,
    /// Names of domains. Where there are none, they are derived from the description.
    #[graphql(default)]
    specializations: Vec<String>,
    /// What it is for, up to 200 characters.
    category: Option<String>,
    /// The model that it is used with unless another one is chosen.
    default_model: Option<PersonaModelInput>,
}

/// The persona that was created.
#[derive(SimpleObject)]
struct CreatePersonaPayload {
    /// The persona.
    persona: PersonaNode,
}

/// What to change of a persona. What is left out stays as it is.
#[derive(InputObject)]
struct UpdatePersonaInput {
    /// The id of the persona.
    persona_id: ID,
    /// 1 to 200 characters.
    name: Option<String>,
    /// What it is and does, up to 200,000 characters.
    description: Option<String>,
    /// The system prompt that a model gets, up to 200,000 characters. Null clears it.
    system_prompt: MaybeUndefined<String>,
    /// Up to 50 traits of 1 to 200 characters. Null or an empty list removes them.
    traits: MaybeUndefined<Vec<String>>,
    /// Names of domains. Null or an empty list derives them from the description, now and whenever it changes.
    specializations: MaybeUndefined<Vec<String>>,
    /// What it is for, up to 200 characters. Null or a blank text removes it.
    category: MaybeUndefined<String>,
    /// The model that it is used with unless another one is chosen. Null removes it.
    default_model: MaybeUndefined<PersonaModelInput>,
}

/// The persona after the change.
#[derive(SimpleObject)]
struct UpdatePersonaPayload {
    /// The persona.
    persona: PersonaNode,
}

/// What the installation of the starter personas did.
#[derive(SimpleObject)]
struct InstallStarterPersonasPayload {
    /// The personas that were added.
    installed: Vec<PersonaNode>,
    /// The names of the starter personas that were not added: they are there already, or another persona has the name.
    skipped: Vec<String>,
}

/// The persona to delete.
#[derive(InputObject)]
struct DeletePersonaInput {
    /// The id of the persona.
    persona_id: ID,
}

/// The persona that was deleted.
#[derive(SimpleObject)]
struct DeletePersonaPayload {
    /// Its id.
    deleted_id: ID,
}
