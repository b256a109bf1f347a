//! The tables of this crate.

pub mod consolidation_pattern;
pub mod consolidation_pattern_project;
pub mod insight;
pub mod memory_entry;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use crate::model::Quotation;

/// A JSON list of texts in a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Texts(pub Vec<String>);

/// A JSON list of quotations in a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Quotations(pub Vec<Quotation>);
