//! The tables of the analysis. They are private; other crates use the types of the model.

pub mod code_analysis;
pub mod code_pattern;
pub mod code_pattern_change;
pub mod file_facts;
pub mod hotspot;
pub mod project_metrics;
pub mod rule_matches;
