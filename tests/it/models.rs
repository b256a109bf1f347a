//! The model service, over real HTTP to a scripted vendor and with both databases: each step of a call, its row in the
//! ledger, and the enforcement of budgets.

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
