//! Detects the changes of patterns between analyses: appeared, strengthened, weakened, vanished.
//!
//! A pattern is compared with its last recorded change, not with the previous analysis. So a convention that erodes
//! slowly is still reported once the difference is large enough.

use crate::model::{CodePatternId, PatternChange, PatternChangeCounts, PatternStrength};

/// The least change of confidence that is reported, in ten-thousandths: five percentage points. One counter-example in
/// twenty cases changes the confidence by 6.6 points, one in fifty by 2.7.
const TOLD: i64 = 500;

/// How many patterns a message names for each kind of change.
const NAMED: usize = 3;

/// A pattern as it was before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FormerPattern {
    pub id: CodePatternId,
    pub title: String,
    pub kind: String,
    pub statement: String,
    /// The values at the last recorded change.
    pub told: PatternStrength,
    /// Whether it had vanished.
    pub vanished: bool,
}

/// A pattern as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Current<'a> {
    pub statement: &'a str,
    pub strength: PatternStrength,
}

/// A change to record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PatternChangeRecord {
    pub pattern: CodePatternId,
    pub title: String,
    pub kind: String,
    pub change: PatternChange,
    pub before: Option<PatternStrength>,
    pub after: Option<PatternStrength>,
}

/// The kind of change, if it is large enough to record. If the statement changed, any change of strength counts.
pub(super) fn change_of(
    former: Option<&FormerPattern>,
    current: Option<Current<'_>>,
) -> Option<PatternChange> {
    let former = former.filter(|former| !former.vanished);
    match (former, current) {
        (None, None) => None,
        (None, Some(_)) => Some(PatternChange::Appeared),
        (Some(_), None) => Some(PatternChange::Vanished),
        (Some(former), Some(current)) => {
            let moved = points(current.strength) - points(former.told);
            let least = if former.statement == current.statement {
                TOLD
            } else {
                1
            };
            match moved {
                _ if moved >= least => Some(PatternChange::Strengthened),
                _ if moved <= -least => Some(PatternChange::Weakened),
                _ => None,
            }
        }
    }
}

/// The confidence in ten-thousandths, rounded.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a confidence is between 0 and 1"
)]
fn points(strength: PatternStrength) -> i64 {
    (strength.confidence * 10_000.0).round() as i64
}

/// Sorts the changes by kind, then the largest first.
pub(super) fn order(told: &mut [PatternChangeRecord]) {
    let size = |one: &PatternChangeRecord| {
        let points = |strength: Option<PatternStrength>| strength.map_or(0, points);
        (points(one.after) - points(one.before)).abs()
    };
    told.sort_by(|a, b| {
        (a.change, size(b), &a.title, a.pattern).cmp(&(b.change, size(a), &b.title, b.pattern))
    });
}

/// How many changes of each kind there are.
pub(super) fn counts(told: &[PatternChangeRecord]) -> PatternChangeCounts {
    let count = |change: PatternChange| {
        i64::try_from(told.iter().filter(|one| one.change == change).count()).unwrap_or(i64::MAX)
    };
    PatternChangeCounts {
        appeared: count(PatternChange::Appeared),
        strengthened: count(PatternChange::Strengthened),
        weakened: count(PatternChange::Weakened),
        vanished: count(PatternChange::Vanished),
    }
}

/// Returns a text such as "2 patterns appeared: A; B. 1 weakened: C (41 of 44, now 41 of 52)." `None` if nothing
/// changed.
pub(super) fn message(told: &[PatternChangeRecord]) -> Option<String> {
    use PatternChange::{Appeared, Strengthened, Vanished, Weakened};
    let mut sentences: Vec<String> = Vec::new();
    for (change, word) in [
        (Appeared, "appeared"),
        (Strengthened, "strengthened"),
        (Weakened, "weakened"),
        (Vanished, "vanished"),
    ] {
        let those: Vec<&PatternChangeRecord> =
            told.iter().filter(|one| one.change == change).collect();
        if those.is_empty() {
            continue;
        }
        let noun = match (sentences.len(), those.len()) {
            (0, 1) => " pattern",
            (0, _) => " patterns",
            _ => "",
        };
        let mut names: Vec<String> = those.iter().take(NAMED).map(|one| named(one)).collect();
        if those.len() > NAMED {
            names.push(format!("{} more", those.len() - NAMED));
        }
        sentences.push(format!(
            "{}{noun} {word}: {}.",
            those.len(),
            names.join("; ")
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn named(told: &PatternChangeRecord) -> String {
    match (told.before, told.after) {
        (Some(before), Some(after)) => format!(
            "{} ({} of {}, now {} of {})",
            told.title, before.support, before.cases, after.support, after.cases
        ),
        _ => told.title.clone(),
    }
}

#[cfg(test)]
mod tests {
    use nyxcore_tenancy::TypedId;
    use uuid::Uuid;

    use super::*;
    use nyxcore_code_engine::evidence::wilson_lower_bound;

    fn strength(support: u32, cases: u32) -> PatternStrength {
        PatternStrength {
            support: i64::from(support),
            cases: i64::from(cases),
            confidence: (wilson_lower_bound(support, cases) * 10_000.0).round() / 10_000.0,
        }
    }

    fn former(support: u32, cases: u32) -> FormerPattern {
        FormerPattern {
            id: CodePatternId::from_uuid(Uuid::nil()),
            title: "Functions are snake_case".into(),
            kind: "naming".into(),
            statement: "Write them so.".into(),
            told: strength(support, cases),
            vanished: false,
        }
    }

    fn current(statement: &str, support: u32, cases: u32) -> Current<'_> {
        Current {
            statement,
            strength: strength(support, cases),
        }
    }

    #[test]
    fn a_change_is_recorded_from_five_points_or_a_new_statement() {
        let same = "Write them so.";
        for (from, to, statement, told) in [
            ((20, 20), (20, 21), same, Some(PatternChange::Weakened)),
            ((50, 50), (50, 51), same, None),
            (
                (50, 50),
                (50, 51),
                "Another rule.",
                Some(PatternChange::Weakened),
            ),
            ((50, 50), (50, 50), "Another rule.", None),
            ((20, 21), (40, 41), same, Some(PatternChange::Strengthened)),
            ((40, 41), (41, 42), same, None),
        ] {
            let now = current(statement, to.0, to.1);
            assert_eq!(
                change_of(Some(&former(from.0, from.1)), Some(now)),
                told,
                "{from:?} {to:?}"
            );
        }
    }

    #[test]
    fn returning_patterns_appear_and_vanished_ones_are_told_once() {
        let gone = FormerPattern {
            vanished: true,
            ..former(20, 20)
        };
        let now = current("Write them so.", 20, 20);
        assert_eq!(
            change_of(Some(&gone), Some(now)),
            Some(PatternChange::Appeared)
        );
        assert_eq!(change_of(None, Some(now)), Some(PatternChange::Appeared));
        assert_eq!(change_of(Some(&gone), None), None);
        assert_eq!(
            change_of(Some(&former(20, 20)), None),
            Some(PatternChange::Vanished)
        );
    }

    #[test]
    fn the_message_counts_and_names_the_greatest_changes() {
        let told = |title: &str, change, before: Option<(u32, u32)>, after: Option<(u32, u32)>| {
            PatternChangeRecord {
                pattern: CodePatternId::from_uuid(Uuid::nil()),
                title: title.into(),
                kind: "naming".into(),
                change,
                before: before.map(|(support, cases)| strength(support, cases)),
                after: after.map(|(support, cases)| strength(support, cases)),
            }
        };
        assert_eq!(message(&[]), None);
        let mut all = vec![
            told("Gone", PatternChange::Vanished, Some((5, 5)), None),
            told(
                "Little",
                PatternChange::Weakened,
                Some((41, 44)),
                Some((41, 52)),
            ),
            told(
                "Much",
                PatternChange::Weakened,
                Some((20, 20)),
                Some((20, 26)),
            ),
            told("New", PatternChange::Appeared, None, Some((9, 9))),
        ];
        for n in 0..3 {
            all.push(told(
                &format!("New {n}"),
                PatternChange::Appeared,
                None,
                Some((5, 5)),
            ));
        }
        order(&mut all);
        assert_eq!(
            message(&all).unwrap(),
            "4 patterns appeared: New; New 0; New 1; 1 more. \
             2 weakened: Much (20 of 20, now 20 of 26); Little (41 of 44, now 41 of 52). 1 vanished: Gone."
        );
        let counts = counts(&all);
        assert_eq!(
            (
                counts.appeared,
                counts.strengthened,
                counts.weakened,
                counts.vanished
            ),
            (4, 0, 2, 1)
        );
    }
}
