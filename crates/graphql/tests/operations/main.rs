//! The unit tests of the crate: its library is compiled without any, so that its fields are compiled once.

#[cfg(test)]
mod errors;
// It needs nothing else of the crate, and its tests are in it.
#[cfg(test)]
#[path = "../../src/loads.rs"]
mod loads;
#[cfg(test)]
mod rate;
