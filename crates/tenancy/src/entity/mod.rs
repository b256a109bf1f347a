//! The tables of the directory. Private: what others see are the types of [`crate::model`].

pub mod api_token;
pub mod membership;
pub mod tenant;
pub mod user;
