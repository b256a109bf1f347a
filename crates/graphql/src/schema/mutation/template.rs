//! Mutations of the tenant's templates, from which the prompts for models are rendered.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use nyxcore_context::{template_reset, template_set};

use crate::context::operation;
use crate::schema::template::TemplateNode;

#[derive(Default)]
pub(crate) struct TemplateMutation;

#[Object]
impl TemplateMutation {
    /// Uses a text of the tenant instead of a built-in template. An invalid text is refused with every problem and its
    /// line. For owners and admins.
    async fn set_template(
        &self,
        context: &Context<'_>,
        input: SetTemplateInput,
    ) -> Result<SetTemplatePayload> {
        let op = operation(context);
        let user = Some(op.caller().user);
        let template = op
            .change(async |scoped| template_set(scoped, &input.name, &input.text, user).await)
            .await?;
        Ok(SetTemplatePayload {
            template: TemplateNode(template),
        })
    }

    /// Goes back to the built-in template. For owners and admins.
    async fn reset_template(
        &self,
        context: &Context<'_>,
        input: ResetTemplateInput,
    ) -> Result<ResetTemplatePayload> {
        let template = operation(context)
            .change(async |scoped| template_reset(scoped, &input.name).await)
            .await?;
        Ok(ResetTemplatePayload {
            template: TemplateNode(template),
        })
    }
}

/// The template to change.
#[derive(InputObject)]
struct SetTemplateInput {
    /// The name of the template.
    name: String,
    /// The text, 1 to 20,000 characters.
    text: String,
}

/// The changed template.
#[derive(SimpleObject)]
struct SetTemplatePayload {
    /// The template.
    template: TemplateNode,
}

/// The template to reset.
#[derive(InputObject)]
struct ResetTemplateInput {
    /// The name of the template.
    name: String,
}

/// The built-in template.
#[derive(SimpleObject)]
struct ResetTemplatePayload {
    /// The template.
    template: TemplateNode,
}
