//! The tables of this crate. They are private: other crates see the types of [`crate::model`].

pub mod persona;
