//! The ranking by vectors beside that by words, and both in one order.

use super::{CandidateScore, rounded};
use crate::fusion::{RankedList, fuse};

/// The least similarity that says anything: unrelated English texts have 0 to 0.2 by the models that were looked at.
const SIMILARITY_MIN: f64 = 0.25;
/// What is less near than this share of the nearest hit of all kinds is not found by its vector.
const NEAR_OF_NEAREST: f64 = 0.7;

/// How near a candidate is, where that says anything.
pub(super) fn near(one: &CandidateScore) -> Option<f64> {
    one.candidate
        .similarity
        .filter(|similarity| *similarity >= SIMILARITY_MIN)
}

/// Puts the candidates of a kind, which are in the order of their words, into the fused order of both rankings. What is
/// below the floor of the words, and not near enough either, is left out.
pub(super) fn rankings_fuse(of_kind: &mut Vec<CandidateScore>, floor: f64, nearest: f64) {
    let by_words: Vec<usize> = (0..of_kind.len())
        .filter(|&at| of_kind[at].score >= floor && of_kind[at].candidate.score > 0.0)
        .collect();
    let mut by_vector: Vec<(usize, f64)> = of_kind
        .iter()
        .enumerate()
        .filter_map(|(at, one)| Some((at, near(one)?)))
        .filter(|(_, similarity)| *similarity >= nearest * NEAR_OF_NEAREST)
        .collect();
    by_vector.sort_by(|a, b| {
        rounded(b.1).total_cmp(&rounded(a.1)).then_with(|| {
            let subject = |at: usize| &of_kind[at].candidate.subject;
            subject(a.0).cmp(subject(b.0))
        })
    });
    let by_vector: Vec<usize> = by_vector.into_iter().map(|(at, _)| at).collect();
    for (rank, &at) in (1_u32..).zip(&by_words) {
        of_kind[at].word_rank = Some(rank);
    }
    for (rank, &at) in (1_u32..).zip(&by_vector) {
        of_kind[at].vector_rank = Some(rank);
    }
    let fused = fuse(&[RankedList::new(&by_words), RankedList::new(&by_vector)]);
    let mut taken: Vec<Option<CandidateScore>> = of_kind.drain(..).map(Some).collect();
    of_kind.extend(
        fused
            .into_iter()
            .filter_map(|item| taken.get_mut(item.id)?.take()),
    );
}
