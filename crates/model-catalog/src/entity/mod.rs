//! The tables, private: what others see are the types of the domain.

pub mod budget;
pub mod call;
pub mod endpoint;
pub mod hidden_model;
pub mod member_default;
pub mod own_model;
pub mod provider_state;
pub mod reservation;
pub mod tenant_default;
