//! Groups texts of similar length into batches: all texts of a batch are padded to its longest.

/// The most tokens of a batch with its padding: enough to keep the matrices large, and few enough that a question
/// waits a fraction of a second for the batch before it.
const TOKENS: usize = 2_048;

/// The indexes of texts with these lengths in tokens, in batches, the longest first.
pub(crate) fn batches_of(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(lengths[at]));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for at in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * lengths[batch[0]] <= TOKENS => batch.push(at),
            _ => batches.push(vec![at]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_with_its_padding() {
        let lengths: Vec<usize> = (0..500).map(|n| 3 + (n * 7) % 254).collect();
        let batches = batches_of(&lengths);
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..500).collect::<Vec<_>>());
        for batch in &batches {
            let longest = batch.iter().map(|at| lengths[*at]).max().unwrap();
            assert!(longest * batch.len() <= TOKENS);
        }
    }

    #[test]
    fn a_text_longer_than_a_batch_is_alone() {
        assert_eq!(batches_of(&[5, 9_000, 6]), [vec![1], vec![2, 0]]);
        assert!(batches_of(&[]).is_empty());
    }
}
