//! The tables `runs` and `run_events`. Private: what others see are the types of [`crate::model`].

pub mod run;
pub mod run_event;
