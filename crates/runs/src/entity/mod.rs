//! The tables `runs`, `run_attempts` and `run_events`. They are private; other crates use the types of
//! [`crate::model`] and [`crate::attempt`].

pub mod run;
pub mod run_attempt;
pub mod run_event;
