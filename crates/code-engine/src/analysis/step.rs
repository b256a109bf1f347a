//! The steps of a project analysis. The steps are independent: a failed step is reported, and the others keep their
//! results.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// A step of a project's analysis. The analysis continues if it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Languages and frameworks.
    Stack,
    /// How the project is built, tested and checked.
    Commands,
    /// Files that are complex and change often.
    Hotspots,
    /// Files that change together.
    CoChanges,
    /// How the changes are distributed over people.
    Ownership,
    /// How files import each other.
    Imports,
    /// Duplicated code.
    Duplicates,
    /// Definitions that may be unused.
    DeadCode,
    /// The definitions that most of the project depends on.
    Map,
    /// The habits of the code.
    Patterns,
    /// The matches of the project's own rules.
    Rules,
}

impl Step {
    /// Its stable name: `co_changes`, `dead_code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Commands => "commands",
            Self::Hotspots => "hotspots",
            Self::CoChanges => "co_changes",
            Self::Ownership => "ownership",
            Self::Imports => "imports",
            Self::Duplicates => "duplicates",
            Self::DeadCode => "dead_code",
            Self::Map => "map",
            Self::Patterns => "patterns",
            Self::Rules => "rules",
        }
    }
}

/// Runs steps, from any thread, and records which failed.
pub(super) struct Steps<C> {
    check: C,
    failed: Mutex<Vec<Step>>,
}

impl<E, C: Fn() -> Result<(), E>> Steps<C> {
    /// Creates a runner that calls `check` before each step.
    pub fn new(check: C) -> Self {
        Self {
            check,
            failed: Mutex::default(),
        }
    }

    /// Runs a step. A step that panics has no result and is recorded as failed. A step reads the facts and does not
    /// change them, so they stay valid.
    pub fn take<T: Default>(&self, step: Step, work: impl FnOnce() -> T) -> Result<T, E> {
        self.take_checked(step, || Ok(work()))
    }

    /// Like [`Steps::take`], for a step that checks by itself whether to continue.
    pub fn take_checked<T: Default>(
        &self,
        step: Step,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.check()?;
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => done,
            Err(_) => {
                self.failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(step);
                Ok(T::default())
            }
        }
    }

    /// Whether to continue.
    pub fn check(&self) -> Result<(), E> {
        (self.check)()
    }

    /// The steps that failed, each once and in their order.
    pub fn failed(&self) -> Vec<Step> {
        let failed = self.failed.lock();
        let mut failed = failed.unwrap_or_else(PoisonError::into_inner).clone();
        failed.sort_unstable();
        failed.dedup();
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_panics_is_named_and_the_others_stand() {
        let steps = Steps::new(|| Ok::<(), ()>(()));
        assert_eq!(steps.take(Step::Stack, || 1), Ok(1));
        let broken: Result<u32, ()> =
            steps.take(Step::Map, || panic!("a step that fails on purpose"));
        assert_eq!(broken, Ok(0));
        assert_eq!(steps.take(Step::Imports, || 2), Ok(2));
        assert_eq!(steps.failed(), [Step::Map]);
    }

    #[test]
    fn who_is_told_to_stop_is_no_step_that_failed() {
        let steps = Steps::new(|| Err::<(), _>("stop"));
        assert_eq!(steps.take(Step::Stack, || 1), Err("stop"));
        let steps = Steps::new(|| Ok::<(), &str>(()));
        let stopped: Result<u32, _> = steps.take_checked(Step::Patterns, || Err("stop"));
        assert_eq!(stopped, Err("stop"));
        assert_eq!(steps.failed(), []);
    }
}
