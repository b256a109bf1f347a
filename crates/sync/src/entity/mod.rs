//! The tables of this crate.

pub mod git_connection;
pub mod sync;
pub mod sync_settings;
pub mod webhook_delivery;
