//! The table `personas`.

use nyxcore_tenancy::{TenantId, UserId};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{Persona, PersonaId, PersonaModel};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "personas")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PersonaId,
    pub tenant_id: TenantId,
    pub name: String,
    pub description: String,
    pub system_prompt: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub traits: Words,
    #[sea_orm(column_type = "JsonBinary")]
    pub specializations: Words,
    pub auto_specialized: bool,
    pub category: Option<String>,
    pub model_provider: Option<String>,
    pub model_id: Option<String>,
    /// The key of the starter persona that it was installed from.
    pub starter: Option<String>,
    pub xp: i64,
    pub usage_count: i64,
    pub success_count: i64,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// A column of strings, a JSON array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Words(pub Vec<String>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
nyxcore_tenancy::tenant_scoped!(Entity, large: [Description, SystemPrompt]);

impl From<Model> for Persona {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            system_prompt: row.system_prompt,
            traits: row.traits.0,
            specializations: row.specializations.0,
            auto_specialized: row.auto_specialized,
            category: row.category,
            default_model: row
                .model_provider
                .zip(row.model_id)
                .map(|(provider, model)| PersonaModel { provider, model }),
            xp: row.xp,
            usage_count: row.usage_count,
            success_count: row.success_count,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
