//! Reads the progress lines that `git fetch --progress` writes for people.

/// What a fetch is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchPhase {
    /// The remote enumerates the objects that are missing here.
    Counting,
    /// The remote compresses the objects.
    Compressing,
    /// Objects arrive.
    Receiving,
    /// Deltas are resolved.
    Resolving,
}

/// The progress of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchProgress {
    /// The step that is running.
    pub phase: FetchPhase,
    /// Objects done in this phase.
    pub done: u64,
    /// The total of this phase, if git knows it.
    pub total: Option<u64>,
    /// Bytes received so far, as git rounds them; only while receiving.
    pub bytes: Option<u64>,
}

/// Parses one line; `None` if it is not about progress. The remote's lines (`remote: ...`) count only for the two
/// phases that run there, so that the remote cannot forge the number of received bytes.
pub(crate) fn progress_parse(line: &str) -> Option<FetchProgress> {
    let (remote, line) = match line.strip_prefix("remote: ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (title, rest) = line.split_once(':')?;
    let phase = match (remote, title.trim()) {
        (true, "Enumerating objects" | "Counting objects") => FetchPhase::Counting,
        (true, "Compressing objects") => FetchPhase::Compressing,
        (false, "Receiving objects" | "Unpacking objects") => FetchPhase::Receiving,
        (false, "Resolving deltas") => FetchPhase::Resolving,
        _ => return None,
    };
    let (counts, transfer) = match rest.split_once(')') {
        Some((counts, transfer)) => (counts.split_once('(')?.1, transfer),
        None => (rest.split(',').next()?.trim(), ""),
    };
    let (done, total) = match counts.split_once('/') {
        Some((done, total)) => (done.trim().parse().ok()?, Some(total.trim().parse().ok()?)),
        None => (counts.trim().parse().ok()?, None),
    };
    Some(FetchProgress {
        phase,
        done,
        total,
        bytes: (!remote).then(|| bytes_parse(transfer)).flatten(),
    })
}

/// Parses `", 1.20 MiB | 3.00 MiB/s"` into bytes.
fn bytes_parse(transfer: &str) -> Option<u64> {
    let amount = transfer.strip_prefix(", ")?.split('|').next()?.trim();
    let (number, unit) = amount.split_once(' ')?;
    let unit = match unit.trim_end_matches([',', '.']) {
        "byte" | "bytes" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "git writes small positive numbers; `as` saturates"
    )]
    Some((number * unit) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_git_are_understood() {
        let line = |text| progress_parse(text).map(|p| (p.phase, p.done, p.total, p.bytes));
        assert_eq!(
            line("remote: Enumerating objects: 5, done."),
            Some((FetchPhase::Counting, 5, None, None))
        );
        assert_eq!(
            line("remote: Counting objects:  40% (2/5)"),
            Some((FetchPhase::Counting, 2, Some(5), None))
        );
        assert_eq!(
            line("remote: Compressing objects: 100% (3/3), done."),
            Some((FetchPhase::Compressing, 3, Some(3), None))
        );
        assert_eq!(
            line("Receiving objects:  42% (420/1000)"),
            Some((FetchPhase::Receiving, 420, Some(1000), None))
        );
        assert_eq!(
            line("Receiving objects:  42% (420/1000), 1.50 MiB | 3.00 MiB/s"),
            Some((FetchPhase::Receiving, 420, Some(1000), Some(1_572_864)))
        );
        assert_eq!(
            line("Receiving objects: 100% (3/3), 220 bytes | 220.00 KiB/s, done."),
            Some((FetchPhase::Receiving, 3, Some(3), Some(220)))
        );
        assert_eq!(
            line("Resolving deltas: 100% (1/1), done."),
            Some((FetchPhase::Resolving, 1, Some(1), None))
        );
    }

    #[test]
    fn other_lines_are_not_progress() {
        for text in [
            "",
            "From https://example.org/a",
            "fatal: Receiving objects",
            "Receiving objects: lots",
            "remote: Receiving objects: 100% (1/1), 9.00 GiB | 1",
            "remote:",
        ] {
            assert_eq!(progress_parse(text), None, "{text}");
        }
    }
}
