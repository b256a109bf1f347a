//! The unit tests of the crate: its library is compiled without any, so that its fields are compiled once.

#[cfg(test)]
mod errors;
// These two need nothing else of the crate, and their tests are in them.
#[cfg(test)]
#[path = "../../src/loads.rs"]
mod loads;
#[cfg(test)]
#[path = "../../src/rate.rs"]
mod rate;
