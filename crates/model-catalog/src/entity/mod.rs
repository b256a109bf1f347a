//! The tables. They are private: other crates see the types of the domain.

pub mod budget;
pub mod call;
pub mod endpoint;
pub mod hidden_model;
pub mod member_default;
pub mod own_model;
pub mod provider_state;
pub mod reservation;
pub mod tenant_default;

use nyxcore_tenancy::{Error, Result};
use sea_orm::DbErr;
use serde::de::DeserializeOwned;

/// Reads a JSON column of a row. A value that cannot be parsed is an error that names the column, never an empty value:
/// another version of this program wrote the row, or somebody by hand.
pub fn json_read<T: DeserializeOwned>(column: &str, json: serde_json::Value) -> Result<T> {
    serde_json::from_value(json)
        .map_err(|error| Error::Database(DbErr::Json(format!("{column} cannot be read: {error}"))))
}
