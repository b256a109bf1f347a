//! The tables of the directory. They are private; other crates use the types of [`crate::model`].

pub mod api_token;
pub mod audit_entry;
pub mod invitation;
pub mod membership;
pub mod operator_secret;
pub mod password;
pub mod sealed_secret;
pub mod session;
pub mod sign_in_attempt;
pub mod system_entry;
pub mod tenant;
pub mod user;
