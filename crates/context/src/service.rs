//! Reads and changes the tenant's templates. Each operation uses the caller's transaction and does not commit it.

use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Result, Scoped, UserId, text};
use sea_orm::{ActiveValue::Set, ColumnTrait};

use crate::builtin::{BUILT_IN_TEMPLATES, BuiltInTemplate, built_in};
use crate::check::template_check;
use crate::entity::template;
use crate::model::{TEMPLATE_CHARS_MAX, Template};
use crate::registration::TEMPLATE;
use crate::repository::{override_get, overrides};

/// Every template as the tenant uses it.
///
/// # Errors
/// The database fails.
pub async fn template_list<A: Access>(scoped: &Scoped<A>) -> Result<Vec<Template>> {
    scoped.permit(Action::Read, TEMPLATE, None)?;
    let mut own = overrides(scoped).await?;
    let templates = BUILT_IN_TEMPLATES.iter().map(|built_in| {
        let at = own.iter().position(|own| own.name == built_in.name);
        Template {
            built_in,
            own: at.map(|at| own.swap_remove(at)),
        }
    });
    Ok(templates.collect())
}

/// A template as the tenant uses it.
///
/// # Errors
/// [`Error::NotFound`] for a name that no template has.
pub async fn template_get<A: Access>(scoped: &Scoped<A>, name: &str) -> Result<Template> {
    scoped.permit(Action::Read, TEMPLATE, None)?;
    let built_in = built_in(name).ok_or(Error::NotFound("template"))?;
    Ok(Template {
        built_in,
        own: override_get(scoped, name).await?,
    })
}

/// Overrides a built-in template with the tenant's own text.
///
/// # Errors
/// [`Error::NotFound`] for a name that no template has; [`Error::Invalid`] for a template that cannot be overridden,
/// and for a text that cannot be used: the message has every problem with its line.
pub async fn template_set(
    scoped: &Scoped<ReadWrite>,
    name: &str,
    text: &str,
    by: Option<UserId>,
) -> Result<Template> {
    scoped.permit(Action::Update, TEMPLATE, None)?;
    let built_in = changeable(name)?;
    scoped.audit_detail(serde_json::json!({ "template": name }));
    let text = text::body_filled("the template", text)?;
    let length = text.chars().count();
    if length > TEMPLATE_CHARS_MAX {
        return Err(Error::Invalid(format!(
            "the template must have 1 to {TEMPLATE_CHARS_MAX} characters, not {length}"
        )));
    }
    let problems = template_check(&text);
    if !problems.is_empty() {
        let told = problems.iter().map(|problem| match problem.line {
            Some(line) => format!("line {line}: {}", problem.message),
            None => problem.message.clone(),
        });
        let told: Vec<String> = told.collect();
        return Err(Error::Invalid(format!(
            "the template cannot be used: {}",
            told.join("; ")
        )));
    }
    let version = override_get(scoped, name)
        .await?
        .map_or(1, |own| own.version + 1);
    let row = template::ActiveModel {
        name: Set(name.to_owned()),
        text: Set(text),
        version: Set(version),
        built_in_version: Set(built_in.version),
        updated_by: Set(by),
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    use template::Column;
    let changed = [
        Column::Text,
        Column::Version,
        Column::BuiltInVersion,
        Column::UpdatedBy,
        Column::UpdatedAt,
    ];
    scoped
        .upsert_all(vec![row], &[Column::Name], &changed)
        .await?;
    template_get(scoped, name).await
}

/// Removes the tenant's own text, so that the built-in template is used again.
///
/// # Errors
/// [`Error::NotFound`] for a name that no template has.
pub async fn template_reset(scoped: &Scoped<ReadWrite>, name: &str) -> Result<Template> {
    scoped.permit(Action::Delete, TEMPLATE, None)?;
    let built_in = built_in(name).ok_or(Error::NotFound("template"))?;
    scoped.audit_detail(serde_json::json!({ "template": name }));
    scoped
        .delete::<template::Entity>(template::Column::Name.eq(name))
        .await?;
    Ok(Template {
        built_in,
        own: None,
    })
}

fn changeable(name: &str) -> Result<&'static BuiltInTemplate> {
    let built_in = built_in(name).ok_or(Error::NotFound("template"))?;
    if built_in.can_be_overridden {
        return Ok(built_in);
    }
    Err(Error::Invalid(format!(
        "the template `{name}` cannot be changed"
    )))
}
