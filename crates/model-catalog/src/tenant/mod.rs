//! A tenant's catalog: the known models, the tenant's own, its endpoints, what it hides, and its defaults.

mod defaults;
mod endpoint;
mod model;
mod own_model;
mod resolve;
mod view;

pub use defaults::{
    DefaultPurpose, member_default_set, member_defaults, model_choose, tenant_default_get,
    tenant_default_set,
};
pub use endpoint::{EndpointProtocol, ModelEndpoint, NewEndpoint, endpoint_remove, endpoint_set};
pub(crate) use endpoint::{endpoint_get, endpoint_headers, provider_state_delete, vendor_endpoint};
pub use model::TenantModel;
pub use own_model::{NewTenantModel, PRICE_MAX, model_hide, tenant_model_remove, tenant_model_set};
pub(crate) use resolve::vendor_of;
pub use resolve::{ModelChoice, ModelReplacement, ResolvedModel};
pub use view::{ProviderInfo, TenantCatalog};

use nyxcore_tenancy::{Access, ReadWrite, Result, Scoped};
use sea_orm::FromQueryResult;

/// The area of the table `model_settings` whose version says whether a cached tenant is out of date.
const AREA: &str = "models";

#[derive(FromQueryResult)]
struct Version {
    version: i64,
}

/// The version of the tenant's model settings, which rises with each change.
pub(crate) async fn settings_version<A: Access>(scoped: &Scoped<A>) -> Result<i64> {
    let sql = "SELECT version FROM model_settings WHERE tenant_id = $1 AND area = $2";
    let rows: Vec<Version> = scoped.sql_all(sql, [AREA.into()]).await?;
    Ok(rows.first().map_or(0, |row| row.version))
}

/// Raises the version of the tenant's settings, so that after the commit every process drops what it has cached.
pub(crate) async fn settings_changed(scoped: &Scoped<ReadWrite>) -> Result<()> {
    let sql = "INSERT INTO model_settings (tenant_id, area, version) VALUES ($1, $2, 1)
        ON CONFLICT (tenant_id, area) DO UPDATE SET version = model_settings.version + 1";
    scoped.sql_execute(sql, [AREA.into()]).await.map(drop)
}
