//! The door to every model, over real HTTP to a scripted vendor and with both databases: each step of a call, what it
//! leaves in the ledger, and what budgets hold.

mod api;
mod budgets;
mod calls;
mod catalog;
mod command;
mod faults;
mod health;
mod ledger;
mod lost;
mod runs;
mod settings;
pub(crate) mod world;
