//! The time of a retry: exponential backoff with jitter, and not before the time that the remote gave.

use chrono::TimeDelta;

use crate::error::RunFailure;
use crate::model::RunId;

/// The delay before the first retry, roughly. Each further retry waits twice as long.
const FIRST: TimeDelta = TimeDelta::seconds(2);
/// The longest delay that doubling leads to.
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// The longest delay that a remote may ask for: its clock may be wrong, and the waiting run blocks its subject.
const LONGEST_ASKED: TimeDelta = TimeDelta::days(1);

/// The delay before the next attempt; `None` if the failure is permanent or the attempts are used up. `tries` counts
/// the attempts so far, without those that were handed back.
pub(super) fn retry_delay(
    failure: &RunFailure,
    run: RunId,
    tries: i64,
    tries_max: i64,
) -> Option<TimeDelta> {
    if !failure.transient || tries >= tries_max {
        return None;
    }
    let doublings = u32::try_from(tries - 1).unwrap_or(0).min(16);
    let backoff = (FIRST * 2_i32.pow(doublings)).min(LONGEST);
    // The jitter is at most a quarter, so that runs that failed together are not retried together.
    let jitter = backoff * share(run, tries) / 4_000;
    Some(match failure.retry_after {
        // Never before the time that the remote gave: the jitter is added after it.
        Some(asked) if asked > backoff => asked.min(LONGEST_ASKED) + jitter,
        _ => backoff - jitter,
    })
}

/// A number from 0 to 999 that depends only on the run and the attempt: the same on every machine, and different for
/// every run.
fn share(run: RunId, tries: i64) -> i32 {
    // The last eight bytes of an id are its random ones; splitmix64 spreads them over all bits.
    let (_, random) = run.0.as_u64_pair();
    let mut bits = random
        .wrapping_add(tries.unsigned_abs())
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    i32::try_from((bits ^ (bits >> 31)) % 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use nyxcore_tenancy::Error;
    use uuid::Uuid;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId(Uuid::from_u128(n))
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        let down = || RunFailure::transient("REMOTE_UNREACHABLE", "no answer");
        let asked = |seconds| down().retry_after(TimeDelta::seconds(seconds));
        // The failure, the attempts so far, and the range of the delay in milliseconds.
        let again = |from, to| Some((from, to));
        for (failure, tries, wait) in [
            (down(), 1, again(1_500, 2_000)),
            (down(), 2, again(3_000, 4_000)),
            (down(), 3, again(6_000, 8_000)),
            (down(), 8, again(192_000, 256_000)),
            (down(), 9, again(225_000, 300_000)),
            (down(), 40, again(225_000, 300_000)),
            (down(), 50, None),
            (down(), 51, None),
            (asked(1), 1, again(1_500, 2_000)),
            (asked(60), 1, again(60_000, 60_500)),
            (asked(3_600), 9, again(3_600_000, 3_675_000)),
            (asked(1 << 40), 1, again(86_400_000, 86_400_500)),
            (asked(60), 50, None),
            (
                RunFailure::permanent("BRANCH_NOT_FOUND", "no such branch"),
                1,
                None,
            ),
            (
                RunFailure::permanent("X", "x").retry_after(TimeDelta::seconds(1)),
                1,
                None,
            ),
            (RunFailure::stopped(), 1, None),
            (Error::Busy.into(), 1, again(1_500, 2_000)),
            (Error::NotFound("source").into(), 1, None),
            (Error::Conflict("x").into(), 1, None),
            (Error::Invalid("x".into()).into(), 1, None),
        ] {
            let delays = (0..50).map(|n| retry_delay(&failure, run(n), tries, 50));
            for delay in delays {
                let delay = delay.map(|delay| delay.num_milliseconds());
                match wait {
                    Some((from, to)) => assert!(
                        delay.is_some_and(|delay| (from..=to).contains(&delay)),
                        "{failure:?} after {tries}: {delay:?}"
                    ),
                    None => assert_eq!(delay, None, "{failure:?} after {tries}"),
                }
            }
        }
    }

    #[test]
    fn what_failed_together_does_not_come_back_together() {
        let down = RunFailure::transient("REMOTE_UNREACHABLE", "no answer");
        // Consecutive ids, like those of runs that were started at once.
        let delays: BTreeSet<Option<TimeDelta>> = (0..100)
            .map(|n| retry_delay(&down, run(n), 9, 50))
            .collect();
        assert!(delays.len() > 80, "{}", delays.len());
        assert_eq!(
            retry_delay(&down, run(7), 9, 50),
            retry_delay(&down, run(7), 9, 50)
        );
    }
}
