//! Measures search on the history of a repository, without labels made by people.
//!
//! The message of a commit is the question, the files that it changed are the answer, and the index has the files of
//! its parent: what a newcomer would have asked before the change. Each question is also asked to plain BM25 over the
//! unsplit text of the same files ([`baseline`]), to compare the search with it. Where a model is given, each question
//! is also asked with vectors, to show their effect.
//!
//! ```
//! use nyxcore_evaluation::{Measure, Ranks};
//!
//! let ranking = ["src/lease.rs", "src/run.rs", "README.md"].map(String::from);
//! let of = |answer: &str| Ranks::of(&ranking, &[answer.to_owned()]);
//! let questions = [of("src/lease.rs"), of("src/run.rs"), of("src/turn.rs")];
//! let measure = Measure::of(questions.iter());
//! assert!((measure.acc_1 - 1.0 / 3.0).abs() < 1e-9 && (measure.mrr - 0.5).abs() < 1e-9);
//! ```

pub mod baseline;
mod cases;
mod measure;
mod run;
mod vectors;

pub use cases::{Case, cases_of};
pub use measure::{Measure, Ranks};
pub use run::{CaseReport, EvaluationError, EvaluationReport, EvaluationRequest, evaluate};
