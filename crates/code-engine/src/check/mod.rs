//! Checks a change against the project's own habits. It finds the places in the changed tree that do not follow a habit
//! which existed before the change.

mod compare;
mod texts;

use serde::{Deserialize, Serialize};

use super::evidence::CodeLocation;
pub use compare::deviations_new;

/// The name and version of the report's format.
pub const CHECK_SCHEMA: &str = "nyxcore.check/1";

/// The deviations of a change from the project's habits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// [`CHECK_SCHEMA`].
    pub schema: String,
    /// The commit that the change is compared with, in hexadecimal.
    pub base: String,
    /// The deviations, those from the surest habits first.
    pub deviations: Vec<Deviation>,
}

/// A place that does not follow a habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// The habit's key, see [`Pattern::key`].
    pub key: String,
    /// The habit in a few words.
    pub title: String,
    /// The habit as a rule.
    pub statement: String,
    /// The places that followed it before the change: the n of "n of m".
    pub support: u32,
    /// All places where the question arose before the change: the m.
    pub cases: u32,
    /// How sure the habit was before the change, see [`Pattern::confidence`].
    pub confidence: f64,
    /// The place.
    pub path: String,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// How many more places of the file deviate, if there are too many to list them.
    #[serde(default)]
    pub more: u32,
    /// Places that show the habit.
    pub exemplars: Vec<CodeLocation>,
}

impl Deviation {
    /// A phrase about the deviations that are not listed; empty if there are none.
    #[must_use]
    pub fn rest(&self) -> String {
        match self.more {
            0 => String::new(),
            more => format!(", and {more} more of this file do not"),
        }
    }
}

impl CheckReport {
    /// The report of these deviations from the habits at `base`.
    #[must_use]
    pub fn new(base: &str, deviations: Vec<Deviation>) -> CheckReport {
        CheckReport {
            schema: CHECK_SCHEMA.to_owned(),
            base: base.to_owned(),
            deviations,
        }
    }

    /// The number of deviations from habits with at least this confidence.
    #[must_use]
    pub fn count_from(&self, confidence: f64) -> usize {
        self.deviations
            .iter()
            .filter(|one| one.confidence >= confidence)
            .count()
    }

    /// The report for people. Control characters are replaced, because file names are untrusted text.
    #[must_use]
    pub fn text(&self) -> String {
        if self.deviations.is_empty() {
            return "The change follows the habits of the project.\n".to_owned();
        }
        let mut text = String::new();
        for one in &self.deviations {
            let see = one.exemplars.first().map_or(String::new(), |place| {
                format!("; see {}:{}", place.path, place.start_line)
            });
            text.push_str(&format!(
                "{}:{}{}\n  {}\n  {} of {} places do, confidence {:.2}{see}\n",
                one.path,
                one.start_line,
                one.rest(),
                one.statement,
                one.support,
                one.cases,
                one.confidence
            ));
        }
        text.replace(|letter: char| letter.is_control() && letter != '\n', "?")
    }

    /// The report as workflow commands of GitHub, which annotate the changed lines
    /// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
    #[must_use]
    pub fn github(&self) -> String {
        let lines = self.deviations.iter().map(|one| {
            let message = format!(
                "{} ({} of {} places do{})",
                one.statement,
                one.support,
                one.cases,
                one.rest()
            );
            format!(
                "::warning file={},line={},endLine={},title={}::{}\n",
                property(&one.path),
                one.start_line,
                one.end_line,
                property(&one.title),
                data(&message)
            )
        });
        lines.collect()
    }
}

/// Escapes the text after the `::` of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_github_hold_no_others() {
        let deviation = Deviation {
            key: "naming/python/functions/snake_case".to_owned(),
            title: "Functions are snake_case".to_owned(),
            statement: "one\n::error::two".to_owned(),
            support: 40,
            cases: 42,
            confidence: 0.84,
            path: "a,b:c.py".to_owned(),
            start_line: 1,
            end_line: 1,
            more: 0,
            exemplars: Vec::new(),
        };
        let report = CheckReport::new("0", vec![deviation]);
        assert_eq!(
            report.github(),
            "::warning file=a%2Cb%3Ac.py,line=1,endLine=1,title=Functions are snake_case::one%0A::error::two (40 of 42 places do)\n"
        );
        assert_eq!((report.count_from(0.8), report.count_from(0.9)), (1, 0));
        assert!(report.text().starts_with("a,b:c.py:1\n"));
    }
}
