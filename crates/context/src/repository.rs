//! The tenants' templates by their names.

use nyxcore_tenancy::{Access, Result, Scoped};
use sea_orm::ColumnTrait;

use crate::entity::template;
use crate::model::TemplateOverride;

/// All of a tenant's own templates.
pub(crate) async fn overrides<A: Access>(scoped: &Scoped<A>) -> Result<Vec<TemplateOverride>> {
    let rows = scoped.find::<template::Entity>().all().await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A tenant's own template.
pub(crate) async fn override_get<A: Access>(
    scoped: &Scoped<A>,
    name: &str,
) -> Result<Option<TemplateOverride>> {
    let rows = scoped.find::<template::Entity>();
    let row = rows.filter(template::Column::Name.eq(name)).one().await?;
    Ok(row.map(Into::into))
}
