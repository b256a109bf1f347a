//! The engine as other crates see it: facts of handwritten sources, hostile input, whole folders.

#[cfg(feature = "c")]
mod c;
mod cache;
mod facts;
mod folders;
mod hostile;
#[cfg(feature = "c")]
mod notation;
