//! The public interface of the engine: facts of handwritten sources, hostile input, whole folders.

#[cfg(feature = "bash")]
mod bash;
#[cfg(feature = "c")]
mod c;
mod cache;
mod check;
#[cfg(feature = "cpp")]
mod cpp;
mod cross_check;
#[cfg(feature = "csharp")]
mod csharp;
mod edits;
mod facts;
mod folders;
mod forms;
mod full_report;
mod fuzzed;
mod go;
mod hostile;
mod java;
mod kept;
#[cfg(feature = "kotlin")]
mod kotlin;
mod modifiers;
mod notation;
#[cfg(feature = "php")]
mod php;
mod python;
#[cfg(feature = "ruby")]
mod ruby;
mod rust;
#[cfg(feature = "scala")]
mod scala;
#[cfg(feature = "all-languages")]
mod statements;
#[cfg(feature = "swift")]
mod swift;
mod tables;
mod typescript;
