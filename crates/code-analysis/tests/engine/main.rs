//! The engine as other crates see it: facts of handwritten sources, hostile input, whole folders.

#[cfg(feature = "c")]
mod c;
mod cache;
#[cfg(feature = "cpp")]
mod cpp;
#[cfg(feature = "csharp")]
mod csharp;
mod facts;
mod folders;
mod hostile;
#[cfg(feature = "kotlin")]
mod kotlin;
#[cfg(any(
    feature = "c",
    feature = "cpp",
    feature = "csharp",
    feature = "kotlin",
    feature = "scala"
))]
mod notation;
#[cfg(feature = "scala")]
mod scala;
