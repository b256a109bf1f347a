//! The messages of a run about skipped files.

use std::collections::BTreeMap;

use nyxcore_code_engine::listing::{SKIPPED_NAMED, Skip, SkippedFiles};
use nyxcore_runs::Level;

/// Returns a text such as "3 files skipped: 2 do not parse (a.py, b.py), 1 vendored". The paths of an unexpected reason
/// are listed; the message is then a warning.
pub(super) fn message(skipped: &[SkippedFiles]) -> Option<(Level, String)> {
    let mut reasons: BTreeMap<Skip, (u64, Vec<&str>)> = BTreeMap::new();
    for those in skipped {
        let (files, paths) = reasons.entry(those.reason).or_default();
        *files += u64::from(those.files);
        paths.extend(those.paths.iter().map(String::as_str));
    }
    let all: u64 = reasons.values().map(|(files, _)| files).sum();
    if all == 0 {
        return None;
    }
    let level = if reasons.keys().all(|reason| is_expected(*reason)) {
        Level::Info
    } else {
        Level::Warning
    };
    let mut reasons: Vec<(Skip, u64, Vec<&str>)> = reasons
        .into_iter()
        .map(|(reason, (files, paths))| (reason, files, paths))
        .collect();
    reasons.sort_by_key(|(reason, files, _)| (std::cmp::Reverse(*files), *reason));
    let told: Vec<String> = reasons
        .into_iter()
        .map(|(reason, files, paths)| reason_told(reason, files, paths))
        .collect();
    let files = if all == 1 { "file" } else { "files" };
    Some((level, format!("{all} {files} skipped: {}", told.join(", "))))
}

fn is_expected(reason: Skip) -> bool {
    matches!(
        reason,
        Skip::Generated | Skip::Minified | Skip::Vendored | Skip::Binary
    )
}

fn reason_told(reason: Skip, files: u64, mut paths: Vec<&str>) -> String {
    let told = match reason {
        Skip::DoesNotParse if files > 1 => format!("{files} do not parse"),
        _ => format!("{files} {reason}"),
    };
    if is_expected(reason) {
        return told;
    }
    paths.truncate(SKIPPED_NAMED);
    if (paths.len() as u64) < files {
        paths.push("...");
    }
    format!("{told} ({})", paths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nyxcore_code_engine::listing::SkippedByRule;

    fn told(files: &[(Skip, &str)]) -> Option<(Level, String)> {
        let mut skipped = SkippedByRule::default();
        for (reason, path) in files {
            skipped.add((*reason).into(), path, path);
        }
        message(&skipped.finish().0)
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
