//! Personas.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use nyxcore_personas::{
    NewPersona, PersonaChanges, PersonaId, persona_create, persona_delete, persona_update,
};

use crate::context::operation;
use crate::schema::ids::id_of;
use crate::schema::persona::PersonaNode;

#[derive(Default)]
pub(crate) struct PersonaMutation;

#[Object]
impl PersonaMutation {
    /// Makes a persona. Without specializations it gets the strongest of its description.
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
            created_by: Some(op.caller().user),
        };
        let scoped = op.write().await?;
        let persona = persona_create(&scoped, new).await?;
        scoped.commit().await?;
        Ok(CreatePersonaPayload {
            persona: PersonaNode(persona),
        })
    }

    /// Changes what is given of a persona.
    async fn update_persona(
        &self,
        context: &Context<'_>,
        input: UpdatePersonaInput,
    ) -> Result<UpdatePersonaPayload> {
        let id = id_of::<PersonaId>(&input.persona_id)?;
        let scoped = operation(context).write().await?;
        let changes = PersonaChanges {
            name: input.name,
            description: input.description,
            system_prompt: input.system_prompt,
            traits: input.traits,
            specializations: input.specializations,
            category: match input.category {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(String::new()),
                MaybeUndefined::Value(text) => Some(text),
            },
        };
        let persona = persona_update(&scoped, id, changes).await?;
        scoped.commit().await?;
        Ok(UpdatePersonaPayload {
            persona: PersonaNode(persona),
        })
    }

    /// Deletes a persona. What it helped with stays.
    async fn delete_persona(
        &self,
        context: &Context<'_>,
        input: DeletePersonaInput,
    ) -> Result<DeletePersonaPayload> {
        let id = id_of::<PersonaId>(&input.persona_id)?;
        let scoped = operation(context).write().await?;
        persona_delete(&scoped, id).await?;
        scoped.commit().await?;
        Ok(DeletePersonaPayload {
            deleted_id: input.persona_id,
        })
    }
}

/// A persona to make.
#[derive(InputObject)]
struct CreatePersonaInput {
    /// 1 to 200 characters.
    name: String,
    /// Who it is.
    description: String,
    /// What a model is told in its name.
    system_prompt: Option<String>,
    /// What it is like.
    #[graphql(default)]
    traits: Vec<String>,
    /// Names of domains; drawn from the description where there are none.
    #[graphql(default)]
    specializations: Vec<String>,
    /// What it is for.
    category: Option<String>,
}

/// The persona that was made.
#[derive(SimpleObject)]
struct CreatePersonaPayload {
    /// The persona.
    persona: PersonaNode,
}

/// What to change of a persona; what is not given stays.
#[derive(InputObject)]
struct UpdatePersonaInput {
    /// Which.
    persona_id: ID,
    /// 1 to 200 characters.
    name: Option<String>,
    /// Who it is.
    description: Option<String>,
    /// What a model is told in its name.
    system_prompt: Option<String>,
    /// What it is like.
    traits: Option<Vec<String>>,
    /// Names of domains; an empty list draws them from the description again.
    specializations: Option<Vec<String>>,
    /// Null removes it.
    category: MaybeUndefined<String>,
}

/// The persona as it is now.
#[derive(SimpleObject)]
struct UpdatePersonaPayload {
    /// The persona.
    persona: PersonaNode,
}

/// The persona to delete.
#[derive(InputObject)]
struct DeletePersonaInput {
    /// Which.
    persona_id: ID,
}

/// What was deleted.
#[derive(SimpleObject)]
struct DeletePersonaPayload {
    /// Its id.
    deleted_id: ID,
}
