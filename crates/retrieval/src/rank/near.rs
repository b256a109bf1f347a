//! The ranking by vectors, and its fusion with the ranking by words.

use super::{CandidateScore, rounded};
use crate::fusion::{RankedList, fuse};

/// The minimum similarity that counts: unrelated English texts have 0 to 0.2 with the models that were examined.
pub(crate) const SIMILARITY_MIN: f64 = 0.25;
/// The minimum share of the highest similarity of all kinds: a less similar document does not count as found by its
/// vector.
pub(crate) const NEAR_OF_NEAREST: f64 = 0.7;

/// The similarity of a candidate, where it is high enough to count.
pub(super) fn near(one: &CandidateScore) -> Option<f64> {
    one.candidate
        .similarity
        .filter(|similarity| *similarity >= SIMILARITY_MIN)
}

/// Reorders the candidates of a kind, which are sorted by words, by the fusion of both rankings. A candidate that is
/// below the minimum score and not similar enough either is left out.
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
