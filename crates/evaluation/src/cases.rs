//! Selects the commits of a history that become questions.

use nyxcore_retrieval::FileRole;
use nyxcore_sync::git::{CommitLabel, LabelChange};

/// The most files of a commit: one that changes more is not about any of them.
const FILES_MAX: usize = 10;
/// The minimum number of words in a message: a shorter one is no question.
const WORDS_MIN: usize = 3;

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The commit, as hex.
    pub commit: String,
    /// The parent commit, which the index has when the question is asked, as hex.
    pub parent: String,
    /// The subject and the body, without trailers.
    pub question: String,
    /// The files that existed before and that the commit changed.
    pub answer: Vec<String>,
}

/// The commits that are questions, at most `count` of the newest, oldest first.
///
/// Left out are commits that move files or change more than 10, and messages that nobody would search by: releases,
/// dependency updates, reverts and merges. Lock files and change logs are no answers.
#[must_use]
pub fn cases_of(labels: &[CommitLabel], count: usize) -> Vec<Case> {
    let mut cases: Vec<Case> = labels.iter().filter_map(case).take(count).collect();
    cases.reverse();
    cases
}

fn case(label: &CommitLabel) -> Option<Case> {
    let question = without_trailers(&label.message);
    let subject = question.lines().next().unwrap_or_default().to_lowercase();
    let moves = label
        .changes
        .iter()
        .any(|(change, _)| *change == LabelChange::Other);
    if moves
        || label.changes.len() > FILES_MAX
        || is_routine(&subject)
        || question.split_whitespace().count() < WORDS_MIN
    {
        return None;
    }
    let is_answer = |path: &str| {
        !matches!(
            FileRole::of_path(path),
            FileRole::Generated | FileRole::ChangeLog
        )
    };
    let answer: Vec<String> = label
        .changes
        .iter()
        .filter(|(change, path)| {
            matches!(change, LabelChange::Modified | LabelChange::Deleted) && is_answer(path)
        })
        .map(|(_, path)| path.clone())
        .collect();
    (!answer.is_empty()).then(|| Case {
        commit: label.commit.clone(),
        parent: label.parent.clone(),
        question,
        answer,
    })
}

fn is_routine(subject: &str) -> bool {
    let begins = [
        "release",
        "bump",
        "version",
        "merge",
        "revert",
        "chore(deps",
        "chore(release",
        "build(deps",
        "fix(deps",
        "update dependency",
        "update dependencies",
        "[pre-commit.ci]",
        "prepare release",
        "prepare next",
        "prepare for next",
        "changelog",
        "start version",
    ];
    let version = subject.strip_prefix('v').unwrap_or(subject);
    begins.iter().any(|begin| subject.starts_with(begin))
        || version.starts_with(|c: char| c.is_ascii_digit())
        || (subject.contains("upgrade") && subject.contains("dependenc"))
        || is_update(subject)
}

/// Whether a bot or person says that a dependency has a new version: `Update protobuf to v3.25.4`.
fn is_update(subject: &str) -> bool {
    let mut words = subject.split_whitespace();
    let is_update = matches!(words.next(), Some("update" | "upgrade"));
    let version = words
        .skip_while(|word| *word != "to")
        .nth(1)
        .unwrap_or_default();
    let version = version.strip_prefix('v').unwrap_or(version);
    is_update && version.starts_with(|c: char| c.is_ascii_digit())
}

/// A message without trailers such as `Signed-off-by:`, which name people and no code.
fn without_trailers(message: &str) -> String {
    let is_trailer = |line: &&str| {
        let key = line.split_once(':').map_or("", |(key, _)| key);
        key.ends_with("-by") || key == "Change-Id"
    };
    let lines: Vec<&str> = message.lines().filter(|line| !is_trailer(line)).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(message: &str, changes: &[(LabelChange, &str)]) -> CommitLabel {
        CommitLabel {
            commit: message.to_owned(),
            parent: "parent".into(),
            message: message.to_owned(),
            changes: changes
                .iter()
                .map(|(change, path)| (*change, (*path).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn routine_commits_are_no_questions() {
        use LabelChange::{Added, Modified, Other};
        let labels = [
            label(
                "Renew the lease earlier",
                &[
                    (Modified, "src/lease.rs"),
                    (Added, "src/new.rs"),
                    (Modified, "Cargo.lock"),
                ],
            ),
            label("Bump serde from 1 to 2", &[(Modified, "src/lease.rs")]),
            label(
                "Update kotlin monorepo to v2.0.21",
                &[(Modified, "libs.versions.toml")],
            ),
            label(
                "Prepare next development version",
                &[(Modified, "gradle.properties")],
            ),
            label("v1.2.3 is out now", &[(Modified, "src/lease.rs")]),
            label(
                "Move the lease elsewhere",
                &[(Other, "src/b.rs"), (Modified, "src/lease.rs")],
            ),
            label("Add a new file", &[(Added, "src/b.rs")]),
            label("Fix typo", &[(Modified, "src/lease.rs")]),
        ];
        let cases = cases_of(&labels, 10);
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0].answer, ["src/lease.rs"]);
    }

    #[test]
    fn trailers_are_no_part_of_a_question() {
        assert_eq!(
            without_trailers("Fix it\n\nSigned-off-by: A <a@b.c>\n"),
            "Fix it"
        );
    }

    #[test]
    fn the_newest_are_taken_and_asked_oldest_first() {
        let labels: Vec<CommitLabel> = (0..5)
            .map(|n| {
                label(
                    &format!("commit number {n} here"),
                    &[(LabelChange::Modified, "a.rs")],
                )
            })
            .collect();
        let asked: Vec<String> = cases_of(&labels, 2)
            .into_iter()
            .map(|case| case.question)
            .collect();
        assert_eq!(asked, ["commit number 1 here", "commit number 0 here"]);
    }
}
