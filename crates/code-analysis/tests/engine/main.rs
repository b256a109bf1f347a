//! The engine as other crates see it: facts of handwritten sources, hostile input, whole folders.

#[cfg(feature = "bash")]
mod bash;
#[cfg(feature = "c")]
mod c;
mod cache;
mod facts;
mod folders;
mod hostile;
#[cfg(any(
    feature = "bash",
    feature = "c",
    feature = "php",
    feature = "ruby",
    feature = "swift"
))]
mod notation;
#[cfg(feature = "php")]
mod php;
#[cfg(feature = "ruby")]
mod ruby;
#[cfg(feature = "swift")]
mod swift;
