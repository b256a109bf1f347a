//! The tables of this crate. Private: what others see are the types of [`crate::model`].

pub mod persona;
