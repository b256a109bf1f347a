//! Files that were left out: how many for each reason, and which came first.

use std::collections::BTreeMap;

use nyxcore_runs::Level;

use crate::{SKIPPED_NAMED, Skip, SkippedFiles};

/// Files that were left out, by reason.
#[derive(Debug, Default)]
pub(super) struct SkippedByReason(BTreeMap<Skip, SkippedFiles>);

impl SkippedByReason {
    /// One more. The first of each reason are named.
    pub fn add(&mut self, reason: Skip, path: &str) {
        let those = self.0.entry(reason).or_insert_with(|| SkippedFiles {
            reason,
            rule: reason.as_str().to_owned(),
            files: 0,
            paths: Vec::new(),
        });
        those.files += 1;
        if those.paths.len() < SKIPPED_NAMED {
            those.paths.push(path.to_owned());
        }
    }

    /// Most first.
    pub fn into_list(self) -> Vec<SkippedFiles> {
        let mut list: Vec<SkippedFiles> = self.0.into_values().collect();
        list.sort_by_key(|those| (std::cmp::Reverse(those.files), those.reason));
        list
    }
}

/// "3 files skipped: 2 do not parse (a.py, b.py), 1 vendored". The paths are told where somebody may have expected otherwise; then it is a
/// warning.
pub(super) fn message(skipped: &[SkippedFiles]) -> Option<(Level, String)> {
    let all: u64 = skipped.iter().map(|those| u64::from(those.files)).sum();
    if all == 0 {
        return None;
    }
    let level = if skipped.iter().all(|those| is_expected(those.reason)) {
        Level::Info
    } else {
        Level::Warning
    };
    let reasons: Vec<String> = skipped.iter().map(reason).collect();
    let files = if all == 1 { "file" } else { "files" };
    Some((
        level,
        format!("{all} {files} skipped: {}", reasons.join(", ")),
    ))
}

fn is_expected(reason: Skip) -> bool {
    matches!(
        reason,
        Skip::Generated | Skip::Minified | Skip::Vendored | Skip::Binary
    )
}

fn reason(those: &SkippedFiles) -> String {
    let count = those.files;
    let told = match those.reason {
        Skip::DoesNotParse if count > 1 => format!("{count} do not parse"),
        reason => format!("{count} {reason}"),
    };
    if is_expected(those.reason) {
        return told;
    }
    let mut paths: Vec<&str> = those.paths.iter().map(String::as_str).collect();
    if (those.paths.len() as u64) < u64::from(count) {
        paths.push("...");
    }
    format!("{told} ({})", paths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(Skip, &str)]) -> Option<(Level, String)> {
        let mut skipped = SkippedByReason::default();
        for (reason, path) in files {
            skipped.add(*reason, path);
        }
        message(&skipped.into_list())
    }

    #[test]
    fn what_was_skipped_is_told_in_one_sentence_most_first() {
        assert_eq!(told(&[]), None);
        let files = [
            (Skip::TooDeep, "deep.py"),
            (Skip::DoesNotParse, "a.py"),
            (Skip::DoesNotParse, "b.py"),
        ];
        let text = "3 files skipped: 2 do not parse (a.py, b.py), 1 nested too deeply (deep.py)"
            .to_owned();
        assert_eq!(told(&files), Some((Level::Warning, text)));
        let text = "1 file skipped: 1 vendored".to_owned();
        assert_eq!(
            told(&[(Skip::Vendored, "vendor/a.py")]),
            Some((Level::Info, text))
        );
    }

    #[test]
    fn of_many_the_first_are_named() {
        let files: Vec<(Skip, String)> = (0..9)
            .map(|n| (Skip::TooLarge, format!("{n}.py")))
            .collect();
        let files: Vec<(Skip, &str)> = files
            .iter()
            .map(|(skip, path)| (*skip, path.as_str()))
            .collect();
        let text = "9 files skipped: 9 larger than 1 MiB (0.py, 1.py, 2.py, 3.py, 4.py, ...)";
        assert_eq!(told(&files), Some((Level::Warning, text.to_owned())));
    }
}
