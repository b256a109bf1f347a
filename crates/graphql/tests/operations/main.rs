//! The unit tests of the crate. They are here so that the library is compiled only once, without tests.

#[cfg(test)]
mod errors;
// This module needs no other module of the crate, and contains its own tests.
#[cfg(test)]
#[path = "../../src/loads.rs"]
mod loads;
#[cfg(test)]
mod rate;
