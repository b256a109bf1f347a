//! The engine as other crates see it: facts of handwritten sources, hostile input, whole folders.

#[cfg(feature = "c")]
mod c;
mod cache;
mod cross_check;
mod facts;
mod folders;
mod fuzzed;
mod go;
mod hostile;
mod java;
mod notation;
mod python;
mod rust;
mod typescript;
