//! Evidence of statements: places in the code, and the confidence of a share of cases.

use serde::{Deserialize, Serialize};

/// A place in the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CodeLocation {
    /// The file's path.
    pub path: String,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// Git's id of the content that contains the lines.
    pub blob: String,
    /// The source that it is in, see [`Place`](crate::analysis::Place).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}

/// The maximum number of quoted lines of a place.
const EXCERPT_LINES: usize = 20;

impl CodeLocation {
    /// Returns its lines in the file's content, at most twenty.
    #[must_use]
    pub fn excerpt(&self, content: &str) -> String {
        let skip = self.start_line.saturating_sub(1) as usize;
        let lines = self.end_line.saturating_sub(self.start_line) as usize + 1;
        let lines = content.lines().skip(skip).take(lines.min(EXCERPT_LINES));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The lower bound of the Wilson score interval at 95 % for `support` of `cases`, between 0 and 1.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
/// Statistical Association 22 (1927), 209-212. Unlike the plain share, it rates 5 of 5 below 500 of 500.
#[must_use]
pub fn wilson_lower_bound(support: u32, cases: u32) -> f64 {
    if cases == 0 {
        return 0.0;
    }
    // The 97.5th percentile of the normal distribution.
    const Z: f64 = 1.959_964;
    let n = f64::from(cases);
    let share = f64::from(support) / n;
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * ((share * (1.0 - share) + Z * Z / (4.0 * n)) / n).sqrt();
    ((centre - spread) / (1.0 + Z * Z / n)).max(0.0)
}

/// `part` divided by `whole`, rounded to four places, so that it is readable and the same on every machine.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than 53 bits"
)]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    round4(part as f64 / whole.max(1) as f64)
}

/// Rounds to four places.
pub(crate) fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_the_lines_named_and_no_more_than_twenty() {
        let numbers: Vec<_> = (1..=40).map(|n| n.to_string()).collect();
        let text = numbers.join("\n");
        let excerpt = |start_line, end_line| {
            let place = CodeLocation {
                path: "numbers.txt".into(),
                start_line,
                end_line,
                blob: String::new(),
                source_id: None,
            };
            place.excerpt(&text)
        };
        assert_eq!(excerpt(2, 3), "2\n3");
        assert_eq!(excerpt(1, 40).lines().count(), 20);
        assert_eq!(excerpt(41, 50), "");
    }
}
