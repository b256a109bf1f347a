//! The tables of this crate.

pub mod sync;
pub mod sync_settings;
pub mod webhook_delivery;
