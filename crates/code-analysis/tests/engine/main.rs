//! The engine as other crates see it: facts of handwritten sources, hostile input, whole folders.

mod cache;
mod facts;
mod folders;
mod forms;
mod full_report;
mod hostile;
